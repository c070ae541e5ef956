//! What can be found wrong with a program before it is grounded.

mod habits;
mod names;
mod open;
mod reach;
mod shapes;
mod training;
mod twice;
mod unbound;
mod uses;

use super::Template;
use super::strata::Strata;
use crate::data::{Database, Vocabulary};
use crate::diag::{Diagnostic, Diagnostics, codes};

pub use habits::habits;
pub(crate) use names::differ_in_digits_only;
pub use shapes::Shapes;
pub use unbound::{Extent, unbound};
pub use uses::shared_results;

/// Checks a program against the data: names, strata, shapes. Phases whose ground an earlier one found unsound are
/// left out.
pub fn check(
    template: &Template,
    vocabulary: &Vocabulary,
    database: &Database,
    strata: &Strata,
) -> Diagnostics {
    let mut out = Vec::new();
    names::check(template, vocabulary, database, &mut out);
    negation(template, vocabulary, strata, &mut out);
    let shapes = shapes::infer(template, vocabulary, database, &mut out);
    shapes.targets(template, vocabulary, database, &mut out);
    if database.fact_count() == 0 && !crate::diag::has_errors(&out) {
        open::check(template, vocabulary, database, &mut out);
    }
    out
}

/// What shapes the values of predicates have, of a program that has passed the checks.
pub fn shapes(template: &Template, vocabulary: &Vocabulary, database: &Database) -> Shapes {
    shapes::infer(template, vocabulary, database, &mut Vec::new())
}

/// Cycles through negation.
fn negation(template: &Template, vocabulary: &Vocabulary, strata: &Strata, out: &mut Diagnostics) {
    for cycle in strata.negative_cycles(&template.rules) {
        let rule = &template.rules[cycle.rule];
        let literal = &rule.body[cycle.literal];
        let negated = literal.predicate().expect("only ordinary literals depend on predicates");
        let path = dependency_path(template, negated, rule.head);
        let chain = std::iter::once(rule.head).chain(path).map(|p| template.written(p));
        let mut names: Vec<String> = chain.map(|p| format!("`{}`", vocabulary.predicate_text(p))).collect();
        // A predicate and those made for it are one.
        names.dedup();
        if names.len() == 1 {
            names.push(names[0].clone());
        }
        out.push(
            Diagnostic::new(codes::NEGATIVE_CYCLE, format!("{} depends on its own negation", names[0]))
                .label(literal.span, "this negation")
                .label(rule.head_span, "is needed to derive this head, on which it depends")
                .note(format!("the cycle is {}", names.join(" → ")))
                .help("negation asks what does not hold once everything else is known; break the cycle"),
        );
    }
}

/// A shortest chain of predicates from `from` to `to` along dependencies, both ends included.
fn dependency_path(
    template: &Template,
    from: crate::data::PredId,
    to: crate::data::PredId,
) -> Vec<crate::data::PredId> {
    let mut paths = std::collections::VecDeque::from([vec![from]]);
    let mut seen = crate::base::hash::HashSet::default();
    while let Some(path) = paths.pop_front() {
        let last = *path.last().expect("a path is not empty");
        if last == to {
            return path;
        }
        if !seen.insert(last) {
            continue;
        }
        for rule in template.rules.iter().filter(|r| r.head == last) {
            for p in rule.body.iter().filter_map(|l| l.predicate()) {
                let mut next = path.clone();
                next.push(p);
                paths.push_back(next);
            }
        }
    }
    vec![from, to]
}
