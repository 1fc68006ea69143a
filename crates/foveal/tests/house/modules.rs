//! What the modules of a crate import from each other, read from their sources.

use crate::tokens::{self, Token};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The place of a module in its crate: `["engine", "plan"]`; the crate's root is `[]`.
pub type Place = Vec<String>;

/// The modules of one crate.
pub struct Modules {
    /// The tokens of each module's file, without its tests.
    tokens: BTreeMap<Place, Vec<String>>,
    /// Which path each name that a module imports stands for.
    imports: BTreeMap<Place, BTreeMap<String, Place>>,
}

impl Modules {
    /// Reads all files under `src`.
    pub fn of(src: &Path) -> Self {
        let mut files = Vec::new();
        crate::sources(src, &mut files);
        let read = |file: &PathBuf| (place(src, file), std::fs::read_to_string(file).expect("a source"));
        Self::new(files.iter().map(read))
    }

    /// The modules whose places and sources are given, but for those that are only compiled for tests.
    pub fn new(sources: impl IntoIterator<Item = (Place, String)>) -> Self {
        let mut tokens: BTreeMap<Place, Vec<String>> = BTreeMap::new();
        let mut tests = BTreeSet::new();
        for (place, source) in sources {
            let (kept, skipped) = without_tests(tokens::of(&source));
            tests.extend(skipped.into_iter().map(|name| joined(&place, &[name])));
            tokens.insert(place, kept);
        }
        tokens.retain(|place, _| !tests.iter().any(|test| place.starts_with(test)));
        let imports = tokens.iter().map(|(place, tokens)| (place.clone(), names(tokens))).collect();
        Self { tokens, imports }
    }

    /// Which modules each module uses: by `use`, or by a path in the code.
    pub fn uses(&self) -> BTreeMap<&Place, BTreeSet<&Place>> {
        let of = |place, tokens: &[String]| -> BTreeSet<&Place> {
            let used = paths(tokens).into_iter().filter_map(|path| self.resolve(place, &path, 0));
            used.filter(|used| *used != place).collect()
        };
        self.tokens.iter().map(|(place, tokens)| (place, of(place, tokens))).collect()
    }

    /// The module that holds what `path` means inside the module `from`; `None` for a path out of the crate.
    ///
    /// Names that a module passes on lead to the module that they come from.
    fn resolve(&self, from: &Place, path: &[String], depth: usize) -> Option<&Place> {
        let (mut at, mut rest) = match path[0].as_str() {
            "crate" => (Place::new(), &path[1..]),
            "self" => (from.clone(), &path[1..]),
            "super" => {
                let up = path.iter().take_while(|p| *p == "super").count();
                (from[..from.len().checked_sub(up)?].to_vec(), &path[up..])
            }
            child if self.tokens.contains_key(&joined(from, &[child.to_owned()])) => (from.clone(), path),
            _ => return None,
        };
        while let Some((name, left)) = rest.split_first() {
            let child = joined(&at, std::slice::from_ref(name));
            if self.tokens.contains_key(&child) {
                (at, rest) = (child, left);
                continue;
            }
            match self.imports.get(&at).and_then(|names| names.get(name)) {
                Some(meant) if depth < 8 => return self.resolve(&at, meant, depth + 1),
                _ => break,
            }
        }
        self.tokens.get_key_value(&at).map(|(place, _)| place)
    }
}

/// Groups of modules that all use one another, directly or through others of the group.
pub fn circles(uses: &BTreeMap<&Place, BTreeSet<&Place>>) -> Vec<Vec<Place>> {
    let reached = |from: &Place| {
        let (mut reached, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(at) = open.pop() {
            open.extend(uses[at].iter().filter(|next| reached.insert((**next).clone())));
        }
        reached
    };
    let reach: BTreeMap<&Place, BTreeSet<Place>> = uses.keys().map(|at| (*at, reached(at))).collect();
    let together = |at: &Place| -> Vec<Place> {
        reach[at].iter().filter(|other| reach[*other].contains(at)).cloned().collect()
    };
    let found: BTreeSet<Vec<Place>> = uses.keys().map(|at| together(at)).filter(|c| !c.is_empty()).collect();
    found.into_iter().collect()
}

/// `src/engine/plan.rs` is `["engine", "plan"]`; `mod.rs`, `lib.rs` and `main.rs` stand for their folder.
fn place(src: &Path, file: &Path) -> Place {
    let path = file.strip_prefix(src).expect("a file under src").with_extension("");
    let mut place: Place = path.iter().map(|p| p.to_str().expect("a name in UTF-8").to_owned()).collect();
    let last = place.last().expect("a name");
    if last == "mod" || place.len() == 1 && (last == "lib" || last == "main") {
        place.pop();
    }
    place
}

fn joined(place: &Place, more: &[String]) -> Place {
    [place.as_slice(), more].concat()
}

/// Takes out what follows `#[cfg(test)]`: blocks, and declarations of modules, whose names are given beside.
fn without_tests(tokens: Vec<Token>) -> (Vec<String>, Vec<String>) {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let (mut kept, mut modules, mut at) = (Vec::new(), Vec::new(), 0);
    while at < tokens.len() {
        if !tokens[at..].iter().map(|t| t.text.as_str()).take(MARK.len()).eq(MARK) {
            kept.push(tokens[at].text.clone());
            at += 1;
            continue;
        }
        at += MARK.len();
        let item = &tokens[at..];
        let end =
            item.iter().position(|t| t.text == ";" || t.text == "{").expect("an item after #[cfg(test)]");
        if item[end].text == ";" {
            let module = item[..end].iter().position(|t| t.text == "mod");
            modules.extend(module.map(|m| item[m + 1].text.clone()));
            at += end + 1;
        } else {
            at += end + tokens::block(&item[end..]);
        }
    }
    (kept, modules)
}

/// The names that a module's `use` declarations bring in, and the paths they stand for.
fn names(tokens: &[String]) -> BTreeMap<String, Place> {
    let mut names = BTreeMap::new();
    for at in (0..tokens.len()).filter(|at| tokens[*at] == "use") {
        let mut leaves = Vec::new();
        tree(tokens, &mut (at + 1), &Place::new(), &mut leaves);
        for (name, path) in leaves {
            names.insert(name, path);
        }
    }
    names
}

/// Reads a tree of `use` from `at` on: `a::{b, c::d as e}` has the leaves b, standing for a::b, and e, for a::c::d.
fn tree(tokens: &[String], at: &mut usize, before: &Place, leaves: &mut Vec<(String, Place)>) {
    let mut path = before.clone();
    loop {
        match tokens[*at].as_str() {
            "{" => {
                while tokens[*at] != "}" {
                    *at += 1;
                    if tokens[*at] != "}" {
                        tree(tokens, at, &path, leaves);
                    }
                }
                *at += 1;
                return;
            }
            "*" => {
                *at += 1;
                leaves.push(("*".to_owned(), path));
                return;
            }
            "self" if !before.is_empty() && path == *before => {}
            name => path.push(name.to_owned()),
        }
        *at += 1;
        match tokens[*at].as_str() {
            "::" => *at += 1,
            "as" => {
                leaves.push((tokens[*at + 1].clone(), path));
                *at += 2;
                return;
            }
            _ => {
                leaves.push((path.last().expect("a name").clone(), path));
                return;
            }
        }
    }
}

/// All paths of a file that lead to something it uses: those in the code, and those of its `use` declarations, but
/// for names that a `pub use` passes on and the file itself does not need.
fn paths(tokens: &[String]) -> Vec<Place> {
    let (mut paths, mut passed_on, mut words) = (Vec::new(), Vec::new(), BTreeSet::new());
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at] == "use" {
            let public = at > 0 && (tokens[at - 1] == "pub" || tokens[at - 1] == ")");
            let mut leaves = Vec::new();
            at += 1;
            tree(tokens, &mut at, &Place::new(), &mut leaves);
            if public {
                passed_on.extend(leaves);
            } else {
                paths.extend(leaves.into_iter().map(|(_, path)| path));
            }
            continue;
        }
        let start = at;
        while tokens.get(at + 1).is_some_and(|t| t == "::") && tokens.get(at + 2).is_some() {
            at += 2;
        }
        words.insert(tokens[start].as_str());
        if at > start {
            paths.push((start..=at).step_by(2).map(|i| tokens[i].clone()).collect());
        }
        at += 1;
    }
    let needed = passed_on.into_iter().filter(|(name, _)| words.contains(name.as_str()));
    paths.extend(needed.map(|(_, path)| path));
    paths
}
