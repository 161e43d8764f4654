//! The local AWS for a person: real programs, real HTTP, the wall clock made faster.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;
use tidegate_aws::{Clock, Probe};
use tidegate_core::config::{Config, PipelineConfig, Problems};

use crate::api::{ApiError, Place};
use crate::cloud::{Cloud, CloudError};
use crate::connector;
use crate::engine::{Engine, World};
use crate::lambda::children::Children;
use crate::lambda::runtime_api::RuntimeApi;
use crate::operator::{self, Operator};
use crate::places::{self, ACCOUNT, REGION};
use crate::secrets::Secrets;
use crate::seed;
use crate::server::{self, Desk};
use crate::template::Template;

/// The template that everything is wired from.
pub const TEMPLATE: &str = include_str!("../../template.yaml");

/// What a laptop is made of.
#[derive(Debug)]
pub struct Options {
    /// What runs there, and what is released.
    pub pipelines: Vec<PipelineConfig>,
    /// The port of 127.0.0.1; 0 is any that is free.
    pub port: u16,
    /// So many times faster than the wall clock.
    pub speed: f64,
    /// The folder with the four programs.
    pub functions: PathBuf,
    /// The folder that takes what they print.
    pub logs: PathBuf,
    /// Decides what AWS leaves to chance.
    pub seed: u64,
}

/// A running local AWS.
#[derive(Debug)]
pub struct Laptop {
    /// The world itself.
    pub world: Arc<World>,
    /// Where it listens.
    pub address: SocketAddr,
    /// `TIDEGATE_CLOCK` for programs of its time.
    pub clock: String,
    /// The region that it plays.
    pub region: String,
    /// A person there.
    pub operator: Operator,
}

/// Why the local AWS does not run.
#[derive(Debug, thiserror::Error)]
pub enum LaptopError {
    /// The cloud.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// Seeding refused.
    #[error("what the config names cannot be made")]
    Seed(#[from] ApiError),
    /// The clock.
    #[error(transparent)]
    Clock(#[from] tidegate_aws::clock::InvalidClock),
    /// The machine.
    #[error("cannot listen on 127.0.0.1:{port}; another program may hold the port: choose --port")]
    Listen {
        /// The port.
        port: u16,
        /// The machine's words.
        #[source]
        source: std::io::Error,
    },
    /// The folder for logs.
    #[error("cannot make the folder {folder}")]
    Logs {
        /// The folder.
        folder: PathBuf,
        /// The machine's words.
        #[source]
        source: std::io::Error,
    },
}

impl Laptop {
    /// Seeds the cloud and starts engine and server; must be called inside a `LocalSet`.
    pub async fn start(options: Options) -> Result<Self, LaptopError> {
        let Options { pipelines, port, speed, functions, logs, seed } = options;
        std::fs::create_dir_all(&logs)
            .map_err(|source| LaptopError::Logs { folder: logs.clone(), source })?;
        let (listener, address) =
            server::listen(port).await.map_err(|source| LaptopError::Listen { port, source })?;
        let begins = Timestamp::now();
        let clock_text = format!("{0},{0},{speed}", begins.as_millisecond());
        let clock = Clock::parse(&clock_text)?;
        let place = places::home_of(&pipelines);
        let cloud = cloud(&pipelines, &place, seed, begins, address)?;
        let world = World::new(cloud, clock.clone());
        let runtime = Arc::new(RuntimeApi::default());
        let programs = Children {
            folder: functions,
            logs,
            address,
            region: place.region.clone(),
            clock: clock_text.clone(),
            api: runtime.clone(),
        };
        let told = world.clone();
        let deliver = Box::new(move |delivery| {
            tokio::spawn(server::deliver(told.clone(), delivery));
        });
        let engine = Engine::new(world.clone(), Box::new(programs), deliver);
        tokio::task::spawn_local(engine.run());
        tokio::spawn(server::serve(listener, Desk { world: world.clone(), runtime }));
        // The operator needs no socket: the same wire, without the way there. And a person's
        // patience does not end sooner where time runs faster.
        let patience = Clock::system();
        let key = operator::ACCESS_KEY;
        let sdk = connector::sdk_config(&world, &place.region, key, &patience);
        let probe = Probe::over(&clock, connector::outside(&world));
        let operator = world.look(|cloud| Operator::new(cloud, &clock, sdk, probe, seed));
        Ok(Self { world, address, clock: clock_text, region: place.region, operator })
    }
}

/// The pipelines of a config, as an installation has them that stands where its clusters are.
pub fn pipelines_of(config: &Config) -> Result<Vec<PipelineConfig>, Problems> {
    let home = places::home_of(&config.resolve(ACCOUNT, REGION)?);
    config.resolve(&home.account, &home.region)
}

/// A cloud with the stack deployed, the fleet running and the webhooks set.
fn cloud(
    pipelines: &[PipelineConfig],
    place: &Place,
    seed: u64,
    begins: Timestamp,
    address: SocketAddr,
) -> Result<Cloud, LaptopError> {
    let mut parameters = places::parameters(pipelines);
    let secrets = Secrets::new(place);
    let channels = [("SlackSecretArn", "slack"), ("TeamsSecretArn", "teams")];
    for (parameter, channel) in channels {
        parameters.insert(parameter.to_owned(), secrets.arn(channel));
    }
    let template = Template::parse(TEMPLATE).map_err(CloudError::from)?;
    let stack = template.deploy(&parameters, place).map_err(CloudError::from)?;
    let mut cloud = Cloud::new(&stack, seed, begins)?;
    for (_, channel) in channels {
        let url = format!("http://{address}/_local/{channel}");
        cloud.secrets.call("CreateSecret", &json!({ "Name": channel, "SecretString": url }))?;
    }
    places::open(&mut cloud, pipelines)?;
    seed::fleet(&mut cloud, pipelines, begins)?;
    Ok(cloud)
}
