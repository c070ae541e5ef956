//! `docs/coming-from.md` shows what is printed, and the module is what it is said to stand for.

use crate::files::{err, files, nlog, out};
use nlog::session::Session;

#[test]
fn the_comparison_with_other_systems_shows_what_is_printed() {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/coming-from.md")).expect("there");
    let blocks = |language: &str| -> Vec<String> {
        let fence = format!("```{language}\n");
        text.split(&fence).skip(1).filter_map(|rest| Some(rest.split_once("```")?.0.to_string())).collect()
    };
    let (templates, data) = (blocks("lrnn"), blocks("db"));
    let dir =
        files(&[("short.lrnn", &templates[0]), ("template.lrnn", &templates[1]), ("facts.db", &data[0])]);
    let shown = blocks("console");
    assert_eq!(shown.len(), 2);
    for block in shown {
        let (command, output) = block.split_once('\n').expect("a command and its output");
        let args: Vec<&str> = command.strip_prefix("$ nlog ").expect("a call").split_whitespace().collect();
        let o = nlog(dir.path(), &args);
        assert_eq!(out(&o), output, "{}", err(&o));
    }
    // The two templates compute the same: at the weights of the long one the module has its outputs.
    let outputs = |template: &str, weights: Option<&[f64]>| -> (Vec<f64>, Vec<f64>) {
        let (session, found) = Session::from_texts(template, &data[0], crate::support::evaluate_only());
        assert!(!nlog::diag::has_errors(&found), "{}", crate::support::shown(&found, &session));
        let network = crate::support::network(&session);
        let mut parameters = session.initial_parameters();
        let learned = session.template.weights.iter_enumerated().filter(|(_, w)| !w.constant);
        let places: Vec<usize> = learned.flat_map(|(id, _)| parameters.ranges[id].clone()).collect();
        if let Some(weights) = weights {
            places.iter().zip(weights).for_each(|(&p, w)| parameters.values[p] = *w);
        }
        let run = session.run(&network, &mut parameters, &mut |_| std::ops::ControlFlow::Continue(()));
        (run.expect("finite").values.concat(), places.iter().map(|&p| parameters.values[p]).collect())
    };
    let (long, weights) = outputs(&templates[1], None);
    assert_eq!(weights, [0.5, -0.2, 0.3, 0.8, -0.6, 0.4, 0.7, -0.1, 0.9]);
    let (short, _) = outputs(&templates[0], Some(&weights));
    for (a, b) in long.iter().zip(&short) {
        assert!((a - b).abs() < 1e-12, "{long:?} {short:?}");
    }
}
