//! `tidegate follow`: the audit trail as it is written.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use tidegate_core::decide::{Sightings, decide};
use tidegate_core::model::{Hold, Phase, Release, Scene, Subject};

use crate::output::{Desk, Tone};
use crate::view::{EntryView, wait_in_words};
use crate::{Error, Exit, Reference, Session};

/// Watch a release move, line by line, until it ends or a person must decide
///
/// Exits with the release's state. With `--output json` each line is one JSON object.
#[derive(Debug, Clone, clap::Args)]
pub struct Follow {
    /// someli-production/42, or the pipeline alone: what moves there
    pub release: Reference,
}

/// Soon enough to feel alive; a few reads a second's half of a table that costs by the read.
pub(crate) const PAUSE: Duration = Duration::from_secs(2);

impl Follow {
    pub(crate) async fn run(&self, session: &Session, desk: &mut Desk<'_>) -> Result<Exit, Error> {
        let (table, clock) = (session.table().await?, session.clock()?);
        let id = self.release.find(table).await?.id;
        let mut told = Told::default();
        loop {
            // Read before the journal: when it has ended, the journal is complete.
            let release = Reference::to(&id).find(table).await?;
            for entry in table.journal(&id).await? {
                if told.entries.insert((entry.subject.clone(), entry.step)) {
                    desk.say_next(&EntryView(entry))?;
                }
            }
            if release.phase.is_ended() || release.phase.is_stuck() {
                return Ok(Exit::of(&release));
            }
            let scene = table.scene(&id.pipeline).await?;
            told.waits(desk, &scene, clock.now());
            if awaits_a_person(&scene, &release) {
                return Ok(Exit::of(&release));
            }
            clock.sleep(PAUSE).await;
        }
    }
}

/// Nothing lets it go on but a person: who unfreezes its pipeline, approves it, mends what holds it, or
/// decides about the release before it.
pub(crate) fn awaits_a_person(scene: &Scene, release: &Release) -> bool {
    let frozen = scene.head.freeze.is_some() && !release.cause.goes_back();
    match &release.phase {
        Phase::Waiting { .. } => match &scene.moving {
            None => frozen,
            // One that gives way to nobody keeps whoever is behind it.
            Some(before) => {
                let stays = scene.head.freeze.is_some() || before.cause.goes_back();
                before.phase.is_stuck() || (stays && awaits_a_person(scene, before))
            }
        },
        // Deploy looks again, because a person asked for it.
        Phase::Surveying { .. } if release.todo.is_some() => false,
        Phase::Surveying { held: Some(Hold::Approval { .. }), .. } => {
            frozen || release.approval_given().is_none()
        }
        Phase::Surveying { held: Some(held), .. } => frozen || !held.ends_by_itself(),
        _ => false,
    }
}

/// What was said already.
#[derive(Default)]
struct Told {
    entries: BTreeSet<(Subject, u64)>,
    waits: Vec<String>,
}

impl Told {
    /// Says what is waited for, when that is news.
    fn waits(&mut self, desk: &mut Desk<'_>, scene: &Scene, now: Timestamp) {
        let plan = decide(scene, &Sightings::new(), now);
        let waits: Vec<_> = plan.waiting_on.iter().map(wait_in_words).collect();
        for line in waits.iter().filter(|line| !self.waits.contains(line)) {
            desk.talk(&format!("{}: {line}", Tone::Waiting.of("waits")));
        }
        self.waits = waits;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::*;

    fn release(phase: &Value, approved: &Value) -> Release {
        let now = "2026-11-21T03:00:00Z";
        serde_json::from_value(json!({
            "id": "p/2", "step": 1, "cause": {"kind": "push"}, "by": "ecr", "at": now, "config": 1,
            "waves": [], "phase": phase, "images": {}, "approved": approved,
        }))
        .unwrap()
    }

    #[test]
    fn only_what_a_person_must_decide_ends_the_wait() {
        let now = "2026-11-21T03:00:00Z";
        let scene = |freeze: Value, moving: Option<Release>| -> Scene {
            let head =
                json!({"pipeline": "p", "step": 1, "next": 3, "config": 1, "freeze": freeze});
            let config = json!({
                "schema": 1, "name": "p", "account": "123456789012", "region": "us-west-2",
                "images": {}, "cluster": "c", "waves": [], "on_failure": "rollback",
                "base": "running",
                "watch": {"timeout": 1, "bake": 1, "failed_tasks": 1, "on_timeout": "rollback"},
            });
            Scene {
                head: serde_json::from_value(head).unwrap(),
                config: serde_json::from_value(config).unwrap(),
                moving,
                waiting: None,
                live: None,
                slots: BTreeMap::new(),
                blocked: BTreeMap::new(),
                rejected: BTreeMap::new(),
            }
        };
        let audit = json!({"by": "ada", "why": "audit", "at": now});
        let (open, frozen) = (scene(Value::Null, None), scene(audit.clone(), None));
        let waiting = release(&json!({"name": "waiting", "since": now}), &Value::Null);
        let before = |phase: Value| Some(release(&phase, &Value::Null));
        let busy =
            scene(audit.clone(), before(json!({"name": "rolling", "wave": 0, "since": now})));
        let stuck = scene(audit, before(json!({"name": "drifted", "at": now})));
        assert!(awaits_a_person(&frozen, &waiting) && awaits_a_person(&stuck, &waiting));
        assert!(!awaits_a_person(&open, &waiting) && !awaits_a_person(&busy, &waiting));

        let held = |held: &Value, approved: &Value| {
            release(&json!({"name": "surveying", "since": now, "held": held}), approved)
        };
        let asked = json!({"kind": "approval", "plan": "a1", "changes": [], "until": now});
        let given = |plan: &str| json!({"by": "ada", "at": now, "plan": plan});
        assert!(awaits_a_person(&open, &held(&asked, &Value::Null)));
        assert!(awaits_a_person(&open, &held(&asked, &given("b2"))), "for another plan");
        assert!(!awaits_a_person(&open, &held(&asked, &given("a1"))));
        assert!(awaits_a_person(&frozen, &held(&asked, &given("a1"))), "until it is unfrozen");
        let busy = json!({"kind": "busy", "targets": ["Rag"]});
        assert!(!awaits_a_person(&open, &held(&busy, &Value::Null)), "it settles by itself");
        assert!(awaits_a_person(&frozen, &held(&busy, &Value::Null)), "nobody asks again");
        let kept = json!({"kind": "frozen"});
        assert!(awaits_a_person(&frozen, &held(&kept, &Value::Null)));
        assert!(!awaits_a_person(&open, &held(&kept, &Value::Null)), "it was just unfrozen");
        let lost = json!({"kind": "no_way_back", "targets": ["Rag"]});
        assert!(awaits_a_person(&open, &held(&lost, &Value::Null)));
    }
}
