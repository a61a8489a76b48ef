//! The fuzzers' corpora, replayed: what once was interesting stays harmless.

use std::path::{Path, PathBuf};

use scalefast_expr::exercise;

fn inputs(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(target);
    let entries =
        std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries
        .map(|entry| entry.unwrap_or_else(|error| panic!("{error}")).path())
        .collect()
}

fn replay(target: &str, exercise: fn(&[u8])) {
    let paths = inputs(target);
    assert!(paths.len() >= 20, "{} inputs for {target}", paths.len());
    for path in paths {
        let data = std::fs::read(&path).unwrap_or_else(|error| panic!("{error}"));
        exercise(&data);
    }
}

#[test]
fn parse() {
    replay("parse", exercise::parse);
}

#[test]
fn compile_evaluate() {
    replay("compile_evaluate", exercise::compile_evaluate);
}
