//! What runs, what it reads and writes, and what it was made from.

use std::time::Duration;

use serde_json::json;
use tidegate_local::seed::Fleet;
use tidegate_tests::Stage;
use tidegate_tests::fleet::is_live;
use tidegate_tests::stack::TEXT;

use crate::environment::{Asks, WELL, adopted, breaks, is_told, play, play_on, refit, told};

#[test]
fn an_environment_that_is_well_is_green_before_and_after_a_release() {
    play(async |stage| {
        assert_eq!(told(stage).await, (0, vec![]));
        let before = stage.running();
        let text = stage.does("verify someli-production").await;
        assert!(text.contains("\nsomeli-production is well: "), "{text}");
        assert!(text.contains("2 of 2 targets: runs what adoption found"), "{text}");
        assert_eq!(stage.running(), before);
        stage.push("prod-1a2b3c4", "healthy");
        assert!(is_live(&stage.end_of("someli-production/2").await));
        assert_eq!(told(stage).await, (0, vec![]));
        let text = stage.does("verify someli-production").await;
        assert!(text.contains("2 of 2 targets: runs what its last release left"), "{text}");
    });
}

#[test]
fn a_one_off_task_that_is_called_like_a_service_hides_nothing_of_it() {
    let config = WELL.replacen("name: migrate", "name: Rag", 1);
    let fleet = Fleet { refit: &refit, ..Fleet::default() };
    adopted(TEXT, fleet, &config, async |stage| {
        is_told(stage, "failed secrets /rag/token: no such parameter", "put-parameter").await;
    });
}

#[test]
fn a_secret_or_parameter_that_is_gone() {
    let secret = |force: bool| {
        move |stage: &Stage| {
            let input =
                json!({ "SecretId": "live-crons-config", "ForceDeleteWithoutRecovery": force });
            stage.asks("secretsmanager", "DeleteSecret", input);
        }
    };
    breaks(secret(true), "failed secrets live-crons-config-LOCAL1: it is not there", "six letters");
    let deleted = "failed secrets live-crons-config-LOCAL1: it is marked for deletion";
    breaks(secret(false), deleted, "restore-secret");
    breaks(
        |stage| {
            stage.asks("ssm", "DeleteParameter", json!({ "Name": "/rag/token" }));
        },
        "failed secrets /rag/token: no such parameter is in us-west-2",
        "aws ssm put-parameter",
    );
}

#[test]
fn a_role_that_ecs_may_not_hand_out() {
    let policy = json!({ "Statement": [{ "Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": { "Service": "lambda.amazonaws.com" } }] });
    let input = json!({ "RoleName": "live-crons-task", "PolicyDocument": policy.to_string() });
    breaks(
        |stage| {
            stage.asks("iam", "UpdateAssumeRolePolicy", input.clone());
        },
        "failed roles live-crons-task: it does not trust ecs-tasks.amazonaws.com",
        "update-assume-role-policy",
    );
    breaks(
        |stage| {
            stage.asks("iam", "DeleteRole", json!({ "RoleName": "live-crons-execution" }));
        },
        "failed roles live-crons-execution: it is not there",
        "Create it under the same name",
    );
}

#[test]
fn a_log_group_that_is_gone_or_silent() {
    let group = json!({ "logGroupName": "/ecs/live-crons" });
    let delete = |stage: &Stage| {
        stage.asks("logs", "DeleteLogGroup", group.clone());
    };
    breaks(delete, "failed logs /ecs/live-crons: it is not there", "aws logs create-log-group");
    play(async |stage| {
        stage.twin.run_for(Duration::from_secs(60)).await;
        delete(stage);
        stage.asks("logs", "CreateLogGroup", group.clone());
        stage.twin.run_for(Duration::from_secs(2 * 60 * 60)).await;
        let line = "failed logs /ecs/live-crons: nothing of AI_CONTENT, Rag, migrate ever arrived";
        is_told(stage, line, "logs:PutLogEvents").await;
    });
}

#[test]
fn what_runs_is_short_of_tasks() {
    play(async |stage| {
        stage.update("Rag", json!({ "desiredCount": 2 }));
        // ECS shows it late, but before another task runs.
        stage.twin.run_for(Duration::from_secs(6)).await;
        let line = "failed services Rag: 1 of 2 tasks run rag:1: no task stopped";
        is_told(stage, line, "aws ecs describe-services").await;
    });
}

#[test]
fn a_target_group_that_finds_nobody_healthy() {
    play_on(TEXT, "unhealthy", async |stage| {
        // A task is found unhealthy for ten seconds of its life; then ECS replaces it.
        let (mut bad, mut patience) = (Vec::new(), 60);
        while !bad.iter().any(|line: &String| line.contains("Target.")) && patience > 0 {
            stage.twin.run_for(Duration::from_secs(3)).await;
            (_, bad) = told(stage).await;
            patience -= 1;
        }
        let line = "failed target_groups rag: 0 of 1 targets of Rag healthy: \
                    Target.ResponseCodeMismatch";
        let own: Vec<_> = bad.iter().filter(|line| line.contains(" target_groups ")).collect();
        assert!(own.len() == 1 && own[0].starts_with(line), "{bad:#?}");
    });
}

#[test]
fn a_check_that_would_hold_every_release() {
    let alarm =
        json!({ "AlarmName": "api-5xx", "StateValue": "ALARM", "StateReason": "on purpose" });
    breaks(
        |stage| {
            stage.asks("cloudwatch", "SetAlarmState", alarm.clone());
        },
        "failed checks alarm api-5xx: it rings: on purpose",
        "Mend what it watches",
    );
}

#[test]
fn an_image_that_is_gone_or_may_go() {
    play(async |stage| {
        let digest = stage.digest("Rag");
        stage.ecr("BatchDeleteImage", json!({ "imageIds": [{ "imageDigest": digest }] }));
        is_told(stage, "failed images ", "next task that starts cannot pull it").await;
    });
    let rule = json!({ "rulePriority": 10, "selection": { "tagStatus": "any",
        "countType": "imageCountMoreThan", "countNumber": 50 }, "action": { "type": "expire" } });
    let policy = json!({ "rules": [rule] }).to_string();
    breaks(
        |stage| {
            stage.ecr("PutLifecyclePolicy", json!({ "lifecyclePolicyText": policy }));
        },
        "warning images ",
        "tidegate-keep-*",
    );
}

#[test]
fn a_change_before_the_first_release_is_no_green_guess() {
    play(async |stage| {
        let other = stage.push("other-1a2b3c4", "healthy");
        let revision = stage.register_another("Rag", Some(&other));
        stage.update("Rag", json!({ "taskDefinition": revision }));
        stage.twin.run_for(Duration::from_secs(10 * 60)).await;
        let line = "warning drift Rag: not compared: nothing was released there yet, and it runs \
                    other bytes";
        is_told(stage, line, "`tidegate plan someli-production`").await;
    });
}

#[test]
fn a_change_between_releases_is_told_by_verify_and_by_the_next_release() {
    play(async |stage| {
        stage.push("prod-1a2b3c4", "healthy");
        assert!(is_live(&stage.end_of("someli-production/2").await));
        let revision = stage.register_another("Rag", None);
        stage.update("Rag", json!({ "taskDefinition": revision }));
        stage.twin.run_for(Duration::from_secs(10 * 60)).await;
        let line = "warning drift Rag: somebody changed it: it runs rag:4, where \
                    someli-production/2 left rag:3; arn:aws:iam::123456789012:root registered rag:4";
        is_told(stage, line, "aws cloudtrail lookup-events --region us-west-2").await;
        stage.push("prod-5d6e7f8", "healthy");
        stage.until_phase("someli-production/3", "rolling").await;
        let (_, status, _) = stage.tidegate("status someli-production").await;
        for text in [status, stage.journal("someli-production/3").await] {
            assert!(text.contains("where someli-production/2 left rag:3"), "{text}");
            assert!(text.contains("`aws cloudtrail lookup-events"), "{text}");
        }
    });
}
