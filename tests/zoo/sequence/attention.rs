//! Attention and transformers.

use crate::harness::{Matrix, agree, agree_at};
use crate::kit::{Weights, column, fact, golden, normal, outputs, relu, rows, sequence, stacked, vectors};

type Sees<'a> = &'a dyn Fn(usize, usize) -> bool;

/// Attention of some queries; a query that sees nothing has none.
fn attention(q: &[Matrix], k: &[Matrix], v: &[Matrix], sees: Sees<'_>) -> Vec<Matrix> {
    let d = q[0].nrows() as f64;
    let one = |x: usize| {
        let seen: Vec<usize> = (0..k.len()).filter(|&y| sees(x, y)).collect();
        let powers: Vec<f64> = seen.iter().map(|&y| (k[y].dot(&q[x]) / d.sqrt()).exp()).collect();
        let total: f64 = powers.iter().sum();
        seen.iter()
            .zip(&powers)
            .fold(Matrix::zeros(v[0].nrows(), 1), |sum, (&y, p)| sum + &v[y] * (p / total))
    };
    (0..q.len()).map(one).collect()
}

/// The maps of a multi-head attention: W_q, W_k, W_v, W_o with their biases.
type Heads = [(Matrix, Matrix); 4];

fn take_heads(w: &mut Weights<'_>, d: usize, widths: [usize; 3], bias: bool) -> Heads {
    [widths[0], widths[1], widths[2], d].map(|n| (w.take(d, n).clone(), w.bias(bias, d)))
}

fn mha(m: &Heads, heads: usize, q: &[Matrix], k: &[Matrix], v: &[Matrix], sees: Sees<'_>) -> Vec<Matrix> {
    let map =
        |(w, b): &(Matrix, Matrix), x: &[Matrix]| -> Vec<Matrix> { x.iter().map(|x| w * x + b).collect() };
    let [q, k, v] = [map(&m[0], q), map(&m[1], k), map(&m[2], v)];
    let width = q[0].nrows() / heads;
    let part = |x: &[Matrix], g: usize| -> Vec<Matrix> {
        x.iter().map(|x| x.rows(g * width, width).into_owned()).collect()
    };
    let all: Vec<Vec<Matrix>> =
        (0..heads).map(|g| attention(&part(&q, g), &part(&k, g), &part(&v, g), sees)).collect();
    let joined: Vec<Matrix> =
        (0..q.len()).map(|x| stacked(&all.iter().map(|head| head[x].clone()).collect::<Vec<_>>())).collect();
    map(&m[3], &joined)
}

#[test]
fn attention_alone() {
    let (q, k, v) = (vectors(3, 2, 1), vectors(4, 2, 2), vectors(4, 3, 3));
    let mut data = String::new();
    q.iter().enumerate().for_each(|(i, q)| data += &fact(q, &format!("a({i})")));
    k.iter().enumerate().for_each(|(i, k)| data += &fact(k, &format!("k({i})")));
    v.iter().enumerate().for_each(|(i, v)| data += &fact(v, &format!("v({i})")));
    data += "mask(0,1). mask(0,3). mask(1,2). mask(2,0). mask(2,1). ?- h(X).";
    let mask = [(0, 1), (0, 3), (1, 2), (2, 0), (2, 1)];
    for (options, sees) in [
        ("", (&|_, _| true) as Sees<'_>),
        (", causal = 1", &|x, y| y <= x),
        (", mask = mask", &|x, y| mask.contains(&(x, y))),
    ] {
        // The queries pass a weight, so that there is a gradient.
        let template = format!(
            "import seq/attention. {{2,2}} q(X) :- a(X). [transformation=identity]
             q/1 [transformation=identity] @use attention(q, k, v, h, 2{options})."
        );
        agree(&template, &data, |w| {
            let q: Vec<Matrix> = q.iter().map(|q| &w[0] * q).collect();
            outputs(attention(&q, &k, &v, sees))
        });
    }
}

#[test]
fn a_mask_and_causal() {
    let x = vectors(4, 2, 4);
    let data = sequence(&x) + " mask(0,0). mask(1,0). mask(1,3). mask(2,2). mask(3,1). mask(3,3). mask(2,3).";
    let template = "import seq/attention. {2,2} q(X) :- x(X). [transformation=identity]
                    q/1 [transformation=identity] @use attention(q, x, x, h, 2, mask, 1).";
    agree(template, &data, |w| {
        let q: Vec<Matrix> = x.iter().map(|q| &w[0] * q).collect();
        let mask = [(0, 0), (1, 0), (2, 2), (3, 1), (3, 3)];
        outputs(attention(&q, &x, &x, &|x, y| mask.contains(&(x, y))))
    });
}

#[test]
fn heads() {
    let x = vectors(4, 3, 5);
    for (heads, bias, causal) in [(1, 0, 0), (2, 0, 1), (3, 1, 0)] {
        let template = format!(
            "import seq/attention.
             @use mha(x, x, x, h, 6, {heads}, 3, 3, 3, bias = {bias}, causal = {causal})."
        );
        agree(&template, &sequence(&x), |w| {
            let mut w = Weights::of(w);
            let m = take_heads(&mut w, 6, [3, 3, 3], bias == 1);
            w.end();
            outputs(mha(&m, heads, &x, &x, &x, &|x, y| causal == 0 || y <= x))
        });
    }
}

/// More than nine heads: their order is that of numbers.
#[test]
fn eleven_heads() {
    let x = vectors(2, 11, 6);
    agree_at("import seq/attention. @use mha(x, x, x, h, 11, 11).", &sequence(&x), 0.3, |w| {
        let mut w = Weights::of(w);
        let m = take_heads(&mut w, 11, [11; 3], false);
        outputs(mha(&m, 11, &x, &x, &x, &|_, _| true))
    });
}

struct Block {
    place: &'static str,
    affine: bool,
    bias: bool,
    attbias: bool,
}

impl Block {
    fn options(&self) -> String {
        let number = |b| if b { 1 } else { 0 };
        let [a, b, t] = [self.affine, self.bias, self.attbias].map(number);
        format!("place = {}, affine = {a}, bias = {b}, attbias = {t}", self.place)
    }
    fn norm(&self, w: &mut Weights<'_>, d: usize) -> impl Fn(&Matrix) -> Matrix + use<> {
        let gain = w.bias(self.affine, d).add_scalar(1.0);
        let shift = w.bias(self.affine, d);
        move |x| normal(x).component_mul(&gain) + &shift
    }
    /// A sublayer with its norm; `take` takes the weights of what it does.
    fn sublayer<F>(
        &self,
        w: &mut Weights<'_>,
        x: &[Matrix],
        take: impl FnOnce(&mut Weights<'_>) -> F,
    ) -> Vec<Matrix>
    where
        F: Fn(&[Matrix]) -> Vec<Matrix>,
    {
        let d = x[0].nrows();
        if self.place == "pre" {
            let norm = self.norm(w, d);
            let f = take(w);
            let y = f(&x.iter().map(norm).collect::<Vec<_>>());
            x.iter().zip(y).map(|(x, y)| x + y).collect()
        } else {
            let f = take(w);
            let norm = self.norm(w, d);
            x.iter().zip(f(x)).map(|(x, y)| norm(&(x + y))).collect()
        }
    }
    fn feed(&self, w: &mut Weights<'_>, d: usize, dff: usize) -> impl Fn(&[Matrix]) -> Vec<Matrix> + use<> {
        let (m, b) = (w.take(dff, d).clone(), w.bias(self.bias, dff));
        let (n, c) = (w.take(d, dff).clone(), w.bias(self.bias, d));
        move |x| x.iter().map(|x| &n * (&m * x + &b).map(relu) + &c).collect()
    }
}

const BLOCKS: [Block; 3] = [
    Block { place: "post", affine: true, bias: true, attbias: false },
    Block { place: "post", affine: false, bias: false, attbias: false },
    Block { place: "pre", affine: true, bias: true, attbias: true },
];

#[test]
fn encoder_blocks() {
    let x = vectors(3, 4, 7);
    for block in BLOCKS {
        for causal in [0, 1] {
            let template = format!(
                "import seq/transformer. @use encoder(x, h, 4, 2, 5, causal = {causal}, {}).",
                block.options()
            );
            agree(&template, &sequence(&x), |w| {
                let mut w = Weights::of(w);
                let y = block.sublayer(&mut w, &x, |w| {
                    let m = take_heads(w, 4, [4; 3], block.attbias);
                    move |x: &[Matrix]| mha(&m, 2, x, x, x, &|x, y| causal == 0 || y <= x)
                });
                let h = block.sublayer(&mut w, &y, |w| block.feed(w, 4, 5));
                w.end();
                outputs(h)
            });
        }
    }
}

#[test]
fn decoder_blocks() {
    let (x, m) = (vectors(3, 4, 8), vectors(4, 3, 9));
    let facts: String = m.iter().enumerate().map(|(i, m)| fact(m, &format!("m({i})"))).collect();
    let data = sequence(&x) + &facts;
    for block in BLOCKS {
        let template =
            format!("import seq/transformer. @use decoder(x, m, h, 4, 2, 5, dm = 3, {}).", block.options());
        agree(&template, &data, |w| {
            let mut w = Weights::of(w);
            let y = block.sublayer(&mut w, &x, |w| {
                let heads = take_heads(w, 4, [4; 3], block.attbias);
                move |x: &[Matrix]| mha(&heads, 2, x, x, x, &|x, y| y <= x)
            });
            let z = block.sublayer(&mut w, &y, |w| {
                let heads = take_heads(w, 4, [4, 3, 3], block.attbias);
                let m = &m;
                move |x: &[Matrix]| mha(&heads, 2, x, m, m, &|_, _| true)
            });
            let h = block.sublayer(&mut w, &z, |w| block.feed(w, 4, 5));
            w.end();
            outputs(h)
        });
    }
}

/// Masks of an encoder's block and of what a decoder reads of it.
#[test]
fn masked_blocks() {
    let (x, s) = (vectors(2, 4, 14), vectors(3, 4, 15));
    let facts: String = s.iter().enumerate().map(|(i, s)| fact(s, &format!("s({i})"))).collect();
    let (own, other) = ([(0, 1), (1, 1), (1, 2), (2, 0)], [(0, 2), (1, 0), (1, 1)]);
    let pairs = |name: &str, pairs: &[(usize, usize)]| -> String {
        pairs.iter().map(|(x, y)| format!("{name}({x},{y}). ")).collect()
    };
    let data = sequence(&x) + &facts + &pairs("own", &own) + &pairs("other", &other);
    let template = "import seq/transformer. @use encoder(s, m, 4, 2, 3, own).
                    @use decoder(x, m, h, 4, 1, 3, mask = other, causal = 0).";
    let block = &BLOCKS[0];
    agree(template, &data, |w| {
        let mut w = Weights::of(w);
        let m = block.sublayer(&mut w, &s, |w| {
            let maps = take_heads(w, 4, [4; 3], false);
            move |x: &[Matrix]| mha(&maps, 2, x, x, x, &|x, y| own.contains(&(x, y)))
        });
        let m = block.sublayer(&mut w, &m, |w| block.feed(w, 4, 3));
        let y = block.sublayer(&mut w, &x, |w| {
            let maps = take_heads(w, 4, [4; 3], false);
            move |x: &[Matrix]| mha(&maps, 1, x, x, x, &|_, _| true)
        });
        let z = block.sublayer(&mut w, &y, |w| {
            let maps = take_heads(w, 4, [4; 3], false);
            let m = &m;
            move |x: &[Matrix]| mha(&maps, 1, x, m, m, &|x, y| other.contains(&(x, y)))
        });
        let h = block.sublayer(&mut w, &z, |w| block.feed(w, 4, 3));
        w.end();
        outputs(h)
    });
}

/// Encoder, encoder, decoder: names and weights of each are its own.
#[test]
fn a_stack_of_blocks() {
    let (x, s) = (vectors(2, 4, 10), vectors(3, 4, 11));
    let facts: String = s.iter().enumerate().map(|(i, s)| fact(s, &format!("s({i})"))).collect();
    let template = "import seq/transformer. @use encoder(s, e, 4, 2, 3). @use encoder(e, m, 4, 1, 3).
                    @use decoder(x, m, h, 4, 2, 3).";
    let block = &BLOCKS[0];
    agree(template, &(sequence(&x) + &facts), |w| {
        let mut w = Weights::of(w);
        let mut m = s.clone();
        for heads in [2, 1] {
            m = block.sublayer(&mut w, &m, |w| {
                let maps = take_heads(w, 4, [4; 3], false);
                move |x: &[Matrix]| mha(&maps, heads, x, x, x, &|_, _| true)
            });
            m = block.sublayer(&mut w, &m, |w| block.feed(w, 4, 3));
        }
        let y = block.sublayer(&mut w, &x, |w| {
            let maps = take_heads(w, 4, [4; 3], false);
            move |x: &[Matrix]| mha(&maps, 2, x, x, x, &|x, y| y <= x)
        });
        let z = block.sublayer(&mut w, &y, |w| {
            let maps = take_heads(w, 4, [4; 3], false);
            let m = &m;
            move |x: &[Matrix]| mha(&maps, 2, x, m, m, &|_, _| true)
        });
        let h = block.sublayer(&mut w, &z, |w| block.feed(w, 4, 3));
        w.end();
        outputs(h)
    });
}

#[test]
fn positions() {
    for (d, options, base) in
        [(4, "", 10000.0), (5, ", base = 20", 20.0), (4, ", compat = pynl", 1000.0), (1, "", 10000.0)]
    {
        let x = vectors(13, d, 12);
        let template = format!(
            "import seq/position. {{1,{d}}} h(X) :- y(X). [transformation=identity]
             h/1 [transformation=identity] @use position(x, y, {d}{options})."
        );
        agree(&template, &sequence(&x), |w| {
            let encoding = |p: usize| {
                Matrix::from_fn(d, 1, |i, _| {
                    let wave = p as f64 / f64::powf(base, (2 * (i / 2)) as f64 / d as f64);
                    if i % 2 == 0 { wave.sin() } else { wave.cos() }
                })
            };
            outputs(x.iter().enumerate().map(|(p, x)| &w[0] * (x + encoding(p))))
        });
    }
}

#[test]
fn learned_positions() {
    let x = vectors(4, 2, 13);
    agree("import seq/position. @use position(x, h, 2, learned = 3).", &sequence(&x), |w| {
        assert_eq!(w.len(), 3);
        outputs(x.iter().zip(w).map(|(x, e)| x + e))
    });
}

/// Three points with q, k and v.
fn triples() -> String {
    let triples = [
        ("q", [[0.1, 0.2, -0.3, 0.4], [0.5, -0.6, 0.7, 0.0], [-0.2, 0.3, 0.1, 0.9]]),
        ("k", [[0.3, -0.1, 0.2, 0.5], [-0.4, 0.6, 0.1, -0.2], [0.2, 0.2, -0.5, 0.3]]),
        ("v", [[0.7, -0.4, 0.2, 0.9], [-0.3, 0.8, -0.6, 0.1], [0.5, 0.15, 0.35, -0.75]]),
    ];
    let mut out = String::from("?- h(X). ");
    for (name, values) in triples {
        values.iter().enumerate().for_each(|(i, v)| out += &fact(&column(v), &format!("{name}({i})")));
    }
    out
}

#[test]
fn golden_attention() {
    golden(
        "import seq/attention. @use attention(q, k, v, h, 4).",
        &triples(),
        &[],
        &[
            ("h(0)", &[0.32342874819554973, 0.16464552053797799, 0.011503016929077542, 0.056767426378277926]),
            ("h(1)", &[0.36170881429480856, 0.09779871793634651, 0.021216346525963797, 0.1878978589059303]),
            ("h(2)", &[0.3241170370760435, 0.1543842210191447, 0.0026182951712316604, 0.10266862446570156]),
        ],
    );
}

#[test]
fn golden_heads() {
    let q = rows(&[
        &[0.5, -0.2, 0.1, 0.3],
        &[0.4, -0.6, 0.25, -0.15],
        &[-0.1, 0.2, 0.8, 0.05],
        &[0.05, 0.3, -0.2, 0.4],
    ]);
    let v = rows(&[
        &[0.15, -0.3, 0.45, -0.6],
        &[0.7, 0.05, -0.2, 0.35],
        &[-0.4, 0.6, 0.1, -0.25],
        &[0.25, -0.1, 0.5, 0.2],
    ]);
    let k = rows(&[
        &[0.2, 0.35, -0.4, 0.1],
        &[-0.55, 0.15, 0.6, -0.25],
        &[0.3, -0.45, 0.05, 0.7],
        &[0.1, 0.2, 0.3, -0.4],
    ]);
    let o = rows(&[
        &[-0.25, 0.4, 0.2, -0.35],
        &[0.1, -0.5, 0.3, 0.15],
        &[0.55, 0.2, -0.45, 0.6],
        &[0.3, 0.1, -0.2, 0.15],
    ]);
    golden(
        "import seq/attention. @use mha(q, k, v, h, 4, 1).",
        &triples(),
        &[q, k, v, o],
        &[
            ("h(0)", &[0.09095213862286664, -0.12284224518969113, 0.04970151950661868, 0.014849285627534242]),
            ("h(1)", &[0.09424487728572487, -0.13910240458458828, 0.060877460162408165, 0.01772688727640607]),
            ("h(2)", &[0.07184077288625838, -0.1388442759103195, 0.11105024975474195, 0.03984199104407336]),
        ],
    );
}
