//! What exists is in the documents: commands, exit codes, states, alarms, parameters.

use std::collections::BTreeSet;

use clap::CommandFactory;
use serde_json::json;
use tidegate_cli::Args;
use tidegate_core::model::{NoticeKind, Phase};

use crate::read;

const README: &str = include_str!("../../README.md");
const ADOPTING: &str = include_str!("../../docs/adopting.md");
const OPERATING: &str = include_str!("../../docs/operating.md");
const NOTIFICATIONS: &str = include_str!("../../docs/notifications.md");
const TEMPLATE: &str = include_str!("../../template.yaml");

#[test]
fn the_readme_has_every_command_and_every_exit_code() {
    for command in Args::command().get_subcommands() {
        let row = format!("| `tidegate {}", command.get_name());
        assert!(README.contains(&row), "README has no line `{row}`");
    }
    let help = Args::command().get_after_help().unwrap().to_string();
    let codes = help.lines().filter_map(|line| line.trim().split_once("  "));
    let codes: Vec<_> = codes.filter(|(code, _)| code.parse::<u8>().is_ok()).collect();
    assert_eq!(codes.len(), 7, "{help}");
    for (code, meaning) in codes {
        let row = format!("| `{code}` | {meaning} |");
        assert!(README.contains(&row), "README has no line `{row}`");
    }
}

#[test]
fn every_state_has_its_way_out() {
    // The names that a release's phase can have, as serde lists them when it meets another.
    let error = serde_json::from_value::<Phase>(json!({ "name": "?" })).unwrap_err().to_string();
    let names: Vec<_> = error.split('`').skip(3).step_by(2).collect();
    assert!(names.len() >= 12, "{error}");
    for name in names {
        let named = OPERATING
            .lines()
            .filter(|line| line.starts_with("### "))
            .any(|line| line[4..].split(", ").any(|state| state == name));
        assert!(named, "docs/operating.md has no heading for {name}");
    }
    let error = serde_json::from_value::<NoticeKind>(json!("?")).unwrap_err().to_string();
    for kind in error.split('`').skip(3).step_by(2) {
        assert!(NOTIFICATIONS.contains(&format!("| `{kind}` |")), "notifications.md lacks {kind}");
    }
}

#[test]
fn every_alarm_queue_and_parameter_of_the_template_is_explained() {
    let documents = [README, OPERATING, NOTIFICATIONS, ADOPTING].concat();
    let alarms = TEMPLATE.lines().filter_map(|line| line.strip_suffix("Alarm:"));
    let mut names: BTreeSet<_> = alarms.map(|name| format!("{}Alarm", name.trim())).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    let queue =
        |line: &str| Some(line.split_once("QueueLogicalId: ")?.1.split(' ').next()?.to_owned());
    names.extend(TEMPLATE.lines().filter_map(queue));
    names.insert("DeadLetters".to_owned());
    let parameters = TEMPLATE.split("\nParameters:").nth(1).unwrap().split("\nConditions:").next();
    let is_name =
        |line: &&str| line.starts_with("  ") && !line.starts_with("   ") && line.ends_with(':');
    let parameters = parameters.unwrap().lines().filter(is_name);
    names.extend(parameters.map(|line| line.trim().trim_end_matches(':').to_owned()));
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        assert!(documents.contains(&format!("`{name}`")), "no document explains {name}");
    }
}

#[test]
fn what_status_and_verify_show_is_what_they_print() {
    let golden = read("cli/tests/cli/golden/status-rollback-failed.txt");
    assert!(
        OPERATING.contains(golden.trim_end()),
        "docs/operating.md shows another status than:\n{golden}"
    );
    let golden = read("cli/tests/cli/golden/verify.txt");
    assert!(
        OPERATING.contains(golden.trim_end()),
        "docs/operating.md shows another verify than:\n{golden}"
    );
}
