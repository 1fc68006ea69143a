//! Commands inside another program: what they say goes to a listener, arrays stand in place of a file, ^C is a flag.

use foveal::data::npy::Array;
use foveal::data::npz::Arrays;
use foveal::train::Event;
use foveal_cli::embedded::{Failure, Listener, Surroundings, model, run};
use ndarray::ArrayD;
use std::ffi::OsString;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// Keeps all that is said, and stops a training after a number of epochs.
#[derive(Default)]
struct Kept {
    said: Mutex<Vec<String>>,
    epochs: Mutex<usize>,
    most: Option<usize>,
    stop: Arc<AtomicBool>,
}

impl Listener for Kept {
    fn note(&self, line: &str) {
        self.said.lock().unwrap().push(format!("note {line}"));
    }

    fn print(&self, text: &str) {
        self.said.lock().unwrap().push(format!("print {text}"));
    }

    fn event(&self, event: &Event) {
        if let Event::Epoch(report) = event {
            *self.epochs.lock().unwrap() = report.epoch;
            self.stop.store(self.most == Some(report.epoch), Ordering::Relaxed);
        }
    }
}

/// Bright squares in one of two places.
fn arrays() -> Arrays {
    let pixel = |i: usize, h: usize| if (h < 4) == (i.is_multiple_of(2)) { 200 } else { (i * 7 % 50) as u8 };
    let samples: Vec<u8> = (0..60).flat_map(|i| (0..64).map(move |p| pixel(i, p / 8))).collect();
    let x = ArrayD::from_shape_vec(vec![60, 8, 8], samples).unwrap();
    let names = (0..60).map(|i| if i % 2 == 0 { "top" } else { "bottom" }.to_owned()).collect();
    Arrays { train: (Array::U8(x), vec![names]), validation: None, test: None }
}

fn train(line: &str, out: &Path, kept: &Arc<Kept>, given: Option<Arrays>) -> Result<(), Failure> {
    let mut words: Vec<OsString> = line.split_whitespace().map(Into::into).collect();
    words.extend(["--out".into(), out.into(), "--json".into(), "--lang=en".into()]);
    let stop = Arc::clone(&kept.stop);
    run(&words, Surroundings { listener: kept.clone(), stop, arrays: Mutex::new(given) })
}

#[test]
fn arrays_are_trained_on_and_everything_is_heard() {
    let folder = tempfile::tempdir().unwrap();
    let kept = Arc::new(Kept::default());
    train("train arrays --epochs 3 --threads 1", folder.path(), &kept, Some(arrays())).unwrap();
    assert_eq!(*kept.epochs.lock().unwrap(), 3);
    let said = kept.said.lock().unwrap();
    assert!(said.iter().any(|line| line.starts_with("note layout") || line.starts_with("note ")), "{said:?}");
    let json: Vec<&String> = said.iter().filter(|line| line.starts_with("print {")).collect();
    assert_eq!(json.len(), 1, "{said:?}");
    assert!(json[0].contains("\"epochs\":3"), "{}", json[0]);
    let saved = model(folder.path()).unwrap();
    assert_eq!(saved.classes, ["bottom", "top"]);
    assert_eq!(saved.training.dataset, "arrays");
}

#[test]
fn a_flag_stops_a_training_and_what_was_learnt_stays() {
    let folder = tempfile::tempdir().unwrap();
    let kept = Arc::new(Kept { most: Some(2), ..Kept::default() });
    let ended = train("train arrays --epochs 50 --threads 1", folder.path(), &kept, Some(arrays()));
    assert_eq!(ended, Err(Failure::Interrupted));
    assert_eq!(model(folder.path()).unwrap().training.epochs, 2);
}

#[test]
fn failures_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let kept = Arc::new(Kept::default());
    let of = |line: &str| train(line, folder.path(), &kept, None).unwrap_err();
    assert!(matches!(of("train"), Failure::Usage(text) if text.contains("<DATA>")));
    assert!(matches!(of("train arrays"), Failure::Failed(text) if text.starts_with("arrays:")));
    assert!(matches!(of("train no/such/folder"), Failure::Failed(text) if text.contains("no/such/folder")));
    assert!(matches!(model(Path::new("nothing.safetensors")), Err(Failure::Failed(_))));
}
