//! Conformance.
//!
//! `cargo test --test conformance` runs the project's own cases from `tests/conformance/*.cases` (`own.rs` describes
//! the format), one trial each: a template, data, and the values that must come out.
//!
//! `NLOG_CONFORMANCE=DIR cargo test --test conformance` runs cases that were recorded from the reference engine, from
//! `DIR/cases` (a folder each: `template.txt`, examples, `flags`, `expected.json`) and `DIR/golden/*.json`, and prints
//! one line per case:
//!
//! - `NAME: pass`: the recorded numbers came out;
//! - `NAME: mended (why)`: ours are others, on purpose, and were checked (`rewrite.rs`, `mended.rs`);
//! - `NAME: differs: what expected got`: a failure;
//! - `NAME: not yet: what`: it cannot be run or compared yet.
//!
//! The last line is `N passed, N failed, N skipped`, and the exit code is 1 if any failed.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test program reads its cases and prints"
)]

#[path = "conformance/engine.rs"]
mod engine;
#[path = "conformance/flags.rs"]
mod flags;
#[path = "conformance/golden.rs"]
mod golden;
#[path = "conformance/java.rs"]
mod java;
#[path = "conformance/mended.rs"]
mod mended;
#[path = "conformance/numbers.rs"]
mod numbers;
#[path = "conformance/own.rs"]
mod own;
#[path = "conformance/recorded.rs"]
mod recorded;
#[path = "conformance/replay.rs"]
mod replay;
#[path = "conformance/results.rs"]
mod results;
#[path = "conformance/rewrite.rs"]
mod rewrite;
#[path = "conformance/verdict.rs"]
mod verdict;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use verdict::Verdict;

fn main() -> ExitCode {
    match std::env::var_os("NLOG_CONFORMANCE") {
        Some(dir) => recorded_cases(Path::new(&dir)),
        None => own_cases(),
    }
}

fn own_cases() -> ExitCode {
    let arguments = libtest_mimic::Arguments::from_args();
    match own::trials(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance")) {
        Ok(trials) => libtest_mimic::run(&arguments, trials).exit_code(),
        Err(text) => {
            println!("the cases cannot be read: {text}");
            ExitCode::FAILURE
        }
    }
}

/// A panic is a difference like any other, and must not keep the other cases from running.
fn guarded(case: impl FnOnce() -> Verdict) -> Verdict {
    catch_unwind(AssertUnwindSafe(case)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or_default();
        Verdict::Differs(format!("panic {text}"))
    })
}

/// The folders of a directory in order of their names.
fn folders(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries.map(|e| e.path()).filter(|p| p.is_dir()).collect();
    found.sort();
    found
}

fn recorded_cases(dir: &Path) -> ExitCode {
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    let mut tell = |name: &str, verdict: Verdict| {
        println!("{name}: {verdict}");
        match verdict {
            Verdict::Pass | Verdict::Mended(_) => passed += 1,
            Verdict::Differs(_) => failed += 1,
            Verdict::NotYet(_) => skipped += 1,
        }
    };
    for case in folders(&dir.join("cases")) {
        let name = case.file_name().unwrap_or_default().to_string_lossy().into_owned();
        tell(&name, guarded(|| recorded::run(&case)));
    }
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(dir.join("golden")).into_iter().flatten().flatten().map(|e| e.path()).collect();
    files.retain(|p| p.extension().is_some_and(|e| e == "json"));
    files.sort();
    for file in files {
        let group = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        match golden::entries(&file) {
            Ok(entries) => {
                for (name, entry) in entries {
                    tell(&format!("{group}/{name}"), guarded(|| golden::run(&name, &entry)));
                }
            }
            Err(text) => tell(&group, Verdict::Differs(text)),
        }
    }
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    ExitCode::from(u8::from(failed > 0))
}
