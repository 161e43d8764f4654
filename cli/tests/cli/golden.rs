//! What people and programs read, word for word. `UPDATE=1 cargo test -p tidegate-cli` rewrites it.

use std::fs;
use std::path::Path;

use std::collections::BTreeMap;

use crate::story::{
    OPERATOR, PIPELINE, at, crash, digest, entry, frozen, live, newest, rolled_back, rolling,
    scene, slot,
};
use tidegate_cli::command::config::{Application, Applied, Retirement};
use tidegate_cli::command::history::Past;
use tidegate_cli::command::show::Dossier;
use tidegate_cli::view::{EntryView, Outcome, PipelineView, ReleaseView, VerifyView};
use tidegate_cli::{Color, Exit, Format, render};
use tidegate_core::command::{self, Ending, RollbackOptions};
use tidegate_core::decide::{Sightings, decide};
use tidegate_core::model::{
    Approved, Block, Cause, Hold, Phase, Push, Release, ReleaseId, Retired, Scene, SlotPhase,
};
use tidegate_core::verify::{Line, State, Topic};

#[track_caller]
fn check(name: &str, said: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/golden").join(name);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, said).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(said, expected, "{name} differs; UPDATE=1 rewrites it");
}

fn status(scene: &Scene) -> PipelineView {
    status_after(scene, None)
}

fn status_after(scene: &Scene, last: Option<&Release>) -> PipelineView {
    PipelineView::new(scene, last, decide(scene, &Sightings::new(), at(100)).waiting_on)
}

#[track_caller]
fn check_status(name: &str, scene: &Scene, exit: Exit) {
    let view = status(scene);
    check(&format!("{name}.txt"), &render(&view, Format::Text, Color::Auto).unwrap());
    assert_eq!(view.exit(), exit);
}

#[test]
fn a_pipeline_at_rest() {
    check_status("status-live", &scene(None, vec![], None), Exit::Done);
}

#[test]
fn a_release_on_its_way() {
    check_status("status-rolling", &rolling(), Exit::Moving);
    check("status-rolling.json", &render(&status(&rolling()), Format::Json, Color::Auto).unwrap());
}

#[test]
fn a_release_that_waits_behind_a_freeze() {
    let waiting = newest(Phase::Waiting { since: at(0) });
    let scene = frozen(scene(None, vec![], Some(waiting)), OPERATOR, "quarter's end");
    check_status("status-frozen", &scene, Exit::Held);
}

#[test]
fn a_release_that_nothing_could_bring_back() {
    let held = Some(Hold::NoWayBack { targets: vec!["Rag: crons runs live_crons:uapi".into()] });
    let moving = newest(Phase::Surveying { since: at(5), held });
    check_status("status-held", &scene(Some(moving), vec![], None), Exit::Held);
}

#[test]
fn a_rollback_that_failed() {
    let mut release = newest(Phase::RollbackFailed { at: at(200) });
    release.failure = Some(crash());
    let fell = SlotPhase::ReturnFailed { failure: crash() };
    let slots = vec![slot("Rag", 0, &fell), slot("AI_CONTENT", 1, &SlotPhase::Untouched)];
    let why = "someli-production/42 is rollback_failed: Rag: container `crons` exited with code 1";
    let mut scene = frozen(scene(Some(release), slots, None), "tidegate", why);
    let block = Block {
        digest: digest("9e1f0a2b3c4d"),
        release: ReleaseId::new(PIPELINE, 42),
        why: crash().cause,
        at: at(58),
    };
    scene.blocked.insert(block.digest.clone(), block);
    check_status("status-rollback-failed", &scene, Exit::Broken);
}

#[test]
fn what_came_last_and_went_back() {
    let (failed, _) = rolled_back();
    let view = status_after(&scene(None, vec![], None), Some(&failed));
    check("status-rolled-back.txt", &render(&view, Format::Text, Color::Auto).unwrap());
}

fn dossier() -> Dossier {
    let (release, slots) = rolled_back();
    let mut failed = entry(Some("Rag"), 3, "settling", "failed", &crash().cause);
    failed.evidence = crash().evidence;
    let mut recorded = entry(None, 1, "none", "surveying", "live_crons:prod-9e1f0a2 was pushed");
    recorded.actor = "ecr".to_owned();
    let journal =
        vec![recorded, entry(Some("Rag"), 2, "applying", "settling", "ECS accepted it"), failed];
    Dossier::new(&release, &slots, journal)
}

#[test]
fn everything_about_a_release() {
    check("show-rolled-back.txt", &render(&dossier(), Format::Text, Color::Auto).unwrap());
    check("show-rolled-back.json", &render(&dossier(), Format::Json, Color::Auto).unwrap());
}

#[test]
fn a_rollback_that_is_only_imagined() {
    let scene = scene(None, vec![], None);
    let mut before = live();
    before.id.number = 40;
    before.images.values_mut().for_each(|image| image.digest = digest("77"));
    let options = RollbackOptions { block: true, freeze: true };
    let change = command::rollback_to(&scene, &before, OPERATOR, options, at(100)).unwrap();
    let outcome = Outcome::imagined(&scene, &change);
    check("rollback-dry-run.txt", &render(&outcome, Format::Text, Color::Auto).unwrap());
}

#[test]
fn a_rollback_that_was_asked_for() {
    let before = rolling();
    let ending = Ending::Fail { include_drifted: false };
    let change = command::rollback_moving(&before, OPERATOR, ending, at(100)).unwrap();
    let mut after = before.clone();
    after.moving = change.releases.first().cloned();
    after.slots.extend(change.slots.iter().map(|(_, slot)| (slot.target.clone(), slot.clone())));
    let waiting_on = decide(&after, &Sightings::new(), at(101)).waiting_on;
    let outcome = Outcome::written(&after, &change, waiting_on);
    check("rollback-moving.txt", &render(&outcome, Format::Text, Color::Auto).unwrap());
}

#[test]
fn what_was_released_and_what_was_not() {
    let (failed, _) = rolled_back();
    let refused = "it is what someli-production/41 made live".to_owned();
    let mut refused = newest(Phase::Refused { at: at(900), why: refused });
    refused.id.number = 43;
    let push = Push {
        missing: Vec::new(),
        pipeline: PIPELINE.to_owned(),
        repository: "live_crons".to_owned(),
        tag: "prod-9e1f0a2".to_owned(),
        digest: digest("9e1f0a2b3c4d"),
        at: at(1000),
        why: "blocked since someli-production/42 failed".to_owned(),
        instead: None,
    };
    let releases = [&refused, &failed, &live()].map(ReleaseView::new).to_vec();
    let frozen = command::freeze(&scene(None, vec![], None), OPERATOR, "we are looking", at(1100));
    let decisions = frozen.unwrap().journal.into_iter().map(EntryView).collect();
    let past = Past { releases, pushes: vec![push], decisions };
    check("history.txt", &render(&past, Format::Text, Color::Auto).unwrap());
}

#[test]
fn a_config_that_was_applied() {
    let mut adopted = live();
    adopted.cause = Cause::Adopted;
    let new = Applied {
        pipeline: PIPELINE.to_owned(),
        result: "new",
        config: Some(1),
        refused: None,
        changed: vec![],
        adopted: Some(ReleaseView::new(&adopted)),
        answered: scene(None, vec![], None).head.answered,
        notes: vec!["Carousel: crons runs live_crons:uapi: no task runs it".to_owned()],
    };
    let other = Applied {
        pipeline: "someli-uat".to_owned(),
        result: "refused",
        config: None,
        refused: Some("someli-uat/7 is rolling and owns its targets".to_owned()),
        adopted: None,
        answered: BTreeMap::new(),
        notes: vec![],
        ..new.clone()
    };
    let pipelines = vec![new, other];
    let (file, problems) = ("tidegate.yaml".to_owned(), vec![]);
    let not_in_file = vec!["someli-designers".to_owned(), "someli-dev".to_owned()];
    let said = Application { file, dry_run: true, problems, pipelines, not_in_file };
    check("apply.txt", &render(&said, Format::Text, Color::Auto).unwrap());
    check("apply.json", &render(&said, Format::Json, Color::Auto).unwrap());
}

#[test]
fn a_pipeline_that_is_retired() {
    let (by, why) = (OPERATOR.to_owned(), "it is called someli-main now".to_owned());
    let retired = Retired { by, why, at: at(1000) };
    let mut scene = frozen(scene(None, vec![], None), OPERATOR, "quarter's end");
    scene.head.retired = Some(retired.clone());
    check_status("status-retired", &scene, Exit::Done);
    let (pipeline, result) = (PIPELINE.to_owned(), "retired");
    let said = Retirement { pipeline, dry_run: true, result, retired };
    check("retire.txt", &render(&said, Format::Text, Color::Auto).unwrap());
    check("retire.json", &render(&said, Format::Json, Color::Auto).unwrap());
}

#[test]
fn what_an_older_program_let_into_a_retired_pipeline_has_its_ways_out() {
    let (by, why) = (OPERATOR.to_owned(), "it is called someli-main now".to_owned());
    let retired = Retired { by, why, at: at(-1000) };
    let ways = |mut scene: Scene| {
        scene.head.retired = Some(retired.clone());
        status(&scene).ways_out
    };
    let here = |verb: &str| format!("tidegate {verb} {PIPELINE}");
    assert_eq!(ways(rolling()), [here("follow"), here("rollback")]);
    let waiting = newest(Phase::Waiting { since: at(0) });
    let scene_with_it = frozen(scene(None, vec![], Some(waiting)), OPERATOR, "quarter's end");
    assert_eq!(ways(scene_with_it), [here("unfreeze")]);
    let targets = vec!["Rag: it is gone".to_owned()];
    let held = Phase::Surveying { since: at(0), held: Some(Hold::Unfit { targets }) };
    let again = format!("tidegate start {PIPELINE}/42");
    let mut held = newest(held);
    let scene_with_it = scene(Some(held.clone()), vec![], None);
    // A new release would not start.
    assert_eq!(ways(scene_with_it), [here("rollback"), here("abandon")]);
    held.cause = Cause::Rollback { to: 40 };
    let back = here("rollback") + " --to live";
    assert_eq!(ways(scene(Some(held), vec![], None)), [again, back, here("abandon")]);
}

#[test]
fn an_environment_that_is_not_well() {
    let line = |topic, subject: &str, state, said: &str, remedy: &str| Line {
        topic,
        subject: subject.to_owned(),
        state,
        said: said.to_owned(),
        remedy: Some(remedy.to_owned()).filter(|remedy| !remedy.is_empty()),
    };
    let cause = "0 of 1 tasks run carousel:4: container `crons` exited with code 1 after 2 s";
    let start = "At the start this is usually a missing variable or secret: read the first lines of \
                 the container's log";
    let lines = vec![
        line(Topic::Services, "Carousel", State::Failed, cause, start),
        line(Topic::Services, "Rag", State::Green, "1 of 1 tasks run rag:3", ""),
        line(
            Topic::Roles,
            "live-crons-task",
            State::Unknown,
            "iam:GetRole on arn:aws:iam::123456789012:role/live-crons-task: AccessDenied: no",
            "Allow yourself iam:GetRole on arn:aws:iam::123456789012:role/live-crons-task: the policy \
             `ReaderPolicyArn` of the stack's outputs has it",
        ),
        line(
            Topic::EventPaths,
            "NotificationTopic",
            State::Warning,
            "subscriptions confirmed: 1, not confirmed: 1",
            "Open the mail that SNS sent, and confirm it",
        ),
    ];
    let view = VerifyView::new(PIPELINE, lines);
    assert!(!view.ok);
    check("verify.txt", &render(&view, Format::Text, Color::Auto).unwrap());
    check("verify.json", &render(&view, Format::Json, Color::Auto).unwrap());
}

#[test]
fn what_is_unknown_is_not_well_and_a_warning_is() {
    let well = |state| {
        let (subject, said) = ("Rag".to_owned(), "seen".to_owned());
        VerifyView::new(
            PIPELINE,
            vec![Line { topic: Topic::Services, subject, state, said, remedy: None }],
        )
        .ok
    };
    let states = [State::Green, State::Warning, State::Unknown, State::Failed];
    assert_eq!(states.map(well), [true, true, false, false]);
}

#[test]
fn colour_is_there_only_when_asked_for() {
    let view = status(&rolling());
    assert!(render(&view, Format::Text, Color::Always).unwrap().contains("\u{1b}[32m"));
    for (format, color) in
        [(Format::Text, Color::Auto), (Format::Text, Color::Never), (Format::Json, Color::Always)]
    {
        let said = render(&view, format, color).unwrap();
        assert!(!said.contains('\u{1b}') && !said.contains("\\u001b"), "{said}");
    }
}

#[test]
fn a_release_that_waits_for_an_approval() {
    let changes = [
        "Rag (Rag:7): containerDefinitions[crons].image: live_crons:uapi → live_crons@9e1f0a2b3c4d",
        "Rag (Rag:7): containerDefinitions[crons].cpu: 256 → 512",
    ];
    let hold = Hold::Approval {
        plan: "4f1d0c2b".repeat(8),
        changes: changes.map(str::to_owned).to_vec(),
        until: at(86_400),
    };
    let mut held = newest(Phase::Surveying { since: at(5), held: Some(hold) });
    let scene = scene(Some(held.clone()), vec![], None);
    check_status("status-approval", &scene, Exit::Held);
    let show =
        |release: &Release| render(&ReleaseView::new(release), Format::Text, Color::Auto).unwrap();
    let asked = show(&held);
    let (by, plan) = (OPERATOR.to_owned(), "4f1d0c2b".repeat(8));
    held.approved = Some(Approved { by, at: at(60), plan });
    held.phase = Phase::Rolling { wave: 0, since: at(70) };
    check("show-approval.txt", &(asked + &show(&held)));
}
