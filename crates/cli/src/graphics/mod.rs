//! Pictures on a terminal.
//!
//! Environment variables tell what the terminal can show. The terminal itself is not asked: an answer would have to be
//! waited for, and could end up on the screen. `--graphics` overrules the variables.

mod blocks;
mod sixel;

use anyhow::Result;
use clap::ValueEnum;
use foveal::view::Drawing;
use std::env;

/// How pictures are sent.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Whatever the environment variables tell
    Auto,
    /// kitty's protocol (kitty, Ghostty, WezTerm, Konsole)
    Kitty,
    /// iTerm2's inline pictures (iTerm2, mintty, VS Code)
    Iterm,
    /// Sixel (foot, mlterm, xterm -ti vt340)
    Sixel,
    /// Half blocks in colour, a cell of a map each
    Blocks,
    /// No pictures: text
    None,
}

/// Pictures on this terminal.
#[derive(Debug, Clone, Copy)]
pub struct Graphics {
    protocol: Protocol,
    /// Columns of the terminal.
    columns: usize,
    /// Whether blocks may have any colour, or one of 256.
    true_color: bool,
}

/// A column of the terminal is about as wide as so many units of a drawing.
const UNITS: u32 = 10;

impl Graphics {
    /// The protocol that was asked for, or the one that the environment tells, if `painted`: if stdout is a terminal
    /// that may be painted on.
    pub fn new(asked: Protocol, painted: bool) -> Self {
        let value = |name: &str| env::var(name).unwrap_or_default();
        let protocol = match asked {
            Protocol::Auto if painted => detect(&value),
            Protocol::Auto => Protocol::None,
            asked => asked,
        };
        let columns = terminal_size::terminal_size().map(|(w, _)| usize::from(w.0));
        let columns = columns.or_else(|| value("COLUMNS").parse().ok()).filter(|&c| c > 0).unwrap_or(80);
        let true_color = matches!(value("COLORTERM").as_str(), "truecolor" | "24bit");
        Self { protocol, columns, true_color }
    }

    /// Whether there are pictures at all.
    pub fn any(&self) -> bool {
        self.protocol != Protocol::None
    }

    /// Whether the resolution is high enough to read the texts in drawings.
    pub fn sharp(&self) -> bool {
        !matches!(self.protocol, Protocol::Blocks | Protocol::None | Protocol::Auto)
    }

    /// The text that shows a drawing. It ends with a line feed; it is empty where there are no pictures.
    pub fn show(&self, drawing: &Drawing) -> Result<String> {
        self.show_first(drawing, usize::MAX)
    }

    /// The same, but half blocks show only the first `most` panels.
    pub fn show_first(&self, drawing: &Drawing, most: usize) -> Result<String> {
        let [width, _] = drawing.size();
        let columns = (width.div_ceil(UNITS) as usize).clamp(1, self.columns.saturating_sub(1).max(1));
        Ok(match self.protocol {
            Protocol::Kitty => kitty(&drawing.to_png(2)?, columns),
            Protocol::Iterm => iterm(&drawing.to_png(2)?, columns),
            Protocol::Sixel => sixel::encode(&drawing.render(1)?),
            Protocol::Blocks => {
                blocks::text(drawing, most, self.columns.saturating_sub(1).max(8), self.true_color)
            }
            Protocol::None | Protocol::Auto => String::new(),
        })
    }
}

fn detect(value: &dyn Fn(&str) -> String) -> Protocol {
    let term = value("TERM");
    if term.is_empty() || term == "dumb" {
        return Protocol::None;
    }
    // Inside tmux and screen only text works, while the variables are still those of the terminal outside.
    if !value("TMUX").is_empty()
        || !value("STY").is_empty()
        || term.starts_with("screen")
        || term.starts_with("tmux")
    {
        return Protocol::Blocks;
    }
    let program = value("TERM_PROGRAM");
    let kitty = term == "xterm-kitty" || term == "xterm-ghostty" || !value("KITTY_WINDOW_ID").is_empty();
    match program.as_str() {
        _ if kitty => Protocol::Kitty,
        "ghostty" | "WezTerm" => Protocol::Kitty,
        _ if !value("KONSOLE_VERSION").is_empty() => Protocol::Kitty,
        "iTerm.app" | "mintty" => Protocol::Iterm,
        _ if value("LC_TERMINAL") == "iTerm2" => Protocol::Iterm,
        _ if ["foot", "mlterm", "yaft", "contour"].iter().any(|t| term.starts_with(t)) => Protocol::Sixel,
        _ if term.contains("sixel") => Protocol::Sixel,
        _ => Protocol::Blocks,
    }
}

/// A PNG for kitty, in pieces of 4096 characters, shown at once and without an answer:
/// <https://sw.kovidgoyal.net/kitty/graphics-protocol/>.
fn kitty(png: &[u8], columns: usize) -> String {
    let data = base64(png);
    let pieces: Vec<&str> =
        (0..data.len()).step_by(4096).map(|i| &data[i..data.len().min(i + 4096)]).collect();
    let mut text = String::with_capacity(data.len() + 64 + 16 * pieces.len());
    for (i, piece) in pieces.iter().enumerate() {
        let more = u8::from(i + 1 < pieces.len());
        let first = if i == 0 { format!("a=T,f=100,q=2,c={columns},") } else { "q=2,".into() };
        text += &format!("\x1b_G{first}m={more};{piece}\x1b\\");
    }
    text + "\n"
}

/// A PNG for iTerm2: <https://iterm2.com/documentation-images.html>.
fn iterm(png: &[u8], columns: usize) -> String {
    let size = png.len();
    format!("\x1b]1337;File=inline=1;size={size};width={columns};preserveAspectRatio=1:{}\x07\n", base64(png))
}

/// RFC 4648.
fn base64(bytes: &[u8]) -> String {
    foveal::view::base64(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_tells_what_a_terminal_can() {
        let with = |pairs: &[(&str, &str)]| {
            detect(&|name: &str| {
                pairs.iter().find(|p| p.0 == name).map(|p| p.1.to_owned()).unwrap_or_default()
            })
        };
        let cases: [(&[(&str, &str)], Protocol); 10] = [
            (&[], Protocol::None),
            (&[("TERM", "dumb")], Protocol::None),
            (&[("TERM", "xterm-256color")], Protocol::Blocks),
            (&[("TERM", "xterm-kitty")], Protocol::Kitty),
            (&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "WezTerm")], Protocol::Kitty),
            (&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "iTerm.app")], Protocol::Iterm),
            (&[("TERM", "xterm-256color"), ("LC_TERMINAL", "iTerm2")], Protocol::Iterm),
            (&[("TERM", "foot-extra")], Protocol::Sixel),
            (&[("TERM", "tmux-256color"), ("KITTY_WINDOW_ID", "1")], Protocol::Blocks),
            (&[("TERM", "xterm-256color"), ("TMUX", "1"), ("TERM_PROGRAM", "iTerm.app")], Protocol::Blocks),
        ];
        for (pairs, want) in cases {
            assert_eq!(with(pairs), want, "{pairs:?}");
        }
    }

    #[test]
    fn a_picture_comes_whole_out_of_its_pieces() {
        let png: Vec<u8> = (0..10_000u32).map(|i| (i * 7 % 251) as u8).collect();
        let sent = kitty(&png, 40);
        assert!(sent.starts_with("\x1b_Ga=T,f=100,q=2,c=40,m=1;") && sent.ends_with("\x1b\\\n"));
        let pieces = sent.trim_end().split("\x1b\\").filter(|p| !p.is_empty());
        let bodies: Vec<&str> = pieces.map(|p| p.split_once(';').unwrap().1).collect();
        assert!(bodies.iter().all(|b| b.len() <= 4096) && bodies.len() == 4);
        assert_eq!(bodies.concat(), base64(&png));
        assert_eq!(sent.matches("m=0;").count(), 1);
        let sent = iterm(b"foobar", 9);
        assert_eq!(sent, "\x1b]1337;File=inline=1;size=6;width=9;preserveAspectRatio=1:Zm9vYmFy\x07\n");
    }
}
