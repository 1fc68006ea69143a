//! The text of a file of text, and what its encoding is where it is not UTF-8.

use crate::Error;

/// The text of `bytes`, without a byte order mark.
///
/// # Errors
/// [`Error::Encoding`], which names the encoding and how to convert it.
pub(crate) fn text<'a>(bytes: &'a [u8], source: &str) -> Result<&'a str, Error> {
    let found = |encoding: &'static str| Error::Encoding {
        file: source.to_string(),
        line: line(bytes),
        encoding,
        command: format!("iconv -f {encoding} -t UTF-8 {} > utf8.csv", shell(source)),
    };
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(found("UTF-16"));
    }
    // Half of UTF-16's bytes are zero where the text is mostly ASCII.
    if let [head @ .., _] = &bytes[..bytes.len().min(64)]
        && head.chunks_exact(2).filter(|pair| pair.contains(&0)).count() * 4 > head.len()
    {
        return Err(found(if head.first() == Some(&0) { "UTF-16BE" } else { "UTF-16LE" }));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|_| found(if is_cp949(bytes) { "CP949" } else { "WINDOWS-1252" }))
}

/// The first line that is not UTF-8, from 1 on.
fn line(bytes: &[u8]) -> usize {
    let end = std::str::from_utf8(bytes).map_or_else(|e| e.valid_up_to(), str::len);
    bytes[..end].iter().filter(|&&b| b == b'\n').count() + 1
}

/// Whether all bytes beyond ASCII make pairs as Korean text has them: EUC-KR, or its extension CP949.
fn is_cp949(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some((&first, tail)) = rest.split_first() {
        rest = match (first, tail.first()) {
            (0..=0x7f, _) => tail,
            (0x81..=0xfe, Some(0x41..=0x5a | 0x61..=0x7a | 0x81..=0xfe)) => &tail[1..],
            _ => return false,
        };
    }
    true
}

fn shell(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./".contains(c);
    if name.chars().all(plain) { name.to_string() } else { format!("'{}'", name.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::text;

    fn told(bytes: &[u8]) -> String {
        text(bytes, "t.csv").map_or_else(|e| e.to_string(), str::to_owned)
    }

    #[test]
    fn the_encoding_is_named_with_the_way_to_convert_it() {
        assert_eq!(told(b"\xef\xbb\xbfpath\n"), "path\n");
        assert!(told(b"a,b\na.png,\xb0\xa1\n").contains("line 2"));
        assert!(told(b"a.png,\xb0\xa1\n").contains("iconv -f CP949 -t UTF-8 t.csv"));
        assert!(told(b"a.png,caf\xe9\n").contains("iconv -f WINDOWS-1252"));
        for wide in [&b"\xff\xfea\0,\0b\0"[..], &b"a\0.\0p\0n\0g\0,\0b\0\n\0"[..]] {
            assert!(told(wide).contains("iconv -f UTF-16"), "{}", told(wide));
        }
        assert_eq!(told(b""), "");
    }
}
