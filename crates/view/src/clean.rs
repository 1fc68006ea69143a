//! Names and texts of others, as they may be shown: on a terminal, in a page, in a table.

/// Characters of a text that is shown: what is longer is cut in its middle.
const LONGEST: usize = 200;
/// … of these at its end: a file's own name and its kind stand there.
const LAST: usize = 60;

/// A text of others as it may stand in a line: what would steer a terminal, break the line or turn its direction stands
/// there as `\n`, `\u{1b}` and the like.
///
/// ```
/// use foveal_view::clean;
///
/// assert_eq!(clean("a\u{1b}[31m b\n"), "a\\u{1b}[31m b\\n");
/// assert_eq!(clean("고양이.png"), "고양이.png");
/// ```
pub fn clean(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            c if steers(c) => safe.extend(c.escape_unicode()),
            c => safe.push(c),
        }
    }
    safe
}

/// The same, but no longer than a line may be: `…` stands for the middle of a longer one.
///
/// ```
/// use foveal_view::short;
///
/// assert_eq!(short("run/model.safetensors"), "run/model.safetensors");
/// assert_eq!(short(&"n".repeat(4096)).chars().count(), 200);
/// ```
pub fn short(text: &str) -> String {
    let safe = clean(text);
    let count = safe.chars().count();
    if count <= LONGEST {
        return safe;
    }
    let first = safe.chars().take(LONGEST - LAST - 1);
    first.chain(['…']).chain(safe.chars().skip(count - LAST)).collect()
}

/// Whether a character does something else than to stand there: control characters, those that turn the direction of
/// what follows, separators of lines, and invisible ones that only steer.
pub fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_is_left() {
        let hostile: String = (0..0x11_0000).filter_map(char::from_u32).filter(|c| steers(*c)).collect();
        assert!(hostile.contains('\u{1b}') && hostile.contains('\0') && hostile.contains('\u{9b}'));
        assert!(hostile.contains('\u{202e}') && hostile.contains('\u{2066}') && hostile.contains('\u{7f}'));
        assert!(!clean(&hostile).chars().any(steers));
        // What letters and pictures need stays: joiners, combining marks.
        assert_eq!(clean("👩\u{200d}🔬 é क्\u{200d}ष"), "👩\u{200d}🔬 é क्\u{200d}ष");
        let long = format!("{}\u{202e}gnp.exe", "ü".repeat(5000));
        assert!(short(&long).ends_with("\\u{202e}gnp.exe") && short(&long).contains("ü…ü"));
    }
}
