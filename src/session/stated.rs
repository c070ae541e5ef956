//! Queries that cannot be derived and have a value that the user states, `--unprovable value:X`.

use super::{Network, Session, Unprovable};
use crate::data::Query;
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::learn::Stated;

impl Session {
    /// Whether a query that cannot be derived is measured at its stated value: its target must be one number, as this
    /// value is, and a group has no place for what is not derived.
    pub(super) fn is_measured(&self, query: &Query) -> bool {
        let target = query.target.as_ref();
        target.is_some_and(|(_, t)| t.len() == 1) && self.template.classes(query.pred).is_none()
    }

    /// What the metrics take besides the samples: answers without a place that have a target.
    pub(super) fn add_stated(&self, network: &mut Network) {
        let Unprovable::Value(value) = self.settings.unprovable else { return };
        for (i, answer) in network.answers.iter().enumerate().filter(|(_, a)| a.place.is_none()) {
            let query = &self.database.queries[answer.query];
            if let Some((shape, target)) = query.target.as_ref().filter(|_| self.is_measured(query)) {
                network.stated.push(Stated {
                    value,
                    target: self.settings.compat.written(*shape, target),
                    importance: query.importance,
                    split: query.split,
                });
                network.stated_answers.push(i);
            }
        }
    }

    /// Tells of queries, so many of those asked, that cannot be derived and were left out or have a stated value.
    pub(super) fn tell_left_out(&self, network: &Network, left_out: usize, out: &mut Diagnostics) {
        if left_out == 0 {
            return;
        }
        let of = network.asked.len();
        let targets = |i: &&crate::answer::Answer| self.database.queries[i.query].target.is_some();
        let labelled = network.answers.iter().filter(|a| a.place.is_none()).filter(targets).count();
        let measured = network.stated.len();
        let what = match self.settings.unprovable {
            Unprovable::Value(v) if labelled == 0 => format!("have the stated value {v}"),
            Unprovable::Value(v) if measured == 0 => {
                format!(
                    "have the stated value {v}, and are neither trained on nor counted in errors and accuracies"
                )
            }
            Unprovable::Value(v) => {
                format!(
                    "have the stated value {v}, with which errors and accuracies count them; nothing is learned from them"
                )
            }
            _ => "are left out".to_string(),
        };
        let d = Diagnostic::new(
            codes::LEFT_OUT,
            format!("{left_out} of {of} queries cannot be derived: they {what}"),
        );
        let rest = labelled - measured;
        out.push(match rest {
            n if n > 0 && measured > 0 => {
                d.note(format!("not counted: {n} with vectors as targets, or in groups"))
            }
            n if n > 0 => {
                d.note("only targets of one number are compared with the stated value, and none in a group")
            }
            _ => d,
        });
    }
}
