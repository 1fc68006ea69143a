//! Data sets of picture files: folders of class folders, and CSV tables of paths.

use super::folder::{Walked, bytes};
use super::grouped::{By, alone, by_name};
use super::listed::{Decode, Listed};
use super::name::name;
use super::odd;
use super::opened::Opened;
use super::options::{Pretrained, ReadOptions};
use super::told::Told;
use crate::files::{self, What};
use crate::output::Context;
use crate::paths::Shown;
use crate::pretrained;
use anyhow::{Result, bail};
use foveal::data::picture::Header;
use foveal::data::stack::{Small, common_size};
use foveal::data::targets::How;
use foveal::data::{Error, Part, Scale, Targets, folder, picture, table};
use foveal::train::{PictureFit, Preprocess};
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use unicode_normalization::UnicodeNormalization;

/// Pictures whose headers decide the size.
const SIZED: usize = 1000;
/// Pictures that are looked at to see whether there is colour.
const DECODED: usize = 32;

/// A folder of class folders.
pub fn from_folder(path: &Path, found: Walked, options: &ReadOptions, context: &Context) -> Result<Opened> {
    let shown = path.shown();
    let mut skipped = found.skipped(context);
    let empty = found.empty;
    let names: Vec<Vec<String>> = found.files.into_iter().map(|(names, _)| names).collect();
    let layout =
        folder::layout(&names, &shown, options.classes).map_err(|error| odd::explained(error, &names))?;
    let full = |i: usize| names[i].iter().fold(path.to_owned(), |p, name| p.join(name));
    // The names below part and class.
    let below = |i: usize| names[i][layout.depth + 1..].to_vec();
    let below: Vec<Vec<String>> = layout.pictures.iter().map(|p| below(p.path)).collect();
    let groups = by_name(options.group, &below, &shown).or_else(|e| options.given(e))?;
    let labels = layout.pictures.iter().map(|p| p.class).collect();
    skipped.extend(layout.others.iter().map(|&i| {
        let name = names[i].last().map_or("", String::as_str);
        let [english, korean] = odd::why(name);
        format!("{}: {}", full(i).shown(), context.say(&english, &korean))
    }));
    if !layout.hidden.is_empty() {
        let n = layout.hidden.len();
        skipped.push(context.language.pick(format!("{n} hidden files"), format!("숨은 파일 {n}개")));
    }
    let targets = Targets::Classes { labels, names: layout.classes };
    let told = Told::targets(How::Folders, &targets, layout.pictures.len(), &[]);
    let told = told.into_iter().chain(odd::told(&layout.odd, &empty));
    let listed = Listed {
        name: name(&shown),
        paths: layout.pictures.iter().map(|p| full(p.path)).collect(),
        parts: layout.pictures.iter().map(|p| p.part).collect(),
        targets,
        groups,
        skipped,
        told: told.collect(),
    };
    listed.read(options, context)
}

/// A CSV of paths and targets; paths count from the table's folder.
pub fn from_table(path: &Path, options: &ReadOptions, context: &Context) -> Result<Opened> {
    let shown = path.shown();
    let bytes = files::read(path, What::Table)?;
    let read = |options: &ReadOptions| table::read_csv(&bytes, &shown, &options.table());
    // A trained model's groups need not be there.
    let table = match read(options) {
        Err(Error::Column { column, .. }) if options.group == Some(&column) && options.is_judged() => {
            read(&ReadOptions { group: None, ..options.clone() })?
        }
        other => other?,
    };
    let folder = options.images.unwrap_or_else(|| path.parent().unwrap_or(Path::new("")));
    let mut order: Vec<usize> = (0..table.paths.len()).collect();
    order.sort_by_key(|&i| table.parts[i]);
    let groups = match (table.groups, options.group) {
        (Some(keys), Some(column)) => Some((By::Column(column.to_owned()), alone(keys))),
        _ => {
            let each = |path: &String| path.split(['/', '\\']).map(str::to_owned).collect();
            let names: Vec<Vec<String>> = table.paths.iter().map(each).collect();
            by_name(options.group, &names, &shown).or_else(|e| options.given(e))?
        }
    };
    let of = |(by, keys): (By, Vec<String>)| (by, order.iter().map(|&i| keys[i].clone()).collect());
    let told = Told::targets(table.how, &table.targets, table.paths.len(), &table.titles);
    let paths: Vec<PathBuf> = order.iter().map(|&i| on_disk(folder, &table.paths[i])).collect();
    let named = order.iter().map(|&i| &table.paths[i]);
    let extended: Vec<&PathBuf> = paths
        .iter()
        .zip(named)
        .filter(|(path, named)| with_extension(path, named))
        .map(|(path, _)| path)
        .collect();
    let extended = Told::extended(extended.len(), extended.first().map(|path| path.as_path()));
    let listed = Listed {
        name: name(&shown),
        paths,
        parts: order.iter().map(|&i| table.parts[i]).collect(),
        targets: table.targets.select(&order),
        groups: groups.map(of),
        skipped: table.skipped.iter().map(|line| format!("{shown}: {line}")).collect(),
        told: told.into_iter().chain(extended).chain(Told::unread(&table.unread)).collect(),
    };
    listed.read(options, context)
}

/// The file that a table names. Some file systems store Hangul and accents as several characters (NFD), which the
/// table may write as one; and a table may name its pictures without their extension.
fn on_disk(folder: &Path, path: &str) -> PathBuf {
    let named = folder.join(path);
    if has_extension(Path::new(path)) && path.is_ascii() || named.exists() {
        return named;
    }
    let apart = folder.join(path.nfd().collect::<String>());
    if !path.is_ascii() && apart.exists() {
        return apart;
    }
    let either = |extension: &&str| [(*extension).to_owned(), extension.to_uppercase()];
    let mut longer = picture::EXTENSIONS.iter().flat_map(either).map(|e| folder.join(format!("{path}.{e}")));
    match has_extension(Path::new(path)) {
        true => named,
        false => longer.find(|path| path.is_file()).unwrap_or(named),
    }
}

fn has_extension(path: &Path) -> bool {
    let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    extension.is_some_and(|e| picture::EXTENSIONS.contains(&e.as_str()))
}

/// Whether the file that was found has an extension that the table's own name lacks.
fn with_extension(found: &Path, named: &str) -> bool {
    has_extension(found) && !has_extension(Path::new(named))
}

impl Listed {
    /// Reads every picture at the size of the data set.
    fn read(mut self, options: &ReadOptions, context: &Context) -> Result<Opened> {
        let looked = Looked::at(&self, options)?;
        let (size, pretrained) = (looked.size, looked.pretrained);
        let (scale, fit, decode) = how(options, &looked);
        self.told.extend(looked.told(options, scale, fit));
        let gif = |path: &&PathBuf| path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gif"));
        self.told.extend(Told::frames(self.paths.iter().filter(gif).count()));
        // The network takes colours; pictures in grey have three times the same.
        let channels = if pretrained { Some(3) } else { options.channels };
        let options = ReadOptions { channels, scale: Some(scale), ..options.clone() };
        let opened = self.read_with(size, &options, context, decode)?;
        Ok(Opened { pretrained, scale, fit, ..opened })
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

    /// The headers of some pictures.
    fn headers(&self) -> Result<Vec<Header>> {
        let some = self.some(SIZED);
        let headers: Vec<Header> =
            some.par_iter().filter_map(|path| picture::header(&bytes(path).ok()?, "").ok()).collect();
        if headers.is_empty() {
            let first = self.paths.first().map_or(String::new(), |p| format!(", such as {}", p.shown()));
            if some.iter().all(|path| !path.exists()) {
                bail!(
                    "{}: none of the pictures that it names is there{first}; --images DIR says in which folder they are",
                    self.name
                );
            }
            bail!("{}: none of its pictures can be read{first}; check that they are whole", self.name);
        }
        Ok(headers)
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
    /// Whether one of the pictures has 16 bits.
    deep: bool,
    /// Heights and widths of some pictures.
    sizes: Vec<[usize; 2]>,
}

impl Looked {
    fn at(listed: &Listed, options: &ReadOptions) -> Result<Self> {
        let classes = matches!(listed.targets, Targets::Classes { .. } | Targets::Labels { .. });
        let headers = listed.headers()?;
        let sizes: Vec<[usize; 2]> = headers.iter().map(|header| header.size).collect();
        let deep = headers.iter().any(|header| header.deep);
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
        Ok(Self { size, pretrained, deep, sizes })
    }

    /// What is said about sizes and depth.
    fn told(&self, options: &ReadOptions, scale: Scale, fit: PictureFit) -> Vec<Told> {
        if options.preprocess.is_some() {
            return Vec::new();
        }
        let depth = (self.deep && scale == Scale::Words).then(Told::deep);
        let sizes = Told::sizes(&self.sizes, self.size, fit, options.fit.is_some());
        depth.into_iter().chain(sizes).collect()
    }
}

/// How pictures become samples: as a trained model sees them, or as the options and the pictures' depth say.
fn how(options: &ReadOptions, looked: &Looked) -> (Scale, PictureFit, Decode) {
    let (size, pretrained) = (looked.size, looked.pretrained);
    let preprocess = match options.preprocess {
        Some(known) => known.clone(),
        None => {
            let own = if looked.deep && !pretrained { Scale::Words } else { Scale::Bytes };
            Preprocess::on(options.scale.unwrap_or(own), 1, options.fit.unwrap_or_default())
        }
    };
    let (scale, fit, channels) = (preprocess.pixels, preprocess.fit, options.channels);
    let decode = move |bytes: &[u8], name: &str| {
        let picture = picture::decode(bytes, name)?;
        let channels = channels.unwrap_or(if picture.is_grey() { 1 } else { 3 });
        let numbers = preprocess.picture(&picture, [size[0], size[1], channels])?;
        Ok(Small::numbers(numbers, channels, scale))
    };
    (scale, fit, Arc::new(decode))
}
