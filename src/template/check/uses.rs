//! Uses of modules that share a result.

use crate::base::hash::HashMap;
use crate::base::span::{SourceMap, Span};
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::syntax::ast::{self, Statement};

/// Uses of different modules that both state how the atoms of one predicate end: each takes the predicate for its own
/// result, but the program adds up what they derive.
///
/// One module used several times for one result is a common way to say a sum over relations, and what stands in the text
/// of a module is meant by its author; neither is told. A combination that the program itself states for the predicate
/// says that the sum is meant.
pub fn shared_results(files: &[ast::File], sources: &SourceMap) -> Diagnostics {
    /// The outermost use that a statement stems from.
    struct Maker {
        at: Span,
        /// The module, as messages name it.
        module: String,
    }
    // A predicate, its first maker, and the first that is another one.
    let mut known: HashMap<(&str, u32), (Maker, Option<Maker>)> = HashMap::default();
    let mut meant: Vec<(&str, u32)> = Vec::new();
    let mut order: Vec<(&str, u32)> = Vec::new();
    for statement in files.iter().flat_map(|f| &f.statements) {
        let Statement::PredicateMetadata(p) = statement else { continue };
        let key = (p.name.node.as_str(), p.arity);
        for entry in &p.entries {
            let expansions = sources.expansions(entry.key.span.source);
            let uses = expansions.iter().rev();
            let used = uses.into_iter().find(|(at, _)| sources.slice(*at).starts_with("@use"));
            match (entry.key.node.as_str(), used) {
                ("combination", None) => meant.push(key),
                ("transformation" | "activation", Some((at, note))) => {
                    let maker = Maker { at: *at, module: (*note).to_string() };
                    match known.get_mut(&key) {
                        None => {
                            known.insert(key, (maker, None));
                            order.push(key);
                        }
                        Some((first, other @ None))
                            if first.at != maker.at && first.module != maker.module =>
                        {
                            *other = Some(maker);
                        }
                        Some(_) => {}
                    }
                }
                _ => {}
            }
        }
    }
    let told = order.into_iter().filter(|key| !meant.contains(key));
    let found = told.filter_map(|key| {
        let (name, (first, second)) = (format!("{}/{}", key.0, key.1), known.get(&key)?);
        let second = second.as_ref()?;
        let title = format!("two uses derive `{name}`: their results are added up");
        let help = format!(
            "give them results of different names; if the sum is meant, `{name} [combination=sum]` says so"
        );
        Some(
            Diagnostic::new(codes::ADDED_UP, title)
                .label(second.at, "this use adds its result")
                .label(first.at, "to that of this one")
                .help(help),
        )
    });
    found.collect()
}
