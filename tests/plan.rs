//! `tidegate plan` says what a release would do, and does nothing.

use serde_json::Value;
use tidegate_local::call::Caller;
use tidegate_tests::fleet::is_live;
use tidegate_tests::play;

/// A migration, then a wave.
const MIGRATING: &str = r#"
version: 1
pipelines:
  someli-production:
    region: us-west-2
    images: { crons: { repository: live_crons, tag: [uapi, "prod-{sha}"] } }
    cluster: live-crons
    pre_deploy:
      - { name: migrate, task_definition: rag-migrate, container: api, command: [up], network_from: Rag }
    waves: [[Rag], [AI_CONTENT]]
    watch: { bake: 30s }
"#;

#[test]
fn what_it_says_is_what_the_release_then_does_and_it_changes_nothing() {
    play(1, MIGRATING, async |stage| {
        let said = stage.twin.operator().applies(MIGRATING).await.expect("a command");
        assert_eq!(said.exit as u8, 0, "{}", said.talk);
        stage.twin.world.with(|cloud, _| cloud.faults.add(lost_pushes()));
        let digest = stage.push("prod-1a2b3c4", "healthy");
        let before = stage.revision("Rag");
        // Those of the functions are what the push itself leads to.
        let writes = || -> Vec<String> {
            stage.twin.world.look(|cloud| {
                let own = cloud
                    .calls()
                    .iter()
                    .filter(|it| !matches!(it.call.caller, Caller::Function(_)));
                let actions = own.map(|noted| noted.call.action.clone());
                let reads = ["Get", "BatchGet", "Query", "Describe", "List", "Scan"];
                actions.filter(|action| !reads.iter().any(|it| action.starts_with(it))).collect()
            })
        };
        let already = writes();
        let line = "plan someli-production --image crons=prod-1a2b3c4 --output json";
        let plan: Value = serde_json::from_str(&stage.does(line).await).expect("JSON");
        assert_eq!(writes(), already, "a plan changes nothing");
        let targets = plan["targets"].as_array().expect("targets");
        let said: Vec<_> = targets
            .iter()
            .map(|it| (it["wave"].as_str().unwrap_or(""), it["what"].as_str().unwrap_or("")))
            .collect();
        let waves =
            [("pre-deploy", "runs_once"), ("wave 1 of 2", "changes"), ("wave 2 of 2", "changes")];
        assert_eq!(said, waves);
        let difference = targets[1]["difference"][0].as_str().expect("a line");
        assert!(difference.ends_with(&digest), "{difference}");
        assert_eq!(targets[1]["baseline"]["running"].as_str(), Some(before.as_str()));
        let text = stage.does("plan someli-production --image crons=prod-1a2b3c4").await;
        assert!(text.ends_with("Nothing was changed.\n"), "{text}");

        stage.does("start someli-production --image crons=prod-1a2b3c4").await;
        let release = stage.end_of("someli-production/2").await;
        let journal = stage.journal("someli-production/2").await;
        assert!(is_live(&release), "{journal}");
        assert_eq!(stage.digest("Rag"), digest, "{journal}");
        let text = stage.does("plan someli-production --image crons=prod-1a2b3c4").await;
        assert!(text.contains("it is what someli-production/2 made live"), "{text}");
    });
}

/// Nobody but the operator brings it.
fn lost_pushes() -> tidegate_local::faults::FaultRule {
    use tidegate_local::faults::{Fault, FaultRule};
    FaultRule { service: Some("ecr".to_owned()), ..FaultRule::always(Fault::Lose) }
}
