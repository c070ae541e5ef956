//! How diagnostics look: the only user of `ariadne`.

use super::{Diagnostic, Label, Severity};
use crate::base::span::{SourceId, SourceMap, Span};
use ariadne::{CharSet, Color, Config, IndexType, Report, ReportKind};

#[derive(Clone)]
struct Place(Span);

impl ariadne::Span for Place {
    type SourceId = SourceId;
    fn source(&self) -> &SourceId {
        &self.0.source
    }
    fn start(&self) -> usize {
        self.0.start as usize
    }
    fn end(&self) -> usize {
        self.0.end as usize
    }
}

/// Lines longer than this are cut around the labels: a facts file may be one line of ten megabytes.
const LONG_LINE: usize = 400;

/// Texts that `ariadne` asks for, by id; long sources are reduced to windows around the labelled places.
struct Texts {
    names: Vec<(SourceId, String)>,
    sources: Vec<(SourceId, ariadne::Source<String>)>,
}

impl ariadne::Cache<SourceId> for &mut Texts {
    type Storage = String;
    fn fetch(&mut self, id: &SourceId) -> Result<&ariadne::Source<String>, impl std::fmt::Debug> {
        self.sources
            .iter()
            .find(|(i, _)| i == id)
            .map(|(_, s)| s)
            .ok_or("a label outside the session's sources")
    }
    fn display<'a>(&self, id: &'a SourceId) -> Option<impl std::fmt::Display + 'a> {
        self.names.iter().find(|(i, _)| i == id).map(|(_, n)| n.clone())
    }
}

/// The part of a text that is shown around a span. Lines before it are kept empty (`ariadne` counts lines itself);
/// byte `start` of the source stands at byte `shift` of the window.
struct Window {
    text: String,
    start: usize,
    shift: usize,
    /// Characters cut off the first shown line.
    cut: usize,
}

fn boundary(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// A window that covers `spans` (in one source), whole lines where the lines are short.
fn window(text: &str, spans: &[Span]) -> Window {
    let first = boundary(text, spans.iter().map(|s| s.start as usize).min().unwrap_or(0));
    let last = boundary(text, spans.iter().map(|s| s.end as usize).max().unwrap_or(0).max(first));
    let line_start = text[..first].rfind('\n').map_or(0, |i| i + 1);
    let line_end = text[last..].find('\n').map_or(text.len(), |i| last + i);
    let start =
        if first - line_start > LONG_LINE { boundary(text, first - LONG_LINE / 4) } else { line_start };
    let end = if line_end - last > LONG_LINE { boundary(text, last + LONG_LINE / 4) } else { line_end };
    let line = text.as_bytes()[..start].iter().filter(|&&b| b == b'\n').count();
    let cut = text[line_start..start].chars().count();
    // Control characters would be carried out by the terminal; a dot has the same width in bytes.
    let visible = |c: char| match c {
        '\r' => ' ',
        c if c.is_ascii_control() && c != '\n' && c != '\t' => '.',
        c => c,
    };
    let shown: String = text[start..end].chars().map(visible).collect();
    Window { text: "\n".repeat(line) + &shown, start, shift: line, cut }
}

/// A diagnostic about expansions as one about what is written: places in the texts of modules and loops, and a label
/// where each of them was asked for. `None` if it is about no expansion.
fn unfolded(diagnostic: &Diagnostic, sources: &SourceMap) -> Option<Diagnostic> {
    let instance = |l: &Label| sources.get(l.span.source).instance.is_some();
    if !diagnostic.labels.iter().any(instance) {
        return None;
    }
    let mut out = diagnostic.clone();
    let mut more: Vec<Label> = Vec::new();
    for label in &mut out.labels {
        for (span, text) in sources.expansions(label.span.source) {
            let label = Label { span, text: text.to_string() };
            if !more.contains(&label) {
                more.push(label);
            }
        }
        label.span.source = sources.written(label.span.source);
    }
    out.labels.extend(more);
    Some(out)
}

/// Renders one diagnostic as text, coloured if asked, ending in a newline.
pub fn render(diagnostic: &Diagnostic, sources: &SourceMap, color: bool) -> String {
    let unfolded = unfolded(diagnostic, sources);
    let diagnostic = unfolded.as_ref().unwrap_or(diagnostic);
    let Some(main) = diagnostic.labels.first() else { return without_place(diagnostic) };
    let mut ids: Vec<SourceId> = diagnostic.labels.iter().map(|l| l.span.source).collect();
    ids.sort();
    ids.dedup();
    let mut texts = Texts { names: Vec::new(), sources: Vec::new() };
    let mut windows = Vec::new();
    for id in ids {
        let spans: Vec<Span> = diagnostic.labels.iter().map(|l| l.span).filter(|s| s.source == id).collect();
        let w = window(sources.text(id), &spans);
        texts.names.push((id, sources.get(id).name.clone()));
        texts.sources.push((id, ariadne::Source::from(w.text.clone())));
        windows.push((id, w));
    }
    // A span moved into its window, on character boundaries and at least one character wide where there is one.
    let place = |span: Span| {
        let w = &windows.iter().find(|(id, _)| *id == span.source).expect("each label has its window").1;
        let moved = |at: u32| (at as usize).saturating_sub(w.start) + w.shift;
        let start = boundary(&w.text, moved(span.start));
        let mut end = moved(span.end).clamp(start, w.text.len());
        while !w.text.is_char_boundary(end) {
            end += 1;
        }
        if end == start && end < w.text.len() {
            end += w.text[end..].chars().next().map_or(0, char::len_utf8);
        }
        // In characters: told bytes, `ariadne` takes those of labels in a second source for characters all the same.
        let chars = |at: usize| w.text[..at].chars().count();
        Place(Span::new(span.source, chars(start), chars(end)))
    };
    let (kind, tint) = match diagnostic.severity {
        Severity::Error => (ReportKind::Error, Color::Red),
        Severity::Warning => (ReportKind::Warning, Color::Yellow),
        Severity::Note => (ReportKind::Advice, Color::Cyan),
    };
    let config =
        Config::default().with_index_type(IndexType::Char).with_color(color).with_char_set(CharSet::Unicode);
    let mut report = Report::build(kind, place(main.span))
        .with_config(config)
        .with_code(diagnostic.code)
        .with_message(&diagnostic.title);
    // In order of the text within each source: labels that go back open a second section for the same file.
    let rank = |source| diagnostic.labels.iter().position(|l| l.span.source == source);
    let mut labels: Vec<(usize, &crate::diag::Label)> = diagnostic.labels.iter().enumerate().collect();
    labels.sort_by_key(|(_, l)| (rank(l.span.source), l.span.start));
    for (order, (i, label)) in labels.into_iter().enumerate() {
        let color = if i == 0 { tint } else { Color::Blue };
        let mut l = ariadne::Label::new(place(label.span)).with_color(color).with_order(order as i32);
        if !label.text.is_empty() {
            l = l.with_message(&label.text);
        }
        report = report.with_label(l);
    }
    for note in &diagnostic.notes {
        report = report.with_note(note);
    }
    if let Some(help) = &diagnostic.help {
        report = report.with_help(help);
    }
    let mut out = Vec::new();
    match report.finish().write(&mut texts, &mut out) {
        Ok(()) => {
            let text = String::from_utf8_lossy(&out).into_owned();
            let mut text: String = text.lines().map(|l| l.trim_end().to_string() + "\n").collect();
            text.push('\n');
            let cut = windows.iter().find(|(id, _)| *id == main.span.source).map_or(0, |(_, w)| w.cut);
            if cut > 0 {
                let (line, column) = sources.line_column(main.span);
                let name = &sources.get(main.span.source).name;
                let shown = format!("{name}:{line}:{}", column.saturating_sub(cut));
                text = text.replacen(&shown, &format!("{name}:{line}:{column}"), 1);
            }
            text
        }
        Err(_) => without_place(diagnostic),
    }
}

fn without_place(d: &Diagnostic) -> String {
    let word = match d.severity {
        Severity::Error => "Error",
        Severity::Warning => "Warning",
        Severity::Note => "Advice",
    };
    let mut out = format!("[{}] {word}: {}\n", d.code, d.title);
    for note in &d.notes {
        out += &format!("  Note: {note}\n");
    }
    if let Some(help) = &d.help {
        out += &format!("  Help: {help}\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::codes;

    fn show(text: &str, at: &str, label: &str) -> String {
        let mut sources = SourceMap::new();
        let id = sources.add("t.lrnn", text);
        let start = text.find(at).expect("the place is in the text");
        let d = Diagnostic::new(codes::UNKNOWN_FUNCTION, "unknown function")
            .label(Span::new(id, start, start + at.len()), label)
            .note("a note")
            .help("some help");
        render(&d, &sources, false)
    }

    #[test]
    fn spans_are_bytes_also_behind_other_scripts() {
        let out = show("% č 🦀 é\n% žluťoučký 🦀 p(X) :- q(X). [activation=tahn]", "tahn", "here");
        assert!(out.contains("t.lrnn:2:41"), "{out}");
        let lines: Vec<&str> = out.lines().collect();
        let source = lines.iter().position(|l| l.contains("tahn")).expect("the line is shown");
        let column = lines[source].chars().position(|c| c == 't').expect("t");
        let marks: Vec<char> = lines[source + 1].chars().collect();
        let from = lines[source].chars().collect::<String>().find("tahn").expect("there");
        let from = lines[source][..from].chars().count();
        assert!(column <= from);
        // The mark runs under the four letters (the crab is two columns wide).
        let marked: Vec<usize> = (0..marks.len()).filter(|&i| "─┬".contains(marks[i])).collect();
        assert_eq!(marked.len(), 4, "{out}");
        assert!(marked[0] == from || marked[0] == from + 1, "{out}");
    }

    #[test]
    fn a_label_further_up_does_not_open_a_second_section() {
        let mut sources = SourceMap::new();
        let text = "one\n\n\n\ntwo\n";
        let id = sources.add("t.lrnn", text);
        let d = Diagnostic::new(codes::UNPROVABLE, "x")
            .label(Span::new(id, 7, 10), "main")
            .label(Span::new(id, 0, 3), "other");
        let out = render(&d, &sources, false);
        assert_eq!(out.matches("t.lrnn:").count(), 1, "{out}");
        assert!(out.contains("t.lrnn:5:1"), "{out}");
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let out = show("p(X) :- \u{1b}[31m\u{0} HERE.", "HERE", "label");
        assert!(!out.contains('\u{1b}') && !out.contains('\u{0}'), "{out:?}");
        assert!(out.contains(".[31m. HERE"), "{out}");
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let text = format!("{} HERE {}", "a(x), ".repeat(100_000), "b(y), ".repeat(100_000));
        let out = show(&text, "HERE", "label");
        assert!(out.len() < 4000, "{}", out.len());
        assert!(out.contains("HERE"));
        assert!(out.contains("t.lrnn:1:600002"), "{out}");
    }

    #[test]
    fn a_span_at_the_end_or_beyond_is_shown_and_does_not_panic() {
        let mut sources = SourceMap::new();
        let id = sources.add("t.lrnn", "abč");
        for (start, end) in [(4, 4), (0, 99), (3, 3), (50, 60), (3, 4)] {
            let d = Diagnostic::new(codes::UNCLOSED, "x").label(Span::new(id, start, end), "y");
            assert!(render(&d, &sources, true).contains("E0102"));
        }
        let empty = sources.add("empty", "");
        let d = Diagnostic::new(codes::UNCLOSED, "x").label(Span::new(empty, 0, 0), "y");
        assert!(render(&d, &sources, false).contains("E0102"));
    }
}
