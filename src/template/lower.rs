//! From syntax trees to the resolved program.

mod binding;
mod comparisons;
mod families;
mod training;

use super::grouped::expand_grouped;
use super::hints::hint_weights;
use super::metadata::{self, bad_value, boolean, repeated_keys, unknown_key};
use super::shared::{self, Frozen};
use super::special::{self, Special};
use super::training::Trains;
use super::{
    Kinship, Literal, PredicateInfo, Relation, Rule, RuleId, Template, TemplateFact, TemplateValue, Term,
    Weight, WeightId, draws,
};
use crate::base::hash::{HashMap, HashSet, hash_words};
use crate::base::index::Id;
use crate::base::span::{Span, Spanned};
use crate::data::{ConstId, Database, MAX_ARITY, MAX_WEIGHT, PredId, Vocabulary, WorldId};
use crate::diag::{Diagnostic, Diagnostics, codes, suggest};
use crate::syntax::ast::{self, MetaValue, Sign, Statement, TermKind, WeightValue};
use crate::tensor::Shape;
use crate::tensor::functions::{Activation, Aggregation, Combination};
use binding::{Scope, may_collapse};

/// Settings that stand above what a template says about defaults.
#[derive(Debug, Clone, Default)]
pub struct DefaultOverrides {
    /// Of rules.
    pub rule_activation: Option<Activation>,
    /// Of atoms.
    pub atom_activation: Option<Activation>,
    /// Of groundings.
    pub aggregation: Option<Aggregation>,
}

/// Most literals of a body: joins nest as deep as the body is long, also on the small stacks of threads.
const MAX_LITERALS: usize = 256;

const RULE_KEYS: &[&str] =
    &["transformation", "activation", "combination", "aggregation", "offset", "learnable", "group"];
const PREDICATE_KEYS: &[&str] =
    &["transformation", "activation", "combination", "offset", "output", "draw", "trains", "freezes"];
const WEIGHT_KEYS: &[&str] = &["value", "learnable", "group"];
const TEMPLATE_KEYS: &[&str] = &["rule", "atom", "aggregation"];

/// Turns syntax trees into a [`Template`], keeping what it needs to read more (examples, the REPL).
pub struct Lowering<'a> {
    vocabulary: &'a mut Vocabulary,
    database: &'a mut Database,
    template: Template,
    names: HashMap<String, WeightId>,
    /// Type facts made so far.
    typed: HashSet<(PredId, ConstId)>,
    /// Where each shared weight gets its value, for what refers to it before.
    definitions: HashMap<&'a str, &'a ast::Weight>,
    /// Weights that a rule's metadata freeze.
    frozen: Vec<Frozen>,
    anonymous: Vec<WeightId>,
    /// Rules of the template by the hash of their atoms, to find identical ones.
    alike: HashMap<u64, Vec<RuleId>>,
    diagnostics: Diagnostics,
}

/// Lowers the files of a template. Facts with constant values put them into the database's value pool.
pub fn lower<'a>(
    files: &'a [ast::File],
    vocabulary: &'a mut Vocabulary,
    database: &'a mut Database,
    overrides: &DefaultOverrides,
) -> (Template, Diagnostics) {
    let mut l = Lowering {
        vocabulary,
        database,
        template: Template::default(),
        names: HashMap::default(),
        typed: HashSet::default(),
        definitions: shared::definitions(files),
        frozen: Vec::new(),
        anonymous: Vec::new(),
        alike: HashMap::default(),
        diagnostics: Vec::new(),
    };
    let statements: Vec<&Statement> = files.iter().flat_map(|f| &f.statements).collect();
    for (i, statement) in statements.iter().enumerate() {
        if let Statement::TemplateMetadata(entries) = statement {
            l.template_metadata(entries, i.checked_sub(1).map(|before| statements[before]));
        }
    }
    let defaults = &mut l.template.defaults;
    let set = |slot: &mut Activation, value: &Option<Activation>| {
        if let Some(v) = value {
            slot.clone_from(v);
        }
    };
    set(&mut defaults.rule_activation, &overrides.rule_activation);
    set(&mut defaults.atom_activation, &overrides.atom_activation);
    defaults.states_atoms |= overrides.atom_activation.is_some();
    if let Some(a) = &overrides.aggregation {
        defaults.aggregation.clone_from(a);
    }
    for statement in &statements {
        match statement {
            Statement::Rule(rule) => {
                if let Some(rule) = l.rule(rule, None) {
                    l.add_rule(rule);
                }
            }
            Statement::Fact(fact) => l.fact(fact),
            Statement::PredicateOffset(p) => l.predicate_offset(p),
            Statement::PredicateMetadata(p) => l.predicate_metadata(p),
            Statement::WeightMetadata(_) | Statement::TemplateMetadata(_) => {}
            Statement::Import(_) | Statement::Module(_) | Statement::Block(_) => {}
            Statement::Query(queries) => l.template.queries.extend(queries.iter().cloned()),
        }
    }
    for statement in &statements {
        if let Statement::WeightMetadata(w) = statement {
            l.weight_metadata(w);
        }
    }
    l.data();
    l.empty_groups();
    l.rename_anonymous();
    expand_grouped(&mut l.template, l.vocabulary, &mut l.diagnostics);
    l.diagnostics.extend(shared::frozen_elsewhere(&l.template, &l.frozen));
    hint_weights(&mut l.template);
    (l.template, l.diagnostics)
}

/// A hash of the predicates and arguments of a rule.
fn atoms_hash(rule: &Rule) -> u64 {
    let term = |t: &Term| match t {
        Term::Variable(v) => [0, v.0],
        Term::Constant(c) => [1, c.0],
    };
    let atom = |pred: Option<PredId>, args: &[Term]| {
        let words = [pred.map_or(u32::MAX, |p| p.0), args.len() as u32];
        words.into_iter().chain(args.iter().flat_map(term)).collect::<Vec<u32>>()
    };
    let body = rule.body.iter().flat_map(|l| atom(l.predicate(), &l.args));
    hash_words(atom(Some(rule.head), &rule.head_args).into_iter().chain(body))
}

impl Lowering<'_> {
    /// Names tell weights apart: an unnamed weight whose number somebody gave as a name gets another one.
    fn rename_anonymous(&mut self) {
        for &id in &self.anonymous {
            let weight = &mut self.template.weights[id];
            while self.names.contains_key(&weight.name) {
                weight.name.push('_');
            }
        }
    }

    fn error(&mut self, d: Diagnostic) {
        self.diagnostics.push(d);
    }

    /// What the data brings to the program: learnable facts and rules inside examples.
    fn data(&mut self) {
        let learnable: Vec<_> = self.database.learnable.iter().cloned().collect();
        for def in learnable {
            let weight = Weight {
                name: String::new(),
                shape: def.shape,
                initial: if def.fixed { Some(vec![0.0; def.shape.len()]) } else { def.initial },
                learnable: !def.fixed,
                constant: false,
                kinship: Kinship::None,
                group: None,
                gain: 1.0,
                orthogonal: false,
                span: def.span,
            };
            let id = match def.name {
                Some(name) => self.named_weight(name, weight),
                None => self.template.weights.push(Weight { name: def.literal, ..weight }),
            };
            self.template.learnable_facts.push(id);
        }
        let rules = std::mem::take(&mut self.database.rules);
        for (world, rule) in &rules {
            if let Some(rule) = self.rule(rule, *world) {
                self.template.rules.push(rule);
            }
        }
        self.database.rules = rules;
    }

    fn template_metadata(&mut self, entries: &[ast::MetaEntry], before: Option<&Statement>) {
        repeated_keys(entries, "the template's defaults", &mut self.diagnostics);
        for entry in entries {
            let out = &mut self.diagnostics;
            match entry.key.node.as_str() {
                "rule" => {
                    if let Some(f) = metadata::function(entry, out) {
                        self.template.defaults.rule_activation = f;
                    }
                }
                "atom" => {
                    if let Some(f) = metadata::function(entry, out) {
                        self.template.defaults.atom_activation = f;
                        self.template.defaults.states_atoms = true;
                    }
                }
                "aggregation" => {
                    if let Some(f) = metadata::function(entry, out) {
                        self.template.defaults.aggregation = f;
                    }
                }
                key => {
                    unknown_key(entry, TEMPLATE_KEYS, "a template", out);
                    if let (Some(Statement::PredicateOffset(p)), Some(d)) = (before, out.last_mut())
                        && PREDICATE_KEYS.contains(&key)
                    {
                        let name = format!("{}/{}", p.name.node, p.arity);
                        d.help = Some(format!(
                            "offset and metadata of `{name}` are two statements: begin the list with its name, too, \
                             `{name} [{key}=…]`"
                        ));
                    }
                }
            }
        }
    }

    /// A weight by its shared name: the first mention defines it.
    fn named_weight(&mut self, name: String, weight: Weight) -> WeightId {
        if let Some(&id) = self.names.get(&name) {
            let first = &self.template.weights[id];
            if first.kinship != weight.kinship {
                let d = families::used_in_two_ways(&name, first, &weight);
                self.error(d);
                return id;
            }
            // What a rule's metadata made of the first mention is no second value.
            let frozen = self.frozen.iter().any(|f| f.weight == id);
            let value = first.initial != weight.initial && !(frozen && weight.initial.is_none());
            if first.shape != weight.shape {
                let d = Diagnostic::new(
                    codes::SHAPE_MISMATCH,
                    format!("the shared weight `${name}` is stated with two shapes"),
                )
                .label(weight.span, format!("this is {}", weight.shape))
                .label(first.span, format!("its first mention is {}", first.shape));
                self.error(d);
            } else if value || first.learnable != weight.learnable && !frozen {
                let d = Diagnostic::new(
                    codes::WEIGHT_REDEFINED,
                    format!("the shared weight `${name}` is stated again with a different value"),
                )
                .label(weight.span, "this value is ignored")
                .label(first.span, "the first mention, which counts");
                self.error(d);
            }
            return id;
        }
        let id = self.template.weights.push(Weight { name: name.clone(), ..weight });
        self.names.insert(name, id);
        id
    }

    /// A weight where no family can stand.
    fn weight(&mut self, w: &ast::Weight) -> WeightId {
        if w.member.is_some() {
            self.error(families::misplaced(w));
        }
        self.any_weight(w)
    }

    fn any_weight(&mut self, w: &ast::Weight) -> WeightId {
        let (shape, initial) = match &w.value.node {
            WeightValue::Scalar(x) => (Shape::SCALAR, Some(vec![*x])),
            WeightValue::Dense { rows, cols, values } => (Shape::new(*rows, *cols), Some(values.clone())),
            WeightValue::Dims { rows, cols } => (Shape::new(*rows, *cols), None),
        };
        if shape.len() > MAX_WEIGHT {
            let d = Diagnostic::new(
                codes::BAD_VALUE,
                format!("a weight of {} numbers; {MAX_WEIGHT} are the most", shape.len()),
            )
            .label(w.span, "too large");
            self.error(d);
            return self.template.weights.push(Weight {
                name: String::new(),
                shape: Shape::SCALAR,
                initial: Some(vec![0.0]),
                learnable: false,
                constant: true,
                kinship: Kinship::None,
                group: None,
                gain: 1.0,
                orthogonal: false,
                span: w.span,
            });
        }
        let initial = if w.fixed && initial.is_none() { Some(vec![0.0; shape.len()]) } else { initial };
        let weight = Weight {
            name: String::new(),
            shape,
            initial,
            learnable: !w.fixed,
            constant: w.fixed && w.name.is_none(),
            kinship: families::kinship(w),
            group: None,
            gain: 1.0,
            orthogonal: false,
            span: w.span,
        };
        match &w.name {
            Some(name) => self.named_weight(name.node.clone(), weight),
            None => {
                let name = format!("w{}", self.anonymous.len());
                let id = self.template.weights.push(Weight { name, ..weight });
                self.anonymous.push(id);
                id
            }
        }
    }

    fn constant(&mut self, term: &ast::Term, world: Option<WorldId>) -> Option<ConstId> {
        let id = match &term.kind {
            TermKind::Variable(_) => return None,
            TermKind::Name(n) => self.vocabulary.name(n),
            TermKind::Quoted(q) => self.vocabulary.quoted(q),
            TermKind::Number(n) => match self.vocabulary.number(n) {
                Some(id) => id,
                None => {
                    let d = Diagnostic::new(codes::BAD_NUMBER, format!("the number `{n}` is out of range"))
                        .label(term.span, "not a finite number");
                    self.error(d);
                    return None;
                }
            },
        };
        if let (Some(ty), None) = (&term.ty, world) {
            // A typed constant carries its type: it is a member wherever it is mentioned.
            let pred = self.vocabulary.type_predicate(&ty.node);
            if self.typed.insert((pred, id)) {
                let value = TemplateValue::Constant(crate::data::ValueId::ONE);
                self.template.facts.push(TemplateFact { pred, args: vec![id], value, span: term.span });
            }
        }
        Some(id)
    }

    fn predicate(&mut self, atom: &ast::Atom) -> PredId {
        if let Some(arity) = &atom.arity
            && arity.node as usize != atom.args.len()
        {
            let d = Diagnostic::new(
                codes::STATED_ARITY,
                format!("`{}/{}` is written with {} arguments", atom.name.node, arity.node, atom.args.len()),
            )
            .label(arity.span, "this is not the number of arguments");
            self.error(d);
        }
        let n = atom.args.len();
        if n > MAX_ARITY {
            let d = Diagnostic::new(
                codes::TOO_MANY_ARGUMENTS,
                format!("`{}` has {n} arguments; {MAX_ARITY} are the most", atom.name.node),
            )
            .label(atom.span, "too many arguments");
            self.error(d);
        }
        self.vocabulary.predicate(&atom.name.node, n)
    }

    fn rule(&mut self, rule: &ast::Rule, world: Option<WorldId>) -> Option<Rule> {
        if rule.head.special {
            let d = Diagnostic::new(
                codes::SPECIAL_IN_HEAD,
                format!("the special predicate `@{}` cannot be derived", rule.head.name.node),
            )
            .label(rule.head.span, "special predicates are computed, not derived");
            self.error(d);
            return None;
        }
        if rule.head.hidden {
            let d = Diagnostic::new(codes::HIDDEN_HEAD, "a star in the head of a rule has no meaning")
                .label(rule.head.span, "starred");
            self.error(d);
        }
        let before = self.diagnostics.iter().filter(|d| d.is_error()).count();
        if rule.body.len() > MAX_LITERALS {
            let n = rule.body.len();
            let d = Diagnostic::new(
                codes::TOO_MANY_LITERALS,
                format!("a rule with {n} literals; {MAX_LITERALS} are the most"),
            )
            .label(rule.head.span, "the rule of this head")
            .help("name a part of the body by a rule of its own");
            self.error(d);
            return None;
        }
        let mut scope = Scope::default();
        // Textual order of weights is the order of the model: head, body, offset.
        let head_weight = rule.head_weight.as_ref().map(|w| self.any_weight(w));
        let head = self.predicate(&rule.head);
        let head_args = self.terms(&rule.head.args, &mut scope, world);
        let mut body = Vec::new();
        let mut families: Vec<(usize, &ast::Weight)> = Vec::new();
        for item in &rule.body {
            if let Some(weight) = item.weight().filter(|w| w.member.is_some()) {
                families.push((body.len(), weight));
            }
            let lowered = match item {
                ast::Item::Literal(literal) => self.literal(literal, &mut scope, world),
                ast::Item::Comparison(comparison) => self.comparison(comparison, &mut scope, world),
            };
            body.extend(lowered);
        }
        let mut offset = rule.offset.as_ref().map(|w| self.weight(w));
        let defaults = self.template.defaults.clone();
        let mut combination = defaults.rule_combination;
        let mut activation = defaults.rule_activation;
        let mut aggregation = defaults.aggregation;
        let (mut frozen, mut states_activation, mut group) = (None, false, None);
        repeated_keys(&rule.metadata, "this rule", &mut self.diagnostics);
        for entry in &rule.metadata {
            match entry.key.node.as_str() {
                "transformation" | "activation" => {
                    states_activation = true;
                    activation = metadata::function(entry, &mut self.diagnostics).unwrap_or(activation);
                }
                "combination" => {
                    combination = metadata::function(entry, &mut self.diagnostics).unwrap_or(combination);
                }
                "aggregation" => {
                    aggregation = metadata::function(entry, &mut self.diagnostics).unwrap_or(aggregation);
                }
                "offset" => offset = self.offset(entry).or(offset),
                "learnable" => {
                    frozen =
                        (boolean(entry, &mut self.diagnostics) == Some(false)).then_some(entry.value.span);
                }
                "group" => group = self.group(entry),
                _ => unknown_key(entry, RULE_KEYS, "a rule", &mut self.diagnostics),
            }
        }
        let own = head_weight.into_iter().chain(offset).chain(body.iter().filter_map(|l| l.weight));
        let own: Vec<WeightId> = own.collect();
        if let Some(group) = group {
            self.put_all(&own, &group);
        }
        if let Some(span) = frozen {
            for id in own {
                // Not those that are fixed as they are written.
                if self.template.weights[id].learnable || self.frozen.iter().any(|f| f.weight == id) {
                    self.frozen.push(Frozen { weight: id, span, rule: rule.span });
                }
                self.freeze(id);
            }
        }
        self.types(&mut scope, &mut body, rule.span);
        let failed = self.diagnostics.iter().filter(|d| d.is_error()).count() > before;
        // A literal that is wrong may bind what seems unbound without it.
        if self.spell_minus(rule) && !failed {
            self.bind(&head_args, &scope, &mut body, rule);
            for (literal, weight) in families {
                self.pick(literal, weight, &scope, &mut body);
            }
        }
        let head_member = match &rule.head_weight {
            Some(weight) if !failed => self.pick_by_head(weight, &rule.head, &head_args, &scope),
            _ => Vec::new(),
        };
        if self.diagnostics.iter().filter(|d| d.is_error()).count() > before {
            return None;
        }
        let may_collapse = may_collapse(&head_args, &body, scope.variables.len());
        Some(Rule {
            head,
            head_args,
            head_weight,
            head_member,
            body,
            offset,
            combination,
            activation,
            states_activation,
            aggregation,
            variables: scope.variables,
            world,
            span: rule.span,
            head_span: rule.head.span,
            may_collapse,
            origin: Default::default(),
        })
    }

    fn freeze(&mut self, id: WeightId) {
        let weight = &mut self.template.weights[id];
        weight.learnable = false;
        if weight.initial.is_none() {
            weight.initial = Some(vec![0.0; weight.shape.len()]);
        }
    }

    fn terms(&mut self, args: &[ast::Term], scope: &mut Scope, world: Option<WorldId>) -> Vec<Term> {
        args.iter()
            .filter_map(|term| match &term.kind {
                TermKind::Variable(name) => {
                    let var = scope.variable(name, term.span);
                    if let Some(ty) = &term.ty {
                        scope.typed.push((var, self.vocabulary.type_predicate(&ty.node)));
                    }
                    Some(Term::Variable(var))
                }
                _ => self.constant(term, world).map(Term::Constant),
            })
            .collect()
    }

    fn literal(
        &mut self,
        literal: &ast::Literal,
        scope: &mut Scope,
        world: Option<WorldId>,
    ) -> Option<Literal> {
        let atom = &literal.atom;
        let weight = literal.weight.as_ref().map(|w| self.any_weight(w));
        let relation =
            if atom.special { self.special(atom)? } else { Relation::Predicate(self.predicate(atom)) };
        let args = self.terms(&atom.args, scope, world);
        let functions = self.functions(literal)?;
        // The soft negation of a function's value is one more function.
        let sign =
            if functions.is_empty() || literal.sign == Sign::Hard { literal.sign } else { Sign::Positive };
        let span = literal.span;
        let (hidden, comparison) = (atom.hidden, None);
        let mut lowered =
            Literal { relation, args, comparison, sign, hidden, functions, weight, member: None, span };
        self.typed_wildcards(&mut lowered, scope, world);
        if !lowered.functions.is_empty() && !lowered.is_visible() {
            let d = Diagnostic::new(codes::NOT_ALLOWED_HERE, "this function has nothing to be applied to")
                .label(span, "the value of a hidden, negated or special literal does not enter");
            self.error(d.help("leave out the function, or the `*` or `!`"));
            return None;
        }
        if lowered.sign == Sign::Soft && !lowered.is_visible() {
            let d = Diagnostic::new(codes::IDLE_WEIGHT, "this `~` has nothing to negate")
                .label(literal.span, "the value of a hidden or special literal does not enter")
                .help("`!` asks whether it does not hold");
            self.error(d);
        }
        if let (Some(w), false) = (&literal.weight, lowered.is_visible()) {
            let d = Diagnostic::new(codes::IDLE_WEIGHT, "this weight has nothing to multiply")
                .label(w.span, "without effect")
                .label(literal.span, "the value of a hidden, negated or special literal does not enter");
            self.error(d);
        }
        Some(lowered)
    }

    /// The functions around a literal's atom, innermost first; `None` with diagnostics where one is none.
    fn functions(&mut self, literal: &ast::Literal) -> Option<Vec<Activation>> {
        let out = &mut self.diagnostics;
        let read = |f: &Spanned<ast::Function>| metadata::literal_function(&f.node, f.span, out);
        let mut functions: Vec<Activation> =
            literal.functions.iter().rev().map(read).collect::<Option<_>>()?;
        if literal.sign == Sign::Soft && !functions.is_empty() {
            functions.push(Activation::Reverse);
        }
        Some(functions)
    }

    fn special(&mut self, atom: &ast::Atom) -> Option<Relation> {
        let name = &atom.name.node;
        let Some((special, least, most)) = special::find(name) else {
            let mut d =
                Diagnostic::new(codes::UNKNOWN_SPECIAL, format!("there is no special predicate `@{name}`"))
                    .label(atom.name.span, "unknown");
            let near = suggest::nearest(name, special::names());
            d.help = near.map(|n| format!("did you mean `@{n}`?"));
            let all: Vec<String> = special::names().map(|n| format!("`@{n}`")).collect();
            self.error(d.note(format!("there are {}", all.join(", "))));
            return None;
        };
        let n = atom.args.len();
        if n < least || n > most {
            let wanted = match (least, most) {
                (l, m) if l == m => format!("{l}"),
                (l, usize::MAX) => format!("at least {l}"),
                (l, m) => format!("{l} to {m}"),
            };
            let d =
                Diagnostic::new(codes::SPECIAL_ARITY, format!("`@{name}` takes {wanted} arguments, not {n}"))
                    .label(atom.span, format!("{n} here"));
            self.error(d);
            return None;
        }
        if special == Special::Domain {
            return Some(Relation::Domain);
        }
        Some(Relation::Special(special, self.vocabulary.predicate(&format!("@{name}"), n)))
    }

    fn add_rule(&mut self, rule: Rule) {
        let same = |other: &Rule| {
            let literal = |l: &Literal| {
                let what = (l.relation, l.args.clone(), l.comparison.clone());
                (what, l.sign, l.hidden, l.functions.clone(), l.weight, l.member)
            };
            other.head == rule.head
                && other.head_args == rule.head_args
                && other.head_weight == rule.head_weight
                && other.head_member == rule.head_member
                && other.offset == rule.offset
                && other.variables == rule.variables
                && other.body.iter().map(literal).eq(rule.body.iter().map(literal))
                && (&other.combination, &other.activation, &other.aggregation)
                    == (&rule.combination, &rule.activation, &rule.aggregation)
        };
        let alike = self.alike.entry(atoms_hash(&rule)).or_default();
        if let Some(first) = alike.iter().map(|id| &self.template.rules[*id]).find(|r| same(r)) {
            let d = Diagnostic::new(codes::DUPLICATE_RULE, "a rule identical to an earlier one is left out")
                .label(rule.span, "the same again")
                .label(first.span, "the first one");
            self.error(d);
            return;
        }
        alike.push(self.template.rules.push(rule));
    }

    fn fact(&mut self, fact: &ast::Fact) {
        let atom = &fact.atom;
        if atom.special || atom.hidden {
            let d = Diagnostic::new(codes::NOT_ALLOWED_HERE, "a fact is a plain atom")
                .label(atom.span, "`@` and `*` have no meaning in a fact");
            self.error(d);
            return;
        }
        let open = atom.args.iter().any(|t| matches!(t.kind, TermKind::Variable(_)));
        if open {
            // A fact with variables holds for all constants: a rule without a body.
            let rule = ast::Rule {
                head_weight: fact.weight.clone(),
                head: atom.clone(),
                body: Vec::new(),
                offset: None,
                metadata: Vec::new(),
                span: fact.span,
            };
            if let Some(rule) = self.rule(&rule, None) {
                self.add_rule(rule);
            }
            return;
        }
        let pred = self.predicate(atom);
        let args: Vec<ConstId> = atom.args.iter().filter_map(|t| self.constant(t, None)).collect();
        if args.len() != atom.args.len() {
            return;
        }
        let value = match &fact.weight {
            None => TemplateValue::Constant(crate::data::ValueId::ONE),
            Some(w) => match shared::given(w) {
                // A value that is given is no weight of the model.
                Some((shape, values)) => TemplateValue::Constant(self.database.values.intern(shape, &values)),
                None => TemplateValue::Weight(self.weight(w)),
            },
        };
        self.template.facts.push(TemplateFact { pred, args, value, span: fact.span });
    }

    fn info(&mut self, pred: PredId) -> &mut PredicateInfo {
        while self.template.predicates.len() <= pred.index() {
            self.template.predicates.push(PredicateInfo::default());
        }
        &mut self.template.predicates[pred]
    }

    fn predicate_offset(&mut self, p: &ast::PredicateOffset) {
        let weight = self.weight(&p.weight);
        let pred = self.vocabulary.predicate(&p.name.node, p.arity as usize);
        let info = self.info(pred);
        info.offset = Some(weight);
        info.declared.get_or_insert(p.span);
    }

    fn predicate_metadata(&mut self, p: &ast::PredicateMetadata) {
        let pred = self.vocabulary.predicate(&p.name.node, p.arity as usize);
        self.info(pred).declared.get_or_insert(p.span);
        for entry in &p.entries {
            match entry.key.node.as_str() {
                "transformation" | "activation" => {
                    if let Some(f) = metadata::function(entry, &mut self.diagnostics) {
                        self.info(pred).activation = Some(f);
                    }
                }
                "combination" => {
                    if let Some(f) = metadata::function::<Combination>(entry, &mut self.diagnostics) {
                        self.info(pred).combination = Some(f);
                    }
                }
                "offset" => {
                    if let Some(weight) = self.offset(entry) {
                        self.info(pred).offset = Some(weight);
                    }
                }
                "output" => {
                    let arity = p.arity as usize;
                    if let Some(classes) = metadata::classes(entry, arity, &mut self.diagnostics) {
                        self.info(pred).classes = Some(classes);
                    }
                }
                "draw" => {
                    let arity = p.arity as usize;
                    let draw = draws::draw(entry, arity, self.vocabulary, &mut self.diagnostics);
                    self.info(pred).draw = draw;
                }
                "trains" => self.trains(pred, entry, Trains::Only),
                "freezes" => self.trains(pred, entry, Trains::AllBut),
                _ => unknown_key(entry, PREDICATE_KEYS, "a predicate", &mut self.diagnostics),
            }
        }
    }

    /// The offset of a metadata list. A written value is a constant, as in the reference; `{dims}` are learned.
    fn offset(&mut self, entry: &ast::MetaEntry) -> Option<WeightId> {
        match &entry.value.node {
            MetaValue::Weight(w) => {
                let constant = w.name.is_none() && !matches!(w.value.node, WeightValue::Dims { .. });
                let id = self.weight(&ast::Weight { fixed: w.fixed || constant, ..w.clone() });
                Some(id)
            }
            MetaValue::Reference(name) => {
                let known = self.names.get(name).copied();
                let id = known.or_else(|| {
                    let definition = *self.definitions.get(name.as_str())?;
                    Some(self.any_weight(definition))
                });
                if let Some(id) = id {
                    if self.template.weights[id].is_family() {
                        self.error(families::without_terms(
                            name,
                            &self.template.weights[id],
                            entry.value.span,
                        ));
                    }
                    return Some(id);
                }
                self.unknown_weight(name, entry.value.span);
                None
            }
            MetaValue::Call(_) => {
                bad_value(entry, "a weight", &mut self.diagnostics);
                None
            }
        }
    }

    fn unknown_weight(&mut self, name: &str, span: Span) {
        let mut known: Vec<&str> = self.names.keys().map(String::as_str).collect();
        known.sort_unstable();
        let mut d = Diagnostic::new(codes::UNKNOWN_WEIGHT, format!("no weight is called `${name}`"))
            .label(span, "unknown weight");
        d.help = suggest::nearest(name, known).map(|w| format!("did you mean `${w}`?")).or_else(|| {
            Some(format!("a shared weight is made where it is first used: `${name}={{3,3}} p(X) :- …`"))
        });
        self.error(d);
    }
}
