//! Cases recorded from the reference engine: a folder each, with its files, its command line and what came out.

use crate::engine::{Answered, Engine};
use crate::flags::Plan;
use crate::java::model_order;
use crate::mended;
use crate::numbers::{FORWARD, TRAINED, all_near, flat, show};
use crate::replay::{folds, replay};
use crate::results;
use crate::rewrite::{Kind, VARIANTS};
use crate::verdict::Verdict;
use nlog::data::Split;
use nlog::exec::Parameters;
use nlog::learn::{Batch, Distribution, Initializer};
use nlog::template::{Template, WeightId};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// What was recorded.
pub struct Expected {
    /// Outputs by file, in order of the file's name.
    pub outputs: Vec<(Split, Vec<Output>)>,
    /// The same by the name of their file: a training each, if there were several.
    pub trainings: Vec<(String, Vec<Output>)>,
    /// Learnable weights by name, in the reference's order.
    pub weights: Vec<(String, Vec<f64>)>,
    /// The last line of results.
    pub result: Option<String>,
    /// What it died of.
    pub exception: Option<String>,
    /// Neurons of all networks before and after chain pruning.
    pub pruned: Option<(usize, usize)>,
}

/// One recorded output.
pub struct Output {
    sample: String,
    query: String,
    /// The value.
    pub value: Vec<f64>,
}

/// How an attempt to reproduce a case ended.
enum Attempt {
    /// Like this, and maybe with a mended point.
    Same(Vec<String>),
    Different(String),
    /// Different, but only for want of the reference's random stream.
    Random(String),
}

impl Expected {
    /// Reads `expected.json`.
    pub fn read(text: &str) -> Result<Expected, String> {
        let json: Value = serde_json::from_str(text).map_err(|e| format!("expected.json: {e}"))?;
        let text = |v: &Value| v.as_str().unwrap_or_default().replace(' ', "");
        let mut outputs: Vec<(Split, Vec<Output>)> = Vec::new();
        let files = json["outputs"].as_object().cloned().unwrap_or_default();
        let mut trainings = Vec::new();
        for (name, list) in &files {
            let split = match name.trim_end_matches(|c: char| c.is_ascii_digit()) {
                "train" => Split::Train,
                "val" | "validation" => Split::Validation,
                "test" => Split::Test,
                other => return Err(format!("outputs of an unknown kind: {other}")),
            };
            let items = list.as_array().cloned().unwrap_or_default();
            let read = |o: &Value| Output {
                sample: text(&o["sample"]),
                query: text(&o["query"]),
                value: flat(&o["output"]),
            };
            // A later training of the same run stands under a higher number, and its model is the one that counts.
            outputs.retain(|(s, _)| *s != split);
            outputs.push((split, items.iter().map(read).collect()));
            trainings.push((name.clone(), items.iter().map(read).collect()));
        }
        let mut weights = Vec::new();
        for w in json["weights_after"].as_array().into_iter().flatten() {
            if text(&w["kind"]).starts_with("learn") {
                weights.push((text(&w["name"]), flat(&w["values"])));
            }
        }
        let results = json["results"].as_array();
        let result = results.and_then(|r| r.last()).and_then(Value::as_str).map(str::to_string);
        let exception = json["exception"].as_str().map(str::to_string);
        let mut pruned = None;
        for line in json["compression"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if let Some((_, rest)) = line.split_once("LinearChainPruning reduced neurons from ") {
                let mut numbers = rest.split_whitespace().filter_map(|w| w.parse::<usize>().ok());
                let (before, after) = numbers.next().zip(numbers.next()).ok_or("bad line of pruning")?;
                let (b, a) = pruned.unwrap_or((0, 0));
                pruned = Some((b + before, a + after));
            }
        }
        Ok(Expected { outputs, trainings, weights, result, exception, pruned })
    }

    /// Compares the recorded numbers of neurons with ours.
    fn counts(&self, plan: &Plan) -> Result<(), String> {
        let Some((before, after)) = self.pruned else { return Ok(()) };
        let neurons = load(plan)?.network.statistics.neurons;
        let (b, a) = (neurons.total(), neurons.pruned());
        let text = format!("neurons expected {before} pruned to {after} got {b} pruned to {a}");
        if (b, a) == (before, after) { Ok(()) } else { Err(text) }
    }
}

/// Runs one case.
pub fn run(dir: &Path) -> Verdict {
    match try_run(dir) {
        Ok(verdict) => verdict,
        Err(text) => Verdict::Differs(text),
    }
}

fn read(path: PathBuf) -> Result<String, String> {
    fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))
}

fn try_run(dir: &Path) -> Result<Verdict, String> {
    let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let expected = Expected::read(&read(dir.join("expected.json"))?)?;
    let flags = read(dir.join("flags")).unwrap_or_default();
    let settings = read(dir.join("settings")).unwrap_or_default();
    let plan = Plan::read(dir, &flags, &settings)?;
    if let Some(missing) = plan.missing.first() {
        return Ok(Verdict::NotYet(missing.clone()));
    }
    if expected.exception.is_some() && expected.outputs.is_empty() {
        return mended::crashed(&plan, &expected);
    }
    if let Some(count) = plan.folds {
        return cross_validated(&name, &plan, count, &expected);
    }
    let plain = attempt(&plan, &expected);
    let compat = under_compat(dir, &flags, &settings, &expected)?;
    if let Attempt::Same(notes) = plain {
        // What nothing mended is about must not change by the flag either.
        return Ok(match compat {
            Ok(_) => {
                if notes.is_empty() {
                    Verdict::Pass
                } else {
                    Verdict::Mended(notes.join("; "))
                }
            }
            Err(text) => Verdict::Differs(format!("under --compat neuralogic: {text}")),
        });
    }
    let stated = mended::check(&name, dir, &flags, &settings, &expected)?;
    match (compat, stated.clone()) {
        (Ok(mut notes), Some(Verdict::Mended(why))) => {
            notes.insert(0, format!("{why}; recorded under --compat neuralogic"));
            return Ok(Verdict::Mended(notes.join("; ")));
        }
        (Ok(mut notes), None) => {
            // Our own value is not stated: it may differ by the width of scalars only.
            const SINGLE: f64 = 1e-6;
            let produced = produce(&plan, &expected)?;
            let near =
                compare(&plan, &produced.engine, &produced.answers, &produced.parameters, &expected, SINGLE);
            let mut more = near.map_err(|text| format!("no value of ours is stated; {text}"))?;
            notes.insert(0, "scalars have 64 bits; recorded under --compat neuralogic".into());
            notes.append(&mut more);
            notes.dedup();
            return Ok(Verdict::Mended(notes.join("; ")));
        }
        (_, Some(Verdict::Differs(text))) => return Ok(Verdict::Differs(text)),
        (Ok(_), Some(verdict)) => return Ok(verdict),
        (Err(_), _) => {}
    }
    // Several attempts may fail; the one with the text as it stands is told. Fewest rewritings first; those that change
    // nothing are left out.
    let (mut first, mut random) = (None, None);
    let mut subsets: Vec<usize> = (0..1 << VARIANTS.len()).collect();
    subsets.sort_by_key(|s| s.count_ones());
    let tries = subsets.iter().flat_map(|s| [(*s, false), (*s, true)]);
    for (subset, compat) in tries {
        let Some(copy) = rewritten(dir, subset)? else { continue };
        let mut plan = Plan::read(copy.path(), &flags, &settings)?;
        if compat {
            plan.settings.compat = plan.compat();
        }
        match attempt(&plan, &expected) {
            Attempt::Same(mut notes) => {
                if compat {
                    notes.push("under --compat neuralogic".into());
                }
                let chosen = VARIANTS.iter().enumerate().filter(|(i, _)| subset >> i & 1 == 1);
                let ours = match &stated {
                    Some(Verdict::Mended(why)) => Some(why.clone()),
                    _ => return Err("no value of ours is stated".into()),
                };
                let why: Vec<String> =
                    ours.into_iter().chain(chosen.map(|(_, v)| v.why.to_string())).chain(notes).collect();
                return Ok(Verdict::Mended(why.join("; ")));
            }
            Attempt::Different(text) => drop(first.get_or_insert(text)),
            Attempt::Random(text) => drop(random.get_or_insert(text)),
        }
    }
    if let Some(verdict) = stated {
        return Ok(verdict);
    }
    Ok(match (random, first) {
        (Some(text), _) => Verdict::NotYet(text),
        (None, Some(text)) => Verdict::Differs(text),
        (None, None) => Verdict::Differs("nothing could be compared".into()),
    })
}

/// A cross-validation: as recorded if initial values leak from fold to fold as they do in the reference; and without,
/// as we state.
fn cross_validated(name: &str, plan: &Plan, count: usize, expected: &Expected) -> Result<Verdict, String> {
    let engine = load(plan)?;
    let leaking = folds(plan, &engine, count, true)?;
    for (file, outputs) in &expected.trainings {
        let number = file.trim_start_matches(|c: char| !c.is_ascii_digit());
        let fold: usize = number.parse().map_err(|_| format!("outputs of an unknown kind: {file}"))?;
        let answers = leaking.get(fold.wrapping_sub(1)).ok_or(format!("there is no fold {fold}"))?;
        let split = if file.starts_with("test") { Split::Test } else { Split::Train };
        let mine: Vec<&Answered> = answers.iter().filter(|a| a.split == split).collect();
        if mine.len() != outputs.len() {
            return Err(format!("{file}: {} outputs are recorded, we have {}", outputs.len(), mine.len()));
        }
        for (a, o) in mine.iter().zip(outputs) {
            if a.sample != o.sample || !all_near(&a.value, &o.value, TRAINED) {
                let (got, want) = (show(&a.value), show(&o.value));
                return Err(format!("{file}: {} expected {want} got {} {got}", o.sample, a.sample));
            }
        }
    }
    let ours = folds(plan, &engine, count, false)?;
    let held = |answers: &Vec<Answered>| -> Vec<Vec<f64>> {
        answers.iter().filter(|a| a.split == Split::Test).map(|a| a.value.clone()).collect()
    };
    mended::check_folds(name, &ours.iter().map(held).collect::<Vec<_>>().concat())
}

/// The case with the reference's meaning where ours mends it: what is told, or where it differs.
fn under_compat(
    dir: &Path,
    flags: &str,
    settings: &str,
    expected: &Expected,
) -> Result<Result<Vec<String>, String>, String> {
    // A copy: outputs' transformations may have to be stated in it.
    let copy = rewritten(dir, 0)?.ok_or("no copy")?;
    let mut plan = Plan::read(copy.path(), flags, settings)?;
    plan.settings.compat = plan.compat();
    Ok(match attempt(&plan, expected) {
        Attempt::Same(notes) => expected.counts(&plan).map(|()| notes),
        Attempt::Different(text) | Attempt::Random(text) => Err(text),
    })
}

/// A copy of a case with its texts rewritten; `None` if one of the rewritings changes nothing.
fn rewritten(dir: &Path, subset: usize) -> Result<Option<tempfile::TempDir>, String> {
    let io = |e: std::io::Error| e.to_string();
    let copy = tempfile::tempdir().map_err(io)?;
    let mut changed = 0;
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        fs::create_dir_all(copy.path().join(&folder)).map_err(io)?;
        for entry in fs::read_dir(dir.join(&folder)).map_err(io)? {
            let entry = entry.map_err(io)?;
            let relative = folder.join(entry.file_name());
            if entry.path().is_dir() {
                folders.push(relative);
                continue;
            }
            let mut text = read(entry.path())?;
            let file = entry.file_name().to_string_lossy().to_lowercase();
            if !matches!(file.as_str(), "flags" | "settings" | "expected.json") {
                let data = file.contains("examples") || file.contains("queries");
                let kind = if data { Kind::Data } else { Kind::Template };
                for (i, variant) in VARIANTS.iter().enumerate().filter(|(i, _)| subset >> i & 1 == 1) {
                    let new = (variant.apply)(kind, &text);
                    if new != text {
                        changed |= 1 << i;
                        text = new;
                    }
                }
            }
            fs::write(copy.path().join(&relative), text).map_err(io)?;
        }
    }
    Ok((changed == subset).then_some(copy))
}

fn attempt(plan: &Plan, expected: &Expected) -> Attempt {
    match try_attempt(plan, expected) {
        Ok(attempt) => attempt,
        Err(text) => Attempt::Different(text),
    }
}

/// Loads a case, with the outputs' transformations stated where the reference was told to keep them.
pub fn load(plan: &Plan) -> Result<Engine, String> {
    let engine = Engine::load(&plan.inputs, &plan.settings).map_err(|f| f.text)?;
    if !plan.keep_outputs {
        return Ok(engine);
    }
    let (session, template) = (&engine.session, &engine.session.template);
    let mut lines = String::from("\n");
    for query in &session.database.queries {
        if template.stated_activation(query.pred).is_none() {
            let predicate = session.vocabulary.predicate_text(query.pred);
            let line = format!("{predicate} [transformation={}]\n", template.defaults.atom_activation);
            if !lines.contains(&line) {
                lines += &line;
            }
        }
    }
    let path = plan.inputs.templates.last().ok_or("no template")?;
    let text = read(path.clone())? + &lines;
    fs::write(path, text).map_err(|e| e.to_string())?;
    Engine::load(&plan.inputs, &plan.settings).map_err(|f| f.text)
}

/// What a case gives.
pub struct Produced {
    /// The network.
    pub engine: Engine,
    /// The answers.
    pub answers: Vec<Answered>,
    /// The weights at the end.
    pub parameters: Parameters<f64>,
    /// How closely it must agree.
    pub tolerance: f64,
    /// Whether the recorded random stream took part.
    pub replayed: bool,
}

/// Runs a case: with the reference's random stream where the outcome depends on it.
pub fn produce(plan: &Plan, expected: &Expected) -> Result<Produced, String> {
    let engine = load(plan)?;
    let train = &plan.settings.train;
    let constant = matches!(train.initializer, Initializer::Simple(Distribution::Constant(_)));
    let drawn = !constant && engine.session.template.weights.iter().any(|w| w.initial.is_none());
    let count = engine.network.samples.iter().filter(|s| s.split == Split::Train).count();
    let ordered = match train.batch {
        Batch::All => false,
        Batch::Size(n) => n < count,
    };
    let mut parameters = engine.session.initial_parameters();
    if train.epochs == 0 {
        // What is drawn is the reference's own affair; what follows from it is not.
        if drawn {
            recall(&engine.session.template, expected, &mut parameters)?;
        }
        let answers = engine.answer(&parameters).map_err(|f| f.text)?;
        return Ok(Produced { engine, answers, parameters, tolerance: FORWARD, replayed: false });
    }
    let replayed = drawn || ordered;
    let outcome = if replayed {
        replay(plan, &engine, &mut parameters)?
    } else {
        engine.run(&mut parameters).map_err(|f| f.text)?
    };
    let answers = engine.answers(&outcome);
    Ok(Produced { engine, answers, parameters, tolerance: TRAINED, replayed })
}

/// Whether the recorded outputs follow from the recorded weights, however these came about.
pub fn agrees_at_recorded_weights(plan: &Plan, expected: &Expected) -> Result<(), String> {
    let engine = load(plan)?;
    let mut parameters = engine.session.initial_parameters();
    recall(&engine.session.template, expected, &mut parameters)?;
    let answers = engine.answer(&parameters).map_err(|f| f.text)?;
    compare(plan, &engine, &answers, &parameters, expected, TRAINED).map(|_| ())
}

fn try_attempt(plan: &Plan, expected: &Expected) -> Result<Attempt, String> {
    let text = match produce(plan, expected) {
        Ok(p) => match compare(plan, &p.engine, &p.answers, &p.parameters, expected, p.tolerance) {
            Ok(notes) => return Ok(Attempt::Same(notes)),
            Err(text) if !p.replayed => return Err(text),
            Err(text) => text,
        },
        Err(text) => text,
    };
    // Training cannot be followed; do the outputs follow from the weights that it ended with?
    agrees_at_recorded_weights(plan, expected).map_err(|_| text.clone())?;
    Ok(Attempt::Random(format!(
        "needs the reference's random stream ({text}; outputs agree at the recorded weights)"
    )))
}

/// The learnable weights of the template in the reference's order.
fn learnable(template: &Template) -> Vec<WeightId> {
    model_order(template).into_iter().filter(|w| template.weights[*w].learnable).collect()
}

/// Pairs our weights with recorded ones: by order, which is the reference's, where the names do not say otherwise.
fn paired<'e>(template: &Template, expected: &'e Expected) -> Result<Vec<(WeightId, &'e [f64])>, String> {
    let ours = learnable(template);
    let listed: Vec<&(String, Vec<f64>)> = expected.weights.iter().collect();
    if ours.len() != listed.len() {
        return Err(format!("{} learnable weights, recorded are {}", ours.len(), listed.len()));
    }
    let mut pairs = Vec::new();
    for (&w, (name, values)) in ours.iter().zip(&listed) {
        let weight = &template.weights[w];
        if weight.shape.len() != values.len() {
            return Err(format!(
                "weight {} is {}, recorded {name} has {}",
                weight.name,
                weight.shape,
                values.len()
            ));
        }
        pairs.push((w, values.as_slice()));
    }
    Ok(pairs)
}

/// Sets the weights to the recorded ones.
fn recall(template: &Template, expected: &Expected, to: &mut Parameters<f64>) -> Result<(), String> {
    for (w, values) in paired(template, expected)? {
        to.get_mut(w).copy_from_slice(values);
    }
    Ok(())
}

/// Compares outputs, weights and the line of results; what is mended among the results is told.
pub fn compare(
    plan: &Plan,
    engine: &Engine,
    answers: &[Answered],
    parameters: &Parameters<f64>,
    expected: &Expected,
    tolerance: f64,
) -> Result<Vec<String>, String> {
    let mut notes = Vec::new();
    let mut counted: Vec<Answered> = Vec::new();
    for (split, outputs) in &expected.outputs {
        let mine: Vec<&Answered> = answers.iter().filter(|a| a.split == *split).collect();
        let mut used = vec![false; mine.len()];
        for o in outputs {
            let fits = |i: &usize, sample: bool| {
                !used[*i] && mine[*i].query == o.query && (!sample || mine[*i].sample == o.sample)
            };
            let all = 0..mine.len();
            let mut candidates: Vec<usize> = all.clone().filter(|i| fits(i, true)).collect();
            if candidates.is_empty() {
                candidates = all.filter(|i| fits(i, false)).collect();
            }
            // The matches of a query with variables stand in no order.
            let close = |i: &&usize| all_near(&mine[**i].value, &o.value, tolerance);
            let best = candidates.iter().find(close).or(candidates.first());
            let at = || format!("{}:{}", o.sample, o.query);
            let Some(&best) = best else { return Err(format!("{} is not among our answers", at())) };
            used[best] = true;
            if !all_near(&mine[best].value, &o.value, tolerance) {
                let (e, g) = (show(&o.value), show(&mine[best].value));
                return Err(format!("{} expected {e} got {g}", at()));
            }
            counted.push(mine[best].clone());
        }
        for (a, _) in mine.iter().zip(&used).filter(|(a, used)| !**used && a.proven) {
            let twin = counted.iter().any(|c| c.atom == a.atom && c.value == a.value);
            if !(twin && (plan.prune || plan.iso_draws > 0)) {
                return Err(format!(
                    "{}:{} has the value {}, but no output is recorded",
                    a.sample,
                    a.query,
                    show(&a.value)
                ));
            }
            notes.push("equal queries keep their places".to_string());
        }
        if mine.iter().zip(&used).any(|(a, used)| !used && !a.proven) {
            notes.push("an unprovable query is an error, or has the value that is asked for".to_string());
        }
    }
    if plan.settings.train.epochs > 0 {
        let template = &engine.session.template;
        for (w, values) in paired(template, expected)? {
            let (got, name) = (parameters.get(w), &template.weights[w].name);
            if !all_near(got, values, tolerance) {
                return Err(format!("weight {name} expected {} got {}", show(values), show(got)));
            }
        }
    }
    if let Some(line) = &expected.result
        && notes.is_empty()
    {
        notes.extend(results::compare(line, engine, &counted, tolerance)?);
    }
    notes.dedup();
    Ok(notes)
}
