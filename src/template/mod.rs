//! Layer 4: the resolved program: rules over predicate and constant ids, weights, functions.

pub mod check;
pub mod compare;
pub mod compat;
pub mod draws;
pub mod families;
mod grouped;
mod hints;
pub mod lower;
pub mod metadata;
mod shared;
pub mod special;
pub mod strata;
pub mod training;

use crate::base::index::IndexVec;
use crate::base::span::{Span, Spanned};
use crate::data::{ConstId, LearnableFact, PredId, ValueId, Vocabulary, WorldId};
use crate::syntax::ast::Sign;
use crate::tensor::Shape;
use crate::tensor::functions::{Activation, Aggregation, Combination};
use special::Special;

pub use families::{HeadTerm, Kinship, Members};
pub use training::{GroupId, Trains};

crate::id! {
    /// A rule.
    pub struct RuleId;
    /// A weight: an array of numbers shared by everything that names it.
    pub struct WeightId;
    /// A variable of one rule.
    pub struct VarId;
}

/// A weight.
#[derive(Debug, Clone)]
pub struct Weight {
    /// Its name: as written after `$`, `w<i>` by position, or the literal of a learnable fact.
    pub name: String,
    /// Its shape.
    pub shape: Shape,
    /// The written value, row-major; `None` for `{dims}`: drawn by the initialiser.
    pub initial: Option<Vec<f64>>,
    /// Whether training changes it.
    pub learnable: bool,
    /// Written in angle brackets and without a name: never anything but its written value.
    pub constant: bool,
    /// Whether it has to do with a family.
    pub kinship: Kinship,
    /// The group it is trained with, and where that is written.
    pub group: Option<Spanned<GroupId>>,
    /// Gain of the initialiser: that of the function that follows its first use.
    pub gain: f64,
    /// Square matrix of a recursive rule: drawn orthogonal.
    pub orthogonal: bool,
    /// Where it is first written.
    pub span: Span,
}

impl Weight {
    /// Whether it is an array of numbers that training changes.
    pub fn is_parameter(&self) -> bool {
        self.learnable && !self.is_family()
    }
    /// Whether it stands for the members of a family.
    pub fn is_family(&self) -> bool {
        matches!(self.kinship, Kinship::Family { .. })
    }
}

/// A term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Term {
    /// A variable.
    Variable(VarId),
    /// A constant.
    Constant(ConstId),
}

/// What a literal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// A predicate.
    Predicate(PredId),
    /// A special predicate, computed from its arguments. Valued ones enter as facts of the given predicate.
    Special(Special, PredId),
    /// Every constant of the world.
    Domain,
}

/// A body literal.
#[derive(Debug, Clone)]
pub struct Literal {
    /// What it is about.
    pub relation: Relation,
    /// Arguments; of a comparison all its terms, in order.
    pub args: Vec<Term>,
    /// What is compared, where a comparison is written with signs.
    pub comparison: Option<Box<compare::Comparison>>,
    /// How it enters.
    pub sign: Sign,
    /// Starred: matched, not an input.
    pub hidden: bool,
    /// What is applied to its value before the weight, innermost first; a soft negation of a function is the last.
    pub functions: Vec<Activation>,
    /// Its weight.
    pub weight: Option<WeightId>,
    /// If that is a family: the position in the body of the literal that picks the member.
    pub member: Option<usize>,
    /// Where it is written.
    pub span: Span,
}

impl Literal {
    /// Whether its value enters the rule.
    pub fn is_visible(&self) -> bool {
        !self.hidden
            && self.sign != Sign::Hard
            && match self.relation {
                Relation::Predicate(_) => true,
                Relation::Special(s, _) => s.is_valued(),
                Relation::Domain => false,
            }
    }
    /// Whether it picks the member of a family of weights. It always holds, and has no value, but groundings that differ
    /// in it are different.
    pub fn picks_member(&self) -> bool {
        matches!(self.relation, Relation::Special(Special::Member, _))
    }
    /// Whether ground rules tell which atom it is matched with.
    pub fn is_recorded(&self) -> bool {
        self.is_visible() || self.picks_member()
    }
    /// Whether it is matched against a relation and so binds its variables.
    pub fn binds(&self) -> bool {
        self.sign != Sign::Hard && !matches!(self.relation, Relation::Special(..))
    }
    /// Whether it is a special literal that holds for constants in place of its arguments.
    pub fn special_holds(&self, special: Special, vocabulary: &Vocabulary, args: &[ConstId]) -> bool {
        match (&self.comparison, special) {
            (Some(comparison), Special::Compare(op)) => comparison.holds(op, vocabulary, args),
            _ => special.holds(vocabulary, args),
        }
    }
    /// A comparison as it is written, with a text for each term; `None` for other literals.
    pub fn comparison_text(&self, term: &dyn Fn(&Term) -> String) -> Option<String> {
        match (&self.comparison, self.relation) {
            (Some(c), Relation::Special(Special::Compare(op), _)) => {
                Some(c.text(op, &|i| term(&self.args[i])))
            }
            _ => None,
        }
    }
    /// The variable to which it gives a value: `Z = X + Y` where nothing else binds `Z`.
    pub fn assigns(&self) -> Option<VarId> {
        self.comparison.as_ref().and_then(|c| c.assigned()).and_then(|at| match self.args[at] {
            Term::Variable(v) => Some(v),
            Term::Constant(_) => None,
        })
    }
    /// Its ordinary predicate.
    pub fn predicate(&self) -> Option<PredId> {
        match self.relation {
            Relation::Predicate(p) => Some(p),
            _ => None,
        }
    }
}

/// What a rule was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// Somebody wrote it.
    #[default]
    Written,
    /// The body of a written rule with a grouped normalisation; its groundings are those of the written rule.
    Scores,
    /// What a group is normalised by.
    Norm,
    /// The normalised head, from its score (the first literal) and its group's norm (the second).
    Normalised,
    /// Derives the atoms of a predicate that have arguments of some types, to be negated.
    Typed,
}

impl Origin {
    /// Whether its groundings stand for no grounding of a written rule.
    pub fn is_helper(self) -> bool {
        matches!(self, Origin::Norm | Origin::Normalised | Origin::Typed)
    }
}

/// A rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The head's predicate.
    pub head: PredId,
    /// The head's arguments.
    pub head_args: Vec<Term>,
    /// Weight on the aggregated value.
    pub head_weight: Option<WeightId>,
    /// What picks the member, if that is a family.
    pub head_member: Vec<HeadTerm>,
    /// Body literals as written, then those that lowering added: types and unsafe variables, which are hidden, and last
    /// what picks the members of families.
    pub body: Vec<Literal>,
    /// Offset of every grounding.
    pub offset: Option<WeightId>,
    /// How the inputs of a grounding are combined.
    pub combination: Combination,
    /// What is applied to the combination.
    pub activation: Activation,
    /// Whether the activation is written at the rule, not a default.
    pub states_activation: bool,
    /// How groundings with one head are aggregated.
    pub aggregation: Aggregation,
    /// Names of the variables.
    pub variables: IndexVec<VarId, String>,
    /// The example it stands in; `None` for rules of the template.
    pub world: Option<WorldId>,
    /// From the head weight to the full stop.
    pub span: Span,
    /// The head atom.
    pub head_span: Span,
    /// Whether two substitutions may agree on the head and every visible literal (then they count once).
    pub may_collapse: bool,
    /// What it was made for.
    pub origin: Origin,
}

impl Rule {
    /// The literals whose values enter, in order, with their positions in the body.
    pub fn visible(&self) -> impl Iterator<Item = (usize, &Literal)> {
        self.body.iter().enumerate().filter(|(_, l)| l.is_visible())
    }
    /// The literals whose atoms a ground rule tells, in its order: the visible ones, then those that pick the members of
    /// families.
    pub fn recorded(&self) -> impl Iterator<Item = (usize, &Literal)> {
        self.body.iter().enumerate().filter(|(_, l)| l.is_recorded())
    }
    /// Whether no literal's value enters: such a rule gives its head a plain value.
    pub fn is_valueless(&self) -> bool {
        self.visible().next().is_none()
    }
}

/// Functions and offset of a predicate's atoms.
#[derive(Debug, Clone, Default)]
pub struct PredicateInfo {
    /// The stated combination.
    pub combination: Option<Combination>,
    /// The stated activation.
    pub activation: Option<Activation>,
    /// The offset.
    pub offset: Option<WeightId>,
    /// `output=softmax(…)`: which arguments name the class, from 0 and ascending, and where it is written.
    pub classes: Option<Spanned<Vec<usize>>>,
    /// `draw=…`: its facts are drawn at random, anew for every epoch.
    pub draw: Option<Spanned<draws::Draw>>,
    /// `trains=…` or `freezes=…`: which weights samples of it train.
    pub trains: Option<Spanned<Trains>>,
    /// Where metadata or offset of the predicate stand.
    pub declared: Option<Span>,
    /// The written predicate for whose rules the engine made this one.
    pub made_for: Option<PredId>,
}

/// The value of a fact of the template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemplateValue {
    /// A constant.
    Constant(ValueId),
    /// A weight.
    Weight(WeightId),
}

/// A fact of the template, true in every world.
#[derive(Debug, Clone)]
pub struct TemplateFact {
    /// The predicate.
    pub pred: PredId,
    /// The arguments.
    pub args: Vec<ConstId>,
    /// The value.
    pub value: TemplateValue,
    /// Where it is written.
    pub span: Span,
}

/// A variable that no positive literal of its rule binds: it ranges over all constants.
#[derive(Debug, Clone)]
pub struct Unbound {
    /// Its name.
    pub name: String,
    /// Where it is first written.
    pub span: Span,
    /// The rule, from the head weight to the full stop.
    pub rule: Span,
}

/// Functions used where nothing is stated.
#[derive(Debug, Clone, PartialEq)]
pub struct Defaults {
    /// Of rules.
    pub rule_activation: Activation,
    /// Of atoms.
    pub atom_activation: Activation,
    /// Of rules.
    pub rule_combination: Combination,
    /// Of atoms.
    pub atom_combination: Combination,
    /// Of groundings.
    pub aggregation: Aggregation,
    /// Whether somebody chose the activation of atoms.
    pub states_atoms: bool,
}

impl Default for Defaults {
    /// NeuraLogic's: sum, tanh, avg.
    fn default() -> Self {
        Defaults {
            rule_activation: Activation::Tanh,
            atom_activation: Activation::Tanh,
            rule_combination: Combination::Sum,
            atom_combination: Combination::Sum,
            aggregation: Aggregation::Avg,
            states_atoms: false,
        }
    }
}

/// The resolved program.
#[derive(Debug, Clone, Default)]
pub struct Template {
    /// Rules in order; those of examples after those of the template.
    pub rules: IndexVec<RuleId, Rule>,
    /// Weights in order of first use.
    pub weights: IndexVec<WeightId, Weight>,
    /// Names of the groups of weights.
    pub groups: IndexVec<GroupId, String>,
    /// What is stated about predicates (shorter than the vocabulary where nothing is).
    pub predicates: IndexVec<PredId, PredicateInfo>,
    /// Facts.
    pub facts: Vec<TemplateFact>,
    /// Functions used where nothing is stated.
    pub defaults: Defaults,
    /// Whose meaning it has where this engine mends the reference.
    pub compat: compat::Compat,
    /// The weights of the members of families.
    pub members: Members,
    /// The weight of each learnable fact of the data.
    pub learnable_facts: IndexVec<LearnableFact, WeightId>,
    /// Variables that nothing binds, in order.
    pub unbound: Vec<Unbound>,
    /// Queries written in the template (`?- q(X).`).
    pub queries: Vec<crate::syntax::ast::Fact>,
}

impl Template {
    /// What is stated about a predicate.
    pub fn predicate(&self, pred: PredId) -> Option<&PredicateInfo> {
        self.predicates.get(pred)
    }
    /// The predicate to speak of: the written one, where the engine made this one for its rules.
    pub fn written(&self, pred: PredId) -> PredId {
        self.predicate(pred).and_then(|p| p.made_for).unwrap_or(pred)
    }
    /// The combination of a predicate's atoms in rules of the template.
    pub fn atom_combination(&self, pred: PredId) -> Combination {
        let stated = self.predicate(pred).and_then(|p| p.combination);
        stated.unwrap_or(self.defaults.atom_combination)
    }
    /// The stated activation of a predicate's atoms.
    pub fn stated_activation(&self, pred: PredId) -> Option<&Activation> {
        self.predicate(pred).and_then(|p| p.activation.as_ref())
    }
    /// Which arguments of a predicate name the class, if its queries are answered by groups.
    pub fn classes(&self, pred: PredId) -> Option<&Spanned<Vec<usize>>> {
        self.predicate(pred).and_then(|p| p.classes.as_ref())
    }
    /// The offset of a predicate's atoms.
    pub fn atom_offset(&self, pred: PredId) -> Option<WeightId> {
        self.predicate(pred).and_then(|p| p.offset)
    }
    /// Number of learnable numbers.
    pub fn parameter_count(&self) -> usize {
        self.weights.iter().filter(|w| w.is_parameter()).map(|w| w.shape.len()).sum()
    }
}
