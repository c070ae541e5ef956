//! The long explanation of every code: one file of `docs/errors` each, carried inside the binary.
//!
//! A file is Markdown: a title, some sentences, and fenced blocks with a wrong program, the message that it gives and a
//! right program. `tests/suite/explain.rs` runs them all.

use super::{Code, Diagnostic, codes, suggest};

macro_rules! texts {
    ($($code:literal),* $(,)?) => {
        /// Every code's explanation, in the order of [`codes::ALL`].
        pub const TEXTS: &[(&str, &str)] =
            &[$(($code, include_str!(concat!("../../docs/errors/", $code, ".md")))),*];
    };
}

texts! {
    "E0101", "E0102", "E0103", "E0104", "E0105", "E0106", "E0107", "E0108", "E0109", "E0110", "E0111",
    "E0201", "E0202", "E0203", "E0204", "E0205", "E0206", "E0207", "E0208", "E0209", "W0210", "W0211",
    "E0212", "E0213", "E0214", "W0215", "E0216", "E0217", "E0218", "E0219", "E0220", "E0221", "E0222",
    "E0223", "W0224", "E0228", "E0229", "E0230", "W0231", "E0232", "E0233", "E0301", "W0302", "E0303", "W0304", "W0305", "W0306", "W0307", "W0308", "W0309",
    "W0310", "W0311", "E0312", "E0313", "E0314", "W0315", "W0316", "W0317", "W0318", "W0319", "W0320", "E0401", "E0402",
    "E0403", "W0404", "W0405", "W0406", "W0407", "E0501", "E0502", "E0503", "E0504", "E0505", "E0506", "E0507", "W0508", "E0509", "W0510",
    "W0511", "W0512", "W0513", "W0514", "W0515", "W0516", "E0517", "E0518", "E0519", "E0520", "E0521", "W0522", "E0601", "W0701", "W0702", "E0703", "W0704", "E0705", "E0706", "E0707", "E0801", "E0802",
    "W0803", "W0804", "W0805", "W0806", "W0807", "W0808", "E1001", "E1002", "E1003", "E1004", "W1005"
}

/// The phases, by the first two digits of their codes.
pub const PHASES: &[(&str, &str)] = &[
    ("01", "syntax"),
    ("02", "names"),
    ("03", "safety and strata"),
    ("04", "shapes"),
    ("05", "data"),
    ("06", "grounding"),
    ("07", "graph"),
    ("08", "training"),
    ("10", "command line and files"),
];

/// The explanation of a code, as Markdown.
pub fn text(code: Code) -> Option<&'static str> {
    TEXTS.iter().find(|(c, _)| *c == code.0).map(|(_, t)| *t)
}

/// The code that a user's word names, in any case; if there is none, what to say about it.
pub fn find(word: &str) -> Result<Code, Box<Diagnostic>> {
    let all = || codes::ALL.iter().map(|(c, _)| *c);
    if let Some(code) = all().find(|c| c.0.eq_ignore_ascii_case(word)) {
        return Ok(code);
    }
    let mut d = Diagnostic::new(codes::USAGE, format!("there is no code `{word}`"));
    // The digits alone identify a code: `W0401`, `0401` and `401` mean E0401.
    let digits: String = word.chars().filter(char::is_ascii_digit).collect();
    let same = all().find(|c| digits.parse().is_ok_and(|n: u32| c.0[1..].parse() == Ok(n)));
    d.help = same
        .map(|c| format!("did you mean `{c}`?"))
        .or_else(|| suggest::did_you_mean(&word.to_ascii_uppercase(), all().map(|c| c.0)))
        .or_else(|| Some("`nlog explain` lists all codes".to_string()));
    Err(Box::new(d))
}

/// All codes by phase, each with its meaning in one line.
pub fn table() -> String {
    let mut out = String::new();
    for (digits, phase) in PHASES {
        if !out.is_empty() {
            out.push('\n');
        }
        out += &format!("{phase}\n");
        for (code, summary) in codes::ALL.iter().filter(|(c, _)| c.0[1..].starts_with(digits)) {
            out += &format!("  {code}  {summary}\n");
        }
    }
    out
}

/// The explanation of a code for a terminal: blocks are indented below a line that says what they are.
pub fn plain(code: Code) -> String {
    let mut out = String::new();
    let mut inside = false;
    for line in text(code).unwrap_or_default().lines() {
        match line.strip_prefix("```") {
            Some(_) if inside => inside = false,
            Some(info) => {
                inside = true;
                out += &format!("{}:\n", heading(info));
            }
            None if inside && line.is_empty() => out.push('\n'),
            None if inside => out += &format!("    {line}\n"),
            None => out += &format!("{}\n", line.strip_prefix("# ").unwrap_or(line)),
        }
    }
    out
}

/// What a block is, from the words behind its fence: a kind, `wrong` or `right`, and a file.
pub fn heading(info: &str) -> String {
    let words: Vec<&str> = info.split_whitespace().collect();
    let [kind, rest @ ..] = &words[..] else { return String::new() };
    let what = match (*kind, rest.get(1)) {
        (_, Some(file)) => *file,
        ("lrnn", _) => "template.lrnn",
        ("db" | "latin1", _) => "facts.db",
        ("examples", _) => "examples.txt",
        ("queries", _) => "queries.txt",
        ("csv", _) => "bond.csv",
        ("console", _) => "command",
        _ => "The message",
    };
    match rest.first() {
        Some(&"wrong") => format!("Wrong, {what}"),
        Some(&"right") => format!("Right, {what}"),
        _ => what.to_string(),
    }
}
