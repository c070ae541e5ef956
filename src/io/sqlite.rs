//! Facts from the tables and views of an SQLite database.

use super::tables::{Cells, deliver, header, unreadable};
use crate::base::span::SourceMap;
use crate::diag::{Diagnostics, Severity};
use crate::syntax::facts::DataSink;
use crate::syntax::table::{Rows, check_name};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

/// Reads every table and view, in the order of their definitions, as facts of the predicate with its name. A table with
/// another kind of name is left out, with a warning.
///
/// There is no text for messages to show, so one is made: a line for each table, with its columns.
pub(super) fn read(path: &Path, sources: &mut SourceMap, sink: &mut impl DataSink) -> Diagnostics {
    let mut out = Vec::new();
    if let Err(e) = tables(path, sources, sink, &mut out) {
        out.push(unreadable(path, e));
    }
    out
}

fn tables(
    path: &Path,
    sources: &mut SourceMap,
    sink: &mut impl DataSink,
    out: &mut Diagnostics,
) -> rusqlite::Result<()> {
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut names = database.prepare(
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
         ORDER BY rowid",
    )?;
    let names: Vec<String> = names.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let file = path.display().to_string();
    for name in names {
        if let Err(mut d) = check_name(&name, &format!("a table in `{file}`")) {
            d.severity = Severity::Warning;
            d.title += ": it is left out";
            out.push(d);
            continue;
        }
        table(&database, &name, &file, sources, sink, out)?;
    }
    Ok(())
}

fn table(
    database: &Connection,
    name: &str,
    file: &str,
    sources: &mut SourceMap,
    sink: &mut impl DataSink,
    out: &mut Diagnostics,
) -> rusqlite::Result<()> {
    // The name is one of the language, which has no quotes.
    let mut statement = database.prepare(&format!("SELECT * FROM \"{name}\""))?;
    let names: Vec<&str> = statement.column_names().collect();
    let (columns, span) = match header(format!("{file}, table {name}"), name, &names, sources) {
        Ok(header) => header,
        Err(d) => {
            out.push(d);
            return Ok(());
        }
    };
    let mut rows = Rows::new(name, &columns);
    let mut cells = Cells::default();
    let mut found = statement.query([])?;
    let mut number = 0usize;
    while let Some(row) = found.next()? {
        number += 1;
        cells.clear();
        let mut unfit = None;
        for i in 0..columns.len() {
            match row.get_ref(i)? {
                ValueRef::Null => cells.push(format_args!("")),
                ValueRef::Integer(x) => cells.push(format_args!("{x}")),
                ValueRef::Real(x) => cells.push_number(x),
                ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
                    Ok(text) => cells.push(format_args!("{text}")),
                    Err(_) => unfit = unfit.or(Some((i, "a text that is not UTF-8"))),
                },
                ValueRef::Blob(_) => unfit = unfit.or(Some((i, "a blob"))),
            }
        }
        let place = || format!("row {number} of table `{name}` in `{file}`");
        deliver(&mut rows, (&columns, span), &cells, unfit, place, sink);
    }
    out.extend(rows.finish());
    Ok(())
}
