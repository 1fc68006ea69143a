//! Class folders, CSV, npz and pictures of every format, good and broken.

mod broken;

use foveal_data::folder::layout;
use foveal_data::near::shared;
use foveal_data::npz::read_npz;
use foveal_data::shuffle::balanced_order;
use foveal_data::stack::{common_size, join, small};
use foveal_data::table::{Task, read_csv};
use foveal_data::{Dataset, Error, Part, Samples, Targets, npy, picture};
use image::{DynamicImage, GrayImage, ImageBuffer, ImageFormat, Luma, Rgb, RgbImage};
use std::io::{Cursor, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

fn encode(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

const OTHERS: [ImageFormat; 3] = [ImageFormat::Bmp, ImageFormat::WebP, ImageFormat::Tiff];

fn colours() -> RgbImage {
    ImageBuffer::from_fn(9, 6, |x, y| Rgb([x as u8 * 25, y as u8 * 40, 99]))
}

#[test]
fn bmp_webp_and_tiff_give_the_same_pixels_as_png() {
    let png = picture::decode(&encode(colours(), ImageFormat::Png), "x").unwrap();
    for format in OTHERS {
        let bytes = encode(colours(), format);
        assert_eq!(picture::decode(&bytes, "x").unwrap(), png, "{format:?}");
        assert_eq!(picture::size(&bytes, "x").unwrap(), [6, 9]);
    }
    let deep = ImageBuffer::from_fn(2, 1, |x, _| Luma([x as u16 * 65_535]));
    let read = picture::decode(&encode(deep, ImageFormat::Tiff), "x").unwrap();
    assert_eq!((read.channels(), &read.pixels()[..]), (1, &[0.0, 255.0][..]));
}

#[test]
fn broken_bmp_webp_and_tiff_are_refused_or_read() {
    for format in OTHERS {
        let good = encode(colours(), format);
        let read = |bytes: &[u8]| match small(bytes, "x", [4, 4]) {
            Ok(small) => assert_eq!(small.pixels().len(), 16 * small.channels()),
            Err(error) => assert!(!error.to_string().contains('\n'), "{error}"),
        };
        broken::every_truncation(&good, read);
        broken::mutations(&good, read);
    }
}

#[test]
fn a_few_bytes_are_no_large_picture() {
    // BMP: 40,000 x 2; 30,000 x 30,000; 5,000 x 5,000 with no pixels.
    for (width, height) in [(40_000u32, 2u32), (30_000, 30_000), (5_000, 5_000)] {
        let mut bytes = encode(colours(), ImageFormat::Bmp);
        bytes[18..22].copy_from_slice(&width.to_le_bytes());
        bytes[22..26].copy_from_slice(&height.to_le_bytes());
        let error = picture::decode(&bytes, "x").unwrap_err();
        assert!(matches!(error, Error::TooLarge { .. } | Error::Truncated { .. }), "{error}");
    }
    // WebP packs a blank picture of any size into a few bytes.
    let blank = encode(RgbImage::new(5_000, 5_000), ImageFormat::WebP);
    let header = &blank[..200.min(blank.len())];
    assert!(picture::decode(header, "x").is_err());
}

fn path(text: &str) -> Vec<String> {
    text.split('/').map(str::to_owned).collect()
}

#[test]
fn parts_and_classes_come_from_the_paths() {
    let paths: Vec<_> =
        ["train/고양이/b.PNG", "train/개/deep/a.jpg", "val/개/c.webp", "Test/고양이/d.tif", "train/x.txt"]
            .map(path)
            .to_vec();
    let found = layout(&paths, "pets", None).unwrap();
    assert_eq!(found.classes, ["개", "고양이"]);
    let order: Vec<_> = found.pictures.iter().map(|p| (p.path, p.part, p.class)).collect();
    let (train, validation, test) = (Part::Train, Part::Validation, Part::Test);
    assert_eq!(order, [(1, train, 0), (0, train, 1), (2, validation, 0), (3, test, 1)]);
    assert_eq!(found.others, [4]);
    // The classes of a model keep their order, and no other class is accepted.
    let known = ["고양이".to_owned(), "개".to_owned()];
    assert_eq!(layout(&paths, "pets", Some(&known)).unwrap().pictures[0].class, 0);
    assert!(layout(&paths, "pets", Some(&known[..1])).is_err());
}

#[test]
fn folders_that_are_no_data_set_are_named() {
    for (paths, words) in [
        (vec![], "holds no class folder"),
        (vec!["a.png", "b.png"], "holds no class folder"),
        (vec!["cat/a.png"], "one class alone"),
        (vec!["test/cat/a.png"], "no training part"),
        (vec!["train/cat/a.png", "train/dog/a.png", "test/cow/a.png"], "test/cow/a.png is of class \"cow\""),
    ] {
        let paths: Vec<_> = paths.into_iter().map(path).collect();
        let error = layout(&paths, "pets", None).unwrap_err().to_string();
        assert!(error.starts_with("pets: ") && error.contains(words), "{error}");
    }
}

#[test]
fn samples_have_one_size_and_colour_only_if_there_is_some() {
    assert_eq!(common_size(&[]), None);
    assert_eq!(common_size(&[[1, 4000]]), Some([1, 64]));
    let grey = GrayImage::from_pixel(8, 8, Luma([7]));
    let as_colour = RgbImage::from_pixel(4, 4, Rgb([7, 7, 7]));
    let read = |bytes: &[u8]| small(bytes, "x", [2, 2]).unwrap();
    let greys = [read(&encode(grey, ImageFormat::Png)), read(&encode(as_colour, ImageFormat::Png))];
    assert_eq!(join(greys.to_vec(), None), (Samples::U8(vec![7; 8]), 1));
    let red = read(&encode(RgbImage::from_pixel(2, 2, Rgb([255, 0, 0])), ImageFormat::Png));
    let (all, channels) = join(vec![greys[0].clone(), red.clone()], None);
    assert_eq!((all.len(), channels), (24, 3));
    assert_eq!(join(vec![red], Some(1)), (Samples::U8(vec![76; 4]), 1));
}

fn set(pictures: &[Vec<u8>], side: usize) -> Dataset {
    let targets = Targets::Classes { labels: vec![0; pictures.len()], names: vec!["x".into()] };
    Dataset::new("x", [side, side, 1], Samples::U8(pictures.concat()), targets).unwrap()
}

#[test]
fn the_same_picture_brighter_or_noisier_is_near() {
    let wave = |k: usize| -> Vec<u8> {
        (0..256)
            .map(|i| (100.0 + 80.0 * ((i / 16 * k + i % 16) as f32 * 0.4 + k as f32).sin()) as u8)
            .collect()
    };
    let brighter = wave(1).iter().map(|v| v + 20).collect();
    let noisier = wave(2).iter().enumerate().map(|(i, v)| v + (i % 3) as u8).collect();
    let a = set(&[wave(1), wave(2), wave(3), vec![9; 256]], 16);
    let b = set(&[brighter, noisier, wave(3), wave(5), vec![8; 256]], 16);
    let found = shared(&a, 0..a.len(), &b, 0..b.len());
    assert_eq!((found.exact, found.near), (vec![[2, 2]], vec![[0, 0], [1, 1]]));
    assert!(shared(&a, 0..2, &b, 2..3).exact.is_empty());
}

#[test]
fn tables_are_classes_or_values() {
    let kind = |text: &str, task| match read_csv(text.as_bytes(), "t.csv", task, None).map(|t| t.targets) {
        Ok(Targets::Classes { names, labels }) => format!("{names:?} {labels:?}"),
        Ok(Targets::Values { names, values }) => format!("{names:?} {values:?}"),
        Err(error) => error.to_string(),
    };
    assert_eq!(kind("a.png,10\nb.png,9\n", None), "[\"9\", \"10\"] [1, 0]");
    assert_eq!(
        kind("\u{feff}파일,분류\na.png,\"개, 작은\"\nb.png,고양이\n", None),
        "[\"개, 작은\", \"고양이\"] [0, 1]"
    );
    assert_eq!(kind("p,angle\na.png,1.5\nb.png,9\n", None), "[\"angle\"] [1.5, 9.0]");
    assert_eq!(kind("a.png,1,2\nb.png,3,4\n", None), "[\"value 1\", \"value 2\"] [1.0, 2.0, 3.0, 4.0]");
    assert_eq!(kind("a.png,1\nb.png,2\n", Some(Task::Regress)), "[\"value 1\"] [1.0, 2.0]");
    assert_eq!(kind("a.png,1.5\nb.png,2\n", Some(Task::Classify)), "[\"1.5\", \"2\"] [0, 1]");
    for (text, words) in [
        ("", "no row"),
        ("path,target\n", "no row"),
        ("a.png\n", "1 cells"),
        ("a.png,1\nb.png,1\n", "one class alone"),
        ("a.png,1\nb.png,2,3\n", "line 2 has 3 cells"),
        ("a.png,1\nb.png,\n", "line 2 has an empty target"),
        ("a.png,1,2\nb.png,x,3\n", "line 2 has \"x\""),
        ("p,t,split\na.png,1,train\nb.png,2,dev\n", "\"dev\""),
    ] {
        let told = kind(text, None);
        assert!(told.starts_with("t.csv: ") && told.contains(words), "{told}");
    }
    assert!(read_csv(b"a.png,\xb0\xa1\n", "t.csv", None, None).unwrap_err().to_string().contains("UTF-8"));
    let parts = read_csv(b"p,t,split\na.png,1,train\nb.png,2,test\n", "t.csv", None, None).unwrap().parts;
    assert_eq!(parts, [Part::Train, Part::Test]);
}

#[test]
fn broken_tables_are_refused_or_read() {
    let good = "path,분류,split\n\"a, b.png\",개,train\nc.png,고양이,test\nd.png,개,val\n".as_bytes();
    let read = |bytes: &[u8]| match read_csv(bytes, "x", None, None) {
        Ok(table) => assert_eq!(table.paths.len(), table.parts.len()),
        Err(error) => assert!(!error.to_string().contains('\n'), "{error}"),
    };
    broken::every_truncation(good, read);
    broken::mutations(good, read);
}

fn npz(members: &[(&str, Vec<u8>)], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A `.npy` of bytes.
fn bytes_npy(shape: &str, values: &[u8]) -> Vec<u8> {
    let mut dict = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}");
    dict.push_str(&" ".repeat(117 - dict.len()));
    let mut bytes = b"\x93NUMPY\x01\0\x76\0".to_vec();
    bytes.extend(dict.bytes().chain([b'\n']));
    bytes.extend(values);
    bytes
}

fn small_npz(method: CompressionMethod) -> Vec<u8> {
    let x = |n: usize| bytes_npy(&format!("({n}, 2, 2)"), &(0..4 * n as u8).collect::<Vec<_>>());
    let members = [
        ("x_train.npy", x(4)),
        ("y_train.npy", bytes_npy("(4,)", &[7, 3, 3, 7])),
        ("x_test.npy", x(1)),
        ("y_test.npy", bytes_npy("(1, 1)", &[7])),
    ];
    npz(&members, method)
}

#[test]
fn npz_is_read_as_keras_keeps_it() {
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let set = read_npz(&small_npz(method), "x.npz", None, None).unwrap();
        assert_eq!(set.train.classes().unwrap(), ["3", "7"]);
        assert_eq!((set.train.labels().unwrap(), set.train.shape()), (&[1, 0, 0, 1][..], [2, 2, 1]));
        assert_eq!(set.train.samples(), &Samples::U8((0..16).collect()));
        assert_eq!(set.test.unwrap().labels().unwrap(), [1]);
    }
    let values = ndarray::arr2(&[[1.5, 2.0], [3.0, 4.0]]).into_dyn();
    let x = bytes_npy("(2, 1, 1, 3)", &[1; 6]);
    let members = [("x.npy", x), ("y.npy", npy::write_npy(values.view()))];
    let set = read_npz(&npz(&members, CompressionMethod::Stored), "x.npz", None, None).unwrap();
    assert_eq!(set.train.values(1).unwrap(), [3.0, 4.0]);
}

#[test]
fn bad_npz_is_named() {
    let error = |members: &[(&str, Vec<u8>)]| {
        read_npz(&npz(members, CompressionMethod::Deflated), "x.npz", None, None).unwrap_err().to_string()
    };
    let told = error(&[("images.npy", bytes_npy("(1, 2, 2)", &[0; 4]))]);
    assert!(told.contains("lacks x_train and y_train; it holds [\"images.npy\"]"), "{told}");
    let told = error(&[("x_train.npy", bytes_npy("(1, 2, 2)", &[0; 4]))]);
    assert!(told.contains("lacks y_train"), "{told}");
    let objects =
        b"\x93NUMPY\x01\0\x36\0{'descr': '|O', 'fortran_order': False, 'shape': (1,)}\n\x80\x04.".to_vec();
    let told = error(&[("x_train.npy", objects), ("y_train.npy", bytes_npy("(1,)", &[0]))]);
    assert!(told.contains("pickled Python objects"), "{told}");
    // 2 GiB of zeros, declared: refused before anything is unpacked.
    let mut bomb = small_npz(CompressionMethod::Deflated);
    let central = bomb.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    bomb[central + 24..central + 28].copy_from_slice(&(1u32 << 31).to_le_bytes());
    let error = read_npz(&bomb, "x.npz", None, None).unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
    // Eight million zeros in an archive that says eight.
    let long = bytes_npy("(1, 2, 2)", &vec![0; 8 << 20]);
    let mut short =
        npz(&[("x_train.npy", long), ("y_train.npy", bytes_npy("(1,)", &[0]))], CompressionMethod::Deflated);
    let central = short.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    short[central + 24..central + 28].copy_from_slice(&132u32.to_le_bytes());
    assert!(read_npz(&short, "x.npz", None, None).is_err());
}

#[test]
fn broken_npz_is_refused_or_read() {
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let good = small_npz(method);
        let read = |bytes: &[u8]| match read_npz(bytes, "x", None, None) {
            Ok(set) => assert!(!set.train.is_empty()),
            Err(error) => assert!(!error.to_string().contains('\n'), "{error}"),
        };
        broken::every_truncation(&good, read);
        broken::mutations(&good, read);
    }
}

#[test]
fn balanced_order_shows_every_class_alike() {
    let labels: Vec<u32> = (0..100).map(|i| u32::from(i >= 90) + u32::from(i == 99)).collect();
    let indices: Vec<u32> = (0..100).collect();
    let order = balanced_order(&indices, &labels, 3, 1);
    assert_eq!(order.len(), 100);
    let seen = |class| order.iter().filter(|&&i| labels[i as usize] == class).count();
    let counts: Vec<usize> = (0..3).map(seen).collect();
    assert!(counts.iter().all(|n| (33..=34).contains(n)), "{counts:?}");
    assert_eq!(order, balanced_order(&indices, &labels, 3, 1));
    assert_ne!(order, balanced_order(&indices, &labels, 3, 2));
}
