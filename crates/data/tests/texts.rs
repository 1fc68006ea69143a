//! TSV, tokens and vocabularies, good and broken.

mod broken;

use foveal_data::near::shared;
use foveal_data::text::{Lengths, MAX_VOCABULARY, Tokens, Vocabulary};
use foveal_data::tsv::{Texts, read_tsv};
use foveal_data::{Dataset, Error, Fault, Part, Sample, Targets};
use std::sync::Arc;

fn read(bytes: &[u8]) -> Result<Texts, Error> {
    read_tsv(bytes, "x.tsv", &Default::default())
}

fn refused(bytes: &[u8]) -> String {
    read(bytes).unwrap_err().to_string()
}

fn classes(texts: &Texts) -> (&[u32], &[String]) {
    match &texts.targets {
        Targets::Classes { labels, names } => (labels, names),
        _ => panic!("classes"),
    }
}

#[test]
fn bom_crlf_quotes_and_empty_lines() {
    let read =
        read("\u{feff}긍정\t\"좋아요\" 정말\r\n\r\n부정\t  별로… \n부정\t\n긍정\tO'K".as_bytes()).unwrap();
    assert_eq!(read.texts, ["\"좋아요\" 정말", "별로…", "O'K"]);
    assert_eq!(read.empty, [2, 4]);
    assert_eq!(classes(&read), (&[0, 1, 0][..], &["긍정".to_owned(), "부정".to_owned()][..]));
    assert_eq!(read.parts, [Part::Train; 3]);
}

#[test]
fn a_heading_names_columns_and_parts() {
    let read =
        read(b"id\tdocument\tlabel\tsplit\n7\tfine\t1\ttrain\n8\tpoor\t0\ttest\n9\tpoor too\t0\tval\n")
            .unwrap();
    assert_eq!(read.texts, ["fine", "poor", "poor too"]);
    assert_eq!(read.parts, [Part::Train, Part::Test, Part::Validation]);
    assert_eq!(classes(&read).0, [1, 0, 0]);
    assert!(refused(b"label\ttext\tsplit\na\tb\tlater\n").contains("line 2 is for \"later\""));
}

#[test]
fn numbers_can_be_learnt() {
    let read = read(b"4.5\tgood\n1\tbad\n").unwrap();
    assert!(matches!(read.targets, Targets::Values { ref values, .. } if values == &[4.5, 1.0]));
}

#[test]
fn faults_name_file_and_line() {
    for (bytes, line, what) in [
        (&b"a\tx\nb y\n"[..], 2, "1 column(s), not 2"),
        (b"a\tx\nb\ty\tz\n", 2, "3 column(s)"),
        (b"a\tx\nb\ty\xff\n", 2, "is not UTF-8 but WINDOWS-1252"),
        (b"a\tx\nb\ty\rc\tz\n", 2, "carriage return"),
        (b"a\tx\n\ty\n", 2, "has no label"),
        (b"a\tx\na\ty\n", 0, "one class alone"),
        (b"\n \n", 0, "holds no text"),
        (b"", 0, "holds no text"),
        (b"label\ttext\n", 0, "holds no text"),
    ] {
        let message = refused(bytes);
        let line = if line > 0 { format!("line {line} ") } else { String::new() };
        assert!(
            message.starts_with("x.tsv: ") && message.contains(&line) && message.contains(what),
            "{message}"
        );
        assert!(!message.contains('\n'), "{message}");
    }
    let mut giant = b"a\tx\nb\t".to_vec();
    giant.resize(giant.len() + (1 << 20), b'y');
    assert!(refused(&giant).contains("line 2 has 1048578 bytes"), "{}", refused(&giant));
}

#[test]
fn broken_files_are_refused_or_read() {
    let good =
        "label\ttext\tsplit\n긍정\t\"참 좋다\"\ttrain\r\nbad\tDull, dull.\ttest\n\nbad\tno\tval\n".as_bytes();
    let mut done = [0; 2];
    let mut each = |bytes: &[u8]| match read(bytes) {
        Ok(read) => {
            done[0] += 1;
            assert_eq!(read.texts.len(), read.parts.len());
            assert!(read.texts.iter().all(|t| !t.trim().is_empty() && !t.contains(['\n', '\r'])));
            for tokens in [Tokens::Words, Tokens::Chars, Tokens::Ngrams] {
                let vocabulary = Vocabulary::new(tokens, read.texts.iter().map(String::as_str), 50).unwrap();
                for text in &read.texts {
                    let (row, _) = vocabulary.encode(text, 9);
                    assert!(row.len() == 9 && row.iter().all(|&id| (id as usize) < vocabulary.size()));
                }
            }
        }
        Err(error) => {
            done[1] += 1;
            assert!(!error.to_string().contains(['\n', '\r']), "{error}");
        }
    };
    broken::every_truncation(good, &mut each);
    broken::mutations(good, &mut each);
    assert!(done[0] > 500 && done[1] > 500, "{done:?}");
}

#[test]
fn tokens_of_both_languages() {
    // Hangul in NFD is the same text.
    assert_eq!(Tokens::Ngrams.split("\u{1112}\u{1161}\u{11ab}"), Tokens::Ngrams.split("한"));
    assert_eq!(
        Tokens::Words.split("It\u{2019}s 2nd-rate\t(really)"),
        ["it's", "2nd", "-", "rate", "(", "really", ")"]
    );
    assert_eq!(Tokens::Chars.split("\u{0} a \n b\u{0}"), ["a", " ", "b"]);
    assert_eq!(Tokens::Words.split(&"x".repeat(1000)), ["x".repeat(64)]);
    assert_eq!(Tokens::suited_to(["I like it", "정말"]), Tokens::Words);
    assert_eq!(Tokens::suited_to(["정말 좋은 영화", "DVD로 봤다"]), Tokens::Ngrams);
    assert_eq!(Tokens::suited_to([]), Tokens::Words);
}

#[test]
fn a_vocabulary_keeps_the_frequent_and_its_order_is_fixed() {
    let texts = ["b a b", "a c", "d d d"];
    let vocabulary = Vocabulary::new(Tokens::Words, texts, 100).unwrap();
    assert_eq!(vocabulary.entries(), ["d", "a", "b"]);
    assert_eq!(Vocabulary::new(Tokens::Words, texts, 3).unwrap().entries(), ["d"]);
    assert_eq!(Vocabulary::new(Tokens::Words, ["x y"], 100).unwrap().entries(), ["x", "y"]);
    assert!(Vocabulary::new(Tokens::Words, texts, 2).is_err());
    assert!(Vocabulary::new(Tokens::Words, texts, MAX_VOCABULARY + 1).is_err());
    assert_eq!(vocabulary.encode("a a b z", 3), (vec![3.0, 3.0, 4.0], 4));
}

#[test]
fn lengths_and_samples() {
    let lengths = Lengths::new(Tokens::Words, (1..=100).map(|n| ["a "].repeat(n).concat().leak() as &str));
    assert_eq!((lengths.median, lengths.most, lengths.longest, lengths.suited()), (50, 95, 100, 95));
    let few = Lengths::new(Tokens::Words, ["a", "b"]);
    assert_eq!((few.most, few.suited()), (1, 8));
    assert_eq!(Lengths::new(Tokens::Words, []).longest, 0);
    let set = |texts: &[&str], shape| {
        let texts: Vec<String> = texts.iter().map(|t| (*t).to_owned()).collect();
        let vocabulary = Vocabulary::new(Tokens::Words, ["a b c a b c"], 100).unwrap();
        let labels = (0..texts.len() as u32).map(|i| i % 2).collect();
        let targets = Targets::Classes { labels, names: vec!["x".into(), "y".into()] };
        Dataset::of_texts("set", texts, targets, Arc::new(vocabulary), shape)
    };
    let data: Dataset = set(&["a b", "z", "A b!", "a b"], [1, 3, 1]).unwrap();
    assert_eq!(data.sample(0), Sample::F32(&[2.0, 3.0, 0.0]));
    assert_eq!((data.text(2), data.text(4)), (Some("A b!"), None));
    // The vocabulary does not have z; the first text stands twice, under two classes.
    let faults = data.check().faults;
    assert!(faults.contains(&Fault::Blank { samples: vec![1] }), "{faults:?}");
    assert!(faults.contains(&Fault::Duplicates { pairs: vec![[0, 3]] }), "{faults:?}");
    assert!(faults.contains(&Fault::Contradictions { pairs: vec![[0, 3]] }), "{faults:?}");
    let found = shared(&data, 0..2, &data, 2..4);
    assert_eq!((found.exact, found.near), (vec![[0, 3]], vec![[0, 2]]));
    assert!(set(&["a"], [1, 3, 2]).is_err() && set(&["a"], [1, 5000, 1]).is_err());
    assert!(set(&["a"], [3, 1, 1]).is_ok());
    let texts = vec!["a".to_owned()];
    assert!(data.clone().with_texts(texts, Arc::new(data.vocabulary().unwrap().clone())).is_err());
}
