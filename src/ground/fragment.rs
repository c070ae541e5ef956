//! Rules that could be grounded on classes of constants in place of constants, and what they look at.
//!
//! A rule is of the fragment if the number of its substitutions of each kind follows from the colour of its head's
//! constants: if its body is a tree for each variable of the head. `docs/lifting-before-grounding.md` has the proof.

use crate::base::hash::{HashMap, IndexSet};
use crate::base::index::{Id, IndexVec};
use crate::data::{ConstId, PredId};
use crate::syntax::ast::Sign;
use crate::template::strata::Strata;
use crate::template::{Literal, Relation, Rule, RuleId, Template, Term, VarId};

/// Why a rule is grounded on constants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Obstacle {
    /// It stands in an example.
    Example,
    /// Its predicate depends on itself.
    Recursive,
    /// Its aggregation sees the order of the groundings.
    Order,
    /// It has a weight of its own for each constant.
    Family,
    /// A special predicate, a comparison or a variable over all constants.
    Special,
    /// A negation `!` of more than one argument, or of a variable that nothing else binds.
    Negation,
    /// The body is no tree.
    Tree,
    /// Two variables of the head hang together in the body, or are one.
    Head,
    /// A variable whose value nobody sees stands between two that are seen, and more than one literal has it.
    Hidden,
    /// It reads a derived predicate of several arguments.
    Relation,
    /// It reads a predicate that is grounded on constants.
    Below,
    /// Another rule of the same predicate is grounded on constants.
    Beside,
}

impl Obstacle {
    /// The reason in words.
    pub fn text(self) -> &'static str {
        match self {
            Obstacle::Example => "it stands in an example",
            Obstacle::Recursive => "its predicate depends on itself",
            Obstacle::Family => "it has a weight for each constant",
            Obstacle::Order => "its aggregation sees an order",
            Obstacle::Special => "it compares, computes or ranges over all constants",
            Obstacle::Negation => "it negates more than a property of one bound constant",
            Obstacle::Tree => "its body is no tree",
            Obstacle::Head => "two variables of its head hang together",
            Obstacle::Hidden => "a hidden join links two visible variables",
            Obstacle::Relation => "it reads a derived predicate of several arguments",
            Obstacle::Below => "it reads a predicate that is grounded on constants",
            Obstacle::Beside => "another rule of its predicate is grounded on constants",
        }
    }
}

/// What refinement looks at: the facts of a predicate, some of their arguments, and perhaps their values. Equal
/// projections of several facts are one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pattern {
    /// The predicate.
    pub pred: PredId,
    /// Positions of the arguments that count.
    pub kept: Vec<usize>,
    /// Whether values count.
    pub valued: bool,
}

/// Where a ground rule has a constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// An argument of the head.
    Head(usize),
    /// A visible literal, by its number among these, and one of its arguments.
    Body(usize, usize),
}

/// What decides the class of a ground rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// A place of each variable that head or visible literals show, and of each constant of the head, with the round of
    /// refinement whose colour counts.
    pub shown: Vec<(Place, usize)>,
    /// Visible literals of several arguments, whose facts have values.
    pub valued: Vec<usize>,
    /// The round at which the world as a whole counts; `None` if only what hangs on the head's constants does.
    pub global: Option<usize>,
}

/// What the colours of a predicate's constants must know for its value to follow from them.
#[derive(Debug, Clone, Copy, Default)]
struct Depth {
    round: usize,
    global: Option<usize>,
}

/// The rules of a template by whether they are of the fragment.
#[derive(Debug, Clone, Default)]
pub struct Fragment {
    /// How each rule is read, or why not; `None` for rules that no query reaches.
    pub rules: IndexVec<RuleId, Option<Result<Reading, Obstacle>>>,
    /// What refinement looks at.
    pub patterns: Vec<Pattern>,
    /// Constants that rules of the fragment name.
    pub named: Vec<ConstId>,
    /// Rounds of refinement after the first colours.
    pub rounds: usize,
}

/// A body literal without the arguments that only one hidden literal mentions.
struct Atom {
    pred: PredId,
    kept: Vec<usize>,
    variables: Vec<VarId>,
    constants: Vec<ConstId>,
    valued: bool,
    negated: bool,
}

impl Fragment {
    /// The fragment of a template's rules for the `relevant` predicates.
    pub fn new(template: &Template, strata: &Strata, relevant: &IndexVec<PredId, bool>) -> Fragment {
        let mut fragment = Fragment { rules: vec![None; template.rules.len()].into(), ..Fragment::default() };
        let mut depths: HashMap<PredId, Result<Depth, ()>> = HashMap::default();
        let mut patterns: IndexSet<Pattern> = IndexSet::default();
        for component in strata.rules.iter() {
            let rules: Vec<RuleId> =
                component.iter().copied().filter(|&r| relevant[template.rules[r].head]).collect();
            let inside = |l: &Literal| {
                l.predicate().is_some_and(|p| {
                    rules
                        .first()
                        .is_some_and(|&r| strata.component[p] == strata.component[template.rules[r].head])
                })
            };
            let recursive = rules.iter().any(|&r| template.rules[r].body.iter().any(inside));
            let mut found: Vec<(RuleId, Result<(Reading, Vec<Atom>, Depth), Obstacle>)> = Vec::new();
            for &id in &rules {
                let rule = &template.rules[id];
                let read = match recursive {
                    true => Err(Obstacle::Recursive),
                    false => read(rule, &depths),
                };
                found.push((id, read));
            }
            let mut heads: Vec<PredId> = rules.iter().map(|&r| template.rules[r].head).collect();
            heads.dedup();
            for head in heads {
                let of_head = |f: &&(RuleId, _)| template.rules[f.0].head == head;
                let whole = found.iter().filter(of_head).all(|f| f.1.is_ok());
                let mut depth = Depth::default();
                for (_, read) in found.iter().filter(of_head) {
                    if let Ok((_, _, d)) = read {
                        depth.round = depth.round.max(d.round);
                        depth.global = depth.global.max(d.global);
                    }
                }
                depths.insert(head, if whole { Ok(depth) } else { Err(()) });
            }
            for (id, read) in found {
                let rule = &template.rules[id];
                let outcome = match read {
                    Ok(_) if depths[&rule.head].is_err() => Err(Obstacle::Beside),
                    Ok((reading, atoms, depth)) => {
                        let new = |a: Atom| Pattern { pred: a.pred, kept: a.kept, valued: a.valued };
                        patterns.extend(atoms.into_iter().map(new));
                        let terms = rule.head_args.iter().chain(rule.body.iter().flat_map(|l| &l.args));
                        fragment.named.extend(terms.filter_map(|t| match t {
                            Term::Constant(c) => Some(*c),
                            Term::Variable(_) => None,
                        }));
                        fragment.rounds = fragment.rounds.max(depth.round).max(depth.global.unwrap_or(0));
                        Ok(reading)
                    }
                    Err(obstacle) => Err(obstacle),
                };
                fragment.rules[id] = Some(outcome);
            }
        }
        // Facts with their values are also facts without.
        let finer = |p: &Pattern| p.valued || !patterns.contains(&Pattern { valued: true, ..p.clone() });
        fragment.patterns = patterns.iter().filter(|p| finer(p)).cloned().collect();
        fragment.named.sort_unstable();
        fragment.named.dedup();
        fragment
    }
}

/// Sets of variables that hang together.
struct Sets(Vec<usize>);

impl Sets {
    fn find(&self, v: VarId) -> usize {
        let mut at = v.index();
        while self.0[at] != at {
            at = self.0[at];
        }
        at
    }
    /// Joins all sets of some variables; false if two of the variables already hang together.
    fn join(&mut self, variables: &[VarId]) -> bool {
        let mut apart = true;
        for pair in variables.windows(2) {
            let (a, b) = (self.find(pair[0]), self.find(pair[1]));
            apart &= a != b;
            self.0[a] = b;
        }
        apart
    }
}

fn variables(args: &[Term]) -> impl Iterator<Item = VarId> + '_ {
    args.iter().filter_map(|t| match t {
        Term::Variable(v) => Some(*v),
        Term::Constant(_) => None,
    })
}

fn read(
    rule: &Rule,
    depths: &HashMap<PredId, Result<Depth, ()>>,
) -> Result<(Reading, Vec<Atom>, Depth), Obstacle> {
    if rule.world.is_some() {
        return Err(Obstacle::Example);
    }
    if rule.aggregation.order_sensitive() {
        return Err(Obstacle::Order);
    }
    if !rule.head_member.is_empty() || rule.body.iter().any(Literal::picks_member) {
        return Err(Obstacle::Family);
    }
    if rule.body.iter().any(|l| !matches!(l.relation, Relation::Predicate(_))) {
        return Err(Obstacle::Special);
    }
    let n = rule.variables.len();
    let (mut shown, mut mentions) = (vec![false; n], vec![0; n]);
    for v in variables(&rule.head_args).chain(rule.visible().flat_map(|(_, l)| variables(&l.args))) {
        shown[v.index()] = true;
    }
    for literal in &rule.body {
        variables(&literal.args).for_each(|v| mentions[v.index()] += 1);
    }
    let mut atoms = Vec::new();
    for literal in &rule.body {
        let Some(pred) = literal.predicate() else { return Err(Obstacle::Special) };
        let counts = |t: &Term| match t {
            Term::Variable(v) => shown[v.index()] || mentions[v.index()] > 1,
            Term::Constant(_) => true,
        };
        let negated = literal.sign == Sign::Hard;
        let kept: Vec<usize> = (0..literal.args.len()).filter(|&i| counts(&literal.args[i])).collect();
        let all = kept.len() == literal.args.len();
        if negated && (kept.len() > 1 || !all) {
            return Err(Obstacle::Negation);
        }
        match depths.get(&pred) {
            Some(Err(())) => return Err(Obstacle::Below),
            Some(Ok(_)) if literal.args.len() > 1 => return Err(Obstacle::Relation),
            _ => {}
        }
        let (mut variables, mut constants) = (Vec::new(), Vec::new());
        for &i in &kept {
            match literal.args[i] {
                Term::Variable(v) => variables.push(v),
                Term::Constant(c) => constants.push(c),
            }
        }
        // A derived property whose argument is left out holds for some constant or for none: that takes colours.
        let derived = depths.contains_key(&pred);
        let kept = if derived { (0..literal.args.len()).collect() } else { kept };
        atoms.push(Atom { pred, kept, variables, constants, valued: literal.is_visible(), negated });
    }
    let bound = |v: VarId| atoms.iter().any(|a| !a.negated && a.variables.contains(&v));
    if atoms.iter().any(|a| a.negated && !a.variables.iter().all(|&v| bound(v))) {
        return Err(Obstacle::Negation);
    }
    let mut sets = Sets((0..n).collect());
    if !atoms.iter().all(|a| sets.join(&a.variables)) {
        return Err(Obstacle::Tree);
    }
    let mut roots: Vec<VarId> = Vec::new();
    for v in variables(&rule.head_args) {
        if roots.iter().any(|&r| sets.find(r) == sets.find(v)) {
            return Err(Obstacle::Head);
        }
        roots.push(v);
    }
    hidden_ends(&atoms, &shown)?;
    Ok(rounds(rule, atoms, depths, &sets, &shown))
}

/// Checks that what is hidden hangs on one shown variable at most: then it holds or not for each of its constants.
fn hidden_ends(atoms: &[Atom], shown: &[bool]) -> Result<(), Obstacle> {
    let mut sets = Sets((0..shown.len()).collect());
    for atom in atoms {
        let hidden: Vec<VarId> = atom.variables.iter().copied().filter(|v| !shown[v.index()]).collect();
        sets.join(&hidden);
    }
    let mut end: HashMap<usize, VarId> = HashMap::default();
    for atom in atoms {
        let Some(&hidden) = atom.variables.iter().find(|v| !shown[v.index()]) else { continue };
        for &v in atom.variables.iter().filter(|v| shown[v.index()]) {
            if *end.entry(sets.find(hidden)).or_insert(v) != v {
                return Err(Obstacle::Hidden);
            }
        }
    }
    Ok(())
}

/// The rounds of refinement that each variable's colour must have seen.
fn rounds(
    rule: &Rule,
    atoms: Vec<Atom>,
    depths: &HashMap<PredId, Result<Depth, ()>>,
    sets: &Sets,
    shown: &[bool],
) -> (Reading, Vec<Atom>, Depth) {
    let depth = |p: PredId| depths.get(&p).and_then(|d| d.ok()).unwrap_or_default();
    // Rounds of a variable and of all that hangs on it, but for what hangs on the literal `from`.
    fn below(
        v: VarId,
        from: usize,
        atoms: &[Atom],
        depth: &dyn Fn(PredId) -> Depth,
        out: &mut [usize],
    ) -> usize {
        let mut need = 0;
        for (i, atom) in atoms.iter().enumerate().filter(|(i, a)| *i != from && a.variables.contains(&v)) {
            need = need.max(depth(atom.pred).round);
            if atom.kept.len() > 1 {
                let others = atom.variables.iter().filter(|u| **u != v);
                let most = others.map(|&u| below(u, i, atoms, depth, out)).max().unwrap_or(0);
                need = need.max(1 + most);
            }
        }
        out[v.index()] = need;
        need
    }
    const NOWHERE: usize = usize::MAX;
    let mut need = vec![0; shown.len()];
    let (mut round, mut global) = (0, None);
    let mut rooted: Vec<usize> = Vec::new();
    for v in variables(&rule.head_args) {
        round = round.max(below(v, NOWHERE, &atoms, &depth, &mut need));
        rooted.push(sets.find(v));
    }
    // What does not hang on the head: counted over the whole world, from where that takes the fewest rounds.
    for v in atoms.iter().flat_map(|a| a.variables.iter().copied()) {
        let set = sets.find(v);
        if rooted.contains(&set) {
            continue;
        }
        rooted.push(set);
        let mut scratch = need.clone();
        let members = atoms.iter().flat_map(|a| a.variables.iter().copied());
        let members = members.filter(|&u| sets.find(u) == set);
        let cost = members.map(|u| (below(u, NOWHERE, &atoms, &depth, &mut scratch), u.index())).min();
        let root = cost.map_or(v, |(_, u)| VarId::new(u));
        global = global.max(Some(below(root, NOWHERE, &atoms, &depth, &mut need)));
    }
    let mut head_constants = 0;
    for atom in &atoms {
        let d = depth(atom.pred);
        global = global.max(d.global);
        if atom.variables.is_empty() {
            // About constants by name, or about none: part of the world.
            let links = usize::from(atom.kept.len() > 1);
            let own = |c: &ConstId| rule.head_args.contains(&Term::Constant(*c));
            if links == 0 && atom.constants.first().is_some_and(own) {
                head_constants = head_constants.max(d.round);
                round = round.max(d.round);
            } else {
                global = global.max(Some(d.round.max(links)));
            }
        }
    }
    let mut places: Vec<(Place, usize)> = Vec::new();
    let mut known = vec![false; shown.len()];
    for (i, term) in rule.head_args.iter().enumerate() {
        match term {
            Term::Variable(v) => {
                known[v.index()] = true;
                places.push((Place::Head(i), need[v.index()]));
            }
            Term::Constant(_) => places.push((Place::Head(i), head_constants)),
        }
    }
    let mut valued = Vec::new();
    for (k, (_, literal)) in rule.visible().enumerate() {
        for (i, term) in literal.args.iter().enumerate() {
            if let Term::Variable(v) = term
                && !std::mem::replace(&mut known[v.index()], true)
            {
                places.push((Place::Body(k, i), need[v.index()]));
            }
        }
        if literal.args.len() > 1 {
            valued.push(k);
        }
    }
    (Reading { shown: places, valued, global }, atoms, Depth { round, global })
}
