//! Cuts a script into entries, as a terminal would get them: a command ends with its line, statements go on until they
//! are complete.

use crate::syntax::chunk::{Completeness, completeness};
use crate::syntax::token::{TokenKind, Tokens};
use std::ops::Range;

/// Whether a line is a command: a colon and a letter (no statement begins a line so).
pub fn is_command(line: &str) -> bool {
    let mut chars = line.trim_start().chars();
    chars.next() == Some(':') && chars.next().is_none_or(|c| c != '-' && !c.is_ascii_digit())
}

/// Whether a text ends inside a block comment: then nothing that follows is a command.
pub fn in_comment(text: &str) -> bool {
    Tokens::new(text).any(|t| t.kind == TokenKind::UnclosedComment)
}

/// The entries of a script, in order, as byte ranges.
pub struct Entries<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Entries<'t> {
    /// Begins at the first line.
    pub fn new(text: &'t str) -> Self {
        Entries { text, at: 0 }
    }

    fn line_end(&self, from: usize) -> usize {
        self.text[from..].find('\n').map_or(self.text.len(), |i| from + i + 1)
    }

    /// The end of the line in which the metadata of the rule that ends at `end` begins, if it is on a later line.
    fn metadata_line(&self, start: usize, end: usize) -> Option<usize> {
        let tokens = |text: &'t str| Tokens::new(text).filter(|t| !t.kind.is_trivia());
        let mut arrow = false;
        let mut rule = false;
        for token in tokens(&self.text[start..end]) {
            rule = token.kind == TokenKind::Stop && arrow;
            arrow = token.kind.is_arrow() || (arrow && token.kind != TokenKind::Stop);
        }
        let mut next = tokens(&self.text[end..]);
        let bracket = next.next().filter(|t| rule && t.kind == TokenKind::LeftBracket)?;
        let word = next.next()?;
        matches!(word.kind, TokenKind::Name | TokenKind::Variable | TokenKind::RightBracket)
            .then(|| self.line_end(end + bracket.start as usize))
    }
}

impl Iterator for Entries<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let (mut start, mut end) = (self.at, self.at);
        while end < self.text.len() {
            let line = self.line_end(end);
            if is_command(&self.text[end..line]) && !in_comment(&self.text[start..end]) {
                // A statement that a command interrupts is an entry by itself: a faulty one.
                self.at = if start == end { line } else { end };
                return Some(start..self.at);
            }
            end = line;
            let mut state = completeness(&self.text[start..end]);
            while state == Completeness::Complete
                && let Some(more) = self.metadata_line(start, end)
            {
                end = more;
                state = completeness(&self.text[start..end]);
            }
            match state {
                Completeness::Empty => start = end,
                Completeness::Complete => {
                    self.at = end;
                    return Some(start..end);
                }
                Completeness::Incomplete => {}
            }
        }
        self.at = end;
        (start < end).then_some(start..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        Entries::new(text).map(|r| text[r].trim()).collect()
    }

    #[test]
    fn statements_go_on_and_commands_end_with_their_line() {
        assert_eq!(cut(""), Vec::<&str>::new());
        assert_eq!(cut("% only\n/* comments\n:help */\n"), Vec::<&str>::new());
        assert_eq!(cut("a(1).\np(X) :-\n  a(X).\n?- p(X)."), ["a(1).", "p(X) :-\n  a(X).", "?- p(X)."]);
        assert_eq!(cut("a(1). b(2).\n:train 5\n?- a(X).\n"), ["a(1). b(2).", ":train 5", "?- a(X)."]);
        assert_eq!(cut("p(X) :- a(X)\n:train\na(1)."), ["p(X) :- a(X)", ":train", "a(1)."]);
        assert_eq!(cut("a(1"), ["a(1"]);
        assert_eq!(cut("/* open\n:help"), ["/* open\n:help"]);
    }

    #[test]
    fn metadata_on_the_next_line_belongs_to_its_rule() {
        let rule = "p(X) :- a(X).\n  % why\n  [aggregation=max,\n   activation=relu]";
        assert_eq!(cut(&format!("{rule}\na(1).")), [rule, "a(1)."]);
        assert_eq!(cut("a(1).\n[rule=identity]\n"), ["a(1).", "[rule=identity]"]);
    }
}
