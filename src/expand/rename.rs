//! A walk over the names and places of a statement.

use crate::base::span::{Span, Spanned};
use crate::syntax::ast::*;

/// What a statement does with a predicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It is derived, or stated.
    Derives,
    /// It is read.
    Reads,
    /// Something is said about it.
    Names,
}

/// What a walk changes.
pub(super) trait Edit {
    /// Each place, once; that of a name after the name.
    fn span(&mut self, span: &mut Span);
    /// The name of a predicate, at a place that [`span`](Edit::span) has not seen.
    fn predicate(&mut self, name: &mut Spanned<String>, arity: u32, role: Role);
    /// The name of a shared weight.
    fn weight_name(&mut self, name: &mut String);
    /// A whole weight, after its parts.
    fn weight(&mut self, weight: &Weight);
}

/// Walks over a statement. Imports and blocks have nothing that could change.
pub(super) fn statement(s: &mut Statement, e: &mut impl Edit) {
    match s {
        Statement::Rule(r) => {
            r.head_weight.iter_mut().for_each(|w| weight(w, e));
            atom(&mut r.head, Role::Derives, e);
            for item in &mut r.body {
                match item {
                    Item::Literal(l) => literal(l, e),
                    Item::Comparison(c) => {
                        expression(&mut c.left, e);
                        expression(&mut c.right, e);
                        e.span(&mut c.span);
                    }
                }
            }
            r.offset.iter_mut().for_each(|w| weight(w, e));
            metadata(&mut r.metadata, e);
            e.span(&mut r.span);
        }
        Statement::Fact(f) => fact(f, Role::Derives, e),
        Statement::Query(facts) => facts.iter_mut().for_each(|f| fact(f, Role::Reads, e)),
        Statement::PredicateOffset(p) => {
            predicate(&mut p.name, p.arity, Role::Names, e);
            weight(&mut p.weight, e);
            e.span(&mut p.span);
        }
        Statement::PredicateMetadata(p) => {
            let mut role = Role::Names;
            for entry in p.entries.iter_mut().filter(|entry| entry.key.node == "draw") {
                drawn_over(entry, p.arity, e);
                role = Role::Derives;
            }
            predicate(&mut p.name, p.arity, role, e);
            metadata(&mut p.entries, e);
            e.span(&mut p.span);
        }
        Statement::WeightMetadata(w) => {
            e.weight_name(&mut w.name.node);
            e.span(&mut w.name.span);
            metadata(&mut w.entries, e);
            e.span(&mut w.span);
        }
        Statement::TemplateMetadata(entries) => metadata(entries, e),
        Statement::Import(_) | Statement::Module(_) | Statement::Block(_) => {}
    }
}

/// The predicate over whose facts those of a predicate of `arity` arguments are drawn: `node` in `dropout(node,0.5)`.
/// Its place is seen with the other arguments.
fn drawn_over(entry: &mut MetaEntry, arity: u32, e: &mut impl Edit) {
    let MetaValue::Call(call) = &mut entry.value.node else { return };
    let arity = match call.name.as_str() {
        "permutation" => 1,
        "negatives" => 2,
        _ => arity,
    };
    if let Some(Spanned { node: MetaArg::Word(word), span }) = call.args.first_mut() {
        let mut name = Spanned { node: std::mem::take(word), span: *span };
        e.predicate(&mut name, arity, Role::Reads);
        *word = name.node;
    }
}

fn predicate(name: &mut Spanned<String>, arity: u32, role: Role, e: &mut impl Edit) {
    e.predicate(name, arity, role);
    e.span(&mut name.span);
}

fn atom(a: &mut Atom, role: Role, e: &mut impl Edit) {
    if a.special {
        e.span(&mut a.name.span);
    } else {
        predicate(&mut a.name, a.args.len() as u32, role, e);
    }
    a.arity.iter_mut().for_each(|n| e.span(&mut n.span));
    a.args.iter_mut().for_each(|t| term(t, e));
    e.span(&mut a.span);
}

fn term(t: &mut Term, e: &mut impl Edit) {
    t.ty.iter_mut().for_each(|t| e.span(&mut t.span));
    e.span(&mut t.span);
}

fn fact(f: &mut Fact, role: Role, e: &mut impl Edit) {
    f.weight.iter_mut().for_each(|w| weight(w, e));
    atom(&mut f.atom, role, e);
    e.span(&mut f.span);
}

fn literal(l: &mut Literal, e: &mut impl Edit) {
    l.weight.iter_mut().for_each(|w| weight(w, e));
    for f in &mut l.functions {
        function(&mut f.node, e);
        e.span(&mut f.span);
    }
    atom(&mut l.atom, Role::Reads, e);
    e.span(&mut l.span);
}

fn function(f: &mut Function, e: &mut impl Edit) {
    f.args.iter_mut().for_each(|a| e.span(&mut a.span));
}

fn expression(x: &mut Expression, e: &mut impl Edit) {
    match &mut x.kind {
        ExpressionKind::Term(t) => term(t, e),
        ExpressionKind::Negation(inner) => expression(inner, e),
        ExpressionKind::Chain { first, rest } => {
            expression(first, e);
            rest.iter_mut().for_each(|(_, x)| expression(x, e));
        }
    }
    e.span(&mut x.span);
}

fn weight(w: &mut Weight, e: &mut impl Edit) {
    if let Some(name) = &mut w.name {
        e.weight_name(&mut name.node);
        e.span(&mut name.span);
    }
    w.member.iter_mut().flatten().for_each(|t| term(t, e));
    e.span(&mut w.value.span);
    e.span(&mut w.span);
    e.weight(w);
}

fn metadata(entries: &mut [MetaEntry], e: &mut impl Edit) {
    for entry in entries {
        e.span(&mut entry.key.span);
        match &mut entry.value.node {
            MetaValue::Call(f) => function(f, e),
            MetaValue::Weight(w) => weight(w, e),
            MetaValue::Reference(name) => e.weight_name(name),
        }
        e.span(&mut entry.value.span);
    }
}
