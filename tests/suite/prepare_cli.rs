//! `nlog data` from the outside: what its help and its documentation show, files and forms, faults.

use crate::files::{err, files, nlog, nlog_with_input, out};
use std::fs;
use std::path::Path;

const TASKS: [&str; 10] =
    ["knn", "radius", "fps", "graclus", "voxel", "bspline", "laplacian", "degree", "wl", "fourier"];
const GENERATORS: [&str; 7] = ["ba", "er", "grid", "tree", "sbm", "caveman", "molecules"];

/// The lines with four spaces before them that follow a position, without these.
fn indented(text: &str) -> String {
    let lines = text.lines().take_while(|l| l.starts_with("    "));
    lines.map(|l| format!("{}\n", &l[4..])).collect()
}

#[test]
fn each_help_says_what_comes_out_and_its_example_is_true() {
    let dir = files(&[]);
    let all = TASKS.iter().map(|t| vec!["data", t, "--help"]);
    let all = all.chain(GENERATORS.iter().map(|g| vec!["data", "generate", g, "--help"]));
    let mut run = 0;
    for args in all {
        let help = out(&nlog(dir.path(), &args));
        if let Some((before, file)) = help.split_once(" says\n") {
            let name = before.rsplit(' ').next().expect("a name");
            fs::write(dir.path().join(name), indented(file)).expect("files can be written");
        }
        let Some((before, shown)) = help.split_once("` prints\n") else {
            assert!(args.contains(&"molecules"), "{args:?} shows no example\n{help}");
            continue;
        };
        let command = before.rsplit('`').next().expect("a command").replace('\n', " ");
        let words: Vec<&str> = command.strip_prefix("nlog ").expect("of nlog").split_whitespace().collect();
        let o = nlog(dir.path(), &words);
        assert!(o.status.success(), "{command}\n{}", err(&o));
        assert_eq!(out(&o), indented(shown), "{command}");
        run += 1;
    }
    assert_eq!(run, 16);
    let help = out(&nlog(dir.path(), &["data", "--help"]));
    assert!(TASKS.iter().all(|t| help.contains(&format!("\n  {t} "))), "{help}");
}

/// Runs the blocks of a page in order: those with a file's name behind the fence are files, each `$ nlog …` of a `console`
/// block prints what follows it.
#[test]
fn the_documentation_shows_what_happens() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("docs/data.md")).expect("documentation is there");
    let dir = files(&[]);
    let (mut run, mut rest) = (0, text.as_str());
    while let Some((_, block)) = rest.split_once("\n```") {
        let (info, body) = block.split_once('\n').expect("a fence");
        let end = body.find("```").expect("a fence is closed");
        let body_text = &body[..end];
        rest = &body[end + 3..];
        match info.split_whitespace().collect::<Vec<_>>()[..] {
            [_, name] => fs::write(dir.path().join(name), body_text).expect("files can be written"),
            ["console"] => {
                for part in body_text.split("$ nlog ").skip(1) {
                    let (command, shown) = part.split_once('\n').expect("a line");
                    let words: Vec<&str> = command.split_whitespace().collect();
                    let o = nlog(dir.path(), &words);
                    assert!(o.status.success(), "{command}\n{}", err(&o));
                    assert_eq!(out(&o), shown, "{command}");
                    run += 1;
                }
            }
            _ => panic!("{info}"),
        }
    }
    assert!(run >= 18, "{run}");
}

#[test]
fn examples_come_back_whole_with_the_facts_inside() {
    let text = "% kept\n1 q :- <[0]> pos(a),\n  <[1]> pos(b).  % and this\nknown(x). ?- known(X).\n\
                0 q :- <[5]> pos('B c'), <[3]> pos(b), <[3.5]> pos(d).\n0 q :- other(x).";
    let expected = "% kept\n1 q :- <[0]> pos(a),\n  <[1]> pos(b), near(b,a), near(a,b).  % and this\n\
                    known(x). ?- known(X).\n0 q :- <[5]> pos('B c'), <[3]> pos(b), <[3.5]> pos(d), near(d,'B c'), \
                    near(d,b), near(b,d).\n0 q :- other(x).\n";
    let dir = files(&[("data.db", text), ("t.lrnn", "{1} q :- near(_Y,_X).\n{1} q :- other(_X).\n")]);
    let o = nlog(dir.path(), &["data", "knn", "data.db", "--k", "1", "-o", "with.db"]);
    assert!(o.status.success(), "{}", err(&o));
    assert_eq!(fs::read_to_string(dir.path().join("with.db")).expect("written"), expected);
    let o = nlog(dir.path(), &["run", "t.lrnn", "with.db", "--epochs", "0"]);
    assert!(o.status.success() && out(&o).contains("s_2: q"), "{}{}", out(&o), err(&o));
    // The reference's form of examples, without labels.
    let dir = files(&[("e.txt", "edge(a,b), edge(b,c).\nedge(a,b).\n")]);
    let o = nlog(dir.path(), &["data", "degree", "--examples", "e.txt", "--undirected"]);
    let delta = (2f64.ln() * 4.0 + 3f64.ln()) / 5.0;
    assert!(out(&o).contains(&format!("<{delta}> delta.\n")), "{}{}", out(&o), err(&o));
    assert!(out(&o).ends_with("edge(a,b), <1> degree(a), <1> degree(b).\n"), "{}", out(&o));
    let o = nlog(dir.path(), &["data", "degree", "--examples", "e.txt", "--format", "csv"]);
    assert!(o.status.code() == Some(2) && err(&o).contains("belong into examples"), "{}", err(&o));
}

#[test]
fn tables_say_what_texts_say() {
    let points = "<[0,0]> pos(a). <[1,0]> pos('B, \"c\"'). <[0,2]> pos(3). <[4,4]> pos(d).\n";
    let dir = files(&[("points.db", points), ("t.lrnn", "?- near(X,Y), pseudo(X,Y).\n")]);
    let base = ["data", "knn", "points.db", "--k", "2", "--pseudo", "--distance"];
    let run = |more: &[&str]| {
        let o = nlog(dir.path(), &[&base[..], more].concat());
        assert!(o.status.success(), "{}", err(&o));
        out(&o)
    };
    run(&["-o", "all.db"]);
    run(&["-o", "near.csv", "-o", "pseudo.tsv"]);
    let ask = |data: &[&str]| {
        let o = nlog(dir.path(), &[&["run", "t.lrnn"], data].concat());
        assert!(o.status.success(), "{}", err(&o));
        let mut lines: Vec<String> = out(&o).lines().map(String::from).collect();
        lines.sort();
        lines
    };
    let by_text = ask(&["all.db"]);
    assert_eq!(by_text.len(), 16);
    assert_eq!(ask(&["near.csv", "pseudo.tsv"]), by_text);
    let table = run(&["--only", "near", "--format", "tsv"]);
    assert!(table.starts_with("neighbour\tpoint\tvalue\n") && table.lines().count() == 9, "{table}");
    // A table of another predicate, by its name or the file's.
    let renamed = run(&["--rename", "near=link", "--only", "link"]);
    assert!(renamed.contains("link('B, \"c\"',a).") && !renamed.contains("near("), "{renamed}");
    run(&["--only", "near", "-o", "link.csv"]);
    assert_eq!(ask(&["all.db", "link.csv"]).len(), 16);
    for (more, says) in [
        (&["--format", "csv"][..], "`-o near.csv` `-o pseudo.csv`"),
        (&["-o", "link.csv"], "facts of one predicate"),
        (&["--only", "nearr"], "did you mean `near`"),
        (&["--rename", "near"], "as in `--rename near=edge`"),
        (&["--rename", "near=Big"], "cannot name a predicate"),
    ] {
        let o = nlog(dir.path(), &[&base[..], more].concat());
        assert!(o.status.code() == Some(2) && err(&o).contains(says), "{more:?}\n{}", err(&o));
    }
    let o = nlog(dir.path(), &[&base[..], &["-o", "absent/x.db"]].concat());
    assert!(o.status.code() == Some(1) && err(&o).contains("E1003"), "{}", err(&o));
    // A table of points is points; a text that looks like a number has no cell.
    let points = "who,value\nx,1\ny,1\nz,2.5\n";
    let dir = files(&[("pos.csv", points), ("odd.db", "<[0]> pos('1'). <[1]> pos(b).")]);
    let o = nlog(dir.path(), &["data", "knn", "pos.csv", "--k", "1", "--format", "csv"]);
    assert_eq!(out(&o), "neighbour,point\ny,x\nx,y\nx,z\n", "{}", err(&o));
    let o = nlog(dir.path(), &["data", "knn", "odd.db", "--k", "1", "--format", "csv"]);
    assert!(o.status.code() == Some(2) && err(&o).contains("the constant '1' cannot"), "{}", err(&o));
}

#[test]
fn planted_rules_are_those_that_the_engine_finds() {
    for rule in nlog::prepare::molecules::RULES {
        let dir = files(&[]);
        let made = ["data", "generate", "molecules", "--count", "20", "--rule", rule, "--seed", "5"];
        let o = nlog(dir.path(), &made);
        assert!(o.status.success(), "{}", err(&o));
        let text = out(&o);
        let planted = text.lines().find_map(|l| l.strip_prefix("% planted: ")).expect("the rule is stated");
        fs::write(dir.path().join("t.lrnn"), planted).expect("files can be written");
        fs::write(dir.path().join("m.db"), &text).expect("files can be written");
        let o = nlog(dir.path(), &["run", "t.lrnn", "m.db", "--semiring", "bool"]);
        let mut positive = 0;
        assert_eq!(out(&o).lines().count(), 20, "{}", err(&o));
        for line in out(&o).lines() {
            let (value, target) = line.split_once("    target ").expect("a labelled answer");
            assert!(value.ends_with(&format!("= {target}")), "{rule}: {line}");
            positive += usize::from(target == "1");
        }
        assert_eq!(positive, 10, "{rule}");
    }
}

#[test]
fn faults_of_facts_stand_at_their_place() {
    for (args, data, code, at, says) in [
        ("knn --k 1", "<[0,0]> pos(a). pos(b). <[1,1]> pos(c).", "E0520", "1:17", "no value before it"),
        ("knn --k 1", "pos(a). pos(b).", "E0520", "1:1", "has no coordinates"),
        ("knn --k 1", "<1> pos(a). pos(b). <2> pos(c).", "E0520", "1:13", "no value before it"),
        ("knn --k 1", "<[0,0]> pos(a). <[1]> pos(b).", "E0520", "1:23", "different numbers"),
        ("knn --k 1", "{2} pos(a).", "E0520", "1:5", "to be drawn"),
        ("knn --k 1", "<[[1,2],[3,4]]> pos(a).", "E0520", "1:17", "is a matrix"),
        ("knn --k 1", "<1> pos(a). <2> pos(a).", "E0520", "1:17", "at two places"),
        ("knn --k 1", "1 q :- <1> pos(a). <2> pos(a).", "E0520", "1:12", "inside examples and outside"),
        ("knn --k 1", "pos(a,b).", "E0207", "1:1", "facts with 1 argument"),
        (
            "knn --k 2",
            "<1> pos(a). <2> pos(b).",
            "E0520",
            "1:17",
            "no point has 2 neighbours where there are 1 other",
        ),
        ("fps --count 3", "<1> pos(a). <2> pos(b). <1> pos(c).", "E0520", "1:29", "2 different places"),
        ("fps --count 1 --start z", "<1> pos(a).", "E0520", "1:5", "no point is called `z`"),
        ("voxel --size 1,2", "<[0,0,0]> pos(a).", "E0520", "1:11", "2 numbers, a point has 3"),
        (
            "bspline --kernels 3",
            "<0.5> pseudo(a,b). <1.5> pseudo(b,a).",
            "E0520",
            "1:26",
            "1.5 is not between 0 and 1",
        ),
        ("laplacian", "edge(a,b). edge(b,a). edge(b,c).", "E0520", "1:23", "none from `c` to `b`"),
        ("laplacian", "<1> edge(a,b). <2> edge(b,a).", "E0520", "1:5", "the weight is 2"),
        ("laplacian --norm none", "edge(a,a).", "E0520", "1:1", "no edge joins two nodes"),
        ("graclus", "edge(a,b). <-2> edge(b,c).", "E0520", "1:17", "-2 is negative"),
        ("graclus", "<[1,2]> edge(a,b).", "E0520", "1:9", "no weight"),
        ("knn --k 1", "<1e200> pos(a). <2> pos(b).", "E0520", "1:9", "too large to measure"),
        ("voxel --size 1e-300", "<0> pos(a). <1e100> pos(b).", "E0520", "1:21", "has no number"),
        ("graclus", "<1e-200> edge(a,b).", "E0520", "1:10", "too small to calculate"),
        ("degree", "<1> edge(a,b). <2> edge(a,b).", "E0520", "1:20", "two values"),
        ("degree --nodes n", "edge(a,b). 1 q :- n(a).", "E0520", "1:1", "both stand in examples"),
        ("wl", "edge(a).", "E0207", "1:1", "2 arguments or more"),
    ] {
        let dir = files(&[]);
        let args: Vec<&str> = ["data"].into_iter().chain(args.split(' ')).chain(["-"]).collect();
        let o = nlog_with_input(dir.path(), &args, data);
        let shown = err(&o);
        assert_eq!((o.status.code(), out(&o).as_str()), (Some(1), ""), "{args:?} {data}\n{shown}");
        assert!(shown.contains(&format!("[{code}] Error")) && shown.contains(says), "{args:?}\n{shown}");
        assert!(shown.contains(&format!("<stdin>:{at} ]")), "{args:?} {at}\n{shown}");
    }
}

#[test]
fn faults_of_the_command_line() {
    for (args, code, says) in [
        ("knn - --k 1 --points poss", 1, "did you mean `pos`"),
        ("knn absent.db --k 1", 1, "E1002"),
        ("knn --k 1", 2, "no data is given"),
        ("knn - --k 0", 2, "a whole number from 1"),
        ("radius - --radius -1", 2, "unexpected argument"),
        ("radius - --radius nan", 2, "a finite number"),
        ("fps -", 2, "required"),
        ("bspline - --kernels 2 --degree 2", 2, "more than 2 kernels, not 2"),
        ("bspline - --kernels 9 --degree 4", 2, "it must be 1 to 3"),
        ("laplacian - --lambda 2 --unscaled", 2, "cannot be used with"),
        ("fourier - --features 3 --scale 1e-320", 2, "beyond the range of numbers"),
        ("generate ba --nodes 3 --m 3", 2, "cannot join 3 of 3"),
        ("generate er --nodes 3 --edges 4", 2, "3 pairs, which cannot be 4 edges"),
        ("generate er --nodes 30 --edges 3 --connected", 2, "is connected"),
        ("generate er --nodes 1000000 --p 0.1", 2, "200000 are the most"),
        ("generate er --nodes 3 --p 1.5", 2, "between 0 and 1"),
        ("generate caveman --caves 1 --size 5", 2, "at least 2 caves"),
        ("generate grid --rows 9999999 --columns 9999999", 2, "are the most"),
        ("generate molecules --count 2 --rule amid", 2, "amide"),
        ("generate molecules --count 2 --least 9 --greatest 3", 2, "`--least` is 9"),
        (
            "generate molecules --count 2 --least 2 --greatest 2 --rule hexagon",
            2,
            "no molecule of 2 to 2 atoms",
        ),
        ("generate molecules --count 2 --format csv", 2, "belong into examples"),
    ] {
        let dir = files(&[]);
        let args: Vec<&str> = ["data"].into_iter().chain(args.split(' ')).collect();
        let o = nlog_with_input(dir.path(), &args, "<1> pos(a). <2> pos(b).");
        assert_eq!(o.status.code(), Some(code), "{args:?}\n{}", err(&o));
        assert!(err(&o).contains(says) && out(&o).is_empty(), "{args:?}\n{}", err(&o));
    }
    // Several predicates of one name.
    let dir = files(&[("g.db", "edge(a,b). edge(a,b,c).")]);
    let o = nlog(dir.path(), &["data", "degree", "g.db"]);
    assert!(o.status.code() == Some(1) && err(&o).contains("`--edges edge/2`"), "{}", err(&o));
    let o = nlog(dir.path(), &["data", "degree", "g.db", "--edges", "edge/3"]);
    assert!(out(&o).contains("<1> degree(b).\n"), "{}", err(&o));
}

#[test]
fn colours_hear_of_labels_kinds_and_other_examples() {
    let dir = files(&[(
        "g.db",
        "1 q :- bond(a,b,s), bond(b,c,d), atom(a,n), atom(b,c), atom(c,c).\n\
         0 q :- bond(z,y,d), bond(y,x,s), atom(x,n), atom(y,c), atom(z,c).\n",
    )]);
    let wl = |more: &[&str]| {
        let base = ["data", "wl", "g.db", "--edges", "bond", "--undirected"];
        out(&nlog(dir.path(), &[&base[..], more].concat()))
    };
    // Without its label a nitrogen is still told apart by the kind of its bond; the two examples are one molecule, written
    // from either end.
    for more in [&["--labels", "atom"][..], &[]] {
        let shown = wl(more);
        assert!(
            shown.starts_with("% 3 colors") && shown.contains("not told apart: the examples 1, 2"),
            "{shown}"
        );
        let (_, first) = shown.split_once("color(a,").expect("a colour");
        assert!(shown.contains(&format!("color(x,{}", &first[..2])), "{shown}");
    }
    assert!(wl(&["--rounds", "0"]).starts_with("% 1 color, 0 rounds"));
    assert!(wl(&["--rounds", "0", "--labels", "atom"]).starts_with("% 2 colors, 0 rounds"));
}
