//! Files that become a data set: decoded by several threads, and kept in memory or read anew in each epoch.

use super::folder::bytes;
use super::grouped::{By, Grouped};
use super::opened::{Opened, tell_skipped};
use super::options::ReadOptions;
use super::told::Told;
use crate::output::{Context, count};
use crate::paths::Shown;
use anyhow::{Result, bail};
use foveal::data::stack::{Small, join};
use foveal::data::{Dataset, Error, Load, Part, Samples, Scale, Stored, Targets, TrainTest};
use rayon::prelude::*;
use std::path::PathBuf;
use std::sync::Arc;

/// Pictures that take more memory than this, at the size of the data set, are read anew each epoch.
const MOST_KEPT: usize = 2 << 30;
/// Makes a picture of the size of the data set from the bytes of a file; the text is the file's name, for errors.
pub type Decode = Arc<dyn Fn(&[u8], &str) -> Result<Small, Error> + Send + Sync>;

/// The files of a data set, not yet read.
pub struct Listed {
    pub name: String,
    pub paths: Vec<PathBuf>,
    /// First all of training, then validation, then test.
    pub parts: Vec<Part>,
    pub targets: Targets,
    /// What must not be divided, and the group of each file.
    pub groups: Option<(By, Vec<String>)>,
    /// Files that are skipped, and why.
    pub skipped: Vec<String>,
    /// What was told about the data.
    pub told: Vec<Told>,
}

impl Listed {
    /// Reads every file with `decode`, which gives pictures of `size`. The pictures are kept in memory; where they
    /// would take more than [`MOST_KEPT`], only what is needed to read them again.
    pub fn read_with(
        mut self,
        size: [usize; 2],
        options: &ReadOptions,
        context: &Context,
        decode: Decode,
    ) -> Result<Opened> {
        let (n, [height, width]) = (count(self.paths.len() as u64), size);
        let kept = (height * width * 3).saturating_mul(self.paths.len());
        // Only bytes are read anew: other numbers would be cut to eight bits.
        if options.stream && options.scale.is_some_and(|scale| scale != Scale::Bytes) {
            bail!("{}: --stream is for pictures of 8 bits; leave it out, or take --scale bytes", self.name);
        }
        let eight = options.scale.is_none_or(|scale| scale == Scale::Bytes);
        let stream = eight && (options.stream || kept > MOST_KEPT);
        tell_reading(&n, size, stream, context);
        if let (Some(channels), false) = (options.channels, stream) {
            let (shape, strict) = ([height, width, channels], options.strict);
            return match eight {
                true => self.read_at_once::<u8>(shape, strict, context, &decode),
                false => self.read_at_once::<f32>(shape, strict, context, &decode),
            };
        }
        let bar = context.bar(self.paths.len());
        let read: Vec<Result<Looked>> = self
            .paths
            .par_iter()
            .map(|path| {
                bar.inc(1);
                let picture = decode(&bytes(path)?, &path.shown())?;
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
                Err(error) if options.strict => return Err(error),
                Err(error) => broken.push(error.to_string()),
            }
        }
        self.skipped.splice(0..0, broken);
        tell_skipped(&self.skipped, context);
        if pictures.is_empty() {
            bail!("{}: none of its {} pictures can be read", self.name, self.paths.len());
        }
        self.parted(&kept, pictures, size, options, &decode)
    }

    /// The files at `kept`, as they are shown.
    pub fn shown(&self, kept: &[usize]) -> Vec<String> {
        kept.iter().map(|&i| self.paths[i].shown()).collect()
    }

    /// The groups of the files at `kept` that are not for the test.
    pub fn grouped(&self, kept: &[usize]) -> Option<Grouped> {
        let (by, keys) = self.groups.as_ref()?;
        let learnt = kept.iter().filter(|&&i| self.parts[i] != Part::Test);
        Some(Grouped { by: by.clone(), keys: learnt.map(|&i| keys[i].clone()).collect() })
    }

    /// Samples of `shape` that are read from the disk when they are needed: the files at `kept`.
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
        options: &ReadOptions,
        decode: &Decode,
    ) -> Result<Opened> {
        let learnt = kept.iter().filter(|&&i| self.parts[i] != Part::Test).count();
        let validation = kept.iter().filter(|&&i| self.parts[i] == Part::Validation).count();
        // One colour picture makes all pictures of both parts colour pictures.
        let colour = pictures.iter().any(|p| p.channels == 3);
        let channels = options.channels.unwrap_or(if colour { 3 } else { 1 });
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
        let groups = self.grouped(kept);
        let (train, test) = kept.split_at(learnt);
        let names = [self.shown(train), self.shown(test)];
        let test_set =
            if test.is_empty() { None } else { Some(set(&format!("{} test", self.name), test, rest)?) };
        let source = TrainTest { validation, ..TrainTest::new(set(&self.name, train, pictures)?, test_set)? };
        Ok(Opened {
            files: Some(names),
            groups,
            skipped: self.skipped,
            told: self.told,
            ..Opened::from(source)
        })
    }
}

/// Says how many pictures are read, and whether they stay in memory.
fn tell_reading(n: &str, [height, width]: [usize; 2], stream: bool, context: &Context) {
    context.note(&match stream {
        false => context.language.pick(
            format!("reading {n} pictures at {height}x{width}"),
            format!("이미지 {n}장을 {height}x{width} 크기로 읽는 중"),
        ),
        true => context.language.pick(
            format!("looking through {n} pictures, which are read anew each epoch at {height}x{width}"),
            format!("이미지 {n}장을 훑는 중. 에포크마다 {height}x{width} 크기로 다시 읽음"),
        ),
    });
}

/// What is kept of a picture after it was read for the first time.
struct Looked {
    channels: usize,
    /// Checksums of its pixels, in grey and in colour; only for pictures that are read anew.
    sums: [u32; 2],
    /// The picture itself, unless it is read anew in each epoch.
    picture: Option<Small>,
}

impl Looked {
    fn new(picture: Small, stream: bool) -> Self {
        let channels = picture.channels();
        if !stream {
            return Self { channels, sums: [0; 2], picture: Some(picture) };
        }
        let sum = |channels| crc32fast::hash(&picture.clone().into_bytes(channels));
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
        let shown = path.shown();
        let gone = |problem: String| foveal::data::Error::Damaged { file: shown.clone(), problem };
        let bytes = bytes(path).map_err(|e| gone(format!("it was read before, but now: {e}")))?;
        let picture = (self.decode)(&bytes, &shown)?;
        pixels.copy_from_slice(&picture.into_bytes(self.shape[2]));
        Ok(())
    }
}
