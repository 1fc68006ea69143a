//! What clients of other servers send: binary tensors, versions, forms; and who may ask.

use crate::client::{Answer, request};
use crate::harness::Bench;
use crate::pictures::{digit, infer, numbers};
use crate::program::{Serving, digits, regression};
use serde_json::{Value, json};

const LENGTH: &str = "inference-header-content-length";

/// A request with binary tensors, as Triton's client writes it.
fn binary(serving: &Serving, path: &str, json: &Value, tensors: &[u8]) -> Answer {
    let head = json.to_string();
    let body = [head.as_bytes(), tensors].concat();
    let mut client = serving.connect();
    client.send(&request(path, &body, &format!("{LENGTH}: {}\r\n", head.len()))).unwrap();
    client.answer().unwrap()
}

/// The JSON of an answer and the numbers that follow it.
fn parts(answer: &Answer) -> (Value, Vec<f32>) {
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("application/octet-stream")),
        "{answer:?}"
    );
    let length: usize = answer.header(LENGTH).unwrap().parse().unwrap();
    let (json, tensor) = answer.body.split_at(length);
    let floats = tensor.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
    (serde_json::from_slice(json).unwrap(), floats)
}

fn input(images: usize, datatype: &str, size: usize) -> Value {
    json!({"name": "image", "shape": [images, 28, 28, 1], "datatype": datatype,
        "parameters": {"binary_data_size": size}})
}

#[test]
fn binary_tensors_are_answered_as_those_in_json() {
    let bench = Bench::new();
    digits(&bench, "digits", 3);
    let serving = Serving::start(&bench, "digits.safetensors");
    let pixels = numbers(3, 784, 1);
    let path = "/v2/models/digits/infer";
    let wanted = serving.post(path, &infer(&[3, 28, 28, 1], &pixels)).json();
    let wanted: Vec<f32> =
        wanted["outputs"][0]["data"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect();
    let bytes: Vec<u8> = pixels.iter().flat_map(|v| v.to_le_bytes()).collect();
    // Both ways of asking for binary outputs, by a version's path, too.
    for (path, more) in [
        (path, json!({"parameters": {"binary_data_output": true}})),
        (
            "/v2/models/digits/versions/1/infer",
            json!({"outputs": [{"name": "probabilities", "parameters": {"binary_data": true}}]}),
        ),
    ] {
        let mut asked = json!({"id": "7", "inputs": [input(3, "FP32", bytes.len())]});
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (json, floats) = parts(&binary(&serving, path, &asked, &bytes));
        assert_eq!((&json["model_version"], &json["id"]), (&json!("1"), &json!("7")));
        let output = &json["outputs"][0];
        assert_eq!((&output["shape"], output.get("data")), (&json!([3, 10]), None));
        assert_eq!(output["parameters"]["binary_data_size"], 4 * 30);
        assert_eq!(floats, wanted);
    }
    // Binary in, JSON out; and bytes, whose numbers are the same.
    let whole: Vec<u8> = pixels.iter().map(|&v| v as u8).collect();
    let floats: Vec<f32> = whole.iter().map(|&v| f32::from(v)).collect();
    let same = serving.post(path, &infer(&[3, 28, 28, 1], &floats)).json();
    let asked = json!({"inputs": [input(3, "UINT8", whole.len())]});
    let answer = binary(&serving, path, &asked, &whole);
    assert_eq!((answer.header(LENGTH), answer.json()), (None, same));
    for (asked, tensors, problem) in [
        (json!({"inputs": [input(1, "FP32", 3136)]}), &bytes[..3132], "3136 bytes"),
        (json!({"inputs": [input(1, "FP32", 3132)]}), &bytes[..3132], "has 783 numbers"),
        (json!({"inputs": [input(1, "FP32", 3135)]}), &bytes[..3135], "whole numbers"),
        (json!({"inputs": [input(1, "BYTES", 784)]}), &bytes[..784], "datatype"),
        (json!({"inputs": [{"name": "image", "shape": [1, 28, 28, 1], "datatype": "FP32"}]}), &[], "neither"),
        (
            json!({"inputs": [{"name": "image", "shape": [1, 28, 28, 1], "datatype": "FP32", "data": [1],
                "parameters": {"binary_data_size": 4}}]}),
            &[0; 4],
            "one of them",
        ),
        (json!({"inputs": [input(1, "FP32", 3136)]}), &[0xff; 3136], "not a finite number"),
    ] {
        let answer = binary(&serving, path, &asked, tensors);
        assert!(answer.status == 400 && answer.error().contains(problem), "{}: {problem}", answer.error());
    }
    for length in ["99999999", "-1", "x", "18446744073709551616"] {
        let mut client = serving.connect();
        client.send(&request(path, b"{}", &format!("{LENGTH}: {length}\r\n"))).unwrap();
        assert_eq!(client.answer().unwrap().status, 400, "{length}");
    }
}

#[test]
fn models_are_described_as_triton_does() {
    let bench = Bench::new();
    digits(&bench, "digits", 3);
    regression(&bench, "values");
    let serving = Serving::start(&bench, "digits.safetensors values.safetensors");
    let config = serving.get("/v2/models/values/versions/1/config").json();
    assert_eq!(config, serving.get("/v2/models/values/config").json());
    assert_eq!(config["input"], json!([{"name": "image", "data_type": "TYPE_FP32", "dims": [6, 5, 3]}]));
    assert_eq!(config["output"], json!([{"name": "values", "data_type": "TYPE_FP32", "dims": [2]}]));
    assert_eq!(config["max_batch_size"], 1024);
    let listed = serving.post("/v2/repository/index", b"{}").json();
    assert_eq!(listed[0], json!({"name": "digits", "version": "1", "state": "READY"}));
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert_eq!(serving.get("/v2/models/digits/versions/1").json()["versions"], json!(["1"]));
    assert_eq!(serving.get("/v2/models/digits/versions/1/ready").status, 200);
    for path in ["/v2/models/digits/versions/2", "/v2/models/digits/versions/2/infer", "/v2/models/x/config"]
    {
        let answer = if path.ends_with("infer") { serving.post(path, b"{}") } else { serving.get(path) };
        assert_eq!((answer.status, answer.error().is_empty()), (404, false), "{path}");
    }
}

/// A form, as `curl -F` sends it.
fn form(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let each = |(head, content): &(&str, &[u8])| {
        [b"--edge\r\ncontent-disposition: form-data; ", head.as_bytes(), b"\r\n\r\n", content, b"\r\n"]
            .concat()
    };
    [parts.iter().flat_map(each).collect::<Vec<u8>>(), b"--edge--\r\n".to_vec()].concat()
}

#[test]
fn the_file_of_a_form_is_the_picture() {
    let bench = Bench::new();
    digits(&bench, "digits", 3);
    let serving = Serving::start(&bench, "digits.safetensors");
    let picture = digit(4);
    let wanted = serving.post("/predict", &picture).json();
    let send = |body: &[u8], kind: &str| {
        let mut client = serving.connect();
        client.send(&request("/predict", body, &format!("content-type: {kind}\r\n"))).unwrap();
        client.answer().unwrap()
    };
    let kind = "multipart/form-data; boundary=edge";
    let file = "name=\"file\"; filename=\"a.png\"";
    for body in [
        form(&[(file, &picture)]),
        form(&[("name=\"note\"", b"hello"), (file, &picture)]),
        form(&[("name=\"x\"", &picture)]),
    ] {
        assert_eq!(send(&body, kind).json(), wanted);
    }
    for (body, kind, problem) in [
        (form(&[(file, &picture), (file, &picture)]), kind, "2 files"),
        (form(&[("name=\"a\"", b"1"), ("name=\"b\"", b"2")]), kind, "no file"),
        (form(&[]), kind, "no file"),
        (form(&[(file, &picture)])[..200].to_vec(), kind, "form cannot be read"),
        (form(&[(file, &picture)]), "multipart/form-data", "form cannot be read"),
        (form(&[(file, &picture)]), "multipart/form-data; boundary=other", "form cannot be read"),
    ] {
        let answer = send(&body, kind);
        assert!(answer.status == 400 && answer.error().contains(problem), "{problem}: {answer:?}");
    }
}

#[test]
fn foreign_names_and_pages_are_refused() {
    let bench = Bench::new();
    digits(&bench, "digits", 3);
    let picture = digit(2);
    let ask = |serving: &Serving, host: &str, origin: &str| {
        let mut client = serving.connect();
        let origin = if origin.is_empty() { String::new() } else { format!("origin: {origin}\r\n") };
        let length = picture.len();
        let head =
            format!("POST /predict HTTP/1.1\r\nhost: {host}\r\n{origin}content-length: {length}\r\n\r\n");
        client.send(&[head.as_bytes(), &picture].concat()).unwrap();
        client.answer().unwrap()
    };
    let serving = Serving::start(&bench, "digits.safetensors --host localhost");
    let port = serving.address.port();
    let local = format!("localhost:{port}");
    for (host, origin) in
        [(&local[..], ""), ("127.0.0.1", ""), (&local, &format!("http://{local}")), ("[::1]:80", "")]
    {
        assert_eq!(ask(&serving, host, origin).status, 200, "{host} {origin}");
    }
    for (host, origin, said) in [
        ("evil.test", "", "--allow-host evil.test"),
        (&local[..], "http://evil.test", "--cors http://evil.test"),
        (&local, "null", "null"),
        (&local, "http://localhost:1", "--cors"),
    ] {
        let answer = ask(&serving, host, origin);
        assert!(answer.status == 403 && answer.error().contains(said), "{host} {origin}: {}", answer.error());
    }
    let named = Serving::start(&bench, "digits.safetensors --allow-host models.test --cors http://app.test");
    assert_eq!(ask(&named, "models.test:80", "http://app.test").status, 200);
    assert_eq!(ask(&named, "other.test", "").status, 403);
    // Who serves a network is asked by any of its names.
    let open = Serving::start(&bench, "digits.safetensors --host 0.0.0.0");
    assert_eq!(ask(&open, "any.test", "http://any.other").status, 200);
    let six = bench.run("serve digits.safetensors --host nowhere");
    assert!(six.code == Some(2) && six.stderr.contains("[::1], localhost"), "{}", six.told());
}
