//! What the reference engine's command line and settings file mean for us.

use nlog::io::Inputs;
use nlog::learn::{Batch, Distribution, Initializer, Loss, Optimizer, Reduction, Schedule};
use nlog::session::{Compat, Settings};
use nlog::tensor::functions::{Activation, Aggregation};
use std::path::Path;

/// How a recorded case was run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Our settings.
    pub settings: Settings,
    /// The files.
    pub inputs: Inputs,
    /// The seed of the reference's stream.
    pub seed: u64,
    /// Whether chain pruning was on, which drops activations.
    pub prune: bool,
    /// How often iso-value compression draws all weights anew, per network; 0 if it was off.
    pub iso_draws: usize,
    /// Whether the output's transformation was left as it is.
    pub keep_outputs: bool,
    /// Whether ranking metrics were asked for.
    pub ranking: bool,
    /// Early stopping by the reference's rule.
    pub patience: Option<usize>,
    /// Cross-validation.
    pub folds: Option<usize>,
    /// What we do not do yet: `flag -xval`.
    pub missing: Vec<String>,
}

fn initializer(name: &str, distribution: Distribution) -> Option<Initializer> {
    Some(match Initializer::parse(name)? {
        Initializer::Simple(_) => Initializer::Simple(distribution),
        other => other,
    })
}

impl Plan {
    /// Reads `flags` and `settings` of a case.
    pub fn read(dir: &Path, flags: &str, file: &str) -> Result<Plan, String> {
        let mut inputs = Inputs::folder(dir).map_err(|d| d.title)?;
        let mut settings = Settings::default();
        // The reference's defaults where they are not ours.
        settings.train.epochs = 3000;
        settings.train.evaluate_every = 10;
        let mut plan = Plan {
            settings: settings.clone(),
            inputs: Inputs::default(),
            seed: 0,
            prune: true,
            iso_draws: 1,
            keep_outputs: false,
            ranking: false,
            patience: None,
            folds: None,
            missing: Vec::new(),
        };
        let mut s = Words {
            rate: None,
            optimizer_rate: None,
            initializer: "glorot".into(),
            distribution: "uniform".into(),
            scale: 2.0,
            constant: 0.1,
            decay: None,
            decay_on: false,
            decay_every: 100,
            arithmetic: false,
            squash: true,
            infer: true,
            error: Loss::Mse,
            regression: false,
            stopping: false,
            patience: 100,
        };
        let mut words = flags.split_whitespace();
        while let Some(flag) = words.next() {
            let value = words.next().unwrap_or_default();
            let at = |v: &str| Some(dir.join(v));
            match flag.trim_start_matches('-') {
                "t" | "template" => inputs.templates = value.split(',').map(|v| dir.join(v)).collect(),
                "e" | "trainExamples" => inputs.train.examples = at(value),
                "q" | "trainQueries" => inputs.train.queries = at(value),
                "ve" | "valExamples" => inputs.validation.examples = at(value),
                "vq" | "valQueries" => inputs.validation.queries = at(value),
                "te" | "testExamples" => inputs.test.examples = at(value),
                "tq" | "testQueries" => inputs.test.queries = at(value),
                // Options without any effect on numbers, or without any effect at all in the reference.
                "lc" | "logColors" | "sd" | "sourcesDir" | "out" | "outputFolder" | "isocheck" | "atomf"
                | "rulef" | "gm" | "groundingMode" | "ef" | "errorFunction" => {}
                name => {
                    if !plan.flag(name, value, &mut settings, &mut s)? {
                        plan.missing.push(format!("flag {flag}"));
                    }
                }
            }
        }
        for line in file.lines().map(str::trim).filter(|l| !l.is_empty()) {
            let (key, value) = line.split_once('=').ok_or_else(|| format!("bad line in settings: {line}"))?;
            if !plan.setting(key.trim(), value.trim(), &mut settings, &mut s)? {
                plan.missing.push(format!("setting {}", key.trim()));
            }
        }
        let train = &mut settings.train;
        train.learning_rate = s.rate.or(s.optimizer_rate).or(Some(0.001));
        let distribution = match s.distribution.to_ascii_lowercase().as_str() {
            "uniform" => Distribution::Uniform(s.scale),
            "normal" => Distribution::Normal(s.scale),
            "constant" => Distribution::Constant(s.constant),
            other => Distribution::parse(other).ok_or_else(|| format!("unknown distribution {other}"))?,
        };
        match initializer(&s.initializer, distribution) {
            Some(i) => train.initializer = i,
            None => plan.missing.push(format!("initialiser {}", s.initializer)),
        }
        train.schedule = match (s.decay_on, s.arithmetic) {
            (false, _) => Schedule::Constant,
            (true, true) => Schedule::Arithmetic,
            (true, false) => Schedule::Geometric { rate: s.decay.unwrap_or(0.95), every: s.decay_every },
        };
        train.loss = match (s.infer, s.regression, s.squash) {
            (false, ..) => s.error,
            (true, true, _) => Loss::Mse,
            (true, false, true) => Loss::SoftEntropy,
            (true, false, false) => Loss::CrossEntropy,
        };
        plan.patience = s.stopping.then_some(s.patience);
        plan.keep_outputs = !s.infer;
        plan.settings = settings;
        plan.inputs = inputs;
        Ok(plan)
    }

    /// The settings under which the reference's values must come out.
    pub fn compat(&self) -> Compat {
        Compat::NeuraLogic { pruning: self.prune }
    }

    fn flag(&mut self, name: &str, value: &str, to: &mut Settings, s: &mut Words) -> Result<bool, String> {
        match name {
            "ts" | "trainingSteps" => to.train.epochs = parse(name, value)?,
            "rec" | "recalculationEpocha" => to.train.evaluate_every = parse(name, value)?,
            "lr" => s.rate = Some(parse(name, value)?),
            "opt" | "optimizer" => {
                to.train.optimizer = Optimizer::parse(value).ok_or_else(|| format!("optimizer {value}"))?;
                s.optimizer_rate = Some(if to.train.optimizer == Optimizer::Sgd { 0.1 } else { 0.0001 });
            }
            "decay" => {
                let rate: f64 = parse(name, value)?;
                (s.decay, s.decay_on) = (Some(rate), rate > 0.0);
            }
            "decays" => s.decay_every = parse(name, value)?,
            "dist" => s.distribution = value.into(),
            "init" => s.initializer = value.into(),
            "seed" => self.seed = parse(name, value)?,
            "xval" | "crossvalidation" => self.folds = Some(parse(name, value)?),
            "aggf" => to.overrides.aggregation = Some(aggregation(value)?),
            "em" | "evaluationMode" => match value {
                "classification" => {}
                "regression" => s.regression = true,
                "kbc" => self.ranking = true,
                _ => return Ok(false),
            },
            "prune" | "chainPruning" => self.prune = parse::<i64>(name, value)? > 0,
            "iso" | "isoCompression" => {
                if parse::<i64>(name, value)? <= 0 {
                    self.iso_draws = 0;
                }
            }
            "isoinits" => {
                let n: usize = parse(name, value)?;
                self.iso_draws = self.iso_draws.min(1) * n;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn setting(&mut self, key: &str, value: &str, to: &mut Settings, s: &mut Words) -> Result<bool, String> {
        let train = &mut to.train;
        match key {
            "minibatchSize" => train.batch = Batch::Size(parse(key, value)?),
            "errorReduction" => {
                train.reduction =
                    if value.eq_ignore_ascii_case("sum") { Reduction::Sum } else { Reduction::Mean };
            }
            "weightDecay" => train.weight_decay = parse(key, value)?,
            "gradientClipNorm" => train.clip_norm = Some(parse(key, value)?).filter(|c| *c > 0.0),
            "gradientClipValue" => train.clip_value = Some(parse(key, value)?).filter(|c| *c > 0.0),
            "squishLastLayer" => s.squash = parse(key, value)?,
            "inferOutputFcns" => s.infer = parse(key, value)?,
            "errorFunction" => {
                s.error = Loss::parse(value).ok_or_else(|| format!("unknown error function {value}"))?;
            }
            "initLearningRate" => s.rate = Some(parse(key, value)?),
            "optimizer" => {
                train.optimizer = Optimizer::parse(value).ok_or_else(|| format!("optimizer {value}"))?;
            }
            "seed" => self.seed = parse(key, value)?,
            "islearnRateDecay" => s.decay_on = parse(key, value)?,
            "learnRateDecay" => s.decay = Some(parse(key, value)?),
            "decaySteps" => s.decay_every = parse(key, value)?,
            "decaySet" => s.arithmetic = value.eq_ignore_ascii_case("arithmetic"),
            "initializer" => s.initializer = value.to_ascii_lowercase(),
            "initDistribution" => s.distribution = value.to_ascii_lowercase(),
            "randomInitScale" => s.scale = parse(key, value)?,
            "constantInitValue" => s.constant = parse(key, value)?,
            "resultsRecalculationEpochae" => train.evaluate_every = parse(key, value)?,
            "maxCumEpochCount" => train.epochs = parse(key, value)?,
            "ruleNeuronTransformation" => to.overrides.rule_activation = Some(activation(value)?),
            "atomNeuronTransformation" => to.overrides.atom_activation = Some(activation(value)?),
            "aggNeuronAggregation" => to.overrides.aggregation = Some(aggregation(value)?),
            "chainPruning" => self.prune = parse(key, value)?,
            "isoValueCompression" => self.iso_draws = usize::from(parse::<bool>(key, value)?),
            "isoValueInits" => self.iso_draws = self.iso_draws.min(1) * parse::<usize>(key, value)?,
            "earlyStopping" => s.stopping = parse(key, value)?,
            "earlyStoppingPatience" => s.patience = parse(key, value)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// What several flags and settings decide together.
struct Words {
    rate: Option<f64>,
    optimizer_rate: Option<f64>,
    initializer: String,
    distribution: String,
    scale: f64,
    constant: f64,
    decay: Option<f64>,
    decay_on: bool,
    decay_every: usize,
    arithmetic: bool,
    squash: bool,
    infer: bool,
    error: Loss,
    regression: bool,
    stopping: bool,
    patience: usize,
}

fn parse<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("bad value of {name}: {value}"))
}

fn activation(name: &str) -> Result<Activation, String> {
    Activation::parse(&name.to_ascii_lowercase(), &[]).map_err(|_| format!("unknown transformation {name}"))
}

fn aggregation(name: &str) -> Result<Aggregation, String> {
    Aggregation::parse(&name.to_ascii_lowercase(), &[]).map_err(|_| format!("unknown aggregation {name}"))
}
