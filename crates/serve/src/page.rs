//! The page: static files, held in memory.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::Write;
use std::sync::OnceLock;

/// What `/` shows when the page has not been built.
const ABSENT: &str = include_str!("absent.html");
const ABSENT_STYLE: &str = include_str!("absent.css");

/// The content type of numbers (digits, weights).
const BYTES: &str = "application/octet-stream";

/// The page's files by their paths; without any, one small page that says how to build them.
pub struct Page {
    files: HashMap<String, File>,
    built: bool,
}

struct File {
    kind: &'static str,
    make: Box<dyn Fn() -> Bytes + Send + Sync>,
    content: OnceLock<Content>,
    gzip: OnceLock<Option<Bytes>>,
}

/// What a file holds, once it has been asked for.
struct Content {
    bytes: Bytes,
    etag: HeaderValue,
}

impl File {
    fn new(path: &str, make: impl Fn() -> Bytes + Send + Sync + 'static) -> Self {
        Self { kind: kind(path), make: Box::new(make), content: OnceLock::new(), gzip: OnceLock::new() }
    }

    fn content(&self) -> &Content {
        self.content.get_or_init(|| {
            let bytes = (self.make)();
            let digest = Sha256::digest(&bytes);
            let hex: String = digest.iter().take(12).map(|b| format!("{b:02x}")).collect();
            let etag = HeaderValue::from_str(&format!("\"{hex}\"")).expect("hexadecimal digits");
            Content { bytes, etag }
        })
    }

    /// The content compressed, if that makes it smaller; compressed once, when it is first asked for.
    fn gzip(&self) -> Option<Bytes> {
        let packed = self.gzip.get_or_init(|| {
            let texts = ["text/", "application/", "image/svg"];
            if self.kind == BYTES || !texts.iter().any(|k| self.kind.starts_with(k)) {
                return None;
            }
            let bytes = &self.content().bytes;
            let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
            let packed = encoder.write_all(bytes).and_then(|()| encoder.finish()).ok()?;
            (packed.len() < bytes.len()).then(|| Bytes::from(packed))
        });
        packed.clone()
    }
}

impl Default for Page {
    fn default() -> Self {
        Self::new([])
    }
}

impl Page {
    /// A page of files `(path, bytes)`, with `index.html` among them; without it, a page that says how to build it.
    pub fn new(files: impl IntoIterator<Item = (&'static str, &'static [u8])>) -> Self {
        let named = |(path, bytes): (&'static str, &'static [u8])| {
            (path.to_owned(), File::new(path, move || Bytes::from_static(bytes)))
        };
        let mut files: HashMap<String, File> = files.into_iter().map(named).collect();
        let built = files.contains_key("index.html");
        if !built {
            files.extend(
                [("index.html", ABSENT.as_bytes()), ("absent.css", ABSENT_STYLE.as_bytes())].map(named),
            );
        }
        Self { files, built }
    }

    /// Adds a file whose bytes are made when they are first asked for, and kept.
    pub fn add(&mut self, path: &str, make: impl Fn() -> Vec<u8> + Send + Sync + 'static) {
        self.files.insert(path.to_owned(), File::new(path, move || Bytes::from(make())));
    }

    /// Whether this is the real page, not the one that says how to build it.
    pub fn is_built(&self) -> bool {
        self.built
    }

    /// The answer for `path`, if there is such a file.
    pub(crate) fn answer(&self, method: &Method, path: &str, headers: &HeaderMap) -> Option<Response> {
        let name = path.trim_start_matches('/');
        let name = if name.is_empty() { "index.html" } else { name };
        let file = self.files.get(name)?;
        if method != Method::GET && method != Method::HEAD {
            return Some(StatusCode::METHOD_NOT_ALLOWED.into_response());
        }
        let Content { bytes, etag } = file.content();
        let known = headers.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok()).is_some_and(|tags| {
            tags.split(',').any(|tag| tag.trim().trim_start_matches("W/").as_bytes() == etag.as_bytes())
        });
        let packed = accepts_gzip(headers).then(|| file.gzip()).flatten();
        let gzip = packed.is_some();
        let mut response = match (known, method == Method::HEAD) {
            (true, _) => StatusCode::NOT_MODIFIED.into_response(),
            (false, head) => {
                let bytes = packed.unwrap_or_else(|| bytes.clone());
                let length = HeaderValue::from(bytes.len());
                let mut response = Response::new(if head { Body::empty() } else { Body::from(bytes) });
                let headers = response.headers_mut();
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.kind));
                headers.insert(header::CONTENT_LENGTH, length);
                if gzip {
                    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                }
                response
            }
        };
        let headers = response.headers_mut();
        headers.insert(header::ETAG, etag.clone());
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        // The names of built assets hold a checksum of their content, so they never change.
        let caching =
            if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
        Some(response)
    }
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|one| {
        let (name, quality) = one.split_once(';').unwrap_or((one, ""));
        name.trim().eq_ignore_ascii_case("gzip") && !matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00")
    })
}

/// The content type, from the end of the name.
fn kind(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, end)| end) {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" | "md" => "text/plain; charset=utf-8",
        _ => BYTES,
    }
}
