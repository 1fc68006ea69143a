//! Models within a program's own axum app: its routes beside those of foveal, and a route that asks a model itself.
//! `cargo run --release -p foveal-serve --example axum_app [address]`

use foveal::Predictor;
use foveal::nn::Sequential;
use foveal::train::{PictureFit, Preprocess, SavedModel, Training};
use foveal_serve::axum::{Json, Router, extract::State, routing::get, routing::post};
use foveal_serve::{Options, Page, ServedModel, Server};
use std::sync::Arc;

type Fault = Box<dyn std::error::Error>;

/// The app: `/` and `/own` are the program's, `/models` has all of the server's routes.
pub fn app(saved: SavedModel) -> Result<Router, Fault> {
    let predictor = Arc::new(saved.predictor(1)?);
    let models = vec![ServedModel::new("net", saved)?];
    let server = Server::new(models, Page::default(), Options { threads: 2, ..Options::default() })?;
    let own = Router::new()
        .route("/", get(|| async { "a program of its own" }))
        .route("/own", post(ask))
        .with_state(predictor);
    Ok(own.nest("/models", server.router()?))
}

async fn ask(
    State(predictor): State<Arc<Predictor>>,
    Json(pixels): Json<Vec<f32>>,
) -> Result<String, String> {
    let answer = predictor.classify(&pixels).map_err(|e| e.to_string())?;
    Ok(format!("{} {:.3}\n", answer.class, answer.probability))
}

/// A model to try it with; `SavedModel::from_bytes` reads one that was trained.
pub fn model() -> Result<SavedModel, Fault> {
    Ok(SavedModel {
        model: Sequential::new([2, 2, 1]).flatten().dense(2).build(0)?,
        preprocess: Preprocess::unit(1, PictureFit::Resize),
        classes: ["dark", "light"].map(String::from).to_vec(),
        training: Training::default(),
    })
}

#[allow(dead_code, reason = "the test of the same name takes the rest")]
fn main() -> Result<(), Fault> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:8080".into());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(&address).await?;
        println!("http://{}", listener.local_addr()?);
        Ok(foveal_serve::axum::serve(listener, app(model()?)?).await?)
    })
}
