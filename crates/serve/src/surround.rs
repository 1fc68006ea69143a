//! What goes around every answer: security headers, CORS, counting, the end of a connection while the server ends.

use crate::error::Error;
use crate::failure::Failure;
use crate::routes::App;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::time::Instant;

/// Scripts, wasm, workers, styles and data from the page's own origin; nothing inline, no other place.
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

/// Origins whose pages may read answers.
pub struct Cors(Vec<HeaderValue>);

impl Cors {
    pub fn new(origins: &[String]) -> Result<Self, Error> {
        let one = |origin: &String| {
            let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
            let good = origin == "*"
                || host
                    .is_some_and(|h| !h.is_empty() && h.bytes().all(|b| b.is_ascii_graphic() && b != b'/'));
            let value = HeaderValue::from_str(origin).ok().filter(|_| good);
            value.ok_or_else(|| Error::Origin(origin.escape_debug().to_string()))
        };
        Ok(Self(origins.iter().map(one).collect::<Result<_, _>>()?))
    }

    /// What is allowed to an origin that is not ours.
    fn allowed(&self, origin: Option<&HeaderValue>) -> Option<HeaderValue> {
        let origin = origin?;
        let found = self.0.iter().find(|o| *o == "*" || *o == origin)?;
        Some(found.clone())
    }

    fn mark(&self, headers: &mut HeaderMap, allowed: Option<HeaderValue>) {
        if self.0.is_empty() {
            return;
        }
        headers.append(header::VARY, HeaderValue::from_static("origin"));
        if let Some(allowed) = allowed {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
            let exposed = HeaderValue::from_static("retry-after");
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
    }
}

/// The answer to a browser that asks whether it may send a request.
fn preflight(allowed: bool) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    if allowed {
        let headers = response.headers_mut();
        for (name, value) in [
            (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type"),
            (header::ACCESS_CONTROL_MAX_AGE, "600"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    response
}

/// The kind of path that metrics count under.
fn kind(request: &Request) -> &'static str {
    const KNOWN: [&str; 10] = [
        "/v2",
        "/v2/health/live",
        "/v2/health/ready",
        "/v2/models/{name}",
        "/v2/models/{name}/ready",
        "/v2/models/{name}/infer",
        "/predict",
        "/models",
        "/metrics",
        "/",
    ];
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    KNOWN.into_iter().find(|k| *k == path).unwrap_or("page")
}

/// Goes around every answer.
pub async fn around(State(app): State<App>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let kind = kind(&request);
    let method = request.method().clone();
    let path = app.access_log.then(|| request.uri().path().to_owned());
    let allowed = app.cors.allowed(request.headers().get(header::ORIGIN));
    let asks = request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = match method == Method::OPTIONS && asks && !app.cors.0.is_empty() {
        true => preflight(allowed.is_some()),
        false => next.run(request).await,
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // With CORS, pages of other origins may read; the header says so to those that embed, too.
    let policy = if allowed.is_some() { "cross-origin" } else { "same-origin" };
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static(policy));
    app.cors.mark(headers, allowed);
    if app.stop.asked() {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    let (status, took) = (response.status().as_u16(), started.elapsed());
    app.bench.metrics.answered(kind, status, took);
    if let Some(path) = path {
        let milliseconds = took.as_secs_f64() * 1e3;
        tracing::info!(%method, %path, status, milliseconds, "request");
    }
    response
}

/// For paths with other methods.
pub async fn wrong_method(method: Method) -> Failure {
    let method: String = method.as_str().chars().take(20).collect();
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, format!("{method} is not for this path"))
}
