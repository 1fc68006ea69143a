//! Counters, in Prometheus' text format.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of the buckets, in seconds.
const SECONDS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// Upper bounds of the buckets for requests that go through a model in one call.
const TOGETHER: [f64; 7] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];

/// What has happened since the start.
#[derive(Default)]
pub struct Metrics {
    /// By kind of path and status.
    requests: Mutex<BTreeMap<(&'static str, u16), u64>>,
    seconds: Mutex<BTreeMap<&'static str, Histogram<12>>>,
    waiting: Mutex<Histogram<12>>,
    models: Mutex<BTreeMap<String, ModelCounts>>,
    connections: AtomicU64,
    refused: AtomicU64,
    panics: AtomicU64,
}

/// Counts by bucket, and what an average needs.
#[derive(Clone, Copy)]
struct Histogram<const N: usize> {
    counts: [u64; N],
    all: u64,
    sum: f64,
}

impl<const N: usize> Default for Histogram<N> {
    fn default() -> Self {
        Self { counts: [0; N], all: 0, sum: 0.0 }
    }
}

impl<const N: usize> Histogram<N> {
    fn add(&mut self, bounds: &[f64; N], value: f64) {
        if let Some(i) = bounds.iter().position(|b| value <= *b) {
            self.counts[i] += 1;
        }
        self.all += 1;
        self.sum += value;
    }

    fn write(&self, out: &mut String, name: &str, label: &str, bounds: &[f64; N]) {
        let comma = if label.is_empty() { "" } else { "," };
        let mut below = 0;
        for (bound, count) in bounds.iter().zip(self.counts) {
            below += count;
            line(out, &format!("{name}_bucket{{{label}{comma}le=\"{bound}\"}} {below}"));
        }
        line(out, &format!("{name}_bucket{{{label}{comma}le=\"+Inf\"}} {}", self.all));
        let braces = if label.is_empty() { String::new() } else { format!("{{{label}}}") };
        line(out, &format!("{name}_sum{braces} {}", self.sum));
        line(out, &format!("{name}_count{braces} {}", self.all));
    }
}

#[derive(Default)]
struct ModelCounts {
    images: u64,
    together: Histogram<7>,
    seconds: Histogram<12>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // After a panic of another thread the counters are still sound.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn line(out: &mut String, text: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{text}");
}

fn about(out: &mut String, name: &str, kind: &str, help: &str) {
    line(out, &format!("# HELP {name} {help}\n# TYPE {name} {kind}"));
}

impl Metrics {
    /// A request has been answered.
    pub fn answered(&self, path: &'static str, status: u16, took: Duration) {
        *lock(&self.requests).entry((path, status)).or_default() += 1;
        lock(&self.seconds).entry(path).or_default().add(&SECONDS, took.as_secs_f64());
    }

    /// A worker has taken a request that waited for `time`.
    pub fn waited(&self, time: Duration) {
        lock(&self.waiting).add(&SECONDS, time.as_secs_f64());
    }

    /// So many requests with so many images have gone through a model together.
    pub fn predicted(&self, model: &str, requests: usize, images: usize, took: Duration) {
        let mut models = lock(&self.models);
        if !models.contains_key(model) {
            models.insert(model.to_owned(), ModelCounts::default());
        }
        if let Some(found) = models.get_mut(model) {
            found.images += images as u64;
            found.together.add(&TOGETHER, requests as f64);
            found.seconds.add(&SECONDS, took.as_secs_f64());
        }
    }

    /// A panic was caught.
    pub fn panicked(&self) {
        self.panics.fetch_add(1, Relaxed);
    }

    pub fn connected(&self) {
        self.connections.fetch_add(1, Relaxed);
    }

    pub fn disconnected(&self) {
        self.connections.fetch_sub(1, Relaxed);
    }

    pub fn refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    /// All metrics as text; `queued` requests are waiting.
    pub fn text(&self, queued: usize) -> String {
        let mut out = String::new();
        about(&mut out, "foveal_build_info", "gauge", "The version of foveal.");
        line(&mut out, &format!("foveal_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION")));
        about(&mut out, "foveal_requests_total", "counter", "Requests answered, by path and status.");
        for ((path, status), count) in lock(&self.requests).iter() {
            line(&mut out, &format!("foveal_requests_total{{path=\"{path}\",status=\"{status}\"}} {count}"));
        }
        about(
            &mut out,
            "foveal_request_seconds",
            "histogram",
            "From the head of a request to the head of its answer.",
        );
        for (path, histogram) in lock(&self.seconds).iter() {
            histogram.write(&mut out, "foveal_request_seconds", &format!("path=\"{path}\""), &SECONDS);
        }
        about(&mut out, "foveal_queue_seconds", "histogram", "How long requests waited for a worker.");
        lock(&self.waiting).write(&mut out, "foveal_queue_seconds", "", &SECONDS);
        self.models_text(&mut out);
        for (name, kind, help, value) in [
            ("foveal_queue_length", "gauge", "Requests waiting for a worker.", queued as u64),
            ("foveal_connections", "gauge", "Open connections.", self.connections.load(Relaxed)),
            (
                "foveal_connections_refused_total",
                "counter",
                "Connections beyond the limit.",
                self.refused.load(Relaxed),
            ),
            ("foveal_panics_total", "counter", "Mistakes inside foveal.", self.panics.load(Relaxed)),
        ] {
            about(&mut out, name, kind, help);
            line(&mut out, &format!("{name} {value}"));
        }
        out
    }

    fn models_text(&self, out: &mut String) {
        let models = lock(&self.models);
        about(out, "foveal_images_total", "counter", "Images predicted.");
        for (name, model) in models.iter() {
            line(out, &format!("foveal_images_total{{model=\"{name}\"}} {}", model.images));
        }
        about(out, "foveal_together", "histogram", "Requests that went through a model in one call.");
        for (name, model) in models.iter() {
            model.together.write(out, "foveal_together", &format!("model=\"{name}\""), &TOGETHER);
        }
        about(out, "foveal_predict_seconds", "histogram", "How long such a call took.");
        for (name, model) in models.iter() {
            model.seconds.write(out, "foveal_predict_seconds", &format!("model=\"{name}\""), &SECONDS);
        }
    }
}
