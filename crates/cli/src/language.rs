//! The language of results. Errors are always in English, so that they can be searched for.

use clap::ValueEnum;

/// A language that foveal speaks.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English
    #[value(name = "en")]
    English,
    /// Korean
    #[value(name = "ko")]
    Korean,
}

impl Language {
    /// From LC_ALL, LC_MESSAGES and LANG, the first that is set.
    pub fn from_environment() -> Self {
        let set = |name| std::env::var(name).ok().filter(|v: &String| !v.is_empty());
        let value = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set).unwrap_or_default();
        if value.starts_with("ko") { Language::Korean } else { Language::English }
    }

    /// The one of two texts that is in this language.
    pub fn pick<T>(self, english: T, korean: T) -> T {
        match self {
            Language::English => english,
            Language::Korean => korean,
        }
    }
}

impl From<Language> for foveal::view::Language {
    fn from(language: Language) -> Self {
        language.pick(foveal::view::Language::English, foveal::view::Language::Korean)
    }
}
