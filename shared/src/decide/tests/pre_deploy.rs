//! One-off tasks before the first wave: what goes back, what is waited for, what undoes them.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::back::FAIL;
use crate::command;
use crate::config::{Check, TaskConfig};
use crate::decide::checks::alarms;
use crate::decide::{Finding, Seen, Sightings, due};
use crate::marks::token;
use crate::model::{
    Action, Done, Intent, NoticeKind, Outcome, Phase, ReleaseId, Scene, Slot, SlotPhase, TargetId,
    TargetKind, TaskFailure,
};
use crate::sighting::TaskSighting;
use crate::stage::{Answer, Stage, arn, crash, target};

fn task_id(name: &str) -> TargetId {
    TargetId { kind: TargetKind::Task, ..target(name) }
}

fn config(name: &str) -> TaskConfig {
    TaskConfig {
        name: name.to_owned(),
        task_definition: name.to_owned(),
        container: "main".to_owned(),
        command: vec!["migrate".to_owned()],
        network_from: "Rag".to_owned(),
        timeout: Duration::from_secs(900),
        down: Some(vec!["migrate".to_owned(), "down".to_owned()]),
    }
}

/// A pipeline of the service `Rag`, with these one-off tasks before it, one after the other.
fn with_tasks(names: &[&str]) -> Stage {
    let mut stage = Stage::of(&[&["Rag"]]);
    for &name in names {
        let baseline = Box::new(stage.services.get_mut("Rag").unwrap().baseline(stage.now));
        let (pins, difference) = (Vec::new(), Vec::new());
        let finding = Finding::Ready { baseline, pins, revision: arn(name, "r2"), difference };
        stage.findings.insert(name.to_owned(), finding);
        // The stage's deploy knows services alone: these tests answer for it.
        stage.answers.insert(name.to_owned(), Answer::Never);
        stage.config_mut().pre_deploy.push(config(name));
    }
    stage
}

/// Release 2 asks for the first of them.
fn asked(names: &[&str]) -> Stage {
    let mut stage = with_tasks(names);
    stage.push("b1");
    stage.work();
    assert_eq!(phase(&stage, names[0]), "applying");
    stage
}

fn slot<'s>(stage: &'s Stage, task: &str) -> &'s Slot {
    &stage.table.slots[&task_id(task)]
}

fn phase(stage: &Stage, task: &str) -> &'static str {
    slot(stage, task).phase.name()
}

/// Deploy takes up what is asked and answers to the call that it sent.
fn answers(stage: &mut Stage, task: &str, outcome: Outcome) {
    let (id, now) = (task_id(task), stage.now);
    let claim = slot(stage, task).claim("deploy", now).unwrap();
    stage.table.note(&id, claim);
    let intent = slot(stage, task).intend("RunTask".to_owned(), now).unwrap();
    stage.table.note(&id, intent);
    let done = slot(stage, task).done.clone();
    let done = done.answered(outcome);
    let finish = slot(stage, task).finish(done);
    stage.table.note(&id, finish);
}

fn runs(stage: &mut Stage, task: &str) {
    let deployment = Some(format!("arn:aws:ecs:us-west-2:123456789012:task/cluster/{task}"));
    let at = stage.now;
    answers(stage, task, Outcome::Accepted { deployment, at });
    stage.advance();
    assert_eq!(phase(stage, task), "settling");
}

fn ends(stage: &mut Stage, task: &str, exit_code: i64) {
    let mut end = crash(1, stage.now);
    end.exit_code = Some(exit_code);
    let seen = seen(stage, task, "STOPPED", Some(end));
    stage.settle(&Sightings::from([(task_id(task), seen)]));
}

/// A look at the task that the slot's call started.
fn seen(stage: &Stage, task: &str, status: &str, ended: Option<TaskFailure>) -> Seen {
    let token = token(slot(stage, task));
    Seen::Task { token, task: Box::new(TaskSighting { status: status.to_owned(), ended }) }
}

fn roll_back(stage: &mut Stage) {
    let back = |scene: &_, actor: &_, now| command::rollback_moving(scene, actor, FAIL, now);
    stage.command(back).unwrap();
}

#[test]
fn a_task_that_nobody_called_is_withdrawn_and_so_are_those_behind_it() {
    let mut stage = asked(&["migrate", "seed"]);
    assert_eq!(phase(&stage, "seed"), "queued");
    roll_back(&mut stage);
    assert_eq!((phase(&stage, "migrate"), phase(&stage, "seed")), ("untouched", "untouched"));
    let withdrawn = slot(&stage, "migrate");
    assert_eq!((withdrawn.asked.action, withdrawn.todo), (Action::None, None));
    assert_eq!(stage.phase(2), "rolled_back");
}

#[test]
fn a_task_that_runs_is_waited_for_and_what_it_did_stays() {
    for (exit_code, end) in [(0, "healthy"), (1, "failed")] {
        let mut stage = asked(&["migrate", "seed"]);
        runs(&mut stage, "migrate");
        roll_back(&mut stage);
        assert_eq!((phase(&stage, "migrate"), phase(&stage, "seed")), ("settling", "untouched"));
        let waits = stage.advance();
        assert_eq!(waits[0], "migrate to end: a task that runs is not stopped");
        assert_eq!(stage.phase(2), "rolling_back");
        ends(&mut stage, "migrate", exit_code);
        assert_eq!((phase(&stage, "migrate"), stage.phase(2)), (end, "rolled_back"));
        assert_eq!(slot(&stage, "migrate").asked.action, Action::Apply, "nothing was asked of it");
        let typed = &stage.table.notices().last().unwrap().commands;
        let undo = typed.iter().any(|typed| typed.contains("--down"));
        assert_eq!(undo, end == "healthy", "what failed needs a person's look first: {typed:?}");
    }
}

#[test]
fn what_checks_see_while_tasks_run_alone_is_not_their_doing() {
    let mut stage = with_tasks(&["migrate"]);
    stage.config_mut().checks = vec![Check::Alarm { name: "api-5xx".to_owned() }];
    stage.push("b1");
    stage.work();
    let listened_to = |stage: &Stage| alarms(&stage.table.scene()).count();
    assert_eq!((phase(&stage, "migrate"), listened_to(&stage)), ("applying", 0));
    runs(&mut stage, "migrate");
    ends(&mut stage, "migrate", 0);
    assert_eq!((stage.slot("Rag").phase.name(), listened_to(&stage)), ("applying", 1));
}

#[test]
fn a_task_whose_call_may_still_land_is_waited_for() {
    type Leaves = fn(&mut Done, Timestamp);
    let table: &[(&str, Leaves, &str)] = &[
        ("throttled, and nothing else was sent", |_, _| {}, "untouched"),
        ("an earlier call has no answer", |done, now| done.lost = Some(now), "sought"),
        (
            "a later call has no answer yet",
            |done, now| done.intent = Some(Intent { call: "RunTask".into(), at: now, after: None }),
            "sought",
        ),
        ("throttled, and taken up once more", |done, _| done.outcome = None, "untouched"),
    ];
    for (what, leaves, expected) in table {
        let mut stage = asked(&["migrate"]);
        let until = stage.now + Duration::from_secs(30);
        answers(&mut stage, "migrate", Outcome::Throttled { until });
        let (id, now) = (task_id("migrate"), stage.now);
        let mut done = slot(&stage, "migrate").done.clone();
        leaves(&mut done, now);
        let keep = slot(&stage, "migrate").keep(done);
        stage.table.note(&id, keep);
        roll_back(&mut stage);
        assert_eq!(phase(&stage, "migrate"), *expected, "{what}");
        let end = if *expected == "untouched" { "rolled_back" } else { "rolling_back" };
        assert_eq!(stage.phase(2), end, "{what}");
        let asked = slot(&stage, "migrate").asks_deploy();
        assert!(!asked, "{what}: sent again, it would run while all goes back");
    }
}

/// The call of `migrate` was sent so long ago and never answered, when the release is told to go back.
fn withdrawn(ago: Duration) -> Stage {
    let mut stage = asked(&["migrate"]);
    let at = stage.now;
    answers(&mut stage, "migrate", Outcome::Throttled { until: at });
    notes(&mut stage, |done| {
        (done.outcome, done.called, done.lost) = (None, Some(at), Some(at));
    });
    stage.now += ago;
    roll_back(&mut stage);
    assert_eq!((phase(&stage, "migrate"), stage.phase(2)), ("sought", "rolling_back"));
    let line = stage.table.journal.iter().find(|entry| entry.to == "sought").unwrap();
    assert_eq!(line.reason, "its call was not answered: it is withdrawn, and looked for");
    stage
}

/// Deploy writes something down, whatever is asked by now.
fn notes(stage: &mut Stage, what: impl FnOnce(&mut Done)) {
    let mut done = slot(stage, "migrate").done.clone();
    what(&mut done);
    let keep = slot(stage, "migrate").keep(done);
    stage.table.note(&task_id("migrate"), keep);
}

/// What a look shows of `migrate` so many seconds after its release was told to go back.
fn shows(stage: &mut Stage, seconds: u64, seen: Option<Seen>) {
    let Phase::RollingBack { since } = stage.release(2).phase else { panic!() };
    stage.now = since + Duration::from_secs(seconds);
    let seen: Sightings = seen.map(|seen| (task_id("migrate"), seen)).into_iter().collect();
    stage.settle(&seen);
}

fn running(stage: &Stage) -> Seen {
    seen(stage, "migrate", "RUNNING", None)
}

#[test]
fn a_task_that_was_withdrawn_never_ran_once_its_call_can_no_longer_arrive() {
    let mut stage = withdrawn(Duration::from_secs(5));
    let said = "word of migrate, whose call was not answered: ECS is asked until it can no longer \
                arrive";
    assert_eq!(stage.advance()[0], said);
    assert_eq!(due(&stage.table.scene(), stage.now), [task_id("migrate")], "at each tick");
    shows(&mut stage, 134, Some(Seen::Missing));
    assert_eq!(phase(&stage, "migrate"), "sought");
    shows(&mut stage, 135, Some(Seen::Missing));
    assert_eq!((phase(&stage, "migrate"), stage.phase(2)), ("untouched", "rolled_back"));
    assert!(!slot(&stage, "migrate").ran());
    let typed = &stage.table.notices().last().unwrap().commands;
    assert!(!typed.iter().any(|typed| typed.contains("--down")), "{typed:?}");
}

#[test]
fn a_clock_that_is_behind_does_not_call_a_task_off_that_is_on_its_way() {
    let mut stage = asked(&["migrate"]);
    let (at, sent) = (stage.now, stage.now + Duration::from_secs(60));
    answers(&mut stage, "migrate", Outcome::Throttled { until: at });
    notes(&mut stage, |done| {
        (done.outcome, done.lost, done.called) = (None, Some(at), Some(sent));
    });
    roll_back(&mut stage);
    shows(&mut stage, 135, Some(Seen::Missing));
    assert_eq!(phase(&stage, "migrate"), "sought", "it was sent a minute later than that");
    shows(&mut stage, 200, Some(Seen::Missing));
    assert_eq!(phase(&stage, "migrate"), "untouched");
}

#[test]
fn a_task_that_was_withdrawn_and_runs_all_the_same_is_waited_for() {
    let mut stage = withdrawn(Duration::from_secs(5));
    let seen = running(&stage);
    shows(&mut stage, 40, Some(seen));
    assert_eq!(phase(&stage, "migrate"), "settling");
    // A sweep judges without a look; ECS's list is not always whole.
    shows(&mut stage, 500, None);
    shows(&mut stage, 510, Some(Seen::Missing));
    assert_eq!(phase(&stage, "migrate"), "settling");
    ends(&mut stage, "migrate", 0);
    assert_eq!((phase(&stage, "migrate"), stage.phase(2)), ("healthy", "rolled_back"));
    assert!(slot(&stage, "migrate").ran());
}

#[test]
fn an_answer_that_comes_after_all_is_believed() {
    let mut stage = withdrawn(Duration::from_secs(5));
    let at = stage.now;
    let deployment = Some("arn:aws:ecs:us-west-2:123456789012:task/cluster/migrate".to_owned());
    notes(&mut stage, |done| done.outcome = Some(Outcome::Accepted { deployment, at }));
    shows(&mut stage, 10, None);
    assert_eq!(phase(&stage, "migrate"), "settling");
    ends(&mut stage, "migrate", 1);
    assert_eq!((phase(&stage, "migrate"), stage.phase(2)), ("failed", "rolled_back"));

    let mut stage = withdrawn(Duration::from_secs(5));
    let refused = Outcome::Refused { why: "AccessDenied".to_owned(), at };
    notes(&mut stage, |done| (done.outcome, done.lost) = (Some(refused), None));
    shows(&mut stage, 10, None);
    assert_eq!((phase(&stage, "migrate"), stage.phase(2)), ("untouched", "rolled_back"));
}

#[test]
fn whether_a_task_that_was_withdrawn_ran_is_not_known_where_ecs_cannot_tell() {
    let known = |stage: &Stage| match &slot(stage, "migrate").phase {
        SlotPhase::Failed { failure } => assert!(failure.cause.contains("not known"), "{failure}"),
        other => panic!("{other:?}"),
    };
    // ECS forgets a stopped task after about an hour.
    for (ago, looked) in [(Duration::from_mins(31), 135), (Duration::ZERO, 31 * 60)] {
        let mut stage = withdrawn(ago);
        shows(&mut stage, looked, Some(Seen::Missing));
        known(&stage);
        assert_eq!(stage.phase(2), "rolled_back", "and it is not looked for once more");
    }
    // Nobody may look.
    let mut stage = withdrawn(Duration::from_secs(5));
    shows(&mut stage, 135 + 299, None);
    assert_eq!(phase(&stage, "migrate"), "sought");
    shows(&mut stage, 135 + 300, None);
    known(&stage);
}

#[test]
fn where_deploy_was_given_up_with_a_call_under_way_the_task_is_looked_for_as_well() {
    let mut stage = asked(&["migrate"]);
    let at = stage.now;
    answers(&mut stage, "migrate", Outcome::Throttled { until: at });
    notes(&mut stage, |done| (done.outcome, done.lost) = (None, Some(at)));
    let slot = stage.table.slots.get_mut(&task_id("migrate")).unwrap();
    Arc::make_mut(slot).nudge = 10;
    stage.now += Duration::from_secs(90);
    stage.advance();
    assert_eq!((phase(&stage, "migrate"), stage.phase(2)), ("sought", "rolling_back"));
    let seen = running(&stage);
    shows(&mut stage, 200, Some(seen));
    ends(&mut stage, "migrate", 0);
    assert_eq!((phase(&stage, "migrate"), stage.phase(2)), ("healthy", "rolled_back"));
}

#[test]
fn services_go_back_and_people_are_told_what_was_run() {
    let mut stage = asked(&["migrate"]);
    runs(&mut stage, "migrate");
    ends(&mut stage, "migrate", 0);
    stage.work();
    assert_eq!(stage.slot("Rag").phase.name(), "settling");
    roll_back(&mut stage);
    assert_eq!(stage.advance()[0], "Rag to come back");
    stage.play();
    assert_eq!((stage.phase(2), phase(&stage, "migrate")), ("rolled_back", "healthy"));
    let said = stage.table.notices().last().unwrap();
    assert!(said.text.iter().any(|text| text.starts_with("migrate had been run")), "{said:?}");
    assert!(said.commands.iter().any(|typed| typed.contains("--down")), "{:?}", said.commands);
}

/// Release 2 ran its task and went back; release 3 undoes it.
fn undoing() -> Stage {
    let mut stage = asked(&["migrate"]);
    runs(&mut stage, "migrate");
    roll_back(&mut stage);
    ends(&mut stage, "migrate", 0);
    assert_eq!(stage.phase(2), "rolled_back");
    let (ran, last) = (vec![slot(&stage, "migrate").clone()], stage.release(2).clone());
    let step = stage.table.head.step;
    let since =
        |scene: &Scene, actor: &str, now| command::undo(scene, &ran, &last, step - 1, actor, now);
    let refused = stage.command(since).unwrap_err().to_string();
    assert!(refused.starts_with("p went on since"), "{refused}");
    stage.command(|scene, actor, now| command::undo(scene, &ran, &last, step, actor, now)).unwrap();
    stage.work();
    let slot = slot(&stage, "migrate");
    assert_eq!((slot.asked.action, slot.phase.name()), (Action::Undo, "applying"));
    stage
}

#[test]
fn what_undoes_a_task_runs_alone_and_leaves_what_is_live() {
    let mut stage = undoing();
    runs(&mut stage, "migrate");
    ends(&mut stage, "migrate", 0);
    assert_eq!((stage.phase(3), stage.table.head.moving), ("rolled_back", None));
    assert_eq!(stage.table.head.live, Some(1));
    assert_eq!(stage.slot("Rag").release, ReleaseId::new("p", 2), "no service was taken for it");
    let said = stage.table.notices().last().unwrap();
    assert_eq!(said.kind, NoticeKind::RolledBack);
    assert!(said.title.contains("ran what undoes migrate"), "{}", said.title);
}

#[test]
fn what_fails_to_undo_a_task_is_for_a_person() {
    let mut stage = undoing();
    runs(&mut stage, "migrate");
    ends(&mut stage, "migrate", 1);
    assert_eq!((stage.phase(3), stage.table.head.moving), ("rollback_failed", Some(3)));
    let (ran, last) = (vec![slot(&stage, "migrate").clone()], stage.release(3).clone());
    let again = |scene: &Scene, actor: &str, now| {
        command::undo(scene, &ran, &last, scene.head.step, actor, now)
    };
    let refused = stage.command(again).unwrap_err().to_string();
    assert!(refused.contains("`tidegate accept p` leaves that as it is"), "{refused}");
    assert!(stage.table.head.freeze.is_some());
    assert_eq!(phase(&stage, "migrate"), "failed");
    assert!(stage.table.blocks.is_empty(), "the same bytes may be right once it is mended");
}
