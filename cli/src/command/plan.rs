//! `tidegate plan`: what a release would change, before there is one.

use tidegate_aws::survey::Survey;
use tidegate_core::decide::{approval_due, blocked, live_already, reason_to_hold, rejected};
use tidegate_core::model::{Cause, Phase, Release, ReleaseId, Scene};

use crate::choice::{self, Choice};
use crate::output::Desk;
use crate::reference::pipeline_name;
use crate::view::PlanView;
use crate::{Error, Exit, Session};

/// Say what a release would change, wave by wave, and what it would wait for; change nothing
///
/// It looks as the survey of a release does: what each target runs now, the way back to it, and how its
/// definition would differ. Nothing is registered, tagged or written.
#[derive(Debug, Clone, clap::Args)]
pub struct Plan {
    /// The pipeline
    #[arg(value_parser = pipeline_name)]
    pub pipeline: String,
    /// This image instead of what the tags show: its name in the config, and a tag or a digest
    #[arg(long = "image", value_name = "NAME=TAG|DIGEST")]
    pub images: Vec<Choice>,
}

impl Plan {
    pub(crate) async fn run(&self, session: &Session, desk: &mut Desk<'_>) -> Result<Exit, Error> {
        let Self { pipeline, images } = self;
        let table = session.table().await?;
        let images = choice::images(session, pipeline, images).await?;
        let now = session.clock()?.now();
        let before = table.scene(pipeline).await?;
        let config = table.config(pipeline, before.head.config).await?;
        let waves = config.waves_of(&Cause::Start);
        let targets: Vec<_> = waves.iter().flatten().cloned().collect();
        let id = ReleaseId::new(pipeline.clone(), before.head.next);
        let (by, phase) =
            (&session.identity().await?.arn, Phase::Surveying { since: now, held: None });
        let release = Release {
            config: before.head.config,
            images,
            waves,
            ..Release::recorded(id, Cause::Start, by, now, phase)
        };
        let slots = table.slots(&targets).await?;
        let scene = Scene { config, slots, moving: Some(release.clone()), ..before.clone() };
        let app = session.app().await?;
        // Throttled for ever it would not end; nobody but the reader waits for it.
        let found = Survey::preview(&app, &scene, &release).findings().await?;
        let found = found.ok_or_else(|| {
            Error::NotNow("AWS throttles what it is asked; try again in a minute".to_owned())
        })?;
        let hold = reason_to_hold(&release, &found, now).map(|hold| hold.to_string());
        let approval = approval_due(&scene, &release, &found, now);
        let approval = approval.map(|_| "an approval: a person looks at this plan".to_owned());
        let waits = [waits_before(&before), hold, approval].into_iter().flatten().collect();
        let refused = blocked(&before, &release)
            .or_else(|| rejected(&before, &release.images))
            .or_else(|| live_already(&before, &release.images));
        desk.say(&PlanView::new(&release, &found, waits, refused))?;
        Ok(Exit::Done)
    }
}

/// What keeps a new release from starting, whatever it brings.
fn waits_before(scene: &Scene) -> Option<String> {
    let pipeline = &scene.head.pipeline;
    if let Some(moving) = &scene.moving {
        return Some(format!("its turn: {} is {}", moving.id, moving.phase.name()));
    }
    let freeze = scene.head.freeze.as_ref()?;
    Some(format!("`tidegate unfreeze {pipeline}`: frozen by {} ({})", freeze.by, freeze.why))
}
