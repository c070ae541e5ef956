//! Each stage of the pipeline on rings of growing number, whose facts are made here.
//!
//! `cargo bench` prints the medians; compare ratios within one run only.

use nlog::base::span::SourceMap;
use nlog::data::builder::Builder;
use nlog::data::{Database, Split, Vocabulary};
use nlog::learn::{Batch, Trainer};
use nlog::session::{Session, Settings};
use nlog::syntax::token;

const TEMPLATE: &str = "
    {10,4} h(X) :- kind(Y), *edge(Y,X).
    h/1 [transformation=relu]
    {10,10} g(X) :- h(Y), *edge(Y,X).
    g/1 [transformation=relu]
    {1,10} q :- g(X).
";

const WORLDS: &[usize] = &[50, 100, 200, 400];

fn rings(worlds: usize) -> String {
    let mut out = String::new();
    for world in 0..worlds {
        let n = 12 + world % 17;
        let mut facts = Vec::new();
        for i in 0..n {
            let (j, kind) = ((i + 1) % n, (i * i + world) % 4);
            let one_hot: Vec<&str> = (0..4).map(|k| if k == kind { "1" } else { "0" }).collect();
            facts.push(format!("edge(n{i},n{j}), edge(n{j},n{i}), <[{}]> kind(n{i})", one_hot.join(",")));
        }
        out += &format!("{} q :- {}.\n", world % 2, facts.join(", "));
    }
    out
}

fn session(worlds: usize, batch: Batch) -> Session {
    let mut settings = Settings::default();
    settings.train.epochs = 1;
    settings.train.batch = batch;
    let (session, found) = Session::from_texts(TEMPLATE, &rings(worlds), settings);
    assert!(found.is_empty());
    session
}

fn main() {
    divan::main();
}

#[divan::bench(args = WORLDS)]
fn lex(bencher: divan::Bencher<'_, '_>, worlds: usize) {
    let text = rings(worlds);
    bencher.bench(|| token::lex(&text).len());
}

#[divan::bench(args = WORLDS)]
fn facts(bencher: divan::Bencher<'_, '_>, worlds: usize) {
    let text = rings(worlds);
    let source = SourceMap::new().add("rings", "");
    bencher.bench(|| {
        let mut vocabulary = Vocabulary::new();
        let mut builder = Builder::new(&mut vocabulary, Database::new());
        builder.database_text(source, &text, Split::Train);
        builder.finish().0.fact_count()
    });
}

/// Grounding, building and compiling; `nlog run -v` tells them apart.
#[divan::bench(args = WORLDS)]
fn build(bencher: divan::Bencher<'_, '_>, worlds: usize) {
    let session = session(worlds, Batch::All);
    bencher.bench(|| session.build().0.map(|n| n.statistics.rows));
}

fn epoch(bencher: divan::Bencher<'_, '_>, worlds: usize, batch: Batch) {
    let session = session(worlds, batch);
    let network = session.build().0.expect("the rings can be built");
    let settings = session.settings.train.clone();
    let parameters = session.initial_parameters::<f64>();
    let mut trainer = Trainer::new(&network.programs, &network.samples, parameters, settings);
    bencher.bench_local(|| trainer.train(&mut |_| std::ops::ControlFlow::Continue(())).is_ok());
}

#[divan::bench(args = WORLDS)]
fn epoch_per_sample(bencher: divan::Bencher<'_, '_>, worlds: usize) {
    epoch(bencher, worlds, Batch::Size(1));
}

#[divan::bench(args = WORLDS)]
fn epoch_full_batch(bencher: divan::Bencher<'_, '_>, worlds: usize) {
    epoch(bencher, worlds, Batch::All);
}
