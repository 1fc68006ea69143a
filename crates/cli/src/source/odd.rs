//! What is said about folders and files that are not read.

use super::told::{Told, names};
use foveal::data::Error;
use foveal::data::folder::Odd;

/// So many class folders are named.
const NAMED: usize = 8;

/// Extensions of pictures that are not read, and what they are.
const FORMATS: [(&str, &str); 20] = [
    ("heic", "HEIC"),
    ("heif", "HEIC"),
    ("avif", "AVIF"),
    ("svg", "SVG"),
    ("jxl", "JPEG XL"),
    ("jp2", "JPEG 2000"),
    ("j2k", "JPEG 2000"),
    ("psd", "Photoshop"),
    ("ico", "ICO"),
    ("exr", "OpenEXR"),
    ("hdr", "Radiance"),
    ("ppm", "PPM"),
    ("pgm", "PGM"),
    ("cr2", "raw camera"),
    ("nef", "raw camera"),
    ("arw", "raw camera"),
    ("dng", "raw camera"),
    ("mp4", "video"),
    ("mov", "video"),
    ("pdf", "PDF"),
];

/// What a file is by its extension, if it is one that people take for a picture.
fn format(extension: &str) -> Option<&'static str> {
    let extension = extension.to_lowercase();
    FORMATS.iter().find(|(own, _)| *own == extension).map(|(_, format)| *format)
}

/// Why a file is not read.
pub fn why(name: &str) -> [String; 2] {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    match format(extension) {
        Some(format) => [
            format!("{format}, which is not read; convert it to PNG or JPEG"),
            format!("{format}은(는) 읽지 않음. PNG나 JPEG로 바꾸세요"),
        ],
        None => ["no picture in a class folder".into(), "클래스 폴더 안의 이미지가 아님".into()],
    }
}

/// An error about a folder without pictures, with what stands in it instead.
pub fn explained(error: Error, names: &[Vec<String>]) -> Error {
    let Error::Layout { name, problem, remedy } = error else { return error };
    let mut found: Vec<&str> = names
        .iter()
        .filter_map(|names| names.last()?.rsplit_once('.'))
        .filter_map(|(_, extension)| format(extension))
        .collect();
    found.sort_unstable();
    let all = found.len();
    found.dedup();
    if all == 0 {
        return Error::Layout { name, problem, remedy };
    }
    let formats = found.join(", ");
    let problem = format!("{problem}, and {all} files of formats that are not read ({formats})");
    Error::Layout { name, problem, remedy: "convert them to PNG or JPEG" }
}

/// What is said about odd folders.
pub fn told(odd: &[Odd], empty: &[String]) -> Vec<Told> {
    let mut told: Vec<Told> = odd.iter().filter_map(one).flatten().collect();
    if !empty.is_empty() {
        let list = names(empty);
        told.push(Told([
            format!("warning: folders without any file: {list}; no class is made of them"),
            format!("주의: 파일이 하나도 없는 폴더: {list}. 클래스로 만들지 않음"),
        ]));
    }
    told
}

fn one(odd: &Odd) -> Option<Vec<Told>> {
    let said = match odd {
        Odd::Beside(folders) => {
            let list = names(folders);
            [
                format!("folders beside those of training and test are not read: {list}"),
                format!("훈련, 테스트 폴더 옆의 폴더는 읽지 않음: {list}"),
            ]
        }
        Odd::Folds(folders) => {
            let list = names(folders);
            [
                format!(
                    "{list} hold the same folders: those are the classes, and all folds are read as one (--folds makes new ones)"
                ),
                format!(
                    "{list}에 같은 폴더가 있음: 그 폴더를 클래스로 보고 폴드를 합쳐 읽음(--folds로 새로 나눔)"
                ),
            ]
        }
        Odd::Alike(folders) => {
            let list = names(folders);
            [
                format!(
                    "warning: every class folder holds the same folders ({list}); if these are the classes, put them on top"
                ),
                format!(
                    "주의: 모든 클래스 폴더에 같은 폴더({list})가 있음. 이것이 클래스라면 맨 위로 옮기세요"
                ),
            ]
        }
        Odd::Vanished(classes) => return Some(classes.iter().take(NAMED).map(vanished).collect()),
        _ => return None,
    };
    Some(vec![Told(said)])
}

fn vanished((class, files): &(String, Vec<(String, usize)>)) -> Told {
    let one = |(extension, n): &(String, usize)| match format(extension) {
        Some(format) => format!("{n} {format}"),
        None if extension.is_empty() => n.to_string(),
        None => format!("{n} .{}", extension.escape_debug()),
    };
    let (class, files) =
        (class.escape_debug(), files.iter().take(NAMED).map(one).collect::<Vec<_>>().join(", "));
    Told([
        format!(
            "warning: no file of folder {class} is a picture that is read ({files}): there is no class {class}"
        ),
        format!("주의: 폴더 {class}에 읽을 수 있는 이미지가 없음({files}): 클래스 {class}이(가) 빠짐"),
    ])
}
