//! The server within other programs: as routes of an axum app, and within a runtime of the caller's.

#[path = "../examples/axum_app.rs"]
mod example;

use foveal_serve::axum::Router;
use foveal_serve::axum::body::Body;
use foveal_serve::axum::http::{Request, StatusCode};
use foveal_serve::{Options, Page, ServedModel, Server};
use http_body_util::BodyExt;
use std::io::{Read, Write};
use tower::ServiceExt;

async fn asked(app: &Router, method: &str, path: &str, body: &str) -> (StatusCode, String) {
    let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    let response = app.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_io().enable_time().build().unwrap()
}

#[test]
fn an_axum_app_has_its_routes_and_the_servers() {
    runtime().block_on(async {
        let app = example::app(example::model().unwrap()).unwrap();
        assert_eq!(asked(&app, "GET", "/", "").await, (StatusCode::OK, "a program of its own".into()));
        let (status, text) = asked(&app, "POST", "/own", "[0, 255, 30, 7]").await;
        assert!(status == StatusCode::OK && text.contains("light") | text.contains("dark"), "{text}");
        let (status, text) = asked(&app, "GET", "/models/v2/models/net", "").await;
        assert!(status == StatusCode::OK && text.contains("probabilities"), "{text}");
        let body = r#"{"inputs":[{"name":"image","shape":[1,2,2,1],"datatype":"FP32","data":[0,255,30,7]}]}"#;
        let (status, text) = asked(&app, "POST", "/models/v2/models/net/infer", body).await;
        assert!(status == StatusCode::OK && text.contains("outputs"), "{text}");
        let (status, _) = asked(&app, "POST", "/models/v2/models/other/infer", body).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    });
}

#[test]
fn it_serves_within_the_callers_runtime_until_it_is_stopped() {
    let model = ServedModel::new("net", example::model().unwrap()).unwrap();
    let server = Server::new(vec![model], Page::default(), Options::default()).unwrap();
    let stop = server.stop();
    let runtime = runtime();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let served = runtime.spawn(server.serve(listener));
    let mut client = std::net::TcpStream::connect(address).unwrap();
    client.write_all(b"GET /v2/health/ready HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("{\"ready\":true}"), "{answer}");
    stop.stop();
    runtime.block_on(served).unwrap().unwrap();
}
