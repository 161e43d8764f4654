//! Where releases stand when a story is over: an end, a wait with a name, or neither.

use jiff::SignedDuration;
use serde_json::Value;

use super::raw::{Table, moment, number, phase, text};

/// Every release's end, or what keeps it moving.
pub(super) fn of(table: &Table) -> Vec<(String, Result<&'static str, String>)> {
    let releases = table.releases();
    releases.map(|release| (text(&release["id"]).to_owned(), end(table, release))).collect()
}

/// Whether nothing moves by itself any more.
pub(super) fn is_calm(table: &Table) -> bool {
    table.releases().all(|release| end(table, release).is_ok())
}

fn end(table: &Table, release: &Value) -> Result<&'static str, String> {
    let pipeline = text(&release["id"]).split('/').next().unwrap_or_default();
    let head = table.head(pipeline).unwrap_or(&Value::Null);
    let accepted = release["phase"]["accepted"] == true;
    let unproven = release["phase"]["unproven"] == true;
    Ok(match phase(release) {
        "live" if text(&release["cause"]["kind"]) == "adopted" => "adopted",
        "live" if accepted => "accepted",
        "live" if unproven => "live_unproven",
        "live" => "live",
        "rolled_back" => "rolled_back",
        "rollback_failed" => "rollback_failed",
        "frozen" => "frozen",
        "drifted" => "drifted",
        "abandoned" => "abandoned",
        "superseded" => "superseded",
        "refused" => "refused",
        "expired" => "expired",
        "rejected" => "rejected",
        "waiting" if !head["freeze"].is_null() => "waiting_for_unfreeze",
        // What holds or stops the one before it has a name of its own.
        "waiting" if number(&head["moving"]) > 0 => "waiting_for_its_turn",
        "surveying" => match text(&release["phase"]["held"]["kind"]) {
            "no_way_back" => "held_without_way_back",
            "busy" => "held_busy",
            "awaited" => "held_awaited",
            "unfit" => "held_unfit",
            "withdrawn" => "held_withdrawn",
            "frozen" if !head["freeze"].is_null() => "waiting_for_unfreeze",
            "approval" if approved(release) && !head["freeze"].is_null() => "waiting_for_unfreeze",
            "approval" if waits_long(release) => "awaiting_approval",
            "approval" => return Err("waits for a word, or to expire".to_owned()),
            _ => return Err("is surveyed".to_owned()),
        },
        other => return Err(format!("is {other}")),
    })
}

/// What people were asked for was given.
fn approved(release: &Value) -> bool {
    let plan = &release["approved"]["plan"];
    !plan.is_null() && *plan == release["phase"]["held"]["plan"]
}

/// Nobody's word is waited for so long that a story does not wait for the end of it.
fn waits_long(release: &Value) -> bool {
    const LONG: SignedDuration = SignedDuration::from_hours(6);
    let [since, until] =
        [&release["phase"]["since"], &release["phase"]["held"]["until"]].map(moment);
    since.zip(until).is_some_and(|(since, until)| until.duration_since(since) > LONG)
}
