//! Comparisons in bodies: from what the grammar recognised to the tree, and words for what it refused.

use super::ast::{Comparator, Comparison, Expression, ExpressionKind, Operator, Term, TermKind};
use super::cursor::{Fault, fault};
use super::foreign::compares;
use super::parser::{Builder, G, P, unquoted};
use super::token::TokenKind;
use super::value;
use crate::base::span::Span;
use crate::diag::codes;

impl Builder {
    /// `expression comparator expression`
    pub(super) fn comparison(&mut self, pair: P<'_>) -> Result<Comparison, Fault> {
        let span = self.span(&pair);
        let (mut sides, mut comparator) = (Vec::with_capacity(2), Comparator::Equal);
        for p in pair.into_inner() {
            match p.as_rule() {
                G::expression => sides.push(self.expression(p)?),
                _ => comparator = comparator_of(p.as_str()),
            }
        }
        let right = sides.pop().expect("the grammar demands a right side");
        let left = sides.pop().expect("the grammar demands a left side");
        Ok(Comparison { comparator, left, right, span })
    }

    /// A sum, a product or an operand; parentheses leave no trace but the shape of the tree.
    fn expression(&mut self, pair: P<'_>) -> Result<Expression, Fault> {
        match pair.as_rule() {
            G::expression | G::product => {
                let (mut first, mut rest) = (None, Vec::new());
                let mut operator = Operator::Add;
                for p in pair.into_inner() {
                    match (p.as_rule(), &first) {
                        (G::additive | G::multiplicative, _) => operator = operator_of(p.as_str()),
                        (_, None) => first = Some(self.expression(p)?),
                        (_, Some(_)) => rest.push((operator, self.expression(p)?)),
                    }
                }
                let first: Expression = first.expect("the grammar demands an operand");
                let Some((_, last)) = rest.last() else { return Ok(first) };
                let span = first.span.to(last.span);
                Ok(Expression { kind: ExpressionKind::Chain { first: Box::new(first), rest }, span })
            }
            G::factor => {
                let span = self.span(&pair);
                let mut negated = false;
                let mut operand = None;
                for p in pair.into_inner() {
                    match p.as_rule() {
                        G::minus => negated = true,
                        _ => operand = Some(self.expression(p)?),
                    }
                }
                let operand = operand.expect("the grammar demands an operand");
                if !negated {
                    return Ok(operand);
                }
                Ok(Expression { kind: ExpressionKind::Negation(Box::new(operand)), span })
            }
            _ => self.operand(pair),
        }
    }

    fn operand(&mut self, pair: P<'_>) -> Result<Expression, Fault> {
        let inner = pair.into_inner().filter(|p| !matches!(p.as_rule(), G::open | G::close));
        let p = inner.last().expect("the grammar demands an operand");
        let (span, text) = (self.span(&p), p.as_str());
        let kind = match p.as_rule() {
            G::expression => return self.expression(p),
            G::number => {
                value::parse_number(text, span)?;
                TermKind::Number(text.to_string())
            }
            G::reference => TermKind::Variable(text.to_string()),
            G::quoted => TermKind::Quoted(unquoted(text, span)?),
            _ => TermKind::Name(text.to_string()),
        };
        Ok(Expression { kind: ExpressionKind::Term(Term { ty: None, kind, span }), span })
    }

    /// A comparison behind a sign or star.
    pub(super) fn misplaced(&self, pair: P<'_>) -> Fault {
        let before = pair.clone().into_inner().next().expect("the grammar demands a sign or star");
        let what = match before.as_str() {
            "*" => "a star",
            "!" => "a negation",
            _ => "a soft negation",
        };
        let comparison = pair.into_inner().last().expect("the grammar demands a comparison");
        misplaced(what, self.span(&before), &comparison)
    }
}

/// The refusal of what stands before a comparison.
pub(super) fn misplaced(what: &str, at: Span, comparison: &P<'_>) -> Fault {
    let title = format!("{what} before a comparison");
    let mut d = fault(codes::NOT_ALLOWED_HERE, title, at, "a comparison is only tested: it has no value");
    let mut parts = comparison.clone().into_inner();
    let part = |p: Option<P<'_>>| p.map_or(String::new(), |p| p.as_str().trim().to_string());
    let (left, comparator, right) = (part(parts.next()), part(parts.next()), part(parts.next()));
    d.help = Some(match what {
        "a negation" => {
            let opposite = match comparator_of(&comparator) {
                Comparator::Equal => "!=",
                Comparator::Different => "=",
                Comparator::Less => ">=",
                Comparator::AtMost => ">",
                Comparator::Greater => "<=",
                Comparator::AtLeast => "<",
            };
            format!("write the opposite: `{left} {opposite} {right}`")
        }
        _ => format!("write `{left} {comparator} {right}`"),
    });
    d
}

fn comparator_of(text: &str) -> Comparator {
    match text {
        "=" => Comparator::Equal,
        "!=" => Comparator::Different,
        "<" => Comparator::Less,
        "<=" => Comparator::AtMost,
        ">" => Comparator::Greater,
        _ => Comparator::AtLeast,
    }
}

fn operator_of(text: &str) -> Operator {
    match text {
        "+" => Operator::Add,
        "-" => Operator::Sub,
        "*" => Operator::Mul,
        _ => Operator::Div,
    }
}

/// A hint for common slips in and around comparisons; `before` is the token before the refused one.
pub(super) fn help(positives: &[G], found: TokenKind, before: Option<(TokenKind, &str)>) -> Option<String> {
    let calculates = matches!(found, TokenKind::Plus | TokenKind::Minus | TokenKind::Star | TokenKind::Slash);
    let operand = positives
        .iter()
        .any(|r| matches!(r, G::expression | G::product | G::factor | G::operand | G::reference | G::minus));
    match before {
        Some((TokenKind::Variable, name)) if name.ends_with('-') && found == TokenKind::Number => {
            let name = name.trim_end_matches('-');
            return Some(format!("`-` is a letter inside names: write `{name} - …`, with spaces"));
        }
        Some((TokenKind::Equals, _))
            if operand && matches!(found, TokenKind::LeftAngle | TokenKind::RightAngle) =>
        {
            return Some("at most is written `<=`, at least `>=`".into());
        }
        Some((TokenKind::LeftAngle, _)) if operand && found == TokenKind::RightAngle => {
            return Some("different is written `!=`".into());
        }
        Some((TokenKind::Equals, _)) if operand && found == TokenKind::Equals => {
            return Some("equality is written with one `=`".into());
        }
        _ => {}
    }
    if compares(found) && positives.contains(&G::additive) {
        return Some("a comparison has two sides: instead of `X < Y < Z` write `X < Y, Y < Z`".into());
    }
    if compares(found) && positives.contains(&G::close) {
        return Some("a comparison stands by itself in a body, not between parentheses".into());
    }
    if (calculates || compares(found)) && (positives.contains(&G::close) || positives.contains(&G::stop)) {
        let text = "variables and constants are compared and calculated with, not atoms: `count(X,N), N > 3`";
        return Some(text.into());
    }
    None
}
