//! Code blocks of the documentation.

use crate::support::{evaluate_only, shown};
use nlog::diag::has_errors;
use nlog::session::Session;
use std::fs;
use std::path::Path;

/// Fenced blocks of a language, with the line on which each begins.
pub fn blocks(text: &str, language: &str) -> Vec<(usize, String)> {
    let mut out = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (i, line) in text.lines().enumerate() {
        match &mut open {
            None if line.trim() == format!("```{language}") => open = Some((i + 1, String::new())),
            Some((_, body)) if line.trim() != "```" => *body += &format!("{line}\n"),
            Some(_) => out.extend(open.take()),
            None => {}
        }
    }
    out
}

#[test]
fn templates_and_data_in_the_documentation_are_right() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut checked = 0;
    let pages = ["lifting", "lifting-modes", "lifting-before-grounding", "performance", "isotropy"]
        .map(|page| format!("docs/{page}.md"));
    for file in ["README.md".to_string(), "grammar/README.md".to_string()].into_iter().chain(pages) {
        let text = fs::read_to_string(root.join(&file)).expect("documentation is there");
        for (line, block) in blocks(&text, "lrnn") {
            let (session, found) = Session::from_texts(&block, "", evaluate_only());
            assert!(!has_errors(&found), "{file}:{line}\n{}", shown(&found, &session));
            checked += 1;
        }
        for (line, block) in blocks(&text, "db") {
            let (session, found) = Session::from_texts("", &block, evaluate_only());
            assert!(!has_errors(&found), "{file}:{line}\n{}", shown(&found, &session));
            checked += 1;
        }
    }
    assert!(checked >= 9, "{checked} blocks");
}

/// Each `console` block shows what a command prints for the last template and data before it.
#[test]
fn commands_of_the_reference_print_what_is_shown() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("grammar/README.md")).expect("documentation is there");
    let commands = blocks(&text, "console");
    assert!(!commands.is_empty());
    for (line, block) in commands {
        let dir = tempfile::tempdir().expect("a temporary folder");
        for (language, file) in [
            ("lrnn", "template.lrnn"),
            ("db", "facts.db"),
            ("examples", "examples.txt"),
            ("queries", "queries.txt"),
        ] {
            if let Some((_, text)) = blocks(&text, language).iter().rfind(|(at, _)| *at < line) {
                fs::write(dir.path().join(file), text).expect("files can be written");
            }
        }
        let (command, shown) = block.split_once('\n').expect("a command");
        let args = command.strip_prefix("$ nlog ").expect("a command of nlog").split(' ');
        let mut nlog = std::process::Command::new(env!("CARGO_BIN_EXE_nlog"));
        let output = nlog.args(args).current_dir(dir.path()).output().expect("nlog runs");
        assert_eq!(String::from_utf8_lossy(&output.stdout), shown, "grammar/README.md:{line}");
    }
}

#[test]
fn commands_in_the_documentation_print_what_is_shown() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("docs/lifting-modes.md")).expect("documentation is there");
    let dir = tempfile::tempdir().expect("a temporary folder");
    for (language, file) in [("lrnn", "template.lrnn"), ("db", "facts.db")] {
        let [(_, block)] = &blocks(&text, language)[..] else { panic!("one block of {language}") };
        fs::write(dir.path().join(file), block).expect("files can be written");
    }
    let runs = blocks(&text, "console");
    assert_eq!(runs.len(), 3);
    for (line, block) in runs {
        let (command, shown) = block.split_once('\n').expect("a command and what it prints");
        let args = command.strip_prefix("$ nlog ").expect("a command of nlog").split_whitespace();
        let mut nlog = std::process::Command::new(env!("CARGO_BIN_EXE_nlog"));
        let output = nlog.current_dir(dir.path()).args(args).output().expect("nlog runs");
        assert_eq!(String::from_utf8_lossy(&output.stdout), shown, "line {line}");
    }
}

#[test]
fn every_function_is_documented() {
    use nlog::tensor::functions::{Activation, Aggregation, Combination};
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("grammar/README.md")).expect("documentation is there");
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    // Second names of the same function.
    let aliases = ["sigm", "layernorm", "stack"];
    for name in Activation::names().iter().chain(Combination::names()).chain(Aggregation::names()) {
        assert!(words.contains(name) || aliases.contains(name), "`{name}` is not in grammar/README.md");
    }
    for name in nlog::template::special::names() {
        assert!(words.contains(&name), "`@{name}` is not in grammar/README.md");
    }
}
