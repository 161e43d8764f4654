//! `demo`: two stories, and whether both ended as they must.

use std::process::ExitCode;

use tidegate_local::laptop::{Laptop, Options};

use super::{Common, Failure};
use crate::demo::{Story, View};

/// Fast enough for a person who watches; slow enough that ten seconds of AWS's time, which the
/// functions give a call, stay two thirds of one for debug builds on a busy machine.
const SPEED: f64 = 15.0;

/// A good image goes live, a crashing one comes back
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Demo {
    #[command(flatten)]
    common: Common,
    /// So many times faster than the wall clock
    #[arg(long, default_value_t = SPEED, value_parser = speed)]
    speed: f64,
}

impl Default for Demo {
    fn default() -> Self {
        Self { common: Common::default(), speed: SPEED }
    }
}

/// Time goes on, and no faster than the machine can follow.
pub(super) fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse::<f64>().ok().filter(|speed| (0.1..=100.0).contains(speed));
    speed.ok_or_else(|| "expected a number from 0.1 to 100".to_owned())
}

impl Demo {
    pub(super) async fn run(self) -> Result<ExitCode, Failure> {
        let pipelines = self.common.pipelines()?;
        let options = Options {
            pipelines: pipelines.clone(),
            port: 0,
            speed: self.speed,
            functions: self.common.programs().await?,
            logs: self.common.logs(),
            seed: self.common.seed,
        };
        let logs = options.logs.display().to_string();
        let laptop = Laptop::start(options).await?;
        let story =
            Story::new(&laptop, &pipelines).ok_or("no pipeline of the config takes pushes")?;
        let mut view = View::new(self.speed, &story.names());
        if story.tell(&mut view, &self.common.file()).await? {
            return Ok(ExitCode::SUCCESS);
        }
        view.line(&format!("The stories did not end as they must; the functions logged to {logs}"));
        Ok(ExitCode::FAILURE)
    }
}
