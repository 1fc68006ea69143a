//! Hostile bodies: each gets a 4xx answer, and memory does not grow.

use crate::client::{Answer, Client, request};
use crate::harness::Bench;
use crate::pictures::{bomb, deflate, digit, file, infer, numbers};
use crate::program::{Serving, digits};
use foveal::data::npy::write_npy;
use std::sync::Mutex;

const INFER: &str = "/v2/models/digits/infer";

fn serving(bench: &Bench, options: &str) -> Serving {
    digits(bench, "digits", 3);
    Serving::start(bench, &format!("digits.safetensors --threads 2 {options}"))
}

/// Numbers that look random.
struct Chance(u64);

impl Chance {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % below.max(1)
    }

    /// A body with some of its bytes changed, taken out, doubled or cut off.
    fn mutate(&mut self, body: &[u8]) -> Vec<u8> {
        let mut bytes = body.to_vec();
        for _ in 0..=self.next(4) {
            let (at, length) = (self.next(bytes.len()), 1 + self.next(64));
            let end = (at + length).min(bytes.len());
            match self.next(6) {
                0 => bytes[at..end].iter_mut().for_each(|b| *b = self.next(256) as u8),
                1 => bytes[at] ^= 1 << self.next(8),
                2 => drop(bytes.drain(at..end)),
                3 => drop(bytes.splice(at..at, body[..length.min(body.len())].to_vec())),
                4 => bytes.truncate(at),
                _ => {
                    const WORDS: [&str; 8] =
                        ["1e999", "-1", "[", "]", "null", "18446744073709551616", "\"", "\u{0}"];
                    drop(bytes.splice(at..end, WORDS[self.next(8)].bytes()));
                }
            }
            if bytes.is_empty() {
                bytes.push(b'x');
            }
        }
        bytes
    }
}

/// A small JPEG.
fn jpeg() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let picture = image::GrayImage::from_fn(28, 28, |x, y| image::Luma([(x * y) as u8]));
    picture.write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}

#[test]
fn ten_thousand_mutations_get_answers_and_memory_stays_flat() {
    const MUTATIONS: usize = 10_000;
    const CLIENTS: usize = 8;
    let bench = Bench::new();
    let serving = serving(&bench, "");
    let array = ndarray::Array2::from_shape_vec((28, 28), numbers(1, 784, 1)).unwrap().into_dyn();
    let seeds: Vec<(&str, Vec<u8>)> = vec![
        ("/predict", digit(1)),
        ("/predict", jpeg()),
        ("/predict", write_npy(array.view())),
        (INFER, infer(&[1, 28, 28, 1], &numbers(1, 784, 2))),
        (INFER, infer(&[5, 28, 28, 1], &numbers(5, 784, 3))),
    ];
    let counts = Mutex::new(std::collections::BTreeMap::<u16, usize>::new());
    let mut after_first: Option<[f64; 2]> = None;
    for (round, share) in [(0, MUTATIONS / 5), (1, MUTATIONS - MUTATIONS / 5)] {
        std::thread::scope(|scope| {
            for worker in 0..CLIENTS {
                let (seeds, counts, serving) = (&seeds, &counts, &serving);
                scope.spawn(move || {
                    let mut chance = Chance(round * 1000 + worker as u64);
                    let mut client = serving.connect();
                    for i in 0..share / CLIENTS {
                        let (path, seed) = &seeds[(i + worker) % seeds.len()];
                        let body = chance.mutate(seed);
                        let answer = client.post(path, &body).unwrap();
                        let good = answer.status == 200 || (400..500).contains(&answer.status);
                        assert!(good, "{} {} for {path} {body:?}", answer.status, answer.text());
                        *counts.lock().unwrap().entry(answer.status).or_default() += 1;
                        if answer.closes() {
                            client = serving.connect();
                        }
                    }
                });
            }
        });
        match (serving.memory(), after_first) {
            (Some(memory), None) => after_first = Some(memory),
            (Some([now, peak]), Some([first, _])) => {
                println!(
                    "{first:.0} MB after {} mutations, {now:.0} MB after all, peak {peak:.0}",
                    MUTATIONS / 5
                );
                assert!(now < first + 40.0 && peak < first + 500.0, "{first} MB, then {now}, peak {peak}");
            }
            _ => {}
        }
    }
    let counts = counts.into_inner().unwrap();
    println!("{counts:?}");
    assert_eq!(counts.values().sum::<usize>(), MUTATIONS);
    assert!(counts[&400] > MUTATIONS / 4, "{counts:?}");
    assert_eq!(serving.metric("foveal_panics_total"), 0.0);
    assert_eq!(serving.post("/predict", &digit(1)).status, 200);
}

#[test]
fn absurd_requests_are_named() {
    let bench = Bench::new();
    let serving = serving(&bench, "");
    let with = |shape: &str, datatype: &str, data: &str| {
        format!(
            "{{\"inputs\":[{{\"name\":\"image\",\"shape\":{shape},\"datatype\":\"{datatype}\",\"data\":{data}}}]}}"
        )
    };
    let ones = format!("[{}]", vec!["1"; 784].join(","));
    let right = "[1,28,28,1]";
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    for (body, words) in [
        (String::new(), "not an inference request"),
        ("{}".into(), "inputs"),
        ("[1,2".into(), "not an inference request"),
        ("{\"inputs\":[]}".into(), "gives 0"),
        (with("[18446744073709551615,28,28,1]", "FP32", "[1]"), "18446744073709551615 images"),
        (with("[9223372036854775807,9223372036854775807]", "FP32", "[]"), "takes [n, 28, 28, 1]"),
        (with("[-1,28,28,1]", "FP32", "[1]"), "invalid value"),
        (with("[0,28,28,1]", "FP32", "[]"), "0 images"),
        (with("[]", "FP32", "[]"), "takes [n, 28, 28, 1]"),
        (with(&format!("[{}]", vec!["1"; 100_000].join(",")), "FP32", "[1]"), "takes [n, 28, 28, 1]"),
        (with("[2000,28,28,1]", "FP32", &ones), "2000 images; send 1 to 1024"),
        (with("[2,28,28,1]", "FP32", &ones), "has 784 numbers"),
        (with(right, "FP32", "[1e999]"), "number out of range"),
        (with(right, "FP32", &ones.replacen('1', "1e39", 1)), "does not fit FP32"),
        (with(right, "UINT8", &ones.replacen('1', "256", 1)), "does not fit UINT8"),
        (with(right, "UINT8", &ones.replacen('1', "1.5", 1)), "whole numbers"),
        (with(right, "BYTES", &ones), "datatype \"BYTES\""),
        (with(right, "FP32", &ones.replacen('1', "[1]", 1)), "different levels"),
        (with(right, "FP32", &format!("[{ones}]")), "nested as [1, 784]"),
        (with(right, "FP32", &deep), "nested too deep"),
        (with(right, "FP32", "7"), "must be a list"),
        (with(right, "FP32", &ones).replace("image", "picture"), "no input \"picture\""),
        (
            with(right, "FP32", &ones).replace("{\"inputs", "{\"outputs\":[{\"name\":\"x\"}],\"inputs"),
            "no output \"x\"",
        ),
    ] {
        let answer = serving.post(INFER, body.as_bytes());
        let error = answer.error();
        assert_eq!(answer.status, 400, "{error}");
        assert!(error.contains(words) && error.len() < 500, "no `{words}` in {error}");
    }
    let huge = with(right, "FP32", &ones.replace('1', "3e38"));
    let answer = serving.post(INFER, huge.as_bytes());
    assert!([200, 422].contains(&answer.status), "{}", answer.text());
    for (body, status) in [
        (&b""[..], 400),
        (b"GIF89a..", 400),
        (b"<svg></svg>", 415),
        (b"\x93NUMPY\x01\x00", 400),
        (b"\x89PNG\r\n\x1a\n", 400),
    ] {
        let answer = serving.post("/predict", body);
        assert_eq!(answer.status, status, "{}", answer.error());
    }
    assert_eq!(serving.post("/predict?model=%FF", b"x").status, 404);
    assert_eq!(serving.post("/v2/models/%FF/infer", b"x").status, 400);
}

fn raw(serving: &Serving, bytes: &[u8]) -> Answer {
    let mut client = serving.connect();
    client.send(bytes).unwrap();
    client.answer().unwrap()
}

#[test]
fn requests_that_are_no_http_are_refused() {
    let bench = Bench::new();
    let serving = serving(&bench, "");
    let many: String = (0..500).map(|i| format!("x-{i}: 1\r\n")).collect();
    let long = "a".repeat(100_000);
    for (request, statuses) in [
        ("\x16\x03\x01\x02\r\n\r\n".to_owned(), 400..=400),
        ("GET / HTTP/9.9\r\n\r\n".into(), 400..=505),
        (format!("GET /{long} HTTP/1.1\r\nhost: localhost\r\n\r\n"), 414..=431),
        (format!("GET / HTTP/1.1\r\nhost: localhost\r\nx: {long}\r\n\r\n"), 431..=431),
        (format!("GET / HTTP/1.1\r\nhost: localhost\r\n{many}\r\n"), 431..=431),
        ("POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n".into(), 400..=400),
        (
            "POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"
                .into(),
            400..=400,
        ),
        (
            "POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99999999999999999999\r\n\r\n"
                .into(),
            400..=413,
        ),
        (
            "POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1099511627776\r\n\r\n".into(),
            413..=413,
        ),
        (
            "POST /predict HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nnonsense\r\n"
                .into(),
            400..=400,
        ),
        ("BREW /predict HTTP/1.1\r\nhost: localhost\r\n\r\n".into(), 405..=405),
        ("DELETE / HTTP/1.1\r\nhost: localhost\r\n\r\n".into(), 405..=405),
    ] {
        let answer = raw(&serving, request.as_bytes());
        let shown: String = request.chars().take(60).collect();
        assert!(statuses.contains(&answer.status), "{} for {shown:?}", answer.status);
    }
    assert_eq!(serving.get("/v2/health/live").status, 200);
}

#[test]
fn bombs_and_oversized_bodies_are_refused_in_little_memory() {
    let bench = Bench::new();
    let serving = serving(&bench, "--max-body 1000000");
    assert_eq!(serving.post("/predict", &digit(1)).status, 200);
    let before = serving.memory();
    let long = vec![b' '; 3_000_000];
    let chunked = {
        let head =
            b"POST /predict HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
        let chunk = [&b"186a0\r\n"[..], &vec![b'x'; 100_000], b"\r\n"].concat();
        [head, chunk.repeat(25), b"0\r\n\r\n".to_vec()].concat()
    };
    let zipped = request(INFER, &bomb(64), "content-encoding: gzip\r\n");
    // 4 GB of pixels in a small file; a small picture with a large colour profile and text; one within the limits.
    let wide = file(65_000, 65_000, &[], &bomb(16));
    let profile = [&b"p\0\0"[..], &bomb(256)].concat();
    let text = [&b"t\0\0"[..], &bomb(256)].concat();
    let laden = file(28, 28, &[(b"iCCP", profile), (b"zTXt", text)], &deflate(&[0; 29 * 28]));
    let large = file(4_000, 4_000, &[], &deflate(&vec![0; 4_001 * 4_000]));
    for _ in 0..3 {
        for (bytes, statuses) in [
            (request("/predict", &long, ""), 413..=413),
            (request(INFER, &long, ""), 413..=413),
            (chunked.clone(), 413..=413),
            (zipped.clone(), 415..=415),
            (request("/predict", &wide, ""), 413..=413),
            (request("/predict", &laden, ""), 200..=413),
            (request("/predict", &large, ""), 200..=200),
        ] {
            let answer = raw(&serving, &bytes);
            assert!(statuses.contains(&answer.status), "{} {}", answer.status, answer.text());
        }
    }
    if let (Some([before, _]), Some([now, peak])) = (before, serving.memory()) {
        println!("{before:.0} MB before, {now:.0} MB after, peak {peak:.0} MB");
        assert!(now < before + 100.0, "{before} MB before, {now} MB after");
        assert!(peak < before + 600.0, "{peak} MB at most");
    }
    // Many at once share the memory for bodies.
    let body = vec![b' '; 900_000];
    std::thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| {
                let mut client: Client = serving.connect();
                for _ in 0..3 {
                    let answer = client.post(INFER, &body).unwrap();
                    assert!([400, 503].contains(&answer.status), "{}", answer.status);
                    if answer.closes() {
                        client = serving.connect();
                    }
                }
            });
        }
    });
}
