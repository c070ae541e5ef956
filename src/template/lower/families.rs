//! Families of weights: what picks their members, and where they cannot stand.

use super::Lowering;
use super::binding::Scope;
use crate::base::span::Span;
use crate::diag::{Diagnostic, codes, counted};
use crate::syntax::ast::{self, Sign, TermKind};
use crate::template::special::Special;
use crate::template::{HeadTerm, Kinship, Literal, Relation, Term, Weight};

/// What a written weight has to do with a family.
pub(super) fn kinship(w: &ast::Weight) -> Kinship {
    w.member.as_ref().map_or(Kinship::None, |terms| Kinship::Family { terms: terms.len() })
}

/// A name that is a family's here and a plain weight's there, or whose members are picked by more or fewer terms.
pub(super) fn used_in_two_ways(name: &str, first: &Weight, other: &Weight) -> Diagnostic {
    let what = |w: &Weight| match w.kinship {
        Kinship::Family { terms } => format!("{} between brackets", counted(terms, "term")),
        _ => "one weight, without brackets".to_string(),
    };
    let families = first.is_family() && other.is_family();
    let title = if families {
        format!("members of the family `${name}` are picked by different numbers of terms")
    } else {
        format!("`${name}` is a family of weights in one place and one weight in another")
    };
    Diagnostic::new(codes::FAMILY_USE, title)
        .label(other.span, format!("{} here", what(other)))
        .label(first.span, format!("its first mention: {}", what(first)))
        .help("give one of them another name")
}

/// A family where a ground rule has no place for its members.
pub(super) fn misplaced(w: &ast::Weight) -> Diagnostic {
    let name = w.name.as_ref().map_or("", |n| n.node.as_str());
    Diagnostic::new(codes::NOT_ALLOWED_HERE, format!("the family `${name}` cannot stand here"))
        .label(w.span, "a family stands before the head of a rule or before a literal of its body")
        .help(format!(
            "as an offset it stands before a literal whose value is 1: `${name}[X] one`, with the fact `<1> one.`; a \
             learned fact for every constant is a rule: `${name}[X]={{3}} p(X) :- *q(X).`"
        ))
}

/// A family that metadata mention by its name alone.
pub(super) fn without_terms(name: &str, family: &Weight, span: Span) -> Diagnostic {
    Diagnostic::new(codes::FAMILY_USE, format!("`${name}` is a family of weights, not one weight"))
        .label(span, "nothing picks a member here")
        .label(family.span, "a family because of the brackets")
        .help(format!("as an offset it stands before a literal whose value is 1: `${name}[X] one`"))
}

impl Lowering<'_> {
    /// Lets a literal be weighted by the member of a family: a literal at the end of the body picks it.
    pub(super) fn pick(
        &mut self,
        literal: usize,
        weight: &ast::Weight,
        scope: &Scope,
        body: &mut Vec<Literal>,
    ) {
        let (Some(name), Some(terms)) = (&weight.name, &weight.member) else { return };
        let args: Vec<Term> = terms.iter().filter_map(|t| self.picking_term(t, scope, "rule")).collect();
        if args.len() != terms.len() || !body[literal].is_visible() {
            return;
        }
        // The colon keeps it apart from all names that can be written.
        let pred = self.vocabulary.predicate(&format!("${}:", name.node), args.len());
        let relation = Relation::Special(Special::Member, pred);
        let same = |l: &Literal| l.relation == relation && l.args == args;
        let at = body.iter().position(same).unwrap_or_else(|| {
            body.push(Literal {
                relation,
                args,
                comparison: None,
                sign: Sign::Positive,
                hidden: false,
                functions: Vec::new(),
                weight: None,
                member: None,
                span: weight.span,
            });
            body.len() - 1
        });
        body[literal].member = Some(at);
    }

    /// What picks the member of the family before a head: its own arguments, and constants.
    pub(super) fn pick_by_head(
        &mut self,
        weight: &ast::Weight,
        head: &ast::Atom,
        args: &[Term],
        scope: &Scope,
    ) -> Vec<HeadTerm> {
        let mut out = Vec::new();
        for written in weight.member.iter().flatten() {
            let Some(term) = self.picking_term(written, scope, "head") else { continue };
            match (term, args.iter().position(|a| *a == term)) {
                (Term::Constant(c), _) => out.push(HeadTerm::Constant(c)),
                (Term::Variable(_), Some(i)) => out.push(HeadTerm::Argument(i)),
                (Term::Variable(_), None) => {
                    let title = format!("`{written}` is no argument of the head");
                    let d = Diagnostic::new(codes::FAMILY_TERM, title)
                        .label(written.span, "picks the member for an atom of the head")
                        .label(head.span, format!("derived for several `{written}` at once"))
                        .help(
                            "a weight before the head multiplies what was aggregated; a weight for each ground rule \
                             stands before a literal of the body",
                        );
                    self.error(d);
                }
            }
        }
        out
    }

    /// A term between the brackets of a family; an error if the rule has no such variable.
    fn picking_term(&mut self, term: &ast::Term, scope: &Scope, of: &str) -> Option<Term> {
        let TermKind::Variable(name) = &term.kind else {
            return self.constant(term, None).map(Term::Constant);
        };
        let known = scope.find(name).map(Term::Variable);
        if known.is_none() {
            let title = match name.as_str() {
                "_" => "`_` picks no member of a family".to_string(),
                _ => format!("`{name}` stands nowhere else in the rule"),
            };
            let why = match name.as_str() {
                "_" => "every `_` is a variable of its own".to_string(),
                _ => format!("a variable or constant of the {of} picks the member"),
            };
            self.error(Diagnostic::new(codes::FAMILY_TERM, title).label(term.span, why));
        }
        known
    }
}
