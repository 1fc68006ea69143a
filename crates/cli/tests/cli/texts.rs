//! Texts: train, eval, predict, show, data check.

use crate::harness::Bench;
use std::io::Write;
use std::process::Stdio;

/// Opinions that depend on where a word stands, in English and Korean: label, text, part.
fn opinions(bench: &Bench) {
    let (mut english, mut korean) = (String::from("label\ttext\tsplit\n"), String::new());
    let things =
        [("film", "영화는"), ("song", "노래는"), ("meal", "음식은"), ("play", "연극은"), ("tour", "여행은")];
    let good = [("funny", "재미있"), ("fresh", "참신하"), ("warm", "따뜻하"), ("clever", "훌륭하")];
    let bad = [("dull", "지루하"), ("stale", "시시하"), ("cold", "차갑"), ("clumsy", "어설프")];
    let mut i = 0;
    for (thing, ko_thing) in things {
        for (g, ko_g) in good {
            for (b, ko_b) in bad {
                let part = if i % 5 == 4 { "test" } else { "train" };
                english += &format!("good\tThey said the {thing} was {b}, but it is {g}.\t{part}\n");
                english += &format!("bad\tThey said the {thing} was {g}, but it is {b}.\t{part}\n");
                korean += &format!("좋음\t그 {ko_thing} {ko_b}다더니 실제로는 {ko_g}더라\n");
                korean += &format!("나쁨\t그 {ko_thing} {ko_g}다더니 실제로는 {ko_b}더라\n");
                i += 1;
            }
        }
    }
    bench.file("english.tsv", english);
    bench.file("korean.tsv", format!("\u{feff}{}", korean.replace('\n', "\r\n")));
}

#[test]
fn where_a_word_stands_is_learnt_in_english() {
    let bench = Bench::new();
    opinions(&bench);
    let json = bench.run("train english.tsv --epochs 30 --batch-size 16 --out run --json -q").good().json();
    assert_eq!(json["model"], "text-cnn");
    assert!(json["test_accuracy"].as_f64().unwrap() > 0.9, "{json}");
    let judged = bench.run("eval run english.tsv --json").good().json();
    assert_eq!(judged["accuracy"], json["test_accuracy"]);
    std::fs::write(bench.path("two.txt"), "They said the song was funny, but it is cold.\n\nIt is warm.\n")
        .unwrap();
    let told = bench.run("predict run two.txt --json").good().json();
    assert_eq!(told["predictions"].as_array().unwrap().len(), 2, "{told}");
    assert_eq!(told["predictions"][0]["class"], "bad", "{told}");
    let mut child =
        bench.command("predict run - --json").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"They said the song was cold, but it is funny.\n").unwrap();
    let told = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    assert!(told.contains(r#""class":"good""#), "{told}");
    bench.run("show run two.txt").refused(&["2 texts"]);
    // The page shows a text as a text, not as markup.
    bench.file("odd.tsv", "good\t<script>alert(1)</script> funny\nbad\t<b>dull</b> & cold\n".repeat(12));
    bench.run("train odd.tsv --epochs 2 --out odd -q").good();
    let report = std::fs::read_to_string(bench.path("odd/report.html")).unwrap();
    assert!(!report.contains("<script>alert(1)"), "a text became markup");
}

#[test]
fn korean_is_cut_into_pairs_of_characters() {
    let bench = Bench::new();
    opinions(&bench);
    let train = "train korean.tsv --epochs 30 --batch-size 16 --out run --json -q";
    let json = bench.run(train).good().json();
    assert!(json["validation_accuracy"].as_f64().unwrap() > 0.9, "{json}");
    let bytes = || std::fs::read(bench.path("run/model.safetensors")).unwrap();
    let first = bytes();
    bench.run(&format!("{train} --overwrite --threads 1")).good();
    assert!(first == bytes(), "one thread gives other bytes");
    let mut command = bench.command("predict run");
    let output = command.arg("그 노래는 시시하다더니 실제로는 재미있더라").output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains(": 좋음"), "{told}");
    let checked = bench.run("data check korean.tsv --lang ko").good().stdout;
    assert!(checked.contains("160"), "{checked}");
}

#[test]
fn faults_of_texts_are_named_by_line() {
    let bench = Bench::new();
    let train = "train bad.tsv --out run -q";
    for (bytes, words) in [
        (&b"good\tfine\nonly a label\n"[..], &["bad.tsv", "line 2"][..]),
        (b"good\tfine\nbad\t\xff\xfe\n", &["bad.tsv", "UTF-8"]),
        (b"good\tfine\ngood\tbetter\n", &["bad.tsv", "one class"]),
        (b"", &["bad.tsv"]),
    ] {
        bench.file("bad.tsv", bytes);
        bench.run(train).refused(words);
    }
    assert!(!bench.path("run").exists());
}
