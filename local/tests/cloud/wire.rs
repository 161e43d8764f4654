//! The real SDK clients understand what the local AWS answers, and it what they send.

use std::time::Duration;

use crate::world::{Script, tell};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use aws_sdk_ecs::error::ProvideErrorMetadata;
use aws_sdk_sns::types::MessageAttributeValue;
use serde_json::json;
use tidegate_local::faults::{Fault, FaultRule};

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

#[test]
fn dynamodb_writes_transactions_and_says_why_not() {
    tell(1, &Script::default(), async |twin| {
        let client = aws_sdk_dynamodb::Client::new(&twin.sdk_config("operator"));
        let table = twin.world.look(|cloud| cloud.table().to_owned());
        let put = |sk: &str| {
            let put = Put::builder().table_name(&table).item("pk", text("p")).item("sk", text(sk));
            let put = put.condition_expression("attribute_not_exists(pk)").build().unwrap();
            TransactWriteItem::builder().put(put).build()
        };
        let write = |items: Vec<TransactWriteItem>| {
            client.transact_write_items().set_transact_items(Some(items)).send()
        };
        write(vec![put("a"), put("b")]).await.unwrap();
        let codes = async |items| match write(items).await.unwrap_err().into_service_error() {
            TransactWriteItemsError::TransactionCanceledException(cancelled) => {
                let reasons = cancelled.cancellation_reasons.unwrap_or_default();
                reasons.into_iter().filter_map(|reason| reason.code).collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(codes(vec![put("c"), put("b")]).await, ["None", "ConditionalCheckFailed"]);

        let conflict =
            FaultRule { times: Some(1), ..FaultRule::always(Fault::TransactionConflict) };
        twin.world.with(|cloud, _| cloud.faults.add(conflict));
        assert_eq!(codes(vec![put("d"), put("e")]).await, ["TransactionConflict", "None"]);

        let got = client.get_item().table_name(&table).consistent_read(true);
        let got = got.key("pk", text("p")).key("sk", text("a")).send().await.unwrap();
        assert_eq!(got.item().unwrap()["sk"], text("a"));
        let found = client.query().table_name(&table).key_condition_expression("pk = :p");
        let found = found.expression_attribute_values(":p", text("p")).send().await.unwrap();
        assert_eq!(found.count(), 2);
    });
}

#[test]
fn ecs_describes_what_was_seeded() {
    tell(1, &Script::default(), async |twin| {
        let ecs = aws_sdk_ecs::Client::new(&twin.sdk_config("operator"));
        let described = ecs.describe_services().cluster("live-crons").services("Rag");
        let described = described.services("Nope").send().await.unwrap();
        let [service] = described.services() else { panic!("one service") };
        assert_eq!(service.running_count(), 1);
        assert_eq!(service.deployments()[0].rollout_state().unwrap().as_str(), "COMPLETED");
        assert_eq!(described.failures()[0].reason(), Some("MISSING"));
        let missing = ecs.update_service().cluster("live-crons").service("Nope").send().await;
        let missing = missing.unwrap_err().into_service_error();
        assert_eq!(missing.code(), Some("ServiceNotFoundException"));
    });
}

#[test]
fn the_query_protocol_carries_sns_and_load_balancers() {
    tell(1, &Script::default(), async |twin| {
        let sns = aws_sdk_sns::Client::new(&twin.sdk_config("operator"));
        let topic = sns.create_topic().name("t").send().await.unwrap();
        let kind = MessageAttributeValue::builder().data_type("String").string_value("live");
        let message = json!({"default": "{\"a\": \"<&>\"}", "email": "live"}).to_string();
        let publish = sns.publish().set_topic_arn(topic.topic_arn).message(&message);
        let publish = publish.message_structure("json").subject("live");
        let publish = publish.message_attributes("kind", kind.build().unwrap());
        assert!(publish.send().await.unwrap().message_id().is_some());
        let published = twin.world.look(|cloud| cloud.sns.published().to_vec());
        assert_eq!(published[0].message["default"], "{\"a\": \"<&>\"}");
        assert_eq!(published[0].attributes, json!({"kind": "live"}));
        let refused = sns.publish().topic_arn("arn:aws:sns:us-west-2:1:x").message("a").send();
        assert_eq!(refused.await.unwrap_err().into_service_error().code(), Some("NotFound"));

        let elb = aws_sdk_elasticloadbalancingv2::Client::new(&twin.sdk_config("operator"));
        let health = elb.describe_target_health().target_group_arn("arn:none").send().await;
        let refused = health.unwrap_err().into_service_error();
        assert_eq!(refused.code(), Some("TargetGroupNotFound"));
    });
}

#[test]
fn secrets_are_read_by_their_arn() {
    tell(1, &Script::default(), async |twin| {
        let client = aws_sdk_secretsmanager::Client::new(&twin.sdk_config("operator"));
        let made = client.create_secret().name("slack").secret_string("https://hook");
        let arn = made.send().await.unwrap().arn;
        let read = client.get_secret_value().set_secret_id(arn).send().await.unwrap();
        assert_eq!(read.secret_string(), Some("https://hook"));
    });
}

#[test]
fn a_function_may_do_what_its_role_allows_and_no_more() {
    tell(1, &Script::default(), async |twin| {
        let update = |program: &str| {
            let ecs = aws_sdk_ecs::Client::new(&twin.sdk_config(&format!("LOCAL{program}0000001")));
            let update = ecs.update_service().cluster("live-crons").service("Rag");
            update.task_definition("rag:1").send()
        };
        update("DEPLOY").await.unwrap();
        let refused = update("WATCH").await.unwrap_err().into_service_error();
        assert_eq!(refused.code(), Some("AccessDeniedException"));
        let words = "perform: ecs:UpdateService on resource: \
                     arn:aws:ecs:us-west-2:123456789012:service/live-crons/Rag";
        assert!(refused.message().unwrap().contains(words), "{refused:?}");
    });
}

#[test]
fn a_call_can_be_throttled_lost_or_land_late() {
    tell(1, &Script::default(), async |twin| {
        let client = aws_sdk_secretsmanager::Client::new(&twin.sdk_config("operator"));
        let create = async |name: &str, fault| {
            let times = (fault == Fault::Throttle).then_some(1);
            let rule = FaultRule { times, ..FaultRule::always(fault) };
            twin.world.with(|cloud, _| {
                cloud.faults.clear();
                cloud.faults.add(rule);
            });
            let began = twin.now();
            let made = client.create_secret().name(name).secret_string("x").send().await;
            (made.is_ok(), twin.now().duration_since(began).as_secs())
        };
        let landed = |name: &str| {
            twin.world.look(|cloud| {
                cloud.calls().iter().filter(|it| it.call.input["Name"] == name).count()
            })
        };
        let (ok, _) = create("throttled", Fault::Throttle).await;
        assert!(ok, "the SDK tried again");
        assert_eq!(landed("throttled"), 2);
        assert_eq!(create("dropped", Fault::Drop).await, (false, 10));
        assert_eq!(landed("dropped"), 0);
        assert_eq!(create("lost", Fault::AnswerLost).await, (false, 10));
        assert!(landed("lost") >= 1, "each try landed");
        assert_eq!(create("late", Fault::Late(20_000)).await, (false, 10));
        assert_eq!(landed("late"), 0);
        twin.run_for(Duration::from_secs(21)).await;
        assert!(landed("late") >= 1);
        assert_eq!(create("slow", Fault::Delay(3_000)).await, (true, 3));
    });
}
