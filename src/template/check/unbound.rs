//! Variables that no positive literal binds, and what they cost.

use crate::diag::{Diagnostic, codes, counted};
use crate::template::{Relation, Template, Unbound};

/// What grounding says about a rule with an unbound variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// There is nothing to ground on.
    Unknown,
    /// No query needs the rule.
    NotGrounded,
    /// Grounding was given up at this number of ground rules.
    Beyond(usize),
    /// It was counted.
    Counted {
        /// Fewest and most constants of a world.
        constants: (usize, usize),
        /// Worlds.
        worlds: usize,
        /// Instances of the rule over all worlds.
        instances: usize,
    },
}

/// The warning about an unbound variable.
pub fn unbound(template: &Template, variable: &Unbound, extent: Extent) -> Diagnostic {
    let name = &variable.name;
    let rule = template.rules.iter().find(|r| r.span == variable.rule);
    let mut matched =
        rule.iter().flat_map(|r| &r.body).filter(|l| l.binds() && l.relation != Relation::Domain);
    let text = match extent {
        Extent::Unknown if matched.next().is_some() => {
            "every match of the other literals is taken once for each constant".to_string()
        }
        Extent::Unknown => "the rule is taken once for each constant".to_string(),
        Extent::NotGrounded => "no query needs this rule: here it costs nothing".to_string(),
        Extent::Beyond(n) => format!("grounding this takes more than {}", counted(n, "ground rule")),
        Extent::Counted { constants: (least, most), worlds, instances } => {
            let constants = match most {
                1 => "the one constant".to_string(),
                _ if least == most => format!("all {most} constants"),
                _ => format!("all {least} to {most} constants"),
            };
            let worlds =
                if worlds > 1 { format!(" of each of the {worlds} examples") } else { String::new() };
            let instances = counted(instances, "instance");
            format!("`{name}` ranges over {constants}{worlds}: {instances} of this rule")
        }
    };
    Diagnostic::new(
        codes::UNSAFE_VARIABLE,
        format!("no positive literal binds `{name}`: it ranges over all constants"),
    )
    .label(variable.span, text)
    .help(format!("bind it by a literal, or say so openly with `@dom({name})`"))
}
