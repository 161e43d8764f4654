//! A release starts, waits for a person, or may not start.

use super::words::{affected, names, services_of, targets};
use super::{approval, command, state};
use crate::model::{Cause, Hold, Notice, NoticeKind, Release, ReleaseImage, Severity, Slot};

/// The first wave opens: every way back is recorded.
pub fn started(release: &Release, slots: &[&Slot]) -> Notice {
    let pipeline = &release.id.pipeline;
    let moving = affected(slots);
    let notes: Vec<_> = moving
        .iter()
        .flat_map(|slot| slot.baseline.notes.iter().map(|n| format!("- {}: {n}", slot.target.name)))
        .collect();
    let going = services_of(&moving);
    let tasks: Vec<_> = moving.iter().copied().filter(|slot| slot.target.is_task()).collect();
    let mut text = vec![format!("{}: {}.", why_it_exists(release), release.label())];
    if !tasks.is_empty() {
        let names = names(&tasks);
        text.push(format!("First {names} must run to its end with exit code 0."));
    }
    if !going.is_empty() {
        text.push(format!("It goes to {} {}.", targets(&going), waves(&going)));
    }
    text.push(if going.is_empty() {
        "No service is changed by it.".to_owned()
    } else if release.without_way_back {
        "An operator started it without a way back: what has none cannot be brought back."
            .to_owned()
    } else {
        "What each service runs now is recorded: that is the way back.".to_owned()
    });
    if !notes.is_empty() {
        text.push(format!("To know before it moves:\n{}", notes.join("\n")));
    }
    let careful = release.without_way_back || !notes.is_empty();
    Notice {
        kind: NoticeKind::Started,
        severity: if careful { Severity::Warning } else { Severity::Info },
        title: format!("{} started: {}", release.id, release.label()),
        text,
        commands: vec![command::follow(pipeline), command::rollback(release)],
        targets: slots.iter().map(|slot| state(slot)).collect(),
    }
}

fn why_it_exists(release: &Release) -> String {
    match &release.cause {
        Cause::Push => "Pushed".to_owned(),
        Cause::Adopted => "Adopted as it runs".to_owned(),
        Cause::Rollback { to } => {
            format!("{} goes back to {}/{to}", release.by, release.id.pipeline)
        }
        Cause::Start => format!("{} started it by hand", release.by),
        Cause::Undo { of } => {
            format!("{} undoes the one-off tasks of {}/{of}", release.by, release.id.pipeline)
        }
        Cause::Promoted { from } => format!("Live as {from}, the same digests"),
    }
}

/// `in 2 waves: Rag; then Billing, Carousel`
fn waves(slots: &[&Slot]) -> String {
    let last = slots.iter().map(|slot| slot.wave).max().unwrap_or_default();
    let waves: Vec<_> = (0..=last)
        .map(|wave| slots.iter().copied().filter(|slot| slot.wave == wave).collect::<Vec<_>>())
        .filter(|wave| !wave.is_empty())
        .map(|wave| names(&wave))
        .collect();
    let count =
        if waves.len() == 1 { "1 wave".to_owned() } else { format!("{} waves", waves.len()) };
    format!("in {count}: {}", waves.join("; then "))
}

/// The survey found something that a person must settle first. Nothing was moved. `None`: who froze the
/// pipeline knows what lets it start.
pub fn waiting(release: &Release, hold: &Hold) -> Option<Notice> {
    let (id, pipeline) = (&release.id, &release.id.pipeline);
    let (what, next, targets, command) = match hold {
        Hold::NoWayBack { targets } => (
            "no way back is known",
            "If the release failed, these targets could not be brought back. Where bytes are blocked \
             that are right after all: `tidegate unblock` them, then `tidegate start` the release again.",
            targets,
            Some(command::without_way_back(id)),
        ),
        Hold::Busy { targets, .. } => (
            "another deployment is in flight",
            "It starts by itself once they have settled.",
            targets,
            None,
        ),
        Hold::Awaited { targets, .. } => (
            "its images have not arrived yet",
            "It is asked every minute, and goes on by itself once they are there. If nothing brings \
             them, look at the replication of the registry that they come from, or copy them. Where \
             `registry` in the config is wrong: abandon it, apply the right config, unfreeze.",
            targets,
            None,
        ),
        Hold::Unfit { targets } => (
            "a target cannot be released as it is",
            if release.cause.goes_back() {
                "Mend it, then start the release again: it is looked at anew. No push takes its place."
            } else {
                "Mend it, then start the release again. To take it out of the config instead: \
                 abandon the release first, then apply the config and unfreeze. A newer push takes \
                 the release's place by itself."
            },
            targets,
            Some(command::start_again(id)),
        ),
        Hold::Approval { changes, until, .. } => {
            return Some(approval::asked(release, changes, *until, release.approved.is_some()));
        }
        Hold::Withdrawn { why } => (
            "its own pipeline went back from it",
            "It is asked every minute, and goes on by itself once nothing of it is blocked there; a \
             newer promotion takes its place.",
            &vec![why.clone()],
            Some(command::reject(id)),
        ),
        Hold::Frozen => return None,
    };
    let found: Vec<_> = targets.iter().map(|target| format!("- {target}")).collect();
    let commands = [Some(command::show(id)), command, Some(command::abandon(pipeline))];
    Some(Notice {
        kind: NoticeKind::Waiting,
        severity: Severity::Warning,
        title: format!("{id} waits: {what}"),
        text: vec![
            format!("It brings {}. Nothing was moved.", release.label()),
            format!("In the way:\n{}", found.join("\n")),
            next.to_owned(),
        ],
        commands: commands.into_iter().flatten().collect(),
        targets: Vec::new(),
    })
}

/// A release that may not start: nothing was moved.
pub fn refused(release: &Release, why: &str) -> Notice {
    Notice {
        commands: vec![command::show(&release.id), command::history(&release.id.pipeline)],
        ..refusal(&release.id.to_string(), &release.label(), why)
    }
}

/// A push that made no release, because its bytes may not be released here.
pub fn push_refused(pipeline: &str, image: &ReleaseImage, why: &str) -> Notice {
    Notice {
        commands: vec![command::history(pipeline), command::unblock(pipeline, &image.digest)],
        ..refusal(pipeline, &image.label(), why)
    }
}

fn refusal(what: &str, label: &str, why: &str) -> Notice {
    Notice {
        kind: NoticeKind::Refused,
        severity: Severity::Warning,
        title: format!("{what} refused: {label}"),
        text: vec![format!("Why: {why}."), "Nothing was moved.".to_owned()],
        commands: Vec::new(),
        targets: Vec::new(),
    }
}
