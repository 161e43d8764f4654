//! A release stops where only a person decides.

use super::words::{names, story_of, targets};
use super::{command, state};
use crate::model::{Notice, NoticeKind, Release, Severity, Slot, SlotPhase};

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
