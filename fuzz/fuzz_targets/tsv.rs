#![no_main]
//! TSV of texts, their tokens and vocabulary.

use foveal::data::text::Tokens;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(read) = foveal::data::tsv::read_tsv(bytes, "x", None, None) else { return };
    assert_eq!(read.texts.len(), read.lines.len());
    for tokens in [Tokens::Words, Tokens::Chars, Tokens::Ngrams] {
        for text in &read.texts {
            assert!(tokens.split(text).iter().all(|token| !token.is_empty()));
        }
    }
    let _ = Tokens::suited_to(read.texts.iter().map(String::as_str));
});
