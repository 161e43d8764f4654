//! A release ends well, or is let go.

use super::words::{affected, services_of, span, story_of, targets};
use super::{Explanation, command, state};
use crate::model::{Notice, NoticeKind, Phase, Release, Severity, Slot, TaskFailure};

/// On all its targets, or accepted as it stands.
pub fn live(release: &Release, slots: &[&Slot]) -> Notice {
    let (id, pipeline) = (&release.id, &release.id.pipeline);
    let affected = affected(slots);
    let moved = services_of(&affected);
    let (unproven, accepted, took) = match release.phase {
        Phase::Live { at, unproven, accepted } => (unproven, accepted, span(release.at, at)),
        _ => (false, false, String::new()),
    };
    let (title, text) = if accepted {
        let mut text = vec![
            "A person accepted what runs as it is. Nothing is moved.".to_owned(),
            "If the pipeline is frozen it stays so until `unfreeze`.".to_owned(),
        ];
        text.extend(story_of(release));
        (format!("{id} accepted as it stands: {}", release.label()), text)
    } else if unproven {
        let text = vec![
            format!("{} changed to {}.", targets(&moved), release.label()),
            unproven_because(&moved),
        ];
        (format!("{id} is live, unproven: {}", release.label()), text)
    } else {
        let text = vec![format!(
            "On {}: {}, {took} after it was recorded.",
            targets(&moved),
            release.label()
        )];
        (format!("{id} is live: {}", release.label()), text)
    };
    let commands = if accepted {
        vec![command::show(id), command::unfreeze(pipeline)]
    } else {
        vec![command::show(id), command::leave(release)]
    };
    Notice {
        kind: NoticeKind::Live,
        severity: if unproven { Severity::Warning } else { Severity::Info },
        title,
        text,
        commands,
        targets: affected.iter().map(|slot| state(slot)).collect(),
    }
}

/// What would have proven it, and did not run.
fn unproven_because(moved: &[&Slot]) -> String {
    if moved.iter().all(|slot| slot.target.kind.is_scheduled()) {
        "Nothing of it ran yet: its next run has to prove it.".to_owned()
    } else {
        "No task ran that could prove it: the desired count is 0 everywhere.".to_owned()
    }
}

/// A run of a schedule failed on a release that is live.
pub fn run_failed(live: &Release, slot: &Slot, why: &Explanation, run: &TaskFailure) -> Notice {
    let (id, target) = (&live.id, &slot.target);
    let noun = target.kind.noun();
    Notice {
        kind: NoticeKind::RunFailed,
        severity: Severity::Warning,
        title: format!("{}: its run failed on {id}", target.name),
        text: vec![
            format!("Why: {}.", why.cause),
            format!("Seen:\n- {run}"),
            format!("What usually helps: {}.", why.remedy),
            format!(
                "The {noun} has named {} since {id} became live. Tidegate moves nothing by itself: \
                 what else the release brought has held. Later runs that fail are in the audit \
                 trail only.",
                live.label()
            ),
        ],
        commands: vec![command::show(id), command::leave(live)],
        targets: Vec::new(),
    }
}

/// It is live, but an image of it did not take the tag that marks it: nothing is wrong with what runs.
pub fn retag_failed(release: &Release, tag: &str, refused: &[String]) -> Notice {
    let id = &release.id;
    let refused: Vec<_> = refused.iter().map(|line| format!("- {line}")).collect();
    Notice {
        kind: NoticeKind::RetagFailed,
        severity: Severity::Warning,
        title: format!("{id} is live, but `{tag}` is not on all its images"),
        text: vec![
            format!("The release stays live; the tag that marks it is missing:\n{}", refused.join("\n")),
            "Tidegate does not try again for this release; the next one that becomes live gets the \
             tag as usual. A repository whose tags are immutable keeps it where it is: let it \
             exclude this tag, or take `retag` out of the config."
                .to_owned(),
        ],
        commands: vec![command::show(id)],
        targets: Vec::new(),
    }
}

/// A person took Tidegate's hands off it.
pub fn abandoned(release: &Release, slots: &[&Slot], actor: &str) -> Notice {
    let (id, pipeline) = (&release.id, &release.id.pipeline);
    let mut text = vec![
        format!(
            "{actor} took Tidegate's hands off it. Every service stays as it is now; Tidegate \
             neither finishes the release nor brings anything back."
        ),
        format!("{pipeline} is frozen: nothing new starts until a person says so."),
    ];
    text.extend(story_of(release));
    Notice {
        kind: NoticeKind::Abandoned,
        severity: Severity::Warning,
        title: format!("{id} abandoned: everything stays as it is"),
        text,
        commands: vec![command::show(id), command::unfreeze(pipeline)],
        targets: slots.iter().map(|slot| state(slot)).collect(),
    }
}
