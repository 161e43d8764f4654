//! Builds the four programs as this one was built: same profile, same target folder.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::Failure;

/// The packages of the functions, and this one: chosen together, their dependencies are built with
/// the features they have already been built with for this program, and not once more.
const PACKAGES: [&str; 5] = [
    "tidegate-promote",
    "tidegate-deploy",
    "tidegate-watch",
    "tidegate-notify",
    env!("CARGO_PKG_NAME"),
];

/// Builds the programs, cargo showing its progress, and returns their folder.
pub(super) async fn programs() -> Result<PathBuf, Failure> {
    let own = std::env::current_exe()?;
    let folder = own.parent().ok_or("this program lies in no folder")?.to_owned();
    let target = folder.parent().ok_or("this program lies in no target folder")?;
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        None | Some("debug") => "dev",
        Some(profile) => profile,
    };
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    if !manifest.exists() {
        return Err("the sources are not here any more: give --functions DIR".into());
    }
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--profile", profile, "--manifest-path"]).arg(manifest);
    cargo.arg("--target-dir").arg(target);
    for package in PACKAGES {
        cargo.args(["--package", package]);
    }
    let status = cargo.status().await.map_err(|error| format!("cannot run cargo: {error}"))?;
    if !status.success() {
        return Err(format!("the functions do not build: cargo ended with {status}").into());
    }
    Ok(folder)
}
