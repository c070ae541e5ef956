//! Makes the table of the modules in `stdlib/`, which the binary carries.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn modules(dir: &Path, out: &mut Vec<PathBuf>) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", dir.display());
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            modules(&path, out)?;
        } else if path.extension().is_some_and(|e| e == "lrnn") {
            out.push(path);
        }
    }
    Ok(())
}

#[allow(clippy::disallowed_methods)]
fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("stdlib");
    let mut files = Vec::new();
    modules(&root, &mut files)?;
    files.sort();
    let mut table = String::from("&[\n");
    for file in &files {
        let inside = file.strip_prefix(&root).map_err(io::Error::other)?.with_extension("");
        // With `/` on every system: it is what an import says.
        let path = inside.iter().map(|p| p.to_string_lossy()).collect::<Vec<_>>().join("/");
        writeln!(table, "    ({path:?}, include_str!({:?})),", file.display().to_string())
            .map_err(io::Error::other)?;
    }
    table.push(']');
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("stdlib.rs");
    fs::write(out, table)
}
