//! What belongs together, so that no split divides it: a patient, a folder, a prefix of names, a value of a column.

use crate::output::{Context, count};
use anyhow::{Result, bail};

/// By the folder below the class.
pub const FOLDER: &str = "folder";
/// By the beginning of a file's name.
pub const PREFIX: &str = "prefix";
/// By the patient; for CT.
pub const PATIENT: &str = "patient";

/// What tells groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    Patient,
    Folder,
    Prefix,
    Column(String),
}

/// The groups of samples.
#[derive(Clone, Debug)]
pub struct Grouped {
    pub by: By,
    /// The group of each sample of the training part. Those of patients are told to nobody.
    pub keys: Vec<String>,
}

impl By {
    /// As it is named on the command line and in the model.
    pub fn name(&self) -> &str {
        match self {
            By::Patient => PATIENT,
            By::Folder => FOLDER,
            By::Prefix => PREFIX,
            By::Column(column) => column,
        }
    }

    /// As the heading of a column.
    pub fn title(&self, context: &Context) -> String {
        match self {
            By::Patient => context.say("patients", "환자").to_owned(),
            By::Folder => context.say("folders", "폴더").to_owned(),
            By::Prefix => context.say("prefixes", "접두어").to_owned(),
            By::Column(column) => column.escape_debug().to_string(),
        }
    }

    /// So many of them, in both languages.
    pub fn words(&self, n: usize) -> [String; 2] {
        let n = count(n as u64);
        match self {
            By::Patient => [format!("{n} patients"), format!("환자 {n}명")],
            By::Folder => [format!("{n} folders"), format!("폴더 {n}개")],
            By::Prefix => [format!("{n} prefixes"), format!("접두어 {n}개")],
            By::Column(column) => {
                let column = column.escape_debug();
                [format!("{n} of {column}"), format!("{column} {n}개")]
            }
        }
    }
}

/// Groups of files by their names, if that is asked for. `names` are those of each file, without what stands for its
/// part and class; `shown` names the data set in errors.
pub fn by_name(group: Option<&str>, names: &[Vec<String>], shown: &str) -> Result<Option<(By, Vec<String>)>> {
    let (by, key): (By, fn(&[String]) -> String) = match group {
        Some(FOLDER) => (By::Folder, |names| names[..names.len().saturating_sub(1)].join("/")),
        Some(PREFIX) => (By::Prefix, prefix),
        _ => return Ok(None),
    };
    let keys: Vec<String> = names.iter().map(|names| key(names)).collect();
    if by == By::Folder && keys.iter().all(String::is_empty) {
        bail!(
            "--group folder: the pictures of {shown} stand right in the folders of their classes; put each group in a \
             folder of its own there, or group by the beginnings of names (--group prefix)"
        );
    }
    Ok(Some((by, alone(keys))))
}

/// Samples without a group are groups of their own.
pub fn alone(keys: Vec<String>) -> Vec<String> {
    // No name of a file and no cell holds this character.
    let own = |(i, key): (usize, String)| if key.is_empty() { format!("\0{i}") } else { key };
    keys.into_iter().enumerate().map(own).collect()
}

/// A file's name up to its last `_`, `-`, blank or dot, without the extension; the whole name where there is none.
fn prefix(names: &[String]) -> String {
    let name = names.last().map_or("", String::as_str);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let cut = stem.rfind(['_', '-', ' ', '.']).map_or(stem, |at| &stem[..at]);
    let cut = cut.trim_end_matches(['_', '-', ' ', '.']);
    if cut.is_empty() { stem.to_owned() } else { cut.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_end_where_the_last_part_of_a_name_begins() {
        let of = |name: &str| prefix(&[name.to_owned()]);
        let names =
            ["p01_003.png", "0_left.jpg", "patient_12_slice-3.tif", "frame0001.png", "a - 2.png", "_x.png"];
        assert_eq!(names.map(of), ["p01", "0", "patient_12_slice", "frame0001", "a", "_x"]);
    }

    #[test]
    fn pictures_right_in_their_class_have_no_folder() {
        let names =
            |all: &[&str]| all.iter().map(|p| p.split('/').map(str::to_owned).collect()).collect::<Vec<_>>();
        assert!(by_name(Some(FOLDER), &names(&["1.png", "2.png"]), "pets").is_err());
        let (by, keys) =
            by_name(Some(FOLDER), &names(&["a/1.png", "a/2.png", "3.png"]), "pets").unwrap().unwrap();
        assert_eq!((by, keys[0] == keys[1], keys[1] == keys[2]), (By::Folder, true, false));
    }
}
