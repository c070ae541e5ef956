//! Which row of a relation a tuple is, if it is one.

use super::relation::NONE;
use crate::base::hash::{finish, mix};
use crate::data::ConstId;

/// Where a row may be found: two words that tell tuples apart (up to two columns: the tuple itself; else a hash), and
/// the row.
#[derive(Debug, Clone, Copy)]
struct Slot {
    key: [u32; 2],
    row: u32,
}

const FREE: Slot = Slot { key: [0; 2], row: NONE };

/// From so many rows on, a table with a cell for each possible tuple is thought of. The slots of fewer rows (192 KiB)
/// stay in a core's second cache, and worlds of molecules shall not pay for looking at the range of their constants.
const MANY: usize = 4096;

/// The set of all rows of a relation: open addressing with linear probing, at most half full. Most of the time of a
/// recursive program is spent asking whether a row is known, and waiting for memory; a slot tells it with one access
/// where a chain takes three (bucket, row, next).
///
/// Where many of the possible tuples are rows, as in a transitive closure, a cell for each of them takes less memory than
/// slots do, and nothing has to be hashed, compared or moved when rows are added. One million paths between 1 000 nodes:
/// 4 MB for 25 MB, and 0.21 s for 0.35 s to find all of them with their 4.9 million ground rules.
#[derive(Debug, Clone, Default)]
pub(super) struct Set {
    slots: Vec<Slot>,
    /// Used in place of slots if it has cells.
    table: Table,
}

/// The row of every tuple of a box of constants, last column fastest.
#[derive(Debug, Clone, Default)]
struct Table {
    cells: Vec<u32>,
    /// Least constant and number of constants, for each column.
    sides: Vec<(u32, u32)>,
}

#[inline]
pub(super) fn hash_key(key: impl Iterator<Item = ConstId>) -> u64 {
    finish(key.fold(0, |h, c| mix(h, u64::from(c.0) + 1)))
}

/// The words that stand for a tuple in a slot.
#[inline]
fn slot_key(tuple: &[ConstId], hash: u64) -> [u32; 2] {
    match tuple {
        [] => [0; 2],
        [a] => [a.0, 0],
        [a, b] => [a.0, b.0],
        _ => [hash as u32, (hash >> 32) as u32],
    }
}

impl Table {
    /// The cell of a tuple; none if it is outside of the box.
    #[inline]
    fn cell(&self, tuple: &[ConstId]) -> Option<usize> {
        let mut cell = 0;
        for (c, &(least, number)) in tuple.iter().zip(&self.sides) {
            let at = c.0.wrapping_sub(least);
            if at >= number {
                return None;
            }
            cell = cell * number as usize + at as usize;
        }
        Some(cell)
    }

    /// An empty table for all tuples between the given ones, if it has at most so many cells.
    fn spanning<'a>(tuples: impl Iterator<Item = &'a [ConstId]>, most: usize) -> Option<Table> {
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for tuple in tuples {
            ranges.resize(tuple.len(), (u32::MAX, 0));
            for ((least, greatest), c) in ranges.iter_mut().zip(tuple) {
                (*least, *greatest) = ((*least).min(c.0), (*greatest).max(c.0));
            }
        }
        let mut cells = 1usize;
        let mut sides = Vec::with_capacity(ranges.len());
        for (least, greatest) in ranges {
            let number = (greatest - least).checked_add(1)?;
            cells = cells.checked_mul(number as usize).filter(|&n| n <= most)?;
            sides.push((least, number));
        }
        Some(Table { cells: vec![NONE; cells], sides })
    }
}

/// The set's place for a tuple.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// It is this row.
    Row(u32),
    /// It is no row, but would stand in this slot or cell.
    Free(usize),
    /// It is no row, and the set must be made anew before it can be one.
    Full,
}

impl Set {
    /// Bytes that are held, room for growth included.
    pub(super) fn bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>() + self.table.cells.capacity() * size_of::<u32>()
    }

    /// Whether it is a table.
    #[cfg(test)]
    pub(super) fn is_table(&self) -> bool {
        !self.table.cells.is_empty()
    }

    /// A tuple's place among the rows, `len` of them.
    #[inline]
    pub(super) fn place(&self, tuple: &[ConstId], rows: &[ConstId], len: usize) -> Place {
        if !self.table.cells.is_empty() {
            return match self.table.cell(tuple) {
                None => Place::Full,
                Some(cell) => match self.table.cells[cell] {
                    NONE => Place::Free(cell),
                    row => Place::Row(row),
                },
            };
        }
        let slots = &self.slots;
        if slots.is_empty() {
            return Place::Full;
        }
        let hash = hash_key(tuple.iter().copied());
        let mask = slots.len() - 1;
        let key = slot_key(tuple, hash);
        let mut place = hash as usize & mask;
        loop {
            let slot = &slots[place];
            if slot.row == NONE {
                return if slots.len() < 2 * (len + 1) { Place::Full } else { Place::Free(place) };
            }
            let arity = tuple.len();
            if slot.key == key
                && (arity <= 2 || rows[slot.row as usize * arity..(slot.row as usize + 1) * arity] == *tuple)
            {
                return Place::Row(slot.row);
            }
            place = (place + 1) & mask;
        }
    }

    /// Puts a row into the free place that was found for it.
    #[inline]
    pub(super) fn put(&mut self, place: usize, tuple: &[ConstId], row: u32) {
        if !self.table.cells.is_empty() {
            self.table.cells[place] = row;
        } else {
            let key = slot_key(tuple, if tuple.len() > 2 { hash_key(tuple.iter().copied()) } else { 0 });
            self.slots[place] = Slot { key, row };
        }
    }

    /// Takes out the newest row: no other row was put behind it.
    pub(super) fn take(&mut self, tuple: &[ConstId], row: u32) {
        if !self.table.cells.is_empty() {
            let cell = self.table.cell(tuple).expect("rows are inside of the box");
            debug_assert_eq!(self.table.cells[cell], row);
            self.table.cells[cell] = NONE;
            return;
        }
        let mask = self.slots.len() - 1;
        let mut place = hash_key(tuple.iter().copied()) as usize & mask;
        while self.slots[place].row != row {
            place = (place + 1) & mask;
        }
        self.slots[place] = FREE;
    }

    /// The row that stands first where each tuple is looked for, if its words are those of the tuple, else [`NONE`]: with
    /// up to two columns, or a table, the row of the tuple itself.
    ///
    /// A loop that asks for one tuple after the other waits for memory each time, since what comes next depends on the
    /// answer. Here nothing does, not even a branch, so that the processor waits for many tuples at once.
    pub(super) fn touch(&self, tuples: &[ConstId], arity: usize, seen: &mut Vec<u32>) {
        match arity {
            // The number of columns is known to the compiler.
            1 => self.touch_each(tuples.as_chunks::<1>().0.iter().map(|t| &t[..]), seen),
            2 => self.touch_each(tuples.as_chunks::<2>().0.iter().map(|t| &t[..]), seen),
            _ => self.touch_each(tuples.chunks_exact(arity), seen),
        }
    }

    #[inline(always)]
    fn touch_each<'a>(&self, tuples: impl ExactSizeIterator<Item = &'a [ConstId]>, seen: &mut Vec<u32>) {
        seen.clear();
        if !self.table.cells.is_empty() {
            seen.extend(tuples.map(|t| self.table.cell(t).map_or(NONE, |cell| self.table.cells[cell])));
        } else if self.slots.is_empty() {
            seen.resize(tuples.len(), NONE);
        } else {
            let mask = self.slots.len() - 1;
            seen.extend(tuples.map(|t| {
                let hash = hash_key(t.iter().copied());
                let slot = &self.slots[hash as usize & mask];
                // All ones, which is `NONE`, for another tuple's words.
                slot.row | u32::from(slot.key != slot_key(t, hash)).wrapping_neg()
            }));
        }
    }

    /// Makes the set of `rows` anew, with room for the tuple `next` and as many rows again as there are. That a tuple left
    /// the box of a table does not make another table: there is at most one set of each kind for a doubling of the rows.
    pub(super) fn grow(&mut self, rows: &[ConstId], arity: usize, next: &[ConstId]) {
        let len = rows.len().checked_div(arity).unwrap_or(0);
        let slots = (len * 4).next_power_of_two().max(16);
        let left = !std::mem::take(&mut self.table).cells.is_empty();
        if len >= MANY && !left {
            // No more bytes than the slots would have.
            let most = slots * size_of::<Slot>() / size_of::<u32>();
            let tuples = rows.chunks_exact(arity).chain(std::iter::once(next));
            if let Some(mut table) = Table::spanning(tuples, most) {
                for (row, tuple) in rows.chunks_exact(arity).enumerate() {
                    let cell = table.cell(tuple).expect("all rows are inside of the box");
                    table.cells[cell] = row as u32;
                }
                *self = Set { slots: Vec::new(), table };
                return;
            }
        }
        self.slots.clear();
        self.slots.resize(slots, FREE);
        for row in 0..len {
            let tuple = &rows[row * arity..(row + 1) * arity];
            let hash = hash_key(tuple.iter().copied());
            // Rows are distinct: the first free slot is the one.
            let mut place = hash as usize & (slots - 1);
            while self.slots[place].row != NONE {
                place = (place + 1) & (slots - 1);
            }
            self.slots[place] = Slot { key: slot_key(tuple, hash), row: row as u32 };
        }
    }
}
