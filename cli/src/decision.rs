//! An operator's decision: read, decide, write; whoever loses a race reads and decides again.

use jiff::Timestamp;
use tidegate_aws::advance;
use tidegate_aws::table::Commit;
use tidegate_core::command::Refused;
use tidegate_core::decide::{Sightings, decide};
use tidegate_core::model::{Change, Scene};

use crate::view::Outcome;
use crate::{Error, Session};

/// A person's write races with at most a few functions', each of which writes once a wake-up.
pub(crate) const TRIES: u32 = 8;

/// What is known when a decision is made.
pub(crate) struct Moment<'a> {
    /// What the table holds.
    pub(crate) scene: &'a Scene,
    /// Who decides.
    pub(crate) actor: &'a str,
    /// When.
    pub(crate) now: Timestamp,
}

/// Carries out one decision about `pipeline`, or with `dry_run` only says what it would be.
pub(crate) async fn carry_out(
    session: &Session,
    pipeline: &str,
    dry_run: bool,
    decision: impl Fn(&Moment<'_>) -> Result<Change, Refused>,
) -> Result<Outcome, Error> {
    let (table, clock) = (session.table().await?, session.clock()?);
    let actor = &session.identity().await?.arn;
    for _ in 0..TRIES {
        let scene = table.scene(pipeline).await?;
        let change = decision(&Moment { scene: &scene, actor, now: clock.now() })?;
        if dry_run {
            return Ok(Outcome::imagined(&scene, &change));
        }
        if table.commit(&change).await? == Commit::Done {
            // The next step is the functions' as well: where they cannot be reached in time by
            // our reading, they take it.
            advance(table, clock, pipeline, &Sightings::new()).await?;
            let after = table.scene(pipeline).await?;
            let plan = decide(&after, &Sightings::new(), clock.now());
            return Ok(Outcome::written(&after, &change, &plan.waiting_on));
        }
    }
    Err(Error::Overtaken(pipeline.to_owned()))
}
