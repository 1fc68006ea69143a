//! The committed numbers.

/// Where they are, from the root.
pub const FILE: &str = "crates/instructions/counts.txt";

/// Counted instructions, and the compiler that made them.
pub struct Counts {
    /// `rustc --version`.
    pub compiler: String,
    /// Instruction set, case, instructions.
    pub rows: Vec<(String, String, u64)>,
}

impl Counts {
    /// Reads the file: the compiler after `#`, then one row on each line.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut lines = text.lines();
        let compiler =
            lines.next().and_then(|l| l.strip_prefix("# ")).ok_or("no compiler in the first line")?;
        let row = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                [set, case, n] => n.parse().ok().map(|n| (set.to_owned(), case.to_owned(), n)),
                _ => None,
            }
            .ok_or_else(|| format!("{FILE}: cannot read `{line}`"))
        };
        Ok(Self { compiler: compiler.into(), rows: lines.map(row).collect::<Result<_, _>>()? })
    }

    /// The file's text.
    pub fn text(&self) -> String {
        let rows = self.rows.iter().map(|(set, case, n)| format!("{set:<8}  {case:<24}  {n:>12}\n"));
        std::iter::once(format!("# {}\n", self.compiler)).chain(rows).collect()
    }

    /// Whether `now` is close enough to the committed number, and a line that shows both.
    pub fn verdict(&self, set: &str, case: &str, now: u64, tolerance: f64) -> Result<String, String> {
        let Some((_, _, before)) = self.rows.iter().find(|r| r.0 == set && r.1 == case) else {
            return Err(format!("{:>12} {now:>11}", "none"));
        };
        let change = now as f64 / *before as f64 - 1.0;
        let text = format!("{before:>12} {now:>11}  {:+.2} %", 100.0 * change);
        if change.abs() <= tolerance { Ok(text) } else { Err(text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_are_written() {
        let rows = vec![("avx2".to_owned(), "conv".to_owned(), 12), ("portable".into(), "pool".into(), 3)];
        let counts = Counts { compiler: "rustc 1.2.3".into(), rows: rows.clone() };
        let read = Counts::read(&counts.text()).unwrap();
        assert_eq!((read.compiler.as_str(), read.rows), ("rustc 1.2.3", rows));
        assert!(Counts::read("").is_err() && Counts::read("# rustc\navx2 conv many\n").is_err());
    }

    #[test]
    fn what_lies_beyond_the_tolerance_or_is_new_is_refused() {
        let counts = Counts { compiler: String::new(), rows: vec![("avx2".into(), "conv".into(), 1000)] };
        let verdict = |case, now| counts.verdict("avx2", case, now, 0.03);
        assert!(verdict("conv", 1029).is_ok() && verdict("conv", 971).is_ok());
        assert!(verdict("conv", 1031).is_err() && verdict("conv", 969).is_err());
        assert!(verdict("pool", 1000).is_err());
    }

    #[test]
    fn every_case_has_a_committed_number() {
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/counts.txt")).unwrap();
        let counts = Counts::read(&text).unwrap();
        for set in crate::SETS {
            for (case, _) in crate::cases::ALL {
                assert!(counts.rows.iter().any(|r| r.0 == set && r.1 == case && r.2 > 0), "{set} {case}");
            }
        }
        assert_eq!(counts.rows.len(), crate::SETS.len() * crate::cases::ALL.len());
    }
}
