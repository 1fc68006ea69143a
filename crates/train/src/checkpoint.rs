use crate::identity::Identity;
use crate::{EpochReport, Error};
use foveal_nn::engine::State;
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensorError, SafeTensors};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// The metadata key under which a checkpoint holds everything but the numbers.
pub(crate) const KEY: &str = "foveal_checkpoint";
/// The version of the metadata and of the arrays.
const VERSION: u32 = 2;
/// So many numbers describe an epoch in `history`.
const ROW: usize = 8;
/// The arrays, in the order of their checksum.
const ARRAYS: [&str; 6] = ["values", "moment_1", "moment_2", "best", "sum", "history"];

/// A run as it is after one of its epochs. From here it goes on to the same result, bit for bit, as if it had never
/// stopped.
///
/// As bytes it is a `.safetensors` file with the arrays `values`, `moment_1`, `moment_2` (parameters that are not frozen
/// and the optimizer's moments), `best` (the best epoch's parameters, if the run keeps them), `sum` (of the last steps'
/// parameters, if the run averages them), `history` (a row of figures for each epoch) and `checksum`. The metadata
/// hold the identity of the run, with its recipe and seed. Shuffles, dropout and the learning rate follow from seed and
/// step, so they need not be stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    pub(crate) identity: Identity,
    pub(crate) state: State,
    /// The parameters of the best epoch; empty if the run does not keep them.
    pub(crate) best: Vec<f32>,
    /// The sum of the last steps' parameters; empty if nothing has been averaged yet.
    pub(crate) sum: Vec<f64>,
    pub(crate) summed: u64,
    pub(crate) history: Vec<EpochReport>,
    pub(crate) epochs: usize,
    /// The instruction set and the version of foveal that computed it.
    pub(crate) maker: Maker,
}

/// What computed a checkpoint. Another instruction set or version may get other last bits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
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
    /// How many epochs are done.
    pub fn epoch(&self) -> usize {
        self.history.len()
    }

    /// How many epochs the run has in all.
    pub fn epochs(&self) -> usize {
        self.epochs
    }

    /// The figures of the epochs that are done.
    pub fn history(&self) -> &[EpochReport] {
        &self.history
    }

    /// What computed it. On another instruction set or by another version, the run that goes on may differ in the
    /// last bits from one that never stopped.
    pub fn maker(&self) -> &Maker {
        &self.maker
    }

    /// The file's bytes.
    ///
    /// # Errors
    /// When the numbers cannot be written as safetensors.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let fail = |problem: String| Error::Unwritable { what: "checkpoint", problem };
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
        let not_whole = |e: SafeTensorError| Error::NotWhole {
            file: file.into(),
            format: "checkpoint",
            problem: e.to_string(),
        };
        let fail = |problem: String| Error::Inconsistent { file: file.into(), problem };
        let unread = |problem: String| Error::Metadata { file: file.into(), problem };
        let tensors = SafeTensors::deserialize(bytes).map_err(not_whole)?;
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(not_whole)?;
        let text = header.metadata().as_ref().and_then(|m| m.get(KEY)).ok_or_else(|| {
            let problem = format!("its metadata have no `{KEY}`: this is not a checkpoint");
            Error::Foreign { file: file.into(), problem }
        })?;
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
            return Err(Error::Checksum { file: file.into() });
        }
        let metadata: Metadata = serde_json::from_str(text).map_err(|e| unread(e.to_string()))?;
        if metadata.version != VERSION {
            let found = metadata.version;
            return Err(Error::Version { file: file.into(), found, known: VERSION });
        }
        let single = |i: usize| words::<4>(&raw[i]).map(f32::from_le_bytes).collect::<Vec<_>>();
        let double = |i: usize| words::<8>(&raw[i]).map(f64::from_le_bytes).collect::<Vec<_>>();
        let history = double(5);
        if history.len() % ROW != 0 {
            return Err(fail(format!("its history has {} numbers, not {ROW} an epoch", history.len())));
        }
        let rows = history.chunks_exact(ROW).enumerate();
        let checkpoint = Self {
            identity: Identity::parse(&metadata.run).map_err(unread)?,
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

    /// Checks that the arrays and the history fit together.
    fn check(&self) -> Result<(), String> {
        let n = self.state.values.len();
        let lengths = [self.state.moments[0].len(), self.state.moments[1].len()];
        let optional = [self.best.len(), self.sum.len()];
        // Statistics of normalizations have no moments.
        if lengths[0] != lengths[1] || lengths[0] > n || optional.iter().any(|&l| l != n && l != 0) {
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

/// The figures of an epoch as numbers. The bits of the last one say which of the optional figures are there.
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
