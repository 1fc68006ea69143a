#![forbid(unsafe_code)]
//! Trained models and a page over HTTP/1.1: what `foveal serve` runs.
//!
//! | path | gives |
//! |---|---|
//! | `GET /v2`, `/v2/health/live`, `/v2/health/ready` | the Open Inference Protocol: the server |
//! | `GET /v2/models/{name}`, `/v2/models/{name}/ready` | a model's tensors |
//! | `GET /v2/models/{name}/config`, `POST /v2/repository/index` | a model, and all models, as Triton describes them |
//! | `POST /v2/models/{name}/infer` | tensors in, tensors out: as JSON, or in binary after a JSON head (`Inference-Header-Content-Length`) |
//! | the paths of a model with `/versions/1` after its name | the same: a model has one version |
//! | `POST /predict?model=NAME` | a picture, a DICOM slice (with the feature `dicom`), a text or a `.npy` array in, whichever the model takes, alone or as the file of a form; class and probabilities out |
//! | `GET /models` | the models' names, input shapes and classes |
//! | `GET /metrics` | counters for Prometheus |
//! | `GET /` and everything else | the [`Page`] |
//!
//! ```no_run
//! use foveal_serve::{Options, Page, ServedModel, Server};
//!
//! let bytes = std::fs::read("runs/lab/model.safetensors")?;
//! let saved = foveal::train::SavedModel::from_bytes(&bytes, "model.safetensors")?;
//! let server = Server::new(vec![ServedModel::new("lab", saved)?], Page::default(), Options::default())?;
//! let listener = std::net::TcpListener::bind("127.0.0.1:8080")?;
//! server.run(listener)?; // until `server.stop()`.stop() is called from elsewhere
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Within a runtime of the caller's it is [`Server::serve`], and within a program's own routes [`Server::router`]
//! (`examples/axum_app.rs`).
//!
//! A request's body is read by the runtime's threads, then waits in a bounded queue for one of the workers. A
//! worker takes what waits for one model and puts it through the model in one call. Each request's answer has the
//! bits that [`foveal::train::predict`] gives for that request's images, whoever else is waiting
//! ([`Engine::predict_each`](foveal::nn::engine::Engine::predict_each)).
//!
//! Nothing here opens files or prints: models and page come as values, what happens goes to [`tracing`].

mod app;
mod body;
mod connection;
mod cors;
mod error;
mod failure;
mod form;
mod hosts;
mod idle;
mod large;
mod metrics;
mod middleware;
mod model;
mod options;
mod page;
mod predict;
mod protocol;
mod queue;
mod routes;
mod server;
mod slice;
mod stop;
mod stream;
mod tensor;
mod worker;

pub use axum;
pub use error::Error;
pub use model::ServedModel;
pub use options::{Limits, Options};
pub use page::Page;
pub use server::Server;
pub use stop::Stop;
