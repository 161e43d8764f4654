//! Small stories, each call of which can go wrong; and how they end.

mod ending;
mod rivalry;
mod step;
pub mod stories;
mod story;

use std::time::Duration;

use tidegate_local::call::{Call, Noted};
use tidegate_local::faults::{Fault, FaultRule};

pub use ending::Ending;
pub use rivalry::Rivalry;
pub use stories::SMALL;
pub use story::Story;

/// After the end: a call that was given up has landed, and a notification is tried again.
const AFTERWARDS: Duration = Duration::from_secs(70);

/// What goes wrong once the story has begun.
#[derive(Debug, Clone)]
pub struct Trouble {
    /// Decides everything that AWS leaves to chance.
    pub seed: u64,
    /// Faults of the local AWS.
    pub rules: Vec<FaultRule>,
    /// Somebody who is quicker.
    pub rivalry: Option<Rivalry>,
    /// How long the world goes on after the end.
    pub afterwards: Duration,
}

impl Default for Trouble {
    fn default() -> Self {
        Self { seed: 7, rules: Vec::new(), rivalry: None, afterwards: AFTERWARDS }
    }
}

impl From<FaultRule> for Trouble {
    fn from(rule: FaultRule) -> Self {
        vec![rule].into()
    }
}

impl From<Vec<FaultRule>> for Trouble {
    fn from(rules: Vec<FaultRule>) -> Self {
        Self { rules, ..Self::default() }
    }
}

impl From<Rivalry> for Trouble {
    fn from(rivalry: Rivalry) -> Self {
        Self { rivalry: Some(rivalry), ..Self::default() }
    }
}

impl Trouble {
    /// How often it must strike to have struck at all.
    pub fn strikes(&self) -> u64 {
        faults(&self.rules) + u64::from(self.rivalry.is_some())
    }
}

/// How many faults these rules are. A throttled call is struck at each try by a rule of its own, and
/// its caller may give up before the last.
fn faults(rules: &[FaultRule]) -> u64 {
    let same = |a: &FaultRule, b: &FaultRule| a.fault == Fault::Throttle && a == b;
    rules.chunk_by(same).count() as u64
}

/// A story that was played.
#[derive(Debug)]
pub struct Played {
    /// How it ended.
    pub ending: Ending,
    /// The calls of functions and operators from then on, in order of arrival.
    pub calls: Vec<Noted>,
    /// How many of the faults struck.
    pub struck: u64,
    /// The audit trail, for whoever must find out why.
    pub journal: String,
}

/// A call in a few words: `deploy ecs:UpdateService Rag`.
pub fn said(call: &Call) -> String {
    let input = &call.input;
    let of = [&input["service"], &input["Key"]["pk"]["S"], &input["family"], &input["startedBy"]];
    let of = of.iter().find_map(|it| it.as_str()).unwrap_or_default();
    format!("{} {} {of}", call.caller, call.name())
}

/// Whether a call changes something at AWS; another one that is lost is lost on both ways alike.
pub fn is_write(call: &Call) -> bool {
    let reads = ["Describe", "List", "Get", "BatchGet", "Query", "AssumeRole"];
    !reads.iter().any(|prefix| call.action.starts_with(prefix))
}
