//! How a case ends.

use std::fmt;

/// How a case ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// As recorded.
    Pass,
    /// Our value is another one, checked, for this reason.
    Mended(String),
    /// This differs: what, expected, got.
    Differs(String),
    /// This cannot be run or compared yet.
    NotYet(String),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Pass => f.write_str("pass"),
            Verdict::Mended(why) => write!(f, "mended ({why})"),
            Verdict::Differs(what) => write!(f, "differs: {what}"),
            Verdict::NotYet(what) => write!(f, "not yet: {what}"),
        }
    }
}
