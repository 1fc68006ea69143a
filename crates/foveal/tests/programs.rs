//! The programs of `examples/` that show the library's face run, and do what they say.

#[path = "../examples/fine_tune_onnx.rs"]
mod fine_tune_onnx;
#[path = "../examples/inference.rs"]
mod inference;
#[path = "../examples/net_in_code.rs"]
mod net_in_code;
#[path = "../examples/own_loop.rs"]
mod own_loop;
#[path = "../examples/own_loss_and_layer.rs"]
mod own_loss_and_layer;

#[test]
fn a_net_in_code_learns_from_own_arrays() {
    net_in_code::main().unwrap();
}

#[test]
fn a_loop_of_ones_own_learns() {
    own_loop::main().unwrap();
}

#[test]
fn an_onnx_file_is_fine_tuned() {
    fine_tune_onnx::main().unwrap();
}

#[test]
fn a_loss_and_a_layer_of_ones_own_are_trained() {
    own_loss_and_layer::main().unwrap();
}

#[test]
fn a_model_file_is_asked() {
    use foveal::nn::Sequential;
    use foveal::train::{PictureFit, Preprocess, SavedModel, Training};
    let saved = SavedModel {
        model: Sequential::new([2, 2, 1]).flatten().dense(2).build(0).unwrap(),
        preprocess: Preprocess::unit(1, PictureFit::Resize),
        classes: ["dark", "light"].map(String::from).to_vec(),
        training: Training::default(),
    };
    let file = saved.to_bytes().unwrap();
    let said = inference::ask(&file, &[0, 9, 200, 30]).unwrap();
    assert!(said.starts_with("dark with ") || said.starts_with("light with "), "{said}");
    let problem = inference::ask(&file, &[0, 9]).unwrap_err().to_string();
    assert!(problem.contains("samples of 4 numbers") && problem.ends_with("got 2"), "{problem}");
    let problem = inference::ask(&file[..40], &[0; 4]).unwrap_err().to_string();
    assert!(problem.contains("not a whole .safetensors file"), "{problem}");
}
