use std::{ops::Range, path::Path};

/// A Rust file, read just far enough for the architecture tests: its modules, its public types,
/// its `include!`s and which of its lines are tests.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Source {
    pub(crate) lines: usize,
    pub(crate) test_lines: usize,
    pub(crate) modules: Vec<Module>,
    pub(crate) types: Vec<Type>,
    pub(crate) includes: Vec<String>,
}

/// `mod name;` or `mod name { … }`.
#[derive(Debug, PartialEq)]
pub(crate) struct Module {
    pub(crate) name: String,
    /// The inline modules around it.
    pub(crate) within: Vec<String>,
    /// What its `#[path]` says.
    pub(crate) path: Option<String>,
    pub(crate) inline: bool,
    /// Compiled for tests only.
    pub(crate) test: bool,
}

/// `pub struct Name` and the like, outside tests.
#[derive(Debug, PartialEq)]
pub(crate) struct Type {
    pub(crate) name: String,
    pub(crate) line: usize,
}

impl Source {
    pub(crate) fn read(file: &Path) -> Self {
        Self::parse(&std::fs::read_to_string(file).expect("a readable source file"))
    }

    pub(crate) fn parse(text: &str) -> Self {
        let mut source = Self {
            lines: text.lines().count(),
            ..Self::default()
        };
        let code = mask(text);
        Reader {
            text,
            code: &code,
            tokens: tokens(&code),
            source: &mut source,
        }
        .read();
        source
    }
}

struct Reader<'a> {
    text: &'a str,
    /// The text with comments and literals blanked.
    code: &'a str,
    tokens: Vec<Range<usize>>,
    source: &'a mut Source,
}

impl Reader<'_> {
    fn read(&mut self) {
        let mut within: Vec<(String, usize)> = Vec::new();
        let mut depth = 0;
        let mut test_until = 0;
        let mut at = 0;
        while at < self.tokens.len() {
            let (attributes, item) = self.attributes(at);
            if at >= test_until && attributes.iter().any(|attribute| is_test(attribute)) {
                test_until = self.end_of_item(item);
                self.source.test_lines += self.lines_of(at, test_until);
            }
            if let Some(keyword) = self.module_keyword(item) {
                self.module(keyword, &within, &attributes, at < test_until);
                if self.is(keyword + 2, "{") {
                    within.push((self.word(keyword + 1).to_owned(), depth));
                }
                at = keyword + 2;
                continue;
            }
            if item > at {
                at = item;
                continue;
            }
            match self.word(at) {
                "{" => depth += 1,
                "}" => {
                    depth -= 1;
                    if within.last().is_some_and(|(_, opened)| *opened == depth) {
                        within.pop();
                    }
                }
                "pub" if at >= test_until => self.public_type(at),
                "include" if self.is(at + 1, "!") => self.include(at),
                _ => {}
            }
            at += 1;
        }
    }

    fn word(&self, at: usize) -> &str {
        self.tokens
            .get(at)
            .map_or("", |range| &self.code[range.clone()])
    }

    fn is(&self, at: usize, word: &str) -> bool {
        self.word(at) == word
    }

    fn is_name(&self, at: usize) -> bool {
        self.word(at)
            .starts_with(|c: char| c.is_alphabetic() || c == '_')
    }

    /// Where `mod` stands, when a module begins here.
    fn module_keyword(&self, at: usize) -> Option<usize> {
        let mut at = at;
        if self.is(at, "pub") {
            at += 1;
            if self.is(at, "(") {
                at = self.closing(at) + 1;
            }
        }
        let ends = self.is(at + 2, ";") || self.is(at + 2, "{");
        (self.is(at, "mod") && self.is_name(at + 1) && ends).then_some(at)
    }

    fn module(
        &mut self,
        keyword: usize,
        within: &[(String, usize)],
        attributes: &[String],
        test: bool,
    ) {
        let path = attributes.iter().find_map(|attribute| {
            let value = attribute.strip_prefix("path")?.trim_start();
            let value = value.strip_prefix('=')?.trim();
            Some(value.trim_matches('"').to_owned())
        });
        self.source.modules.push(Module {
            name: self.word(keyword + 1).to_owned(),
            within: within.iter().map(|(name, _)| name.clone()).collect(),
            path,
            inline: self.is(keyword + 2, "{"),
            test,
        });
    }

    fn public_type(&mut self, at: usize) {
        let mut at = at + 1;
        while matches!(self.word(at), "unsafe" | "auto") {
            at += 1;
        }
        let is_type = matches!(
            self.word(at),
            "struct" | "enum" | "trait" | "type" | "union"
        );
        if is_type && self.is_name(at + 1) {
            let line = self.line_of(at);
            let name = self.word(at + 1).to_owned();
            self.source.types.push(Type { name, line });
        }
    }

    fn include(&mut self, at: usize) {
        let open = at + 2;
        let Some(range) = self.tokens.get(open) else {
            return;
        };
        let end = self.tokens[self.closing(open)].start;
        let argument = self.text[range.end..end].trim();
        if let Some(path) = argument.strip_prefix('"').and_then(|a| a.strip_suffix('"')) {
            self.source.includes.push(path.to_owned());
        }
    }

    /// The texts inside the brackets of the attributes from here on, and where they end.
    fn attributes(&self, mut at: usize) -> (Vec<String>, usize) {
        let mut found = Vec::new();
        loop {
            let open = at + 1 + usize::from(self.is(at + 1, "!"));
            if !self.is(at, "#") || !self.is(open, "[") {
                return (found, at);
            }
            let close = self.closing(open);
            let inner = self.tokens[open].end..self.tokens[close].start;
            found.push(self.text[inner].trim().to_owned());
            at = close + 1;
        }
    }

    /// The token that closes the bracket at `open`, or the last token.
    fn closing(&self, open: usize) -> usize {
        let mut depth = 0;
        for at in open..self.tokens.len() {
            match self.word(at) {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => {
                    depth -= 1;
                    if depth == 0 {
                        return at;
                    }
                }
                _ => {}
            }
        }
        self.tokens.len() - 1
    }

    /// The token after the item that begins here.
    fn end_of_item(&self, mut at: usize) -> usize {
        while at < self.tokens.len() {
            match self.word(at) {
                ";" | "," => return at + 1,
                "{" => return self.closing(at) + 1,
                "(" | "[" => at = self.closing(at) + 1,
                _ => at += 1,
            }
        }
        at
    }

    fn line_of(&self, at: usize) -> usize {
        1 + self.code[..self.tokens[at].start].matches('\n').count()
    }

    fn lines_of(&self, from: usize, until: usize) -> usize {
        self.line_of(until - 1) - self.line_of(from) + 1
    }
}

fn is_test(attribute: &str) -> bool {
    let attribute: String = attribute.split_whitespace().collect();
    attribute == "cfg(test)" || attribute.starts_with("cfg(all(test,")
}

/// Names and single characters, without white space.
fn tokens(code: &str) -> Vec<Range<usize>> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut continues = false;
    for (at, c) in code.char_indices() {
        let end = at + c.len_utf8();
        match found.last_mut() {
            Some(last) if continues && is_word(c) => last.end = end,
            _ if c.is_whitespace() => {}
            _ => found.push(at..end),
        }
        continues = is_word(c);
    }
    found
}

/// Blanks comments, texts and characters, byte for byte, so that positions stay.
fn mask(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let word_before = masked.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let length = literal_length(rest, word_before);
        let (taken, left) = rest.split_at(length.unwrap_or(first.len_utf8()));
        if length.is_some() {
            let blank = |byte| if byte == b'\n' { '\n' } else { ' ' };
            masked.extend(taken.bytes().map(blank));
        } else {
            masked.push_str(taken);
        }
        rest = left;
    }
    masked
}

/// The length of the comment or literal that begins here, if one does.
fn literal_length(rest: &str, word_before: bool) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(block_comment_length(rest));
    }
    if rest.starts_with('"') {
        return Some(quoted_length(rest, '"'));
    }
    if !word_before && (rest.starts_with('r') || rest.starts_with("br")) {
        let hashes_at = rest.find('r')? + 1;
        let hashes = rest[hashes_at..].chars().take_while(|c| *c == '#').count();
        let body = hashes_at + hashes;
        if rest[body..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let close = rest[body + 1..].find(&end);
            return Some(close.map_or(rest.len(), |close| body + 1 + close + end.len()));
        }
    }
    if rest.starts_with('\'') {
        let mut characters = rest.chars().skip(1);
        let first = characters.next()?;
        // `'a'` and `'\n'` are characters, `'a` is a lifetime.
        if first == '\\' || characters.next() == Some('\'') {
            return Some(quoted_length(rest, '\''));
        }
    }
    None
}

fn quoted_length(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn block_comment_length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let (mut depth, mut at) = (0, 0);
    while at < bytes.len() {
        match bytes.get(at..at + 2) {
            Some(b"/*") => (depth, at) = (depth + 1, at + 2),
            Some(b"*/") => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

#[test]
fn reads_modules_types_and_test_lines() {
    let text = r##"//! mod not;
/* pub struct Not; /* nested */ mod nor; */
mod plain;
pub(crate) mod visible;
#[path = "gen/v1.rs"]
mod generated;
pub mod outer {
    mod inner;
    pub struct Inner<'a>(&'a str, char);
    const TEXT: &str = r#"mod no; pub struct No; }}} "# ;
    const BRACE: char = '{';
    const QUOTE: char = '\'';
}
pub enum Last { A, B }
pub(crate) struct Hidden;
pub unsafe trait Careful {}
include!("made.rs");
#[cfg(test)]
mod tests {
    pub struct InTest;
    fn f() { let s = "}"; }
}
#[cfg(test)]
mod cases;
#[cfg(all(test, unix))]
use x::{y, z};
#[cfg(any(test, feature = "testing"))]
pub mod testing;
"##;
    let source = Source::parse(text);
    let modules: Vec<(&str, Vec<&str>, bool, bool)> = source
        .modules
        .iter()
        .map(|m| {
            let within = m.within.iter().map(String::as_str).collect();
            (m.name.as_str(), within, m.inline, m.test)
        })
        .collect();
    assert_eq!(
        modules,
        [
            ("plain", vec![], false, false),
            ("visible", vec![], false, false),
            ("generated", vec![], false, false),
            ("outer", vec![], true, false),
            ("inner", vec!["outer"], false, false),
            ("tests", vec![], true, true),
            ("cases", vec![], false, true),
            ("testing", vec![], false, false),
        ]
    );
    assert_eq!(source.modules[2].path.as_deref(), Some("gen/v1.rs"));
    let types: Vec<(&str, usize)> = source
        .types
        .iter()
        .map(|t| (t.name.as_str(), t.line))
        .collect();
    assert_eq!(types, [("Inner", 9), ("Last", 14), ("Careful", 16)]);
    assert_eq!(source.includes, ["made.rs"]);
    assert_eq!(source.lines, 28);
    assert_eq!(source.test_lines, 5 + 2 + 2);
}
