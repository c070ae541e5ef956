//! Properties that hold for every text and every tree.

use super::*;
use proptest::prelude::*;

/// Debug text without places.
fn bare(file: &[Statement]) -> String {
    let text = format!("{file:?}");
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find("Span {") {
        out.push_str(&rest[..at]);
        rest = rest[at..].split_once('}').map_or("", |(span, after)| {
            assert!(span.contains("source"));
            // `source: SourceId(3)` has no brace, so this one closes the span.
            after
        });
    }
    out + rest
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-c][a-z0-9_-]{0,3}",
        1 => Just("import".to_string()),
        1 => Just("žř".to_string()),
    ]
}

fn variable() -> impl Strategy<Value = String> {
    prop_oneof!["[A-Z_][a-zA-Z0-9_-]{0,2}", Just("Č1".to_string())]
}

fn finite() -> impl Strategy<Value = f64> {
    prop_oneof![
        (-50i32..50).prop_map(f64::from),
        any::<f64>().prop_filter("finite", |x| x.is_finite()),
        Just(-0.0),
        Just(1e300),
        Just(0.1),
    ]
}

fn value() -> impl Strategy<Value = WeightValue> {
    prop_oneof![
        finite().prop_map(WeightValue::Scalar),
        (1usize..4, 1usize..4).prop_map(|(rows, cols)| WeightValue::Dims { rows, cols }),
        (1usize..4, 1usize..4).prop_flat_map(|(rows, cols)| {
            let values = prop::collection::vec(finite(), rows * cols);
            values.prop_map(move |values| WeightValue::Dense { rows, cols, values })
        }),
    ]
}

fn weight() -> impl Strategy<Value = Weight> {
    (prop::option::weighted(0.3, prop_oneof![name(), variable()]), any::<bool>(), value()).prop_map(
        |(name, fixed, value)| {
            let span = Span::new(SOURCE, 0, 0);
            Weight { name: name.map(spanned), member: None, fixed, value: spanned(value), span }
        },
    )
}

fn term() -> impl Strategy<Value = Term> {
    let kind = prop_oneof![
        variable().prop_map(TermKind::Variable),
        name().prop_map(TermKind::Name),
        finite().prop_map(|x| TermKind::Number(crate::syntax::print::number(x))),
        Just(TermKind::Number("-01".into())),
        "\\PC{0,5}|['\\\\\n\t]{0,4}".prop_map(TermKind::Quoted),
    ];
    (prop::option::weighted(0.2, prop_oneof![name(), variable()]), kind).prop_map(|(ty, kind)| Term {
        ty: ty.map(spanned),
        kind,
        span: Span::new(SOURCE, 0, 0),
    })
}

/// A weight of a rule, which may be the member of a family.
fn rule_weight() -> impl Strategy<Value = Weight> {
    let plain = term().prop_map(|t| Term { ty: None, ..t });
    (weight(), prop::option::weighted(0.3, prop::collection::vec(plain, 1..4))).prop_map(
        |(weight, member)| {
            let member = member.filter(|_| weight.name.is_some());
            Weight { member, ..weight }
        },
    )
}

fn atom() -> impl Strategy<Value = Atom> {
    (
        any::<bool>(),
        any::<bool>(),
        name(),
        prop::option::weighted(0.2, 0u32..4),
        prop::collection::vec(term(), 0..4),
    )
        .prop_map(|(hidden, special, name, arity, args)| Atom {
            hidden,
            special,
            name: spanned(name),
            arity: arity.map(spanned),
            args,
            span: Span::new(SOURCE, 0, 0),
        })
}

fn fact() -> impl Strategy<Value = Fact> {
    (prop::option::of(weight()), atom()).prop_map(|(weight, atom)| Fact {
        weight,
        atom,
        span: Span::new(SOURCE, 0, 0),
    })
}

fn function_args() -> impl Strategy<Value = Vec<Spanned<MetaArg>>> {
    let arg = prop_oneof![
        finite().prop_map(MetaArg::Number),
        (finite(), finite()).prop_map(|(a, b)| MetaArg::Range(a, b)),
        variable().prop_map(MetaArg::Variable),
        name().prop_map(MetaArg::Word),
    ];
    prop::collection::vec(arg.prop_map(spanned), 0..3)
}

fn functions() -> impl Strategy<Value = Vec<Spanned<Function>>> {
    let function = (name(), function_args()).prop_map(|(name, args)| spanned(Function { name, args }));
    prop::collection::vec(prop::option::weighted(0.3, function), 0..3)
        .prop_map(|list| list.into_iter().flatten().collect())
}

fn entries() -> impl Strategy<Value = Vec<MetaEntry>> {
    let value = prop_oneof![
        (name(), function_args()).prop_map(|(name, args)| MetaValue::Call(Function { name, args })),
        weight().prop_map(MetaValue::Weight),
        name().prop_map(MetaValue::Reference),
    ];
    let entry = (name(), value).prop_map(|(k, v)| MetaEntry { key: spanned(k), value: spanned(v) });
    prop::collection::vec(entry, 0..3)
}

fn expression() -> impl Strategy<Value = Expression> {
    let plain = |kind| Expression { kind, span: Span::new(SOURCE, 0, 0) };
    let untyped = term().prop_map(|t| Term { ty: None, ..t });
    let leaf = untyped.prop_map(move |t| plain(ExpressionKind::Term(t)));
    leaf.prop_recursive(3, 12, 4, move |inner| {
        let chain = |inner: BoxedStrategy<Expression>, ops: [Operator; 2]| {
            let op = prop_oneof![Just(ops[0]), Just(ops[1])];
            (inner.clone(), prop::collection::vec((op, inner), 1..3))
                .prop_map(move |(first, rest)| plain(ExpressionKind::Chain { first: Box::new(first), rest }))
        };
        prop_oneof![
            chain(inner.clone().boxed(), [Operator::Add, Operator::Sub]),
            chain(inner.clone().boxed(), [Operator::Mul, Operator::Div]),
            inner.prop_map(move |e| plain(ExpressionKind::Negation(Box::new(e)))),
        ]
    })
}

fn comparison() -> impl Strategy<Value = Comparison> {
    let comparator = prop::sample::select(vec![
        Comparator::Equal,
        Comparator::Different,
        Comparator::Less,
        Comparator::AtMost,
        Comparator::Greater,
        Comparator::AtLeast,
    ]);
    (comparator, expression(), expression()).prop_map(|(comparator, left, right)| Comparison {
        comparator,
        left,
        right,
        span: Span::new(SOURCE, 0, 0),
    })
}

fn rule() -> impl Strategy<Value = Rule> {
    let sign = prop_oneof![Just(Sign::Positive), Just(Sign::Hard), Just(Sign::Soft)];
    let literal = (prop::option::of(rule_weight()), sign, functions(), atom()).prop_map(
        |(weight, sign, functions, atom)| Literal {
            weight,
            sign,
            functions,
            atom,
            span: Span::new(SOURCE, 0, 0),
        },
    );
    let item =
        prop_oneof![3 => literal.prop_map(Item::Literal), 2 => comparison().prop_map(Item::Comparison)];
    let body = prop::collection::vec(item, 1..4);
    (prop::option::of(rule_weight()), atom(), body, prop::option::weighted(0.3, rule_weight()), entries())
        .prop_map(|(head_weight, head, body, offset, metadata)| Rule {
            head_weight,
            head,
            body,
            offset,
            metadata,
            span: Span::new(SOURCE, 0, 0),
        })
}

fn statement() -> impl Strategy<Value = Statement> {
    let span = Span::new(SOURCE, 0, 0);
    prop_oneof![
        3 => rule().prop_map(Statement::Rule),
        2 => fact().prop_map(Statement::Fact),
        1 => (name(), 0u32..4, weight()).prop_map(move |(n, arity, weight)| {
            Statement::PredicateOffset(PredicateOffset { name: spanned(n), arity, weight, span })
        }),
        1 => (name(), 0u32..4, entries()).prop_map(move |(n, arity, entries)| {
            Statement::PredicateMetadata(PredicateMetadata { name: spanned(n), arity, entries, span })
        }),
        1 => (name(), entries()).prop_map(move |(n, entries)| {
            Statement::WeightMetadata(WeightMetadata { name: spanned(n), entries, span })
        }),
        1 => entries().prop_map(Statement::TemplateMetadata),
        1 => prop::collection::vec("[a-z./~ ,'*%-]{0,6}", 1..3)
            .prop_map(|paths| Statement::Import(paths.into_iter().map(spanned).collect())),
        1 => prop::collection::vec(fact(), 1..3).prop_map(Statement::Query),
    ]
}

/// Valid programs to be damaged.
const PROGRAMS: &[&str] = &[
    "0.5 h(X) :- $w=<[1,2]> a(X,man:Y), !*b(Y), ~c, 0.1. [activation=softmax(Y), offset={3}]\nq.",
    "h/1 {3,2}\nh/1 [k=slice(0:8)]\n$w [v=1]\n[r=id]\nimport a/b.txt, 'c d'\n?- 1 q(X), r.",
    "1 q :- [2,2|0,0:0.5,1,1:-0.25] a('x\\n', 'it''s'), <2> b <3> h(X) :- a(X). .\n0 q :- /* c */ .",
    "h(X) :- ~sqrt(abs(a(X))), {2} slice(0:2, 1:3)(b(X)), leakyrelu(0.2)(q()), *tanh(c(X)).",
    "h(X,Z) :- a(X), Z = -(X -1) / 2, Z<=3*X, 0.5 *b(Z), 'x' != X, <2> c(X), X > - 1, $w=1 d.",
    "1 q :- a(1), h(X) :- a(X), X < 3, X <= 2, -X=Y. .\nh(X) <= X = 1 + a, X >= 2.",
    "% č\r\n2.0 id :- 1 q, [[1,2][3,4]] r.\n\u{feff}a(1), b(-1.5e3). c(ž:Č).",
];

const PIECES: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    ".",
    ",",
    ":-",
    "<=",
    "?-",
    "'",
    "/*",
    "*/",
    "%",
    "\n",
    "$",
    "$w=",
    "1e999",
    "-",
    " - ",
    "+",
    "=",
    "!=",
    ">=",
    "X <= ",
    "|",
    ":",
    "!",
    "~",
    "@",
    "*",
    "/",
    "\\",
    "\0",
    "č",
    "🦀",
    "X",
    "a",
    "import ",
    "[k=v]",
    "0",
    "9999999999",
    " ",
];

/// Everything that is no white space; the sign of a number by itself, as it may be an operator.
fn significant(text: &str) -> Vec<String> {
    let tokens = lex(text).into_iter().filter(|t| t.kind != TokenKind::Space);
    let written = |t: Token| match (t.kind, text[t.range()].split_at_checked(1)) {
        (TokenKind::LineComment, _) => vec![text[t.range()].trim_end().to_string()],
        (TokenKind::Number, Some((sign @ ("+" | "-"), rest))) => vec![sign.to_string(), rest.to_string()],
        _ => vec![text[t.range()].replace("\r\n", "\n")],
    };
    tokens.flat_map(written).collect()
}

/// What can be formatted keeps its tokens and its meaning, and is formatted once and for all.
fn formats(text: &str) -> bool {
    let mut some = false;
    for layout in [Layout::Template, Layout::Data] {
        let Ok(done) = format(SOURCE, text, layout) else { continue };
        some = true;
        assert_eq!(significant(text), significant(&done), "{layout:?} of {text:?}");
        match format(SOURCE, &done, layout) {
            Ok(again) => assert_eq!(again, done, "{layout:?} of {text:?} changes again"),
            Err(d) => panic!("{layout:?} of {text:?} cannot be read:\n{done}\n{d:#?}"),
        }
        assert!(done.is_empty() || done.ends_with('\n') && !done.starts_with([' ', '\n']), "{done:?}");
        match layout {
            Layout::Template => {
                let (before, after) = (parse_template(SOURCE, text).0, parse_template(SOURCE, &done).0);
                assert_eq!(bare(&before.statements), bare(&after.statements), "{text:?}\n{done}");
            }
            Layout::Data => {
                for dialect in [Dialect::Database, Dialect::Examples, Dialect::Queries] {
                    let (before, found) = reading(text, dialect);
                    if found.is_empty() {
                        assert_eq!(before.lines, reading(&done, dialect).0.lines, "{text:?}\n{done}");
                    }
                }
            }
        }
    }
    some
}

/// White space and comments to be put between tokens.
const TRIVIA: &[&str] = &[
    " ",
    "  ",
    "\n",
    "\n\n\n",
    "\r\n\t",
    " % c \n",
    "% a\n  % b\r\n",
    "/* x */",
    " /* x\n y */ ",
    "\n/* x */\n",
    "\n /* x */",
    "     ",
];

/// No panic, balanced calls, every place inside the text and on character boundaries, few messages.
fn survives(text: &str) {
    let check = |spans: &[Span], diagnostics: &[Diagnostic]| {
        let labels = diagnostics.iter().flat_map(|d| &d.labels).map(|l| l.span);
        for span in labels.chain(spans.iter().copied()) {
            assert!(span.source == SOURCE && text.get(span.range()).is_some(), "{span:?} of {text:?}");
        }
        assert!(diagnostics.iter().all(|d| !d.labels.is_empty()));
    };
    let (_, diagnostics) = parse_template(SOURCE, text);
    check(&[], &diagnostics);
    for dialect in [Dialect::Database, Dialect::Examples, Dialect::Queries] {
        let (sink, diagnostics) = reading(text, dialect);
        check(&sink.spans, &diagnostics);
    }
    let _ = parse_rule(SOURCE, text, 7);
    let _ = formats(text);
    let empty = lex(text).iter().all(|t| t.kind.is_trivia());
    assert_eq!(completeness(text) == Completeness::Empty, empty);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tokens_tile_any_text(text in "\\PC{0,40}|[a-zA-Z0-9 .,:<=>\\[\\](){}%*/'?!~@$|_\\\\\n+-]{0,60}",
                            bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        for text in [text, String::from_utf8_lossy(&bytes).into_owned()] {
            let mut at = 0;
            for token in lex(&text) {
                prop_assert_eq!(token.start, at);
                prop_assert!(token.end > token.start);
                prop_assert!(text.get(token.range()).is_some());
                prop_assert!(token.kind != TokenKind::End);
                at = token.end;
            }
            prop_assert_eq!(at as usize, text.len());
        }
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in "\\PC{0,40}|[a-cX-Z0-3 .,:<=>\\[\\](){}%*/'?!~@$|_\\\\\n+-]{0,60}",
                                    pieces in prop::collection::vec(0..PIECES.len(), 0..25)) {
        survives(&text);
        survives(&pieces.iter().map(|&i| PIECES[i]).collect::<String>());
    }

    #[test]
    fn damaged_programs_do_not_make_a_reader_panic(
        program in 0..PROGRAMS.len(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0usize..3, 0..PIECES.len()), 1..5),
    ) {
        let mut text: Vec<char> = PROGRAMS[program].chars().collect();
        for (at, remove, piece) in cuts {
            let at = at.index(text.len() + 1);
            let end = (at + remove).min(text.len());
            text.splice(at..end, PIECES[piece].chars());
        }
        survives(&text.into_iter().collect::<String>());
    }

    #[test]
    fn what_is_printed_parses_to_the_same_tree(statements in prop::collection::vec(statement(), 1..5)) {
        let file = File { statements, ..Default::default() };
        let text = file.to_string();
        let (again, diagnostics) = parse_template(SOURCE, &text);
        prop_assert!(diagnostics.is_empty(), "{}\n{:#?}", text, diagnostics);
        prop_assert_eq!(bare(&again.statements), bare(&file.statements), "{}", text);
    }

    #[test]
    fn formatting_changes_white_space_only(
        statements in prop::collection::vec(statement(), 1..6),
        trivia in prop::collection::vec((any::<prop::sample::Index>(), 0..TRIVIA.len()), 0..12),
        crowded in any::<bool>(),
    ) {
        let text = File { statements, ..Default::default() }.to_string();
        prop_assert!(formats(&text), "{}", text);
        let mut parts: Vec<String> = lex(&text).iter().map(|t| text[t.range()].to_string()).collect();
        for (at, which) in trivia {
            let at = at.index(parts.len());
            if crowded || parts[at].trim().is_empty() {
                // Where there was no space there may be none: then there is nothing to format.
                parts[at] = if parts[at].trim().is_empty() { String::new() } else { parts[at].clone() };
                parts[at] += TRIVIA[which];
            }
        }
        let _ = formats(&parts.concat());
    }

    #[test]
    fn both_readers_take_facts_for_the_same(facts in prop::collection::vec(fact(), 1..5), separators in "[.,]{5}") {
        let mut text = String::new();
        for (fact, separator) in facts.iter().zip(separators.chars()) {
            let mut fact = fact.clone();
            (fact.atom.hidden, fact.atom.special, fact.atom.arity) = (false, false, None);
            text += &format!("{fact}{separator} ");
        }
        text.truncate(text.len() - 2);
        text.push('.');
        let (sink, diagnostics) = reading(&text, Dialect::Database);
        prop_assert!(diagnostics.is_empty(), "{}\n{:#?}", text, diagnostics);
        let (file, diagnostics) = parse_template(SOURCE, &text);
        prop_assert!(diagnostics.is_empty(), "{}\n{:#?}", text, diagnostics);
        let lines: Vec<String> = file.statements.iter().map(|s| {
            let Statement::Fact(fact) = s else { panic!("a fact: {s:?}") };
            let mut fact = fact.clone();
            if let Some(w) = &mut fact.weight
                && let WeightValue::Dense { values, .. } = &w.value.node
                    && let [x] = values[..] {
                        w.value.node = WeightValue::Scalar(x);
                    }
            format!("fact {fact}")
        }).collect();
        prop_assert_eq!(lines, sink.lines);
    }
}
