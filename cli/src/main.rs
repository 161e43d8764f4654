//! `tidegate`: the operator's command line.

use std::io::{stderr, stdout};
use std::process::ExitCode;

use clap::Parser;
use tidegate_cli::{Args, Session, run};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = Args::parse().on_terminal();
    let session = Session::new(args.access.clone());
    run(&args, &session, &mut stdout(), &mut stderr()).await.into()
}
