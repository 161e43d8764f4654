//! What one invocation of a function asked of AWS.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tidegate_local::call::Caller;
use tidegate_local::cloud::{Cloud, Ended};

use crate::Stage;

/// An invocation that ended.
#[derive(Debug)]
pub struct Invocation {
    /// From its event to its answer.
    pub took: Duration,
    /// Whether it answered.
    pub answered: bool,
    /// What it asked, by the call's name as IAM writes it.
    pub asked: BTreeMap<String, Asked>,
    /// The repositories it asked the registry about.
    pub repositories: Vec<String>,
}

/// The calls of one name.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// How many.
    pub calls: usize,
    /// The table's items that they were answered with.
    pub items: usize,
}

impl Invocation {
    /// The calls of one service of AWS.
    pub fn calls(&self, service: &str) -> usize {
        let own = self.asked.iter().filter(|(name, _)| name.starts_with(&format!("{service}:")));
        own.map(|(_, asked)| asked.calls).sum()
    }

    fn of(cloud: &Cloud, ended: &Ended) -> Self {
        let calls = cloud.calls();
        let since = calls.partition_point(|noted| noted.at < ended.began);
        let until = calls.partition_point(|noted| noted.at <= ended.at);
        let (mut asked, mut repositories) = (BTreeMap::<String, Asked>::new(), Vec::new());
        for noted in &calls[since..until] {
            if noted.call.caller != Caller::Function(ended.instance.clone()) {
                continue;
            }
            let own = asked.entry(noted.call.name()).or_default();
            own.calls += 1;
            own.items += noted.items;
            repositories.extend(noted.call.input["repositoryName"].as_str().map(str::to_owned));
        }
        let took = ended.at.duration_since(ended.began).unsigned_abs();
        Self { took, answered: ended.outcome.is_ok(), asked, repositories }
    }
}

impl Stage {
    /// What a schedule's invocations asked so far: `tick` of watch, `sweep` of promote.
    pub fn scheduled(&self, kind: &str) -> Vec<Invocation> {
        self.twin.world.look(|cloud| {
            let own = cloud.ended().iter().filter(|ended| ended.event == json!({ "kind": kind }));
            own.map(|ended| Invocation::of(cloud, ended)).collect()
        })
    }

    /// Invokes a function now, and says what it asked.
    pub async fn invoke(&self, program: &str, event: Value) -> Invocation {
        self.twin.world.invoke(program, event.clone()).await.expect("an answer");
        // Whoever asked hears first; the books are closed in the same moment.
        self.twin.run_for(Duration::from_millis(1)).await;
        self.twin.world.look(|cloud| {
            let own = |ended: &&Ended| ended.instance.program == program && ended.event == event;
            Invocation::of(cloud, cloud.ended().iter().rfind(own).expect("an invocation"))
        })
    }
}
