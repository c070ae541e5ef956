//! `docs/errors`: every code has its text, and every text is true: its wrong program gives the message that it shows,
//! and nothing else, and its right program gives none.

use crate::support::shown;
use nlog::diag::{Code, Diagnostic, codes, explain, has_errors};
use nlog::session::{Session, Settings};
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Output};

/// A fenced block: the words behind the fence, and what it holds.
struct Block<'t> {
    info: Vec<&'t str>,
    text: String,
}

impl Block<'_> {
    /// Whether it belongs to the `wrong` or the `right` program; unmarked blocks belong to both.
    fn belongs(&self, mark: &str) -> bool {
        self.info.get(1).is_none_or(|m| *m == mark)
    }
    fn file(&self) -> Option<&str> {
        let name = match self.info[0] {
            "lrnn" => "template.lrnn",
            "db" | "latin1" => "facts.db",
            "examples" => "examples.txt",
            "queries" => "queries.txt",
            "csv" => "bond.csv",
            "console" | "text" => return None,
            other => panic!("`{other}` is no kind of block"),
        };
        Some(self.info.get(2).copied().unwrap_or(name))
    }
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut out: Vec<Block<'_>> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        match line.strip_prefix("```") {
            Some(_) if inside => inside = false,
            Some(info) => {
                inside = true;
                let info: Vec<&str> = info.split_whitespace().collect();
                assert!(info.get(1).is_none_or(|m| ["wrong", "right"].contains(m)), "{info:?}");
                out.push(Block { info, text: String::new() });
            }
            None if inside => out.last_mut().expect("a fence is open").text += &format!("{line}\n"),
            None => {}
        }
    }
    assert!(!inside, "a fence is never closed");
    out
}

fn of(blocks: &[Block<'_>], kind: &str, mark: &str) -> Option<String> {
    blocks.iter().find(|b| b.info[0] == kind && b.belongs(mark)).map(|b| b.text.clone())
}

/// All that a program from texts gives rise to, training included.
fn found(blocks: &[Block<'_>], mark: &str) -> (Session, Vec<Diagnostic>) {
    let text = |kind| of(blocks, kind, mark).unwrap_or_default();
    let (session, mut out) = Session::from_texts(&text("lrnn"), &text("db"), Settings::default());
    if has_errors(&out) {
        return (session, out);
    }
    let (network, more) = session.build();
    out.extend(more);
    if let Some(network) = network {
        let mut parameters = session.initial_parameters();
        out.extend(session.run(&network, &mut parameters, &mut |_| ControlFlow::Continue(())).err());
    }
    (session, out)
}

fn nlog(dir: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nlog"));
    command.args(args).current_dir(dir).env("NO_COLOR", "1").output().expect("nlog runs")
}

/// The command of a text in a folder with its files: success, and standard error.
fn command(blocks: &[Block<'_>], mark: &str) -> (bool, String) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for block in blocks.iter().filter(|b| b.belongs(mark)) {
        let Some(name) = block.file() else { continue };
        let bytes = match block.info[0] {
            "latin1" => {
                block.text.chars().map(|c| u8::try_from(c).expect("a character of Latin-1")).collect()
            }
            _ => block.text.clone().into_bytes(),
        };
        fs::write(dir.path().join(name), bytes).expect("files can be written");
    }
    let line = of(blocks, "console", mark).expect("a command");
    let args: Vec<&str> =
        line.strip_prefix("$ nlog ").expect("a command of nlog").split_whitespace().collect();
    let o = nlog(dir.path(), &args);
    (o.status.success(), String::from_utf8(o.stderr).expect("messages are text"))
}

/// The codes of the messages in a text, whose first lines are like `[E0401] Error: …`.
fn codes_in(text: &str) -> Vec<&str> {
    let head = |l: &'_ str| l.starts_with('[') && (l.contains("] Error: ") || l.contains("] Warning: "));
    text.lines().filter(|l| head(l)).filter_map(|l| l.get(1..6)).collect()
}

/// With `NLOG_BLESS=1` the message that a text shows is replaced by the one that there is; run the test again, and read
/// the difference before you commit it.
fn bless(code: Code, is: &str) {
    if std::env::var_os("NLOG_BLESS").is_none() {
        return;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/errors/{code}.md"));
    let text = fs::read_to_string(&path).expect("the text is there");
    fs::write(&path, blessed(&text, is)).expect("texts can be written");
}

/// A text whose message is another one: what stands in the first block `text` of the wrong program.
fn blessed(text: &str, is: &str) -> String {
    let mut out = String::new();
    let (mut inside, mut replaces, mut done) = (false, false, false);
    for line in text.lines() {
        let fence = line.strip_prefix("```");
        if let Some(info) = fence {
            let words: Vec<&str> = info.split_whitespace().collect();
            inside = !inside;
            replaces = inside && !done && matches!(words[..], ["text"] | ["text", "wrong", ..]);
        }
        if fence.is_some() || !replaces {
            out += &format!("{line}\n");
        }
        if fence.is_some() && replaces {
            out += &format!("{is}\n");
            done = true;
        }
    }
    out
}

#[test]
fn only_the_message_is_blessed() {
    let page = |message: &str| {
        format!("# E0001: e\n\n```db wrong\ne.\n```\n\n```text\n{message}```\n\n```text right\ne\n```\n")
    };
    let expected = page("new\nmessage\n");
    for message in ["", "\n", "e\n", "old\n\ntext\n", "new\nmessage\n"] {
        assert_eq!(blessed(&page(message), "new\nmessage"), expected, "{message:?}");
    }
}

fn check(code: Code, text: &str) {
    let blocks = blocks(text);
    let message = of(&blocks, "text", "wrong").unwrap_or_else(|| panic!("{code} shows no message"));
    for mark in ["wrong", "right"] {
        let marked = blocks.iter().any(|b| b.info.get(1) == Some(&mark));
        assert!(marked, "{code} has no {mark} program");
    }
    if of(&blocks, "console", "wrong").is_some() {
        let (success, errors) = command(&blocks, "wrong");
        assert_eq!(codes_in(&errors), [code.0], "{code}, wrong program:\n{errors}");
        bless(code, errors.trim_end());
        assert!(
            !message.trim().is_empty() && errors.contains(&message),
            "{code} shows\n{message}\nbut there is\n{errors}"
        );
        assert_eq!(success, code.0.starts_with('W'), "{code}");
        let (success, errors) = command(&blocks, "right");
        assert!(success && codes_in(&errors).is_empty(), "{code}, right program:\n{errors}");
    } else {
        let (session, out) = found(&blocks, "wrong");
        let all = shown(&out, &session);
        assert!(out.len() == 1 && out[0].code == code, "{code}, wrong program:\n{all}");
        bless(code, all.trim_end());
        assert_eq!(all.trim_end(), message.trim_end(), "{code}");
        let (session, out) = found(&blocks, "right");
        assert!(out.is_empty(), "{code}, right program:\n{}", shown(&out, &session));
    }
}

#[test]
fn every_code_has_its_text_and_every_text_its_code() {
    let all: Vec<&str> = codes::ALL.iter().map(|(c, _)| c.0).collect();
    let texts: Vec<&str> = explain::TEXTS.iter().map(|(c, _)| *c).collect();
    assert_eq!(texts, all, "src/diag/explain.rs lists the codes of src/diag/codes.rs, in their order");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/errors");
    let entries = fs::read_dir(folder).expect("the folder is there");
    let name =
        |e: std::io::Result<fs::DirEntry>| e.expect("listed").file_name().to_string_lossy().into_owned();
    let mut files: Vec<String> = entries.map(name).collect();
    let mut expected: Vec<String> = all.iter().map(|c| format!("{c}.md")).collect();
    files.sort();
    expected.sort();
    assert_eq!(files, expected);
    for (code, summary) in codes::ALL {
        let text = explain::text(*code).expect("every code has its text");
        assert_eq!(text.lines().next(), Some(&*format!("# {code}: {summary}")));
        let prose = text.split("\n```").next().expect("a part").lines().skip(2).collect::<Vec<_>>().join(" ");
        assert!(prose.len() > 100 && prose.trim_end().ends_with(['.', '`']), "{code}: {prose}");
        let phase = explain::PHASES.iter().any(|(digits, _)| code.0[1..].starts_with(digits));
        assert!(phase, "the phase of {code} has no name");
    }
}

#[test]
fn every_text_shows_what_happens() {
    for (code, _) in codes::ALL {
        check(*code, explain::text(*code).expect("every code has its text"));
    }
}

#[test]
fn the_command_prints_texts_and_the_table() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let run = |args: &[&str]| {
        let o = nlog(dir.path(), args);
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (o.status.code(), text(o.stdout), text(o.stderr))
    };
    let (status, text, _) = run(&["explain", "e0401"]);
    assert_eq!(status, Some(0));
    assert!(text.starts_with("E0401: a weight or value of the wrong shape\n"), "{text}");
    for part in [
        "\nWrong, template.lrnn:\n    {4,7} h(X)",
        "\nThe message:\n    [E0401]",
        "\nRight, template.lrnn:\n",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    assert!(!text.contains("```"), "{text}");
    let (status, text, _) = run(&["explain"]);
    assert_eq!(status, Some(0));
    for (code, summary) in codes::ALL {
        assert!(text.contains(&format!("\n  {code}  {summary}\n")), "{code} is missing in\n{text}");
    }
    for (word, help) in
        [("W0401", "did you mean `E0401`"), ("503", "did you mean `E0503`"), ("shape", "lists all codes")]
    {
        let (status, text, errors) = run(&["explain", word]);
        assert_eq!((status, text.as_str()), (Some(2), ""), "{word}");
        assert!(errors.contains("E1001") && errors.contains(help), "{word}\n{errors}");
    }
    assert!(run(&["--help"]).1.contains("nlog explain E0401"));
}
