//! Building graphs with and without lifting, on data of growing size: linear in the edges, and cheap where there is
//! nothing to merge.
//!
//! `cargo bench --bench lifting` prints the times of building alone (worlds are grounded before). *Alike* are
//! rings with chords whose atoms have one of four values, *distinct* the same with a value of its own for every atom, so
//! that no two neurons but those of the edges are equal; each as many small worlds, and as one world. Compare the column
//! *fastest* of `off` and `sample` within one run only.

use divan::counter::ItemsCount;
use nlog::answer::matching_rows;
use nlog::base::index::IndexVec;
use nlog::graph::Graph;
use nlog::graph::build::{Builder, Root};
use nlog::graph::lift::Scope;
use nlog::ground::evaluate::relevant_predicates;
use nlog::ground::{GroundProgram, Grounder};
use nlog::session::{Session, Settings};
use std::sync::atomic::AtomicUsize;

const TEMPLATE: &str = "
    {10,4} h(X) :- kind(Y), *edge(Y,X). [aggregation=sum, transformation=relu]
    {10,10} g(X) :- h(Y), *edge(Y,X). [aggregation=sum, transformation=relu]
    {1,10} q :- g(X).
";

/// Multiples of the smallest size.
const SIZES: &[usize] = &[1, 2, 4, 8];
/// Worlds of the smallest size, of 20 atoms each; one world has as many atoms as all these together.
const WORLDS: usize = 100;
const ATOMS: usize = 20;

#[derive(Clone, Copy)]
enum Values {
    Alike,
    Distinct,
}

/// Edges to the next atom and the fourth next, and back.
fn ring(atoms: usize, values: Values, out: &mut String) {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut facts = Vec::new();
    for i in 0..atoms {
        for step in [1, 4] {
            let j = (i + step) % atoms;
            facts.push(format!("edge(n{i},n{j}), edge(n{j},n{i})"));
        }
        let value: Vec<String> = (0..4)
            .map(|k| match values {
                Values::Alike => u8::from(k == i % 4).to_string(),
                Values::Distinct => {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    format!("0.{}", state >> 33)
                }
            })
            .collect();
        facts.push(format!("<[{}]> kind(n{i})", value.join(",")));
    }
    *out += &format!("1 q :- {}.\n", facts.join(", "));
}

/// A program with its grounded worlds and the atoms that are asked for.
struct Grounded {
    session: Session,
    worlds: Vec<(GroundProgram, Vec<Root>)>,
    edges: usize,
}

fn grounded(worlds: usize, atoms: usize, values: Values) -> Grounded {
    let mut data = String::new();
    (0..worlds).for_each(|_| ring(atoms, values, &mut data));
    let (session, found) = Session::from_texts(TEMPLATE, &data, Settings::default());
    assert!(found.is_empty());
    let queries = &session.database.queries;
    let relevant: IndexVec<_, bool> = relevant_predicates(
        &session.template,
        session.vocabulary.predicate_count(),
        queries.iter().map(|q| q.pred),
    );
    let ground = |(answer, query): (usize, &nlog::data::Query)| {
        let (template, database) = (&session.template, &session.database);
        let mut grounder = Grounder::new(&session.vocabulary, template, database, &session.strata, &relevant);
        assert!(grounder.run(query.world, usize::MAX, &AtomicUsize::new(0)).is_ok());
        let ground = grounder.ground;
        let root = |row| Root { pred: query.pred, row, answer: answer as u32 };
        let roots = matching_rows(query, &ground).into_iter().map(root).collect();
        (ground, roots)
    };
    let worlds: Vec<_> = queries.iter().enumerate().map(ground).collect();
    let mut all = Grounded { session, worlds, edges: 0 };
    all.edges = build(&all, Scope::Off).inputs.len();
    all
}

fn build(data: &Grounded, scope: Scope) -> Graph {
    let Session { template, vocabulary, database, .. } = &data.session;
    let mut builder = Builder::new(template, vocabulary, database, scope);
    let mut graph = Graph::new();
    for (ground, roots) in &data.worlds {
        builder.add_world(ground, roots, &mut graph);
    }
    assert!(builder.finish(&mut graph).len() == vocabulary.predicate_count());
    graph
}

/// Items are the edges of the unlifted graph.
fn many(bencher: divan::Bencher<'_, '_>, size: usize, values: Values, scope: Scope) {
    let data = grounded(WORLDS * size, ATOMS, values);
    bencher.counter(ItemsCount::new(data.edges)).bench(|| build(&data, scope));
}

fn one(bencher: divan::Bencher<'_, '_>, size: usize, values: Values, scope: Scope) {
    let data = grounded(1, WORLDS * ATOMS * size, values);
    bencher.counter(ItemsCount::new(data.edges)).bench(|| build(&data, scope));
}

macro_rules! benches {
    ($($name:ident: $how:ident, $values:ident, $scope:ident;)*) => {$(
        #[divan::bench(args = SIZES, sample_count = 40)]
        fn $name(bencher: divan::Bencher<'_, '_>, size: usize) {
            $how(bencher, size, Values::$values, Scope::$scope);
        }
    )*};
}

benches! {
    alike_many_off: many, Alike, Off;
    alike_many_sample: many, Alike, Sample;
    alike_one_off: one, Alike, Off;
    alike_one_sample: one, Alike, Sample;
    distinct_many_off: many, Distinct, Off;
    distinct_many_sample: many, Distinct, Sample;
    distinct_one_off: one, Distinct, Off;
    distinct_one_sample: one, Distinct, Sample;
}

fn main() {
    divan::main();
}
