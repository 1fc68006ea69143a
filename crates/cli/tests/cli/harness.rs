//! Runs the program in an empty folder.

use foveal::data::npy::write_npy;
use ndarray::ArrayD;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A folder with files, to run the program in.
pub struct Bench {
    folder: TempDir,
}

impl Bench {
    /// With the lecture's arrays: `x.npy` 1 to 9 as [1, 3, 3, 1], `w.npy` ones [2, 2, 1, 1], `b.npy` a bias of 0.5.
    pub fn new() -> Self {
        let bench = Self { folder: tempfile::tempdir().unwrap() };
        bench.array("x.npy", &[1, 3, 3, 1], (1..=9).map(|v| v as f32));
        bench.array("w.npy", &[2, 2, 1, 1], [1.0; 4]);
        bench.array("b.npy", &[1], [0.5]);
        bench
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes an array.
    pub fn array(&self, name: &str, shape: &[usize], values: impl IntoIterator<Item = f32>) {
        let array = ArrayD::from_shape_vec(shape, values.into_iter().collect()).unwrap();
        self.file(name, write_npy(array.view()));
    }

    /// Writes an array of waves, so that all numbers differ.
    pub fn waves(&self, name: &str, shape: &[usize]) -> ArrayD<f32> {
        let values = (0..shape.iter().product()).map(|i: usize| (i as f32 * 0.7).sin() + 0.1);
        let array = ArrayD::from_shape_vec(shape, values.collect()).unwrap();
        self.file(name, write_npy(array.view()));
        array
    }

    /// Writes a file.
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// The command, not yet run: arguments divided at blanks.
    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_foveal"));
        command.args(arguments.split_whitespace()).current_dir(self.folder.path()).stdin(Stdio::null());
        for name in ["LC_ALL", "LC_MESSAGES", "NO_COLOR", "CLICOLOR_FORCE"] {
            command.env_remove(name);
        }
        command.env("LANG", "C.UTF-8");
        command
    }

    /// Runs the command.
    pub fn run(&self, arguments: &str) -> Run {
        Run::new(arguments, self.command(arguments).output().unwrap())
    }
}

/// How a run ended.
pub struct Run {
    arguments: String,
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    pub fn new(arguments: &str, output: Output) -> Self {
        Self {
            arguments: arguments.into(),
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Status, stdout and stderr, for a snapshot.
    pub fn told(&self) -> String {
        let code = self.code.map_or("none".into(), |c| c.to_string());
        let mut text = format!("$ foveal {}\nexit {code}\n", self.arguments);
        for (name, stream) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !stream.is_empty() {
                text += &format!("--- {name}\n{stream}");
            }
        }
        text
    }

    /// The same with every number replaced, since times and learnt weights differ between machines.
    pub fn shape(&self) -> String {
        let mut text = String::new();
        for character in self.told().chars() {
            let number = |c: char| c.is_ascii_digit() || c == '.' || c == ',';
            match character {
                '█' => {}
                '·' => text.push('#'),
                c if c.is_ascii_digit() && text.ends_with('#') => {}
                c if c.is_ascii_digit() => text.push('#'),
                c if number(c) && text.ends_with('#') => {}
                c => text.push(c),
            }
        }
        text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n").collect()
    }

    /// Checks that the run succeeded.
    pub fn good(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.told());
        self
    }

    /// Checks that the run was refused: status 1, nothing on stdout, one line on stderr that has all `words`.
    pub fn refused(self, words: &[&str]) -> Self {
        assert_eq!(self.code, Some(1), "{}", self.told());
        assert_eq!(self.stdout, "", "{}", self.told());
        assert_eq!(self.stderr.lines().count(), 1, "{}", self.told());
        assert!(self.stderr.starts_with("error: ") && self.stderr.ends_with('\n'), "{}", self.told());
        assert!(!self.stderr.contains("internal"), "{}", self.told());
        for word in words {
            assert!(self.stderr.contains(word), "no `{word}` in {}", self.told());
        }
        self
    }

    /// The one JSON object on stdout.
    pub fn json(&self) -> serde_json::Value {
        assert_eq!(self.stdout.lines().count(), 1, "{}", self.told());
        let value: serde_json::Value = serde_json::from_str(&self.stdout).unwrap();
        assert!(value.is_object());
        value
    }
}
