//! Constants and predicates, interned: everything below the text works on dense ids.

use super::computed::Computed;
use crate::base::hash::HashMap;
use crate::base::index::{Id, IndexVec};
use crate::base::intern::{Interner, Symbol};
use crate::syntax::table::beyond_floats;
use crate::syntax::value::finite_number;
use std::borrow::Cow;
use std::cmp::Ordering;

crate::id! {
    /// A constant.
    pub struct ConstId;
    /// A predicate: a name with an arity.
    pub struct PredId;
}

/// Most arguments of a predicate: bound arguments are kept as bits of one word.
pub const MAX_ARITY: usize = 63;

/// A predicate's name and number of arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Predicate {
    /// The name.
    pub name: Symbol,
    /// Number of arguments.
    pub arity: u32,
}

/// All constants and predicates of a session.
///
/// Numbers are numbers: `1`, `1.0` and `01` are one constant. A quoted constant that could stand without its quotes is
/// the plain one; `'1'` is a text and differs from the number.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    constants: Interner,
    numbers: IndexVec<ConstId, Option<f64>>,
    computed: Computed,
    names: Interner,
    predicates: IndexVec<PredId, Predicate>,
    predicate_ids: HashMap<Predicate, PredId>,
}

/// Whether a text can be written as a name without quotes.
fn is_plain_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(char::is_lowercase) && chars.all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

impl Vocabulary {
    /// An empty vocabulary.
    pub fn new() -> Self {
        Self::default()
    }

    fn constant(&mut self, key: &str, number: Option<f64>) -> ConstId {
        let symbol = self.constants.intern(key);
        if symbol.index() == self.numbers.len() {
            self.numbers.push(number);
        }
        ConstId(symbol.0)
    }

    /// The constant of a plain name.
    pub fn name(&mut self, text: &str) -> ConstId {
        self.constant(text, None)
    }

    /// The constant of a quoted text.
    pub fn quoted(&mut self, text: &str) -> ConstId {
        if is_plain_name(text) {
            return self.name(text);
        }
        let key = format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n"));
        self.constant(&key, None)
    }

    /// The constant of a number as written; `None` if no float holds it. An integer with more digits than a float
    /// holds is a name for something, as it is in a table: different ones must not become one constant.
    pub fn number(&mut self, text: &str) -> Option<ConstId> {
        let plain = text.len() < 16
            && text.bytes().all(|b| b.is_ascii_digit())
            && (text.len() == 1 || !text.starts_with('0'));
        if text.len() > 15 && beyond_floats(text) {
            return Some(self.quoted(text));
        }
        // Adding 0 takes the sign from -0.
        let value = finite_number(text)? + 0.0;
        let key = if plain { Cow::Borrowed(text) } else { Cow::Owned(number_text(value)) };
        // What was computed before it was stated keeps its id.
        Some(self.computed.find(value).unwrap_or_else(|| self.constant(&key, Some(value))))
    }

    /// The constant equal to a computed number, if it exists.
    pub fn find_number(&self, value: f64) -> Option<ConstId> {
        self.constants.lookup(&number_text(value)).map(|s| ConstId(s.0))
    }

    /// The constant of a computed number, new or known; `None` if it is not finite.
    pub fn computed(&self, value: f64) -> Option<ConstId> {
        let value = value + 0.0;
        value.is_finite().then(|| self.computed.intern(value, || self.find_number(value)))
    }

    /// How a constant is written.
    pub fn constant_text(&self, id: ConstId) -> &str {
        if Computed::owns(id) {
            return self.computed.text(id);
        }
        self.constants.resolve(Symbol(id.0))
    }

    /// The number that a constant is.
    #[inline]
    pub fn as_number(&self, id: ConstId) -> Option<f64> {
        if Computed::owns(id) { Some(self.computed.value(id)) } else { self.numbers[id] }
    }

    /// The order of constants: numbers by value before texts by code points.
    pub fn compare(&self, a: ConstId, b: ConstId) -> Ordering {
        match (self.as_number(a), self.as_number(b)) {
            (Some(x), Some(y)) => x.total_cmp(&y),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => self.constant_text(a).cmp(self.constant_text(b)),
        }
    }

    /// A fast order that no thread can change: stated constants by id, then computed numbers by value.
    pub fn fixed_order(&self, a: ConstId, b: ConstId) -> Ordering {
        match (Computed::owns(a), Computed::owns(b)) {
            (true, true) => self.compare(a, b),
            _ => a.cmp(&b),
        }
    }

    /// Number of constants that texts state.
    pub fn constant_count(&self) -> usize {
        self.constants.len()
    }

    /// The predicate of a name and arity, new or known.
    pub fn predicate(&mut self, name: &str, arity: usize) -> PredId {
        let arity = u32::try_from(arity).expect("a statement has fewer than 2^32 terms");
        let predicate = Predicate { name: self.names.intern(name), arity };
        if let Some(&id) = self.predicate_ids.get(&predicate) {
            return id;
        }
        let id = self.predicates.push(predicate);
        self.predicate_ids.insert(predicate, id);
        id
    }

    /// The predicate of a name and arity, if known.
    pub fn find_predicate(&self, name: &str, arity: usize) -> Option<PredId> {
        let name = self.names.lookup(name)?;
        self.predicate_ids.get(&Predicate { name, arity: u32::try_from(arity).ok()? }).copied()
    }

    /// The hidden unary predicate that holds the constants of a type.
    pub fn type_predicate(&mut self, ty: &str) -> PredId {
        self.predicate(&format!("{ty}:"), 1)
    }

    /// Whether a predicate was made by the engine: no name that can be written has a colon.
    pub fn is_internal(&self, id: PredId) -> bool {
        self.predicate_name(id).contains(':')
    }

    /// A predicate's name.
    pub fn predicate_name(&self, id: PredId) -> &str {
        self.names.resolve(self.predicates[id].name)
    }

    /// A predicate's number of arguments.
    #[inline]
    pub fn arity(&self, id: PredId) -> usize {
        self.predicates[id].arity as usize
    }

    /// `name/arity`.
    pub fn predicate_text(&self, id: PredId) -> String {
        format!("{}/{}", self.predicate_name(id), self.arity(id))
    }

    /// Number of predicates.
    pub fn predicate_count(&self) -> usize {
        self.predicates.len()
    }

    /// All predicates in order.
    pub fn predicates(&self) -> impl Iterator<Item = PredId> + use<> {
        (0..self.predicates.len()).map(PredId::new)
    }

    /// `name(a,b)` or `name`.
    pub fn atom_text(&self, pred: PredId, args: impl IntoIterator<Item = ConstId>) -> String {
        let args: Vec<&str> = args.into_iter().map(|c| self.constant_text(c)).collect();
        let name = self.predicate_name(pred);
        if args.is_empty() { name.to_string() } else { format!("{name}({})", args.join(",")) }
    }
}

/// The canonical text of a number: shortest that reads back the same; no sign on zero.
pub fn number_text(value: f64) -> String {
    let value = if value == 0.0 { 0.0 } else { value };
    if value.abs() >= 1e16 || (value != 0.0 && value.abs() < 1e-5) {
        format!("{value:e}")
    } else {
        format!("{value}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_numbers_and_quotes_are_dropped_where_idle() {
        let mut v = Vocabulary::new();
        let one = v.number("1");
        for same in ["1.0", "01", "+1", "1e0"] {
            assert_eq!(v.number(same), one, "{same}");
        }
        assert_eq!(v.number("-0"), v.number("0"));
        assert_eq!(v.number("1e999"), None);
        assert_eq!((v.number("1e-400"), v.number("0e-400")), (None, v.number("0")));
        let (large, next) = (v.number("9007199254740993"), v.number("9007199254740992"));
        assert_eq!(large, Some(v.quoted("9007199254740993")));
        assert_eq!(next.and_then(|c| v.as_number(c)), Some(9_007_199_254_740_992.0));
        assert_ne!(large, next);
        let abc = v.name("abc");
        assert_eq!(v.quoted("abc"), abc);
        let quoted_one = v.quoted("1");
        assert_ne!(Some(quoted_one), one);
        assert_eq!(v.constant_text(quoted_one), "'1'");
        assert_eq!(v.as_number(one.expect("a number")), Some(1.0));
        assert_eq!(v.find_number(1.0), one);
        assert_eq!(v.compare(v.find_number(1.0).expect("known"), abc), Ordering::Less);
    }

    #[test]
    fn computed_numbers_are_the_stated_ones() {
        let mut v = Vocabulary::new();
        let two = v.number("2");
        assert_eq!(v.computed(2.0), two);
        assert_eq!(v.computed(-0.0), v.computed(0.0));
        assert_eq!((v.computed(f64::NAN), v.computed(f64::INFINITY)), (None, None));
        let half = v.computed(0.5).expect("finite");
        assert_eq!((v.constant_text(half), v.as_number(half)), ("0.5", Some(0.5)));
        assert_eq!((v.computed(0.5), v.number("0.50")), (Some(half), Some(half)));
        let many: Vec<ConstId> = (0..1000).filter_map(|i| v.computed(f64::from(i) + 0.25)).collect();
        let copy = v.clone();
        for (i, id) in many.iter().enumerate() {
            assert_eq!(copy.as_number(*id), Some(i as f64 + 0.25));
        }
        assert_eq!(v.compare(half, many[0]), Ordering::Greater);
    }

    #[test]
    fn predicates_differ_by_arity() {
        let mut v = Vocabulary::new();
        let (a0, a1) = (v.predicate("a", 0), v.predicate("a", 1));
        assert_ne!(a0, a1);
        assert_eq!(v.predicate("a", 1), a1);
        assert_eq!(v.predicate_text(a1), "a/1");
        assert_eq!(v.find_predicate("a", 2), None);
    }
}
