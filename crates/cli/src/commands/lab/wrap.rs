//! The lecture in the width of a terminal.

use crate::table::width;

/// Lines are never wrapped narrower than this.
const LEAST: usize = 30;

/// Puts a text into lines of at most `columns`: paragraphs are filled, what is indented keeps its lines and is broken
/// only where it is too wide.
pub fn wrapped(text: &str, columns: usize) -> String {
    let columns = columns.max(LEAST);
    let mut all = String::new();
    let mut paragraph = String::new();
    for line in text.lines().chain([""]) {
        let filled = !line.is_empty() && !line.starts_with(' ');
        if filled {
            paragraph += if paragraph.is_empty() { "" } else { " " };
            paragraph += line;
            continue;
        }
        if !paragraph.is_empty() {
            broken(&std::mem::take(&mut paragraph), columns, &mut all);
        }
        broken(line, columns, &mut all);
    }
    // The line that ends the last paragraph is not of the text.
    all.pop();
    all
}

/// A line in pieces of at most `columns`; those after the first stand two blanks further in than it does.
pub fn broken(line: &str, columns: usize, all: &mut String) {
    let own = line.len() - line.trim_start().len();
    let hanging = if own == 0 { 0 } else { own + 2 };
    let mut rest = line;
    let mut indent = 0;
    while indent + width(rest) > columns {
        // The last blank that still fits, but not one of those before the first word.
        let mut taken = indent;
        let mut cut = None;
        for (at, c) in rest.char_indices() {
            if c == ' ' && !rest[..at].trim().is_empty() && taken <= columns {
                cut = Some(at);
            }
            taken += width(c.encode_utf8(&mut [0; 4]));
            if taken > columns && cut.is_some() {
                break;
            }
        }
        let Some(at) = cut else { break };
        *all += &" ".repeat(indent);
        *all += rest[..at].trim_end();
        all.push('\n');
        rest = rest[at..].trim_start();
        indent = hanging;
    }
    *all += &" ".repeat(indent);
    *all += rest;
    all.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_filled_and_no_word_is_broken() {
        let text = "One image of cells\nwith one colour.\n\n  output  = ceil(n / s) and more of it behind that\n  x\n";
        let expected = "One image of cells with one\ncolour.\n\n  output  = ceil(n / s) and\n    more of it behind that\n  x\n";
        assert_eq!(wrapped(text, 30), expected);
        assert_eq!(wrapped("a\nb\n", 200), "a b\n");
        let korean = wrapped("합성곱의 패딩은 0으로 칩니다. 최대 풀링의 패딩은 음의 무한대입니다.", 40);
        assert!(korean.lines().count() == 2 && korean.lines().all(|l| width(l) <= 40), "{korean}");
        let long = "n".repeat(90);
        assert_eq!(wrapped(&long, 40), long.clone() + "\n");
    }
}
