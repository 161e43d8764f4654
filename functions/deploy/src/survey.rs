//! "Survey this release": baselines, revisions, and what stands in the way.

use jiff::Timestamp;
use tidegate_aws::survey::Survey;
use tidegate_aws::{App, Error, advance, carry_out};
use tidegate_core::decide::{Sightings, conclude};
use tidegate_core::model::{Phase, Plan, ReleaseId, Scene};

/// Surveys `id` if that is still what is asked, and opens its first wave if nothing forbids it.
pub(crate) async fn take(
    app: &App,
    scene: &Scene,
    id: &ReleaseId,
    deadline: Timestamp,
) -> Result<(), Error> {
    let asked = scene
        .moving
        .as_ref()
        .filter(|r| r.id == *id && matches!(r.phase, Phase::Surveying { .. }) && r.todo.is_some());
    let Some(release) = asked else {
        tracing::info!(release = %id, "nothing to survey any more");
        return Ok(());
    };
    let nudge = release.nudge;
    let survey = Survey::new(app, scene, release, app.dice.name(), deadline);
    let Some(found) = survey.findings().await? else {
        tracing::warn!(release = %id, "AWS throttles the survey; the next tick goes on from here");
        return Ok(());
    };
    // Only what this survey was asked for: a newer release wants a survey of its own, and so does
    // this one without the bytes that were blocked meanwhile.
    let scene = app.table.scene(&id.pipeline).await?;
    carry_out(&app.table, scene, |scene| match &scene.moving {
        Some(release) if release.id == *id && release.nudge == nudge => {
            conclude(scene, &found, app.clock.now())
        }
        _ => Plan::default(),
    })
    .await?;
    let scene = app.table.scene(&id.pipeline).await?;
    advance(&app.table, &app.clock, scene, &Sightings::new()).await?;
    Ok(())
}
