#![forbid(unsafe_code)]
//! A trained model, read and run: [`Predictor`]. This crate alone is enough where a program only predicts; it has few
//! dependencies, opens no file and compiles to WebAssembly.
//!
//! ```
//! use foveal_infer::Predictor;
//! use foveal_nn::Sequential;
//!
//! // In a program of yours: Predictor::from_bytes(&std::fs::read("model.safetensors")?, "model.safetensors")?
//! let model = Sequential::new([2, 2, 1]).flatten().dense(3).build(0)?;
//! let predictor = Predictor::builder(&model).pixels().classes(["a", "b", "c"]).build()?;
//!
//! let picture: [u8; 4] = [0, 255, 128, 7];
//! let probabilities = predictor.predict(&picture[..])?;
//! assert!((probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-6);
//! println!("{}", predictor.classify(&picture[..])?.class);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What it leaves out: decoding pictures, fitting them to a model's input, texts to tokens (`foveal::train::SavedModel`
//! has them), ONNX files (`foveal::onnx`).

mod builder;
mod error;
mod file;
mod pool;
mod predictor;
mod saved;

pub use builder::Builder;
pub use error::Error;
pub use foveal_nn::engine::Pixels;
pub use foveal_nn::ndarray;
pub use predictor::{Answer, Predictor};
