//! What works as written, but is often not what was meant.

use super::Shapes;
use crate::base::hash::{HashMap, HashSet};
use crate::base::span::Span;
use crate::data::{ConstId, Database, FactValue, PredId, QueryTerm, ValueId, Vocabulary};
use crate::diag::{Code, Diagnostic, Diagnostics, codes};
use crate::expand::Library;
use crate::syntax::ast::{self, Function, MetaArg, MetaEntry, MetaValue, Sign, Statement, TermKind};
use crate::template::{Literal, Relation, Rule, RuleId, Template, TemplateValue, Term};
use crate::tensor::Shape;
use crate::tensor::functions::{Activation, Combination};

/// Most warnings of one kind.
const SHOWN: usize = 20;

/// Looks at a program that is free of errors. `squashes` says whether the error function applies a sigmoid or softmax
/// of its own to the outputs, and `modules` are those that it uses.
pub fn habits(
    files: &[ast::File],
    template: &Template,
    vocabulary: &Vocabulary,
    database: &Database,
    modules: &Library,
    squashes: bool,
) -> Diagnostics {
    let shapes = super::shapes::infer(template, vocabulary, database, &mut Vec::new());
    let mut lowered = HashMap::default();
    for (id, rule) in template.rules.iter_enumerated() {
        // A rule that was replaced by several: the first has its body.
        lowered.entry(rule.span).or_insert(id);
    }
    let written = files.iter().flat_map(|f| &f.statements).filter_map(|s| match s {
        Statement::Rule(rule) => Some((rule.span, rule)),
        _ => None,
    });
    let written: HashMap<Span, &ast::Rule> = written.collect();
    let mut habits = Habits { template, vocabulary, database, lowered, out: Vec::new() };
    habits.forgotten_stars(&shapes);
    for statement in files.iter().flat_map(|f| &f.statements) {
        if let Statement::Rule(rule) = statement {
            habits.lone_variables(rule);
            habits.idle_parts(rule);
        }
        if let Statement::Fact(fact) = statement {
            habits.open_fact(fact);
        }
    }
    habits.stated_twice(files);
    super::twice::activations(template, vocabulary, &written, &mut habits.out);
    super::twice::lone_groundings(template, &written, &mut habits.out);
    habits.out.extend(super::reach::unreached(template, vocabulary, database, modules));
    habits.out.extend(super::training::idle_groups(template, vocabulary));
    habits.numbers_and_names();
    habits.mixed_shapes(&shapes);
    if squashes {
        habits.squashed_twice();
    }
    capped(habits.out)
}

/// The first warnings of each kind; the last one that is shown says how many more there are.
fn capped(found: Diagnostics) -> Diagnostics {
    let mut told: HashMap<Code, usize> = HashMap::default();
    let mut out: Diagnostics = Vec::new();
    for d in found {
        let n = told.entry(d.code).or_default();
        *n += 1;
        if *n <= SHOWN {
            out.push(d);
        }
    }
    for (code, n) in told {
        if let Some(last) = out.iter_mut().rev().find(|d| n > SHOWN && d.code == code) {
            last.notes.push(format!("and {} more", n - SHOWN));
        }
    }
    out
}

struct Habits<'a> {
    template: &'a Template,
    vocabulary: &'a Vocabulary,
    database: &'a Database,
    /// The rules by their places.
    lowered: HashMap<Span, RuleId>,
    out: Diagnostics,
}

impl Habits<'_> {
    /// Predicates of which every atom is a fact that states no value.
    fn plain(&self) -> HashSet<PredId> {
        let (mut plain, mut valued) = (HashSet::default(), HashSet::default());
        for (p, table) in self.database.shared.tables().chain(self.database.examples.tables()) {
            let all = table.values.iter().all(|v| *v == FactValue::ONE);
            if all {
                plain.insert(p)
            } else {
                valued.insert(p)
            };
        }
        for fact in &self.template.facts {
            let one = matches!(fact.value, TemplateValue::Constant(ValueId::ONE));
            if one {
                plain.insert(fact.pred)
            } else {
                valued.insert(fact.pred)
            };
        }
        valued.extend(self.template.rules.iter().map(|r| r.head));
        plain.retain(|p| !valued.contains(p));
        plain
    }

    /// Plain facts whose 1 is added to vectors.
    fn forgotten_stars(&mut self, shapes: &Shapes) {
        let plain = self.plain();
        for rule in self.template.rules.iter().filter(|r| r.world.is_none()) {
            if !matches!(rule.combination, Combination::Sum | Combination::Avg) {
                continue;
            }
            let shape = |l: &Literal| {
                let own = match l.relation {
                    Relation::Predicate(p) => shapes.get(p)?,
                    _ => crate::tensor::Shape::SCALAR,
                };
                l.weight.map_or(Some(own), |w| self.template.weights[w].shape.times(own))
            };
            let known: Option<Vec<_>> = rule.visible().map(|(_, l)| shape(l)).collect();
            let Some(vector) = known.and_then(|s| s.into_iter().find(|s| !s.is_scalar())) else { continue };
            self.spread_scalars(rule, &plain, shapes, vector);
            for (_, literal) in rule.visible() {
                let Some(p) = literal.predicate().filter(|p| plain.contains(p)) else { continue };
                if literal.weight.is_some() || literal.sign != Sign::Positive {
                    continue;
                }
                let name = self.vocabulary.predicate_text(p);
                let title = format!("the facts of `{name}` have no values: each adds 1 to every number here");
                self.out.push(
                    Diagnostic::new(codes::FORGOTTEN_STAR, title)
                        .label(literal.span, format!("1, added to a value of shape {vector}"))
                        .help(format!(
                            "if it is only to be matched, write `*{}`",
                            self.vocabulary.predicate_name(p)
                        )),
                );
            }
        }
    }

    /// Scalars without a stated value in the sum of a rule with a vector; plain facts are told otherwise.
    fn spread_scalars(&mut self, rule: &Rule, plain: &HashSet<PredId>, shapes: &Shapes, vector: Shape) {
        let mut told = |span, what: &str, help: String| {
            self.out.push(
                Diagnostic::new(
                    codes::SPREAD_SCALAR,
                    format!("{what} is a scalar: it is added to every element of a value of shape {vector}"),
                )
                .label(span, "one number for all elements")
                .help(help),
            );
        };
        if let Some(offset) = rule.offset.map(|w| &self.template.weights[w])
            && offset.shape.is_scalar()
            && offset.learnable
        {
            let help =
                format!("`{vector}` has a number for each; if one is meant, a fixed value says so: `<0.5>`");
            told(offset.span, "this offset", help);
        }
        for (_, literal) in rule.visible().filter(|(_, l)| l.weight.is_none() && l.functions.is_empty()) {
            let Some(p) = literal.predicate().filter(|p| !plain.contains(p)) else { continue };
            if shapes.get(p).is_some_and(Shape::is_scalar) {
                let help = format!(
                    "a weight {{{0},1}} before it makes a value of shape {vector} of it; if one number is meant, `<1>` \
                     says so",
                    vector.rows
                );
                told(literal.span, &format!("`{}`", self.vocabulary.predicate_text(p)), help);
            }
        }
    }

    /// A variable that stands once in a rule with others: perhaps a slip.
    fn lone_variables(&mut self, rule: &ast::Rule) {
        let variables = |terms: &[ast::Term], ordinary: bool, all: &mut Vec<(String, Option<Span>)>| {
            for t in terms {
                if let TermKind::Variable(v) = &t.kind {
                    all.push((v.clone(), ordinary.then_some(t.span)));
                }
            }
        };
        let mut all = Vec::new();
        variables(&rule.head.args, false, &mut all);
        let weights = rule.head_weight.iter().chain(rule.body.iter().filter_map(ast::Item::weight));
        for terms in weights.filter_map(|w| w.member.as_ref()) {
            variables(terms, false, &mut all);
        }
        for item in &rule.body {
            match item {
                ast::Item::Literal(literal) => {
                    let ordinary = literal.sign != Sign::Hard && !literal.atom.special;
                    variables(&literal.atom.args, ordinary, &mut all);
                }
                ast::Item::Comparison(_) => item.terms().into_iter().for_each(|t| {
                    variables(std::slice::from_ref(t), false, &mut all);
                }),
            }
        }
        for entry in &rule.metadata {
            if let MetaValue::Call(Function { args, .. }) = &entry.value.node {
                all.extend(args.iter().filter_map(|a| match &a.node {
                    MetaArg::Variable(v) => Some((v.clone(), None)),
                    _ => None,
                }));
            }
        }
        // Alone in its rule, a variable cannot be a slip for another: `q :- h(X)` is a common way to say `h(_)`. But a
        // constant may be a slip for the variable: `h(x) :- f(X)`.
        if all.iter().all(|(v, _)| *v == all[0].0) {
            if let [(name, Some(span))] = &all[..] {
                self.lower_case_twin(rule, name, *span);
            }
            return;
        }
        for (name, span) in &all {
            let once = all.iter().filter(|(v, _)| v == name).count() == 1;
            if let (true, false, Some(span)) = (once, name.starts_with('_'), *span) {
                self.out.push(
                    Diagnostic::new(codes::LONE_VARIABLE, format!("`{name}` stands only here in this rule"))
                        .label(span, "any constant fits")
                        .help(format!("if that is meant, write `_` or `_{name}`")),
                );
            }
        }
    }

    /// The only variable of a rule, beside a constant of the same name.
    fn lower_case_twin(&mut self, rule: &ast::Rule, name: &str, span: Span) {
        let terms = rule.head.args.iter().chain(rule.body.iter().flat_map(ast::Item::terms));
        let mut twins = terms.filter(|t| match &t.kind {
            TermKind::Name(n) => n.eq_ignore_ascii_case(name),
            _ => false,
        });
        if let Some(twin) = twins.next() {
            self.out.push(
                Diagnostic::new(codes::LONE_VARIABLE, format!("`{name}` stands only here in this rule"))
                    .label(span, "any constant fits")
                    .label(twin.span, "this is a constant, not the variable")
                    .help(format!("variables begin with a capital: is `{name}` meant there too?")),
            );
        }
    }

    /// A fact of the template with variables: often a constant that begins with a capital.
    fn open_fact(&mut self, fact: &ast::Fact) {
        let Some((name, span)) = fact.atom.args.iter().find_map(|t| match &t.kind {
            TermKind::Variable(v) => Some((v, t.span)),
            _ => None,
        }) else {
            return;
        };
        let atom = &fact.atom.name.node;
        self.out.push(
            Diagnostic::new(codes::OPEN_FACT, format!("this fact of `{atom}` holds for all constants"))
                .label(span, format!("`{name}` is a variable"))
                .help(format!(
                    "a constant begins with a lower-case letter; if all constants are meant, write \
                     `{atom}(…) :- @dom({name}).`"
                )),
        );
    }

    /// Offsets and functions of a rule that take no part in it.
    fn idle_parts(&mut self, rule: &ast::Rule) {
        let Some(lowered) = self.lowered.get(&rule.span).map(|id| &self.template.rules[*id]) else { return };
        let stated = rule.metadata.iter().find(|e| e.key.node == "offset");
        if lowered.is_valueless() {
            let functions = rule.metadata.iter().filter(|e| e.key.node != "learnable").map(|e| e.key.span);
            let Some(span) = rule.offset.as_ref().map(|w| w.span).into_iter().chain(functions).next() else {
                return;
            };
            self.out.push(
                Diagnostic::new(codes::WITHOUT_EFFECT, "this rule has no values to compute with")
                    .label(span, "without effect")
                    .label(rule.head.span, "no literal of the body gives a value")
                    .help("the value of such a rule is the weight before its head, or 1"),
            );
        } else if let (Some(offset), Some(entry)) = (&rule.offset, stated) {
            self.out.push(
                Diagnostic::new(codes::WITHOUT_EFFECT, "this rule states its offset in two places")
                    .label(offset.span, "without effect")
                    .label(entry.key.span, "this one counts"),
            );
        }
    }

    /// Offsets and functions of a predicate that a later statement replaces.
    fn stated_twice(&mut self, files: &[ast::File]) {
        let mut known: HashMap<(String, u32, &str), (String, Span)> = HashMap::default();
        let mut state = |name: &ast::PredicateMetadata, entry: &MetaEntry, out: &mut Diagnostics| {
            let key = match entry.key.node.as_str() {
                "activation" | "transformation" => "transformation",
                "combination" => "combination",
                "offset" => "offset",
                "draw" => "draw",
                _ => return,
            };
            let value = written(&entry.value.node);
            let at = (name.name.node.clone(), name.arity, key);
            if let Some((_, span)) = known.get(&at).filter(|(v, _)| *v != value) {
                out.push(
                    Diagnostic::new(
                        codes::STATED_TWICE,
                        format!("the {key} of `{}/{}` is stated twice", name.name.node, name.arity),
                    )
                    .label(entry.value.span, "this one counts")
                    .label(*span, "without effect"),
                );
            }
            known.insert(at, (value, entry.value.span));
        };
        for statement in files.iter().flat_map(|f| &f.statements) {
            match statement {
                Statement::PredicateMetadata(p) => {
                    p.entries.iter().for_each(|e| state(p, e, &mut self.out));
                }
                Statement::PredicateOffset(p) => {
                    let (name, arity, span) = (p.name.clone(), p.arity, p.span);
                    let key = crate::base::span::Spanned::new("offset".to_string(), p.weight.span);
                    let value =
                        crate::base::span::Spanned::new(MetaValue::Weight(p.weight.clone()), p.weight.span);
                    let list = ast::PredicateMetadata { name, arity, entries: Vec::new(), span };
                    state(&list, &MetaEntry { key, value }, &mut self.out);
                }
                _ => {}
            }
        }
    }

    /// `'1'` where the facts hold the number 1, and the other way round.
    fn numbers_and_names(&mut self) {
        let mut places: Vec<(PredId, Vec<Option<ConstId>>, Span)> = Vec::new();
        for literal in self.template.rules.iter().flat_map(|r| &r.body) {
            let Some(p) = literal.predicate() else { continue };
            let constant = |t: &Term| match t {
                Term::Constant(c) => Some(*c),
                Term::Variable(_) => None,
            };
            places.push((p, literal.args.iter().map(constant).collect(), literal.span));
        }
        for query in &self.database.queries {
            let constant = |t: &QueryTerm| match t {
                QueryTerm::Constant(c) => Some(*c),
                QueryTerm::Variable(_) => None,
            };
            places.push((query.pred, query.args.iter().map(constant).collect(), query.span));
        }
        let heads: HashSet<PredId> = self.template.rules.iter().map(|r| r.head).collect();
        let mut asked: HashSet<(PredId, usize, ConstId)> = HashSet::default();
        for (p, args, span) in places {
            for (i, constant) in args.into_iter().enumerate() {
                let Some(constant) = constant.filter(|c| !heads.contains(&p) && asked.insert((p, i, *c)))
                else {
                    continue;
                };
                let Some(value) = self.numeral(constant) else { continue };
                let tables = [self.database.shared.table(p), self.database.examples.table(p)];
                let own = || self.template.facts.iter().filter(|f| f.pred == p).filter_map(|f| f.args.get(i));
                let column = || {
                    tables.iter().flatten().filter_map(|t| t.columns.get(i)).flatten().chain(own()).copied()
                };
                if column().any(|c| c == constant) {
                    continue;
                }
                let Some(other) = column().find(|c| self.numeral(*c) == Some(value)) else { continue };
                let kind = |c| if self.vocabulary.as_number(c).is_some() { "the number" } else { "the name" };
                let (this, that) =
                    (self.vocabulary.constant_text(constant), self.vocabulary.constant_text(other));
                let name = self.vocabulary.predicate_text(p);
                let title = format!("{} `{this}` is not {} `{that}`", kind(constant), kind(other));
                self.out.push(
                    Diagnostic::new(codes::NUMBER_OR_NAME, title)
                        .label(span, format!("no fact of `{name}` has `{this}` here"))
                        .help(format!("the facts have `{that}`")),
                );
            }
        }
    }

    /// The value of a number, or of a quoted text that looks like one.
    fn numeral(&self, constant: ConstId) -> Option<f64> {
        let text = || self.vocabulary.constant_text(constant).strip_prefix('\'')?.strip_suffix('\'');
        let quoted = || text()?.parse().ok().filter(|x: &f64| x.is_finite());
        self.vocabulary.as_number(constant).or_else(quoted)
    }

    /// Targets that cannot be those of atoms that some rule derives: it adds a value of another shape. Where every rule
    /// does, that is an error already.
    fn mixed_shapes(&mut self, shapes: &Shapes) {
        let mut seen = HashSet::default();
        for query in &self.database.queries {
            let Some((target, _)) = query.target.as_ref().filter(|_| seen.insert(query.pred)) else {
                continue;
            };
            let combination = self.template.atom_combination(query.pred);
            let settled = shapes.get(query.pred).is_some() || self.template.classes(query.pred).is_some();
            if settled || !super::shapes::added_to_vector(&combination) {
                continue;
            }
            let makers = shapes.contributions(self.template, self.vocabulary, query.pred);
            let other = |s: &Shape| !s.is_scalar() && s.len() != target.len();
            let Some((head, shape)) = makers.iter().find(|(_, s)| other(s)) else { continue };
            let name = self.vocabulary.predicate_text(query.pred);
            let title = format!(
                "the target is {target}, but this rule makes {shape} of the atoms of `{name}` that it derives"
            );
            self.out.push(
                Diagnostic::new(codes::MIXED_SHAPES, title)
                    .label(*head, format!("this is {shape}"))
                    .label(query.span, format!("its target is {target}"))
                    .help("a target of an atom that the rule derives is an error when the program is run"),
            );
        }
    }

    /// Outputs that the template squashes and the error function squashes again.
    fn squashed_twice(&mut self) {
        let mut seen = HashSet::default();
        for query in self.database.queries.iter().filter(|q| q.target.is_some()) {
            if !seen.insert(query.pred) {
                continue;
            }
            let Some(info) = self.template.predicate(query.pred) else { continue };
            let (Some(f @ (Activation::Sigmoid | Activation::Softmax)), Some(span)) =
                (&info.activation, info.declared)
            else {
                continue;
            };
            let name = self.vocabulary.predicate_text(query.pred);
            self.out.push(
                Diagnostic::new(codes::SQUASHED_TWICE, format!("`{name}` is trained on the {f} of a {f}"))
                    .label(span, "one is stated here; the error function `softentropy` has its own")
                    .help(
                        "leave it out here, or train with `--loss crossentropy`, which takes probabilities",
                    ),
            );
        }
    }
}

/// A metadata value without its places, to compare.
fn written(value: &MetaValue) -> String {
    match value {
        MetaValue::Call(Function { name, args }) => {
            format!("{name} {:?}", args.iter().map(|a| &a.node).collect::<Vec<_>>())
        }
        MetaValue::Weight(w) => {
            format!("{:?} {} {:?}", w.name.as_ref().map(|n| &n.node), w.fixed, w.value.node)
        }
        MetaValue::Reference(name) => format!("${name}"),
    }
}
