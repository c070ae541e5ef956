//! Cases by name whose recorded value is a fault or an accident of the reference, with the value that we state.

use crate::flags::Plan;
use crate::numbers::{TRAINED, all_near, show};
use crate::recorded::{Expected, load};
use crate::results;
use crate::verdict::Verdict;

/// A case, our values of its outputs in order, and why.
type Entry = (&'static str, &'static [&'static [f64]], &'static str);

const TABLE: &[Entry] = &[];

/// The verdict of the table on a case that does not give the recorded value.
pub fn check(name: &str, plan: &Plan, _expected: &Expected, _difference: &str) -> Option<Verdict> {
    let (_, values, why) = TABLE.iter().find(|(n, ..)| *n == name)?;
    let engine = match load(plan) {
        Ok(engine) => engine,
        Err(text) => return Some(Verdict::Differs(text)),
    };
    let mut parameters = engine.session.initial_parameters();
    let outcome = match engine.run(&mut parameters) {
        Ok(outcome) => outcome,
        Err(f) => return Some(Verdict::Differs(f.text)),
    };
    let answers = engine.answers(&outcome);
    let same = answers.len() == values.len()
        && answers.iter().zip(*values).all(|(a, v)| all_near(&a.value, v, TRAINED));
    Some(if same {
        Verdict::Mended((*why).into())
    } else {
        let got: Vec<String> = answers.iter().map(|a| show(&a.value)).collect();
        let ours: Vec<String> = values.iter().map(|v| show(v)).collect();
        Verdict::Differs(format!("our own values are {}, got {}", ours.join(" "), got.join(" ")))
    })
}

/// The verdict on a case at which the reference died: it must run, and give what was printed before.
pub fn crashed(_name: &str, plan: &Plan, expected: &Expected) -> Verdict {
    let engine = match load(plan) {
        Ok(engine) => engine,
        Err(text) => return Verdict::Differs(text),
    };
    let answers = match engine.answer(&engine.session.initial_parameters()) {
        Ok(answers) => answers,
        Err(f) => return Verdict::Differs(f.text),
    };
    let Some(line) = &expected.result else {
        return Verdict::Mended("it runs; the reference dies".into());
    };
    match results::compare(line, &engine, &answers, TRAINED) {
        Ok(notes) => Verdict::Mended(
            std::iter::once("the reference dies while exporting".to_string())
                .chain(plan.ranking.then(|| "ranking metrics are not compared yet".to_string()))
                .chain(notes)
                .collect::<Vec<_>>()
                .join("; "),
        ),
        Err(text) => Verdict::Differs(text),
    }
}
