//! Templates of the reference's Python front end with given weights: values, losses and weights after a step.
//! There the default transformations are identity and nothing is pruned.

use crate::engine::{Answered, Engine};
use crate::mended::gradient_fault;
use crate::numbers::{FORWARD, TRAINED, all_near, flat, near, show};
use crate::verdict::Verdict;
use nlog::exec::Parameters;
use nlog::io::Inputs;
use nlog::learn::{Batch, Loss, Optimizer, Reduction};
use nlog::session::{Compat, Settings};
use nlog::template::{Template, WeightId};
use nlog::tensor::functions::Activation;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Entries with our own values of their outputs and why they are not the recorded ones.
const MENDED: &[(&str, &[&[f64]], &str)] = &[
    // Of [0.7,-0.4,0.2,0.9], [-0.3,0.8,-0.6,0.1] and [0.5,0.15,0.35,-0.75].
    ("MaxPooling", &[&[0.7, 0.8, 0.35, 0.9]], ELEMENTWISE),
    // Of [0.41,-0.05], [-0.38,0.32] and [0.07,0.08].
    ("agg_min", &[&[-0.38, -0.05]], ELEMENTWISE),
    // Of [0.41,-0.05] and [0.2,0.5].
    ("comb_max", &[&[0.41, 0.5]], ELEMENTWISE),
    ("comb_min", &[&[0.2, -0.05]], ELEMENTWISE),
];
/// Entries at which the reference dies, with an example for those that have none, and the error that we tell instead.
const REFUSED: &[(&str, &str, &str, &str)] = &[
    (
        "comb_softmax",
        "[0,0] out :- <[0.7,-0.3]> a, <[0.2,0.5]> b.",
        "E0401",
        "a softmax of vectors has no meaning, and is a located error",
    ),
    ("gen_softmax", "", "E0403", "a softmax over vectors wants a variable, and is a located error"),
    (
        "fgraph_tanh_sum_times",
        "0 out :- <1> a, <1> b, <1> c.",
        "E0101",
        "expressions of literals are not part of the language: a located error",
    ),
];
const ELEMENTWISE: &str = "max and min of vectors are element-wise";

/// The entries of a file with their names.
pub fn entries(path: &Path) -> Result<Vec<(String, Value)>, String> {
    let text = fs::read_to_string(path).map_err(|e| e.to_string())?;
    let json: Value = serde_json::from_str(&text).map_err(|e| e.to_string())?;
    let list = json.as_array().cloned().unwrap_or_default();
    Ok(list.into_iter().map(|e| (e["name"].as_str().unwrap_or_default().to_string(), e)).collect())
}

/// Runs one entry.
pub fn run(name: &str, entry: &Value) -> Verdict {
    match try_run(name, entry) {
        Ok(verdict) => verdict,
        Err(text) => Verdict::Differs(text),
    }
}

/// What the front end writes in its own way, in ours.
fn translated(line: &str) -> String {
    let mut line = line.to_string();
    for (theirs, ours) in [
        (", duplicate_grounding=True", ""),
        ("slice(i, rows=[1, 3], cols=...)", "slice(1:3)(i())"),
        ("slice(i, rows=[1, 3], cols=[2, 4])", "slice(1:3,2:4)(i())"),
        ("reshape(i, shape=(2, 8))", "reshape(2,8)(i())"),
        ("reshape(i, shape=(1, 16))", "reshape(1,16)(i())"),
        // An atom without arguments under a function has its parentheses.
        ("transpose(a)", "transpose(a())"),
        ("transpose(b)", "transpose(b())"),
        // What a combination of literals stands for is a rule: where a weight, an offset and an aggregation have their
        // places, and where `concat(a, b)` is not an atom about two constants.
        ("out :- concat(a, b).", "out :- both.\nboth :- a, b. [combination=concat]"),
    ] {
        line = line.replace(theirs, ours);
    }
    while let Some(at) = line.find("(agg_terms=[") {
        let rest = line[at..].replacen("(agg_terms=[", "(", 1).replacen(']', "", 1);
        line.replace_range(at.., &rest);
    }
    line
}

fn settings(name: &str, entry: &Value) -> Settings {
    let mut settings = Settings::default();
    settings.overrides.rule_activation = Some(Activation::Identity);
    settings.overrides.atom_activation = Some(Activation::Identity);
    let train = &mut settings.train;
    let number = |key: &str| entry[key].as_f64();
    // What an entry does not say stands in its name.
    let after = |key: &str| {
        let rest = name.split_once(key)?.1;
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        rest[..end].parse::<f64>().ok()
    };
    train.loss = match name {
        n if n.contains("softentropy") => Loss::SoftEntropy,
        n if n.contains("bce") => Loss::CrossEntropy,
        _ => Loss::Mse,
    };
    let mean = entry["reduction"].as_str().map_or(name.contains("mean"), |r| r == "mean");
    train.reduction = if mean { Reduction::Mean } else { Reduction::Sum };
    let adam = entry["optimizer"].as_str().map_or(name.contains("adam"), |o| o == "adam");
    train.optimizer = if adam { Optimizer::ADAM } else { Optimizer::Sgd };
    train.learning_rate = Some(number("lr").or(after("_lr")).unwrap_or(0.1));
    train.weight_decay = after("_wd").unwrap_or(0.0);
    train.clip_value = after("clip_value");
    train.clip_norm = after("clip_norm");
    if name == "wd_not_clipped" {
        (train.weight_decay, train.clip_norm) = (0.3, Some(1e-4));
    }
    train.batch = Batch::Size(number("batch_size").map_or(1, |b| b as usize));
    (train.shuffle, train.epochs) = (false, 1);
    settings
}

fn try_run(name: &str, entry: &Value) -> Result<Verdict, String> {
    let words = |v: &Value| -> Vec<String> {
        v.as_array().into_iter().flatten().filter_map(|w| w.as_str().map(str::to_string)).collect()
    };
    let template = words(&entry["template"]).iter().map(|l| translated(l)).collect::<Vec<_>>().join("\n");
    let io = |e: std::io::Error| e.to_string();
    let dir = tempfile::tempdir().map_err(io)?;
    let (mut examples, mut queries) = (String::new(), String::new());
    let mut last = String::new();
    for sample in entry["samples"].as_array().into_iter().flatten() {
        let facts: Vec<String> = words(&sample["example"]).iter().map(|f| fixed(f)).collect();
        let facts = facts.join(", ") + ".\n";
        // Samples about the same facts share one example.
        if facts != last {
            examples += &facts;
            last = facts;
        }
        queries += sample["query"].as_str().unwrap_or_default();
        queries.push('\n');
    }
    let refused = REFUSED.iter().find(|(n, ..)| *n == name);
    if let Some((_, example, ..)) = refused.filter(|_| examples.is_empty()) {
        examples = (*example).to_string();
    }
    for (file, text) in
        [("template.txt", &template), ("trainExamples.txt", &examples), ("trainQueries.txt", &queries)]
    {
        fs::write(dir.path().join(file), text).map_err(io)?;
    }
    let inputs = Inputs::folder(dir.path()).map_err(|d| d.title)?;
    let mut settings = settings(name, entry);
    let loaded = Engine::load(&inputs, &settings);
    if entry["forward"].is_null() {
        let Some((_, _, code, why)) = refused else {
            return Ok(Verdict::NotYet("a fault of the reference; nothing is recorded".into()));
        };
        return match loaded {
            Err(f) if f.code == *code => Ok(Verdict::Mended(format!("{why}: {code}"))),
            Err(f) => Err(f.text),
            Ok(_) => Err(format!("expected {code}, but it runs")),
        };
    }
    let engine = loaded.map_err(|f| f.text)?;
    let mut parameters = engine.session.initial_parameters();
    set(&engine.session.template, &template, &entry["weights"], &mut parameters)?;
    let answers = engine.answer(&parameters).map_err(|f| f.text)?;
    let (mut engine, mut verdict) = (engine, Verdict::Pass);
    if let Err(text) = forward(&answers, &entry["forward"]) {
        let Some((_, ours, why)) = MENDED.iter().find(|(n, ..)| *n == name) else { return Err(text) };
        if answers.len() != ours.len()
            || !answers.iter().zip(*ours).all(|(a, v)| all_near(&a.value, v, FORWARD))
        {
            let got: Vec<String> = answers.iter().map(|a| show(&a.value)).collect();
            return Err(format!("our own values are others: {}", got.join(" ")));
        }
        settings.compat = Compat::NeuraLogic { pruning: false };
        engine = Engine::load(&inputs, &settings).map_err(|f| f.text)?;
        verdict = Verdict::Mended(format!("{why}; recorded under --compat neuralogic"));
    }
    // Where an entry does not say how errors are reduced, its loss does, and the steps must agree.
    if entry["reduction"].is_null() && losses(&engine, entry, &parameters).is_err() {
        settings.train.reduction = Reduction::Mean;
        engine.session.settings.train.reduction = Reduction::Mean;
    }
    losses(&engine, entry, &parameters)?;
    // The same with the learning rate.
    let stated = !entry["lr"].is_null() || name.contains("_lr");
    let rates: &[f64] = if stated { &[] } else { &[0.05, 0.01, 0.001] };
    let mut result = steps(&engine, entry, &parameters);
    for &rate in rates {
        if result.is_err() {
            engine.session.settings.train.learning_rate = Some(rate);
            result = steps(&engine, entry, &parameters).or(result);
        }
    }
    match result {
        Ok(()) => Ok(verdict),
        Err(_) if template.contains("lukasiewicz") => match gradient_fault(&engine, &parameters) {
            None => {
                let why = "the derivative of lukasiewicz has its factor; by finite differences";
                Ok(Verdict::Mended(why.into()))
            }
            Some(text) => Err(text),
        },
        Err(text) => Err(text),
    }
}

/// A fact with its value fixed, as the front end means it.
fn fixed(fact: &str) -> String {
    let fact = fact.trim().trim_end_matches('.');
    let start = fact.chars().next().unwrap_or('<');
    let end = match start {
        '[' => {
            let mut depth = 0;
            fact.char_indices().find_map(|(i, c)| {
                depth += i32::from(c == '[') - i32::from(c == ']');
                (depth == 0).then_some(i + 1)
            })
        }
        c if c.is_ascii_digit() || c == '-' => fact.find(' '),
        _ => None,
    };
    end.map_or(fact.to_string(), |end| format!("<{}>{}", &fact[..end], &fact[end..]))
}

/// Our weight of a recorded name: `w`, or `1:w1` with the number of its first use.
fn weights<'e>(
    template: &Template,
    text: &str,
    recorded: &'e Value,
) -> Result<Vec<(WeightId, &'e Value)>, String> {
    let mut listed: Vec<(usize, &str, &Value)> = Vec::new();
    for (name, value) in recorded.as_object().into_iter().flatten() {
        let (order, name) = name.split_once(':').unwrap_or(("0", name));
        listed.push((order.parse().map_err(|_| format!("weight {name}"))?, name, value));
    }
    listed.sort_by_key(|(order, ..)| *order);
    let id = |i: usize| nlog::base::index::Id::new(i);
    let learnable = |w: &WeightId| template.weights[*w].learnable;
    let ids: Vec<WeightId> = (0..template.weights.len()).map(id).filter(learnable).collect();
    let stated = |name: &str| text.contains(&format!("${name}="));
    let anonymous: Vec<WeightId> =
        ids.iter().copied().filter(|w| !stated(&template.weights[*w].name)).collect();
    let mut next = anonymous.into_iter();
    let mut pairs = Vec::new();
    for (_, name, value) in listed {
        let found = if stated(name) {
            ids.iter().copied().find(|w| template.weights[*w].name == name)
        } else {
            next.next()
        };
        let w = found.ok_or_else(|| format!("no weight for the recorded {name}"))?;
        let (shape, values) = (template.weights[w].shape, flat(value));
        if shape.len() != values.len() {
            return Err(format!("weight {name} is {shape}, {} numbers are recorded", values.len()));
        }
        pairs.push((w, value));
    }
    Ok(pairs)
}

fn set(template: &Template, text: &str, recorded: &Value, to: &mut Parameters<f64>) -> Result<(), String> {
    for (w, value) in weights(template, text, recorded)? {
        to.get_mut(w).copy_from_slice(&flat(value));
    }
    Ok(())
}

fn forward(answers: &[Answered], recorded: &Value) -> Result<(), String> {
    let recorded = recorded.as_array().cloned().unwrap_or_default();
    if answers.len() != recorded.len() {
        return Err(format!("{} outputs are recorded, we have {}", recorded.len(), answers.len()));
    }
    for (a, r) in answers.iter().zip(&recorded) {
        if !all_near(&a.value, &flat(r), FORWARD) {
            return Err(format!("{} expected {} got {}", a.atom, show(&flat(r)), show(&a.value)));
        }
    }
    Ok(())
}

/// Compares errors and losses before any step.
fn losses(engine: &Engine, entry: &Value, start: &Parameters<f64>) -> Result<(), String> {
    let answers = engine.answer(start).map_err(|f| f.text)?;
    forward(&answers, &entry["forward"])?;
    let train = &engine.session.settings.train;
    let error = |a: &Answered| a.target.as_ref().map(|t| train.loss.value(&a.value, t));
    let losses: Vec<f64> = answers.iter().filter_map(error).collect();
    for (got, expected) in losses.iter().zip(entry["per_query_error"].as_array().into_iter().flatten()) {
        let expected = expected.as_f64().unwrap_or(f64::NAN);
        if !near(*got, expected, FORWARD) {
            return Err(format!("error expected {expected} got {got}"));
        }
    }
    let recorded = [&entry["loss"], &entry["loss_before"]].into_iter().find_map(Value::as_f64);
    let Some(expected) = recorded else { return Ok(()) };
    let elements: usize = answers.iter().filter_map(|a| a.target.as_ref()).map(Vec::len).sum();
    let by = if train.reduction == Reduction::Mean { elements as f64 } else { 1.0 };
    let got = losses.iter().sum::<f64>() / by;
    if near(got, expected, FORWARD) { Ok(()) } else { Err(format!("loss expected {expected} got {got}")) }
}

/// Compares the weights after each step.
fn steps(engine: &Engine, entry: &Value, start: &Parameters<f64>) -> Result<(), String> {
    let after =
        [&entry["weights_after"], &entry["weights_after_one_step"]].into_iter().find(|v| !v.is_null());
    let Some(after) = after else { return Ok(()) };
    let steps: Vec<&Value> = after.as_array().map_or(vec![after], |list| list.iter().collect());
    let text = engine.session.sources.ids().map(|s| engine.session.sources.text(s)).collect::<String>();
    for (i, step) in steps.iter().enumerate() {
        // The steps are laid out in one epoch, so that only its end competes with the beginning for the best model.
        let mut network = engine.network.clone();
        for _ in 0..i {
            network.samples.extend_from_slice(&engine.network.samples);
            network.sample_answers.extend_from_slice(&engine.network.sample_answers);
        }
        let engine = Engine { session: engine.session.clone(), network, warnings: Vec::new() };
        let mut parameters = start.clone();
        let outcome = engine.run(&mut parameters).map_err(|f| f.text)?;
        for (w, value) in weights(&engine.session.template, &text, step)? {
            let (got, expected) = (parameters.get(w), flat(value));
            if !all_near(got, &expected, TRAINED) {
                let name = &engine.session.template.weights[w].name;
                let (expected, got) = (show(&expected), show(got));
                let kept = outcome.history.best_epoch;
                return Err(format!(
                    "weight {name} after step {}: expected {expected} got {got} (kept {kept})",
                    i + 1
                ));
            }
        }
    }
    Ok(())
}
