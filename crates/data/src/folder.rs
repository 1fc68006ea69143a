//! Folders of class folders, with or without `train`, `val` and `test` above them.
//!
//! The caller reads the disk; here paths become parts and classes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use unicode_normalization::UnicodeNormalization;

use crate::{Error, Part, picture};

/// The parts and classes of the files of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Layout {
    /// The classes, sorted by name.
    pub classes: Vec<String>,
    /// How many folders stand above those of classes: 1 where the uppermost ones are parts or folds.
    pub depth: usize,
    /// What is odd about the folders.
    pub odd: Vec<Odd>,
    /// The pictures: first all of training, then validation, then test, each by class and path.
    pub pictures: Vec<Entry>,
    /// Files whose name or folder begins with a dot, as indices into the paths.
    pub hidden: Vec<usize>,
    /// Files whose extension is not that of a picture, or that stand outside a class folder, as indices into the paths.
    pub others: Vec<usize>,
}

/// What is odd about the folders of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Odd {
    /// Folders beside those of the parts, which are not read.
    Beside(Vec<String>),
    /// Folders of folds with the same classes in each, which are read as one.
    Folds(Vec<String>),
    /// All classes hold the same folders, which may be the classes.
    Alike(Vec<String>),
    /// Class folders that hold no picture that is read: the class and how many files stand in it, by extension.
    Vanished(Vec<(String, Vec<(String, usize)>)>),
}

/// A picture with its part and class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// Index into the paths.
    pub path: usize,
    /// Its part.
    pub part: Part,
    /// Index into the classes.
    pub class: u32,
}

/// Whether a file name has the extension of a picture that is read.
pub fn is_picture(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    extension.is_some_and(|e| picture::EXTENSIONS.contains(&e.as_str()))
}

/// Parts and classes of the files at `paths`, each a list of names from the folder `source` down.
///
/// If the uppermost folders that hold pictures are all named after parts ([`Part::named`]), or a training part and
/// another one stand among them, the class is the name below; so it is where they are all called `fold1`, `fold2` … and
/// hold the same folders. Else it is the uppermost name itself. Deeper folders belong to their class.
/// Class names are composed (Unicode NFC), since some file systems store Hangul and accents as several
/// characters.
/// `known` are the classes of a model, in its order; without it they are those of the training
/// part, sorted.
///
/// # Errors
/// [`Error::Layout`] without pictures, without a training part (unless classes are known), with a
/// single class, and for a class that is unknown to the training part or the model.
///
/// ```
/// let path = |text: &str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
/// let paths = [path("cat/2.png"), path("cat/1.png"), path("dog/1.jpg"), path("dog/.x.jpg"), path("read.me")];
/// let layout = foveal_data::folder::layout(&paths, "pets", None)?;
/// assert_eq!(layout.classes, ["cat", "dog"]);
/// assert_eq!(layout.pictures.iter().map(|p| p.path).collect::<Vec<_>>(), [1, 0, 2]);
/// assert_eq!((layout.hidden, layout.others), (vec![3], vec![4]));
/// # Ok::<(), foveal_data::Error>(())
/// ```
pub fn layout(paths: &[Vec<String>], source: &str, known: Option<&[String]>) -> Result<Layout, Error> {
    let picture = |i: usize| paths[i].last().is_some_and(|name| is_picture(name));
    layout_of(paths, &picture, source, known)
}

/// As [`layout`], but `is_sample` decides which files are samples, whatever their names; it takes an
/// index into the paths.
///
/// # Errors
/// Those of [`layout`].
pub fn layout_of(
    paths: &[Vec<String>],
    is_sample: &dyn Fn(usize) -> bool,
    source: &str,
    known: Option<&[String]>,
) -> Result<Layout, Error> {
    let wrong = |problem: String, remedy| Error::Layout { name: source.to_string(), problem, remedy };
    let [hidden, mut others, pictures] = sorted(paths, is_sample);
    let above = Above::of(paths, &pictures);
    let (parted, depth) = (above.parted, above.depth);
    let (pictures, beside): (Vec<_>, Vec<_>) =
        pictures.into_iter().partition(|&i| !parted || Part::named(&paths[i][0]).is_some());
    others.extend(beside);
    let (placed, outside): (Vec<_>, Vec<_>) = pictures.into_iter().partition(|&i| paths[i].len() > depth + 1);
    others.extend(outside);
    others.sort_unstable();
    if placed.is_empty() {
        let remedy = "put PNG, JPEG, BMP, WebP or TIFF pictures in one folder for each class";
        return Err(wrong("holds no class folder with pictures".into(), remedy));
    }
    let part = |i: usize| if parted { Part::named(&paths[i][0]).unwrap_or(Part::Train) } else { Part::Train };
    let class = |i: usize| paths[i][depth].nfc().collect::<String>();
    let classes: Vec<String> = match known {
        Some(known) => known.to_vec(),
        None => {
            let learnt = placed.iter().filter(|&&i| part(i) == Part::Train).map(|&i| class(i));
            let names: BTreeSet<String> = learnt.collect();
            names.into_iter().collect()
        }
    };
    if classes.is_empty() {
        return Err(wrong("holds no training part".into(), "name one of its folders train"));
    }
    if classes.len() == 1 && known.is_none() {
        let problem = format!("holds one class alone, {:?}", classes[0]);
        return Err(wrong(problem, "give each class a folder of its own, side by side"));
    }
    let index: HashMap<&str, u32> = classes.iter().map(String::as_str).zip(0..).collect();
    let mut entries = Vec::with_capacity(placed.len());
    for i in placed {
        let Some(&found) = index.get(class(i).as_str()) else {
            let problem =
                format!("{} is of class {:?}, which was not trained on", paths[i].join("/"), class(i));
            return Err(wrong(problem, "rename its folder, or train on pictures of that class too"));
        };
        entries.push(Entry { path: i, part: part(i), class: found });
    }
    entries.sort_by(|a, b| {
        (a.part, a.class).cmp(&(b.part, b.class)).then_with(|| paths[a.path].cmp(&paths[b.path]))
    });
    let mut odd = above.odd;
    odd.extend(vanished(paths, &others, depth, &classes));
    Ok(Layout { classes, depth, odd, pictures: entries, hidden, others })
}

/// Files that are hidden, no samples, and samples.
fn sorted(paths: &[Vec<String>], is_sample: &dyn Fn(usize) -> bool) -> [Vec<usize>; 3] {
    let (mut hidden, mut others, mut pictures) = (Vec::new(), Vec::new(), Vec::new());
    for (index, path) in paths.iter().enumerate() {
        if path.iter().any(|name| name.starts_with('.') || name == "__MACOSX") {
            hidden.push(index);
        } else if path.len() < 2 || !is_sample(index) {
            others.push(index);
        } else {
            pictures.push(index);
        }
    }
    [hidden, others, pictures]
}

/// What the uppermost folders stand for.
struct Above {
    parted: bool,
    depth: usize,
    odd: Vec<Odd>,
}

impl Above {
    fn of(paths: &[Vec<String>], pictures: &[usize]) -> Self {
        // The folders below each of the uppermost ones.
        let mut folders: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for &i in pictures {
            let below = folders.entry(&paths[i][0]).or_default();
            below.extend((paths[i].len() > 2).then(|| paths[i][1].as_str()));
        }
        let part = |name: &&str| Part::named(name);
        let parts: BTreeSet<Part> = folders.keys().filter_map(part).collect();
        // A class may be called train; beside a test with folders of its own it is a part.
        let holds = |wanted: Part| {
            folders.iter().any(|(name, below)| part(name) == Some(wanted) && !below.is_empty())
        };
        let all = !folders.is_empty() && folders.keys().all(|name| part(name).is_some());
        let parted = all || parts.len() > 1 && holds(Part::Train);
        let owned =
            |names: &mut dyn Iterator<Item = &&str>| names.map(|name| (*name).to_owned()).collect::<Vec<_>>();
        if parted {
            let beside = owned(&mut folders.keys().filter(|name| part(name).is_none()));
            let odd = (!beside.is_empty()).then_some(Odd::Beside(beside)).into_iter().collect();
            return Self { parted, depth: 1, odd };
        }
        let first = folders.values().next().cloned().unwrap_or_default();
        let alike = folders.len() > 1 && first.len() > 1 && folders.values().all(|below| *below == first);
        if alike && folders.keys().all(|name| is_fold(name)) {
            return Self { parted, depth: 1, odd: vec![Odd::Folds(owned(&mut folders.keys()))] };
        }
        let odd = alike.then(|| Odd::Alike(owned(&mut first.iter()))).into_iter().collect();
        Self { parted, depth: 0, odd }
    }
}

/// Whether a folder is called `fold1`, `split_2`, `cv-3` or the like.
fn is_fold(name: &str) -> bool {
    let lower = name.to_lowercase();
    let number = ["fold", "split", "cv", "part"].iter().find_map(|begin| lower.strip_prefix(begin));
    let number = number.map(|rest| rest.trim_start_matches(['_', '-', ' ']));
    number.is_some_and(|n| !n.is_empty() && n.chars().all(|c| c.is_ascii_digit()))
}

/// Class folders of which nothing is read.
fn vanished(paths: &[Vec<String>], others: &[usize], depth: usize, classes: &[String]) -> Option<Odd> {
    let mut found: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for path in others.iter().map(|&i| &paths[i]).filter(|path| path.len() > depth + 1) {
        if depth == 1 && Part::named(&path[0]).is_none() && !is_fold(&path[0]) {
            continue;
        }
        let class: String = path[depth].nfc().collect();
        if !classes.contains(&class) && class != "__MACOSX" {
            let extension = path.last().and_then(|name| name.rsplit_once('.')).map_or("", |(_, e)| e);
            *found.entry(class).or_default().entry(extension.to_lowercase()).or_default() += 1;
        }
    }
    let each: Vec<(String, Vec<(String, usize)>)> =
        found.into_iter().map(|(class, files)| (class, files.into_iter().collect())).collect();
    (!each.is_empty()).then_some(Odd::Vanished(each))
}
