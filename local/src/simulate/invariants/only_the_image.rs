//! `only_the_image`: a new revision differs from its base in image digests and Tidegate's tags alone.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Invariant, Moment, Wrongs, changed_service};
use crate::call::{Call, Caller, Noted};
use crate::simulate::raw::{Written, text};

pub(super) struct OnlyTheImage;

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
        let Some(name) = changed_service(call) else { return };
        let service = &name.service;
        let (Some(slot), Some(primary)) = (now.table.slot_of(&name), now.cloud.ecs.primary(&name))
        else {
            return;
        };
        let baseline = &slot["baseline"];
        let old = [&baseline["running"], &baseline["revision"]].map(text);
        let wanted = text(&call.input["taskDefinition"]);
        let [from, to] = [&primary.definition, wanted].map(|arn| now.cloud.ecs.definition(arn));
        // Somebody else's revision may be anything; whether it is left alone is another question.
        if let (Some((from, _)), Some((to, _)), true) =
            (from, to, old.contains(&primary.definition.as_str()))
            && form(from) != form(to)
        {
            wrongs.push(format!(
                "{service} was brought to {wanted}: {} → {}",
                form(from),
                form(to)
            ));
        }
    }

    /// What is registered has the form of a revision that was there.
    fn landed(&mut self, now: &Moment<'_>, call: &Noted, _: &[Written], wrongs: &mut Wrongs) {
        let Noted { call, refusal, .. } = call;
        let own = matches!(call.caller, Caller::Function(_));
        if !own || call.action != "RegisterTaskDefinition" || refusal.is_some() {
            return;
        }
        let family = text(&call.input["family"]);
        let revision = |number: usize| now.cloud.ecs.definition(&format!("{family}:{number}"));
        let there: Vec<_> = (1..).map_while(revision).collect();
        let Some((newest, others)) = there.split_last() else { return };
        let form_and_tags = |it: &(&Value, &[Value])| (form(it.0), tags(it.1));
        if !others.iter().any(|other| form_and_tags(other) == form_and_tags(newest)) {
            wrongs
                .push(format!("a revision of {family} has a form of its own: {}", form(newest.0)));
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
