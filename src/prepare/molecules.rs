//! Molecules made up, with labels by a planted rule: graphs of atoms that respect valences, and a conjunction over their
//! bonds that decides the label.

use crate::base::rng::Stream;

/// Elements, as they are written, with their valences and how often they are drawn.
const ELEMENTS: &[(&str, u32, u64)] = &[("c", 4, 66), ("n", 3, 14), ("o", 2, 14), ("cl", 1, 6)];
/// How often a ring is tried, and a double bond where there is room for one, in percent.
const RING: u64 = 60;
const DOUBLE: u64 = 25;
/// Sizes of rings.
const RING_SIZES: &[usize] = &[3, 5, 6];
/// Molecules that are drawn in search of one with the wanted label.
const MOST_DRAWS: usize = 100_000;

/// A molecule: atoms by element, bonds between their numbers, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Molecule {
    /// The element of each atom, `c` and so on.
    pub atoms: Vec<&'static str>,
    /// Bonds: two atoms and whether it is double.
    pub bonds: Vec<(usize, usize, bool)>,
}

impl Molecule {
    /// How a kind of bond is written.
    pub fn kind(double: bool) -> &'static str {
        if double { "double" } else { "single" }
    }

    /// Bonds that each atom could still have.
    pub fn free(&self) -> Vec<u32> {
        let valence = |e: &str| ELEMENTS.iter().find(|(name, ..)| *name == e).map_or(0, |(_, v, _)| *v);
        let mut free: Vec<u32> = self.atoms.iter().map(|e| valence(e)).collect();
        for &(a, b, double) in &self.bonds {
            free[a] -= 1 + u32::from(double);
            free[b] -= 1 + u32::from(double);
        }
        free
    }

    /// Whether two atoms are bonded, and how.
    fn bond(&self, x: usize, y: usize) -> Option<bool> {
        self.bonds.iter().find(|&&(a, b, _)| (a, b) == (x, y) || (a, b) == (y, x)).map(|b| b.2)
    }

    /// The numbers of bonds on the shortest way from an atom to each.
    fn distances(&self, from: usize) -> Vec<usize> {
        let mut distance = vec![usize::MAX; self.atoms.len()];
        distance[from] = 0;
        let mut open = std::collections::VecDeque::from([from]);
        while let Some(a) = open.pop_front() {
            for &(x, y, _) in self.bonds.iter().filter(|(x, y, _)| *x == a || *y == a) {
                let other = if x == a { y } else { x };
                if distance[other] == usize::MAX {
                    distance[other] = distance[a] + 1;
                    open.push_back(other);
                }
            }
        }
        distance
    }

    /// A tree of `size` atoms (fewer if no atom has room for another), then rings, then double bonds.
    fn draw(size: usize, stream: &mut Stream) -> Molecule {
        let mut molecule = Molecule { atoms: vec!["c"], bonds: Vec::new() };
        while molecule.atoms.len() < size {
            let Some(to) = pick(&molecule.open(), stream) else { break };
            let new = molecule.atoms.len();
            molecule.atoms.push(element(stream));
            molecule.bonds.push((to, new, false));
        }
        for _ in 0..2 {
            if stream.below(100) < RING {
                molecule.close(RING_SIZES[stream.below(RING_SIZES.len() as u64) as usize], stream);
            }
        }
        for i in 0..molecule.bonds.len() {
            let (free, (a, b, _)) = (molecule.free(), molecule.bonds[i]);
            if free[a] > 0 && free[b] > 0 && stream.below(100) < DOUBLE {
                molecule.bonds[i].2 = true;
            }
        }
        molecule
    }

    /// Atoms with room for a bond.
    fn open(&self) -> Vec<usize> {
        self.free().iter().enumerate().filter(|(_, f)| **f > 0).map(|(i, _)| i).collect()
    }

    /// Closes a ring of a size, if two atoms with room are at its distance.
    fn close(&mut self, size: usize, stream: &mut Stream) {
        let open = self.open();
        let Some(a) = pick(&open, stream) else { return };
        let distance = self.distances(a);
        let ends: Vec<usize> = open.into_iter().filter(|&b| distance[b] == size - 1).collect();
        if let Some(b) = pick(&ends, stream) {
            self.bonds.push((a.min(b), a.max(b), false));
        }
    }
}

fn pick(from: &[usize], stream: &mut Stream) -> Option<usize> {
    if from.is_empty() { None } else { Some(from[stream.below(from.len() as u64) as usize]) }
}

fn element(stream: &mut Stream) -> &'static str {
    let mut left = stream.below(ELEMENTS.iter().map(|(_, _, share)| share).sum());
    for (name, _, share) in ELEMENTS {
        if left < *share {
            return name;
        }
        left -= share;
    }
    "c"
}

/// A literal of a planted rule; its variables are numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Literal {
    /// An atom of an element.
    Atom(usize, &'static str),
    /// A bond of a kind, or of any.
    Bond(usize, usize, Option<bool>),
}

/// A rule that decides labels: whether its literals hold for some different atoms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planted {
    /// How it is called.
    pub name: &'static str,
    literals: Vec<Literal>,
    variables: usize,
}

/// The names of all planted rules.
pub const RULES: [&str; 4] = ["carbonyl", "amide", "triangle", "hexagon"];

impl Planted {
    /// The rule of a name.
    pub fn new(name: &str) -> Option<Planted> {
        use Literal::{Atom, Bond};
        let ring = |n: usize| (0..n).map(move |i| Bond(i, (i + 1) % n, None));
        let literals: Vec<Literal> = match name {
            "carbonyl" => vec![Bond(0, 1, Some(true)), Atom(0, "c"), Atom(1, "o")],
            "amide" => vec![
                Bond(0, 1, Some(true)),
                Atom(0, "c"),
                Atom(1, "o"),
                Bond(0, 2, Some(false)),
                Atom(2, "n"),
            ],
            "triangle" => ring(3).collect(),
            "hexagon" => ring(6).chain((0..6).map(|i| Atom(i, "c"))).collect(),
            _ => return None,
        };
        let name = RULES.into_iter().find(|n| *n == name)?;
        let last = |l: &Literal| match *l {
            Atom(x, _) => x,
            Bond(x, y, _) => x.max(y),
        };
        let variables = literals.iter().map(last).max().map_or(0, |v| v + 1);
        Some(Planted { name, literals, variables })
    }

    /// The rule as a rule of the language that derives `head`. Bonds are facts in both directions.
    pub fn text(&self, head: &str) -> String {
        let v = |x: &usize| format!("X{x}");
        let literal = |l: &Literal| match l {
            Literal::Atom(x, e) => format!("atom({},{e})", v(x)),
            Literal::Bond(x, y, None) => format!("bond({},{},_)", v(x), v(y)),
            Literal::Bond(x, y, Some(d)) => format!("bond({},{},{})", v(x), v(y), Molecule::kind(*d)),
        };
        let body: Vec<String> = self.literals.iter().map(literal).collect();
        // Other literals than those of large rings cannot hold for equal atoms.
        let apart = if self.variables > 3 {
            let all: Vec<String> = (0..self.variables).map(|x| v(&x)).collect();
            format!(", @alldiff({})", all.join(","))
        } else {
            String::new()
        };
        format!("{head} :- {}{apart}.", body.join(", "))
    }

    /// Whether it holds for a molecule.
    pub fn holds(&self, molecule: &Molecule) -> bool {
        self.extend(molecule, &mut Vec::new())
    }

    /// Whether the first variables' atoms can be extended to all. A literal is tested when its last variable has an atom.
    fn extend(&self, molecule: &Molecule, atoms: &mut Vec<usize>) -> bool {
        if atoms.len() == self.variables {
            return true;
        }
        for atom in 0..molecule.atoms.len() {
            if atoms.contains(&atom) {
                continue;
            }
            atoms.push(atom);
            let newest = atoms.len() - 1;
            let fits = |l: &Literal| match *l {
                Literal::Atom(x, e) => x != newest || molecule.atoms[atom] == e,
                Literal::Bond(x, y, kind) => {
                    x.max(y) != newest
                        || molecule.bond(atoms[x], atoms[y]).is_some_and(|d| kind.is_none_or(|k| k == d))
                }
            };
            if self.literals.iter().all(fits) && self.extend(molecule, atoms) {
                return true;
            }
            atoms.pop();
        }
        false
    }
}

/// Which molecules.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// How many.
    pub count: usize,
    /// Which rule decides.
    pub rule: Planted,
    /// The share for which the rule holds, `count · positive` rounded to a whole number.
    pub positive: f64,
    /// The probability that a label is turned over.
    pub noise: f64,
    /// Least and greatest number of atoms.
    pub size: (usize, usize),
    /// The seed.
    pub seed: u64,
}

/// A molecule with its label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labelled {
    /// The molecule.
    pub molecule: Molecule,
    /// Whether the rule holds.
    pub holds: bool,
    /// The label: the same, unless noise turned it over.
    pub label: bool,
}

/// Labelled molecules. Which of them are positive is drawn first; each is then drawn again and again until the rule holds, or does
/// not hold, for it. The error is the label that no molecule of the wanted sizes seems to have.
pub fn molecules(wanted: &Wanted) -> Result<Vec<Labelled>, bool> {
    let mut stream = Stream::new(wanted.seed, "generate molecules");
    let mut noise = Stream::new(wanted.seed, "generate molecules noise");
    let positive = (wanted.count as f64 * wanted.positive).round() as usize;
    let mut labels: Vec<bool> = (0..wanted.count).map(|i| i < positive).collect();
    stream.shuffle(&mut labels);
    let (least, most) = wanted.size;
    let mut one = |holds: bool| {
        for _ in 0..MOST_DRAWS {
            let size = least + stream.below((most - least) as u64 + 1) as usize;
            let molecule = Molecule::draw(size, &mut stream);
            if molecule.atoms.len() >= least && wanted.rule.holds(&molecule) == holds {
                let turned = noise.uniform() < wanted.noise;
                return Ok(Labelled { molecule, holds, label: holds != turned });
            }
        }
        Err(holds)
    };
    labels.into_iter().map(&mut one).collect()
}
