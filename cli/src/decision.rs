//! An operator's decision: read, decide, write; whoever loses a race reads and decides again.

use jiff::Timestamp;
use tidegate_aws::table::{Commit, Lost, TableError};
use tidegate_aws::{Clock, Table, advance};
use tidegate_core::command::{self, Refused};
use tidegate_core::decide::Sightings;
use tidegate_core::model::{Change, ReleaseId, Scene, WaitingOn};

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
        let written = table.commit(&change).await;
        if written.map_err(|error| unwritten(pipeline, error))? == Commit::Done {
            let waiting_on = move_on(table, clock, pipeline).await;
            return Ok(match table.scene(pipeline).await {
                Ok(after) => Outcome::written(&after, &change, waiting_on),
                // It is written, whether it can be read again or not.
                Err(_) => Outcome::unread(&scene, &change, waiting_on),
            });
        }
    }
    Err(Error::Overtaken(pipeline.to_owned()))
}

/// Carries out one decision about `shown`, the release that a person saw move, and about no other: by
/// the time they have typed, the next one may.
pub(crate) async fn carry_out_on(
    session: &Session,
    shown: &ReleaseId,
    dry_run: bool,
    decision: impl Fn(&Moment<'_>) -> Result<Change, Refused>,
) -> Result<Outcome, Error> {
    carry_out(session, &shown.pipeline, dry_run, |moment| {
        command::check_moves(moment.scene, shown)?;
        decision(moment)
    })
    .await
}

/// The release that moves or is stuck, before a person decides about it.
pub(crate) async fn moving(session: &Session, pipeline: &str) -> Result<ReleaseId, Error> {
    let head = session.table().await?.head_of(pipeline).await?;
    let head = head.ok_or_else(|| TableError::NoSuchPipeline(pipeline.to_owned()))?;
    let number = head.moving.ok_or_else(|| command::nothing_moves(pipeline))?;
    Ok(ReleaseId::new(pipeline.to_owned(), number))
}

/// What it means for `pipeline` that a write failed: without an answer nobody knows.
pub(crate) fn unwritten(pipeline: &str, error: TableError) -> Error {
    match error {
        TableError::Call { lost: Lost::Answer, .. } => {
            Error::Unanswered { pipeline: pipeline.to_owned(), why: error }
        }
        error => error.into(),
    }
}

/// The next steps, which whoever wrote takes as far as they go: so no step lacks an owner.
pub(crate) async fn move_on(table: &Table, clock: &Clock, pipeline: &str) -> Vec<WaitingOn> {
    let advanced = async {
        let scene = table.scene(pipeline).await?;
        advance(table, clock, scene, &Sightings::new()).await
    };
    match advanced.await {
        Ok(advanced) => advanced.waiting_on,
        // What was decided is written all the same, and the functions wake up every minute.
        Err(error) => {
            let what = format!("the next wake-up of Tidegate's functions ({error})");
            vec![WaitingOn { target: None, what, until: None }]
        }
    }
}
