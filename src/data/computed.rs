//! Numbers that no text states: constants made while worlds are grounded, by several threads at once.
//!
//! Which thread comes first decides their ids, so nothing may depend on the order of these ids: rows are kept in the
//! order in which they are derived, and where constants are sorted it is by `Vocabulary::fixed_order` or by value.

use super::vocabulary::{ConstId, number_text};
use crate::base::hash::HashMap;
use std::sync::{OnceLock, PoisonError, RwLock};

/// The first id of a computed number; stated constants are numbered from 0.
const FIRST: u32 = 1 << 31;
/// Numbers in the smallest chunk; every chunk is twice as large as the one before it.
const SMALLEST: usize = 64;
/// Chunks that hold all ids from [`FIRST`] on.
const CHUNKS: usize = 26;

#[derive(Debug, Clone)]
struct Number {
    value: f64,
    text: Box<str>,
}

/// Chunks never move once they are there, so that texts can be borrowed without a lock.
type Chunk = OnceLock<Box<[OnceLock<Number>]>>;

/// A table of numbers that grows behind a shared reference.
#[derive(Debug, Default)]
pub(super) struct Computed {
    /// The constant of every number asked for, stated ones included, by its bits; and how many are no stated ones.
    ids: RwLock<(HashMap<u64, ConstId>, usize)>,
    chunks: [Chunk; CHUNKS],
}

impl Clone for Computed {
    fn clone(&self) -> Self {
        let ids = self.ids.read().unwrap_or_else(PoisonError::into_inner).clone();
        Computed { ids: RwLock::new(ids), chunks: self.chunks.clone() }
    }
}

/// The chunk of a number and its place there.
fn place(n: usize) -> (usize, usize) {
    let chunk = (n / SMALLEST + 1).ilog2() as usize;
    (chunk, n - SMALLEST * ((1 << chunk) - 1))
}

impl Computed {
    /// Whether the id is one of these.
    #[inline]
    pub fn owns(id: ConstId) -> bool {
        id.0 >= FIRST
    }

    fn get(&self, id: ConstId) -> &Number {
        let (chunk, at) = place((id.0 - FIRST) as usize);
        let number = self.chunks[chunk].get().and_then(|c| c[at].get());
        number.expect("an id is handed out when its number is there")
    }

    pub fn value(&self, id: ConstId) -> f64 {
        self.get(id).value
    }

    pub fn text(&self, id: ConstId) -> &str {
        &self.get(id).text
    }

    /// The computed constant of a number, if it is one already.
    pub fn find(&self, value: f64) -> Option<ConstId> {
        let ids = self.ids.read().unwrap_or_else(PoisonError::into_inner);
        ids.0.get(&value.to_bits()).copied().filter(|id| Self::owns(*id))
    }

    /// The constant of a number: what `stated` finds, else a new one.
    pub fn intern(&self, value: f64, stated: impl Fn() -> Option<ConstId>) -> ConstId {
        let known = self.ids.read().unwrap_or_else(PoisonError::into_inner).0.get(&value.to_bits()).copied();
        if let Some(id) = known {
            return id;
        }
        let mut ids = self.ids.write().unwrap_or_else(PoisonError::into_inner);
        let (map, count) = &mut *ids;
        *map.entry(value.to_bits()).or_insert_with(|| {
            stated().unwrap_or_else(|| {
                let n = *count;
                *count += 1;
                let (chunk, at) = place(n);
                let numbers =
                    self.chunks[chunk].get_or_init(|| vec![OnceLock::new(); SMALLEST << chunk].into());
                numbers[at].get_or_init(|| Number { value, text: number_text(value).into() });
                let n = u32::try_from(n).ok().filter(|n| *n < FIRST);
                ConstId(FIRST + n.expect("memory ends before 2^31 computed numbers"))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_tile_the_chunks() {
        let (mut chunk, mut next) = (0, 0);
        for n in 0..100_000 {
            if next == SMALLEST << chunk {
                (chunk, next) = (chunk + 1, 0);
            }
            assert_eq!(place(n), (chunk, next), "{n}");
            next += 1;
        }
        assert!(place((FIRST - 1) as usize).0 < CHUNKS);
    }
}
