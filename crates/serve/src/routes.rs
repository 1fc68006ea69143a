//! Which path does what.

use crate::app::{App, Shared};
use crate::body;
use crate::failure::Failure;
use crate::form;
use crate::middleware::every_request;
use crate::protocol::{
    Live, ModelConfig, ModelMetadata, ModelReady, Ready, RepositoryEntry, ServerMetadata, VERSION,
};
use crate::queue::{Job, Task};
use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::oneshot;

/// The model's name in a path.
type Named = Result<Path<Place>, PathRejection>;

/// A model in a path.
#[derive(Deserialize)]
struct Place {
    name: String,
    version: Option<String>,
}

/// The header that says how many bytes of a body are JSON: tensors follow it as they lie in memory.
const JSON_LENGTH: &str = "inference-header-content-length";

/// All paths.
pub fn router(app: &App) -> Router {
    Router::new()
        .route("/v2", get(|| async { Json(ServerMetadata::new()) }))
        .route("/v2/health/live", get(|| async { Json(Live { live: true }) }))
        .route("/v2/health/ready", get(ready))
        .route("/v2/models/{name}", get(metadata))
        .route("/v2/models/{name}/ready", get(model_ready))
        .route("/v2/models/{name}/infer", post(infer))
        .route("/v2/models/{name}/config", get(config))
        .route("/v2/models/{name}/versions/{version}", get(metadata))
        .route("/v2/models/{name}/versions/{version}/ready", get(model_ready))
        .route("/v2/models/{name}/versions/{version}/infer", post(infer))
        .route("/v2/models/{name}/versions/{version}/config", get(config))
        .route("/v2/repository/index", post(repository))
        .route("/predict", post(predict))
        .route("/models", get(models))
        .route("/metrics", get(metrics))
        .method_not_allowed_fallback(wrong_method)
        .fallback(page)
        .layer(from_fn_with_state(Arc::clone(app), every_request))
        .with_state(Arc::clone(app))
}

impl Shared {
    fn named(&self, name: Named) -> Result<usize, Failure> {
        let Path(Place { name, version }) =
            name.map_err(|_| Failure::bad("the model's name in the path is not valid UTF-8"))?;
        let found = self.find(&name)?;
        match version {
            Some(version) if version != VERSION => {
                let given: String = version.chars().take(20).collect();
                let message = format!("there is no version {given:?} of the model, only {VERSION}");
                Err(Failure::new(StatusCode::NOT_FOUND, message))
            }
            _ => Ok(found),
        }
    }

    /// Reads the body, lets a worker answer, and waits for it.
    async fn ask(
        &self,
        task: Task,
        model: usize,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Response, Failure> {
        let mut body = body::read(body, headers, &self.backend.limits, &self.memory).await?;
        let json = match task {
            Task::Infer => json_length(headers)?,
            Task::Predict => {
                body.bytes = form::file(body.bytes, headers).await?;
                None
            }
        };
        let (reply, answer) = oneshot::channel();
        let job = Job { task, model, body, json, since: Instant::now(), reply };
        if self.backend.queue.push(job).is_err() {
            return Err(Failure::busy("too many requests are waiting"));
        }
        let answer = answer.await.map_err(|_| Failure::internal())??;
        let mut response = Response::new(Body::from(answer.bytes));
        let headers = response.headers_mut();
        let kind = if answer.json.is_some() { "application/octet-stream" } else { "application/json" };
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        if let Some(length) = answer.json {
            headers.insert(JSON_LENGTH, HeaderValue::from(length));
        }
        Ok(response)
    }
}

/// How many bytes of the body are JSON; all where nothing is said.
fn json_length(headers: &HeaderMap) -> Result<Option<usize>, Failure> {
    let Some(said) = headers.get(JSON_LENGTH) else { return Ok(None) };
    let length = said.to_str().ok().and_then(|text| text.trim().parse().ok());
    length
        .map(Some)
        .ok_or_else(|| Failure::bad(format!("the header {JSON_LENGTH} must be a number of bytes")))
}

async fn ready(State(app): State<App>) -> Response {
    let ready = !app.stop.asked();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Ready { ready })).into_response()
}

async fn model_ready(State(app): State<App>, name: Named) -> Result<Response, Failure> {
    let name = app.backend.models[app.named(name)?].name();
    let ready = !app.stop.asked();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Ok((status, Json(ModelReady { name, ready })).into_response())
}

async fn metadata(State(app): State<App>, name: Named) -> Result<Response, Failure> {
    let model = &app.backend.models[app.named(name)?];
    Ok(Json(ModelMetadata::new(model)).into_response())
}

async fn config(State(app): State<App>, name: Named) -> Result<Response, Failure> {
    let model = &app.backend.models[app.named(name)?];
    Ok(Json(ModelConfig::new(model, &app.backend.limits)).into_response())
}

async fn repository(State(app): State<App>) -> Response {
    let state = if app.stop.asked() { "UNAVAILABLE" } else { "READY" };
    let entry = |name| RepositoryEntry { name, version: VERSION, state };
    let all: Vec<RepositoryEntry> = app.backend.models.iter().map(|m| entry(m.name())).collect();
    Json(all).into_response()
}

async fn infer(
    State(app): State<App>,
    name: Named,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    let model = app.named(name)?;
    app.ask(Task::Infer, model, &headers, body).await
}

#[derive(Deserialize)]
struct ModelQuery {
    model: Option<String>,
}

async fn predict(
    State(app): State<App>,
    query: Result<Query<ModelQuery>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    let Query(query) = query.map_err(|_| Failure::bad("the query must be ?model=NAME"))?;
    let model = match (query.model, app.backend.models.len()) {
        (Some(name), _) => app.find(&name)?,
        (None, 1) => 0,
        (None, 0) => return Err(Failure::new(StatusCode::NOT_FOUND, app.names())),
        (None, _) => return Err(Failure::bad(format!("say which model with ?model=NAME; {}", app.names()))),
    };
    app.ask(Task::Predict, model, &headers, body).await
}

#[derive(Serialize)]
struct ModelEntry<'a> {
    name: &'a str,
    input_shape: [usize; 3],
    outputs: usize,
    classes: &'a [String],
    /// For several labels an image: the probability from which it has each.
    #[serde(skip_serializing_if = "<[f32]>::is_empty")]
    thresholds: &'a [f32],
}

#[derive(Serialize)]
struct Models<'a> {
    models: Vec<ModelEntry<'a>>,
}

async fn models(State(app): State<App>) -> Response {
    let entries = app.backend.models.iter().map(|m| ModelEntry {
        name: m.name(),
        input_shape: m.saved().model.input_shape(),
        outputs: m.saved().model.outputs(),
        classes: &m.saved().classes,
        thresholds: &m.saved().training.thresholds,
    });
    Json(Models { models: entries.collect() }).into_response()
}

async fn metrics(State(app): State<App>) -> Response {
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    let text = app.backend.metrics.text(app.backend.queue.len());
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

async fn page(State(app): State<App>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    app.page.answer(&method, uri.path(), &headers).unwrap_or_else(|| {
        let path: String = uri.path().chars().take(100).collect();
        Failure::new(StatusCode::NOT_FOUND, format!("there is nothing at {path:?}")).into_response()
    })
}

/// The answer where a path is known, but not for this method.
async fn wrong_method(method: Method) -> Failure {
    let method: String = method.as_str().chars().take(20).collect();
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, format!("{method} is not for this path"))
}
