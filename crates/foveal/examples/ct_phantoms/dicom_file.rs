//! Writes slices of CT as DICOM files: explicit VR, little endian, nothing compressed.

/// A tag: group and element.
pub type Tag = (u16, u16);

/// Elements by rising tag, each with its value representation and its value.
#[derive(Clone)]
pub struct DicomFile(Vec<(Tag, [u8; 2], Vec<u8>)>);

/// What a slice is.
pub struct Plane<'a> {
    pub patient: &'a str,
    pub name: &'a str,
    pub series: &'a str,
    /// The slice's own part of its identifier.
    pub instance: u32,
    /// Millimetres of the first pixel's centre: to the left, to the back, to the head.
    pub position: [f64; 3],
    /// Millimetres from row to row and from column to column.
    pub spacing: [f64; 2],
    pub size: [u16; 2],
}

impl DicomFile {
    /// An axial slice of whole Hounsfield units, row by row, stored with an intercept of -1024.
    pub fn slice(plane: &Plane<'_>, hounsfield: &[i16]) -> Self {
        let Plane { patient, name, series, instance, position: [x, y, z], spacing: [down, right], size } =
            plane;
        let instance = format!("{series}.{instance}");
        let image = "1.2.840.10008.5.1.4.1.1.2";
        let mut file = Self(Vec::new());
        file.set((0x0002, 0x0001), b"OB", [0, 1]).text((0x0002, 0x0002), b"UI", image);
        file.text((0x0002, 0x0003), b"UI", &instance).text((0x0002, 0x0010), b"UI", "1.2.840.10008.1.2.1");
        file.text((0x0008, 0x0016), b"UI", image).text((0x0008, 0x0018), b"UI", &instance);
        file.text((0x0008, 0x0060), b"CS", "CT").text((0x0010, 0x0010), b"PN", name);
        file.text((0x0010, 0x0020), b"LO", patient).text((0x0020, 0x000D), b"UI", series);
        file.text((0x0020, 0x000E), b"UI", &format!("{series}.1"));
        file.text((0x0020, 0x0032), b"DS", &format!("{x:.3}\\{y:.3}\\{z:.3}"));
        file.text((0x0020, 0x0037), b"DS", "1\\0\\0\\0\\1\\0").number((0x0028, 0x0002), 1);
        file.text((0x0028, 0x0004), b"CS", "MONOCHROME2");
        file.number((0x0028, 0x0010), size[0]).number((0x0028, 0x0011), size[1]);
        file.text((0x0028, 0x0030), b"DS", &format!("{down}\\{right}"));
        file.number((0x0028, 0x0100), 16).number((0x0028, 0x0101), 16);
        file.number((0x0028, 0x0102), 15).number((0x0028, 0x0103), 1);
        file.text((0x0028, 0x1052), b"DS", "-1024").text((0x0028, 0x1053), b"DS", "1");
        let stored = hounsfield.iter().flat_map(|hu| hu.saturating_add(1024).to_le_bytes());
        file.set((0x7FE0, 0x0010), b"OW", stored.collect::<Vec<u8>>());
        file
    }

    /// Puts a value in, in the place of one that has its tag.
    pub fn set(&mut self, tag: Tag, kind: &[u8; 2], value: impl Into<Vec<u8>>) -> &mut Self {
        let mut value = value.into();
        if !value.len().is_multiple_of(2) {
            value.push(if kind == b"UI" || kind == b"OB" { 0 } else { b' ' });
        }
        self.0.retain(|(own, ..)| *own != tag);
        let at = self.0.partition_point(|(own, ..)| *own < tag);
        self.0.insert(at, (tag, *kind, value));
        self
    }

    /// Puts a text in.
    pub fn text(&mut self, tag: Tag, kind: &[u8; 2], value: &str) -> &mut Self {
        self.set(tag, kind, value)
    }

    /// Puts a number of 16 bits in.
    pub fn number(&mut self, tag: Tag, value: u16) -> &mut Self {
        self.set(tag, b"US", value.to_le_bytes())
    }

    /// The file's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; 128];
        bytes.extend(b"DICM");
        let of_head = |element: &&(Tag, [u8; 2], Vec<u8>)| element.0.0 == 2;
        let head: Vec<u8> = self.0.iter().filter(of_head).flat_map(encoded).collect();
        let length = (head.len() as u32).to_le_bytes().to_vec();
        bytes.extend(encoded(&((0x0002, 0x0000), *b"UL", length)));
        bytes.extend(head);
        bytes.extend(self.0.iter().filter(|e| e.0.0 != 2).flat_map(encoded));
        bytes
    }
}

/// An element: tag, kind, length, value.
fn encoded(((group, element), kind, value): &(Tag, [u8; 2], Vec<u8>)) -> Vec<u8> {
    let mut bytes = [group.to_le_bytes(), element.to_le_bytes(), *kind].concat();
    if matches!(kind, b"OB" | b"OW") {
        bytes.extend([0, 0]);
        bytes.extend((value.len() as u32).to_le_bytes());
    } else {
        bytes.extend((value.len() as u16).to_le_bytes());
    }
    bytes.extend(value);
    bytes
}
