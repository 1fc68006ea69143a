//! The JSON objects of the Open Inference Protocol, version 2.

use crate::failure::Failure;
use crate::model::{ModelInput, ServedModel};
use crate::options::Limits;
use crate::tensor::Numbers;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

/// The framework and its format, as the protocol names them.
const PLATFORM: &str = "foveal_safetensors";

#[derive(Serialize)]
pub struct ServerMetadata {
    name: &'static str,
    version: &'static str,
    extensions: [&'static str; 0],
}

impl ServerMetadata {
    pub fn new() -> Self {
        Self { name: "foveal", version: env!("CARGO_PKG_VERSION"), extensions: [] }
    }
}

#[derive(Serialize)]
pub struct Live {
    pub live: bool,
}

#[derive(Serialize)]
pub struct Ready {
    pub ready: bool,
}

#[derive(Serialize)]
pub struct ModelReady<'a> {
    pub name: &'a str,
    pub ready: bool,
}

#[derive(Serialize)]
struct TensorMetadata {
    name: &'static str,
    datatype: &'static str,
    shape: Vec<i64>,
}

#[derive(Serialize)]
pub struct ModelMetadata<'a> {
    name: &'a str,
    platform: &'static str,
    inputs: [TensorMetadata; 1],
    outputs: [TensorMetadata; 1],
}

impl<'a> ModelMetadata<'a> {
    pub fn new(model: &'a ServedModel) -> Self {
        let [h, w, c] = model.saved().model.input_shape();
        let tensor = |name, datatype, shape: &[usize]| TensorMetadata {
            name,
            datatype,
            shape: std::iter::once(-1).chain(shape.iter().map(|&v| v as i64)).collect(),
        };
        Self {
            name: model.name(),
            platform: PLATFORM,
            inputs: [tensor(model.input(), "FP32", &[h, w, c])],
            outputs: [tensor(model.output(), model.datatype(), &[model.saved().model.outputs()])],
        }
    }
}

#[derive(Deserialize)]
struct Request {
    #[serde(default)]
    id: Option<String>,
    inputs: Vec<Input>,
    #[serde(default)]
    outputs: Option<Vec<Output>>,
}

#[derive(Deserialize)]
struct Input {
    name: String,
    shape: Vec<u64>,
    datatype: String,
    data: Numbers,
}

#[derive(Deserialize)]
struct Output {
    name: String,
}

/// What the answer needs to know of its request.
pub struct Form {
    id: Option<String>,
    images: usize,
}

/// At most 60 characters of what a request said, on one line.
fn quoted(text: &str) -> String {
    format!("{:?}", text.chars().take(60).collect::<String>())
}

/// Reads an inference request.
pub fn read(body: &[u8], model: &ServedModel, limits: &Limits) -> Result<(ModelInput, Form), Failure> {
    let request: Request = serde_json::from_slice(body)
        .map_err(|e| Failure::bad(format!("the body is not an inference request: {}", one_line(&e))))?;
    let own = model.input();
    let [input] = &request.inputs[..] else {
        let count = request.inputs.len();
        return Err(Failure::bad(format!("the model has one input, `{own}`; the request gives {count}")));
    };
    if input.name != own {
        return Err(Failure::bad(format!("the model has no input {}, only `{own}`", quoted(&input.name))));
    }
    for output in request.outputs.iter().flatten() {
        if output.name != model.output() {
            let (name, only) = (quoted(&output.name), model.output());
            return Err(Failure::bad(format!("the model has no output {name}, only `{only}`")));
        }
    }
    if request.outputs.as_ref().is_some_and(|outputs| outputs.len() > 1) {
        return Err(Failure::bad(format!("the output `{}` is asked for several times", model.output())));
    }
    let images = images(input, model, limits)?;
    let Request { id, inputs, .. } = request;
    let pixels: Vec<f32> = inputs.into_iter().flat_map(|input| input.data.values).collect();
    model.check(&pixels)?;
    Ok((ModelInput { images, pixels }, Form { id, images }))
}

/// The parser's message on one line: it may quote the body, which may hold anything.
fn one_line(error: &serde_json::Error) -> String {
    error.to_string().chars().filter(|c| !foveal::view::steers(*c)).take(200).collect()
}

/// How many images the input has, once its shape, type and data fit each other and the model.
fn images(input: &Input, model: &ServedModel, limits: &Limits) -> Result<usize, Failure> {
    let (own, [h, w, c]) = (model.input(), model.saved().model.input_shape());
    let wanted = [h, w, c].map(|v| v as u64);
    let fits = matches!(&input.shape[..], [_, rest @ ..] if rest == wanted);
    if !fits {
        let shape = &input.shape[..input.shape.len().min(8)];
        return Err(Failure::bad(format!("`{own}` has shape {shape:?}, the model takes [n, {h}, {w}, {c}]")));
    }
    let images = usize::try_from(input.shape[0]).unwrap_or(usize::MAX);
    if !(1..=limits.images).contains(&images) {
        let most = limits.images;
        return Err(Failure::bad(format!("`{own}` has {images} images; send 1 to {most} a request")));
    }
    let (numbers, size) = (input.data.values.len(), images.saturating_mul(model.size()));
    if numbers != size {
        let shape = &input.shape;
        return Err(Failure::bad(format!("`{own}` has {numbers} numbers, its shape {shape:?} has {size}")));
    }
    let nesting = &input.data.nesting;
    if nesting.len() > 1 && !nesting.iter().map(|&v| v as u64).eq(input.shape.iter().copied()) {
        let shape = &input.shape;
        return Err(Failure::bad(format!("`{own}` is nested as {nesting:?}, its shape is {shape:?}")));
    }
    input.data.check(&input.datatype).map_err(|problem| Failure::bad(format!("`{own}`: {problem}")))?;
    Ok(images)
}

#[derive(Serialize)]
struct Response<'a> {
    model_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    outputs: [ResponseOutput<'a>; 1],
}

#[derive(Serialize)]
struct ResponseOutput<'a> {
    name: &'a str,
    shape: [usize; 2],
    datatype: &'a str,
    data: Outputs<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Outputs<'a> {
    Single(&'a [f32]),
    Double(Vec<f64>),
}

/// The response to an inference request.
pub fn write(form: &Form, model: &ServedModel, data: &[f32]) -> Result<Vec<u8>, Failure> {
    finite(data)?;
    let shape = [form.images, model.saved().model.outputs()];
    let preprocess = &model.saved().preprocess;
    let data = match preprocess.origin.is_empty() {
        true => Outputs::Single(data),
        false => Outputs::Double(preprocess.values(data)),
    };
    let outputs = [ResponseOutput { name: model.output(), shape, datatype: model.datatype(), data }];
    let response = Response { model_name: model.name(), id: form.id.as_deref(), outputs };
    serde_json::to_vec(&response).map_err(|_| Failure::internal())
}

/// Refuses outputs that are infinite or not a number: JSON cannot write them.
pub fn finite(data: &[f32]) -> Result<(), Failure> {
    if data.iter().all(|v| v.is_finite()) {
        return Ok(());
    }
    let message =
        "the model's outputs for these numbers are not finite; give numbers on the scale of its training";
    Err(Failure::new(StatusCode::UNPROCESSABLE_ENTITY, message))
}
