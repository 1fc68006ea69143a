//! The program serving, and the models it serves.

use crate::client::{Answer, Client};
use crate::harness::Bench;
use foveal::nn::{Model, ModelSpec, builtin};
use foveal::train::{PictureFit, Preprocess, Recipe, SavedModel, Training};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A running `foveal serve`; killed when it is dropped.
pub struct Serving {
    child: Child,
    pub address: SocketAddr,
    pub told: serde_json::Value,
}

/// The net of `foveal train mnist` with parameters as they begin, in `NAME.safetensors`.
pub fn digits(bench: &Bench, name: &str, seed: u64) {
    save(bench, name, &builtin::spec("fast").unwrap(), seed, PictureFit::Digit, 10);
}

/// A regression of pictures of 6 x 5 in colours.
pub fn regression(bench: &Bench, name: &str) {
    let text = "[input]\nshape = [6, 5, 3]\n[[layer]]\nkind = \"conv2d\"\nfilters = 4\nkernel = [3, 3]\n\
        [[layer]]\nkind = \"batch_norm\"\n[[layer]]\nkind = \"flatten\"\n[[layer]]\nkind = \"dense\"\nunits = 2\n";
    save(bench, name, &ModelSpec::from_toml(text).unwrap(), 5, PictureFit::Resize, 0);
}

/// A net that takes some milliseconds an image.
pub fn slow(bench: &Bench, name: &str) {
    let conv = |filters: u32| {
        format!("[[layer]]\nkind = \"conv2d\"\nfilters = {filters}\nkernel = [3, 3]\npadding = \"SAME\"\n")
    };
    let text = format!(
        "[input]\nshape = [64, 64, 1]\n{}{}{}[[layer]]\nkind = \"global_avg_pool\"\n\
         [[layer]]\nkind = \"dense\"\nunits = 3\n",
        conv(32),
        conv(64),
        conv(64)
    );
    save(bench, name, &ModelSpec::from_toml(&text).unwrap(), 1, PictureFit::Resize, 3);
}

/// A classifier as it begins, with a preprocessing of its own.
pub fn save_with(bench: &Bench, name: &str, spec: &ModelSpec, preprocess: Preprocess) {
    let model = Model::new(spec, 7).unwrap();
    let classes = model.outputs();
    write(bench, name, model, preprocess, classes);
}

fn save(bench: &Bench, name: &str, spec: &ModelSpec, seed: u64, fit: PictureFit, classes: usize) {
    let preprocess = Preprocess::unit(spec.input.shape[2], fit);
    write(bench, name, Model::new(spec, seed).unwrap(), preprocess, classes);
}

fn write(bench: &Bench, name: &str, model: Model, preprocess: Preprocess, classes: usize) {
    let saved = SavedModel {
        preprocess,
        model,
        classes: (0..classes).map(|c| format!("class {c}")).collect(),
        training: Training {
            model: name.into(),
            dataset: "none".into(),
            recipe: Recipe::default(),
            epochs: 0,
            validation_accuracy: None,
            ..Training::default()
        },
    };
    bench.file(&format!("{name}.safetensors"), saved.to_bytes().unwrap());
}

impl Serving {
    /// Starts `foveal serve ARGUMENTS` on a port of its own.
    pub fn start(bench: &Bench, arguments: &str) -> Self {
        let mut command = bench.command(&format!("serve {arguments} --port 0 --json -q"));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told: serde_json::Value =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("it said `{line}`"));
        let url = told["url"].as_str().unwrap();
        let address = url.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
        Self { child, address, told }
    }

    pub fn connect(&self) -> Client {
        Client::new(self.address).unwrap()
    }

    pub fn get(&self, path: &str) -> Answer {
        self.connect().get(path).unwrap()
    }

    pub fn post(&self, path: &str, body: &[u8]) -> Answer {
        self.connect().post(path, body).unwrap()
    }

    /// What one of the metrics says.
    pub fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").text();
        let line = text.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|l| l.parse().ok()).unwrap_or_else(|| panic!("no {name} in {text}"))
    }

    /// Resident memory and its peak, in megabytes.
    pub fn memory(&self) -> Option<[f64; 2]> {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let field = |name: &str| {
            let line = text.lines().find_map(|l| l.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<f64>().ok().map(|kb| kb / 1024.0)
        };
        Some([field("VmRSS:")?, field("VmHWM:")?])
    }

    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end; how it was, and how long it took.
    pub fn wait(&mut self) -> (ExitStatus, Duration) {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status, start.elapsed());
            }
            assert!(start.elapsed() < Duration::from_secs(30), "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
