//! What is answered as one: a push, or with `join_on` all images that hold the same value.

use std::collections::BTreeMap;
use std::iter::once;

use super::SWEEP;
use super::order::reason_it_is_late;
use crate::config::TagPattern;
use crate::model::{Cause, Digest, Memory, ReleaseId, ReleaseImage};

/// A push that one image of one pipeline selects, with what belongs to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Who: `ecr`, `sweep` when an event was lost, or the release that is promoted.
    pub by: String,
    /// The image that was pushed, by its name in the config.
    pub image: String,
    /// What was pushed.
    pub pushed: Member,
    /// With `join_on`: the other images that hold the same value, by their names.
    pub others: BTreeMap<String, Member>,
    /// With `join_on`: what keeps the set from being whole.
    pub missing: Option<Missing>,
    /// The release that brought the set to the pipeline that this one is promoted from.
    pub promoted: Option<ReleaseId>,
}

/// One image of the set, as the registry shows it now.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// The pattern that selected the tag.
    pub pattern: TagPattern,
    /// The tag.
    pub tag: String,
    /// The bytes; `pushed_at` as first seen.
    pub bytes: ReleaseImage,
    /// What had been answered for the image when the registry was asked.
    pub answered: Option<Memory>,
}

/// A value of `join_on` that not every image holds yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The value.
    pub value: String,
    /// The images that hold no tag with it, by their names; never empty.
    pub images: Vec<String>,
}

impl Candidate {
    /// A push by itself.
    pub fn alone(by: &str, image: &str, pushed: Member) -> Self {
        let (by, image) = (by.to_owned(), image.to_owned());
        Self { by, image, pushed, others: BTreeMap::new(), missing: None, promoted: None }
    }

    /// Every image of the set, by its name.
    pub fn members(&self) -> impl Iterator<Item = (&String, &Member)> + Clone {
        once((&self.image, &self.pushed)).chain(&self.others)
    }

    /// Whether it may be news: none of its images is older than what was answered last, and not all of
    /// them are that.
    pub fn may_be_news(&self) -> bool {
        let late = |member: &Member| {
            member.answered.as_ref().is_some_and(|it| reason_it_is_late(it, member).is_some())
        };
        let mut members = self.members().map(|(_, member)| member);
        members.clone().any(|it| !it.is(it.answered.as_ref())) && !members.any(late)
    }

    /// The bytes of the set, as a release brings them.
    pub(super) fn images(&self) -> BTreeMap<String, ReleaseImage> {
        self.members().map(|(name, member)| (name.clone(), member.bytes.clone())).collect()
    }

    /// When each of the bytes was first seen pushed.
    pub(super) fn seen(&self) -> BTreeMap<Digest, jiff::Timestamp> {
        let seen =
            |(_, member): (_, &Member)| (member.bytes.digest.clone(), member.bytes.pushed_at);
        self.members().map(seen).collect()
    }

    /// What makes a release of it.
    pub(super) fn cause(&self) -> Cause {
        match &self.promoted {
            None => Cause::Push,
            Some(from) => Cause::Promoted { from: from.clone() },
        }
    }

    /// Nobody waits for an answer: it is a level, looked at again and again.
    pub(super) fn is_level(&self) -> bool {
        self.by == SWEEP || self.promoted.is_some()
    }

    /// `live_crons:uapi (0123456789ab) was pushed`
    pub(super) fn what_happened(&self) -> String {
        if let Some(from) = &self.promoted {
            return format!("{from} is live: the same images are offered here");
        }
        let pushed = format!("{} was pushed", self.pushed.bytes.label());
        match self.others.len() {
            0 => pushed,
            _ => format!("{pushed}, and with it every image of the set is there"),
        }
    }
}

impl Member {
    /// A literal tag that showed the bytes that were answered last shows others now. Whatever names they
    /// were pushed under, and whichever of these was heard of first.
    pub(super) fn moves(&self, memory: &Memory) -> bool {
        self.pattern.is_literal()
            && memory.was_shown_by(&self.tag)
            && memory.digest != self.bytes.digest
    }

    /// The same bytes as those answered last.
    pub(super) fn is(&self, memory: Option<&Memory>) -> bool {
        memory.is_some_and(|memory| memory.digest == self.bytes.digest)
    }

    /// A tag that was seen to show what was answered last.
    pub(super) fn is_tagged_as(&self, memory: Option<&Memory>) -> bool {
        memory.is_some_and(|memory| memory.was_shown_by(&self.tag))
    }
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { value, images } = self;
        let (names, holds) = match &images[..] {
            [one] => (one.clone(), "it holds"),
            [most @ .., last] => (format!("{} and {last}", most.join(", ")), "they hold"),
            [] => (String::new(), "they hold"),
        };
        write!(f, "it waits for {names}: {holds} no `{value}` yet")
    }
}
