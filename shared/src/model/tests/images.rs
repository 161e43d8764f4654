//! The bytes of a release, under the names that they came by and those that they are known by.

use std::collections::BTreeMap;

use crate::model::{Block, Memory, Rejection, ReleaseId, ReleaseImage, set_of, short_image};
use crate::stage::{Stage, at, digest, image};

fn tagged(tags: &[&str]) -> ReleaseImage {
    let tags = tags.iter().map(|&tag| tag.to_owned()).collect();
    ReleaseImage { tags, ..image("app", "b1", "", at(0)) }
}

#[test]
fn an_image_is_labelled_by_the_tag_that_selected_it() {
    let image = tagged(&["prod-1", "uapi"]);
    assert_eq!(image.label(), "app:prod-1 (b10000000000)");
    assert_eq!(image.uri(), "123456789012.dkr.ecr.us-west-2.amazonaws.com/app");
}

#[test]
fn a_set_of_images_is_named_by_its_bytes_and_not_by_their_tags() {
    let set = |name: &str, image: ReleaseImage| set_of(&BTreeMap::from([(name.to_owned(), image)]));
    let one = set("app", tagged(&["prod-1"]));
    assert_eq!(one, set("app", tagged(&["uapi"])));
    assert_ne!(one, set("web", tagged(&["prod-1"])));
    assert_ne!(one, set("app", image("app", "b2", "prod-1", at(0))));
}

#[test]
fn a_text_shows_images_without_their_registry_and_with_short_digests() {
    let whole = format!("123456789012.dkr.ecr.us-west-2.amazonaws.com/team/app@{}", digest("b1"));
    let text = format!("image: {whole} → public.ecr.aws/nginx/nginx:1 cpu: a/b");
    let short = "image: team/app@b10000000000 → public.ecr.aws/nginx/nginx:1 cpu: a/b";
    assert_eq!(short_image(&text), short);
}

#[test]
fn what_was_answered_is_remembered_with_every_tag_that_showed_it() {
    let memory = Memory::of(&tagged(&["prod-1", "uapi"]));
    assert_eq!((memory.tag.as_str(), &memory.digest), ("prod-1", &digest("b1")));
    let memory = memory.and_shown_by(&["prod-1".to_owned(), "v1.2.3".to_owned()]);
    assert_eq!(memory.tags().collect::<Vec<_>>(), ["prod-1", "uapi", "v1.2.3"]);
    let shown = ["prod-1", "uapi", "v1.2.3", "v1.2.4"].map(|tag| memory.was_shown_by(tag));
    assert_eq!(shown, [true, true, true, false]);
}

#[test]
fn what_keeps_bytes_out_says_since_when_and_what_to_type() {
    let (release, at) = (ReleaseId::new("p", 2), at(0));
    let why = "it leaks".to_owned();
    let block = Block { digest: digest("b1"), release: release.clone(), why: why.clone(), at };
    assert_eq!(block.to_string(), "b10000000000 is blocked since p/2: it leaks");
    let (set, by) = ("set".to_owned(), "ada".to_owned());
    let said = "ada rejected these images as p/2: it leaks; `tidegate start p/2` brings them all \
                the same";
    assert_eq!(Rejection { set, release, by, why, at }.to_string(), said);
}

#[test]
fn a_release_owns_the_targets_that_it_took_and_no_others() {
    let mut stage = Stage::of(&[&["Rag", "Billing"]]);
    stage.push("b1");
    stage.survey();
    stage.slot_mut("Billing").release = ReleaseId::new("p", 1);
    let scene = stage.table.scene();
    let owned: Vec<_> = scene.owned().map(|slot| slot.target.name.as_str()).collect();
    assert_eq!(owned, ["Rag"]);
}
