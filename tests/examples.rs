//! Every folder of `examples/` does what its README shows.
//!
//! A README shows commands in fenced blocks whose first line is `$ nlog …`; the lines below it are the output. The first
//! is `$ nlog run …`, and its output stands in `expected.txt` too. A line `Checked for seeds A to B: test accuracy at
//! least N %.` (or `train`; or `test mse at most N.`, as `--report` says it) promises what training reaches with the
//! options of the first block, whatever the seed. A `generate.py` writes files of its folder.
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
    bound: Bound,
}

/// What is promised of a split.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Bound {
    /// Percent.
    AccuracyAtLeast(f64),
    MseAtMost(f64),
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
            let first = shown.first().and_then(|s: &Shown| s.arguments.first());
            assert!(first.is_some_and(|a| a == "run"), "{name}: its README shows no `$ nlog run …` first");
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

fn promises(name: &str, readme: &str) -> Vec<Promise> {
    let promise = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, _, _, from, _, to, split, ref what @ ..] = words[..] else {
            panic!("{name}: not a promise: {line}")
        };
        let bound = match what {
            ["accuracy", "at", "least", percent, "%."] => Bound::AccuracyAtLeast(percent.parse().unwrap()),
            ["mse", "at", "most", n] => Bound::MseAtMost(n.trim_end_matches('.').parse().unwrap()),
            _ => panic!("{name}: not a promise: {line}"),
        };
        Promise {
            seeds: from.parse().unwrap()..=to.trim_end_matches(':').parse().unwrap(),
            split: split.to_string(),
            bound,
        }
    };
    readme.lines().filter(|line| line.starts_with("Checked for seeds")).map(promise).collect()
}

/// What a run with the options of the first block reaches, if that breaks a promise.
fn broken(example: &Example, promise: &Promise, seed: u64) -> Option<String> {
    let mut arguments = example.shown[0].arguments.clone();
    let at = arguments.iter().position(|a| a == "--seed");
    let at = at.unwrap_or_else(|| panic!("{}: its command states no seed", example.name)) + 1;
    arguments[at] = seed.to_string();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    let output = clean(example, &arguments, &["--report", path.to_str().unwrap()]);
    let (reached, kept) = match promise.bound {
        Bound::AccuracyAtLeast(percent) => {
            let reached = accuracy(&output, &promise.split);
            (reached, reached.is_some_and(|reached| reached >= percent))
        }
        Bound::MseAtMost(most) => {
            let reached = mse(&read(&path), &promise.split);
            (reached, reached.is_some_and(|reached| reached <= most))
        }
    };
    let Promise { split, bound, .. } = promise;
    (!kept).then(|| format!("{}, seed {seed}: {split} reaches {reached:?}, promised {bound:?}", example.name))
}

/// The mean squared difference that a report states for a split.
fn mse(report: &str, split: &str) -> Option<f64> {
    let report: serde_json::Value = serde_json::from_str(report).unwrap();
    let metrics = if split == "train" { &report["train"]["metrics"] } else { &report[split] };
    metrics["mse"].as_f64()
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

/// All that a command prints that must succeed: results, then messages.
fn terminal(example: &Example, arguments: &[String]) -> String {
    let output = nlog(arguments, &[]);
    let both = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(output.status.success(), "{}: {}\n{both}", example.name, output.status);
    both
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
        // Times and memory are not the same twice.
        let measured = |i: usize| {
            let unit = p.get(i + 1).and_then(|text| text.split_whitespace().next());
            matches!(unit, Some("ms" | "MiB")) && q[i].parse::<f64>().is_ok()
        };
        p.len() != q.len() || !(0..p.len()).all(|i| same(&p[i], &q[i]) || measured(i))
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
    assert_eq!(difference("9 rows  5.8 ms  11 MiB", "9 rows  12.25 ms  9 MiB"), None);
    assert!(difference("9 rows  5.8 ms", "8 rows  5.8 ms").is_some());
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
            let got = match shown.arguments[0].as_str() {
                "run" => clean(&example, &shown.arguments, &[]),
                _ => terminal(&example, &shown.arguments),
            };
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
        for shown in example.shown.iter().filter(|s| s.arguments[0] == "run") {
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
        for promise in promises(&example.name, &example.readme) {
            for seed in promise.seeds.clone() {
                if let Some(why) = broken(&example, &promise, seed) {
                    panic!("{why}");
                }
            }
            assert!(promise.seeds.clone().count() >= 5, "{}: few seeds", example.name);
            promised.push((example.name.clone(), promise.split, promise.bound));
        }
    }
    for (name, split, percent) in
        [("xor", "train", 100.0), ("family", "test", 100.0), ("molecules", "test", 97.0)]
    {
        let kept = promised.iter().any(|(n, s, bound)| {
            let enough = matches!(bound, Bound::AccuracyAtLeast(p) if *p >= percent);
            n == name && s == split && enough
        });
        assert!(kept, "the README of {name} must promise {split} accuracy of {percent} % or more");
    }
}

#[test]
fn promises_of_squared_errors_are_kept_or_broken() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_string()
    };
    let template = write("template.lrnn", "[rule=identity, atom=identity]\nq(X) :- {1} f(X).");
    let facts = write("facts.db", "<1> f(a). <2> f(b). ?- 1 q(a). ?- 3 q(b).");
    let test = write("test.txt", "-1 q(c) :- <-2> f(c).");
    let command =
        format!("run {template} {facts} --test-examples {test} --loss mse --epochs 400 --lr 0.05 --seed 1");
    let readme =
        "Checked for seeds 1 to 5: test mse at most 3.3.\nChecked for seeds 2 to 3: test mse at most 3.2.
Checked for seeds 1 to 1: train mse at most 0.11.\nChecked for seeds 1 to 1: train mse at most 0.09.";
    let shown =
        Shown { arguments: command.split_whitespace().map(str::to_string).collect(), output: String::new() };
    let example = Example {
        name: "squares".into(),
        folder: folder.path().into(),
        readme: readme.into(),
        shown: vec![shown],
    };
    let all = promises("squares", readme);
    assert_eq!((all[0].bound, all[0].seeds.clone()), (Bound::MseAtMost(3.3), 1..=5));
    // The best weight is 7/5: (0.4² + 0.2²)/2 = 0.1 on what is learned, (−2.8 + 1)² = 3.24 on the test.
    let why: Vec<Option<String>> = all.iter().map(|p| broken(&example, p, *p.seeds.start())).collect();
    assert!(why[0].is_none() && why[2].is_none(), "{why:?}");
    assert!(why[1].as_ref().is_some_and(|w| w.contains("MseAtMost(3.2)")) && why[3].is_some(), "{why:?}");
}

#[test]
fn generators_write_the_files_of_their_folders() {
    let mut checked = Vec::new();
    for example in examples().into_iter().filter(|e| e.folder.join("generate.py").is_file()) {
        let folder = tempfile::tempdir().unwrap();
        let generator = example.folder.join("generate.py");
        let Ok(status) = Command::new("python3").arg(generator).arg(folder.path()).status() else {
            eprintln!("note: python3 is missing, so generate.py was not run");
            return;
        };
        assert!(status.success(), "{}: generate.py fails", example.name);
        let written = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut written: Vec<String> = written.map(|name| name.into_string().unwrap()).collect();
        written.sort();
        assert!(!written.is_empty(), "{}: generate.py DIR writes nothing into DIR", example.name);
        for file in &written {
            let same =
                fs::read(folder.path().join(file)).unwrap() == fs::read(example.folder.join(file)).unwrap();
            assert!(same, "{}: {file} is not what generate.py writes", example.name);
        }
        checked.push((example.name, written));
    }
    let molecules = ("molecules".to_string(), vec!["facts.db".to_string(), "test.txt".to_string()]);
    assert!(checked.contains(&molecules), "{checked:?}");
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
