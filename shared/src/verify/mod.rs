//! Whether an environment is well: what was seen of it, told line by line, green or with a remedy.
//!
//! Each topic is a file that turns its facts into lines; `aws/src/verify/` finds the facts. What could
//! not be seen is a line of its own, never green.

mod checks;
mod demands;
mod document;
mod drift;
mod event_paths;
mod images;
mod line;
mod listeners;
mod logs;
mod needs;
mod others;
mod permissions;
mod roles;
mod rollback;
mod secrets;
mod services;
mod target_groups;
mod webhooks;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use crate::config::PipelineConfig;
use crate::decide::checks::Heard;
use crate::drift::revision_name;
use crate::model::TargetId;

pub use demands::{Demand, Named, demands};
pub use drift::Compared;
pub use event_paths::{Installation, Leg, Rule, Wakes};
pub use images::{Image, ImageKey, Stored, Use};
pub use line::{Hidden, Line, Shown, State, To, Topic};
pub use listeners::Listeners;
pub use needs::{LogGroup, Needs, Parameter, Users};
pub use permissions::{Answered, Denied};
pub use secrets::Secret;
pub use services::Service;
pub use target_groups::Health;
pub use webhooks::{Channel, Webhook};

/// Everything that was looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// When.
    pub at: Timestamp,
    /// The services of the config, by name.
    pub services: BTreeMap<String, Shown<Service>>,
    /// The schedules, rules and container services of the config, in the words of a service.
    pub others: BTreeMap<TargetId, Shown<Service>>,
    /// The clusters in which something of the config runs tasks, by ARN.
    pub clusters: BTreeSet<String>,
    /// The one-off tasks of the config, by name: whether their task definition is there.
    pub tasks: BTreeMap<String, Shown<()>>,
    /// What each target runs against what Tidegate left there.
    pub drift: BTreeMap<TargetId, Shown<Compared>>,
    /// The targets of the services' target groups, by ARN.
    pub target_groups: BTreeMap<String, Shown<Vec<Health>>>,
    /// The answers to the config's checks, in its order.
    pub checks: Vec<Shown<Heard>>,
    /// What the task definitions need.
    pub needs: Needs,
    /// When each log group was last written to; `None` for never.
    pub logs: BTreeMap<LogGroup, Shown<Option<Timestamp>>>,
    /// Secrets by ARN.
    pub secrets: BTreeMap<String, Shown<Secret>>,
    /// Parameters.
    pub parameters: BTreeMap<Parameter, Shown<()>>,
    /// The trust policies of roles, by ARN.
    pub roles: BTreeMap<String, Shown<Value>>,
    /// Images, by repository and digest.
    pub images: BTreeMap<ImageKey, (Image, Shown<Stored>)>,
    /// The repositories' lifecycle policies; missing where one has none.
    pub policies: BTreeMap<String, Shown<String>>,
    /// Tidegate's table.
    pub table: String,
    /// The name of the installation's stack.
    pub stack: String,
    /// What that stack holds.
    pub installation: Shown<Installation>,
    /// What the functions' roles were asked, and what they refuse.
    pub permissions: Answered,
}

/// What the facts mean, topic by topic.
pub fn lines(config: &PipelineConfig, facts: &Facts) -> Vec<Line> {
    let Facts { services, needs, stack, installation, .. } = facts;
    let unseen = event_paths::unseen(stack, installation);
    [
        services::lines(services, &facts.tasks),
        others::lines(&facts.others),
        drift::lines(config, &facts.drift),
        target_groups::lines(services, &facts.target_groups),
        checks::lines(config, &facts.checks),
        logs::lines(needs, services, &facts.logs, facts.at),
        secrets::lines(needs, &facts.secrets, &facts.parameters),
        roles::lines(needs, &facts.roles),
        images::lines(&facts.images, &facts.policies),
        event_paths::lines(config, &facts.clusters, &facts.table, (stack, installation)),
        rollback::lines(config, services),
        permissions::lines(config, stack, unseen.as_ref(), &facts.permissions),
    ]
    .concat()
}

/// Targets in one sentence, by name: all of a few, a number of many.
fn list(targets: &BTreeSet<TargetId>) -> String {
    /// More than a line holds.
    const MOST: usize = 3;
    let names: BTreeSet<_> = targets.iter().map(|target| target.name.as_str()).collect();
    let mut shown: Vec<_> = names.iter().take(MOST).map(|name| (*name).to_owned()).collect();
    if names.len() > MOST {
        shown.push(format!("{} more", names.len() - MOST));
    }
    shown.join(", ")
}
