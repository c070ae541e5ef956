//! Inputs: damage to what is right, and programs that a grammar makes.

use super::grammar;
use nlog::base::rng::Stream;
use nlog::syntax::token::lex;

/// Longest input; what is longer is cut.
const LONGEST: usize = 1 << 15;

/// What is taken of a long text.
const PART: usize = 1500;

const PIECES: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    ",",
    ".",
    ":-",
    "<=",
    "!",
    "~",
    "*",
    "@",
    "$",
    "=",
    "|",
    "/",
    ":",
    "?-",
    "X",
    "a",
    "q",
    "_",
    "0",
    "-1",
    "1e308",
    "1e309",
    "0x1",
    "18446744073709551616",
    "-0",
    "1.",
    ".5",
    "'",
    "''",
    "\\",
    "%",
    "/*",
    "*/",
    "{0}",
    "{1,2}",
    "[1,2]",
    "softmax",
    "concat",
    "count",
    "p(X)",
    "e(X,X)",
    "{3,3}",
    "<[1,2,3]>",
    "@dom(X)",
    "offset=$w",
    "learnable=false",
    "import a.",
    "\n%%%%\n",
    "[4 | 0:1.5]",
    "tanh(",
    "!@in(",
    "h/1 ",
    "$w=",
    "[value=",
    "_X",
];

/// What is no letter, or more than one byte, or looks like something else.
const UNUSUAL: &[&str] = &[
    "\u{0}",
    "\u{1b}[31m",
    "\r\n",
    "\r",
    "\u{feff}",
    "é",
    "Ж",
    "漢",
    "ß",
    "ǅ",
    "\u{301}",
    "\u{200b}",
    "\u{200d}",
    "\u{202e}",
    "\u{2028}",
    "\u{85}",
    "\u{a0}",
    "\u{ffff}",
    "🦀",
    "𝒳",
    "−",
    "，",
    "：－",
    "‘a’",
    "٣",
    "²",
    "ª",
    "\t",
    "\u{b}",
    "\u{7f}",
];

const BROKEN: &[&[u8]] = &[b"\xff", b"\xc3", b"\xe2\x82", b"\xed\xa0\x80", b"\xf0\x9f", b"\x80", b"\xc0\xaf"];

const NESTS: &[(&str, &str)] = &[
    ("(", ")"),
    ("[", "]"),
    ("{", "}"),
    ("/*", "*/"),
    ("tanh(", ")"),
    ("<", ">"),
    ("~", ""),
    ("[[", "]]"),
    ("a:", ""),
];

fn below(s: &mut Stream, n: usize) -> usize {
    s.below(n.max(1) as u64) as usize
}

/// One text of the corpus.
pub fn pick<'c>(corpus: &'c [Vec<u8>], s: &mut Stream) -> &'c Vec<u8> {
    &corpus[below(s, corpus.len())]
}

/// A new input.
pub fn make(corpus: &[Vec<u8>], s: &mut Stream) -> Vec<u8> {
    let mut text = match s.below(4) {
        0 => grammar::program(s).into_bytes(),
        _ => pick(corpus, s).clone(),
    };
    // A part of a long text mostly: the same faults, many times as often.
    if text.len() > 2 * PART && s.below(8) > 0 {
        let from = below(s, text.len() - PART);
        let line = text[from..].iter().position(|b| *b == b'\n').map_or(from, |i| from + i + 1);
        text.drain(..line);
        text.truncate(PART);
    }
    // Little damage most of the time: the rest of the text should mean something still.
    let times = [0, 1, 1, 1, 2, 2, 3, 8][below(s, 8)];
    for _ in 0..times {
        damage(&mut text, corpus, s);
    }
    text.truncate(LONGEST);
    text
}

fn splice(text: &mut Vec<u8>, at: usize, piece: &[u8]) {
    text.splice(at..at, piece.iter().copied());
}

fn damage(text: &mut Vec<u8>, corpus: &[Vec<u8>], s: &mut Stream) {
    let at = below(s, text.len() + 1);
    match s.below(16) {
        0 => {
            if let Some(byte) = text.get_mut(at) {
                *byte ^= 1 << s.below(8);
            }
        }
        1 => text.truncate(at),
        2 => {
            let n = below(s, 8).min(text.len() - at);
            text.drain(at..at + n);
        }
        3 | 4 => splice(text, at, PIECES[below(s, PIECES.len())].as_bytes()),
        5 => splice(text, at, UNUSUAL[below(s, UNUSUAL.len())].as_bytes()),
        6 if s.below(4) == 0 => splice(text, at, BROKEN[below(s, BROKEN.len())]),
        7 if s.below(2) == 0 => {
            let (open, close) = NESTS[below(s, NESTS.len())];
            let n = [2, 10, 63, 65, 300, 3000][below(s, 6)];
            let close = if s.below(3) == 0 { String::new() } else { close.repeat(n) };
            splice(text, at, format!("{}a{close}", open.repeat(n)).as_bytes());
        }
        8 => {
            let n = below(s, 30).min(text.len() - at);
            let most = if s.below(10) == 0 { 300 } else { 3 };
            let copy = text[at..at + n].repeat(1 + below(s, most));
            let to = below(s, text.len() + 1);
            splice(text, to, &copy);
        }
        9 if s.below(4) == 0 => {
            let crlf = String::from_utf8_lossy(text).replace('\n', "\r\n");
            *text = crlf.into_bytes();
        }
        9 => splice(text, 0, "\u{feff}".as_bytes()),
        10 => {
            // The end of another text.
            let other = pick(corpus, s);
            let from = below(s, other.len() + 1);
            text.truncate(at);
            text.extend_from_slice(&other[from..]);
        }
        11 => statements(text, s),
        12 | 13 => tokens(text, corpus, s),
        // One letter or digit for another: the kindest damage, most of which still means something.
        _ => {
            let words: Vec<usize> = (0..text.len()).filter(|&i| text[i].is_ascii_alphanumeric()).collect();
            if let Some(&i) = words.get(below(s, words.len())) {
                let letters = b"abcefghpqrwXYZ0127";
                text[i] = letters[below(s, letters.len())];
            }
        }
    }
}

/// Two lines change places, or one comes twice.
fn statements(text: &mut Vec<u8>, s: &mut Stream) {
    let mut lines: Vec<Vec<u8>> = text.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
    if lines.is_empty() {
        return;
    }
    let (a, b) = (below(s, lines.len()), below(s, lines.len()));
    if s.below(2) == 0 {
        lines.swap(a, b);
    } else {
        let again = lines[a].clone();
        lines.insert(b, again);
    }
    *text = lines.concat();
}

/// A token of another text, or of this one, instead of a token or beside it.
fn tokens(text: &mut Vec<u8>, corpus: &[Vec<u8>], s: &mut Stream) {
    let own = String::from_utf8_lossy(text).into_owned();
    let other =
        if s.below(2) == 0 { own.clone() } else { String::from_utf8_lossy(pick(corpus, s)).into_owned() };
    let (here, there) = (lex(&own), lex(&other));
    if here.is_empty() || there.is_empty() {
        return;
    }
    let from = below(s, there.len());
    let to = (from + 1 + below(s, 4)).min(there.len());
    let piece = &other[there[from].range().start..there[to - 1].range().end];
    let place = here[below(s, here.len())].range();
    let until = if s.below(2) == 0 { place.end } else { place.start };
    *text = [&own[..place.start], piece, &own[until..]].concat().into_bytes();
}
