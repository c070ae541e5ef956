//! No input makes a reader, the formatter or a whole check panic, hang or contradict itself: five targets, one driver.
//!
//! Inputs are grown from every template and every data text of this repository, and from programs made by a small
//! grammar. What a target says of an input (which codes, how far it got) is its signature; an input with a new
//! signature joins the corpus, so that the search goes on from there.
//!
//!     cargo test --test fuzz                                              a bounded number of executions of each
//!     NLOG_FUZZ=100000 cargo test --release --test fuzz parser            more of one
//!     NLOG_FUZZ_SECONDS=600 NLOG_FUZZ_TARGET=parser cargo test --release --test fuzz
//!     NLOG_FUZZ_REPLAY=target/fuzz/parser-0123456789abcdef.bin NLOG_FUZZ_TARGET=parser cargo test --test fuzz
//!
//! An input that fails is saved under `target/fuzz`; so is the one at work, should the process be killed.

#![allow(clippy::disallowed_methods)] // tests may touch files

mod fuzzing;

use fuzzing::{corpus, inputs, targets};
use nlog::base::hash::HashSet;
use nlog::base::rng::Stream;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Most texts of the corpus; a new signature replaces an earlier find then.
const CORPUS: usize = 4000;

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

/// Words that cargo does not swallow.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|v| !v.is_empty())
}

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/fuzz");
    std::fs::create_dir_all(&folder).expect("target/fuzz can be made");
    folder
}

/// Runs an input; one that fails is saved and shown.
fn execute(name: &str, target: targets::Target, input: &[u8]) -> u64 {
    match catch_unwind(AssertUnwindSafe(|| target(input))) {
        Ok(signature) => signature,
        Err(_) => {
            let path = folder().join(format!("{name}-{:016x}.bin", hash(input)));
            std::fs::write(&path, input).expect("the input can be saved");
            panic!(
                "the target `{name}` fails on {}\n{}\nagain: NLOG_FUZZ_REPLAY={} NLOG_FUZZ_TARGET={name} cargo test --test fuzz",
                path.display(),
                String::from_utf8_lossy(&input[..input.len().min(2000)]).escape_debug(),
                path.display(),
            );
        }
    }
}

/// When to stop.
enum Until {
    Executions(u64),
    Time(Duration),
}

fn drive(name: &str, target: targets::Target, bounded: u64) -> HashSet<u64> {
    if variable("NLOG_FUZZ_TARGET").is_some_and(|t| t != name) {
        return HashSet::default();
    }
    if let Some(path) = variable("NLOG_FUZZ_REPLAY") {
        let input = std::fs::read(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
        execute(name, target, &input);
        say(&format!("{name}: {path} goes through"));
        return HashSet::default();
    }
    let number = |name: &str| variable(name).map(|v| v.parse().unwrap_or_else(|e| panic!("{name}={v}: {e}")));
    let until = match (number("NLOG_FUZZ_SECONDS"), number("NLOG_FUZZ")) {
        (Some(seconds), _) => Until::Time(Duration::from_secs(seconds)),
        (None, n) => Until::Executions(n.unwrap_or(bounded)),
    };
    let start = Instant::now();
    let mut corpus = corpus::texts();
    let given = corpus.len();
    let seed = number("NLOG_FUZZ_SEED").unwrap_or(5);
    let mut stream = Stream::new(seed, name);
    let (mut executions, mut inputs, mut signatures) = (0u64, HashSet::default(), HashSet::default());
    let last = folder().join(format!("{name}-at-work.bin"));
    let mut slowest = (Duration::ZERO, Vec::new());
    while match &until {
        Until::Executions(n) => executions < *n,
        Until::Time(time) => start.elapsed() < *time,
    } {
        // Right texts first; in a bounded run a part of them, from anywhere.
        let input = match (&until, executions) {
            (Until::Time(_), n) if n < given as u64 => corpus[n as usize].clone(),
            (Until::Executions(_), n) if n % 8 == 0 => inputs::pick(&corpus, &mut stream).clone(),
            _ => inputs::make(&corpus, &mut stream),
        };
        executions += 1;
        inputs.insert(hash(&input));
        std::fs::write(&last, &input).expect("the input can be saved");
        let begin = Instant::now();
        let signature = execute(name, target, &input);
        if begin.elapsed() > slowest.0 {
            slowest = (begin.elapsed(), input.clone());
        }
        if signatures.insert(signature) {
            if corpus.len() < CORPUS {
                corpus.push(input);
            } else {
                let at = given + stream.below((CORPUS - given) as u64) as usize;
                corpus[at] = input;
            }
        }
    }
    let _ = std::fs::remove_file(&last);
    let seconds = start.elapsed().as_secs_f64();
    let (time, input) = slowest;
    say(&format!(
        "fuzz {name}: {executions} executions ({:.0} per second), {} distinct inputs, {} signatures, {given} texts to \
         begin with, slowest {:.0} ms",
        executions as f64 / seconds,
        inputs.len(),
        signatures.len(),
        time.as_secs_f64() * 1e3,
    ));
    if variable("NLOG_FUZZ_SECONDS").is_some() {
        std::fs::write(folder().join(format!("{name}-slowest.bin")), &input).expect("the input can be saved");
    }
    let text = String::from_utf8_lossy(&input[..input.len().min(500)]).into_owned();
    assert!(time < Duration::from_secs(30), "{name} takes {time:?} for\n{}", text.escape_debug());
    signatures
}

#[test]
fn lexer() {
    drive("lexer", targets::lexer, 3000);
}

#[test]
fn parser() {
    drive("parser", targets::parser, 1500);
}

#[test]
fn facts() {
    drive("facts", targets::facts, 1500);
}

#[test]
fn fmt() {
    drive("fmt", targets::fmt, 1000);
}

#[test]
fn check() {
    let signatures = drive("check", targets::check, 1500);
    let how_far = |stage| signatures.iter().any(|s| s >> 60 == stage);
    let all = [targets::READ, targets::BUILT, targets::RUN];
    assert!(
        signatures.is_empty() || all.into_iter().all(how_far),
        "every stage is reached, or nothing is tested"
    );
}
