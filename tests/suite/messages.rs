//! Faults of programs and data: the code, the place, the help. Each program is wrong in one way.

use crate::support::{answers, evaluate_only, shown};
use nlog::diag::{Diagnostic, Severity};
use nlog::session::{Session, Settings};

const DATA: &str = "
    1.0 q :- bond(a1,a2), <[1,2,3]> feat(a1), <[1,2,3]> feat(a2).
    0.0 q :- bond(b1,b2), <[1,2,3]> feat(b1), <[0,2,3]> feat(b2).
";

/// All that is found, building included.
fn found(template: &str, data: &str, settings: Settings) -> (Session, Vec<Diagnostic>) {
    let (session, mut out) = Session::from_texts(template, data, settings);
    if !nlog::diag::has_errors(&out) {
        let (_, more) = session.build();
        out.extend(more);
    }
    (session, out)
}

/// Expects one diagnostic of a code, labelled at a text, with words in its rendering.
fn expect(template: &str, data: &str, code: &str, at: &str, words: &[&str]) {
    expect_with(template, data, evaluate_only(), code, at, words);
}

fn expect_with(template: &str, data: &str, settings: Settings, code: &str, at: &str, words: &[&str]) {
    let (session, out) = found(template, data, settings);
    let all = shown(&out, &session);
    let d = out.iter().find(|d| d.code.0 == code).unwrap_or_else(|| panic!("no {code} in\n{all}"));
    let span = d.span().unwrap_or_else(|| panic!("{code} has no place"));
    let text = session.sources.slice(span);
    assert!(text.contains(at), "{code} stands at `{text}`, not `{at}`\n{all}");
    let rendered = shown(std::slice::from_ref(d), &session);
    for word in words {
        assert!(rendered.contains(word), "`{word}` is missing in\n{rendered}");
    }
    let expected = if code.starts_with('E') { Severity::Error } else { Severity::Warning };
    assert_eq!(d.severity, expected, "{all}");
}

#[test]
fn a_right_program_has_no_complaints() {
    let (session, out) = found("{4,3} h(X) :- feat(Y), *bond(Y,X).\n{1,4} q :- h(X).", DATA, evaluate_only());
    assert!(out.is_empty(), "{}", shown(&out, &session));
}

#[test]
fn syntax() {
    expect("h(X) :- feat(X.\nq :- h(X).", DATA, "E0102", "(", &["never closed"]);
    expect("1e999 h(X) :- feat(X).", DATA, "E0108", "1e999", &["out of range"]);
    expect("h(X) :- feat(X). q :- § h(X).", DATA, "E0104", "§", &[]);
}

#[test]
fn functions_and_keys() {
    expect("q :- feat(X). [transformation=tahn]", DATA, "E0201", "tahn", &["did you mean `tanh`"]);
    expect("q :- feat(X). [agregation=avg]", DATA, "E0202", "agregation", &["did you mean `aggregation`"]);
    expect("q :- feat(X). [aggregation=3]", DATA, "E0203", "3", &["the name of an aggregation"]);
    let (offset, help) = ("q/0 <2> [transformation=tanh]\nq :- {1,3} feat(X).", "are two statements");
    expect(offset, DATA, "E0202", "transformation", &[help, "`q/0 [transformation=…]`"]);
    let two = offset.replace("<2> [", "<2>\nq/0 [");
    let (session, out) = found(&two, DATA, evaluate_only());
    assert!(out.is_empty(), "{}", shown(&out, &session));
    let critic = "q :- {1,3} feat(X). [group=critic]";
    let (misspelt, help) = (format!("{critic}\nq/0 [trains=critc]"), "did you mean `critic`");
    expect(&misspelt, DATA, "E0230", "critc", &["no such group", help]);
    let twice = format!("{critic}\nq/0 [trains=critic, freezes=critic]");
    expect(&twice, DATA, "E0230", "critic", &["said twice", "and said here"]);
    expect("q :- feat(X), @alldif(X).", DATA, "E0204", "alldif", &["did you mean `@alldiff`"]);
    expect("q :- feat(X), @next(X).", DATA, "E0205", "@next(X)", &["takes 2 arguments"]);
    expect("q :- feat(X). q/0 [offset=$b]", DATA, "E0209", "b", &["no weight is called `$b`"]);
}

#[test]
fn functions_on_literals() {
    expect("q :- tahn(feat(X)).", DATA, "E0201", "tahn", &["did you mean `tanh`"]);
    expect("q :- pow(feat(X)).", DATA, "E0203", "pow", &["takes the exponent"]);
    expect("q :- *tanh(feat(X)).", DATA, "E0111", "*tanh(feat(X))", &["nothing to be applied to"]);
    expect("q :- feat(X), !tanh(bond(X,X)).", DATA, "E0111", "!tanh", &["does not enter"]);
    expect("q :- slice(0:9)(feat(X)).", DATA, "E0403", "slice(0:9)(feat(X))", &["`slice(0:9)`"]);
    expect("q :- {1,3} slice(0:2)(feat(X)).", DATA, "E0401", "{1,3}", &["cannot multiply"]);
}

#[test]
fn functions_on_literals_have_their_values() {
    let value = |template: &str| {
        let settings = "[rule=identity, atom=identity, aggregation=sum]\n";
        let data = "<[1,4]> f(a). <0.5> p. <-9.0> c(a). ?- q.";
        let out = answers(&format!("{settings}{template}\nq/0 [activation=identity]"), data);
        out[0].1.clone()
    };
    assert_eq!(value("q :- sqrt(f(X))."), [1.0, 2.0]);
    assert_eq!(value("q :- sqrt(abs(c(X)))."), [3.0]);
    // The weight multiplies the function's value; the sign is that of the value.
    assert_eq!(value("q :- <[1,10]> sqrt(abs(c(X)))."), [3.0, 30.0]);
    assert_eq!(value("q :- <2> ~sqrt(abs(c(X)))."), [-4.0]);
    assert_eq!(value("q :- slice(1:2)(f(X)), reverse(p()), p."), [5.0]);
    assert_eq!(value("q :- leakyrelu(0.5)(c(X)), c(X), square(c(X))."), [67.5]);
    assert_eq!(value("q :- transpose(f(X)), f(X). [combination=product]"), [17.0]);
}

#[test]
fn predicates() {
    expect(
        "h(X) :- feat(X), *bond(X).\nq :- h(X).",
        DATA,
        "E0207",
        "bond(X)",
        &["`bond/2`", "1 argument here"],
    );
    expect("h(X) :- faet(X).\nq :- h(X).", DATA, "E0206", "faet(X)", &["did you mean `feat`"]);
    expect("q :- feat(X), charged(X).\nq :- feat(X).", DATA, "W0305", "charged(X)", &["can never fire"]);
    expect("q :- feat/2(X).", DATA, "E0208", "2", &["1 argument"]);
}

#[test]
fn a_name_with_several_arities_is_not_a_slip() {
    let data = "1.0 q :- tree(a), tree(a,b,c).";
    let (session, out) = found("{1} q :- tree(X).\n{1} q :- tree(X,Y).", data, evaluate_only());
    let codes: Vec<&str> = out.iter().map(|d| d.code.0).collect();
    assert_eq!(codes, ["W0305"], "{}", shown(&out, &session));
}

#[test]
fn a_family_of_names_is_not_a_slip() {
    // c_22 and c_27 are two atom types, not one misspelt.
    let data = "1.0 q :- c_22(a). 0.0 q :- c_22(b).";
    let (session, out) = found("{1} q :- c_22(X).\n{1} q :- c_27(X).", data, evaluate_only());
    assert!(out.iter().all(|d| d.code.0 == "W0305"), "{}", shown(&out, &session));
}

#[test]
fn shapes() {
    expect(
        "{4,7} h(X) :- feat(Y), *bond(Y,X).\n{1,4} q :- h(X).",
        DATA,
        "E0401",
        "{4,7}",
        &[
            "this weight is {4,7}",
            "`feat/1` is {3} because of this fact",
            "facts.db:2",
            "its columns must be 3",
        ],
    );
    expect(
        "{4,3} h(X) :- feat(Y), *bond(Y,X).\n{1,7} q :- h(X).",
        DATA,
        "E0401",
        "{1,7}",
        &["`h/1` is {4} because of this rule"],
    );
    expect("q :- {2,2} feat(X).", DATA, "E0401", "{2,2}", &["cannot multiply `feat/1`, which is {3}"]);
    expect("q :- feat(X), {2,3} feat(X).", DATA, "E0401", "feat(X)", &["this is {3}", "this is {2}"]);
    expect("{2,3} q :- feat(X).", DATA, "E0402", "q", &["the target is a scalar, but `q/0` is {2}"]);
}

#[test]
fn facts_of_one_predicate_with_different_shapes() {
    let data = "1.0 q :- <[1,2,3]> feat(a).\n0.0 q :- <[1,2]> feat(b).";
    expect("{1} q :- {1,3} feat(X).", data, "E0401", "{1,3}", &["this fact is {2}", "facts.db:2"]);
}

#[test]
fn shapes_do_not_depend_on_the_order_of_rules() {
    let rules = ["p(X) :- {3,1} a(X).", "q(X) :- {1,5} p(X), *b(X).", "p(X) :- {5,1} b(X)."];
    for order in [[0, 1, 2], [0, 2, 1], [2, 1, 0], [1, 0, 2]] {
        let template: Vec<&str> = order.iter().map(|&i| rules[i]).collect();
        let (session, out) = found(&template.join("\n"), "a(x). b(y). ?- q(y).", evaluate_only());
        assert!(out.is_empty(), "{}", shown(&out, &session));
    }
    // An atom that is only a fact has the fact's shape; an offset counts.
    for (template, data) in [
        ("p(X) :- {3,1} a(X).\nq(X) :- {1,2} p(X), *c(X).", "a(x). <[1,2]> p(c). c(c). ?- q(c)."),
        ("p/1 {3}\np(X) :- a(X).", "a(x). ?- [1,0,0] p(x)."),
    ] {
        let (session, out) = found(template, data, evaluate_only());
        assert!(out.is_empty(), "{}", shown(&out, &session));
    }
}

#[test]
fn queries_that_cannot_be_derived() {
    let template = "{4,3} h(X) :- feat(Y), *bond(Y,X), *charged(Y).\n{1,4} q :- h(X).";
    expect(template, DATA, "E0503", "q", &["no `h/1` holds here", "no `charged/1` holds here"]);
    expect("{1,3} q :- feat(X), *bond(X,X).", DATA, "E0503", "q", &["nothing matches `bond("]);
    expect("{1,3} q :- feat(X).", "1.0 r :- <[1,2,3]> feat(a).", "E0503", "r", &["no rule derives `r/0`"]);
    expect("p(X) :- a(X), !b(X).", "a(c). b(c). ?- p(c).", "E0503", "p(c)", &["`b(c)` holds, so this fails"]);
}

#[test]
fn unprovable_queries_on_request() {
    use nlog::session::Unprovable;
    let data = "a(c). b(c). a(d). ?- 1.0 p(c), 0.0 p(d).";
    for (unprovable, expected) in [(Unprovable::Skip, vec![1.0]), (Unprovable::Value(-2.5), vec![-2.5, 1.0])]
    {
        let settings = Settings { unprovable, ..evaluate_only() };
        let template = "[rule=identity, atom=identity]\np(X) :- a(X), !b(X).";
        let (session, out) = Session::from_texts(template, data, settings);
        assert!(out.is_empty(), "{}", shown(&out, &session));
        let (_, found) = session.build();
        assert!(found.iter().any(|d| d.code.0 == "W0510" && d.title.starts_with("1 of 2 queries")));
        let (_, _, outcome) = crate::support::run(&session);
        assert_eq!(outcome.values.concat(), expected);
    }
}

#[test]
fn stated_values_are_measured_but_not_learned() {
    use nlog::session::Unprovable;
    let template =
        "[rule=identity, atom=identity]\nh(X) :- {1} f(X). g(X,C) :- {1} f(X), *c(C). v(X) :- {2} f(X).
        g/2 [output=softmax(2)]";
    let run = |queries: &str, epochs: usize, value: f64| {
        let mut settings = Settings { unprovable: Unprovable::Value(value), ..Settings::default() };
        settings.train.epochs = epochs;
        let data = format!("<1> f(a). <2> f(d). c(x). c(y). ?- {queries}.");
        let session = crate::support::session(template, &data, settings);
        let found = shown(&session.build().1, &session);
        let (_, parameters, outcome) = crate::support::run(&session);
        (found, parameters.values, outcome)
    };
    let (found, learned, outcome) = run("1 h(a), 0 h(b), 1 h(c), 0 h(d)", 5, 0.25);
    assert!(found.contains("2 of 4 queries") && found.contains("accuracies count them"), "{found}");
    let (_, expected, alone) = run("1 h(a), 0 h(d)", 5, 0.25);
    assert_eq!(learned, expected);
    assert_eq!((outcome.history.best_epoch, outcome.train.count), (alone.history.best_epoch, 4));
    let softplus = |z: f64| (1.0 + f64::exp(z)).ln();
    let error = (2.0 * alone.train.error.expect("known") + softplus(0.25) + softplus(0.25) - 0.25) / 4.0;
    assert!((outcome.train.error.expect("known") - error).abs() < 1e-12);
    // 0.25 is above zero: yes for both.
    let right = 2.0 * alone.train.accuracy.expect("known") + 1.0;
    assert_eq!(outcome.train.accuracy, Some(right / 4.0));
    // Nothing is derived at all.
    let (_, _, outcome) = run("1 h(b), 0 h(c)", 5, 0.0);
    assert_eq!((outcome.train.count, outcome.train.accuracy), (2, Some(0.5)));
    // Vectors and groups have no such value.
    let (found, _, outcome) = run("1 h(a), 0 h(b), [1,0] v(z), 1 g(a,x), 0 g(a,z)", 0, 0.0);
    assert!(found.contains("3 of 5 queries") && found.contains("not counted: 2"), "{found}");
    assert_eq!(outcome.train.count, 3);
    let (found, ..) = run("1 h(a), [1,0] v(z)", 0, 0.0);
    assert!(found.contains("neither trained on nor counted"), "{found}");
    let (found, ..) = run("1 h(a), h(z)", 0, 0.0);
    assert!(found.contains("they have the stated value 0\n"), "{found}");
}

#[test]
fn stated_values_are_dealt_to_folds() {
    let settings = Settings { unprovable: nlog::session::Unprovable::Value(0.0), ..Settings::default() };
    let data =
        "<1> f(a). <2> f(b). <3> f(c). <4> f(d). ?- 1 h(a), 0 h(b), 1 h(x), 1 h(c), 0 h(y), 0 h(z), 1 h(d).";
    let session = crate::support::session("h(X) :- {1} f(X).", data, settings);
    let network = crate::support::network(&session);
    let cross = session.cross_validate(&network, 2, &mut |_, _| std::ops::ControlFlow::Continue(()));
    let cross = cross.unwrap_or_else(|d| panic!("{}", shown(&[d], &session)));
    let counts: Vec<_> = cross.folds.iter().map(|f| (f.outcome.train.count, f.outcome.test.count)).collect();
    assert_eq!((counts, cross.pooled.test.count), (vec![(3, 4), (4, 3)], 7));
    assert_eq!([2, 4, 5].map(|i| cross.fold_of[i]), [Some(0), Some(1), Some(0)]);
    assert_eq!(cross.pooled.values[4], [0.0]);
}

#[test]
fn strata_and_safety() {
    expect(
        "p(X) :- feat(X), !r(X).\nr(X) :- feat(X), !p(X).\nq :- p(X).",
        DATA,
        "E0301",
        "!r(X)",
        &["depends on its own negation", "`p/1` → `r/1` → `p/1`"],
    );
    expect("q :- feat(X), !bond(X,Z).", DATA, "W0302", "Z", &["ranges over all constants", "@dom(Z)"]);
    expect("@next(X,Y) :- feat(X), feat(Y).", DATA, "E0212", "@next(X,Y)", &["computed, not derived"]);
}

#[test]
fn weights_and_rules() {
    expect(
        "q :- $w=[[1,2,3]] feat(X), $w={1,3} feat(X).",
        DATA,
        "W0210",
        "{1,3}",
        &["this value is ignored"],
    );
    expect("q :- $w={1,3} feat(X), $w={1,2} feat(X).", DATA, "E0401", "{1,2}", &["two shapes", "{1,3}"]);
    expect("q :- {1,3} feat(X), {3} *feat(X).", DATA, "W0307", "{3}", &["does not enter"]);
    expect(
        "{1,3} q :- feat(X).\np(X) :- feat(X).\np(X) :- feat(X).",
        DATA,
        "W0306",
        "p(X)",
        &["the first one"],
    );
    let wide = format!("q :- wide({}).", vec!["X"; 64].join(","));
    expect(&wide, DATA, "E0213", "wide", &["64 arguments"]);
}

#[test]
fn data() {
    let template = "{1,3} q :- feat(X).";
    expect(template, "1.0 q :- !feat(a).", "E0507", "feat(a)", &["cannot be negated"]);
    expect(template, "p(1e999).", "E0108", "1e999", &["out of range"]);
    expect(
        template,
        "p(X) :- feat(X).",
        "E0509",
        "p(X) :- feat(X)",
        &["rules belong in the template", "begin with a capital letter"],
    );
    expect(template, "1.0 q :- <[1,2,3> feat(a).", "E0101", ">", &["expected `,` or `]`"]);
}

#[test]
fn things_that_are_likely_not_meant() {
    let data = "1.0 q :- <[1,2,3]> feat(a), <[4,5,6]> feat(a).";
    expect("{1,3} q :- feat(X).", data, "W0508", "feat(a)", &["the first one counts"]);
    let (session, out) = found("<[1,1,1]> q :- feat(X).", "", Settings::default());
    assert!(out.iter().all(|d| d.code.0 != "W0803"), "{}", shown(&out, &session));
    let (session, out) = found("q :- <2> p(X).", "1.0 q :- p(a).", Settings::default());
    assert!(out.iter().any(|d| d.code.0 == "W0803"), "{}", shown(&out, &session));
}

#[test]
fn targets_that_cannot_be_meant() {
    let data = "10.5 q :- <[1,2,3]> feat(a). 1 q :- <[1,2,3]> feat(a).";
    expect_with(
        "{1,3} q :- feat(X).",
        data,
        Settings::default(),
        "E0802",
        "q",
        &["from 0 to 1", "`--loss mse`"],
    );
    let mut regression = Settings::default();
    regression.train.loss = nlog::learn::Loss::Mse;
    let (session, out) = found("{1,3} q :- feat(X).", data, regression);
    assert!(out.is_empty(), "{}", shown(&out, &session));
    let data = "feat(a). ?- 1.0 q. ?- 0.0 q. ?- 0.0 q.";
    expect("{1} q :- feat(X).", data, "W0512", "q", &["several targets", "--examples"]);
}

#[test]
fn questions_that_are_not_what_they_look_like() {
    let template = "r(X) :- feat(X).";
    expect(
        template,
        "feat(a). ?- r(X), feat(X).",
        "W0514",
        "feat(X)",
        &["questions of their own", "both(X)"],
    );
    expect(template, "feat(a). ?- fest(X).", "E0206", "fest(X)", &["did you mean `feat`"]);
    let declared = format!("{template}\nfeat/1 [transformation=identity]");
    expect(&declared, "faet(b). ?- r(X).", "W0515", "faet(b)", &["did you mean `feat/1`"]);
}

#[test]
fn cycles_are_told_or_refused() {
    let template = "p(X) :- s(X).\np(X) :- p(Y), e(Y,X).";
    let data = "s(a). e(a,b). e(b,a). ?- p(b).";
    let (session, out) = found(template, data, evaluate_only());
    assert!(out.iter().any(|d| d.code.0 == "W0701"), "{}", shown(&out, &session));
    let settings = Settings { cut_cycles: false, ..evaluate_only() };
    expect_with(template, data, settings.clone(), "E0703", "p(X)", &["cycle", "`--cycles cut`"]);
    // A ground rule with its own head in its body is one too.
    let template = "h(X) :- f(X).\nh(X) :- <3> h(X), e(X).";
    expect_with(template, "f(a). e(a). ?- h(a).", settings, "E0703", "h(X)", &["cycle"]);
}

#[test]
fn values_that_are_learned_or_lost_unawares() {
    expect(
        "q :- p(X).",
        "1.0 q :- 0.5 p(a), <2> p(b).",
        "W0511",
        "0.5",
        &["`<0.5> p(a)`", "the value of a fact"],
    );
    let facts = "p(c). r(c). ?- a(c).";
    expect("<2> a(X) :- *p(X).\n<3> a(X) :- *r(X).", facts, "W0702", "<2> a(X)", &["gives 1 atom of `a`"]);
    expect("<2> a(X) :- *p(X).\n<3> a(X) :- r(X).", facts, "W0702", "<2> a(X)", &["does not count"]);
    let (session, out) =
        found("<2> a(X) :- *p(X).\n<3> a(X) :- *s(X).", "p(c). s(d). ?- a(X).", Settings::default());
    assert!(out.is_empty(), "different atoms: nothing is lost\n{}", shown(&out, &session));
    for (template, lost) in [
        ("l(X,Y) :- *c(X,Y).\nl(Y,X) :- *c(X,Y).", false),
        ("<2> l(X,Y) :- *c(X,Y).\n<2> l(Y,X) :- *c(X,Y).", false),
        ("<1> l(X,Y) :- *c(X,Y).\nl(Y,X) :- *c(X,Y).", false),
        ("$w=2 l(X,Y) :- *c(X,Y).\n$w l(Y,X) :- *c(X,Y).", false),
        ("l/2 <3>\nl(X,Y) :- *c(X,Y).\n<3> l(Y,X) :- *c(X,Y).", false),
        ("l/2 <3>\nl(X,Y) :- *c(X,Y).\n<1> l(Y,X) :- *c(X,Y).", true),
        ("2 l(X,Y) :- *c(X,Y).\n2 l(Y,X) :- *c(X,Y).", true),
        ("2 l(X,Y) :- *c(X,Y).\n<2> l(Y,X) :- *c(X,Y).", true),
    ] {
        let (session, out) = found(template, "c(a,b). c(b,a). ?- l(a,b).", evaluate_only());
        let told = out.iter().any(|d| d.code.0 == "W0702");
        assert_eq!(told, lost, "{template}\n{}", shown(&out, &session));
    }
}

#[test]
fn several_errors_of_one_file_come_together() {
    let template = "q :- feat(X). [transformation=tahn]\nr :- feat(X.\ns :- feat(X), @foo(X).\n";
    let (session, out) = found(template, DATA, evaluate_only());
    let codes: Vec<&str> = out.iter().map(|d| d.code.0).collect();
    for code in ["E0102", "E0201", "E0204"] {
        assert!(codes.contains(&code), "{code} is missing in {codes:?}\n{}", shown(&out, &session));
    }
}

#[test]
fn queries_in_a_template_are_checked_like_those_in_data() {
    expect("q(X) :- feat(X).\n?- q/2(a).", DATA, "E0208", "2", &["1 argument"]);
    expect("q(X) :- feat(X).\n?- *q(a).", DATA, "E0111", "q(a)", &["a plain atom"]);
    expect("q(X) :- feat(X).\n?- {3} q(a).", DATA, "E0109", "{3}", &["needs a value"]);
}

#[test]
fn names_of_weights_tell_them_apart() {
    let session =
        crate::support::session("$w0=0.5 p(X) :- feat(X).\n{1,3} q :- feat(X).", DATA, evaluate_only());
    let names: Vec<&str> = session.template.weights.iter().map(|w| w.name.as_str()).collect();
    assert_eq!(names, ["w0", "w0_"]);
}

#[test]
fn the_budget_names_the_rules_that_spent_it() {
    let edges: String = (0..50).flat_map(|i| (0..50).map(move |j| format!("edge(n{i},n{j}). "))).collect();
    let template = "p(X,Z) :- edge(X,Y), edge(Y,Z).\n{1} s(X) :- edge(X,Y).";
    let settings = Settings { max_ground: 10_000, ..evaluate_only() };
    let (session, out) = found(template, &format!("{edges} ?- p(X,Y). ?- s(n0)."), settings);
    let d = out.iter().find(|d| d.code.0 == "E0601").unwrap_or_else(|| panic!("{}", shown(&out, &session)));
    let text = shown(std::slice::from_ref(d), &session);
    assert!(text.contains("p(X,Z)") && text.contains("ground rules so far"), "{text}");
}

#[test]
fn training_on_infinite_values_is_an_error() {
    let settings = Settings::default();
    let session =
        crate::support::session("q :- {1} a(X). [transformation=log]", "1.0 q :- <0> a(c).", settings);
    let network = crate::support::network(&session);
    let mut parameters = session.initial_parameters();
    let result = session.run(&network, &mut parameters, &mut |_| std::ops::ControlFlow::Continue(()));
    let d = result.expect_err("log 0 is not finite");
    assert_eq!(d.code.0, "E0801");
}

/// Codes and texts of the habits of a program.
fn habits(template: &str, data: &str) -> (Vec<&'static str>, String) {
    let (session, files, out) = Session::from_texts_program(template, data, Settings::default());
    assert!(!nlog::diag::has_errors(&out), "{}", shown(&out, &session));
    let found = session.habits(&files);
    (found.iter().map(|d| d.code.0).collect(), shown(&found, &session))
}

#[test]
fn habits_that_check_tells() {
    for (template, data, code, word) in [
        ("{4,3} h(X) :- feat(X), bond(X,_).\n{1,4} q :- h(X).", DATA, "W0404", "`*bond`"),
        ("q :- {1,3} feat(X), *bond(X,Y).", DATA, "W0308", "`_Y`"),
        ("<2> q :- *feat(X), 0.5.", DATA, "W0309", "without effect"),
        ("q :- {1,3} feat(X), 0.5. [offset=0.2]", DATA, "W0309", "this one counts"),
        ("q :- {1,3} feat(X).\nq/0 0.5\nq/0 [offset=0.7]", DATA, "W0310", "the offset of `q/0`"),
        ("q :- {1,3} feat(X).\nh(X) :- feat(X).\nh(X) :- h(X).", DATA, "W0311", "nothing uses `h/1`"),
        ("q :- f(X,'01').", "1.0 q :- f(a,1).", "W0516", "the number `1`"),
        ("q :- f(X,1).", "1.0 q :- f(a,'1').", "W0516", "the name `'1'`"),
        ("q :- {1,3} feat(X).\nq/0 [transformation=sigmoid]", DATA, "W0805", "crossentropy"),
        ("q :- f(X,'1').\nf(a,1).", "1.0 q :- g(a).", "W0516", "the number `1`"),
        ("nice(Anna).\nq :- {1,3} feat(X), *nice(X).", DATA, "W0315", "@dom(Anna)"),
        ("q :- {1,3} feat(X). [group=g]", DATA, "W0231", "no predicate trains or freezes the group `g`"),
        ("q :- {1,3} feat(X).\nfeat/1 {3}", DATA, "W0316", "no rule derives `feat/1`"),
        (
            "q :- {2,3} feat(X), 0.5. [transformation=slice(0:1)]",
            DATA,
            "W0406",
            "one number for all elements",
        ),
        ("q :- {2,3} feat(X), s(X). [transformation=slice(0:1)]\ns(X) :- bond(X,_).", DATA, "W0406", "`s/1`"),
    ] {
        let (codes, text) = habits(template, data);
        assert_eq!(codes, [code], "{template}\n{text}");
        assert!(text.contains(word), "`{word}` is missing in\n{text}");
    }
}

#[test]
fn habits_that_are_none() {
    for (template, data) in [
        // Every literal has a weight, as in templates of the reference.
        ("{4,3} h(X) :- {3,3} feat(X), {3,1} bond(X,_).\n{1,4} q :- h(X).", DATA),
        ("h(X) :- bond(X,_), bond(_,X).\n0.5 q :- h(X).", DATA),
        ("q :- {1,3} feat(X), *bond(X,_Y).", DATA),
        ("q :- {1,3} feat(X). [aggregation=sum]\nq/0 [transformation=tanh]\nq/0 [transformation=tanh]", DATA),
        ("h(X) :- feat(X).", "<[1,2]> feat(a)."),
        ("q :- f(X,1).", "1.0 q :- f(a,1), f(a,'1')."),
    ] {
        let (codes, text) = habits(template, data);
        assert!(codes.is_empty(), "{template}\n{text}");
    }
}

#[test]
fn weights_behind_an_unused_rule_are_reached_by_no_query() {
    let template = "q :- {1,3} feat(X).\nh(X) :- {2,3} feat(X).\nr(X) :- {2,2} h(X).";
    let (codes, text) = habits(template, DATA);
    assert_eq!(codes, ["W0311", "W0316"], "{text}");
    assert!(text.contains("no query depends on `h/1`"), "{text}");
}

#[test]
fn more_than_twenty_of_a_kind_are_counted() {
    let rules: String =
        (0..33).map(|i| format!("h{i}(X) :- {{1,3}} feat(X), *bond(X,Y).\nq :- h{i}(X).\n")).collect();
    let (codes, text) = habits(&rules, DATA);
    assert_eq!(codes, ["W0308"; 20], "{text}");
    assert!(text.contains("and 13 more"), "{text}");
}

#[test]
fn a_constant_with_the_name_of_the_only_variable() {
    let (codes, text) = habits("h(x) :- {1,3} feat(X).\nq :- h(Y).", DATA);
    assert_eq!(codes, ["W0308"], "{text}");
    assert!(text.contains("this is a constant, not the variable"), "{text}");
}

#[test]
fn unbound_variables_have_a_price() {
    // Counted from the grounding: with the data's constants, over all examples.
    let template = "h(X,Y) :- feat(X).\nq :- {1,3} h(X,Y).";
    expect(template, DATA, "W0302", "Y", &["all 2 constants of each of the 2 examples: 8 instances"]);
    let facts: String = (0..118).map(|i| format!("c({i}). ")).collect();
    let data = format!("{facts} f(1), f(2), f(3). ?- h(X,Y).");
    expect(
        "h(X,Y) :- f(X).",
        &data,
        "W0302",
        "Y",
        &["`Y` ranges over all 118 constants: 354 instances of this rule"],
    );
    expect("h(X,Y) :- f(X).\nk(X) :- f(X).", "f(a). ?- k(a).", "W0302", "Y", &["no query needs this rule"]);
    let few = Settings { max_ground: 100, ..evaluate_only() };
    expect_with("h(X,Y) :- f(X).", &data, few.clone(), "E0601", "h(X,Y)", &[]);
    expect_with("h(X,Y) :- f(X).", &data, few.clone(), "W0302", "Y", &["taken once for each constant"]);
    // What `nlog check` says of the same.
    let check = |template: &str, data: &str, settings: Settings| {
        let (session, _, found) = Session::from_texts_program(template, data, settings);
        shown(&found, &session) + &shown(&session.unbound(&|_| true), &session)
    };
    let text = check("h(X,Y) :- f(X).", &data, evaluate_only());
    assert!(text.matches("W0302").count() == 1 && text.contains("118 constants: 354 instances"), "{text}");
    let text = check("h(X,Y) :- f(X).", &data, few);
    assert!(text.contains("more than 100 ground rules"), "{text}");
    let text = check("h(X,Y) :- f(X).", "", evaluate_only());
    assert!(
        text.matches("W0302").count() == 1 && text.contains("every match of the other literals"),
        "{text}"
    );
    assert_eq!(check("h(X,Y) :- f(X), @dom(Y).", &data, evaluate_only()), "");
}

#[test]
fn lossy_lifting_beyond_its_bound() {
    let refused = |template: &str, data: &str| {
        let lift_mode = nlog::session::LiftMode::Lossy { epsilon: 0.5, max_error: Some(1e-3) };
        let (session, _) = Session::from_texts(template, data, Settings { lift_mode, ..evaluate_only() });
        let network = session.build().0.expect("nothing is wrong with it");
        let mut parameters = session.initial_parameters();
        let result = session.run(&network, &mut parameters, &mut |_| std::ops::ControlFlow::Continue(()));
        let d = result.expect_err("the bound is greater");
        assert_eq!((d.code.0, d.span().map(|s| session.sources.slice(s))), ("E0706", Some("q")));
        shown(&[d], &session)
    };
    let text = refused("q :- f(X).", "<1> f(a). <0.8> f(b). ?- q.");
    assert!(
        text.contains("`--max-error 0.001`") && text.contains("smaller `--lift-epsilon` (now 0.5)"),
        "{text}"
    );
    let text = refused("q :- f(X). [activation=inverse]", "<0.01> f(a). <-0.02> f(b). ?- q.");
    assert!(text.contains("there is no bound on what lossy lifting changes"), "{text}");
}

#[test]
fn labels_of_two_files_stand_behind_wide_characters() {
    // The main label is in the data, the other one behind characters of several bytes.
    let template = "\u{feff}/* žluťoučký */ {2,3} q :- feat(X).";
    expect(template, DATA, "E0402", "q", &["template.lrnn:1:24", "`q/0` is {2} because of this"]);
    expect("\u{feff}{2,3} q :- feat(X).", DATA, "E0402", "q", &["template.lrnn:1:8"]);
}

#[test]
fn functions_and_terms_mixed_up() {
    expect("q :- tanh(p).", "p. ?- q.", "W0305", "tanh(p)", &["`tanh(p())`"]);
    expect("q :- tanh(p).\np :- f.", "", "W0305", "tanh(p)", &["`tanh(p())`"]);
    expect(
        "q :- tanh(!feat(X)).",
        DATA,
        "E0101",
        "!",
        &["a sign stands before the function", "`~tanh(p(X))`"],
    );
    expect("q :- feat(g(X)).", DATA, "E0201", "feat", &["terms have no arguments"]);
    let (session, out) = found("q :- tanh(a).\ntanh(X) :- feat(X).", "1 q :- feat(a).", evaluate_only());
    assert!(out.is_empty(), "{}", shown(&out, &session));
}

#[test]
fn shared_weights() {
    let freeze = "p(X) :- $w={1,3} feat(X). [learnable=false]\nq :- $w feat(X), {1} p(X).";
    expect(freeze, DATA, "W0215", "false", &["`$w` is frozen for all", "$w [learnable=false]"]);
    for right in [
        "p(X) :- $w=<[[1,2,3]]> feat(X). [learnable=false]\nq :- $w feat(X), {1} p(X).",
        "p(X) :- $w={1,3} feat(X). [learnable=false]\nq :- $w feat(X), {1} p(X). [learnable=false]",
        "q :- $w={1,3} feat(X). [learnable=false]",
    ] {
        let (session, out) = found(right, DATA, evaluate_only());
        assert!(out.is_empty(), "{right}\n{}", shown(&out, &session));
    }
    // Where an offset's weight is first mentioned does not matter.
    for template in [
        "q/0 [offset=$b]\nq :- {1,3} feat(X), $b={1} s.\ns.",
        "p(X) :- {1,3} feat(X). [offset=$b]\nq :- p(X), $b=0.5 p(X).",
    ] {
        let (session, out) = found(template, DATA, evaluate_only());
        assert!(out.is_empty(), "{template}\n{}", shown(&out, &session));
        assert_eq!(session.template.weights.iter().filter(|w| w.name == "b").count(), 1);
    }
    // Given values of facts are no weights of the model.
    let session =
        crate::support::session("<0.5> f(a).\n<[1,2]> g(a).\n{1} q :- f(X).", "?- q.", evaluate_only());
    assert_eq!(session.template.weights.len(), 1);
}

#[test]
fn words_of_other_languages() {
    let expect = |template: &str, code: &str, at: &str, words: &[&str]| {
        expect(template, "feat(X).", code, at, words);
    };
    expect("q :- feat(X), not bond(X,X).", "E0101", "bond", &["`!bond(X)`", "`~bond(X)` is 1 minus"]);
    expect("q :- feat(X), NOT bond(X,X).", "E0101", "bond", &["`!bond(X)`"]);
    expect("q :- feat(X) or bond(X,X).", "E0101", "or", &["a rule of the same head for each alternative"]);
    expect("q :- feat(X) and bond(X,X).", "E0101", "and", &["separated by commas"]);
    expect("q :- feat(X), Y is X.", "E0101", "is", &["`Z = X + 1`"]);
    expect("q :- feat(X), \\+ bond(X,X).", "E0104", "\\", &["`!p(X)`"]);
    expect("q :- feat(X); bond(X,X).", "E0104", ";", &["a rule for each alternative"]);
    expect("q :- feat(X). ?- q(X), X > 3.", "E0101", "X", &["a rule compares", "`?- big(X).`"]);
    expect("q :- feat(X). ?- q(X), 3 < X.", "E0101", "<", &["a rule compares"]);
}

#[test]
fn queries_do_not_compare() {
    for (query, at) in [("?- q(X), X > 3.", "X"), ("?- q(X), 3 < X.", "<"), ("?- q(X), 3 != X.", "!=")] {
        expect("q(X) :- p(X).", &format!("p(4). {query}"), "E0101", at, &["a rule compares", "`?- big(X).`"]);
    }
}

/// `nlog check` says that it is very much without grounding all that a run may.
#[test]
fn counting_what_unbound_variables_cost_is_given_up() {
    let facts: String = (0..110).map(|i| format!("p({i}). ")).collect();
    let data = format!("{facts} r(a). ?- q(a,b,c).");
    let (session, found) =
        Session::from_texts("q(X,Y,Z) :- p(X), !p(Y), !p(Z), p(W), p(V).", &data, evaluate_only());
    assert!(!nlog::diag::has_errors(&found) && session.settings.max_ground > 1_000_000);
    let text = shown(&session.unbound(&|_| true), &session);
    assert!(text.contains("more than 1000000 ground rules"), "{text}");
}

#[test]
fn families_of_weights() {
    let end = "\nq :- h(X).";
    let told = |rules: &str, code: &str, at: &str, words: &[&str]| {
        expect(&format!("{rules}{end}"), DATA, code, at, words);
    };
    told(
        "$w[X]={3} h(X) :- *feat(X). h(X) :- $w feat(X).",
        "E0228",
        "$w",
        &["one weight, without brackets here"],
    );
    told(
        "$w={1,3} h(X) :- feat(X). h(X) :- $w[X] feat(X).",
        "E0228",
        "$w[X]",
        &["1 term between brackets here"],
    );
    told(
        "$w[X]={1,3} h(X) :- feat(X). h(X) :- $w[X,Y] feat(X), *bond(X,Y).",
        "E0228",
        "$w[X,Y]",
        &["2 terms between brackets here", "its first mention: 1 term between brackets"],
    );
    told("$w[X]={3} h(X) :- *feat(X).\nh/1 [offset=$w]", "E0228", "$w", &["nothing picks a member here"]);
    told(
        "$w[Y]={1,3} h(X) :- feat(X), bond(X,Y).",
        "E0229",
        "Y",
        &["no argument of the head", "before a literal"],
    );
    told("h(X) :- $w[Z]={1,3} feat(X).", "E0229", "Z", &["`Z` stands nowhere else in the rule"]);
    told("h(X) :- $w[_]={1,3} feat(X).", "E0229", "_", &["picks no member"]);
    told("$w[Z]={3} h(X) :- *feat(X).", "E0229", "Z", &["stands nowhere else"]);
    told(
        "h(X) :- feat(X), $w[X]={3}.",
        "E0111",
        "$w[X]={3}",
        &["the family `$w` cannot stand here", "$w[X] one"],
    );
    told("h(X) :- feat(X).\nh/1 $w[a]={3}", "E0111", "$w[a]={3}", &["cannot stand here"]);
    told("h(X) :- feat(X).\nh/1 [offset=$w[a]={3}]", "E0111", "$w[a]={3}", &["cannot stand here"]);
    told("h(X) :- feat(X).\n$w[a]={3} h(a).", "E0111", "$w[a]={3}", &["before the head of a rule"]);
    told("h(X) :- $w[t:X]={1,3} feat(X).", "E0111", "t", &["leave the type out"]);
    told("h(X) :- $w[X] feat(X).", "E0109", "$w[X]", &["needs a value at its first use"]);
    told("h(X) :- $w[X,]={3} feat(X).", "E0101", "]", &["expected a term"]);
    told("h(X) :- $w[X]={2,2} feat(X).", "E0401", "$w[X]={2,2}", &["this weight is {2,2}", "facts.db"]);
    told("$w[X]={2,2} h(X) :- feat(X).", "E0401", "$w[X]={2,2}", &["the weight of the head is {2,2}"]);
    told(
        "h(X) :- $w[X]={1,3} feat(X). h(X) :- $w[X]={2,3} feat(X).",
        "E0401",
        "$w[X]={2,3}",
        &["two shapes"],
    );
    told("h(X) :- $w[X]=1 feat(X). h(X) :- $w[X]=2 feat(X).", "W0210", "$w[X]=2", &["different value"]);
    told("h(X) :- feat(X), $w[X]=1 *bond(X,_).", "W0307", "$w[X]=1", &["nothing to multiply"]);
    expect("q :- feat(X).", "$w[a]=1 q :- feat(a).", "E0111", "[a]", &["a family of weights in data"]);
    expect("q :- feat(X).", "1 q :- $w[a]=1 feat(a).", "E0111", "[a]", &["of the template"]);
    // Without data, too.
    expect("h(X) :- $w[X]={2,2} f(X), $w[X] g(X).\nf(X) :- {3} g(X).", "", "E0401", "$w[X]={2,2}", &["{3}"]);
}

#[test]
fn facts_that_nothing_can_be_made_of() {
    let dir = crate::files::files(&[("p.db", "<[0,0]> pos(a). <[1]> pos(b).")]);
    let o = crate::files::nlog(dir.path(), &["data", "knn", "p.db", "--k", "1"]);
    let shown = crate::files::err(&o);
    for word in
        ["[E0520] Error: points with different numbers of coordinates", "p.db:1:23", "1 here", "2 here"]
    {
        assert!(shown.contains(word), "`{word}` is missing in\n{shown}");
    }
}
