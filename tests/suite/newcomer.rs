//! What somebody meets who is new: warnings where they are looked for, causes, and what else was meant.

use crate::files::{err, files, nlog, out};
use crate::support::{answers, shown};
use nlog::base::rng::Stream;
use nlog::diag::has_errors;
use nlog::ground::semiring::Semiring;
use nlog::session::{Compat, Session, Settings};
use std::fs;

/// Codes and texts of the habits of a program.
fn habits(template: &str, data: &str, settings: Settings) -> (Vec<&'static str>, String) {
    let (session, files, out) = Session::from_texts_program(template, data, settings);
    assert!(!has_errors(&out), "{}", shown(&out, &session));
    let found = session.habits(&files);
    (found.iter().map(|d| d.code.0).collect(), shown(&found, &session))
}

const EDGES: &str = "1 q :- <[1,2]> f(a), <[0,1]> f(b), edge(a,b).";

#[test]
fn a_stated_activation_under_a_silent_one_is_told() {
    let layer = "{3,2} h(X) :- f(Y), *edge(Y,X). [aggregation=sum, transformation=relu]\n{1,3} q :- h(X).\n";
    let (codes, text) = habits(layer, EDGES, Settings::default());
    assert_eq!(codes, ["W0318"], "{text}");
    for word in ["`h/1` apply `tanh` to the `relu`", "`h/1 [transformation=relu]`", "default, `tanh`"] {
        assert!(text.contains(word), "`{word}` is missing in\n{text}");
    }
    let normed =
        "s(X,Y) :- {1,2} f(X), *edge(X,Y).\na(X,Y) :- s(X,Y). [aggregation=softmax(Y)]\nq :- a(_,_).";
    let (codes, text) = habits(normed, EDGES, Settings::default());
    assert!(codes == ["W0318"] && text.contains("normalised values"), "{text}");
    // Said for the predicate or for all, harmless, or not seen by any rule.
    for silent in [
        format!("{layer}h/1 [transformation=tanh]"),
        format!("[atom=tanh]\n{layer}"),
        format!("[atom=identity]\n{layer}"),
        layer.replace("relu", "identity"),
        "{1,2} q :- f(X). [transformation=relu]".to_string(),
        format!("{normed}\na/2 [transformation=identity]"),
    ] {
        let (codes, text) = habits(&silent, EDGES, Settings::default());
        assert!(!codes.contains(&"W0318"), "{silent}\n{text}");
    }
    let settings = Settings { compat: Compat::NeuraLogic { pruning: true }, ..Settings::default() };
    assert_eq!(habits(layer, EDGES, settings).0, [""; 0]);
}

#[test]
fn a_normalisation_of_one_grounding_is_told() {
    let rules = |aggregation: &str| {
        format!(
            "[rule=identity, atom=identity]\ns(X,Y) :- {{1,2}} f(X), *edge(X,Y).\n\
             a(X,Y) :- s(X,Y). [aggregation={aggregation}]\nq :- a(_,_)."
        )
    };
    let (codes, text) = habits(&rules("softmax"), EDGES, Settings::default());
    assert!(codes == ["W0309"] && text.contains("`softmax(Y)`") && text.contains("always 1"), "{text}");
    assert_eq!(habits(&rules("softmax(Y)"), EDGES, Settings::default()).0, [""; 0]);
    // Several groundings of one head.
    let open = "[rule=identity]\nq :- s(X). [aggregation=softmax]\ns(X) :- {1,2} f(X).\nq/0 {1,1}";
    assert!(!habits(open, "?- q. <[1,2]> f(a).", Settings::default()).0.contains(&"W0309"));
}

#[test]
fn warnings_of_check_are_those_of_run() {
    let dir = files(&[("t.lrnn", "{1} q(X) :- p(X,Anna).\n"), ("d.db", "p(a,anna). p(b,bob). ?- q(X).")]);
    for command in ["check", "run"] {
        let o = nlog(dir.path(), &[command, "t.lrnn", "d.db"]);
        assert!(o.status.success() && err(&o).contains("W0308"), "{command}: {}", err(&o));
    }
    let o = nlog(dir.path(), &["run", "t.lrnn", "d.db", "-q"]);
    assert!(o.status.success() && err(&o).is_empty(), "{}", err(&o));
}

#[test]
fn a_target_of_the_wrong_shape_names_the_rule() {
    let template = "{3} e(R) :- *rel(R).\nrr(S,R) :- {1,3} e(S), e(R). [combination=product]\n\
                    {1} p(S,R) :- rr(S,R), *pair(S,R).\n{1} p(S,R) :- *one(S,R).\n";
    let data = "rel(a). rel(b). pair(a,b). one(b,a).\n?- 1 p(a,b), 0 p(b,a).";
    let dir = files(&[("t.lrnn", template), ("d.db", data)]);
    let o = nlog(dir.path(), &["check", "t.lrnn", "d.db"]);
    assert!(o.status.success() && err(&o).contains("W0407") && err(&o).contains("t.lrnn:3:5"), "{}", err(&o));
    let o = nlog(dir.path(), &["run", "t.lrnn", "d.db"]);
    let text = err(&o);
    assert!(
        text.contains("E0402") && !text.contains("W0407") && text.contains("this rule gives {3}"),
        "{text}"
    );
    // A scalar beside vectors is added to them, or stands alone: nothing is certain.
    let spread = data.replace("1 p(a,b), 0 p(b,a)", "[1,0,1] p(a,b)");
    assert!(!habits(template, &spread, Settings::default()).0.contains(&"W0407"));
}

/// Least sums by Dijkstra's algorithm from `start`, without a heap.
fn dijkstra(n: usize, edges: &[(usize, usize, f64)], start: usize) -> Vec<f64> {
    let mut best = vec![f64::INFINITY; n];
    // Ways have at least one edge: the start itself is reached around a cycle only.
    for &(_, to, length) in edges.iter().filter(|e| e.0 == start) {
        best[to] = best[to].min(length);
    }
    let mut done = vec![false; n];
    while let Some(at) =
        (0..n).filter(|&i| !done[i] && best[i].is_finite()).min_by(|a, b| best[*a].total_cmp(&best[*b]))
    {
        done[at] = true;
        for &(_, to, length) in edges.iter().filter(|e| e.0 == at) {
            best[to] = best[to].min(best[at] + length);
        }
    }
    best
}

#[test]
fn minplus_is_dijkstra_on_graphs_with_cycles() {
    let template = "way(X,Y) :- road(X,Y).\nway(X,Z) :- way(X,Y), road(Y,Z).\n";
    let (mut cyclic, mut apart) = (0, 0);
    for seed in 0..60 {
        let mut stream = Stream::new(seed, "roads");
        let mut below = |n: usize| stream.below(n as u64) as usize;
        let n = 3 + below(7);
        let mut edges: Vec<(usize, usize, f64)> = Vec::new();
        for _ in 0..below(3 * n) {
            let edge = (below(n), below(n), below(20) as f64 / 4.0);
            if !edges.iter().any(|e| (e.0, e.1) == (edge.0, edge.1)) {
                edges.push(edge);
            }
        }
        let mut data: String = edges.iter().map(|(x, y, l)| format!("<{l}> road(n{x},n{y}).\n")).collect();
        data += "road(z0,z1). ";
        (0..n).for_each(|to| data += &format!("?- way(n0,n{to}).\n"));
        let (session, found) = Session::from_texts(template, &data, Settings::default());
        assert!(!has_errors(&found), "{}", shown(&found, &session));
        let (result, found) = session.run_in(Semiring::MinPlus);
        let (_, outcome) = result.unwrap_or_else(|| panic!("{}", shown(&found, &session)));
        let values: Vec<f64> = outcome.values.iter().map(|v| v[0]).collect();
        let expected = dijkstra(n, &edges, 0);
        assert_eq!(values, expected, "seed {seed}\n{data}");
        cyclic += usize::from(expected[0].is_finite());
        apart += usize::from(expected.iter().any(|x| x.is_infinite()));
    }
    assert!(cyclic > 10 && apart > 10, "{cyclic} and {apart}: the graphs are too simple");
}

#[test]
fn minplus_takes_lengths_only() {
    for (data, words) in [
        ("<-1> e(a,b). ?- d(a,b).", ["negative value", "less than 0"]),
        ("<[1,2]> e(a,b). ?- d(a,b).", ["no length", "several numbers"]),
    ] {
        let (session, _) = Session::from_texts("d(X,Y) :- e(X,Y).", data, Settings::default());
        let (result, found) = session.run_in(Semiring::MinPlus);
        let text = shown(&found, &session);
        assert!(result.is_none() && text.contains("E0705"), "{text}");
        assert!(words.iter().all(|w| text.contains(w)), "{text}");
    }
    let (session, _) =
        Session::from_texts("d :- ~e, f.\ng :- *f.\nh :- f, f.", "e. f. ?- d.", Settings::default());
    let (_, found) = session.run_in(Semiring::MinPlus);
    assert!(shown(&found, &session).contains("cannot be a length"), "{}", shown(&found, &session));
    // Nothing visible is no length; a fact without a value is 1.
    let (session, _) = Session::from_texts("g :- *f.\nh :- f, f.", "f. ?- g, h, k.", Settings::default());
    let (result, _) = session.run_in(Semiring::MinPlus);
    let values: Vec<f64> = result.expect("lengths").1.values.iter().map(|v| v[0]).collect();
    assert_eq!(values, [0.0, 2.0, f64::INFINITY]);
    assert!(values[0].is_sign_positive());
}

#[test]
fn a_cut_cycle_under_min_is_said_to_be_no_fixpoint() {
    let template = "[rule=identity, atom=identity]\nd(X,Y) :- e(X,Y).\n\
                    d(X,Y) :- e(X,Z), d(Z,Y). [aggregation=min]\nd/2 [combination=min]\n";
    let data = "<1> e(a,b). <1> e(b,c). <1> e(c,d). <9> e(a,d). <1> e(d,a).\n?- d(a,d).";
    let told = |template: &str| {
        let (session, _) = Session::from_texts(template, data, Settings::default());
        shown(&session.build().1, &session)
    };
    let text = told(template);
    for word in ["W0701", "this is not the fixpoint", "`--semiring minplus`", "template.lrnn:3:1"] {
        assert!(text.contains(word), "`{word}` is missing in\n{text}");
    }
    let text = told(&template.replace("=min", "=sum"));
    assert!(text.contains("W0701") && !text.contains("fixpoint"), "{text}");
}

#[test]
fn only_what_is_missing_is_meant() {
    let told = |template: &str, data: &str| {
        let (session, mut found) = Session::from_texts(template, data, Settings::default());
        if !has_errors(&found) {
            found.extend(session.build().1);
        }
        shown(&found, &session)
    };
    // `t_0` exists and is used, here or in other examples.
    assert_eq!(told("q :- 1 t_0(X).", "t_0(a), e_0(b). ?- 1 q."), "");
    let text = told("q :- t_0(X).", "1 q :- t_0(a). 0 q :- e_0(b).");
    assert!(text.contains("E0503") && !text.contains("did you mean"), "{text}");
    let text = told("q :- feat(X).\nfeat/1 [transformation=identity]", "faet(b). ?- q.");
    assert!(text.contains("W0515") && text.contains("did you mean `feat/1`"), "{text}");
    for question in ["?- h(a).", "?- h(X).", "?- 1 h(a)."] {
        let text = told("h(X,Y) :- k(X), k(Y).", &format!("k(a). {question}"));
        assert!(text.contains("E0207") && text.contains("1 argument here"), "{question}\n{text}");
    }
}

#[test]
fn folds_are_written_beside_predictions() {
    let mut data = String::from("% labelled\n");
    for i in 0..6 {
        data += &format!("{} q :- <{i}> p(a).\n", i % 2);
    }
    let dir = files(&[("t.lrnn", "{1} q :- {1} p(X).\n"), ("d.db", &data)]);
    let args = ["run", "t.lrnn", "d.db", "--epochs", "1", "--folds", "3", "--predictions"];
    let write = |name: &str, args: &[&str]| {
        let o = nlog(dir.path(), &[args, &[name]].concat());
        assert!(o.status.success(), "{}", err(&o));
        fs::read_to_string(dir.path().join(name)).expect("written")
    };
    let text = write("p.csv", &args);
    let rows: Vec<Vec<&str>> = text.lines().map(|l| l.split(',').collect()).collect();
    assert_eq!(rows[0], ["sample", "split", "fold", "query", "output", "target"]);
    let mut folds: Vec<&str> = rows[1..].iter().map(|r| r[2]).collect();
    assert!(rows[1..].iter().all(|r| r[1] == "test" && !r[4].is_empty()), "{text}");
    folds.sort_unstable();
    assert_eq!(folds, ["1", "1", "2", "2", "3", "3"]);
    let text = write("p.jsonl", &args);
    assert!(text.lines().all(|l| l.contains("\"split\":\"test\"") && l.contains("\"fold\":")), "{text}");
    let text = write("plain.csv", &["run", "t.lrnn", "d.db", "--epochs", "1", "--predictions"]);
    assert!(text.starts_with("sample,split,query,output,target\n") && text.contains(",train,"), "{text}");
}

#[test]
fn what_is_not_shown_is_said() {
    let data = |n: usize| (0..n).map(|i| format!("<{i}> p(a{i}). ?- 1 q(a{i}).\n")).collect::<String>();
    let dir = files(&[("t.lrnn", "{1} q(X) :- p(X).\n"), ("few.db", &data(20)), ("many.db", &data(21))]);
    let run = |args: &[&str]| {
        let o = nlog(dir.path(), &[&["run", "t.lrnn", "--epochs", "1"], args].concat());
        assert!(o.status.success(), "{}", err(&o));
        o
    };
    assert!(out(&run(&["few.db"])).contains("q(a3)") && err(&run(&["few.db"])).is_empty());
    let o = run(&["many.db"]);
    assert!(err(&o).contains("21 answers") && err(&o).contains("--predictions FILE.csv"), "{}", err(&o));
    assert!(err(&run(&["many.db", "--predictions", "p.csv"])).is_empty());
    assert!(err(&run(&["many.db", "-q"])).is_empty());
}

#[test]
fn a_question_beside_examples_is_about_the_shared_world() {
    let dir = files(&[
        ("t.lrnn", "[rule=identity, atom=identity]\natt(X,Y) :- e(X,Y).\n{1} q :- att(X,Y).\n"),
        ("d.db", "1 q :- <0.5> e(a,b).\n0 q :- <0.25> e(b,c).\n?- att(X,Y).\n"),
        ("ex.txt", "<0.5> e(a,b).\n<0.25> e(b,c).\n"),
        ("qu.txt", "1 q, att(X,Y).\n0 q, att(X,Y).\n"),
    ]);
    let o = nlog(dir.path(), &["run", "t.lrnn", "d.db", "--epochs", "1"]);
    assert!(out(&o).contains("att(X,Y): no answer"), "{}", out(&o));
    assert!(err(&o).contains("asks about the shared world") && err(&o).contains("(2)"), "{}", err(&o));
    // Inside the examples.
    let args = ["run", "t.lrnn", "--examples", "ex.txt", "--queries", "qu.txt", "--epochs", "0"];
    let o = nlog(dir.path(), &args);
    assert!(
        out(&o).contains("att(a,b) = 0.5") && out(&o).contains("att(b,c) = 0.25"),
        "{}{}",
        out(&o),
        err(&o)
    );
    assert!(!err(&o).contains("shared world"), "{}", err(&o));
}

#[test]
fn files_in_the_wrong_order_are_recognised() {
    let dir = files(&[
        ("t.lrnn", "{1} q :- p(X).\n"),
        ("f.db", "p(a). ?- q."),
        ("ex.txt", "p(a).\np(b), p(c).\n"),
        ("qu.txt", "1 q.\n0 q.\n"),
    ]);
    let o = nlog(dir.path(), &["run", "f.db", "t.lrnn"]);
    assert!(o.status.code() == Some(2) && err(&o).contains("nlog run t.lrnn f.db"), "{}", err(&o));
    let run = |examples: &str, queries: &str| {
        let args = ["run", "t.lrnn", "--examples", examples, "--queries", queries, "--epochs", "1"];
        err(&nlog(dir.path(), &args))
    };
    assert!(run("qu.txt", "ex.txt").contains("are the two swapped?"));
    assert!(!run("ex.txt", "qu.txt").contains("swapped"));
}

#[test]
fn functions_by_the_names_of_other_systems() {
    for (entry, ours) in
        [("aggregation=mean", "avg"), ("combination=prod", "product"), ("transformation=linear", "identity")]
    {
        let (session, found) =
            Session::from_texts(&format!("q :- p(X). [{entry}]"), "p(a). ?- q.", Settings::default());
        let text = shown(&found, &session);
        assert!(text.contains("E0201") && text.contains(&format!("did you mean `{ours}`")), "{text}");
    }
    let dir = files(&[("t.lrnn", "q :- p(X).\n"), ("d.db", "p(a). ?- q.")]);
    let o = nlog(dir.path(), &["run", "t.lrnn", "d.db", "--aggregation", "mean"]);
    assert!(err(&o).contains("did you mean `avg`"), "{}", err(&o));
}

#[test]
fn divergence_is_named() {
    let dir = files(&[
        ("t.lrnn", "{1,8} q :- {8,1} p, {8}.\n"),
        ("d.db", "1 q :- <1> p.\n0 q :- <2> p.\n1 q :- <3> p.\n"),
    ]);
    let run = |lr: &str| {
        let o =
            nlog(dir.path(), &["run", "t.lrnn", "d.db", "--optimizer", "sgd", "--lr", lr, "--epochs", "9"]);
        assert!(o.status.success(), "{}", err(&o));
        err(&o)
    };
    let text = run("1e300");
    assert!(text.contains("W0804") && text.contains("training diverges"), "{text}");
    assert!(!run("0.01").contains("diverges"));
}

/// What `nlog explain` advises in words beside its programs.
#[test]
fn advice_of_the_explanations_works() {
    let values = |template: &str, data: &str| -> Vec<Vec<f64>> {
        answers(template, data).into_iter().map(|(_, v)| v).collect()
    };
    // E0301: a game, by values.
    let game = "[rule=identity, atom=identity]\nwin(X) :- ~win(Y), *move(X,Y).  [aggregation=max]\n\
                <0> win(X) :- *move(_,X), !has(X).\nhas(X) :- *move(X,_).";
    let explained = nlog::diag::explain::text(nlog::diag::codes::NEGATIVE_CYCLE).expect("a text");
    game.lines().for_each(|l| assert!(explained.contains(l), "{l} is not what is advised"));
    let moves = "move(a,b), move(b,c), move(c,d), move(a,c). ?- win(a), win(b), win(c), win(d).";
    assert_eq!(values(game, moves), [[1.0], [0.0], [1.0], [0.0]]);
    // W0701: numbered steps close no cycle.
    let step = "h(Y,N) :- h(X,T), *edge(X,Y), T < 3, N = T + 1.";
    assert!(nlog::diag::explain::text(nlog::diag::codes::CYCLES_CUT).is_some_and(|t| t.contains(step)));
    let steps = format!("[rule=identity, atom=identity]\nh(X,0) :- f(X).\n{step}");
    let data = "<0.5> f(a). edge(a,b). edge(b,a). ?- h(a,2), h(b,3).";
    assert_eq!(values(&steps, data), [[0.5], [0.5]]);
    let (session, _) = Session::from_texts(&steps, data, Settings::default());
    assert_eq!(shown(&session.build().1, &session), "");
}
