//! Layers and statistics of weights, against loops over all pairs of weights.

use super::*;

/// By rank between neighbours.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let place = q * (sorted.len() - 1) as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (place - below as f64) * (sorted[above] - sorted[below])
}

fn seven(values: &[f64]) -> Matrix {
    let mut all = values.to_vec();
    all.sort_by(f64::total_cmp);
    let n = all.len() as f64;
    let mean = all.iter().sum::<f64>() / n;
    let var = all.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n;
    let q = |q: f64| quantile(&all, q);
    column(&[mean, var, q(0.0), q(0.25), q(0.5), q(0.75), q(1.0)])
}

#[test]
fn statistics_of_weights() {
    let net = Net::random(&[3, 4, 2], 6);
    // A learned factor of all weights has a gradient through each statistic.
    let template = "import networks/weight_space. {1} w(J,I) :- syn(J,I). [transformation=identity]
        w/2 [transformation=identity]
        v(I) :- {1} bias(I). [transformation=identity]
        v/1 [transformation=identity]
        below(I,L) :- *layer(I,L), L > 0. @use statnn(w, v, below, h).";
    agree(template, &(net.facts(false) + "?- h."), |w| {
        let of_layer = |l: usize| {
            let into = net.syn.iter().filter(|s| net.layer[s.1] == l).map(|s| s.2 * w[0][0]);
            seven(&into.collect::<Vec<_>>())
        };
        let biases = |l: usize| seven(&net.outputs_of(l).map(|i| net.bias[i] * w[1][0]).collect::<Vec<_>>());
        vec![("h".into(), stacked(&[of_layer(1), of_layer(2), biases(1), biases(2)]))]
    });
}

/// Vectors on weights and biases.
struct Values {
    syn: Vec<(usize, usize, Matrix)>,
    bias: Vec<Option<Matrix>>,
}

/// Of which set a neuron is.
fn sets(net: &Net, ordered: bool) -> Vec<String> {
    let of =
        |i: usize| if ordered && net.layer[i] != 1 { format!("n{i}") } else { format!("s{}", net.layer[i]) };
    (0..net.n).map(of).collect()
}

/// The sum, or the mean, of those that there are.
fn joined<'a>(values: impl Iterator<Item = &'a Matrix>, mean: bool) -> Option<Matrix> {
    let all: Vec<&Matrix> = values.collect();
    let sum: Matrix = all.iter().skip(1).fold((*all.first()?).clone(), |sum, v| sum + *v);
    Some(if mean { sum / all.len() as f64 } else { sum })
}

/// Every weight of the layer stands for a kind of pair (what is written, what is read): each is looked at.
fn layer(
    net: &Net,
    set: &[String],
    x: &Values,
    dout: usize,
    mean: bool,
    member: &dyn Fn(&str) -> Option<Matrix>,
) -> Values {
    let mut kinds: Vec<&String> = set.iter().collect();
    kinds.sort();
    kinds.dedup();
    let weight = |name: String| member(&name).unwrap_or_else(|| panic!("no {name}"));
    let between = |p: &str, q: &str| {
        joined(x.syn.iter().filter(|s| set[s.0] == p && set[s.1] == q).map(|s| &s.2), mean)
    };
    let into =
        |i: usize, r: &str| joined(x.syn.iter().filter(|s| s.1 == i && set[s.0] == r).map(|s| &s.2), mean);
    let from =
        |j: usize, r: &str| joined(x.syn.iter().filter(|s| s.0 == j && set[s.1] == r).map(|s| &s.2), mean);
    let of_biases =
        |r: &str| joined((0..net.n).filter(|&i| set[i] == r).filter_map(|i| x.bias[i].as_ref()), mean);
    let mut syn = Vec::new();
    for (j, i, own) in &x.syn {
        let (p, q) = (&set[*j], &set[*i]);
        let mut sum = weight(format!("own[{p},{q}]")) * own + weight(format!("offset[{p},{q}]"));
        for r in &kinds {
            let mut add = |name: &str, value: Option<Matrix>| {
                if let Some(value) = value {
                    sum += weight(format!("{name}[{p},{q},{r}]")) * value;
                }
            };
            add("head_into", into(*i, r));
            add("tail_into", into(*j, r));
            add("head_from", from(*i, r));
            add("tail_from", from(*j, r));
            add("mean", of_biases(r));
            for s in &kinds {
                if let Some(all) = between(r, s) {
                    sum += weight(format!("all[{p},{q},{r},{s}]")) * all;
                }
            }
        }
        for (name, at) in [("head", *i), ("tail", *j)] {
            if let Some(bias) = &x.bias[at] {
                sum += weight(format!("{name}[{p},{q}]")) * bias;
            }
        }
        assert_eq!(sum.nrows(), dout);
        syn.push((*j, *i, sum.map(f64::tanh)));
    }
    let mut bias = Vec::new();
    for (i, q) in set.iter().enumerate() {
        let Some(own) = &x.bias[i] else {
            bias.push(None);
            continue;
        };
        let mut sum = weight(format!("b_own[{q}]")) * own + weight(format!("b_offset[{q}]"));
        for r in &kinds {
            let parts = [("b_into", into(i, r)), ("b_from", from(i, r)), ("b_mean", of_biases(r))];
            for (name, value) in parts {
                if let Some(value) = value {
                    sum += weight(format!("{name}[{q},{r}]")) * value;
                }
            }
            for s in &kinds {
                if let Some(all) = between(r, s) {
                    sum += weight(format!("b_all[{q},{r},{s}]")) * all;
                }
            }
        }
        bias.push(Some(sum.map(f64::tanh)));
    }
    Values { syn, bias }
}

#[test]
fn layers_over_weights() {
    let net = Net::random(&[2, 3, 2], 7);
    for (ordered, mean) in [(false, true), (false, false), (true, true)] {
        let agg = if mean { "avg" } else { "sum" };
        let set = sets(&net, ordered);
        let mut facts = net.facts(false) + "?- w(X,Y). ?- b(X). ?- r.";
        set.iter().enumerate().for_each(|(i, s)| facts += &format!(" set(n{i},{s})."));
        let template = format!(
            "import networks/weight_space. @use weight_space(syn, bias, set, w, b, 1, 2, agg = {agg}, act = tanh).
             @use weight_space_readout(w, b, set, r, 2, 3, agg = {agg}, act = tanh)."
        );
        agree_named(&template, &facts, |w, member| {
            let number = |v: f64| Matrix::from_element(1, 1, v);
            let bias = |i: usize| (net.layer[i] > 0).then(|| number(net.bias[i]));
            let x = Values {
                syn: net.syn.iter().map(|&(j, i, v)| (j, i, number(v))).collect(),
                bias: (0..net.n).map(bias).collect(),
            };
            // `all` and `mean` of the readout have fewer names in brackets.
            let y = layer(&net, &set, &x, 2, mean, member);
            let mut sum = w[0].clone();
            let mut kinds = set.clone();
            kinds.sort();
            kinds.dedup();
            for p in &kinds {
                for q in &kinds {
                    let all = y.syn.iter().filter(|s| set[s.0] == *p && set[s.1] == *q).map(|s| &s.2);
                    if let Some(all) = joined(all, mean) {
                        sum += member(&format!("all[{p},{q}]")).expect("a weight of the readout") * all;
                    }
                }
                let biases = (0..net.n).filter(|&i| set[i] == *p).filter_map(|i| y.bias[i].as_ref());
                if let Some(all) = joined(biases, mean) {
                    sum += member(&format!("mean[{p}]")).expect("a weight of the readout") * all;
                }
            }
            let mut out: Outputs = vec![("r".into(), sum.map(f64::tanh))];
            out.extend(y.syn.into_iter().map(|(j, i, v)| (format!("w(n{j},n{i})"), v)));
            let biases = y.bias.into_iter().enumerate();
            out.extend(biases.filter_map(|(i, v)| v.map(|v| (format!("b(n{i})"), v))));
            out
        });
    }
}
