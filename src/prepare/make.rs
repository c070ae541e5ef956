//! Facts made up: graphs as facts of the shared world, molecules as labelled examples.

use super::facts::{Example, Made, Relation, Term};
use super::generate::Pair;
use super::molecules::{Labelled, Molecule, Wanted};
use crate::diag::counted;

/// What the nodes of made-up graphs are called, before their number.
const NODE: &str = "n";

fn node(i: usize) -> Term {
    Term::Name(format!("{NODE}{i}"))
}

/// `edge(X,Y)` for each edge, in both directions unless `once`, and `node(X)` for the nodes that no edge names.
pub fn graph(what: String, nodes: usize, pairs: &[Pair], once: bool) -> Made {
    let mut edge = Relation::new("edge", &["from", "to"]);
    let mut lone = vec![true; nodes];
    for &(a, b) in pairs {
        (lone[a], lone[b]) = (false, false);
        edge.push([node(a), node(b)], []);
        if !once {
            edge.push([node(b), node(a)], []);
        }
    }
    let mut alone = Relation::new("node", &["node"]);
    lone.iter().enumerate().filter(|(_, lone)| **lone).for_each(|(i, _)| alone.push([node(i)], []));
    let size = format!("{what}: {}, {}", counted(nodes, "node"), counted(pairs.len(), "edge"));
    let mut made = Made { comments: vec![size], shared: vec![edge], ..Made::default() };
    if !alone.facts.is_empty() {
        made.shared.push(alone);
    }
    made
}

/// A relation of nodes with numbers, such as the block of each.
pub fn numbers(name: &str, columns: &[&str], of: &[usize]) -> Relation {
    let mut out = Relation::new(name, columns);
    of.iter().enumerate().for_each(|(i, &n)| out.push([node(i), Term::Number(n)], []));
    out
}

/// `pos(X)` with row and column of each node of a grid.
pub fn places(rows: usize, columns: usize) -> Relation {
    let mut out = Relation::new("pos", &["node"]);
    for i in 0..rows * columns {
        out.push([node(i)], [(i / columns) as f64, (i % columns) as f64]);
    }
    out
}

/// `parent(P,C)` for the nodes of a tree that have a parent.
pub fn parents(of: &[Option<usize>]) -> Relation {
    let mut out = Relation::new("parent", &["parent", "child"]);
    for (child, parent) in of.iter().enumerate() {
        if let Some(p) = parent {
            out.push([node(*p), node(child)], []);
        }
    }
    out
}

/// Molecules as examples labelled `active`: `atom(X,element)` and `bond(X,Y,kind)` in both directions.
pub fn molecules(wanted: &Wanted, drawn: &[Labelled]) -> Made {
    let mut made = Made::default();
    let positive = drawn.iter().filter(|m| m.label).count();
    made.comments.push(format!("{}, {positive} active", counted(drawn.len(), "molecule")));
    made.comments.push(format!("planted: {}", wanted.rule.text("active")));
    if wanted.noise > 0.0 {
        let turned = drawn.iter().filter(|m| m.label != m.holds).count();
        made.comments.push(format!("noise: {} turned over", counted(turned, "label")));
    }
    for Labelled { molecule, label, .. } in drawn {
        let name = |i: usize| Term::Name(format!("a{i}"));
        let word = |text: &str| Term::Name(text.to_string());
        let mut atom = Relation::new("atom", &["atom", "element"]);
        molecule.atoms.iter().enumerate().for_each(|(i, e)| atom.push([name(i), word(e)], []));
        let mut bond = Relation::new("bond", &["from", "to", "kind"]);
        for &(a, b, double) in &molecule.bonds {
            let kind = Molecule::kind(double);
            bond.push([name(a), name(b), word(kind)], []);
            bond.push([name(b), name(a), word(kind)], []);
        }
        let target = if *label { 1.0 } else { 0.0 };
        made.examples.push(Example { label: "active".to_string(), target, relations: vec![atom, bond] });
    }
    made
}
