//! `nlog lift --quotient`: ground rules on classes of constants, as text.

use crate::base::hash::IndexMap;
use crate::console::table::print_table;
use crate::diag::counted;
use crate::ground::fragment::Obstacle;
use crate::session::quotient::{Both, Quotient, RuleQuotient};
use std::io::{Result, Write};

/// Predicates, and rules that stay on constants, with a line of their own; `--json` writes all.
const SHOWN: usize = 20;

/// Writes what grounding on classes of constants would leave.
pub(super) fn counted_on_classes(out: &mut dyn Write, quotient: &Quotient) -> Result<()> {
    let mut heads: IndexMap<&str, (usize, Both, bool)> = IndexMap::default();
    for rule in &quotient.rules {
        let head = heads.entry(&rule.head).or_insert((0, Both::default(), true));
        head.0 += rule.ground_rules;
        head.1.sample += rule.quotient.sample;
        head.1.all += rule.quotient.all;
        head.2 &= rule.obstacle.is_none();
    }
    let mut heads: Vec<_> = heads.into_iter().collect();
    heads.sort_by_key(|(_, (ground, both, _))| both.all as i64 - *ground as i64);
    let title = ["ground rules of", "now", "sample", "all", "joined over"].map(str::to_string);
    let mut table = vec![title.to_vec()];
    let mut row = |name: &str, ground: usize, both: Both, over: &str| {
        let numbers = [ground, both.sample, both.all].map(|n| n.to_string());
        table.push([name.to_string()].into_iter().chain(numbers).chain([over.to_string()]).collect());
    };
    let own = if heads.len() > SHOWN + 1 { SHOWN } else { heads.len() };
    let (own, rest) = heads.split_at(own);
    for (name, (ground, both, classes)) in own {
        row(name, *ground, *both, if *classes { "classes" } else { "constants" });
    }
    if !rest.is_empty() {
        let (mut ground, mut both) = (0, Both::default());
        for (_, (g, b, _)) in rest {
            ground += g;
            both.sample += b.sample;
            both.all += b.all;
        }
        row(&format!("{} more", rest.len()), ground, both, "");
    }
    row("all", quotient.ground_rules, quotient.quotient, "");
    row("constants", quotient.constants, quotient.classes, "");
    writeln!(out)?;
    print_table(out, &table)?;
    writeln!(
        out,
        "{} of refinement, {:.1} ms on one thread; nothing is grounded on classes, this is only a count",
        counted(quotient.rounds, "round"),
        quotient.seconds * 1e3
    )?;
    let stays = |r: &RuleQuotient| r.obstacle.map(|o: Obstacle| format!("{}: {}", r.place, o.text()));
    let stays: Vec<String> = quotient.rules.iter().filter_map(stays).collect();
    if !stays.is_empty() {
        writeln!(out, "joined over constants:")?;
    }
    for line in stays.iter().take(SHOWN) {
        writeln!(out, "  {line}")?;
    }
    if stays.len() > SHOWN {
        writeln!(out, "  and {}", counted(stays.len() - SHOWN, "more rule"))?;
    }
    Ok(())
}
