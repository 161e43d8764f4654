//! Carries what is live in one pipeline to those that are promoted from it.
//!
//! Whoever makes a release live offers it, and the sweep offers it again: conditional and
//! idempotent, so that a crash in between costs five minutes.

use tidegate_core::model::{Cause, Release};
use tidegate_core::push::{self, Answer, answer, offered};

use crate::Clock;
use crate::table::{Commit, Table, TableError};

/// Other writers of that head write once a wake-up.
const TRIES: u32 = 8;

/// Why the pipeline that `release` was offered from does not stand by it any more.
pub async fn withdrawn(table: &Table, release: &Release) -> Result<Option<String>, TableError> {
    let Cause::Promoted { from } = &release.cause else { return Ok(None) };
    Ok(push::withdrawn(release, &table.scene(&from.pipeline).await?))
}

/// Offers `live` to the pipeline `to`; what was written of it, if anything was.
pub async fn offer(
    table: &Table,
    clock: &Clock,
    live: &Release,
    to: &str,
) -> Result<Option<String>, TableError> {
    for _ in 0..TRIES {
        // It may not be applied yet, or not any more be promoted from here.
        let Some(head) = table.head_of(to).await? else { return Ok(None) };
        let config = table.config(to, head.config).await?;
        let Some(candidate) = offered(live, &config) else { return Ok(None) };
        let scene = table.scene(to).await?;
        let change = match answer(&scene, &candidate, clock.now()) {
            Answer::Record(change) => change,
            Answer::Known(why) => {
                tracing::debug!(pipeline = to, why, "known");
                return Ok(None);
            }
            Answer::Outdated => continue,
        };
        if table.commit(&change).await? == Commit::Done {
            let said = match (change.pushes.first(), change.releases.first()) {
                (None, Some(release)) => format!("{} brings {}", release.id, release.label()),
                (push, _) => push.map_or(String::new(), |push| push.why.clone()),
            };
            tracing::info!(pipeline = to, from = %live.id, said, "offered");
            return Ok(Some(said));
        }
        tracing::info!(pipeline = to, "superseded write, reading again");
    }
    Err(TableError::Contended { what: format!("the offer of {} to {to}", live.id), tries: TRIES })
}
