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

/// What other systems call our functions.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("mean", "avg"),
    ("average", "avg"),
    ("add", "sum"),
    ("prod", "product"),
    ("mul", "product"),
    ("multiply", "product"),
    ("hadamard", "elproduct"),
    ("linear", "identity"),
    ("none", "identity"),
    ("id", "identity"),
    ("swish", "silu"),
    ("variance", "var"),
    ("stddev", "std"),
    ("cat", "concat"),
    ("len", "count"),
];

/// A help line for a function: the one that is called `word` elsewhere, if it is a candidate, or else the nearest.
pub fn function_meant(word: &str, candidates: &[&str]) -> Option<String> {
    let ours = OTHER_NAMES.iter().find(|(other, ours)| *other == word && candidates.contains(ours));
    ours.map(|(_, ours)| format!("did you mean `{ours}`?"))
        .or_else(|| did_you_mean(word, candidates.iter().copied()))
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
        let meant = |word| function_meant(word, &["avg", "sum", "product"]);
        assert_eq!(meant("mean").as_deref(), Some("did you mean `avg`?"));
        assert_eq!(meant("prodct").as_deref(), Some("did you mean `product`?"));
        assert_eq!(meant("linear"), None, "not where there is no identity");
    }
}
