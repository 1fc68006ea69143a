#![no_main]
//! Model files, and the models they are of.

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(spec) = foveal::nn::ModelSpec::from_toml(text) else { return };
    // A large model is no fault, but its parameters would fill the fuzzer's memory.
    if !text.as_bytes().windows(3).any(|w| w.iter().all(u8::is_ascii_digit)) {
        let _ = foveal::nn::Model::new(&spec, 0);
    }
});
