//! Protocol buffers on the wire: fields of numbers, each with a number or bytes.
//!
//! Source: "Encoding", protobuf.dev/programming-guides/encoding.

use crate::Error;

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Field<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Bytes(&'a [u8]),
    Fixed32([u8; 4]),
}

impl<'a> Field<'a> {
    pub fn int(self) -> Result<i64, Error> {
        match self {
            Field::Varint(v) => Ok(v as i64),
            _ => Err(Error::broken("a whole number is missing")),
        }
    }

    pub fn float(self) -> Result<f32, Error> {
        match self {
            Field::Fixed32(b) => Ok(f32::from_le_bytes(b)),
            _ => Err(Error::broken("a number is missing")),
        }
    }

    pub fn bytes(self) -> Result<&'a [u8], Error> {
        match self {
            Field::Bytes(b) => Ok(b),
            _ => Err(Error::broken("a message or a text is missing")),
        }
    }

    pub fn text(self) -> Result<&'a str, Error> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Error::broken("a text is not UTF-8"))
    }

    /// Adds the numbers of a repeated field, packed or not.
    pub fn ints(self, to: &mut Vec<i64>) -> Result<(), Error> {
        match self {
            Field::Varint(v) => to.push(v as i64),
            field => {
                let mut rest = field.bytes()?;
                while !rest.is_empty() {
                    to.push(varint(&mut rest)? as i64);
                }
            }
        }
        Ok(())
    }

    /// Adds the numbers of a repeated field, packed or not.
    pub fn floats(self, to: &mut Vec<f32>) -> Result<(), Error> {
        match self {
            Field::Fixed32(b) => to.push(f32::from_le_bytes(b)),
            field => {
                let (numbers, rest) = field.bytes()?.as_chunks::<4>();
                if !rest.is_empty() {
                    return Err(Error::broken("a list of numbers ends within a number"));
                }
                to.extend(numbers.iter().map(|b| f32::from_le_bytes(*b)));
            }
        }
        Ok(())
    }

    /// Adds the numbers of a repeated field, packed or not.
    pub fn doubles(self, to: &mut Vec<f64>) -> Result<(), Error> {
        match self {
            Field::Fixed64(b) => to.push(f64::from_le_bytes(b)),
            field => {
                let (numbers, rest) = field.bytes()?.as_chunks::<8>();
                if !rest.is_empty() {
                    return Err(Error::broken("a list of numbers ends within a number"));
                }
                to.extend(numbers.iter().map(|b| f64::from_le_bytes(*b)));
            }
        }
        Ok(())
    }
}

fn varint(rest: &mut &[u8]) -> Result<u64, Error> {
    let mut value = 0;
    for (i, &byte) in rest.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * i);
        if byte < 0x80 {
            *rest = &rest[i + 1..];
            return Ok(value);
        }
    }
    Err(Error::broken("a number does not end"))
}

fn take<'a>(rest: &mut &'a [u8], n: u64) -> Result<&'a [u8], Error> {
    let n = usize::try_from(n).ok().filter(|&n| n <= rest.len());
    let n = n.ok_or_else(|| Error::broken("it ends within a field"))?;
    let (field, after) = rest.split_at(n);
    *rest = after;
    Ok(field)
}

/// Gives each field of a message, with its number, to `see`.
pub(crate) fn fields<'a>(
    message: &'a [u8],
    mut see: impl FnMut(u64, Field<'a>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut rest = message;
    while !rest.is_empty() {
        let tag = varint(&mut rest)?;
        let field = match tag & 7 {
            0 => Field::Varint(varint(&mut rest)?),
            1 => Field::Fixed64(take(&mut rest, 8)?.try_into().expect("eight bytes")),
            2 => {
                let n = varint(&mut rest)?;
                Field::Bytes(take(&mut rest, n)?)
            }
            5 => Field::Fixed32(take(&mut rest, 4)?.try_into().expect("four bytes")),
            kind => return Err(Error::broken(format!("a field is of wire type {kind}"))),
        };
        if tag >> 3 == 0 {
            return Err(Error::broken("a field has number 0"));
        }
        see(tag >> 3, field)?;
    }
    Ok(())
}

/// A message being written.
#[derive(Default)]
pub(crate) struct Message(pub Vec<u8>);

impl Message {
    fn varint(&mut self, mut v: u64) {
        while v >= 0x80 {
            self.0.push(v as u8 | 0x80);
            v >>= 7;
        }
        self.0.push(v as u8);
    }

    pub fn int(&mut self, number: u64, v: i64) {
        self.varint(number << 3);
        self.varint(v as u64);
    }

    pub fn float(&mut self, number: u64, v: f32) {
        self.varint(number << 3 | 5);
        self.0.extend(v.to_le_bytes());
    }

    pub fn bytes(&mut self, number: u64, bytes: &[u8]) {
        self.varint(number << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
    }

    pub fn text(&mut self, number: u64, text: &str) {
        self.bytes(number, text.as_bytes());
    }

    pub fn message(&mut self, number: u64, write: impl FnOnce(&mut Message)) {
        let mut inner = Message::default();
        write(&mut inner);
        self.bytes(number, &inner.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut m = Message::default();
        m.int(1, -3);
        m.int(300, 1 << 40);
        m.float(2, 0.5);
        m.message(3, |m| m.text(1, "안녕"));
        let mut seen = Vec::new();
        fields(&m.0, |n, f| {
            seen.push((n, f));
            Ok(())
        })
        .unwrap();
        assert_eq!(seen[0].1.int(), Ok(-3));
        assert_eq!((seen[1].0, seen[1].1.int()), (300, Ok(1 << 40)));
        assert_eq!(seen[2].1.float(), Ok(0.5));
        fields(seen[3].1.bytes().unwrap(), |_, f| {
            assert_eq!(f.text(), Ok("안녕"));
            Ok(())
        })
        .unwrap();
    }

    #[test]
    fn a_length_beyond_the_end_is_refused() {
        for bad in [
            &[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1][..],
            &[0x0a, 5, 1],
            &[0x80],
            &[0x0b],
        ] {
            assert!(fields(bad, |_, _| Ok(())).is_err(), "{bad:?}");
        }
    }
}
