//! Inference alone: a model file, a picture as bytes, probabilities. Needs nothing but `foveal-infer`.
//! `cargo run --release -p foveal --example inference model.safetensors pixels`

use foveal::Predictor;

/// The likeliest class.
pub fn ask(model: &[u8], pixels: &[u8]) -> Result<String, Box<dyn std::error::Error>> {
    let predictor = Predictor::from_bytes(model, "model.safetensors")?;
    let answer = predictor.classify(pixels)?;
    Ok(format!("{} with {:.1} %", answer.class, 100.0 * answer.probability))
}

#[allow(dead_code, reason = "the test of the same name takes the rest")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [model, pixels] =
        [1, 2].map(|i| std::env::args().nth(i).ok_or("name a model file and a file of pixels"));
    println!("{}", ask(&std::fs::read(model?)?, &std::fs::read(pixels?)?)?);
    Ok(())
}
