//! "Did you mean …?"

/// The candidate nearest to `word`, if it is near enough to be a slip: at most a third of the letters wrong
/// (Damerau–Levenshtein, case folded at half price). Ties go to the first candidate.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // One letter is as near to any other.
    let single = word.chars().count() == 1;
    let budget = (word.chars().count() / 3).clamp(1, 3) * 2;
    let mut best: Option<(&str, usize)> = None;
    for candidate in candidates {
        if candidate == word {
            continue;
        }
        let folded = strsim::damerau_levenshtein(&word.to_lowercase(), &candidate.to_lowercase());
        let exact = strsim::damerau_levenshtein(word, candidate);
        let cost = folded + exact;
        if cost <= budget && (!single || folded == 0) && best.is_none_or(|(_, c)| cost < c) {
            best = Some((candidate, cost));
        }
    }
    best.map(|(c, _)| c)
}

/// A help line for the nearest candidate.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(word, candidates).map(|c| format!("did you mean `{c}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        assert_eq!(nearest("tahn", ["sigmoid", "tanh", "relu"]), Some("tanh"));
        assert_eq!(nearest("agregation", ["activation", "aggregation"]), Some("aggregation"));
        assert_eq!(nearest("Bond", ["bond", "band"]), Some("bond"));
        assert_eq!(nearest("bond", ["atom", "charge"]), None);
        assert_eq!(nearest("x", ["y", "X"]), Some("X"));
        assert_eq!(nearest("x", ["y"]), None);
        assert_eq!(nearest("ab", ["cd"]), None);
    }
}
