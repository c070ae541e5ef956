//! Data files that are no texts of the language: what kind a file is, and the way to its reader.

use super::read_text;
#[cfg(any(feature = "sqlite", feature = "parquet"))]
use crate::base::span::Span;
use crate::base::span::{SourceId, SourceMap};
use crate::data::Split;
use crate::data::builder::Builder;
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::syntax::facts::DataSink;
#[cfg(any(feature = "sqlite", feature = "parquet"))]
use crate::syntax::table::{Columns, Rows};
use crate::syntax::table::{Content, check_name, read_csv};
use std::io::Read;
use std::path::Path;

/// What a data file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Facts, examples and queries in the `.db` form.
    Text,
    /// A table in text; the byte between two cells.
    Separated(u8),
    /// An SQLite database: one predicate per table.
    Sqlite,
    /// A Parquet file: a table.
    Parquet,
}

/// The kind of a file, by its first bytes or, where these say nothing, by the end of its name.
#[allow(clippy::disallowed_methods)]
pub fn kind(path: &Path) -> Kind {
    let mut start = Vec::new();
    // Standard input is read once, as a text. A file that cannot be read is complained about by its reader.
    if path.is_file()
        && let Ok(file) = std::fs::File::open(path)
    {
        let _ = file.take(16).read_to_end(&mut start);
    }
    if start.starts_with(b"SQLite format 3\0") {
        return Kind::Sqlite;
    }
    if start.starts_with(b"PAR1") {
        return Kind::Parquet;
    }
    let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    match ending.as_str() {
        "csv" => Kind::Separated(b','),
        "tsv" | "tab" => Kind::Separated(b'\t'),
        "sqlite" | "sqlite3" => Kind::Sqlite,
        "parquet" => Kind::Parquet,
        _ => Kind::Text,
    }
}

/// Reads a data file of any kind into the database that is being built.
pub fn read(path: &Path, sources: &mut SourceMap, builder: &mut Builder<'_>) {
    match kind(path) {
        Kind::Sqlite => builder.shared_facts(|sink| sqlite(path, sources, sink)),
        Kind::Parquet => builder.shared_facts(|sink| parquet(path, sources, sink)),
        kind => match (read_text(path, sources), kind) {
            (Err(d), _) => builder.shared_facts(|_| vec![d]),
            (Ok(source), Kind::Separated(delimiter)) => {
                sources.mark_table(source);
                builder.shared_facts(|sink| separated(path, source, sources.text(source), delimiter, sink));
            }
            (Ok(source), _) => builder.database_text(source, sources.text(source), Split::Train),
        },
    }
}

/// The name of the predicate of a file's facts: the file's name without its ending.
fn predicate(path: &Path) -> Result<String, Diagnostic> {
    let name = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    check_name(&name, &format!("the file `{}`", path.display())).map(|()| name)
}

/// Reads a table in text.
fn separated(
    path: &Path,
    source: SourceId,
    text: &str,
    delimiter: u8,
    sink: &mut impl DataSink,
) -> Diagnostics {
    match predicate(path) {
        Ok(name) => read_csv(source, text, &name, delimiter, Content::Facts, sink),
        Err(d) => vec![d],
    }
}

/// Reads a table of queries about the shared world. The predicate has the name of the file up to its first point, so that
/// `label.train.csv` and `label.test.csv` ask for one.
pub fn read_queries(
    path: &Path,
    source: SourceId,
    text: &str,
    delimiter: u8,
    split: Split,
    builder: &mut Builder<'_>,
) {
    let stem = path.file_name().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let name = stem.split('.').next().unwrap_or("");
    builder.table(split, |sink| match check_name(name, &format!("the file `{}`", path.display())) {
        Ok(()) => read_csv(source, text, name, delimiter, Content::Queries, sink),
        Err(d) => vec![d],
    });
}

/// Reads the tables of an SQLite database.
fn sqlite(path: &Path, sources: &mut SourceMap, sink: &mut impl DataSink) -> Diagnostics {
    #[cfg(feature = "sqlite")]
    return super::sqlite::read(path, sources, sink);
    #[cfg(not(feature = "sqlite"))]
    {
        let _ = (sources, sink);
        vec![without(path, "an SQLite database", "sqlite")]
    }
}

/// Reads a Parquet file.
fn parquet(path: &Path, sources: &mut SourceMap, sink: &mut impl DataSink) -> Diagnostics {
    #[cfg(feature = "parquet")]
    return match predicate(path) {
        Ok(name) => super::parquet::read(path, &name, sources, sink),
        Err(d) => vec![d],
    };
    #[cfg(not(feature = "parquet"))]
    {
        let _ = (sources, sink);
        vec![without(path, "a Parquet file", "parquet")]
    }
}

/// A file that cannot be opened or is not what it seems to be.
#[cfg(any(feature = "sqlite", feature = "parquet"))]
pub(super) fn unreadable(path: &Path, why: impl std::fmt::Display) -> Diagnostic {
    Diagnostic::new(codes::CANNOT_READ, format!("cannot read `{}`: {why}", path.display()))
}

/// The columns of a table that is no text, and the text that is made for messages to point at: one line of them.
#[cfg(any(feature = "sqlite", feature = "parquet"))]
pub(super) fn header(
    label: String,
    name: &str,
    columns: &[&str],
    sources: &mut SourceMap,
) -> Result<(Columns, Span), Diagnostic> {
    let text = format!("{name}({})", columns.join(", "));
    let length = text.len();
    let source = sources.add_table(label, text);
    let span = Span::new(source, 0, length);
    Columns::new(columns.iter().copied()).map(|c| (c, span)).map_err(|fault| fault.at(span))
}

/// Delivers a row as a fact, or says what is wrong with it: `unfit` is a column that holds neither a number nor a
/// text, with what it holds; `place` says which row it is.
#[cfg(any(feature = "sqlite", feature = "parquet"))]
pub(super) fn deliver(
    rows: &mut Rows<'_>,
    (columns, span): (&Columns, Span),
    cells: &Cells,
    unfit: Option<(usize, &str)>,
    place: impl Fn() -> String,
    sink: &mut impl DataSink,
) {
    if let Some((i, what)) = unfit {
        rows.wrong(|| {
            let title = format!("{what} in column `{}`, {}", columns.name(i), place());
            Diagnostic::new(codes::TABLE_ROW, title).label(span, "a cell is a number or a text")
        });
    } else if let Err(mut fault) = rows.row(cells.iter(), span, sink) {
        rows.wrong(|| {
            fault.title += &format!(", {}", place());
            fault.at(span)
        });
    }
}

/// The texts of the cells of a row that comes from a file of values, not of text.
#[cfg(any(feature = "sqlite", feature = "parquet"))]
#[derive(Debug, Default)]
pub(super) struct Cells {
    text: String,
    ends: Vec<usize>,
}

#[cfg(any(feature = "sqlite", feature = "parquet"))]
impl Cells {
    /// Begins a row.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }
    /// Appends a cell.
    pub(super) fn push(&mut self, cell: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = std::fmt::Write::write_fmt(&mut self.text, cell);
        self.ends.push(self.text.len());
    }
    /// Appends a number; one that is not finite is refused as a cell that says `NaN` is.
    pub(super) fn push_number(&mut self, x: f64) {
        if x.is_finite() { self.push(format_args!("{x}")) } else { self.push(format_args!("NaN")) }
    }
    /// The cells.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(from, &to)| &self.text[from..to])
    }
}

/// A file of a kind that this program was built without.
#[cfg(not(all(feature = "sqlite", feature = "parquet")))]
fn without(path: &Path, what: &str, feature: &str) -> Diagnostic {
    let title = format!("`{}` is {what}, which this nlog was built without", path.display());
    Diagnostic::new(codes::CANNOT_READ, title).help(format!(
        "build it with `cargo build --release --features {feature}`, or export the data as CSV"
    ))
}
