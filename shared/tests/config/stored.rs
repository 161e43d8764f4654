//! What is stored of a file: every default is said, and nothing is lost on the way back.

use std::time::Duration;

use serde_json::json;
use tidegate_core::config::{OnFailure, OnTimeout, PipelineConfig};

use super::{SOMELI, config, with};

fn resolved(text: &str) -> Vec<PipelineConfig> {
    config(text).resolve("123456789012", "us-west-2").unwrap()
}

fn production(text: &str) -> PipelineConfig {
    resolved(text).into_iter().find(|pipeline| pipeline.name == "someli-production").unwrap()
}

#[test]
fn the_example_is_stored_whole() {
    let someli = &production(SOMELI);
    assert_eq!(
        serde_json::to_value(someli).unwrap(),
        json!({
            "schema": 1,
            "name": "someli-production",
            "account": "123456789012",
            "region": "us-west-2",
            "images": {
                "crons": {
                    "registry": { "account": "123456789012", "region": "us-west-2" },
                    "repository": "live_crons",
                    "tags": ["uapi", "prod-{sha}"],
                },
            },
            "cluster": "live-crons",
            "waves": [
                [{ "service": "Rag" }],
                [
                    { "service": "AI_CONTENT" },
                    { "service": "Billing-Payments" },
                    { "service": "Carousel" },
                    { "service": "Content_Media" },
                    { "service": "Dynamic_Post" },
                    { "service": "Post_Schedule" },
                    { "service": "Social_Media_Connection" },
                    { "service": "User_Specific_Content" },
                ],
            ],
            "watch": { "timeout": 900, "bake": 120, "failed_tasks": 2, "on_timeout": "rollback" },
            "on_failure": "rollback",
            "base": "running",
        }),
    );
    let again: PipelineConfig = serde_json::from_str(&someli.canonical()).unwrap();
    assert_eq!(&again, someli);
}

const TWO: &str = "\
version: 1
x-base: &base { cluster: shared, base: family }
defaults:
  <<: *base
  watch: { timeout: 10m, on_timeout: freeze }
  on_failure: freeze
pipelines:
  a:
    images: { i: { repository: rr, tag: x, registry: { account: \"123456789012\" } } }
    waves: [[{ service: one, containers: { app: i }, timeout: 1h30m }]]
    watch: { bake: 0s }
  b:
    region: eu-west-1
    cluster: own
    images: { i: { repository: rr, tag: x, registry: { region: eu-west-1 } } }
    waves: [[one]]
    on_failure: rollback
";

#[test]
fn defaults_are_merged_into_each_pipeline_key_by_key() {
    let [a, b] = &resolved(TWO)[..] else { panic!("two pipelines") };
    assert_eq!((a.cluster.as_str(), b.cluster.as_str()), ("shared", "own"));
    assert_eq!((a.region.as_str(), b.region.as_str()), ("us-west-2", "eu-west-1"));
    assert_eq!((a.on_failure, b.on_failure), (OnFailure::Freeze, OnFailure::Rollback));
    for (pipeline, bake) in [(a, 0), (b, 120)] {
        assert_eq!(pipeline.watch.timeout, Duration::from_mins(10), "from the defaults");
        assert_eq!(pipeline.watch.on_timeout, OnTimeout::Freeze, "from the defaults");
        assert_eq!(pipeline.watch.bake, Duration::from_secs(bake), "its own, or the usual one");
        assert_eq!(pipeline.watch.failed_tasks, 2, "the usual one");
    }
    assert_eq!(a.waves[0][0].timeout, Some(Duration::from_mins(90)));
    assert_eq!(a.waves[0][0].containers["app"], "i");
    assert_eq!(a.images["i"].registry.region, "us-west-2");
    assert_eq!(b.images["i"].registry.region, "eu-west-1");
    let again: PipelineConfig = serde_json::from_str(&a.canonical()).unwrap();
    assert_eq!(&again, a);
}

#[test]
fn checks_are_stored_whole_and_only_where_there_are_some() {
    let checks = "checks: [{ http: \"https://a/health\", body: ready, private: true }, \
                  { alarm: api-5xx }]\n";
    let text = with(TWO, "  on_failure: freeze\n", &format!("  on_failure: freeze\n  {checks}"));
    let text = with(&text, "    on_failure: rollback\n", "    checks: [{ alarm: own }]\n");
    let [a, b] = &resolved(&text)[..] else { panic!("two pipelines") };
    assert_eq!(
        serde_json::to_value(&a.checks).unwrap(),
        json!([
            {
                "kind": "http",
                "url": "https://a/health",
                "expect": [200],
                "body": "ready",
                "attempts": 10,
                "every": 15,
                "private": true,
            },
            { "kind": "alarm", "name": "api-5xx" },
        ]),
    );
    assert_eq!(b.checks.len(), 1, "its own in the place of the defaults'");
    let again: PipelineConfig = serde_json::from_str(&a.canonical()).unwrap();
    assert_eq!(&again, a);
    let [plain, _] = &resolved(TWO)[..] else { panic!("two pipelines") };
    assert!(!plain.canonical().contains("checks"), "a config stored before keeps its digest");
}

#[test]
fn a_role_brings_its_account_and_is_stored_where_there_is_one() {
    // No other account's number may be written down.
    let account: String = "123456789012".chars().rev().collect();
    let role = format!("arn:aws:iam::{account}:role/teams/tidegate-target");
    let text = with(TWO, "    cluster: own\n", &format!("    cluster: own\n    role: {role}\n"));
    let text = with(&text, "defaults:\n", "defaults:\n  external_id: zelly-2026\n");
    let [a, b] = &resolved(&text)[..] else { panic!("two pipelines") };
    assert_eq!((a.account.as_str(), &a.role), ("123456789012", &None));
    assert_eq!((b.account.as_str(), b.region.as_str()), (account.as_str(), "eu-west-1"));
    let expected = json!({ "arn": role, "external_id": "zelly-2026" });
    assert_eq!(serde_json::to_value(&b.role).unwrap(), expected);
    assert_eq!(b.images["i"].registry.account, "123456789012", "images stay where they are");
    assert!(!a.canonical().contains("role"), "a config stored before keeps its digest");
    let again: PipelineConfig = serde_json::from_str(&b.canonical()).unwrap();
    assert_eq!(&again, b);
}

#[test]
fn targets_of_two_accounts_may_have_one_name() {
    let role = "arn:aws:iam::123456789012:role/tidegate-target";
    let same = with(TWO, "    cluster: own\n", &format!("    cluster: shared\n    role: {role}\n"));
    let problems = config(&same).resolve("123456789012", "eu-west-1").unwrap_err().to_string();
    assert!(problems.contains("stands in pipelines.a.waves[0][0] already"), "{problems}");
    let account: String = "123456789012".chars().rev().collect();
    let other = same.replace("iam::123456789012", &format!("iam::{account}"));
    assert!(config(&other).resolve("123456789012", "eu-west-1").is_ok());
}

#[test]
fn a_target_is_found_twice_once_the_region_is_known() {
    let text = with(TWO, "cluster: own", "cluster: shared");
    let config = config(&text);
    assert!(config.resolve("123456789012", "us-west-2").is_ok());
    let problems = config.resolve("123456789012", "eu-west-1").unwrap_err().to_string();
    assert!(problems.contains("`one` stands in pipelines.a.waves[0][0] already"), "{problems}");
}

#[test]
fn the_digest_changes_with_what_is_said_and_not_with_how() {
    let digest = |text: &str| production(text).digest();
    let same = with(SOMELI, "bake: 2m ", "bake: 120s ");
    let other = with(SOMELI, "bake: 2m ", "bake: 3m ");
    assert_eq!(digest(SOMELI), digest(&same));
    assert_ne!(digest(SOMELI), digest(&other));
    assert_eq!(digest(SOMELI).len(), 64);
}
