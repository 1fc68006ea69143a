//! The server's log on stderr: one line an event, with `--json` one JSON object a line.

use crate::output::Context;
use anyhow::{Result, anyhow};
use std::io;
use tracing::Level;

/// Starts the log. With --quiet it holds only what went wrong.
pub fn start(context: &Context, access: bool) -> Result<()> {
    // In other commands a panic ends the program; here it costs one request.
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let text = info.payload_as_str().unwrap_or("unknown");
        tracing::error!(place, text, "internal: this is a mistake in foveal, please report it");
    }));
    let level = if context.quiet && !access { Level::WARN } else { Level::INFO };
    let log = tracing_subscriber::fmt().with_max_level(level).with_writer(io::stderr).with_ansi(false);
    let begun = if context.json {
        log.json().flatten_event(true).with_target(false).try_init()
    } else {
        log.with_target(false).try_init()
    };
    begun.map_err(|e| anyhow!("cannot begin the log: {e}"))
}
