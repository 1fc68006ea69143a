//! The kinds of samples: pictures, CT, texts. A model for one kind refuses the others.

use anyhow::{Result, bail};
use foveal::train::SavedModel;
use std::fmt;

/// The kind of samples that a data set holds, or that a model takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Pictures,
    /// Slices in Hounsfield units, seen through a window.
    Ct,
    Texts,
    /// Numbers that do not say what they stand for; a data set may be of this kind, a model never.
    Arrays,
}

impl Kind {
    /// The kind that a trained model takes.
    pub fn of(saved: &SavedModel) -> Self {
        if saved.model.vocabulary().is_some() {
            Kind::Texts
        } else if saved.preprocess.window.is_some() {
            Kind::Ct
        } else {
            Kind::Pictures
        }
    }

    /// What a data set of this kind is, for messages.
    fn set(self) -> &'static str {
        match self {
            Kind::Pictures => "a folder of pictures, a .csv table of them or a .npz file",
            Kind::Ct => "a folder of DICOM slices",
            Kind::Texts => "a .tsv of label<TAB>text",
            Kind::Arrays => "a .npz file",
        }
    }

    /// What one input of this kind is, for messages.
    pub fn input(self) -> &'static str {
        match self {
            Kind::Pictures => "a picture or a .npy array of pixels",
            Kind::Ct => "a DICOM slice, or a .npy array of what its window shows (0 to 255)",
            Kind::Texts => {
                "a text, a .txt file with one on each line, or a .npy array of the numbers of tokens"
            }
            Kind::Arrays => "a .npy array",
        }
    }

    /// Refuses an input that is `self` for a model of another kind.
    pub fn refuse_unless(self, saved: &SavedModel, input: &str, what: &str) -> Result<()> {
        let model = Kind::of(saved);
        if self != model {
            bail!("{input}: is {what}, and the model is for {model}; give it {}", model.input());
        }
        Ok(())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Pictures => "pictures",
            Kind::Ct => "CT",
            Kind::Texts => "texts",
            Kind::Arrays => "arrays",
        })
    }
}

/// The trained model that data are read for.
#[derive(Clone, Copy)]
pub struct ForModel {
    pub kind: Kind,
    /// Whether it is to be trained further, by `--from`.
    pub from: bool,
    /// Whether the command line names a window for CT, through which a model of pictures may learn from it.
    pub window: bool,
}

impl ForModel {
    /// Refuses data of another kind than the model's.
    pub fn check(self, data: &str, is: Kind) -> Result<()> {
        let ForModel { kind, from, window } = self;
        match (kind, is) {
            _ if kind == is => Ok(()),
            (Kind::Pictures, Kind::Arrays) => Ok(()),
            // The numbers are what the window shows, as `predict` takes them.
            (Kind::Ct, Kind::Arrays) if !from => Ok(()),
            (Kind::Pictures, Kind::Ct) if from && window => Ok(()),
            (Kind::Pictures, Kind::Ct) if from => bail!(
                "{data}: holds CT, and the model that --from names is for pictures, without a window; name a model \
                 of CT, or the window that it is to see CT through, such as --window soft"
            ),
            _ if from => bail!(
                "{data}: holds {is}, and the model that --from names is for {kind}; name one of {}, or leave --from out",
                if is == Kind::Arrays { Kind::Pictures } else { is }
            ),
            _ => bail!("{data}: holds {is}, and the model is for {kind}; name {}", kind.set()),
        }
    }
}
