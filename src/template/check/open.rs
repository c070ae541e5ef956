//! Shapes before there is any data: what the template alone decides.
//!
//! A predicate that no rule derives may get facts of any shape. In one rule, though, an atom has one shape, which the
//! weights before it limit: `{3,2} f(X)` takes `f(X)` with two rows, or a scalar, which scales. All such cases are tried;
//! a rule is at fault if none of them can be computed.

use super::shapes::{added_to_vector, unusable_function};
use crate::base::hash::HashMap;
use crate::base::index::IndexVec;
use crate::base::span::Span;
use crate::data::{Database, PredId, Vocabulary};
use crate::diag::{Diagnostic, Diagnostics, codes, counted};
use crate::template::{Literal, Relation, Rule, Template, TemplateValue};
use crate::tensor::Shape;
use crate::tensor::functions::{Activation, Aggregation, Combination};

/// Most shapes that are told apart for one predicate, and most cases of one rule.
const SHAPES: usize = 6;
const CASES: usize = 64;

/// Rows and columns, as far as they are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pattern {
    rows: Option<u32>,
    cols: Option<u32>,
}

const ANY: Pattern = Pattern { rows: None, cols: None };
const SCALAR: Pattern = Pattern { rows: Some(1), cols: Some(1) };

impl From<Shape> for Pattern {
    fn from(s: Shape) -> Self {
        Pattern { rows: Some(s.rows), cols: Some(s.cols) }
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.exact(), self.rows, self.cols) {
            (Some(shape), ..) => write!(f, "{shape}"),
            (_, Some(r), _) => write!(f, "{{{r},…}}"),
            (_, _, Some(c)) => write!(f, "{{…,{c}}}"),
            _ => f.write_str("{…,…}"),
        }
    }
}

/// The number that both may be, if they may be one.
fn same(a: Option<u32>, b: Option<u32>) -> Option<Option<u32>> {
    match (a, b) {
        (Some(x), Some(y)) if x != y => None,
        _ => Some(a.or(b)),
    }
}

impl Pattern {
    fn exact(self) -> Option<Shape> {
        Some(Shape { rows: self.rows?, cols: self.cols? })
    }
    fn may_be_scalar(self) -> bool {
        self.rows.unwrap_or(1) == 1 && self.cols.unwrap_or(1) == 1
    }
    /// Whether it leaves open what the other one says, and agrees otherwise.
    fn covers(self, other: Pattern) -> bool {
        let dim = |a: Option<u32>, b| a.is_none() || a == b;
        dim(self.rows, other.rows) && dim(self.cols, other.cols)
    }
    fn unified(self, other: Pattern) -> Option<Pattern> {
        Some(Pattern { rows: same(self.rows, other.rows)?, cols: same(self.cols, other.cols)? })
    }
    /// Every shape that [`Shape::times`] may give.
    fn times(self, other: Pattern) -> Vec<Pattern> {
        let mut out = Vec::new();
        if self != SCALAR
            && other != SCALAR
            && let Some(_) = same(self.cols, other.rows)
        {
            add(&mut out, Pattern { rows: self.rows, cols: other.cols });
        }
        if self.may_be_scalar() {
            add(&mut out, other);
        }
        if other.may_be_scalar() {
            add(&mut out, self);
        }
        out
    }
    /// Every shape that [`Shape::joined`] may give.
    fn joined(self, other: Pattern) -> Vec<Pattern> {
        let mut out: Vec<Pattern> = self.unified(other).into_iter().collect();
        if other.may_be_scalar() {
            add(&mut out, self);
        }
        if self.may_be_scalar() {
            add(&mut out, other);
        }
        out
    }
}

fn add(set: &mut Vec<Pattern>, p: Pattern) {
    if !set.iter().any(|q| q.covers(p)) {
        set.retain(|q| !p.covers(*q));
        set.push(p);
    }
    if set.len() > SHAPES {
        *set = vec![ANY];
    }
}

/// What a function makes of each pattern; those that it cannot take fall away.
fn through(set: &[Pattern], f: impl Fn(Pattern) -> Vec<Pattern>) -> Vec<Pattern> {
    let mut out = Vec::new();
    set.iter().flat_map(|p| f(*p)).for_each(|p| add(&mut out, p));
    out
}

fn activated(f: &Activation, p: Pattern) -> Vec<Pattern> {
    match (p.exact(), f) {
        (Some(shape), _) => f.output_shape(shape).ok().map(Pattern::from).into_iter().collect(),
        (None, Activation::Transpose) => vec![Pattern { rows: p.cols, cols: p.rows }],
        (None, Activation::Reshape(to)) => {
            let whole = p.rows.or(p.cols).is_none_or(|n| to.len().is_multiple_of(n.max(1) as usize));
            whole.then_some(Pattern::from(*to)).into_iter().collect()
        }
        // One row and several columns: a slice is of the columns then.
        (None, Activation::Slice(..)) if p.rows.unwrap_or(1) == 1 => vec![ANY],
        (None, Activation::Slice((from, to), cols)) => {
            let fits = p.rows.is_some_and(|r| *to <= r);
            let cols = cols.map_or(p.cols, |(from, to)| Some(to - from));
            fits.then_some(Pattern { rows: Some(to - from), cols }).into_iter().collect()
        }
        (None, _) => vec![p],
    }
}

fn aggregated(f: &Aggregation, p: Pattern) -> Vec<Pattern> {
    match (p.exact(), f) {
        (Some(shape), _) if f.output_shape(shape, 1) != f.output_shape(shape, 2) => vec![ANY],
        (Some(shape), _) => f.output_shape(shape, 2).ok().map(Pattern::from).into_iter().collect(),
        (None, Aggregation::Count) => vec![SCALAR],
        (None, Aggregation::Concat | Aggregation::Softmax(_) | Aggregation::Sparsemax(_)) => vec![ANY],
        (None, _) => vec![p],
    }
}

fn combined(f: &Combination, inputs: &[Vec<Pattern>]) -> Vec<Pattern> {
    let exact: Option<Vec<Shape>> = inputs.iter().map(|set| single(set)?.exact()).collect();
    if let Some(shapes) = exact {
        return f.output_shape(&shapes).ok().map(Pattern::from).into_iter().collect();
    }
    let Some((first, rest)) = inputs.split_first() else { return vec![ANY] };
    let fold = |step: &dyn Fn(Pattern, Pattern) -> Vec<Pattern>| {
        rest.iter()
            .fold(first.clone(), |all, set| through(&all, |a| set.iter().flat_map(|b| step(a, *b)).collect()))
    };
    match f {
        Combination::Sum
        | Combination::Avg
        | Combination::Max
        | Combination::Min
        | Combination::ElProduct => fold(&Pattern::joined),
        Combination::MaxSum | Combination::MinSum => fold(&|a, b| a.unified(b).into_iter().collect()),
        Combination::Product => fold(&Pattern::times),
        Combination::CosSim if inputs.len() != 2 => Vec::new(),
        Combination::Count | Combination::CosSim => vec![SCALAR],
        _ if rest.is_empty() => first.clone(),
        _ => vec![ANY],
    }
}

fn rows(n: u32) -> String {
    counted(n as usize, "row")
}

fn single(set: &[Pattern]) -> Option<Pattern> {
    match set {
        [p] => Some(*p),
        _ => None,
    }
}

/// What is known of a predicate: its shapes and where each comes from.
#[derive(Debug, Clone)]
enum Known {
    /// Nothing derives it yet.
    Nothing,
    /// Facts may give it any shape.
    Open,
    /// One of these.
    These(Vec<(Pattern, Span)>),
}

impl Known {
    fn learn(&mut self, p: Pattern, origin: Span) -> bool {
        match self {
            Known::Open => false,
            _ if p == ANY => {
                *self = Known::Open;
                true
            }
            Known::Nothing => {
                *self = Known::These(vec![(p, origin)]);
                true
            }
            Known::These(list) if list.iter().any(|(q, _)| q.covers(p)) => false,
            Known::These(list) if list.len() < SHAPES => {
                list.push((p, origin));
                true
            }
            Known::These(_) => {
                *self = Known::Open;
                true
            }
        }
    }
}

struct Open<'a> {
    template: &'a Template,
    vocabulary: &'a Vocabulary,
    known: IndexVec<PredId, Known>,
}

/// A shape that an atom of a rule may have; where it comes from.
type Case = (Pattern, Option<Span>);

/// Conflicts of a template without data.
pub(super) fn check(
    template: &Template,
    vocabulary: &Vocabulary,
    database: &Database,
    out: &mut Diagnostics,
) {
    let known = vec![Known::Open; vocabulary.predicate_count()].into();
    let mut open = Open { template, vocabulary, known };
    for rule in template.rules.iter() {
        open.known[rule.head] = Known::Nothing;
    }
    for fact in &template.facts {
        if matches!(open.known[fact.pred], Known::Open) {
            open.known[fact.pred] = Known::Nothing;
        }
    }
    for fact in &template.facts {
        let shape = match fact.value {
            TemplateValue::Constant(v) => database.values.shape(v),
            TemplateValue::Weight(w) => template.weights[w].shape,
        };
        open.known[fact.pred].learn(shape.into(), fact.span);
    }
    open.spread();
    let before = out.len();
    out.extend(template.rules.iter().filter_map(|r| open.rule(r).err()).map(|d| *d));
    if out.len() == before {
        open.targets(database, out);
        open.only_scalars(out);
    }
}

impl Open<'_> {
    /// Follows the rules until nothing changes. What is derived only from itself must begin with facts of the data.
    fn spread(&mut self) {
        loop {
            let mut changed = false;
            for rule in self.template.rules.iter() {
                for p in self.rule(rule).unwrap_or_default() {
                    changed |= self.known[rule.head].learn(p, rule.head_span);
                }
            }
            if changed {
                continue;
            }
            let mut stuck =
                self.template.rules.iter().flat_map(|r| r.visible()).filter_map(|(_, l)| l.predicate());
            match stuck.find(|p| matches!(self.known[*p], Known::Nothing)) {
                Some(p) => self.known[p] = Known::Open,
                None => return,
            }
        }
    }

    /// The shapes of a rule's contribution to its head; nothing if that is not known yet, an error if there is none.
    fn rule(&self, rule: &Rule) -> Result<Vec<Pattern>, Box<Diagnostic>> {
        if rule.is_valueless() {
            let weight = rule.head_weight.or(self.template.atom_offset(rule.head));
            return Ok(vec![weight.map_or(SCALAR, |w| self.template.weights[w].shape.into())]);
        }
        // Every distinct atom has one shape, wherever it stands in the rule.
        let mut atoms: Vec<(&Literal, Vec<Case>)> = Vec::new();
        let mut place: HashMap<usize, usize> = HashMap::default();
        for (i, literal) in rule.visible() {
            let same = |l: &Literal| l.relation == literal.relation && l.args == literal.args;
            let at = match atoms.iter().position(|(l, _)| same(l)) {
                Some(at) => at,
                None => {
                    let Some(cases) = self.cases(rule, literal) else { return Ok(Vec::new()) };
                    atoms.push((literal, cases));
                    atoms.len() - 1
                }
            };
            place.insert(i, at);
        }
        if atoms.iter().try_fold(1usize, |n, (_, c)| n.checked_mul(c.len())).is_none_or(|n| n > CASES) {
            return Ok(vec![ANY]);
        }
        let mut chosen = vec![0; atoms.len()];
        let mut found = Vec::new();
        let mut faults: Vec<Diagnostic> = Vec::new();
        loop {
            let case = |i: usize| atoms[place[&i]].1[chosen[place[&i]]];
            match self.evaluate(rule, &case) {
                Ok(set) => set.into_iter().for_each(|p| add(&mut found, p)),
                Err(d) => faults.push(*d),
            }
            // The next choice, the last atom turning fastest.
            let Some(turn) = (0..atoms.len()).rev().find(|&a| chosen[a] + 1 < atoms[a].1.len()) else {
                break;
            };
            chosen[turn] += 1;
            chosen[turn + 1..].fill(0);
        }
        if !found.is_empty() {
            return Ok(found);
        }
        let mut faults = faults.into_iter();
        let Some(mut first) = faults.next() else { return Ok(vec![ANY]) };
        let mut others: Vec<String> = Vec::new();
        for d in faults.filter(|d| d.title != first.title) {
            if !others.contains(&d.title) {
                others.push(d.title);
            }
        }
        for title in others.iter().take(2) {
            first.notes.push(format!("with another shape of the facts: {title}"));
        }
        Err(Box::new(first))
    }

    /// The shapes that a literal's atom may have in a rule; `None` if nothing derives it yet.
    fn cases(&self, rule: &Rule, literal: &Literal) -> Option<Vec<Case>> {
        let Relation::Predicate(p) = literal.relation else { return Some(vec![(SCALAR, None)]) };
        match &self.known[p] {
            Known::Nothing => None,
            Known::These(list) => Some(list.iter().map(|(p, span)| (*p, Some(*span))).collect()),
            Known::Open => {
                let mut cases: Vec<Case> = Vec::new();
                let own =
                    rule.visible().filter(|(_, l)| l.relation == literal.relation && l.args == literal.args);
                for weight in own.filter(|(_, l)| l.functions.is_empty()).filter_map(|(_, l)| l.weight) {
                    let weight = &self.template.weights[weight];
                    let case = Pattern { rows: Some(weight.shape.cols), cols: None };
                    if !weight.shape.is_scalar() && !cases.iter().any(|(p, _)| *p == case) {
                        cases.push((case, Some(weight.span)));
                    }
                }
                cases.push((if cases.is_empty() { ANY } else { SCALAR }, None));
                Some(cases)
            }
        }
    }

    fn evaluate(&self, rule: &Rule, case: &dyn Fn(usize) -> Case) -> Result<Vec<Pattern>, Box<Diagnostic>> {
        let mut inputs: Vec<Vec<Pattern>> = Vec::new();
        let mut labels: Vec<(Span, String)> = Vec::new();
        if let Some(offset) = rule.offset {
            let weight = &self.template.weights[offset];
            labels.push((weight.span, format!("this is {}", weight.shape)));
            inputs.push(vec![weight.shape.into()]);
        }
        for (i, literal) in rule.visible() {
            let mut set = vec![case(i).0];
            for f in &literal.functions {
                let next = through(&set, |p| activated(f, p));
                if next.is_empty() {
                    let shape = single(&set).unwrap_or(ANY);
                    return Err(Box::new(self.origins(
                        unusable_function(f, shape, literal.span),
                        rule,
                        case,
                    )));
                }
                set = next;
            }
            if let Some(w) = literal.weight {
                let weight = &self.template.weights[w];
                let product = through(&set, |p| Pattern::from(weight.shape).times(p));
                if product.is_empty() {
                    let name =
                        literal.predicate().map(|p| self.vocabulary.predicate_text(p)).unwrap_or_default();
                    let shape = single(&set).unwrap_or(ANY);
                    let d = Diagnostic::new(
                        codes::SHAPE_MISMATCH,
                        format!(
                            "a weight of shape {} cannot multiply `{name}`, which is {shape}",
                            weight.shape
                        ),
                    )
                    .label(weight.span, format!("this weight is {}", weight.shape))
                    .label(literal.span, format!("this literal is {shape}"))
                    .help("a weight of shape {r,c} takes a value of shape {c}, or a scalar; `{n}` alone is {n,1}");
                    return Err(Box::new(self.origins(d, rule, case)));
                }
                set = product;
            }
            let what = single(&set).map_or("of several possible shapes".to_string(), |p| p.to_string());
            labels.push((literal.span, format!("this is {what}")));
            inputs.push(set);
        }
        let sum = combined(&rule.combination, &inputs);
        if sum.is_empty() {
            let mut d = Diagnostic::new(
                codes::SHAPE_MISMATCH,
                format!("the inputs of this rule do not fit together under `{}`", rule.combination),
            );
            for (span, text) in labels {
                d = d.label(span, text);
            }
            let shapes: Option<Vec<Shape>> =
                inputs.iter().map(|set| Some(single(set)?.exact().unwrap_or(Shape::SCALAR))).collect();
            if let (Combination::CosSim, Some(Err(why))) =
                (&rule.combination, shapes.map(|s| rule.combination.output_shape(&s)))
            {
                d = d.note(why);
            }
            return Err(Box::new(self.origins(d, rule, case)));
        }
        let value = through(&sum, |p| activated(&rule.activation, p));
        if value.is_empty() {
            let d = unusable_function(&rule.activation, single(&sum).unwrap_or(ANY), rule.span);
            return Err(Box::new(self.origins(d, rule, case)));
        }
        let whole = through(&value, |p| aggregated(&rule.aggregation, p));
        if whole.is_empty() {
            let shape = single(&value).unwrap_or(ANY);
            let title = format!("`{}` cannot aggregate values of shape {shape}", rule.aggregation);
            let d = Diagnostic::new(codes::FUNCTION_SHAPE, title).label(rule.span, "in this rule");
            return Err(Box::new(self.origins(d, rule, case)));
        }
        let headed = match rule.head_weight.map(|w| &self.template.weights[w]) {
            None => whole,
            Some(weight) => {
                let product = through(&whole, |p| Pattern::from(weight.shape).times(p));
                if product.is_empty() {
                    let shape = single(&whole).unwrap_or(ANY);
                    let mut d = Diagnostic::new(
                        codes::SHAPE_MISMATCH,
                        format!("the weight of the head is {}, the rule's value {shape}", weight.shape),
                    )
                    .label(weight.span, format!("this weight is {}", weight.shape));
                    for (span, text) in labels {
                        d = d.label(span, text);
                    }
                    return Err(Box::new(self.origins(d, rule, case)));
                }
                product
            }
        };
        self.atom(rule, headed, case)
    }

    /// What the head's own offset and activation make of it.
    fn atom(
        &self,
        rule: &Rule,
        headed: Vec<Pattern>,
        case: &dyn Fn(usize) -> Case,
    ) -> Result<Vec<Pattern>, Box<Diagnostic>> {
        let combination = self.template.atom_combination(rule.head);
        let several = self.template.rules.iter().filter(|r| r.head == rule.head).count() > 1;
        let Some(w) = self.template.atom_offset(rule.head) else {
            if !combination.is_identity_of_one() || several && !added_to_vector(&combination) {
                return Ok(vec![ANY]);
            }
            return self.transformed(rule, headed, several, case);
        };
        let offset = &self.template.weights[w];
        let inputs = [vec![Pattern::from(offset.shape)], headed.clone()];
        let joined = combined(&combination, &inputs);
        if joined.is_empty() {
            let name = self.vocabulary.predicate_text(rule.head);
            let shape = single(&headed).unwrap_or(ANY);
            let d = Diagnostic::new(
                codes::SHAPE_MISMATCH,
                format!("the offset of `{name}` is {}, what this rule gives it {shape}", offset.shape),
            )
            .label(offset.span, format!("this is {}", offset.shape))
            .label(rule.head_span, format!("this is {shape}"));
            return Err(Box::new(self.origins(d, rule, case)));
        }
        if several && !added_to_vector(&combination) {
            return Ok(vec![ANY]);
        }
        self.transformed(rule, joined, several, case)
    }

    fn transformed(
        &self,
        rule: &Rule,
        set: Vec<Pattern>,
        several: bool,
        case: &dyn Fn(usize) -> Case,
    ) -> Result<Vec<Pattern>, Box<Diagnostic>> {
        let Some(f) = self.template.stated_activation(rule.head) else { return Ok(set) };
        let next = through(&set, |p| activated(f, p));
        if next.is_empty() && !several {
            let mut d = unusable_function(f, single(&set).unwrap_or(ANY), rule.head_span);
            if let Some(span) = self.template.predicate(rule.head).and_then(|p| p.declared) {
                let name = self.vocabulary.predicate_text(rule.head);
                d = d.label(span, format!("the function of `{name}` is stated here"));
            }
            return Err(Box::new(self.origins(d, rule, case)));
        }
        // One of several rules may give the atom another shape, so that this is no fault of a single one.
        Ok(if next.is_empty() { vec![ANY] } else { next })
    }

    /// Adds where the shapes of a rule's literals come from.
    fn origins(&self, mut d: Diagnostic, rule: &Rule, case: &dyn Fn(usize) -> Case) -> Diagnostic {
        let mut open = Vec::new();
        for (i, literal) in rule.visible() {
            let (Some(p), (pattern, origin)) = (literal.predicate(), case(i)) else { continue };
            let name = self.vocabulary.predicate_text(p);
            let is_open = matches!(self.known[p], Known::Open);
            if is_open && !open.contains(&name) {
                open.push(name.clone());
            }
            let Some(span) = origin else { continue };
            let text = match is_open {
                true => format!("takes `{name}` with {}, or a scalar", rows(pattern.rows.unwrap_or(1))),
                false => format!("`{name}` is {pattern} because of this"),
            };
            if !d.labels.iter().any(|l| l.span == span && l.text == text) {
                d = d.label(span, text);
            }
        }
        if open.is_empty() {
            return d;
        }
        let names: Vec<String> = open.iter().map(|n| format!("`{n}`")).collect();
        d.note(format!("this holds for every shape that the facts of {} may have", names.join(" and ")))
    }

    /// Targets of queries in the template.
    fn targets(&self, database: &Database, out: &mut Diagnostics) {
        for query in &database.queries {
            let (Some((target, _)), Known::These(list)) = (&query.target, &self.known[query.pred]) else {
                continue;
            };
            let fits = |p: &Pattern| match (p.exact(), p.rows.or(p.cols)) {
                (Some(shape), _) => shape.len() == target.len(),
                (None, Some(n)) => (target.len() as u64).is_multiple_of(u64::from(n.max(1))),
                (None, None) => true,
            };
            if list.iter().any(|(p, _)| fits(p)) {
                continue;
            }
            let name = self.vocabulary.predicate_text(query.pred);
            let mut d = Diagnostic::new(
                codes::TARGET_SHAPE,
                format!("the target is {target}, but `{name}` is {}", list[0].0),
            )
            .label(query.span, format!("its target is {target}"));
            for (p, span) in list {
                d = d.label(*span, format!("`{name}` is {p} because of this"));
            }
            out.push(d);
            return;
        }
    }

    /// Predicates whose weights take vectors of different lengths: what fits all of them is a scalar.
    fn only_scalars(&self, out: &mut Diagnostics) {
        for p in self.vocabulary.predicates().filter(|p| matches!(self.known[*p], Known::Open)) {
            let mut widths: Vec<(u32, Span)> = Vec::new();
            for rule in self.template.rules.iter().filter(|r| r.world.is_none()) {
                for (_, l) in
                    rule.visible().filter(|(_, l)| l.predicate() == Some(p) && l.functions.is_empty())
                {
                    let Some(weight) = l.weight.map(|w| &self.template.weights[w]) else { continue };
                    let width = weight.shape.cols;
                    if !weight.shape.is_scalar() && !widths.iter().any(|(w, _)| *w == width) {
                        widths.push((width, weight.span));
                    }
                }
            }
            if let [(first, here), (second, there), ..] = widths[..] {
                let name = self.vocabulary.predicate_text(p);
                out.push(
                    Diagnostic::new(
                        codes::ONLY_SCALAR,
                        format!("the weights before `{name}` fit only facts that are scalars"),
                    )
                    .label(there, format!("takes {}, or a scalar", rows(second)))
                    .label(here, format!("takes {}, or a scalar", rows(first)))
                    .help("a weight {r,c} takes a value with c rows; if the facts have values of one length, so have these weights"),
                );
            }
        }
    }
}
