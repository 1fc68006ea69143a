//! A model file's text as a spec; what is wrong with it, and on which line.

use super::{InputSpec, LayerKind, LayerSpec, ModelSpec};
use crate::Error;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;
use toml::{Spanned, Value};

/// A table whose keys know where they stand.
type Table = BTreeMap<Spanned<String>, Value>;

/// A model file, its layers not yet understood.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    input: InputSpec,
    #[serde(default)]
    layer: Vec<Spanned<Table>>,
    /// How to train it is for whoever trains it.
    #[serde(default, rename = "recipe")]
    _recipe: IgnoredAny,
}

impl ModelSpec {
    /// Reads a model file.
    ///
    /// # Errors
    /// Names the line, the layer and the field of whatever cannot be understood. Whether the layers fit each
    /// other is checked by [`crate::Model::new`].
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        let text = &Lines::new(text);
        let raw: Raw = toml::from_str(text.text).map_err(|e| {
            let line = e.span().map(|s| text.line_of(s.start));
            Error::File { line, problem: whole(e.message()) }
        })?;
        let layers = raw.layer.into_iter().map(|table| {
            let line = text.line_of(table.span().start);
            layer(text, table.into_inner(), line)
        });
        Ok(Self { input: raw.input, layers: layers.collect::<Result<_, _>>()? })
    }

    /// The model as a model file.
    ///
    /// # Errors
    /// [`Error::CustomSaved`] for a layer of the program's own; [`Error::File`] for what TOML cannot hold.
    pub fn to_toml(&self) -> Result<String, Error> {
        self.check_saved()?;
        toml::to_string(self).map_err(|e| Error::File { line: None, problem: e.to_string() })
    }
}

/// A text that knows where its lines begin.
struct Lines<'a> {
    text: &'a str,
    begins: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, b)| *b == b'\n');
        Self { text, begins: std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect() }
    }

    /// The line, from 1, that holds the byte `at`.
    fn line_of(&self, at: usize) -> usize {
        self.begins.partition_point(|begin| *begin <= at)
    }
}

/// What is wrong with the file as a whole, in the words of model files.
fn whole(message: &str) -> String {
    let message = plain(message);
    match message.as_str() {
        "missing field `input`" => {
            "there is no [input]; begin with the lines [input] and shape = [height, width, channels]".into()
        }
        "missing field `shape`" => "[input] needs shape = [height, width, channels]".into(),
        _ if message.ends_with("expected a list") => {
            format!("{message}; each layer begins with [[layer]], in double brackets")
        }
        _ => message,
    }
}

/// A message of the TOML reader in words of numbers and lists.
fn plain(message: &str) -> String {
    const WORDS: [(&str, &str); 6] = [
        ("expected usize", "expected a whole number, 0 or above"),
        ("expected i64", "expected a whole number"),
        ("expected f32", "expected a number"),
        ("an array of length", "a list of"),
        ("expected a sequence", "expected a list"),
        ("invalid type: map", "invalid type: a table"),
    ];
    let message = message.trim().replace('\n', " ");
    WORDS.iter().fold(message, |text, (from, to)| text.replace(from, to))
}

/// A layer's table, in the words of the file.
struct Fields {
    /// The line that the layer begins at.
    line: usize,
    kind: String,
    lines: BTreeMap<String, usize>,
}

impl Fields {
    /// An error of `field`, at its line, or of the layer.
    fn fail(&self, field: Option<&str>, problem: &str) -> Error {
        let kind = &self.kind;
        let of = if kind.is_empty() { "layer".to_owned() } else { format!("layer of kind `{kind}`") };
        let (line, problem) = match field.and_then(|f| self.lines.get(f).map(|at| (f, at))) {
            Some((field, &at)) => (at, format!("{of}: `{field}`: {problem}")),
            None => (self.line, format!("{of}: {problem}")),
        };
        Error::File { line: Some(line), problem }
    }
}

fn layer(text: &Lines, table: Table, line: usize) -> Result<LayerSpec, Error> {
    let lines = table.keys().map(|key| (key.get_ref().clone(), text.line_of(key.span().start))).collect();
    let mut table: toml::Table = table.into_iter().map(|(key, value)| (key.into_inner(), value)).collect();
    table.iter_mut().for_each(|(key, value)| spelled(key, value));
    let kind = table.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
    let fields = Fields { line, kind, lines };
    let name = match table.remove("name") {
        Some(Value::String(name)) => Some(name),
        Some(other) => {
            return Err(fields.fail(Some("name"), &format!("must be a text, not a {}", other.type_str())));
        }
        None => None,
    };
    let inputs = match table.remove("inputs") {
        Some(value) => Vec::<String>::deserialize(value).map_err(|e| {
            let problem = format!("{}; it is a list of layers' names", plain(e.message()));
            fields.fail(Some("inputs"), &problem)
        })?,
        None => Vec::new(),
    };
    match LayerKind::deserialize(Value::Table(table.clone())) {
        Ok(kind) => Ok(LayerSpec { name, inputs, kind, line }),
        Err(error) => Err(blame(&fields, &table, error.message())),
    }
}

/// Takes what the command line and other programs write: one number for both sides, TensorFlow's lists of four, words in
/// either case, Xavier's name for what Glorot published.
fn spelled(key: &str, value: &mut Value) {
    let sides = matches!(key, "kernel" | "ksize" | "strides" | "dilations");
    let other = match &*value {
        Value::Integer(side) if sides => Some(Value::from(vec![*side; 2])),
        Value::Array(all) if sides && all.len() == 4 => {
            let one = Value::Integer(1);
            (all[0] == one && all[3] == one).then(|| Value::Array(all[1..3].to_vec()))
        }
        Value::String(word) if key == "padding" => Some(Value::String(word.to_ascii_uppercase())),
        Value::String(word) if key == "init" && word.eq_ignore_ascii_case("xavier") => {
            Some(Value::String("glorot".into()))
        }
        _ => None,
    };
    if let Some(other) = other {
        *value = other;
    }
}

/// Why a table is no layer: which field is to blame.
fn blame(fields: &Fields, table: &toml::Table, message: &str) -> Error {
    match table.get("kind") {
        None => return fields.fail(None, "it has no `kind`, such as kind = \"conv2d\""),
        Some(Value::String(_)) => {}
        Some(other) => {
            return fields.fail(Some("kind"), &format!("must be a text, not a {}", other.type_str()));
        }
    }
    let names: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let unknown = ["unknown field", "unknown variant"].into_iter().find(|start| message.starts_with(start));
    if let (Some(what), [wrong, known @ ..]) = (unknown, &names[..]) {
        let (field, what) = if what == "unknown field" { (*wrong, "field") } else { ("kind", "kind") };
        let hint = known.iter().find(|name| near(name, wrong));
        let hint = hint.map_or(String::new(), |like| format!("did you mean `{like}`? "));
        let mut known: Vec<&str> = known.to_vec();
        if what == "field" {
            known.extend(["name", "inputs"]);
        }
        return fields.fail(Some(field), &format!("unknown {what}; {hint}{what}s are {}", known.join(", ")));
    }
    // The field without which another error, or none, is left.
    let blamed = table.keys().filter(|key| *key != "kind").find(|key| {
        let mut rest = table.clone();
        rest.remove(*key);
        LayerKind::deserialize(Value::Table(rest)).err().is_none_or(|e| e.message() != message)
    });
    fields.fail(blamed.map(String::as_str), &plain(message))
}

/// Whether two words are alike: one begins with the other, or at most two letters are changed, left out or put in
/// (Levenshtein 1966).
fn near(a: &str, b: &str) -> bool {
    if a.len().min(b.len()) >= 3 && (a.starts_with(b) || b.starts_with(a)) {
        return true;
    }
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = i;
        row[0] = i + 1;
        for (j, y) in b.chars().enumerate() {
            let changed = corner + usize::from(x != y);
            corner = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(corner + 1);
        }
    }
    row.last().is_some_and(|&d| d <= 2 && d < b.chars().count())
}
