//! Lifted and unlifted graphs compute the same: outputs, gradients, trained weights; and lifting finds what it should.

use crate::support::{evaluate_only, network, run, session};
use nlog::base::rng::Stream;
use nlog::diag::has_errors;
use nlog::graph::lift::Scope;
use nlog::learn::{Batch, Trainer};
use nlog::session::{Session, Settings};

const SCOPES: [Scope; 3] = [Scope::Off, Scope::Sample, Scope::All];

pub fn near(what: &str, a: &[f64], b: &[f64], tolerance: f64) {
    assert_eq!(a.len(), b.len(), "{what}");
    let scale = a.iter().fold(1.0f64, |m, x| m.max(x.abs()));
    for (x, y) in a.iter().zip(b) {
        assert!((x - y).abs() <= tolerance * scale, "{what}: {x} is not {y}");
    }
}

fn pick<'a>(s: &mut Stream, from: &[&'a str]) -> &'a str {
    from[(s.uniform() * from.len() as f64) as usize]
}

pub fn scoped(template: &str, data: &str, scope: Scope, change: impl Fn(&mut Settings)) -> Session {
    let mut settings = Settings { lift: scope, ..evaluate_only() };
    settings.train.seed = 5;
    change(&mut settings);
    session(template, data, settings)
}

/// Error and gradient of all samples, and all outputs.
pub fn gradient(session: &Session) -> (Vec<f64>, Vec<f64>) {
    let network = network(session);
    let parameters = session.initial_parameters();
    let train = session.settings.train.clone();
    let mut trainer = Trainer::new(&network.programs, &network.samples, parameters, train);
    let (error, mut gradient) = trainer.error_and_gradient();
    gradient.push(error);
    let outputs = trainer.outputs();
    let value = |(shard, output): (usize, usize)| outputs[shard][output].clone();
    (network.answers.iter().filter_map(|a| a.place).flat_map(value).collect(), gradient)
}

fn neurons(template: &str, data: &str, scope: Scope) -> usize {
    network(&scoped(template, data, scope, |_| ())).statistics.graph_neurons
}

/// A random template of a few layers over `f/1` (vectors), `c/1` (numbers) and `e/2`.
fn random_template(s: &mut Stream) -> String {
    let mut out = String::new();
    let mut known = vec!["f".to_string()];
    for layer in 0..3 {
        let head = format!("h{layer}");
        for _ in 0..1 + (s.uniform() * 2.0) as usize {
            let mut p = || known[(s.uniform() * known.len() as f64) as usize].clone();
            let (a, b) = (p(), p());
            let body = match (s.uniform() * 11.0) as usize {
                0 => format!("{{2,2}} {a}(X), {{2,2}} {b}(Y), *e(X,Y)"),
                1 => format!("{a}(Y), *e(X,Y)"),
                2 => format!("{{2,2}} {a}(Y), e(X,Y)"),
                3 => format!("~{a}(X), {b}(X)"),
                4 => format!("$s{layer}={{2,2}} {a}(X), $s{layer}={{2,2}} {b}(Y), *e(X,Y)"),
                5 => format!("tanh({a}(Y)), {b}(Z), *e(X,Y), *e(X,Z)"),
                6 => format!("{a}(Y), {b}(Z), *e(X,Y), *e(Y,Z)"),
                7 => format!("{{2,2}} {a}(X), c(Y), *e(X,Y), {{2}}"),
                // Members by nodes, which tell apart what is equal otherwise, and one for all.
                8 => format!("$m{layer}[Y]={{2,2}} tanh({a}(Y)), $n[a]=0.7 {b}(X), *e(X,Y)"),
                9 => format!("$n[X]=0.7 c(Y), $m{layer}[X]={{2,2}} ~{a}(X), *e(X,Y)"),
                _ => format!("{{2,2}} {a}(X)"),
            };
            let aggregation = pick(
                s,
                &[
                    "avg",
                    "sum",
                    "max",
                    "min",
                    "maxsum",
                    "minsum",
                    "var",
                    "std",
                    "median",
                    "quantile(0.3)",
                    "logsumexp",
                    "count",
                    "softmax(X)",
                ],
            );
            let combination = pick(s, &["sum", "sum", "avg", "max", "min", "elproduct", "difference"]);
            let activation = pick(s, &["tanh", "relu", "sigmoid", "identity", "identity"]);
            out += &format!(
                "{head}(X) :- {body}. [aggregation={aggregation}, combination={combination}, transformation={activation}]\n"
            );
        }
        out += &format!("{head}/1 [transformation={}]\n", pick(s, &["tanh", "identity", "relu"]));
        known.push(head);
    }
    out + "{1,2} q :- h2(X).\nq/0 {1}\n"
}

/// Rings, stars and paths with few labels, so that much is equal.
fn random_data(s: &mut Stream) -> String {
    let mut out = String::new();
    for world in 0..6 {
        let n = 2 + (s.uniform() * 5.0) as usize;
        let shape = (s.uniform() * 3.0) as usize;
        let mut facts = Vec::new();
        for i in 1..n {
            let from = if shape == 0 { 0 } else { i - 1 };
            facts.push(format!("e(n{from},n{i}), e(n{i},n{from})"));
        }
        if shape == 2 {
            facts.push(format!("e(n0,n{}), e(n{},n0)", n - 1, n - 1));
        }
        for i in 0..n {
            facts.push(format!("<{}> f(n{i})", pick(s, &["[1,0]", "[0,1]", "[0.5,-0.25]"])));
            facts.push(format!("<{}> c(n{i})", pick(s, &["1", "0", "2"])));
        }
        out += &format!("{}.0 q :- {}.\n", world % 2, facts.join(", "));
    }
    out
}

/// Programs that can be computed; others have shapes that do not fit.
pub fn random_programs(n: usize) -> Vec<(String, String)> {
    let mut s = Stream::new(11, "lifting");
    let mut found = Vec::new();
    for _ in 0..40 * n {
        let (template, data) = (random_template(&mut s), random_data(&mut s));
        let (session, out) = Session::from_texts(&template, &data, evaluate_only());
        if !has_errors(&out) && session.build().0.is_some() {
            found.push((template, data));
            if found.len() == n {
                return found;
            }
        }
    }
    panic!("too few of the random programs can be computed");
}

#[test]
fn outputs_and_gradients_are_those_of_the_unlifted_graph() {
    let mut merged = 0;
    for (template, data) in random_programs(150) {
        let plain = scoped(&template, &data, Scope::Off, |_| ());
        let plain_network = network(&plain);
        let verifier = plain.verifier(&plain_network, 2);
        let unlifted = plain_network.statistics.graph_neurons;
        for scope in [Scope::Sample, Scope::All] {
            let lifted = scoped(&template, &data, scope, |_| ());
            let network = network(&lifted);
            let statistics = &network.statistics;
            assert_eq!(statistics.neurons.total(), plain_network.statistics.neurons.total());
            assert!(statistics.graph_neurons <= unlifted, "{template}{data}");
            merged += unlifted - statistics.graph_neurons;
            let v = verifier.verify(scope, &network);
            assert_eq!((v.outputs.compared, v.outputs.not_finite), (2 * network.answers.len(), 0));
            assert!(v.outputs.relative <= 1e-12, "{v:?}\n{template}{data}");
            assert!(v.gradients.relative <= 1e-11, "{v:?}\n{template}{data}");
        }
    }
    assert!(merged > 5_000, "{merged} neurons merged");
}

#[test]
fn training_is_that_of_the_unlifted_graph_for_every_batch_size() {
    for (template, data) in random_programs(12) {
        for batch in [Batch::Size(1), Batch::Size(4), Batch::All] {
            let trained = |scope| {
                let session = scoped(&template, &data, scope, |settings| {
                    settings.train.epochs = 4;
                    settings.train.batch = batch;
                    settings.train.learning_rate = Some(0.01);
                });
                run(&session).1.values
            };
            let expected = trained(Scope::Off);
            for scope in [Scope::Sample, Scope::All] {
                near(&format!("{scope:?} {batch:?}\n{template}{data}"), &expected, &trained(scope), 1e-8);
            }
        }
    }
}

#[test]
fn names_and_the_order_of_facts_do_not_change_what_is_equal() {
    for (template, data) in random_programs(10) {
        let renamed = data.replace('n', "other");
        let reversed: String = data
            .lines()
            .map(|line| {
                let (head, body) = line.trim_end_matches('.').split_once(" :- ").expect("an example");
                let mut facts: Vec<&str> = body.split(", ").collect();
                facts.reverse();
                format!("{head} :- {}.\n", facts.join(", "))
            })
            .collect();
        for scope in SCOPES {
            let expected = neurons(&template, &data, scope);
            assert_eq!(neurons(&template, &renamed, scope), expected, "{template}{data}");
            assert_eq!(neurons(&template, &reversed, scope), expected, "{template}{data}");
        }
    }
}

const STAR: &str = "f(a), e(x,a), f(b), e(x,b), f(c), e(x,c), e(y,a)";

/// Number of neurons of a rule over the star, after lifting.
fn over_star(rule: &str) -> usize {
    neurons(
        &format!("[rule=tanh, atom=identity]\n{rule}"),
        &format!("{STAR}. ?- h(x), h(y).").replace(", ", ". ").replace("h(x). ", "h(x), "),
        Scope::Sample,
    )
}

#[test]
fn each_normal_form_is_found() {
    let body = "h(X) :- {1,1} f(Y), *e(X,Y).";
    // The constant 1, tanh of its product, and what is made of three of them and of one.
    assert_eq!(over_star(&format!("{body} [aggregation=avg]")), 2 + 1, "an average of equals is one of them");
    assert_eq!(over_star(&format!("{body} [aggregation=max]")), 2 + 1);
    assert_eq!(over_star(&format!("{body} [aggregation=median]")), 2 + 1);
    assert_eq!(over_star(&format!("{body} [aggregation=sum]")), 2 + 1 + 2, "a sum sees how many");
    assert_eq!(over_star(&format!("{body} [aggregation=logsumexp]")), 2 + 1 + 2);
    assert_eq!(over_star(&format!("{body} [aggregation=var]")), 2 + 1 + 1, "no variance among equals");
    assert_eq!(over_star(&format!("{body} [aggregation=count]")), 2 + 2, "counts are constants, one is 1");
    // A product with the constant 1 is its other factors.
    let with = over_star("h(X) :- {1,1} f(Y), e(X,Y). [combination=product, aggregation=max]");
    assert_eq!(with, over_star(&format!("{body} [aggregation=max]")));
}

#[test]
fn proportions_not_counts_matter_to_an_average() {
    let template = "h(X) :- {1,1} f(Y), *e(X,Y).";
    let data = |second: &str| {
        format!("<1> f(a). <2> f(b). <1> f(c). <2> f(d). e(x,a). e(x,b). {second} ?- h(x), h(y).")
    };
    let same = neurons(template, &data("e(y,a). e(y,b). e(y,c). e(y,d)."), Scope::Sample);
    let other = neurons(template, &data("e(y,a). e(y,b). e(y,c)."), Scope::Sample);
    assert_eq!(same + 2, other, "an average and its atom");
}

#[test]
fn rules_with_equal_functions_and_weights_are_one_function() {
    let data = "<0.5> f(a). <0.5> g(a). ?- p(a), r(a).";
    let count = |second: &str| {
        neurons(&format!("p(X) :- $w={{2,1}} f(X).\nr(X) :- {second} g(X)."), data, Scope::Sample)
    };
    assert_eq!(count("$w={2,1}") + 2, count("{2,1}"), "a ground rule and an atom");
    let relu = "p(X) :- $w={2,1} f(X).\nr(X) :- $w={2,1} g(X). [transformation=relu]";
    assert_eq!(neurons(relu, data, Scope::Sample), count("{2,1}"), "another function");
}

#[test]
fn inputs_may_be_exchanged_only_where_weights_and_functions_agree() {
    let data = "<3> f(a). <2> f(b). s(x,a,b). s(y,b,a). ?- h(x), h(y).";
    let count = |body: &str| neurons(&format!("h(X) :- {body}, *s(X,A,B)."), data, Scope::Sample);
    let base = count("f(A), f(B)");
    assert_eq!(count("$w={1,1} f(A), $w={1,1} f(B)"), base);
    assert_eq!(count("{1,1} f(A), {1,1} f(B)"), base + 2);
    assert_eq!(count("tanh(f(A)), f(B)"), base + 2);
    let product = neurons("h(X) :- f(A), f(B), *s(X,A,B). [combination=product]", data, Scope::Sample);
    assert_eq!(product, base + 2, "a product of matrices keeps its order");
}

#[test]
fn worlds_that_are_alike_share_their_network_only_across_worlds() {
    let template = "{2,1} h(X) :- f(X), *e(X,Y).\n{1,2} q :- h(X). [aggregation=sum]";
    let world = "f(a), f(b), e(a,b), e(b,a)";
    let data = format!("1 q :- {world}. 0 q :- {world}. 1 q :- f(a), e(a,a).");
    let one = neurons(template, &format!("1 q :- {world}."), Scope::Sample);
    assert!(neurons(template, &data, Scope::Sample) > 2 * one);
    assert!(neurons(template, &data, Scope::All) <= one + 3);
    // Two samples read one output and still have a target each.
    let session = scoped(template, &data, Scope::All, |_| ());
    let network = network(&session);
    assert_eq!(network.samples.len(), 3);
    assert_eq!(network.programs.len(), 1);
}
