//! A data set that was read.

use super::ct_facts::CtFacts;
use super::grouped::Grouped;
use super::options::ReadOptions;
use super::text_facts::TextFacts;
use super::told::Told;
use crate::output::Context;
use anyhow::{Result, bail};
use foveal::data::{Scale, TrainTest, Window};
use foveal::train::PictureFit;

/// So many reasons to skip files are named.
const NAMED: usize = 10;

/// A data set that was read.
pub struct Opened {
    /// Its parts.
    pub source: TrainTest,
    /// The file of each sample, of the training part and of the test part, where samples are files.
    pub files: Option<[Vec<String>; 2]>,
    /// Files that were skipped, and why.
    pub skipped: Vec<String>,
    /// For CT: what the data set holds.
    pub ct: Option<CtFacts>,
    /// For texts: what the data set holds.
    pub text: Option<TextFacts>,
    /// Whether they are picture files that were read for the pretrained network.
    pub pretrained: bool,
    /// What must not be divided.
    pub groups: Option<Grouped>,
    /// The share of the samples for the test, unless told otherwise.
    pub test: f64,
    /// What was told about the data, and how to overrule it.
    pub told: Vec<Told>,
    /// What black and white are among the numbers.
    pub scale: Scale,
    /// How pictures of another aspect ratio were fitted.
    pub fit: PictureFit,
}

impl Opened {
    /// The window that CT was seen through. Refuses options for CT where the data are something else.
    pub fn window(&self, data: &str, options: &ReadOptions) -> Result<Option<Window>> {
        let columns = self.source.train.several().is_some();
        if self.ct.is_none() && (options.window.is_some() || options.labels.is_some() && !columns) {
            bail!(
                "{data}: --window and --labels are for folders of DICOM slices (--labels also for tables of several \
                 labels); leave them out"
            );
        }
        Ok(self.ct.as_ref().map(|_| options.window.unwrap_or(Window::SOFT)))
    }

    /// The facts about texts, in words; empty for pictures.
    pub fn text_facts(&self, context: &Context) -> String {
        self.text.as_ref().map_or_else(String::new, |text| text.text(context))
    }
}

impl From<TrainTest> for Opened {
    fn from(source: TrainTest) -> Self {
        Self {
            source,
            files: None,
            skipped: Vec::new(),
            ct: None,
            text: None,
            pretrained: false,
            groups: None,
            test: 0.0,
            told: Vec::new(),
            scale: Scale::Bytes,
            fit: PictureFit::Resize,
        }
    }
}

/// Says which files were skipped, a line for each reason.
pub fn tell_skipped(skipped: &[String], context: &Context) {
    let reasons = by_reason(skipped);
    for (first, n) in reasons.iter().take(NAMED) {
        let (was, n) = (context.say("skipped", "건너뜀:"), *n);
        context.note(&match n {
            1 => format!("{was} {first}"),
            _ => context.language.pick(
                format!("skipped {n} files, the first {first}"),
                format!("파일 {n}개를 건너뜀. 첫째는 {first}"),
            ),
        });
    }
    let more = reasons.len().saturating_sub(NAMED);
    if more > 0 {
        context.note(&context.language.pick(
            format!("and for {more} other reasons; foveal data check names them all"),
            format!("그 밖의 이유 {more}가지. 모두 보려면 foveal data check"),
        ));
    }
}

/// The first file of each reason with how many have it, the most frequent reason first. A line is a name, a colon, and
/// why; numbers in that do not make another reason.
fn by_reason(skipped: &[String]) -> Vec<(&str, usize)> {
    let mut found: Vec<(String, &str, usize)> = Vec::new();
    for line in skipped {
        let reason = line.split_once(": ").map_or(line.as_str(), |(_, reason)| reason);
        let words =
            reason.split(' ').map(|word| if word.chars().any(|c| c.is_ascii_digit()) { "#" } else { word });
        let mut words: Vec<&str> = words.collect();
        words.dedup();
        let key = words.join(" ");
        match found.iter_mut().find(|(known, ..)| *known == key) {
            Some((.., n)) => *n += 1,
            None => found.push((key, line, 1)),
        }
    }
    found.sort_by_key(|(.., n)| std::cmp::Reverse(*n));
    found.into_iter().map(|(_, first, n)| (first, n)).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn files_are_skipped_by_reason() {
        let lines = [
            "a.png: starts with bytes 00 1f, so it is none",
            "b.txt: no picture",
            "c.png: starts with bytes 7a, so it is none",
        ];
        let lines = lines.map(str::to_owned);
        assert_eq!(super::by_reason(&lines), [(lines[0].as_str(), 2), (lines[1].as_str(), 1)]);
    }
}
