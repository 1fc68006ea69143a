//! What the user sees of a training: one live line on a terminal, and a row of a table for each epoch.

use crate::output::{Context, count};
use crate::table::width;
use console::Term;
use foveal::train::{EpochReport, Event};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// The live line is written this often at most.
const PAUSE: Duration = Duration::from_millis(80);
/// Columns of the bar, at least and at most.
const BAR: [usize; 2] = [8, 24];
/// The table's columns: English title, Korean title, columns on a terminal.
const TABLE: [(&str, &str, usize); 7] = [
    ("epoch", "에포크", 6),
    ("loss", "손실", 8),
    ("accuracy", "정확도", 9),
    ("val loss", "검증 손실", 10),
    ("val accuracy", "검증 정확도", 13),
    ("images/s", "이미지/s", 10),
    ("seconds", "초", 9),
];

/// Shows events on stderr.
pub struct Progress<'a> {
    context: &'a Context,
    bar: Option<ProgressBar>,
    started: Instant,
    /// Steps that were done before the run was resumed.
    before: usize,
    told: Option<Instant>,
    /// There is a row for each so many epochs, and for the last.
    every: usize,
    /// The training may end after so many epochs without a lower validation loss.
    patience: Option<usize>,
}

impl<'a> Progress<'a> {
    /// Nothing is shown yet. There will be a row for each `every` epochs, and for the last.
    pub fn new(context: &'a Context, every: usize, patience: Option<usize>) -> Self {
        let (started, every) = (Instant::now(), every.max(1));
        Self { context, bar: None, started, before: 0, told: None, every, patience }
    }

    /// Shows an event.
    pub fn tell(&mut self, event: &Event) {
        if let Some(surroundings) = &self.context.embedded {
            return surroundings.listener.event(event);
        }
        if self.context.quiet {
            return;
        }
        match event {
            Event::Started { images, epochs, .. } => self.start(*images, *epochs),
            Event::Resumed { epoch, batches } => self.before = epoch * batches,
            Event::Batch { .. } => self.batch(event),
            Event::Epoch(report) if report.epoch % self.every == 0 || report.epoch == report.epochs => {
                self.line(&row(report));
            }
            _ => {}
        }
    }

    fn start(&mut self, images: [usize; 2], epochs: usize) {
        let [train, validation] = images.map(|n| count(n as u64));
        self.line(&self.context.language.pick(
            format!("training on {train} images, validation on {validation}"),
            format!("훈련 이미지 {train}장, 검증 이미지 {validation}장"),
        ));
        if let Some(patience) = self.patience {
            self.line(&self.context.language.pick(
                format!("at most {epochs} epochs; it ends after {patience} without a lower validation loss (--patience)"),
                format!("최대 {epochs}에포크. 검증 손실이 {patience}에포크 동안 낮아지지 않으면 끝냅니다(--patience)"),
            ));
        }
        let titles = TABLE.map(|(english, korean, _)| self.context.say(english, korean).to_owned());
        self.line(&aligned(&titles));
        self.started = Instant::now();
        if std::io::stderr().is_terminal() {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
                bar.set_style(style);
            }
            self.bar = Some(bar);
        }
    }

    fn batch(&mut self, event: &Event) {
        let Some(bar) = &self.bar else { return };
        if self.told.is_some_and(|told| told.elapsed() < PAUSE) {
            return;
        }
        self.told = Some(Instant::now());
        let columns = usize::from(Term::stderr().size().1);
        let (most, elapsed) = (self.patience.is_some(), self.started.elapsed());
        if let Some(line) = live(event, most, self.before, elapsed, columns, self.context) {
            bar.set_message(line);
        }
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

/// The live line, in at most `columns`: what matters least is left out where the terminal is narrow. With `most` the
/// epochs planned are those at most. `elapsed` is the time since the first `before` steps were done.
fn live(
    event: &Event,
    most: bool,
    before: usize,
    elapsed: Duration,
    columns: usize,
    context: &Context,
) -> Option<String> {
    let Event::Batch { epoch, epochs, batch, batches, images_per_second, loss, accuracy, .. } = event else {
        return None;
    };
    let (done, total) = ((epoch - 1) * batches + batch, epochs * batches);
    let left =
        elapsed.as_secs_f64() / done.saturating_sub(before).max(1) as f64 * (total - done.min(total)) as f64;
    let (rate, left) = (count(*images_per_second as u64), duration(left, context));
    let pick = |english: String, korean: String| context.language.pick(english, korean);
    let (of, left) = match most {
        true => (
            pick(format!("epoch {epoch} of at most {epochs}"), format!("에포크 {epoch} (최대 {epochs})")),
            pick(format!("at most {left} left"), format!("남은 시간 최대 {left}")),
        ),
        false => (
            format!("{} {epoch}/{epochs}", context.say("epoch", "에포크")),
            pick(format!("ETA {left}"), format!("남은 시간 {left}")),
        ),
    };
    // Each piece of the line; those with higher numbers are left out first, those with 0 never.
    let mut pieces = vec![
        (0, of),
        (2, format!("{} {batch}/{batches}", context.say("batch", "배치"))),
        (3, pick(format!("{rate} images/s"), format!("이미지 {rate}장/s"))),
        (1, left),
        (0, format!("{} {loss:.4}", context.say("loss", "손실"))),
    ];
    if let Some(accuracy) = accuracy {
        pieces.push((0, format!("{} {:.2} %", context.say("accuracy", "정확도"), 100.0 * accuracy)));
    }
    let room = columns.saturating_sub(1);
    let taken = |pieces: &[(u8, String)]| pieces.iter().map(|p| width(&p.1) + 2).sum::<usize>();
    for least in [3, 2, 1] {
        if taken(&pieces) > room + 2 {
            pieces.retain(|p| p.0 < least);
        }
    }
    let space = room.saturating_sub(taken(&pieces));
    if space >= BAR[0] {
        pieces.insert(1, (0, bar(done as f64 / total as f64, space.min(BAR[1]))));
    }
    Some(pieces.into_iter().map(|p| p.1).collect::<Vec<_>>().join("  "))
}

/// A bar of `columns`, full for a share of 1.
fn bar(share: f64, columns: usize) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share.clamp(0.0, 1.0) * 8.0 * columns as f64) as usize;
    let mut text = "█".repeat(eighths / 8) + PARTS[eighths % 8];
    let used = eighths.div_ceil(8);
    text.extend(std::iter::repeat_n('░', columns - used));
    text
}

fn duration(seconds: f64, context: &Context) -> String {
    let s = seconds.ceil() as u64;
    let (h, m) = (s / 3600, s / 60 % 60);
    match s {
        0..60 => context.language.pick(format!("{s} s"), format!("{s}초")),
        60..3600 => {
            context.language.pick(format!("{m} min {:02} s", s % 60), format!("{m}분 {:02}초", s % 60))
        }
        _ => context.language.pick(format!("{h} h {m:02} min"), format!("{h}시간 {m:02}분")),
    }
}

/// Cells on the right side of the table's columns.
fn aligned(cells: &[String; 7]) -> String {
    let padded = cells.iter().zip(TABLE).map(|(cell, (_, _, columns))| {
        let blanks = columns.saturating_sub(width(cell));
        " ".repeat(blanks) + cell
    });
    padded.collect::<Vec<_>>().join(" ")
}

fn row(e: &EpochReport) -> String {
    let share = |v: Option<f64>| v.map_or("-".to_owned(), |v| format!("{:.2} %", 100.0 * v));
    let loss = |v: Option<f64>| v.map_or("-".to_owned(), |v| format!("{v:.4}"));
    aligned(&[
        e.epoch.to_string(),
        loss(Some(e.train_loss)),
        share(e.train_accuracy),
        loss(e.validation_loss),
        share(e.validation_accuracy),
        count(e.images_per_second as u64),
        format!("{:.2}", e.seconds),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Common};
    use crate::language::Language;
    use clap::Parser;

    fn context(language: Language) -> Context {
        let Cli { common, .. } = Cli::parse_from(["foveal", "lab"]);
        // The pool of threads can be made once only.
        let context =
            Context::without_pool(&Common { threads: Some(1), ..common }, Instant::now(), Vec::new());
        Context { language, terminal: true, ..context }
    }

    fn event(batch: usize) -> Event {
        Event::Batch {
            epoch: 2,
            epochs: 3,
            batch,
            batches: 100,
            images_per_second: 45_678.9,
            loss: 0.12345,
            accuracy: Some(0.9876),
            step_loss: 0.1,
            step_accuracy: None,
            lr: 0.001,
        }
    }

    #[test]
    fn the_live_line_says_all_and_fits() {
        let english = context(Language::English);
        let line = |columns| live(&event(50), false, 0, Duration::from_secs(75), columns, &english).unwrap();
        assert_eq!(
            line(120),
            "epoch 2/3  ████████████░░░░░░░░░░░░  batch 50/100  45,678 images/s  ETA 1 min 15 s  loss 0.1235  accuracy 98.76 %"
        );
        assert_eq!(line(50), "epoch 2/3  loss 0.1235  accuracy 98.76 %");
        let most = live(&event(50), true, 0, Duration::from_secs(75), 100, &english).unwrap();
        assert_eq!(
            most,
            "epoch 2 of at most 3  batch 50/100  at most 1 min 15 s left  loss 0.1235  accuracy 98.76 %"
        );
        let korean = context(Language::Korean);
        for columns in 20..140 {
            for (context, least) in [(&english, 44), (&korean, 44)] {
                let text = live(&event(77), false, 0, Duration::from_secs(9000), columns, context).unwrap();
                assert!(width(&text) < columns.max(least), "{columns}: {text}");
            }
        }
        let text = live(&event(77), false, 0, Duration::from_secs(9000), 130, &korean).unwrap();
        assert!(!text.contains(|c: char| c.is_ascii_alphabetic() && c != 's'), "{text}");
        assert!(text.contains("남은 시간 1시간 44분"), "{text}");
    }

    #[test]
    fn the_tables_columns_stand_under_their_titles() {
        for language in [Language::English, Language::Korean] {
            let context = context(language);
            let titles = TABLE.map(|(english, korean, _)| context.say(english, korean).to_owned());
            assert_eq!(width(&aligned(&titles)), TABLE.iter().map(|t| t.2 + 1).sum::<usize>() - 1);
        }
    }

    #[test]
    fn a_bar_has_its_length_at_any_share() {
        for i in 0..=1000 {
            assert_eq!(width(&bar(f64::from(i) / 1000.0, 17)), 17);
        }
    }
}
