//! Point clouds and splines.

use super::*;

/// The facts of points alone, without edges.
fn points(g: &Graph, query: &str) -> String {
    g.facts("h")
        .lines()
        .filter(|l| l.contains("x("))
        .map(|l| l.replace("?- h(", &format!("?- {query}(")))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn point_clouds() {
    let g = Graph::random(7, 2, 3, 31);
    let facts: String =
        points(&g, "h").lines().map(|l| l.split(" ?-").next().unwrap().to_string() + "\n").collect();
    let two = |w: &[Matrix], x: &Matrix| relu(&(&w[2] * relu(&(&w[0] * x + &w[1])) + &w[3]));
    agree("import points/pointnet. @use pointnet(x, h, 3, {4,2}).", &(facts.clone() + "?- h."), |w| {
        vec![("h".into(), greatest(2, features(&g).iter().map(|x| two(w, x))))]
    });
    agree(
        "import points/pointnet. @use pointnet(x, h, 3, {4,5}, tanh, avg, 0).",
        &(facts.clone() + "?- h."),
        |w| {
            let sum = features(&g).iter().fold(zeros(5), |sum, x| sum + tanh(&(&w[1] * tanh(&(&w[0] * x)))));
            vec![("h".into(), sum / 7.0)]
        },
    );
    // Two clouds of one template do not mix.
    let text = "import points/pointnet. @use pointnet(x, a, 3, {2}). @use pointnet(x, b, 3, {2}, tanh).
        h :- a, b. [transformation=identity, combination=elproduct] h/0 [transformation=identity]";
    agree(text, &(facts + "?- h."), |w| {
        let a = greatest(2, features(&g).iter().map(|x| relu(&(&w[0] * x + &w[1]))));
        let b = greatest(2, features(&g).iter().map(|x| tanh(&(&w[2] * x + &w[3]))));
        vec![("h".into(), a.component_mul(&b))]
    });
    for bias in [1, 0] {
        let text = format!(
            "import points/pointnet. @use pointnet_parts(x, h, 3, 2, {{4}}, sigmoid, bias = {bias})."
        );
        agree(&text, &points(&g, "h"), |w| {
            let layer = |k: usize, x: &Matrix| match bias {
                1 => sigmoid(&(&w[2 * k] * x + &w[2 * k + 1])),
                _ => sigmoid(&(&w[k] * x)),
            };
            let whole = greatest(4, features(&g).iter().map(|x| layer(0, x)));
            g.outputs("h", |i| stack(&[&layer(1, &g.feature(i)), &whole]))
        });
    }
}

#[test]
fn point_clouds_are_turned() {
    let g = Graph::random(7, 2, 3, 34);
    let square = |flat: Matrix| Matrix::from_row_slice(3, 3, flat.as_slice());
    agree("import points/pointnet. @use pointnet_align(x, h, 3, {4}, {3}).", &points(&g, "h"), |w| {
        let whole = greatest(4, features(&g).iter().map(|x| relu(&(&w[0] * x + &w[1]))));
        let flat = &w[4] * relu(&(&w[2] * whole + &w[3])) + &w[5];
        let turn = square(flat) + Matrix::identity(3, 3);
        g.outputs("h", |i| &turn * g.feature(i))
    });
    let text = "import points/pointnet. @use pointnet_align(x, m, 3, {4}, act = tanh, bias = 0).
        @use pointnet_align(m, h, 3, {2}, {4,5}, tanh, 0).";
    agree(text, &points(&g, "h"), |w| {
        let whole = |x: &[Matrix], w: &Matrix| greatest(w.nrows(), x.iter().map(|x| tanh(&(w * x))));
        let turned = |x: &[Matrix], flat: Matrix| -> Vec<Matrix> {
            let turn = square(flat);
            x.iter().map(|x| x + &turn * x).collect()
        };
        let x = features(&g);
        let m = turned(&x, &w[1] * whole(&x, &w[0]));
        let h = turned(&m, &w[5] * tanh(&(&w[4] * tanh(&(&w[3] * whole(&m, &w[2]))))));
        g.outputs("h", |i| h[i].clone())
    });
}

/// Points in the plane with features, and for the centers n0, n2, n4 all points within a ball, themselves too.
fn cloud() -> (Graph, Vec<[f64; 2]>, Vec<(usize, usize)>, String) {
    let g = Graph::random(7, 2, 3, 32);
    let p: Vec<[f64; 2]> = g.x.iter().map(|x| [x[0] - 0.25 * x[2], x[1] * 0.5 + 0.125]).collect();
    let far = |a: usize, b: usize| ((p[a][0] - p[b][0]).powi(2) + (p[a][1] - p[b][1]).powi(2)).sqrt();
    let mut near = Vec::new();
    let mut facts = String::new();
    for i in [0, 2, 4] {
        for j in (0..7).filter(|&j| far(i, j) < 0.8) {
            near.push((j, i));
            writeln!(facts, "near(n{j},n{i}).").unwrap();
        }
    }
    assert!(near.len() > 5 && near.len() < 21);
    for (i, p) in p.iter().enumerate() {
        writeln!(facts, "<[{},{}]> p(n{i}).", p[0], p[1]).unwrap();
    }
    (g, p, near, facts)
}

fn apart(p: &[[f64; 2]], j: usize, i: usize) -> Matrix {
    Matrix::from_column_slice(2, 1, &[p[j][0] - p[i][0], p[j][1] - p[i][1]])
}

#[test]
fn set_abstraction() {
    let (g, p, near, facts) = cloud();
    let data = only(&points(&g, "h"), "h", &[0, 2, 4]) + "\n" + &facts;
    let of = |i: usize| near.iter().filter(move |e| e.1 == i).map(|e| e.0);
    let text = "import points/pointnet2. @use pointnet2(near, p, h, 2, {5,4}, x, 3, {3,2}).";
    agree(text, &data, |w| {
        let h = |i: usize| {
            let inner = of(i).map(|j| {
                let seen = stack(&[&g.feature(j), &apart(&p, j, i)]);
                relu(&(&w[2] * relu(&(&w[0] * seen + &w[1])) + &w[3]))
            });
            relu(&(&w[6] * relu(&(&w[4] * greatest(4, inner) + &w[5])) + &w[7]))
        };
        [0, 2, 4].iter().map(|&i| (format!("h(n{i})"), h(i))).collect()
    });
    let text = "import points/pointnet2. @use pointnet2(near, p, h, 2, {4}, act = tanh, bias = 0).";
    agree(text, &data, |w| {
        let h = |i: usize| greatest(4, of(i).map(|j| tanh(&(&w[0] * apart(&p, j, i)))));
        [0, 2, 4].iter().map(|&i| (format!("h(n{i})"), h(i))).collect()
    });
}

#[test]
fn features_come_back_to_all_points() {
    let (g, p, near, facts) = cloud();
    // The near relation turned round: of points to centers.
    let facts: String = near.iter().map(|(j, i)| format!("near(n{i},n{j}).\n")).collect::<String>()
        + &facts.lines().filter(|l| l.contains("p(")).collect::<Vec<_>>().join("\n");
    let known: Vec<usize> =
        (0..7).filter(|&j| near.iter().any(|e| e.0 == j) && ![0, 2, 4].contains(&j)).collect();
    assert!(!known.is_empty());
    let data = only(&points(&g, "h"), "h", &known) + "\n" + &facts;
    // Positions and features are learned, so that gradients pass through both.
    let text =
        "import points/pointnet2. {2,2} q(I) :- p(I). [transformation=identity] q/1 [transformation=identity]
        {2,3} y(I) :- x(I). [transformation=identity] y/1 [transformation=identity]
        @use interpolate(near, q, y, h, eps = 0.01).";
    agree(text, &data, |w| {
        let h = |i: usize| {
            let (mut sum, mut all) = (zeros(2), 0.0);
            for (_, c) in near.iter().filter(|e| e.0 == i) {
                let weight = 1.0 / ((&w[0] * apart(&p, *c, i)).norm_squared() + 0.01);
                sum += &w[1] * g.feature(*c) * weight;
                all += weight;
            }
            sum / all
        };
        known.iter().map(|&i| (format!("h(n{i})"), h(i))).collect()
    });
}

#[test]
fn splines() {
    let g = graph(33);
    // Open B-splines of degree 1 with 3 knots, in two dimensions: 9 kernels, at most 4 of them not zero.
    let knots = |u: f64| {
        let v = u * 2.0;
        let k = (v.floor() as usize).min(1);
        [(k, 1.0 - (v - k as f64)), (k + 1, v - k as f64)]
    };
    let coordinates = |j: usize, i: usize| [0.1 + 0.13 * j as f64, 0.95 - 0.17 * i as f64];
    let basis = |j: usize, i: usize| {
        let [a, b] = coordinates(j, i);
        let mut out = Vec::new();
        for (k, bk) in knots(a) {
            for (l, bl) in knots(b) {
                out.push((3 * k + l, bk * bl));
            }
        }
        out
    };
    let mut facts = String::new();
    for &(j, i, _) in &g.edges {
        assert!((basis(j, i).iter().map(|b| b.1).sum::<f64>() - 1.0).abs() < 1e-12);
        for (k, b) in basis(j, i) {
            writeln!(facts, "<{b}> b({k},n{j},n{i}).").unwrap();
        }
    }
    let sum = |w: &[Matrix], i: usize| {
        let mut sum = zeros(2);
        for (j, _) in g.sources_of(i) {
            let kernel = basis(j, i).iter().fold(Matrix::zeros(2, 3), |m, (k, b)| m + &w[*k] * *b);
            sum += kernel * g.feature(j);
        }
        sum
    };
    let data = g.facts("h") + &facts;
    agree("import points/spline. @use spline(x, b, edge, h, 3, 2, 9).", &data, |w| {
        g.outputs("h", |i| {
            let mean = sum(w, i) / (g.sources_of(i).count() as f64).max(1.0);
            elu(&(mean + &w[9] * g.feature(i) + &w[10]))
        })
    });
    let known: Vec<usize> = (0..6).filter(|&i| g.sources_of(i).count() > 0).collect();
    let text = "import points/spline. @use spline(x, b, edge, h, 3, 2, 9, tanh, sum, 0, 0).";
    agree(text, &(only(&g.facts("h"), "h", &known) + "\n" + &facts), |w| {
        known.iter().map(|&i| (format!("h(n{i})"), tanh(&sum(w, i)))).collect()
    });
}
