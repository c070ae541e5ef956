//! Facts from a Parquet file.

use super::tables::{Cells, deliver, header, unreadable};
use crate::base::span::SourceMap;
use crate::diag::Diagnostics;
use crate::syntax::facts::DataSink;
use crate::syntax::table::Rows;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use std::path::Path;

/// Reads the rows of a file as facts of the predicate `name`.
///
/// There is no text for messages to show, so one is made: a line with the columns.
pub(super) fn read(
    path: &Path,
    name: &str,
    sources: &mut SourceMap,
    sink: &mut impl DataSink,
) -> Diagnostics {
    let mut out = Vec::new();
    if let Err(e) = rows(path, name, sources, sink, &mut out) {
        out.push(unreadable(path, e));
    }
    out
}

#[allow(clippy::disallowed_methods)]
fn rows(
    path: &Path,
    name: &str,
    sources: &mut SourceMap,
    sink: &mut impl DataSink,
    out: &mut Diagnostics,
) -> Result<(), ParquetError> {
    let reader = SerializedFileReader::new(std::fs::File::open(path)?)?;
    let schema = reader.metadata().file_metadata().schema_descr().root_schema_ptr();
    let names: Vec<&str> = schema.get_fields().iter().map(|f| f.name()).collect();
    let file = path.display().to_string();
    let (columns, span) = match header(file.clone(), name, &names, sources) {
        Ok(header) => header,
        Err(d) => {
            out.push(d);
            return Ok(());
        }
    };
    let mut rows = Rows::new(name, &columns);
    let mut cells = Cells::default();
    for (number, row) in reader.get_row_iter(None)?.enumerate() {
        let row = row?;
        cells.clear();
        let mut unfit = None;
        for (i, (_, field)) in row.get_column_iter().enumerate() {
            if !cell(field, &mut cells) {
                unfit = unfit.or(Some((i, "neither a number nor a text")));
            }
        }
        let place = || format!("row {} of `{file}`", number + 1);
        deliver(&mut rows, (&columns, span), &cells, unfit, place, sink);
    }
    out.extend(rows.finish());
    Ok(())
}

/// The text of a field; whether it has one.
fn cell(field: &Field, cells: &mut Cells) -> bool {
    match field {
        Field::Null => cells.push(format_args!("")),
        Field::Str(text) => cells.push(format_args!("{text}")),
        Field::Float16(x) => cells.push_number(f64::from(x.to_f32())),
        Field::Float(x) => cells.push_number(f64::from(*x)),
        Field::Double(x) => cells.push_number(*x),
        Field::Bytes(bytes) => match std::str::from_utf8(bytes.data()) {
            Ok(text) => cells.push(format_args!("{text}")),
            Err(_) => return false,
        },
        Field::Group(_) | Field::ListInternal(_) | Field::MapInternal(_) => return false,
        // Integers, booleans, dates: as they are written.
        other => cells.push(format_args!("{other}")),
    }
    true
}
