#![no_main]
//! ONNX graphs: what is imported predicts.

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(saved) = foveal::onnx::import(bytes, "x") else { return };
    let [h, w, c] = saved.model.input_shape();
    if h * w * c < 1 << 12 {
        let _ = saved.model.predict(ndarray::Array4::zeros((1, h, w, c)).view());
    }
    let _ = foveal::onnx::export(&saved);
});
