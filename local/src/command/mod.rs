//! The command line.

mod build;
mod demo;
mod serve;
mod simulate;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tidegate_core::config::{Config, PipelineConfig};
use tidegate_local::laptop::pipelines_of;

/// AWS on a laptop: ECS, ECR, DynamoDB, Lambda and what lies between, on 127.0.0.1
#[derive(Debug, clap::Parser)]
#[command(name = "tidegate-local", version)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// A good image goes live, a crashing one comes back: the real programs, faster than life
    Demo(demo::Demo),
    /// Stay up for your own pushes and any AWS client
    Serve(serve::Serve),
    /// Play seeded schedules in which everything goes wrong that can, and see what holds
    Simulate(simulate::Simulate),
}

/// What both commands take.
#[derive(Debug, Clone, Default, clap::Args)]
struct Common {
    /// The config whose repositories, clusters and services are there [default: examples/someli.yaml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A folder with built programs (promote, deploy, watch, notify), instead of building them
    #[arg(long, value_name = "DIR")]
    functions: Option<PathBuf>,
    /// The folder that takes what the functions log [default: a new one among the temporary files]
    #[arg(long, value_name = "DIR")]
    logs: Option<PathBuf>,
    /// Decides everything that AWS leaves to chance
    #[arg(long, default_value_t)]
    seed: u64,
}

/// The example that the demo is about.
const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/someli.yaml");

impl Args {
    pub(crate) async fn run(self) -> ExitCode {
        let ran = match self.command.unwrap_or_else(|| Command::Demo(demo::Demo::default())) {
            Command::Demo(demo) => demo.run().await,
            Command::Serve(serve) => serve.run().await,
            Command::Simulate(simulate) => simulate.run(),
        };
        ran.unwrap_or_else(|error| {
            complain(&*error);
            ExitCode::FAILURE
        })
    }
}

/// What goes wrong before the local AWS is up is told to the person who started it, and no more.
type Failure = Box<dyn std::error::Error>;

impl Common {
    fn pipelines(&self) -> Result<Vec<PipelineConfig>, Failure> {
        let file = self.file();
        let name = file.display().to_string();
        let text = std::fs::read_to_string(&file)
            .map_err(|error| format!("cannot read {name}: {error}"))?;
        Ok(pipelines_of(&Config::parse(&name, &text)?)?)
    }

    /// The folder with the programs; built first unless one was given.
    async fn programs(&self) -> Result<PathBuf, Failure> {
        match &self.functions {
            Some(folder) => Ok(folder.clone()),
            None => build::programs().await,
        }
    }

    fn logs(&self) -> PathBuf {
        let own = || std::env::temp_dir().join(format!("tidegate-local-{}", std::process::id()));
        self.logs.clone().unwrap_or_else(own)
    }

    /// The config's path as a person would write it, seen from here.
    fn file(&self) -> PathBuf {
        let file = self.config.as_deref().unwrap_or(Path::new(EXAMPLE));
        let whole = file.canonicalize().unwrap_or_else(|_| file.to_owned());
        let here = std::env::current_dir().unwrap_or_default();
        whole.strip_prefix(here).map(Path::to_owned).unwrap_or(whole)
    }
}

#[expect(clippy::print_stderr, reason = "the program's own last words")]
fn complain(error: &dyn std::error::Error) {
    eprintln!("error: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        eprintln!("  because: {cause}");
        source = cause.source();
    }
}
