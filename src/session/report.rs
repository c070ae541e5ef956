//! The JSON report.

use super::folds::Fold;
use super::profile::Profile;
use super::{CrossValidation, LiftReport, Network, Outcome, Session};
use crate::learn::{EpochReport, Metrics};
use serde::Serialize;

/// Everything a script may want to know about a run. Names are stable.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Sizes of the data.
    pub data: DataReport,
    /// Grounding.
    pub ground: GroundReport,
    /// The computation graph.
    pub graph: GraphReport,
    /// The mode of lifting.
    pub lifting: LiftReport,
    /// Weights.
    pub parameters: ParameterReport,
    /// Training.
    pub train: TrainReport,
    /// Metrics of the validation samples, if there are any.
    pub val: Option<Metrics>,
    /// Metrics of the test samples, if there are any.
    pub test: Option<Metrics>,
    /// Seconds.
    pub time: TimeReport,
    /// Memory.
    pub memory: MemoryReport,
    /// The folds of a cross-validation. Then `test` is about all samples, each by the model that had not seen it, and
    /// `train` has the epochs of all folds one after the other, without metrics.
    pub folds: Option<FoldsReport>,
    /// Where the time went, with `--profile`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// Settings by their command-line names.
    pub settings: serde_json::Value,
    /// Version of nlog.
    pub version: &'static str,
    /// Seed of all random streams.
    pub seed: u64,
}

/// Sizes of the data.
#[derive(Debug, Serialize)]
pub struct DataReport {
    /// Answers with a target.
    pub samples: usize,
    /// Worlds that are asked about.
    pub worlds: usize,
    /// Queries.
    pub queries: usize,
    /// Facts.
    pub facts: usize,
}

/// Grounding.
#[derive(Debug, Serialize)]
pub struct GroundReport {
    /// Ground rules.
    pub rules: usize,
    /// Atoms that hold, facts included.
    pub facts: usize,
    /// Ground rules left out because they close a cycle.
    pub cut: usize,
    /// Seconds.
    pub seconds: f64,
}

/// The computation graph.
#[derive(Debug, Serialize)]
pub struct GraphReport {
    /// Neurons that support queries, counted as the reference engine does before any reduction.
    pub neurons_unlifted: usize,
    /// The same without those that only hand on their one input (no weight, no offset, identity functions); with
    /// `--compat neuralogic`, without those that the reference's chain pruning removes.
    pub neurons_pruned: usize,
    /// Neurons of the graphs, after lifting.
    pub neurons: usize,
    /// Rows that are computed (products of a weight and a value, which neurons share, are rows too).
    pub rows: usize,
    /// Edges.
    pub edges: usize,
    /// Row blocks.
    pub blocks: usize,
    /// Seconds.
    pub seconds: f64,
}

/// Weights.
#[derive(Debug, Serialize)]
pub struct ParameterReport {
    /// Learnable numbers.
    pub count: usize,
    /// Names of learnable weights.
    pub names: Vec<String>,
}

/// Training.
#[derive(Debug, Serialize)]
pub struct TrainReport {
    /// Epochs run.
    pub epochs: usize,
    /// The epoch of the kept model.
    pub best_epoch: usize,
    /// Median seconds of an epoch's learning.
    pub epoch_seconds_median: Option<f64>,
    /// Error of the kept model on the training samples.
    pub loss: Option<f64>,
    /// Accuracy of the kept model.
    pub accuracy: Option<f64>,
    /// Area under the ROC curve.
    pub auc_roc: Option<f64>,
    /// Area under the precision–recall curve.
    pub auc_pr: Option<f64>,
    /// All metrics.
    pub metrics: Metrics,
    /// Epoch by epoch.
    pub history: Vec<EpochReport>,
}

/// A cross-validation.
#[derive(Debug, Serialize)]
pub struct FoldsReport {
    /// Number of folds.
    pub count: usize,
    /// Means over the folds of the metrics of the samples held out.
    pub mean: Metrics,
    /// Standard deviations.
    pub std: Metrics,
    /// Fold by fold.
    pub results: Vec<FoldReport>,
}

/// One fold.
#[derive(Debug, Serialize)]
pub struct FoldReport {
    /// Epochs run.
    pub epochs: usize,
    /// The epoch of the kept model.
    pub best_epoch: usize,
    /// Metrics of the samples learned from.
    pub train: Metrics,
    /// Metrics of the validation samples, if there are any.
    pub val: Option<Metrics>,
    /// Metrics of the samples held out.
    pub test: Metrics,
}

impl FoldsReport {
    /// Of a cross-validation.
    pub fn new(cross: &CrossValidation) -> FoldsReport {
        let result = |fold: &Fold| FoldReport {
            epochs: fold.outcome.history.epochs.len(),
            best_epoch: fold.outcome.history.best_epoch,
            train: fold.outcome.train.clone(),
            val: some(&fold.outcome.validation),
            test: fold.outcome.test.clone(),
        };
        FoldsReport {
            count: cross.folds.len(),
            mean: cross.mean(),
            std: cross.std(),
            results: cross.folds.iter().map(result).collect(),
        }
    }
}

fn some(metrics: &Metrics) -> Option<Metrics> {
    (metrics.count > 0).then(|| metrics.clone())
}

/// Seconds of wall-clock time.
#[derive(Debug, Serialize)]
pub struct TimeReport {
    /// Reading and checking.
    pub parse: f64,
    /// Grounding; of a program with families of weights twice.
    pub ground: f64,
    /// Building graphs.
    pub build: f64,
    /// Lifting across worlds (`--lift all`); what is lifted within a world is part of building.
    pub lift: f64,
    /// Compiling.
    pub compile: f64,
    /// Training.
    pub train: f64,
    /// All.
    pub total: f64,
}

/// Memory.
#[derive(Debug, Serialize)]
pub struct MemoryReport {
    /// Peak resident size in MiB, where the system tells.
    pub peak_mb: Option<f64>,
}

/// The median; `None` of nothing.
pub fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    if n == 0 {
        return None;
    }
    Some(if n % 2 == 1 { sorted[n / 2] } else { (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0 })
}

impl Session {
    /// Gathers the report of a run.
    pub fn report(
        &self,
        network: &Network,
        outcome: &Outcome,
        settings: serde_json::Value,
        total_seconds: f64,
        peak_mb: Option<f64>,
    ) -> Report {
        let s = &network.statistics;
        let learnable = || self.template.weights.iter().filter(|w| w.is_parameter());
        let history = &outcome.history;
        Report {
            data: DataReport {
                samples: network.samples.len(),
                worlds: s.worlds,
                queries: self.database.queries.len(),
                facts: self.database.fact_count() + self.template.facts.len(),
            },
            ground: GroundReport {
                rules: s.ground_rules,
                facts: s.atoms,
                cut: s.cut.iter().map(|(_, n)| n).sum(),
                seconds: s.ground_seconds + self.member_seconds,
            },
            graph: GraphReport {
                neurons_unlifted: s.neurons.total(),
                neurons_pruned: s.neurons.pruned(),
                neurons: s.graph_neurons,
                rows: s.rows,
                edges: s.graph_edges,
                blocks: s.blocks,
                seconds: s.build_seconds,
            },
            lifting: LiftReport::new(self.settings.lift_mode, s, outcome.lossy.as_ref()),
            parameters: ParameterReport {
                count: self.template.parameter_count(),
                names: learnable().map(|w| w.name.clone()).collect(),
            },
            train: TrainReport {
                epochs: history.epochs.len(),
                best_epoch: history.best_epoch,
                epoch_seconds_median: median(history.epochs.iter().map(|e| e.seconds)),
                loss: outcome.train.error,
                accuracy: outcome.train.accuracy,
                auc_roc: outcome.train.auc_roc,
                auc_pr: outcome.train.auc_pr,
                metrics: outcome.train.clone(),
                history: history.epochs.clone(),
            },
            val: some(&outcome.validation),
            test: some(&outcome.test),
            time: TimeReport {
                parse: self.parse_seconds,
                ground: s.ground_seconds + self.member_seconds,
                build: s.build_seconds,
                lift: s.lift_seconds,
                compile: s.compile_seconds,
                train: outcome.train_seconds,
                total: total_seconds,
            },
            memory: MemoryReport { peak_mb },
            folds: None,
            profile: None,
            settings,
            version: env!("CARGO_PKG_VERSION"),
            seed: self.settings.train.seed,
        }
    }
}
