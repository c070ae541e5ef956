//! Ground rules on classes of constants: the theorem of `docs/lifting-before-grounding.md` on random programs, and counts.

use crate::docs::blocks;
use crate::lift::steady;
use crate::support::{evaluate_only, network, session};
use nlog::base::hash::IndexMap;
use nlog::base::rng::Stream;
use nlog::data::ConstId;
use nlog::diag::has_errors;
use nlog::graph::lift::Scope;
use nlog::ground::evaluate::relevant_predicates;
use nlog::ground::fragment::{Fragment, Obstacle, Place};
use nlog::ground::refine::Refiner;
use nlog::learn::Trainer;
use nlog::session::quotient::Both;
use nlog::session::{Session, Settings};
use nlog::template::Term;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;

fn fragment(s: &Session) -> Fragment {
    let roots = s.database.queries.iter().map(|q| q.pred);
    let relevant = relevant_predicates(&s.template, s.vocabulary.predicate_count(), roots);
    Fragment::new(&s.template, &s.strata, &relevant)
}

fn obstacles(template: &str, data: &str) -> Vec<Option<Obstacle>> {
    let s = session(template, data, evaluate_only());
    fragment(&s).rules.iter().map(|r| r.as_ref().expect("reached").as_ref().err().copied()).collect()
}

fn pick<'a>(s: &mut Stream, from: &[&'a str]) -> &'a str {
    from[(s.uniform() * from.len() as f64) as usize]
}

/// Three layers over properties, links and links with a name; most rules are of the fragment, some are not.
fn random_template(s: &mut Stream, several_worlds: bool) -> String {
    let mut out = String::from("z :- g(X). [aggregation=sum]\n");
    let mut known = vec!["f".to_string()];
    for layer in 0..3 {
        let head = format!("h{layer}");
        for rule in 0..1 + (s.uniform() * 2.0) as usize {
            let mut p = || known[(s.uniform() * known.len() as f64) as usize].clone();
            let (a, b) = (p(), p());
            let w = format!("$w{layer}{rule}={{1}}");
            let body = match (s.uniform() * 19.0) as usize {
                0 => format!("{w} {a}(X), {{1}} {b}(Y), *e(X,Y)"),
                1 => format!("{a}(Y), *e(X,Y)"),
                2 => format!("{w} {a}(Y), e(X,Y)"),
                3 => format!("{w} {a}(Y), *b(X,Y,_)"),
                4 => format!("{a}(Y), *b(Y,X,B), t(B)"),
                5 => format!("{a}(X), *b(X,_,B), *t(B)"),
                6 => format!("{a}(Y), *b(X,Y,B), *t(B)"),
                7 => format!("{w} {a}(X), !g(X)"),
                8 => format!("{a}(Y), *e(X,Y), !g(Y)"),
                9 => format!("{a}(X), *e(X,n0)"),
                10 => format!("{w} {a}(X), {b}(Y), *g(Y)"),
                11 => format!("{a}(X), z"),
                12 => format!("{a}(X), {b}(Z), *e(X,Y), *e(Y,Z)"),
                13 => format!("{a}(X), *e(X,Y), *e(Y,Z), *e(Z,X)"),
                14 => format!("{a}(Y), ~{b}(Z), *e(Y,X), *e(X,Z)"),
                15 => format!("{w} {a}(X), *e(X,Y), *e(Y,Z), *g(Z)"),
                16 => format!("{a}(Y), *e(X,Y), Y != n1"),
                17 => format!("{a}(X), *g(n0)"),
                _ => format!("{w} {a}(X)"),
            };
            let aggregation =
                pick(s, &["avg", "sum", "sum", "max", "min", "var", "median", "count", "maxsum"]);
            out += &format!("{head}(X) :- {body}. [aggregation={aggregation}]\n");
        }
        known.push(head);
    }
    if several_worlds {
        out += pick(s, &["{1} q :- h2(X).\n", "{1} q :- h2(X), h0(Y), *e(X,Y).\n", "{1} q :- p(X,Y).\n"]);
        out += "p(X,Y) :- h2(X), h1(Y).\n";
    }
    out
}

/// Rings, stars and paths, alike but for labels, of few kinds.
fn random_world(s: &mut Stream, name: &str) -> String {
    let n = 2 + (s.uniform() * 5.0) as usize;
    let shape = (s.uniform() * 3.0) as usize;
    let mut facts = Vec::new();
    let mut link = |s: &mut Stream, i: usize, j: usize| {
        facts.push(format!("e({name}{i},{name}{j}), e({name}{j},{name}{i})"));
        for k in 0..1 + (s.uniform() * 2.0) as usize {
            facts.push(format!("b({name}{i},{name}{j},b{name}{i}{k})"));
            if s.uniform() < 0.5 {
                facts.push(format!("t(b{name}{i}{k})"));
            }
        }
    };
    for i in 1..n {
        link(s, if shape == 0 { 0 } else { i - 1 }, i);
    }
    if shape == 2 {
        link(s, n - 1, 0);
    }
    for i in 0..n {
        facts.push(format!("<{}> f({name}{i})", pick(s, &["1", "1", "0.5"])));
        if s.uniform() < 0.3 {
            facts.push(format!("g({name}{i})"));
        }
    }
    facts.join(", ")
}

/// For every head, also those without any ground rule: the classes of its ground rules. Heads of one class must have the
/// same ones, in the same number, within worlds and across.
#[test]
fn the_ground_rules_of_a_head_follow_from_its_class() {
    let mut random = Stream::new(3, "quotient");
    let (mut heads, mut shared, mut outside) = (0, 0, 0);
    for _ in 0..600 {
        let template = random_template(&mut random, true);
        let worlds: Vec<String> =
            (0..5).map(|i| format!("{}.0 q :- {}.", i % 2, random_world(&mut random, "n"))).collect();
        let data = worlds.join("\n");
        let mut s = session(&template, &data, Settings { max_ground: 100_000, ..evaluate_only() });
        s.settings.unprovable = nlog::session::Unprovable::Skip;
        let fragment = fragment(&s);
        outside += fragment.rules.iter().filter(|r| matches!(r, Some(Err(_)))).count();
        let mut refiner = Refiner::new(&fragment, &s.vocabulary);
        let mut bags: BTreeMap<Vec<u32>, Vec<Vec<u32>>> = BTreeMap::new();
        let ended = s.each_world(&mut |view| {
            refiner.run(view.ground);
            let constants: Vec<ConstId> = refiner.constants().to_vec();
            for (id, rule) in s.template.rules.iter_enumerated() {
                let Some(Ok(reading)) = &fragment.rules[id] else { continue };
                let mut tuples: Vec<Vec<ConstId>> = vec![Vec::new()];
                for term in &rule.head_args {
                    let any = match term {
                        Term::Variable(_) => constants.clone(),
                        Term::Constant(c) => vec![*c],
                    };
                    let longer = |t: &Vec<ConstId>| -> Vec<Vec<ConstId>> {
                        any.iter().map(|c| [&t[..], &[*c]].concat()).collect()
                    };
                    tuples = tuples.iter().flat_map(longer).collect();
                }
                let mut of_head: BTreeMap<Vec<ConstId>, Vec<Vec<u32>>> = BTreeMap::new();
                for i in 0..view.ground.instances[id].len() {
                    let head = view.ground.relations[rule.head].row(view.ground.instances[id].head(i));
                    let mut key = Vec::new();
                    refiner.class(view.ground, (id, rule, reading), i, true, &mut key);
                    of_head.entry(head.to_vec()).or_default().push(key);
                }
                assert!(of_head.keys().all(|h| tuples.contains(h)));
                for tuple in tuples {
                    let mut class = vec![id.0];
                    for (place, round) in &reading.shown {
                        if let Place::Head(i) = place {
                            class.push(refiner.colour(*round, tuple[*i]));
                        }
                    }
                    class.extend(reading.global.map(|round| refiner.world(round)));
                    let mut bag = of_head.remove(&tuple).unwrap_or_default();
                    bag.sort();
                    heads += 1;
                    match bags.get(&class) {
                        Some(known) => {
                            shared += usize::from(!bag.is_empty());
                            assert_eq!(known, &bag, "{template}{data}");
                        }
                        None => {
                            bags.insert(class, bag);
                        }
                    }
                }
            }
            ControlFlow::Continue(())
        });
        assert!(ended.is_ok());
        // Each class's ground rules are made once in the quotient of all worlds.
        let distinct: BTreeSet<&Vec<u32>> = bags.values().flatten().collect();
        let quotient = s.quotient().expect("counted");
        let counted: usize =
            quotient.rules.iter().filter(|r| r.obstacle.is_none()).map(|r| r.quotient.all).sum();
        assert_eq!(counted, distinct.len(), "{template}{data}");
    }
    assert!(heads > 20_000 && shared > 2_000 && outside > 50, "{heads} {shared} {outside}");
}

/// The values of the unlifted network, at random weights: atoms of one class have one value.
#[test]
fn atoms_of_one_class_have_one_value() {
    let mut random = Stream::new(4, "quotient");
    let (mut programs, mut equal) = (0, 0);
    while programs < 150 {
        let template = random_template(&mut random, false) + "?- h0(X).\n?- h1(X).\n?- h2(X).\n";
        let data: Vec<String> = (0..4).map(|i| random_world(&mut random, ["n", "m", "k", "l"][i])).collect();
        let data = data.join(", ") + ".";
        let mut settings = Settings { lift: Scope::Off, ..evaluate_only() };
        settings.train.seed = programs;
        let (s, found) = Session::from_texts(&template, &data, settings);
        if has_errors(&found) || s.build().0.is_none() {
            continue;
        }
        programs += 1;
        let fragment = fragment(&s);
        let network = network(&s);
        let mut trainer: Trainer<f64> = Trainer::new(
            &network.programs,
            &network.samples,
            s.initial_parameters(),
            s.settings.train.clone(),
        );
        let outputs = trainer.outputs();
        let mut refiner = Refiner::new(&fragment, &s.vocabulary);
        let mut values: BTreeMap<(u32, u32), Vec<f64>> = BTreeMap::new();
        let ended = s.each_world(&mut |view| {
            refiner.run(view.ground);
            for answer in &network.answers {
                let pred = s.database.queries[answer.query].pred;
                // The colour that every rule for the atom agrees on; no colour where one is outside the fragment.
                let mut round = Some(0);
                for (id, rule) in s.template.rules.iter_enumerated().filter(|(_, r)| r.head == pred) {
                    assert_eq!(rule.head_args.len(), 1);
                    round = match &fragment.rules[id] {
                        Some(Ok(reading)) => {
                            let head = reading.shown.iter().find(|(p, _)| *p == Place::Head(0));
                            round.max(head.map(|(_, r)| *r)).filter(|_| round.is_some())
                        }
                        _ => None,
                    };
                }
                let (Some(round), Some((shard, output))) = (round, answer.place) else { continue };
                let value = outputs[shard][output].clone();
                let class = (pred.0, refiner.colour(round, answer.args[0]));
                if let Some(known) = values.get(&class) {
                    equal += 1;
                    for (x, y) in known.iter().zip(&value) {
                        assert!((x - y).abs() <= 1e-12 * x.abs().max(1.0), "{x} {y}\n{template}{data}");
                    }
                } else {
                    values.insert(class, value);
                }
            }
            ControlFlow::Continue(())
        });
        assert!(ended.is_ok());
    }
    assert!(equal > 500, "{equal} pairs");
}

/// Colours as nested texts, without numbers, rounds by recursion: what a constant sees of `f`, `e` and no more.
fn unfolded(c: &str, rounds: usize, links: &[(String, String)], labels: &IndexMap<String, String>) -> String {
    let own = labels.get(c).cloned().unwrap_or_default();
    if rounds == 0 {
        return own;
    }
    let see = |(a, b): &(String, String)| {
        let out = (a == c).then(|| format!(">{}", unfolded(b, rounds - 1, links, labels)));
        let back = (b == c).then(|| format!("<{}", unfolded(a, rounds - 1, links, labels)));
        [out, back]
    };
    let mut seen: Vec<String> = links.iter().flat_map(see).flatten().collect();
    seen.sort();
    format!("{own}({})", seen.join(" "))
}

#[test]
fn counts_are_those_of_unfolded_neighbourhoods() {
    let template = "h(X) :- f(Y), *e(X,Y).\nk(X) :- h(Y), *e(X,Y).\n{1,2} q :- k(X).\n";
    let mut random = Stream::new(5, "quotient");
    let mut fewer = 0;
    for _ in 0..40 {
        let (mut data, mut sums, mut all) = (String::new(), [0; 3], [const { BTreeSet::new() }; 3]);
        for world in 0..3 {
            let n = 2 + (random.uniform() * 6.0) as usize;
            let (mut links, mut labels) = (Vec::new(), IndexMap::default());
            for i in 0..n {
                labels.insert(format!("c{i}"), pick(&mut random, &["[1,0]", "[0,1]"]).to_string());
                for j in (0..n).filter(|&j| j == (i + 1) % n || (i < j && random.uniform() < 0.2)) {
                    links.push((format!("c{i}"), format!("c{j}")));
                }
            }
            let facts = links.iter().map(|(a, b)| format!("e({a},{b})"));
            let facts = facts.chain(labels.iter().map(|(c, v)| format!("<{v}> f({c})")));
            data += &format!("{}.0 q :- {}.\n", world % 2, facts.collect::<Vec<_>>().join(", "));
            let see = |c: &str, rounds| unfolded(c, rounds, &links, &labels);
            let mut names: Vec<String> = labels.keys().map(|c| see(c, 2)).collect();
            names.sort();
            let mut here = [const { BTreeSet::new() }; 3];
            for (a, b) in &links {
                here[0].insert((see(a, 1), see(b, 0)));
                here[1].insert((see(a, 2), see(b, 1)));
            }
            // A head without arguments is one of its kind of world.
            here[2].extend(labels.keys().map(|c| (names.join(";"), see(c, 2))));
            for ((sum, all), here) in sums.iter_mut().zip(&mut all).zip(here) {
                *sum += here.len();
                all.extend(here);
            }
        }
        let quotient = session(template, &data, evaluate_only()).quotient().expect("counted");
        assert_eq!(quotient.rounds, 2);
        for (i, rule) in quotient.rules.iter().enumerate() {
            assert_eq!(rule.quotient, Both { sample: sums[i], all: all[i].len() }, "{data}");
            fewer += rule.ground_rules - rule.quotient.all;
        }
        assert_eq!(quotient.quotient.sample, sums.iter().sum::<usize>());
    }
    assert!(fewer > 200, "{fewer}");
}

#[test]
fn each_obstacle_is_named() {
    use Obstacle as O;
    let one = |rule: &str, extra: &str| {
        let data = "1 q :- f(a), g(a), e(a,b), e(b,a), b(a,b,c), t(c), num(1).";
        obstacles(&format!("{rule}\n{extra}{{1}} q :- h(X)."), data)[0]
    };
    let own = |rule: &str| one(rule, "");
    assert_eq!(own("h(X) :- f(Y), *e(X,Y)."), None);
    assert_eq!(own("h(X) :- f(Y), e(X,Y), e(Y,Z), f(Z), !g(Y), *e(X,b)."), None);
    assert_eq!(own("h(X) :- f(Y), *b(X,Y,_)."), None);
    assert_eq!(own("h(X) :- f(X), *b(X,Y,Z), *t(Z), *g(Y)."), None);
    assert_eq!(own("h(X) :- h(Y), *e(X,Y)."), Some(O::Recursive));
    assert_eq!(own("h(X) :- f(Y), *e(X,Y). [aggregation=concat]"), Some(O::Order));
    assert_eq!(own("h(X) :- $w[Y]=1 f(Y), *e(X,Y)."), Some(O::Family));
    assert_eq!(own("$w[X]=1 h(X) :- f(Y), *e(X,Y)."), Some(O::Family));
    assert_eq!(own("h(X) :- f(Y), *e(X,Y), X != Y."), Some(O::Special));
    assert_eq!(own("h(X) :- f(X), !e(X,X)."), Some(O::Negation));
    assert_eq!(own("h(X) :- f(X), !g(_)."), Some(O::Negation));
    assert_eq!(own("h(X) :- f(X), e(X,Y), e(Y,Z), e(Z,X)."), Some(O::Tree));
    assert_eq!(own("h(X) :- f(X), e(X,X)."), Some(O::Tree));
    assert_eq!(own("h(X) :- f(X), *e(X,Y), *e(Y,X)."), Some(O::Tree));
    assert_eq!(own("h(X) :- f(Y), *b(X,Y,B), *t(B)."), Some(O::Hidden));
    assert_eq!(one("h(X) :- r(X,Y).", "r(X,Y) :- f(X), g(Y).\n"), Some(O::Relation));
    assert_eq!(one("h(X) :- k(X).", "k(X) :- f(X), *e(X,Y), X != Y.\n"), Some(O::Below));
    assert_eq!(one("h(X) :- f(X).", "h(X) :- f(X), X != b.\n"), Some(O::Beside));
    let linked = obstacles("r(X,Y) :- f(X), e(X,Y).\n{1} q :- r(X,Y).", "1 q :- f(a), e(a,b).");
    assert_eq!(linked[0], Some(O::Head));
    let apart = obstacles("r(X,Y) :- f(X), g(Y).\n?- r(X,Y).", "f(a), g(b).");
    assert_eq!(apart, [None]);
    let example = obstacles("{1} q :- f(X).", "1 q :- f(a), g(b), f(X) :- g(X). .");
    assert_eq!(example[1], Some(O::Example));
}

/// Worlds that no tree tells apart, and rules outside the fragment that do: their ground rules stay as they are.
#[test]
fn other_rules_see_more_than_colours() {
    // Two triangles and a ring of six.
    let rings = "e(a,b), e(b,c), e(c,a), e(d,f), e(f,g), e(g,d)";
    let ring = "e(a,b), e(b,c), e(c,d), e(d,f), e(f,g), e(g,a)";
    let data = format!("1 q :- one(a), {rings}.\n0 q :- one(a), {ring}.");
    let count = |body: &str| {
        let template = format!("h(X) :- {body}.\nh(X) :- e(X,Y).\n{{1}} q :- h(X).");
        let quotient = session(&template, &data, evaluate_only()).quotient().expect("counted");
        (quotient.rules[0].ground_rules, quotient.rules[0].quotient)
    };
    assert_eq!(count("e(X,Y), e(Y,Z), e(Z,W)"), (12, Both { sample: 2, all: 1 }));
    // Six ground rules in one world and none in the other, though all constants have one colour.
    assert_eq!(count("e(X,Y), e(Y,Z), e(Z,X)"), (6, Both { sample: 6, all: 6 }));
    // Two ways to one place, or one way to each of two.
    let worlds = ["b(a,y,1), b(a,y,2), b(c,z,3), b(c,z,4)", "b(a,y,1), b(a,z,2), b(c,y,3), b(c,z,4)"];
    let data = worlds.map(|b| format!("1 q :- f(y), f(z), t(1), t(2), t(3), t(4), {b}.")).join("\n");
    let count = |body: &str| {
        let template = format!("h(X) :- {body}.\n{{1}} q :- h(X).");
        let quotient = session(&template, &data, evaluate_only()).quotient().expect("counted");
        (quotient.rules[0].ground_rules, quotient.rules[0].quotient)
    };
    assert_eq!(count("f(Y), *b(X,Y,B), *t(B)"), (6, Both { sample: 6, all: 6 }));
    // Seen, the way counts; unmentioned elsewhere, it does not, and refinement looks at pairs.
    assert_eq!(count("f(Y), *b(X,Y,B), t(B)"), (8, Both { sample: 2, all: 1 }));
    assert_eq!(count("f(Y), *b(X,Y,_)"), (6, Both { sample: 2, all: 2 }));
}

#[test]
fn the_documentation_shows_what_is_printed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("docs/lifting-before-grounding.md")).expect("documentation");
    let dir = tempfile::tempdir().expect("a folder");
    for (language, file) in [("lrnn", "template.lrnn"), ("db", "facts.db")] {
        let [(_, block)] = &blocks(&text, language)[..] else { panic!("one block of {language}") };
        std::fs::write(dir.path().join(file), block).expect("written");
    }
    let [(_, run)] = &blocks(&text, "console")[..] else { panic!("one command") };
    let (command, shown) = run.split_once('\n').expect("a command and its output");
    let args = command.strip_prefix("$ nlog ").expect("a call").split_whitespace();
    let mut nlog = Command::new(env!("CARGO_BIN_EXE_nlog"));
    let output = nlog.args(args).current_dir(dir.path()).output().expect("nlog runs");
    let got = String::from_utf8(output.stdout).expect("UTF-8");
    let steady = |text: &str| text.lines().map(steady).collect::<Vec<_>>();
    assert_eq!(steady(&got), steady(shown), "{got}");
    // What is said of the first world: twelve walks, all alike.
    let first = blocks(&text, "db")[0].1.lines().next().expect("an example").to_string();
    let q = session(&blocks(&text, "lrnn")[0].1, &first, evaluate_only()).quotient().expect("counted");
    let walks = q.rules.iter().find(|r| r.head == "q/0").expect("a rule");
    assert_eq!((walks.ground_rules, walks.quotient.sample), (12, 1));
}
