//! Text as numbers: tokens, a vocabulary, rows of one length.
//!
//! A text is composed (Unicode NFC), put in lower case and cut into [`Tokens`]. Each token becomes its number in a
//! [`Vocabulary`]; 0 fills up the row of a short text, and 1 stands for a token that the vocabulary does not have.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use crate::Error;

/// The number that fills up the row of a short text.
pub const PADDING: usize = 0;
/// The number that stands for a token that a vocabulary does not have.
pub const UNKNOWN: usize = 1;
/// The first token has this number: 0 and 1 are taken.
const RESERVED: usize = 2;
/// The largest size of a vocabulary, 0 and 1 included.
pub const MAX_VOCABULARY: usize = 1 << 16;
/// The most tokens of a text that are read.
pub const MAX_LENGTH: usize = 4096;
/// The longest row that [`Lengths::suited`] gives.
const LONG: usize = 512;
/// The shortest row that it gives: longer than the filters of `text-cnn`, which cover up to 5 tokens.
const SHORT: usize = 8;
/// A token has at most so many characters; a longer word is cut.
const MAX_TOKEN: usize = 64;
/// Marks the beginning and the end of a word among its pairs of characters.
const END: char = '\u{2581}';

/// What a text is cut into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tokens {
    /// Words, and punctuation marks each by itself: for languages that put blanks between words.
    Words,
    /// Characters; a run of blanks is one.
    Chars,
    /// Pairs of neighbouring characters within a word, whose ends are marked, and punctuation marks. This suits
    /// Korean, where endings and particles are attached to words.
    Ngrams,
}

impl Tokens {
    /// What suits some texts: pairs of characters where a third of the letters or more are of a script whose words
    /// are joined or change their endings much (Hangul, Han, Kana, Thai), else words.
    pub fn suited_to<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let (mut joined, mut all) = (0usize, 0usize);
        for c in texts.into_iter().take(1000).flat_map(str::chars).filter(|c| c.is_alphabetic()) {
            all += 1;
            joined += usize::from(matches!(c,
                '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{ac00}'..='\u{d7ff}'
                | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{0e00}'..='\u{0eff}'));
        }
        if 3 * joined >= all.max(1) { Tokens::Ngrams } else { Tokens::Words }
    }

    /// The name: `words`, `chars` or `ngrams`.
    pub fn name(self) -> &'static str {
        match self {
            Tokens::Words => "words",
            Tokens::Chars => "chars",
            Tokens::Ngrams => "ngrams",
        }
    }

    /// The tokens of a text, in order.
    ///
    /// ```
    /// use foveal_data::text::Tokens;
    /// assert_eq!(Tokens::Words.split("Don't  STOP!"), ["don't", "stop", "!"]);
    /// assert_eq!(Tokens::Chars.split("가 나"), ["가", " ", "나"]);
    /// assert_eq!(Tokens::Ngrams.split("영화는."), ["▁영", "영화", "화는", "는▁", "."]);
    /// ```
    pub fn split(self, text: &str) -> Vec<String> {
        let text: String = text.to_lowercase().nfc().collect();
        if self == Tokens::Chars {
            let mut tokens: Vec<String> = Vec::new();
            for c in text.trim().chars() {
                match c.is_whitespace() || c.is_control() {
                    false => tokens.push(c.to_string()),
                    true if tokens.last().is_some_and(|t| t != " ") => tokens.push(" ".into()),
                    true => {}
                }
            }
            // A blank at the end means nothing.
            if tokens.last().is_some_and(|t| t == " ") {
                tokens.pop();
            }
            return tokens;
        }
        let mut tokens = Vec::new();
        for piece in words(&text) {
            match self {
                Tokens::Ngrams if piece.starts_with(char::is_alphanumeric) => {
                    let ends = std::iter::once(END).chain(piece.chars()).chain([END]);
                    let pairs = ends.clone().zip(ends.skip(1));
                    tokens.extend(pairs.map(|(a, b)| [a, b].iter().collect::<String>()));
                }
                _ => tokens.push(piece),
            }
        }
        tokens
    }
}

/// Words, which may hold apostrophes, and each other character that is not a blank.
fn words(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let (mut word, mut letters) = (String::new(), 0);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let inside = matches!(c, '\'' | '\u{2019}')
            && !word.is_empty()
            && rest.peek().is_some_and(|next| next.is_alphanumeric());
        if c.is_alphanumeric() || inside {
            if letters < MAX_TOKEN {
                word.push(if inside { '\'' } else { c });
                letters += 1;
            }
            continue;
        }
        if !word.is_empty() {
            found.push(std::mem::take(&mut word));
            letters = 0;
        }
        if !c.is_whitespace() && !c.is_control() {
            found.push(c.to_string());
        }
    }
    if !word.is_empty() {
        found.push(word);
    }
    found
}

/// The known tokens, each with its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Raw", into = "Raw")]
pub struct Vocabulary {
    tokens: Tokens,
    entries: Vec<String>,
    numbers: HashMap<String, usize>,
}

/// A vocabulary as it is saved.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    tokens: Tokens,
    entries: Vec<String>,
}

impl From<Vocabulary> for Raw {
    fn from(vocabulary: Vocabulary) -> Self {
        Raw { tokens: vocabulary.tokens, entries: vocabulary.entries }
    }
}

impl TryFrom<Raw> for Vocabulary {
    type Error = String;

    fn try_from(raw: Raw) -> Result<Self, String> {
        let Raw { tokens, entries } = raw;
        if entries.len() > MAX_VOCABULARY - RESERVED {
            let n = entries.len();
            return Err(format!(
                "a vocabulary of {n} tokens; at most {} are read",
                MAX_VOCABULARY - RESERVED
            ));
        }
        let numbers: HashMap<String, usize> = entries.iter().cloned().zip(RESERVED..).collect();
        if numbers.len() != entries.len() {
            return Err("a vocabulary with a token twice".into());
        }
        Ok(Self { tokens, entries, numbers })
    }
}

impl Vocabulary {
    /// The tokens that stand in `texts` at least twice, most frequent first (equally frequent ones by code point), at
    /// most `most - 2` of them. A token that stands there once is unknown, so that training also sees unknown tokens.
    /// If no token stands there twice, all are known.
    ///
    /// # Errors
    /// [`Error::Argument`] when `most` is not from 3 to [`MAX_VOCABULARY`].
    pub fn new<'a>(
        tokens: Tokens,
        texts: impl IntoIterator<Item = &'a str>,
        most: usize,
    ) -> Result<Self, Error> {
        if !(RESERVED + 1..=MAX_VOCABULARY).contains(&most) {
            return Err(Error::Argument {
                argument: "size of the vocabulary",
                value: most.to_string(),
                allowed: format!("from {} to {MAX_VOCABULARY}", RESERVED + 1),
            });
        }
        let mut counts: HashMap<String, u64> = HashMap::new();
        for text in texts {
            for token in tokens.split(text).into_iter().take(MAX_LENGTH) {
                *counts.entry(token).or_insert(0) += 1;
            }
        }
        let mut all: Vec<(String, u64)> = counts.into_iter().collect();
        all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        if all.first().is_some_and(|(_, count)| *count > 1) {
            all.retain(|(_, count)| *count > 1);
        }
        all.truncate(most - RESERVED);
        let entries: Vec<String> = all.into_iter().map(|(token, _)| token).collect();
        let numbers = entries.iter().cloned().zip(RESERVED..).collect();
        Ok(Self { tokens, entries, numbers })
    }

    /// What texts are cut into.
    pub fn tokens(&self) -> Tokens {
        self.tokens
    }

    /// The known tokens, in the order of their numbers; the first has number 2.
    pub fn entries(&self) -> &[String] {
        &self.entries
    }

    /// How many numbers there are: one for each token, and 0 and 1.
    pub fn size(&self) -> usize {
        self.entries.len() + RESERVED
    }

    /// The numbers of the first `length` tokens of a text, filled up with 0, and how many tokens the text has in all.
    ///
    /// ```
    /// use foveal_data::text::{Tokens, Vocabulary};
    /// let vocabulary = Vocabulary::new(Tokens::Words, ["a b b", "a a"], 100)?;
    /// assert_eq!(vocabulary.encode("B a c", 5), (vec![3.0, 2.0, 1.0, 0.0, 0.0], 3));
    /// # Ok::<(), foveal_data::Error>(())
    /// ```
    pub fn encode(&self, text: &str, length: usize) -> (Vec<f32>, usize) {
        let tokens = self.tokens.split(text);
        let number = |token: &String| self.numbers.get(token).copied().unwrap_or(UNKNOWN) as f32;
        let mut row: Vec<f32> = tokens.iter().take(length).map(number).collect();
        row.resize(length, PADDING as f32);
        (row, tokens.len())
    }
}

/// How long texts are, in tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lengths {
    /// Half of the texts are at most so long.
    pub median: usize,
    /// Nineteen of twenty texts are at most so long.
    pub most: usize,
    /// The longest.
    pub longest: usize,
}

impl Lengths {
    /// The lengths of some texts; all 0 without texts.
    pub fn new<'a>(tokens: Tokens, texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut lengths: Vec<usize> = texts.into_iter().map(|text| tokens.split(text).len()).collect();
        lengths.sort_unstable();
        let at = |share: usize| lengths.get((lengths.len() * share).div_ceil(100).saturating_sub(1)).copied();
        Self {
            median: at(50).unwrap_or(0),
            most: at(95).unwrap_or(0),
            longest: lengths.last().copied().unwrap_or(0),
        }
    }

    /// A row length, from 8 to 512, in which 95 % of the texts are whole.
    pub fn suited(&self) -> usize {
        self.most.clamp(SHORT, LONG)
    }
}
