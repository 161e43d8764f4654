//! What only some seeds have: more than images and services. Drawn with dice of their own, so that a
//! seed without any is the story that it always was.

mod deeds;
mod draw;
mod text;
mod troubles;

pub(super) use draw::dice;
pub(in crate::simulate) use text::url;
pub(super) use text::{targets_of, write};
pub(in crate::simulate) use troubles::CALLS;

use draw::Extra;

/// The tag that is put on what is live, where a pipeline asks for it.
pub(in crate::simulate) const MARK: &str = "mark";

/// What a tag is called that approves what waits, where a pipeline takes it for a person's word.
const WORD: &str = "v";

/// What one pipeline has beside its images and services.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Extras {
    /// One-off tasks before its first wave, in order.
    pub tasks: Vec<Task>,
    /// Schedules, rules and container services among its waves.
    pub targets: Vec<Target>,
    /// `join_on: sha`
    pub joined: bool,
    /// A person's word before anything moves.
    pub approval: Option<Approval>,
    /// What is live in another pipeline is offered here.
    pub promoted: Option<Promoted>,
    /// What is live gets the tag [`MARK`].
    pub marks: bool,
    /// A URL is asked, and so many wrong answers in a row fail a release.
    pub url: Option<u32>,
    /// An alarm is listened to.
    pub alarm: bool,
    /// Its cluster is in another region; and where it asks for a role, in another account.
    pub elsewhere: Option<Elsewhere>,
}

impl Extras {
    /// Its images are read in another region, where copies of them arrive.
    pub fn reads_copies(&self) -> bool {
        self.promoted.as_ref().is_some_and(|promoted| promoted.copies)
    }
}

/// `promote_from`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promoted {
    /// The pipeline before.
    pub from: String,
    /// With a `registry` in another region.
    pub copies: bool,
}

/// A one-off task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its name, and its task definition's family.
    pub name: String,
    /// Minutes that it may take.
    pub timeout: u64,
    /// Whether the config says what undoes it.
    pub undone: bool,
}

/// A target that is no service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// What it is.
    pub kind: TargetKind,
    /// Its name.
    pub name: String,
    /// Index of the wave that it stands in.
    pub wave: usize,
}

/// The kinds of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetKind {
    /// EventBridge Scheduler.
    Schedule,
    /// A rule of EventBridge.
    Rule,
    /// A Lightsail container service.
    Lightsail,
}

/// `approval: { required: true }`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Approval {
    /// Minutes until nobody answered.
    pub expires: u64,
    /// A tag `v{semver}` on every image is a word as well.
    pub by_tag: bool,
}

/// Where a pipeline's cluster is, if not at home.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elsewhere {
    /// By a role, in another account.
    pub by_role: bool,
}

impl Elsewhere {
    /// The other region.
    pub const REGION: &str = "eu-central-1";

    /// What its role asks to be told.
    pub const EXTERNAL_ID: &str = "tidegate-there";

    /// The other account: no number but the example's may be written down.
    pub fn account(home: &str) -> String {
        home.chars().rev().collect()
    }

    /// The role that leads there.
    pub fn role(home: &str) -> String {
        format!("arn:aws:iam::{}:role/tidegate-target", Self::account(home))
    }
}
