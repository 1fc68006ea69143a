//! Which pages of other origins may read answers (CORS).

use crate::error::Error;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Origins whose pages may read answers; `*` stands for all.
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

    /// What `access-control-allow-origin` says to a page of this origin: nothing where it may not read answers.
    pub fn allowed(&self, origin: Option<&HeaderValue>) -> Option<HeaderValue> {
        let origin = origin?;
        let found = self.0.iter().find(|o| *o == "*" || *o == origin)?;
        Some(found.clone())
    }

    /// Adds what a browser wants to see before it lets a page of another origin read the answer.
    pub fn mark(&self, headers: &mut HeaderMap, allowed: Option<HeaderValue>) {
        if self.0.is_empty() {
            return;
        }
        headers.append(header::VARY, HeaderValue::from_static("origin"));
        if let Some(allowed) = allowed {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
            let exposed = HeaderValue::from_static("retry-after, inference-header-content-length");
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
    }

    /// The answer to a browser that asks whether a page may send a request; `None` if this request does not ask
    /// that, or if no other origin may read answers anyway.
    pub fn preflight(&self, request: &Request, allowed: bool) -> Option<Response> {
        let asks = request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if request.method() != Method::OPTIONS || !asks || self.0.is_empty() {
            return None;
        }
        let mut response = StatusCode::NO_CONTENT.into_response();
        if allowed {
            let headers = response.headers_mut();
            for (name, value) in [
                (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
                (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type, inference-header-content-length"),
                (header::ACCESS_CONTROL_MAX_AGE, "600"),
            ] {
                headers.insert(name, HeaderValue::from_static(value));
            }
        }
        Some(response)
    }
}
