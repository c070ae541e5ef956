//! Convolution and pooling over positions and pixels.

use crate::harness::{Matrix, Outputs, agree};
use crate::kit::{Weights, fact, outputs, relu, sequence, vectors};

#[test]
fn over_positions() {
    let x = vectors(7, 2, 1);
    for (pad, dilation, bias) in
        [("same", 1, 1), ("same", 2, 0), ("causal", 1, 0), ("causal", 2, 1), ("valid", 1, 1), ("valid", 2, 0)]
    {
        for k in [2, 3] {
            let template = format!(
                "import nn/conv.
                 @use conv1d(x, h, 2, 3, {k}, tanh, pad = {pad}, dilation = {dilation}, bias = {bias})."
            );
            agree(&template, &sequence(&x), |w| {
                let mut w = Weights::of(w);
                let kernel: Vec<&Matrix> = (0..k).map(|_| w.take(3, 2)).collect();
                let b = w.bias(bias == 1, 3);
                w.end();
                let before = match pad {
                    "same" => (k as isize - 1) / 2 * dilation,
                    "causal" => (k as isize - 1) * dilation,
                    _ => 0,
                };
                let reach = (k as isize - 1) * dilation;
                let last = if pad == "valid" { 7 - reach } else { 7 };
                outputs((0..last).map(|t| {
                    let mut sum = b.clone();
                    for (i, m) in kernel.iter().enumerate() {
                        let s = t + i as isize * dilation - before;
                        if (0..7).contains(&s) {
                            sum += *m * &x[s as usize];
                        }
                    }
                    sum.map(f64::tanh)
                }))
            });
        }
    }
}

/// A picture of 5 × 4 pixels.
struct Picture(Vec<Matrix>);

const ROWS: isize = 5;
const COLUMNS: isize = 4;

impl Picture {
    fn random(channels: usize) -> Picture {
        Picture(vectors((ROWS * COLUMNS) as usize, channels, 2))
    }
    fn at(&self, r: isize, c: isize) -> Option<&Matrix> {
        let inside = (0..ROWS).contains(&r) && (0..COLUMNS).contains(&c);
        inside.then(|| &self.0[(r * COLUMNS + c) as usize])
    }
    fn facts(&self) -> String {
        let mut out = String::from("?- h(R,C). ");
        for (i, x) in self.0.iter().enumerate() {
            out += &fact(x, &format!("x({},{})", i as isize / COLUMNS, i as isize % COLUMNS));
        }
        out
    }
    /// Top left corners of the windows with the result's pixel.
    fn windows(&self, k: isize, valid: bool, stride: isize) -> Vec<(String, isize, isize)> {
        let mut out = Vec::new();
        for r in 0..ROWS {
            for c in 0..COLUMNS {
                let (top, left) = (r * stride, c * stride);
                let before = if valid { 0 } else { (k - 1) / 2 };
                let fits =
                    if valid { top + k <= ROWS && left + k <= COLUMNS } else { top < ROWS && left < COLUMNS };
                if fits {
                    out.push((format!("h({r},{c})"), top - before, left - before));
                }
            }
        }
        out
    }
}

#[test]
fn over_pixels() {
    let picture = Picture::random(2);
    for (k, pad, stride, bias) in
        [(3, "same", 1, 1), (3, "valid", 1, 0), (2, "same", 2, 0), (3, "same", 2, 1), (2, "valid", 2, 1)]
    {
        let template = format!(
            "import nn/conv. @use conv2d(x, h, 2, 3, {k}, sigmoid, pad = {pad}, stride = {stride}, bias = {bias})."
        );
        agree(&template, &picture.facts(), |w| {
            let mut w = Weights::of(w);
            let kernel: Vec<Vec<&Matrix>> = (0..k).map(|_| (0..k).map(|_| w.take(3, 2)).collect()).collect();
            let b = w.bias(bias == 1, 3);
            w.end();
            let windows = picture.windows(k, pad == "valid", stride);
            let pixel = |(name, top, left): (String, isize, isize)| {
                let mut sum = b.clone();
                for i in 0..k {
                    for j in 0..k {
                        if let Some(x) = picture.at(top + i, left + j) {
                            sum += kernel[i as usize][j as usize] * x;
                        }
                    }
                }
                (name, sum.map(crate::kit::sigmoid))
            };
            windows.into_iter().map(pixel).collect()
        });
    }
}

/// Two layers of a network: convolution, the greatest of windows, convolution.
#[test]
fn a_network_over_pixels() {
    let picture = Picture::random(1);
    for (agg, greatest) in [("max", true), ("avg", false)] {
        let template = format!(
            "import nn/conv. @use conv2d(x, y, 1, 2, 3). @use pool2d(y, z, 2, agg = {agg}).
             @use conv2d(z, h, 2, 1, 2, identity, bias = 0)."
        );
        agree(&template, &picture.facts(), |w| {
            let at = |r: isize, c: isize| -> Matrix {
                let mut sum = w[9].clone();
                for i in 0..3 {
                    for j in 0..3 {
                        if let Some(x) = picture.at(r + i - 1, c + j - 1) {
                            sum += &w[(3 * i + j) as usize] * x[0];
                        }
                    }
                }
                sum.map(relu)
            };
            let pooled = |r: isize, c: isize| -> Matrix {
                let four = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(i, j)| at(2 * r + i, 2 * c + j));
                Matrix::from_fn(2, 1, |n, _| {
                    let values = four.iter().map(|m| m[n]);
                    if greatest { values.fold(f64::MIN, f64::max) } else { values.sum::<f64>() / 4.0 }
                })
            };
            let mut out: Outputs = Vec::new();
            for (r, c) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                let mut sum = Matrix::zeros(1, 1);
                for i in 0..2 {
                    for j in 0..2 {
                        if r + i < 2 && c + j < 2 {
                            sum += &w[(10 + 2 * i + j) as usize] * pooled(r + i, c + j);
                        }
                    }
                }
                out.push((format!("h({r},{c})"), sum));
            }
            out
        });
    }
}

#[test]
fn pooling_with_overlap() {
    let picture = Picture::random(2);
    let template = "import nn/conv. {2,2} y(R,C) :- x(R,C). [transformation=identity]
                    y/2 [transformation=identity] @use pool2d(y, h, 3, stride = 1).";
    agree(template, &picture.facts(), |w| {
        let window = |(name, top, left): (String, isize, isize)| {
            let mut best = Matrix::from_element(2, 1, f64::MIN);
            for i in 0..9 {
                let y = &w[0] * picture.at(top + i / 3, left + i % 3).expect("inside");
                best = best.zip_map(&y, f64::max);
            }
            (name, best)
        };
        picture.windows(3, true, 1).into_iter().map(window).collect()
    });
}
