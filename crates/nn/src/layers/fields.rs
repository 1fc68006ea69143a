//! How options stand in a model file: defaults, and what is left out because it is the default.

pub(super) fn ones() -> [i64; 2] {
    [1, 1]
}

pub(super) fn is_ones(v: &[i64; 2]) -> bool {
    *v == [1, 1]
}

pub(super) fn is_zeros(v: &[i64; 2]) -> bool {
    *v == [0, 0]
}

pub(super) fn is_ones_of_three(v: &[i64; 3]) -> bool {
    *v == [1, 1, 1]
}

pub(super) fn one() -> i64 {
    1
}

pub(super) fn is_one(v: &i64) -> bool {
    *v == 1
}

pub(super) fn yes() -> bool {
    true
}

pub(super) fn is_yes(v: &bool) -> bool {
    *v
}

pub(super) fn is_no(v: &bool) -> bool {
    !*v
}

/// Padding in a model file: `"VALID"`, `"SAME"` or four numbers.
pub(super) mod padding {
    use foveal_kernels::Padding;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Raw {
        Word(String),
        Cells([i64; 4]),
    }

    pub fn serialize<S: Serializer>(padding: &Padding, s: S) -> Result<S::Ok, S::Error> {
        match padding {
            Padding::Explicit(cells) => Raw::Cells(*cells),
            word => Raw::Word(word.to_string()),
        }
        .serialize(s)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Padding, D::Error> {
        let wrong = "padding must be \"VALID\", \"SAME\" or [top, bottom, left, right]";
        match Raw::deserialize(d).map_err(|_| serde::de::Error::custom(wrong))? {
            Raw::Cells(cells) => Ok(Padding::Explicit(cells)),
            Raw::Word(word) if word == "VALID" => Ok(Padding::Valid),
            Raw::Word(word) if word == "SAME" => Ok(Padding::Same),
            Raw::Word(word) => Err(serde::de::Error::custom(format!("{wrong}, not \"{word}\""))),
        }
    }
}

/// A pair as a person writes it: `3 x 2`.
pub(super) fn by(pair: [impl std::fmt::Display; 2]) -> String {
    format!("{}\u{d7}{}", pair[0], pair[1])
}

/// `, step 2` where windows do not stand at every cell.
pub(super) fn steps(strides: [i64; 2]) -> [String; 2] {
    match strides {
        [1, 1] => [String::new(), String::new()],
        [a, b] if a == b => [format!(", step {a}"), format!(", 간격 {a}")],
        pair => [format!(", step {}", by(pair)), format!(", 간격 {}", by(pair))],
    }
}

/// The numbers of a shape.
pub(super) fn count(shape: [usize; 3]) -> u64 {
    shape.iter().fold(1, |a, &v| a.saturating_mul(v as u64))
}

/// Refuses an array larger than any that is computed with.
pub(super) fn fits(what: &str, shape: [usize; 3]) -> Result<(), String> {
    use foveal_kernels::geometry::MAX_ARRAY_BYTES;
    let bytes = shape.iter().try_fold(4u64, |a, &v| a.checked_mul(v as u64));
    match bytes {
        Some(bytes) if bytes <= MAX_ARRAY_BYTES => Ok(()),
        _ => Err(format!("{what} {shape:?} is larger than {MAX_ARRAY_BYTES} bytes")),
    }
}
