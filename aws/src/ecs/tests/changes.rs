use serde_json::json;
use tidegate_core::definition::successor;
use tidegate_core::model::Pin;

use super::{TASK_DEFINITION, digest, ecs};
use crate::RefusalKind;
use crate::fake::Fake;

#[tokio::test]
async fn an_update_names_the_task_definition_and_nothing_else() {
    let fake = Fake::new();
    fake.answer(
        200,
        &json!({"service": {"deployments": [
            {"id": "ecs-svc/1", "status": "ACTIVE"}, {"id": "ecs-svc/2", "status": "PRIMARY"},
        ]}})
        .to_string(),
    );
    let revision = format!("{TASK_DEFINITION}:8");
    let deployment = ecs(&fake).update_service("live-crons", "Rag", &revision).await.unwrap();
    assert_eq!(deployment.as_deref(), Some("ecs-svc/2"));
    assert_eq!(
        fake.requests()[0].json(),
        json!({"cluster": "live-crons", "service": "Rag", "taskDefinition": revision})
    );
}

#[tokio::test]
async fn a_stop_always_rolls_back() {
    let fake = Fake::new();
    fake.answer(200, "{}");
    ecs(&fake).stop_service_deployment("arn:deployment").await.unwrap();
    assert_eq!(fake.operations(), ["StopServiceDeployment"]);
    assert_eq!(
        fake.requests()[0].json(),
        json!({"serviceDeploymentArn": "arn:deployment", "stopType": "ROLLBACK"})
    );
}

/// The whole way of a member that the SDK does not know: read, changed around, registered.
#[tokio::test]
async fn what_the_sdk_does_not_know_survives_from_reading_to_registering() {
    let uri = "123456789012.dkr.ecr.us-west-2.amazonaws.com/live_crons";
    let fake = Fake::new();
    fake.answer(
        200,
        &json!({
            "taskDefinition": {
                "taskDefinitionArn": format!("{TASK_DEFINITION}:7"), "family": "rag", "revision": 7,
                "status": "ACTIVE", "registeredAt": 1.5, "fromTheFuture": {"deep": ["ü", 1.0, null]},
                "containerDefinitions": [
                    {"name": "crons", "image": format!("{uri}:uapi"), "alsoNew": true},
                ],
            },
            "tags": [{"key": "team", "value": "growth"}, {"key": "aws:stack", "value": "s"}],
        })
        .to_string(),
    );
    fake.answer(
        200,
        &json!({"taskDefinition": {"taskDefinitionArn": format!("{TASK_DEFINITION}:8")}})
            .to_string(),
    );
    let ecs = ecs(&fake);
    let base = ecs.task_definition("rag").await.unwrap();
    assert!(base.is_active());
    let new: tidegate_core::model::Digest = digest("a").parse().unwrap();
    let pin = Pin {
        container: "crons".to_owned(),
        repository: uri.to_owned(),
        accepts: [new.clone()].into(),
        digest: new,
    };
    let own = [("tidegate:release".to_owned(), "p/2".to_owned())];
    let next = successor(&base.json, &base.tags, &[pin], &own).unwrap();
    assert_eq!(ecs.register(&next).await.unwrap(), format!("{TASK_DEFINITION}:8"));

    let [read, registered] = &fake.requests()[..] else { panic!("two calls") };
    assert_eq!(read.json(), json!({"taskDefinition": "rag", "include": ["TAGS"]}));
    assert_eq!(registered.operation, "RegisterTaskDefinition");
    assert_eq!(registered.length, registered.body.len(), "bytes, not characters");
    assert_eq!(
        registered.json(),
        json!({
            "family": "rag", "fromTheFuture": {"deep": ["ü", 1.0, null]},
            "containerDefinitions": [
                {"name": "crons", "image": format!("{uri}@{}", digest("a")), "alsoNew": true},
            ],
            "tags": [
                {"key": "team", "value": "growth"}, {"key": "tidegate:release", "value": "p/2"},
            ],
        })
    );
}

#[tokio::test]
async fn a_refusal_names_action_resource_and_aws_s_words() {
    let fake = Fake::new();
    fake.refuse(400, "AccessDeniedException", "User is not authorized");
    let refusal = ecs(&fake).update_service("live-crons", "Rag", "rag:8").await.unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::AccessDenied);
    assert!(refusal.is_final());
    assert_eq!(
        refusal.to_string(),
        "ecs:UpdateService on live-crons/Rag: AccessDeniedException: User is not authorized"
    );
}

#[tokio::test]
async fn registering_at_the_same_time_is_a_throttle() {
    let fake = Fake::new();
    let words = "Too many concurrent attempts to create a new revision of the specified family.";
    fake.refuse(400, "ClientException", words);
    let refusal = ecs(&fake).register(&json!({"family": "rag"})).await.unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::TooManyConcurrent);
    assert!(refusal.is_throttle() && !refusal.is_final());
}
