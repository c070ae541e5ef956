//! Predicates that nothing defines, rules that can never fire, metadata of nothing.

use crate::base::index::IndexVec;
use crate::base::span::Span;
use crate::data::{Database, PredId, Vocabulary};
use crate::diag::{Diagnostic, Diagnostics, codes, counted, suggest};
use crate::syntax::ast::Sign;
use crate::template::{Relation, Template, Term};
use crate::tensor::functions::Activation;

/// Two names that differ in digits only are a family (`c_22`, `c_27`), not a slip.
pub(crate) fn differ_in_digits_only(a: &str, b: &str) -> bool {
    let letters = |s: &str| s.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    letters(a) == letters(b)
}

/// Rules that can never fire, after which they are only counted.
const SHOWN: usize = 20;
/// Unknown names for which a near one is looked for.
const SEARCHED: usize = 100;

fn arguments(n: usize) -> String {
    counted(n, "argument")
}

/// Whether one edit (or a change of case) makes one name the other.
fn is_slip(a: &str, b: &str) -> bool {
    a.chars().count() >= 3
        && !differ_in_digits_only(a, b)
        && strsim::damerau_levenshtein(&a.to_lowercase(), &b.to_lowercase()) <= 1
}

/// `p`, which nothing defines, mentioned at `span` where its name has another number of arguments.
fn wrong_arity(vocabulary: &Vocabulary, p: PredId, other: PredId, span: Span) -> Diagnostic {
    let (text, defined) = (vocabulary.predicate_text(p), vocabulary.predicate_text(other));
    let has = arguments(vocabulary.arity(other));
    Diagnostic::new(codes::WRONG_ARITY, format!("`{text}` is nowhere defined, but `{defined}` is"))
        .label(span, format!("{} here", arguments(vocabulary.arity(p))))
        .help(format!("`{}` has {has} in the facts and rules", vocabulary.predicate_name(p)))
}

pub(super) fn check(
    template: &Template,
    vocabulary: &Vocabulary,
    database: &Database,
    out: &mut Diagnostics,
) {
    let n = vocabulary.predicate_count();
    let mut has_facts: IndexVec<PredId, bool> = vec![false; n].into();
    for (p, _) in database.shared.tables().chain(database.examples.tables()) {
        has_facts[p] = true;
    }
    for fact in &template.facts {
        has_facts[fact.pred] = true;
    }
    let mut derived: IndexVec<PredId, bool> = vec![false; n].into();
    for rule in template.rules.iter() {
        derived[rule.head] = true;
    }
    let defined = |p: PredId| has_facts[p] || derived[p];
    let declared = |p: PredId| template.predicate(p).is_some_and(|i| i.declared.is_some());
    // A template may be checked before there is any data: then only rules can define a predicate.
    let has_data = database.fact_count() > 0;
    let known: Vec<PredId> = vocabulary.predicates().filter(|&p| defined(p)).collect();
    let mut reported: Vec<PredId> = Vec::new();
    bare_operands(template, vocabulary, &defined, has_data, &mut reported, out);
    let mut idle = 0;
    for rule in template.rules.iter() {
        for literal in &rule.body {
            let Relation::Predicate(p) = literal.relation else { continue };
            if defined(p) || declared(p) || reported.contains(&p) || !has_data {
                continue;
            }
            let name = vocabulary.predicate_name(p);
            let text = vocabulary.predicate_text(p);
            let namesakes: Vec<PredId> =
                known.iter().copied().filter(|&q| vocabulary.predicate_name(q) == name).collect();
            // A name that is defined with several arities is overloaded on purpose.
            if let [other] = namesakes[..] {
                reported.push(p);
                out.push(wrong_arity(vocabulary, p, other, literal.span));
                continue;
            }
            let same_arity = known.iter().filter(|&&q| vocabulary.arity(q) == vocabulary.arity(p));
            // A search over all names, per unknown name: not for thousands of them.
            let same_arity = same_arity.take(if reported.len() < SEARCHED { usize::MAX } else { 0 });
            let near = suggest::nearest(name, same_arity.map(|&q| vocabulary.predicate_name(q)));
            let what = if name.ends_with(':') { "constant of type" } else { "predicate" };
            match near {
                Some(other) if is_slip(name, other) => {
                    reported.push(p);
                    out.push(
                        Diagnostic::new(
                            codes::UNKNOWN_PREDICATE,
                            format!("no fact and no rule defines `{text}`"),
                        )
                        .label(literal.span, format!("unknown {what}"))
                        .help(format!(
                            "did you mean `{other}`? If `{name}` just has no facts here, declare it: \
                                 `{text} [transformation=identity]`"
                        )),
                    );
                }
                _ if literal.sign == Sign::Hard => {}
                _ => {
                    reported.push(p);
                    idle += 1;
                    if idle > SHOWN {
                        continue;
                    }
                    let mut d = Diagnostic::new(
                        codes::NEVER_FIRES,
                        match name.strip_suffix(':') {
                            Some(ty) => {
                                format!(
                                    "this rule can never fire: no constant is written with the type `{ty}`"
                                )
                            }
                            None => format!("this rule can never fire: no fact and no rule gives `{text}`"),
                        },
                    )
                    .label(literal.span, "never true");
                    d.help = near.map(|o| format!("did you mean `{o}`?"));
                    out.push(d);
                }
            }
        }
    }
    if idle > SHOWN
        && let Some(last) = out.iter_mut().rev().find(|d| d.code == codes::NEVER_FIRES)
    {
        last.notes.push(format!("and rules over {} more predicates that nothing gives", idle - SHOWN));
    }
    learned_data(database, out);
    for query in &database.queries {
        let p = query.pred;
        // A ground question of this kind cannot be derived, which grounding says; an open one would just be empty.
        if defined(p) || declared(p) || reported.contains(&p) {
            continue;
        }
        let text = vocabulary.predicate_text(p);
        let name = vocabulary.predicate_name(p);
        let namesakes: Vec<PredId> =
            known.iter().copied().filter(|&q| vocabulary.predicate_name(q) == name).collect();
        if let [other] = namesakes[..] {
            reported.push(p);
            out.push(wrong_arity(vocabulary, p, other, query.span));
            continue;
        }
        if query.variables.is_empty() {
            continue;
        }
        reported.push(p);
        let slip = known.iter().any(|&q| is_slip(name, vocabulary.predicate_name(q)));
        let code = if slip { codes::UNKNOWN_PREDICATE } else { codes::UNDEFINED_QUESTION };
        let mut d = Diagnostic::new(code, format!("no fact and no rule defines `{text}`"))
            .label(query.span, "asked for here");
        d.help = suggest::did_you_mean(
            vocabulary.predicate_name(p),
            known.iter().map(|&q| vocabulary.predicate_name(q)),
        );
        out.push(d);
    }
    unread_facts(template, vocabulary, database, &|p| defined(p) || reported.contains(&p), out);
    for p in vocabulary.predicates() {
        let Some(span) = template.predicate(p).and_then(|i| i.declared) else { continue };
        if derived[p] {
            continue;
        }
        let name = vocabulary.predicate_name(p);
        let heads = vocabulary.predicates().filter(|&q| derived[q]);
        let slip = suggest::nearest(name, heads.map(|q| vocabulary.predicate_name(q)));
        let same_name = vocabulary
            .predicates()
            .find(|&q| derived[q] && vocabulary.predicate_name(q) == name)
            .map(|q| vocabulary.predicate_text(q));
        // Declaring a predicate that only has facts is a way to say that it exists; a near miss is a fault.
        if let Some(near) = same_name.or(slip.filter(|s| is_slip(name, s)).map(str::to_string)) {
            out.push(
                Diagnostic::new(
                    codes::UNUSED_METADATA,
                    format!(
                        "no rule derives `{}`: its functions apply to nothing",
                        vocabulary.predicate_text(p)
                    ),
                )
                .label(span, "without effect")
                .help(format!("did you mean `{near}`?")),
            );
        }
    }
}

/// `tanh(p)`: an atom of a predicate `tanh`, where a function of the atom `p` is likely meant.
fn bare_operands(
    template: &Template,
    vocabulary: &Vocabulary,
    defined: &dyn Fn(PredId) -> bool,
    has_data: bool,
    reported: &mut Vec<PredId>,
    out: &mut Diagnostics,
) {
    let known = |name: &str| {
        vocabulary
            .predicates()
            .any(|q| vocabulary.arity(q) == 0 && vocabulary.predicate_name(q) == name && defined(q))
    };
    for literal in template.rules.iter().flat_map(|r| &r.body) {
        let (Relation::Predicate(p), [Term::Constant(c)]) = (literal.relation, &literal.args[..]) else {
            continue;
        };
        let (function, operand) = (vocabulary.predicate_name(p), vocabulary.constant_text(*c));
        let is_function = Activation::names().contains(&function);
        if defined(p) || reported.contains(&p) || !is_function || !(has_data || known(operand)) {
            continue;
        }
        reported.push(p);
        let text = vocabulary.predicate_text(p);
        out.push(
            Diagnostic::new(
                codes::NEVER_FIRES,
                format!("this rule can never fire: no fact and no rule gives `{text}`"),
            )
            .label(
                literal.span,
                format!("an atom of a predicate `{function}`, with the constant `{operand}`"),
            )
            .help(format!(
                "the function `{function}` of the atom `{operand}` is written `{function}({operand}())`"
            )),
        );
    }
}

/// A value without angle brackets is a starting point, also in the data; those who come from Datalog do not expect it.
fn learned_data(database: &Database, out: &mut Diagnostics) {
    let learned: Vec<_> = database.learnable.iter().filter(|d| !d.fixed && d.initial.is_some()).collect();
    if let Some(first) = learned.first() {
        let more = match learned.len() - 1 {
            0 => String::new(),
            n => format!(" (and {n} more)"),
        };
        out.push(
            Diagnostic::new(codes::LEARNED_DATA, format!("the value of a fact in the data is learned{more}"))
                .label(first.span, "a starting point, changed by training")
                .help("in angle brackets a value is given and stays: `<0.5> p(a)`"),
        );
    }
}

/// Facts whose predicate no rule and no query mentions are fine, unless their name is nearly one that is mentioned and
/// has neither facts nor rules: what exists and is used lacks nothing. If that one is reported as undefined, the slip is
/// told already.
fn unread_facts(
    template: &Template,
    vocabulary: &Vocabulary,
    database: &Database,
    settled: &dyn Fn(PredId) -> bool,
    out: &mut Diagnostics,
) {
    let mut read: IndexVec<PredId, bool> = vec![false; vocabulary.predicate_count()].into();
    for rule in template.rules.iter() {
        read[rule.head] = true;
        for p in rule.body.iter().filter_map(|l| l.predicate()) {
            read[p] = true;
        }
    }
    for query in &database.queries {
        read[query.pred] = true;
    }
    for (p, table) in database.shared.tables().chain(database.examples.tables()) {
        let name = vocabulary.predicate_name(p);
        if std::mem::replace(&mut read[p], true) || name.ends_with(':') {
            continue;
        }
        let near = vocabulary.predicates().filter(|&q| read[q] && q != p && !settled(q)).find(|&q| {
            let other = vocabulary.predicate_name(q);
            other == name || (is_slip(name, other) && vocabulary.arity(q) == vocabulary.arity(p))
        });
        if let Some(q) = near {
            let (text, other) = (vocabulary.predicate_text(p), vocabulary.predicate_text(q));
            out.push(
                Diagnostic::new(codes::UNREAD_FACTS, format!("no rule reads the facts of `{text}`"))
                    .label(table.spans[0], "never read")
                    .help(format!("did you mean `{other}`?")),
            );
        }
    }
}
