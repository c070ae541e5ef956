//! Rules and weights that no query needs.

use crate::base::hash::HashSet;
use crate::base::index::IndexVec;
use crate::data::{Database, PredId, Vocabulary};
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::expand::Library;
use crate::template::{Literal, Template, TemplateValue, WeightId};

/// Predicates that rules derive for nobody, and weights that stand only where no query leads to; nothing where nothing
/// is asked.
pub(super) fn unreached(
    template: &Template,
    vocabulary: &Vocabulary,
    database: &Database,
    modules: &Library,
) -> Diagnostics {
    let mut out = Vec::new();
    if !database.queries.is_empty() {
        let unused = unused_predicates(template, vocabulary, database, modules, &mut out);
        unreached_weights(template, vocabulary, database, &unused, &mut out);
    }
    out
}

fn asked(database: &Database) -> impl Iterator<Item = PredId> {
    database.queries.iter().flat_map(|q| q.types.iter().map(|t| t.1).chain([q.pred]))
}

/// Reports, and returns, the heads that nothing reads; those that belong to modules are not reported.
fn unused_predicates(
    template: &Template,
    vocabulary: &Vocabulary,
    database: &Database,
    modules: &Library,
    out: &mut Diagnostics,
) -> HashSet<PredId> {
    let mut used: HashSet<PredId> = asked(database).collect();
    for rule in template.rules.iter() {
        used.extend(rule.body.iter().filter_map(Literal::predicate).filter(|p| *p != rule.head));
    }
    let mut unused = HashSet::default();
    for rule in template.rules.iter().filter(|r| r.world.is_none()) {
        if !used.contains(&rule.head) && unused.insert(rule.head) {
            // A module has results that not every user asks for.
            if modules.provides(vocabulary.predicate_name(rule.head), vocabulary.arity(rule.head) as u32) {
                continue;
            }
            let name = vocabulary.predicate_text(rule.head);
            out.push(
                Diagnostic::new(codes::UNUSED_PREDICATE, format!("nothing uses `{name}`"))
                    .label(rule.head_span, "derived here")
                    .help("no query asks for it and no other rule reads it: it adds nothing to any answer"),
            );
        }
    }
    for use_ in modules.results() {
        let unread = |(name, arity): &(String, u32)| {
            let found = vocabulary.find_predicate(name, *arity as usize);
            found.is_none_or(|p| unused.contains(&p))
        };
        if !use_.heads.is_empty() && use_.heads.iter().all(unread) {
            let names: Vec<String> =
                use_.heads.iter().map(|(name, arity)| format!("`{name}/{arity}`")).collect();
            out.push(
                Diagnostic::new(
                    codes::UNUSED_PREDICATE,
                    format!("nothing uses what `{}` derives here", use_.module),
                )
                .label(
                    use_.span,
                    format!("no query asks for {}, and no other rule reads it", names.join(" or ")),
                )
                .help("it adds nothing to any answer"),
            );
        }
    }
    unused
}

/// Learnable weights of rules, facts and offsets on which no query depends. What stands in rules that are reported as
/// unused is told already.
fn unreached_weights(
    template: &Template,
    vocabulary: &Vocabulary,
    database: &Database,
    unused: &HashSet<PredId>,
    out: &mut Diagnostics,
) {
    let mut needed: IndexVec<PredId, bool> = vec![false; vocabulary.predicate_count()].into();
    let mut stack: Vec<PredId> = asked(database).collect();
    while let Some(p) = stack.pop() {
        if !std::mem::replace(&mut needed[p], true) {
            let rules = template.rules.iter().filter(|r| r.head == p);
            stack.extend(rules.flat_map(|r| &r.body).filter_map(Literal::predicate));
        }
    }
    let derived: HashSet<PredId> = template.rules.iter().map(|r| r.head).collect();
    // Each weight with the predicate it serves, and whether it is an offset of atoms that are facts only, in which it
    // takes no part.
    let mut places: Vec<(PredId, WeightId, bool)> = Vec::new();
    for rule in template.rules.iter() {
        let body = rule.body.iter().filter_map(|l| l.weight);
        places.extend(body.chain(rule.head_weight).chain(rule.offset).map(|w| (rule.head, w, false)));
    }
    for fact in &template.facts {
        if let TemplateValue::Weight(w) = fact.value {
            places.push((fact.pred, w, false));
        }
    }
    for p in vocabulary.predicates() {
        places.extend(template.atom_offset(p).map(|w| (p, w, !derived.contains(&p))));
    }
    let mut told: HashSet<WeightId> =
        places.iter().filter(|(p, _, idle)| needed[*p] && !idle).map(|(_, w, _)| *w).collect();
    for (p, w, idle) in places {
        let weight = &template.weights[w];
        if unused.contains(&p) || !weight.learnable || !told.insert(w) {
            continue;
        }
        let text = vocabulary.predicate_text(p);
        let why = match idle {
            true => format!("no rule derives `{text}`, whose offset this is"),
            false => format!("no query depends on `{text}`"),
        };
        out.push(
            Diagnostic::new(codes::UNREACHED_WEIGHT, "no query reaches this weight: it is never learned")
                .label(weight.span, why)
                .help("leave it out, or ask for what it leads to"),
        );
    }
}
