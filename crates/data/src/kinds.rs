//! Files that are no pictures here, named as what they are.

/// What to do with a picture of another format.
const CONVERT: &str = "convert it to PNG or JPEG";

/// What a file is by its first bytes, with its article, and what to do; `None` for what is not known.
pub(crate) fn of(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let begins = |magic: &[u8]| bytes.starts_with(magic);
    let head = &bytes[..bytes.len().min(512)];
    let text = String::from_utf8_lossy(head).trim_start_matches('\u{feff}').trim_start().to_lowercase();
    if bytes.get(4..8) == Some(b"ftyp") {
        return Some(match bytes.get(8..12)? {
            b"heic" | b"heix" | b"hevc" | b"hevx" | b"mif1" | b"msf1" | b"heim" | b"heis" => {
                ("a HEIC picture, as telephones save them", CONVERT)
            }
            b"avif" | b"avis" => ("an AVIF picture", CONVERT),
            _ => ("a video", "save its frames as PNG or JPEG"),
        });
    }
    let known: [(&[u8], &str, &str); 12] = [
        (b"\0\0\0\x0cJXL ", "a JPEG XL picture", CONVERT),
        (b"\xff\x0a", "a JPEG XL picture", CONVERT),
        (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture", CONVERT),
        (b"\xff\x4f\xff\x51", "a JPEG 2000 picture", CONVERT),
        (b"8BPS", "a Photoshop drawing", CONVERT),
        (b"v/1\x01", "an OpenEXR picture", CONVERT),
        (b"#?RADIANCE", "a Radiance picture", CONVERT),
        (b"\0\0\x01\0", "an icon", CONVERT),
        (b"%PDF", "a PDF document", "save its pages as PNG"),
        (b"PK\x03\x04", "a zip archive", "unpack it"),
        (b"\x1f\x8b", "a gzip archive", "unpack it"),
        (b"version https://git-lfs", "a Git LFS pointer, not the file itself", "fetch it: git lfs pull"),
    ];
    if let Some((_, what, remedy)) = known.into_iter().find(|(magic, ..)| begins(magic)) {
        return Some((what, remedy));
    }
    if bytes.get(128..132) == Some(b"DICM") {
        return Some((
            "a DICOM file",
            "give the folder of slices itself as the data set, without pictures beside them",
        ));
    }
    if text.starts_with("<svg") || text.starts_with("<?xml") && text.contains("<svg") {
        return Some(("an SVG drawing", CONVERT));
    }
    let page = text.starts_with("<!doctype html") || text.starts_with("<html");
    page.then_some(("a web page, as a download that failed leaves it", "fetch the picture again"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn files_are_named_as_what_they_are() {
        for (bytes, what) in [
            (&b"\0\0\0\x18ftypheic\0\0"[..], "HEIC"),
            (b"\0\0\0\x1cftypavif", "AVIF"),
            (b"\0\0\0\x20ftypisom", "video"),
            (b"\xef\xbb\xbf <?xml version=\"1.0\"?><svg>", "SVG"),
            (b"<!DOCTYPE html><title>404", "web page"),
            (b"PK\x03\x04", "zip"),
            (b"8BPS\0\x01", "Photoshop"),
        ] {
            assert!(super::of(bytes).is_some_and(|(found, _)| found.contains(what)), "{what}");
        }
        assert_eq!([super::of(b"A cat"), super::of(b"")], [None, None]);
    }
}
