//! `nlog explain`.

use super::args::ExplainArgs;
use crate::console::Stop;
use crate::diag::explain;
use std::io::Write;

/// `nlog explain`: the explanation of a code, or all codes.
pub fn explain(args: &ExplainArgs) -> Result<(), Stop> {
    let text = match &args.code {
        Some(word) => explain::plain(explain::find(word).map_err(Stop::Usage)?),
        None => explain::table(),
    };
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()?;
    Ok(())
}
