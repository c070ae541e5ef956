//! The project's own cases. A file holds the cases of one group:
//!
//! ```text
//! === name: what it shows, in one line
//! --- run epochs=3 optimizer=sgd lr=0.5        (optional; without it nothing is trained)
//! the template
//! --- facts | examples | queries | test examples | file NAME
//! data in the dialect of such a file
//! --- expect
//! s_0 q = 0.5                                  (all answers in order: sample, ground atom, value)
//! weight w0 = [1, 2]
//! warning W0701
//! error E0301
//! ```

use crate::engine::Engine;
use crate::numbers::{FORWARD, TRAINED, all_near, show};
use libtest_mimic::{Failed, Trial};
use nlog::io::Inputs;
use nlog::learn::{Batch, Distribution, Initializer, Loss, Optimizer, Reduction, Schedule};
use nlog::session::{Settings, Unprovable};
use std::fs;
use std::path::Path;

/// One case.
#[derive(Debug, Clone, Default)]
struct Case {
    run: String,
    /// Text by name of its section; the template's name is `template`.
    sections: Vec<(String, String)>,
}

/// The trials of all files of cases in a folder.
pub fn trials(dir: &Path) -> Result<Vec<Trial>, String> {
    let mut files: Vec<_> =
        fs::read_dir(dir).map_err(|e| e.to_string())?.flatten().map(|e| e.path()).collect();
    files.retain(|p| p.extension().is_some_and(|e| e == "cases"));
    files.sort();
    let mut trials = Vec::new();
    for file in files {
        let group = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).map_err(|e| e.to_string())?;
        for (name, case) in read(&text) {
            let name = format!("{group}::{name}");
            trials.push(Trial::test(name, move || check(&case).map_err(Failed::from)));
        }
    }
    Ok(trials)
}

fn read(text: &str) -> Vec<(String, Case)> {
    let mut cases: Vec<(String, Case)> = Vec::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("=== ") {
            let name = title.split(':').next().unwrap_or(title);
            let case = Case { run: String::new(), sections: vec![("template".into(), String::new())] };
            cases.push((name.trim().into(), case));
            continue;
        }
        let Some((_, case)) = cases.last_mut() else { continue };
        if let Some(run) = line.strip_prefix("--- run ") {
            case.run = run.into();
        } else if let Some(section) = line.strip_prefix("--- ") {
            case.sections.push((section.trim().into(), String::new()));
        } else if let Some((_, text)) = case.sections.last_mut() {
            text.push_str(line);
            text.push('\n');
        }
    }
    cases
}

fn settings(run: &str) -> Result<Settings, String> {
    let mut settings = Settings::default();
    settings.train.epochs = 0;
    let train = &mut settings.train;
    for word in run.split_whitespace() {
        let (key, value) = word.split_once('=').ok_or_else(|| format!("bad setting {word}"))?;
        let number = || value.parse::<f64>().map_err(|_| format!("bad number in {word}"));
        let unknown = || format!("unknown value in {word}");
        match key {
            "epochs" => train.epochs = number()? as usize,
            "optimizer" => train.optimizer = Optimizer::parse(value).ok_or_else(unknown)?,
            "lr" => train.learning_rate = Some(number()?),
            "batch" if value == "all" => train.batch = Batch::All,
            "batch" => train.batch = Batch::Size(number()? as usize),
            "reduction" if value == "sum" => train.reduction = Reduction::Sum,
            "loss" => train.loss = Loss::parse(value).ok_or_else(unknown)?,
            "decay" => {
                let (rate, every) = value.split_once('/').ok_or_else(unknown)?;
                train.schedule = Schedule::Geometric {
                    rate: rate.parse().map_err(|_| unknown())?,
                    every: every.parse().map_err(|_| unknown())?,
                };
            }
            "weight_decay" => train.weight_decay = number()?,
            "clip_value" => train.clip_value = Some(number()?),
            "clip_norm" => train.clip_norm = Some(number()?),
            "init" if value == "constant" => {
                train.initializer = Initializer::Simple(Distribution::Constant(0.1))
            }
            "unprovable" => {
                settings.unprovable = match value {
                    "skip" => Unprovable::Skip,
                    "error" => Unprovable::Error,
                    _ => Unprovable::Value(number()?),
                };
            }
            _ => return Err(format!("unknown setting {word}")),
        }
    }
    Ok(settings)
}

/// A number, or several in brackets.
fn value(text: &str) -> Result<Vec<f64>, String> {
    let inner = text.trim().trim_start_matches('[').trim_end_matches(']');
    inner.split(',').map(|x| x.trim().parse().map_err(|_| format!("bad value {text}"))).collect()
}

fn check(case: &Case) -> Result<(), String> {
    let io = |e: std::io::Error| e.to_string();
    let dir = tempfile::tempdir().map_err(io)?;
    let path = |name: &str| Some(dir.path().join(name));
    let mut inputs = Inputs { templates: vec![dir.path().join("template.lrnn")], ..Inputs::default() };
    let mut expected = "";
    for (section, text) in &case.sections {
        let file = match section.as_str() {
            "template" => "template.lrnn",
            "facts" => {
                inputs.data.extend(path("facts.db"));
                "facts.db"
            }
            "examples" => {
                inputs.train.examples = path("examples.txt");
                "examples.txt"
            }
            "queries" => {
                inputs.train.queries = path("queries.txt");
                "queries.txt"
            }
            "test examples" => {
                inputs.test.examples = path("test.txt");
                "test.txt"
            }
            "expect" => {
                expected = text;
                continue;
            }
            other => other.strip_prefix("file ").ok_or_else(|| format!("unknown section {other}"))?,
        };
        fs::write(dir.path().join(file), text).map_err(io)?;
    }
    let settings = settings(&case.run)?;
    let tolerance = if settings.train.epochs > 0 { TRAINED } else { FORWARD };
    let lines: Vec<&str> = expected.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    let error = lines.iter().find_map(|l| l.strip_prefix("error "));
    let run = || -> Result<_, crate::engine::Fault> {
        let engine = Engine::load_exactly(&inputs, &settings)?;
        let mut parameters = engine.session.initial_parameters();
        let outcome = engine.run(&mut parameters)?;
        let answers = engine.answers(&outcome);
        Ok((engine, parameters, answers))
    };
    let (engine, parameters, answers) = match (run(), error) {
        (Ok(_), Some(code)) => return Err(format!("expected error {code}, but it runs")),
        (Err(f), Some(code)) if f.code == code => return Ok(()),
        (Err(f), _) => return Err(f.text),
        (Ok(parts), None) => parts,
    };
    let mut wrong = Vec::new();
    let mut next = answers.iter();
    for line in lines {
        if let Some(code) = line.strip_prefix("warning ") {
            if !engine.warnings.iter().any(|w| w == code) {
                wrong.push(format!("no warning {code}, but {:?}", engine.warnings));
            }
            continue;
        }
        let (left, right) = line.split_once(" = ").ok_or_else(|| format!("bad expectation {line}"))?;
        let want = value(right)?;
        let (what, got) = if let Some(name) = left.strip_prefix("weight ") {
            let template = &engine.session.template;
            let weight = parameters.ids().find(|w| template.weights[*w].name == name);
            let weight = weight.ok_or_else(|| format!("no weight {name}"))?;
            (left.to_string(), parameters.get(weight).to_vec())
        } else {
            let answer = next.next().ok_or_else(|| format!("no answer for {left}"))?;
            (format!("{} {}", answer.sample, answer.atom), answer.value.clone())
        };
        if what != left || !all_near(&got, &want, tolerance) {
            wrong.push(format!("expected {line}\n     got {what} = {}", show(&got)));
        }
    }
    wrong.extend(next.map(|a| format!("unexpected {} {} = {}", a.sample, a.atom, show(&a.value))));
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}
