//! Class folders, CSV, npz and pictures of every format, good and broken.

mod broken;

use foveal_data::folder::layout;
use foveal_data::near::shared;
use foveal_data::npz::{Layout, Options as NpzOptions, read_npz};
use foveal_data::shuffle::balanced_order;
use foveal_data::stack::{common_size, join, small};
use foveal_data::table::{self, Table, Task, read_csv};
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
    let kind = |text: &str, task| match read_csv(
        text.as_bytes(),
        "t.csv",
        &table::Options { task, ..Default::default() },
    )
    .map(|t| t.targets)
    {
        Ok(Targets::Classes { names, labels }) => format!("{names:?} {labels:?}"),
        Ok(Targets::Values { names, values } | Targets::Labels { names, values }) => {
            format!("{names:?} {values:?}")
        }
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
        ("a.png,1,2\nb.png,x,3\n", "\"value 1\" is words"),
        ("p,t,split\na.png,1,train\nb.png,2,later\n", "\"later\""),
    ] {
        let told = kind(text, None);
        assert!(told.starts_with("t.csv: ") && told.contains(words), "{told}");
    }
    assert!(
        read_csv(b"a.png,\xb0\xa1\n", "t.csv", &Default::default())
            .unwrap_err()
            .to_string()
            .contains("CP949")
    );
    let parts =
        read_csv(b"p,t,split\na.png,1,train\nb.png,2,test\n", "t.csv", &Default::default()).unwrap().parts;
    assert_eq!(parts, [Part::Train, Part::Test]);
}

/// What is learnt from a table, in words.
fn learnt(text: &str) -> String {
    match read_csv(text.as_bytes(), "t.csv", &Default::default()) {
        Ok(Table { targets: Targets::Classes { names, .. }, how, .. }) => format!("{how:?} {names:?}"),
        Ok(Table { targets: Targets::Values { values, .. }, how, .. }) => format!("{how:?} {values:?}"),
        Ok(Table { targets: Targets::Labels { values, names }, how, .. }) => {
            format!("{how:?} {names:?} {values:?}")
        }
        Err(error) => error.to_string(),
    }
}

/// A table of `n` pictures with these targets, the first again and again.
fn rows(n: usize, cell: impl Fn(usize) -> String) -> String {
    (0..n).map(|i| format!("{i}.png,{}\n", cell(i))).collect()
}

#[test]
fn one_bad_cell_does_not_turn_numbers_into_classes() {
    for bad in ["NA", "NaN", "inf", "-", "none"] {
        let told = learnt(&rows(40, |i| if i == 6 { bad.into() } else { format!("{i}.5") }));
        assert!(told.contains("1 of the 40 targets") && told.contains(&format!("line 7 {bad:?}")), "{told}");
        // Neither do they become a class of their own among numbered classes.
        let told = learnt(&rows(40, |i| if i == 6 { bad.into() } else { (i % 3).to_string() }));
        assert!(told.contains(&format!("line 7 {bad:?}")), "{told}");
    }
    let told = learnt(&rows(40, |i| if i == 6 { "x".into() } else { format!("{i}.5") }));
    assert!(told.contains("line 7 \"x\""), "{told}");
    assert_eq!(learnt(&rows(4, |i| ["1", "2", "x", "2"][i].into())), "Words [\"1\", \"2\", \"x\"]");
    let error = read_csv(
        rows(9, |i| if i == 3 { "NA".into() } else { format!("{i}.5") }).as_bytes(),
        "t.csv",
        &Default::default(),
    );
    assert!(matches!(error, Err(Error::Cells { count: 1, of: 9, .. })));
}

#[test]
fn numbers_are_read_as_people_write_them() {
    assert_eq!(learnt("a.png,85.3%\nb.png,7 %\n"), "Fractions [85.3, 7.0]");
    assert_eq!(learnt("a.png,\"10,059.15\"\nb.png,\"9,000\"\n"), "Fractions [10059.15, 9000.0]");
    assert_eq!(learnt("file;x\na.png;1,5\nb.png;2\n"), "Fractions [1.5, 2.0]");
    // Ages are values, numbered classes are classes, with or without a point.
    let ages = learnt(&rows(100, |i| (49 + i % 43).to_string()));
    assert!(ages.starts_with("WholeNumbers [49.0, 50.0"), "{ages}");
    assert_eq!(learnt(&rows(9, |i| format!("{}.0", i % 3))), "Labels [\"0\", \"1\", \"2\"]");
    assert!(learnt(&rows(200, |i| i.to_string())).starts_with("WholeNumbers"));
    assert!(learnt(&rows(300, |i| (i % 100).to_string())).starts_with("Labels"));
}

#[test]
fn one_hot_columns_are_classes_and_several_labels_are_labels() {
    let hot = |last: &str| format!("file,cat,dog,owl\na.png,1,0,0\nb.png,0,0,1\nc.png,{last}\n");
    assert_eq!(learnt(&hot("0,1,0")), "OneHot [\"cat\", \"dog\", \"owl\"]");
    let all = "MultiLabel [\"cat\", \"dog\", \"owl\"] [1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0]";
    assert_eq!(learnt(&hot("1,1,0")), all);
    let task = |task| table::Options { task: Some(task), ..Default::default() };
    let one = read_csv(hot("1,1,0").as_bytes(), "t.csv", &task(Task::Classify)).unwrap_err().to_string();
    assert!(one.contains("line 4 has 2 of them") && one.contains("--task labels"), "{one}");
    let asked = read_csv(hot("0,1,0").as_bytes(), "t.csv", &task(Task::Label)).unwrap();
    assert!(matches!(asked.targets, Targets::Labels { .. }));
    let cells = "MultiLabel [\"cat\", \"dog\"] [1.0, 0.0, 0.0, 1.0, 1.0, 1.0]";
    for between in ["|", ";", " ; "] {
        assert_eq!(learnt(&format!("a.png,cat\nb.png,dog\nc.png,cat{between}dog\n")), cells, "{between}");
    }
    assert_eq!(learnt("a.png,\"cat,dog\"\nb.png,dog\nc.png,cat\n").split(' ').next(), Some("MultiLabel"));
    // What stands behind a comma in a name is no label.
    assert!(learnt("a.png,\"Lee, Ann\"\nb.png,\"Kim, Bo\"\nc.png,\"Lee, Bo\"\n").starts_with("Words"));
}

#[test]
fn columns_stand_in_any_order_and_only_what_is_meant_is_read() {
    let read =
        |text: &str, options: &table::Options<'_>| read_csv(text.as_bytes(), "t.csv", options).unwrap();
    let told = read(",split,label,age,path\n0,train,cat,3,a.png\n1,test,dog,4,b.png\n", &Default::default());
    assert_eq!(
        (told.paths.join(" "), &told.parts[..]),
        ("a.png b.png".into(), &[Part::Train, Part::Test][..])
    );
    assert_eq!((told.titles.join(" "), told.unread.join(" ")), ("label".into(), "age".into()));
    let own = ["age".to_string()];
    let asked = table::Options { targets: &own, task: Some(Task::Regress), ..Default::default() };
    let told = read(",split,label,age,path\n0,train,cat,3,a.png\n1,test,dog,4,b.png\n", &asked);
    assert_eq!(told.targets, Targets::Values { values: vec![3.0, 4.0], names: vec!["age".into()] });
    let error = read_csv(
        b"a,b\nx.png,1\ny.png,2\n",
        "t.csv",
        &table::Options { path: Some("c"), ..Default::default() },
    );
    assert!(matches!(error, Err(Error::Column { .. })), "{error:?}");
    // Broken rows are left out and said, unless that is refused.
    let broken = "# made by hand\na.png,1\nb.png\nc.png,\nd.png,2\ne.png,1\n";
    let told = read(broken, &Default::default());
    assert_eq!(told.skipped, ["line 3 has 1 cells, the first row 2", "line 4 has an empty target"]);
    let strict = read_csv(broken.as_bytes(), "t.csv", &table::Options { strict: true, ..Default::default() });
    assert!(strict.unwrap_err().to_string().contains("line 3"));
    // Names without an extension.
    assert_eq!(read("image_id,label\n1,cat\n2,dog\n", &Default::default()).paths, ["1", "2"]);
}

#[test]
fn broken_tables_are_refused_or_read() {
    let good = "path,분류,split\n\"a, b.png\",개,train\nc.png,고양이,test\nd.png,개,val\n".as_bytes();
    let read = |bytes: &[u8]| match read_csv(bytes, "x", &Default::default()) {
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
fn the_names_of_medmnist_are_understood() {
    let x = |n: usize| bytes_npy(&format!("({n}, 2, 2)"), &vec![7; 4 * n]);
    let y = |n: usize| bytes_npy(&format!("({n}, 1)"), &(0..n).map(|i| i as u8 % 2).collect::<Vec<_>>());
    let members = [
        ("train_images.npy", x(4)),
        ("train_labels.npy", y(4)),
        ("val_images.npy", x(2)),
        ("val_labels.npy", y(2)),
        ("test_images.npy", x(3)),
        ("test_labels.npy", y(3)),
    ];
    let bytes = npz(&members, CompressionMethod::Deflated);
    let set = read_npz(&bytes, "x.npz", &Default::default()).unwrap().parts;
    assert_eq!((set.train.len(), set.validation, set.test.unwrap().len()), (6, 2, 3));
}

#[test]
fn npz_is_read_as_keras_keeps_it() {
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let set = read_npz(&small_npz(method), "x.npz", &Default::default()).unwrap().parts;
        assert_eq!(set.train.classes().unwrap(), ["3", "7"]);
        assert_eq!((set.train.labels().unwrap(), set.train.shape()), (&[1, 0, 0, 1][..], [2, 2, 1]));
        assert_eq!(set.train.samples(), &Samples::U8((0..16).collect()));
        assert_eq!(set.test.unwrap().labels().unwrap(), [1]);
    }
    let values = ndarray::arr2(&[[1.5, 2.0], [3.0, 4.0]]).into_dyn();
    let x = bytes_npy("(2, 1, 1, 3)", &[1; 6]);
    let members = [("x.npy", x), ("y.npy", npy::write_npy(values.view()))];
    let set =
        read_npz(&npz(&members, CompressionMethod::Stored), "x.npz", &Default::default()).unwrap().parts;
    assert_eq!(set.train.values(1).unwrap(), [3.0, 4.0]);
}

#[test]
fn channels_first_are_told_by_the_extents_or_by_the_caller() {
    let pixels: Vec<u8> = (0..2 * 3 * 5 * 6).collect();
    let y = || ("y.npy", bytes_npy("(2,)", &[0, 1]));
    let read = |shape: &str, layout| {
        let bytes = npz(&[("x.npy", bytes_npy(shape, &pixels)), y()], CompressionMethod::Stored);
        read_npz(&bytes, "x.npz", &NpzOptions { layout, ..Default::default() }).unwrap()
    };
    let told = read("(2, 3, 5, 6)", None);
    assert_eq!((told.layout, told.parts.train.shape()), (Some(Layout::Nchw), [5, 6, 3]));
    let Samples::U8(own) = told.parts.train.samples() else { panic!() };
    assert_eq!(own[..6], [0, 30, 60, 1, 31, 61]);
    let asked = read("(2, 3, 5, 6)", Some(Layout::Nhwc));
    assert_eq!((asked.layout, asked.parts.train.shape()), (Some(Layout::Nhwc), [3, 5, 6]));
    assert_eq!(read("(2, 5, 6, 3)", None).parts.train.shape(), [5, 6, 3]);
    assert_eq!(read("(2, 30, 3)", None).layout, None);
}

#[test]
fn bad_npz_is_named() {
    let error = |members: &[(&str, Vec<u8>)]| {
        read_npz(&npz(members, CompressionMethod::Deflated), "x.npz", &Default::default())
            .unwrap_err()
            .to_string()
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
    let error = read_npz(&bomb, "x.npz", &Default::default()).unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
    // Eight million zeros in an archive that says eight.
    let long = bytes_npy("(1, 2, 2)", &vec![0; 8 << 20]);
    let mut short =
        npz(&[("x_train.npy", long), ("y_train.npy", bytes_npy("(1,)", &[0]))], CompressionMethod::Deflated);
    let central = short.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    short[central + 24..central + 28].copy_from_slice(&132u32.to_le_bytes());
    assert!(read_npz(&short, "x.npz", &Default::default()).is_err());
}

#[test]
fn broken_npz_is_refused_or_read() {
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let good = small_npz(method);
        let read = |bytes: &[u8]| match read_npz(bytes, "x", &Default::default()) {
            Ok(set) => assert!(!set.parts.train.is_empty()),
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
