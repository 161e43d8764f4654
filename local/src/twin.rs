//! The digital twin: the shipped handlers and SDK clients in this process, in virtual time.
//!
//! Everything follows from the seed: the same seed is the same story, to the millisecond.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_types::SdkConfig;
use jiff::Timestamp;
use tidegate_aws::{Clock, Probe};
use tokio::task::LocalSet;

use crate::api::{ApiError, Place};
use crate::cloud::{Cloud, CloudError};
use crate::connector;
use crate::ecr::{manifest, serving};
use crate::engine::{Engine, World};
use crate::lambda::process::Programs;
use crate::operator::{self, Operator};
use crate::template::Template;

/// What a twin is made of.
pub struct Setting<'a> {
    /// Decides everything that AWS leaves to chance.
    pub seed: u64,
    /// The text of template.yaml.
    pub template: &'a str,
    /// Values for its parameters.
    pub parameters: BTreeMap<String, String>,
    /// Where it stands.
    pub place: Place,
    /// What time it is when the story begins.
    pub begins: Timestamp,
}

/// A running twin.
#[derive(Debug, Clone)]
pub struct Twin {
    /// The world itself.
    pub world: Arc<World>,
    region: String,
}

/// Nothing became true in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("waited {waited:?} in vain, until {now}")]
pub struct InVain {
    waited: Duration,
    now: Timestamp,
}

/// Makes a twin, tells it `story`, and ends it.
pub fn run<T>(
    setting: &Setting<'_>,
    programs: impl FnOnce(&Twin) -> Box<dyn Programs>,
    story: impl AsyncFnOnce(Twin) -> T,
) -> Result<T, TwinError> {
    // The SDK draws its retries' jitter and its tokens from the thread's own dice.
    fastrand::seed(setting.seed);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    LocalSet::new().block_on(&runtime, async {
        let template = Template::parse(setting.template).map_err(CloudError::from)?;
        let stack =
            template.deploy(&setting.parameters, &setting.place).map_err(CloudError::from)?;
        let cloud = Cloud::new(&stack, setting.seed, setting.begins)?;
        let world = World::new(cloud, Clock::virtual_from(setting.begins));
        let twin = Twin { world: world.clone(), region: setting.place.region.clone() };
        let engine = Engine::new(world, programs(&twin), Box::new(|_| ()));
        let engine = tokio::task::spawn_local(engine.run());
        let told = story(twin).await;
        engine.abort();
        Ok(told)
    })
}

/// Why a twin cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum TwinError {
    /// The local AWS.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// The machine.
    #[error("no runtime")]
    Runtime(#[from] std::io::Error),
}

impl Twin {
    /// What time it is.
    pub fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    /// The region it stands in.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Lets time pass.
    pub async fn run_for(&self, duration: Duration) {
        self.world.clock.sleep(duration).await;
    }

    /// Lets time pass until `holds`, looking every quarter of a second, for at most `limit`.
    pub async fn run_until(
        &self,
        limit: Duration,
        holds: impl Fn(&Cloud) -> bool,
    ) -> Result<Timestamp, InVain> {
        let deadline = self.now() + limit;
        while !self.world.look(&holds) {
            if self.now() >= deadline {
                return Err(InVain { waited: limit, now: self.now() });
            }
            self.run_for(Duration::from_millis(250)).await;
        }
        Ok(self.now())
    }

    /// Pushes an image that behaves so, under each of `tags` in turn; returns its digest.
    pub fn push(
        &self,
        repository: &str,
        tags: &[&str],
        behaviour: &str,
    ) -> Result<String, ApiError> {
        self.world.with(|cloud, now| crate::seed::push(cloud, repository, tags, behaviour, now))
    }

    /// The same of a healthy image whose tasks answer so by HTTP: `/health=503`.
    pub fn push_serving(
        &self,
        repository: &str,
        tags: &[&str],
        answers: &str,
    ) -> Result<String, ApiError> {
        self.world.with(|cloud, now| {
            let image = manifest(&format!("{repository} {answers} {now}"), "healthy");
            crate::seed::put(cloud, repository, tags, &serving(&image, answers), now)
        })
    }

    /// A person who types commands here.
    pub fn operator(&self) -> Operator {
        let sdk = self.sdk_config(operator::ACCESS_KEY);
        let clock = &self.world.clock;
        let probe = Probe::over(clock, connector::outside(&self.world));
        self.world.look(|cloud| Operator::new(cloud, clock, sdk, probe, 0))
    }

    /// An SDK config whose calls this twin answers; `access_key` says who calls.
    pub fn sdk_config(&self, access_key: &str) -> SdkConfig {
        connector::sdk_config(&self.world, &self.region, access_key, &self.world.clock)
    }
}
