//! Relations of one world while it is grounded: rows, a set of them, hash indexes on bound columns.

use super::set::{Place, Set, hash_key};
use crate::data::ConstId;

/// No row.
pub const NONE: u32 = u32::MAX;

/// Rows chained by the hash of some of their columns. `heads` has a power-of-two length; `next[row]` is the next lower
/// row of the same bucket. Chains run from newer to older rows, so that growing the table while somebody walks a
/// chain never loses a row: all older rows of a key stay reachable.
#[derive(Debug, Clone, Default)]
struct Index {
    mask: u64,
    heads: Vec<u32>,
    next: Vec<u32>,
}

/// The rows of one predicate in one world, without duplicates, in order of derivation.
#[derive(Debug, Clone, Default)]
pub struct Relation {
    arity: usize,
    rows: Vec<ConstId>,
    len: u32,
    /// Finds duplicates.
    set: Set,
    /// On some columns, made on demand.
    indexes: Vec<Index>,
    /// Round in which each row was first derived (0: a fact).
    pub rounds: Vec<u32>,
}

#[inline]
fn masked(row: &[ConstId], mask: u64) -> impl Iterator<Item = ConstId> + '_ {
    row.iter().enumerate().filter(move |(i, _)| mask & (1 << i) != 0).map(|(_, c)| *c)
}

impl Relation {
    /// An empty relation of so many columns.
    pub fn new(arity: usize) -> Self {
        Relation { arity, ..Relation::default() }
    }

    /// Forgets all rows from `len` on, in time linear in their number: the newest row is the head of its bucket, and no
    /// other row was put behind it in the set.
    pub fn truncate(&mut self, len: u32) {
        for row in (len..self.len).rev() {
            let at = row as usize * self.arity;
            self.set.take(&self.rows[at..at + self.arity], row);
        }
        for index in &mut self.indexes {
            for row in (len..self.len).rev() {
                let at = row as usize * self.arity;
                let hash = hash_key(masked(&self.rows[at..at + self.arity], index.mask));
                let bucket = hash as usize & (index.heads.len() - 1);
                debug_assert_eq!(index.heads[bucket], row);
                index.heads[bucket] = index.next[row as usize];
            }
            index.next.truncate(len as usize);
        }
        self.rows.truncate(len as usize * self.arity);
        self.rounds.truncate(len as usize);
        self.len = self.len.min(len);
    }

    /// Number of columns.
    #[inline]
    pub fn arity(&self) -> usize {
        self.arity
    }

    /// Bytes that are held, room for growth included.
    pub fn bytes(&self) -> usize {
        let words = |v: &Vec<u32>| v.capacity() * size_of::<u32>();
        let indexes: usize = self.indexes.iter().map(|i| words(&i.heads) + words(&i.next)).sum();
        let rows = self.rows.capacity() * size_of::<ConstId>();
        rows + words(&self.rounds) + self.set.bytes() + indexes
    }

    /// Number of rows.
    #[inline]
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The arguments of a row.
    #[inline]
    pub fn row(&self, row: u32) -> &[ConstId] {
        &self.rows[row as usize * self.arity..(row as usize + 1) * self.arity]
    }

    /// The row of a tuple, new or known; whether it is new.
    pub fn insert(&mut self, tuple: &[ConstId], round: u32) -> (u32, bool) {
        debug_assert_eq!(tuple.len(), self.arity);
        let place = loop {
            match self.set.place(tuple, &self.rows, self.len as usize) {
                Place::Row(row) => return (row, false),
                Place::Free(place) => break place,
                Place::Full => self.set.grow(&self.rows, self.arity, tuple),
            }
        };
        let row = self.len;
        assert!(row < NONE, "fewer than 2^32 rows in a relation");
        self.set.put(place, tuple, row);
        self.rows.extend_from_slice(tuple);
        self.rounds.push(round);
        self.len += 1;
        for i in 0..self.indexes.len() {
            if self.indexes[i].heads.len() <= self.indexes[i].next.len() {
                self.rebuild(i);
            } else {
                let index = &mut self.indexes[i];
                let hash = hash_key(masked(tuple, index.mask));
                let bucket = hash as usize & (index.heads.len() - 1);
                index.next.push(index.heads[bucket]);
                index.heads[bucket] = row;
            }
        }
        (row, true)
    }

    /// The rows of `count` tuples, one after the other in `tuples`, as [`Relation::insert`] would give them in this order.
    ///
    /// Where the set is larger than the caches, many at once cost half of one after the other: 4.9 million ground rules
    /// with a million heads in slots take 0.35 s, and took 0.62 s.
    pub fn insert_all(&mut self, tuples: &[ConstId], count: usize, round: u32, rows: &mut Vec<u32>) {
        let arity = self.arity;
        debug_assert_eq!(tuples.len(), count * arity);
        if arity == 0 {
            rows.clear();
            rows.resize_with(count, || self.insert(&[], round).0);
            return;
        }
        self.set.touch(tuples, arity, rows);
        for (row, tuple) in rows.iter_mut().zip(tuples.chunks_exact(arity)) {
            // The words of more than two columns are a hash.
            if *row == NONE || (arity > 2 && self.row(*row) != tuple) {
                *row = self.insert(tuple, round).0;
            }
        }
    }

    /// The row of a tuple.
    pub fn find(&self, tuple: &[ConstId]) -> Option<u32> {
        match self.set.place(tuple, &self.rows, self.len as usize) {
            Place::Row(row) => Some(row),
            Place::Free(_) | Place::Full => None,
        }
    }

    /// Fills index `i` anew, with twice as many buckets as rows.
    fn rebuild(&mut self, i: usize) {
        let buckets = (self.len as usize * 2).next_power_of_two().max(16);
        let mut index = std::mem::take(&mut self.indexes[i]);
        index.heads.clear();
        index.heads.resize(buckets, NONE);
        index.next.clear();
        for row in 0..self.len {
            let hash = hash_key(masked(self.row(row), index.mask));
            let bucket = hash as usize & (buckets - 1);
            index.next.push(index.heads[bucket]);
            index.heads[bucket] = row;
        }
        self.indexes[i] = index;
    }

    /// Makes sure of an index on the columns of `mask`; its number, for [`Relation::first`].
    pub fn ensure_index(&mut self, mask: u64) -> usize {
        if let Some(i) = self.indexes.iter().position(|x| x.mask == mask) {
            return i;
        }
        self.indexes.push(Index { mask, ..Index::default() });
        let i = self.indexes.len() - 1;
        self.rebuild(i);
        i
    }

    /// The newest row of a key's bucket (rows of other keys may be among them), or [`NONE`].
    #[inline]
    pub fn first(&self, index: usize, key: &[ConstId]) -> u32 {
        let heads = &self.indexes[index].heads;
        if heads.is_empty() {
            return NONE;
        }
        heads[hash_key(key.iter().copied()) as usize & (heads.len() - 1)]
    }

    /// The next older row of the same bucket, or [`NONE`].
    #[inline]
    pub fn next(&self, index: usize, row: u32) -> u32 {
        self.indexes[index].next[row as usize]
    }

    /// Whether a row has the key in the columns of `mask`.
    #[inline]
    pub fn agrees(&self, row: u32, mask: u64, key: &[ConstId]) -> bool {
        let row = self.row(row);
        let mut rest = mask;
        key.iter().all(|&c| {
            let column = rest.trailing_zeros() as usize;
            rest &= rest.wrapping_sub(1);
            row[column] == c
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn c(i: u32) -> ConstId {
        ConstId(i)
    }

    #[test]
    fn rows_are_distinct_and_found_by_any_columns() {
        let mut r = Relation::new(2);
        let index = r.ensure_index(0b10);
        for i in 0..1000 {
            let (row, new) = r.insert(&[c(i), c(i % 7)], 1);
            assert!(new && row == i);
        }
        assert_eq!(r.insert(&[c(3), c(3)], 9), (3, false));
        assert_eq!(r.find(&[c(8), c(1)]), Some(8));
        assert_eq!(r.find(&[c(8), c(2)]), None);
        let key = [c(5)];
        let (mut row, mut found) = (r.first(index, &key), Vec::new());
        while row != NONE {
            if r.agrees(row, 0b10, &key) {
                found.push(row);
            }
            row = r.next(index, row);
        }
        assert!(found.windows(2).all(|w| w[0] > w[1]), "newer rows come first");
        found.sort_unstable();
        assert_eq!(found, (0..1000).filter(|i| i % 7 == 5).collect::<Vec<_>>());
        // Forgotten rows are found by nobody, and come back as new.
        r.truncate(500);
        assert_eq!((r.len(), r.find(&[c(8), c(1)]), r.find(&[c(700), c(0)])), (500, Some(8), None));
        assert_eq!(r.insert(&[c(700), c(0)], 2), (500, true));
        let (mut row, mut count) = (r.first(index, &[c(0)]), 0);
        while row != NONE {
            count += usize::from(r.agrees(row, 0b10, &[c(0)]));
            row = r.next(index, row);
        }
        assert_eq!(count, (0..500).filter(|i| i % 7 == 0).count() + 1);
        let mut r = Relation::new(0);
        assert_eq!(r.find(&[]), None);
        assert_eq!(r.insert(&[], 0), (0, true));
        assert_eq!(r.insert(&[], 0), (0, false));
        r.truncate(0);
        assert_eq!(r.insert(&[], 0), (0, true));
    }

    /// Rows are those of a map from tuples to the order in which they came, whether they are put in one by one or many at
    /// once, found in slots or in a table, and after some were forgotten.
    #[test]
    fn many_at_once_are_one_after_the_other() {
        // Numbers of constants per column: the first boxes get tables, the last ones are too large for one.
        for sides in [vec![40_000], vec![150, 150], vec![9000, 9000], vec![25, 25, 25], vec![500, 500, 500]] {
            let (arity, mut state) = (sides.len(), 7u64);
            let mut tuple = |shift: u32| -> Vec<ConstId> {
                let mut number = |side: &u32| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    c(shift + (state >> 33) as u32 % side)
                };
                sides.iter().map(&mut number).collect()
            };
            let (mut single, mut many) = (Relation::new(arity), Relation::new(arity));
            let index = many.ensure_index(1);
            let mut known: std::collections::BTreeMap<Vec<ConstId>, u32> = Default::default();
            let (mut rows, mut tables) = (Vec::new(), Vec::new());
            for block in 0..400 {
                // Towards the end, constants outside of the box so far, above and below.
                let shift = if block < 350 { 1000 } else { 37 * (block - 350) };
                if block == 380 {
                    for r in [&mut single, &mut many] {
                        r.truncate(5000);
                    }
                    known.retain(|_, row| *row < 5000);
                }
                let tuples: Vec<Vec<ConstId>> = (0..100).map(|_| tuple(shift)).collect();
                many.insert_all(&tuples.concat(), tuples.len(), block, &mut rows);
                for (t, &row) in tuples.iter().zip(&rows) {
                    let next = known.len() as u32;
                    let (at, new) = single.insert(t, block);
                    assert_eq!(new, !known.contains_key(t));
                    assert_eq!((at, row), (*known.entry(t.clone()).or_insert(next), at));
                }
                tables.push(many.set.is_table());
            }
            assert_eq!((single.rows, &single.rounds), (many.rows.clone(), &many.rounds));
            assert!(known.iter().all(|(t, &row)| many.find(t) == Some(row)));
            assert_eq!(many.find(&vec![c(999_999); arity]), None);
            let with_first = (0..many.len()).filter(|&r| many.row(r)[0] == c(1003)).count();
            let (mut row, mut found) = (many.first(index, &[c(1003)]), 0);
            while row != NONE {
                found += usize::from(many.agrees(row, 1, &[c(1003)]));
                row = many.next(index, row);
            }
            assert_eq!(found, with_first);
            // A table is made where it is no larger than slots, and given up for slots outside of its box.
            let dense = sides.iter().map(|&s| u64::from(s)).product::<u64>() < 50_000;
            assert_eq!((tables[349], tables[399]), (dense, false), "{sides:?}");
        }
    }
}
