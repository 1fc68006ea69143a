//! What can be wrong with the bytes of a file.

/// Why bytes did not become data. Each message is one line that names the source, the offending
/// value and what to do.
///
/// ```
/// let error = foveal_data::idx::read_idx(&[0, 0, 13, 1], "x.idx").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "x.idx: holds IDX type 0x0D (f32), which is not supported here; \
///      convert it to unsigned bytes (type 0x08)"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes end too early.
    #[error(
        "{file}: ends after {found} bytes where its {part} needs {expected}; fetch or write the file again"
    )]
    Truncated {
        /// Where the bytes come from.
        file: String,
        /// What was being read, e.g. `header`.
        part: &'static str,
        /// Bytes needed up to the end of that part.
        expected: u64,
        /// Bytes there are.
        found: u64,
    },
    /// Bytes stand after the end of the data.
    #[error(
        "{file}: holds more than the {expected} bytes that its header declares; fetch or write the file again"
    )]
    Trailing {
        /// Where the bytes come from.
        file: String,
        /// Bytes the header declares, itself included.
        expected: u64,
    },
    /// The bytes are of another format.
    #[error("{file}: starts with {found}, so it is not {format}; check that this is the right file")]
    Magic {
        /// Where the bytes come from.
        file: String,
        /// The format wanted, with its article.
        format: &'static str,
        /// The first bytes, in hexadecimal.
        found: String,
    },
    /// The format is right, but foveal does not read this kind of it.
    #[error("{file}: holds {what}, which is not supported here; {remedy}")]
    Unsupported {
        /// Where the bytes come from.
        file: String,
        /// What was found.
        what: String,
        /// What to do instead.
        remedy: &'static str,
    },
    /// A header that contradicts its format.
    #[error("{file}: broken header: {problem}; write the file again with the program it came from")]
    Header {
        /// Where the bytes come from.
        file: String,
        /// What is wrong.
        problem: String,
    },
    /// The header declares more than memory should be taken for.
    #[error("{file}: declares {declared}, more than {limit}; {remedy}")]
    TooLarge {
        /// Where the bytes come from.
        file: String,
        /// What the header declares.
        declared: String,
        /// What is allowed here, and why.
        limit: String,
        /// What to do instead.
        remedy: &'static str,
    },
    /// Compressed bytes that do not decode.
    #[error("{file}: cannot be decoded: {problem}; fetch or write the file again")]
    Damaged {
        /// Where the bytes come from.
        file: String,
        /// What the decoder says.
        problem: String,
    },
    /// An array of the wrong number of axes.
    #[error("{file}: has shape {shape:?} where {expected} is needed; check that this is the right file")]
    Rank {
        /// Where the bytes come from.
        file: String,
        /// The shape found.
        shape: Vec<usize>,
        /// The shape needed, in words.
        expected: &'static str,
    },
    /// Samples and targets that do not go together.
    #[error("{name}: {problem}; samples and targets must describe the same {expected}")]
    Mismatch {
        /// Name of the data set.
        name: String,
        /// The two sizes that differ.
        problem: String,
        /// What they must agree on.
        expected: &'static str,
    },
    /// A label without a class.
    #[error(
        "{name}: sample {index} has label {label}, but there are {classes} classes; correct the label or name its class"
    )]
    Label {
        /// Name of the data set.
        name: String,
        /// Index of the sample.
        index: usize,
        /// Its label.
        label: u32,
        /// Number of classes.
        classes: usize,
    },
    /// Files that do not make a data set.
    #[error("{name}: {problem}; {remedy}")]
    Layout {
        /// Name of the folder or file.
        name: String,
        /// What is wrong.
        problem: String,
        /// What to do.
        remedy: &'static str,
    },
    /// Text in another encoding than UTF-8.
    #[error("{file}: line {line} is not UTF-8 but {encoding}, as it seems; convert it: {command}")]
    Encoding {
        /// Where the bytes come from.
        file: String,
        /// The first line that is not UTF-8.
        line: usize,
        /// The likeliest encoding, as iconv calls it.
        encoding: &'static str,
        /// The command that converts the file.
        command: String,
    },
    /// A column that is asked for and not there.
    #[error("{file}: has no column {column:?}; its columns are {columns}")]
    Column {
        /// The table.
        file: String,
        /// The column.
        column: String,
        /// The columns there are.
        columns: String,
    },
    /// Cells that are no finite numbers, in a column of numbers.
    #[error(
        "{name}: {count} of the {of} targets in {column:?} are no finite numbers: {rows}; correct them, empty the \
         cells or take the rows out, or say that they are classes (--task classification)"
    )]
    Cells {
        /// The table.
        name: String,
        /// The column's heading.
        column: String,
        /// How many cells.
        count: usize,
        /// Of how many.
        of: usize,
        /// The first of them, with their rows.
        rows: String,
    },
    /// Several labels a sample.
    #[error(
        "{name}: these are {labels} labels of which a sample may have several or none (multi-label): {sample}, and a \
         class needs exactly one; learn them as labels (--task labels), one at a time (--target COLUMN), or as numbers \
         (--task regression)"
    )]
    MultiLabel {
        /// The table.
        name: String,
        /// How many labels there are.
        labels: usize,
        /// A sample that has not exactly one.
        sample: String,
    },
    /// A picture for a model whose raw numbers are on a scale of their own.
    #[error(
        "the model learnt from numbers of which nobody knows what white is (scale other), so it cannot take a picture; \
         give it an array of such numbers, or train with --scale bytes, unit, signed or 16-bit"
    )]
    Scale,
    /// Parts of a data set on two scales.
    #[error(
        "{name}: its numbers are on two scales: {problem}; save both on one, or say which it is (--scale bytes, unit, \
         signed, 16-bit or other)"
    )]
    Mixture {
        /// Name of the data set.
        name: String,
        /// The ranges that differ.
        problem: String,
    },
    /// An argument out of its range.
    #[error("{argument} is {value}; it must be {allowed}")]
    Argument {
        /// Name of the argument.
        argument: &'static str,
        /// The value given.
        value: String,
        /// What is allowed.
        allowed: String,
    },
}

/// The first bytes of a file, for a message about its magic number.
pub(crate) fn first_bytes(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "nothing (the file is empty)".to_string();
    }
    let shown: Vec<String> = bytes.iter().take(4).map(|b| format!("{b:02x}")).collect();
    format!("bytes {}", shown.join(" "))
}

/// Text from a file, fit for one line of a message: control characters escaped, 40 at most.
pub(crate) fn quoted(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let short: String = text.chars().take(40).collect();
    let dots = if short.len() < text.len() { "..." } else { "" };
    format!("{:?}{dots}", short)
}
