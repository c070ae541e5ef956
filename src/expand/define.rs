//! Definitions of modules.

use super::arguments::no_choice;
use super::library::Home;
use super::value::Value;
use super::{Expander, Frame, NONE, fault, is_word};
use crate::base::hash::HashSet;
use crate::diag::{Diagnostic, codes};
use crate::syntax::ast::{Condition, Module, Parameter, ParameterKind, Part, Range};
use crate::syntax::chunk::RESERVED;
use crate::syntax::formula::{Formula, FormulaKind, NamePart, Test};
use crate::syntax::token::{TokenKind, lex};
use std::sync::Arc;

impl Expander<'_> {
    /// Adds a module of a file to the library.
    pub(super) fn define(&mut self, module: &Arc<Module>, home: Home) {
        if let Err(d) = self.defined.add(module, home) {
            return self.diagnostics.push(d);
        }
        let name = &module.name;
        let mut words = HashSet::default();
        names_of(&module.body, &mut words);
        for parameter in &module.parameters {
            parameter.default.iter().for_each(|f| names_in(f, &mut words));
        }
        let mut loops = Vec::new();
        loop_variables(&module.body, &mut loops);
        for (i, parameter) in module.parameters.iter().enumerate() {
            let word = &parameter.name;
            if RESERVED.contains(&word.node.as_str()) {
                let title = format!("no parameter can be called `{}`", word.node);
                self.error(fault(codes::MODULE_TWICE, title, word.span, "a word of the language"));
            }
            if let Some(other) = module.parameters[..i].iter().find(|p| p.name.node == word.node) {
                let title = format!("`{}` has two parameters `{}`", name.node, word.node);
                let d = Diagnostic::new(codes::MODULE_TWICE, title).label(word.span, "again here");
                self.diagnostics.push(d.label(other.name.span, "first here"));
            } else if !words.contains(word.node.as_str()) {
                let title = format!("`{}` never uses its parameter `{}`", name.node, word.node);
                let d = Diagnostic::new(codes::UNUSED_PARAMETER, title);
                self.diagnostics.push(d.label(word.span, "without effect"));
            }
            self.check_choices(parameter, module, &loops);
            let given = parameter.default.as_ref().filter(|f| match parameter.kind {
                ParameterKind::Predicate(_) => !is_word(f, NONE),
                ParameterKind::Weight => true,
                ParameterKind::Value => false,
            });
            if let Some(default) = given {
                let mut d = fault(
                    codes::ARGUMENT_KIND,
                    format!("`{}` cannot have this default", word.node),
                    default.span,
                    "not a default of such a parameter",
                );
                d.help = Some(match parameter.kind {
                    ParameterKind::Weight => "a weight that an `@use` does not name is private to it".into(),
                    _ => format!("`= {NONE}` lets an `@use` leave the predicate out"),
                });
                self.error(d);
            }
        }
        self.check_conditions(&module.body, module, &loops);
    }

    /// Choices are words and numbers, each once, that no parameter and no loop variable has for a name: there a
    /// condition could not tell them apart.
    fn check_choices(&mut self, parameter: &Parameter, module: &Module, loops: &[&str]) {
        let name = &parameter.name.node;
        let mut before: Vec<Value> = Vec::new();
        for choice in &parameter.choices {
            let one = self.value(choice, &Frame { scope: 0, source: None, values: Vec::new() });
            let value = match one {
                Ok(value @ (Value::Word { .. } | Value::Number(_) | Value::Quoted(_))) => value,
                _ => {
                    let title = format!("`{name}` cannot have this choice");
                    let label = "neither a word nor a number";
                    self.error(fault(codes::ARGUMENT_KIND, title, choice.span, label));
                    continue;
                }
            };
            let label = match &value {
                Value::Word { text, .. } if text == "_" => "`_` is no choice: it stands behind all of them",
                Value::Word { text, .. } if module.parameters.iter().any(|p| p.name.node == *text) => {
                    "a parameter has this name"
                }
                Value::Word { text, .. } if loops.contains(&text.as_str()) => "a loop variable has this name",
                _ if before.iter().any(|other| other.equals(&value)) => "stated twice",
                _ => {
                    before.push(value);
                    continue;
                }
            };
            let title = format!("`{name}` cannot have the choice `{}`", value.shown());
            self.error(fault(codes::ARGUMENT_KIND, title, choice.span, label));
        }
        if parameter.open && parameter.choices.is_empty() {
            let title = format!("`{name}` has no choices");
            self.error(fault(codes::ARGUMENT_KIND, title, parameter.name.span, "`_` stands behind others"));
        }
    }

    /// What is asked of a parameter is one of its choices: else a case of the module would never be chosen.
    fn check_conditions(&mut self, parts: &[Part], module: &Module, loops: &[&str]) {
        for part in parts {
            match part {
                Part::For(each) => self.check_conditions(&each.body, module, loops),
                Part::If(choice) => {
                    for (condition, inner) in &choice.links {
                        self.check_condition(condition, module, loops);
                        self.check_conditions(inner, module, loops);
                    }
                    self.check_conditions(&choice.otherwise, module, loops);
                }
                Part::Text(_) | Part::Use(_) | Part::Error(_) => {}
            }
        }
    }

    fn check_condition(&mut self, condition: &Condition, module: &Module, loops: &[&str]) {
        if !matches!(condition.test, Test::Equal | Test::Different) {
            return;
        }
        for (asked, of) in [(&condition.left, &condition.right), (&condition.right, &condition.left)] {
            let of = module.parameters.iter().find(|p| is_word(of, &p.name.node));
            let Some(parameter) = of.filter(|p| !p.choices.is_empty() && !p.open) else { continue };
            let mut words = HashSet::default();
            names_in(asked, &mut words);
            if words.iter().any(|w| loops.contains(w) || module.parameters.iter().any(|p| p.name.node == **w))
            {
                continue;
            }
            let value = self.value(asked, &Frame { scope: 0, source: None, values: Vec::new() });
            let (Ok(value), Ok(choices)) = (value, self.choices(parameter)) else { continue };
            if !choices.iter().any(|c| c.equals(&value)) {
                let label = "so this is asked in vain";
                self.diagnostics.push(no_choice(parameter, &choices, &value, asked.span, label));
            }
        }
    }
}

/// The variables of all loops.
fn loop_variables<'p>(parts: &'p [Part], out: &mut Vec<&'p str>) {
    for part in parts {
        match part {
            Part::For(each) => {
                out.push(&each.variable.node);
                loop_variables(&each.body, out);
            }
            Part::If(choice) => {
                choice.links.iter().for_each(|(_, inner)| loop_variables(inner, out));
                loop_variables(&choice.otherwise, out);
            }
            Part::Text(_) | Part::Use(_) | Part::Error(_) => {}
        }
    }
}

/// All words of some parts, to find parameters that none of them is.
fn names_of<'p>(parts: &'p [Part], out: &mut HashSet<&'p str>) {
    for part in parts {
        match part {
            Part::Text(text) => words(&text.node, out),
            Part::Error(refusal) => values_in(&refusal.text, out),
            Part::Use(call) => call.arguments.iter().for_each(|a| names_in(&a.value, out)),
            Part::For(each) => {
                match &each.range {
                    Range::Numbers(a, b) => [a, b].into_iter().for_each(|f| names_in(f, out)),
                    Range::List(f) => names_in(f, out),
                }
                names_of(&each.body, out);
            }
            Part::If(choice) => {
                for (condition, parts) in &choice.links {
                    names_in(&condition.left, out);
                    names_in(&condition.right, out);
                    names_of(parts, out);
                }
                names_of(&choice.otherwise, out);
            }
        }
    }
}

fn words<'t>(text: &'t str, out: &mut HashSet<&'t str>) {
    for token in lex(text).into_iter().filter(|t| matches!(t.kind, TokenKind::Name | TokenKind::Variable)) {
        let word = &text[token.range()];
        out.insert(word);
        out.extend(word.split('-'));
    }
}

/// The words of the values in a text.
fn values_in<'f>(text: &'f [NamePart], out: &mut HashSet<&'f str>) {
    for part in text {
        if let NamePart::Value(value) = part {
            names_in(value, out);
        }
    }
}

fn names_in<'f>(formula: &'f Formula, out: &mut HashSet<&'f str>) {
    match &formula.kind {
        FormulaKind::Number(_) | FormulaKind::Quoted(_) => {}
        FormulaKind::Name(parts) | FormulaKind::Weight(parts) | FormulaKind::Signature(parts, _) => {
            for part in parts {
                match part {
                    NamePart::Text(text) => {
                        out.insert(text);
                    }
                    NamePart::Value(value) => names_in(value, out),
                }
            }
        }
        FormulaKind::List(items) | FormulaKind::Call(_, items) => {
            items.iter().for_each(|f| names_in(f, out));
        }
        FormulaKind::Element(a, b) | FormulaKind::Operation { left: a, right: b, .. } => {
            names_in(a, out);
            names_in(b, out);
        }
        FormulaKind::Negation(inner) => names_in(inner, out),
    }
}
