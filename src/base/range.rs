//! Ranges.

use std::ops::Range;

/// Ranges that lie side by side, one after the other, become one.
pub fn joined(ranges: impl IntoIterator<Item = Range<usize>>) -> impl Iterator<Item = Range<usize>> {
    let mut ranges = ranges.into_iter().peekable();
    std::iter::from_fn(move || {
        let mut range = ranges.next()?;
        while let Some(next) = ranges.next_if(|next| next.start == range.end) {
            range.end = next.end;
        }
        Some(range)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_joined() {
        let of = |ranges: &[Range<usize>]| joined(ranges.iter().cloned()).collect::<Vec<_>>();
        assert_eq!(of(&[]), []);
        assert_eq!(of(&[0..2, 2..5, 6..7, 7..7, 7..9]), [0..5, 6..9]);
        assert_eq!(of(&[4..6, 0..4]), [4..6, 0..4]);
    }
}
