//! `tidegate verify`: whether the environment of a pipeline is well.

use tidegate_aws::verify;
use tidegate_core::messages::retired;
use tidegate_core::verify::lines;

use crate::output::Desk;
use crate::reference::pipeline_name;
use crate::view::VerifyView;
use crate::{Error, Exit, Session};

/// Say whether a pipeline's environment is well: one line each, green or with a remedy
///
/// Services, target groups, URLs and alarms, log groups, secrets, roles, images, the ways of events and
/// what Tidegate's functions may do. It only reads. What AWS refuses to show is said, and is not green.
#[derive(Debug, Clone, clap::Args)]
pub struct Verify {
    /// The pipeline
    #[arg(value_parser = pipeline_name)]
    pub pipeline: String,
    /// The installation's stack
    #[arg(long, env = "TIDEGATE_STACK", default_value = "tidegate", value_name = "NAME")]
    pub stack: String,
}

impl Verify {
    pub(crate) async fn run(&self, session: &Session, desk: &mut Desk<'_>) -> Result<Exit, Error> {
        let Self { pipeline, stack } = self;
        let scene = session.table().await?.scene(pipeline).await?;
        if let Some(why) = retired(&scene.head) {
            desk.talk(&why);
        }
        let home = session.home().await?;
        let facts = verify::look(&session.app().await?, &scene, &home, stack).await?;
        let view = VerifyView::new(pipeline, lines(&scene.config, &facts));
        desk.say(&view)?;
        Ok(if view.ok { Exit::Done } else { Exit::Failed })
    }
}
