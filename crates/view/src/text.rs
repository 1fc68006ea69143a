//! Texts in two languages, and the HTML they go into.

use crate::clean::steers;
use std::fmt::Write;

/// A language of figures and pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English
    #[default]
    English,
    /// Korean
    Korean,
}

impl Language {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Korean => "ko",
        }
    }
}

/// One text in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) en: String,
    pub(crate) ko: String,
}

/// A text in English and Korean.
pub(crate) fn t(en: impl Into<String>, ko: impl Into<String>) -> Text {
    Text { en: en.into(), ko: ko.into() }
}

/// A text that is the same in every language: numbers, formulas.
pub(crate) fn same(text: impl Into<String>) -> Text {
    let en = text.into();
    Text { ko: en.clone(), en }
}

/// Text that is safe in HTML and in attributes in double quotes.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c if steers(c) && c != '\n' => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

/// HTML that grows.
pub(crate) struct Writer {
    pub(crate) language: Language,
    pub(crate) html: String,
    /// Whether the samples are texts, not images.
    pub(crate) texts: bool,
}

/// What is said of images, said of texts.
fn of_texts(text: &Text) -> Text {
    let en = text.en.replace("image", "text");
    let mut ko = text.ko.clone();
    let endings = [("가", "이"), ("를", "을"), ("는", "은"), ("와", "과"), ("", "")];
    for (after_vowel, after_consonant) in endings {
        ko = ko.replace(&format!("이미지{after_vowel}"), &format!("글{after_consonant}"));
    }
    // Images are counted in sheets, texts in pieces.
    let mut counted = String::with_capacity(ko.len());
    for c in ko.chars() {
        let sheet = c == '장' && counted.ends_with(|last: char| last.is_ascii_digit());
        counted.push(if sheet { '편' } else { c });
    }
    Text { en, ko: counted }
}

impl Writer {
    pub(crate) fn new(language: Language) -> Self {
        Self { language, html: String::new(), texts: false }
    }

    /// What is said of images; where samples are texts, of texts. Not for what holds names of the user's.
    pub(crate) fn samples(&self, text: Text) -> Text {
        if self.texts { of_texts(&text) } else { text }
    }

    /// HTML as it is.
    pub(crate) fn raw(&mut self, html: impl AsRef<str>) {
        self.html.push_str(html.as_ref());
    }

    pub(crate) fn pick<'a>(&self, text: &'a Text) -> &'a str {
        match self.language {
            Language::English => &text.en,
            Language::Korean => &text.ko,
        }
    }

    /// An element with a text that follows the language switch; `attributes` begins with a blank or is empty.
    pub(crate) fn text(&mut self, tag: &str, attributes: &str, text: &Text) {
        let shown = escape(self.pick(text));
        if text.en == text.ko {
            let _ = write!(self.html, "<{tag}{attributes}>{shown}</{tag}>");
            return;
        }
        let (en, ko) = (escape(&text.en), escape(&text.ko));
        let _ = write!(self.html, "<{tag}{attributes} data-en=\"{en}\" data-ko=\"{ko}\">{shown}</{tag}>");
    }

    /// An element with a name or a number, which no language changes.
    pub(crate) fn name(&mut self, tag: &str, attributes: &str, name: &str) {
        let _ = write!(self.html, "<{tag}{attributes} translate=\"no\">{}</{tag}>", escape(name));
    }

    /// An attribute whose text follows the language switch, such as `aria-label`.
    pub(crate) fn label(&self, attribute: &str, text: &Text) -> String {
        let shown = escape(self.pick(text));
        if text.en == text.ko {
            return format!(" {attribute}=\"{shown}\"");
        }
        let (en, ko) = (escape(&text.en), escape(&text.ko));
        format!(
            " {attribute}=\"{shown}\" data-label=\"{attribute}\" data-label-en=\"{en}\" data-label-ko=\"{ko}\""
        )
    }

    /// Begins a section with its heading and a line about it.
    pub(crate) fn section(&mut self, id: &str, title: &Text, about: &Text) {
        let _ = write!(self.html, "<section id=\"{id}\" aria-labelledby=\"{id}-title\"><header>");
        self.text("h2", &format!(" id=\"{id}-title\""), title);
        if !about.en.is_empty() {
            self.text("p", " class=\"about\"", about);
        }
        self.raw("</header>");
    }
}

/// A count with commas: 1,379,333.
pub(crate) fn count(n: u64) -> String {
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

/// A share as a percentage.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

/// A number with about four digits that count, for people.
pub(crate) fn number(v: f64) -> String {
    let size = v.abs();
    let text = match size {
        _ if !v.is_finite() => return v.to_string(),
        0.0 => "0".into(),
        s if !(1e-4..1e6).contains(&s) => return format!("{v:.2e}"),
        s if s >= 1000.0 => format!("{v:.0}"),
        s if s >= 100.0 => format!("{v:.1}"),
        s if s >= 1.0 => format!("{v:.3}"),
        s if s >= 0.01 => format!("{v:.4}"),
        _ => format!("{v:.6}"),
    };
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Bytes as base64 (RFC 4648).
pub fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let group = (0..3).fold(0u32, |g, i| g << 8 | u32::from(three.get(i).copied().unwrap_or(0)));
        for i in 0..4 {
            let letter = LETTERS[(group >> (18 - 6 * i)) as usize & 63];
            text.push(if i <= three.len() { letter } else { b'=' });
        }
    }
    text.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_base64() {
        for (bytes, want) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(bytes.as_bytes()), want);
        }
    }

    #[test]
    fn texts_cannot_leave_their_place() {
        assert_eq!(escape("<b a=\"1\">&'\u{7}"), "&lt;b a=&quot;1&quot;&gt;&amp;&#39;\u{fffd}");
        let mut w = Writer::new(Language::Korean);
        w.text("p", "", &t("loss", "손실"));
        w.name("td", "", "<cat>");
        assert_eq!(
            w.html,
            "<p data-en=\"loss\" data-ko=\"손실\">손실</p><td translate=\"no\">&lt;cat&gt;</td>"
        );
    }

    #[test]
    fn numbers_are_short() {
        let texts = [0.0, 0.25, 1234.6, 0.001, 2e-7, 12.3456, f64::NAN].map(number);
        assert_eq!(texts, ["0", "0.25", "1235", "0.001", "2.00e-7", "12.346", "NaN"]);
    }
}
