//! Which tokens are operators of comparisons. The same characters have other uses (`<0.5>`, `*hidden(X)`, `p/1`, `k=v`,
//! `h <= b`), and only the rest of the item tells them apart.

use super::chunk::picks;
use super::token::TokenKind as K;

/// What a token is to the tokens around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// No operator.
    Other,
    /// Between two operands.
    Binary,
    /// Before its operand.
    Unary,
    /// A number with a sign, which is an operator: `+1` in `X+1`.
    Joined,
    /// The bracket that follows the name of a family of weights.
    Member,
}

/// The roles of the significant tokens of a text.
pub(super) fn roles(kinds: &[K]) -> Vec<Role> {
    let mut out = vec![Role::Other; kinds.len()];
    let mut open: Vec<usize> = Vec::new();
    // Where the current item begins, and whether something in it compares.
    let (mut start, mut compares, mut arrow, mut fixed) = (0, false, false, false);
    // Whether the parentheses that were closed last are those of an atom.
    let mut atom = false;
    // One past the brackets of a family that were closed last.
    let mut member = usize::MAX;
    for (i, &kind) in kinds.iter().enumerate() {
        let before = i.checked_sub(1).map(|b| kinds[b]);
        let top = open.is_empty();
        let mut ends = false;
        match kind {
            K::LeftParen | K::LeftBracket | K::LeftBrace => {
                let kind_at = |at: usize| kinds.get(at).copied().unwrap_or(K::End);
                let named = kind == K::LeftBracket && names_weight(&kinds[..i]);
                if named && picks(kind_at(i + 1), kind_at(i + 2)) {
                    out[i] = Role::Member;
                }
                open.push(i);
            }
            kind if kind.is_closing() => {
                let named = |at: usize| at > 0 && kinds[at - 1] == K::Name;
                let opened = open.pop();
                atom = opened.is_some_and(named);
                if opened.is_some_and(|at| out[at] == Role::Member) {
                    member = i + 1;
                }
            }
            K::Comma | K::Implies if top => ends = true,
            K::Stop => ends = true,
            K::LeftArrow if top => {
                let head = before == Some(K::RightParen) && atom;
                (ends, compares) = if head || !arrow { (true, compares) } else { (false, true) };
            }
            K::Differs | K::AtLeast if top => compares = true,
            K::Equals if top => {
                compares |= !names_weight(&kinds[..i]) && member != i;
            }
            K::LeftAngle if top => {
                let next = |n: usize| kinds.get(i + n).copied();
                // `<[1,2]>`, `<0.5>`, in modules also `<eps>` and `<@{1-eps}>`.
                let value = || kinds[i + 1..].iter().position(|&k| k == K::RightBrace).map(|close| close + 2);
                fixed = matches!(next(1), Some(K::LeftBracket | K::LeftBrace))
                    || matches!(next(1), Some(K::Number | K::Name | K::Variable))
                        && next(2) == Some(K::RightAngle)
                    || next(1) == Some(K::At)
                        && next(2) == Some(K::LeftBrace)
                        && value().is_some_and(|behind| next(behind) == Some(K::RightAngle));
                compares |= !fixed;
            }
            K::RightAngle if top => {
                compares |= !fixed;
                fixed = false;
            }
            _ => {}
        }
        if ends || i + 1 == kinds.len() {
            if compares {
                mark(&kinds[start..i], &mut out[start..i]);
            }
            (start, compares, fixed) = (i + 1, false, false);
            arrow = kind != K::Stop && (arrow || kind.is_arrow());
        }
        if kind == K::Stop {
            open.clear();
        }
    }
    out
}

/// Whether the tokens end with the name of a weight, maybe with values in it: `$w@{L}`.
fn names_weight(kinds: &[K]) -> bool {
    let mut rest = kinds;
    loop {
        match rest {
            [.., K::Dollar, K::Name | K::Variable] => return true,
            [before @ .., K::At, K::Name | K::Variable] => rest = before,
            [before @ .., K::Name | K::Variable | K::Number] if before.last() == Some(&K::RightBrace) => {
                rest = before;
            }
            [before @ .., K::RightBrace] => {
                let mut depth = 1;
                let open = before.iter().rposition(|kind| {
                    match kind {
                        K::RightBrace => depth += 1,
                        K::LeftBrace => depth -= 1,
                        _ => {}
                    }
                    depth == 0
                });
                match open.map(|open| &before[..open]) {
                    Some([before @ .., K::At]) => rest = before,
                    _ => return false,
                }
            }
            _ => return false,
        }
    }
}

/// The roles of the tokens of one comparison.
fn mark(kinds: &[K], out: &mut [Role]) {
    // Expressions between braces are no part of the comparison.
    let mut depth = 0usize;
    for (i, &kind) in kinds.iter().enumerate() {
        match kind {
            K::LeftBrace => depth += 1,
            K::RightBrace => depth = depth.saturating_sub(1),
            _ => {}
        }
        out[i] = match kind {
            _ if depth > 0 => Role::Other,
            K::Equals | K::Differs | K::AtLeast | K::LeftArrow | K::LeftAngle | K::RightAngle => Role::Binary,
            K::Plus | K::Minus | K::Star | K::Slash => match i.checked_sub(1).map(|b| kinds[b]) {
                Some(K::Name | K::Variable | K::Number | K::Quoted | K::RightParen) => Role::Binary,
                _ => Role::Unary,
            },
            // Two operands do not stand side by side: a sign that a number begins with is the operator.
            K::Number => match i.checked_sub(1).map(|b| kinds[b]) {
                Some(K::Name | K::Variable | K::Number | K::Quoted | K::RightParen) => Role::Joined,
                _ => Role::Other,
            },
            _ => Role::Other,
        };
    }
}
