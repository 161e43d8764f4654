use serde_json::{Value, json};
use tidegate_core::sighting::TaskSighting;

use super::{TASK_DEFINITION, ecs};
use crate::RefusalKind;
use crate::ecs::OneOff;
use crate::fake::Fake;

const TASK: &str = "arn:aws:ecs:us-west-2:123456789012:task/live-crons/0123456789abcdef";

const MIGRATE: OneOff<'_> = OneOff {
    cluster: "live-crons",
    name: "migrate",
    revision: TASK_DEFINITION,
    container: "api",
    command: &[],
    token: "0123",
};

async fn run(service: Value, answer: Value) -> (Result<String, crate::Refusal>, Value) {
    let fake = Fake::new();
    fake.answer(200, &json!({ "services": [service] }).to_string());
    fake.answer(200, &answer.to_string());
    let launch = ecs(&fake).launch_of("live-crons", "api").await.unwrap();
    let ran = ecs(&fake).run_task(&MIGRATE, launch).await;
    assert_eq!(fake.operations(), ["DescribeServices", "RunTask"]);
    (ran, fake.requests()[1].json())
}

#[tokio::test]
async fn it_runs_where_and_how_the_service_does() {
    let network = json!({ "awsvpcConfiguration": {
        "subnets": ["subnet-1"], "securityGroups": ["sg-1"], "assignPublicIp": "DISABLED" } });
    let strategy = json!([{ "capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0 }]);
    let service = json!({ "serviceName": "api", "networkConfiguration": network,
        "capacityProviderStrategy": strategy, "platformVersion": "1.4.0" });
    let (ran, sent) = run(service, json!({ "tasks": [{ "taskArn": TASK }] })).await;
    assert_eq!(ran.unwrap(), TASK);
    assert_eq!(sent["networkConfiguration"], network);
    assert_eq!(sent["capacityProviderStrategy"], strategy);
    assert!(sent.get("launchType").is_none(), "a launch type beside providers is refused: {sent}");
    assert_eq!(sent["clientToken"], json!("0123"));
    assert_eq!(sent["group"], json!("tidegate:migrate"));
    assert_eq!(sent["startedBy"], json!("tidegate/0123"));
}

#[tokio::test]
async fn what_ecs_answers_instead_of_a_task_is_said_in_its_words() {
    let failure = json!({ "tasks": [], "failures": [{ "reason": "RESOURCE:MEMORY" }] });
    let (ran, _) = run(json!({ "serviceName": "api", "launchType": "EC2" }), failure).await;
    let refusal = ran.unwrap_err();
    assert!(refusal.is_final(), "{:?}", refusal.kind);
    assert!(refusal.to_string().contains("RESOURCE:MEMORY"), "{refusal}");
}

#[tokio::test]
async fn a_service_that_is_gone_lends_no_network() {
    let fake = Fake::new();
    fake.answer(200, &json!({ "services": [] }).to_string());
    let refusal = ecs(&fake).launch_of("live-crons", "api").await.unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::NotFound, "{refusal}");
}

async fn look(task: Value) -> TaskSighting {
    let fake = Fake::new();
    fake.answer(200, &json!({ "tasks": [task] }).to_string());
    ecs(&fake).one_off("live-crons", TASK, "api").await.unwrap().unwrap()
}

#[tokio::test]
async fn a_task_whose_arn_nobody_saw_is_found_by_its_token_whether_it_runs_or_stopped() {
    let task = |token: &str, status: &str| json!({ "taskArn": TASK, "lastStatus": status, "startedBy": format!("tidegate/{token}") });
    let (none, some) = (json!({ "taskArns": [] }), json!({ "taskArns": [TASK] }));
    let found = |tasks: Value| json!({ "tasks": [tasks] });
    for (answers, expected) in [
        (vec![some.clone(), found(task("0123", "RUNNING"))], Some("RUNNING")),
        (vec![none.clone(), some.clone(), found(task("0123", "STOPPED"))], Some("STOPPED")),
        (vec![some, found(task("4567", "RUNNING")), none.clone()], None),
        (vec![none.clone(), none], None),
    ] {
        let fake = Fake::new();
        for answer in answers {
            fake.answer(200, &answer.to_string());
        }
        let seen = ecs(&fake).one_off_of("live-crons", TASK_DEFINITION, "0123", "api").await;
        assert_eq!(seen.unwrap().as_ref().map(|task| task.status.as_str()), expected);
        let asked: Vec<_> = fake.requests().iter().map(|request| request.json()).collect();
        assert_eq!(asked[0]["family"], json!("rag"));
        assert_eq!(asked[0]["desiredStatus"], json!("RUNNING"));
    }
}

#[tokio::test]
async fn only_the_named_containers_exit_code_counts() {
    let sidecar = json!({ "name": "proxy", "exitCode": 0 });
    let ended = |own: Value| {
        json!({ "taskArn": TASK, "lastStatus": "STOPPED", "stopCode": "EssentialContainerExited",
            "containers": [sidecar, own] })
    };
    let good = look(ended(json!({ "name": "api", "exitCode": 0 }))).await.ended.unwrap();
    assert_eq!((good.container.as_str(), good.exit_code), ("api", Some(0)));
    let bad = look(ended(json!({ "name": "api", "exitCode": 3 }))).await.ended.unwrap();
    assert_eq!(bad.exit_code, Some(3));
    let never = look(ended(json!({ "name": "api", "reason": "CannotPullContainerError" }))).await;
    let never = never.ended.unwrap();
    assert_eq!((never.exit_code, never.detail.as_str()), (None, "CannotPullContainerError"));
    let runs = look(json!({ "taskArn": TASK, "lastStatus": "RUNNING" })).await;
    assert_eq!((runs.status.as_str(), runs.ended), ("RUNNING", None));
}
