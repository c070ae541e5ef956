//! Modules, loops and choices: what they expand to, whose names are whose, and what is said about faults in them.

use crate::support::{evaluate_only, shown};
use nlog::base::span::SourceMap;
use nlog::diag::{Diagnostic, has_errors};
use nlog::session::{Session, Settings};
use nlog::syntax::ast::File;
use std::ops::ControlFlow;

pub const DATA: &str = "<[1,2]> feat(a), <[0,1]> feat(b), <[1,1]> feat(c), bond(a,b), bond(b,c), bond(c,a).";

/// The plain statements that a template stands for, each on its line.
pub fn expanded(template: &str) -> String {
    let (session, files, found) = Session::from_texts_program(template, "", Settings::default());
    let errors: Vec<Diagnostic> =
        found.into_iter().filter(|d| d.is_error() && d.code.0.starts_with("E02")).collect();
    assert!(errors.is_empty(), "{}", shown(&errors, &session));
    File { statements: files.into_iter().flat_map(|f| f.statements).collect(), ..Default::default() }
        .to_string()
}

/// The values of all answers after some epochs.
fn values(template: &str, data: &str) -> Vec<Vec<f64>> {
    let mut settings = evaluate_only();
    settings.train.epochs = 3;
    let (session, found) = Session::from_texts(template, data, settings);
    assert!(!has_errors(&found), "{}", shown(&found, &session));
    let network = crate::support::network(&session);
    let mut parameters = session.initial_parameters();
    let run = session.run(&network, &mut parameters, &mut |_| ControlFlow::Continue(()));
    run.expect("finite values").values
}

/// The first error of a template, as it is shown.
pub fn refused(template: &str, code: &str) -> String {
    let (session, found) = Session::from_texts(template, DATA, Settings::default());
    let d = found.iter().find(|d| d.is_error());
    let d = d.unwrap_or_else(|| panic!("no error in\n{template}"));
    let text = shown(std::slice::from_ref(d), &session);
    assert_eq!(d.code.0, code, "{text}");
    text
}

#[test]
fn parameters_are_put_in_wherever_they_stand() {
    let module = "@module m(x/1, h/1, d, k, act, c, w = 0.5) {
        {2*d, d} h(X) :- <w> x(X), [w, @{w+1}] y(X), k(X), next(k, c, @{k - 1}).  [transformation=act]
        y(X) :- act(x(X)), X > k. [activation=leakyrelu(w), learnable=true]
        h/1 [transformation=act]
        y/1 {d}
        k(X) :- x(X).
        next(1, 2, X) :- x(X).
    }";
    let text = expanded(&format!("{module}\n@use m(in, out, 3, 2, tanh, 'any text').\n"));
    assert_eq!(
        text,
        "{6,3} out(X) :- <0.5> in(X), [0.5,1.5] y__m_1(X), k__m_1(X), next__m_1(2,'any text',1). [transformation=tanh]\n\
         y__m_1(X) :- tanh(in(X)), X > 2. [activation=leakyrelu(0.5), learnable=true]\n\
         out/1 [transformation=tanh]\n\
         y__m_1/1 {3}\n\
         k__m_1(X) :- in(X).\n\
         next__m_1(1,2,X) :- in(X).\n"
    );
}

#[test]
fn names_are_glued_and_expressions_calculated() {
    let loops =
        "@for L in 1..2 { @for K in L..2 { {L,K+1} l@{L}_@K(a@L) :- $w@L={@{L}} l@{L-1}_@{K}x(X). } }";
    let text = expanded(loops);
    assert_eq!(
        text,
        "{1,2} l1_1(a1) :- $w1={1} l0_1x(X).\n\
         {1,3} l1_2(a1) :- $w1={1} l0_2x(X).\n\
         {2,3} l2_2(a2) :- $w2={2} l1_2x(X).\n"
    );
    // Both ends are included, and an empty range is no fault.
    assert_eq!(expanded("@for L in 3..2 { p(L). } @for L in 2..2 { q(L). }"), "q(2).\n");
    assert_eq!(expanded("@for L in 1..6/2 { p(@{mod(7, L)}). }"), "p(0).\np(1).\np(1).\n");
    assert_eq!(
        expanded("@for R in {single, 'b c', 2, foo-bar} { @for K in 1..1 { p(R, @{K+1}). } }"),
        "p(single,2).\np('b c',2).\np(2,2).\np(foo-bar,2).\n"
    );
}

#[test]
fn lists_have_elements_and_predicates() {
    let module = "@module rel(x/1, h/1, relations, units) {
        @for R in relations { {@{units[2]}, @{units[1]}} h(I) :- x(J), *R(J,I). }
        @for L in 2..len(units) { {units[L], units[L-1]} g@L(X) :- x(X). }
        h(X) :- g@{len(units)}(X).
    }";
    let text = expanded(&format!("{module}\n@use rel(f, h, {{single, foo-bar}}, {{2, 3, 4}})."));
    assert_eq!(
        text,
        "{3,2} h(I) :- f(J), *single(J,I).\n{3,2} h(I) :- f(J), *foo-bar(J,I).\n\
         {3,2} g2__rel_1(X) :- f(X).\n{4,3} g3__rel_1(X) :- f(X).\nh(X) :- g3__rel_1(X).\n"
    );
    // A word that one module hands to another still names what it names where it was written.
    let outer = "@module outer(x/1, e/2, h/1) { mine(J,I) :- x(J), x(I). @use rel(x, h, {mine, e}, {2,2}). }";
    let text = expanded(&format!("{module}\n{outer}\n@use outer(f, bond, h)."));
    assert!(text.contains("h(I) :- f(J), *mine__outer_1(J,I)."), "{text}");
    assert!(text.contains("h(I) :- f(J), *bond(J,I)."), "{text}");
}

/// What a draw is about is a predicate like any other, and what is drawn is a module's own.
#[test]
fn draws_in_modules_name_predicates() {
    let module = "@module m(x/1, e/2, h/1, p, other/1 = none) {
        mask/1 [draw=dropout(x,p,2)]
        none_of/2 [draw=negatives(e,1)]
        mixed/2 [draw=permutation(own)]
        own(1). own(2).
        @if other != none { noise/1 [draw=normal(other)] h(X) :- noise(X). }
        h(X) :- mask(X), x(X), none_of(X,Y), mixed(X,Y).
    }";
    let text = expanded(&format!("{module}\n@use m(in, bond, out, 0.5, atom)."));
    assert_eq!(
        text,
        "mask__m_1/1 [draw=dropout(in,0.5,2)]\n\
         none_of__m_1/2 [draw=negatives(bond,1)]\n\
         mixed__m_1/2 [draw=permutation(own__m_1)]\n\
         own__m_1(1).\n\
         own__m_1(2).\n\
         noise__m_1/1 [draw=normal(atom)]\n\
         out(X) :- noise__m_1(X).\n\
         out(X) :- mask__m_1(X), in(X), none_of__m_1(X,Y), mixed__m_1(X,Y).\n"
    );
    // A word that a user wrote still names what it names there, in a module too; outside of modules nothing changes.
    let word = "@module w(node, h/1) { m/1 [draw=normal(node)] h(X) :- m(X). }";
    let outer = "@module o(x/1, h/1) { @use w(x, h). }";
    let text =
        expanded(&format!("{word} {outer}\n@use o(in, out). @for K in 1..1 {{ m@K/1 [draw=normal(in)] }}"));
    assert!(text.contains("m__w_1/1 [draw=normal(in)]\n"), "{text}");
    assert!(text.contains("m1/1 [draw=normal(in)]\n"), "{text}");
    // What nothing states cannot be drawn over, and what was left out neither.
    let own = "@module m(h/1) { m/1 [draw=normal(node)] h(X) :- m(X). } @use m(h).";
    let text = refused(own, "E0220");
    assert!(text.contains("`node/1` is no parameter of `m`"), "{text}");
    let left = "@module m(h/1, node/1 = none) { m/1 [draw=normal(node)] h(X) :- m(X). } @use m(h).";
    let text = refused(left, "E0218");
    assert!(text.contains("was left out by the `@use`"), "{text}");
}

#[test]
fn dropout_refuses_what_is_no_rate_and_what_is_derived() {
    for (module, rate) in [("mlp(feat, h, {2,3,1}", "dropout"), ("dropout(feat, h, 2", "p")] {
        for x in ["1", "-0.5"] {
            let text =
                refused(&format!("import nn/mlp. import nn/dropout. @use {module}, {rate} = {x})."), "E0233");
            assert!(text.contains(&format!("{rate} is a probability below 1, not {x}")), "{text}");
        }
    }
    for x in ["1", "-0.5"] {
        refused(&format!("import nn/mlp. @use mlp0(g, h, {{2,3,1}}, dropout = {x})."), "E0233");
        refused(&format!("import nn/dropout. @use dropout0(g, h, 2, {x})."), "E0233");
    }
    let derived = "import nn/dropout. y(X) :- feat(X). @use dropout(y, h, 2";
    let text = refused(&format!("{derived})."), "E0521");
    assert!(text.contains("not over `y/1`") && text.contains("about the same constants"), "{text}");
    assert_eq!(values(&format!("{derived}, node = feat). ?- h(X)."), DATA).len(), 3);
}

#[test]
fn choices_are_made_by_words_and_numbers() {
    let module = "@module m(x/1, h/1, compat = paper, n = 1, mask/2 = none) {
        @if compat == pynl { h(X) :- x(X), a(X). a(X) :- x(X). }
        @else @if n >= 2 { h(X) :- x(X), b(n). b(n) :- x(X). }
        @else { h(X) :- x(X). }
        @if mask != none { h(X) :- x(Y), *mask(X,Y). }
    }";
    let of = |arguments: &str| expanded(&format!("{module} @use m({arguments})."));
    assert_eq!(of("f, h"), "h(X) :- f(X).\n");
    assert_eq!(of("f, h, n = 2"), "h(X) :- f(X), b__m_1(2).\nb__m_1(2) :- f(X).\n");
    assert_eq!(of("f, h, pynl, 2"), "h(X) :- f(X), a__m_1(X).\na__m_1(X) :- f(X).\n");
    assert_eq!(of("f, h, mask = bond"), "h(X) :- f(X).\nh(X) :- f(Y), *bond(X,Y).\n");
    assert_eq!(of("f, h, mask = none"), "h(X) :- f(X).\n");
}

#[test]
fn names_of_a_module_are_its_own() {
    let module = "@module m(x/1, h/1, $w) { $v={2,2} mid(X) :- $w={2,2} x(X). $v [learnable=false]
        h(X) :- mid(X), {2,2} x(X), @lt(1,2). mid/1 [offset=$v] }";
    let text = expanded(&format!(
        "{module} mid(X) :- feat(X). @use m(feat, mid). @use m(mid, h, $s). @use m(h, g, $w = $s)."
    ));
    assert_eq!(
        text,
        "mid(X) :- feat(X).\n\
         $v__m_1={2,2} mid__m_1(X) :- $w__m_1={2,2} feat(X).\n$v__m_1 [learnable=false]\n\
         mid(X) :- mid__m_1(X), {2,2} feat(X), @lt(1,2).\nmid__m_1/1 [offset=$v__m_1]\n\
         $v__m_2={2,2} mid__m_2(X) :- $s={2,2} mid(X).\n$v__m_2 [learnable=false]\n\
         h(X) :- mid__m_2(X), {2,2} mid(X), @lt(1,2).\nmid__m_2/1 [offset=$v__m_2]\n\
         $v__m_3={2,2} mid__m_3(X) :- $s={2,2} h(X).\n$v__m_3 [learnable=false]\n\
         g(X) :- mid__m_3(X), {2,2} h(X), @lt(1,2).\nmid__m_3/1 [offset=$v__m_3]\n"
    );
    // A name that a user has is left to them, in the template and in the data.
    let small = "@module m(x/1, h/1) { a(X) :- x(X). h(X) :- a(X). } @use m(f, h). ";
    assert!(expanded(&format!("{small} q(X) :- a__m_1(X).")).contains("a__m_2(X) :- f(X)."));
    let (_, files, _) = Session::from_texts_program(small, "a__m_1(c).", Settings::default());
    assert_eq!(files.last().map(|f| f.statements[0].to_string()).as_deref(), Some("a__m_2(X) :- f(X)."));
}

#[test]
fn names_that_loops_make_are_left_to_them() {
    let text = "@module m(x/1, h/1) { a(X) :- x(X). h(X) :- a(X). } @use m(f, h). @for N in 1..1 { a__m_@N(X) :- f(X). }";
    assert_eq!(expanded(text), "a___m_1(X) :- f(X).\nh(X) :- a___m_1(X).\na__m_1(X) :- f(X).\n");
}

#[test]
fn a_weight_of_a_loop_may_be_mentioned_behind_it() {
    let text = "@for L in {1,2} { $v@L={4,4} r@L(X) :- f(X). }\nq(X) :- $v1 r1(X).\np(X) :- r1(X).";
    let plain =
        "$v1={4,4} r1(X) :- f(X).\n$v2={4,4} r2(X) :- f(X).\nq(X) :- $v1={4,4} r1(X).\np(X) :- r1(X).\n";
    assert_eq!(expanded(text), plain);
    let text = refused("@for L in {1,2} { r@L(X) :- feat(X). }\nq(X) :- $v1 r1(X).", "E0109");
    assert!(text.contains("template.lrnn:2:9"), "{text}");
    assert!(refused("p(@{2}).", "E0101").contains("is replaced in modules and loops"));
}

#[test]
fn an_expansion_means_the_same() {
    let template = "import gnn/gcn.
        @module two(x/1, edge/2, h/1, d) { @use gcn(x, edge, mid, 2, d). @use gcn(mid, edge, h, d, d, act = tanh). }
        @use two(feat, bond, l1, 3).
        @for L in 2..3 { @use two(l@{L-1}, bond, l@L, 3). }
        $w={3,3} t(X) :- l3(X).
        @if 1 == 1 { q(X) :- $w t(X). }
        {1,3} out(X) :- q(X).";
    // Widths of the first layer differ from those of the others.
    let template = template.replace("@use gcn(x, edge, mid, 2, d)", "@use gcn(x, edge, mid, din, d)");
    let template = template.replace("two(x/1, edge/2, h/1, d)", "two(x/1, edge/2, h/1, d, din = d)");
    let template = template.replace("@use two(feat, bond, l1, 3).", "@use two(feat, bond, l1, 3, 2).");
    let data = format!("{DATA} ?- 1 out(a), 0 out(b), out(c).");
    let plain = expanded(&template);
    assert!(!plain.contains(['@', '#']) && !plain.contains("import"), "{plain}");
    assert_eq!(values(&template, &data), values(&plain, &data));
    // Nor do the names of parameters, modules and a module's predicates matter.
    let renamed = template
        .replace("two", "deux")
        .replace("mid", "between")
        .replace("(x/1, edge/2, h/1, d, din = d)", "(u/1, link/2, v/1, n, m = n)")
        .replace("@use gcn(x, edge, between, din, d)", "@use gcn(u, link, between, m, n)")
        .replace(
            "@use gcn(between, edge, h, d, d, act = tanh)",
            "@use gcn(between, link, v, n, n, act = tanh)",
        );
    assert_ne!(renamed, template);
    assert_eq!(values(&renamed, &data), values(&template, &data));
}

#[test]
fn the_graph_convolution_is_the_formula() {
    // W = [[1,2],[0,1]] given by hand, identity activation; a path a - b - c.
    let edges = "bond(a,b), bond(b,a), bond(b,c), bond(c,b)";
    let data = format!("{edges}, <[1,0]> feat(a), <[0,1]> feat(b), <[1,1]> feat(c). ?- h(a), h(b), h(c).");
    let run = |arguments: &str| {
        let module = nlog::io::library::BUILT_IN.iter().find(|(p, _)| *p == "gnn/gcn").expect("there").1;
        let fixed = module.replace("{dout,din}", "<[[1,2],[0,1]]>");
        values(&format!("{fixed}\n@use gcn(feat, bond, h, 2, 2, identity{arguments})."), &data)
    };
    let x = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]];
    let expect = |e: [[f64; 3]; 3], symmetric: bool| -> Vec<Vec<f64>> {
        let degree: Vec<f64> = (0..3).map(|i| (0..3).map(|j| e[j][i]).sum()).collect();
        (0..3)
            .map(|i| {
                let sum = |c: usize| -> f64 {
                    (0..3)
                        .map(|j| {
                            let norm = if symmetric { (degree[i] * degree[j]).sqrt() } else { 1.0 };
                            e[j][i] / norm * x[j][c]
                        })
                        .sum()
                };
                vec![sum(0) + 2.0 * sum(1), sum(1)]
            })
            .collect()
    };
    let path = [[0.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 0.0]];
    let mut loops = path;
    (0..3).for_each(|i| loops[i][i] = 1.0);
    for (arguments, wanted) in [
        ("", expect(loops, true)),
        (", loops = 0", expect(path, true)),
        (", norm = none", expect(loops, false)),
        (", weighted = 1", expect(loops, true)),
    ] {
        for (a, b) in run(arguments).iter().flatten().zip(wanted.iter().flatten()) {
            assert!((a - b).abs() < 1e-12, "{arguments}: {a} is not {b}");
        }
    }
}

#[test]
fn faults_of_uses() {
    let m = "@module m(x/1, h/1, d, act = tanh) { {d,2} h(X) :- x(X). h/1 [transformation=act] }\n";
    for (text, code, words) in [
        ("@use gcn(feat, bond, h, 2, 2).", "E0216", "`import gnn/gcn.` brings it in"),
        ("@use n(feat, h).", "E0216", "`nlog lib`"),
        ("@use m(feat, h, 2, relu, 3).", "E0217", "takes 4 arguments, not 5"),
        ("@use m(feat).", "E0217", "not given `h`, `d`"),
        ("@use m(feat, h, dim = 2).", "E0217", "has no parameter `dim`"),
        ("@use m(feat, h, d = 2, d = 3).", "E0217", "given twice"),
        ("@use m(feat, h, d = 2, relu).", "E0217", "without a name behind one with a name"),
        ("@use m(bond/2, h, 2).", "E0218", "`x` takes a predicate of 1 argument"),
        ("@use m(Feat, h, 2).", "E0218", "this is a variable"),
        ("@use m(3, h, 2).", "E0218", "this is the number `3`"),
        ("@use m(feat, h, $w).", "E0218", "takes a number, a word or a list"),
        ("@use m(feat, h, 2, 3).", "E0218", "as its default is one"),
        ("@use m(feat, h, relu).", "E0222", "the word `relu` is no number"),
        ("@use m(feat, h, 1/0).", "E0222", "without a result"),
        ("@use m(feat, h, 2)", "E0107", "no full stop"),
        ("import depth/jk. @use jk_lstm(feat, h, 2).", "E0222", "`layers` is the word `feat`"),
        ("@use m(feat, h, [8,16]).", "E0101", "a list stands in braces"),
        ("@use m(feat h, 2).", "E0101", "expected `,` or `)`, found `h`"),
        ("@use m feat.", "E0101", "expected `(`"),
    ] {
        let shown = refused(&format!("{m}{text}\n"), code);
        assert!(shown.contains(words), "`{words}` is missing in\n{shown}");
        // What is wrong inside of the module shows both places.
        let inside = ["the word `relu`"].contains(&&words[..words.len().min(15)]);
        assert_eq!(shown.contains("in `m`, used here"), inside, "{shown}");
    }
}

#[test]
fn faults_of_modules_and_blocks() {
    for (text, code, words) in [
        ("@module m(x/1) { h(X) :- x(X). @use m(x). } @use m(feat).", "E0219", "uses itself"),
        ("@module a(x/1) { @use b(x). } @module b(x/1) { @use a(x). } @use a(feat).", "E0219", "through `b`"),
        (
            "@module m(x/1, h/1) { h(X) :- x(X), y(X). } @use m(feat, h).",
            "E0220",
            "`y/1` is no parameter of `m`",
        ),
        ("@module m(bond/2, h/1) { h(X) :- bnod(X,_). } @use m(bond, h).", "E0220", "did you mean `bond`?"),
        (
            "@module m(x/1, h/1) { h(X) :- x(X), h(X,X). } @use m(feat, h).",
            "E0220",
            "another number of arguments",
        ),
        ("@module m(x/1) { p(X) :- x(X). }\n@module m(x/1) { p(X) :- x(X). }", "E0221", "defined twice"),
        ("@module m(x/1, x) { p(X) :- x(X). }", "E0221", "two parameters `x`"),
        ("@module m(if) { p(if). }", "E0221", "a word of the language"),
        ("@for in in 1..2 { p(in). }", "E0221", "a word of the language"),
        ("@module m(x/1 = y) { p(X) :- x(X). }", "E0218", "cannot have this default"),
        ("@module m($w = v) { p(X) :- $w={2} q(X). }", "E0218", "private"),
        ("@module m(m/2 = none, h/1) { h(X) :- *m(X,_). } @use m(h = h).", "E0218", "left out by the `@use`"),
        ("@for L in 1..2 { p(@{K}). }", "E0222", "`K` is neither parameter nor loop variable"),
        ("@for L in 1..2 { p@K(a). }", "E0222", "neither parameter"),
        ("@for L in 1..2 { p@L-1(a). }", "E0222", "`@{L-1}`"),
        ("@for L in 1..x { p(L). }", "E0222", "`x` is neither"),
        ("@for L in 1..1.5 { p(L). }", "E0222", "1.5 is no whole number"),
        ("@for L in {1,2} { p(@{L[1]}). }", "E0222", "has no elements"),
        ("@module m(l, h/1) { h(@{l[3]}). } @use m({1,2}, h).", "E0222", "no element 3 of a list of 2"),
        ("@module m(l, h/1) { h(l). } @use m({1,2}, h).", "E0222", "cannot stand in a statement"),
        ("@if a == b { p(a). }", "E0222", "`a` is neither"),
        ("@for L in 5 { p(L). }", "E0218", "a loop runs over"),
        ("@for L in 1..1000000 { p(L). }", "E0223", "more than 50000 turns"),
        ("@for L in 1..300 { @for K in 1..300 { p(L,K). } }", "E0223", "more than 50000"),
        ("@for L in 1..2 { import a. }", "E0111", "an import"),
        ("@module m(h/1) { [rule=identity] h(a). } @use m(h).", "E0111", "defaults of the template"),
        ("@module m(h/1) { ?- h(a). } @use m(h).", "E0111", "a query"),
        ("@for L in 1..2 { @module m(x/1) { p(X) :- x(X). } }", "E0111", "`@module` cannot stand here"),
        ("@else { p(a). }", "E0101", "without an `@if`"),
        ("@if 1 == 1 p(a).", "E0101", "expected `{`"),
        ("@if 1 { p(a). }", "E0101", "expected `==`"),
        ("@for L 1..2 { p(a). }", "E0101", "expected `in`, found `1`"),
        ("@for L in 1..2 { p(a).", "E0102", "never closed"),
        ("@for L in 1..2 { p(a]. }", "E0102", "does not close it"),
        ("@for L-1 in 1..2 { p(a). }", "E0101", "`-` is an operator"),
        ("@module m(x/1) { p(X) :- § x(X). }", "E0104", "§"),
        ("p(X) :- feat(X)\n@for L in 1..2 { p(a). }", "E0107", "missing after this"),
    ] {
        let shown = refused(text, code);
        assert!(shown.contains(words), "`{words}` is missing in\n{shown}");
    }
}

#[test]
fn a_fault_shows_all_the_places() {
    let template = "@module inner(x/1, h/1, d) {\n  {d,2} h(X) :- x(X), {3,1} x(X).\n}\n\
        @module outer(x/1, h/1) {\n  @for L in 1..1 { @use inner(x, h, L+1). }\n}\n@use outer(feat, h).\n{1,2} q :- h(X).";
    let text = refused(template, "E0401");
    for words in [
        "in `inner`, used here",
        "with `L` = 1",
        "in `outer`, used here",
        "template.lrnn:2:",
        "the value of `feat/1`",
    ] {
        if words.starts_with("the value") {
            continue;
        }
        assert!(text.contains(words), "`{words}` is missing in\n{text}");
    }
    // A fault behind a broken block is found, too.
    let two = "@for L in 1..2 { p(a]. }\nq :- feat(X). [transformation=tahn]";
    let (session, found) = Session::from_texts(two, DATA, Settings::default());
    assert_eq!(found.iter().filter(|d| d.is_error()).count(), 2, "{}", shown(&found, &session));
}

#[test]
fn the_same_fault_in_many_turns_is_told_once() {
    let (session, found) = Session::from_texts(
        "@for L in 1..5 { q :- feat(X). [transformation=tahn] }",
        DATA,
        Settings::default(),
    );
    assert_eq!(found.len(), 5);
    assert_eq!(nlog::diag::once(&found, &session.sources).len(), 1);
    let (other, plain) = Session::from_texts("q :- feat(x.", DATA, Settings::default());
    assert_eq!(nlog::diag::once(&plain, &other.sources), plain);
    // Two uses that are wrong in different ways are two faults.
    let two = "@module m(h/1, d) { {d,2} h(X) :- feat(X). } @use m(a, 1/2). @use m(b, 1/4). @use m(c, 1/4).";
    let (session, found) = Session::from_texts(two, DATA, Settings::default());
    assert_eq!(nlog::diag::once(&found, &session.sources).len(), 2, "{}", shown(&found, &session));
    assert!(nlog::diag::once(&[], &SourceMap::new()).is_empty());
}

pub fn nlog(dir: &std::path::Path, args: &[&str]) -> (bool, String, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_nlog"));
    let output = command.args(args).current_dir(dir).env("NO_COLOR", "1").output().expect("nlog runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn imports_are_found_beside_the_template_then_in_folders_then_in_the_library() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    };
    let module = |d: u32| format!("%% {d} rows.\n@module gcn(x/1, h/1) {{ {{{d},2}} h(X) :- x(X). }}\n");
    write("t.lrnn", "import gnn/gcn.\nimport gnn/gcn.lrnn\n@use gcn(f, h).\n");
    write("other/gnn/gcn.lrnn", &module(5));
    write("more/gnn/gcn.lrnn", &module(6));
    let (_, _, errors) = nlog(dir.path(), &["check", "t.lrnn", "--expand"]);
    assert!(errors.contains("`gcn` is not given `h`") || errors.contains("E0217"), "{errors}");
    let libraries = ["check", "t.lrnn", "--lib", "other", "--lib", "more", "--expand"];
    assert_eq!(nlog(dir.path(), &libraries), (true, "{5,2} h(X) :- f(X).\n".into(), String::new()));
    write("gnn/gcn.lrnn", &module(7));
    assert_eq!(nlog(dir.path(), &libraries).1, "{7,2} h(X) :- f(X).\n");
    write("t.lrnn", "import gnn/gnc.\n");
    let (fine, _, errors) = nlog(dir.path(), &["check", "t.lrnn"]);
    assert!(!fine && errors.contains("did you mean `gnn/gcn`?"), "{errors}");
    // The model is known, its folder is not.
    std::fs::write(dir.path().join("t.lrnn"), "import mlp. p(a).").expect("written");
    let (fine, _, errors) = nlog(dir.path(), &["check", "t.lrnn"]);
    assert!(!fine && errors.contains("did you mean `nn/mlp`?"), "{errors}");
    // What an imported file imports is looked for in the same places.
    write("t.lrnn", "import sub/two.\n@use two(f, h).\n");
    write("sub/two.lrnn", "import gnn/gcn.\n@module two(x/1, h/1) { @use gcn(x, h). }\n");
    assert_eq!(nlog(dir.path(), &libraries).1, "{5,2} h(X) :- f(X).\n");
    // `nlog lib` sees the same.
    let (_, list, _) = nlog(dir.path(), &["lib", "--lib", "more"]);
    assert!(list.starts_with("gnn/gcn  gcn(x/1, h/1)\n    6 rows.\n"), "{list}");
    assert_eq!(nlog(dir.path(), &["lib", "show", "gnn/gcn", "--lib", "more"]).1, module(6));
}

#[test]
fn every_module_of_the_library_is_documented_and_listed() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let (_, list, _) = nlog(dir.path(), &["lib"]);
    for (path, text) in nlog::io::library::BUILT_IN {
        let (session, _, found) = Session::from_texts_program(text, "", Settings::default());
        assert!(found.is_empty(), "{path}: {}", shown(&found, &session));
        assert_eq!(&nlog(dir.path(), &["lib", "show", path]).1, text);
        let names: Vec<&str> =
            text.split("@module ").skip(1).filter_map(|rest| rest.split('(').next()).collect();
        assert!(!names.is_empty(), "{path}: no module");
        // Variants of one model say what is common once.
        let ours = |m: &&std::sync::Arc<nlog::syntax::ast::Module>| names.contains(&m.name.node.as_str());
        let docs: Vec<&str> =
            session.modules.modules().iter().filter(ours).flat_map(|m| &m.doc).map(|l| &l[..]).collect();
        let words: Vec<&str> =
            docs.iter().flat_map(|l| l.split(|c: char| !c.is_alphanumeric() && c != '_')).collect();
        for &name in &names {
            assert!(list.contains(&format!("{path}  {name}(")), "{path}: {name}\n{list}");
            let module = session.modules.modules().iter().find(|m| m.name.node == name).expect("it is there");
            assert!(module.doc.first().is_some_and(|l| l.len() > 20), "{path}: what {name} computes");
            for parameter in &module.parameters {
                assert!(words.contains(&parameter.name.node.as_str()), "{name}: `{}`", parameter.name.node);
            }
            assert_eq!(&nlog(dir.path(), &["lib", "show", name]).1, text);
        }
    }
    let (fine, _, errors) = nlog(dir.path(), &["lib", "show", "gnn/gnc"]);
    assert!(!fine && errors.contains("did you mean `gnn/gcn`?"), "{errors}");
}

#[test]
fn an_unused_parameter_is_a_warning() {
    let (session, found) = Session::from_texts(
        "@module m(x/1, d = 2) { p(X) :- x(X). } @use m(feat).",
        DATA,
        Settings::default(),
    );
    let text = shown(&found, &session);
    assert!(!has_errors(&found), "{text}");
    assert!(text.contains("`m` never uses its parameter `d`"), "{text}");
}

#[test]
fn results_of_modules_need_no_reader() {
    let told = |template: &str| {
        let (session, files, found) = Session::from_texts_program(template, DATA, Settings::default());
        assert!(!has_errors(&found), "{}", shown(&found, &session));
        let habits = session.habits(&files);
        let unused = habits.iter().filter(|d| d.code.0 == "W0311");
        unused.map(|d| d.title.clone()).collect::<Vec<_>>()
    };
    // A use of which nothing is read at all is one.
    let unread = "@module m(x/1, h/1, g/1) { h(X) :- x(X). g(X) :- x(X). }
        @use m(feat, l1, g1). @use m(l1, l2, g2). ?- l1(a).";
    assert_eq!(told(unread), ["nothing uses what `m` derives here"]);
    let module = "@module m(x/1, e/2, h/1, link/2) { inner(X) :- x(X). mid(X) :- inner(X).
        link(X,Y) :- x(X), *e(Y,X). h(X) :- x(X). }";
    assert_eq!(told(&format!("{module} @use m(feat, bond, h, link). ?- h(a).")), [""; 0]);
    // What the program derives for an argument belongs to the use, what it derives beside it does not.
    let own = "edge(X,Y) :- bond(Y,X). idle(X) :- feat(X). @for L in 1..2 { loop@L(X) :- feat(X). }";
    let module = "@module m(x/1, e/2, h/1, plain = 1 | 0) { @if plain == 1 { h(X) :- x(X). } @else { h(X) :- x(X), *e(X,_). } }";
    let told = told(&format!("{module} {own} @use m(feat, edge, h). ?- h(a)."));
    assert_eq!(told, ["nothing uses `idle/1`", "nothing uses `loop1/1`", "nothing uses `loop2/1`"]);
}

/// `docs/zoo.md` is made from the library; `NLOG_BLESS=1` writes it anew.
#[test]
fn the_page_of_models_lists_every_module() {
    let about = |folder: &str| match folder {
        "depth" => "What joins the layers of a network",
        "generative" => "Without labels: codes, noise, made-up graphs",
        "gnn" => "Layers over graphs",
        "kb" => "Knowledge bases",
        "logic" => "Logic and patterns",
        "networks" => "Networks that read networks",
        "nn" => "Layers of ordinary networks",
        "points" => "Point clouds",
        "pool" => "From nodes to graphs",
        "seq" => "Sequences",
        "tree" => "Trees",
        other => panic!("say here what `stdlib/{other}` holds"),
    };
    let mut page = String::from(
        "# The models\n\nMade from the documentation of `stdlib`. `nlog lib show gnn/gat` prints a module with its formula, \
         parameters and source; each is held\nagainst an independent computation of its values and gradients \
         (`tests/zoo`). [How to use them](../stdlib/README.md); [what they compute for each edge](isotropy.md).\n",
    );
    let mut folder = "";
    for (path, text) in nlog::io::library::BUILT_IN {
        let (of, _) = path.split_once('/').expect("a folder");
        if of != folder {
            folder = of;
            page += &format!(
                "\n## {}\n\n| import | module | what it computes | choices, the default first |\n|---|---|---|---|\n",
                about(of)
            );
        }
        let (session, ..) = Session::from_texts_program(text, "", Settings::default());
        for name in text.split("@module ").skip(1).filter_map(|rest| rest.split('(').next()) {
            let module = session.modules.modules().iter().find(|m| m.name.node == name).expect("it is there");
            let first: Vec<&str> =
                module.doc.iter().map(|l| l.trim()).take_while(|l| !l.is_empty()).collect();
            let choices = module.parameters.iter().filter(|p| !p.choices.is_empty()).map(|p| {
                let start = module.text.span.start;
                let last = p.choices.last().map_or(p.name.span.end, |c| c.span.end);
                let written =
                    &module.text.node[(p.name.span.start - start) as usize..(last - start) as usize];
                format!("`{written}{}`", if p.open { " | _" } else { "" })
            });
            let choices = choices.collect::<Vec<_>>().join(", ").replace('|', "\\|");
            page +=
                &format!("| `{path}` | `{name}` | {} | {choices} |\n", first.join(" ").replace('|', "\\|"));
        }
    }
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/zoo.md");
    if std::env::var_os("NLOG_BLESS").is_some() {
        std::fs::write(&file, &page).expect("written");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap_or_default(), page, "NLOG_BLESS=1 writes it anew");
}
