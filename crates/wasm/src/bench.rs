//! The convolution bench: one operator on one small input, every number of it.

mod cell;
mod code;
mod fill;
pub mod limits;
mod link;
mod presets;
mod setting;

pub use cell::{Cell, CellTerm, cell};
pub use code::{Language, code};
pub use fill::{Pattern, fill, reshape};
pub use limits::Limits;
pub use link::{decode, encode};
pub use presets::{Preset, all as presets};
pub use setting::{Answer, Line, Operator, Outcome, Pad, Refusal, Setting, Side, run};

use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::{JsError, wasm_bindgen};

/// A value for JavaScript, or an exception there.
type Thrown<T> = Result<T, JsError>;

/// The limits of the bench.
#[wasm_bindgen(js_name = benchLimits)]
pub fn bench_limits() -> Thrown<Ts<Limits>> {
    Ok(limits::ALL.into_ts()?)
}

/// The result of a setting, or why there is none.
#[wasm_bindgen(js_name = benchRun)]
pub fn bench_run(setting: Ts<Setting>) -> Thrown<Ts<Outcome>> {
    Ok(run(&setting.to_rust()?).into_ts()?)
}

/// The arithmetic of output cell `row`, `column`, `channel`; nothing when there is no such cell.
#[wasm_bindgen(js_name = benchCell)]
pub fn bench_cell(
    setting: Ts<Setting>,
    row: usize,
    column: usize,
    channel: usize,
) -> Thrown<Option<Ts<Cell>>> {
    Ok(cell(&setting.to_rust()?, [row, column, channel]).map(|c| c.into_ts()).transpose()?)
}

/// The presets in the order of the page.
#[wasm_bindgen(js_name = benchPresets)]
pub fn bench_presets() -> Thrown<Vec<Ts<Preset>>> {
    Ok(presets().into_iter().map(|p| p.into_ts()).collect::<Result<_, _>>()?)
}

/// A setting with other extents: what fits is kept, what is new counts on. `extents` are height, width and channels
/// of the input, height and width of the filter, number of filters; other lists change nothing.
#[wasm_bindgen(js_name = benchReshape)]
pub fn bench_reshape(setting: Ts<Setting>, extents: Vec<u32>) -> Thrown<Ts<Setting>> {
    let setting = setting.to_rust()?;
    let wide: Vec<usize> = extents.iter().map(|&v| v as usize).collect();
    Ok(match wide[..] {
        [h, w, c, kh, kw, filters] => reshape(&setting, [h, w, c], [kh, kw], filters),
        _ => setting,
    }
    .into_ts()?)
}

/// The input or the filters of a setting filled with a pattern.
#[wasm_bindgen(js_name = benchFill)]
pub fn bench_fill(setting: Ts<Setting>, pattern: Ts<Pattern>, seed: u32) -> Thrown<Ts<Setting>> {
    Ok(fill(&setting.to_rust()?, pattern.to_rust()?, seed).into_ts()?)
}

/// The setting as the text of a link.
#[wasm_bindgen(js_name = benchEncode)]
pub fn bench_encode(setting: Ts<Setting>) -> Thrown<String> {
    Ok(encode(&setting.to_rust()?))
}

/// The setting that a link's text describes; nothing when it describes none.
#[wasm_bindgen(js_name = benchDecode)]
pub fn bench_decode(text: &str) -> Thrown<Option<Ts<Setting>>> {
    Ok(decode(text).ok().map(|s| s.into_ts()).transpose()?)
}

/// The same computation as a program.
#[wasm_bindgen(js_name = benchCode)]
pub fn bench_code(setting: Ts<Setting>, language: Ts<Language>) -> Thrown<String> {
    Ok(code(&setting.to_rust()?, language.to_rust()?))
}
