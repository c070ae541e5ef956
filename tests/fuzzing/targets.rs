//! The targets. Each returns a signature of what it saw and panics where something does not hold.

use super::corpus::SEAM;
use nlog::base::span::{SourceId, SourceMap};
use nlog::data::builder::Builder;
use nlog::data::{Database, Split, Vocabulary};
use nlog::diag::{Diagnostic, has_errors, render};
use nlog::session::{Session, Settings};
use nlog::syntax::chunk::completeness;
use nlog::syntax::format::{Layout, format};
use nlog::syntax::parser::parse_template;
use nlog::syntax::token::{Token, TokenKind, lex, unquote};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::ControlFlow;

pub type Target = fn(&[u8]) -> u64;

/// How far a whole check got: the first digit of its signatures.
pub const READ: u64 = 1;
pub const BUILT: u64 = 2;
pub const RUN: u64 = 3;

fn signature(stage: u64, of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    stage << 60 | hasher.finish() >> 4
}

/// Bytes as a text. Those that are none must be refused, with their place, where files are read.
fn text(input: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(input) {
        return text.to_string();
    }
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), input).expect("it can be written");
    let mut sources = SourceMap::new();
    let refused = nlog::io::read_text(file.path(), &mut sources).expect_err("this is no text");
    assert_eq!(refused.code.0, "E0504");
    show(&[refused], &sources);
    String::from_utf8_lossy(input).into_owned()
}

/// Every message can be shown; the codes, each once.
fn show(found: &[Diagnostic], sources: &SourceMap) -> Vec<&'static str> {
    for d in found {
        assert!(!d.title.trim().is_empty(), "{d:?}");
        // Long lists of messages show nothing new.
        if found.len() < 50 {
            assert!(render::render(d, sources, false).contains(d.code.0));
            assert!(!render::render(d, sources, true).is_empty());
        }
    }
    let mut codes: Vec<&str> = found.iter().map(|d| d.code.0).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// Tokens tile the text, it can be cut into statements, quoted constants can be read or are refused.
pub fn lexer(input: &[u8]) -> u64 {
    let text = text(input);
    let tokens = lex(&text);
    let mut at = 0;
    for token in &tokens {
        let range = token.range();
        assert!(range.start == at && range.end > at && text.is_char_boundary(range.end), "{token:?} at {at}");
        at = range.end;
        let slice = &text[range];
        if slice.starts_with('\'') {
            let _ = unquote(slice);
        }
    }
    assert_eq!(at, text.len(), "every byte belongs to a token");
    let mut seen: Vec<String> = tokens.iter().map(|t| format!("{:?}", t.kind)).collect();
    seen.dedup();
    seen.truncate(12);
    signature(0, (format!("{:?}", completeness(&text)), seen))
}

/// A template is parsed or refused with places; what was understood is understood the same way when it is printed.
pub fn parser(input: &[u8]) -> u64 {
    let text = text(input);
    let mut sources = SourceMap::new();
    let source = sources.add("template.lrnn", &text);
    let (file, found) = parse_template(source, &text);
    let codes = show(&found, &sources);
    if found.is_empty() {
        let printed = file.to_string();
        let (again, found) = parse_template(source, &printed);
        assert!(found.is_empty(), "what is printed can be read:\n{printed}\n{found:#?}");
        assert_eq!(again.to_string(), printed, "printing is stable");
        assert_eq!(again.statements.len(), file.statements.len());
    }
    let kinds: Vec<String> = file
        .statements
        .iter()
        .map(|s| format!("{s:?}").split(['(', ' ']).next().unwrap_or_default().to_string())
        .take(8)
        .collect();
    let titles: Vec<&str> = found.iter().map(|d| d.title.as_str()).filter(|t| t.len() < 60).take(2).collect();
    signature(0, (codes, kinds, titles))
}

/// The fact reader in its three dialects.
pub fn facts(input: &[u8]) -> u64 {
    let text = text(input);
    let mut seen = Vec::new();
    for dialect in 0..3 {
        let mut sources = SourceMap::new();
        let source = sources.add("facts.db", &text);
        let mut vocabulary = Vocabulary::new();
        let mut builder = Builder::new(&mut vocabulary, Database::new());
        match dialect {
            0 => builder.database_text(source, &text, Split::Train),
            1 => builder.examples((source, &text), Some((source, &text)), Split::Train),
            _ => builder.queries_about_shared_world((source, &text), Split::Test),
        }
        let (database, found) = builder.finish();
        let codes = show(&found, &sources);
        let logarithm = |n: usize| usize::BITS - n.leading_zeros();
        seen.push((codes, logarithm(database.fact_count()), logarithm(database.queries.len())));
    }
    signature(0, seen)
}

/// `fmt` gives what it gives again, and changes nothing but white space.
pub fn fmt(input: &[u8]) -> u64 {
    let text = text(input);
    let words = |text: &str| -> Vec<String> {
        // The sign of a number by itself, as it may be an operator.
        let parts = |t: Token| match (t.kind, text[t.range()].split_at_checked(1)) {
            (TokenKind::Number, Some((sign @ ("+" | "-"), rest))) => vec![sign.to_string(), rest.to_string()],
            _ => vec![text[t.range()].trim().to_string()],
        };
        let kept = lex(text).into_iter().flat_map(parts);
        kept.filter(|t| !t.is_empty() && t != "\u{feff}").collect()
    };
    let mut seen = Vec::new();
    for layout in [Layout::Template, Layout::Data] {
        match format(SourceId(0), &text, layout) {
            Ok(once) => {
                let twice = format(SourceId(0), &once, layout);
                assert_eq!(twice.as_ref().ok(), Some(&once), "{layout:?}: the second time changes nothing");
                assert_eq!(
                    squeezed(&words(&once)),
                    squeezed(&words(&text)),
                    "{layout:?}: only white space changes"
                );
                seen.push((true, once.lines().count().min(30), Vec::new()));
            }
            Err(found) => {
                let mut sources = SourceMap::new();
                sources.add("text", &text);
                seen.push((false, 0, show(&found, &sources)));
            }
        }
    }
    signature(0, seen)
}

/// Words without the white space that comments may hold.
fn squeezed(words: &[String]) -> String {
    words.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A template with data, all the way: reading, checks, habits, grounding, building, two epochs.
pub fn check(input: &[u8]) -> u64 {
    let text = text(input);
    let (template, data) = text.split_once(SEAM).unwrap_or((&text, ""));
    let mut settings = Settings { max_ground: 2000, ..Settings::default() };
    settings.train.epochs = 2;
    let (session, files, found) = Session::from_texts_program(template, data, settings.clone());
    let mut codes = show(&found, &session.sources);
    // Weights of millions of numbers are allowed; a test need not train them.
    let numbers: usize = session.template.weights.iter().map(|w| w.shape.len()).sum();
    if has_errors(&found) || numbers > 100_000 {
        return signature(READ, codes);
    }
    let blocks = template.contains(['@', '$']);
    if blocks && !template.contains("import") {
        // What modules and loops stand for is a template, too, and means the same.
        let statements = files.iter().flat_map(|f| f.statements.iter().cloned()).collect();
        let plain = nlog::syntax::ast::File { statements, ..Default::default() }.to_string();
        let (again, _, found) = Session::from_texts_program(&plain, data, settings.clone());
        assert!(!has_errors(&found), "{plain}\n{}", found[0].title);
        assert_eq!(again.template.rules.len(), session.template.rules.len(), "{plain}");
        assert_eq!(again.template.weights.len(), session.template.weights.len(), "{plain}");
    }
    codes.extend(show(&session.unbound(&|_| true), &session.sources));
    codes.extend(show(&session.habits(&files), &session.sources));
    let (network, found) = session.build();
    codes.extend(show(&found, &session.sources));
    let Some(network) = network else {
        assert!(has_errors(&found), "no network without an error");
        return signature(BUILT, codes);
    };
    let mut parameters = session.initial_parameters();
    match session.run(&network, &mut parameters, &mut |_| ControlFlow::Continue(())) {
        Ok(outcome) => assert_eq!(outcome.values.len(), network.answers.len()),
        Err(d) => {
            assert!(d.is_error());
            codes.extend(show(&[d], &session.sources));
        }
    }
    signature(RUN, codes)
}
