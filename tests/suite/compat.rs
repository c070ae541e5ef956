//! `--compat neuralogic`: what the reference does where we mend it, point by point, and how neurons are counted.

use crate::support::{evaluate_only, network, run, session};
use nlog::session::{Compat, Network};
use nlog::tensor::elementary::double::tanh;

const PRUNED: Compat = Compat::NeuraLogic { pruning: true };
const UNPRUNED: Compat = Compat::NeuraLogic { pruning: false };

fn built(template: &str, data: &str, compat: Compat) -> (Network, Vec<Vec<f64>>) {
    let mut settings = evaluate_only();
    settings.compat = compat;
    let (network, _, outcome) = run(&session(template, data, settings));
    (network, outcome.values)
}

fn values(template: &str, data: &str, compat: Compat) -> Vec<Vec<f64>> {
    built(template, data, compat).1
}

fn lone(template: &str, data: &str, compat: Compat) -> f64 {
    values(template, data, compat)[0][0]
}

const LINEAR: &str = "[rule=identity, atom=identity, aggregation=sum]\n";

#[test]
fn names_of_the_setting() {
    for name in Compat::names() {
        assert!(Compat::parse(name).is_some(), "{name}");
    }
    assert_eq!(Compat::parse("NeuraLogic"), None);
}

#[test]
fn scalars_pass_through_32_bits_but_vectors_do_not() {
    let narrow = |x: f64| f64::from(x as f32);
    let template = format!("{LINEAR}<0.1> q :- 0.2 a(X).");
    let data = "1 q :- <0.3> a(c).";
    assert_eq!(lone(&template, data, Compat::Off), 0.1 * (0.2 * 0.3));
    assert_eq!(lone(&template, data, PRUNED), narrow(0.1) * (narrow(0.2) * narrow(0.3)));
    let template = format!("{LINEAR}<[0.1,0.2]> q :- a(X).");
    assert_eq!(values(&template, "[1,0] q :- <1> a(c).", PRUNED), [vec![0.1, 0.2]]);
    // Beyond 32 bits a number stays what it is.
    assert_eq!(lone(&format!("{LINEAR}q :- a(X)."), "1 q :- <1e60> a(c).", PRUNED), 1e60);
    let mut settings = evaluate_only();
    settings.compat = PRUNED;
    let network = network(&session(&template, "[0.1,0] q :- a(c). ", settings.clone()));
    assert_eq!(network.samples[0].target, [0.1, 0.0]);
    let template = format!("{LINEAR}q :- a(X).");
    let network = crate::support::network(&session(&template, "0.1 q :- a(c). ", settings));
    assert_eq!(network.samples[0].target, [narrow(0.1)]);
}

#[test]
fn max_and_min_choose_whole_vectors() {
    let data = "[0,0] q :- <[1,2]> a(c), <[0.5,4]> a(d), <[3,-1]> b(c), <[3,-1]> b(d).";
    let by = |function: &str| format!("{LINEAR}q :- a(X). [{function}]");
    assert_eq!(values(&by("aggregation=min"), data, Compat::Off), [[0.5, 2.0]]);
    assert_eq!(values(&by("aggregation=min"), data, PRUNED), [[1.0, 2.0]]);
    assert_eq!(values(&by("aggregation=max"), data, PRUNED), [[0.5, 4.0]]);
    let pair = format!("{LINEAR}q :- a(c), b(c). [combination=max]");
    assert_eq!(values(&pair, data, Compat::Off), [[3.0, 2.0]]);
    assert_eq!(values(&pair, data, PRUNED), [[1.0, 2.0]]);
    let default = "[rule=identity, atom=identity, aggregation=max]\nq :- a(X).";
    assert_eq!(values(default, data, PRUNED), [[0.5, 4.0]]);
    let atom = format!("{LINEAR}q/0 [combination=min]\nq :- a(c).\nq :- b(c).");
    assert_eq!(values(&atom, data, Compat::Off), [[1.0, -1.0]]);
    assert_eq!(values(&atom, data, PRUNED), [[3.0, -1.0]]);
}

#[test]
fn pruning_loses_the_functions_of_unweighted_neurons_with_one_input() {
    let data = "1 q :- <0.5> a(c).";
    let t = tanh;
    // Template, value without the flag, with it, and without pruning. The output itself is a logit and always stays.
    let cases = [
        // The rule of `p`, and its atom.
        ("p(X) :- a(X).\n<2> q :- <1> p(X).", 2.0 * t(t(t(0.5))), 2.0 * t(0.5)),
        // A weight of the head keeps the atom, one of a literal the rule, whatever it is.
        ("<1> p(X) :- a(X).\n<2> q :- <1> p(X).", 2.0 * t(t(t(0.5))), 2.0 * t(t(0.5))),
        ("p(X) :- <1> a(X).\n<2> q :- <1> p(X).", 2.0 * t(t(t(0.5))), 2.0 * t(t(0.5))),
        // An offset keeps its neuron.
        ("p(X) :- a(X).\np/1 <0.25>\n<2> q :- <1> p(X).", 2.0 * t(t(t(0.5) + 0.25)), 2.0 * t(t(0.75))),
        // Two inputs.
        ("p(X) :- a(X), a(X).\n<2> q :- <1> p(X).", 2.0 * t(t(t(1.0))), 2.0 * t(t(1.0))),
        // A soft negation stays, a stated function does not.
        ("p(X) :- ~a(X). [transformation=relu]\n<2> q :- <1> p(X).", 2.0 * t(t(0.5)), 2.0 * t(0.5)),
        // A count of one, which is 1, is the input instead.
        ("p(X) :- a(X). [aggregation=count]\n<2> q :- <1> p(X).", 2.0 * t(t(1.0)), 2.0 * t(0.5)),
        // A function written on the literal is nothing that the reference knows.
        ("p(X) :- exp(a(X)).\n<2> q :- <1> p(X).", 2.0 * t(t(t(0.5f64.exp()))), 2.0 * t(t(0.5f64.exp()))),
    ];
    for (template, ours, pruned) in cases {
        for (compat, expected) in [(Compat::Off, ours), (UNPRUNED, ours), (PRUNED, pruned)] {
            let got = lone(template, data, compat);
            assert!((got - expected).abs() < 1e-15, "{compat:?}\n{template}\n{got} {expected}");
        }
    }
}

#[test]
fn pruning_keeps_functions_that_change_shapes() {
    let template = "[atom=identity]\np :- a(X). [transformation=transpose]\nq :- <1> p, <1> b(X).\
                    [combination=product, transformation=identity]";
    let data = "1 q :- <[1,2]> a(c), <[3,4]> b(c).";
    for compat in [Compat::Off, PRUNED] {
        assert_eq!(values(template, data, compat), [[11.0]], "{compat:?}");
    }
}

#[test]
fn pruning_keeps_normalisation_over_variables() {
    // Of a lone element, softmax and sparsemax are 1.
    for function in ["softmax(X)", "sparsemax(X)"] {
        let template =
            format!("[atom=identity]\np(X) :- a(X). [aggregation={function}]\n<2> q :- <1> p(X).\n");
        for compat in [Compat::Off, PRUNED] {
            assert_eq!(lone(&template, "1 q :- <0.5> a(c).", compat), 2.0 * tanh(1.0), "{function}");
        }
    }
}

#[test]
fn a_queried_inner_atom_is_seen_as_a_logit() {
    let template = "<1> p(X) :- <1> a(X).\n<2> q :- <1> p(X).";
    let facts = "<0.5> a(c).\n";
    let both = format!("{facts}?- 1 q, 0 p(c).");
    let p = tanh(0.5);
    assert_eq!(values(template, &both, Compat::Off), [[2.0 * tanh(tanh(p))], [p]]);
    assert_eq!(values(template, &both, UNPRUNED), [[2.0 * tanh(p)], [p]]);
    // Nobody asks for p(c): nothing changes.
    let one = format!("{facts}?- 1 q.");
    assert_eq!(values(template, &one, UNPRUNED), [[2.0 * tanh(tanh(p))]]);
    // A stated activation is kept.
    let stated = format!("{template}\np/1 [transformation=tanh]");
    assert_eq!(values(&stated, &both, UNPRUNED), [[2.0 * tanh(tanh(p))], [tanh(p)]]);
}

#[test]
fn on_the_command_line() {
    let dir = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("written");
    write("t.lrnn", "p(X) :- a(X).\n<2> q :- <1> p(X).\n");
    write("a.db", "1 q :- <0.5> a(c).\n");
    let nlog = |compat: &str| {
        let args = ["run", "t.lrnn", "a.db", "--epochs", "0", "--report", "r.json", "--compat", compat];
        let o = std::process::Command::new(env!("CARGO_BIN_EXE_nlog")).current_dir(&dir).args(args).output();
        o.expect("nlog runs")
    };
    for (compat, value, left) in [
        ("off", "q = 0.813663", 5),
        ("neuralogic", "q = 0.924234", 3),
        ("neuralogic-unpruned", "q = 0.813663", 5),
    ] {
        let o = nlog(compat);
        let out = String::from_utf8_lossy(&o.stdout);
        assert!(out.contains(value), "{compat}: {out}{}", String::from_utf8_lossy(&o.stderr));
        let report = std::fs::read_to_string(dir.path().join("r.json")).expect("a report");
        let r: serde_json::Value = serde_json::from_str(&report).expect("JSON");
        assert_eq!(
            (&r["graph"]["neurons_unlifted"], &r["graph"]["neurons_pruned"]),
            (&7.into(), &left.into())
        );
        assert_eq!(r["settings"]["compat"], compat);
    }
    let o = nlog("neurologic");
    let err = String::from_utf8_lossy(&o.stderr);
    assert!(o.status.code() == Some(2) && err.contains("did you mean `neuralogic`"), "{err}");
}

#[test]
fn neurons_that_only_hand_on_are_counted() {
    // Per line of the template: rule, aggregation, atom. Facts: a(c).
    let counted = |template: &str, data: &str, compat| {
        let neurons = built(template, data, compat).0.statistics.neurons;
        (neurons.total(), neurons.pruned())
    };
    let data = "1 q :- <0.5> a(c).";
    // Only averages of one are identities; the output stays in any case.
    assert_eq!(counted("p(X) :- a(X).\nq :- p(X).", data, Compat::Off), (7, 5));
    assert_eq!(counted("p(X) :- a(X).\nq :- p(X).", data, PRUNED), (7, 2));
    let identities = "[rule=identity, atom=identity]\n";
    assert_eq!(counted(&format!("{identities}p(X) :- a(X).\nq :- p(X)."), data, Compat::Off), (7, 2));
    assert_eq!(counted(&format!("{identities}<1> p(X) :- <1> a(X).\nq :- p(X)."), data, Compat::Off), (7, 4));
    // A queried atom that others read is one neuron, and stays.
    let world = "<0.5> a(c).\n?- 1 q, 1 p(c).";
    assert_eq!(counted(&format!("{identities}p(X) :- a(X).\nq :- p(X)."), world, Compat::Off), (7, 3));
    // A lone softmax or count is no identity.
    let lone = format!("{identities}q :- a(X). [aggregation=count]");
    assert_eq!(counted(&lone, data, Compat::Off), (4, 3));
    // After a cut what is left is counted anew.
    let cycle = format!("{identities}r(X) :- s(X).\nr(X) :- a(X).\ns(X) :- r(X).\nq :- s(X).");
    assert_eq!(counted(&cycle, data, Compat::Off), (10, 2));
}
