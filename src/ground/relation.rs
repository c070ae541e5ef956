//! Relations of one world while it is grounded: rows, a set of them, hash indexes on bound columns.

use crate::base::hash::{finish, mix};
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

/// Where a row may be found: two words that tell tuples apart (up to two columns: the tuple itself; else a hash), and
/// the row.
#[derive(Debug, Clone, Copy)]
struct Slot {
    key: [u32; 2],
    row: u32,
}

const FREE: Slot = Slot { key: [0; 2], row: NONE };

/// The set of all rows: open addressing with linear probing, at most half full. Most of the time of a recursive program
/// is spent asking whether a row is known, and waiting for memory; a slot tells it with one access where a chain takes
/// three (bucket, row, next).
#[derive(Debug, Clone, Default)]
struct Set {
    slots: Vec<Slot>,
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
fn hash_key(key: impl Iterator<Item = ConstId>) -> u64 {
    finish(key.fold(0, |h, c| mix(h, u64::from(c.0) + 1)))
}

#[inline]
fn masked(row: &[ConstId], mask: u64) -> impl Iterator<Item = ConstId> + '_ {
    row.iter().enumerate().filter(move |(i, _)| mask & (1 << i) != 0).map(|(_, c)| *c)
}

/// The words that stand for a tuple in the set of all rows.
#[inline]
fn set_key(tuple: &[ConstId], hash: u64) -> [u32; 2] {
    match tuple {
        [] => [0; 2],
        [a] => [a.0, 0],
        [a, b] => [a.0, b.0],
        _ => [hash as u32, (hash >> 32) as u32],
    }
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
            let tuple = self.row(row);
            let (place, found) = self.place(hash_key(tuple.iter().copied()), tuple);
            debug_assert_eq!(found, Some(row));
            self.set.slots[place] = FREE;
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
        rows + words(&self.rounds) + self.set.slots.capacity() * size_of::<Slot>() + indexes
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
        let hash = hash_key(tuple.iter().copied());
        if self.set.slots.len() < 2 * (self.len as usize + 1) {
            self.grow();
        }
        let (place, found) = self.place(hash, tuple);
        if let Some(row) = found {
            return (row, false);
        }
        let row = self.len;
        assert!(row < NONE, "fewer than 2^32 rows in a relation");
        self.set.slots[place] = Slot { key: set_key(tuple, hash), row };
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

    /// The row of a tuple.
    pub fn find(&self, tuple: &[ConstId]) -> Option<u32> {
        if self.len == 0 {
            return None;
        }
        self.place(hash_key(tuple.iter().copied()), tuple).1
    }

    /// The slot where a tuple stands, with its row, or the free one where it would. There are slots.
    #[inline]
    fn place(&self, hash: u64, tuple: &[ConstId]) -> (usize, Option<u32>) {
        let slots = &self.set.slots;
        let mask = slots.len() - 1;
        let key = set_key(tuple, hash);
        let mut place = hash as usize & mask;
        loop {
            let slot = &slots[place];
            if slot.row == NONE {
                return (place, None);
            }
            if slot.key == key && (tuple.len() <= 2 || self.row(slot.row) == tuple) {
                return (place, Some(slot.row));
            }
            place = (place + 1) & mask;
        }
    }

    /// Gives the set four slots for every row.
    fn grow(&mut self) {
        let slots = (self.len as usize * 4).next_power_of_two().max(16);
        self.set.slots.clear();
        self.set.slots.resize(slots, FREE);
        for row in 0..self.len {
            let tuple = self.row(row);
            let hash = hash_key(tuple.iter().copied());
            // Rows are distinct: the first free slot is the one.
            let mut place = hash as usize & (slots - 1);
            while self.set.slots[place].row != NONE {
                place = (place + 1) & (slots - 1);
            }
            self.set.slots[place] = Slot { key: set_key(tuple, hash), row };
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
        masked(self.row(row), mask).eq(key.iter().copied())
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
}
