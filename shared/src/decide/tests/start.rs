//! Whether the release that waits begins, and what people are told where it does not.

use crate::command;
use crate::decide::{conclude, live_already};
use crate::model::ReleaseImage;
use crate::stage::{OPERATOR, Stage, digest, image};

#[test]
fn a_frozen_pipeline_says_who_froze_it_and_what_to_type() {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.command(|scene, actor, now| command::freeze(scene, actor, "audit", now)).unwrap();
    stage.push("b1");
    assert_eq!(stage.phase(2), "waiting");
    let said = format!("p is frozen by {OPERATOR} (audit): `tidegate unfreeze p` lets p/2 start");
    assert_eq!(stage.advance(), [said]);
    stage.command(|scene, actor, now| command::unfreeze(scene, actor, "done", now)).unwrap();
    assert_eq!(stage.phase(2), "surveying");
    assert_eq!(stage.table.journal.last().unwrap().reason, "its turn has come");
}

#[test]
fn what_is_live_is_named_by_the_release_that_brought_it() {
    let stage = Stage::with(&[&["api-1", "web-1"]], &[("api", "api"), ("web", "web")]);
    let (scene, mut images) = (stage.table.scene(), stage.release(1).images.clone());
    let live = Some("it is what p/1 made live".to_owned());
    assert_eq!(live_already(&scene, &images), live);
    let web = images.remove("web").unwrap();
    assert_eq!(live_already(&scene, &images), live, "a part of it as well");
    images.insert("web".to_owned(), ReleaseImage { digest: digest("e1"), ..web });
    assert_eq!(live_already(&scene, &images), None, "other bytes of one image are news");
}

#[test]
fn bytes_that_are_blocked_once_targets_are_taken_end_the_release() {
    let images = [("api", "api"), ("web", "web")];
    let mut stage = Stage::with(&[&["api-1", "web-1"]], &images);
    let both = [("api", "a1"), ("web", "e1")]
        .map(|(name, bytes)| (name.to_owned(), image(name, bytes, "uapi", stage.now)));
    stage
        .command(|scene, actor, now| command::start(scene, both.clone().into(), actor, now))
        .unwrap();
    // The survey's first write, and deploy dies.
    let found = stage.found();
    let takes = conclude(&stage.table.scene(), &found, stage.now);
    stage.write(&takes.changes[0]);
    assert_eq!((stage.phase(2), stage.table.slots.len()), ("surveying", 2));
    stage
        .command(|scene, actor, now| command::block(scene, &digest("a1"), actor, "leaks", now))
        .unwrap();
    assert_eq!((stage.phase(2), stage.table.head.moving), ("refused", None));
}
