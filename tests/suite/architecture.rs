//! The layers of the house, read from the sources.

use std::fs;
use std::path::{Path, PathBuf};

/// Every folder (or file) of `src`, lowest first. A file may use its own folder and those of lower layers only.
const LAYERS: &[(&str, u32)] = &[
    ("base", 0),
    ("diag", 1),
    ("tensor", 1),
    ("syntax", 2),
    ("data", 3),
    ("expand", 3),
    ("template", 4),
    ("prepare", 4),
    ("io", 5),
    ("plan", 5),
    ("ground", 6),
    ("graph", 7),
    ("exec", 8),
    ("learn", 9),
    ("answer", 9),
    ("session", 10),
    ("console", 11),
    ("repl", 12),
    ("cli", 13),
];

fn sources(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("src can be listed") {
        let path = entry.expect("src can be listed").path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

fn all_sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    files.sort();
    files.into_iter().map(|f| (f.clone(), fs::read_to_string(&f).expect("sources are text"))).collect()
}

/// The part of a file before its unit tests, which may look anywhere.
fn code<'t>(file: &Path, text: &'t str) -> &'t str {
    if file.ends_with("tests.rs") || file.components().any(|c| c.as_os_str() == "tests") {
        return "";
    }
    text.split("#[cfg(test)]").next().unwrap_or("")
}

fn part_of(file: &Path) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let inside = file.strip_prefix(root).expect("a file of src");
    let first = inside.components().next().expect("not empty").as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_string()
}

fn layer(part: &str) -> Option<u32> {
    LAYERS.iter().find(|(name, _)| *name == part).map(|(_, l)| *l)
}

/// Names after `crate::` in a text, also in nested groups `use crate::{a, b::c}`.
fn crate_uses(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if name.is_empty() {
            let group = rest.trim_start_matches('{').split('}').next().unwrap_or("");
            out.extend(group.split(',').map(|p| p.trim().split("::").next().unwrap_or("").to_string()));
        } else {
            out.push(name);
        }
    }
    out
}

#[test]
fn every_file_uses_lower_layers_only() {
    let mut faults = Vec::new();
    let mut checked = 0;
    for (file, text) in all_sources() {
        let part = part_of(&file);
        if part == "lib" || part == "main" {
            continue;
        }
        let own = layer(&part).unwrap_or_else(|| panic!("`{part}` has no layer: add it to the table"));
        for used in crate_uses(code(&file, &text)) {
            checked += 1;
            match layer(&used) {
                Some(l) if l < own || used == part => {}
                Some(l) => faults.push(format!("{} (layer {own}) uses {used} (layer {l})", file.display())),
                // Macros of the crate root.
                None if used == "id" => {}
                None => faults.push(format!("{} uses crate::{used}, which has no layer", file.display())),
            }
        }
    }
    assert!(checked > 100, "the test reads the sources: {checked} uses found");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn files_stay_readable() {
    for (file, text) in all_sources() {
        let lines = text.lines().count();
        assert!(lines <= 800, "{} has {lines} lines: is there more than one room in it?", file.display());
    }
}

#[test]
fn only_front_ends_print_and_nothing_is_left_open() {
    for (file, text) in all_sources() {
        let part = part_of(&file);
        let front = ["cli", "repl", "console", "main"].contains(&part.as_str());
        let code = code(&file, &text);
        for word in ["println!", "eprintln!", "print!", "stdout()", "stderr()"] {
            assert!(front || !code.contains(word), "{} prints: {word}", file.display());
        }
        for word in ["todo!", "unimplemented!", "dbg!"] {
            assert!(!code.contains(word), "{} holds {word}", file.display());
        }
        // In unit tests too: an `expect` says what the test takes for granted.
        assert!(!text.contains(".unwrap()"), "{} holds .unwrap()", file.display());
        assert!(!text.contains("TODO") && !text.contains("FIXME"), "{} is unfinished", file.display());
    }
}

#[test]
fn every_code_is_used() {
    let all: String =
        all_sources().into_iter().filter(|(f, _)| !f.ends_with("codes.rs")).map(|(_, t)| t).collect();
    let table =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/diag/codes.rs")).expect("there");
    let names: Vec<&str> = table
        .lines()
        .filter_map(|l| {
            l.trim().split_once(" = \"").filter(|(_, r)| r.starts_with(['E', 'W'])).map(|(n, _)| n)
        })
        .collect();
    assert!(names.len() > 40, "{names:?}");
    let idle: Vec<&&str> = names.iter().filter(|n| !all.contains(&format!("codes::{n}"))).collect();
    assert!(idle.is_empty(), "codes that are never used: {idle:?}");
}
