//! Bodies that are forms (`curl -F picture=@cat.jpg`): the one file in them.

use crate::failure::Failure;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use std::convert::Infallible;

/// The file in a body that is a form; the body itself where it is none.
pub async fn file(bytes: Vec<u8>, headers: &HeaderMap) -> Result<Vec<u8>, Failure> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !kind.trim_start().to_ascii_lowercase().starts_with("multipart/") {
        return Ok(bytes);
    }
    let broken = |problem: String| {
        let problem: String = problem.chars().filter(|c| !foveal::view::steers(*c)).take(200).collect();
        Failure::bad(format!("the form cannot be read: {problem}"))
    };
    let boundary = multer::parse_boundary(kind).map_err(|e| broken(e.to_string()))?;
    let whole = futures_util::stream::once(async { Ok::<_, Infallible>(Bytes::from(bytes)) });
    let mut form = multer::Multipart::new(whole, boundary);
    let (mut named, mut first, mut fields) = (Vec::new(), None, 0);
    while let Some(field) = form.next_field().await.map_err(|e| broken(e.to_string()))? {
        fields += 1;
        let is_file = field.file_name().is_some();
        let content = field.bytes().await.map_err(|e| broken(e.to_string()))?;
        match is_file {
            true => named.push(content),
            false => first = first.or(Some(content)),
        }
    }
    match (&named[..], first) {
        ([one], _) => Ok(one.to_vec()),
        ([], Some(only)) if fields == 1 => Ok(only.to_vec()),
        ([], _) => Err(Failure::bad("the form holds no file; send one, as curl -F file=@FILE does")),
        (more, _) => {
            let n = more.len();
            Err(Failure::bad(format!(
                "the form holds {n} files; send one a request, or tensors to /v2/models/NAME/infer"
            )))
        }
    }
}
