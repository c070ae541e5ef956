//! What gives the variables of a rule their values: literals, calculations, and for the rest all constants.

use super::Lowering;
use crate::base::hash::HashSet;
use crate::base::index::{Id, IndexVec};
use crate::base::span::Span;
use crate::data::{PredId, WorldId};
use crate::diag::{Diagnostic, codes};
use crate::syntax::ast::{self, Sign};
use crate::template::Unbound;
use crate::template::{Literal, Origin, Relation, Rule, Term, VarId};
use crate::tensor::functions::{Activation, Aggregation, Combination};

/// The variables of one rule.
#[derive(Default)]
pub(super) struct Scope {
    pub variables: IndexVec<VarId, String>,
    pub spans: IndexVec<VarId, Span>,
    pub typed: Vec<(VarId, PredId)>,
    /// Variables that something is calculated from, where they stand.
    pub operands: Vec<(VarId, Span)>,
}

impl Scope {
    pub fn variable(&mut self, name: &str, span: Span) -> VarId {
        if name != "_"
            && let Some(i) = self.variables.iter().position(|v| v == name)
        {
            return VarId::new(i);
        }
        self.spans.push(span);
        self.variables.push(name.to_string())
    }

    /// The variable of a name, if the rule has it; every `_` is another one.
    pub fn find(&self, name: &str) -> Option<VarId> {
        let known = || self.variables.iter().position(|v| v == name).map(VarId::new);
        if name == "_" { None } else { known() }
    }
}

/// A hidden literal that lowering adds.
fn hidden(relation: Relation, var: VarId, span: Span) -> Literal {
    Literal {
        relation,
        args: vec![Term::Variable(var)],
        comparison: None,
        sign: Sign::Positive,
        hidden: true,
        functions: Vec::new(),
        weight: None,
        member: None,
        span,
    }
}

/// Whether some variable occurs in neither the head nor a literal that ground rules record. An assigned one does not count: its value
/// follows from those of others.
pub(super) fn may_collapse(head: &[Term], body: &[Literal], variables: usize) -> bool {
    let mut shown = vec![false; variables];
    let visible = body.iter().filter(|l| l.is_recorded()).flat_map(|l| &l.args);
    for term in head.iter().chain(visible) {
        if let Term::Variable(v) = term {
            shown[v.index()] = true;
        }
    }
    let used = body.iter().filter(|l| l.binds()).flat_map(|l| &l.args);
    used.into_iter().any(|t| matches!(t, Term::Variable(v) if !shown[v.index()]))
}

/// Lets `=` give values to variables that have none, as long as one can.
fn assign(body: &mut [Literal], bound: &mut [bool]) {
    let mut again = true;
    while std::mem::take(&mut again) {
        for literal in body.iter_mut().filter(|l| l.assigns().is_none()) {
            let closed = |t: &Term| match t {
                Term::Constant(_) => true,
                Term::Variable(v) => bound[v.index()],
            };
            let ready = literal
                .readings()
                .into_iter()
                .find(|(_, v, rest)| !bound[v.index()] && literal.args[rest.clone()].iter().all(closed));
            if let (Some((side, var, _)), Some(comparison)) = (ready, &mut literal.comparison) {
                comparison.target = Some(side);
                bound[var.index()] = true;
                again = true;
            }
        }
    }
}

impl Lowering<'_> {
    /// `!p(X, metal:_)` says that no `p(X,…)` with a metal holds: a hidden rule derives the atoms of `p` with one, and
    /// the literal negates its head instead. (A hidden literal for the type would ask for *some* metal without.)
    pub(super) fn typed_wildcards(
        &mut self,
        literal: &mut Literal,
        scope: &mut Scope,
        world: Option<WorldId>,
    ) {
        let (Relation::Predicate(pred), Sign::Hard) = (literal.relation, literal.sign) else { return };
        let place = |v: VarId| literal.args.iter().position(|t| *t == Term::Variable(v));
        let wild = |&(v, _): &(VarId, PredId)| scope.variables[v] == "_" && place(v).is_some();
        let typed: Vec<(usize, PredId)> =
            scope.typed.iter().filter(|t| wild(t)).filter_map(|t| Some((place(t.0)?, t.1))).collect();
        if typed.is_empty() {
            return;
        }
        let (variables, typed_scope) = (&scope.variables, &mut scope.typed);
        typed_scope.retain(|(v, _)| variables[*v] != "_" || place(*v).is_none());
        let arity = literal.args.len();
        let name = format!("{}:typed{}", self.vocabulary.predicate_name(pred), self.template.rules.len());
        let head = self.vocabulary.predicate(&name, arity);
        self.info(head).made_for = Some(pred);
        let args: Vec<Term> = (0..arity).map(|i| Term::Variable(VarId::new(i))).collect();
        let mut all = hidden(Relation::Predicate(pred), VarId::new(0), literal.span);
        all.args.clone_from(&args);
        let types = typed.iter().map(|&(i, ty)| hidden(Relation::Predicate(ty), VarId::new(i), literal.span));
        self.template.rules.push(Rule {
            head,
            head_args: args,
            head_weight: None,
            head_member: Vec::new(),
            body: std::iter::once(all).chain(types).collect(),
            offset: None,
            combination: Combination::Sum,
            activation: Activation::Identity,
            states_activation: true,
            aggregation: Aggregation::Sum,
            variables: (0..arity).map(|i| format!("X{i}")).collect(),
            world,
            span: literal.span,
            head_span: literal.span,
            may_collapse: false,
            origin: Origin::Typed,
        });
        literal.relation = Relation::Predicate(head);
    }

    /// Typed variables range over the constants of the type: a hidden literal each.
    pub(super) fn types(&mut self, scope: &mut Scope, body: &mut Vec<Literal>, span: Span) {
        let mut seen = HashSet::default();
        for &(var, pred) in &scope.typed {
            if seen.insert((var, pred)) {
                let span = scope.spans.get(var).copied().unwrap_or(span);
                body.push(hidden(Relation::Predicate(pred), var, span));
            }
        }
    }

    /// Variables that no literal binds get the value of a calculation; those that have none range over all constants: a
    /// hidden literal each. The exception is `_` under `!`: `!p(X,_)` says that no `p(X,…)` holds at all.
    pub(super) fn bind(&mut self, head: &[Term], scope: &Scope, body: &mut Vec<Literal>, rule: &ast::Rule) {
        let mut bound = vec![false; scope.variables.len()];
        let mark = |terms: &[Term], bound: &mut Vec<bool>| {
            for term in terms {
                if let Term::Variable(v) = term {
                    bound[v.index()] = true;
                }
            }
        };
        for literal in body.iter().filter(|l| l.binds()) {
            mark(&literal.args, &mut bound);
        }
        let mut wanted = vec![false; scope.variables.len()];
        mark(head, &mut wanted);
        for literal in body.iter().filter(|l| !l.binds()) {
            let plain_negation = matches!(literal.relation, Relation::Predicate(_));
            for term in &literal.args {
                if let Term::Variable(v) = term {
                    let wildcard = scope.variables[*v] == "_" && plain_negation;
                    wanted[v.index()] |= !wildcard;
                }
            }
        }
        assign(body, &mut bound);
        // First those that no `=` is about, then those that one makes equal to another variable: with a value for the
        // first of two the second has one. What a calculation could give a value is left to the calculation.
        for equated in [false, true] {
            for var in scope.variables.ids() {
                let calculated = scope.operands.iter().any(|(v, _)| *v == var);
                let others: Vec<usize> = body
                    .iter()
                    .flat_map(Literal::readings)
                    .filter(|(_, v, _)| *v == var)
                    .map(|r| r.2.len())
                    .collect();
                let waits = if equated { others.iter().any(|n| *n != 1) } else { !others.is_empty() };
                if !wanted[var.index()] || bound[var.index()] || calculated || waits {
                    continue;
                }
                self.range_over_all(var, scope, body, rule);
                bound[var.index()] = true;
                assign(body, &mut bound);
            }
        }
        self.unbound_operands(scope, body, &bound);
    }

    fn range_over_all(&mut self, var: VarId, scope: &Scope, body: &mut Vec<Literal>, rule: &ast::Rule) {
        let name = &scope.variables[var];
        let span = scope.spans.get(var).copied().unwrap_or(rule.span);
        if !rule.body.is_empty() {
            let unbound = Unbound { name: name.clone(), span, rule: rule.span };
            self.template.unbound.push(unbound);
        }
        body.push(hidden(Relation::Domain, var, span));
    }

    /// Variables that are calculated with and have no value: nothing binds them, or they wait for each other.
    fn unbound_operands(&mut self, scope: &Scope, body: &[Literal], bound: &[bool]) {
        let open: Vec<(VarId, Span)> =
            scope.operands.iter().copied().filter(|(v, _)| !bound[v.index()]).collect();
        let waiting = body.iter().flat_map(|l| l.readings().into_iter().map(|(_, v, _)| (v, l.span)));
        let waiting: Vec<(VarId, Span)> = waiting.filter(|(v, _)| !bound[v.index()]).collect();
        let mut told: Vec<VarId> = Vec::new();
        for &(var, span) in &open {
            let name = &scope.variables[var];
            if told.contains(&var) || waiting.iter().any(|(v, _)| *v == var) {
                continue;
            }
            told.push(var);
            let title = format!("nothing gives `{name}` a value to calculate with");
            let d = Diagnostic::new(codes::BAD_OPERAND, title).label(span, "unbound");
            self.error(if name == "_" {
                d.help("every `_` is a variable of its own")
            } else {
                d.help(format!("bind it by a literal; `@dom({name})` lets it range over all constants"))
            });
        }
        if open.is_empty() || !told.is_empty() {
            return;
        }
        let mut names: Vec<String> = Vec::new();
        for (var, _) in &open {
            let name = format!("`{}`", scope.variables[*var]);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let title = match &names[..] {
            [name] => format!("{name} is calculated from itself"),
            _ => format!("{} wait for each other's values", names.join(", ")),
        };
        let mut d = Diagnostic::new(codes::CALCULATION_CYCLE, title);
        let mut places: Vec<Span> = waiting.iter().map(|(_, span)| *span).collect();
        places.dedup();
        for place in places {
            d = d.label(place, "waits for a value");
        }
        self.error(d.help("bind one of the variables by a literal"));
    }
}
