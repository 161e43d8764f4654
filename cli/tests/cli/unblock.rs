//! What a person reads who allows bytes again: no more than comes.

use std::time::Duration;

use crate::story::{OPERATOR, PIPELINE, at, digest, frozen, scene};
use tidegate_cli::view::Outcome;
use tidegate_cli::{Color, Format, render};
use tidegate_core::command;
use tidegate_core::config::{Approval, Placeholder};
use tidegate_core::model::{Block, ReleaseId, Retired, Scene};

/// What failed with release 42.
const BAD: &str = "9e1f0a2b3c4d";

fn block(scene: &mut Scene, bytes: &str) {
    let (digest, why) = (digest(bytes), "it failed".to_owned());
    let release = ReleaseId::new(PIPELINE, 42);
    scene.blocked.insert(digest.clone(), Block { digest, release, why, at: at(58) });
}

/// What a person is told who allows `bytes` again, in words as in JSON.
fn allowed(scene: &Scene, bytes: &str) -> Vec<String> {
    let mut before = scene.clone();
    block(&mut before, bytes);
    let change = command::unblock(&before, &digest(bytes), OPERATOR, at(100)).unwrap();
    let outcome = Outcome::written(scene, &change, vec![]);
    let text = render(&outcome, Format::Text, Color::Auto).unwrap();
    assert!(outcome.notes.iter().all(|note| text.contains(&format!("{note}\n"))), "{text}");
    outcome.notes
}

#[test]
fn bytes_that_are_allowed_again() {
    let at_rest = scene(None, vec![], None);
    let start = format!("`tidegate start {PIPELINE} --image crons={}`", digest(BAD));
    let swept = format!(
        "if 9e1f0a2b3c4d is still the newest that its tags select, the sweep brings it within five \
         minutes, else {start} does"
    );
    assert_eq!(allowed(&at_rest, BAD), std::slice::from_ref(&swept));
    assert_eq!(allowed(&at_rest, "4b1d7e2"), <[&str; 0]>::default(), "what is live is there");
    let frozen = frozen(at_rest.clone(), OPERATOR, "quarter's end");
    let waits = format!("{swept}, and it waits for `tidegate unfreeze {PIPELINE}`");
    assert_eq!(allowed(&frozen, BAD), [waits]);
    let mut retired = at_rest;
    let why = "moved".to_owned();
    retired.head.retired = Some(Retired { by: OPERATOR.to_owned(), why, at: at(400) });
    let said = allowed(&retired, BAD).join("\n");
    assert!(said.contains("is retired") && !said.contains("sweep"), "{said}");
}

#[test]
fn bytes_of_several_images_or_of_another_pipeline_are_allowed_again() {
    let mut scene = scene(None, vec![], None);
    let api = scene.config.images["crons"].clone();
    scene.config.images.insert("api".to_owned(), api);
    let start = format!("--image NAME={}` (NAME: api or crons)", digest(BAD));
    assert!(allowed(&scene, BAD)[0].contains(&start), "{:?}", allowed(&scene, BAD));
    // One image of a set is half of a build.
    let whole =
        format!("`tidegate start` of the release that brought it (`tidegate history {PIPELINE}`)");
    scene.config.join_on = Some(Placeholder::Sha);
    let joined = format!("the sweep brings it within five minutes, else {whole} does");
    assert!(allowed(&scene, BAD)[0].ends_with(&joined), "{:?}", allowed(&scene, BAD));
    scene.config.join_on = None;
    scene.config.promote_from = Some("someli-uat".to_owned());
    let by_hand = format!("9e1f0a2b3c4d does not come by itself: {whole} brings it");
    assert_eq!(allowed(&scene, BAD), [by_hand]);
    scene.config.approval = Some(Approval { expires: Duration::from_secs(60), unless_tag: None });
    let offered =
        "if 9e1f0a2b3c4d is the newest that someli-uat proved, live there still, the sweep offers";
    let said = &allowed(&scene, BAD)[0];
    let else_by_hand = format!("else {whole} brings it");
    assert!(said.starts_with(offered) && said.ends_with(&else_by_hand), "{said}");
    block(&mut scene, "77");
    let free = "live there still and nothing else of its set is blocked, the sweep";
    assert!(allowed(&scene, BAD)[0].contains(free), "{:?}", allowed(&scene, BAD));
}
