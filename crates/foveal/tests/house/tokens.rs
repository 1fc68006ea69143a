//! Rust sources as tokens: what is left when comments and the insides of texts are gone.

/// A word or sign, and the line on which it begins, counted from 1.
pub struct Token {
    pub text: String,
    pub line: usize,
}

/// The words and signs of `source`; a text or a character is the token `""`, and `::` is one token.
pub fn of(source: &str) -> Vec<Token> {
    let chars: Vec<char> = source.chars().collect();
    let mut tokens = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < chars.len() {
        let start = at;
        let mut push = |text: String| tokens.push(Token { text, line });
        let (c, next) = (chars[at], chars.get(at + 1).copied().unwrap_or(' '));
        if c == '/' && (next == '/' || next == '*') {
            at = after_comment(&chars, at);
        } else if let Some(end) = after_text(&chars, at) {
            push("\"\"".to_owned());
            at = end;
        } else if c == '\'' {
            at += 1; // the mark of a lifetime or of a label
        } else if c.is_alphanumeric() || c == '_' {
            let end = (at..chars.len()).find(|i| !(chars[*i].is_alphanumeric() || chars[*i] == '_'));
            let end = end.unwrap_or(chars.len());
            push(chars[at..end].iter().collect());
            at = end;
        } else if c == ':' && next == ':' {
            push("::".to_owned());
            at += 2;
        } else {
            if !c.is_whitespace() {
                push(c.to_string());
            }
            at += 1;
        }
        line += chars[start..at].iter().filter(|c| **c == '\n').count();
    }
    tokens
}

/// The functions of a source: name, first line, number of lines from `fn` to the closing brace.
pub fn functions(tokens: &[Token]) -> Vec<(&str, usize, usize)> {
    let text = |at: usize| tokens.get(at).map_or("", |t| t.text.as_str());
    let mut found = Vec::new();
    // `fn` before a bracket is a type.
    for at in (0..tokens.len()).filter(|at| text(*at) == "fn" && text(at + 1) != "(") {
        let mut depth = 0;
        let end = (at..tokens.len()).find(|i| {
            depth += i32::from(matches!(text(*i), "(" | "[")) - i32::from(matches!(text(*i), ")" | "]"));
            depth == 0 && matches!(text(*i), "{" | ";")
        });
        // A method that a trait only declares has no block.
        let Some(open) = end.filter(|end| text(*end) == "{") else { continue };
        let close = open + block(&tokens[open..]) - 1;
        found.push((text(at + 1), tokens[at].line, tokens[close].line - tokens[at].line + 1));
    }
    found
}

/// How many tokens the block takes that `tokens` begins with.
pub fn block(tokens: &[Token]) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    panic!("a block without an end");
}

/// Where the comment ends that begins at `at`; block comments nest.
fn after_comment(chars: &[char], at: usize) -> usize {
    if chars[at + 1] == '/' {
        return (at..chars.len()).find(|i| chars[*i] == '\n').unwrap_or(chars.len());
    }
    let (mut depth, mut at) = (0, at);
    loop {
        match (chars[at], chars[at + 1]) {
            ('/', '*') => (depth, at) = (depth + 1, at + 2),
            ('*', '/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
}

/// Where the text or character ends that begins at `at`, if one does: `"…"`, `b"…"`, `r#"…"#`, `'…'`.
fn after_text(chars: &[char], at: usize) -> Option<usize> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let mut i = at;
    if at == 0 || !word(chars[at - 1]) {
        i += usize::from(chars[i] == 'b' || chars[i] == 'c');
        if chars.get(i) == Some(&'r') {
            let hashes = chars[i + 1..].iter().take_while(|c| **c == '#').count();
            let open = i + 1 + hashes;
            if chars.get(open) == Some(&'"') {
                let closed = |i: &usize| {
                    let after = &chars[i + 1..];
                    chars[*i] == '"' && after.iter().take_while(|c| **c == '#').count() >= hashes
                };
                return (open + 1..chars.len()).find(closed).map(|i| i + 1 + hashes);
            }
        }
    }
    let quote = *chars.get(i)?;
    // 'a is a lifetime, 'a' a character.
    let character = quote == '\'' && (chars.get(i + 1) == Some(&'\\') || chars.get(i + 2) == Some(&'\''));
    if quote != '"' && !character {
        return None;
    }
    i += 1;
    while chars[i] != quote {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    Some(i + 1)
}
