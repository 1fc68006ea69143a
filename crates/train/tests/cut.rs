//! A model in two: what goes through both parts is what goes through the whole.

use foveal_data::{Dataset, Samples, Targets};
use foveal_nn::{Model, builtin};
use foveal_train::{Cut, PictureFit, Preprocess, predict};

fn pictures(shape: [usize; 3], count: usize) -> Dataset {
    let size: usize = shape.iter().product();
    let pixels = (0..count * size).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let targets = Targets::Classes {
        labels: (0..count as u32).map(|i| i % 3).collect(),
        names: ["a", "b", "c"].map(str::to_owned).into(),
    };
    Dataset::new("pictures", shape, Samples::U8(pixels), targets).unwrap()
}

#[test]
fn both_parts_give_what_the_whole_gives() {
    let spec = builtin::fitted("residual", [16, 16, 3], 3).unwrap();
    let model = Model::new(&spec, 1).unwrap();
    let data = pictures([16, 16, 3], 70);
    let preprocess = Preprocess::unit(3, PictureFit::Resize);
    let whole = predict(&model, &preprocess, &data, None, 2).unwrap();
    // Maps, which a later sum reads too, and one row of numbers.
    for (after, shape) in [("block12_relu", [16, 16, 16]), ("mean", [1, 1, 64])] {
        let cut = Cut::new(&model, after).unwrap();
        assert_eq!(cut.tail.input_shape(), shape);
        let mut told = Vec::new();
        let features = cut.features(&preprocess, &data, 2, &mut |done| {
            told.push(done);
            true
        });
        let features = features.unwrap().unwrap();
        assert_eq!((features.len(), told), (70, vec![64, 70]));
        assert_eq!(features.labels(), data.labels());
        let numbers = Preprocess::numbers(shape[2]);
        let parts = predict(&cut.tail, &numbers, &features, None, 2).unwrap();
        let far = parts.iter().zip(&whole).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(far < 1e-4, "{after}: {far}");
        let alone = cut.features(&preprocess, &data, 1, &mut |_| true).unwrap().unwrap();
        assert!(alone.samples() == features.samples(), "{after}: bits depend on threads");
        assert!(cut.features(&preprocess, &data, 2, &mut |_| false).unwrap().is_none());
        let mut other = cut.tail.clone();
        other.params_mut().iter_mut().for_each(|p| p.values.fill(0.5));
        let joined = Cut::joined(model.clone(), &other);
        let of_tail = |name: &str| other.param(name).is_some();
        for (new, old) in joined.params().iter().zip(model.params()) {
            assert_eq!(new.values.iter().all(|v| *v == 0.5), of_tail(&new.name), "{}", new.name);
            assert!(of_tail(&new.name) || new.values == old.values);
        }
    }
}

#[test]
fn what_cannot_be_cut_is_refused() {
    let spec = builtin::fitted("residual", [16, 16, 3], 3).unwrap();
    let model = Model::new(&spec, 1).unwrap();
    for (after, word) in [("nothing", "`nothing`"), ("head", "`head`"), ("block11_a_relu", "stem_relu")] {
        let message = Cut::new(&model, after).unwrap_err().to_string();
        assert!(message.contains(word), "{after}: {message}");
    }
    let cut = Cut::new(&model, "mean").unwrap();
    let wrong =
        cut.features(&Preprocess::unit(3, PictureFit::Resize), &pictures([8, 8, 3], 2), 1, &mut |_| true);
    assert!(wrong.unwrap_err().to_string().contains("[8, 8, 3]"));
}
