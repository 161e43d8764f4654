//! Read consistently, decide, write one transaction, until nothing changes.
//!
//! Every function and the operator's CLI runs it after its own write, so no step lacks an owner.

use tidegate_core::decide::{Sightings, decide};
use tidegate_core::model::{Change, Phase, Plan, Release, Scene, WaitingOn};

use crate::Clock;
use crate::promotion;
use crate::table::{Commit, Table, TableError};

/// A release of a few waves settles in a handful of rounds; more means that two programs undo
/// each other's work, and then the next wake-up continues.
const ROUNDS: u32 = 40;

/// Where a pipeline stands after it was advanced.
#[derive(Debug, Clone, PartialEq)]
pub struct Advanced {
    /// What was written.
    pub changes: usize,
    /// Why nothing more was.
    pub waiting_on: Vec<WaitingOn>,
    /// The release that became live with it.
    pub live: Option<Release>,
}

/// Brings a pipeline as far as what is known allows.
///
/// `scene` was read after the caller's last write: of two that write beside each other, then at
/// least one sees both. What was seen was looked up for this very scene. Everything written is
/// conditional on what was read, so a scene that is out of date costs a read, not a mistake.
pub async fn advance(
    table: &Table,
    clock: &Clock,
    scene: Scene,
    sightings: &Sightings,
) -> Result<Advanced, TableError> {
    let promotes_to = scene.config.promotes_to.clone();
    let advanced = carry_out(table, scene, |scene| decide(scene, sightings, clock.now())).await?;
    for to in promotes_to {
        let Some(live) = &advanced.live else { break };
        // What is live is live; the sweep offers it again.
        if let Err(error) = promotion::offer(table, clock, live, &to).await {
            tracing::warn!(to, error = &error as &dyn std::error::Error, "not offered yet");
        }
    }
    Ok(advanced)
}

/// The same loop around any pure decision.
pub async fn carry_out(
    table: &Table,
    mut scene: Scene,
    plan: impl Fn(&Scene) -> Plan,
) -> Result<Advanced, TableError> {
    let pipeline = scene.head.pipeline.clone();
    let (mut changes, mut live) = (0, None);
    for _ in 0..ROUNDS {
        let plan = plan(&scene);
        if plan.changes.is_empty() {
            return Ok(Advanced { changes, waiting_on: plan.waiting_on, live });
        }
        for change in &plan.changes {
            match table.commit(change).await? {
                Commit::Done => {
                    changes += 1;
                    let is_live = |it: &&Release| matches!(it.phase, Phase::Live { .. });
                    live = change.releases.iter().find(is_live).cloned().or(live);
                    tell(&pipeline, change);
                }
                Commit::Superseded => tracing::info!(pipeline, "superseded write, reading again"),
            }
        }
        scene = table.scene(&pipeline).await?;
    }
    Err(TableError::Contended { what: format!("pipeline {pipeline}"), tries: ROUNDS })
}

/// One line for each change of state.
fn tell(pipeline: &str, change: &Change) {
    for entry in &change.journal {
        let subject = match &entry.subject {
            tidegate_core::model::Subject::Target { target } => target.name.as_str(),
            _ => "",
        };
        tracing::info!(
            pipeline,
            release = %entry.release,
            target = subject,
            from = entry.from,
            to = entry.to,
            reason = entry.reason,
            "changed"
        );
    }
}
