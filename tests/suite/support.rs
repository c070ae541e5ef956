//! What several tests need.

use nlog::data::Split;
use nlog::diag::{Diagnostic, has_errors, render};
use nlog::exec::Parameters;
use nlog::session::{Network, Outcome, Session, Settings};
use std::ops::ControlFlow;

/// A session from texts that must be free of errors.
pub fn session(template: &str, data: &str, settings: Settings) -> Session {
    let (session, found) = Session::from_texts(template, data, settings);
    assert!(!has_errors(&found), "{}", shown(&found, &session));
    session
}

/// Diagnostics as the user sees them.
pub fn shown(found: &[Diagnostic], session: &Session) -> String {
    found.iter().map(|d| render::render(d, &session.sources, false)).collect()
}

/// A network that must be built without errors.
pub fn network(session: &Session) -> Network {
    let (network, found) = session.build();
    network.unwrap_or_else(|| panic!("{}", shown(&found, session)))
}

/// Settings that only evaluate.
pub fn evaluate_only() -> Settings {
    let mut settings = Settings::default();
    settings.train.epochs = 0;
    settings
}

/// Grounds, trains as the settings say, answers.
pub fn run(session: &Session) -> (Network, Parameters<f64>, Outcome) {
    let network = network(session);
    let mut parameters = session.initial_parameters();
    let outcome = session
        .run(&network, &mut parameters, &mut |_| ControlFlow::Continue(()))
        .unwrap_or_else(|d| panic!("{}", shown(&[d], session)));
    (network, parameters, outcome)
}

/// `(atom, value)` of every answer, sorted by atom (answers of several worlds keep their order).
pub fn answers(template: &str, data: &str) -> Vec<(String, Vec<f64>)> {
    let session = session(template, data, evaluate_only());
    let (network, _, outcome) = run(&session);
    let atom = |a: &nlog::answer::Answer| {
        session.vocabulary.atom_text(session.database.queries[a.query].pred, a.args.iter().copied())
    };
    let mut out: Vec<_> = network.answers.iter().map(atom).zip(outcome.values).collect();
    out.sort_by(|a, b| a.0.cmp(&b.0));
    out
}

/// Whether two lists of answers agree to a relative deviation.
pub fn close(a: &[(String, Vec<f64>)], b: &[(String, Vec<f64>)], tolerance: f64) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|(x, y)| {
            x.0 == y.0
                && x.1.len() == y.1.len()
                && x.1
                    .iter()
                    .zip(&y.1)
                    .all(|(p, q)| (p - q).abs() <= tolerance * p.abs().max(q.abs()).max(1.0))
        })
}

/// Number of samples of a split, to make sure that a test tests something.
pub fn count(session: &Session, split: Split) -> usize {
    session.database.queries.iter().filter(|q| q.split == split && q.target.is_some()).count()
}
