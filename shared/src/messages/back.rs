//! A release goes back, or came back.

use super::words::{affected, names, services_of, story_of, targets};
use super::{command, state};
use crate::model::{Notice, NoticeKind, Release, ReleaseImage, Severity, Slot, SlotPhase};
use crate::sighting::Strategy;

/// It failed, or a person said so: everything that was touched goes back. `blocked` of its images
/// were to blame.
pub fn rollback_started(release: &Release, slots: &[&Slot], blocked: &[&ReleaseImage]) -> Notice {
    let id = &release.id;
    let cause = release.failure.as_ref().map_or("", |failure| &failure.cause);
    let touched: Vec<_> =
        services_of(slots).into_iter().filter(|slot| slot.phase.was_touched()).collect();
    let mut text = story_of(release);
    text.push(match touched.len() {
        0 => "No service had been changed; the next message says how it ended.".to_owned(),
        _ => format!(
            "Tidegate brings {} back to what ran before; there is nothing to do now. The next \
             message says how it ended.",
            targets(&touched)
        ),
    });
    text.extend(second_deployment(&touched));
    text.extend(stays_out(release, blocked));
    Notice {
        kind: NoticeKind::RollbackStarted,
        severity: Severity::Warning,
        title: format!("{id} goes back: {cause}"),
        text,
        commands: vec![command::show(id), command::follow(&id.pipeline)],
        targets: affected(slots).iter().map(|slot| state(slot)).collect(),
    }
}

/// How a pipeline stands once a release of it is rolled back.
#[derive(Debug, Clone, Default)]
pub struct Aftermath<'a> {
    /// Images of the release that do not come again.
    pub blocked: Vec<&'a ReleaseImage>,
    /// Images that are live, and blocked all the same: a rollback that was called off leaves them so.
    pub live_blocked: Vec<&'a ReleaseImage>,
    /// The config says what undoes a one-off task that ran.
    pub can_undo: bool,
    /// Nothing new starts.
    pub frozen: bool,
    /// The release that waits its turn, which has come if nothing is frozen.
    pub waiting: Option<&'a Release>,
}

/// Every target that was touched runs its baseline again.
pub fn rolled_back(release: &Release, slots: &[&Slot], after: &Aftermath<'_>) -> Notice {
    let Aftermath { blocked, live_blocked, can_undo, frozen, waiting } = after;
    let (id, pipeline) = (&release.id, &release.id.pipeline);
    let back: Vec<_> = slots
        .iter()
        .copied()
        .filter(|slot| matches!(slot.phase, SlotPhase::Returned { .. }))
        .collect();
    let (told, first) = if back.is_empty() {
        let told = "no service had been changed";
        (told.to_owned(), "No service had been changed.".to_owned())
    } else {
        let back = targets(&back);
        (format!("{back} on what ran before"), format!("{back} back on what ran before."))
    };
    let mut text = vec![first];
    text.extend(story_of(release));
    text.extend(what_ran_stays(slots));
    text.extend(stays_out(release, blocked));
    if !live_blocked.is_empty() {
        text.push(format!(
            "What is live, {}, is blocked: nothing releases it again, until a person unblocks it.",
            labels(live_blocked)
        ));
    }
    text.push(match waiting {
        _ if *frozen => {
            format!("{pipeline} is frozen: what is pushed waits until a person unfreezes it.")
        }
        Some(next) => format!("{}, which waited, starts now: {}.", next.id, next.label()),
        None => "The next push is released as usual.".to_owned(),
    });
    let mut commands = vec![command::show(id)];
    let unblock = |image: &&ReleaseImage| command::unblock(pipeline, &image.digest);
    commands.extend(blocked.iter().chain(live_blocked).map(unblock));
    commands.extend(frozen.then(|| command::unfreeze(pipeline)));
    commands.extend(can_undo.then(|| command::down(pipeline)));
    Notice {
        kind: NoticeKind::RolledBack,
        severity: Severity::Warning,
        title: format!("{id} rolled back: {told}"),
        text,
        commands,
        targets: affected(slots).iter().map(|slot| state(slot)).collect(),
    }
}

/// What undoes the one-off tasks of an earlier release ran, because a person asked for it.
pub fn undone(release: &Release, slots: &[&Slot]) -> Notice {
    let id = &release.id;
    Notice {
        kind: NoticeKind::RolledBack,
        severity: Severity::Info,
        title: format!("{id} ran what undoes {}", names(slots)),
        text: vec![
            format!("{} asked for it. It ended with exit code 0.", release.by),
            "No service was changed by it.".to_owned(),
        ],
        commands: vec![command::show(id)],
        targets: slots.iter().map(|slot| state(slot)).collect(),
    }
}

/// A rollback undoes no migration: nobody but a person knows whether that would be right.
fn what_ran_stays(slots: &[&Slot]) -> Option<String> {
    let ran: Vec<_> = slots.iter().copied().filter(|slot| slot.ran()).collect();
    (!ran.is_empty()).then(|| {
        format!(
            "{} had been run: what it did stays as it is, and so does the schema. Tidegate undoes \
             no migration by itself; one that failed may have done a part, so look first.",
            names(&ran)
        )
    })
}

/// Blue/green and the like go back by deploying once more, with all their bakes and steps.
fn second_deployment(touched: &[&Slot]) -> Option<String> {
    let native = |slot: &&Slot| slot.baseline.strategy == Strategy::Native;
    let finished = |slot: &&Slot| matches!(slot.phase, SlotPhase::Healthy { .. });
    let slow: Vec<_> = touched.iter().copied().filter(native).filter(finished).collect();
    let minutes = slow.iter().map(|slot| slot.baseline.native_minutes).max()?;
    Some(format!(
        "{} had finished a blue/green, linear or canary deployment: going back is a second one, \
         with {minutes} min of bakes and steps.",
        names(&slow)
    ))
}

fn stays_out(release: &Release, blocked: &[&ReleaseImage]) -> Option<String> {
    let (is, it, is_not, them) = match blocked.len() {
        0 => return None,
        1 => ("is", "it", "is not", "it"),
        _ => ("are", "they", "are not", "them"),
    };
    Some(format!(
        "{} {is} blocked in {}: {it} {is_not} released there again until a person unblocks {them}.",
        labels(blocked),
        release.id.pipeline
    ))
}

fn labels(images: &[&ReleaseImage]) -> String {
    let labels: Vec<_> = images.iter().map(|image| image.label()).collect();
    labels.join(", ")
}
