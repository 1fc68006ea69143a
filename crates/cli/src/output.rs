//! What goes to stdout and stderr, and what every command knows about how it was called.

use crate::args::Common;
use crate::graphics::Graphics;
use crate::language::Language;
use crate::surroundings::Surroundings;
use anyhow::{Context as _, Result};
use foveal::view::{clean, short, steers};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;
use std::ffi::OsString;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::sync::Arc;
use std::time::Instant;

/// What every command knows about how it was called.
#[derive(Clone)]
pub struct Context {
    /// The language of results.
    pub language: Language,
    /// Whether stdout gets one JSON object and nothing else.
    pub json: bool,
    /// Whether stderr gets errors only.
    pub quiet: bool,
    /// Whether stdout is a terminal.
    pub terminal: bool,
    /// How pictures are shown on the terminal.
    pub graphics: Graphics,
    /// The seed for everything random.
    pub seed: u64,
    /// Threads to work with.
    pub threads: usize,
    /// When the program started.
    pub started: Instant,
    /// The command line, the program's name first.
    pub command_line: Arc<[OsString]>,
    /// Where the command runs, if not in a program of its own.
    pub embedded: Option<Arc<Surroundings>>,
}

impl Context {
    /// From the common options; also sizes the pool of threads that operators run on.
    pub fn new(common: &Common, started: Instant, command_line: Vec<OsString>) -> Result<Self> {
        let context = Self::without_pool(common, started, command_line);
        let threads = context.threads;
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global()
            .with_context(|| format!("cannot start {threads} threads; ask for fewer with --threads"))?;
        Ok(context)
    }

    /// From the common options alone.
    pub fn without_pool(common: &Common, started: Instant, command_line: Vec<OsString>) -> Self {
        let all = || std::thread::available_parallelism().map_or(1, usize::from);
        let allowed = !common.no_color && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        let terminal = io::stdout().is_terminal();
        Self {
            terminal,
            language: common.lang.unwrap_or_else(Language::from_environment),
            json: common.json,
            quiet: common.quiet,
            graphics: Graphics::new(common.graphics, allowed && terminal && !common.json),
            seed: common.seed,
            threads: common.threads.map_or_else(all, usize::from),
            started,
            command_line: command_line.into(),
            embedded: None,
        }
    }

    /// Whichever of the two texts is in the language of results.
    pub fn say<'a>(&self, english: &'a str, korean: &'a str) -> &'a str {
        self.language.pick(english, korean)
    }

    /// A line on stderr, unless quiet.
    pub fn note(&self, text: &str) {
        match &self.embedded {
            _ if self.quiet => {}
            Some(surroundings) => surroundings.listener.note(text),
            // A closed stderr is no reason to stop the work.
            None => {
                let words: Vec<String> = text.split(' ').map(short).collect();
                drop(writeln!(io::stderr(), "{}", words.join(" ")));
            }
        }
    }

    /// A progress bar for long work, with the time that is left; drawn on a terminal only.
    pub fn bar(&self, length: usize) -> ProgressBar {
        let draw = match self.quiet || self.embedded.is_some() {
            true => ProgressDrawTarget::hidden(),
            false => ProgressDrawTarget::stderr_with_hz(12),
        };
        let bar = ProgressBar::with_draw_target(Some(length as u64), draw);
        let left = self.say("left", "남음");
        let style = ProgressStyle::with_template(&format!(
            "  {{bar:24}} {{human_pos}}/{{human_len}}, {{eta}} {left}"
        ));
        style.map_or(bar.clone(), |style| bar.with_style(style.progress_chars("██░")))
    }

    /// One JSON object on stdout.
    pub fn print_json(&self, value: &impl Serialize) -> Result<()> {
        if let Some(surroundings) = &self.embedded {
            surroundings.listener.print(&serde_json::to_string(value).map_err(io::Error::from)?);
            return Ok(());
        }
        let mut out = BufWriter::new(io::stdout().lock());
        let mut json = Serializer::with_formatter(&mut out, Plain);
        value.serialize(&mut json).map_err(io::Error::from)?;
        out.write_all(b"\n")?;
        Ok(out.flush()?)
    }

    /// Text on stdout, line by line: nothing in it steers the terminal.
    pub fn print(&self, text: &str) -> Result<()> {
        self.print_drawn(&lines(text))
    }

    /// Text with pictures for the terminal on stdout. Names in it are shown by [`foveal::view::short`].
    pub fn print_drawn(&self, text: &str) -> Result<()> {
        if let Some(surroundings) = &self.embedded {
            surroundings.listener.print(text);
            return Ok(());
        }
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        if !text.ends_with('\n') {
            out.write_all(b"\n")?;
        }
        Ok(out.flush()?)
    }
}

/// Lines in which nothing steers a terminal.
pub fn lines(text: &str) -> String {
    text.split('\n').map(clean).collect::<Vec<_>>().join("\n")
}

/// JSON in which no name steers a terminal: what would stands there by its number.
struct Plain;

impl Formatter for Plain {
    fn write_string_fragment<W: Write + ?Sized>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        for c in fragment.chars() {
            let mut units = [0u16; 2];
            if steers(c) {
                c.encode_utf16(&mut units).iter().try_for_each(|unit| write!(out, "\\u{unit:04x}"))?;
            } else {
                out.write_all(c.encode_utf8(&mut [0; 4]).as_bytes())?;
            }
        }
        Ok(())
    }
}

/// A number for JSON. JSON cannot write NaN and infinity as numbers: they become texts.
#[derive(Clone, Copy)]
pub struct Number(pub f32);

impl Serialize for Number {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            v if v.is_finite() => s.serialize_f32(v),
            v if v.is_nan() => s.serialize_str("NaN"),
            v if v > 0.0 => s.serialize_str("inf"),
            _ => s.serialize_str("-inf"),
        }
    }
}

/// Numbers for JSON.
pub fn numbers<'a>(values: impl IntoIterator<Item = &'a f32>) -> Vec<Number> {
    values.into_iter().map(|&v| Number(v)).collect()
}

/// A size: 1.5 KiB.
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if n < 1024 {
        return format!("{n} B");
    }
    let (mut value, mut unit) = (n as f64 / 1024.0, 0);
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// A count with commas: 1,379,333.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
