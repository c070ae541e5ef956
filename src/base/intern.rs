//! String interning.

use super::hash::{HashTable, finish, mix};
use super::index::Id;

crate::id! {
    /// An interned string.
    pub struct Symbol;
}

/// Maps strings to dense [`Symbol`]s and back; the text lies in one buffer.
#[derive(Debug, Clone, Default)]
pub struct Interner {
    text: String,
    ends: Vec<u32>,
    table: HashTable<u32>,
}

fn hash_str(s: &str) -> u64 {
    let mut h = s.len() as u64;
    for chunk in s.as_bytes().chunks(8) {
        let mut word = [0u8; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        h = mix(h, u64::from_le_bytes(word));
    }
    finish(h)
}

impl Interner {
    /// An empty interner.
    pub fn new() -> Self {
        Self::default()
    }

    fn slice<'a>(text: &'a str, ends: &[u32], i: u32) -> &'a str {
        let start = if i == 0 { 0 } else { ends[i as usize - 1] as usize };
        &text[start..ends[i as usize] as usize]
    }

    /// The symbol of `s`, new or known.
    pub fn intern(&mut self, s: &str) -> Symbol {
        let hash = hash_str(s);
        let (text, ends) = (&self.text, &self.ends);
        if let Some(&i) = self.table.find(hash, |&i| Self::slice(text, ends, i) == s) {
            return Symbol(i);
        }
        let id = Symbol::new(self.ends.len());
        self.text.push_str(s);
        self.ends.push(u32::try_from(self.text.len()).expect("interned text stays below 4 GiB"));
        let (text, ends) = (&self.text, &self.ends);
        self.table.insert_unique(hash, id.0, |&i| hash_str(Self::slice(text, ends, i)));
        id
    }

    /// The symbol of `s` if it was interned before.
    pub fn lookup(&self, s: &str) -> Option<Symbol> {
        let found = self.table.find(hash_str(s), |&i| Self::slice(&self.text, &self.ends, i) == s);
        found.map(|&i| Symbol(i))
    }

    /// The text of a symbol.
    pub fn resolve(&self, symbol: Symbol) -> &str {
        Self::slice(&self.text, &self.ends, symbol.0)
    }

    /// Number of symbols.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether nothing was interned.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All symbols with their texts, in order of first interning.
    pub fn iter(&self) -> impl Iterator<Item = (Symbol, &str)> {
        (0..self.ends.len()).map(|i| (Symbol::new(i), Self::slice(&self.text, &self.ends, i as u32)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interning_is_stable_and_reversible() {
        let mut interner = Interner::new();
        let names: Vec<String> = (0..5000).map(|i| format!("name{i}")).collect();
        let ids: Vec<_> = names.iter().map(|n| interner.intern(n)).collect();
        for (n, id) in names.iter().zip(&ids) {
            assert_eq!(interner.intern(n), *id);
            assert_eq!(interner.lookup(n), Some(*id));
            assert_eq!(interner.resolve(*id), n);
        }
        assert_eq!(interner.len(), 5000);
        assert_eq!(interner.lookup("absent"), None);
        let empty = interner.intern("");
        assert_eq!(interner.resolve(empty), "");
    }
}
