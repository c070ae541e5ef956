//! One run of the engine, as the harness needs it.

use nlog::data::{QueryTerm, Split};
use nlog::diag::{Diagnostic, Diagnostics, codes, has_errors};
use nlog::exec::Parameters;
use nlog::io::Inputs;
use nlog::learn::{Metrics, evaluate};
use nlog::session::{Network, Outcome, Session, Settings, Unprovable};
use std::ops::ControlFlow;

/// A run that ended in an error.
#[derive(Debug, Clone)]
pub struct Fault {
    /// Its code.
    pub code: String,
    /// Code and title.
    pub text: String,
}

impl Fault {
    fn of(d: &Diagnostic) -> Fault {
        Fault { code: d.code.to_string(), text: format!("{}: {}", d.code, d.title) }
    }
    fn first(found: &Diagnostics) -> Fault {
        let error = found.iter().find(|d| d.is_error());
        error.map_or(Fault { code: String::new(), text: "no network and no error".into() }, Fault::of)
    }
}

/// A program with its compiled network.
#[derive(Clone)]
pub struct Engine {
    /// The session.
    pub session: Session,
    /// The network of all queries.
    pub network: Network,
    /// Codes of all warnings on the way.
    pub warnings: Vec<String>,
}

/// One answer, with what it was asked for.
#[derive(Debug, Clone)]
pub struct Answered {
    /// Name of the sample.
    pub sample: String,
    /// The query as written, without spaces.
    pub query: String,
    /// The ground atom.
    pub atom: String,
    /// The split.
    pub split: Split,
    /// The target.
    pub target: Option<Vec<f64>>,
    /// The importance.
    pub importance: f64,
    /// The value.
    pub value: Vec<f64>,
    /// Whether the atom holds.
    pub proven: bool,
}

impl Engine {
    /// Loads, grounds, builds and compiles. A query that cannot be derived has the value 0, or no answer if it has
    /// variables.
    pub fn load(inputs: &Inputs, settings: &Settings) -> Result<Engine, Fault> {
        let mut settings = settings.clone();
        if settings.unprovable == Unprovable::Error {
            settings.unprovable = Unprovable::Value(0.0);
        }
        match Engine::load_exactly(inputs, &settings) {
            Err(f) if f.code == codes::UNPROVABLE.to_string() => {
                settings.unprovable = Unprovable::Skip;
                Engine::load_exactly(inputs, &settings)
            }
            other => other,
        }
    }

    /// The same with the settings as they are.
    pub fn load_exactly(inputs: &Inputs, settings: &Settings) -> Result<Engine, Fault> {
        let (session, mut found) = Session::load(inputs, settings.clone());
        if has_errors(&found) {
            return Err(Fault::first(&found));
        }
        let (network, more) = session.build();
        found.extend(more);
        match network {
            Some(network) if !has_errors(&found) => {
                let warnings = found.iter().map(|d| d.code.to_string()).collect();
                Ok(Engine { session, network, warnings })
            }
            _ => Err(Fault::first(&found)),
        }
    }

    /// Trains as the settings say and answers.
    pub fn run(&self, parameters: &mut Parameters<f64>) -> Result<Outcome, Fault> {
        let mut watch = |_: &nlog::learn::EpochReport| ControlFlow::Continue(());
        self.session.run(&self.network, parameters, &mut watch).map_err(|d| Fault::of(&d))
    }

    /// Answers without training.
    pub fn answer(&self, parameters: &Parameters<f64>) -> Result<Vec<Answered>, Fault> {
        let mut session = self.session.clone();
        session.settings.train.epochs = 0;
        let mut watch = |_: &nlog::learn::EpochReport| ControlFlow::Continue(());
        let outcome =
            session.run(&self.network, &mut parameters.clone(), &mut watch).map_err(|d| Fault::of(&d))?;
        Ok(self.answers(&outcome))
    }

    /// The answers of a run.
    pub fn answers(&self, outcome: &Outcome) -> Vec<Answered> {
        let vocabulary = &self.session.vocabulary;
        let answers = self.network.answers.iter().zip(&outcome.values);
        answers
            .map(|(answer, value)| {
                let query = &self.session.database.queries[answer.query];
                let terms: Vec<String> = query
                    .args
                    .iter()
                    .map(|a| match a {
                        QueryTerm::Constant(c) => vocabulary.constant_text(*c).to_string(),
                        QueryTerm::Variable(v) => query.variables[*v as usize].clone(),
                    })
                    .collect();
                let atom = vocabulary.atom_text(query.pred, answer.args.iter().copied());
                let name = atom.split('(').next().unwrap_or_default();
                let text =
                    if terms.is_empty() { name.into() } else { format!("{name}({})", terms.join(",")) };
                Answered {
                    sample: query.sample.clone(),
                    query: text.replace(' ', ""),
                    atom: atom.replace(' ', ""),
                    split: query.split,
                    target: query.target.as_ref().map(|(_, t)| t.clone()),
                    importance: query.importance,
                    value: value.clone(),
                    proven: answer.place.is_some(),
                }
            })
            .collect()
    }

    /// Metrics of some answers; those without a target do not count.
    pub fn metrics<'a>(&self, answers: impl Iterator<Item = &'a Answered>) -> Metrics {
        let (mut outputs, mut targets, mut importances) = (Vec::new(), Vec::new(), Vec::new());
        for a in answers {
            if let Some(t) = &a.target {
                outputs.push(a.value.clone());
                targets.push(t.clone());
                importances.push(a.importance);
            }
        }
        evaluate(self.session.settings.train.loss, &outputs, &targets, &importances)
    }
}
