//! Colour refinement of the constants of a world, as far as the rules of a [`Fragment`] can see.
//!
//! The first colour of a constant is its properties, and its name if a rule names it. The next colour is the last one
//! with the multiset of the facts that it stands in: which pattern, at which argument, of which value, with constants of
//! which colours (one-dimensional Weisfeiler-Leman on the incidences of constants and facts). Colours are compared as
//! they are, not by hashes, and one colour has one number in all worlds.

use super::fragment::{Fragment, Place, Reading};
use super::{FactSource, GroundProgram};
use crate::base::hash::{HashSet, HashTable, hash_words};
use crate::base::index::{Id, IndexVec};
use crate::data::{ConstId, FactValue, PredId, Vocabulary};
use crate::template::{Rule, RuleId, TemplateValue};

/// Numbers of lists of words.
#[derive(Debug, Default)]
struct Lists {
    words: Vec<u32>,
    starts: Vec<usize>,
    table: HashTable<u32>,
}

impl Lists {
    fn number(&mut self, list: &[u32]) -> u32 {
        if self.starts.is_empty() {
            self.starts.push(0);
        }
        let (words, starts) = (&self.words, &self.starts);
        let slice = |i: u32| &words[starts[i as usize]..starts[i as usize + 1]];
        let hash = hash_words(list.iter().copied());
        if let Some(&i) = self.table.find(hash, |&i| slice(i) == list) {
            return i;
        }
        let new = u32::try_from(self.starts.len() - 1).expect("fewer than 2^32 colours");
        self.words.extend_from_slice(list);
        self.starts.push(self.words.len());
        let (words, starts) = (&self.words, &self.starts);
        let slice = |i: u32| &words[starts[i as usize]..starts[i as usize + 1]];
        self.table.insert_unique(hash, new, |&i| hash_words(slice(i).iter().copied()));
        new
    }
}

const NOWHERE: u32 = u32::MAX;
/// First words of a list: what it is the number of. Colours begin with their round, which is far below.
const VALUE: u32 = u32::MAX;
const LINK: u32 = u32::MAX - 1;
const WORLD: u32 = u32::MAX - 2;

/// Colours the constants of worlds, one world after the other.
#[derive(Debug)]
pub struct Refiner<'a> {
    fragment: &'a Fragment,
    lists: Lists,
    /// The place of each constant among those of the world.
    place: IndexVec<ConstId, u32>,
    constants: Vec<ConstId>,
    /// By round, then by place.
    colours: Vec<Vec<u32>>,
    /// The world's own colour, by round.
    world: Vec<u32>,
}

impl<'a> Refiner<'a> {
    /// A refiner for worlds over some constants.
    pub fn new(fragment: &'a Fragment, vocabulary: &Vocabulary) -> Self {
        Refiner {
            fragment,
            lists: Lists::default(),
            place: vec![NOWHERE; vocabulary.constant_count()].into(),
            constants: Vec::new(),
            colours: Vec::new(),
            world: Vec::new(),
        }
    }

    /// Colours the constants of a world.
    pub fn run(&mut self, ground: &GroundProgram) {
        for c in self.constants.drain(..) {
            self.place[c] = NOWHERE;
        }
        for &c in &self.fragment.named {
            self.at(c);
        }
        // Facts with several constants, flat: pattern, value, places; and what each constant has by itself.
        let (mut links, mut starts): (Vec<u32>, Vec<u32>) = Default::default();
        let mut labels: Vec<(u32, u32)> = Vec::new();
        let mut own: Vec<u32> = Vec::new();
        let mut seen: HashSet<Vec<ConstId>> = HashSet::default();
        for (number, pattern) in self.fragment.patterns.iter().enumerate() {
            let relation = &ground.relations[pattern.pred];
            let facts = &ground.facts[pattern.pred];
            seen.clear();
            for (row, value) in facts.iter().enumerate() {
                let row = relation.row(row as u32);
                if pattern.kept.len() < row.len()
                    && !seen.insert(pattern.kept.iter().map(|&i| row[i]).collect())
                {
                    continue;
                }
                let value = if pattern.valued { self.value(*value) } else { 0 };
                match pattern.kept[..] {
                    [] => own.extend([number as u32, value]),
                    [i] => {
                        let label = self.lists.number(&[LINK, number as u32, 0, value]);
                        let place = self.at(row[i]);
                        labels.push((place, label));
                    }
                    _ => {
                        starts.push(links.len() as u32);
                        links.extend([number as u32, value]);
                        for &i in &pattern.kept {
                            let place = self.at(row[i]);
                            links.push(place);
                        }
                    }
                }
            }
        }
        starts.push(links.len() as u32);
        self.first_colours(labels);
        let n = self.constants.len();
        // By constant: the facts that it stands in and where, as `(fact, argument)`.
        let mut from = vec![0u32; n + 1];
        for w in starts.windows(2) {
            links[w[0] as usize + 2..w[1] as usize].iter().for_each(|&c| from[c as usize + 1] += 1);
        }
        for c in 0..n {
            from[c + 1] += from[c];
        }
        let mut next = from.clone();
        let mut stands = vec![(0u32, 0u32); from[n] as usize];
        for (fact, w) in starts.windows(2).enumerate() {
            for (i, &c) in links[w[0] as usize + 2..w[1] as usize].iter().enumerate() {
                stands[next[c as usize] as usize] = (fact as u32, i as u32);
                next[c as usize] += 1;
            }
        }
        let (mut key, mut link) = (Vec::new(), Vec::new());
        for round in 0..self.fragment.rounds {
            let mut colours = Vec::with_capacity(n);
            for c in 0..n {
                key.clear();
                key.extend([round as u32 + 1, self.colours[round][c]]);
                for &(fact, at) in &stands[from[c] as usize..from[c + 1] as usize] {
                    let fact = &links[starts[fact as usize] as usize..starts[fact as usize + 1] as usize];
                    link.clear();
                    link.extend([LINK, fact[0], at, fact[1]]);
                    let others = fact[2..].iter().enumerate().filter(|(i, _)| *i != at as usize);
                    link.extend(others.map(|(_, &o)| self.colours[round][o as usize]));
                    key.push(self.lists.number(&link));
                }
                key[2..].sort_unstable();
                colours.push(self.lists.number(&key));
            }
            self.colours.push(colours);
        }
        self.world.clear();
        for round in 0..=self.fragment.rounds {
            key.clear();
            key.extend([WORLD, round as u32, own.len() as u32]);
            key.extend(&own);
            let start = key.len();
            key.extend(&self.colours[round]);
            key[start..].sort_unstable();
            self.world.push(self.lists.number(&key));
        }
    }

    fn first_colours(&mut self, mut labels: Vec<(u32, u32)>) {
        labels.sort_unstable();
        let mut rest = &labels[..];
        let mut first = Vec::with_capacity(self.constants.len());
        let mut key = Vec::new();
        for (place, c) in self.constants.iter().enumerate() {
            let named = self.fragment.named.binary_search(c).is_ok();
            key.clear();
            key.extend([0, if named { c.0 + 1 } else { 0 }]);
            while let [(p, label), tail @ ..] = rest
                && *p as usize == place
            {
                key.push(*label);
                rest = tail;
            }
            first.push(self.lists.number(&key));
        }
        self.colours.clear();
        self.colours.push(first);
    }

    fn at(&mut self, c: ConstId) -> u32 {
        if self.place[c] == NOWHERE {
            self.place[c] = self.constants.len() as u32;
            self.constants.push(c);
        }
        self.place[c]
    }

    fn value(&mut self, value: FactSource) -> u32 {
        let (tag, bits) = match value {
            FactSource::Data(FactValue::Constant(v)) | FactSource::Template(TemplateValue::Constant(v)) => {
                (0, v.index() as u64)
            }
            FactSource::Data(FactValue::Learnable(l)) => (1, l.index() as u64),
            FactSource::Template(TemplateValue::Weight(w)) => (2, w.index() as u64),
            FactSource::Number(x) => (3, x.to_bits()),
        };
        self.lists.number(&[VALUE, tag, bits as u32, (bits >> 32) as u32])
    }

    /// The constants of the world.
    pub fn constants(&self) -> &[ConstId] {
        &self.constants
    }

    /// The last colours, in the order of [`Refiner::constants`]; one number is one colour in all worlds.
    pub fn last(&self) -> &[u32] {
        self.colours.last().map_or(&[], |c| &c[..])
    }

    /// The colour of a constant of the world after so many rounds.
    pub fn colour(&self, round: usize, c: ConstId) -> u32 {
        self.colours[round][self.place[c] as usize]
    }

    /// The colour of the world as a whole after so many rounds: how many constants of each colour there are, and what
    /// holds without any.
    pub fn world(&self, round: usize) -> u32 {
        self.world[round]
    }

    /// Puts the class of a ground rule into `key`: instances with one key are one on the classes of constants of a
    /// world. If `across`, of all worlds: the world is part of the key if it counts as a whole.
    pub fn class(
        &mut self,
        ground: &GroundProgram,
        (id, rule, reading): (RuleId, &Rule, &Reading),
        instance: usize,
        across: bool,
        key: &mut Vec<u32>,
    ) {
        let instances = &ground.instances[id];
        let (head, body) = (instances.head(instance), instances.body(instance));
        let pred = |k: usize| -> PredId {
            let literal = rule.visible().nth(k).and_then(|(_, l)| l.predicate());
            literal.expect("rules of the fragment have ordinary literals only")
        };
        key.clear();
        key.push(id.0);
        for &(place, round) in &reading.shown {
            let c = match place {
                Place::Head(i) => ground.relations[rule.head].row(head)[i],
                Place::Body(k, i) => ground.relations[pred(k)].row(body[k])[i],
            };
            key.push(self.colour(round, c));
        }
        for &k in &reading.valued {
            if let Some(value) = ground.fact(pred(k), body[k]) {
                key.push(self.value(value));
            }
        }
        if let Some(round) = reading.global.filter(|_| across) {
            key.push(self.world(round));
        }
    }
}
