//! Hash collections with a fixed, fast hash function.
//!
//! The standard collections are banned by clippy: their iteration order differs from run to run. These have a
//! fixed hash, but no code may let even *their* iteration order reach a result; use `indexmap` where order shows.

use rustc_hash::FxBuildHasher;

/// A hash map with a fixed hash function.
pub type HashMap<K, V> = hashbrown::HashMap<K, V, FxBuildHasher>;
/// A hash set with a fixed hash function.
pub type HashSet<K> = hashbrown::HashSet<K, FxBuildHasher>;
/// A hash table without keys of its own, for interning.
pub type HashTable<T> = hashbrown::HashTable<T>;
/// A map that remembers the order of insertion.
pub type IndexMap<K, V> = indexmap::IndexMap<K, V, FxBuildHasher>;
/// A set that remembers the order of insertion.
pub type IndexSet<K> = indexmap::IndexSet<K, FxBuildHasher>;

/// Mixes one word into a running hash (the multiply-rotate step of FxHash).
#[inline]
pub fn mix(hash: u64, word: u64) -> u64 {
    (hash.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95)
}

/// Hash of a tuple of 32-bit words, with a final avalanche so that the low bits can index a table.
#[inline]
pub fn hash_words(words: impl IntoIterator<Item = u32>) -> u64 {
    let mut h = 0u64;
    for w in words {
        h = mix(h, u64::from(w) + 1);
    }
    finish(h)
}

/// Spreads the entropy of the high bits over the low ones.
#[inline]
pub fn finish(mut h: u64) -> u64 {
    h ^= h >> 32;
    h = h.wrapping_mul(0x9fb2_1c65_1e98_df25);
    h ^ (h >> 28)
}
