//! The templates of `benches/peers`, which its scripts give to other engines too: they are right, and as large as its
//! README says.

use crate::support::{evaluate_only, run, session};
use std::fs;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers")
}

/// The template with identities for defaults, as the scripts run it, for so many features of an atom.
fn template(name: &str, features: usize) -> String {
    format!("[rule=identity, atom=identity]\n{}", text(name).replace("FEATURES", &features.to_string()))
}

fn text(name: &str) -> String {
    fs::read_to_string(folder().join(format!("templates/{name}.lrnn"))).expect("the template is there")
}

/// Three atoms in a row, with one-hot features.
fn molecule(features: usize) -> String {
    let one_hot =
        |k: usize| (0..features).map(|i| if i == k { "1" } else { "0" }).collect::<Vec<_>>().join(",");
    let atoms: Vec<String> = (0..3).map(|k| format!("<[{}]> a_feats(a{k})", one_hot(k))).collect();
    format!(
        "1 predict :- {}, bond(a0,a1,b0), bond(a1,a0,b0), bond(a1,a2,b1), bond(a2,a1,b1).",
        atoms.join(", ")
    )
}

#[test]
fn the_models_of_molecules_have_as_many_weights_as_stated() {
    let readme = fs::read_to_string(folder().join("README.md")).expect("the README is there");
    assert!(readme.contains("420, 830 and 1 260 weights for 31 kinds of atoms"));
    for (name, stated) in [("gcn", 420), ("sage", 830), ("gin", 1260)] {
        let session = session(&template(name, 31), &molecule(31), evaluate_only());
        assert_eq!(session.template.parameter_count(), stated, "{name}");
    }
}

/// The template with all elements of all weights 1.
fn ones(name: &str) -> String {
    let mut out = template(name, 3);
    while let Some(start) = out.find("={") {
        let end = start + out[start..].find('}').expect("a shape is closed");
        let (rows, cols) =
            out[start + 2..end].split_once(',').expect("all weights of these templates are matrices");
        let row = format!("[{}]", vec!["1"; cols.parse().expect("a number")].join(","));
        let rows = vec![row; rows.parse().expect("a number")].join(",");
        out.replace_range(start..=end, &format!("=[{rows}]"));
    }
    out
}

/// With all weights 1, all ten columns of a layer are equal: a product with a matrix is ten times one of them.
#[test]
fn the_models_of_molecules_compute_their_formulas() {
    let value = |name: &str| run(&session(&ones(name), &molecule(3), evaluate_only())).2.values[0][0];
    // First layer: the degrees 1, 2, 1; second: ten times the sum over neighbours, 20 for each atom.
    assert_eq!(value("gcn"), 10.0 * 20.0);
    // First layer: the mean of the neighbours' ones and the atom's own, 2; second: twice ten times that.
    assert_eq!(value("sage"), 10.0 * 40.0);
    // An atom and its neighbours, then two matrices; the very first one meets one-hot vectors and adds single ones.
    let mut atoms: [f64; 3] = [0.1; 3];
    let mut expected = 0.0;
    for _ in 0..5 {
        let [a, b, c] = atoms;
        atoms = [a + b, a + b + c, b + c].map(|x| 100.0 * x);
        expected += 10.0 * atoms.iter().sum::<f64>() / 3.0;
    }
    let got = value("gin");
    assert!((got - expected).abs() <= 1e-12 * expected, "{got} {expected}");
}

/// The other templates, with the rules that the scripts write before them.
#[test]
fn the_other_templates_answer() {
    let kinds = ["nation", "person", "item", "rel", "att"];
    let embeddings: String = kinds.map(|k| format!("{{3}} embed_{k}(c{k}) :- {k}(c{k}).\n")).concat();
    let facts = "nation(cnation), person(cperson), item(citem), rel(crel), att(catt)";
    let cora = "word(n0,w0), vocab(w0), link(n0,n0), <1> scale(n0)";
    for (name, above, example, query) in [
        (
            "nations",
            &*embeddings,
            format!("{facts}, r(cnation,crel,cnation)"),
            "predict(cnation,crel,cnation)",
        ),
        ("nations", &*embeddings, format!("{facts}, r(cnation,crel,cnation)"), "predict(cnation,catt)"),
        (
            "kinships",
            &*embeddings,
            format!("{facts}, r(crel,cperson,cperson)"),
            "predict(cperson,crel,cperson)",
        ),
        ("umls", &*embeddings, format!("{facts}, r(crel,citem,citem)"), "predict(citem,crel,citem)"),
        ("cora", "{16} embed(w0) :- vocab(w0).\n", cora.to_string(), "label(n0)"),
        ("path", "", "edge(a,b), edge(b,c)".to_string(), "path(a,c)"),
        ("xor", "", "<[0,1]> input".to_string(), "xor"),
    ] {
        let text = format!("{above}{}", text(name));
        let target = if name == "cora" { "[0,0,0,0,0,0,1]" } else { "1" };
        let data = format!("{target} {query} :- {example}.");
        let (network, _, outcome) = run(&session(&text, &data, evaluate_only()));
        assert_eq!(network.answers.len(), 1, "{name}");
        assert_eq!(outcome.values[0].len(), if name == "cora" { 7 } else { 1 }, "{name}");
    }
}
