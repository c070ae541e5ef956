//! Same seed and input: same bits, for any number of threads.

use crate::support::{count, network, session};
use nlog::data::Split;
use nlog::exec::{Selection, State};
use nlog::learn::Batch;
use nlog::session::{LiftMode, Precision, Settings};
use std::ops::ControlFlow;

const TEMPLATE: &str = "
    {4,3} h(X) :- {3,2} feat(Y), edge(Y,X).
    {4,4} h2(X) :- h(X), {4,4} h(Y), *edge(X,Y).
    {1,4} q :- h2(X).
    q/0 {1}
";

/// Rings of different sizes with features, labelled by the parity of the size.
fn rings() -> String {
    let mut out = String::new();
    for world in 0..40 {
        let n = 3 + world % 7;
        out += &format!("{}.0 q :- ", n % 2);
        let mut facts = Vec::new();
        for i in 0..n {
            let j = (i + 1) % n;
            facts.push(format!("edge(n{i},n{j}), edge(n{j},n{i})"));
            facts.push(format!("<[{},{}]> feat(n{i})", (i * 7 + world) % 5, f64::from(i) / 3.0));
        }
        out += &facts.join(", ");
        out += ".\n";
    }
    out
}

fn bits(settings: &Settings, threads: usize) -> (Vec<u64>, Vec<u64>) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started");
    pool.install(|| {
        let session = session(TEMPLATE, &rings(), settings.clone());
        assert_eq!(count(&session, Split::Train), 40);
        let network = network(&session);
        assert!(network.programs.len() > 1, "several shards, or there is nothing to test");
        let mut parameters = session.initial_parameters();
        let outcome = session
            .run(&network, &mut parameters, &mut |_| ControlFlow::Continue(()))
            .expect("training goes through");
        let values = outcome.values.iter().flatten().map(|x| x.to_bits()).collect();
        (values, parameters.values.iter().map(|x| x.to_bits()).collect())
    })
}

#[test]
fn the_number_of_threads_does_not_change_a_bit() {
    for precision in [Precision::F64, Precision::F32] {
        for batch in [Batch::Size(1), Batch::Size(7), Batch::All] {
            let mut settings = Settings { precision, ..Settings::default() };
            settings.train.epochs = 5;
            settings.train.batch = batch;
            settings.train.learning_rate = Some(0.01);
            let one = bits(&settings, 1);
            for threads in [2, 3] {
                assert_eq!(one, bits(&settings, threads), "{batch:?}, {threads} threads");
            }
            settings.train.seed = 1;
            assert_ne!(one.1, bits(&settings, 1).1, "another seed gives other weights");
        }
    }
}

#[test]
fn modes_of_lifting_are_the_same_for_any_number_of_threads() {
    for lift_mode in [
        LiftMode::Value { inits: 1, digits: 1, check: false },
        LiftMode::Lossy { epsilon: 0.01, max_error: None },
    ] {
        let mut settings = Settings { lift_mode, ..Settings::default() };
        settings.train.epochs = 6;
        settings.train.learning_rate = Some(0.02);
        let one = bits(&settings, 1);
        for threads in [2, 3] {
            assert_eq!(one, bits(&settings, threads), "{lift_mode:?}, {threads} threads");
        }
        assert_ne!(
            one,
            bits(&Settings { lift_mode: LiftMode::Exact, ..settings }, 1),
            "{lift_mode:?} does something"
        );
    }
}

/// Blocks that are cut into pieces: one large world, in one step.
#[test]
fn nor_where_threads_share_a_block() {
    let template =
        "{16,2} h(X) :- f(Y), edge(Y,X).\n{16,16} g(X) :- h(X), {16,16} h(Y), *edge(Y,X).\n{1,16} q :- g(X).";
    let mut data = String::new();
    for i in 0..2000 {
        data += &format!(
            "edge(n{i},n{}). <[{},{}]> f(n{i}).\n",
            (i * 7 + 3) % 2000,
            i % 11,
            f64::from(i) / 999.0
        );
    }
    let bits = |threads: usize| -> Vec<u64> {
        let pool =
            rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started");
        pool.install(|| {
            let mut settings = Settings::default();
            settings.train.epochs = 3;
            settings.train.batch = Batch::All;
            let session = session(template, &format!("{data} ?- 1 q."), settings);
            let network = network(&session);
            let mut parameters = session.initial_parameters::<f64>();
            let (program, all) = (&network.programs[0], Selection::all(&network.programs[0]));
            assert!(State::is_shared(program, &parameters, &all), "or there is nothing to test");
            let run = session.run(&network, &mut parameters, &mut |_| ControlFlow::Continue(()));
            assert!(run.is_ok());
            parameters.values.iter().map(|x| x.to_bits()).collect()
        })
    };
    let one = bits(1);
    for threads in [2, 3] {
        assert_eq!(one, bits(threads), "{threads} threads");
    }
}
