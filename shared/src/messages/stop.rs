//! A release stops where only a person decides.

use super::words::{names, story_of, targets};
use super::{command, state};
use crate::model::{Failure, Notice, NoticeKind, Release, Severity, Slot, SlotPhase};

/// It failed, and the config says to touch nothing.
pub fn frozen(release: &Release, slots: &[&Slot]) -> Notice {
    let (id, pipeline) = (&release.id, &release.id.pipeline);
    let cause = release.failure.as_ref().map_or("", |failure| &failure.cause);
    let mut text = story_of(release);
    text.push(
        "Tidegate does nothing more: the config says to freeze. Everything stays as it is \
         until a person decides."
            .to_owned(),
    );
    Notice {
        kind: NoticeKind::Frozen,
        severity: Severity::Warning,
        title: format!("{id} failed, frozen: {cause}"),
        text,
        commands: vec![
            command::show(id),
            command::rollback(release),
            command::accept(pipeline),
            command::unfreeze(pipeline),
        ],
        targets: slots.iter().map(|slot| state(slot)).collect(),
    }
}

/// Somebody else changed a target in mid-release.
pub fn drifted(release: &Release, slots: &[&Slot]) -> Notice {
    let (id, pipeline) = (&release.id, &release.id.pipeline);
    let changed: Vec<_> = slots
        .iter()
        .copied()
        .filter(|slot| matches!(slot.phase, SlotPhase::Drifted { .. }))
        .collect();
    let lines: Vec<_> = changed.iter().map(|slot| format!("- {}", state(slot))).collect();
    let mut text = vec![
        format!(
            "While the release moved, {} got a revision that is neither the release's nor the one \
             before.",
            targets(&changed)
        ),
        format!("Seen:\n{}", lines.join("\n")),
        format!(
            "Tidegate leaves that alone, moves nothing more, and {pipeline} is frozen until a \
             person decides."
        ),
        "Look in CloudTrail for UpdateService, or ask who applied Terraform or CloudFormation."
            .to_owned(),
    ];
    text.extend(story_of(release));
    Notice {
        kind: NoticeKind::Drifted,
        severity: Severity::Warning,
        title: format!("{id} stopped: somebody else changed {}", names(&changed)),
        text,
        commands: vec![
            command::show(id),
            command::rollback(release),
            command::rollback_drifted(release),
            command::accept(pipeline),
            command::unfreeze(pipeline),
        ],
        targets: slots.iter().map(|slot| state(slot)).collect(),
    }
}

/// A rollback that did not hold: Tidegate cannot mend it.
pub fn rollback_failed(release: &Release, slots: &[&Slot]) -> Notice {
    if release.cause.undoes() {
        return undo_failed(release, slots);
    }
    let (id, pipeline) = (&release.id, &release.id.pipeline);
    let failed: Vec<_> = slots
        .iter()
        .filter_map(|slot| match &slot.phase {
            SlotPhase::ReturnFailed { failure } => Some((*slot, failure)),
            _ => None,
        })
        .collect();
    let stranded: Vec<_> = failed.iter().map(|(slot, _)| *slot).collect();
    let mut text = vec![format!(
        "{} did NOT come back to what ran before. Tidegate does not try again by itself, and \
         {pipeline} is frozen: a person must act now.",
        targets(&stranded)
    )];
    text.extend(failed.iter().map(|(slot, failure)| fell(slot, failure)));
    if let Some(failure) = &release.failure {
        text.push(format!("The release had failed because of: {}.", failure.cause));
    }
    Notice {
        kind: NoticeKind::RollbackFailed,
        severity: Severity::Critical,
        title: format!("{id} ROLLBACK FAILED on {}", names(&stranded)),
        text,
        commands: vec![
            command::show(id),
            command::rollback_again(release),
            command::abandon(pipeline),
            command::accept(pipeline),
            command::unfreeze(pipeline),
        ],
        targets: slots.iter().map(|slot| state(slot)).collect(),
    }
}

/// An operator's rollback to an earlier release fell as any release may; it causes no other.
pub fn own_rollback_failed(release: &Release, slots: &[&Slot], to: u64) -> Notice {
    let (id, pipeline) = (&release.id, &release.id.pipeline);
    let failed: Vec<_> = slots
        .iter()
        .filter_map(|slot| match &slot.phase {
            SlotPhase::Failed { failure } => Some((*slot, failure)),
            _ => None,
        })
        .collect();
    let cause = release.failure.as_ref().map_or("", |failure| &failure.cause);
    let mut text = vec![format!(
        "It went back to {pipeline}/{to}, and that did not hold. Tidegate does nothing more by itself, \
         every target stays as it is, and {pipeline} is frozen: a person must act now."
    )];
    if failed.is_empty() {
        text.extend(story_of(release));
    }
    text.extend(failed.iter().map(|(slot, failure)| fell(slot, failure)));
    text.push(format!(
        "To go on: mend it, `accept`, and start {id} again, which goes back once more. To return to what \
         it left: call it off."
    ));
    Notice {
        kind: NoticeKind::RollbackFailed,
        severity: Severity::Critical,
        title: format!("{id} FAILED to go back to {to}: {cause}"),
        text,
        commands: vec![
            command::show(id),
            command::accept(pipeline),
            command::start_again(id),
            command::rollback(release),
            command::unfreeze(pipeline),
        ],
        targets: slots.iter().map(|slot| state(slot)).collect(),
    }
}

/// What undoes a one-off task did not end well: nobody but a person knows what it left.
fn undo_failed(release: &Release, slots: &[&Slot]) -> Notice {
    let (id, pipeline) = (&release.id, &release.id.pipeline);
    let mut text = vec![format!(
        "What undoes {} did not end well. No service was changed. Tidegate does not try again by \
         itself, and {pipeline} is frozen: look at what it left in the database.",
        names(slots)
    )];
    text.extend(story_of(release));
    Notice {
        kind: NoticeKind::RollbackFailed,
        severity: Severity::Critical,
        title: format!("{id} FAILED to undo {}", names(slots)),
        text,
        commands: vec![command::show(id), command::accept(pipeline), command::unfreeze(pipeline)],
        targets: slots.iter().map(|slot| state(slot)).collect(),
    }
}

/// A target that fell, with what was seen and what usually helps.
fn fell(slot: &Slot, failure: &Failure) -> String {
    let mut lines = vec![state(slot)];
    lines.extend(failure.evidence.iter().map(|line| format!("- {line}")));
    if !failure.remedy.is_empty() {
        lines.push(format!("What usually helps: {}.", failure.remedy));
    }
    lines.join("\n")
}
