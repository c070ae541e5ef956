//! Facts from tables: what a header means, which constant a cell is, and the streaming reader of CSV.
//!
//! A table states facts of one predicate, one per row. Columns called `value`, or `value.0`, `value.1`, …, hold the
//! fact's value; the others are its arguments, in order. Nothing is said about a table that an ordinary fact could not
//! say: rows are delivered to a [`DataSink`] as facts of the shared world whose values are fixed constants. A table of
//! queries is the same with `target` for `value`.

use super::cursor::too_long;
use super::facts::{AtomRef, DataSink, TermClass, TermRef, ValueRef};
use super::token::{TokenKind, lex};
use super::value::finite_number;
use crate::base::hash::HashMap;
use crate::base::span::{SourceId, Span};
use crate::diag::{Code, Diagnostic, Diagnostics, codes, counted};

/// Most arguments of a predicate of a table, as of any predicate.
const MOST_ARGUMENTS: usize = 63;
/// Rows of one table that are shown to be wrong; the others are counted.
const SHOWN: usize = 5;
/// Most bytes of a row that a message marks.
const MARKED: usize = 80;

/// What is wrong with a table, and in which column (from 0) if it is about one; whoever knows the place adds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// Its code.
    pub code: Code,
    /// One line: what is wrong.
    pub title: String,
    /// The column.
    pub column: Option<usize>,
    /// What to say at the place.
    pub label: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Fault {
    fn new(code: Code, title: impl Into<String>, column: Option<usize>, label: impl Into<String>) -> Self {
        Fault { code, title: title.into(), column, label: label.into(), help: None }
    }

    fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// The fault at its place.
    pub fn at(self, span: Span) -> Diagnostic {
        let mut d = Diagnostic::new(self.code, self.title).label(span, self.label);
        d.help = self.help;
        d
    }
}

/// What the rows of a table are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Facts, whose value is in the columns `value`.
    Facts,
    /// Queries about the shared world, whose target is in the columns `target`.
    Queries,
}

impl Content {
    /// What the columns of the numbers are called.
    fn word(self) -> &'static str {
        match self {
            Content::Facts => "value",
            Content::Queries => "target",
        }
    }
}

/// What a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Argument,
    /// This element of the value.
    Value(usize),
}

/// The columns of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Columns {
    names: Vec<String>,
    kinds: Vec<Column>,
    arity: usize,
    /// Numbers of the value; 0: the table states none.
    elements: usize,
    content: Content,
}

impl Columns {
    /// What a header means: names differ, none is empty or a number, and the columns of a value are complete.
    pub fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Result<Columns, Fault> {
        Columns::of(Content::Facts, names)
    }

    /// The same for rows of either kind.
    pub fn of<'n>(content: Content, names: impl IntoIterator<Item = &'n str>) -> Result<Columns, Fault> {
        let word = content.word();
        let elements_help =
            || format!("the elements of a vector are `{word}.0`, `{word}.1` and so on, without a gap");
        let names: Vec<String> = names.into_iter().map(|n| n.trim().to_string()).collect();
        let fault =
            |i: usize, title: String, label: &str| Fault::new(codes::TABLE_HEADER, title, Some(i), label);
        let mut kinds = Vec::with_capacity(names.len());
        let mut seen: HashMap<&str, usize> = HashMap::default();
        for (i, name) in names.iter().enumerate() {
            if name.is_empty() {
                let title = format!("column {} has no name", i + 1);
                return Err(
                    fault(i, title, "no name here").help("the first row of a table names its columns")
                );
            }
            if number(name) {
                let title = format!("column {} is called `{name}`: the first row names the columns", i + 1);
                let help = "put a row of names above the data, as in `from,to,value`";
                return Err(fault(i, title, "a number, not a name").help(help));
            }
            if names.len() == 1 && name.contains([';', '\t']) {
                let title = format!("there is one column, called `{}`", name.escape_debug());
                let help = "columns are separated by commas in .csv, and by tabs in .tsv";
                return Err(fault(i, title, "one name with a separator in it").help(help));
            }
            if let Some(first) = seen.insert(name, i) {
                let title = format!("columns {} and {} are both called `{name}`", first + 1, i + 1);
                return Err(fault(i, title, "this name is taken"));
            }
            kinds.push(match name.strip_prefix(word) {
                Some("") => Column::Value(0),
                Some(rest) if rest.starts_with('.') => {
                    let index = rest[1..].parse().ok().filter(|i: &usize| i.to_string() == rest[1..]);
                    let Some(index) = index else {
                        let title = format!("`{name}` is no element of a value");
                        return Err(fault(i, title, "not a number behind the point").help(elements_help()));
                    };
                    Column::Value(index)
                }
                _ => Column::Argument,
            });
        }
        let arity = kinds.iter().filter(|k| **k == Column::Argument).count();
        let elements = names.len() - arity;
        if let (Some(&i), true) = (seen.get(word), elements > 1) {
            let title = format!("`{word}` and `{word}.0`: a {word} is one number or a vector, not both");
            return Err(fault(i, title, "one number"));
        }
        for (i, kind) in kinds.iter().enumerate() {
            if let Column::Value(e) = kind
                && *e >= elements
            {
                let missing = (0..elements).find(|e| !kinds.contains(&Column::Value(*e))).unwrap_or(0);
                let title = format!("`{}` without `{word}.{missing}`", names[i]);
                return Err(fault(i, title, &format!("an element of the {word}")).help(elements_help()));
            }
        }
        drop(seen);
        if arity > MOST_ARGUMENTS {
            let title = format!("a table with {arity} arguments; {MOST_ARGUMENTS} are the most");
            let help = "`value.0`, `value.1`, … are columns of numbers that make one vector";
            return Err(Fault::new(codes::TOO_MANY_ARGUMENTS, title, None, "too many columns").help(help));
        }
        Ok(Columns { names, kinds, arity, elements, content })
    }

    /// Number of columns.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The name of a column.
    pub fn name(&self, column: usize) -> &str {
        self.names.get(column).map_or("", String::as_str)
    }
}

/// Whether a cell is a number: digits with or without sign, point and exponent. (`inf` and `nan` are none.)
fn number(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut i = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    if !bytes.get(i..).is_some_and(|b| matches!(b, [b'0'..=b'9', ..] | [b'.', b'0'..=b'9', ..])) {
        return false;
    }
    let digits = |mut i: usize| {
        while bytes.get(i).is_some_and(u8::is_ascii_digit) {
            i += 1;
        }
        i
    };
    i = digits(i);
    if bytes.get(i) == Some(&b'.') {
        i = digits(i + 1);
    }
    if matches!(bytes.get(i), Some(b'e' | b'E')) {
        let start = i + 1 + usize::from(matches!(bytes.get(i + 1), Some(b'+' | b'-')));
        i = digits(start);
        if i == start {
            return false;
        }
    }
    i == bytes.len()
}

/// Whether the digits of an integer say more than a 64-bit float holds: then it is a name for something (identifiers
/// of 19 digits are), and different ones must not become one constant.
pub fn beyond_floats(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-', '0']);
    // Up to 15 digits always fit.
    digits.len() > 15
        && digits.bytes().all(|b| b.is_ascii_digit())
        && text.parse::<f64>().is_ok_and(|v| format!("{:.0}", v.abs()) != digits)
}

/// Whether a text is a name as the language writes it, which can name a predicate.
pub fn is_name(text: &str) -> bool {
    matches!(lex(text)[..], [t] if t.kind == TokenKind::Name)
}

/// An error if a table cannot name a predicate; `what` is what bears the name, as in `the file`.
pub fn check_name(name: &str, what: &str) -> Result<(), Diagnostic> {
    if is_name(name) {
        return Ok(());
    }
    let title = format!("`{name}`, the name of {what}, cannot name a predicate");
    Err(Diagnostic::new(codes::TABLE_NAME, title).help(
        "the rows of `bond.csv`, or of the table `bond`, are facts of `bond`: a lower-case letter, then letters, \
         digits, `_` and `-`",
    ))
}

/// The class of the constant that a cell without surrounding white space states.
#[inline]
pub fn argument_class(text: &str) -> TermClass {
    let bytes = text.as_bytes();
    let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    match bytes.first() {
        Some(b'a'..=b'z') if bytes.iter().all(plain) => TermClass::Name,
        Some(b'0'..=b'9' | b'+' | b'-' | b'.') if number(text) && !beyond_floats(text) => TermClass::Number,
        Some(0x80..) if is_name(text) => TermClass::Name,
        _ => TermClass::Quoted,
    }
}

/// An empty vector with the room of another one, whose elements borrowed from something else.
fn recycle<'b>(mut used: Vec<TermRef<'_>>) -> Vec<TermRef<'b>> {
    used.clear();
    used.into_iter().map(|_| unreachable!("the vector is empty")).collect()
}

/// Delivers the rows of one table.
#[derive(Debug)]
pub struct Rows<'t> {
    name: &'t str,
    columns: &'t Columns,
    /// Only its room counts, between two rows.
    room: Vec<TermRef<'static>>,
    values: Vec<f64>,
    faults: Diagnostics,
    wrong: usize,
}

impl<'t> Rows<'t> {
    /// For a table with the name of a predicate.
    pub fn new(name: &'t str, columns: &'t Columns) -> Self {
        Rows {
            name,
            columns,
            room: Vec::new(),
            values: vec![0.0; columns.elements],
            faults: Vec::new(),
            wrong: 0,
        }
    }

    /// Delivers a row as a fact that stands at `span`. There are as many cells as columns; white space around a cell's
    /// text does not count.
    pub fn row<'c>(
        &mut self,
        cells: impl Iterator<Item = &'c str>,
        span: Span,
        sink: &mut impl DataSink,
    ) -> Result<(), Fault> {
        let mut args = recycle(std::mem::take(&mut self.room));
        let mut result = Ok(());
        for (i, cell) in cells.enumerate() {
            let text = cell.trim();
            if let Err(fault) = self.cell(i, text, span, &mut args) {
                result = Err(fault);
                break;
            }
        }
        if result.is_ok() {
            let value = (!self.values.is_empty()).then_some(ValueRef {
                name: None,
                fixed: true,
                rows: self.values.len(),
                cols: 1,
                values: &self.values,
                span,
            });
            let atom = AtomRef { sign: super::ast::Sign::Positive, name: self.name, args: &args, span };
            match self.columns.content {
                Content::Facts => sink.fact(value, atom),
                Content::Queries => {
                    sink.begin_queries(span);
                    sink.query(value, atom);
                    sink.end_queries(span);
                }
            }
        }
        self.room = recycle(args);
        result
    }

    #[inline]
    fn cell<'c>(
        &mut self,
        i: usize,
        text: &'c str,
        span: Span,
        args: &mut Vec<TermRef<'c>>,
    ) -> Result<(), Fault> {
        let fault = |title: String, label: &str| Fault::new(codes::TABLE_ROW, title, Some(i), label);
        let name = || self.columns.name(i);
        if text.is_empty() {
            return Err(fault(format!("an empty cell in column `{}`", name()), "nothing here")
                .help("a fact has all its arguments: leave the row out, or give what is unknown a name"));
        }
        let finite = || finite_number(text);
        match self.columns.kinds[i] {
            Column::Value(e) => match finite().filter(|_| number(text)) {
                Some(v) => self.values[e] = v,
                None => {
                    let title = format!("`{}` in column `{}` is not a finite number", shorten(text), name());
                    return Err(fault(title, "not a value"));
                }
            },
            Column::Argument => {
                let kind = argument_class(text);
                if text == "NaN" || kind == TermClass::Number && text.len() > 15 && finite().is_none() {
                    let title = format!("`{}` in column `{}` is not a finite number", shorten(text), name());
                    return Err(fault(title, "not a constant")
                        .help("leave the row out, or give what is unknown a name"));
                }
                args.push(TermRef { ty: None, kind, text, span });
            }
        }
        Ok(())
    }

    /// Keeps a fault of a row; `d` makes its message, which is asked for only if it will be shown.
    pub fn wrong(&mut self, d: impl FnOnce() -> Diagnostic) {
        self.wrong += 1;
        if self.wrong <= SHOWN {
            self.faults.push(d());
        }
    }

    /// All faults of rows.
    pub fn finish(mut self) -> Diagnostics {
        if self.wrong > SHOWN
            && let Some(last) = self.faults.last_mut()
        {
            last.notes.push(format!("and {} of this table", counted(self.wrong - SHOWN, "more row")));
        }
        self.faults
    }
}

fn shorten(text: &str) -> String {
    super::cursor::excerpt(text)
}

/// The places of the cells of a row, quotes included, and whether the last one is an open quote.
fn places(row: &str, delimiter: u8) -> (Vec<std::ops::Range<usize>>, bool) {
    let bytes = row.as_bytes();
    let (mut out, mut start, mut i) = (Vec::new(), 0, 0);
    loop {
        let mut open = bytes.get(i) == Some(&b'"');
        if open {
            i += 1;
            while i < bytes.len() {
                match (bytes[i], bytes.get(i + 1)) {
                    (b'"', Some(b'"')) => i += 2,
                    (b'"', _) => {
                        open = false;
                        break;
                    }
                    _ => i += 1,
                }
            }
        }
        while i < bytes.len() && bytes[i] != delimiter {
            i += 1;
        }
        out.push(start..i);
        if i >= bytes.len() {
            return (out, open);
        }
        i += 1;
        start = i;
    }
}

/// A row of a text, with what messages need to know about it.
struct Row<'t> {
    source: SourceId,
    text: &'t str,
    start: usize,
    delimiter: u8,
    /// The text ends with it: only then can a quote have been left open.
    last: bool,
}

impl Row<'_> {
    fn span(&self) -> Span {
        Span::new(self.source, self.start, self.start + self.text.len())
    }

    /// The first line of it, or its beginning.
    fn beginning(&self) -> Span {
        let line = self.text.lines().next().map_or(0, str::len);
        let mut end = line.min(MARKED);
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        Span::new(self.source, self.start, self.start + end)
    }

    /// A cell; one that is not there lies behind the last.
    fn cell(&self, column: usize) -> Span {
        let (places, _) = places(self.text, self.delimiter);
        let end = self.text.len();
        let place = places.get(column).cloned().unwrap_or(end..end);
        Span::new(self.source, self.start + place.start, self.start + place.end)
    }

    fn place(&self, fault: Fault) -> Diagnostic {
        let span = fault.column.map_or(self.beginning(), |c| self.cell(c));
        fault.at(span)
    }

    /// What is wrong with a row of `n` cells.
    fn ragged(&self, n: usize, columns: &Columns) -> Diagnostic {
        let (places, open) = places(self.text, self.delimiter);
        if open {
            let at = places.last().map_or(0, |p| p.start) + self.start;
            let title = "a quoted cell is never closed";
            return Diagnostic::new(codes::TABLE_ROW, title)
                .label(Span::new(self.source, at, at + 1), "opened here");
        }
        let (title, wanted) =
            (format!("a row of {} under a header of {}", counted(n, "cell"), columns.len()), columns.len());
        let (span, label) = if n < wanted {
            (self.cell(n), format!("`{}` is missing", columns.name(n)))
        } else {
            (self.cell(wanted), "one cell too many".to_string())
        };
        Diagnostic::new(codes::TABLE_ROW, title)
            .label(span, label)
            .help("a comma inside a cell needs double quotes around the cell: `\"a, b\"`")
    }
}

/// Reads comma- or otherwise separated values whose first row is a header, and hands every further row to the sink as a
/// fact or query of the predicate `name`. Cells may stand in double quotes; quotes do not change what a cell means.
pub fn read_csv<'t>(
    source: SourceId,
    text: &'t str,
    name: &str,
    delimiter: u8,
    content: Content,
    sink: &mut impl DataSink,
) -> Diagnostics {
    if let Some(d) = too_long(source, text) {
        return vec![d];
    }
    // A byte order mark is no part of the first name.
    let skipped = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let bytes = &text.as_bytes()[skipped..];
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(bytes);
    let mut record = csv::StringRecord::new();
    let source_end = text.len();
    // The text was valid UTF-8 before it was cut at ASCII bytes, and slices cannot fail to be read.
    let mut next = |record: &mut csv::StringRecord| -> Option<Row<'t>> {
        let from = reader.position().byte() as usize + skipped;
        if !reader.read_record(record).unwrap_or(false) {
            return None;
        }
        let to = (reader.position().byte() as usize + skipped).min(text.len());
        let text = text.get(from..to).unwrap_or("");
        let inner = text.trim_start_matches(['\r', '\n']);
        let start = from + text.len() - inner.len();
        let last = to == source_end;
        Some(Row { source, text: inner.trim_end_matches(['\r', '\n']), start, delimiter, last })
    };
    let Some(header) = next(&mut record) else {
        let fault = Fault::new(codes::TABLE_HEADER, "a table without a header", None, "the file is empty");
        return vec![fault.help("the first row names the columns").at(Span::new(source, 0, 0))];
    };
    let columns = match Columns::of(content, record.iter()) {
        Ok(columns) => columns,
        Err(fault) => return vec![header.place(fault)],
    };
    let mut rows = Rows::new(name, &columns);
    while let Some(row) = next(&mut record) {
        if record.len() != columns.len() || row.last && places(row.text, delimiter).1 {
            rows.wrong(|| row.ragged(record.len(), &columns));
        } else if let Err(fault) = rows.row(record.iter(), row.span(), sink) {
            rows.wrong(|| row.place(fault));
        }
    }
    rows.finish()
}
