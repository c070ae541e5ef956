//! Arguments of uses, and the parameters that they are for.

use super::value::Value;
use super::{Expander, Fault, Frame, NONE, fault, shown};
use crate::base::span::Span;
use crate::diag::{Diagnostic, codes, counted, suggest};
use crate::syntax::ast::{Module, Parameter, ParameterKind, Use};
use crate::syntax::formula::Formula;

impl Expander<'_> {
    /// Gives a parameter its value.
    pub(super) fn bind(
        &mut self,
        parameter: &Parameter,
        argument: Option<&Formula>,
        outer: &Frame,
        inner: &mut Frame,
        at: Span,
    ) -> Result<(), Fault> {
        let name = parameter.name.node.clone();
        let scope = inner.scope;
        match parameter.kind {
            ParameterKind::Weight => {
                if let Some(formula) = argument {
                    let weight = self.weight(formula, &name, outer)?;
                    self.scopes[scope].weights.push((name, weight));
                }
            }
            ParameterKind::Predicate(arity) => {
                let optional = parameter.default.is_some();
                let predicate = match argument {
                    Some(formula) => self.predicate(formula, &name, arity, optional, outer)?,
                    None => None,
                };
                // For conditions, for names that are made of it, and for uses that it is passed on to.
                if let Some(predicate) = &predicate {
                    self.defined.provided.insert((predicate.clone(), arity));
                }
                let text = if predicate.is_some() { name.clone() } else { NONE.into() };
                inner.values.push((name.clone(), Value::Word { text, scope }));
                self.scopes[scope].predicates.push((name, arity, predicate));
            }
            ParameterKind::Value => {
                let default = parameter.default.as_ref();
                let value = match (argument, default) {
                    (Some(formula), default) => {
                        let value = self.value(formula, outer)?;
                        let span = outer.at(formula.span);
                        if !value.is_plain() {
                            let title = format!("`{name}` takes a number, a word or a list");
                            let label = format!("this is {}", value.describe());
                            return Err(fault(codes::ARGUMENT_KIND, title, span, label));
                        }
                        if !parameter.choices.is_empty() {
                            self.chosen(parameter, &value, span)?;
                        } else if let Some(default) = default {
                            let wanted = self.value(default, inner)?;
                            if !wanted.same_kind(&value) {
                                let title = format!("`{name}` takes {}", wanted.kind());
                                let d = fault(
                                    codes::ARGUMENT_KIND,
                                    title,
                                    span,
                                    format!("this is {}", value.kind()),
                                );
                                return Err(Box::new(d.label(default.span, "as its default is one")));
                            }
                        }
                        value
                    }
                    (None, Some(default)) => self.value(default, inner)?,
                    (None, None) => {
                        let title = format!("no value for `{name}`");
                        return Err(fault(codes::MODULE_ARGUMENTS, title, at, "not given here"));
                    }
                };
                inner.values.push((name, value));
            }
        }
        Ok(())
    }

    /// Refuses a value that is none of the choices of a parameter, or of another kind than all of them.
    fn chosen(&self, parameter: &Parameter, value: &Value, at: Span) -> Result<(), Fault> {
        let choices = self.choices(parameter)?;
        let open = parameter.open && choices.iter().any(|c| c.same_kind(value));
        if open || choices.iter().any(|c| c.equals(value)) {
            return Ok(());
        }
        Err(Box::new(no_choice(parameter, &choices, value, at, "none of its choices")))
    }

    /// The choices of a parameter. They stand for themselves, whatever else has their names.
    pub(super) fn choices(&self, parameter: &Parameter) -> Result<Vec<Value>, Fault> {
        let frame = Frame { scope: 0, source: None, values: Vec::new() };
        parameter.choices.iter().map(|f| self.value(f, &frame)).collect()
    }

    /// The weight that an argument names.
    fn weight(&mut self, formula: &Formula, parameter: &str, frame: &Frame) -> Result<String, Fault> {
        match self.value(formula, frame)? {
            Value::Weight(name) => Ok(name),
            other => {
                let title = format!("`{parameter}` takes a shared weight, `$w`");
                let label = format!("this is {}", other.describe());
                Err(fault(codes::ARGUMENT_KIND, title, frame.at(formula.span), label))
            }
        }
    }

    /// The predicate that an argument names; none where it is a parameter that was not given.
    fn predicate(
        &mut self,
        formula: &Formula,
        parameter: &str,
        arity: u32,
        optional: bool,
        frame: &Frame,
    ) -> Result<Option<String>, Fault> {
        let span = frame.at(formula.span);
        let (text, scope) = match self.value(formula, frame)? {
            Value::Word { text, .. } if text == NONE && optional => return Ok(None),
            Value::Word { text, .. } if text == NONE => {
                let title = format!("`{parameter}` takes a predicate of {}", arguments(arity));
                return Err(fault(codes::ARGUMENT_KIND, title, span, "no predicate is given here"));
            }
            Value::Word { text, .. } if !text.starts_with(|c: char| c.is_ascii_lowercase()) => {
                let title = format!("`{parameter}` takes a predicate of {}", arguments(arity));
                let label = "this is a variable: names of predicates begin with a small letter";
                return Err(fault(codes::ARGUMENT_KIND, title, span, label));
            }
            Value::Word { text, scope } => (text, scope),
            Value::Quoted(text) => (text, frame.scope),
            Value::Signature { text, arity: stated, scope } => {
                if stated != arity {
                    let title = format!("`{parameter}` takes a predicate of {}", arguments(arity));
                    let label = format!("this one has {}", arguments(stated));
                    return Err(fault(codes::ARGUMENT_KIND, title, span, label));
                }
                (text, scope)
            }
            other => {
                let title = format!("`{parameter}` takes a predicate of {}", arguments(arity));
                let label = format!("this is {}", other.describe());
                return Err(fault(codes::ARGUMENT_KIND, title, span, label));
            }
        };
        // A parameter of the module around is passed on: it has to have the arity that is wanted.
        let scoped = &self.scopes[scope];
        let known = scoped.predicates.iter().filter(|(n, _, _)| *n == text);
        let arities: Vec<u32> = known.map(|(_, a, _)| *a).collect();
        if !arities.is_empty() && !arities.contains(&arity) {
            let title = format!("`{parameter}` takes a predicate of {}", arguments(arity));
            let label = format!("`{text}` has {}", arguments(arities[0]));
            return Err(fault(codes::ARGUMENT_KIND, title, span, label));
        }
        Ok(self.resolve(&text, arity, scope))
    }
}

/// That a value is none of a parameter's choices.
pub(super) fn no_choice(
    parameter: &Parameter,
    choices: &[Value],
    value: &Value,
    at: Span,
    label: &str,
) -> Diagnostic {
    let mut shown: Vec<String> = choices.iter().map(|c| format!("`{}`", c.shown())).collect();
    if parameter.open {
        let mut kinds: Vec<&str> = choices.iter().map(Value::kind).collect();
        kinds.dedup();
        shown.push(format!("{} else", kinds.join(", ")));
    }
    let last = shown.pop().unwrap_or_default();
    let first = if shown.is_empty() { String::new() } else { format!("{} or ", shown.join(", ")) };
    let title = format!("`{}` is {first}{last}, not {}", parameter.name.node, value.describe());
    let declared = parameter.choices.iter().fold(parameter.name.span, |span, c| span.to(c.span));
    let mut d = Diagnostic::new(codes::NO_CHOICE, title).label(at, label).label(declared, "its choices");
    if let Value::Word { text, .. } | Value::Quoted(text) = value {
        let words = choices.iter().filter_map(|c| match c {
            Value::Word { text, .. } | Value::Quoted(text) => Some(text.as_str()),
            _ => None,
        });
        d.help = match choices.iter().any(|c| matches!(c, Value::Quoted(other) if other == text)) {
            true => Some(format!("`'{text}'` with quotes is one of them")),
            false => suggest::did_you_mean(text, words),
        };
    }
    d
}

fn arguments(n: u32) -> String {
    counted(n as usize, "argument")
}

/// The argument of each parameter of a module, as an `@use` says it.
pub(super) fn assign<'c>(
    module: &Module,
    call: &'c Use,
    frame: &Frame,
) -> Result<Vec<Option<&'c Formula>>, Fault> {
    let parameters = &module.parameters;
    let mut given: Vec<Option<&Formula>> = vec![None; parameters.len()];
    let signature = |d: Fault| Box::new(d.note(format!("it is `{}`", shown(module))));
    let mut named = false;
    for (i, argument) in call.arguments.iter().enumerate() {
        let span = frame.at(argument.value.span);
        let place = match &argument.name {
            None if named => {
                let title = "an argument without a name behind one with a name";
                return Err(fault(codes::MODULE_ARGUMENTS, title, span, "which one is this?"));
            }
            None => i,
            Some(name) => {
                named = true;
                let Some(place) = parameters.iter().position(|p| p.name.node == name.node) else {
                    let title = format!("`{}` has no parameter `{}`", module.name.node, name.node);
                    let at = frame.at(name.span);
                    let mut d = fault(codes::MODULE_ARGUMENTS, title, at, "no such parameter");
                    d.help =
                        suggest::did_you_mean(&name.node, parameters.iter().map(|p| p.name.node.as_str()));
                    return Err(signature(d));
                };
                place
            }
        };
        match given.get_mut(place) {
            None => {
                let n = parameters.len();
                let title = format!(
                    "`{}` takes {}, not {}",
                    module.name.node,
                    arguments(n as u32),
                    call.arguments.len()
                );
                return Err(signature(fault(codes::MODULE_ARGUMENTS, title, span, "one too many")));
            }
            Some(Some(_)) => {
                let title = format!("`{}` is given twice", parameters[place].name.node);
                return Err(fault(codes::MODULE_ARGUMENTS, title, span, "again here"));
            }
            Some(slot) => *slot = Some(&argument.value),
        }
    }
    let missing: Vec<String> = parameters
        .iter()
        .zip(&given)
        .filter(|(p, g)| g.is_none() && p.default.is_none() && p.kind != ParameterKind::Weight)
        .map(|(p, _)| format!("`{}`", p.name.node))
        .collect();
    if !missing.is_empty() {
        let title = format!("`{}` is not given {}", module.name.node, missing.join(", "));
        let at = frame.at(call.span);
        return Err(signature(fault(codes::MODULE_ARGUMENTS, title, at, "too few arguments")));
    }
    Ok(given)
}
