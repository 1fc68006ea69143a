//! What a data set of texts holds, for `foveal data check`.

use crate::output::{Context, count};
use foveal::data::text::{Lengths, UNKNOWN, Vocabulary};
use foveal::data::{Dataset, TrainTest};
use serde::Serialize;

/// So many of the most frequent tokens are named.
const FREQUENT: usize = 12;
/// What a data set of texts holds.
#[derive(Serialize, Clone)]
pub struct TextFacts {
    /// `words`, `chars` or `ngrams`.
    tokens: &'static str,
    /// Size of the vocabulary.
    vocabulary: usize,
    /// How many tokens of a text are read.
    length: usize,
    /// Tokens of the training part's texts: the median, the 95th percentile, the longest.
    median: usize,
    percentile_95: usize,
    longest: usize,
    /// Texts of the training part and of the test part that are longer than what is read.
    cut: [usize; 2],
    /// Share of the read tokens of the training part and of the test part that the vocabulary does not have.
    unknown: [f64; 2],
    /// The most frequent tokens.
    frequent: Vec<String>,
}

impl TextFacts {
    pub fn new(source: &TrainTest, vocabulary: &Vocabulary, length: usize) -> Self {
        let parts = [Some(&source.train), source.test.as_ref()];
        let texts =
            |data: &'_ Dataset| (0..data.len()).filter_map(|i| data.text(i)).map(str::to_owned).collect();
        let texts: [Vec<String>; 2] = parts.map(|part| part.map_or_else(Vec::new, texts));
        let tokens = vocabulary.tokens();
        let lengths = Lengths::new(tokens, texts[0].iter().map(String::as_str));
        let of = |texts: &[String]| {
            let (mut cut, mut unknown, mut all) = (0, 0usize, 0usize);
            for text in texts {
                let (row, whole) = vocabulary.encode(text, length);
                cut += usize::from(whole > length);
                all += whole.min(length);
                unknown += row.iter().filter(|&&id| id == UNKNOWN as f32).count();
            }
            (cut, unknown as f64 / all.max(1) as f64)
        };
        let [(cut, unknown), (cut_test, unknown_test)] = [of(&texts[0]), of(&texts[1])];
        Self {
            tokens: tokens.name(),
            vocabulary: vocabulary.size(),
            length,
            median: lengths.median,
            percentile_95: lengths.most,
            longest: lengths.longest,
            cut: [cut, cut_test],
            unknown: [unknown, unknown_test],
            frequent: vocabulary.entries().iter().take(FREQUENT).cloned().collect(),
        }
    }

    /// In words.
    pub fn text(&self, context: &Context) -> String {
        let Self { tokens, length, median, percentile_95, longest, cut: [cut, cut_test], .. } = self;
        let n = count(self.vocabulary as u64);
        let [unknown, unknown_test] = self.unknown.map(|share| format!("{:.1} %", 100.0 * share));
        let frequent = self.frequent.join(" ");
        context.language.pick(
            format!(
                "\ntexts as {tokens}, a vocabulary of {n} numbers\n\
                 tokens of a training text: median {median}, 95 % at most {percentile_95}, longest {longest}\n\
                 the first {length} are read; longer are {cut} training and {cut_test} test texts\n\
                 unknown tokens: {unknown} of training, {unknown_test} of test\n\
                 most frequent: {frequent}\n"
            ),
            format!(
                "\n글을 {tokens} 단위로 읽음, 어휘의 수 {n}\n\
                 훈련 글의 토큰 수: 중앙값 {median}, 95 %가 {percentile_95} 이하, 가장 긴 글 {longest}\n\
                 처음 {length}개를 읽음. 더 긴 글은 훈련 {cut}편, 시험 {cut_test}편\n\
                 어휘에 없는 토큰: 훈련 {unknown}, 시험 {unknown_test}\n\
                 가장 잦은 토큰: {frequent}\n"
            ),
        )
    }
}
