//! How the program ends: exit status 0, 1, 2 or 130, and one `error:` line.

use std::io::{self, Write};
use std::process::ExitCode;

/// The work was interrupted and what there was has been saved.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

/// Wrong usage, or help: clap's own words. 2 for wrong usage.
pub fn usage(error: &clap::Error) -> ExitCode {
    // A reader that has gone away needs no help.
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// One line about what could not be done; nothing about a reader that has gone away.
pub fn failed(error: &anyhow::Error) -> ExitCode {
    if error.chain().any(is_broken_pipe) {
        return ExitCode::SUCCESS;
    }
    if error.is::<Interrupted>() {
        return ExitCode::from(130);
    }
    line(&format!("{error:#}"));
    ExitCode::from(1)
}

fn is_broken_pipe(cause: &(dyn std::error::Error + 'static)) -> bool {
    cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
}

fn line(message: &str) {
    let words: Vec<&str> = message.split_whitespace().collect();
    let plain: String = words.join(" ").chars().filter(|c| !c.is_control()).collect();
    let _ = writeln!(io::stderr(), "error: {plain}");
}

/// A broken promise inside the program ends it with one line, whatever thread it happens on.
pub fn tell_panics() {
    std::panic::set_hook(Box::new(|info| {
        let payload = info.payload();
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("unknown");
        let place = info.location().map_or(String::new(), |l| format!(" ({}:{})", l.file(), l.line()));
        line(&format!("internal: {text}{place}; this is a mistake in foveal, please report it"));
        std::process::exit(1);
    }));
}
