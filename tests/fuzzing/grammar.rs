//! Programs with data by a small grammar: mostly right, and deeper than what people write.

use super::corpus::SEAM;
use nlog::base::rng::Stream;

fn pick<'t>(s: &mut Stream, of: &[&'t str]) -> &'t str {
    of[s.below(of.len() as u64) as usize]
}

fn term(s: &mut Stream, variables: bool) -> String {
    match s.below(if variables { 9 } else { 5 }) {
        0 => pick(s, &["1", "2.5", "-3", "01", "1e2"]).into(),
        1 => pick(s, &["'x y'", "'it''s'", "'1'", "'é'"]).into(),
        2 => format!("{}:{}", pick(s, &["t", "metal"]), pick(s, &["a", "b"])),
        3 | 4 => pick(s, &["a", "b", "c"]).into(),
        5 => pick(s, &["_", "t:X", "_Y"]).into(),
        _ => pick(s, &["X", "Y", "Z"]).into(),
    }
}

fn atom(s: &mut Stream, variables: bool) -> String {
    let (name, arity) =
        [("p", 0), ("f", 1), ("g", 1), ("h", 1), ("e", 2), ("r", 2), ("q", 0), ("w", 3)][s.below(8) as usize];
    let args: Vec<String> = (0..arity).map(|_| term(s, variables)).collect();
    if arity == 0 { name.into() } else { format!("{name}({})", args.join(",")) }
}

fn weight(s: &mut Stream) -> String {
    let value = match s.below(7) {
        0 => "{2,2}",
        1 => "{2}",
        2 => "[1,-2]",
        3 => "[[1,0],[0.5,2]]",
        4 => "[2 | 0:1.5]",
        _ => "0.5",
    };
    match s.below(6) {
        0 => format!("$v={value} "),
        5 => format!("$m[{}]={value} ", term(s, true)),
        1 | 2 => format!("<{value}> ").replace("<{", "{").replace("}> ", "} "),
        3 => format!("{value} "),
        _ => String::new(),
    }
}

fn literal(s: &mut Stream) -> String {
    match s.below(12) {
        0 => format!("*{}", atom(s, true)),
        1 => format!("!{}", atom(s, true)),
        2 => format!("~{}", atom(s, true)),
        3 => {
            let name = pick(s, &["@neq", "@lt", "@next", "@eq", "@add_eval", "!@in", "@alldiff"]);
            format!("{name}({},{})", term(s, true), term(s, true))
        }
        4 => format!("@dom({})", pick(s, &["X", "Y", "Z"])),
        5 | 6 => {
            let mut inner = format!("{}({})", pick(s, &["f", "g", "h"]), term(s, true));
            for _ in 0..=s.below(3) {
                let f =
                    pick(s, &["tanh", "abs", "leakyrelu(0.2)", "softmax", "transpose", "slice(0:1)", "norm"]);
                inner = format!("{f}({inner})");
            }
            weight(s) + &inner
        }
        _ => weight(s) + &atom(s, true),
    }
}

fn metadata(s: &mut Stream) -> String {
    let entry = pick(
        s,
        &[
            "transformation=relu",
            "transformation=softmax",
            "combination=product",
            "combination=concat",
            "combination=cossim",
            "aggregation=sum",
            "aggregation=max",
            "aggregation=concat",
            "aggregation=count",
            "learnable=false",
            "offset=0.5",
            "offset=$v",
        ],
    );
    format!(" [{entry}]")
}

fn statement(s: &mut Stream) -> String {
    match s.below(17) {
        14 => block(s),
        15 => format!("@use m({}, {}, {}).", pick(s, &["f", "g", "f/1"]), pick(s, &["h", "p"]), pick(s, &["2", "d", "1+1", "{a,b}"])),
        16 => "@module m(x/1, y/1, d, act = relu) { {d,2} k(X) :- x(X), d(X). d(X) :- x(X). y(X) :- act(k(X)). }".into(),
        0 => format!("{}{}.", weight(s), atom(s, true)),
        1 => format!("{} {}", pick(s, &["f/1", "h/1", "q/0"]), weight(s)),
        2 => format!("{}{}", pick(s, &["f/1", "h/1", "q/0", "r/2"]), metadata(s)),
        3 => "$v [learnable=false]".into(),
        4 => format!("?- {}.", atom(s, true)),
        _ => {
            let body: Vec<String> = (0..=s.below(4)).map(|_| literal(s)).collect();
            let offset = if s.below(6) == 0 { ", 0.25" } else { "" };
            let metadata = if s.below(3) == 0 { metadata(s) } else { String::new() };
            format!("{}{} :- {}{offset}.{metadata}", weight(s), atom(s, true), body.join(", "))
        }
    }
}

fn block(s: &mut Stream) -> String {
    let header = pick(
        s,
        &[
            "@for L in 1..2 {",
            "@for L in {f, g, 2} {",
            "@for L in 2..1 {",
            "@if 1 < 2 {",
            "@if 1 == 2 { } @else {",
            "@for L in 1..3 { @if L == 2 {",
        ],
    );
    let text = statement(s);
    let name = pick(s, &["h", "f", "X", "{2,2}"]);
    let text = text.replacen(name, pick(s, &["h@L", "f@{L}", "@{L+1}", "{L,2}", "L"]), 1);
    format!("{header} {text} {}", "}".repeat(header.matches('{').count() - header.matches('}').count()))
}

fn fact(s: &mut Stream) -> String {
    let value = pick(s, &["", "", "", "<2> ", "<[1,2]> ", "0.5 ", "<[0,1]> ", "{2} "]);
    format!("{value}{}", atom(s, false))
}

fn data(s: &mut Stream) -> String {
    let mut out = String::new();
    for _ in 0..s.below(12) {
        out += &match s.below(6) {
            0 => {
                let facts: Vec<String> = (0..=s.below(5)).map(|_| fact(s)).collect();
                format!("{} {} :- {}.\n", pick(s, &["1.0", "0", "[1,0]"]), atom(s, false), facts.join(", "))
            }
            _ => format!("{}.\n", fact(s)),
        };
    }
    for _ in 0..s.below(4) {
        out += &format!("?- {}{}.\n", pick(s, &["", "1.0 ", "0 "]), atom(s, true));
    }
    out
}

/// A template with data.
pub fn program(s: &mut Stream) -> String {
    let mut template = pick(s, &["", "[rule=identity, atom=identity]\n", "[aggregation=sum]\n"]).to_string();
    for _ in 0..=s.below(8) {
        template += &statement(s);
        template.push('\n');
    }
    template + SEAM + &data(s)
}
