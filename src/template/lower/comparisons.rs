//! Comparisons: from the tree to special literals.

use super::Lowering;
use super::binding::Scope;
use crate::base::span::Span;
use crate::data::WorldId;
use crate::diag::{Diagnostic, codes};
use crate::syntax::ast::{self, Comparator, ExpressionKind, Operator, Sign, TermKind};
use crate::template::compare::{Comparison, Expression};
use crate::template::special::{Arithmetic, Comparison as Op, Special};
use crate::template::{Literal, Relation, Term};

impl Lowering<'_> {
    /// A comparison: the special literal of the same meaning, over all terms of both sides.
    pub(super) fn comparison(
        &mut self,
        c: &ast::Comparison,
        scope: &mut Scope,
        world: Option<WorldId>,
    ) -> Option<Literal> {
        let (op, name) = match c.comparator {
            Comparator::Equal => (Op::Eq, "@eq"),
            Comparator::Different => (Op::Neq, "@neq"),
            Comparator::Less => (Op::Lt, "@lt"),
            Comparator::AtMost => (Op::Leq, "@leq"),
            Comparator::Greater => (Op::Gt, "@gt"),
            Comparator::AtLeast => (Op::Geq, "@geq"),
        };
        let mut args = Vec::new();
        let left = self.expression(&c.left, false, scope, world, &mut args);
        let right = self.expression(&c.right, false, scope, world, &mut args);
        let comparison = Comparison { left: left?, right: right?, target: None };
        Some(Literal {
            relation: Relation::Special(Special::Compare(op), self.vocabulary.predicate(name, 2)),
            args,
            comparison: Some(Box::new(comparison)),
            sign: Sign::Positive,
            hidden: false,
            functions: Vec::new(),
            weight: None,
            member: None,
            span: c.span,
        })
    }

    /// An expression over `args`, to which it appends its terms; `inner`: as a part of a calculation.
    fn expression(
        &mut self,
        e: &ast::Expression,
        inner: bool,
        scope: &mut Scope,
        world: Option<WorldId>,
        args: &mut Vec<Term>,
    ) -> Option<Expression> {
        match &e.kind {
            ExpressionKind::Term(term) => {
                if inner && matches!(term.kind, TermKind::Name(_) | TermKind::Quoted(_)) {
                    let title = format!("`{term}` is no number");
                    let mut d =
                        Diagnostic::new(codes::BAD_OPERAND, title).label(term.span, "calculated with");
                    if matches!(&term.kind, TermKind::Quoted(q) if q.parse::<f64>().is_ok()) {
                        d = d.help("between quotes a number is a text");
                    }
                    self.error(d);
                    return None;
                }
                let lowered = self.terms(std::slice::from_ref(term), scope, world).pop()?;
                if let (Term::Variable(v), true) = (lowered, inner) {
                    scope.operands.push((v, term.span));
                }
                args.push(lowered);
                Some(Expression::Argument(args.len() - 1))
            }
            ExpressionKind::Negation(e) => {
                Some(Expression::Negation(Box::new(self.expression(e, true, scope, world, args)?)))
            }
            ExpressionKind::Chain { first, rest } => {
                let first = Box::new(self.expression(first, true, scope, world, args)?);
                let mut list = Vec::with_capacity(rest.len());
                for (op, e) in rest {
                    let op = match op {
                        Operator::Add => Arithmetic::Add,
                        Operator::Sub => Arithmetic::Sub,
                        Operator::Mul => Arithmetic::Mul,
                        Operator::Div => Arithmetic::Div,
                    };
                    list.push((op, self.expression(e, true, scope, world, args)?));
                }
                Some(Expression::Chain(first, list))
            }
        }
    }

    /// Refuses `X-1`, the name of a variable, where it can only mean `X - 1`; whether there was none.
    pub(super) fn spell_minus(&mut self, rule: &ast::Rule) -> bool {
        let mut uses: Vec<(&str, Span, bool)> = Vec::new();
        let head = rule.head.args.iter().map(|t| (t, false));
        let body = rule.body.iter().flat_map(|item| {
            let compared = matches!(item, ast::Item::Comparison(_));
            item.terms().into_iter().map(move |t| (t, compared))
        });
        for (term, compared) in head.chain(body) {
            if let TermKind::Variable(name) = &term.kind {
                uses.push((name, term.span, compared));
            }
        }
        let mut right = true;
        let suspects = uses.iter().filter(|(name, _, compared)| *compared && name.contains('-'));
        for &(name, span, _) in suspects {
            let known = |n: &str| uses.iter().any(|(other, ..)| *other == n);
            let mut cuts = name.match_indices('-').map(|(at, _)| (&name[..at], &name[at + 1..]));
            let Some((a, b)) = cuts.find(|(a, _)| known(a)) else { continue };
            if uses.iter().filter(|(other, ..)| *other == name).count() > 1 {
                continue;
            }
            let title = format!("`{name}` is one variable: `-` is a letter inside names");
            let b = if b.is_empty() { "…" } else { b };
            let d = Diagnostic::new(codes::MINUS_IN_NAME, title)
                .label(span, "nothing else mentions it")
                .help(format!("a difference is written with spaces: `{a} - {b}`"));
            self.error(d);
            right = false;
        }
        right
    }
}
