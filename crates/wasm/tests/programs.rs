//! The programs that the page shows: those in Rust are compiled here and give what the bench gives; those in Python
//! stand beside them (`tests/programs`), to be run by whoever has the libraries: `python check.py` there.
//!
//! `FOVEAL_RENEW=1 cargo test -p foveal-wasm --test programs` writes them anew.

use foveal_wasm::bench::{Language, Outcome, Setting, code, presets, run};
use ndarray::Array4;
use std::cell::RefCell;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/programs")
}

fn preset(key: &str) -> Setting {
    presets().into_iter().find(|p| p.key == key).unwrap_or_else(|| panic!("no preset {key}")).setting
}

const KEYS: [&str; 9] = [
    "valid",
    "same",
    "three-filters",
    "negatives",
    "large-stride",
    "dilation",
    "channels",
    "explicit",
    "average",
];

#[test]
fn the_files_are_what_the_page_shows() {
    let renew = std::env::var_os("FOVEAL_RENEW").is_some();
    for key in KEYS {
        let s = preset(key);
        for (language, end) in
            [(Language::Rust, "rs"), (Language::Tensorflow, "tf.py"), (Language::Pytorch, "torch.py")]
        {
            let path = folder().join(format!("{}.{end}", key.replace('-', "_")));
            let text = code(&s, language);
            if renew {
                std::fs::write(&path, &text).unwrap();
            }
            assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), text, "{}", path.display());
        }
        let Outcome::Fits { answer } = run(&s) else { panic!("{key}") };
        let [h, w, c] = answer.shape;
        let numbers: Vec<String> = answer.values.iter().map(f32::to_string).collect();
        let text = format!("{h} {w} {c}\n{}\n", numbers.join(" "));
        let path = folder().join(format!("{}.txt", key.replace('-', "_")));
        if renew {
            std::fs::write(&path, &text).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), text, "{}", path.display());
    }
}

thread_local! {
    static PRINTED: RefCell<Option<Array4<f32>>> = const { RefCell::new(None) };
}

/// The programs in Rust, as functions; what they print is kept.
macro_rules! programs {
    ($($name:ident)*) => {$(
        mod $name {
            macro_rules! println {
                ($form:literal, $shape:expr, $y:expr) => {
                    super::PRINTED.with_borrow_mut(|p| *p = Some($y.clone()))
                };
            }
            include!(concat!("programs/", stringify!($name), ".rs"));

            #[test]
            fn gives_what_the_bench_gives() {
                main().unwrap();
                let y = super::PRINTED.take().unwrap();
                let Outcome::Fits { answer } = run(&preset(&stringify!($name).replace('_', "-"))) else { panic!() };
                let [h, w, c] = answer.shape;
                assert_eq!(y, ndarray::Array4::from_shape_vec((1, h, w, c), answer.values).unwrap());
            }
            use super::{Outcome, preset, run};
        }
    )*};
}

programs!(valid same three_filters negatives large_stride dilation channels explicit average);
