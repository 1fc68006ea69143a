//! Data sets of picture files: folders of class folders, and CSV tables of paths.

use super::{Ask, Opened, ct, name};
use crate::files;
use crate::output::{Context, count};
use anyhow::{Result, anyhow, bail};
use foveal::data::stack::{Small, common_size, join, small};
use foveal::data::{Dataset, Error, Load, Part, Samples, Source, Stored, Targets, folder, picture, table};
use rayon::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use unicode_normalization::UnicodeNormalization;

/// Folders within folders, at most.
const DEPTH: usize = 16;
/// The largest picture file that is read, in bytes.
const MAX_FILE: u64 = 256 << 20;
/// Pictures whose headers decide the size.
const SIZED: usize = 1000;
/// Pictures that take more memory than this, at the size of the data set, are read anew each epoch.
const MOST_KEPT: usize = 2 << 30;
/// Skipped files that are named.
const NAMED: usize = 10;

/// Makes a picture of the data set's size of a file's bytes; errors name the file by the text.
pub type Decode = Arc<dyn Fn(&[u8], &str) -> Result<Small, Error> + Send + Sync>;

/// Picture files that belong together, not yet read.
pub struct Listed {
    pub name: String,
    pub paths: Vec<PathBuf>,
    /// First all of training, then validation, then test.
    pub parts: Vec<Part>,
    pub targets: Targets,
    /// Files that are not read, and why.
    pub skipped: Vec<String>,
}

/// A file in a folder: its names from the folder down, and its path.
pub type InFolder = (Vec<String>, PathBuf);

/// All files in a folder and those below it, by name.
pub fn all_under(path: &Path) -> Result<Vec<InFolder>> {
    let mut found = Vec::new();
    walk(path, &mut Vec::new(), &mut Vec::new(), &mut found)?;
    found.sort();
    Ok(found)
}

/// A folder of class folders.
pub fn from_folder(path: &Path, found: Vec<InFolder>, ask: &Ask, context: &Context) -> Result<Opened> {
    let shown = path.display().to_string();
    let names: Vec<Vec<String>> = found.into_iter().map(|(names, _)| names).collect();
    let layout = folder::layout(&names, &shown, ask.classes)?;
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
    listed.read(ask, context)
}

/// A CSV of paths and targets; paths count from the table's folder.
pub fn from_table(path: &Path, ask: &Ask, context: &Context) -> Result<Opened> {
    let shown = path.display().to_string();
    let table = table::read_csv(&files::read(path)?, &shown, ask.task, ask.classes)?;
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
    listed.read(ask, context)
}

/// The file that a table names: some file systems take Hangul and accents apart, and the table may not.
fn on_disk(folder: &Path, path: &str) -> PathBuf {
    let named = folder.join(path);
    let apart = || Some(folder.join(path.nfd().collect::<String>())).filter(|p| p.exists());
    if path.is_ascii() || named.exists() { named } else { apart().unwrap_or(named) }
}

/// All picture files and slices under `path`, by name.
pub fn under(path: &Path) -> Result<Vec<PathBuf>> {
    let visible = |names: &[String]| names.iter().all(|n| !n.starts_with('.'));
    let is_one = |(names, path): &InFolder| {
        visible(names) && (names.last().is_some_and(|n| folder::is_picture(n)) || ct::is_slice(names, path))
    };
    Ok(all_under(path)?.into_iter().filter(is_one).map(|(_, path)| path).collect())
}

/// The files under `path` with their names from the folder down; links are followed, but not in circles.
fn walk(
    path: &Path,
    above: &mut Vec<PathBuf>,
    names: &mut Vec<String>,
    found: &mut Vec<InFolder>,
) -> Result<()> {
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if above.contains(&real) {
        return Ok(());
    }
    if above.len() > DEPTH {
        bail!("{}: lies more than {DEPTH} folders deep; move it up", path.display());
    }
    above.push(real);
    let entries = fs::read_dir(path).map_err(|e| anyhow!("cannot read {}: {e}", path.display()))?;
    for entry in entries {
        let entry = entry.map_err(|e| anyhow!("cannot read {}: {e}", path.display()))?;
        let Ok(own) = entry.file_name().into_string() else {
            bail!("{}: its name is not UTF-8; rename it", entry.path().display());
        };
        names.push(own);
        if entry.path().is_dir() {
            walk(&entry.path(), above, names, found)?;
        } else {
            found.push((names.clone(), entry.path()));
        }
        names.pop();
    }
    above.pop();
    Ok(())
}

/// The bytes of a file of a data set.
pub fn bytes(path: &Path) -> Result<Vec<u8>> {
    if let Ok(meta) = fs::metadata(path) {
        if !meta.is_file() {
            bail!("cannot read {}: it is no plain file", path.display());
        }
        if meta.len() > MAX_FILE {
            bail!("{}: takes {} bytes, more than {MAX_FILE}; scale it down", path.display(), meta.len());
        }
    }
    files::read(path)
}

impl Listed {
    /// Reads every picture at the size of the data set.
    fn read(self, ask: &Ask, context: &Context) -> Result<Opened> {
        let size = match ask.size {
            Some(size) => size,
            None => self.common_size()?,
        };
        self.read_with(size, ask, context, Arc::new(move |bytes, name| small(bytes, name, size)))
    }

    /// Reads every file by `decode`, which gives pictures of `size`, several at a time, and keeps the pictures, or
    /// only what is needed to read them again where all of them would take more memory than [`MOST_KEPT`].
    pub fn read_with(
        mut self,
        size: [usize; 2],
        ask: &Ask,
        context: &Context,
        decode: Decode,
    ) -> Result<Opened> {
        let (n, [height, width]) = (count(self.paths.len() as u64), size);
        let kept = (height * width * 3).saturating_mul(self.paths.len());
        let stream = ask.stream || kept > MOST_KEPT;
        context.note(&match stream {
            false => context.language.pick(
                format!("reading {n} pictures at {height}x{width}"),
                format!("그림 {n}장을 {height}x{width} 크기로 읽는 중"),
            ),
            true => context.language.pick(
                format!("looking through {n} pictures, which are read anew each epoch at {height}x{width}"),
                format!("그림 {n}장을 훑는 중. 에포크마다 {height}x{width} 크기로 다시 읽음"),
            ),
        });
        let bar = context.bar(self.paths.len());
        let read: Vec<Result<Looked>> = self
            .paths
            .par_iter()
            .map(|path| {
                bar.inc(1);
                let picture = decode(&bytes(path)?, &path.display().to_string())?;
                Ok(Looked::new(picture, stream))
            })
            .collect();
        bar.finish_and_clear();
        let mut kept = Vec::with_capacity(read.len());
        let mut pictures = Vec::with_capacity(read.len());
        let mut broken = Vec::new();
        for (i, picture) in read.into_iter().enumerate() {
            match picture {
                Ok(picture) => {
                    kept.push(i);
                    pictures.push(picture);
                }
                Err(error) if ask.strict => return Err(error),
                Err(error) => broken.push(error.to_string()),
            }
        }
        self.skipped.splice(0..0, broken);
        tell(&self.skipped, context);
        if pictures.is_empty() {
            bail!("{}: none of its {} pictures can be read", self.name, self.paths.len());
        }
        self.parted(&kept, pictures, size, ask, &decode)
    }

    /// The size that suits the training pictures, from the headers of some.
    fn common_size(&self) -> Result<[usize; 2]> {
        let train: Vec<&PathBuf> = self
            .paths
            .iter()
            .zip(&self.parts)
            .filter(|(_, part)| **part == Part::Train)
            .map(|(path, _)| path)
            .collect();
        let of = if train.is_empty() { self.paths.iter().collect() } else { train };
        let step = of.len().div_ceil(SIZED).max(1);
        let some: Vec<&PathBuf> = of.into_iter().step_by(step).collect();
        let sizes: Vec<[usize; 2]> =
            some.par_iter().filter_map(|path| picture::size(&bytes(path).ok()?, "").ok()).collect();
        let first = self.paths.first().map_or(String::new(), |p| format!(", such as {}", p.display()));
        common_size(&sizes).ok_or_else(|| {
            anyhow!("{}: none of its pictures can be read{first}; check that they are whole", self.name)
        })
    }

    /// The pictures at `kept` as samples of `shape` that stay on the disk.
    fn stored(&self, kept: &[usize], pictures: &[Looked], shape: [usize; 3], decode: &Decode) -> Stored {
        let mut sum = crc32fast::Hasher::new();
        let of = usize::from(shape[2] == 3);
        pictures.iter().for_each(|p| sum.update(&p.sums[of].to_le_bytes()));
        let paths = kept.iter().map(|&i| self.paths[i].clone()).collect();
        let files = Files { paths, shape, decode: Arc::clone(decode) };
        Stored::new(Box::new(files), kept.len(), shape.iter().product(), sum.finalize())
    }

    /// Divides what was read into parts: training and validation in one set, the test part in another.
    fn parted(
        self,
        kept: &[usize],
        pictures: Vec<Looked>,
        size: [usize; 2],
        ask: &Ask,
        decode: &Decode,
    ) -> Result<Opened> {
        let learnt = kept.iter().filter(|&&i| self.parts[i] != Part::Test).count();
        let validation = kept.iter().filter(|&&i| self.parts[i] == Part::Validation).count();
        // Both parts have colours if one of them has.
        let colour = pictures.iter().any(|p| p.channels == 3);
        let channels = ask.channels.unwrap_or(if colour { 3 } else { 1 });
        let mut pictures = pictures;
        let rest = pictures.split_off(learnt);
        let shape = [size[0], size[1], channels];
        let set = |name: &str, kept: &[usize], pictures: Vec<Looked>| {
            let samples = match pictures.first().is_some_and(|p| p.picture.is_none()) {
                false => join(pictures.into_iter().filter_map(|p| p.picture).collect(), Some(channels)).0,
                true => Samples::Stored(self.stored(kept, &pictures, shape, decode)),
            };
            Dataset::new(name, shape, samples, self.targets.select(kept))
        };
        let files = |kept: &[usize]| kept.iter().map(|&i| self.paths[i].display().to_string()).collect();
        let (train, test) = kept.split_at(learnt);
        let names = [files(train), files(test)];
        let test_set =
            if test.is_empty() { None } else { Some(set(&format!("{} test", self.name), test, rest)?) };
        let source = Source { validation, ..Source::new(set(&self.name, train, pictures)?, test_set)? };
        Ok(Opened { source, files: Some(names), skipped: self.skipped, ct: None, text: None })
    }
}

/// What a first look at a picture leaves.
struct Looked {
    channels: usize,
    /// Tells its pixels from others: in grey, and in colour; of pictures that are read anew.
    sums: [u32; 2],
    /// The picture itself, unless it is read anew each time.
    picture: Option<Small>,
}

impl Looked {
    fn new(picture: Small, stream: bool) -> Self {
        let channels = picture.channels();
        if !stream {
            return Self { channels, sums: [0; 2], picture: Some(picture) };
        }
        let sum = |channels| crc32fast::hash(&picture.clone().into_channels(channels));
        Self { channels, sums: [1, 3].map(sum), picture: None }
    }
}

/// Picture files, read when they are needed.
struct Files {
    paths: Vec<PathBuf>,
    shape: [usize; 3],
    decode: Decode,
}

impl Load for Files {
    fn load(&self, index: usize, pixels: &mut [u8]) -> Result<(), foveal::data::Error> {
        let path = &self.paths[index];
        let shown = path.display().to_string();
        let gone = |problem: String| foveal::data::Error::Damaged { file: shown.clone(), problem };
        let bytes = bytes(path).map_err(|e| gone(format!("it was read before, but now: {e}")))?;
        let picture = (self.decode)(&bytes, &shown)?;
        pixels.copy_from_slice(&picture.into_channels(self.shape[2]));
        Ok(())
    }
}

/// Names the first of the files that are skipped.
pub(super) fn tell(skipped: &[String], context: &Context) {
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
