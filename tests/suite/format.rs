//! `nlog fmt`: layouts, files, exit codes. That only white space changes is a property in `src/syntax/tests`.

use crate::docs::blocks;
use crate::files::{err, files, nlog, nlog_with_input, out};
use nlog::base::span::SourceId;
use nlog::syntax::format::{Layout, WIDTH, format};
use std::fs;
use std::path::Path;

fn formatted(text: &str, layout: Layout) -> String {
    format(SourceId(0), text, layout).unwrap_or_else(|found| panic!("{text}\n{found:#?}"))
}

fn template(text: &str) -> String {
    formatted(text, Layout::Template)
}

#[test]
fn blocks_are_formatted_inside() {
    let text = "%% doc
@module   m( x/1,h/1 ,d,act=relu,units={1,2} ){
%inner
l0(X):-x(X).
  l@{ L-1 }(Y):-x(Y).   % why
   long@d/1   [transformation=act]
$w@{d}[learnable=false]
@if act==relu{h(X):-l0(X),X>1,Y=X+1.}@else   @if act != tanh { h(X):-x(X). } @else{
/* a
 b */
p(@{2*d},X):- <@{1/d}> x(X),< d >y(X),X<d,Y<@{d+1}.
}


@for G in 0..d-1 { {2*d, 4} g@{G}_@{G+1}(X):-$w@{G}x={d,d} x(X), @lt(X,1),!@eq(X,G). }
@use other( x , h,{a,b} , 2*d, act = tanh) .
}
a(X):-b(X).
@use m(f,h,3).  % tail
@for L in {a,b}{ }
@use long_name_of_a_module(first_argument, second_argument, third_argument, fourth_argument, fifth = 12).
";
    let wanted = "%% doc
@module m(x/1, h/1, d, act=relu, units={1, 2}) {
  %inner
  l0(X) :- x(X).
  l@{L-1}(Y) :- x(Y).  % why
  long@d/1 [transformation=act]
  $w@{d} [learnable=false]
  @if act==relu { h(X) :- l0(X), X > 1, Y = X + 1. } @else @if act != tanh { h(X) :- x(X). } @else {
    /* a
 b */
    p(@{2*d},X) :- <@{1/d}> x(X), <d> y(X), X < d, Y < @{d+1}.
  }

  @for G in 0..d-1 { {2*d,4} g@{G}_@{G+1}(X) :- $w@{G}x={d,d} x(X), @lt(X,1), !@eq(X,G). }
  @use other(x, h, {a, b}, 2*d, act = tanh).
}
a(X) :- b(X).
@use m(f, h, 3).  % tail
@for L in {a, b} {}
@use long_name_of_a_module(first_argument, second_argument, third_argument, fourth_argument,
    fifth = 12).
";
    assert_eq!(template(text), wanted);
    assert_eq!(template(wanted), wanted);
    // What has no end inside of a block leaves the block as it is.
    let open = "@for L in 1..2 {\n     p(X):-q(X)\n   }\n";
    assert_eq!(template(open), open);
}

#[test]
fn a_statement_may_begin_with_a_value_that_is_put_in() {
    let text = "@module m(a/1, b/1) {\n  @for K in {a, b} {\n    @K/1 [transformation=identity]\n    @K/1 {2}\n  }\n}\n";
    assert_eq!(template(text), text);
}

#[test]
fn what_has_no_end_inside_of_a_block_keeps_its_place_in_it() {
    let text = "@module m(a/1) {\n  @if a == b {\n        p/f1 {3}\n      q(X) :- a(X)\n    }\n}\n";
    let once = template(text);
    assert_eq!(once, "@module m(a/1) {\n  @if a == b {\n        p/f1 {3}\n      q(X) :- a(X)\n    }\n}\n");
    assert_eq!(template(&once), once);
    let wide = template(&text.replace("\n  @if", "\n      @if"));
    assert_eq!(template(&wide), wide);
}

#[test]
fn the_library_is_formatted() {
    for (path, text) in nlog::io::library::BUILT_IN {
        assert_eq!(template(text), *text, "{path}: `nlog fmt` writes it otherwise");
    }
}

#[test]
fn spacing_of_every_construct() {
    let cases = [
        (
            "{4 , 3}h( X ):-{3,2}f( Y ),* edge(Y , X),{3}.[aggregation = sum,transformation=leakyrelu( 0.2 )]",
            "{4,3} h(X) :- {3,2} f(Y), *edge(Y,X), {3}.  [aggregation=sum, transformation=leakyrelu(0.2)]",
        ),
        (
            "h(X):-$w = < 0.5 >a(X),! b(X),~ c(X),@ neq(X,1),0.1 .",
            "h(X) :- $w=<0.5> a(X), !b(X), ~c(X), @neq(X,1), 0.1.",
        ),
        (
            "h(X,Z):-a( X ),Z=-X*( X+Y )/2,Z<=3 ,X!=- 1,0.5 *b(X),$w= 1c.",
            "h(X,Z) :- a(X), Z = -X * (X + Y) / 2, Z <= 3, X != - 1, 0.5 *b(X), $w=1 c.",
        ),
        // A sign that touches its digits is a part of the number, and no token changes.
        ("h:-X -1<2*-Y,X+1=2,<2>d,-( X )>=1-Z.", "h :- X - 1 < 2 * -Y, X + 1 = 2, <2> d, -(X) >= 1 - Z."),
        ("h<=X<=Y,a<b,*c,X>Y.", "h <= X <= Y, a < b, *c, X > Y."),
        ("h<=[1, 2]a,[[1, 0] [0,2]]b.", "h <= [1,2] a, [[1,0][0,2]] b."),
        (
            "h:-[4|0:1.5,3 : 2]a,[2 ,2|0,0:1,(1 , 1: -1),1,0:-2]b.",
            "h :- [4 | 0:1.5, 3:2] a, [2,2 | 0,0:1, (1,1: -1), 1,0:-2] b.",
        ),
        ("h / 1{3 , 1}", "h/1 {3,1}"),
        (
            "h/1[offset=[1, 2],k=slice(0 : 8)] $w[v=1] [rule=relu,atom=identity]",
            "h/1 [offset=[1,2], k=slice(0:8)]\n$w [v=1]\n[rule=relu, atom=identity]",
        ),
        ("import a/b.txt ,'c d'\n import x .", "import a/b.txt, 'c d'\nimport x."),
        ("?-1 q( X ),r/1( Y ).a(metal : X,'it''s').0.5b.", "?- 1 q(X), r/1(Y).\na(metal:X,'it''s').\n0.5 b."),
        (
            "h( X ):-$W [ R , 1,'a b' ]={3,2}f(Y),$W[R,1,x] g(Y).",
            "h(X) :- $W[R,1,'a b']={3,2} f(Y), $W[R,1,x] g(Y).",
        ),
        (
            "$e[X] = <0.5> p(X):-q(X),X<3. $e[learnable=true]",
            "$e[X]=<0.5> p(X) :- q(X), X < 3.\n$e [learnable=true]",
        ),
    ];
    for (before, after) in cases {
        assert_eq!(template(before), format!("{after}\n"));
    }
}

#[test]
fn lines_and_comments_of_a_template() {
    let before = "\u{feff}\n\n% first\r\n\r\n\r\n  % second   \na. b. % of b\n\n\n\nc :- a, % why\n\n    b.\n\
                  /* before */ d. /* behind */ /* and\n more */\ne\n:-\n/* own */\nd /* in */ .  [] % end";
    let after = "% first\n\n% second\na.\nb.  % of b\n\nc :- a,  % why\n    b.\n\
                 /* before */ d.  /* behind */  /* and\n more */\ne :-\n    /* own */\n    d /* in */ .  []  % end\n";
    assert_eq!(template(before), after);
    for empty in ["", "\n", " \r\n\t", "\u{feff}"] {
        assert_eq!(template(empty), "");
        assert_eq!(formatted(empty, Layout::Data), "");
    }
}

#[test]
fn long_statements_are_broken_behind_commas() {
    let literals: Vec<String> = (0..12).map(|i| format!("{{3,3}} predicate{i}(X,Y{i})")).collect();
    let text =
        template(&format!("{{3}} h(X) :- {}. [aggregation=sum, transformation=relu]", literals.join(",")));
    assert!(text.lines().count() > 3 && text.lines().all(|l| l.len() <= WIDTH), "{text}");
    assert!(text.lines().skip(1).all(|l| l.starts_with("    ") && !l.starts_with("     ")), "{text}");
    assert!(text.lines().rev().skip(1).all(|l| l.ends_with(',')), "{text}");
    // One that cannot be broken stays.
    let long = format!("h({}).\n", vec!["argument"; 20].join(","));
    assert_eq!(template(&long), long);
}

#[test]
fn columns_stay_columns() {
    let before = "{1}   h(X)    :-  a(X).       [aggregation=sum]   % one\n\
                  {1,2} g(X,Y)  :-  a(X), b(Y). [aggregation=max]   % two\n\
                  c(X).                                             % three\n\
                  d(X) :- c(X).   % alone\n";
    let after = "{1}   h(X)   :- a(X).        [aggregation=sum]  % one\n\
                 {1,2} g(X,Y) :- a(X), b(Y).  [aggregation=max]  % two\n\
                 c(X).                                           % three\n\
                 d(X) :- c(X).  % alone\n";
    assert_eq!(template(before), after);
}

#[test]
fn data_keep_their_lines() {
    let before = "  a( 1 , 2 ).   b(1). c(2) . %  x \r\n\n\n\n1  q:-a(1),\n     <[0, 1]>b(2) ,c. \t\n?- 1 q( X ),\n   0 r.\n\n";
    let after = "a(1,2).   b(1). c(2). %  x\n\n1 q :- a(1),\n     <[0,1]> b(2), c.\n?- 1 q(X),\n   0 r.\n";
    assert_eq!(formatted(before, Layout::Data), after);
}

#[test]
fn examples_and_documentation_are_formatted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut checked = 0;
    for folder in fs::read_dir(root.join("examples")).expect("there") {
        for file in fs::read_dir(folder.expect("there").path()).expect("a folder") {
            let path = file.expect("there").path();
            let layout = match path.extension().and_then(|e| e.to_str()) {
                Some("lrnn") => Layout::Template,
                Some("db") => Layout::Data,
                _ => continue,
            };
            let text = fs::read_to_string(&path).expect("text");
            assert_eq!(formatted(&text, layout), text, "{}", path.display());
            checked += 1;
        }
    }
    for file in ["README.md", "grammar/README.md"] {
        let text = fs::read_to_string(root.join(file)).expect("there");
        for (language, layout) in [("lrnn", Layout::Template), ("db", Layout::Data)] {
            for (line, block) in blocks(&text, language) {
                assert_eq!(formatted(&block, layout), block, "{file}:{line}");
                checked += 1;
            }
        }
    }
    assert!(checked >= 15, "{checked}");
}

#[test]
fn files_in_place_checks_and_faults() {
    let list = [
        ("good.lrnn", "h :- a.\n"),
        ("bad.lrnn", "h:-a."),
        ("broken.lrnn", "h:-a.\nh :- (.\n"),
        ("bad.db", "a(1).b(2)."),
        ("trainExamples.txt", "1 q:-a(1) , b(2).\n"),
        ("gnn.txt", "h:-a. [aggregation=sum]"),
    ];
    let dir = files(&list);
    let read = |name: &str| fs::read_to_string(dir.path().join(name)).expect("there");
    let o = nlog(dir.path(), &["fmt", "--check", "good.lrnn"]);
    assert!(o.status.success() && out(&o).is_empty() && err(&o).is_empty());
    let names: Vec<&str> = list.iter().map(|(n, _)| *n).collect();
    let o = nlog(dir.path(), &[&["fmt", "--check"], &names[..]].concat());
    assert_eq!(o.status.code(), Some(1));
    assert_eq!(out(&o), "bad.lrnn\nbad.db\ntrainExamples.txt\ngnn.txt\n");
    assert!(err(&o).contains("broken.lrnn:2:"), "{}", err(&o));
    list.iter().for_each(|(name, text)| assert_eq!(read(name), *text));
    let o = nlog(dir.path(), &[&["fmt", "absent.lrnn"], &names[..]].concat());
    assert_eq!(o.status.code(), Some(1));
    assert!(
        out(&o).is_empty() && err(&o).contains("E1002") && err(&o).contains("broken.lrnn:2:"),
        "{}",
        err(&o)
    );
    assert_eq!(read("bad.lrnn"), "h :- a.\n");
    assert_eq!(read("broken.lrnn"), "h:-a.\nh :- (.\n");
    assert_eq!(read("bad.db"), "a(1). b(2).\n");
    assert_eq!(read("trainExamples.txt"), "1 q :- a(1), b(2).\n");
    assert_eq!(read("gnn.txt"), "h :- a.  [aggregation=sum]\n");
}

#[test]
fn standard_input_to_standard_output() {
    let dir = files(&[]);
    let run = |args: &[&str], input: &str| nlog_with_input(dir.path(), args, input);
    let o = run(&["fmt", "-"], "a.b:-a.");
    assert!(o.status.success());
    assert_eq!(out(&o), "a.\nb :- a.\n");
    let o = run(&["fmt", "-", "--kind", "data"], "a.b.");
    assert_eq!(out(&o), "a. b.\n");
    let o = run(&["fmt", "-", "--check"], "a.b.");
    assert_eq!((o.status.code(), out(&o).as_str()), (Some(1), "<stdin>\n"));
    let o = run(&["fmt", "-"], "a(.");
    assert_eq!((o.status.code(), out(&o).as_str()), (Some(1), ""));
    assert!(err(&o).contains("<stdin>:1:2"), "{}", err(&o));
    assert_eq!(run(&["fmt"], "").status.code(), Some(2));
}
