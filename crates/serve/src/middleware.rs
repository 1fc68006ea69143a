//! What is done for every request, whatever its path: security headers, CORS, counting, and, while the server is
//! stopping, the request to close the connection.

use crate::app::App;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::time::Instant;

/// Scripts, wasm, workers, styles and data come from the page's own origin: nothing inline, nothing from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-embedder-policy"), "require-corp"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
];

/// The path that metrics count a request under: one of a short list, whatever clients make up.
fn label(request: &Request) -> &'static str {
    const KNOWN: [&str; 16] = [
        "/v2",
        "/v2/health/live",
        "/v2/health/ready",
        "/v2/models/{name}",
        "/v2/models/{name}/ready",
        "/v2/models/{name}/infer",
        "/v2/models/{name}/config",
        "/v2/models/{name}/versions/{version}",
        "/v2/models/{name}/versions/{version}/ready",
        "/v2/models/{name}/versions/{version}/infer",
        "/v2/models/{name}/versions/{version}/config",
        "/v2/repository/index",
        "/predict",
        "/models",
        "/metrics",
        "/",
    ];
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    KNOWN.into_iter().find(|k| *k == path).unwrap_or("page")
}

/// Lets `next` answer, then adds headers, counts and writes the log.
pub async fn every_request(State(app): State<App>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let label = label(&request);
    let method = request.method().clone();
    let path = app.access_log.then(|| request.uri().path().to_owned());
    let allowed = app.cors.allowed(request.headers().get(header::ORIGIN));
    let mut response = match app.hosts.check(request.uri(), request.headers(), &app.cors) {
        Err(foreign) => foreign.into_response(),
        Ok(()) => match app.cors.preflight(&request, allowed.is_some()) {
            Some(response) => response,
            None => next.run(request).await,
        },
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // A page that CORS lets read an answer may also embed it, which this header has to say.
    let policy = if allowed.is_some() { "cross-origin" } else { "same-origin" };
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static(policy));
    app.cors.mark(headers, allowed);
    if app.stop.asked() {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    let (status, took) = (response.status().as_u16(), started.elapsed());
    app.backend.metrics.answered(label, status, took);
    if let Some(path) = path {
        let milliseconds = took.as_secs_f64() * 1e3;
        tracing::info!(%method, %path, status, milliseconds, "request");
    }
    response
}
