//! `only_the_image`: a new revision differs from its base in image digests and Tidegate's tags alone;
//! and what is replaced whole, a schedule or a deployment of Lightsail, in nothing else either.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use jiff::Timestamp;

use super::{Invariant, Moment, UNSEEN, Wrongs};
use crate::call::{Call, Caller, Noted};
use crate::simulate::moves::{self, Move};
use crate::simulate::raw::{Written, list, text};

#[derive(Debug, Default)]
pub(super) struct OnlyTheImage {
    /// When somebody else last changed a target.
    others: BTreeMap<String, Timestamp>,
}

/// What AWS writes and no caller can.
const WRITTEN_BY_AWS: [&str; 9] = [
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "tags",
];

impl Invariant for OnlyTheImage {
    fn name(&self) -> &'static str {
        "only_the_image"
    }

    /// What a service is brought to is what runs there, but for digests.
    fn sent(&mut self, now: &Moment<'_>, call: &Call, wrongs: &mut Wrongs) {
        let Some(Move { target, revision: wanted }) = Move::by_deploy(now.cloud, call) else {
            return;
        };
        let Some(slot) = now.table.slot(&target) else { return };
        self.rest(now, call, slot, wrongs);
        let Some(stand) = moves::stand(now.cloud, &target) else { return };
        let baseline = &slot["baseline"];
        let old = [&baseline["running"], &baseline["revision"]].map(text);
        let [from, to] =
            [&stand.revision, &wanted].map(|arn| moves::definition(now.cloud, &target, arn));
        // Somebody else's revision may be anything; whether it is left alone is another question.
        if let (Some(from), Some(to), true) = (from, to, old.contains(&stand.revision.as_str()))
            && form(from) != form(to)
        {
            wrongs.push(format!("{target} was brought to {wanted}: {} → {}", form(from), form(to)));
        }
    }

    /// What is registered has the form of a revision that was there.
    fn landed(&mut self, now: &Moment<'_>, call: &Noted, _: &[Written], wrongs: &mut Wrongs) {
        let Noted { call, refusal, .. } = call;
        if let (Caller::Operator, None, Some(by_another)) =
            (&call.caller, refusal, Move::of(now.cloud, call))
        {
            self.others.insert(by_another.target, now.at);
        }
        let own = matches!(call.caller, Caller::Function(_));
        if !own || call.action != "RegisterTaskDefinition" || refusal.is_some() {
            return;
        }
        let family = text(&call.input["family"]);
        let ecs = now.cloud.ecs_of(&now.cloud.place_of(call));
        let revision = |number: usize| ecs.definition(&format!("{family}:{number}"));
        let there: Vec<_> = (1..).map_while(revision).collect();
        let Some((newest, others)) = there.split_last() else { return };
        let form_and_tags = |it: &(&Value, &[Value])| (form(it.0), tags(it.1));
        if !others.iter().any(|other| form_and_tags(other) == form_and_tags(newest)) {
            wrongs
                .push(format!("a revision of {family} has a form of its own: {}", form(newest.0)));
        }
    }
}

impl OnlyTheImage {
    /// What a call replaces whole is what is there, but for what a release changes.
    fn rest(&self, now: &Moment<'_>, call: &Call, slot: &Value, wrongs: &mut Wrongs) {
        let target = text(&slot["target"]);
        let pins = list(&slot["wanted"]).chain(list(&slot["baseline"]["images"]));
        let released: Vec<_> = pins.map(|pin| text(&pin["container"])).collect();
        let [said, there] =
            [moves::replaced(call, &released), moves::standing(now.cloud, target, &released)];
        // Between reading and writing somebody else may have been there, and nobody can see it.
        let unseen = self.others.get(target).is_some_and(|at| now.at < *at + UNSEEN);
        if let (Some(said), Some(there), false) = (said, there, unseen)
            && said != there
        {
            wrongs.push(format!("{target} was replaced whole: {there} → {said}"));
        }
    }
}

/// A definition without what may differ: the digest or tag of a private repository's image.
fn form(definition: &Value) -> Value {
    let mut form = definition.clone();
    if let Some(members) = form.as_object_mut() {
        members.retain(|name, _| !WRITTEN_BY_AWS.contains(&name.as_str()));
    }
    let containers = form["containerDefinitions"].as_array_mut();
    for container in containers.into_iter().flatten() {
        let image = text(&container["image"]);
        if image.contains(".dkr.ecr.") {
            container["image"] = json!(image.split(['@', ':']).next());
        }
    }
    form
}

/// Tags that are not Tidegate's.
fn tags(tags: &[Value]) -> BTreeSet<String> {
    let foreign = tags.iter().filter(|tag| !text(&tag["key"]).starts_with("tidegate:"));
    foreign.map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_makes_no_other_form_and_everything_else_does() {
        let definition = |image: &str, cpu: &str| {
            json!({ "cpu": cpu, "revision": image.len(), "containerDefinitions": [
                { "name": "a", "image": image }] })
        };
        let own = "1.dkr.ecr.us-west-2.amazonaws.com/a";
        let base = form(&definition(&format!("{own}:tag"), "256"));
        assert_eq!(base, form(&definition(&format!("{own}@sha256:00"), "256")));
        assert_ne!(base, form(&definition(&format!("{own}:tag"), "512")));
        assert_ne!(base, form(&definition(&format!("{own}2:tag"), "256")));
        assert_ne!(form(&definition("redis:7", "1")), form(&definition("redis:8", "1")));
    }

    #[test]
    fn only_tidegates_own_tags_may_differ() {
        let own = [json!({ "key": "tidegate:release", "value": "p/1" })];
        let team = [json!({ "key": "team", "value": "a" })];
        assert_eq!(tags(&own), BTreeSet::new());
        assert_ne!(tags(&own), tags(&team));
    }
}
