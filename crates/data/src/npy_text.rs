//! Arrays of texts: the names of classes, as NumPy keeps them.

use crate::Error;
use crate::npy::{Header, Kind, open_any};

/// The columns of a `.npy` file's array `[n]` or `[n, k]` of texts (`<U7`, `|S7`); `None` for numbers. `source` names it
/// in errors.
pub(crate) fn cells(bytes: &[u8], source: &str) -> Result<Option<Vec<Vec<String>>>, Error> {
    let (header, body) = open_any(bytes, source)?;
    let Header { number, fortran, ref shape } = header;
    let Kind::Text { wide } = number.kind else { return Ok(None) };
    let (n, k) = match shape[..] {
        [n] => (n, 1),
        [n, k] if (1..=1024).contains(&k) => (n, k),
        _ => {
            let expected = "[n] or [n, k] with 1 to 1024 columns";
            return Err(Error::Rank { file: source.to_string(), shape: shape.clone(), expected });
        }
    };
    let text = |bytes: &[u8]| match wide {
        true => characters(bytes, number.big_endian),
        false => std::str::from_utf8(bytes).ok().map(|text| text.trim_end_matches('\0').to_owned()),
    };
    let all = body.chunks_exact(number.size).map(text).collect::<Option<Vec<String>>>();
    let all = all.ok_or_else(|| Error::Header {
        file: source.to_string(),
        problem: "its texts are not all Unicode".to_string(),
    })?;
    let place = |row: usize, column: usize| if fortran { column * n + row } else { row * k + column };
    Ok(Some((0..k).map(|column| (0..n).map(|row| all[place(row, column)].clone()).collect()).collect()))
}

/// Characters of four bytes, without the zeros at their end; `None` where one is no character.
fn characters(bytes: &[u8], big_endian: bool) -> Option<String> {
    let code = |bytes: &[u8]| {
        let bytes: [u8; 4] = bytes.try_into().ok()?;
        char::from_u32(if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    };
    let all = bytes.chunks_exact(4).map(code).collect::<Option<String>>()?;
    Some(all.trim_end_matches('\0').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn npy(descr: &str, fortran: &str, shape: &str, body: &[u8]) -> Vec<u8> {
        let mut head = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}");
        head.push_str(&" ".repeat(63 - (10 + head.len()) % 64));
        head.push('\n');
        let length = (head.len() as u16).to_le_bytes();
        [b"\x93NUMPY\x01\x00", &length[..], head.as_bytes(), body].concat()
    }

    fn wide(texts: &[&str], length: usize, big: bool) -> Vec<u8> {
        let each = |text: &&str| {
            let codes = text.chars().map(|c| c as u32).chain(std::iter::repeat(0)).take(length);
            codes.flat_map(|c| if big { c.to_be_bytes() } else { c.to_le_bytes() }).collect::<Vec<u8>>()
        };
        texts.iter().flat_map(each).collect()
    }

    #[test]
    fn texts_of_either_kind_and_order_are_read() {
        let words = ["고양이", "", "dog"];
        for (descr, big) in [("<U3", false), (">U3", true)] {
            let file = npy(descr, "False", "(3,)", &wide(&words, 3, big));
            assert_eq!(cells(&file, "y").unwrap().unwrap(), [words.map(String::from).to_vec()]);
        }
        let file = npy("|S3", "False", "(3, 1)", b"ab\0c\0\0def");
        assert_eq!(cells(&file, "y").unwrap().unwrap(), [["ab", "c", "def"].map(String::from).to_vec()]);
        for (fortran, body) in [("False", b"abcd"), ("True", b"acbd")] {
            let file = npy("|S1", fortran, "(2, 2)", body);
            let columns = cells(&file, "y").unwrap().unwrap();
            assert_eq!(columns, [["a", "c"], ["b", "d"]].map(|c| c.map(String::from).to_vec()));
        }
    }

    #[test]
    fn numbers_are_none_and_broken_texts_are_errors() {
        assert_eq!(cells(&npy("<f4", "False", "(1,)", &[0; 4]), "y").unwrap(), None);
        for (descr, shape, body) in [
            ("<U1", "(1,)", &[0, 0xd8, 0, 0][..]),
            ("|S1", "(1,)", &[0xff]),
            ("<U1", "(1, 1, 1)", &[65, 0, 0, 0]),
            ("<U1", "(2,)", &[65, 0, 0, 0]),
            ("<U99999999999999999999", "(1,)", &[]),
            ("<U4096", "(1099511627776, 1048576)", &[]),
            ("|U1", "(1,)", &[65, 0, 0, 0]),
        ] {
            assert!(cells(&npy(descr, "False", shape, body), "y").is_err(), "{descr} {shape}");
        }
    }
}
