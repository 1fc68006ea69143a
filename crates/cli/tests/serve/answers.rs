//! What is answered: the program's own answers, the protocol's objects, headers, the page.

use crate::client::Client;
use crate::harness::Bench;
use crate::pictures::{digit, infer, numbers};
use crate::program::{Serving, digits, regression};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A request and the probabilities or values that `foveal predict` gives.
struct Case {
    path: String,
    body: Vec<u8>,
    wanted: Vec<Value>,
}

/// What `foveal predict` makes of a file, image by image.
fn predicted(bench: &Bench, model: &str, file: &str, field: &str) -> Vec<Value> {
    let json = bench.run(&format!("predict {model}.safetensors {file} --json --threads 1")).good().json();
    json["predictions"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|p| p[field].as_array().unwrap().clone())
        .collect()
}

/// Pictures, arrays and requests of one to forty images.
fn cases(bench: &Bench) -> Vec<Case> {
    let mut cases = Vec::new();
    for i in 0..6 {
        let picture = digit(i);
        bench.file("digit.png", &picture);
        let wanted = predicted(bench, "digits", "digit.png", "probabilities");
        cases.push(Case { path: "/predict".into(), body: picture, wanted });
    }
    // Fewer and more images than the number from which the engine takes them side by side.
    for (seed, images) in [1, 1, 1, 2, 3, 4, 5, 9, 40].into_iter().enumerate() {
        let data = numbers(images, 784, seed as u32);
        bench.array("batch.npy", &[images, 28, 28, 1], data.iter().copied());
        let wanted = predicted(bench, "digits", "batch.npy", "probabilities");
        if images == 1 {
            let body = std::fs::read(bench.path("batch.npy")).unwrap();
            cases.push(Case { path: "/predict?model=digits".into(), body, wanted: wanted.clone() });
        }
        let path = "/v2/models/digits/infer".into();
        cases.push(Case { path, body: infer(&[images, 28, 28, 1], &data), wanted });
    }
    cases
}

fn check(client: &mut Client, case: &Case) {
    let answer = client.post(&case.path, &case.body).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let json = answer.json();
    let found =
        if case.path.starts_with("/v2") { &json["outputs"][0]["data"] } else { &json["probabilities"] };
    assert_eq!(found.as_array(), Some(&case.wanted));
}

#[test]
fn twenty_thousand_requests_are_answered_as_the_program_answers() {
    const CONNECTIONS: usize = 32;
    const REQUESTS: usize = 20_000;
    let bench = Bench::new();
    digits(&bench, "digits", 3);
    let cases = cases(&bench);
    for threads in [2, 5] {
        let serving = Serving::start(&bench, &format!("digits.safetensors --threads {threads}"));
        // All inputs with two workers, and some with more workers than cores.
        let requests = if threads == 2 { REQUESTS } else { REQUESTS / 20 };
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..CONNECTIONS {
                scope.spawn(|| {
                    let mut client = serving.connect();
                    loop {
                        let i = next.fetch_add(1, Ordering::Relaxed);
                        if i >= requests {
                            break;
                        }
                        // One in ten requests is a large batch.
                        let most = if i.is_multiple_of(10) { cases.len() } else { cases.len() - 2 };
                        check(&mut client, &cases[i * 7 % most]);
                    }
                });
            }
        });
        let text = serving.get("/metrics").text();
        let answered: usize = text
            .lines()
            .filter(|l| l.starts_with("foveal_requests_total") && l.contains("\"200\""))
            .map(|l| l.rsplit(' ').next().unwrap().parse::<usize>().unwrap())
            .sum();
        assert_eq!(answered, requests, "{text}");
        assert!(serving.metric("foveal_together_sum{model=\"digits\"}") as usize == requests);
    }
}

#[test]
fn several_models_have_names() {
    let bench = Bench::new();
    digits(&bench, "digits", 3);
    digits(&bench, "run/model", 4);
    regression(&bench, "values");
    let serving = Serving::start(&bench, "digits.safetensors other=run values.safetensors --threads 2");
    assert_eq!(serving.told["models"], json!(["digits", "other", "values"]));
    let listed = serving.get("/models").json();
    assert_eq!(
        listed["models"][2],
        json!({"name": "values", "input_shape": [6, 5, 3], "outputs": 2, "classes": []})
    );
    assert_eq!(listed["models"][1]["classes"][9], "class 9");
    let picture = digit(1);
    bench.file("digit.png", &picture);
    let mut found = Vec::new();
    for (name, model) in [("digits", "digits"), ("other", "run/model")] {
        let answer = serving.post(&format!("/predict?model={name}"), &picture).json();
        let wanted = predicted(&bench, model, "digit.png", "probabilities");
        assert_eq!((answer["probabilities"].as_array(), &answer["model"]), (Some(&wanted), &name.into()));
        found.push(wanted);
    }
    assert_ne!(found[0], found[1]);
    let answer = serving.post("/predict?model=values", &picture).json();
    let wanted = predicted(&bench, "values", "digit.png", "values");
    // The program writes the values of a regression as f64, with more digits; the number is the same.
    let single =
        |values: &[Value]| -> Vec<f32> { values.iter().map(|v| v.as_f64().unwrap() as f32).collect() };
    assert_eq!(single(answer["values"].as_array().unwrap()), single(&wanted));
    assert_eq!(answer["model"], "values");
    // With several models the request must name one that exists.
    let unsaid = serving.post("/predict", &picture);
    assert_eq!(unsaid.status, 400);
    assert!(unsaid.error().contains("?model=NAME; there is digits, other, values"), "{}", unsaid.error());
    let wrong = serving.post("/predict?model=nobody", &picture);
    assert_eq!((wrong.status, wrong.error().contains("nobody")), (404, true));
}

#[test]
fn names_and_models_that_cannot_be_served_are_refused() {
    let bench = Bench::new();
    digits(&bench, "digits", 3);
    digits(&bench, "a b", 3);
    std::fs::rename(bench.path("a b.safetensors"), bench.path("a%b.safetensors")).unwrap();
    bench.run("serve digits.safetensors digits.safetensors").refused(&[
        "`digits`",
        "two models",
        "NAME=FILE",
    ]);
    bench.run("serve a%b.safetensors").refused(&["a%b", "letters", "NAME=FILE"]);
    bench.run("serve fast").refused(&["fast", "train it"]);
    bench.run("serve nothing.safetensors").refused(&["nothing.safetensors"]);
    bench.run("serve --cors nonsense").refused(&["`nonsense` is not an origin"]);
    let serving = Serving::start(&bench, "");
    let port = serving.address.port();
    bench.run(&format!("serve --port {port}")).refused(&["127.0.0.1", "--port"]);
    assert_eq!(bench.run("serve --queue 0").code, Some(2));
    // Without a model the rest works.
    let answer = serving.post("/predict", b"x");
    assert_eq!((answer.status, answer.error().contains("foveal serve MODEL")), (404, true));
    assert_eq!(serving.get("/v2/health/ready").json(), json!({"ready": true}));
}

#[test]
fn the_protocol_has_its_objects() {
    let bench = Bench::new();
    digits(&bench, "digits", 3);
    let serving = Serving::start(&bench, "digits.safetensors");
    let version = env!("CARGO_PKG_VERSION");
    for (path, wanted) in [
        (
            "/v2",
            json!({"name": "foveal", "version": version,
            "extensions": ["binary_tensor_data", "model_configuration", "model_repository"]}),
        ),
        ("/v2/health/live", json!({"live": true})),
        ("/v2/health/ready", json!({"ready": true})),
        ("/v2/models/digits/ready", json!({"name": "digits", "ready": true})),
        (
            "/v2/models/digits",
            json!({"name": "digits", "versions": ["1"], "platform": "foveal_safetensors",
                "inputs": [{"name": "image", "datatype": "FP32", "shape": [-1, 28, 28, 1]}],
                "outputs": [{"name": "probabilities", "datatype": "FP32", "shape": [-1, 10]}]}),
        ),
    ] {
        let answer = serving.get(path);
        assert_eq!((answer.status, answer.json()), (200, wanted), "{path}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
    for path in ["/v2/models/x", "/v2/models/x/ready", "/v2/models/digits/versions/2", "/v2/nothing"] {
        let answer = serving.get(path);
        assert_eq!((answer.status, answer.error().is_empty()), (404, false), "{path}");
    }
    let wrong = serving.get("/v2/models/digits/infer");
    assert_eq!((wrong.status, wrong.error()), (405, "GET is not for this path".into()));
    let pixels: Vec<u32> = (0..784).map(|i| i % 256).collect();
    let rows: Vec<Vec<[u32; 1]>> = pixels.chunks(28).map(|r| r.iter().map(|&v| [v]).collect()).collect();
    let input =
        |data: Value| json!([{"name": "image", "shape": [1, 28, 28, 1], "datatype": "UINT8", "data": data}]);
    let flat = json!({"id": "42", "inputs": input(json!(pixels)), "outputs": [{"name": "probabilities"}]});
    let nested = json!({"parameters": {"x": 1}, "inputs": input(json!([rows]))});
    let path = "/v2/models/digits/infer";
    let answer = serving.post(path, flat.to_string().as_bytes()).json();
    assert_eq!((&answer["model_name"], &answer["id"]), (&"digits".into(), &"42".into()));
    let output = &answer["outputs"][0];
    assert_eq!((&output["name"], &output["datatype"]), (&"probabilities".into(), &"FP32".into()));
    assert_eq!(output["shape"], json!([1, 10]));
    let again = serving.post(path, nested.to_string().as_bytes()).json();
    assert_eq!((&again["outputs"], again.get("id")), (&answer["outputs"], None));
}

#[test]
fn answers_carry_security_headers_and_cors_only_if_asked() {
    let bench = Bench::new();
    digits(&bench, "digits", 3);
    let plain = Serving::start(&bench, "digits.safetensors");
    for path in ["/", "/models", "/nothing", "/v2/models/x"] {
        let answer = plain.get(path);
        let policy = answer.header("content-security-policy").unwrap().to_owned();
        for part in [
            "default-src 'none'",
            "script-src 'self' 'wasm-unsafe-eval'",
            "worker-src 'self'",
            "connect-src 'self'",
            "style-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.split("; ").any(|p| p.trim() == part), "no {part} in {policy}");
        }
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"));
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path} {name}");
        }
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
    let ask = |serving: &Serving, method: &str, origin: &str| {
        let mut client = serving.connect();
        let head = format!(
            "{method} /predict HTTP/1.1\r\nhost: localhost\r\norigin: {origin}\r\n\
            access-control-request-method: POST\r\naccess-control-request-headers: content-type\r\n\
            content-length: 0\r\n\r\n"
        );
        client.send(head.as_bytes()).unwrap();
        client.answer().unwrap()
    };
    assert_eq!(ask(&plain, "OPTIONS", "http://a.test").status, 403);
    let open = Serving::start(&bench, "digits.safetensors --cors http://a.test --cors https://b.test:8443");
    for origin in ["http://a.test", "https://b.test:8443"] {
        let answer = ask(&open, "OPTIONS", origin);
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (204, Some(origin)));
        assert_eq!(answer.header("access-control-allow-methods"), Some("GET, POST"));
        let answer = ask(&open, "POST", origin);
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (400, Some(origin)));
        assert_eq!(answer.header("vary"), Some("origin"));
    }
    for origin in ["http://c.test", "http://a.test.evil", "null"] {
        assert_eq!(ask(&open, "OPTIONS", origin).header("access-control-allow-origin"), None);
        assert_eq!(ask(&open, "POST", origin).header("access-control-allow-origin"), None);
    }
}

#[test]
fn the_page_or_how_to_build_it() {
    let bench = Bench::new();
    let serving = Serving::start(&bench, "");
    let answer = serving.get("/");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/html; charset=utf-8")));
    if serving.told["page"] == false {
        let text = answer.text();
        assert!(text.contains("make page") && text.contains("페이지가 들어 있지 않습니다"), "{text}");
        assert_eq!(serving.get("/absent.css").header("content-type"), Some("text/css; charset=utf-8"));
        assert_eq!(serving.get("/digits/few.bin").status, 404);
    } else {
        let digits = serving.get("/digits/few.bin");
        assert_eq!((digits.status, digits.body.len()), (200, 200 * 785));
        assert_eq!(digits.body[200 * 784..], foveal_mnist::test_labels()[..200]);
    }
    assert!(!answer.text().contains("<script>") && !answer.text().contains("style=\""));
    let tag = answer.header("etag").unwrap();
    let mut client = serving.connect();
    client
        .send(format!("GET / HTTP/1.1\r\nhost: localhost\r\nif-none-match: {tag}\r\n\r\n").as_bytes())
        .unwrap();
    let known = client.answer().unwrap();
    assert_eq!((known.status, known.body.len()), (304, 0));
    client.send(b"GET /index.html HTTP/1.1\r\nhost: localhost\r\naccept-encoding: br, gzip\r\n\r\n").unwrap();
    let packed = client.answer().unwrap();
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&packed.body[..]), &mut text).unwrap();
    assert_eq!(text, answer.text());
    assert_eq!(serving.get("/../Cargo.toml").status, 404);
    assert_eq!(serving.get("/%2e%2e/Cargo.toml").status, 404);
}
