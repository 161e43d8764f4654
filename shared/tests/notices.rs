//! Every notice in every form, word for word: the files in `notices/` are what people and
//! programs receive. `UPDATE=1 cargo test -p tidegate-core --test notices` writes them again.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod story;

use story::{a_release, a_slot, crash, entry, failed, nine};
use tidegate_core::messages::{self, Aftermath, Notification};
use tidegate_core::model::{Blame, Cause, Entry, Hold, Notice, Phase, Slot, SlotPhase, Subject};
use tidegate_core::sighting::Strategy;

/// One kind of notice, in all its forms.
#[track_caller]
fn check(name: &str, entry: &Entry) {
    let notification = Notification::of(entry).unwrap();
    let pretty = |value| serde_json::to_string_pretty(&value).unwrap();
    let found = [
        format!(
            "Subject: {}\n\n{}",
            messages::subject(&notification),
            messages::email(&notification)
        ),
        serde_json::to_string_pretty(&notification).unwrap(),
        pretty(messages::slack(&notification)),
        pretty(messages::teams(&notification)),
    ]
    .join("\n--------\n")
        + "\n";
    let path = format!("{}/tests/notices/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    #[expect(clippy::disallowed_methods, reason = "a test's own switch, not the product's")]
    if std::env::var("UPDATE").is_ok() {
        std::fs::write(&path, &found).unwrap();
    }
    let wanted = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, wanted, "{path} differs; UPDATE=1 writes it again");
}

#[track_caller]
fn check_notice(name: &str, from: &str, to: &str, notice: Notice) {
    check(name, &entry(from, to, notice));
}

fn document() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/notifications.md");
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn the_document_names_every_kind() {
    use tidegate_core::model::NoticeKind::{
        Abandoned, Drifted, Expired, Frozen, Live, Refused, Rejected, RetagFailed, RollbackFailed,
        RollbackStarted, RolledBack, Started, Waiting,
    };
    for kind in [
        Started,
        Waiting,
        Live,
        RollbackStarted,
        RolledBack,
        RollbackFailed,
        Frozen,
        Drifted,
        Abandoned,
        Expired,
        Rejected,
        Refused,
        RetagFailed,
    ] {
        let row = format!("| `{}` |", kind.name());
        assert!(document().contains(&row), "docs/notifications.md has no line `{row}`");
    }
}

#[test]
fn started() {
    let release = a_release(Phase::Rolling { wave: 0, since: story::at(20) });
    let slots = nine(|_| SlotPhase::Queued);
    let notice = messages::started(&release, &slots.iter().collect::<Vec<_>>());
    check_notice("started", "surveying", "rolling", notice);
}

#[test]
fn started_with_something_to_know_first() {
    let mut release = a_release(Phase::Rolling { wave: 0, since: story::at(20) });
    release.without_way_back = true;
    let mut slot = a_slot("Rag", 0, SlotPhase::Queued);
    slot.baseline.notes = vec!["already failing: 0 of 1 tasks run".to_owned()];
    let unaffected = a_slot("Billing", 0, SlotPhase::Unaffected);
    let notice = messages::started(&release, &[&slot, &unaffected]);
    check_notice("started_careful", "surveying", "rolling", notice);
}

#[test]
fn live() {
    let phase = Phase::Live { at: story::at(380), unproven: false, accepted: false };
    let slots = nine(|_| SlotPhase::Healthy { at: story::at(200), unproven: false });
    let notice = messages::live(&a_release(phase), &slots.iter().collect::<Vec<_>>());
    check_notice("live", "baking", "live", notice);
}

#[test]
fn live_unproven() {
    let phase = Phase::Live { at: story::at(380), unproven: true, accepted: false };
    let slot = a_slot("Rag", 0, SlotPhase::Healthy { at: story::at(200), unproven: true });
    let notice = messages::live(&a_release(phase), &[&slot]);
    check_notice("live_unproven", "baking", "live", notice);
}

#[test]
fn accepted() {
    let phase = Phase::Live { at: story::at(380), unproven: false, accepted: true };
    let mut release = a_release(phase);
    release.failure = Some(crash());
    let slot = a_slot("Rag", 0, failed());
    let notice = messages::live(&release, &[&slot]);
    check_notice("accepted", "frozen", "live", notice);
}

#[test]
fn rollback_started() {
    let mut release = a_release(Phase::RollingBack { since: story::at(60) });
    release.failure = Some(crash());
    let slots = nine(|wave| if wave == 0 { failed() } else { SlotPhase::Queued });
    let notice = messages::rollback_started(
        &release,
        &slots.iter().collect::<Vec<_>>(),
        &release.images.values().collect::<Vec<_>>(),
    );
    let told = crash();
    let told = Entry {
        reason: told.cause,
        evidence: told.evidence,
        ..entry("rolling", "rolling_back", notice)
    };
    check("rollback_started", &told);
    let json = serde_json::to_string_pretty(&Notification::of(&told).unwrap()).unwrap();
    assert!(document().contains(&json), "docs/notifications.md shows another JSON than:\n{json}");
}

#[test]
fn a_finished_blue_green_says_how_long_going_back_takes() {
    let release = a_release(Phase::RollingBack { since: story::at(60) });
    let mut slot = a_slot("Rag", 0, SlotPhase::Healthy { at: story::at(50), unproven: false });
    let said =
        |slot: &Slot| format!("{:?}", messages::rollback_started(&release, &[slot], &[]).text);
    assert!(!said(&slot).contains("a second one"));
    slot.baseline.strategy = Strategy::Native;
    slot.baseline.native_minutes = 15;
    assert!(said(&slot).contains("a second one, with 15 min"), "{}", said(&slot));
}

#[test]
fn rolled_back() {
    let mut release = a_release(Phase::RolledBack { at: story::at(120) });
    release.failure = Some(crash());
    let slots = nine(|wave| match wave {
        0 => SlotPhase::Returned { at: story::at(115) },
        _ => SlotPhase::Untouched,
    });
    let after = Aftermath { blocked: release.images.values().collect(), ..Aftermath::default() };
    let notice = messages::rolled_back(&release, &slots.iter().collect::<Vec<_>>(), &after);
    check_notice("rolled_back", "rolling_back", "rolled_back", notice);
}

#[test]
fn rolled_back_before_anything_moved_blames_nobody() {
    let mut release = a_release(Phase::RolledBack { at: story::at(120) });
    let mut failure = crash();
    failure.blame = Blame::Other;
    release.failure = Some(failure);
    let notice = messages::rolled_back(&release, &[], &Aftermath::default());
    assert!(notice.text[0].starts_with("No service had been changed"), "{:?}", notice.text);
    let said = format!("{:?}{:?}", notice.text, notice.commands);
    assert!(!said.contains("block") && !said.contains("frozen"), "{said}");
}

#[test]
fn a_rollback_that_was_called_off_tells_what_it_leaves_behind() {
    let release = a_release(Phase::RolledBack { at: story::at(120) });
    let live_blocked = release.images.values().collect();
    let waiting = a_release(Phase::Waiting { since: story::at(100) });
    let open = Aftermath { waiting: Some(&waiting), ..Aftermath::default() };
    let said = messages::rolled_back(&release, &[], &open).text.join("\n");
    assert!(said.contains("someli-production/42, which waited, starts now"), "{said}");
    let after = Aftermath { live_blocked, frozen: true, ..open };
    let Notice { text, commands, .. } = messages::rolled_back(&release, &[], &after);
    let text = text.join("\n");
    assert!(text.contains("is blocked: nothing releases it again"), "{text}");
    assert!(text.contains("is frozen: what is pushed waits"), "{text}");
    for way_out in
        ["tidegate unblock someli-production sha256:", "tidegate unfreeze someli-production"]
    {
        assert!(commands.iter().any(|line| line.starts_with(way_out)), "{way_out}: {commands:?}");
    }
}

#[test]
fn rollback_failed() {
    let mut release = a_release(Phase::RollbackFailed { at: story::at(900) });
    release.failure = Some(crash());
    let failure = story::failure(
        "the deadline passed and 0 of 1 tasks run",
        "Look at the service's events in ECS",
        &["(service Rag) was unable to place a task: RESOURCE:FARGATE"],
    );
    let rag = a_slot("Rag", 0, SlotPhase::ReturnFailed { failure });
    let other = a_slot("Carousel", 1, SlotPhase::Returned { at: story::at(115) });
    let notice = messages::rollback_failed(&release, &[&rag, &other]);
    check_notice("rollback_failed", "rolling_back", "rollback_failed", notice);
}

#[test]
fn own_rollback_failed() {
    let mut release = a_release(Phase::RollbackFailed { at: story::at(900) });
    release.cause = Cause::Rollback { to: 38 };
    release.failure = Some(crash());
    let slots = [a_slot("Rag", 0, failed()), a_slot("Carousel", 1, SlotPhase::Queued)];
    let notice = messages::own_rollback_failed(&release, &slots.each_ref(), 38);
    check_notice("own_rollback_failed", "rolling", "rollback_failed", notice);
}

#[test]
fn frozen() {
    let mut release = a_release(Phase::Frozen { at: story::at(60) });
    release.failure = Some(crash());
    let slots = nine(|wave| if wave == 0 { failed() } else { SlotPhase::Queued });
    let notice = messages::frozen(&release, &slots.iter().collect::<Vec<_>>());
    check_notice("frozen", "rolling", "frozen", notice);
}

#[test]
fn drifted() {
    let release = a_release(Phase::Drifted { at: story::at(60) });
    let seen = "the primary runs Rag:12, neither this release's revision nor Rag:7".to_owned();
    let rag = a_slot("Rag", 0, SlotPhase::Drifted { seen, at: story::at(60) });
    let other = a_slot("Carousel", 1, SlotPhase::Queued);
    let notice = messages::drifted(&release, &[&rag, &other]);
    check_notice("drifted", "rolling", "drifted", notice);
}

#[test]
fn waiting() {
    let release = a_release(Phase::Surveying { since: story::at(5), held: None });
    for (name, hold) in [
        (
            "waiting_no_way_back",
            Hold::NoWayBack {
                targets: vec![
                    "Rag: crons runs live_crons:uapi: no task runs that shows its digest".into(),
                ],
            },
        ),
        (
            "waiting_unfit",
            Hold::Unfit {
                targets: vec!["Rag: the service does not exist in cluster live-crons".into()],
            },
        ),
        (
            "waiting_busy",
            Hold::Busy {
                targets: vec!["Rag: Rag:8 is IN_PROGRESS".into()],
                since: None,
                told: true,
            },
        ),
        (
            "waiting_awaited",
            Hold::Awaited {
                targets: vec![
                    "api: live_crons:uapi (9e1f0a2b3c4d) is not in \
                     123456789012.dkr.ecr.eu-west-1.amazonaws.com/live_crons yet"
                        .into(),
                ],
                since: None,
                told: true,
            },
        ),
        (
            "waiting_approval",
            Hold::Approval {
                plan: "4f1d".repeat(16),
                changes: vec![
                    "Rag (Rag:7): containerDefinitions[crons].image: live_crons:uapi → \
                     live_crons@9e1f0a2b3c4d"
                        .into(),
                ],
                until: story::at(86_400),
            },
        ),
    ] {
        let notice = messages::waiting(&release, &hold).expect("people are told");
        check_notice(name, "surveying", "surveying", notice);
    }
}

#[test]
fn abandoned() {
    let release = a_release(Phase::Abandoned { at: story::at(60) });
    let slot = a_slot("Rag", 0, SlotPhase::Applying { since: story::at(30) });
    let notice = messages::abandoned(&release, &[&slot], story::OPERATOR);
    check_notice("abandoned", "rolling", "abandoned", notice);
}

#[test]
fn retag_failed() {
    let live = Phase::Live { at: story::at(200), unproven: false, accepted: false };
    let refused =
        ["live_crons:prod-1a2b3c4 (9e1f0a2b3c4d): ecr:PutImage on live_crons was refused: \
                    ImageTagAlreadyExistsException: the tag is immutable"
            .to_owned()];
    let notice = messages::retag_failed(&a_release(live), "production-latest", &refused);
    check_notice("retag_failed", "live", "live", notice);
}

#[test]
fn expired() {
    let release = a_release(Phase::Expired { at: story::at(86_400) });
    check_notice("expired", "surveying", "expired", messages::expired(&release));
}

#[test]
fn rejected() {
    let (by, why) = (story::OPERATOR.to_owned(), "not before the audit".to_owned());
    let release = a_release(Phase::Rejected { at: story::at(60), by, why: why.clone() });
    let notice = messages::rejected(&release, story::OPERATOR, &why);
    check_notice("rejected", "surveying", "rejected", notice);
}

#[test]
fn refused() {
    let why = "it is what the pipeline runs already";
    let release = a_release(Phase::Refused { at: story::at(5), why: why.to_owned() });
    check_notice("refused", "surveying", "refused", messages::refused(&release, why));
}

#[test]
fn a_refused_push_belongs_to_the_pipeline() {
    let why = "live_crons:prod-1a2b3c4 (9e1f0a2b3c4d) is blocked since someli-production/41 failed: \
               Rag: container `crons` exited with code 1 after 2 s";
    let image = &a_release(Phase::Waiting { since: story::at(0) }).images["crons"];
    let notice = messages::push_refused("someli-production", image, why);
    let mut entry = entry("", "refused", notice);
    entry.release.number = 0;
    entry.subject = Subject::Pipeline;
    check("push_refused", &entry);
}

#[test]
fn an_entry_that_nobody_is_told_of_is_no_notification() {
    let release = a_release(Phase::Waiting { since: story::at(0) });
    let mut entry = entry("none", "waiting", messages::refused(&release, "x"));
    entry.notice = None;
    assert_eq!(Notification::of(&entry), None);
}

#[test]
fn duplicates_share_their_id_and_other_entries_do_not() {
    let release = a_release(Phase::Waiting { since: story::at(0) });
    let entry = entry("none", "waiting", messages::refused(&release, "x"));
    let mut again = entry.clone();
    again.at = story::at(99);
    assert_eq!(messages::id(&entry), messages::id(&again));
    let target = a_slot("Rag", 0, SlotPhase::Queued).target;
    let mut ids = vec![messages::id(&entry)];
    for subject in [Subject::Target { target }, Subject::Pipeline] {
        ids.push(messages::id(&Entry { subject, ..entry.clone() }));
    }
    ids.push(messages::id(&Entry { step: entry.step + 1, ..entry.clone() }));
    ids.dedup();
    assert_eq!(ids.len(), 4, "{ids:?}");
}

/// The worst that can come: a hundred services, each with a kilobyte of AWS's markup.
#[test]
fn every_form_stays_within_its_channel() {
    let words = "<!channel> & \"`* ".repeat(80);
    let mut release = a_release(Phase::RollingBack { since: story::at(60) });
    release.failure = Some(story::failure(&words, &words, &vec![words.as_str(); 300]));
    let slots: Vec<_> = (0..150)
        .map(|n| {
            let failure = story::failure(&words, "", &[]);
            a_slot(&format!("service-{n}"), 0, SlotPhase::Failed { failure })
        })
        .collect();
    let slots: Vec<_> = slots.iter().collect();
    let notice = messages::rollback_started(&release, &slots, &[]);
    let mut entry = entry("rolling", "rolling_back", notice);
    entry.evidence = vec![words.clone(); 300];
    let notification = Notification::of(&entry).unwrap();

    let json = serde_json::to_string(&notification).unwrap();
    let sns = serde_json::json!({ "default": json, "email": messages::email(&notification) });
    assert!(sns.to_string().len() < 256 * 1024, "{}", sns.to_string().len());

    let slack = messages::slack(&notification);
    let blocks = slack["blocks"].as_array().unwrap();
    assert!(blocks.len() <= 50, "{}", blocks.len());
    for block in blocks {
        let (text, most) = match block["type"].as_str().unwrap() {
            "header" => (&block["text"]["text"], 150),
            "section" => (&block["text"]["text"], 3000),
            _ => (&block["elements"][0]["text"], 3000),
        };
        let text = text.as_str().unwrap();
        assert!(text.chars().count() <= most, "{text}");
        assert!(block["type"] == "header" || !text.contains("<!channel>"), "{text}");
    }
    assert!(!slack["text"].as_str().unwrap().contains("<!channel>"));

    let teams = messages::teams(&notification);
    assert!(teams.to_string().len() < 28 * 1024, "{}", teams.to_string().len());
    assert!(teams.to_string().contains("the rest: tidegate show someli-production/42"));
}

#[test]
fn a_target_is_told_with_what_it_ran() {
    let slot = a_slot("Rag", 0, SlotPhase::Returned { at: story::at(0) });
    assert_eq!(messages::state(&slot), "Rag: back on 4b1d00000000 (Rag:7)");
}
