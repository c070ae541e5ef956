//! `nlog run --dump STAGE`: the text of every stage.

use crate::files::{err, files, nlog, out};

const TEMPLATE: &str = "[rule=identity]\n\
                        {2} h(X) :- $w=<0.5> f(X), *e(X,Y), ~g(Y).\n\
                        p(X,Z) :- p(X,Y), e(Y,Z). [aggregation=sum]\n\
                        p(X,Y) :- e(X,Y).\n\
                        {1,2} q :- h(X), !b(X).\n\
                        q/0 {1}\n";

/// Standard output of a dump that must succeed.
fn dump(stage: &str, template: &str, data: &str) -> String {
    let dir = files(&[("t.lrnn", template), ("d.db", data)]);
    let o = nlog(dir.path(), &["run", "t.lrnn", "d.db", "--dump", stage]);
    assert!(o.status.success(), "{}", err(&o));
    out(&o)
}

#[test]
fn tokens_with_their_places() {
    let expected = "t.lrnn:\n\
                    \x20 1:1     Name          q\n\
                    \x20 1:3     Implies       :-\n\
                    \x20 1:6     Name          a\n\
                    \x20 1:7     Stop          .\n\
                    \x20 2:2     BlockComment  /* č\\n */\n\
                    \x20 3:5     LineComment   % x\n\
                    d.db:\n\
                    \x20 1:1     Name          a\n\
                    \x20 1:2     Stop          .\n";
    assert_eq!(dump("tokens", "q :- a.\n /* č\n */ % x\n", "a."), expected);
}

#[test]
fn statements_in_their_canonical_form() {
    let text = dump("ast", TEMPLATE, "f(a).");
    assert_eq!(text, TEMPLATE);
}

#[test]
fn the_resolved_template() {
    let expected = "defaults:\n\
                    \x20 rule: transformation identity, combination sum, aggregation avg\n\
                    \x20 atom: transformation tanh, combination sum\n\
                    weights:\n\
                    \x20 $w0 {2} learned, drawn with gain 1.4142135623730951\n\
                    \x20 $w {1} fixed, = 0.5\n\
                    \x20 $v {1} learned, = 0.25\n\
                    predicates:\n\
                    \x20 f/1 {1}\n\
                    \x20 h/1 {2} transformation relu, combination max, offset $v\n\
                    \x20 c/1 {1}\n\
                    rules:\n\
                    \x20 0: $w0 h(X) :- $w f(X).  [transformation=identity, combination=sum, aggregation=avg]\n\
                    facts:\n\
                    \x20 <3> c(a).\n";
    let template = "[rule=identity]\n{2} h(X) :- $w=<0.5> f(X).\nh/1 $v=0.25\n\
                    h/1 [transformation=relu, combination=max]\n<3> c(a).";
    assert_eq!(dump("template", template, "f(a)."), expected);
}

const DATA: &str = "e(a,b), e(b,c). <2> f(a). f(b). g(b), g(c). b(z). ?- 1 q. ?- p(a,X).";

#[test]
fn plans_for_each_literal_that_reads_new_rows() {
    let expected = "shared world\n\
                    \x20 0: $w0 h(X) :- $w f(X), *e(X,Y), ~g(Y).\n\
                    \x20   f/1: scan; binds X\n\
                    \x20   e/2: index on X; binds Y\n\
                    \x20   g/1: index on Y\n\
                    \x20 1: p(X,Z) :- p(X,Y), e(Y,Z).\n\
                    \x20  new p(X,Y):\n\
                    \x20   p/2: scan, new rows; binds X,Y\n\
                    \x20   e/2: index on Y; binds Z\n\
                    \x20 2: p(X,Y) :- e(X,Y).\n\
                    \x20   e/2: scan; binds X,Y\n\
                    \x20 3: $w1 q :- h(X), !b(X).\n\
                    \x20   h/1: scan; binds X\n\
                    \x20   test no b(X)\n";
    assert_eq!(dump("plan", TEMPLATE, DATA), expected);
    // Without a query there is no world to take sizes from but that of the facts.
    let text = dump("plan", "p(X,Y) :- e(X,Y).", "e(a,b).");
    assert_eq!(text, "shared facts\n  0: p(X,Y) :- e(X,Y).\n    e/2: scan; binds X,Y\n");
}

#[test]
fn ground_rules_world_by_world() {
    let expected = "shared world\n\
                    \x20 0: h(a) :- f(a), ~g(b).\n\
                    \x20 0: h(b) :- f(b), ~g(c).\n\
                    \x20 1: p(a,c) :- p(a,b), e(b,c).\n\
                    \x20 2: p(a,b) :- e(a,b).\n\
                    \x20 2: p(b,c) :- e(b,c).\n\
                    \x20 3: q :- h(a).\n\
                    \x20 3: q :- h(b).\n";
    assert_eq!(dump("ground", TEMPLATE, DATA), expected);
    let text = dump("ground", "q :- a(X).\nr :- *a(X).\nq :- r.", "1 q :- a(c). 0 q :- a(d), a(e).");
    let expected = "world 1 (s_0)\n  0: q :- a(c).\n  1: r.\n  2: q :- r.\n\
                    world 2 (s_1)\n  0: q :- a(d).\n  0: q :- a(e).\n  1: r.\n  2: q :- r.\n";
    assert_eq!(text, expected);
}

#[test]
fn neurons_with_their_inputs() {
    let template = "{2} h(X) :- f(X), ~g(X).\n{1,2} q :- h(X).  [aggregation=sum]\nq :- f(X).";
    let data = "<2> f(a). g(a). <2> f(b). g(b). ?- q.";
    // Both constants are alike; what would only copy has no neuron.
    let expected = "shared world\n\
                    \x20 0: value 2\n\
                    \x20 1: value 1\n\
                    \x20 2: negation <- 1\n\
                    \x20 3: rule 0 <- 0, 2\n\
                    \x20 4: atom of h/1 by rule 0 <- 3\n\
                    \x20 5: rule 1 <- 4\n\
                    \x20 6: aggregation of rule 1 <- 2*5\n\
                    \x20 7: rule 2 <- 0\n\
                    \x20 8: queried atom of q/0 by rules 1, 2 <- 6, 7\n\
                    \x20 q = 8\n";
    assert_eq!(dump("graph", template, data), expected);
    let dir = files(&[("t.lrnn", template), ("d.db", data)]);
    let o = nlog(dir.path(), &["run", "t.lrnn", "d.db", "--dump", "graph", "--lift", "off"]);
    let text = String::from_utf8(o.stdout).expect("text");
    assert!(text.contains("aggregation of rule 1 <- 12, 13\n"), "{text}");
}

#[test]
fn blocks_with_their_places() {
    let template = "{2} h(X) :- f(X).  [transformation=relu]\n{1,2} q :- h(X), 0.5.\nq/0 {1}";
    let expected = "program 0: 16 numbers\n\
                    \x20 at 0: weight $w2\n\
                    \x20 at 1: weight $w3\n\
                    \x20 at 2: constants 2, 3\n\
                    \x20 at 4: 2 rows of {2}, tanh of linear $w0 of {1} from 2; 3\n\
                    \x20 at 8: 2 rows of {2}, tanh of sum of {1}, {2} from 0, 4; 0, 6\n\
                    \x20 at 12: 1 row of {2}, avg over {2} from 8, 10\n\
                    \x20 at 14: 1 row of {1}, linear $w1 of {2} from 12\n\
                    \x20 at 15: 1 row of {1}, identity of sum of {1}, {1} from 1, 14\n\
                    \x20 s_0: q {1} at 15\n";
    assert_eq!(dump("program", template, "<2> f(a). <3> f(b). ?- 1 q."), expected);
}

/// Sums that share their values: these are weighted once each, not the sums. Constants that are mostly zeros select
/// columns of the weight, and have no place themselves.
#[test]
fn blocks_of_weighted_sums() {
    let template = "[rule=identity, aggregation=sum]\n{2,4} s(Y) :- h(X), *e(X,Y).\ns/1 [transformation=relu]\n\
                    q :- s(X).";
    let data =
        "<[1,0,0,0]> h(a). <[0,3,0,0]> h(b). <[0,0,1,0]> h(c). e(a,u). e(b,u). e(a,v). e(b,v). e(c,v). ?- q.";
    let expected = "program 0: 12 numbers\n\
                    \x20 at 0: 3 rows of {2}, columns of $w0 from 0; 3*1; 2\n\
                    \x20 at 6: 2 rows of {2}, relu of sum over {2} from 0, 2, 4; 0, 2\n\
                    \x20 at 10: 1 row of {2}, sum over {2} from 6, 8\n\
                    \x20 s_0: q {2} at 10\n";
    assert_eq!(dump("program", template, data), expected);
}

#[test]
fn faults_around_dumps() {
    let dir = files(&[("t.lrnn", "h :- a.\nq :- (.\n"), ("good.lrnn", "q :- a."), ("d.db", "a.")]);
    let run = |template: &str, stage: &str| nlog(dir.path(), &["run", template, "d.db", "--dump", stage]);
    let o = run("t.lrnn", "templat");
    assert_eq!(o.status.code(), Some(2));
    assert!(err(&o).contains("did you mean `template`?"), "{}", err(&o));
    // What could be read is shown all the same.
    let o = run("t.lrnn", "ast");
    assert_eq!((o.status.code(), out(&o).as_str()), (Some(1), "h :- a.\n"));
    assert!(err(&o).contains("t.lrnn:2:"), "{}", err(&o));
    let o = run("t.lrnn", "template");
    assert_eq!((o.status.code(), out(&o).as_str()), (Some(1), ""));
    for stage in ["ground", "graph", "program"] {
        let o = run("good.lrnn", stage);
        assert_eq!((o.status.code(), out(&o).as_str()), (Some(1), ""), "{stage}");
        assert!(err(&o).contains("E0502"), "{}", err(&o));
    }
}

#[test]
fn comparisons_as_they_are_written() {
    let rule = "q(X,Z) :- p(X), Z = (X + 1) * 2 - -Y, Y = - 1, X != 3, @lt(X,9), 1 <= X / -X + 2.";
    let data = "p(1). ?- q(1,X).";
    assert_eq!(dump("ast", rule, data), format!("{rule}\n"));
    let text = dump("template", rule, data);
    assert!(text.contains(&format!("\n  0: {rule}  [")), "{text}");
    let text = dump("plan", rule, data);
    let steps = "    p/1: scan; binds X\n    compute Y = - 1\n    test X != 3\n    test @lt\n    test 1 <= X / -X + 2\n    \
                 compute Z = (X + 1) * 2 - -Y\n";
    for step in steps.lines() {
        assert!(text.lines().any(|l| l == step), "`{step}` is missing in\n{text}");
    }
}

#[test]
fn a_calculation_gives_a_value_to_look_up() {
    let data = "p(1). p(2). p(3). ?- q(X,Y). ?- r(X,Y).";
    let text = dump("plan", "q(X,Y) :- p(X), p(Y), Y = X + 1.", data);
    let steps = "    p/1: scan; binds X\n    compute Y = X + 1\n    p/1: index on Y\n";
    assert!(text.contains(steps), "{text}");
    // `@dom` holds for constants that are written somewhere: what is computed must be tested.
    let text = dump("plan", "r(X,Y) :- p(X), @dom(Y), Y = X + 1.", data);
    assert!(text.ends_with("all constants; binds Y\n    test Y = X + 1\n"), "{text}");
}

#[test]
fn tables_have_no_tokens() {
    let dir = files(&[("t.lrnn", "q :- p(X)."), ("p.csv", "a\nx\n"), ("d.db", "?- q.")]);
    let o = nlog(dir.path(), &["run", "t.lrnn", "p.csv", "d.db", "--dump", "tokens"]);
    let text = out(&o);
    assert!(o.status.success() && text.contains("p.csv: a table, which is read by rows and cells"), "{text}");
    assert!(text.contains("d.db:\n  1:1     Ask") || text.contains("d.db:\n  1:1 "), "{text}");
}
