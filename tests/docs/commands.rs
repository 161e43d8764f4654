//! What is to be typed is understood by the command line itself.

use clap::Parser;
use clap::error::ErrorKind;
use tidegate_cli::Args;

use crate::{code, files, read, with_ending};

/// Bytes, where a document leaves them out.
const DIGEST: &str = "sha256:4b1d000000000000000000000000000000000000000000000000000000000000";

/// `tidegate …` in a line as people type or read it: up to a comment, a pipe or a wide gap.
fn command(line: &str) -> Option<&str> {
    let at =
        line.find("tidegate ").filter(|at| line[..*at].ends_with([' ', '(', '`']) || *at == 0)?;
    let before = line[..at].trim();
    // An output's line, a step of a workflow, a prompt; anything else is prose.
    let is_typed = ["", "$", "#", "run:", "- run:", "type", "- `"].contains(&before);
    let ends = ["  ", " # ", " | ", " > ", " && ", "`"];
    let rest = &line[at..];
    let end = ends.iter().filter_map(|end| rest.find(end)).min().unwrap_or(rest.len());
    is_typed.then(|| rest[..end].trim())
}

fn parse(command: &str) -> Result<Args, clap::Error> {
    let command = command.replace("sha256:…", DIGEST).replace("[FILE]", "tidegate.yaml");
    let (mut words, mut quoted) = (vec![String::new()], false);
    for letter in command.chars() {
        match letter {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            letter => words.last_mut().unwrap().push(letter),
        }
    }
    Args::try_parse_from(words.into_iter().filter(|word| !word.is_empty()))
}

/// A whole command line must be understood; a mention of a verb may leave its arguments out.
fn check(place: &str, command: &str, is_mention: bool) {
    use ErrorKind as E;
    match parse(command).map_err(|error| (error.kind(), error)) {
        Err((E::DisplayHelpOnMissingArgumentOrSubcommand | E::MissingRequiredArgument, _))
            if is_mention => {}
        Err((_, error)) => panic!("{place}: `{command}`: {error}"),
        Ok(_) => {}
    }
}

#[test]
fn every_command_line_in_the_documents_is_understood() {
    let files = files();
    let mut checked = 0;
    for file in with_ending(&files, ".md") {
        let (lines, spans) = code(&read(file));
        for command in lines.iter().filter_map(|line| command(line)) {
            check(file, command, false);
            checked += 1;
        }
        for span in spans.iter().filter(|span| span.starts_with("tidegate ")) {
            check(file, command(span).unwrap(), true);
            checked += 1;
        }
    }
    assert!(checked > 80, "only {checked} command lines were found: the documents look different");
}

#[test]
fn every_command_line_in_the_notifications_is_understood() {
    let files = files();
    let mut checked = 0;
    for file in files.iter().filter(|file| file.starts_with("shared/tests/notices/")) {
        let text = read(file);
        for command in text.lines().filter_map(|line| command(line)) {
            check(file, command, false);
            checked += 1;
        }
    }
    assert!(checked > 30, "only {checked} command lines were found");
}

#[test]
fn every_command_line_in_messages_and_examples_is_understood() {
    let files = files();
    let mut checked = 0;
    for file in with_ending(&files, ".rs").filter(|file| file.contains("/src/")) {
        // One line of text after another, as `concat` and `\` join them.
        let text = read(file).replace("\\\n", " ");
        for span in text.split('`').filter(|span| span.starts_with("tidegate ")) {
            if span.contains('\n') {
                continue;
            }
            let said = placeholders(command(span).unwrap_or(span));
            if said.iter().all(|said| parse(said).is_err()) {
                check(file, &said[0], true);
            }
            checked += 1;
        }
    }
    for file in files.iter().filter(|file| file.starts_with("examples/")) {
        for command in read(file).lines().filter_map(command) {
            check(file, command, false);
            checked += 1;
        }
    }
    assert!(checked > 30, "only {checked} command lines were found");
}

/// `tidegate unblock {pipeline} {}` with what may stand there: the last one may be a digest.
fn placeholders(span: &str) -> [String; 2] {
    let mut parts = span.split('{');
    let mut filled = vec![parts.next().unwrap().to_owned()];
    filled.extend(parts.map(|part| part.split_once('}').map_or(part, |(_, rest)| rest).to_owned()));
    let names = filled.join("someli-production");
    let last = filled.pop().unwrap();
    [names, format!("{}{DIGEST}{last}", filled.join("someli-production"))]
}
