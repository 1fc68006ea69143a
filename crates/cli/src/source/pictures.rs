//! Data sets of picture files: folders of class folders, and CSV tables of paths.

use super::folder::{InFolder, bytes};
use super::listed::Listed;
use super::name::name;
use super::opened::Opened;
use super::options::{Pretrained, ReadOptions};
use crate::files;
use crate::output::Context;
use crate::pretrained;
use anyhow::{Result, bail};
use foveal::data::stack::{common_size, small};
use foveal::data::{Part, Targets, folder, picture, table};
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use unicode_normalization::UnicodeNormalization;

/// Pictures whose headers decide the size.
const SIZED: usize = 1000;
/// Pictures that are looked at to see whether there is colour.
const DECODED: usize = 32;

/// A folder of class folders.
pub fn from_folder(
    path: &Path,
    found: Vec<InFolder>,
    options: &ReadOptions,
    context: &Context,
) -> Result<Opened> {
    let shown = path.display().to_string();
    let names: Vec<Vec<String>> = found.into_iter().map(|(names, _)| names).collect();
    let layout = folder::layout(&names, &shown, options.classes)?;
    let full = |i: usize| names[i].iter().fold(path.to_owned(), |p, name| p.join(name));
    let labels = layout.pictures.iter().map(|p| p.class).collect();
    let mut skipped: Vec<String> = layout
        .others
        .iter()
        .map(|&i| {
            format!(
                "{}: {}",
                full(i).display(),
                context.say("no picture in a class folder", "분류 폴더 안의 그림이 아님")
            )
        })
        .collect();
    if !layout.hidden.is_empty() {
        let n = layout.hidden.len();
        skipped.push(context.language.pick(format!("{n} hidden files"), format!("숨은 파일 {n}개")));
    }
    let listed = Listed {
        name: name(&shown),
        paths: layout.pictures.iter().map(|p| full(p.path)).collect(),
        parts: layout.pictures.iter().map(|p| p.part).collect(),
        targets: Targets::Classes { labels, names: layout.classes },
        skipped,
    };
    listed.read(options, context)
}

/// A CSV of paths and targets; paths count from the table's folder.
pub fn from_table(path: &Path, options: &ReadOptions, context: &Context) -> Result<Opened> {
    let shown = path.display().to_string();
    let table = table::read_csv(&files::read(path)?, &shown, options.task, options.classes)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut order: Vec<usize> = (0..table.paths.len()).collect();
    order.sort_by_key(|&i| table.parts[i]);
    let listed = Listed {
        name: name(&shown),
        paths: order.iter().map(|&i| on_disk(folder, &table.paths[i])).collect(),
        parts: order.iter().map(|&i| table.parts[i]).collect(),
        targets: table.targets.select(&order),
        skipped: Vec::new(),
    };
    listed.read(options, context)
}

/// The file that a table names. Some file systems store Hangul and accents as several characters (NFD), which the
/// table may write as one.
fn on_disk(folder: &Path, path: &str) -> PathBuf {
    let named = folder.join(path);
    let apart = || Some(folder.join(path.nfd().collect::<String>())).filter(|p| p.exists());
    if path.is_ascii() || named.exists() { named } else { apart().unwrap_or(named) }
}

impl Listed {
    /// Reads every picture at the size of the data set.
    fn read(self, options: &ReadOptions, context: &Context) -> Result<Opened> {
        let looked = Looked::at(&self, options)?;
        let (size, pretrained) = (looked.size, looked.pretrained);
        let decode = Arc::new(move |bytes: &[u8], name: &str| small(bytes, name, size));
        // The network takes colours; pictures in grey have three times the same.
        let channels = if pretrained { Some(3) } else { options.channels };
        let opened = self.read_with(size, &ReadOptions { channels, ..options.clone() }, context, decode)?;
        Ok(Opened { pretrained, ..opened })
    }

    /// Some of the training pictures, or of all where there are none, spread over them.
    fn some(&self, most: usize) -> Vec<&PathBuf> {
        let train: Vec<&PathBuf> = self
            .paths
            .iter()
            .zip(&self.parts)
            .filter(|(_, part)| **part == Part::Train)
            .map(|(path, _)| path)
            .collect();
        let of = if train.is_empty() { self.paths.iter().collect() } else { train };
        let step = of.len().div_ceil(most).max(1);
        of.into_iter().step_by(step).collect()
    }

    /// Heights and widths from the headers of some pictures.
    fn sizes(&self) -> Result<Vec<[usize; 2]>> {
        let some = self.some(SIZED);
        let sizes: Vec<[usize; 2]> =
            some.par_iter().filter_map(|path| picture::size(&bytes(path).ok()?, "").ok()).collect();
        if sizes.is_empty() {
            let first = self.paths.first().map_or(String::new(), |p| format!(", such as {}", p.display()));
            bail!("{}: none of its pictures can be read{first}; check that they are whole", self.name);
        }
        Ok(sizes)
    }

    /// Whether one of a few pictures is in colour.
    fn in_colour(&self) -> bool {
        let colour = |path: &&PathBuf| {
            let picture = picture::decode(&bytes(path).ok()?, "").ok()?;
            (!picture.is_grey()).then_some(())
        };
        self.some(DECODED).par_iter().any(|path| colour(path).is_some())
    }
}

/// At which size pictures are to be read, and for which kind of model.
struct Looked {
    size: [usize; 2],
    pretrained: bool,
}

impl Looked {
    fn at(listed: &Listed, options: &ReadOptions) -> Result<Self> {
        let classes = matches!(listed.targets, Targets::Classes { .. });
        if let (Some(size), Pretrained::Never) = (options.size, options.pretrained) {
            return Ok(Self { size, pretrained: false });
        }
        let sizes = listed.sizes()?;
        let pretrained = match options.pretrained {
            Pretrained::Never => false,
            Pretrained::Always => true,
            Pretrained::IfSuited => {
                let asked = options.size.is_none_or(|size| pretrained::suits(&[size]));
                classes && asked && pretrained::suits(&sizes) && listed.in_colour()
            }
        };
        // Small pictures are made larger, too: the network knows things at the size at which it saw them.
        let own = || pretrained.then_some([pretrained::SIZE; 2]);
        let size = options.size.or_else(own).or_else(|| common_size(&sizes)).unwrap_or([1, 1]);
        Ok(Self { size, pretrained })
    }
}
