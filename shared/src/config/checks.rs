//! What `checks` may have wrong that their form does not show.

use std::collections::BTreeMap;
use std::time::Duration;

use super::HttpCheck;
use super::file::{Check, File};
use super::path::Path;
use super::problem::Findings;

/// A tick has 50 s for all of them, ten at once and 10 s each.
const MOST_CHECKS: usize = 20;
/// Asked less often, a check says little of a bake.
const LONGEST: Duration = Duration::from_hours(1);
/// The audit trail repeats what was not found.
const TEXT: std::ops::RangeInclusive<usize> = 1..=256;
/// The statuses that HTTP knows.
const STATUSES: std::ops::RangeInclusive<u16> = 100..=599;

/// Finds what is wrong in the checks of all pipelines.
pub(super) fn check(file: &File, findings: &mut Findings) {
    list(file.defaults.checks.as_deref(), &Path::of(&["defaults", "checks"]), findings);
    for (name, pipeline) in &file.pipelines {
        let path = Path::of(&["pipelines", name, "checks"]);
        list(pipeline.settings.checks.as_deref(), &path, findings);
    }
}

fn list(checks: Option<&[Check]>, path: &Path, findings: &mut Findings) {
    let checks = checks.unwrap_or_default();
    if checks.len() > MOST_CHECKS {
        let message = format!("expected at most {MOST_CHECKS} checks, found {}", checks.len());
        findings.key(path, message);
    }
    let mut known = BTreeMap::new();
    for (at, check) in checks.iter().enumerate() {
        let path = path.index(at);
        one(check, &path, findings);
        let asked = (check.http.as_ref(), check.alarm.as_ref());
        if let Some(first) = known.insert(asked, at).filter(|_| asked != (None, None)) {
            findings.value(&path, format!("the same is asked by check {} already", first + 1));
        }
    }
}

fn one(check: &Check, path: &Path, findings: &mut Findings) {
    let Check { http, expect, body, attempts, every, private, alarm } = check;
    match (http, alarm) {
        (Some(_), Some(_)) => {
            findings.value(path, "a check is `http` or `alarm`; make two of it");
        }
        (None, None) => {
            findings.value(path, "expected a check: `http: URL` or `alarm: NAME`");
        }
        _ => {}
    }
    let of_http = [
        ("expect", expect.is_some()),
        ("body", body.is_some()),
        ("attempts", attempts.is_some()),
        ("every", every.is_some()),
        ("private", private.is_some()),
    ];
    if alarm.is_some() && http.is_none() {
        for (key, _) in of_http.into_iter().filter(|(_, said)| *said) {
            findings.key(&path.key(key), format!("`{key}` belongs to an `http` check"));
        }
    }
    for (at, status) in expect.iter().flatten().enumerate() {
        if !STATUSES.contains(status) {
            let message = format!("expected a status from 100 to 599, found {status}");
            findings.value(&path.key("expect").index(at), message);
        }
    }
    if let Some(body) = body.as_ref().filter(|body| !TEXT.contains(&body.len())) {
        let message = format!("expected a text of 1 to 256 bytes, found {}", body.len());
        findings.value(&path.key("body"), message);
    }
    if let Some(every) =
        every.filter(|every| !(HttpCheck::SHORTEST..=LONGEST).contains(&every.get()))
    {
        findings.value(&path.key("every"), format!("expected 15s to 1h, found {every}"));
    }
}
