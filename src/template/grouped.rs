//! `softmax(Y)` and `sparsemax(Y)`: normalisation over the heads that agree but for the named variables.
//!
//! A rule `a(X,Y) :- body. [aggregation=softmax(Y)]` is three plain ones:
//!
//! ```text
//! scores(X,Y) :- body.               each head's groundings, joined by the default aggregation
//! norm(X)     :- scores(X,Y).        [aggregation=logsumexp]
//! a(X,Y)      :- scores(X,Y), norm(X). [combination=difference, transformation=exp]
//! ```
//!
//! since `softmax(s)_i = exp(s_i − log Σ exp s_j)`. For sparsemax the norm is the threshold τ and the last function
//! `relu`: `sparsemax(s)_i = max(s_i − τ(s), 0)` (Martins & Astudillo 2016). Everything that holds for plain rules then
//! holds here too: cycles, batching, exact gradients, vectors component by component.

use super::{Literal, Origin, PredicateInfo, Relation, Rule, Template, Term, VarId};
use crate::base::hash::HashSet;
use crate::base::index::{Id, IndexVec};
use crate::data::{PredId, Vocabulary};
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::syntax::ast::Sign;
use crate::tensor::functions::{Activation, Aggregation, Combination};

/// Replaces every rule with a grouped normalisation by its three plain rules.
pub(super) fn expand_grouped(template: &mut Template, vocabulary: &mut Vocabulary, out: &mut Diagnostics) {
    let mut rules = IndexVec::new();
    for rule in std::mem::take(&mut template.rules) {
        let (norm, last, names) = match &rule.aggregation {
            Aggregation::Softmax(v) if !v.is_empty() => (Aggregation::LogSumExp, Activation::Exp, v.clone()),
            Aggregation::Sparsemax(v) if !v.is_empty() => {
                (Aggregation::SparsemaxThreshold, Activation::Relu, v.clone())
            }
            _ => {
                rules.push(rule);
                continue;
            }
        };
        let default = rule.aggregation == template.defaults.aggregation;
        match group_variables(&rule, &names) {
            Ok(group) => {
                let number = rules.len();
                for r in three(template, vocabulary, rule, &group, norm, last, number) {
                    rules.push(r);
                }
            }
            Err(d) if default => out.push(d.note("the template states this aggregation for all rules")),
            Err(d) => out.push(*d),
        }
    }
    template.rules = rules;
}

/// The variables that a grouped normalisation runs over; all must stand in the head.
fn group_variables(rule: &Rule, names: &[String]) -> Result<HashSet<VarId>, Box<Diagnostic>> {
    let of_head: Vec<VarId> = variables_of(&rule.head_args);
    let find = |name: &String| of_head.iter().copied().find(|&v| rule.variables[v] == *name);
    names
        .iter()
        .map(|name| {
            find(name).ok_or_else(|| {
                let all: Vec<String> = of_head.iter().map(|&v| format!("`{}`", rule.variables[v])).collect();
                let has = if all.is_empty() {
                    "has no variables".into()
                } else {
                    format!("has {}", all.join(", "))
                };
                Box::new(
                    Diagnostic::new(
                        codes::BAD_METADATA,
                        format!("`{}` normalises over variables of the head", rule.aggregation),
                    )
                    .label(rule.head_span, format!("`{name}` is none of this head, which {has}")),
                )
            })
        })
        .collect()
}

fn variables_of(args: &[Term]) -> Vec<VarId> {
    let mut seen = Vec::new();
    for term in args {
        if let Term::Variable(v) = term
            && !seen.contains(v)
        {
            seen.push(*v);
        }
    }
    seen
}

fn three(
    template: &mut Template,
    vocabulary: &mut Vocabulary,
    rule: Rule,
    group: &HashSet<VarId>,
    norm: Aggregation,
    last: Activation,
    number: usize,
) -> [Rule; 3] {
    let name = vocabulary.predicate_name(rule.head).to_string();
    // The colon keeps these apart from all names that can be written; the number, two rules of one head.
    let scores = vocabulary.predicate(&format!("{name}:scores{number}"), rule.head_args.len());
    let kept = |t: &Term| !matches!(t, Term::Variable(v) if group.contains(v));
    let (variables, args) = head_variables(&rule);
    let rest: Vec<Term> =
        rule.head_args.iter().zip(&args).filter(|(old, _)| kept(old)).map(|(_, new)| *new).collect();
    let norms = vocabulary.predicate(&format!("{name}:norm{number}"), rest.len());
    for pred in [scores, norms] {
        plain_atoms(template, pred, rule.head);
    }
    let literal = |pred: PredId, args: &[Term]| Literal {
        relation: Relation::Predicate(pred),
        args: args.to_vec(),
        sign: Sign::Positive,
        hidden: false,
        functions: Vec::new(),
        weight: None,
        member: None,
        comparison: None,
        span: rule.head_span,
    };
    let helper = |head: PredId, head_args: &[Term], body: Vec<Literal>| Rule {
        head,
        head_args: head_args.to_vec(),
        head_weight: None,
        head_member: Vec::new(),
        body,
        offset: None,
        combination: Combination::Sum,
        activation: Activation::Identity,
        states_activation: true,
        aggregation: Aggregation::Sum,
        variables: variables.clone(),
        world: rule.world,
        span: rule.span,
        head_span: rule.head_span,
        may_collapse: false,
        origin: Origin::Norm,
    };
    let normed = Rule { aggregation: norm, ..helper(norms, &rest, vec![literal(scores, &args)]) };
    let result = Rule {
        head_weight: rule.head_weight,
        head_member: rule.head_member.clone(),
        combination: Combination::Difference,
        activation: last,
        origin: Origin::Normalised,
        ..helper(rule.head, &args, vec![literal(scores, &args), literal(norms, &rest)])
    };
    let per_head = match &template.defaults.aggregation {
        Aggregation::Softmax(_) | Aggregation::Sparsemax(_) => Aggregation::default(),
        other => other.clone(),
    };
    let origin = Origin::Scores;
    let (head_weight, head_member) = (None, Vec::new());
    let scored = Rule { head: scores, head_weight, head_member, aggregation: per_head, origin, ..rule };
    [scored, normed, result]
}

/// The variables of a rule's head, numbered anew, and its arguments in them.
fn head_variables(rule: &Rule) -> (IndexVec<VarId, String>, Vec<Term>) {
    let old = variables_of(&rule.head_args);
    let place = |v: &VarId| old.iter().position(|o| o == v).map(VarId::new).expect("a variable of the head");
    let args = rule.head_args.iter().map(|t| match t {
        Term::Variable(v) => Term::Variable(place(v)),
        constant => *constant,
    });
    let args = args.collect();
    (old.iter().map(|&v| rule.variables[v].clone()).collect(), args)
}

/// Atoms that only pass on what their rule computes.
fn plain_atoms(template: &mut Template, pred: PredId, made_for: PredId) {
    while template.predicates.len() <= pred.index() {
        template.predicates.push(PredicateInfo::default());
    }
    let info = &mut template.predicates[pred];
    info.combination = Some(Combination::Sum);
    info.activation = Some(Activation::Identity);
    info.made_for = Some(made_for);
}
