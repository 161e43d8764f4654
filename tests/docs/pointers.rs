//! What is pointed at is there: links, headings, files, packages; and nothing of the machine is told.

use std::collections::BTreeSet;

use crate::{code, files, read, root, with_ending};

#[test]
fn every_link_leads_somewhere() {
    let files = files();
    let mut checked = 0;
    for file in with_ending(&files, ".md") {
        let folder = root().join(file).parent().unwrap().to_owned();
        let document = read(file);
        for target in document.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            if target.starts_with("https://") {
                continue;
            }
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = if path.is_empty() { root().join(file) } else { folder.join(path) };
            assert!(path.exists(), "{file}: there is no {target}");
            if !anchor.is_empty() {
                let text = std::fs::read_to_string(&path).unwrap();
                assert!(headings(&text).contains(anchor), "{file}: no heading for {target}");
            }
            checked += 1;
        }
    }
    assert!(checked > 20, "only {checked} links were found");
}

/// The anchors that a document's headings make.
fn headings(document: &str) -> BTreeSet<String> {
    let titles = document.lines().filter(|line| line.starts_with('#'));
    let anchor = |title: &str| {
        let title = title.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        title.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
    };
    titles.map(anchor).collect()
}

#[test]
fn every_file_that_is_named_is_there() {
    /// What readers write themselves, or find elsewhere.
    const NOT_OURS: [&str; 1] = ["tidegate.yaml"];
    const ENDINGS: [&str; 7] = [".md", ".rs", ".yaml", ".json", ".toml", ".py", ".pem"];
    let files = files();
    let mut checked = 0;
    for file in with_ending(&files, ".md") {
        for span in code(&read(file)).1 {
            let is_name = ENDINGS.iter().any(|ending| span.ends_with(ending))
                && !span.contains([' ', '*', '{'])
                && !NOT_OURS.contains(&span.as_str());
            if is_name {
                let there = files.iter().any(|it| *it == span || it.ends_with(&format!("/{span}")));
                assert!(there, "{file}: there is no {span}");
                checked += 1;
            }
        }
    }
    assert!(checked > 20, "only {checked} names of files were found");
}

#[test]
fn every_package_that_is_named_is_a_member() {
    let files = files();
    let members: BTreeSet<_> = with_ending(&files, "/Cargo.toml")
        .filter_map(|file| Some(read(file).lines().find_map(name_of)?.to_owned()))
        .collect();
    for file in with_ending(&files, ".md") {
        for line in code(&read(file)).0.iter().filter(|line| line.trim().starts_with("cargo ")) {
            let words: Vec<_> = line.split_whitespace().collect();
            for pair in words.windows(2).filter(|pair| pair[0] == "-p") {
                assert!(members.contains(pair[1]), "{file}: {line}");
            }
        }
    }
}

fn name_of(line: &str) -> Option<&str> {
    line.strip_prefix("name = \"")?.strip_suffix('"')
}

#[test]
fn no_document_tells_of_the_machine_it_was_written_on() {
    let files = files();
    let around = root().parent().unwrap().join("").to_str().unwrap().to_owned();
    let general = ["/root/", "/home/", "/Users/", "/tmp/"].map(str::to_owned);
    // Above a clone at the top of a disk there is only `/`, which every path has.
    let words: Vec<_> = general.into_iter().chain((around != "/").then_some(around)).collect();
    let endings = [".md", ".yaml", ".json", ".toml"];
    for file in files.iter().filter(|file| endings.iter().any(|ending| file.ends_with(ending))) {
        let text = read(file);
        for word in &words {
            assert!(!text.contains(word.as_str()), "{file} names {word}");
        }
        let words = text.split(|c: char| !c.is_ascii_alphanumeric());
        for account in words.filter(|it| it.len() == 12 && it.bytes().all(|b| b.is_ascii_digit())) {
            assert_eq!(account, "123456789012", "{file} names an account");
        }
    }
}
