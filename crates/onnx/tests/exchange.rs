//! Models to ONNX and back, a network of PyTorch's, and broken files.

use foveal_data::npy::read_npy;
use foveal_data::text::{Tokens, Vocabulary};
use foveal_data::{Dataset, Samples, Split, Targets};
use foveal_nn::{Model, ModelSpec, builtin};
use foveal_onnx::{Error, ExportOptions, ImportOptions, SideFiles, export, export_with, import, import_with};
use foveal_train::{
    Evaluation, PictureFit, Preprocess, Recipe, SavedModel, Training, evaluate, fit, transfer,
};
use ndarray::{Array4, Ix4};
use std::sync::atomic::AtomicBool;

/// Every kind of layer, in an order that needs every turn: a flatten in the middle, a sum, a join.
const ZOO: &str = r#"
input = { shape = [9, 8, 3] }
layer = [
  { kind = "conv2d", filters = 6, kernel = [3, 4], strides = [2, 1], padding = "SAME", groups = 3 },
  { kind = "batch_norm" },
  { kind = "leaky_relu", alpha = 0.1 },
  { kind = "max_pool", ksize = [2, 2], padding = "SAME", name = "values" },
  { kind = "conv2d", filters = 6, kernel = [2, 2], dilations = [1, 2], padding = "SAME", bias = false },
  { kind = "add", inputs = ["values", "conv2d_2", "values"] },
  { kind = "avg_pool", ksize = [2, 2], strides = [1, 1], padding = "SAME" },
  { kind = "gelu" },
  { kind = "clip", min = -0.5, max = 1.25 },
  { kind = "concat", inputs = ["clip_1", "values"] },
  { kind = "dropout", rate = 0.5 },
  { kind = "tanh" },
  { kind = "flatten" },
  { kind = "batch_norm" },
  { kind = "sigmoid" },
  { kind = "dense", units = 4 },
  { kind = "global_avg_pool", inputs = ["tanh_1"] },
  { kind = "global_max_pool", inputs = ["tanh_1"] },
  { kind = "concat", inputs = ["dense_1", "global_avg_pool_1", "global_max_pool_1"] },
  { kind = "relu" },
  { kind = "dense", units = 3, bias = false },
]
"#;

fn saved(toml: &str, classes: &[&str]) -> SavedModel {
    let spec = ModelSpec::from_toml(toml).unwrap();
    let mut model = Model::new(&spec, 3).unwrap();
    for (i, p) in model.params_mut().iter_mut().enumerate() {
        p.values.iter_mut().enumerate().for_each(|(j, v)| *v += 0.1 + 0.05 * ((i * 7 + j) as f32).sin());
    }
    let channels = spec.input.shape[2];
    let mut preprocess = Preprocess::unit(channels, PictureFit::Digit);
    preprocess.shift.iter_mut().enumerate().for_each(|(i, v)| *v = 0.1 * i as f32 - 0.2);
    let training = Training {
        model: "zoo".into(),
        dataset: "none".into(),
        recipe: Recipe { threads: 0, ..Recipe::default() },
        epochs: 2,
        validation_accuracy: None,
        ..Training::default()
    };
    SavedModel { model, preprocess, classes: classes.iter().map(|&c| c.to_owned()).collect(), training }
}

fn outputs(saved: &SavedModel, raw: &[f32]) -> Vec<f32> {
    let [h, w, c] = saved.model.input_shape();
    let x = Array4::from_shape_vec((raw.len() / (h * w * c), h, w, c), saved.preprocess.apply(raw)).unwrap();
    saved.model.predict(x.view()).unwrap().into_iter().collect()
}

fn near(a: &[f32], b: &[f32], most: f32) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() <= most * (1.0 + a.abs()), "{a} {b}");
    }
}

#[test]
fn export_and_import_keep_the_answers() {
    let before = saved(ZOO, &["a", "가", "c"]);
    let after = import(&export(&before).unwrap(), "zoo").unwrap();
    let raw: Vec<f32> = (0..2 * 9 * 8 * 3).map(|i| ((i * 37) % 256) as f32).collect();
    near(&outputs(&before, &raw), &outputs(&after, &raw), 1e-5);
    assert_eq!(after.classes, before.classes);
    assert_eq!(after.preprocess, before.preprocess);
    assert_eq!(after.training, before.training);
    // A regression keeps its values.
    let before = saved(ZOO, &[]);
    let after = import(&export(&before).unwrap(), "zoo").unwrap();
    near(&outputs(&before, &raw), &outputs(&after, &raw), 1e-5);
    assert!(after.classes.is_empty());
}

#[test]
fn floats_and_channels_first_keep_the_answers() {
    let before = saved(ZOO, &["a", "b", "c"]);
    let raw: Vec<f32> = (0..2 * 9 * 8 * 3).map(|i| (i as f32 * 0.7).sin()).collect();
    for (floats, channels_first) in [(false, true), (true, false), (true, true)] {
        let mut options = ExportOptions::default();
        (options.floats, options.channels_first) = (floats, channels_first);
        let bytes = export_with(&before, options).unwrap();
        let file = foveal_onnx::proto::Model::read(&bytes).unwrap();
        let input = &file.graph.inputs[0];
        use foveal_onnx::proto::{Dim, kind};
        assert_eq!(input.kind, if floats { kind::FLOAT } else { kind::UINT8 });
        let channels = if channels_first { 1 } else { 3 };
        assert_eq!(input.dims.as_ref().unwrap()[channels], Dim::Known(3));
        let after = import(&bytes, "zoo").unwrap();
        near(&outputs(&before, &raw), &outputs(&after, &raw), 1e-5);
        assert_eq!(after.preprocess, before.preprocess);
    }
}

#[test]
fn a_size_without_the_batch_is_written_for_operator_sets_that_know_it() {
    // `axes` of Resize is known since operator set 18.
    let opset = |options: &str| {
        let layers = format!("layer = [ {{ kind = \"resize\", method = \"bilinear\", {options} }} ]");
        let before = saved(&format!("input = {{ shape = [4, 6, 3] }}\n{layers}"), &[]);
        let bytes = export(&before).unwrap();
        let raw: Vec<f32> = (0..4 * 6 * 3).map(|i| ((i * 37) % 256) as f32).collect();
        near(&outputs(&before, &raw), &outputs(&import(&bytes, "resize").unwrap(), &raw), 1e-5);
        let file = foveal_onnx::proto::Model::read(&bytes).unwrap();
        let axes = |n: &foveal_onnx::proto::Node| n.attributes.iter().any(|(name, _)| name == "axes");
        (file.opsets[0].1, file.graph.nodes.iter().any(axes))
    };
    assert_eq!(opset("scale = [2.0, 2.0]"), (17, false));
    assert_eq!(opset("scale = [2.0, 2.0], coordinates = \"align_corners\""), (20, true));
    assert_eq!(opset("size = [5, 9]"), (20, true));
}

#[test]
fn every_built_in_model_survives_its_file() {
    for builtin in builtin::ALL.iter().chain(&builtin::SCALED) {
        let spec = builtin::fitted(builtin.name, [28, 28, 1], 10).unwrap();
        let before = saved(&spec.to_toml().unwrap(), &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
        let after = import(&export(&before).unwrap(), builtin.name).unwrap();
        let raw: Vec<f32> = (0..2 * 28 * 28).map(|i| ((i * 37) % 256) as f32).collect();
        near(&outputs(&before, &raw), &outputs(&after, &raw), 1e-5);
        assert_eq!(after.classes, before.classes, "{}", builtin.name);
    }
}

/// The input that PyTorch's networks were asked about, channels last.
fn asked() -> Array4<f32> {
    read_npy(include_bytes!("data/x.npy"), "x").unwrap().into_dimensionality::<Ix4>().unwrap()
}

/// By PyTorch's older exporter and by its newer one.
#[test]
fn networks_of_pytorch() {
    let array = |bytes: &[u8]| read_npy(bytes, "fixture").unwrap().into_raw_vec_and_offset().0;
    for file in [&include_bytes!("data/pytorch.onnx")[..], include_bytes!("data/pytorch_dynamo.onnx")] {
        let net = import(file, "pytorch").unwrap();
        assert_eq!(net.classes, ["0", "1", "2"]);
        let logits = net.model.predict(asked().view()).unwrap();
        let y = foveal_train::probabilities(&net.model, logits.as_slice().unwrap());
        near(&y, &array(include_bytes!("data/y.npy")), 1e-5);
    }
    for file in [&include_bytes!("data/residual.onnx")[..], include_bytes!("data/residual_dynamo.onnx")] {
        let net = import(file, "residual").unwrap();
        let y = net.model.predict(asked().view()).unwrap();
        near(y.as_slice().unwrap(), &array(include_bytes!("data/residual.npy")), 1e-5);
        let has = |kind: &str| net.model.nodes().iter().any(|n| n.kind.name() == kind);
        assert!(has("clip") && has("add"));
    }
}

/// What exporters write in ways of their own: a file, its input and PyTorch's answer.
macro_rules! parts {
    ($($name:literal),*) => {
        [$(($name, &include_bytes!(concat!("data/parts/", $name, ".onnx"))[..],
            &include_bytes!(concat!("data/parts/", $name, "_x.npy"))[..],
            &include_bytes!(concat!("data/parts/", $name, "_y.npy"))[..])),*]
    };
}

/// A name, a file, its input and its answer.
type Part = (&'static str, &'static [u8], &'static [u8], &'static [u8]);

/// Each file gives PyTorch's answer, and so does what foveal makes of it when it is exported and imported again.
fn answer_alike<const N: usize>(parts: [Part; N]) {
    let array = |bytes: &[u8]| read_npy(bytes, "fixture").unwrap().into_raw_vec_and_offset().0;
    for (name, file, x, y) in parts {
        let net = import(file, name).unwrap_or_else(|e| panic!("{name}: {e}"));
        println!("{name}: {:?}", net.model.input_shape());
        near(&array(y), &outputs(&net, &array(x)), 1e-5);
        let mut options = ExportOptions::default();
        options.floats = true;
        let again = import(&export_with(&net, options).unwrap_or_else(|e| panic!("{name}: {e}")), name);
        let again = again.unwrap_or_else(|e| panic!("{name}, again: {e}"));
        near(&array(y), &outputs(&again, &array(x)), 1e-5);
    }
}

#[test]
fn parts_of_pytorchs_networks() {
    answer_alike(parts!(
        "zero_pad",
        "pad_max",
        "mean_with_padding",
        "mean_of_padded",
        "squeeze",
        "view",
        "greatest",
        "hard_sigmoid",
        "gelu",
        "map",
        "line",
        "texts"
    ));
}

#[test]
fn newer_layers_of_pytorchs_networks() {
    answer_alike(parts!(
        "gate",
        "gate_of_places",
        "two_values",
        "shuffle",
        "split",
        "activations",
        "normalizations",
        "length",
        "pads",
        "resize",
        "transposed",
        "depth",
        "matrix_of_places",
        "mean_beyond",
        "flat_join"
    ));
}

#[test]
fn chosen_cells_groups_of_channels_and_products_of_values() {
    answer_alike(parts!(
        "colours",
        "colour_by_colour",
        "places",
        "magnitudes",
        "sums",
        "maxout",
        "selected",
        "weighed",
        "context",
        "left"
    ));
}

#[test]
fn rows_that_become_maps_and_repetitions() {
    answer_alike(parts!("row_to_map", "row_to_last", "row_to_places", "twice", "tiled", "repeated_row"));
}

#[test]
fn flips_powers_and_joined_places() {
    answer_alike(parts!(
        "flipped",
        "cube",
        "over_length",
        "joined_places",
        "turned_places",
        "softmax_of_places",
        "mixed_places",
        "channels_last"
    ));
}

#[test]
fn a_model_of_ct_keeps_its_window_in_the_graph() {
    let mut before = saved(ZOO, &["a", "b", "c"]);
    for window in [[40.0, 400.0], [-600.0, 1500.0], [0.1, 333.3]] {
        before.preprocess.window = Some(window);
        let bytes = export(&before).unwrap();
        let file = foveal_onnx::proto::Model::read(&bytes).unwrap();
        assert_eq!(file.graph.inputs[0].name, "hounsfield");
        let said =
            |key: &str| file.metadata.iter().find(|(k, _)| k == key).unwrap().1.parse::<f32>().unwrap();
        assert_eq!([said("window_center"), said("window_width")], window);
        // It is read from the graph: what the metadata say does not matter.
        let bare = foveal_onnx::proto::Model { metadata: Vec::new(), ..file };
        for bytes in [&bytes, &bare.write()] {
            let after = import(bytes, "ct").unwrap();
            assert_eq!(
                (&after.preprocess.window, &after.preprocess.scale),
                (&Some(window), &before.preprocess.scale)
            );
            let raw: Vec<f32> = (0..9 * 8 * 3).map(|i| ((i * 37) % 256) as f32).collect();
            near(&outputs(&before, &raw), &outputs(&after, &raw), 1e-5);
        }
    }
    // A window that is none is no window, and what is left of it is refused by name.
    before.preprocess.window = Some([40.0, 400.0]);
    let mut bytes = export(&before).unwrap();
    let at = bytes.windows(4).position(|w| w == 400f32.to_le_bytes()).unwrap();
    bytes[at..at + 4].copy_from_slice(&0.5f32.to_le_bytes());
    let error = import(&bytes, "ct").unwrap_err().to_string();
    assert!(error.contains("(Floor)"), "{error}");
}

#[test]
fn an_imported_network_is_trained_further() {
    let net = import(include_bytes!("data/residual.onnx"), "residual").unwrap();
    // Two classes that its own do not name, by the brighter of two colours.
    let [h, w, c] = net.model.input_shape();
    let size = h * w * c;
    let pixel = move |i: usize, at: usize| {
        ((i * 31 + at * 17) % 50) as f32 / 100.0 + if at % c == i % 2 { 0.5 } else { 0.0 }
    };
    let pixels = (0..40).flat_map(|i| (0..size).map(move |at| pixel(i, at))).collect();
    let targets = Targets::Classes {
        labels: (0..40).map(|i| i % 2).collect(),
        names: vec!["red".into(), "green".into()],
    };
    let data = Dataset::new("colours", [h, w, c], Samples::F32(pixels), targets).unwrap();
    let all: Vec<u32> = (0..40).collect();
    let begun = transfer(&net, &data, &all, &[], 0).unwrap();
    assert_eq!(begun.new_head.as_deref(), Some("dense_1"));
    let learn = |recipe: &Recipe| {
        let (split, stop) = (Split::first(40, 0).unwrap(), AtomicBool::new(false));
        fit(begun.model.clone(), &data, &split, &net.preprocess, recipe, &stop, &mut |_| {}).unwrap().model
    };
    let recipe = Recipe { epochs: 30, batch_size: 20, lr: 0.01, ..Recipe::transfer() };
    let learnt = learn(&recipe);
    let Evaluation::Classes(scores) = evaluate(&learnt, &net.preprocess, &data, None, 1).unwrap() else {
        panic!("they are classes")
    };
    assert!(scores.accuracy == 1.0, "{}", scores.accuracy);
    assert_ne!(learnt.param("conv2d_1.filter"), begun.model.param("conv2d_1.filter"));
}

#[test]
fn a_model_of_texts_keeps_its_answers_and_its_vocabulary() {
    let text = r#"
input = { shape = [1, 7, 1] }
layer = [
  { kind = "embedding", vocabulary = 12, size = 3, name = "e" },
  { kind = "conv2d", filters = 4, kernel = [1, 3], name = "a" },
  { kind = "relu" },
  { kind = "global_max_pool", name = "b" },
  { kind = "conv2d", filters = 2, kernel = [1, 5], inputs = ["e"] },
  { kind = "global_max_pool", name = "c" },
  { kind = "concat", inputs = ["b", "c"] },
  { kind = "dense", units = 2 },
]
"#;
    let mut before = saved(text, &["x", "y"]);
    let vocabulary = Vocabulary::new(Tokens::Words, ["a b c d a b c d"], 12).unwrap();
    before.preprocess = Preprocess::text(vocabulary);
    let after = import(&export(&before).unwrap(), "text").unwrap();
    let raw: Vec<f32> = (0..3 * 7).map(|i| ((i * 5) % 12) as f32).collect();
    near(&outputs(&before, &raw), &outputs(&after, &raw), 1e-5);
    assert_eq!(after.preprocess, before.preprocess);
    let bytes = export(&before).unwrap();
    let file = foveal_onnx::proto::Model::read(&bytes).unwrap();
    let said = |key: &str| file.metadata.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str());
    assert_eq!(said("tokens"), Some("words"));
    assert_eq!(said("vocabulary"), Some(r#"["<pad>","<unk>","a","b","c","d"]"#));
    // What reads the numbers themselves cannot be written.
    let beside = text.replace("{ kind = \"dense\"", "{ kind = \"flatten\", inputs = [\"input\"], name = \"ids\" },\n  { kind = \"concat\", inputs = [\"concat_1\", \"ids\"] },\n  { kind = \"dense\"");
    let error = export(&saved(&beside, &[])).unwrap_err().to_string();
    assert!(error.contains("`ids`"), "{error}");
    // A vocabulary that the table is too small for is left behind.
    before.preprocess.text = Some(Vocabulary::new(Tokens::Chars, ["abcdefghijklmnop"], 100).unwrap());
    assert_eq!(import(&export(&before).unwrap(), "text").unwrap().preprocess.text, None);
}

#[test]
fn broken_files_are_refused_or_read() {
    let good = include_bytes!("data/pytorch.onnx");
    let mut refused = 0;
    for n in 0..good.len() {
        refused += usize::from(import(&good[..n], "cut").is_err());
    }
    assert_eq!(refused, good.len());
    let mut ct = saved(ZOO, &["a", "b", "c"]);
    ct.preprocess.window = Some([40.0, 400.0]);
    let mut files = vec![good.to_vec(), export(&saved(ZOO, &[])).unwrap(), export(&ct).unwrap()];
    files.extend(parts!("zero_pad", "mean_with_padding", "view", "gelu", "line").map(|part| part.1.to_vec()));
    files.extend(parts!("gate", "gate_of_places", "shuffle", "split", "activations").map(|p| p.1.to_vec()));
    files.extend(parts!("normalizations", "pads", "resize", "transposed", "depth").map(|p| p.1.to_vec()));
    files.extend(parts!("mean_beyond", "flat_join", "length", "matrix_of_places").map(|p| p.1.to_vec()));
    files.extend(parts!("places", "maxout", "selected", "weighed", "context", "left").map(|p| p.1.to_vec()));
    files.extend(
        parts!("row_to_map", "row_to_places", "twice", "tiled", "repeated_row").map(|p| p.1.to_vec()),
    );
    files.extend(parts!("flipped", "cube", "turned_places", "mixed_places").map(|p| p.1.to_vec()));
    let (mut state, mut read) = (1u64, 0);
    let mut random = |n: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n
    };
    for round in 0..40_000 {
        let mut bytes = files[round % files.len()].clone();
        for _ in 0..1 + random(4) {
            let at = random(bytes.len());
            bytes[at] = random(256) as u8;
        }
        if let Ok(saved) = import(&bytes, "mutated") {
            assert!(!saved.model.nodes().is_empty());
            read += 1;
        }
    }
    // Some mutations hit weights and leave a sound file, some do not.
    assert!((1..40_000).contains(&read), "{read}");
}

#[test]
fn what_is_not_supported_is_named() {
    let bytes = export(&saved(ZOO, &[])).unwrap();
    let at = bytes.windows(4).position(|w| w == b"Tanh").unwrap();
    let mut other = bytes;
    other[at..at + 4].copy_from_slice(b"Cosh");
    let error = import(&other, "zoo").unwrap_err();
    let Error::Nodes(obstacles) = &error else { panic!("{error}") };
    assert_eq!(obstacles.len(), 1);
    assert_eq!((obstacles[0].operator.as_str(), obstacles[0].node.as_str()), ("Cosh", "tanh_1"));
    assert!(obstacles[0].unknown);
}

/// A graph of nodes (operator, inputs, output) over the input `x` `[n, 2]`, with a matrix `w` and the output `y`.
fn graph_of(nodes: &[(&str, &[&str], &str)]) -> Vec<u8> {
    use foveal_onnx::proto::{Dim, Graph, Model, Node, Tensor, Value, kind};
    let node = |(operator, inputs, output): &(&str, &[&str], &str)| Node {
        name: format!("to_{output}"),
        operator: (*operator).into(),
        inputs: inputs.iter().map(|&i| i.to_owned()).collect(),
        outputs: vec![(*output).to_owned()],
        ..Node::default()
    };
    let dims = || vec![Dim::Open("n".into()), Dim::Known(2)];
    let graph = Graph {
        nodes: nodes.iter().map(node).collect(),
        tensors: vec![std::rc::Rc::new(Tensor::floats("w", &[2, 2], vec![1.0, -2.0, 0.5, 3.0]))],
        inputs: vec![Value::new("x", kind::FLOAT, dims())],
        outputs: vec![Value::new("y", kind::FLOAT, dims())],
        ..Graph::default()
    };
    Model { ir_version: 8, opsets: vec![(String::new(), 17)], graph, ..Model::default() }.write()
}

#[test]
fn a_value_with_several_readers_is_not_changed_for_one_of_them() {
    // The size of x w, whose sign is turned for the second reader alone, which is the last.
    let bytes = graph_of(&[
        ("MatMul", &["x", "w"], "p"),
        ("Relu", &["p"], "a"),
        ("Neg", &["p"], "b"),
        ("Relu", &["b"], "c"),
        ("Add", &["a", "c"], "y"),
    ]);
    let found = outputs(&import(&bytes, "size").unwrap(), &[1.0, 2.0, -3.0, 1.0]);
    near(&found, &[2.0, 4.0, 2.5, 9.0], 1e-6);
}

#[test]
fn all_nodes_that_cannot_be_taken_are_named_at_once() {
    let bytes = graph_of(&[
        ("Cosh", &["x"], "a"),
        ("MatMul", &["a", "w"], "b"),
        ("Sinh", &["b"], "c"),
        ("Pow", &["x", "w"], "d"),
        ("Add", &["c", "d"], "y"),
    ]);
    let Error::Nodes(found) = import(&bytes, "several").unwrap_err() else { panic!("it is imported") };
    let told: Vec<(&str, bool)> = found.iter().map(|o| (o.operator.as_str(), o.unknown)).collect();
    assert_eq!(told, [("Cosh", true), ("Sinh", true), ("Pow", false)]);
}

#[test]
fn products_powers_and_places_that_no_layer_makes_are_refused_by_name() {
    let refused =
        |nodes: &[(&str, &[&str], &str)]| import(&graph_of(nodes), "refused").unwrap_err().to_string();
    let error = refused(&[("Relu", &["x"], "a"), ("MatMul", &["a", "x"], "y")]);
    assert!(error.contains("to_y") && error.contains("(MatMul)"), "{error}");
    assert!(error.contains("[n, 2] and [n, 2] is not supported"), "{error}");
    for (operator, said) in [
        ("Pow", "must be one number"),
        ("Gather", "axis 0 of [n, 2] is the batch"),
        ("Tile", "of type float32"),
        ("Expand", "of type float32"),
    ] {
        let error = refused(&[("Relu", &["x"], "a"), (operator, &["a", "w"], "y")]);
        assert!(error.contains(&format!("({operator})")) && error.contains(said), "{error}");
    }
}

/// A folder with one file in it.
struct Folder(&'static str, Vec<u8>);

impl SideFiles for Folder {
    fn read(&mut self, name: &str, offset: u64, length: Option<u64>) -> Result<Vec<u8>, String> {
        assert_eq!(name, self.0, "no other name is asked for");
        let from = self.1.get(offset as usize..).ok_or("it is shorter")?;
        let length = length.map_or(from.len(), |n| n as usize);
        from.get(..length).map(<[u8]>::to_vec).ok_or_else(|| "it is shorter".into())
    }
}

#[test]
fn numbers_in_a_file_beside_the_model() {
    use foveal_onnx::proto::{Model, Numbers, Side, Tensor};
    let inside = graph_of(&[("MatMul", &["x", "w"], "p"), ("Relu", &["p"], "y")]);
    let weights: Vec<u8> = [1.0f32, -2.0, 0.5, 3.0].iter().flat_map(|v| v.to_le_bytes()).collect();
    let with = |side: Side| {
        let mut file = Model::read(&inside).unwrap();
        let tensor = Tensor { numbers: Numbers::Side(side), ..(*file.graph.tensors[0]).clone() };
        file.graph.tensors[0] = std::rc::Rc::new(tensor);
        file.write()
    };
    let side = |location: &str, length| Side { location: location.into(), offset: 4, length };
    let folder = || Folder("net.data", [vec![9; 4], weights.clone()].concat());
    let read = |side| import_with(&with(side), "net", &ImportOptions::default(), &mut folder());
    for length in [None, Some(16)] {
        let net = read(side("net.data", length)).unwrap().saved;
        near(&outputs(&net, &[1.0, 2.0]), &[2.0, 4.0], 1e-6);
    }
    let refused = |side| match read(side) {
        Err(Error::Side { file, problem }) => (file, problem),
        other => panic!("{other:?}"),
    };
    for name in ["../net.data", "/net.data", "a/net.data", "..", ""] {
        assert!(refused(side(name, None)).1.contains("plain name"), "{name}");
    }
    assert!(refused(side("net.data", Some(12))).1.contains("takes 16 bytes"));
    assert!(refused(Side { offset: 8, ..side("net.data", None) }).1.contains("shorter"));
    assert!(import(&with(side("net.data", None)), "net").unwrap_err().to_string().contains("net.data"));
}

#[test]
fn one_output_of_several_and_an_open_size() {
    use foveal_onnx::proto::{Dim, Model, Value, kind};
    let mut file = Model::read(include_bytes!("data/parts/map.onnx")).unwrap();
    let relu = file.graph.nodes.iter().find(|n| n.operator == "Relu").unwrap().outputs[0].clone();
    file.graph.outputs.push(Value::new(&relu, kind::FLOAT, vec![]));
    let dims = file.graph.inputs[0].dims.as_mut().unwrap();
    (dims[2], dims[3]) = (Dim::Open("h".into()), Dim::Open("w".into()));
    let bytes = file.write();
    let read = |output: Option<&str>, size: Option<[usize; 2]>| {
        let mut options = ImportOptions::default();
        (options.output, options.input_size) = (output.map(str::to_owned), size);
        import_with(&bytes, "map", &options, &mut Folder("", Vec::new())).map(|imported| imported.saved.model)
    };
    let Err(Error::Output { there, .. }) = read(None, Some([8, 12])) else { panic!("there are two") };
    assert_eq!(there, ["`y`".to_owned(), format!("`{relu}`")]);
    assert!(matches!(read(Some("z"), Some([8, 12])), Err(Error::Output { .. })));
    assert!(matches!(read(Some("y"), None), Err(Error::Open { .. })));
    let last = |model: foveal_nn::Model| {
        (model.input_shape(), model.nodes().last().unwrap().kind.name(), model.outputs())
    };
    assert_eq!(last(read(Some(&relu), Some([8, 12])).unwrap()), ([8, 12, 3], "flatten", 8 * 12 * 4));
    assert_eq!(last(read(Some("y"), Some([5, 6])).unwrap()), ([5, 6, 3], "flatten", 5 * 6 * 2));
}
