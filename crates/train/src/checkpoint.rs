use crate::identity::Identity;
use crate::{EpochReport, Error};
use foveal_nn::engine::State;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// The metadata key under which a checkpoint holds everything but the numbers.
pub(crate) const KEY: &str = "foveal_checkpoint";
/// The version of what stands under that key and of the arrays.
const VERSION: u32 = 1;
/// Numbers of an epoch's row in `history`.
const ROW: usize = 8;
/// The arrays, in the order of their checksum.
const ARRAYS: [&str; 6] = ["values", "moment_1", "moment_2", "best", "sum", "history"];

/// A run after one of its epochs: from it the run goes on to the same end, bit for bit, as if it had never stopped.
///
/// As bytes it is a `.safetensors` file with the arrays `values`, `moment_1`, `moment_2` (parameters and the
/// optimizer's moments), `best` (the best epoch's parameters, where a run keeps them), `sum` (of the last steps'
/// parameters, where a run averages them), `history` (a row of figures an epoch) and `checksum`. What the run is,
/// with its recipe and seed, is in the metadata. Shuffles, dropout and the learning rate follow from seed and step.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    pub(crate) identity: Identity,
    pub(crate) state: State,
    /// Empty where the run keeps no best epoch.
    pub(crate) best: Vec<f32>,
    /// Empty where nothing is averaged yet.
    pub(crate) sum: Vec<f64>,
    pub(crate) summed: u64,
    pub(crate) history: Vec<EpochReport>,
    pub(crate) epochs: usize,
    /// By which instruction set, and which version of foveal.
    pub(crate) maker: Maker,
}

/// Who computed a checkpoint. Others may come to other last bits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maker {
    /// The version of foveal.
    pub foveal: String,
    /// The instruction set.
    pub isa: String,
}

impl Maker {
    /// This program on this machine.
    pub fn this() -> Self {
        Self { foveal: env!("CARGO_PKG_VERSION").into(), isa: foveal_nn::Isa::best().name().into() }
    }
}

#[derive(Serialize, Deserialize)]
struct Metadata {
    version: u32,
    maker: Maker,
    steps: u64,
    summed: u64,
    epochs: usize,
    run: String,
}

impl Checkpoint {
    /// Epochs that are done.
    pub fn epoch(&self) -> usize {
        self.history.len()
    }

    /// Epochs that the run has in all.
    pub fn epochs(&self) -> usize {
        self.epochs
    }

    /// Who computed it. On another instruction set or by another version, the run that goes on may differ in the
    /// last bits from one that never stopped.
    pub fn maker(&self) -> &Maker {
        &self.maker
    }

    /// The file's bytes.
    ///
    /// # Errors
    /// When the numbers cannot be written as safetensors.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let fail = |problem: String| Error::File { file: "checkpoint".into(), problem };
        let metadata = Metadata {
            version: VERSION,
            maker: self.maker.clone(),
            steps: self.state.steps,
            summed: self.summed,
            epochs: self.epochs,
            run: self.identity.text(),
        };
        let text = serde_json::to_string(&metadata).map_err(|e| fail(e.to_string()))?;
        let single = |numbers: &[f32]| numbers.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let double = |numbers: &[f64]| numbers.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let history: Vec<f64> = self.history.iter().flat_map(row).collect();
        let arrays = [
            (Dtype::F32, single(&self.state.values)),
            (Dtype::F32, single(&self.state.moments[0])),
            (Dtype::F32, single(&self.state.moments[1])),
            (Dtype::F32, single(&self.best)),
            (Dtype::F64, double(&self.sum)),
            (Dtype::F64, double(&history)),
        ];
        let sum = checksum(&text, arrays.iter().map(|a| &a.1[..])).to_le_bytes();
        let named = ARRAYS.into_iter().zip(&arrays).map(|(name, (dtype, bytes))| (name, *dtype, &bytes[..]));
        let mut tensors = Vec::new();
        for (name, dtype, bytes) in named.chain([("checksum", Dtype::U32, &sum[..])]) {
            let size = dtype.bitsize() / 8;
            let view = TensorView::new(dtype, vec![bytes.len() / size], bytes);
            tensors.push((name, view.map_err(|e| fail(e.to_string()))?));
        }
        let metadata = HashMap::from([(KEY.to_owned(), text)]);
        safetensors::serialize(tensors, Some(metadata)).map_err(|e| fail(e.to_string()))
    }

    /// Reads a checkpoint; `file` names it in errors. Takes no more memory than a few times the bytes.
    ///
    /// # Errors
    /// When the bytes are not a whole, undamaged checkpoint.
    pub fn from_bytes(bytes: &[u8], file: &str) -> Result<Self, Error> {
        let fail = |problem: String| Error::File { file: file.into(), problem };
        let tensors = SafeTensors::deserialize(bytes)
            .map_err(|e| fail(format!("this is not a whole checkpoint ({e})")))?;
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| fail(e.to_string()))?;
        let text = header.metadata().as_ref().and_then(|m| m.get(KEY));
        let text =
            text.ok_or_else(|| fail(format!("its metadata have no `{KEY}`: this is no checkpoint")))?;
        let array = |name: &str, dtype: Dtype| {
            let tensor = tensors.tensor(name).map_err(|_| fail(format!("`{name}` is missing")))?;
            if tensor.dtype() != dtype || tensor.shape().len() != 1 {
                let (got, shape) = (tensor.dtype(), tensor.shape());
                return Err(fail(format!("`{name}` is {got:?} {shape:?}, not {dtype:?} with one axis")));
            }
            Ok(tensor.data().to_vec())
        };
        let mut raw = Vec::new();
        for (i, name) in ARRAYS.into_iter().enumerate() {
            raw.push(array(name, if i < 4 { Dtype::F32 } else { Dtype::F64 })?);
        }
        let sum = array("checksum", Dtype::U32)?;
        if sum != checksum(text, raw.iter().map(|a| &a[..])).to_le_bytes() {
            return Err(fail("it is damaged: its checksum does not fit its contents".into()));
        }
        let metadata: Metadata =
            serde_json::from_str(text).map_err(|e| fail(format!("its metadata cannot be read: {e}")))?;
        if metadata.version != VERSION {
            return Err(fail(format!("it is of version {}, this foveal reads {VERSION}", metadata.version)));
        }
        let single = |i: usize| words::<4>(&raw[i]).map(f32::from_le_bytes).collect::<Vec<_>>();
        let double = |i: usize| words::<8>(&raw[i]).map(f64::from_le_bytes).collect::<Vec<_>>();
        let history = double(5);
        if history.len() % ROW != 0 {
            return Err(fail(format!("its history has {} numbers, not {ROW} an epoch", history.len())));
        }
        let rows = history.chunks_exact(ROW).enumerate();
        let checkpoint = Self {
            identity: Identity::parse(&metadata.run)
                .map_err(|e| fail(format!("its run cannot be read: {e}")))?,
            state: State { steps: metadata.steps, values: single(0), moments: [single(1), single(2)] },
            best: single(3),
            sum: double(4),
            summed: metadata.summed,
            history: rows.map(|(i, row)| report(row, i + 1, metadata.epochs)).collect(),
            epochs: metadata.epochs,
            maker: metadata.maker,
        };
        checkpoint.check().map_err(fail)?;
        Ok(checkpoint)
    }

    /// Checks what belongs together.
    fn check(&self) -> Result<(), String> {
        let n = self.state.values.len();
        let lengths = [self.state.moments[0].len(), self.state.moments[1].len()];
        let optional = [self.best.len(), self.sum.len()];
        if lengths.iter().any(|&l| l != n) || optional.iter().any(|&l| l != n && l != 0) {
            return Err(format!("its arrays do not belong together: {n}, {lengths:?}, {optional:?} numbers"));
        }
        if self.history.is_empty() || self.history.len() > self.epochs {
            return Err(format!("it has {} epochs of {}", self.history.len(), self.epochs));
        }
        Ok(())
    }
}

fn words<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
    bytes.chunks_exact(N).map(|w| std::array::from_fn(|i| w[i]))
}

fn checksum<'a>(text: &str, arrays: impl Iterator<Item = &'a [u8]>) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(text.as_bytes());
    for array in arrays {
        sum.update(&(array.len() as u64).to_le_bytes());
        sum.update(array);
    }
    sum.finalize()
}

/// An epoch's figures as numbers; the last one says, bit by bit, which optional ones are there.
fn row(e: &EpochReport) -> [f64; ROW] {
    let optional = [e.train_accuracy, e.validation_loss, e.validation_accuracy];
    let there = optional.iter().enumerate().map(|(i, v)| f64::from(u8::from(v.is_some()) << i)).sum();
    let [a, b, c] = optional.map(Option::unwrap_or_default);
    [e.train_loss, a, b, c, e.seconds, e.images_per_second, f64::from(e.lr), there]
}

fn report(row: &[f64], epoch: usize, epochs: usize) -> EpochReport {
    let optional = |i: usize| (row[7] as u8 >> (i - 1) & 1 == 1).then_some(row[i]);
    EpochReport {
        epoch,
        epochs,
        train_loss: row[0],
        train_accuracy: optional(1),
        validation_loss: optional(2),
        validation_accuracy: optional(3),
        seconds: row[4],
        images_per_second: row[5],
        lr: row[6] as f32,
    }
}
