//! Whether a run uses the pretrained network.

use crate::args::{Preset, Train};
use crate::pretrained;
use crate::source::{ForTraining, Pretrained};
use anyhow::{Result, bail};

/// When the options want it: by name always, without any model's name where it suits the data.
pub fn wanted(args: &Train) -> Pretrained {
    match args.model.as_deref() {
        Some(name) if pretrained::is_named(name) => Pretrained::Always,
        // Members that differ in the last layer alone would be one and the same.
        None if pretrained::HERE && !args.scratch && args.from.is_none() && args.ensemble.is_none() => {
            Pretrained::IfSuited
        }
        _ => Pretrained::Never,
    }
}

/// Whether the data that were opened go to it. Refuses what it cannot do.
pub fn takes(args: &Train, opened: &ForTraining) -> Result<bool> {
    let (data, shown) = (&opened.data, &args.data);
    if wanted(args) != Pretrained::Always && !opened.pretrained {
        return Ok(false);
    }
    if !opened.pretrained || data.shape()[2] != 3 {
        bail!("{shown}: the pretrained network learns from picture files, in class folders or a .csv table");
    }
    if data.classes().or(data.several()).is_none() {
        bail!("{shown}: its targets are values; the pretrained network learns classes (--task classify)");
    }
    if args.ensemble.is_some() {
        bail!(
            "--ensemble: members with the same pretrained network would hardly differ; leave one of them out"
        );
    }
    let features = args.preset != Preset::Best;
    if features && args.learning.augment.is_some_and(|augment| !augment.is_none()) {
        bail!(
            "--augment: each picture goes through the pretrained network once, as it is; take --preset best, which \
             trains all of it, or --from scratch"
        );
    }
    if features && args.freeze.is_some() {
        bail!(
            "--freeze: this preset has layers of its own that stay as they are; take --preset best with it"
        );
    }
    Ok(true)
}
