//! Pictures of a known number of channels, decoded straight to where they stay: no picture is held twice.

use super::folder::bytes;
use super::listed::{Decode, Listed};
use super::opened::{Opened, tell_skipped};
use crate::output::Context;
use crate::paths::Shown;
use anyhow::{Result, bail};
use foveal::data::stack::Small;
use foveal::data::{Dataset, Part, Samples, TrainTest};
use rayon::prelude::*;

/// Pixels of pictures one after the other, and the places in the list of those that could be read.
struct Read<T> {
    pixels: Vec<T>,
    kept: Vec<usize>,
}

/// A number that pictures are kept as.
pub trait Kept: Copy + Default + Send {
    /// The numbers of a picture.
    fn of(picture: Small, channels: usize) -> Vec<Self>;
    /// All numbers.
    fn samples(all: Vec<Self>) -> Samples;
}

impl Kept for u8 {
    fn of(picture: Small, channels: usize) -> Vec<Self> {
        picture.into_bytes(channels)
    }

    fn samples(all: Vec<Self>) -> Samples {
        Samples::U8(all)
    }
}

impl Kept for f32 {
    fn of(picture: Small, channels: usize) -> Vec<Self> {
        picture.into_channels(channels)
    }

    fn samples(all: Vec<Self>) -> Samples {
        Samples::F32(all)
    }
}

impl Listed {
    /// Reads every file with `decode` into samples of `shape`, training and validation first, the test part by itself.
    pub fn read_at_once<T: Kept>(
        mut self,
        shape: [usize; 3],
        strict: bool,
        context: &Context,
        decode: &Decode,
    ) -> Result<Opened> {
        let learnt = self.parts.iter().filter(|part| **part != Part::Test).count();
        let bar = context.bar(self.paths.len());
        let mut broken = Vec::new();
        let mut read = |from: usize, to: usize| -> Result<Read<T>> {
            let size: usize = shape.iter().product();
            let mut pixels = vec![T::default(); size * (to - from)];
            let fill = |(i, place): (usize, &mut [T])| -> Result<()> {
                bar.inc(1);
                let path = &self.paths[from + i];
                let picture = decode(&bytes(path)?, &path.shown())?;
                place.copy_from_slice(&T::of(picture, shape[2]));
                Ok(())
            };
            let done: Vec<Result<()>> = pixels.par_chunks_exact_mut(size).enumerate().map(fill).collect();
            let mut kept = Vec::with_capacity(done.len());
            for (i, done) in done.into_iter().enumerate() {
                match done {
                    Err(error) if strict => return Err(error),
                    Err(error) => broken.push(error.to_string()),
                    Ok(()) => {
                        pixels.copy_within(i * size..(i + 1) * size, kept.len() * size);
                        kept.push(from + i);
                    }
                }
            }
            pixels.truncate(kept.len() * size);
            Ok(Read { pixels, kept })
        };
        let parts = [read(0, learnt)?, read(learnt, self.paths.len())?];
        bar.finish_and_clear();
        self.skipped.splice(0..0, broken);
        tell_skipped(&self.skipped, context);
        if parts.iter().all(|part| part.kept.is_empty()) {
            bail!("{}: none of its {} pictures can be read", self.name, self.paths.len());
        }
        let files = parts.each_ref().map(|part| self.shown(&part.kept));
        let groups = self.grouped(&parts[0].kept);
        let validation = parts[0].kept.iter().filter(|&&i| self.parts[i] == Part::Validation).count();
        let set = |name: &str, part: Read<T>| {
            Dataset::new(name, shape, T::samples(part.pixels), self.targets.select(&part.kept))
        };
        let [train, test] = parts;
        let test = (!test.kept.is_empty()).then(|| set(&format!("{} test", self.name), test)).transpose()?;
        let source = TrainTest { validation, ..TrainTest::new(set(&self.name, train)?, test)? };
        Ok(Opened {
            files: Some(files),
            groups,
            skipped: self.skipped,
            told: self.told,
            ..Opened::from(source)
        })
    }
}
