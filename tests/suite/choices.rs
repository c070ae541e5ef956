//! What a module takes: choices of its parameters, and uses that it refuses.

use crate::modules::{DATA, expanded, nlog, refused};
use crate::support::shown;
use nlog::base::span::SourceMap;
use nlog::diag::Diagnostic;
use nlog::session::{Session, Settings};
use nlog::syntax::ast::{Condition, Module, NamePart, Parameter, ParameterKind, Part, Statement};
use nlog::syntax::formula::{Formula, FormulaKind, Test};

/// A module with all kinds of choices.
const CHOICES: &str =
    "@module c(x/1, h/1, kind in plain | 'two words' | -1, d = 5, norm = some | none, bias = 0 | 1,
        act = tanh | relu | _) {
    @if norm == none { h(X) :- x(X). } @else @if kind == plain { h(X) :- x(X), y(d). y(X) :- x(X). }
    @if bias == 1 { h(X) :- x(X), z(kind). z(X) :- x(X). }
    h/1 [transformation=act]
}
@module outer(x/1, h/1, way = some) { @use c(x, h, plain, norm = way). } ";

#[test]
fn choices_of_a_parameter() {
    let of = |call: &str| expanded(&format!("{CHOICES} @use {call}."));
    let plain = "h(X) :- f(X), y__c_1(5).\ny__c_1(X) :- f(X).\nh/1 [transformation=tanh]\n";
    assert_eq!(of("c(f, h, plain)"), plain);
    assert_eq!(of("c(f, h, plain, norm = some)"), plain);
    assert_eq!(
        of("c(f, h, -1, norm = none, act = sigmoid)"),
        "h(X) :- f(X).\nh/1 [transformation=sigmoid]\n"
    );
    assert!(of("c(f, h, 'two words', bias = 1)").contains("z__c_1('two words')"));
    assert_eq!(of("outer(f, h, none)"), "h(X) :- f(X).\nh/1 [transformation=tanh]\n");
    let faults = [
        ("c(feat, h, plan)", "E0232", "`kind` is `plain`, `'two words'` or `-1`, not the word `plan`"),
        ("c(feat, h, plan)", "E0232", "did you mean `plain`?"),
        ("c(feat, h, plain, norm = nome)", "E0232", "its choices"),
        ("c(feat, h, plain, bias = 2)", "E0232", "`bias` is `0` or `1`, not the number `2`"),
        ("c(feat, h, plain, bias = {1})", "E0232", "not the list `{1}`"),
        ("c(feat, h, plain, act = 3)", "E0232", "`relu` or a word or function else, not the number `3`"),
        ("c(feat, h)", "E0217", "is not given `kind`"),
        ("outer(feat, h, nome)", "E0232", "in `outer`, used here"),
    ];
    for (call, code, says) in faults {
        let text = refused(&format!("{CHOICES} @use {call}. ?- h(a)."), code);
        assert!(text.contains(says), "{call}\n{text}");
    }
    for (header, code, says) in [
        ("a = b | {c}", "E0218", "neither a word nor a number"),
        ("a = b | d, d = 1", "E0218", "a parameter has this name"),
        ("a = 1 | 1.0", "E0218", "stated twice"),
        ("a = b | l", "E0218", "a loop variable has this name"),
        ("a = _ | b", "E0218", "`_` is no choice"),
        ("a in _", "E0218", "`a` has no choices"),
        ("x/1 = none | b", "E0101", "found `|`"),
        ("$w = v | b", "E0101", "found `|`"),
        ("a = b |", "E0101", "expected a value"),
        ("error = 1", "E0221", "a word of the language"),
    ] {
        let text = refused(&format!("@module m({header}) {{ p(a, d). @for l in 1..2 {{ q(l). }} }}"), code);
        assert!(text.contains(says), "{header}\n{text}");
    }
}

#[test]
fn conditions_ask_for_choices() {
    let of = |header: &str, condition: &str| {
        format!(
            "@module m(x/1, h/1, {header}) {{ @for L in {{e, 2}} {{ @if {condition} {{ h(X) :- x(X). }} }} }}"
        )
    };
    for (header, condition, says) in [
        ("pad = same | valid", "pad == vaild", "did you mean `valid`?"),
        ("pad = same | valid", "vaild != pad", "`pad` is `same` or `valid`, not the word `vaild`"),
        ("pad = 'a' | 'b'", "pad == a", "`'a'` with quotes is one of them"),
        ("pad = 0 | 1", "pad == 1 + 1", "asked in vain"),
    ] {
        let text = refused(&of(header, condition), "E0232");
        assert!(text.contains(says), "{condition}\n{text}");
    }
    for (header, condition) in [
        ("pad = 0 | 1", "pad == 2 - 1"),
        ("pad = 0 | 1", "pad < 3"),
        ("pad = e | f", "pad == L"),
        ("pad = a | b, other = c", "pad == other"),
        ("pad = a | _", "pad == c"),
    ] {
        expanded(&of(header, condition));
    }
}

#[test]
fn modules_refuse_uses() {
    let module = "@module m(x/1, h/1, heads, units = {}) {
        @if heads < 1 { @error 'it''s @{heads} of @{units}'. }
        @for U in units { @for K in 1..2 { @if mod(U, heads) != 0 { @error 'no @{U} by @{heads}: @{K}'. } } }
        h(X) :- x(X).
    }
    @module outer(x/1, h/1, d) { @use m(x, h, d). @use m(x, h, d, {4}). } ";
    let of = |call: &str| {
        let (session, found) =
            Session::from_texts(&format!("{module} @use {call}."), DATA, Settings::default());
        let errors: Vec<Diagnostic> = found.into_iter().filter(|d| d.is_error()).collect();
        (errors.len(), shown(&errors, &session))
    };
    assert_eq!(of("m(feat, h, 2, {2, 4})").0, 0);
    // It stops at the first, inside of loops too.
    let (count, text) = of("m(feat, h, 2, {4, 5, 7})");
    assert!(count == 1 && text.contains("[E0233] Error: no 5 by 2: 1"), "{text}");
    assert!(text.contains("by this use") && text.contains("refused here"), "{text}");
    let (count, text) = of("m(feat, h, 0, {4, a})");
    assert!(count == 1 && text.contains("it's 0 of {4, a}"), "{text}");
    let (count, text) = of("outer(feat, h, 3)");
    assert!(count == 1 && text.contains("no 4 by 3: 1") && text.contains("in `outer`, used here"), "{text}");
    for (statement, code, says) in [
        ("@error 'no'.", "E0233", "refused here"),
        ("@module r(x/1) { @error 'not for @{x}'. } @use r(feat).", "E0233", "not for feat"),
        ("@error no.", "E0101", "expected a text in quotes"),
        ("@error 'a @{1 + }'.", "E0101", "a value"),
        ("@error 'a @{1 '.", "E0101", "`}`"),
        ("@error '@{who}'.", "E0222", "neither parameter nor loop variable"),
        ("@error 'no' p(X).", "E0101", "a full stop"),
    ] {
        let text = refused(statement, code);
        assert!(text.contains(says), "{statement}\n{text}");
    }
}

#[test]
fn choices_and_refusals_are_formatted() {
    let text =
        "@module  m( x/1,norm=a|b  |  _ ,kind in c|1 ){ @if norm!=a{@error   'no  @{norm}' .} p(X):-x(X). }";
    let dir = tempfile::tempdir().expect("a temporary folder");
    let file = dir.path().join("m.lrnn");
    std::fs::write(&file, text).expect("written");
    assert!(nlog(dir.path(), &["fmt", "m.lrnn"]).0);
    let once = std::fs::read_to_string(&file).expect("read");
    assert_eq!(
        once,
        "@module m(x/1, norm=a | b | _, kind in c | 1) {\n  @if norm!=a { @error 'no  @{norm}'. }\n  p(X) :- x(X).\n}\n"
    );
    assert!(nlog(dir.path(), &["fmt", "--check", "m.lrnn"]).0);
}

/// The modules of the library, each with the path that imports it.
fn library() -> Vec<(&'static str, std::sync::Arc<Module>)> {
    let mut out = Vec::new();
    for (path, text) in nlog::io::library::BUILT_IN {
        let mut sources = SourceMap::new();
        let source = sources.add(*path, *text);
        for statement in nlog::syntax::parser::parse_template(source, text).0.statements {
            if let Statement::Module(module) = statement {
                out.push((*path, module));
            }
        }
    }
    out
}

#[test]
fn no_module_of_the_library_takes_a_wrong_word() {
    let mut tried = 0;
    for (path, module) in library() {
        for parameter in module.parameters.iter().filter(|p| !p.choices.is_empty()) {
            // Open choices refuse another kind only.
            let wrong = if parameter.open { "{}" } else { "paperr" };
            let argument = |p: &Parameter| match (p.kind, p.name.node.as_str()) {
                _ if p.name == parameter.name => Some(format!("{} = {wrong}", p.name.node)),
                _ if p.default.is_some() => None,
                (ParameterKind::Weight, _) => None,
                (ParameterKind::Predicate(_), name) => Some(format!("{name} = p_{name}")),
                (_, "layers" | "relations") => Some(format!("{} = {{p, q}}", p.name.node)),
                (_, name) => Some(format!("{name} = 2")),
            };
            let arguments: Vec<String> = module.parameters.iter().filter_map(argument).collect();
            let name = &module.name.node;
            let text = refused(&format!("import {path}. @use {name}({}).", arguments.join(", ")), "E0232");
            assert!(text.contains(&format!("`{}` is `", parameter.name.node)), "{name}\n{text}");
            tried += 1;
        }
    }
    assert!(tried > 100, "{tried} parameters of the library have choices");
}

#[test]
fn the_library_refuses_what_it_cannot_compute() {
    for (path, call, says) in [
        ("gnn/gat", "gat(feat, bond, h, 2, 3, heads = 2)", "dout = 3 is no multiple of heads = 2"),
        ("gnn/egc", "egc_m(feat, bond, h, 2, 4)", "dout = 4 is no multiple of heads = 8"),
        (
            "gnn/gin",
            "gin(feat, bond, h, 2, 3, units = {2, 7, 4})",
            "units = {2, 7, 4} ends with another width than dout = 3",
        ),
        ("gnn/gin", "gin(feat, bond, h, 2, 3, units = {5, 3})", "begins with another width than din = 2"),
        ("gnn/gin", "gin(feat, bond, h, 2, 3, eps = 1, compat = pynl)", "eps = 1 is none"),
        ("gnn/pna", "pna(feat, bond, h, 2, 2, 1, scalers = {identical})", "not identical"),
        ("gnn/appnp", "appnp(feat, bond, h, alpha = 1.5)", "alpha is at most 1, not 1.5"),
        ("nn/mlp", "mlp(feat, h, {})", "at least two widths, not {}"),
        ("nn/mlp", "mlp(feat, h, {2, 3, 1}, dropout = 1)", "below 1"),
        ("nn/mlp", "mlp(feat, h, {2, 1}, dropout = 0.5)", "no hidden layer for dropout"),
        ("nn/mlp", "mlp(feat, h, {2, 1}, acts = {relu, relu})", "more functions than"),
        ("nn/conv", "conv1d(feat, h, 2, 2, 3, dilation = 1.5)", "dilation is a whole number, not 1.5"),
        ("pool/set2set", "set2set(feat, h, 2, steps = 0)", "steps is at least 1, not 0"),
        (
            "pool/topk",
            "topk(feat, bond, h, keep, link, 2, number = 1.5)",
            "number is a whole number, not 1.5",
        ),
        ("seq/attention", "mha(feat, feat, feat, h, 2, 3)", "d = 2 is no multiple of heads = 3"),
        ("depth/jk", "jk_max({}, h)", "layers is an empty list"),
        ("networks/neural_graph", "ng_gnn(feat, bond, h, 2, 1, scalers = {linear})", "not linear"),
    ] {
        let text = refused(&format!("import {path}. @use {call}."), "E0233");
        assert!(text.contains(says) && text.contains("by this use"), "{call}\n{text}");
    }
}

/// Calls `f` with every condition of some parts.
fn conditions(parts: &[Part], f: &mut dyn FnMut(&Condition)) {
    for part in parts {
        match part {
            Part::For(each) => conditions(&each.body, f),
            Part::If(choice) => {
                for (condition, inner) in &choice.links {
                    f(condition);
                    conditions(inner, f);
                }
                conditions(&choice.otherwise, f);
            }
            Part::Text(_) | Part::Use(_) | Part::Error(_) => {}
        }
    }
}

#[test]
fn modules_of_the_library_ask_only_for_their_choices() {
    for (path, module) in library() {
        conditions(&module.body, &mut |condition| {
            let word = |f: &Formula| match &f.kind {
                FormulaKind::Name(parts) => match &parts[..] {
                    [NamePart::Text(word)] => Some(word.clone()),
                    _ => None,
                },
                _ => None,
            };
            let Some(left) = word(&condition.left) else { return };
            let Some(p) = module.parameters.iter().find(|p| p.name.node == left) else { return };
            if p.kind != ParameterKind::Value {
                return;
            }
            let right = &condition.right.kind;
            let known = p.choices.iter().any(|c| c.kind == *right);
            let about =
                format!("{path}: `{}` asks `{left}` for what is none of its choices", module.name.node);
            match word(&condition.right) {
                Some(word) if !module.parameters.iter().any(|p| p.name.node == word) => {
                    assert!(known, "{about}: `{word}`");
                }
                // What is asked to be 1, and is 0 or 1 if nothing is said, is a flag; a stride is a number.
                None if *right == FormulaKind::Number(1.0)
                    && condition.test == Test::Equal
                    && left != "stride"
                    && p.default.as_ref().is_some_and(|d| {
                        [FormulaKind::Number(0.0), FormulaKind::Number(1.0)].contains(&d.kind)
                    }) =>
                {
                    assert!(known, "{about}: 1");
                }
                _ => {}
            }
        });
    }
}
