//! Families of weights: what they mean by templates that have one rule for each member, and what holds of them.

use crate::lifting::{gradient, near, scoped};
use crate::support::{evaluate_only, network, run, session, shown};
use nlog::base::index::Id;
use nlog::base::rng::Stream;
use nlog::exec::Parameters;
use nlog::exec::run::check_gradient;
use nlog::graph::lift::Scope;
use nlog::learn::optimizer::Optimizer;
use nlog::learn::trainer::named_weights;
use nlog::learn::{Batch, Trainer};
use nlog::session::{Compat, LiftMode, Precision, Session, Settings};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

const SCOPES: [Scope; 3] = [Scope::Off, Scope::Sample, Scope::All];

const DATA: &str = "
    <[1,0.5]> f(a). <[-0.3,0.8]> f(b). <[0.2,-1]> f(c).
    e(a,near,b). e(b,near,c). e(c,far,a). e(c,near,b). e(a,far,c). e(b,far,a).
    head(1). head(2). basis(x). basis(y).
    ?- 1 q(a), 0 q(b), 1 q(c).
";

/// The same for two worlds.
const WORLDS: &str = "
    m1 :- <[1,0.5]> f(a), <[-0.3,0.8]> f(b), e(a,near,b), e(b,far,a), e(b,near,b).
    m2 :- <[0.2,-1]> f(b), <[0.7,0.1]> f(c), e(c,near,b), e(b,far,c), e(c,far,c).
";

/// One copy of a line with `@x` for each combination of what `@x:a,b` lists in its end.
fn unrolled(template: &str) -> String {
    let mut out = String::new();
    for line in template.lines() {
        let Some((rule, lists)) = line.split_once("@@") else {
            out += &format!("{line}\n");
            continue;
        };
        let mut copies = vec![rule.to_string()];
        for list in lists.split_whitespace() {
            let (name, values) = list.split_once(':').expect("a name and values");
            let each = |copy: &String| -> Vec<String> {
                values.split(',').map(|v| copy.replace(&format!("@{name}"), v)).collect()
            };
            copies = copies.iter().flat_map(each).collect();
        }
        out += &(copies.join("\n") + "\n");
    }
    out
}

/// A family's member and the plain weight that stands for it have one name here.
fn plain(name: &str) -> String {
    name.replace(['[', ','], "_").replace(']', "")
}

/// Values of both templates' weights drawn alike, by their names.
fn drawn(session: &Session, seed: u64) -> Parameters<f64> {
    let mut parameters: Parameters<f64> = session.initial_parameters();
    for (id, weight) in session.template.weights.iter_enumerated().filter(|(_, w)| w.is_parameter()) {
        let mut stream = Stream::new(seed, &plain(&weight.name));
        parameters.get_mut(id).iter_mut().for_each(|x| *x = stream.uniform() * 2.0 - 1.0);
    }
    parameters
}

/// Outputs, and the gradient of each weight by name.
fn computed(session: &Session, seed: u64) -> (Vec<f64>, BTreeMap<String, Vec<f64>>) {
    let network = network(session);
    let parameters = drawn(session, seed);
    let train = session.settings.train.clone();
    let mut trainer = Trainer::new(&network.programs, &network.samples, parameters.clone(), train);
    let (_, gradient) = trainer.error_and_gradient();
    let outputs = trainer.outputs();
    let value = |(shard, output): (usize, usize)| outputs[shard][output].clone();
    let named = parameters
        .ids()
        .filter(|&w| session.template.weights[w].is_parameter())
        .map(|w| (plain(&session.template.weights[w].name), gradient[parameters.ranges[w].clone()].to_vec()));
    (network.answers.iter().filter_map(|a| a.place).flat_map(value).collect(), named.collect())
}

/// Each template with families, and the same with a rule for each member.
const PAIRS: &[(&str, &str)] = &[
    // Embeddings: before a head.
    (
        "$v[X]={2} h(X) :- *f(X).\n{1,2} q(X) :- h(Y), *e(X,_,Y).",
        "$v_@x={2} h(@x) :- *f(@x). @@ x:a,b,c\n{1,2} q(X) :- h(Y), *e(X,_,Y).",
    ),
    (
        "$v[X]={2,2} h(X) :- f(X).\n$u[X]={1,2} q(X) :- h(Y), *e(X,_,Y).",
        "$v_@x={2,2} h(@x) :- f(@x). @@ x:a,b,c\n$u_@x={1,2} q(@x) :- h(Y), *e(@x,_,Y). @@ x:a,b,c",
    ),
    // Two terms, one of them a number.
    (
        "$W[H,B]={2,2} w(H,B,I) :- f(I), *head(H), *basis(B).\n{1,2} q(I) :- w(H,B,I). [aggregation=max]",
        "$W_@h_@b={2,2} w(@h,@b,I) :- f(I). @@ h:1,2 b:x,y\n{1,2} q(I) :- w(H,B,I). [aggregation=max]",
    ),
    // Before a literal, by a variable that only a hidden literal has.
    (
        "h(X) :- $W[R]={2,2} f(Y), *e(X,R,Y). [aggregation=sum]\n{1,2} q(X) :- h(X).",
        "h(X) :- $W_@r={2,2} f(Y), *e(X,@r,Y). [aggregation=sum] @@ r:near,far\n{1,2} q(X) :- h(X).",
    ),
    // Functions, a negation, several literals of one rule, an offset.
    (
        "h(X) :- $W[R]={2,2} tanh(f(Y)), $W[R] ~f(X), $a[Y]=0.5 f(Y), *e(X,R,Y), {2}. [aggregation=sum]
         {1,2} q(X) :- h(X).",
        "h(X) :- $W_@r={2,2} tanh(f(@y)), $W_@r ~f(X), $a_@y=0.5 f(@y), *e(X,@r,@y), $w0={2}. [aggregation=sum] @@ r:near,far y:a,b,c
         $w1={1,2} q(X) :- h(X).",
    ),
    // One family in two rules, by variables and by constants.
    (
        "h(X) :- $W[R]={2,2} f(Y), *e(X,R,Y). [aggregation=sum]
         {1,2} q(X) :- $W[near] h(X), $W[far] f(X).",
        "h(X) :- $W_@r={2,2} f(Y), *e(X,@r,Y). [aggregation=sum] @@ r:near,far
         {1,2} q(X) :- $W_near h(X), $W_far f(X).",
    ),
    // A constant that no fact has.
    (
        "$v[Y,bias]={2} h(Y) :- *f(Y).\n{1,2} q(X) :- h(Y), *e(X,_,Y). [aggregation=max]",
        "$v_@y_bias={2} h(@y) :- *f(@y). @@ y:a,b,c\n{1,2} q(X) :- h(Y), *e(X,_,Y). [aggregation=max]",
    ),
    // Recursion, with cycles to cut.
    (
        "h(X) :- f(X), *head(1).\nh(X) :- $W[R]={2,2} h(Y), *e(X,R,Y). [aggregation=sum]\n{1,2} q(X) :- h(X).",
        "h(X) :- f(X), *head(1).\nh(X) :- $W_@r={2,2} h(Y), *e(X,@r,Y). [aggregation=sum] @@ r:near,far\n{1,2} q(X) :- h(X).",
    ),
    // A grouped normalisation with a weight before its head, and one below it.
    (
        "s(X,Y) :- $k[Y]={1,2} f(X), *e(X,_,Y). [aggregation=softmax(Y)]
         $g[X]=2 s(X,Y) :- f(X), f(Y), e(X,_,Y), $k[X]={1,2} f(Y). [aggregation=sum, combination=max]
         {1,2} q(X) :- s(X,Y).",
        "s(X,@y) :- $k_@y={1,2} f(X), *e(X,_,@y). [aggregation=softmax(X)] @@ y:a,b,c
         $g_@x=2 s(@x,Y) :- f(@x), f(Y), e(@x,_,Y), $k_@x={1,2} f(Y). [aggregation=sum, combination=max] @@ x:a,b,c
         {1,2} q(X) :- s(X,Y).",
    ),
];

#[test]
fn a_family_is_one_rule_for_each_member() {
    let mut compared = 0;
    for (number, (family, written)) in PAIRS.iter().enumerate().filter(|(i, _)| *i != 8) {
        let written = unrolled(written);
        for scope in SCOPES {
            let session = |template: &str| {
                let header = "[rule=identity, atom=identity]\n";
                scoped(&format!("{header}{template}"), DATA, scope, |_| ())
            };
            let (with, without) = (session(family), session(&written));
            assert_eq!(with.template.parameter_count(), without.template.parameter_count(), "{number}");
            let (a, b) = (computed(&with, 3), computed(&without, 3));
            near(&format!("outputs of {number} {scope:?}"), &b.0, &a.0, 1e-12);
            assert_eq!(a.1.keys().collect::<Vec<_>>(), b.1.keys().collect::<Vec<_>>(), "{number}");
            for (name, expected) in &b.1 {
                near(&format!("gradient of {name} in {number} {scope:?}"), expected, &a.1[name], 1e-12);
                compared += expected.iter().filter(|g| **g != 0.0).count();
            }
        }
    }
    assert!(compared > 200, "{compared} derivatives that are not zero");
}

/// Where the groundings of different members are aggregated together: by facts that are weights.
#[test]
fn a_member_before_a_literal_is_a_learned_fact_in_a_product() {
    for aggregation in ["avg", "max", "sum", "median", "concat", "logsumexp", "softmax(X)"] {
        let q = if aggregation == "concat" { "q(X) :- slice(0:1)(h(X))." } else { "{1,2} q(X) :- h(X)." };
        let family = format!("h(X) :- $W[R]={{2,2}} f(Y), *e(X,R,Y). [aggregation={aggregation}]\n{q}");
        let facts = format!(
            "$W_near={{2,2}} w(near). $W_far={{2,2}} w(far).
             p(Y,R,X) :- w(R), f(Y), *e(X,R,Y). [combination=product, transformation=identity]
             p/3 [transformation=identity]
             h(X) :- p(Y,R,X). [aggregation={aggregation}]\n{q}"
        );
        for scope in SCOPES {
            let (a, b) = (
                computed(&scoped(&family, DATA, scope, |_| ()), 3),
                computed(&scoped(&facts, DATA, scope, |_| ()), 3),
            );
            let what = format!("{aggregation} {scope:?}");
            // Groundings with equal visible atoms are ordered by what picks their members.
            near(&what, &b.0, &a.0, 1e-12);
            for (name, expected) in &b.1 {
                near(&format!("{name} {what}"), expected, &a.1[name], 1e-12);
            }
        }
    }
}

fn trained(
    template: &str,
    data: &str,
    change: &dyn Fn(&mut Settings),
) -> (Session, Parameters<f64>, Vec<Vec<f64>>) {
    let mut settings = Settings::default();
    settings.train.epochs = 6;
    settings.train.seed = 4;
    settings.train.learning_rate = Some(0.02);
    change(&mut settings);
    let session = session(template, data, settings);
    let network = network(&session);
    let mut parameters = drawn(&session, 9);
    let outcome = session
        .run(&network, &mut parameters, &mut |_| ControlFlow::Continue(()))
        .unwrap_or_else(|d| panic!("{}", shown(&[d], &session)));
    (session, parameters, outcome.values)
}

fn by_name(session: &Session, parameters: &Parameters<f64>) -> BTreeMap<String, Vec<f64>> {
    named_weights(&session.template, parameters).map(|(_, name, v)| (plain(name), v)).collect()
}

#[test]
fn training_is_that_of_one_rule_for_each_member() {
    // Pruning leaves out what has one input, and a rule for each member is more inputs; before a head it is not.
    let cases = [(Compat::Off, PAIRS[4]), (Compat::NeuraLogic { pruning: true }, PAIRS[1])];
    for (compat, (family, written)) in cases {
        for batch in [Batch::Size(1), Batch::Size(2), Batch::All] {
            for scope in SCOPES {
                for optimizer in [Optimizer::Sgd, Optimizer::ADAM] {
                    let change = |s: &mut Settings| {
                        (s.lift, s.compat) = (scope, compat);
                        (s.train.batch, s.train.optimizer) = (batch, optimizer);
                    };
                    let (s, p, values) = trained(family, DATA, &change);
                    let (t, r, expected) = trained(&unrolled(written), DATA, &change);
                    let what = format!("{compat:?} {batch:?} {scope:?} {optimizer}");
                    near(&what, &expected.concat(), &values.concat(), 1e-8);
                    for (name, value) in by_name(&t, &r) {
                        near(&format!("{name} {what}"), &value, &by_name(&s, &p)[&name], 1e-8);
                    }
                }
            }
        }
    }
}

const SHARED: &str = "
    $v[X]={2} g(X) :- *f(X).
    h(X) :- $W[R]={2,2} f(Y), {2,2} g(Y), *e(X,R,Y).
    {1,2} q :- h(X).
";

#[test]
fn worlds_share_members() {
    let labelled = WORLDS.replace("m1 :-", "1 q :-").replace("m2 :-", "0 q :-");
    let both = scoped(SHARED, &labelled, Scope::Sample, |_| ());
    let names: Vec<&str> =
        both.template.weights.iter().filter(|w| w.is_parameter()).map(|w| &w.name[..]).collect();
    assert_eq!(names, ["w0", "w1", "v[a]", "v[b]", "v[c]", "W[far]", "W[near]"]);
    // The gradient of a member is the sum of those in each world, and zero where it is not met.
    let line = |n: usize| labelled.trim().lines().nth(n).expect("two worlds").to_string();
    let (all, first, second) = (
        computed(&both, 3).1,
        computed(&scoped(SHARED, &line(0), Scope::Sample, |_| ()), 3).1,
        computed(&scoped(SHARED, &line(1), Scope::Sample, |_| ()), 3).1,
    );
    for (name, gradient) in &all {
        let zero = vec![0.0; gradient.len()];
        let (x, y) = (first.get(name).unwrap_or(&zero), second.get(name).unwrap_or(&zero));
        let sum: Vec<f64> = x.iter().zip(y).map(|(a, b)| a + b).collect();
        near(name, &sum, gradient, 1e-12);
    }
    assert!(!first.contains_key("v_c") && !second.contains_key("v_a"));
    // Across worlds the leaves are one, and what is computed of them.
    let all = |scope| network(&scoped(SHARED, &labelled, scope, |_| ())).statistics;
    let (sample, joint) = (all(Scope::Sample), all(Scope::All));
    assert_eq!(sample.neurons.total(), joint.neurons.total());
    assert_eq!(sample.graph_neurons - joint.graph_neurons, 3, "v[b], W[near], W[far]");
}

#[test]
fn different_members_are_different_neurons() {
    let data = "<2> f(a). <2> f(b). k(a,u). k(b,u). k(c,v). <2> f(c). ?- h(a), h(b), h(c).";
    let neurons = |template| network(&scoped(template, data, Scope::Sample, |_| ())).statistics.graph_neurons;
    let one = neurons("h(X) :- $w={1,1} f(X), *k(X,K).");
    // A leaf and a product for each kind; the second kind's rule and atom.
    assert_eq!(neurons("h(X) :- $w[K]={1,1} f(X), *k(X,K)."), one + 4 + 2);
    assert_eq!(neurons("h(X) :- $w[X]={1,1} f(X), *k(X,K)."), one + 6 + 4);
    assert_eq!(neurons("h(X) :- $w[all]={1,1} f(X), *k(X,K)."), one + 2);
    // An embedding is its leaf alone.
    let embedding = network(&scoped(
        "[rule=identity, atom=identity]\n$w[X]={5} h(X) :- k(X,K).",
        data,
        Scope::Sample,
        |_| (),
    ));
    assert_eq!(embedding.statistics.rows, 0);
}

#[test]
fn gradients_are_those_of_finite_differences() {
    let template = "
        $v[X]={3} g(X) :- *f(X). [aggregation=max]
        h(X) :- $W[R,X]={3,2} tanh(f(Y)), {3,3} g(Y), $s[R]=0.4 ~g(X), *e(X,R,Y). [aggregation=max]
        $t[X]={3,3} att(X,Y) :- h(X), $a[Y]=-0.5 h(Y), *e(X,_,Y). [aggregation=softmax(Y)]
        $o[Y]={1,3} q(Y) :- att(Y,_), $c=0.2 h(Y).
        q/1 {1}";
    let session = scoped(template, DATA, Scope::Sample, |s| s.train.seed = 3);
    let network = network(&session);
    let parameters = drawn(&session, 7);
    let train = session.settings.train.clone();
    let mut trainer = Trainer::new(&network.programs, &network.samples, parameters.clone(), train);
    let (_, gradient) = trainer.error_and_gradient();
    assert!(gradient.iter().filter(|g| **g != 0.0).count() > 60);
    let mut objective = |p: &Parameters<f64>| {
        trainer.parameters = p.clone();
        trainer.error_and_gradient().0
    };
    let (weight, deviation) =
        check_gradient(&parameters, &gradient, &mut objective).expect("there are parameters");
    assert!(deviation < 2e-6, "{deviation} at {}", session.template.weights[weight].name);
}

#[test]
fn a_step_changes_only_the_members_that_its_samples_read() {
    let data = "<[1,0]> f(a). <[0,1]> f(b). e(a,near,a). e(b,far,b). ?- 1 q(a). ?- q(b).";
    let template = "h(X) :- $W[R]={2,2} f(X), *e(X,R,X).\n{1,2} q(X) :- h(X).";
    for lift in SCOPES {
        for batch in [Batch::Size(1), Batch::All] {
            let (session, parameters, _) = trained(template, data, &|s| {
                (s.lift, s.train.batch, s.train.weight_decay) = (lift, batch, 0.1);
            });
            let (before, after) = (by_name(&session, &drawn(&session, 9)), by_name(&session, &parameters));
            assert_eq!(before["W_far"], after["W_far"]);
            assert_ne!(before["W_near"], after["W_near"]);
        }
    }
}

#[test]
fn initial_values_depend_on_seed_and_name_only() {
    let initial = |data: &str, seed| {
        let session = scoped(SHARED, data, Scope::Sample, |s| s.train.seed = seed);
        by_name(&session, &session.initial_parameters())
    };
    let labelled = WORLDS.replace("m1 :-", "1 q :-").replace("m2 :-", "0 q :-");
    let reversed: String = labelled.trim().lines().rev().map(|l| format!("{l}\n")).collect();
    let all = initial(&labelled, 1);
    assert_eq!(all, initial(&reversed, 1));
    let fewer = initial(labelled.trim().lines().next().expect("a world"), 1);
    assert!(fewer.len() < all.len());
    for (name, value) in &fewer {
        assert_eq!(value, &all[name], "{name}");
    }
    assert_ne!(all["v_a"], all["v_b"]);
    assert_ne!(all["v_a"], initial(&labelled, 2)["v_a"]);
    // Members draw from streams of their own: other weights stay what they are without families.
    let without = SHARED.replace("$v[X]={2}", "$v={2}").replace("$W[R]={2,2}", "<{2,2}>");
    let session = scoped(&without, &labelled, Scope::Sample, |s| s.train.seed = 1);
    let drawn = |name: &str| all[name].iter().any(|x| *x != 0.0);
    assert!(drawn("w0") && session.template.weights.iter().any(|w| w.name == "w0"));
}

#[test]
fn the_number_of_threads_does_not_change_a_bit() {
    let mut data = String::new();
    for world in 0..40 {
        let n = 3 + world % 5;
        let facts: Vec<String> = (0..n)
            .map(|i| {
                let kind = ["near", "far", "other"][(i * world) % 3];
                format!("<[{},0.5]> f(n{i}), e(n{i},{kind},n{})", i as f64 / 3.0, (i + 1) % n)
            })
            .collect();
        data += &format!("{}.0 q :- {}.\n", world % 2, facts.join(", "));
    }
    let bits = |threads: usize, precision, batch, lift_mode| {
        let pool =
            rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started");
        pool.install(|| {
            let mut settings = Settings { precision, lift_mode, ..Settings::default() };
            settings.train.epochs = 4;
            settings.train.batch = batch;
            let session = session(SHARED, &data, settings);
            let (network, parameters, outcome) = run(&session);
            assert!(network.programs.len() > 1);
            let values: Vec<u64> = outcome.values.iter().flatten().map(|x| x.to_bits()).collect();
            (values, parameters.values.iter().map(|x| x.to_bits()).collect::<Vec<u64>>())
        })
    };
    for precision in [Precision::F64, Precision::F32] {
        for batch in [Batch::Size(1), Batch::Size(7), Batch::All] {
            let one = bits(1, precision, batch, LiftMode::Exact);
            assert_eq!(one, bits(2, precision, batch, LiftMode::Exact));
            assert_eq!(one, bits(3, precision, batch, LiftMode::Exact));
        }
    }
    // Other modes of lifting know of families.
    let lossy = LiftMode::Lossy { epsilon: 1e-9, max_error: None };
    for mode in [LiftMode::Value { inits: 1, digits: 12, check: false }, lossy] {
        let (exact, other) =
            (bits(2, Precision::F64, Batch::All, LiftMode::Exact), bits(2, Precision::F64, Batch::All, mode));
        let floats = |bits: &[u64]| bits.iter().map(|b| f64::from_bits(*b)).collect::<Vec<f64>>();
        near(&format!("{mode:?}"), &floats(&exact.0), &floats(&other.0), 1e-6);
    }
}

#[test]
fn values_and_metadata_of_a_family_are_those_of_its_members() {
    let weights = |template: &str| -> BTreeMap<String, (Vec<f64>, bool)> {
        let session = scoped(template, DATA, Scope::Sample, |_| ());
        let parameters: Parameters<f64> = session.initial_parameters();
        let all = session.template.weights.iter_enumerated().filter(|(_, w)| !w.is_family());
        all.map(|(id, w)| (w.name.clone(), (parameters.get(id).to_vec(), w.learnable))).collect()
    };
    let q = "{1,2} q(X) :- h(X).";
    for (template, value, learnable) in [
        ("$v[X]=[1,2] h(X) :- *f(X).", vec![1.0, 2.0], true),
        ("$v[X]=<[1,2]> h(X) :- *f(X).", vec![1.0, 2.0], false),
        ("$v[X]={2} h(X) :- *f(X).\n$v [value=[3,4]]", vec![3.0, 4.0], true),
        ("$v[X]=[3,4] h(X) :- *f(X).\n$v [learnable=false]", vec![3.0, 4.0], false),
        ("$v[X]={2} h(X) :- *f(X). [learnable=false]", vec![0.0, 0.0], false),
    ] {
        let found = weights(&format!("{template}\n{q}"));
        for name in ["v[a]", "v[b]", "v[c]"] {
            assert_eq!(found[name], (value.clone(), learnable), "{template}");
        }
        assert_eq!(found.len(), 4, "{template}");
    }
    // Constants of all kinds, with their names as they are written.
    let found = weights(
        "$v[X,'a b',1.50,c]={2} h(X) :- *f(X), *head(1).
         q(X) :- $u[N]={1,2} h(X), *n(X,N).
         n(X,M) :- *f(X), *head(K), M = K + 1.",
    );
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(names, ["u[2]", "u[3]", "v[a,'a b',1.5,c]", "v[b,'a b',1.5,c]", "v[c,'a b',1.5,c]"]);
}

#[test]
fn an_example_may_have_rules_with_families() {
    let data = "1 q :- <[1,2]> f(a), e(a,near,a).\n0 q :- <[2,1]> f(b), e(b,far,b).";
    let session =
        scoped("h(X) :- $W[R]={2,2} f(X), *e(X,R,X).\n{1,2} q :- h(X).", data, Scope::Sample, |_| ());
    assert_eq!(session.template.parameter_count(), 2 + 2 * 4);
    let (outputs, _) = gradient(&session);
    assert_eq!(outputs.len(), 2);
}

#[test]
fn a_thousand_members_are_a_thousand_rows_of_one_block() {
    let mut data = String::new();
    for i in 0..1000 {
        data += &format!("p(n{i}). ?- {} q(n{i}).\n", i % 2);
    }
    let template = "[rule=identity, atom=identity]\n$v[X]={4} h(X) :- p(X).\n{1,4} q(X) :- h(X).";
    for scope in SCOPES {
        let network = network(&scoped(template, &data, scope, |_| ()));
        let statistics = &network.statistics;
        assert!(statistics.blocks <= 3, "{scope:?}: {} blocks", statistics.blocks);
        let products = if scope == Scope::Off { 1000 } else { 0 };
        assert_eq!(statistics.rows, products + 1000, "{scope:?}");
    }
    let session = session(template, &data, evaluate_only());
    assert_eq!(session.template.parameter_count(), 4004);
    let first = session.template.weights.ids().nth(2).expect("a member");
    assert_eq!((session.template.weights[first].name.as_str(), first.index()), ("v[n0]", 2));
}

#[test]
fn few_members_with_many_values_have_linear_blocks_that_compute_the_same() {
    let mut data = String::new();
    for i in 0..60 {
        data += &format!("<[{},1,-{}]> f(n{i}). e(n{i},r{},n{}).\n", i % 7, i % 5, i % 3, (i * 11 + 4) % 60);
        data += &format!("?- {} q(n{i}).\n", i % 2);
    }
    let family = "h(X) :- $W[R]={2,3} tanh(f(Y)), *e(X,R,Y).\n{1,2} q(X) :- h(X).";
    let each = unrolled("h(X) :- $W_@r={2,3} tanh(f(Y)), *e(X,@r,Y). @@ r:r0,r1,r2\n{1,2} q(X) :- h(X).");
    for scope in SCOPES {
        let (with, without) = (scoped(family, &data, scope, |_| ()), scoped(&each, &data, scope, |_| ()));
        let products = |session: &Session| {
            let network = network(session);
            let linear = |b: &nlog::exec::Block| !b.weights().is_empty();
            network
                .programs
                .iter()
                .flat_map(|p| &p.blocks)
                .filter(|b| linear(b))
                .map(|b| b.rows)
                .sum::<usize>()
        };
        // 60 products of members, and the 60 answers.
        assert_eq!(products(&with), 60 + 60, "{scope:?}");
        assert_eq!(products(&without), 60 + 60, "{scope:?}");
        let (a, b) = (computed(&with, 3), computed(&without, 3));
        near("outputs", &b.0, &a.0, 1e-12);
        for (name, expected) in &b.1 {
            near(name, expected, &a.1[name], 1e-12);
        }
    }
}

#[test]
fn shapes_that_differ_among_facts_are_told_as_for_plain_weights() {
    let data = "<[1,2]> f(a). <[1,2,3]> f(b). k(a,u). k(b,v). ?- h(a), h(b).";
    let told = |rule: &str| {
        let (session, mut found) = Session::from_texts(rule, data, evaluate_only());
        found.extend(session.build().1);
        shown(&found, &session)
    };
    let message = told("h(X) :- $w[K]={2,2} f(X), *k(X,K).");
    assert!(message.contains("a weight of shape {2,2} cannot multiply a value of shape {3}"), "{message}");
    assert!(message.contains("this fact is {3}"), "{message}");
}
