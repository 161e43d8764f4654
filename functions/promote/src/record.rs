//! One candidate, answered in the table.

use tidegate_aws::table::{Commit, TableError};
use tidegate_aws::{App, Error, advance};
use tidegate_core::decide::Sightings;
use tidegate_core::push::{Answer, Candidate, answer};

/// Writers of one head in the same second: after so many the event is retried by Lambda.
pub(crate) const TRIES: u32 = 8;

/// Answers one candidate in the table, and moves the pipeline on; `None` when the registry must be
/// asked again.
pub(crate) async fn record(
    app: &App,
    pipeline: &str,
    candidate: &Candidate,
) -> Result<Option<String>, Error> {
    for _ in 0..TRIES {
        let scene = app.table.scene(pipeline).await?;
        let change = match answer(&scene, candidate, app.clock.now()) {
            Answer::Known(why) => {
                tracing::info!(pipeline, why, "known");
                return Ok(Some(why));
            }
            Answer::Outdated => {
                tracing::info!(pipeline, "another push was answered meanwhile, asking again");
                return Ok(None);
            }
            Answer::Record(change) => change,
        };
        if app.table.commit(&change).await? == Commit::Superseded {
            tracing::info!(pipeline, "superseded write, reading again");
            continue;
        }
        let said = match (change.pushes.first(), change.releases.first()) {
            (Some(push), _) => push.why.clone(),
            (None, Some(release)) => format!("{} brings {}", release.id, release.label()),
            (None, None) => "recorded".to_owned(),
        };
        tracing::info!(pipeline, said, "recorded");
        let scene = app.table.scene(pipeline).await?;
        advance(&app.table, &app.clock, scene, &Sightings::new()).await?;
        return Ok(Some(said));
    }
    let what = format!("the push of {} to {pipeline}", candidate.pushed.bytes.label());
    Err(TableError::Contended { what, tries: TRIES }.into())
}
