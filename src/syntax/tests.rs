//! Tests of the syntax layer as a whole: every statement kind, every error, the traps, and properties.

use super::ast::*;
use super::chunk::{Completeness, completeness};
use super::facts::{AtomRef, DataSink, Dialect, TermClass, ValueRef, read};
use super::format::{Layout, format};
use super::parser::{parse_rule, parse_statement, parse_template};
use super::token::{Token, TokenKind, lex, unquote};
use crate::base::span::{SourceId, Span, Spanned};
use crate::diag::{Diagnostic, has_errors};

mod properties;

const SOURCE: SourceId = SourceId(3);

/// Diagnostics as `CODE text-under-the-span`.
fn faults(text: &str, diagnostics: &[Diagnostic]) -> Vec<String> {
    diagnostics
        .iter()
        .map(|d| {
            let span = d.span().expect("a syntax error has a place");
            assert_eq!(span.source, SOURCE);
            format!("{} {}", d.code, text.get(span.range()).expect("the span lies in the text"))
        })
        .collect()
}

fn template(text: &str) -> Vec<Statement> {
    let (file, diagnostics) = parse_template(SOURCE, text);
    assert!(diagnostics.is_empty(), "{text}: {diagnostics:#?}");
    file.statements
}

/// The statements, printed.
fn printed(text: &str) -> Vec<String> {
    template(text).iter().map(Statement::to_string).collect()
}

fn refused(text: &str, expected: &[&str]) -> Vec<Diagnostic> {
    let (_, diagnostics) = parse_template(SOURCE, text);
    assert_eq!(faults(text, &diagnostics), expected, "{text}: {diagnostics:#?}");
    diagnostics
}

/// Records what the reader delivers, one line a call.
#[derive(Default)]
struct Recorder {
    lines: Vec<String>,
    spans: Vec<Span>,
    depth: i32,
}

fn spanned<T>(node: T) -> Spanned<T> {
    Spanned::new(node, Span::new(SOURCE, 0, 0))
}

/// The call's arguments as a tree, so that both readers can be compared.
fn to_fact(value: Option<ValueRef<'_>>, atom: AtomRef<'_>) -> Fact {
    let span = atom.span;
    let weight = value.map(|v| {
        let (rows, cols) = (v.rows, v.cols);
        let value = match v.values {
            [] => WeightValue::Dims { rows, cols },
            // The sink is not told a scalar from a vector of length 1.
            [x] => WeightValue::Scalar(*x),
            _ => WeightValue::Dense { rows, cols, values: v.values.to_vec() },
        };
        let name = v.name.map(|n| spanned(n.to_string()));
        Weight { name, member: None, fixed: v.fixed, value: spanned(value), span }
    });
    let args = atom.args.iter().map(|t| Term {
        ty: t.ty.map(|t| spanned(t.to_string())),
        kind: match t.kind {
            TermClass::Variable => TermKind::Variable(t.text.into()),
            TermClass::Name => TermKind::Name(t.text.into()),
            TermClass::Number => TermKind::Number(t.text.into()),
            TermClass::Quoted => TermKind::Quoted(t.text.into()),
        },
        span: t.span,
    });
    let name = spanned(atom.name.to_string());
    let atom = Atom { hidden: false, special: false, name, arity: None, args: args.collect(), span };
    Fact { weight, atom, span }
}

impl Recorder {
    fn add(&mut self, what: &str, value: Option<ValueRef<'_>>, atom: AtomRef<'_>) {
        self.spans.push(atom.span);
        self.spans.extend(atom.args.iter().map(|t| t.span).chain(value.map(|v| v.span)));
        let sign = atom.sign;
        self.lines.push(format!("{what} {sign}{}", to_fact(value, atom)));
    }
}

impl DataSink for Recorder {
    fn begin_world(&mut self, span: Span) {
        assert_eq!(self.depth, 0);
        self.depth += 1;
        self.spans.push(span);
        self.lines.push("world".into());
    }
    fn end_world(&mut self, span: Span) {
        self.depth -= 1;
        self.spans.push(span);
        self.lines.push("end".into());
    }
    fn begin_queries(&mut self, span: Span) {
        assert_eq!(self.depth, 0);
        self.depth += 1;
        self.spans.push(span);
        self.lines.push("queries".into());
    }
    fn end_queries(&mut self, span: Span) {
        self.end_world(span);
    }
    fn link(&mut self, value: Option<ValueRef<'_>>, atom: AtomRef<'_>) {
        self.add("link", value, atom);
    }
    fn fact(&mut self, value: Option<ValueRef<'_>>, atom: AtomRef<'_>) {
        self.add("fact", value, atom);
    }
    fn query(&mut self, target: Option<ValueRef<'_>>, atom: AtomRef<'_>) {
        self.add("query", target, atom);
    }
    fn rule(&mut self, rule: Rule) {
        self.spans.push(rule.span);
        self.lines.push(format!("rule {rule}"));
    }
}

fn reading(text: &str, dialect: Dialect) -> (Recorder, Vec<Diagnostic>) {
    let mut sink = Recorder::default();
    let diagnostics = read(SOURCE, text, dialect, &mut sink);
    assert_eq!(sink.depth, 0, "begun and ended: {text}");
    (sink, diagnostics)
}

/// What is delivered, joined by ` | `.
fn data(text: &str, dialect: Dialect) -> String {
    let (sink, diagnostics) = reading(text, dialect);
    assert!(diagnostics.is_empty(), "{text}: {diagnostics:#?}");
    sink.lines.join(" | ")
}

fn data_refused(text: &str, dialect: Dialect, expected: &[&str]) -> String {
    let (sink, diagnostics) = reading(text, dialect);
    assert_eq!(faults(text, &diagnostics), expected, "{text}: {diagnostics:#?}");
    sink.lines.join(" | ")
}

// ---- tokens --------------------------------------------------------------------------------------------------

#[track_caller]
fn kinds(text: &str, expected: &[(TokenKind, &str)]) {
    let tokens = lex(text);
    let found = tokens.iter().filter(|t| t.kind != TokenKind::Space);
    let found: Vec<(TokenKind, &str)> = found.map(|t| (t.kind, &text[t.range()])).collect();
    assert_eq!(found, expected);
}

#[test]
fn the_traps_of_the_lexer() {
    use TokenKind as K;
    kinds(
        "foo-bar c-1 X-1 _",
        &[(K::Name, "foo-bar"), (K::Name, "c-1"), (K::Variable, "X-1"), (K::Variable, "_")],
    );
    kinds(
        "-1.5e3 +1 1e1 5. 1e 1.x",
        &[
            (K::Number, "-1.5e3"),
            (K::Number, "+1"),
            (K::Number, "1e1"),
            (K::Number, "5"),
            (K::Stop, "."),
            (K::Number, "1"),
            (K::Name, "e"),
            (K::Number, "1"),
            (K::Stop, "."),
            (K::Name, "x"),
        ],
    );
    kinds(
        "1:-0.25 q:-a. man:c1",
        &[
            (K::Number, "1"),
            (K::Implies, ":-"),
            (K::Number, "0.25"),
            (K::Name, "q"),
            (K::Implies, ":-"),
            (K::Name, "a"),
            (K::Stop, "."),
            (K::Name, "man"),
            (K::Colon, ":"),
            (K::Name, "c1"),
        ],
    );
    kinds("<-1> <=", &[(K::LeftAngle, "<"), (K::Number, "-1"), (K::RightAngle, ">"), (K::LeftArrow, "<=")]);
    kinds("/* a /* b */ c */ % d 'e", &[(K::BlockComment, "/* a /* b */ c */"), (K::LineComment, "% d 'e")]);
    kinds(
        r"'it''s' '' 'a\'b' 'open",
        &[(K::Quoted, "'it''s'"), (K::Quoted, "''"), (K::Quoted, r"'a\'b'"), (K::UnclosedQuote, "'open")],
    );
    kinds("/* /* */", &[(K::UnclosedComment, "/* /* */")]);
    kinds(
        "žluť Čárka a\u{e9}_1 + \0\u{1f980} X - -1 X-1 !=>=",
        &[
            (K::Name, "žluť"),
            (K::Variable, "Čárka"),
            (K::Name, "a\u{e9}_1"),
            (K::Plus, "+"),
            (K::Error, "\0"),
            (K::Error, "\u{1f980}"),
            (K::Variable, "X"),
            (K::Minus, "-"),
            (K::Number, "-1"),
            (K::Variable, "X-1"),
            (K::Differs, "!="),
            (K::AtLeast, ">="),
        ],
    );
    kinds("\u{feff}a\r\nb", &[(K::Name, "a"), (K::Name, "b")]);
}

#[test]
fn quotes_are_undone() {
    assert_eq!(unquote(r"'it''s\n\\\''"), Ok("it's\n\\'".into()));
    assert_eq!(unquote("''"), Ok(String::new()));
    assert_eq!(unquote(r"'a\qb'"), Err((2, r"\q".into())));
}

// ---- templates -----------------------------------------------------------------------------------------------

#[track_caller]
fn same(text: &str) {
    assert_eq!(printed(text).join(" "), text);
}

#[test]
fn every_statement_is_read_and_printed() {
    same("h(X) :- a(X).");
    same("<0.5> h(X) :- <2> a(X), $w=0.3 *b(X,Y), !c(Y), ~d(Y), !@in(X,1,3), !*p. [activation=relu]");
    same("q :- a(X), <0.25>. [activation=identity, aggregation=softmax(Y)]");
    same("q/0 [activation=leakyrelu(0.2), offset=[1,2], value=slice(0:8), x=reshape(4,8), y=$w, z=$w=1]");
    same("h/1 {3} h/1 <0.75> h/1 [1,2] h/1 $w=0.5 h/1 0.5 a(1).");
    same("$w [value=0.5, learnable=false]");
    same("[rule=identity, atom=max-identity] []");
    same("import gnn/gcn. import a.txt, ../b.txt, 'my file.txt'.");
    same("?- 1 path(a,c), path(c,X).");
    same("a. 0.5 a/1(X). {1} a(man:X,woman:c1,'two words',-1.5e3,01).");
    same("[[1,0],[0,2]] a(1). [[1,2]] a(2). <[1,2.5,-3e-9]> a(3). $w=<{2,3}> a(4).");
    assert_eq!(printed("h(X) <= a(X)."), ["h(X) :- a(X)."]);
    assert_eq!(printed("a(1), 0.5 b(2)."), ["a(1).", "0.5 b(2)."]);
    assert_eq!(printed("p() :- q ( X , Y ) ."), ["p :- q(X,Y)."]);
    assert_eq!(printed("[[1,0][0,2]] a."), ["[[1,0],[0,2]] a."]);
    assert_eq!(printed("{1} a. {4,1} a. {1,4} a."), ["{1} a.", "{4} a.", "{1,4} a."]);
    assert_eq!(printed("[4|0:1.5,(3:2)] a. [3|] a."), ["[1.5,0,0,2] a.", "[0,0,0] a."]);
    assert_eq!(printed("[2,2|0,0:0.5,0,1:-0.25,(1,1:+1)] a."), ["[[0.5,-0.25],[0,1]] a."]);
    assert_eq!(printed("[2|0:-1,1 : -2] a."), ["[-1,-2] a."]);
}

#[test]
fn the_traps_of_templates() {
    // Arrow and sign.
    assert_eq!(
        printed("h(X):-a(X). q :-0.5 a. q:--0.5 a. h<=0.5 a."),
        ["h(X) :- a(X).", "q :- 0.5 a.", "q :- -0.5 a.", "h :- 0.5 a."]
    );
    assert_eq!(printed("a(5).0.5 a(1).").len(), 2);
    assert_eq!(printed("a(t:-1)."), ["a(t:-1)."]);
    // Metadata after the full stop belongs to a rule, a vector to the next fact, a list after a fact to the template.
    assert_eq!(printed("h :- a.\n[1,2] b. [x=y]"), ["h :- a.", "[1,2] b.", "[x=y]"]);
    assert_eq!(printed("h :- a.\n[x=y]\n[z=y]"), ["h :- a. [x=y]", "[z=y]"]);
    // Offset, metadata, or an atom with its arity.
    assert_eq!(
        printed("q/0 <0.75>\nq/0 [a=b]\nq/0 :- a/1(X).\nq/0."),
        ["q/0 <0.75>", "q/0 [a=b]", "q/0 :- a/1(X).", "q/0."]
    );
    // A tolerated full stop.
    assert_eq!(printed("q/0 [a=b]. q/0 0.5. $w [a=b]. [a=b]. q.").len(), 5);
    // `import` is a keyword only before a path.
    assert_eq!(
        printed("import(X) :- import. import. import/0 [a=b]"),
        ["import(X) :- import.", "import.", "import/0 [a=b]"]
    );
    assert_eq!(printed("import sub.txt\n<1> q :- h(X)."), ["import sub.txt.", "<1> q :- h(X)."]);
    assert_eq!(printed("import a.txt , b.txt . q."), ["import a.txt, b.txt.", "q."]);
    assert_eq!(printed("import a % c\nq."), ["import a.", "q."]);
    // Comments, also with things in them that look like syntax, and line ends of all kinds.
    let text = "\u{feff}% č 'x (\r\nh(X) /* . [ /* ' */ */ :- % .\r\n a(X)\t. /*.*/ [a=b]\r\n";
    assert_eq!(printed(text), ["h(X) :- a(X). [a=b]"]);
    // A shared weight may be mentioned again without its value.
    assert_eq!(printed("$w=<[1,2]> h :- a. h :- $w b."), ["$w=<[1,2]> h :- a.", "h :- $w=<[1,2]> b."]);
    assert!(template(" \n% nothing\n").is_empty());
    assert_eq!(printed("a(ž) :- b(Č, _)."), ["a(ž) :- b(Č,_)."]);
    assert_eq!(printed(r"a('it''s', '\n')."), [r"a('it\'s','\n')."]);
}

#[test]
fn spans_are_those_of_the_source() {
    let text = "% č\n a(1).\n 0.5 h(X) :- $w=<2> !b(man:X), 0.1. [k=relu(3)]";
    let statements = template(text);
    let Statement::Rule(rule) = &statements[1] else { panic!("a rule: {statements:?}") };
    let at = |span: Span| &text[span.range()];
    assert_eq!(at(rule.span), "0.5 h(X) :- $w=<2> !b(man:X), 0.1.");
    assert_eq!(at(rule.head.span), "h(X)");
    let Item::Literal(literal) = &rule.body[0] else { panic!("a literal: {:?}", rule.body) };
    assert_eq!(at(literal.span), "$w=<2> !b(man:X)");
    assert_eq!(at(literal.atom.span), "b(man:X)");
    assert_eq!(at(literal.atom.args[0].span), "man:X");
    let weight = literal.weight.as_ref().expect("a weight");
    assert_eq!((at(weight.span), at(weight.value.span)), ("$w=<2>", "2"));
    assert_eq!(at(weight.name.as_ref().expect("a name").span), "$w");
    assert_eq!(at(rule.offset.as_ref().expect("an offset").span), "0.1");
    assert_eq!(at(rule.metadata[0].key.span), "k");
    assert_eq!(at(rule.metadata[0].value.span), "relu(3)");
}

#[test]
fn a_rule_of_a_data_file_keeps_its_place() {
    let rule = parse_rule(SOURCE, "<3> h(X) :- /* . */ <5> a(X).", 100).expect("a rule");
    assert_eq!(rule.head.span, Span::new(SOURCE, 104, 108));
    let d = parse_rule(SOURCE, "h(X) :- ,X.", 100).expect_err("no rule");
    assert_eq!(d.span(), Some(Span::new(SOURCE, 108, 109)));
    let d = parse_rule(SOURCE, "h(X :- a.", 100).expect_err("no rule");
    assert_eq!(d.span(), Some(Span::new(SOURCE, 101, 102)));
    for text in ["", "a(1).", "h :- a. h :- b."] {
        assert!(parse_rule(SOURCE, text, 0).is_err());
    }
    assert!(parse_statement(SOURCE, "h :- a. h :- b.").is_ok());
    assert!(parse_statement(SOURCE, "h :- a. h :- .").is_err());
}

#[test]
fn comparisons_are_read_by_precedence_and_printed_with_the_parentheses_they_take() {
    let body = |text: &str| {
        let rule = printed(&format!("h :- {text}."));
        rule[0]["h :- ".len()..rule[0].len() - 1].to_string()
    };
    for (text, expected) in [
        ("X<Y", "X < Y"),
        ("X<=Y, X>=Y, X!=Y, X>Y, a = 'b c'", "X <= Y, X >= Y, X != Y, X > Y, a = 'b c'"),
        ("Z=X+Y*2", "Z = X + Y * 2"),
        ("Z = (X + Y) * 2", "Z = (X + Y) * 2"),
        ("Z = ((X + Y) + (2))", "Z = (X + Y) + 2"),
        ("Z = X - (Y - 1) -1", "Z = X - (Y - 1) - 1"),
        ("Z = X -1", "Z = X - 1"),
        ("Z = X - -1", "Z = X - -1"),
        ("Z = - 1", "Z = - 1"),
        ("Z = -1", "Z = -1"),
        ("-X = -(Y / -Z)", "-X = -(Y / -Z)"),
        ("-(-X) = 2-1", "-(-X) = 2 - 1"),
        ("X = X-1", "X = X-1"),
        ("0.5 *p(X), 0.5 * X < 1, 0.5", "0.5 *p(X), 0.5 * X < 1, 0.5"),
        ("<0.5> p, p/1(X), $w=1 q, -1 <2", "<0.5> p, p/1(X), $w=1 q, -1 < 2"),
        ("1 < /* c */ X, X <= % d\n 3", "1 < X, X <= 3"),
    ] {
        assert_eq!(body(text), expected);
    }
    assert_eq!(printed("h(X) <= X <= 1. h <= a."), ["h(X) :- X <= 1.", "h :- a."]);
}

#[test]
fn every_error_of_a_comparison_has_its_code_and_place() {
    refused("h(X) :- a(X), !X < 1.", &["E0111 !"]);
    refused("h(X) :- a(X), *X < 1.", &["E0111 *"]);
    refused("h(X) :- a(X), {2} X < 1.", &["E0111 {2}"]);
    refused("h(X) :- a(X), 0.5 ~X = 1.", &["E0111 ~"]);
    refused("h(X) :- a(X), tanh(X < 1).", &["E0101 <"]);
    refused("h(X) :- a(X), 1 < X < 2.", &["E0101 <"]);
    refused("h(X) :- a(X), X =< 2.", &["E0101 <"]);
    refused("h(X) :- a(X), X == 2.", &["E0101 ="]);
    refused("h(X) :- a(X), X <> 2.", &["E0101 >"]);
    refused("h(X) :- a(X), X + 2.", &["E0101 ."]);
    refused("h(X) :- a(X), X - 1 2 < 3.", &["E0101 2"]);
    refused("h(X) :- a(X), X- 1 < 3.", &["E0101 1"]);
    refused("h(X) :- a(X), count(X) > 3.", &["E0101 >"]);
    refused("h(X) :- a(X), (X + 1 < 3.", &["E0102 ("]);
    refused("h(X) :- a(X), 1e999 < X.", &["E0108 1e999"]);
    refused("X < 3.", &["E0101 X"]);
    assert_eq!(completeness("h(X) :- a(X), X <"), Completeness::Incomplete);
    assert_eq!(completeness("h(X) :- a(X), X <= 3"), Completeness::Incomplete);
    assert_eq!(completeness("h(X) :- a(X), X <= 3."), Completeness::Complete);
}

#[test]
fn every_error_of_a_template_has_its_code_and_place() {
    refused("h(X) :- .", &["E0101 ."]);
    refused("h(X) :- a(X) b(X).", &["E0101 b"]);
    refused("h(X) :- a(X,).", &["E0101 )"]);
    refused("h(X) :- a(X), 0.5, b(X).", &["E0101 0.5"]);
    refused("h :- 0.5.", &["E0101 0.5"]);
    refused(". a.", &["E0101 ."]);
    refused("h(X) :- Foo(X).", &["E0101 Foo"]);
    refused("a(1b).", &["E0101 b"]);
    refused("a(f(x)).", &["E0101 ("]);
    refused("h :- a. [activation relu]", &["E0101 relu"]);
    refused("h :- a :- b.", &["E0101 :-"]);
    refused(r"a('x\y').", &[r"E0101 \y"]);
    refused("import a.txt b.txt\nq.", &["E0101 b"]);
    refused("h(X :- a(X). q.", &["E0102 ("]);
    refused("h(X] :- a(X).", &["E0102 ("]);
    refused("h :- a. [k=v\nq :- b.", &["E0102 ["]);
    refused("h(X)) :- a(X).", &["E0103 )"]);
    refused("h(X) :- a(X); b(X).", &["E0104 ;"]);
    refused("h(\0).", &["E0104 \0"]);
    refused("h(\"x\").", &["E0104 \""]);
    refused("q. /* never", &["E0105 /*"]);
    refused("h :- a('x). q :- b(Y Z).", &["E0106 '"]);
    refused("h :- a('x).\nq :- b(Y Z).", &["E0106 '", "E0101 Z"]);
    refused("h(X) :- a(X)", &["E0107 )"]);
    refused("h(X) :- a(X)\nq :- b. r :- c d.", &["E0107 )", "E0101 d"]);
    refused("h :- a\nq/0 [k=v]", &["E0107 a"]);
    refused("1e999 a.", &["E0108 1e999"]);
    refused("a(1e999).", &["E0108 1e999"]);
    refused("h :- a. [k=f(1e999)]", &["E0108 1e999"]);
    refused("{99999999999999999999} a.", &["E0108 99999999999999999999"]);
    refused("a/99999999(X).", &["E0108 99999999"]);
    refused("{0} a.", &["E0109 0"]);
    refused("{2.5} a.", &["E0109 2.5"]);
    refused("{-2} a.", &["E0109 -2"]);
    refused("{3000000000} a.", &["E0109 3000000000"]);
    refused("{100000,100000} a.", &["E0109 100000,100000"]);
    refused("[[1,2],[3]] a.", &["E0109 [3]"]);
    refused("[2|2:1] a.", &["E0109 2"]);
    refused("[2|-1:1] a.", &["E0109 -1"]);
    refused("[2|0:1,0:2] a.", &["E0109 0"]);
    refused("[2|0,0:1] a.", &["E0109 0,0"]);
    refused("[2,2|0:1] a.", &["E0109 0"]);
    refused("[2000000,2000000|0,0:1] a.", &["E0109 2000000,2000000"]);
    refused("$w h :- a.", &["E0109 $w"]);
    refused(&format!("{}h", "(".repeat(1000)), &["E0110 ("]);
    refused("!h :- a.", &["E0303 !"]);
    refused("~a(1).", &["E0507 ~"]);
    refused("[1,2 a.", &["E0102 ["]);
    refused("[1 2] a.", &["E0101 2"]);
    refused("<1 a.", &["E0101 a"]);
    refused("q/0 foo\nh :- a.", &["E0101 foo"]);
    refused("h :- a. [k=v\nh :- b.\n[x=y]\nq :- c d.", &["E0102 [", "E0101 d"]);
}

#[test]
fn one_error_does_not_hide_the_next() {
    let text = "h(X :- a(X). [activation=relu]\nq :- b(.\nr :- c.\ns(X) :- d(X)\nt :- e f.\nu(1) v(2).\n";
    refused(text, &["E0102 (", "E0102 (", "E0107 )", "E0101 f", "E0101 v"]);
    let (file, _) = parse_template(SOURCE, text);
    assert_eq!(file.statements.len(), 1);
    let many = "h :- .\n".repeat(500);
    let (_, diagnostics) = parse_template(SOURCE, &many);
    assert_eq!(diagnostics.len(), 51);
    assert!(!diagnostics[50].is_error());
}

#[test]
fn messages_speak_of_the_language() {
    let title = |text: &str| parse_template(SOURCE, text).1[0].title.clone();
    assert_eq!(title("h(X) :- ."), "expected a literal, found the full stop");
    assert_eq!(title("h(X) :- a(X) b(X)."), "expected `,` or a full stop, found the name `b`");
    assert_eq!(title("h(X) :- a(X Y)."), "expected `,` or `)`, found the variable `Y`");
    assert_eq!(title("h :- a. [k]"), "expected `=`, found `]`");
    assert_eq!(title("h/1 foo"), "expected a weight, found the name `foo`");
    assert_eq!(title("[1,x] a."), "expected a number, found the name `x`");
    assert_eq!(title("h(X) :-"), "expected a literal, found the end of the text");
    assert_eq!(title("import a.txt b.txt"), "expected `,` or a full stop, found the name `b`");
    let (_, d) = parse_template(SOURCE, "Foo(X) :- a.");
    assert_eq!(d[0].title, "expected an atom, found the variable `Foo`");
    assert!(d[0].help.as_ref().is_some_and(|h| h.contains("lower-case")));
}

#[test]
fn the_repl_knows_when_to_read_on() {
    for text in ["", "  % c\n", "/* c */"] {
        assert_eq!(completeness(text), Completeness::Empty, "{text}");
    }
    for text in
        ["h :- a.", "h :- a. [k=v]", "h/1 [k=v]", "h/1 {3}", "h(X)) :-", "h(X :- a.", "a('x).", "import a"]
    {
        assert_eq!(completeness(text), Completeness::Complete, "{text}");
    }
    for text in
        ["h :- a", "h :-", "h(", "h :- a. [k=", "h/1", "h/1 [", "/* c", "?- q(X)", "a. b", "import a,", "5."]
    {
        let expected = if text == "5." { Completeness::Complete } else { Completeness::Incomplete };
        assert_eq!(completeness(text), expected, "{text}");
    }
}

// ---- data ----------------------------------------------------------------------------------------------------

#[test]
fn examples_are_read() {
    let read = |text| data(text, Dialect::Examples);
    assert_eq!(
        read("1.0 q :- <0.3> a(c1), b. 0 q <= c."),
        "world | query 1 q | fact <0.3> a(c1) | fact b | end | world | query 0 q | fact c | end"
    );
    assert_eq!(
        read("<1> a(c1),\n<2> a(c2).\nb."),
        "world | fact <1> a(c1) | fact <2> a(c2) | end | world | fact b | end"
    );
    assert_eq!(read("1 p(c1), 0 q :- a."), "world | query 1 p(c1) | query 0 q | fact a | end");
    assert_eq!(
        read("1 q :- <1> a(c1), <2> a(c2) <3> h(X) :- <5> a(X). .\n0 q :- b. "),
        "world | query 1 q | fact <1> a(c1) | fact <2> a(c2) | rule <3> h(X) :- <5> a(X). | end | \
         world | query 0 q | fact b | end"
    );
    assert_eq!(
        read("a(c1) <3> h(X) :- a(X)., b c."),
        "world | fact a(c1) | rule <3> h(X) :- a(X). | fact b | fact c | end"
    );
    assert_eq!(read("1.0 q :- ."), "world | query 1 q | end");
    assert_eq!(read("1 q :- !a(1), ~b."), "world | query 1 q | fact !a(1) | fact ~b | end");
    assert_eq!(
        read("[2,2|0,0:0.5,1,1:-1] m, {3} v, $w=<[1,2]> a(1), $w a(t:x, t:-1, 'a''b', 'c d')."),
        "world | fact [[0.5,0],[0,-1]] m | fact {3} v | fact $w=<[1,2]> a(1) | \
         fact $w=<[1,2]> a(t:x,t:-1,'a\\'b','c d') | end"
    );
    assert_eq!(read("a/1(x)."), "world | fact a(x) | end");
}

#[test]
fn queries_are_read() {
    let read = |text| data(text, Dialect::Queries);
    assert_eq!(
        read("1 p(a), 0 q.\n2.0 id1 :- [1,0] q. id :- q, r."),
        "queries | query 1 p(a) | query 0 q | end | queries | link 2 id1 | query [1,0] q | end | \
         queries | link id | query q | query r | end"
    );
}

#[test]
fn databases_are_read() {
    let read = |text| data(text, Dialect::Database);
    assert_eq!(read("0.3 a(x). [1,0] f(x), b(x,y)."), "fact 0.3 a(x) | fact [1,0] f(x) | fact b(x,y)");
    assert_eq!(read("1 t :- b(x), c. d."), "world | query 1 t | fact b(x) | fact c | end | fact d");
    assert_eq!(read("1 t, 0 u(Y) :- b(x)."), "world | query 1 t | query 0 u(Y) | fact b(x) | end");
    assert_eq!(read("?- 1 p(a,c), p(c,X)."), "queries | query 1 p(a,c) | query p(c,X) | end");
    assert_eq!(read("<2> h(X) :- a(X). a(1)."), "rule <2> h(X) :- a(X). | fact a(1)");
    assert_eq!(
        read("1 q :- $W=[1|0:-2] a(1) h(X) :- a(X). . b."),
        "world | query 1 q | fact $W=-2 a(1) | rule h(X) :- a(X). | end | fact b"
    );
}

#[test]
fn every_error_of_data_has_its_code_and_place() {
    use Dialect::{Database, Examples, Queries};
    assert_eq!(
        data_refused("1 q :- a(c1, . 0 q :- b.", Examples, &["E0101 ."]),
        "world | query 1 q | end | world | query 0 q | fact b | end"
    );
    data_refused(". a.", Examples, &["E0101 ."]);
    data_refused("a(1)\nb(2). c(x y).", Database, &["E0107 )", "E0101 y"]);
    data_refused("a(1) b(2).", Database, &["E0101 b"]);
    data_refused("a(1)", Database, &["E0107 )"]);
    data_refused("1 q :- a(1)\n1 q :- a(2).\n1 q :- b.", Examples, &["E0107 )"]);
    data_refused("1 p\n1 q. 1 r s.", Queries, &["E0107 p", "E0101 s"]);
    data_refused("id :- .", Queries, &["E0101 ."]);
    data_refused("a. [k=v] b.", Database, &["E0111 [k=v]"]);
    data_refused("1 q :- a, h(X) :- a(X). [k=v] . 1 q :- b.", Examples, &["E0111 [k=v]"]);
    data_refused("p/1 [k=v] . b.", Database, &["E0111 ["]);
    data_refused("?- q.", Examples, &["E0111 ?-"]);
    data_refused("?- q.", Queries, &["E0111 ?-"]);
    // Told once, with a count; other faults are still found.
    let many = format!("{} 1 r(X. {}", "?- 1 q(a), r. ".repeat(40), "?- q. ".repeat(20));
    data_refused(&many, Queries, &["E0111 ?-", "E0101 ."]);
    assert_eq!(reading(&many, Queries).1[0].notes, ["59 more statements of this file begin with it"]);
    data_refused("*a(1). @in(1,2).", Database, &["E0111 *", "E0111 @"]);
    data_refused("a/2(x).", Database, &["E0208 /2"]);
    data_refused("a(\0). b(;).", Database, &["E0104 \0", "E0104 ;"]);
    data_refused("a('x).\nb(y). c( .", Database, &["E0106 '", "E0101 ."]);
    data_refused("a. /* b", Database, &["E0105 /*"]);
    data_refused(
        "1e999 a. b(1e999). b(-1E+999).",
        Database,
        &["E0108 1e999", "E0108 1e999", "E0108 -1E+999"],
    );
    data_refused("[1,[2]] a. {0} b. [2|5:1] c.", Database, &["E0101 [", "E0109 0", "E0109 5"]);
    data_refused("$w a.", Database, &["E0109 $w"]);
    data_refused("1 q :- a(1), h(X) :- b(X Y). b .", Examples, &["E0101 Y"]);
    data_refused(r"a('\q').", Database, &[r"E0101 \q"]);
    data_refused("Foo(x).", Database, &["E0101 Foo"]);
    let (_, diagnostics) = reading(&"a(;). ".repeat(500), Database);
    assert_eq!(diagnostics.len(), 51);
}

#[test]
fn ten_megabytes_on_one_line_are_read_at_once() {
    let mut text = String::new();
    while text.len() < 10 << 20 {
        text.push_str("<[1, 0, 0, 0]> feature(a123, 'x y'), bond(a1, a2, b17), ");
    }
    text.push_str("z.");
    let start = std::time::Instant::now();
    let mut count = Count(0);
    assert!(read(SOURCE, &text, Dialect::Examples, &mut count).is_empty());
    assert!(count.0 > 300_000);
    // Generous, for a busy machine and an unoptimised build; what is excluded is anything quadratic.
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

struct Count(usize);

impl DataSink for Count {
    fn begin_world(&mut self, _: Span) {}
    fn end_world(&mut self, _: Span) {}
    fn begin_queries(&mut self, _: Span) {}
    fn end_queries(&mut self, _: Span) {}
    fn link(&mut self, _: Option<ValueRef<'_>>, _: AtomRef<'_>) {}
    fn fact(&mut self, _: Option<ValueRef<'_>>, _: AtomRef<'_>) {
        self.0 += 1;
    }
    fn query(&mut self, _: Option<ValueRef<'_>>, _: AtomRef<'_>) {}
    fn rule(&mut self, _: Rule) {}
}

#[test]
fn long_and_deep_templates_end_soon() {
    let start = std::time::Instant::now();
    let body = "0.5 a(X,Y), ".repeat(20_000);
    assert_eq!(template(&format!("h(X) :- {body} b(X).")).len(), 1);
    assert_eq!(template(&format!("{} z.", "a(1), ".repeat(50_000))).len(), 50_001);
    assert_eq!(template(&"a(1).\n".repeat(20_000)).len(), 20_000);
    let numbers = vec!["1"; 100_000].join(",");
    assert_eq!(template(&format!("[{numbers}] a.")).len(), 1);
    for piece in ["(", "[", "{", "h(", "[[", "<", "/*", "'", "a :- ", "$w=", "a(X) :- b\n", "import "] {
        let text = piece.repeat(20_000);
        let (_, diagnostics) = parse_template(SOURCE, &text);
        assert!(has_errors(&diagnostics), "{piece}");
        for dialect in [Dialect::Database, Dialect::Examples, Dialect::Queries] {
            assert!(has_errors(&reading(&text, dialect).1), "{piece}");
        }
    }
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}
