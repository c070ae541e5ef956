//! Words and forms of other languages that refused texts contain, and what is written here instead.

use super::chunk::ChunkKind;
use super::token::TokenKind;

/// Why nothing is compared where atoms are asked for or stated.
pub(super) const NO_COMPARISON: &str =
    "queries and facts are atoms; a rule compares: `big(X) :- p(X), X > 3.`, and `?- big(X).` asks for it";

/// Whether a token is a sign of comparison.
pub(super) fn compares(kind: TokenKind) -> bool {
    use TokenKind as K;
    matches!(kind, K::LeftAngle | K::RightAngle | K::LeftArrow | K::AtLeast | K::Differs | K::Equals)
}

/// What to write instead of a word that means something in Prolog, SQL or another language, or of a comparison in a
/// query: by the kind of the statement, the token refused and the one before it.
pub(super) fn help(
    kind: ChunkKind,
    found: Option<(TokenKind, &str)>,
    before: Option<(TokenKind, &str)>,
) -> Option<String> {
    let (token, text) = found?;
    let query = matches!(kind, ChunkKind::Query | ChunkKind::Facts);
    if query && (compares(token) || kind == ChunkKind::Query && token == TokenKind::Variable) {
        return Some(NO_COMPARISON.into());
    }
    if token == TokenKind::At || token == TokenKind::LeftBrace && matches!(before, Some((TokenKind::At, _))) {
        return Some(
            "`@{…}` is replaced in modules and loops: `@for L in 1..3 { … }`, `@module m(x/1, d) { … }`"
                .into(),
        );
    }
    let word = |w: Option<(TokenKind, &str)>| match w {
        Some((TokenKind::Name | TokenKind::Variable, w)) => w.to_ascii_lowercase(),
        _ => String::new(),
    };
    if matches!(word(before).as_str(), "not" | "naf") {
        let atom = if token == TokenKind::Name { text } else { "p" };
        return Some(format!(
            "`!{atom}(X)` holds if the atom does not (negation as failure); `~{atom}(X)` is 1 minus its value"
        ));
    }
    match word(found).as_str() {
        "or" => Some("there is no `or`: write a rule of the same head for each alternative".into()),
        "and" => Some("literals are separated by commas".into()),
        "is" => Some("a calculation is written `Z = X + 1`".into()),
        _ => None,
    }
}
