//! Every option and command that a message anywhere names is one that there is.

use super::Cli;
use crate::paths::Shown;
use clap::{Arg, Command, CommandFactory};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The crates whose messages reach a user of the program.
const SPEAKING: [&str; 8] = ["cli", "data", "kernels", "nn", "onnx", "serve", "train", "view"];
/// Options of other programs, and of Rust's doc tests.
const OF_OTHERS: [&str; 5] = ["raw", "logdir", "features", "release", "locked"];
/// Style sheets and the lab's document have words that look like options.
const STYLES: [&str; 3] = ["view/src/report", "view/src/show", "cli/src/commands/lab"];
/// Words behind an option with which a sentence goes on.
const SENTENCE: [&str; 13] =
    ["is", "and", "of", "for", "names", "or", "that", "with", "goes", "out", "has", "otherwise", "instead"];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// The lines of code that may hold a message, with their places: no comments, nothing behind the tests' beginning.
fn lines() -> Vec<(String, String)> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut all = Vec::new();
    for name in SPEAKING {
        files(&crates.join(name).join("src"), &mut all);
    }
    let mut lines = Vec::new();
    for file in all {
        let shown = file.strip_prefix(&crates).unwrap().shown();
        // Help is no message.
        let help = shown.starts_with("cli/src/args");
        if STYLES.iter().any(|own| shown.starts_with(own)) || help {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        // A string that goes on in the next line is one text.
        let joined: Vec<&str> = code.lines().filter(|l| !l.trim_start().starts_with("//")).collect();
        let joined = joined.join("\n").replace("\\\n", "\u{1}");
        for (n, line) in joined.lines().enumerate() {
            let line: Vec<&str> = line.split('\u{1}').map(str::trim_start).collect();
            lines.push((format!("{shown}:{}", n + 1), line.concat()));
        }
    }
    lines
}

fn all_commands(command: &Command, found: &mut Vec<Command>) {
    found.push(command.clone());
    command.get_subcommands().for_each(|own| all_commands(own, found));
}

/// The options called `name`, of whatever command.
fn options<'a>(commands: &'a [Command], name: &str) -> Vec<&'a Arg> {
    let all = commands.iter().flat_map(Command::get_arguments);
    all.filter(|arg| arg.get_long() == Some(name) || arg.get_all_aliases().is_some_and(|a| a.contains(&name)))
        .collect()
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')).unwrap_or(text.len());
    text[..end].trim_end_matches('-')
}

#[test]
fn every_option_that_a_message_names_is_there_and_takes_the_value() {
    let mut commands = Vec::new();
    all_commands(&Cli::command(), &mut commands);
    let (mut seen, mut wrong) = (BTreeSet::new(), Vec::new());
    for (place, line) in lines() {
        for (at, _) in line.match_indices("--") {
            let name = word(&line[at + 2..]);
            let before = line[..at].chars().next_back();
            let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
            if !begins || before.is_some_and(|c| c == '-' || c.is_alphanumeric()) || OF_OTHERS.contains(&name)
            {
                continue;
            }
            seen.insert(name.to_owned());
            let found = options(&commands, name);
            if found.is_empty() {
                wrong.push(format!("{place}: no command has --{name}"));
                continue;
            }
            // The word behind it is one of its values, where those are listed.
            let value = line[at + 2 + name.len()..].strip_prefix(' ').map_or("", word);
            let lists: Vec<Vec<String>> = found
                .iter()
                .map(|arg| {
                    arg.get_possible_values()
                        .iter()
                        .flat_map(|v| v.get_name_and_aliases().map(str::to_owned).collect::<Vec<_>>())
                        .collect()
                })
                .collect();
            let takes = found.iter().any(|arg| arg.get_action().takes_values());
            let listed =
                takes && !value.is_empty() && lists.iter().all(|list: &Vec<String>| !list.is_empty());
            if listed
                && !SENTENCE.contains(&value)
                && !lists.iter().any(|list| list.iter().any(|v| v == value))
            {
                wrong.push(format!("{place}: --{name} {value}: takes {lists:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen.len() > 40, "the messages name {seen:?} alone");
}

#[test]
fn every_command_that_a_message_names_is_there() {
    let root = Cli::command();
    let (mut seen, mut wrong) = (BTreeSet::new(), Vec::new());
    for (place, line) in lines() {
        for (at, _) in line.match_indices("foveal ") {
            // In code, `foveal` is followed by other things; a command is named in backquotes, behind a blank or a comma.
            let name = word(&line[at + 7..]);
            let quoted = line[..at].ends_with(['`', '(']) || line[..at].ends_with(", ");
            if !quoted || name.is_empty() || name.starts_with(char::is_uppercase) {
                continue;
            }
            seen.insert(name.to_owned());
            let Some(command) = root.find_subcommand(name) else {
                wrong.push(format!("{place}: foveal {name}"));
                continue;
            };
            let next = word(line[at + 7 + name.len()..].trim_start());
            if command.has_subcommands() && name == "data" && command.find_subcommand(next).is_none() {
                wrong.push(format!("{place}: foveal {name} {next}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen.len() >= 3, "{seen:?}");
}
