use serde_json::{Value, json};
use tidegate_core::sighting::{
    Controller, RolloutState, ServiceDeploymentStatus, Sighting, Strategy,
};

use super::{TASK_DEFINITION, digest, ecs};
use crate::RefusalKind;
use crate::fake::Fake;

fn service(name: &str, more: &Value) -> Value {
    let mut service = json!({
        "serviceName": name, "status": "ACTIVE", "desiredCount": 2, "runningCount": 3,
        "taskDefinition": format!("{TASK_DEFINITION}:8"),
        "deployments": [
            {"id": "ecs-svc/1", "status": "ACTIVE", "taskDefinition": format!("{TASK_DEFINITION}:7"),
             "createdAt": 1000.5, "runningCount": 1, "rolloutState": "COMPLETED"},
            {"id": "ecs-svc/2", "status": "PRIMARY", "taskDefinition": format!("{TASK_DEFINITION}:8"),
             "createdAt": 2000.0, "desiredCount": 2, "runningCount": 2, "pendingCount": 1,
             "failedTasks": 4, "rolloutState": "IN_PROGRESS", "rolloutStateReason": "in progress"},
        ],
    });
    for (key, value) in more.as_object().unwrap() {
        service[key] = value.clone();
    }
    service
}

async fn look(more: Value) -> Sighting {
    let fake = Fake::new();
    fake.answer(200, &json!({"services": [service("Rag", &more)]}).to_string());
    let mut seen = ecs(&fake).describe("live-crons", &["Rag".to_owned()]).await.unwrap();
    assert_eq!(fake.operations(), ["DescribeServices"]);
    seen.remove("Rag").unwrap().unwrap().sighting
}

#[tokio::test]
async fn twelve_rolling_services_are_two_calls() {
    let fake = Fake::new();
    let names: Vec<_> = (0..12).map(|n| format!("s{n:02}")).collect();
    let found: Vec<_> = names[..8].iter().map(|name| service(name, &json!({}))).collect();
    let missing = json!([{"arn": "arn:s08", "reason": "MISSING"}]);
    fake.answer(200, &json!({"services": found, "failures": missing}).to_string());
    let gone = service("s10", &json!({"status": "INACTIVE"}));
    let going = service("s11", &json!({"status": "DRAINING"}));
    fake.answer(200, &json!({"services": [gone, going]}).to_string());
    let seen = ecs(&fake).describe("live-crons", &names).await.unwrap();
    assert_eq!(seen.len(), 12);
    for (name, seen) in seen {
        assert_eq!(seen.is_some(), name.as_str() < "s08", "{name}");
    }
    let asked: Vec<_> = fake.requests().iter().map(|r| r.json()["services"].clone()).collect();
    assert_eq!(asked, [json!(names[..10]), json!(names[10..])]);
}

#[tokio::test]
async fn a_service_is_read_as_ecs_shows_it() {
    let seen = look(json!({
        "currentServiceRevisions": [{"arn": "arn:revision"}],
        "loadBalancers": [{"targetGroupArn": "b", "advancedConfiguration":
            {"alternateTargetGroupArn": "a"}}, {"targetGroupArn": "b"}, {"loadBalancerName": "old"}],
    }))
    .await;
    assert_eq!((seen.desired, seen.running, seen.daemon), (2, 3, false));
    assert_eq!((seen.controller, seen.strategy), (Controller::Ecs, Strategy::Rolling));
    assert_eq!(seen.target_groups, ["a", "b"]);
    assert_eq!(seen.service_revision.as_deref(), Some("arn:revision"));
    assert_eq!(seen.deployments[0].id, "ecs-svc/2", "newest first");
    let primary = seen.primary().unwrap();
    assert_eq!(primary.revision, format!("{TASK_DEFINITION}:8"));
    assert_eq!(primary.rollout, Some(RolloutState::InProgress));
    assert_eq!((primary.desired, primary.running, primary.pending), (2, 2, 1));
    assert_eq!(primary.failed_tasks, 4);
    assert_eq!(primary.created_at.as_second(), 2000);
}

#[tokio::test]
async fn what_must_be_refused_by_name_is_seen() {
    let controller = |kind: &str| json!({"deploymentController": {"type": kind}});
    assert_eq!(look(controller("CODE_DEPLOY")).await.controller, Controller::CodeDeploy);
    assert_eq!(look(controller("EXTERNAL")).await.controller, Controller::External);
    assert_eq!(look(controller("FROM_THE_FUTURE")).await.controller, Controller::External);
    assert!(look(json!({"schedulingStrategy": "DAEMON"})).await.daemon);
}

#[tokio::test]
async fn a_native_strategy_is_seen_with_its_newest_service_deployment() {
    let fake = Fake::new();
    let linear = json!({"deploymentConfiguration": {"strategy": "LINEAR", "bakeTimeInMinutes": 5,
    "linearConfiguration": {"stepPercent": 30.0, "stepBakeTimeInMinutes": 6},
    "lifecycleHooks": [
        {"targetType": "PAUSE", "lifecycleStages": ["PRE_SCALE_UP", "POST_SCALE_UP"],
            "timeoutConfiguration": {"timeoutInMinutes": 90}},
        {"targetType": "PAUSE", "lifecycleStages": ["TEST_TRAFFIC_SHIFT"]},
        {"lifecycleStages": ["PRE_SCALE_UP"]},
    ]}});
    fake.answer(200, &json!({"services": [service("Rag", &linear)]}).to_string());
    fake.answer(
        200,
        &json!({"nextToken": "more", "serviceDeployments": [
            {"serviceDeploymentArn": "arn:old", "createdAt": 1.0},
            {"serviceDeploymentArn": "arn:new", "createdAt": 2.0},
        ]})
        .to_string(),
    );
    let older = json!([{"serviceDeploymentArn": "arn:older", "createdAt": 0.5}]);
    fake.answer(200, &json!({ "serviceDeployments": older }).to_string());
    fake.answer(
        200,
        &json!({"serviceDeployments": [{
            "serviceDeploymentArn": "arn:new", "status": "ROLLBACK_IN_PROGRESS", "createdAt": 2.0,
            "statusReason": "alarm", "lifecycleStage": "BAKE_TIME",
            "targetServiceRevision": {"arn": "arn:revision"},
        }]})
        .to_string(),
    );
    fake.answer(
        200,
        &json!({"serviceRevisions": [
            {"serviceRevisionArn": "arn:revision", "taskDefinition": "rag:9"},
        ]})
        .to_string(),
    );
    let seen = ecs(&fake).describe("live-crons", &["Rag".to_owned()]).await.unwrap();
    let sighting = &seen["Rag"].as_ref().unwrap().sighting;
    assert_eq!(sighting.strategy, Strategy::Native);
    let pauses = 2 * 90 + 24 * 60;
    assert_eq!(sighting.native_minutes, 5 + 4 * 6 + pauses);
    let deployment = sighting.service_deployment.as_ref().unwrap();
    assert_eq!(deployment.arn, "arn:new");
    assert_eq!(deployment.status, ServiceDeploymentStatus::RollbackInProgress);
    assert_eq!(deployment.revision.as_deref(), Some("rag:9"));
    assert_eq!(deployment.stage.as_deref(), Some("BAKE_TIME"));
    assert_eq!(
        fake.operations(),
        [
            "DescribeServices",
            "ListServiceDeployments",
            "ListServiceDeployments",
            "DescribeServiceDeployments",
            "DescribeServiceRevisions",
        ]
    );
}

#[tokio::test]
async fn service_revisions_tell_the_digests_that_run() {
    let fake = Fake::new();
    fake.answer(
        200,
        &json!({"serviceRevisions": [{
            "serviceRevisionArn": "arn:revision", "taskDefinition": "rag:9", "containerImages": [
                {"containerName": "crons", "image": "r:uapi", "imageDigest": digest("a")},
                {"containerName": "other", "image": "r:1"},
            ],
        }]})
        .to_string(),
    );
    let found = ecs(&fake).service_revisions(&["arn:revision".to_owned()]).await.unwrap();
    let [crons, other] = &found["arn:revision"].containers[..] else { panic!("two containers") };
    assert_eq!(crons.digest.as_ref().unwrap().to_string(), digest("a"));
    assert_eq!(other.digest, None);
}

#[tokio::test]
async fn running_tasks_are_those_of_one_deployment_page_by_page() {
    let task = |status: &str| {
        json!({"tasks": [{
            "taskArn": "arn:task/c/1", "taskDefinitionArn": "rag:8", "lastStatus": status,
            "containers": [{"name": "crons", "image": "r:uapi", "imageDigest": digest("a")}],
        }]})
    };
    let fake = Fake::new();
    fake.answer(200, &json!({"taskArns": ["arn:1"], "nextToken": "more"}).to_string());
    fake.answer(200, &task("RUNNING").to_string());
    fake.answer(200, &json!({"taskArns": ["arn:2"]}).to_string());
    fake.answer(200, &task("PENDING").to_string());
    let tasks = ecs(&fake).running_tasks("live-crons", "ecs-svc/2").await.unwrap();
    assert_eq!(tasks.len(), 1);
    assert_eq!(tasks[0].containers[0].digest.as_ref().unwrap().to_string(), digest("a"));
    let requests = fake.requests();
    assert_eq!(
        requests[2].json(),
        json!({"cluster": "live-crons", "maxResults": 100, "startedBy": "ecs-svc/2",
            "nextToken": "more"})
    );
}

#[tokio::test]
async fn a_stopped_task_says_who_fell_and_when() {
    let fake = Fake::new();
    fake.answer(200, &json!({"taskArns": ["arn:1"]}).to_string());
    fake.answer(
        200,
        &json!({"tasks": [{
            "taskArn": "arn:aws:ecs:us-west-2:123456789012:task/live-crons/c13b",
            "taskDefinitionArn": "rag:8", "stopCode": "EssentialContainerExited",
            "stoppedReason": "Essential container in task exited",
            "startedAt": 100.0, "stoppingAt": 107.9, "stoppedAt": 130.0,
            "containers": [{"name": "sidecar", "exitCode": 0, "reason": "killed"},
                {"name": "crons", "exitCode": 137, "reason": "OutOfMemoryError"}],
        }]})
        .to_string(),
    );
    let tasks = ecs(&fake).stopped_tasks("live-crons", "Rag").await.unwrap();
    let failure = &tasks[0].failure;
    assert_eq!(tasks[0].revision, "rag:8");
    assert_eq!((failure.task.as_str(), failure.container.as_str()), ("c13b", "crons"));
    assert_eq!((failure.exit_code, failure.ran_seconds), (Some(137), Some(7)));
    assert_eq!(failure.detail, "OutOfMemoryError");
    assert_eq!(failure.at.as_second(), 107);
}

#[tokio::test]
async fn a_cluster_that_is_not_there_is_no_missing_service() {
    let fake = Fake::new();
    fake.refuse(400, "ClusterNotFoundException", "Cluster not found.");
    let refusal = ecs(&fake).describe("live_crons", &["Rag".to_owned()]).await.unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::NotFound);
    assert!(refusal.to_string().contains("live_crons/Rag"), "{refusal}");
}

#[tokio::test]
async fn one_service_that_cannot_be_read_hides_no_other() {
    let names = ["Bare", "Gone", "Rag"].map(str::to_owned);
    let fake = Fake::new();
    let failures = json!([
        {"arn": "arn:aws:ecs:us-west-2:123456789012:service/live-crons/Bare", "reason": "INTERNAL"},
        {"arn": "arn:aws:ecs:us-west-2:123456789012:service/live-crons/Gone", "reason": "MISSING"},
    ]);
    let services = [service("Rag", &json!({}))];
    fake.answer(200, &json!({"services": services, "failures": failures}).to_string());
    let look = ecs(&fake).look("live-crons", &names).await;
    assert!(look["Bare"].as_ref().unwrap_err().to_string().contains("INTERNAL"), "{look:?}");
    assert_eq!(look["Gone"], Ok(None));
    assert!(look["Rag"].as_ref().unwrap().is_some());
}

#[tokio::test]
async fn a_call_that_iam_refuses_for_one_name_is_made_for_each() {
    let names = ["Carousel", "Rag"].map(str::to_owned);
    let fake = Fake::new();
    fake.refuse(400, "AccessDeniedException", "not authorized on Carousel");
    fake.refuse(400, "AccessDeniedException", "not authorized on Carousel");
    fake.answer(200, &json!({"services": [service("Rag", &json!({}))]}).to_string());
    let look = ecs(&fake).look("live-crons", &names).await;
    assert_eq!(look["Carousel"].as_ref().unwrap_err().kind, RefusalKind::AccessDenied);
    assert!(look["Rag"].as_ref().unwrap().is_some());
}

#[tokio::test]
async fn a_service_deployment_that_cannot_be_read_hides_its_service_only() {
    let names = ["Carousel", "Rag"].map(str::to_owned);
    let fake = Fake::new();
    let native = json!({"deploymentConfiguration": {"strategy": "BLUE_GREEN"}});
    let services = [service("Carousel", &native), service("Rag", &json!({}))];
    fake.answer(200, &json!({ "services": services }).to_string());
    fake.refuse(400, "AccessDeniedException", "not authorized");
    let look = ecs(&fake).look("live-crons", &names).await;
    assert_eq!(look["Carousel"].as_ref().unwrap_err().action, "ecs:ListServiceDeployments");
    assert!(look["Rag"].as_ref().unwrap().is_some());
}
