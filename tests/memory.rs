//! Memory: the real programs, as child processes of the laptop, while they do the heaviest of
//! `load.rs`. What counts is each process's own peak, as the kernel keeps it.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tidegate_aws::{Clock, Dice, Table};
use tidegate_core::config::Config;
use tidegate_local::laptop::{Laptop, Options};
use tidegate_local::places::{ACCOUNT, REGION};
use tidegate_local::{connector, operator, seed};
use tidegate_tests::load::{TAG, adopt_what_runs, config, pipeline};
use tokio::task::LocalSet;

const PROGRAMS: [&str; 4] = ["promote", "deploy", "watch", "notify"];
const PIPELINES: usize = 100;
const RELEASES: usize = 50;
/// As the demo's: what takes half an hour there is over in two minutes.
const SPEED: f64 = 15.0;
/// 64 MiB, in the kernel's kB. A quarter of what template.yaml gives each function.
const MOST: u64 = 64 * 1024;

/// The folder of the programs that were built beside this test.
fn programs() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let folder = own.parent().and_then(Path::parent).unwrap().to_owned();
    for program in PROGRAMS {
        assert!(folder.join(program).exists(), "build the functions first: docs/proof.md says how");
    }
    folder
}

/// The peak of each of our children so far, in kB, by program and process.
fn peaks(found: &mut BTreeMap<(String, u32), u64>) {
    let field = |status: &str, name: &str| -> Option<String> {
        let line = status.lines().find(|line| line.starts_with(name))?;
        Some(line.split_whitespace().nth(1)?.to_owned())
    };
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // A process that ends meanwhile was seen before.
        let Ok(status) = std::fs::read_to_string(entry.path().join("status")) else { continue };
        let parent = field(&status, "PPid:").and_then(|parent| parent.parse().ok());
        let (name, peak) = (field(&status, "Name:"), field(&status, "VmHWM:"));
        let (Some(name), Some(peak)) = (name, peak) else { continue };
        if parent == Some(std::process::id()) && PROGRAMS.contains(&&*name) {
            found.insert((name, pid), peak.parse().unwrap());
        }
    }
}

#[test]
#[ignore = "two minutes, on the clock of this machine: it runs real processes"]
fn every_function_stays_below_64_mib() {
    let logs = std::env::temp_dir().join(format!("tidegate-memory-{}", std::process::id()));
    let text = config(PIPELINES);
    let pipelines =
        Config::parse("tidegate.yaml", &text).unwrap().resolve(ACCOUNT, REGION).unwrap();
    let functions = programs();
    let options =
        Options { pipelines: pipelines.clone(), port: 0, speed: SPEED, functions, logs, seed: 1 };
    let logs = options.logs.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let peaks = LocalSet::new().block_on(&runtime, async {
        let laptop = Laptop::start(options).await.unwrap();
        let world = &laptop.world;
        let sdk = connector::sdk_config(world, REGION, operator::ACCESS_KEY, &Clock::system());
        let name = world.look(|cloud| cloud.table().to_owned());
        let table = Table::new(&sdk, name, world.clock.clone(), Dice::seeded(1));
        adopt_what_runs(&table, &sdk, &pipelines, world.clock.now()).await;
        for number in 0..RELEASES {
            let push =
                |cloud: &mut _, now| seed::push(cloud, &pipeline(number), &[TAG], "healthy", now);
            world.with(push).unwrap();
        }
        let mut found = BTreeMap::new();
        for number in 0..RELEASES {
            let id = format!("{}/2", pipeline(number)).parse().unwrap();
            loop {
                let release = table.release_of(&id).await.unwrap();
                // How it ends hangs on the speed of this machine; coming back is no less work.
                if release.is_some_and(|release| release.phase.is_ended()) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
                peaks(&mut found);
            }
        }
        found
    });
    std::fs::remove_dir_all(logs).unwrap();
    for program in PROGRAMS {
        let own = peaks.iter().filter(|((name, _), _)| name == program).map(|(_, peak)| *peak);
        let (processes, peak) = (own.clone().count(), own.max().unwrap());
        println!("{program}: {processes} processes, at most {peak} kB");
        assert!(peak < MOST, "{program}: {peak} kB");
    }
}
