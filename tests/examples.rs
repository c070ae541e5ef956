//! Every folder of `examples/` does what its README shows.
//!
//! A README shows commands in fenced blocks whose first line is `$ nlog run …`; the lines below it are the output, and
//! those of the first block stand in `expected.txt` too. A line `Checked for seeds A to B: test accuracy at least N %.`
//! (or `train`) promises what training reaches with the options of the first block, whatever the seed.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test of files")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Numbers may differ by this, relative, and by one in the last printed place: other machines have other libraries.
const TOLERANCE: f64 = 1e-6;

/// A fenced block of a README that begins with a command.
struct Shown {
    arguments: Vec<String>,
    output: String,
}

/// One folder of `examples/`.
struct Example {
    name: String,
    folder: PathBuf,
    readme: String,
    shown: Vec<Shown>,
}

/// A promise of a README.
struct Promise {
    seeds: std::ops::RangeInclusive<u64>,
    split: String,
    percent: f64,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn examples() -> Vec<Example> {
    let mut folders: Vec<PathBuf> = fs::read_dir(root().join("examples"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    let all: Vec<Example> = folders
        .into_iter()
        .map(|folder| {
            let readme = read(&folder.join("README.md"));
            let name = folder.file_name().unwrap().to_str().unwrap().to_string();
            let shown = shown(&readme);
            assert!(!shown.is_empty(), "{name}: its README shows no `$ nlog run …`");
            Example { name, folder, readme, shown }
        })
        .collect();
    assert!(all.len() >= 4, "only {} examples", all.len());
    all
}

/// The blocks of a README that show a command.
fn shown(readme: &str) -> Vec<Shown> {
    let fences: Vec<&str> = readme.split("```").collect();
    assert!(fences.len() % 2 == 1, "a fence is left open");
    let blocks = fences.iter().skip(1).step_by(2);
    blocks
        .filter_map(|block| {
            let (_, body) = block.split_once('\n')?;
            let (first, output) = body.split_once('\n')?;
            let command = first.strip_prefix("$ nlog ")?;
            let arguments = command.split_whitespace().map(str::to_string).collect();
            Some(Shown { arguments, output: output.to_string() })
        })
        .collect()
}

fn promises(example: &Example) -> Vec<Promise> {
    let promise = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, _, _, from, _, to, split, "accuracy", "at", "least", percent, "%."] = words[..] else {
            panic!("{}: not a promise: {line}", example.name)
        };
        Promise {
            seeds: from.parse().unwrap()..=to.trim_end_matches(':').parse().unwrap(),
            split: split.to_string(),
            percent: percent.parse().unwrap(),
        }
    };
    example.readme.lines().filter(|line| line.starts_with("Checked for seeds")).map(promise).collect()
}

/// Runs from the root of the repository, as the READMEs say.
fn nlog(arguments: &[String], more: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_nlog");
    Command::new(program).args(arguments).args(more).current_dir(root()).output().unwrap()
}

/// Standard output of a run that must succeed and have nothing to say on standard error, but that answers are not shown.
fn clean(example: &Example, arguments: &[String], more: &[&str]) -> String {
    let output = nlog(arguments, more);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {}\n{errors}", example.name, output.status);
    let unshown =
        |l: &str| l.ends_with("answers to labelled queries not shown: `--predictions FILE.csv` writes them");
    assert!(errors.lines().all(unshown), "{}: standard error says\n{errors}", example.name);
    String::from_utf8(output.stdout).unwrap()
}

/// The pieces of a line: numbers, and what stands between them, with spaces counted once.
fn pieces(line: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut in_number = false;
    let mut before = ' ';
    for c in line.trim_end().chars() {
        let exponent = in_number && (c == 'e' || (c == '-' && before == 'e'));
        let sign = c == '-' && !in_number && !before.is_alphanumeric();
        let starts = sign || (c.is_ascii_digit() && !before.is_alphanumeric() && before != '-');
        let goes_on = in_number && (c.is_ascii_digit() || c == '.') || exponent;
        if goes_on || (starts && !in_number) {
            match pieces.last_mut() {
                Some(last) if in_number => last.push(c),
                _ => pieces.push(c.to_string()),
            }
            in_number = true;
        } else {
            match pieces.last_mut() {
                Some(last) if !in_number => {
                    if !(c == ' ' && last.ends_with(' ')) {
                        last.push(c);
                    }
                }
                _ => pieces.push(c.to_string()),
            }
            in_number = false;
        }
        before = c;
    }
    pieces
}

/// One in the last place that a number is printed with; nothing for whole numbers.
fn last_place(number: &str) -> f64 {
    let (mantissa, exponent) = number.split_once('e').unwrap_or((number, "0"));
    let places = mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    if places == 0 { 0.0 } else { 10f64.powi(exponent.parse::<i32>().unwrap_or(0) - places as i32) }
}

/// Why two texts differ, if they do.
fn difference(expected: &str, got: &str) -> Option<String> {
    let (a, b): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), got.lines().collect());
    if a.len() != b.len() {
        return Some(format!("{} lines instead of {}:\n{got}", b.len(), a.len()));
    }
    let same = |x: &str, y: &str| match (x.parse::<f64>(), y.parse::<f64>()) {
        (Ok(p), Ok(q)) => {
            let places = last_place(x).max(last_place(y));
            (p - q).abs() <= TOLERANCE * p.abs().max(q.abs()) + 1.001 * places
        }
        _ => x == y,
    };
    let different = |(x, y): &(&&str, &&str)| {
        let (p, q) = (pieces(x), pieces(y));
        p.len() != q.len() || !p.iter().zip(&q).all(|(p, q)| same(p, q))
    };
    a.iter().zip(&b).find(different).map(|(x, y)| format!("expected  {x}\ngot       {y}"))
}

/// The accuracy that the table of an output states for a split, in percent.
fn accuracy(output: &str, split: &str) -> Option<f64> {
    let row = output.lines().find(|line| line.split_whitespace().next() == Some(split))?;
    // split, queries, error, accuracy
    row.split_whitespace().nth(3)?.parse().ok()
}

#[test]
fn the_comparison_finds_differences() {
    let text = "p(a) = -0.25    X = c-1\ntrain  4  0.000653  100.00 %\n1.5e-7";
    assert_eq!(difference(text, text), None);
    assert_eq!(difference(text, &text.replace("    X", "  X")), None);
    assert_eq!(difference("x = 6.74552", "x = 6.74553"), None);
    assert_eq!(difference("x = 8", "x = 7.99999"), None);
    for (from, to) in [
        ("-0.25", "0.25"),
        ("-0.25", "-0.27"),
        ("c-1", "c-2"),
        ("train  4", "train  5"),
        ("653", "655"),
        ("100.00", "99.00"),
        ("1.5e-7", "1.5e-6"),
        ("p(a)", "p(b)"),
        ("\n1.5", "1.5"),
    ] {
        assert!(difference(text, &text.replace(from, to)).is_some(), "{from} for {to} goes unnoticed");
    }
}

#[test]
fn every_example_prints_what_its_readme_shows() {
    for example in examples() {
        let expected = read(&example.folder.join("expected.txt"));
        assert_eq!(example.shown[0].output, expected, "{}: README.md and expected.txt differ", example.name);
        for shown in &example.shown {
            let got = clean(&example, &shown.arguments, &[]);
            if let Some(d) = difference(&shown.output, &got) {
                panic!("{}: $ nlog {}\n{d}", example.name, shown.arguments.join(" "));
            }
        }
    }
}

#[test]
fn threads_change_no_byte() {
    let folder = tempfile::tempdir().unwrap();
    for example in examples() {
        for shown in &example.shown {
            let run = |threads: &str| {
                let path = folder.path().join(format!("{threads}.csv"));
                let file = path.to_str().unwrap();
                let out = clean(&example, &shown.arguments, &["--threads", threads, "--predictions", file]);
                (out, read(&path))
            };
            let (one, two) = (run("1"), run("2"));
            assert!(one.1.lines().count() > 1, "{}: no predictions", example.name);
            assert!(one == two, "{}: one thread and two threads give different bytes", example.name);
        }
    }
}

#[test]
fn training_reaches_what_the_readmes_promise() {
    let mut promised = Vec::new();
    for example in examples() {
        for promise in promises(&example) {
            let arguments = &example.shown[0].arguments;
            let at = arguments.iter().position(|a| a == "--seed");
            let at = at.unwrap_or_else(|| panic!("{}: its command states no seed", example.name)) + 1;
            for seed in promise.seeds.clone() {
                let mut arguments = arguments.clone();
                arguments[at] = seed.to_string();
                let output = clean(&example, &arguments, &[]);
                let reached = accuracy(&output, &promise.split);
                assert!(
                    reached.is_some_and(|reached| reached >= promise.percent),
                    "{}, seed {seed}: {} accuracy {reached:?}, promised {}",
                    example.name,
                    promise.split,
                    promise.percent,
                );
            }
            assert!(promise.seeds.clone().count() >= 5, "{}: few seeds", example.name);
            promised.push((example.name.clone(), promise.split, promise.percent));
        }
    }
    for (name, split, percent) in
        [("xor", "train", 100.0), ("family", "test", 100.0), ("molecules", "test", 97.0)]
    {
        let kept = promised.iter().any(|(n, s, p)| n == name && s == split && *p >= percent);
        assert!(kept, "the README of {name} must promise {split} accuracy of {percent} % or more");
    }
}

#[test]
fn the_molecules_are_those_of_the_generator() {
    let molecules = root().join("examples/molecules");
    let folder = tempfile::tempdir().unwrap();
    let written = Command::new("python3").arg(molecules.join("generate.py")).arg(folder.path()).status();
    let Ok(status) = written else {
        eprintln!("note: python3 is missing, so generate.py was not run");
        return;
    };
    assert!(status.success());
    for file in ["facts.db", "test.txt"] {
        let same = read(&folder.path().join(file)) == read(&molecules.join(file));
        assert!(same, "{file} is not what generate.py writes");
    }
}

#[test]
fn no_molecule_stands_in_both_files() {
    let molecules = root().join("examples/molecules");
    let lines = |file: &str| -> Vec<String> {
        let text = read(&molecules.join(file));
        text.lines().filter(|l| !l.starts_with('%')).map(|l| l[1..].to_string()).collect()
    };
    let (train, test) = (lines("facts.db"), lines("test.txt"));
    assert!(train.len() >= 100 && test.len() >= 50);
    assert!(!test.iter().any(|line| train.contains(line)));
}

#[test]
fn the_readmes_quote_the_templates() {
    for example in examples() {
        let template = read(&example.folder.join("template.lrnn"));
        let statements = template.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('%'));
        for line in statements {
            assert!(example.readme.contains(line), "{}: the README does not explain {line}", example.name);
        }
        for word in ["/home/", "/Users/", "C:\\"] {
            assert!(!example.readme.contains(word), "{}: {word} in the README", example.name);
        }
    }
}
