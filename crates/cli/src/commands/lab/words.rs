//! The words of the steps, from `en.txt` and `ko.txt`, and their code, from `code.rs`.

use super::steps::LectureStep;
use crate::language::Language;

/// The words in one language.
pub struct Words(&'static str);

impl Words {
    /// The words in `language`.
    pub fn new(language: Language) -> Self {
        Self(language.pick(include_str!("en.txt"), include_str!("ko.txt")))
    }

    /// A step's title.
    pub fn title(&self, key: &str) -> &'static str {
        self.section(key).0
    }

    /// A step's text, with the values that it names.
    pub fn text(&self, step: &LectureStep) -> String {
        let mut text = self.section(step.key).1.trim().to_owned();
        for (name, value) in &step.named {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        text
    }

    fn section(&self, key: &str) -> (&'static str, &'static str) {
        let mark = format!("[{key}] ");
        let Some(start) = self.0.find(&mark) else { return ("", "") };
        let section = &self.0[start + mark.len()..];
        let section = section.split("\n\n[").next().unwrap_or(section);
        section.split_once('\n').unwrap_or((section, ""))
    }
}

/// The code of a step, if it has any.
pub fn code(key: &str) -> Option<String> {
    let mark = format!("    // [{key}]\n");
    let source = include_str!("code.rs");
    let start = source.find(&mark)? + mark.len();
    let code = source[start..].split("    // [").next()?;
    Some(code.lines().map(|line| line.strip_prefix("    ").unwrap_or(line)).collect::<Vec<_>>().join("\n"))
}

/// The same in TensorFlow, for the document.
pub fn tensorflow(key: &str) -> Option<&'static str> {
    let mark = format!("# [{key}]\n");
    let source = include_str!("tensorflow.txt");
    let code = &source[source.find(&mark)? + mark.len()..];
    code.split("# [").next().map(str::trim_end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_have_the_same_steps_and_values() {
        let shape = |text: &str| -> Vec<String> {
            let keys = text.lines().filter_map(|l| Some(l.strip_prefix('[')?.split_once("] ")?.0.to_owned()));
            let names = text.split('{').skip(1).filter_map(|t| Some(t.split_once('}')?.0.to_owned()));
            keys.chain(names).collect()
        };
        let (english, korean) = (include_str!("en.txt"), include_str!("ko.txt"));
        assert_eq!(shape(english), shape(korean));
        assert_eq!(english.matches("\n[").count(), 11);
        assert!(code("valid").unwrap().starts_with("let filter"));
        assert!(code("cnn").is_none());
        let keys = english.lines().filter_map(|l| Some(l.strip_prefix('[')?.split_once("] ")?.0));
        assert!(
            keys.clone().count() > 9 && keys.clone().all(|k| code(k).is_some() == tensorflow(k).is_some())
        );
    }
}
