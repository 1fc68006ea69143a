//! How the program ends: exit status 0, 1, 2 or 130, and one `error:` line.

use crate::parts;
use foveal::kernels::memory;
use foveal::view::{clean, short, steers};
use std::io::{self, Write};
use std::process::ExitCode;

/// The work was interrupted; what was done so far has been saved.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

/// Prints what clap says about wrong usage (exit status 2), or the help that was asked for (0).
pub fn usage(error: &clap::Error) -> ExitCode {
    // If the reader has gone away, nobody needs the text.
    if std::env::args_os().any(|a| a.to_string_lossy().chars().any(steers)) {
        let text = error.render().to_string();
        let lines: Vec<String> = text.lines().map(clean).collect();
        let _ = writeln!(io::stderr(), "{}", lines.join("\n"));
    } else {
        let _ = error.print();
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// Prints one line about what could not be done; a reader of stdout that has gone away is not an error.
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
    let words: Vec<String> = message.split_whitespace().map(short).collect();
    let _ = writeln!(io::stderr(), "error: {}", words.join(" "));
}

/// What is said where no thread can be started.
pub const NO_THREAD: &str = "there is no memory to start a thread; let the program have more (ulimit -v), or ask for \
                             fewer threads with --threads";

/// Makes memory that cannot be had end the program with one `error:` line.
pub fn tell_out_of_memory() {
    memory::spare_addresses();
    memory::tell(|bytes| {
        // Nothing here takes memory.
        let mut line = [0u8; 200];
        let mut room = &mut line[..];
        let _ = writeln!(
            room,
            "error: out of memory: there is none for {bytes} bytes more; let the program have more (ulimit -v), or give \
             it less at once"
        );
        let left = room.len();
        let _ = io::stderr().write_all(&line[..line.len() - left]);
        parts::try_remove_all();
        std::process::exit(1);
    });
}

/// The words of the standard library where a thread cannot start for want of memory.
const WITHOUT_MEMORY: [&str; 3] =
    ["failed to spawn thread", "failed to allocate an alternative stack", "alternative stack guard page"];

/// Makes a panic on any thread end the program with one `error:` line.
pub fn tell_panics() {
    std::panic::set_hook(Box::new(|info| {
        let payload = info.payload();
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("unknown");
        if WITHOUT_MEMORY.iter().any(|words| text.contains(words)) {
            line(NO_THREAD);
            parts::remove_all();
            std::process::exit(1);
        }
        let place = info.location().map_or(String::new(), |l| format!(" ({}:{})", l.file(), l.line()));
        line(&format!("internal: {text}{place}; this is a mistake in foveal, please report it"));
        parts::remove_all();
        std::process::exit(1);
    }));
}
