//! Two small data sets of texts, in English and in Korean: opinions that are made from templates, not written by
//! people. What decides is what a word stands with ("not dull", "지루하지 않다") and where ("they said it was dull, but it
//! is funny"), so that counting words is of little use and filters over several tokens are.
//!
//! `cargo run --release -p foveal --example texts -- DIR` writes `DIR/english.tsv` and `DIR/korean.tsv`. Then
//! `foveal train DIR/english.tsv` learns to tell good from bad.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

/// Texts of a language, at most; the same text does not come twice.
const COUNT: usize = 4000;

/// Words, and sentences that hold them: `{t}` a thing, `{g}` a good and `{b}` a bad word, `{o}` an opening, `{e}` an end.
struct Language {
    things: &'static [&'static str],
    good: &'static [&'static str],
    bad: &'static [&'static str],
    openings: &'static [&'static str],
    ends: &'static [&'static str],
    /// Sentences that speak well of the thing.
    praise: &'static [&'static str],
    /// Sentences that do not.
    blame: &'static [&'static str],
}

const ENGLISH: Language = Language {
    things: &[
        "film", "novel", "lecture", "song", "meal", "game", "tour", "play", "course", "phone", "hotel",
        "museum",
    ],
    good: &[
        "funny", "moving", "clever", "lovely", "useful", "fresh", "gripping", "warm", "careful", "generous",
    ],
    bad: &[
        "dull", "clumsy", "shallow", "noisy", "stale", "tiresome", "cold", "careless", "useless", "muddled",
    ],
    openings: &[
        "",
        "Honestly, ",
        "In short, ",
        "After a week I can say that ",
        "My sister agrees: ",
        "Well, ",
    ],
    ends: &[
        "",
        " I went alone.",
        " It was a rainy day.",
        " We stayed to the end.",
        " The price was the usual one.",
    ],
    praise: &[
        "{o}the {t} is {g}.{e}",
        "{o}the {t} is not {b} at all.{e}",
        "{o}they said the {t} was {b}, but it is {g}.{e}",
        "{o}the {t} is {g}, never {b}.{e}",
        "{o}nobody could call the {t} {b}.{e}",
    ],
    blame: &[
        "{o}the {t} is {b}.{e}",
        "{o}the {t} is not {g} at all.{e}",
        "{o}they said the {t} was {g}, but it is {b}.{e}",
        "{o}the {t} is {b}, never {g}.{e}",
        "{o}nobody could call the {t} {g}.{e}",
    ],
};

const KOREAN: Language = Language {
    things: &[
        "영화는",
        "소설은",
        "강의는",
        "노래는",
        "음식은",
        "게임은",
        "여행은",
        "연극은",
        "수업은",
        "전화기는",
        "호텔은",
        "전시는",
    ],
    good: &[
        "재미있",
        "감동적이",
        "훌륭하",
        "유익하",
        "참신하",
        "따뜻하",
        "깔끔하",
        "친절하",
        "편안하",
        "알차",
    ],
    bad: &[
        "지루하",
        "어설프",
        "시시하",
        "시끄럽",
        "답답하",
        "산만하",
        "차갑",
        "불편하",
        "허술하",
        "지저분하",
    ],
    openings: &["", "솔직히 ", "한마디로 ", "일주일 써 보니 ", "동생 말로도 ", "음, "],
    ends: &["", " 혼자 다녀왔다.", " 비가 오는 날이었다.", " 끝까지 있었다.", " 값은 보통이었다."],
    praise: &[
        "{o}그 {t} 참 {g}네.{e}",
        "{o}그 {t} 전혀 {b}지 않다.{e}",
        "{o}그 {t} {b}다더니 실제로는 {g}더라.{e}",
        "{o}그 {t} {g}지 {b}지는 않다.{e}",
        "{o}그 {t} 아무도 {b}다고 못 할 것이다.{e}",
    ],
    blame: &[
        "{o}그 {t} 참 {b}네.{e}",
        "{o}그 {t} 전혀 {g}지 않다.{e}",
        "{o}그 {t} {g}다더니 실제로는 {b}더라.{e}",
        "{o}그 {t} {b}지 {g}지는 않다.{e}",
        "{o}그 {t} 아무도 {g}다고 못 할 것이다.{e}",
    ],
};

/// Whole numbers that look drawn and are the same each time (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        from[((mixed ^ mixed >> 31) % from.len() as u64) as usize]
    }
}

/// Lines of label, text and part: one in ten is for validation, two are for the test.
fn table(language: &Language) -> String {
    let mut numbers = Numbers(1);
    let mut known = BTreeSet::new();
    let mut table = String::from("label\ttext\tsplit\n");
    for i in 0..COUNT {
        let (label, sentences) = if i % 2 == 0 { ("good", language.praise) } else { ("bad", language.blame) };
        let mut text = numbers.pick(sentences).to_owned();
        for (place, words) in [
            ("{o}", language.openings),
            ("{t}", language.things),
            ("{g}", language.good),
            ("{b}", language.bad),
            ("{e}", language.ends),
        ] {
            text = text.replace(place, numbers.pick(words));
        }
        let part = ["train", "train", "train", "train", "test", "train", "train", "train", "val", "test"]
            [i / 2 % 10];
        if known.insert(text.clone()) {
            writeln!(table, "{label}\t{text}\t{part}").expect("a text grows");
        }
    }
    table
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("name a folder to write to")?;
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)?;
    for (name, language) in [("english", &ENGLISH), ("korean", &KOREAN)] {
        let table = table(language);
        let path = folder.join(name).with_extension("tsv");
        println!("{}: {} texts made from templates", path.display(), table.lines().count() - 1);
        std::fs::write(path, table)?;
    }
    Ok(())
}
