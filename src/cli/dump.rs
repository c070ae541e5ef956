//! `nlog run --dump STAGE`: what a stage of the pipeline made, as text.

use crate::base::index::Id;
use crate::base::span::{Source, SourceId};
use crate::console::table::value;
use crate::console::{Console, Stop};
use crate::data::{ConstId, PredId, Query, WorldId};
use crate::diag::{Diagnostics, has_errors};
use crate::exec::program::Kind;
use crate::exec::{Block, Program};
use crate::graph::{NeuronId, Op};
use crate::ground::GroundProgram;
use crate::ground::semiring::{Degrees, Semiring};
use crate::plan;
use crate::session::inspect::WorldView;
use crate::session::{Network, Session};
use crate::syntax::ast;
use crate::syntax::token::{TokenKind, Tokens};
use crate::template::check::shapes;
use crate::template::{HeadTerm, Literal, Relation, Rule, RuleId, TemplateValue, Term, Trains, WeightId};
use crate::tensor::{Activation, Shape};
use std::fmt::Display;
use std::io::{Result, Write};
use std::ops::ControlFlow;

/// A stage of the pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Tokens of all texts, without white space.
    Tokens,
    /// Statements of the template.
    Ast,
    /// The resolved program.
    Template,
    /// Join orders.
    Plan,
    /// Ground rules.
    Ground,
    /// Neurons.
    Graph,
    /// Blocks.
    Program,
}

impl Stage {
    const ALL: &[(&str, Stage)] = &[
        ("tokens", Stage::Tokens),
        ("ast", Stage::Ast),
        ("template", Stage::Template),
        ("plan", Stage::Plan),
        ("ground", Stage::Ground),
        ("graph", Stage::Graph),
        ("program", Stage::Program),
    ];

    /// The stage of a name.
    pub fn parse(name: &str) -> Option<Stage> {
        Stage::ALL.iter().find(|(n, _)| *n == name).map(|(_, s)| *s)
    }

    /// All names, in order.
    pub fn names() -> Vec<&'static str> {
        Stage::ALL.iter().map(|(n, _)| *n).collect()
    }

    /// Whether it shows neurons, which a semiring has none of.
    pub fn has_neurons(self) -> bool {
        matches!(self, Stage::Graph | Stage::Program)
    }

    /// Whether it takes queries: only what supports them is grounded.
    pub fn needs_queries(self) -> bool {
        matches!(self, Stage::Ground | Stage::Graph | Stage::Program)
    }
}

/// What reading found and gave.
pub struct Read {
    /// What it gave.
    pub session: Session,
    /// The statements of the template.
    pub files: Vec<ast::File>,
    /// What it found.
    pub found: Diagnostics,
}

/// Prints a stage; ground rules with the values of the atoms that they derive in a semiring, if one is asked for.
pub fn dump(
    stage: Stage,
    semiring: Option<Semiring>,
    read: Read,
    console: &Console,
) -> std::result::Result<(), Stop> {
    let Read { session, files, found } = read;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    // The first stages show what there is even if it is faulty: that is when one wants to see it.
    match stage {
        Stage::Tokens => tokens(&mut out, &session)?,
        Stage::Ast => {
            let statements = files.into_iter().flat_map(|f| f.statements).collect();
            write!(out, "{}", ast::File { statements, ..Default::default() })?;
        }
        _ if has_errors(&found) => {}
        Stage::Template => template(&mut out, &session)?,
        Stage::Plan => {
            let mut result = Ok(());
            let mut shown = false;
            let mut first = |view: &WorldView<'_>| {
                shown = true;
                result = plans(&mut out, &session, Some(view));
                ControlFlow::Break(())
            };
            let overflow = session.each_world(&mut first).err();
            result?;
            if let Some(d) = overflow {
                return console.report(&[d], &session.sources);
            }
            if !shown {
                plans(&mut out, &session, None)?;
            }
        }
        Stage::Ground | Stage::Graph => {
            let mut result = Ok(());
            let overflow = match semiring {
                Some(semiring) => {
                    let mut show = |world, program: &GroundProgram, degrees: &Degrees| {
                        result = ground(&mut out, &session, world, program)
                            .and_then(|()| derived(&mut out, &session, program, degrees));
                        if result.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                    };
                    session.each_valued(semiring, &mut show).err()
                }
                None => {
                    let mut show = |view: &WorldView<'_>| {
                        result = match stage {
                            Stage::Ground => ground(&mut out, &session, view.world, view.ground),
                            _ => graph(&mut out, &session, view),
                        };
                        if result.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                    };
                    session.each_world(&mut show).err()
                }
            };
            result?;
            if let Some(d) = overflow {
                out.flush()?;
                return console.report(&[d], &session.sources);
            }
        }
        Stage::Program => {
            let (network, found) = session.build();
            console.report(&found, &session.sources)?;
            for (number, program) in network.iter().flat_map(|n| n.programs.iter().enumerate()) {
                let network = network.as_ref().ok_or(Stop::Fault)?;
                blocks(&mut out, &session, network, number, program)?;
            }
        }
    }
    out.flush()?;
    console.report(&found, &session.sources)
}

/// A shape as it is written in a template.
fn shape(shape: Shape) -> String {
    if shape.is_scalar() { "{1}".into() } else { shape.to_string() }
}

fn joined<T: Display>(items: impl IntoIterator<Item = T>, separator: &str) -> String {
    let items: Vec<String> = items.into_iter().map(|i| i.to_string()).collect();
    items.join(separator)
}

fn weight(session: &Session, id: WeightId) -> String {
    format!("${}", session.template.weights[id].name)
}

fn tokens(out: &mut dyn Write, session: &Session) -> Result<()> {
    for source in session.sources.ids() {
        tokens_of(out, session, source)?;
    }
    Ok(())
}

fn tokens_of(out: &mut dyn Write, session: &Session, source: SourceId) -> Result<()> {
    let Source { name, table, .. } = session.sources.get(source);
    if *table {
        return writeln!(out, "{name}: a table, which is read by rows and cells, not by tokens");
    }
    writeln!(out, "{name}:")?;
    let text = session.sources.text(source);
    let (mut line, mut column) = (1, 1);
    for token in Tokens::new(text) {
        let slice = &text[token.range()];
        if token.kind != TokenKind::Space {
            let kind = format!("{:?}", token.kind);
            writeln!(out, "  {:<7} {kind:<13} {}", format!("{line}:{column}"), slice.escape_debug())?;
        }
        match slice.rsplit_once('\n') {
            Some((before, last)) => {
                line += 1 + before.matches('\n').count();
                column = 1 + last.chars().count();
            }
            None => column += slice.chars().count(),
        }
    }
    Ok(())
}

fn template(out: &mut dyn Write, session: &Session) -> Result<()> {
    let (template, vocabulary) = (&session.template, &session.vocabulary);
    let d = &template.defaults;
    writeln!(out, "defaults:")?;
    writeln!(
        out,
        "  rule: transformation {}, combination {}, aggregation {}",
        d.rule_activation, d.rule_combination, d.aggregation
    )?;
    writeln!(out, "  atom: transformation {}, combination {}", d.atom_activation, d.atom_combination)?;
    writeln!(out, "weights:")?;
    for (id, w) in template.weights.iter_enumerated() {
        let learned = if w.learnable { "learned" } else { "fixed" };
        let family = if w.is_family() { ", a family" } else { "" };
        let start = match &w.initial {
            Some(v) => format!("= {}", value(v, None)),
            None if w.orthogonal => format!("drawn orthogonal with gain {}", w.gain),
            None => format!("drawn with gain {}", w.gain),
        };
        let group =
            template.group_of(id).map_or(String::new(), |g| format!(", group {}", template.groups[g]));
        writeln!(out, "  {} {} {learned}, {start}{family}{group}", weight(session, id), shape(w.shape))?;
    }
    writeln!(out, "predicates:")?;
    let shapes = shapes(template, vocabulary, &session.database);
    for pred in vocabulary.predicates() {
        let inferred = shapes.get(pred).map_or("{?}".to_string(), shape);
        write!(out, "  {} {inferred}", vocabulary.predicate_text(pred))?;
        if template.rules.iter().any(|r| r.head == pred) {
            let stated = template.stated_activation(pred);
            let activation = stated.unwrap_or(&d.atom_activation);
            write!(out, " transformation {activation}, combination {}", template.atom_combination(pred))?;
            if let Some(offset) = template.atom_offset(pred) {
                write!(out, ", offset {}", weight(session, offset))?;
            }
        }
        match template.trains(pred) {
            Trains::All => {}
            Trains::Only(g) => write!(out, " trains {}", template.groups[g])?,
            Trains::AllBut(g) => write!(out, " freezes {}", template.groups[g])?,
        }
        writeln!(out)?;
    }
    writeln!(out, "rules:")?;
    for (id, rule) in template.rules.iter_enumerated() {
        writeln!(
            out,
            "  {}: {}  [transformation={}, combination={}, aggregation={}]",
            id.index(),
            rule_text(session, rule),
            rule.activation,
            rule.combination,
            rule.aggregation
        )?;
    }
    if !template.facts.is_empty() {
        writeln!(out, "facts:")?;
    }
    for fact in &template.facts {
        let worth = match fact.value {
            TemplateValue::Constant(v) => format!("<{}>", value(session.database.values.get(v), None)),
            TemplateValue::Weight(w) => weight(session, w),
        };
        writeln!(out, "  {worth} {}.", vocabulary.atom_text(fact.pred, fact.args.iter().copied()))?;
    }
    Ok(())
}

fn terms(session: &Session, rule: &Rule, args: &[Term]) -> String {
    if args.is_empty() {
        return String::new();
    }
    let term = |t: &Term| match t {
        Term::Variable(v) => rule.variables[*v].clone(),
        Term::Constant(c) => session.vocabulary.constant_text(*c).to_string(),
    };
    format!("({})", joined(args.iter().map(term), ","))
}

fn literal_text(session: &Session, rule: &Rule, literal: &Literal) -> String {
    let name = match literal.relation {
        Relation::Predicate(p) | Relation::Special(_, p) => session.vocabulary.predicate_name(p),
        Relation::Domain => "@dom",
    };
    let term = |t: &Term| match t {
        Term::Variable(v) => rule.variables[*v].clone(),
        Term::Constant(c) => session.vocabulary.constant_text(*c).to_string(),
    };
    if let Some(text) = literal.comparison_text(&term) {
        return text;
    }
    let member = literal.member.map_or(String::new(), |at| picked(session, rule, &rule.body[at].args));
    let weight = literal.weight.map_or(String::new(), |w| format!("{}{member} ", weight(session, w)));
    let star = if literal.hidden { "*" } else { "" };
    format!("{weight}{}{star}{name}{}", literal.sign, terms(session, rule, &literal.args))
}

/// What picks the member of a family.
fn picked(session: &Session, rule: &Rule, args: &[Term]) -> String {
    let text = terms(session, rule, args);
    format!("[{}]", text.trim_start_matches('(').trim_end_matches(')'))
}

fn rule_text(session: &Session, rule: &Rule) -> String {
    let pick = |term: &HeadTerm| match term {
        HeadTerm::Argument(i) => rule.head_args[*i],
        HeadTerm::Constant(c) => Term::Constant(*c),
    };
    let member: Vec<Term> = rule.head_member.iter().map(pick).collect();
    let member = if member.is_empty() { String::new() } else { picked(session, rule, &member) };
    let mut out = rule.head_weight.map_or(String::new(), |w| format!("{}{member} ", weight(session, w)));
    out += session.vocabulary.predicate_name(rule.head);
    out += &terms(session, rule, &rule.head_args);
    let body = rule.body.iter().filter(|l| !l.picks_member()).map(|l| literal_text(session, rule, l));
    let items: Vec<String> = body.chain(rule.offset.map(|w| weight(session, w))).collect();
    format!("{out} :- {}.", items.join(", "))
}

/// Join orders, as they would be with the relations of a world when it is fully grounded; without a world, with the
/// shared facts.
fn plans(out: &mut dyn Write, session: &Session, view: Option<&WorldView<'_>>) -> Result<()> {
    let rows = |p: PredId| match view {
        Some(view) => view.ground.relations[p].len(),
        None => session.database.shared.table(p).map_or(0, |t| u32::try_from(t.len()).unwrap_or(u32::MAX)),
    };
    match view {
        Some(view) => writeln!(out, "{}", world_text(session, view.world))?,
        None => writeln!(out, "shared facts")?,
    }
    for (id, rule) in session.template.rules.iter_enumerated() {
        if rule.world.is_some_and(|w| view.is_none_or(|v| v.world != w)) {
            continue;
        }
        writeln!(out, "  {}: {}", id.index(), rule_text(session, rule))?;
        let component = &session.strata.component;
        let recursive = |p: PredId| component[p] == component[rule.head];
        let size = |p: PredId| plan::rounded_size(rows(p));
        let deltas: Vec<usize> = (0..rule.body.len())
            .filter(|&i| rule.body[i].binds() && rule.body[i].predicate().is_some_and(recursive))
            .collect();
        let show =
            |delta| plan::describe(&plan::plan(rule, delta, &recursive, &size), rule, &session.vocabulary);
        if deltas.is_empty() {
            write!(out, "{}", show(None))?;
        }
        for delta in deltas {
            writeln!(out, "   new {}:", literal_text(session, rule, &rule.body[delta]))?;
            write!(out, "{}", show(Some(delta)))?;
        }
    }
    Ok(())
}

fn world_text(session: &Session, world: WorldId) -> String {
    if world == WorldId::SHARED {
        return "shared world".to_string();
    }
    let sample = session.database.queries.iter().find(|q| q.world == world).map_or("", |q| &q.sample);
    format!("world {} ({sample})", world.index())
}

fn row_text(session: &Session, ground: &GroundProgram, pred: PredId, row: u32) -> String {
    session.vocabulary.atom_text(pred, ground.relations[pred].row(row).iter().copied())
}

fn ground(out: &mut dyn Write, session: &Session, world: WorldId, program: &GroundProgram) -> Result<()> {
    writeln!(out, "{}", world_text(session, world))?;
    for (id, instances) in program.instances.iter_enumerated() {
        let rule = &session.template.rules[id];
        for i in 0..instances.len() {
            write!(out, "  {}: {}", id.index(), row_text(session, program, rule.head, instances.head(i)))?;
            let visible = rule.visible().zip(instances.body(i));
            for (n, ((_, literal), &row)) in visible.enumerate() {
                let pred = match literal.relation {
                    Relation::Predicate(p) | Relation::Special(_, p) => p,
                    Relation::Domain => continue,
                };
                let arrow = if n == 0 { " :- " } else { ", " };
                write!(out, "{arrow}{}{}", literal.sign, row_text(session, program, pred, row))?;
            }
            writeln!(out, ".")?;
        }
    }
    Ok(())
}

/// The atoms of predicates that rules derive, each with its value, those that the template does not name left out.
fn derived(out: &mut dyn Write, session: &Session, program: &GroundProgram, degrees: &Degrees) -> Result<()> {
    for pred in session.vocabulary.predicates() {
        let heads = session.template.rules.iter().any(|r| r.head == pred);
        if !heads || session.vocabulary.is_internal(pred) {
            continue;
        }
        for row in 0..program.relations[pred].len() {
            let worth = value(&[degrees.value(pred, row)], None);
            writeln!(out, "  {} = {worth}", row_text(session, program, pred, row))?;
        }
    }
    Ok(())
}

fn rules_text(rules: &[RuleId]) -> String {
    let word = if rules.len() == 1 { "rule" } else { "rules" };
    format!("{word} {}", joined(rules.iter().map(|r| r.index()), ", "))
}

fn op_text(session: &Session, op: &Op) -> String {
    match op {
        Op::Value(id) => format!("value {}", value(session.database.values.get(*id), None)),
        Op::Number(bits) => format!("value {}", value(&[f64::from_bits(*bits)], None)),
        Op::Weight(id) => format!("weight {}", weight(session, *id)),
        Op::Negation => "negation".into(),
        Op::Weighing { rule, literal: None } => format!("weight before the head of rule {}", rule.index()),
        Op::Weighing { rule, literal: Some(at) } => {
            let r = &session.template.rules[*rule];
            format!("{} in rule {}", literal_text(session, r, &r.body[*at as usize]), rule.index())
        }
        Op::Rule { rule, dropped } if dropped.is_empty() => format!("rule {}", rule.index()),
        Op::Rule { rule, dropped } => {
            format!("rule {} without inputs {}", rule.index(), joined(dropped, ", "))
        }
        Op::Aggregation(rule) => format!("aggregation of rule {}", rule.index()),
        Op::Atom { pred, rules, output } => {
            let queried = if *output { "queried " } else { "" };
            let name = session.vocabulary.predicate_text(*pred);
            if rules.is_empty() {
                format!("{queried}atom of {name}")
            } else {
                format!("{queried}atom of {name} by {}", rules_text(rules))
            }
        }
    }
}

fn graph(out: &mut dyn Write, session: &Session, view: &WorldView<'_>) -> Result<()> {
    writeln!(out, "{}", world_text(session, view.world))?;
    for neuron in 0..view.graph.len() {
        write!(out, "  {neuron}: {}", op_text(session, view.graph.operation(neuron)))?;
        let inputs = view.graph.inputs(neuron);
        let arrow = if inputs.is_empty() { "" } else { " <- " };
        let times = view.graph.times(neuron);
        let input = |(k, i): (usize, &NeuronId)| match times.map_or(1, |t| t[k]) {
            1 => i.0.to_string(),
            n => format!("{n}*{}", i.0),
        };
        writeln!(out, "{arrow}{}", joined(inputs.iter().enumerate().map(input), ", "))?;
    }
    for output in &view.graph.outputs {
        let (query, args) = &view.answers[output.answer as usize];
        let query = &session.database.queries[*query];
        writeln!(out, "  {} = {}", answer_text(session, query, args), output.neuron.0)?;
    }
    Ok(())
}

fn answer_text(session: &Session, query: &Query, args: &[ConstId]) -> String {
    session.vocabulary.atom_text(query.pred, args.iter().copied())
}

/// What a block applies to its products.
fn applied(activation: &Activation) -> String {
    if activation.is_identity() { String::new() } else { format!("{activation} of ") }
}

/// What a row reads: offsets of values, or places in a constant column with their factors.
fn sources_text(block: &Block, row: usize) -> String {
    if let Kind::Columns { starts, columns, factors, .. } = &block.kind {
        let elements = starts[row] as usize..starts[row + 1] as usize;
        let element = |e: usize| match factors[e] {
            1.0 => columns[e].to_string(),
            x => format!("{x}*{}", columns[e]),
        };
        return joined(elements.map(element), ", ");
    }
    let times = match &block.kind {
        Kind::Reduce { times, starts, .. } if !times.is_empty() => &times[starts[row] as usize..],
        _ => &[],
    };
    let source = |(k, s): (usize, &u32)| match times.get(k).copied().unwrap_or(1) {
        1 => s.to_string(),
        n => format!("{n}*{s}"),
    };
    joined(block.row_sources(row).iter().enumerate().map(source), ", ")
}

fn kind_text(session: &Session, kind: &Kind) -> String {
    match kind {
        Kind::Linear { weight: w, activation, input, .. } => {
            format!("{}linear {} of {}", applied(activation), weight(session, *w), shape(*input))
        }
        Kind::Rowwise { weights, activation, input, .. } => {
            let weights = joined(weights.iter().map(|w| weight(session, *w)), ", ");
            format!("{}rows of {weights} of {}", applied(activation), shape(*input))
        }
        Kind::Columns { weight: w, activation, .. } => {
            format!("{}columns of {}", applied(activation), weight(session, *w))
        }
        Kind::Combine { combination, activation, inputs, .. } => {
            format!("{activation} of {combination} of {}", joined(inputs.iter().map(|s| shape(*s)), ", "))
        }
        Kind::Activate { activation, input, .. } => format!("{activation} of {}", shape(*input)),
        Kind::Reduce { aggregation, activation, input, .. } => {
            format!("{}{aggregation} over {}", applied(activation), shape(*input))
        }
    }
}

fn blocks(
    out: &mut dyn Write,
    session: &Session,
    network: &Network,
    number: usize,
    program: &Program,
) -> Result<()> {
    writeln!(out, "program {number}: {} numbers", program.arena)?;
    for leaf in &program.leaves {
        writeln!(out, "  at {}: weight {}", leaf.offset, weight(session, leaf.weight))?;
    }
    if !program.constants.is_empty() {
        let list = joined(program.constants.iter().map(|&x| value(&[x], None)), ", ");
        writeln!(out, "  at {}: constants {list}", program.constants_base)?;
    }
    for block in &program.blocks {
        let kind = kind_text(session, &block.kind);
        let word = if block.rows == 1 { "row" } else { "rows" };
        write!(out, "  at {}: {} {word} of {}, {kind} from ", block.base, block.rows, shape(block.shape))?;
        for row in 0..block.rows {
            let separator = if row == 0 { "" } else { "; " };
            write!(out, "{separator}{}", sources_text(block, row))?;
        }
        writeln!(out)?;
    }
    for answer in &network.answers {
        let Some((_, output)) = answer.place.filter(|(shard, _)| *shard == number) else { continue };
        let slot = program.outputs[output];
        let query = &session.database.queries[answer.query];
        let atom = answer_text(session, query, &answer.args);
        writeln!(out, "  {}: {atom} {} at {}", query.sample, shape(slot.shape), slot.offset)?;
    }
    Ok(())
}
