//! Cases whose recorded value is a fault or an accident of the reference that no rewriting brings back: by name with
//! the value that we state, or by a rule that checks ours independently.

use crate::engine::Engine;
use crate::flags::Plan;
use crate::numbers::{TRAINED, all_near, near, show};
use crate::recorded::{self, Expected};
use crate::results;
use crate::verdict::Verdict;
use nlog::exec::Parameters;
use nlog::learn::{Loss, Trainer};
use std::path::Path;

/// A case, our values of its outputs in order, and why.
type Entry = (&'static str, &'static [&'static [f64]], &'static str);

const TABLE: &[Entry] = &[
    (
        "a08_float32_scalars",
        // 0.1 · 0.2.
        &[&[0.020000000000000004], &[0.020000000000000004]],
        "scalars have 64 bits",
    ),
    (
        "a10_query_is_inner_node",
        // As in a11, where nobody asks for p(c1); and p(c1) itself is tanh(0.5), its logit.
        &[&[1.039628638538697], &[0.4621171572600097]],
        "asking for an inner atom does not change its parents",
    ),
    (
        "b01_anonymous_is_shared",
        // (0.5 + 0.25) + (0.75 + 0.25), and the same with 0.125 in place of 0.25 besides.
        &[&[1.75], &[3.25]],
        "each _ is a variable of its own",
    ),
    (
        "b40_textual_constants",
        // 1 and 1.0 are one constant, and the first of its facts counts.
        &[&[0.5], &[0.5]],
        "numbers compare by value",
    ),
    (
        "c_eq_numeric_names",
        // 2.0, 2 and 02 are one constant, and the first of its facts counts.
        &[&[1.0], &[1.0]],
        "numbers compare by value, so three facts are one",
    ),
    (
        "e_aggvec_min",
        // Of [1,2] and [0.5,4].
        &[&[0.5, 2.0]],
        "max and min of vectors are element-wise",
    ),
    (
        "e_combgrad_max",
        // From an independent run of the step: of [0.75,1.5] and [0.25,-0.75], of [0.25,0.5] and [1,-3].
        &[&[1.4104641255372545, 1.3655640879520248]],
        "max and min of vectors are element-wise",
    ),
    (
        "e_combvec_min",
        // Of [1,2] and [3,-1].
        &[&[1.0, -1.0]],
        "max and min of vectors are element-wise",
    ),
    (
        "f02_cycle2_impl_defined",
        // r(a,b) = 0.25; r(b,a) = 0.5; r(a,a) = (0.25 + 0.5)/2, and only the rules that came back to it are cut.
        &[&[0.625], &[0.625]],
        "a cycle loses the ground rules that close it, in no order of visits",
    ),
    (
        "g08_query_a_fact",
        // Asked for a fact, the engine gives its value; 0 would say that it does not hold.
        &[&[1.0], &[1.0]],
        "a queried fact has its value",
    ),
    (
        "g13_xval2",
        // From an independent run of both folds, each from the written weight 0.5.
        &[
            &[0.16835123478367892],
            &[0.5050537043510368],
            &[2.188566052187826],
            &[2.5252685217551836],
            &[-0.5060852457370318],
            &[-0.7085193440318446],
            &[-0.9109534423266573],
            &[-1.1133875406214702],
        ],
        "each fold starts from the initial values; recorded where they leak from fold to fold",
    ),
    (
        "j_prune_changes_values",
        // 2 tanh(avg of tanh tanh 0.5 and tanh tanh 2) and 2 tanh(tanh tanh 0.5), as without pruning.
        &[&[1.039628638538697], &[0.8136626467041487]],
        "no function of a lone input is lost",
    ),
    (
        "h14_minibatch_adam",
        // From an independent run of the formulas with the step as Adam's counter.
        &[&[1.5672214012915007], &[3.1344428025830013], &[6.268885605166003]],
        "Adam counts steps, not epochs",
    ),
];

/// The verdict on a case that does not give the recorded value; `None` if nothing is known about it.
pub fn check(
    name: &str,
    dir: &Path,
    flags: &str,
    settings: &str,
    expected: &Expected,
) -> Result<Option<Verdict>, String> {
    let plan = Plan::read(dir, flags, settings)?;
    let Some((_, values, why)) = TABLE.iter().find(|(n, ..)| *n == name) else {
        return by_rule(&plan, expected);
    };
    let produced = recorded::produce(&plan, expected)?;
    let answers = &produced.answers;
    let same = answers.len() == values.len()
        && answers.iter().zip(*values).all(|(a, v)| all_near(&a.value, v, TRAINED));
    Ok(Some(if same {
        Verdict::Mended((*why).into())
    } else {
        let got: Vec<String> = answers.iter().map(|a| show(&a.value)).collect();
        let ours: Vec<String> = values.iter().map(|v| show(v)).collect();
        Verdict::Differs(format!("our own values are {}, got {}", ours.join(" "), got.join(" ")))
    }))
}

/// The verdict on a cross-validation that is as recorded but for initial values that leak: our values of what is held
/// out, fold by fold.
pub fn check_folds(name: &str, got: &[Vec<f64>]) -> Result<Verdict, String> {
    let stated = TABLE.iter().find(|(n, ..)| *n == name);
    let (_, values, why) = stated.ok_or_else(|| format!("no value of ours is stated: {got:?}"))?;
    let same = got.len() == values.len() && got.iter().zip(*values).all(|(g, v)| all_near(g, v, TRAINED));
    let text = || format!("our own values are {values:?}, got {got:?}");
    if same { Ok(Verdict::Mended((*why).into())) } else { Err(text()) }
}

/// Faults that are recognised by what the case does.
fn by_rule(plan: &Plan, expected: &Expected) -> Result<Option<Verdict>, String> {
    let Ok(engine) = recorded::load(plan) else { return Ok(None) };
    if plan.settings.train.epochs > 0 {
        let text = sources(&engine);
        let vectors = engine.network.samples.iter().any(|s| s.target.len() > 1);
        let crossed = engine.session.settings.train.loss == Loss::CrossEntropy && vectors;
        let faulty = [
            (text.contains("lukasiewicz"), "the derivative of lukasiewicz has its factor"),
            (text.contains("elproduct"), "the derivative of elproduct holds at zero"),
            (crossed, "the gradient of cross-entropy over classes is that of its value"),
        ];
        if let Some((_, why)) = faulty.iter().find(|(found, _)| *found)
            && recorded::agrees_at_recorded_weights(plan, expected).is_ok()
        {
            return Ok(Some(match gradient_fault(&engine, &engine.session.initial_parameters()) {
                None => Verdict::Mended(format!(
                    "{why}; by finite differences, and outputs agree at the recorded weights"
                )),
                Some(text) => Verdict::Differs(text),
            }));
        }
    }
    let text = sources(&engine);
    let ones = |values: &[f64]| values.iter().all(|x| *x == 1.0);
    let recorded: Vec<_> = expected.outputs.iter().flat_map(|(_, o)| o).collect();
    if text.contains("=softmax") && recorded.iter().all(|o| ones(&o.value)) {
        // Of a lone input the reference makes the constant 1, whatever its shape.
        let answers = recorded::produce(plan, expected)?.answers;
        if answers.iter().all(|a| near(a.value.iter().sum(), 1.0, TRAINED)) {
            return Ok(Some(Verdict::Mended(
                "a softmax of one vector is a distribution over its elements".into(),
            )));
        }
    }
    if engine.warnings.iter().any(|w| w == "W0701") {
        let text = "where a cycle is cut is an accident of the reference, and this one is not in our table";
        return Ok(Some(Verdict::NotYet(text.into())));
    }
    Ok(None)
}

/// All texts of a case.
fn sources(engine: &Engine) -> String {
    let sources = &engine.session.sources;
    sources.ids().map(|s| sources.text(s)).collect()
}

/// Where the gradient is not the slope of the error.
pub fn gradient_fault(engine: &Engine, start: &Parameters<f64>) -> Option<String> {
    const STEP: f64 = 1e-6;
    let at = |index: usize, by: f64| {
        let mut parameters = start.clone();
        parameters.values[index] += by;
        let network = &engine.network;
        let settings = engine.session.settings.train.clone();
        Trainer::<f64>::new(&network.programs, &network.samples, parameters, settings).error_and_gradient()
    };
    let gradient = at(0, 0.0).1;
    for id in start.ids().filter(|w| start.learnable[*w]) {
        for i in start.ranges[id].clone() {
            let slope = (at(i, STEP).0 - at(i, -STEP).0) / (2.0 * STEP);
            if !near(gradient[i], slope, 1e-6) {
                return Some(format!("a gradient is {}, the slope of the error {slope}", gradient[i]));
            }
        }
    }
    None
}

/// The verdict on a case at which the reference died: it must run, and give what was printed before.
pub fn crashed(plan: &Plan, expected: &Expected) -> Result<Verdict, String> {
    let engine = recorded::load(plan)?;
    let answers = engine.answer(&engine.session.initial_parameters()).map_err(|f| f.text)?;
    let Some(line) = expected.result.as_ref().filter(|l| l.contains("results :-")) else {
        return Ok(Verdict::NotYet(
            "the reference dies here and leaves nothing to compare; ours runs".into(),
        ));
    };
    let mut why = vec!["the reference dies here, after these results".to_string()];
    if plan.ranking {
        why.push("ranking metrics are not compared yet".into());
    }
    why.extend(results::compare(line, &engine, &answers, TRAINED)?);
    Ok(Verdict::Mended(why.join("; ")))
}
