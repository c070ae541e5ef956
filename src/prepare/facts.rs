//! Facts that were made, and how they are written: as text in the `.db` form, into the examples that they belong to, or as
//! tables.

use crate::base::index::Id;
use crate::base::span::SourceMap;
use crate::data::vocabulary::number_text;
use crate::data::{ConstId, Database, Vocabulary, WorldId};
use crate::diag::{Diagnostic, codes};
use crate::syntax::facts::TermClass;
use crate::syntax::table::{argument_class, check_name};
use crate::syntax::token::unquote;

/// An argument of a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// A constant of the data.
    Constant(ConstId),
    /// A plain name.
    Name(String),
    /// A number.
    Number(usize),
}

impl Term {
    fn text(&self, vocabulary: &Vocabulary) -> String {
        match self {
            Term::Constant(c) => vocabulary.constant_text(*c).to_string(),
            Term::Name(name) => name.clone(),
            Term::Number(n) => n.to_string(),
        }
    }
}

/// A fact: arguments, and the elements of its value; none is the value of a fact that states none.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// Arguments.
    pub args: Vec<Term>,
    /// The value.
    pub value: Vec<f64>,
}

/// Facts of one predicate.
#[derive(Debug, Clone, PartialEq)]
pub struct Relation {
    /// The predicate.
    pub name: String,
    /// What its arguments are called in a table.
    pub columns: Vec<String>,
    /// Its facts.
    pub facts: Vec<Fact>,
}

impl Relation {
    /// No facts yet.
    pub fn new(name: &str, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|c| (*c).to_string()).collect();
        Relation { name: name.to_string(), columns, facts: Vec::new() }
    }
    /// Adds a fact.
    pub fn push(&mut self, args: impl Into<Vec<Term>>, value: impl Into<Vec<f64>>) {
        self.facts.push(Fact { args: args.into(), value: value.into() });
    }
}

/// An example that was made up.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// What is asked, an atom without arguments.
    pub label: String,
    /// Its target.
    pub target: f64,
    /// Facts.
    pub relations: Vec<Relation>,
}

/// All that a task makes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Made {
    /// Lines for those who read the facts.
    pub comments: Vec<String>,
    /// Facts of the shared world.
    pub shared: Vec<Relation>,
    /// Facts that belong into examples of the data.
    pub worlds: Vec<(WorldId, Vec<Relation>)>,
    /// Examples.
    pub examples: Vec<Example>,
}

impl Made {
    /// The names of all predicates, each once.
    pub fn names(&self) -> Vec<&str> {
        let worlds = self.worlds.iter().flat_map(|(_, r)| r);
        let examples = self.examples.iter().flat_map(|e| &e.relations);
        let mut out: Vec<&str> = Vec::new();
        for relation in self.shared.iter().chain(worlds).chain(examples) {
            if !out.contains(&relation.name.as_str()) {
                out.push(&relation.name);
            }
        }
        out
    }

    /// Keeps the facts of one predicate only.
    pub fn only(&mut self, name: &str) {
        self.shared.retain(|r| r.name == name);
        self.worlds.iter_mut().for_each(|(_, relations)| relations.retain(|r| r.name == name));
        self.examples.iter_mut().for_each(|e| e.relations.retain(|r| r.name == name));
    }

    /// Whether all values are numbers; those of extreme options may not be.
    pub fn is_finite(&self) -> bool {
        let worlds = self.worlds.iter().flat_map(|(_, r)| r);
        self.shared.iter().chain(worlds).flat_map(|r| &r.facts).flat_map(|f| &f.value).all(|x| x.is_finite())
    }

    /// Gives a predicate another name.
    pub fn rename(&mut self, from: &str, to: &str) {
        let worlds = self.worlds.iter_mut().flat_map(|(_, r)| r);
        let examples = self.examples.iter_mut().flat_map(|e| &mut e.relations);
        for relation in self.shared.iter_mut().chain(worlds).chain(examples).filter(|r| r.name == from) {
            relation.name = to.to_string();
        }
    }

    /// Adds the facts of a world.
    pub fn add(&mut self, world: WorldId, relations: Vec<Relation>) {
        if world == WorldId::SHARED {
            self.shared.extend(relations)
        } else {
            self.worlds.push((world, relations))
        }
    }

    /// Whether facts belong into examples, which a table cannot say.
    pub fn has_examples(&self) -> bool {
        !(self.worlds.is_empty() && self.examples.is_empty())
    }
}

fn fact_text(out: &mut String, name: &str, fact: &Fact, vocabulary: &Vocabulary) {
    match &fact.value[..] {
        [] => {}
        [x] => *out += &format!("<{}> ", number_text(*x)),
        many => {
            let elements: Vec<String> = many.iter().map(|x| number_text(*x)).collect();
            *out += &format!("<[{}]> ", elements.join(","));
        }
    }
    *out += name;
    if !fact.args.is_empty() {
        let args: Vec<String> = fact.args.iter().map(|t| t.text(vocabulary)).collect();
        *out += &format!("({})", args.join(","));
    }
}

fn list(relations: &[Relation], vocabulary: &Vocabulary) -> String {
    let mut out = String::new();
    for relation in relations {
        for fact in &relation.facts {
            if !out.is_empty() {
                out += ", ";
            }
            fact_text(&mut out, &relation.name, fact, vocabulary);
        }
    }
    out
}

/// The facts as text that a run reads. Where they belong into examples it is the text of the data with the facts at the end
/// of each example, all else as it was: the result takes the place of the data.
pub fn text(made: &Made, database: &Database, vocabulary: &Vocabulary, sources: &SourceMap) -> String {
    let mut out = String::new();
    for line in &made.comments {
        out += &format!("% {line}\n");
    }
    for relation in &made.shared {
        for fact in &relation.facts {
            fact_text(&mut out, &relation.name, fact, vocabulary);
            out += ".\n";
        }
    }
    for example in &made.examples {
        let facts = list(&example.relations, vocabulary);
        out += &format!("{} {} :- {facts}.\n", number_text(example.target), example.label);
    }
    if made.worlds.is_empty() {
        return out;
    }
    // The place of each example's full stop, with what goes before it.
    let mut insertions = Vec::new();
    for (world, relations) in &made.worlds {
        let facts = list(relations, vocabulary);
        if let (Some(span), false) = (database.world_spans[world.index()], facts.is_empty()) {
            insertions.push((span.source, span.end as usize - 1, facts));
        }
    }
    for source in sources.ids().filter(|&s| !sources.get(s).table) {
        let text = sources.text(source);
        let mut from = 0;
        for (_, stop, facts) in insertions.iter().filter(|(s, ..)| *s == source) {
            out += &format!("{}, {facts}", &text[from..*stop]);
            from = *stop;
        }
        out += &text[from..];
        if !out.ends_with('\n') {
            out.push('\n');
        }
    }
    out
}

/// The facts of one predicate as a table with a header; values are in columns `value`, or `value.0` and so on. An error names
/// a constant that no cell can say.
pub fn table(relation: &Relation, delimiter: u8, vocabulary: &Vocabulary) -> Result<String, Box<Diagnostic>> {
    check_name(&relation.name, "the table")?;
    let width = relation.facts.first().map_or(0, |f| f.value.len());
    let mut header: Vec<String> = relation.columns.clone();
    match width {
        0 => {}
        1 => header.push("value".to_string()),
        n => header.extend((0..n).map(|i| format!("value.{i}"))),
    }
    if header.is_empty() {
        let title = format!("`{}` has neither arguments nor a value, and no table can say it", relation.name);
        return Err(Box::new(Diagnostic::new(codes::USAGE, title)));
    }
    let mut out = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    let written = "a vector can be written to";
    out.write_record(&header).expect(written);
    for fact in &relation.facts {
        let mut row = Vec::with_capacity(header.len());
        for term in &fact.args {
            row.push(cell(&term.text(vocabulary))?);
        }
        row.extend(fact.value.iter().map(|x| number_text(*x)));
        out.write_record(&row).expect(written);
    }
    let bytes = out.into_inner().expect(written);
    Ok(String::from_utf8(bytes).expect("cells are text"))
}

/// The cell that stands for a constant.
fn cell(constant: &str) -> Result<String, Box<Diagnostic>> {
    if !constant.starts_with('\'') {
        return Ok(constant.to_string());
    }
    let inner = unquote(constant).unwrap_or_default();
    let said = inner.trim() == inner
        && !inner.is_empty()
        && inner != "NaN"
        && argument_class(&inner) == TermClass::Quoted;
    if said {
        return Ok(inner);
    }
    let title = format!("the constant {constant} cannot stand in a table");
    Err(Box::new(
        Diagnostic::new(codes::USAGE, title)
            .note("a cell that says so would be read as another constant")
            .help("write the facts as text: leave `--format` out, or name a file that ends in .db"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_say_their_constants() {
        for (constant, said) in
            [("abc", "abc"), ("1.5", "1.5"), ("'A b'", "A b"), ("'it\\'s'", "it's"), ("'x,\"y'", "x,\"y")]
        {
            assert_eq!(cell(constant).expect("a cell"), said);
        }
        for constant in ["'1'", "' a'", "''", "'NaN'"] {
            assert!(cell(constant).is_err(), "{constant}");
        }
    }
}
