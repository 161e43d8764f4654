//! A turn at one target: claim it, do what is asked, write down what came of it.

use jiff::Timestamp;
use tidegate_aws::table::{Claim, Recorded};
use tidegate_aws::{App, Error, advance};
use tidegate_core::decide::Sightings;
use tidegate_core::model::{Slot, TargetId};

use crate::call::{self, Came, RESERVE};

/// Requests taken up in one invocation; more means that somebody changes their mind every second.
const MOST_TURNS: u32 = 5;

/// Does what is asked at `target`, and what is asked meanwhile.
pub(crate) async fn take(app: &App, target: &TargetId, deadline: Timestamp) -> Result<(), Error> {
    let owner = app.dice.name();
    let Some(mut slot) = asked(app, target).await? else { return Ok(()) };
    let pipeline = slot.release.pipeline.clone();
    let mut waited = false;
    for _ in 0..MOST_TURNS {
        let now = app.clock.now();
        if now + RESERVE >= deadline {
            tracing::warn!(%target, "no time left in this invocation; the next tick asks again");
            break;
        }
        match app.table.claim(&slot, &owner, now).await? {
            Claim::Held(held) => match one(app, held, deadline).await? {
                Recorded::Finished => break,
                Recorded::Continues(_) => tracing::info!(%target, "something newer is asked"),
                Recorded::Lost => {
                    tracing::warn!(%target, "overtaken, or out of time for a call; reading again");
                }
            },
            // Another invocation is at it, or died: wait its lease out once.
            Claim::Taken(until) if !waited && until + RESERVE < deadline => {
                waited = true;
                app.clock.sleep(until.duration_since(now).unsigned_abs()).await;
            }
            Claim::Taken(until) => {
                tracing::info!(%target, %until, "another invocation holds the lease");
                break;
            }
            Claim::Moved => tracing::info!(%target, "superseded write, reading again"),
        }
        match asked(app, target).await? {
            Some(again) => slot = again,
            None => break,
        }
    }
    let scene = app.table.scene(&pipeline).await?;
    advance(&app.table, &app.clock, scene, &Sightings::new()).await?;
    Ok(())
}

/// The slot, if anything is asked of deploy there.
async fn asked(app: &App, target: &TargetId) -> Result<Option<Slot>, Error> {
    Ok(app.table.slot_of(target).await?.filter(Slot::asks_deploy))
}

/// One request, answered and written down.
async fn one(app: &App, slot: Box<Slot>, deadline: Timestamp) -> Result<Recorded, Error> {
    match call::act(app, slot, deadline).await? {
        Came::To(slot, outcome) => {
            let done = slot.done.clone().answered(outcome);
            Ok(app.table.record(&slot, done, true).await?)
        }
        Came::Overtaken => Ok(Recorded::Lost),
    }
}
