//! The numbers of a tensor: in JSON one flat list, or lists nested as the shape is; in binary as they lie in memory, the
//! least byte first.

use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};
use std::fmt;

/// The most axes of nested data.
const AXES: usize = 8;

/// The numbers in order, and what is needed to check their type.
#[derive(Debug)]
pub struct Numbers {
    pub values: Vec<f32>,
    /// The extent of each level of nesting.
    pub nesting: Vec<usize>,
    pub least: f64,
    pub most: f64,
    /// Whether no number has a fraction.
    pub whole: bool,
}

impl<'de> serde::Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut collected = Collected {
            numbers: Numbers {
                values: Vec::new(),
                nesting: Vec::new(),
                least: f64::INFINITY,
                most: f64::NEG_INFINITY,
                whole: true,
            },
            extents: [None; AXES],
            leaf: None,
        };
        Level { collected: &mut collected, depth: 0 }.deserialize(deserializer)?;
        let Collected { mut numbers, extents, .. } = collected;
        numbers.nesting = extents.iter().map_while(|e| *e).collect();
        Ok(numbers)
    }
}

struct Collected {
    numbers: Numbers,
    extents: [Option<usize>; AXES],
    /// The level of nesting at which numbers stand.
    leaf: Option<usize>,
}

/// Reads a list or a number at one level of nesting.
struct Level<'a> {
    collected: &'a mut Collected,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Level<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Level<'_> {
    fn number<E: Error>(self, value: f64, whole: bool) -> Result<(), E> {
        if self.depth == 0 {
            return Err(E::custom("`data` must be a list"));
        }
        if *self.collected.leaf.get_or_insert(self.depth) != self.depth {
            return Err(E::custom("`data` has numbers on different levels"));
        }
        let numbers = &mut self.collected.numbers;
        numbers.values.push(value as f32);
        (numbers.least, numbers.most) = (numbers.least.min(value), numbers.most.max(value));
        numbers.whole &= whole;
        Ok(())
    }
}

impl<'de> Visitor<'de> for Level<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("numbers, or lists of numbers")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.number(value as f64, true)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.number(value as f64, true)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.number(value, value.fract() == 0.0)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.number(f64::from(u8::from(value)), true)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        let Level { collected, depth } = self;
        if depth >= AXES || collected.leaf == Some(depth) {
            return Err(A::Error::custom("`data` is nested too deep or unevenly"));
        }
        let mut count = 0;
        while rows.next_element_seed(Level { collected, depth: depth + 1 })?.is_some() {
            count += 1;
        }
        match collected.extents[depth] {
            Some(extent) if extent != count => {
                let problem = format!("`data` has rows of {extent} and of {count}");
                Err(A::Error::custom(problem))
            }
            _ => {
                collected.extents[depth] = Some(count);
                Ok(())
            }
        }
    }
}

/// A type of tensor: its name, and what its numbers may be.
struct Datatype {
    name: &'static str,
    least: f64,
    most: f64,
    whole: bool,
}

const fn integers(name: &'static str, least: f64, most: f64) -> Datatype {
    Datatype { name, least, most, whole: true }
}

/// The largest half.
const HALF: f64 = 65504.0;

/// The types that are read; BYTES are no numbers.
const DATATYPES: [Datatype; 12] = [
    Datatype { name: "FP16", least: -HALF, most: HALF, whole: false },
    Datatype { name: "FP32", least: f32::MIN as f64, most: f32::MAX as f64, whole: false },
    Datatype { name: "FP64", least: f32::MIN as f64, most: f32::MAX as f64, whole: false },
    integers("UINT8", 0.0, u8::MAX as f64),
    integers("UINT16", 0.0, u16::MAX as f64),
    integers("UINT32", 0.0, u32::MAX as f64),
    integers("UINT64", 0.0, u64::MAX as f64),
    integers("INT8", i8::MIN as f64, i8::MAX as f64),
    integers("INT16", i16::MIN as f64, i16::MAX as f64),
    integers("INT32", i32::MIN as f64, i32::MAX as f64),
    integers("INT64", i64::MIN as f64, i64::MAX as f64),
    integers("BOOL", 0.0, 1.0),
];

/// One number of so many bytes.
fn one(datatype: &str, bytes: &[u8]) -> Option<f64> {
    Some(match (datatype, bytes) {
        ("FP16", &[a, b]) => f64::from(foveal::data::npy::half(u16::from_le_bytes([a, b]))),
        ("FP32", bytes) => f64::from(f32::from_le_bytes(bytes.try_into().ok()?)),
        ("FP64", bytes) => f64::from_le_bytes(bytes.try_into().ok()?),
        ("UINT8", &[a]) => f64::from(a),
        ("BOOL", &[a]) => f64::from(a),
        ("INT8", &[a]) => f64::from(a as i8),
        ("UINT16", bytes) => f64::from(u16::from_le_bytes(bytes.try_into().ok()?)),
        ("INT16", bytes) => f64::from(i16::from_le_bytes(bytes.try_into().ok()?)),
        ("UINT32", bytes) => f64::from(u32::from_le_bytes(bytes.try_into().ok()?)),
        ("INT32", bytes) => f64::from(i32::from_le_bytes(bytes.try_into().ok()?)),
        ("UINT64", bytes) => u64::from_le_bytes(bytes.try_into().ok()?) as f64,
        ("INT64", bytes) => i64::from_le_bytes(bytes.try_into().ok()?) as f64,
        _ => return None,
    })
}

/// Bytes of a number of a type.
fn width(datatype: &str) -> Option<usize> {
    Some(match datatype {
        "UINT8" | "INT8" | "BOOL" => 1,
        "FP16" | "UINT16" | "INT16" => 2,
        "FP32" | "UINT32" | "INT32" => 4,
        "FP64" | "UINT64" | "INT64" => 8,
        _ => return None,
    })
}

/// What is said of a type that is not read.
fn unknown(datatype: &str) -> String {
    let names: Vec<&str> = DATATYPES.iter().map(|d| d.name).collect();
    let given: String = datatype.chars().take(20).collect();
    format!("datatype {given:?} is not one of {}", names.join(", "))
}

impl Numbers {
    /// The numbers of this type in `bytes`; the error says what is wrong.
    pub fn from_bytes(bytes: &[u8], datatype: &str) -> Result<Self, String> {
        let width = width(datatype).ok_or_else(|| unknown(datatype))?;
        if !bytes.len().is_multiple_of(width) {
            return Err(format!("{} bytes are not whole numbers of {width} bytes ({datatype})", bytes.len()));
        }
        let (mut least, mut most, mut whole) = (f64::INFINITY, f64::NEG_INFINITY, true);
        let mut values = Vec::with_capacity(bytes.len() / width);
        for bytes in bytes.chunks_exact(width) {
            let value = one(datatype, bytes).ok_or_else(|| unknown(datatype))?;
            if !value.is_finite() {
                return Err(format!("it holds {value}, which is not a finite number"));
            }
            (least, most) = (least.min(value), most.max(value));
            whole &= value.fract() == 0.0;
            values.push(value as f32);
        }
        Ok(Self { nesting: vec![values.len()], values, least, most, whole })
    }

    /// Checks that the numbers fit this type; the error says what is wrong.
    pub fn check(&self, datatype: &str) -> Result<(), String> {
        let Some(found) = DATATYPES.iter().find(|d| d.name == datatype) else {
            return Err(unknown(datatype));
        };
        if found.whole && !self.whole {
            return Err(format!("{datatype} data must be whole numbers"));
        }
        for value in [self.least, self.most] {
            if !self.values.is_empty() && !(found.least..=found.most).contains(&value) {
                return Err(format!("{value:e} does not fit {datatype}"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Numbers, String> {
        serde_json::from_str(text).map_err(|e| e.to_string())
    }

    #[test]
    fn nested_and_flat_data_are_the_same_numbers() {
        let (flat, nested) = (read("[1, 2.5, -3, 4]").unwrap(), read("[[1, 2.5], [-3, 4]]").unwrap());
        assert_eq!(flat.values, [1.0, 2.5, -3.0, 4.0]);
        assert_eq!((&nested.values, &nested.nesting[..]), (&flat.values, &[2, 2][..]));
        assert_eq!((flat.nesting, flat.least, flat.most, flat.whole), (vec![4], -3.0, 4.0, false));
    }

    #[test]
    fn what_is_no_block_of_numbers_is_refused() {
        for text in
            ["1", "[[1], [2, 3]]", "[1, [2]]", "[[1], 2]", "[\"1\"]", "[null]", "{}", "[[[[[[[[[1]]]]]]]]]"]
        {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(read(&"[".repeat(100_000)).is_err());
        assert_eq!(read("[[], []]").unwrap().nesting, [2, 0]);
    }

    #[test]
    fn numbers_in_bytes_are_those_in_json() {
        let cases: [(&str, &[u8], &[f32]); 7] = [
            ("FP32", &[0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0], &[1.0, -2.5]),
            ("FP64", &[0, 0, 0, 0, 0, 0, 4, 0xc0], &[-2.5]),
            ("FP16", &[0, 0x3c, 0, 0xc1, 1, 0], &[1.0, -2.5, 5.960_464_5e-8]),
            ("UINT8", &[0, 255], &[0.0, 255.0]),
            ("INT8", &[0, 255], &[0.0, -1.0]),
            ("INT16", &[0, 0x80], &[-32768.0]),
            ("UINT64", &[0, 1, 0, 0, 0, 0, 0, 0], &[256.0]),
        ];
        for (datatype, bytes, wanted) in cases {
            let found = Numbers::from_bytes(bytes, datatype).unwrap();
            assert_eq!(found.values, wanted, "{datatype}");
            found.check(datatype).unwrap();
            assert!(
                width(datatype) == Some(1) || Numbers::from_bytes(&bytes[1..], datatype).is_err(),
                "{datatype}"
            );
        }
        for (datatype, bytes) in
            [("FP32", &[0, 0, 0xc0, 0x7f][..]), ("FP16", &[0, 0x7c]), ("BYTES", &[1, 0, 0, 0, 65]), ("", &[])]
        {
            assert!(Numbers::from_bytes(bytes, datatype).is_err(), "{datatype}");
        }
        // What is no truth value does not fit.
        assert!(Numbers::from_bytes(&[2], "BOOL").unwrap().check("BOOL").is_err());
        for known in &DATATYPES {
            assert!(width(known.name).is_some(), "{}", known.name);
        }
    }

    #[test]
    fn numbers_must_fit_their_type() {
        assert!(read("[0, 255]").unwrap().check("UINT8").is_ok());
        for (text, datatype) in
            [("[256]", "UINT8"), ("[-1]", "UINT64"), ("[0.5]", "INT32"), ("[1e39]", "FP32")]
        {
            assert!(read(text).unwrap().check(datatype).is_err(), "{text} {datatype}");
        }
        for datatype in ["BYTES", "BF16", "fp32", ""] {
            assert!(read("[1]").unwrap().check(datatype).unwrap_err().contains("FP32"), "{datatype}");
        }
    }
}
