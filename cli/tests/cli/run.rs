//! Whole commands, as far as they go without AWS: what is said, where, and with which exit code.

use std::path::PathBuf;

use aws_config::{BehaviorVersion, SdkConfig};
use clap::Parser;
use tidegate_aws::{Clock, Dice, Table};
use tidegate_cli::{Args, Exit, Identity, Session, run};

/// A session whose every call to AWS would fail: there is no HTTP client.
fn session() -> Session {
    let sdk = SdkConfig::builder().behavior_version(BehaviorVersion::v2026_01_12()).build();
    let clock = Clock::system();
    let table = Table::new(&sdk, "tidegate".to_owned(), clock.clone(), Dice::seeded(1));
    let arn = "arn:aws:iam::123456789012:user/ada".to_owned();
    Session::of(table, clock, sdk, Identity { arn, account: "123456789012".to_owned() })
}

async fn ran(line: &[&str]) -> (Exit, String, String) {
    let args = Args::try_parse_from(std::iter::once("tidegate").chain(line.iter().copied()));
    let (mut out, mut talk) = (Vec::new(), Vec::new());
    let exit = run(&args.unwrap(), &session(), &mut out, &mut talk).await;
    (exit, String::from_utf8(out).unwrap(), String::from_utf8(talk).unwrap())
}

fn file(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path
}

const GOOD: &str = "
version: 1
pipelines:
  web:
    images: { web: { repository: web-images, tag: main } }
    cluster: production
    waves: [[web]]
";

#[tokio::test]
async fn a_good_config_is_data_on_stdout() {
    let path = file("good.yaml", GOOD);
    let path = path.to_str().unwrap();
    let (exit, out, talk) = ran(&["config", "check", path]).await;
    assert_eq!((exit, out, talk.as_str()), (Exit::Done, format!("{path} can be applied\n"), ""));
}

#[tokio::test]
async fn a_bad_config_is_data_too_but_fails() {
    let path = file("bad.yaml", &GOOD.replace("cluster:", "clster:"));
    let path = path.to_str().unwrap();
    let (exit, out, talk) = ran(&["config", "check", path]).await;
    assert_eq!((exit, talk.as_str()), (Exit::Failed, ""));
    assert!(out.contains("did you mean `cluster`?"), "{out}");
    let (exit, out, _) = ran(&["config", "check", path, "--output", "json"]).await;
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((exit, &json["ok"]), (Exit::Failed, &false.into()));
    // Who applies it learns the same, before AWS is asked.
    let (exit, out, talk) = ran(&["config", "apply", path]).await;
    assert_eq!((exit, out.as_str()), (Exit::Failed, ""));
    assert_eq!(talk.matches("did you mean `cluster`?").count(), 1, "{talk}");
}

#[tokio::test]
async fn a_file_that_is_not_there_is_named() {
    let (exit, out, talk) = ran(&["config", "check", "nowhere.yaml"]).await;
    assert_eq!((exit, out.as_str()), (Exit::Failed, ""));
    assert!(talk.starts_with("tidegate: nowhere.yaml cannot be read: "), "{talk}");
}

#[tokio::test]
async fn an_aws_that_cannot_be_reached_is_said() {
    let (exit, out, talk) = ran(&["status", "web"]).await;
    assert_eq!((exit, out.as_str()), (Exit::Failed, ""));
    assert!(talk.starts_with("tidegate: dynamodb:GetItem on tidegate failed"), "{talk}");
}
