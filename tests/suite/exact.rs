//! Every program at hand, lifted and unlifted, at random weights: the examples, the cases of the reference's language.

use crate::support::{evaluate_only, network, session};
use nlog::diag::has_errors;
use nlog::exec::Kind;
use nlog::graph::function::map_of;
use nlog::graph::lift::Scope;
use nlog::graph::{Graph, Op};
use nlog::io::Inputs;
use nlog::session::Session;
use nlog::template::Template;
use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

const DRAWS: usize = 3;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).expect("a folder").map(|e| e.expect("an entry").path());
    let mut all: Vec<PathBuf> = entries.filter(|p| p.to_string_lossy().ends_with(ending)).collect();
    all.sort();
    all
}

/// Every template of the examples with its facts.
fn examples() -> Vec<(String, Inputs)> {
    let mut out = Vec::new();
    for folder in files("examples", "").iter().filter(|p| p.is_dir()) {
        for template in files(&folder.to_string_lossy(), ".lrnn") {
            let data = vec![folder.join("facts.db")];
            let name = template.display().to_string();
            out.push((name, Inputs { templates: vec![template], data, ..Inputs::default() }));
        }
    }
    assert!(out.len() >= 5, "only {} examples", out.len());
    out
}

/// The cases whose data is one file of examples or facts, written into a folder.
fn cases(dir: &Path) -> Vec<(String, Inputs)> {
    let mut out = Vec::new();
    for file in files("tests/conformance", ".cases") {
        let text = fs::read_to_string(&file).expect("a text");
        for (i, case) in text.split("\n=== ").enumerate() {
            let mut sections = case.split("\n--- ");
            let template = sections.next().and_then(|t| t.split_once('\n')).map_or("", |(_, t)| t);
            let mut data = sections.filter_map(|s| s.split_once('\n'));
            let kept = data.find(|(kind, _)| ["examples", "facts"].contains(&kind.trim()));
            let Some((kind, data)) = kept else { continue };
            let name = format!("{}_{i}", file.file_stem().expect("a name").to_string_lossy());
            let write = |ending: &str, text: &str| {
                let path = dir.join(format!("{name}.{ending}"));
                fs::write(&path, text).expect("written");
                path
            };
            let (template, data) = (write("lrnn", template), write("txt", data));
            let mut inputs = Inputs { templates: vec![template], ..Inputs::default() };
            match kind.trim() {
                "examples" => inputs.train.examples = Some(data),
                _ => inputs.data.push(data),
            }
            out.push((name, inputs));
        }
    }
    out
}

/// Neurons of an unlifted graph that no comparison but that of operation and listed inputs finds equal, those that
/// only copy left out; `None` if an aggregation has one input twice.
fn plain_classes(template: &Template, graph: &Graph) -> Option<usize> {
    let mut known: BTreeMap<(u32, Vec<usize>), usize> = BTreeMap::new();
    let mut class: Vec<usize> = Vec::new();
    for n in 0..graph.len() {
        let inputs: Vec<usize> = graph.inputs(n).iter().map(|i| class[i.0 as usize]).collect();
        let copies = match graph.operation(n) {
            Op::Aggregation(rule) => {
                let mut sorted = inputs.clone();
                sorted.sort_unstable();
                sorted.dedup();
                if sorted.len() < inputs.len() {
                    return None;
                }
                inputs.len() == 1 && template.rules[*rule].aggregation.is_identity_of_one()
            }
            op => map_of(template, op).is_some_and(|m| m.is_copy()),
        };
        let next = known.len();
        class.push(if copies { inputs[0] } else { *known.entry((graph.op[n].0, inputs)).or_insert(next) });
    }
    Some(known.len())
}

/// Whether lifting within worlds only merges: what is left computes the same sums of the same numbers in one order.
fn only_merges(session: &mut Session) -> bool {
    let mut plain = Some(0);
    session.settings.lift = Scope::Off;
    let mut add = |view: &nlog::session::inspect::WorldView<'_>| {
        plain = plain.zip(plain_classes(&session.template, view.graph)).map(|(a, b)| a + b);
        ControlFlow::Continue(())
    };
    session.each_world(&mut add).expect("small worlds");
    let plain = plain;
    session.settings.lift = Scope::Sample;
    let mut lifted = 0;
    let mut add = |view: &nlog::session::inspect::WorldView<'_>| {
        lifted += view.graph.len();
        ControlFlow::Continue(())
    };
    session.each_world(&mut add).expect("small worlds");
    plain == Some(lifted)
}

#[test]
fn lifted_is_unlifted_for_every_program_at_hand() {
    let dir = tempfile::tempdir().expect("a folder");
    let (mut checked, mut to_the_bit, mut merged) = (0, Vec::new(), 0);
    for (name, inputs) in examples().into_iter().chain(cases(dir.path())) {
        let (mut session, found) = Session::load(&inputs, evaluate_only());
        if has_errors(&found) {
            assert!(!name.contains("examples"), "{name}");
            continue;
        }
        let (Some(plain), _) = session.build_lifted(Scope::Off) else { continue };
        let verifier = session.verifier(&plain, DRAWS);
        checked += 1;
        let exact = only_merges(&mut session);
        for scope in [Scope::Sample, Scope::All] {
            let lifted = session.build_lifted(scope).0.expect("built without lifting too");
            merged += plain.statistics.graph_neurons - lifted.statistics.graph_neurons;
            let v = verifier.verify(scope, &lifted);
            assert!(
                v.passed && v.outputs.relative <= 1e-12 && v.gradients.relative <= 1e-12,
                "{name}: {v:?}"
            );
            assert_eq!(v.draws, DRAWS);
            assert!(v.outputs.compared > v.outputs.not_finite || v.outputs.compared == 0, "{name}: {v:?}");
            if exact && scope == Scope::Sample {
                assert_eq!(v.outputs.absolute, 0.0, "{name}");
                to_the_bit.push(name.clone());
            }
        }
    }
    assert!(checked >= 80, "{checked} programs");
    assert!(merged > 10_000, "{merged} neurons");
    assert!(to_the_bit.len() > checked / 4, "{to_the_bit:?}");
    assert!(to_the_bit.iter().any(|n| n.contains("examples")), "{to_the_bit:?}");
}

#[test]
fn what_is_broken_is_found() {
    let template = "{2,1} h(X) :- {1} f(Y), *e(X,Y). [aggregation=sum]\n{1,2} q :- h(X).\n";
    let data = "1 q :- f(a), f(b), <2> f(c), e(x,a), e(x,b), e(x,c), e(y,a).";
    let mut session = session(template, data, evaluate_only());
    let plain = session.build_lifted(Scope::Off).0.expect("built");
    let verifier = session.verifier(&plain, DRAWS);
    session.settings.lift = Scope::Sample;
    let lifted = network(&session);
    assert!(verifier.verify(Scope::Sample, &lifted).passed);
    // An input that counts twice is made to count once.
    let mut broken = lifted.clone();
    let times = broken.programs[0].blocks.iter_mut().find_map(|b| match &mut b.kind {
        Kind::Reduce { times, .. } => times.iter_mut().find(|t| **t == 2),
        _ => None,
    });
    *times.expect("two equal inputs of a sum") = 1;
    let v = verifier.verify(Scope::Sample, &broken);
    assert!(!v.passed && v.outputs.relative > 1e-3 && v.gradients.relative > 1e-3, "{v:?}");
    assert!(v.outputs.absolute > 1e-3 && v.outputs.compared == DRAWS, "{v:?}");
    // Answers that are missing.
    let mut short = lifted.clone();
    short.answers.clear();
    let v = verifier.verify(Scope::Sample, &short);
    assert!(!v.passed && v.outputs.absolute == f64::INFINITY, "{v:?}");
    // Numbers that are not finite only on one side.
    let mut infinite = lifted;
    let constants = &mut infinite.programs[0].constants;
    *constants.first_mut().expect("a fact") = f64::INFINITY;
    assert!(!verifier.verify(Scope::Sample, &infinite).passed);
}
