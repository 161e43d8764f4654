//! The documents are true: what they tell people to type is understood, what they point at is there,
//! and what exists is in them.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its document has failed")]

mod commands;
mod complete;
mod pointers;

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every file of the repository, as a path from its root.
fn files() -> Vec<String> {
    fn walk(folder: &Path, root: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                let is_ours = name == ".ci" || name == ".cargo" || !name.starts_with('.');
                if is_ours && !path.ends_with("target") {
                    walk(&path, root, found);
                }
            } else {
                found.push(name);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root(), &root(), &mut found);
    found
}

fn read(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn with_ending<'a>(files: &'a [String], ending: &'a str) -> impl Iterator<Item = &'a String> {
    files.iter().filter(move |file| file.ends_with(ending))
}

/// The lines inside fences of a document, `\` at their end joined, and the spans in backticks
/// outside of them.
fn code(document: &str) -> (Vec<String>, Vec<String>) {
    let (mut lines, mut spans, mut fenced) = (Vec::new(), Vec::new(), false);
    for line in document.replace("\\\n", " ").lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            lines.push(line.to_owned());
        } else {
            spans.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    assert!(!fenced, "a fence is not closed");
    (lines, spans)
}
