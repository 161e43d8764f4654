//! The names of things, as people and programs read them.

use serde::Serialize;

use crate::model::{NoticeKind, Severity, TargetId, TargetKind};
use crate::stage::digest;

fn written(value: impl Serialize) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
}

#[test]
fn a_target_is_written_as_it_is_read_and_has_an_arn_where_one_is_known() {
    let arn = |service: &str, path: &str| {
        Some(format!("arn:aws:{service}:us-west-2:123456789012:{path}"))
    };
    for (kind, id, expected) in [
        (
            TargetKind::Service,
            "ecs/123456789012/us-west-2/live/Rag",
            arn("ecs", "service/live/Rag"),
        ),
        (TargetKind::Task, "task/123456789012/us-west-2/live/migrate", None),
        (
            TargetKind::Schedule,
            "schedule/123456789012/us-west-2/crons/nightly",
            arn("scheduler", "schedule/crons/nightly"),
        ),
        (
            TargetKind::Rule,
            "rule/123456789012/us-west-2/default/hourly",
            arn("events", "rule/hourly"),
        ),
        (TargetKind::Lightsail, "lightsail/123456789012/us-west-2/-/apps", None),
    ] {
        let target: TargetId = id.parse().unwrap();
        assert_eq!((target.kind, written(&target).as_str()), (kind, id));
        assert_eq!(target.arn(), expected);
    }
}

#[test]
fn each_kind_of_target_has_its_words() {
    let words = TargetKind::ALL.map(|kind| (kind.noun(), kind.host(), kind.moved_by()));
    let expected = [
        ("service", "ECS", "UpdateService"),
        ("task", "ECS", "UpdateService"),
        ("schedule", "EventBridge Scheduler", "UpdateSchedule"),
        ("rule", "EventBridge", "PutTargets"),
        ("container service", "Lightsail", "CreateContainerServiceDeployment"),
    ];
    assert_eq!(words, expected);
}

#[test]
fn bytes_are_shown_in_short_and_kept_under_a_tag_of_their_own() {
    let bytes = digest("0123456789abcdef");
    assert_eq!(bytes.short(), "0123456789ab");
    assert_eq!(bytes.keep_tag(), "tidegate-keep-0123456789abcdef");
    assert_eq!(bytes.as_str(), written(&bytes));
}

#[test]
fn what_is_told_is_named_as_the_table_names_it() {
    use NoticeKind as N;
    for kind in [
        N::Started,
        N::Waiting,
        N::Live,
        N::RollbackStarted,
        N::RolledBack,
        N::RollbackFailed,
        N::Frozen,
        N::Drifted,
        N::Abandoned,
        N::Expired,
        N::Rejected,
        N::Refused,
        N::RetagFailed,
        N::RunFailed,
    ] {
        assert_eq!(kind.name(), written(kind));
    }
    for severity in [Severity::Info, Severity::Warning, Severity::Critical] {
        assert_eq!(severity.name(), written(severity));
    }
}
