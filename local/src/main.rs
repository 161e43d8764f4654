//! `tidegate-local`: AWS on a laptop. Without arguments it tells the demo's two stories.

mod command;
mod demo;

use std::process::ExitCode;

use clap::Parser;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = command::Args::parse();
    // The engine and the programs share one thread.
    tokio::task::LocalSet::new().run_until(args.run()).await
}
