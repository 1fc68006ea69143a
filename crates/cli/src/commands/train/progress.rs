//! What is seen while training: one live line on a terminal, one row for each epoch.

use crate::output::{Context, count};
use foveal::train::{EpochReport, Event};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// The live line is written this often at most.
const PAUSE: Duration = Duration::from_millis(80);

/// Tells of events on stderr.
pub struct Progress<'a> {
    context: &'a Context,
    bar: Option<ProgressBar>,
    told: Instant,
}

impl<'a> Progress<'a> {
    /// Nothing is seen yet.
    pub fn new(context: &'a Context) -> Self {
        Self { context, bar: None, told: Instant::now() }
    }

    /// Tells of an event.
    pub fn tell(&mut self, event: &Event) {
        if self.context.quiet {
            return;
        }
        match event {
            Event::Started { epochs, batches, images } => self.start(epochs * batches, *images),
            Event::Batch { .. } => self.batch(event),
            Event::Epoch(report) => self.line(&row(report, self.context)),
            _ => {}
        }
    }

    fn start(&mut self, steps: usize, images: [usize; 2]) {
        let [train, validation] = images.map(|n| count(n as u64));
        self.line(&self.context.language.pick(
            format!("training on {train} images, validation on {validation}"),
            format!("훈련 이미지 {train}장, 검증 이미지 {validation}장"),
        ));
        self.line(self.context.say(
            "epoch     loss  accuracy  val loss  val accuracy  images/s   seconds",
            "에포크    손실    정확도  검증손실    검증정확도  이미지/s        초",
        ));
        if std::io::stderr().is_terminal() {
            let bar = ProgressBar::with_draw_target(Some(steps as u64), ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{prefix} {bar:20} {msg} ETA {eta}") {
                bar.set_style(style.progress_chars("█▌░"));
            }
            self.bar = Some(bar);
        }
    }

    fn batch(&mut self, event: &Event) {
        let Event::Batch { epoch, epochs, batch, batches, images_per_second, loss, accuracy, .. } = event
        else {
            return;
        };
        let Some(bar) = &self.bar else { return };
        if self.told.elapsed() < PAUSE {
            return;
        }
        self.told = Instant::now();
        let right = accuracy.map_or(String::new(), |a| format!(" {:.2} %", 100.0 * a));
        let rate = count(*images_per_second as u64);
        bar.set_prefix(format!("{} {epoch}/{epochs}", self.context.say("epoch", "에포크")));
        bar.set_message(format!("{batch}/{batches} {rate}/s loss {loss:.4}{right}"));
        bar.set_position(((epoch - 1) * batches + batch) as u64);
    }

    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => self.context.note(text),
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn row(e: &EpochReport, _: &Context) -> String {
    let share = |v: Option<f64>| v.map_or("-".to_owned(), |v| format!("{:.2} %", 100.0 * v));
    let loss = |v: Option<f64>| v.map_or("-".to_owned(), |v| format!("{v:.4}"));
    format!(
        "{:>5}  {:>7.4}  {:>8}  {:>8}  {:>12}  {:>8}  {:>8.2}",
        e.epoch,
        e.train_loss,
        share(e.train_accuracy),
        loss(e.validation_loss),
        share(e.validation_accuracy),
        count(e.images_per_second as u64),
        e.seconds
    )
}
