//! The same computation as a program: foveal in Rust, TensorFlow, PyTorch.

use super::setting::{Operator, Pad, Setting, geometry};
use serde::{Deserialize, Serialize};
use tsify::Tsify;

/// What the program is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// foveal in Rust.
    Rust,
    /// TensorFlow 2 in Python.
    Tensorflow,
    /// PyTorch in Python.
    Pytorch,
}

/// The program; it prints the output with its shape.
pub fn code(s: &Setting, language: Language) -> String {
    match language {
        Language::Rust => rust(s),
        Language::Tensorflow => tensorflow(s),
        Language::Pytorch => pytorch(s),
    }
}

/// Numbers as a list, some to a line.
fn list(values: &[f32], indent: usize, text: impl Fn(f32) -> String) -> String {
    let words: Vec<String> = values.iter().map(|&v| text(v)).collect();
    let lines: Vec<String> = words.chunks(14).map(|c| c.join(", ")).collect();
    match &lines[..] {
        [line] => format!("[{line}]"),
        lines => {
            let blank = " ".repeat(indent);
            let body: String = lines.iter().map(|l| format!("{blank}    {l},\n")).collect();
            format!("[\n{body}{blank}]")
        }
    }
}

/// A number as it is written in Rust: always with a point.
fn float(v: f32) -> String {
    format!("{v:?}")
}

fn plain(v: f32) -> String {
    v.to_string()
}

/// `Array4` of a shape: all of one number, or listed.
fn array(shape: [usize; 4], values: &[f32]) -> String {
    let [a, b, c, d] = shape;
    match values {
        [first, rest @ ..] if !rest.is_empty() && rest.iter().all(|v| v == first) => {
            format!("Array4::from_elem(({a}, {b}, {c}, {d}), {first:?})")
        }
        _ => format!("Array4::from_shape_vec(({a}, {b}, {c}, {d}), vec!{})?", list(values, 4, float)),
    }
}

fn rust(s: &Setting) -> String {
    let [h, w, c] = s.input;
    let padding = match s.padding {
        Pad::Valid => None,
        Pad::Same => Some("Padding::Same".to_owned()),
        Pad::Explicit => Some(format!("Padding::Explicit({:?})", s.explicit)),
    };
    let conv = s.operator == Operator::Conv2d;
    let operator = s.operator.name();
    let options = if conv { "Conv2dOptions" } else { "Pool2dOptions" };
    let uses = if padding.is_some() { format!("{{{options}, Padding}}") } else { options.to_owned() };
    let mut fields = Vec::new();
    if s.strides != if conv { [1, 1] } else { s.kernel } {
        fields.push(format!("strides: {:?}", s.strides));
    }
    if s.spread() != [1, 1] {
        fields.push(format!("dilations: {:?}", s.dilations));
    }
    fields.extend(padding.map(|p| format!("padding: {p}")));
    let rest =
        if conv { "Conv2dOptions::default()".into() } else { format!("Pool2dOptions::new({:?})", s.kernel) };
    let options =
        if fields.is_empty() { rest } else { format!("{options} {{ {}, ..{rest} }}", fields.join(", ")) };
    let x = array([1, h, w, c], &s.values);
    let mut text = format!(
        "use foveal::nn::{uses};\nuse foveal::nn::ops::{operator};\nuse ndarray::Array4;\n\n\
         fn main() -> Result<(), Box<dyn std::error::Error>> {{\n    let x = {x};\n"
    );
    let call = if conv {
        let filter = array([s.kernel[0], s.kernel[1], c, s.filters], &s.weights);
        text += &format!("    let filter = {filter};\n");
        "conv2d(x.view(), filter.view(), None, &options)?".to_owned()
    } else {
        format!("{operator}(x.view(), &options)?")
    };
    text += &format!("    let options = {options};\n    let y = {call};\n");
    text + "    println!(\"{:?}\\n{}\", y.shape(), y);\n    Ok(())\n}\n"
}

fn tensorflow(s: &Setting) -> String {
    let [h, w, c] = s.input;
    let [kh, kw] = s.kernel;
    let [sh, sw] = s.strides;
    let [t, b, l, r] = s.explicit;
    let padding = match s.padding {
        Pad::Valid => "\"VALID\"".to_owned(),
        Pad::Same => "\"SAME\"".to_owned(),
        Pad::Explicit => format!("[[0, 0], [{t}, {b}], [{l}, {r}], [0, 0]]"),
    };
    let x = list(&s.values, 0, plain);
    let mut text = format!(
        "import numpy as np\nimport tensorflow as tf\n\nx = np.reshape(np.float32({x}), (1, {h}, {w}, {c}))\n"
    );
    let window = format!("ksize=[{kh}, {kw}], strides=[{sh}, {sw}]");
    match s.operator {
        Operator::Conv2d => {
            let filter = list(&s.weights, 0, plain);
            let [dh, dw] = s.dilations;
            let dilations =
                if s.dilations == [1, 1] { String::new() } else { format!(", dilations=[{dh}, {dw}]") };
            text += &format!(
                "filters = np.reshape(np.float32({filter}), ({kh}, {kw}, {c}, {}))\n\
                 y = tf.nn.conv2d(x, filters, strides=[{sh}, {sw}], padding={padding}{dilations})\n",
                s.filters
            );
        }
        Operator::MaxPool => text += &format!("y = tf.nn.max_pool2d(x, {window}, padding={padding})\n"),
        // TensorFlow's avg_pool takes no explicit padding: the mean of the padded input, over the share inside.
        Operator::AvgPool if s.padding == Pad::Explicit => {
            text += &format!(
                "pad = {padding}\n\
                 mean = lambda a: tf.nn.avg_pool2d(tf.pad(a, pad), {window}, padding=\"VALID\")\n\
                 y = mean(x) / mean(np.ones_like(x))\n"
            );
        }
        Operator::AvgPool => text += &format!("y = tf.nn.avg_pool2d(x, {window}, padding={padding})\n"),
    }
    text + "print(y.shape, y.numpy())\n"
}

fn pytorch(s: &Setting) -> String {
    let [h, w, c] = s.input;
    let [kh, kw] = s.kernel;
    let [sh, sw] = s.strides;
    // Left, right, top, bottom: the last axis first.
    let pad = geometry(s).map_or([0; 4], |(y, x, _)| [x.before, x.after, y.before, y.after]);
    let padded = pad != [0; 4];
    let [left, right, top, bottom] = pad;
    let sides = format!("({left}, {right}, {top}, {bottom})");
    let x = list(&s.values, 0, plain);
    let mut text = "import torch\nimport torch.nn.functional as F\n\n".to_owned();
    text += &format!(
        "x = torch.tensor({x}).float()\nx = x.reshape(1, {h}, {w}, {c}).permute(0, 3, 1, 2)  # NCHW\n"
    );
    let window = format!("kernel_size=({kh}, {kw}), stride=({sh}, {sw})");
    match s.operator {
        Operator::Conv2d => {
            let filter = list(&s.weights, 0, plain);
            let [dh, dw] = s.dilations;
            let dilation =
                if s.dilations == [1, 1] { String::new() } else { format!(", dilation=({dh}, {dw})") };
            text += &format!(
                "weight = torch.tensor({filter}).float()\n\
                 weight = weight.reshape({kh}, {kw}, {c}, {}).permute(3, 2, 0, 1)  # OIHW\n",
                s.filters
            );
            if padded {
                text += &format!("x = F.pad(x, {sides})\n");
            }
            text += &format!("y = F.conv2d(x, weight, stride=({sh}, {sw}){dilation})\n");
        }
        Operator::MaxPool => {
            if padded {
                text += &format!("x = F.pad(x, {sides}, value=float(\"-inf\"))\n");
            }
            text += &format!("y = F.max_pool2d(x, {window})\n");
        }
        Operator::AvgPool if padded => {
            text += &format!(
                "mean = lambda a: F.avg_pool2d(F.pad(a, {sides}), {window})\n\
                 y = mean(x) / mean(torch.ones_like(x))\n"
            );
        }
        Operator::AvgPool => text += &format!("y = F.avg_pool2d(x, {window})\n"),
    }
    text + "print(tuple(y.shape), y)\n"
}
