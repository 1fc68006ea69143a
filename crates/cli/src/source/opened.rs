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

/// So many skipped files are named.
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
        if self.ct.is_none() && (options.window.is_some() || options.labels.is_some()) {
            bail!("{data}: --window and --labels are for folders of DICOM slices; leave them out");
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

/// Names the first files that were skipped, and counts the others.
pub fn tell_skipped(skipped: &[String], context: &Context) {
    for line in skipped.iter().take(NAMED) {
        context.note(&format!("{} {line}", context.say("skipped", "건너뜀:")));
    }
    let more = skipped.len().saturating_sub(NAMED);
    if more > 0 {
        context.note(&context.language.pick(
            format!("skipped {more} more; foveal data check names them all"),
            format!("건너뛴 파일 {more}개 더 있음. 모두 보려면 foveal data check"),
        ));
    }
}
