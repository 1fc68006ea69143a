#![forbid(unsafe_code)]
//! `foveal-bindgen MODULE.wasm FOLDER`: the module for a browser, with its JavaScript and its types.
//!
//! This is the library under the program `wasm-bindgen`, without that program's test server and its dependencies.

use anyhow::{Context, bail};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> anyhow::Result<()> {
    let [module, folder] = &std::env::args().skip(1).collect::<Vec<_>>()[..] else {
        bail!("usage: foveal-bindgen MODULE.wasm FOLDER");
    };
    let mut bindgen = Bindgen::new();
    bindgen.input_path(module).out_name("foveal").web(true)?.typescript(true).omit_default_module_path(false);
    bindgen.generate(folder).with_context(|| {
        format!("{module}: is web/bindgen's wasm-bindgen the version of the workspace's Cargo.lock?")
    })
}
