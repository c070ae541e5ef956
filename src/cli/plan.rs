//! `nlog plan`: how a template is executed on its data, and why.

use super::args::PlanArgs;
use crate::console::options::{inputs, set_threads, settings};
use crate::console::table::short;
use crate::console::{Console, Stop};
use crate::diag::counted;
use crate::learn::{Layout, Reason};
use crate::session::Session;
use crate::session::execution::{
    Access, Execution, Form, JoinOrder, JoinStep, NetworkPlan, OperationPlan, RulePlan, SumPlan,
};
use std::io::{Result, Write};

/// Rules with lines of their own; `--json` writes all.
const SHOWN: usize = 40;
/// Join orders of a rule that are shown.
const ORDERS: usize = 3;

/// `nlog plan`.
pub fn plan(args: PlanArgs, console: &Console) -> std::result::Result<(), Stop> {
    set_threads(args.settings.threads)?;
    let inputs = inputs(&args.files, console)?;
    let mut settings = settings(&args.settings)?;
    args.lifting.apply(&mut settings)?;
    let (session, found) = Session::load(&inputs, settings);
    console.report(&found, &session.sources)?;
    let mut network = None;
    if !session.database.queries.is_empty() {
        let (built, found) = session.build();
        console.report(&found, &session.sources)?;
        network = Some(built.ok_or(Stop::Fault)?);
    }
    let execution = match session.execution(network.as_ref()) {
        Ok(execution) => execution,
        Err(d) => {
            console.report(&[d], &session.sources)?;
            return Err(Stop::Fault);
        }
    };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    if args.json {
        serde_json::to_writer_pretty(&mut out, &execution).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        text(&mut out, &execution)?;
    }
    out.flush()?;
    if network.is_none() {
        console.note(
            "there is no query: what depends on the ground rules (sums, rows, places of samples) is not decided yet",
        );
    }
    Ok(())
}

fn text(out: &mut dyn Write, execution: &Execution) -> Result<()> {
    let own = if execution.rules.len() > SHOWN + 1 { SHOWN } else { execution.rules.len() };
    for (i, rule) in execution.rules[..own].iter().enumerate() {
        if i > 0 {
            writeln!(out)?;
        }
        rule_text(out, rule, execution)?;
    }
    if own < execution.rules.len() {
        let rest = counted(execution.rules.len() - own, "more rule");
        writeln!(out, "\nand {rest} (`--json` writes all)")?;
    }
    if !execution.negations.is_empty() {
        writeln!(out, "\nsoft negations")?;
    }
    for operation in &execution.negations {
        writeln!(out, "  {:<10}{}", "compute", operation_text(operation, false))?;
    }
    match &execution.network {
        Some(network) => network_text(out, network),
        None => Ok(()),
    }
}

fn rule_text(out: &mut dyn Write, rule: &RulePlan, execution: &Execution) -> Result<()> {
    writeln!(out, "{}  {}", rule.place, rule.rule)?;
    let mut line = |name: &str, text: String| writeln!(out, "  {name:<10}{text}");
    for order in rule.orders.iter().take(ORDERS) {
        let title = heading(order, execution.worlds);
        if !title.is_empty() {
            line("join", title)?;
        }
        for (k, step) in order.steps.iter().enumerate() {
            line(
                if k == 0 && order.new.is_none() && order.worlds == execution.worlds { "join" } else { "" },
                step_text(step),
            )?;
        }
    }
    if rule.orders.len() > ORDERS {
        line("", format!("and {} for other sizes", counted(rule.orders.len() - ORDERS, "more order")))?;
    }
    let record = format!("{} bytes", rule.bytes_each);
    let count = match rule.ground_rules {
        Some(n) => format!("{}, {record} each", counted(n, "ground rule")),
        None => format!("{record} a ground rule"),
    };
    let twice = match &rule.deduplicated_by[..] {
        [] => String::new(),
        [one] => format!("; each once, as `{one}` stands in neither the head nor a visible literal"),
        many => {
            let names = many.iter().map(|v| format!("`{v}`")).collect::<Vec<_>>().join(", ");
            format!("; each once, as {names} stand in neither the head nor a visible literal")
        }
    };
    line("ground", format!("{count}{twice}"))?;
    line("grounding", form_text(rule.form).to_string())?;
    for sum in &rule.sums {
        line("sum", sum_text(sum))?;
    }
    for (k, operation) in rule.operations.iter().enumerate() {
        line(if k == 0 { "compute" } else { "" }, operation_text(operation, rule.recursive))?;
    }
    Ok(())
}

/// What stands above the steps of an order, if it is not the only one.
fn heading(order: &JoinOrder, worlds: usize) -> String {
    let new = order.new.iter().map(|l| format!("when {l} has new rows"));
    let some =
        (order.worlds < worlds).then(|| format!("in {} of {}", order.worlds, counted(worlds, "world")));
    let parts: Vec<String> = new.chain(some).collect();
    if parts.is_empty() { String::new() } else { format!("{}:", parts.join(", ")) }
}

fn number(x: f64) -> String {
    short(x, 3)
}

fn step_text(step: &JoinStep) -> String {
    let key = step.key.join(",");
    let columns = step.columns.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
    let word = if step.columns.len() == 1 { "column" } else { "columns" };
    let rows = step.rows.map_or(String::new(), |n| format!(" of {}", number(n)));
    let whole = match (step.part, step.rows) {
        (Some("new rows"), _) => format!("the rows of the last round{rows}"),
        (Some("old rows"), _) => format!("the rows before the last round{rows}"),
        (_, Some(n)) => format!("all {} rows", number(n)),
        (_, None) => "all rows".into(),
    };
    let mut text = match step.access {
        Access::Scan => format!("{}: {whole}", step.literal),
        Access::Index => {
            let expected =
                step.expected.map_or(String::new(), |n| format!(", {}{rows} rows expected", number(n)));
            let found = step.found.map_or(String::new(), |n| format!(", {} found", number(n)));
            format!("{}: index on {word} {columns} ({key}){expected}{found}", step.literal)
        }
        Access::Lookup if step.columns.is_empty() => format!("{}: does it hold", step.literal),
        Access::Lookup => format!("{}: looked up in the set of all rows{rows}", step.literal),
        Access::Constants => format!("{}: every constant", step.literal),
        Access::Test => format!("{}: tested", step.literal),
        Access::Compute => format!("{}: computed", step.literal),
        Access::Absent if step.columns.is_empty() => format!("{}: must not hold", step.literal),
        Access::Absent => format!("{}: no row with {word} {columns} ({key})", step.literal),
    };
    if let Some(part) = step.part.filter(|p| step.access != Access::Scan && *p != "all rows") {
        text += &format!(", {part} only");
    }
    if !step.binds.is_empty() {
        text += &format!("; binds {}", step.binds.join(","));
    }
    let matches = matches!(step.access, Access::Scan | Access::Index | Access::Constants);
    if step.once && matches {
        text += "; one is enough";
    }
    text
}

fn form_text(form: Form) -> &'static str {
    match form {
        Form::Plain => "no value enters: the head gets a plain one",
        Form::HandsOn => "no row: it hands on its one value as it is",
        Form::PerValue => {
            "a row for every value of its one visible literal, shared by all groundings that read it"
        }
        Form::PerGrounding => "a row for every grounding that reads other values",
    }
}

fn sum_text(sum: &SumPlan) -> String {
    let SumPlan { weight, sums, summands, operations_after: after, .. } = sum;
    let of = format!("{} of {}", counted(*sums, "sum"), counted(*summands, "value"));
    match (sum.operations_before, sum.weight_first) {
        (Some(before), true) => {
            format!("{weight} before the sum: {before} operations, after it {after} ({of})")
        }
        (Some(before), false) => {
            format!("{weight} after the sum: {after} operations, before it {before} ({of})")
        }
        (None, _) => format!("{weight} after the sum: {after} operations; a scalar commutes for free ({of})"),
    }
}

fn operation_text(o: &OperationPlan, recursive: bool) -> String {
    let what = match (&o.weight, o.operation.contains("weight")) {
        (Some(weight), true) if o.operation.contains("columns of the weight") => {
            format!("{}; its constants are mostly zeros", o.operation.replace("the weight", weight))
        }
        (Some(weight), _) => o.operation.replacen("weight", weight, 1),
        (None, _) => o.operation.clone(),
    };
    let levels = match (o.blocks_a_program, recursive) {
        (n, true) if n > 1 => {
            format!("{}, level by level, at most {n} in a program", counted(o.blocks, "block"))
        }
        _ => counted(o.blocks, "block"),
    };
    let alone = match o.kind {
        "activation" => " by itself, as its derivative needs its input",
        _ => "",
    };
    let sources =
        if o.kind == "aggregation" { format!(" of {}", counted(o.sources, "value")) } else { String::new() };
    format!("{what}{alone}: {}{sources} in {levels}", counted(o.rows, "row"))
}

fn network_text(out: &mut dyn Write, network: &NetworkPlan) -> Result<()> {
    writeln!(
        out,
        "\n{}, {} in {}, {} without a row of its own, {} numbers in the arenas",
        counted(network.programs, "program"),
        counted(network.rows, "row"),
        counted(network.blocks, "block"),
        counted(network.copies, "neuron"),
        network.numbers
    )?;
    let mut kinds: Vec<(bool, Reason)> = Vec::new();
    for l in network.layouts.iter().filter(|l| l.samples > 0) {
        if !kinds.contains(&(l.apart, l.reason)) {
            kinds.push((l.apart, l.reason));
        }
    }
    for kind in kinds {
        let own: Vec<&Layout> =
            network.layouts.iter().filter(|l| l.samples > 0 && (l.apart, l.reason) == kind).collect();
        let sum = |of: &dyn Fn(&Layout) -> usize| own.iter().map(|l| of(l)).sum::<usize>();
        let (samples, rows) = (sum(&|l| l.samples), sum(&|l| l.rows));
        let apart: Option<usize> = own.iter().map(|l| l.rows_apart).sum();
        let place =
            if kind.0 { "apart, each in a small arena" } else { "together, in the arena of the program" };
        let sizes = apart.map_or(format!("{rows} rows"), |n| format!("{n} rows apart, {rows} together"));
        writeln!(
            out,
            "{} of {} computed {place}: {} ({sizes})",
            counted(samples, "sample"),
            counted(own.len(), "program"),
            reason_text(kind.1)
        )?;
    }
    Ok(())
}

fn reason_text(reason: Reason) -> &'static str {
    match reason {
        Reason::OneProgram => "every step takes all samples, and one program computes what they share once",
        Reason::FewShared => "they share few rows",
        Reason::SmallBatches => "they share rows, but a batch has too few of them to gain by it",
        Reason::FullBatches => "they share rows, and every step takes all",
        Reason::LargeBatches => "they share rows, and a batch has many of them",
        Reason::TooManyRows => "apart they would take too much memory",
    }
}
