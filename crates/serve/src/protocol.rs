//! The JSON objects of the Open Inference Protocol, version 2, with its extension for binary tensors: a header says how
//! long the JSON is, and tensors follow it as they lie in memory.

use crate::failure::Failure;
use crate::model::{ModelInput, ServedModel};
use crate::options::Limits;
use crate::queue::Answer;
use crate::tensor::Numbers;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

/// The framework and its format, as the protocol names them.
const PLATFORM: &str = "foveal_safetensors";
/// The version of every model: a model that has changed is another file, and may have another name.
pub const VERSION: &str = "1";

#[derive(Serialize)]
pub struct ServerMetadata {
    name: &'static str,
    version: &'static str,
    extensions: [&'static str; 3],
}

impl ServerMetadata {
    pub fn new() -> Self {
        let extensions = ["binary_tensor_data", "model_configuration", "model_repository"];
        Self { name: "foveal", version: env!("CARGO_PKG_VERSION"), extensions }
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
    versions: [&'static str; 1],
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
            versions: [VERSION],
            platform: PLATFORM,
            inputs: [tensor(model.input(), "FP32", &[h, w, c])],
            outputs: [tensor(model.output(), model.datatype(), &[model.saved().model.outputs()])],
        }
    }
}

#[derive(Serialize)]
struct TensorConfig {
    name: &'static str,
    data_type: String,
    dims: Vec<usize>,
}

/// A model as Triton's `/config` describes it.
#[derive(Serialize)]
pub struct ModelConfig<'a> {
    name: &'a str,
    platform: &'static str,
    backend: &'static str,
    max_batch_size: usize,
    input: [TensorConfig; 1],
    output: [TensorConfig; 1],
}

impl<'a> ModelConfig<'a> {
    pub fn new(model: &'a ServedModel, limits: &Limits) -> Self {
        let tensor = |name, kind: &str, dims: &[usize]| TensorConfig {
            name,
            data_type: format!("TYPE_{kind}"),
            dims: dims.to_vec(),
        };
        let saved = model.saved();
        Self {
            name: model.name(),
            platform: PLATFORM,
            backend: "foveal",
            max_batch_size: limits.images,
            input: [tensor(model.input(), "FP32", &saved.model.input_shape())],
            output: [tensor(model.output(), model.datatype(), &[saved.model.outputs()])],
        }
    }
}

/// A model in the list of `/v2/repository/index`.
#[derive(Serialize)]
pub struct RepositoryEntry<'a> {
    pub name: &'a str,
    pub version: &'static str,
    pub state: &'static str,
}

#[derive(Deserialize)]
struct Request {
    #[serde(default)]
    id: Option<String>,
    inputs: Vec<Input>,
    #[serde(default)]
    outputs: Option<Vec<Output>>,
    #[serde(default)]
    parameters: Parameters,
}

/// What is read of parameters; others are for other servers.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Parameters {
    binary_data_size: Option<u64>,
    binary_data: bool,
    binary_data_output: bool,
}

#[derive(Deserialize)]
struct Input {
    name: String,
    shape: Vec<u64>,
    datatype: String,
    #[serde(default)]
    data: Option<Numbers>,
    #[serde(default)]
    parameters: Parameters,
}

#[derive(Deserialize)]
struct Output {
    name: String,
    #[serde(default)]
    parameters: Parameters,
}

/// What the answer needs to know of its request.
pub struct Form {
    id: Option<String>,
    images: usize,
    /// The outputs are to follow the JSON as they lie in memory.
    binary: bool,
}

/// At most 60 characters of what a request said, on one line.
fn quoted(text: &str) -> String {
    format!("{:?}", text.chars().take(60).collect::<String>())
}

/// Reads an inference request, of whose body `json` bytes are JSON.
pub fn read(
    body: &[u8],
    json: Option<usize>,
    model: &ServedModel,
    limits: &Limits,
) -> Result<(ModelInput, Form), Failure> {
    let length = json.unwrap_or(body.len());
    let Some((json, binary)) = body.split_at_checked(length) else {
        let n = body.len();
        return Err(Failure::bad(format!("the body has {n} bytes, of which {length} are said to be JSON")));
    };
    let mut request: Request = serde_json::from_slice(json)
        .map_err(|e| Failure::bad(format!("the body is not an inference request: {}", one_line(&e))))?;
    let own = model.input();
    let [input] = &mut request.inputs[..] else {
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
    let data = numbers(input, binary)?;
    let images = images(input, &data, model, limits)?;
    let mut asked = request.outputs.iter().flatten();
    let binary = asked.any(|output| output.parameters.binary_data) || request.parameters.binary_data_output;
    model.check(&data.values)?;
    Ok((ModelInput { images, pixels: data.values }, Form { id: request.id, images, binary }))
}

/// The numbers of an input: in its JSON, or in the bytes that follow.
fn numbers(input: &mut Input, binary: &[u8]) -> Result<Numbers, Failure> {
    let own = quoted(&input.name);
    let wrong = |problem: String| Failure::bad(format!("{own}: {problem}"));
    let size = input.parameters.binary_data_size;
    let size = size.map(|size| usize::try_from(size).unwrap_or(usize::MAX));
    if binary.len() != size.unwrap_or(0) {
        let (n, said) = (binary.len(), size.unwrap_or(0));
        return Err(wrong(format!("{said} bytes of binary data are told of, {n} follow the JSON")));
    }
    match (input.data.take(), size) {
        (Some(data), None) => Ok(data),
        (None, Some(_)) => Numbers::from_bytes(binary, &input.datatype).map_err(wrong),
        (Some(_), Some(_)) => Err(wrong("it has `data` and binary data; send one of them".into())),
        (None, None) => Err(wrong("it has neither `data` nor `parameters.binary_data_size`".into())),
    }
}

/// The parser's message on one line: it may quote the body, which may hold anything.
fn one_line(error: &serde_json::Error) -> String {
    error.to_string().chars().filter(|c| !foveal::view::steers(*c)).take(200).collect()
}

/// How many images the input has, once its shape, type and data fit each other and the model.
fn images(input: &Input, data: &Numbers, model: &ServedModel, limits: &Limits) -> Result<usize, Failure> {
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
    let (numbers, size) = (data.values.len(), images.saturating_mul(model.size()));
    if numbers != size {
        let shape = &input.shape;
        return Err(Failure::bad(format!("`{own}` has {numbers} numbers, its shape {shape:?} has {size}")));
    }
    let nesting = &data.nesting;
    if nesting.len() > 1 && !nesting.iter().map(|&v| v as u64).eq(input.shape.iter().copied()) {
        let shape = &input.shape;
        return Err(Failure::bad(format!("`{own}` is nested as {nesting:?}, its shape is {shape:?}")));
    }
    data.check(&input.datatype).map_err(|problem| Failure::bad(format!("`{own}`: {problem}")))?;
    Ok(images)
}

#[derive(Serialize)]
struct Response<'a> {
    model_name: &'a str,
    model_version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    outputs: [ResponseOutput<'a>; 1],
}

#[derive(Serialize)]
struct ResponseOutput<'a> {
    name: &'a str,
    shape: [usize; 2],
    datatype: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Size>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Outputs<'a>>,
}

#[derive(Serialize)]
struct Size {
    binary_data_size: usize,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Outputs<'a> {
    Single(&'a [f32]),
    Double(Vec<f64>),
}

impl Outputs<'_> {
    /// The numbers as they lie in memory, the least byte first.
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Single(numbers) => numbers.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Self::Double(numbers) => numbers.iter().flat_map(|v| v.to_le_bytes()).collect(),
        }
    }
}

/// The response to an inference request.
pub fn write(form: &Form, model: &ServedModel, data: &[f32]) -> Result<Answer, Failure> {
    finite(data)?;
    let shape = [form.images, model.saved().model.outputs()];
    let preprocess = &model.saved().preprocess;
    let data = match preprocess.origin.is_empty() {
        true => Outputs::Single(data),
        false => Outputs::Double(preprocess.values(data)),
    };
    let binary = form.binary.then(|| data.bytes());
    let output = ResponseOutput {
        name: model.output(),
        shape,
        datatype: model.datatype(),
        parameters: binary.as_ref().map(|bytes| Size { binary_data_size: bytes.len() }),
        data: binary.is_none().then_some(data),
    };
    let response = Response {
        model_name: model.name(),
        model_version: VERSION,
        id: form.id.as_deref(),
        outputs: [output],
    };
    let mut bytes = serde_json::to_vec(&response).map_err(|_| Failure::internal())?;
    let json = binary.is_some().then_some(bytes.len());
    bytes.extend(binary.into_iter().flatten());
    Ok(Answer { bytes, json })
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
