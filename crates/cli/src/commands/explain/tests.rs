//! The printed terms of a cell, added up by hand, give its printed value.

use super::*;
use crate::args::{Cli, Common};
use clap::Parser;
use foveal::nn::init::Random;
use foveal::nn::{Conv2dOptions, Padding, Pool2dOptions};
use ndarray::{Array4, array};
use std::time::Instant;

fn context() -> Context {
    let Cli { common, .. } = Cli::parse_from(["foveal", "lab"]);
    // The pool of threads can be made once only.
    Context::without_pool(&Common { threads: Some(1), ..common }, Instant::now(), Vec::new())
}

/// The last word of each row of the table, by the row's first word.
fn rows(text: &str) -> Vec<(String, String)> {
    let table = text.split("\n\n").last().unwrap();
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let rows = table.lines().skip(1).map(words);
    rows.map(|w| (w[0].clone(), w[w.len() - 1].clone())).collect()
}

/// A printed number in units of the 30th decimal.
fn exact(text: &str) -> i128 {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    sign * format!("{whole}{fraction:0<30}").parse::<i128>().unwrap()
}

fn places(text: &str) -> usize {
    text.split_once('.').map_or(0, |(_, fraction)| fraction.len())
}

/// Adds up the printed terms of a convolution or a mean and compares the sum with the printed one.
fn add_up(cell: &Explanation, context: &Context) -> String {
    let printed = terms(cell, context);
    let rows = rows(&printed);
    let find = |name: &str| rows.iter().find(|r| r.0 == name).map(|r| r.1.clone());
    let total: i128 =
        rows.iter().filter(|r| r.0.starts_with('(') || r.0 == "bias").map(|r| exact(&r.1)).sum();
    let sum = find("sum").unwrap_or_else(|| panic!("no sum in {printed}"));
    assert_eq!(exact(&sum), total, "{printed}");
    let value = find("value").unwrap_or_else(|| sum.clone());
    // The value is the sum, rounded to as many decimals as it is printed with.
    let unit = 10i128.pow(30 - places(&value) as u32);
    assert!((exact(&value) - total).abs() <= unit / 2, "{printed}");
    let kept = f64::from(cell.value);
    assert!((value.parse::<f64>().unwrap() - kept).abs() <= 0.5001 * 10f64.powi(-(places(&value) as i32)));
    assert!(places(&value) >= 5 || exact(&value) == total, "{printed}");
    value
}

#[test]
fn the_terms_of_every_cell_of_the_lab_add_up_to_its_value_as_printed() {
    let context = context();
    let toy = Array4::from_shape_fn((1, 3, 3, 1), |(_, h, w, _)| (3 * h + w + 1) as f32);
    let three = Array4::from_shape_fn((2, 2, 1, 3), |(.., o)| [1.0, 10.0, -1.0][o]);
    let digit = Array4::from_shape_vec((1, 28, 28, 1), foveal_mnist::train_images(1)[..784].to_vec());
    let digit = digit.unwrap().mapv(|v| f32::from(v) / 255.0);
    let random = Array4::from_shape_vec((3, 3, 1, 5), Random::new(0).normals(45, 0.01)).unwrap();
    let same = Conv2dOptions { padding: Padding::Same, ..Conv2dOptions::default() };
    let stride = Conv2dOptions { strides: [2, 2], ..same };
    let mut cells = 0;
    for (x, filter, options, whole) in [
        (&toy, &Array4::ones((2, 2, 1, 1)), Conv2dOptions::default(), true),
        (&toy, &Array4::ones((2, 2, 1, 1)), same, true),
        (&toy, &three, same, true),
        (&digit, &random, stride, false),
    ] {
        let y = foveal::nn::ops::conv2d(x.view(), filter.view(), None, &options).unwrap();
        for ((n, h, w, o), &value) in y.indexed_iter() {
            let at = [n, h, w, o].map(|v| v as i64);
            let cell = explain::conv2d(x.view(), filter.view(), None, &options, at).unwrap();
            let printed = add_up(&cell, &context);
            if whole {
                assert_eq!(printed, value.to_string());
                assert!(equation(&cell, &context).starts_with(&format!("{value} = ")));
            }
            cells += 1;
        }
    }
    assert_eq!(cells, 4 + 9 + 27 + 14 * 14 * 5);
}

#[test]
fn the_largest_of_every_window_of_the_lab_is_one_of_its_terms_as_printed() {
    let context = context();
    let image = array![[[[4.0f32], [3.0]], [[2.0], [1.0]]]];
    let digit = Array4::from_shape_vec((1, 28, 28, 1), foveal_mnist::train_images(1)[..784].to_vec());
    let digit = digit.unwrap().mapv(|v| f32::from(v) / 255.0);
    let random = Array4::from_shape_vec((3, 3, 1, 5), Random::new(0).normals(45, 0.01)).unwrap();
    let stride = Conv2dOptions { strides: [2, 2], padding: Padding::Same, ..Conv2dOptions::default() };
    let maps = foveal::nn::ops::conv2d(digit.view(), random.view(), None, &stride).unwrap();
    let pool = |strides, padding| Pool2dOptions { ksize: [2, 2], strides, padding };
    let mut cells = 0;
    for (x, options) in [
        (&image, pool([1, 1], Padding::Valid)),
        (&image, pool([1, 1], Padding::Same)),
        (&-&image, pool([1, 1], Padding::Same)),
        (&maps, pool([2, 2], Padding::Same)),
    ] {
        let y = foveal::nn::ops::max_pool(x.view(), &options).unwrap();
        for ((n, h, w, c), _) in y.indexed_iter() {
            let at = [n, h, w, c].map(|v| v as i64);
            let cell = explain::max_pool(x.view(), &options, at).unwrap();
            let rows = rows(&terms(&cell, &context));
            let (last, terms) = rows.split_last().unwrap();
            let inside = terms.iter().filter(|r| r.1 != "padding").map(|r| &r.1);
            let largest = inside.max_by(|a, b| a.parse::<f64>().unwrap().total_cmp(&b.parse().unwrap()));
            assert_eq!((last.0.as_str(), Some(&last.1)), ("largest", largest));
            cells += 1;
        }
    }
    assert_eq!(cells, 1 + 4 + 4 + 7 * 7 * 5);
}

#[test]
fn biases_and_means_add_up() {
    let context = context();
    let x = Array4::from_shape_fn((1, 5, 5, 3), |(_, h, w, c)| ((h * 15 + w * 3 + c) as f32 * 0.7).sin());
    let filter =
        Array4::from_shape_fn((3, 3, 3, 2), |(h, w, c, o)| ((h + 2 * w + 3 * c + o) as f32).cos() / 9.0);
    let bias = ndarray::arr1(&[0.1f32, -1e-4]);
    let options = Conv2dOptions { padding: Padding::Same, ..Conv2dOptions::default() };
    for at in (0..50).map(|i| [0, i / 10, i / 2 % 5, i % 2]) {
        let cell = explain::conv2d(x.view(), filter.view(), Some(bias.view()), &options, at).unwrap();
        add_up(&cell, &context);
        assert!(equation(&cell, &context).contains(" ≈ "));
    }
    let pool = Pool2dOptions { ksize: [3, 3], strides: [2, 2], padding: Padding::Same };
    for at in (0..27).map(|i| [0, i / 9, i / 3 % 3, i % 3]) {
        add_up(&explain::avg_pool(x.view(), &pool, at).unwrap(), &context);
    }
}
