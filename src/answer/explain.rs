//! Why a query has no answer: which literal of which rule failed.

use crate::base::index::{Id, IndexVec};
use crate::data::builder::query_text;
use crate::data::{ConstId, Database, PredId, Query, QueryTerm, Vocabulary};
use crate::diag::{Diagnostic, codes, counted, suggest};
use crate::ground::GroundProgram;
use crate::syntax::ast::Sign;
use crate::template::check::differ_in_digits_only;
use crate::template::{Literal, Relation, Rule, Template, Term, VarId};

/// Substitutions tried per rule before the search gives up and blames the literal that it reached.
const EFFORT: usize = 200_000;

/// The message about a query that no rule and no fact answers in a grounded world.
pub fn why_not(
    query: &Query,
    ground: &GroundProgram,
    template: &Template,
    vocabulary: &Vocabulary,
    database: &Database,
    domain: &[ConstId],
) -> Diagnostic {
    let text = query_text(vocabulary, query);
    let mut d = Diagnostic::new(codes::UNPROVABLE, format!("`{text}` cannot be derived"))
        .label(query.span, "no rule and no fact gives this");
    let rules: Vec<&Rule> = template
        .rules
        .iter()
        .filter(|r| r.head == query.pred && r.world.is_none_or(|w| w == query.world))
        .collect();
    if rules.is_empty() {
        let name = vocabulary.predicate_name(query.pred);
        let arity = vocabulary.arity(query.pred);
        let same = vocabulary.predicates().find(|&p| {
            vocabulary.predicate_name(p) == name && p != query.pred && is_known(template, ground, p)
        });
        d.help = match same {
            Some(p) => {
                Some(format!("`{name}` is defined with {} arguments, not {arity}", vocabulary.arity(p)))
            }
            None => {
                let known = vocabulary
                    .predicates()
                    .filter(|&p| is_known(template, ground, p) && is_writable(vocabulary, p))
                    .map(|p| vocabulary.predicate_name(p))
                    .filter(|other| !differ_in_digits_only(name, other));
                // Facts of other worlds: the name is right.
                if has_facts(database, query.pred) { None } else { suggest::did_you_mean(name, known) }
            }
        };
        return d.note(format!("no rule derives `{}`", vocabulary.predicate_text(query.pred)));
    }
    const SHOWN: usize = 3;
    let mut asked: Vec<PredId> = vec![query.pred];
    for rule in rules.iter().take(SHOWN) {
        let search = |rule| Search {
            ground,
            vocabulary,
            domain,
            rule,
            bindings: Vec::new(),
            deepest: 0,
            effort: EFFORT,
        };
        let mut failure = search(rule).failing(&query.args);
        let mut rule = *rule;
        loop {
            let (i, bindings) = match failure {
                Failure::Head => {
                    d = d.label(rule.head_span, "this head does not match");
                    break;
                }
                Failure::Unknown => {
                    d = d.label(rule.span, "this rule was not followed to the end");
                    break;
                }
                Failure::Literal(i, bindings) => (i, bindings),
            };
            let literal = &rule.body[i];
            // What the engine put between a rule's head and its body is passed over in silence.
            let own =
                literal.predicate().filter(|&p| vocabulary.is_internal(p) && literal.sign != Sign::Hard);
            if let Some(inner) = own.and_then(|p| template.rules.iter().find(|r| r.head == p)) {
                let args: Vec<QueryTerm> = literal.args.iter().map(|t| bound(*t, &bindings)).collect();
                rule = inner;
                failure = search(rule).failing(&args);
                continue;
            }
            d = d.label(literal.span, describe(literal, &bindings, rule, template, vocabulary, ground));
            if let Some(help) = misspelt(literal, vocabulary, database, ground, template) {
                d.help = Some(help);
            }
            // A predicate of which nothing at all holds: its first rule says why, and so on down to the facts.
            let empty =
                literal.predicate().filter(|&p| ground.relations[p].is_empty() && !asked.contains(&p));
            let Some(next) = empty.and_then(|p| {
                asked.push(p);
                template.rules.iter().find(|r| r.head == p && r.world.is_none_or(|w| w == query.world))
            }) else {
                break;
            };
            rule = next;
            failure = search(rule).failing(&[]);
        }
    }
    if rules.len() > SHOWN {
        d = d.note(format!("{} for it failed too", counted(rules.len() - SHOWN, "more rule")));
    }
    if d.help.is_none() {
        d.help = Some(
            "what is not derivable has no value; `--unprovable value:0` gives it one, `--unprovable skip` leaves the \
             query out"
                .to_string(),
        );
    }
    d
}

/// Whether somebody can have meant a predicate: one with a name of its own, not a special one.
fn is_writable(vocabulary: &Vocabulary, p: PredId) -> bool {
    !vocabulary.is_internal(p) && !vocabulary.predicate_name(p).starts_with('@')
}

fn is_known(template: &Template, ground: &GroundProgram, p: PredId) -> bool {
    !ground.relations[p].is_empty() || template.rules.iter().any(|r| r.head == p)
}

/// Whether some world has facts of a predicate.
fn has_facts(database: &Database, p: PredId) -> bool {
    [&database.shared, &database.examples].into_iter().any(|set| set.table(p).is_some())
}

/// A predicate that the literal of one that nothing defines may have meant: it holds here, and no rule reads it.
fn misspelt(
    literal: &Literal,
    vocabulary: &Vocabulary,
    database: &Database,
    ground: &GroundProgram,
    template: &Template,
) -> Option<String> {
    let p = literal.predicate()?;
    if is_known(template, ground, p) || has_facts(database, p) {
        return None;
    }
    let name = vocabulary.predicate_name(p);
    let read = |q: PredId| template.rules.iter().any(|r| r.body.iter().any(|l| l.predicate() == Some(q)));
    let same = vocabulary.predicates().filter(|&q| vocabulary.arity(q) == vocabulary.arity(p));
    let known = same.filter(|&q| is_known(template, ground, q) && is_writable(vocabulary, q) && !read(q));
    let names =
        known.map(|q| vocabulary.predicate_name(q)).filter(|other| !differ_in_digits_only(name, other));
    suggest::did_you_mean(name, names)
}

/// An argument as a question's: a constant, or a variable of its own.
fn bound(term: Term, bindings: &[Option<ConstId>]) -> QueryTerm {
    match term {
        Term::Constant(c) => QueryTerm::Constant(c),
        Term::Variable(v) => bindings[v.index()].map_or(QueryTerm::Variable(v.0), QueryTerm::Constant),
    }
}

fn describe(
    literal: &Literal,
    bindings: &[Option<ConstId>],
    rule: &Rule,
    template: &Template,
    vocabulary: &Vocabulary,
    ground: &GroundProgram,
) -> String {
    let term = |t: &Term| match t {
        Term::Constant(c) => vocabulary.constant_text(*c).to_string(),
        Term::Variable(v) => match bindings[v.index()] {
            Some(c) => vocabulary.constant_text(c).to_string(),
            None => rule.variables[*v].clone(),
        },
    };
    if let Some(shown) = literal.comparison_text(&term) {
        return format!("`{shown}` does not hold");
    }
    let args: Vec<String> = literal.args.iter().map(term).collect();
    let name = match literal.relation {
        Relation::Predicate(p) | Relation::Special(_, p) => vocabulary.predicate_name(template.written(p)),
        Relation::Domain => "@dom",
    };
    let shown = if args.is_empty() { name.to_string() } else { format!("{name}({})", args.join(",")) };
    if literal.sign == Sign::Hard {
        return format!("`{shown}` holds, so this fails");
    }
    if let Some(p) = literal.predicate()
        && ground.relations[p].is_empty()
    {
        return format!("no `{}` holds here", vocabulary.predicate_text(p));
    }
    format!("nothing matches `{shown}`")
}

/// The literals that give a variable the value of a calculation, each behind those that it needs.
fn assignments(rule: &Rule) -> Vec<usize> {
    let mut pending: Vec<usize> =
        (0..rule.body.len()).filter(|&i| rule.body[i].assigns().is_some()).collect();
    let mut out = Vec::with_capacity(pending.len());
    while !pending.is_empty() {
        let waits = |i: usize| {
            let mut others = pending.iter().filter(|&&j| j != i).filter_map(|&j| rule.body[j].assigns());
            others.any(|v| rule.body[i].args.contains(&Term::Variable(v)))
        };
        let ready = pending.iter().position(|&i| !waits(i)).unwrap_or(0);
        out.push(pending.remove(ready));
    }
    out
}

enum Failure {
    /// The head does not fit the query.
    Head,
    /// The first literal, in order of the text, that no substitution of the ones before it satisfies.
    Literal(usize, Vec<Option<ConstId>>),
    /// Out of effort.
    Unknown,
}

struct Search<'a> {
    ground: &'a GroundProgram,
    vocabulary: &'a Vocabulary,
    domain: &'a [ConstId],
    rule: &'a Rule,
    /// Bindings at the deepest point reached.
    bindings: Vec<Option<ConstId>>,
    deepest: usize,
    effort: usize,
}

impl Search<'_> {
    fn failing(mut self, query: &[QueryTerm]) -> Failure {
        let mut bindings: IndexVec<VarId, Option<ConstId>> = vec![None; self.rule.variables.len()].into();
        for (term, q) in self.rule.head_args.iter().zip(query) {
            let QueryTerm::Constant(c) = q else { continue };
            let fits = match term {
                Term::Constant(k) => k == c,
                Term::Variable(v) => *bindings[*v].get_or_insert(*c) == *c,
            };
            if !fits {
                return Failure::Head;
            }
        }
        // Tests wait for their variables: literals that bind come first, in order of the text.
        let mut order: Vec<usize> =
            (0..self.rule.body.len()).filter(|&i| self.rule.body[i].binds()).collect();
        order.extend(assignments(self.rule));
        let test = |i: &usize| !self.rule.body[*i].binds() && self.rule.body[*i].assigns().is_none();
        order.extend((0..self.rule.body.len()).filter(test));
        self.bindings = bindings.as_slice().to_vec();
        self.try_from(&order, 0, &mut bindings);
        match order.get(self.deepest) {
            Some(&i) if self.effort > 0 => Failure::Literal(i, std::mem::take(&mut self.bindings)),
            _ => Failure::Unknown,
        }
    }

    fn try_from(&mut self, order: &[usize], at: usize, bindings: &mut IndexVec<VarId, Option<ConstId>>) {
        if at > self.deepest {
            self.deepest = at;
            self.bindings = bindings.as_slice().to_vec();
        }
        let Some(&i) = order.get(at) else { return };
        let literal = &self.rule.body[i];
        let known = |t: &Term, b: &IndexVec<VarId, Option<ConstId>>| match t {
            Term::Constant(c) => Some(*c),
            Term::Variable(v) => b[*v],
        };
        match literal.relation {
            Relation::Domain => {
                for &c in self.domain {
                    if self.bind(&[c], literal, bindings, order, at) {
                        return;
                    }
                }
            }
            Relation::Predicate(p) if literal.sign != Sign::Hard => {
                for row in 0..self.ground.relations[p].len() {
                    let args = self.ground.relations[p].row(row);
                    if self.bind(args, literal, bindings, order, at) {
                        return;
                    }
                }
            }
            Relation::Predicate(p) => {
                self.effort = self.effort.saturating_sub(self.ground.relations[p].len() as usize);
                let fits = |row: u32| {
                    let args = self.ground.relations[p].row(row);
                    literal.args.iter().zip(args).all(|(t, c)| known(t, bindings).is_none_or(|k| k == *c))
                };
                if !(0..self.ground.relations[p].len()).any(fits) {
                    self.try_from(order, at + 1, bindings);
                }
            }
            Relation::Special(s, _) => {
                if let (Some(var), Some(comparison)) = (literal.assigns(), &literal.comparison) {
                    // The variable's own place does not matter, and may have no value yet.
                    let args: Vec<ConstId> =
                        literal.args.iter().map(|t| known(t, bindings).unwrap_or(ConstId(0))).collect();
                    let (before, result) = (bindings[var], comparison.result(self.vocabulary, &args));
                    if result.is_some() && (before.is_none() || before == result) {
                        bindings[var] = result;
                        self.try_from(order, at + 1, bindings);
                        bindings[var] = before;
                    }
                    return;
                }
                let args: Option<Vec<ConstId>> = literal.args.iter().map(|t| known(t, bindings)).collect();
                if args.is_some_and(|a| {
                    literal.special_holds(s, self.vocabulary, &a) != (literal.sign == Sign::Hard)
                }) {
                    self.try_from(order, at + 1, bindings);
                }
            }
        }
    }

    /// Binds a literal to some arguments and goes on; whether the search is over.
    fn bind(
        &mut self,
        args: &[ConstId],
        literal: &Literal,
        bindings: &mut IndexVec<VarId, Option<ConstId>>,
        order: &[usize],
        at: usize,
    ) -> bool {
        if self.effort == 0 || self.deepest == order.len() {
            return true;
        }
        self.effort -= 1;
        let mut fresh: Vec<VarId> = Vec::new();
        let fits = literal.args.iter().zip(args).all(|(t, c)| match t {
            Term::Constant(k) => k == c,
            Term::Variable(v) => match bindings[*v] {
                Some(k) => k == *c,
                None => {
                    bindings[*v] = Some(*c);
                    fresh.push(*v);
                    true
                }
            },
        });
        if fits {
            self.try_from(order, at + 1, bindings);
        }
        for v in fresh {
            bindings[v] = None;
        }
        false
    }
}
