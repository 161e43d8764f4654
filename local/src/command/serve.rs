//! `serve`: stays up.

use std::process::ExitCode;

use tidegate_local::laptop::{Laptop, Options};

use super::{Common, Failure};

/// Stay up for your own pushes and any AWS client
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    common: Common,
    /// The port of 127.0.0.1
    #[arg(long, default_value_t = 4566)]
    port: u16,
    /// So many times faster than the wall clock
    #[arg(long, default_value_t = 10.0, value_parser = super::demo::speed)]
    speed: f64,
}

impl Serve {
    pub(super) async fn run(self) -> Result<ExitCode, Failure> {
        let options = Options {
            pipelines: self.common.pipelines()?,
            port: self.port,
            speed: self.speed,
            functions: self.common.programs().await?,
            logs: self.common.logs(),
            seed: self.common.seed,
        };
        let logs = options.logs.clone();
        let laptop = Laptop::start(options).await?;
        let file = self.common.file().display().to_string();
        let applied = laptop.operator.types(&["config", "apply", &file]).await?;
        welcome(&laptop, &applied.out, &applied.talk, &logs.display().to_string());
        tokio::signal::ctrl_c().await?;
        Ok(ExitCode::SUCCESS)
    }
}

#[expect(clippy::print_stdout, reason = "what a person needs to begin")]
fn welcome(laptop: &Laptop, applied: &str, talk: &str, logs: &str) {
    let (address, clock, region) = (laptop.address, &laptop.clock, &laptop.region);
    let table = laptop.world.look(|cloud| cloud.table().to_owned());
    print!("{applied}{talk}");
    println!(
        "\nThe local AWS listens. In another terminal:\n\n  \
         export AWS_ENDPOINT_URL=http://{address} AWS_REGION={region} \\\n         \
         AWS_ACCESS_KEY_ID=me AWS_SECRET_ACCESS_KEY=local \\\n         \
         TIDEGATE_TABLE={table} TIDEGATE_CLOCK={clock}\n\n  \
         aws ecr put-image --repository-name … --image-tag … --image-manifest …\n  \
         cargo run -p tidegate-cli -- status --endpoint-url http://{address}\n  \
         curl http://{address}/_local/notifications\n\n\
         The functions log to {logs}. Ctrl-C ends it; nothing is kept."
    );
}
