//! Which calls move a target, and to what; and how a target really stands. Asked of the models' raw
//! state alone.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::raw::{list, text};
use crate::api::Place;
use crate::call::{Call, Caller};
use crate::cloud::Cloud;
use crate::ecs::ServiceName;

/// AWS's name for the group of schedules, and for the event bus, that everybody has.
pub(super) const DEFAULT: &str = "default";

/// A call that moves a target, or runs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Move {
    /// The target, as the table names it: `ecs/ACCOUNT/REGION/CLUSTER/SERVICE`.
    pub(super) target: String,
    /// The revision that it is brought to; empty where the call names none.
    pub(super) revision: String,
}

impl Move {
    /// What a call of deploy's moves; `None` for a read, and where the call names no target.
    pub(super) fn by_deploy(cloud: &Cloud, call: &Call) -> Option<Self> {
        let deploy = matches!(&call.caller, Caller::Function(it) if it.program == "deploy");
        if deploy { Self::of(cloud, call) } else { None }
    }

    /// What a call moves, whoever sends it.
    pub(super) fn of(cloud: &Cloud, call: &Call) -> Option<Self> {
        let at = |path: &str| call.input.pointer(path).map(text).unwrap_or_default();
        let or_default = |name| if at(name).is_empty() { DEFAULT } else { at(name) };
        let (word, within, name, revision) = match call.name().as_str() {
            "ecs:UpdateService" => ("ecs", at("/cluster"), at("/service"), at("/taskDefinition")),
            "ecs:StopServiceDeployment" => {
                let mut parts = at("/serviceDeploymentArn").split('/').skip(1);
                let [cluster, service] =
                    [parts.next(), parts.next()].map(Option::unwrap_or_default);
                ("ecs", cluster, service, "")
            }
            "ecs:RunTask" => {
                let (_, name) = at("/group").split_once(':').unwrap_or_default();
                ("task", at("/cluster"), name, at("/taskDefinition"))
            }
            "scheduler:UpdateSchedule" => {
                let revision = at("/Target/EcsParameters/TaskDefinitionArn");
                ("schedule", or_default("/GroupName"), at("/Name"), revision)
            }
            "events:PutTargets" => {
                let revision = at("/Targets/0/EcsParameters/TaskDefinitionArn");
                ("rule", or_default("/EventBusName"), at("/Rule"), revision)
            }
            "lightsail:CreateContainerServiceDeployment" => {
                ("lightsail", "-", at("/serviceName"), "")
            }
            _ => return None,
        };
        let Place { account, region } = cloud.place_of(call);
        let target = format!("{word}/{account}/{region}/{within}/{name}");
        Some(Self { target, revision: revision.to_owned() })
    }
}

/// A target's id in its parts.
#[derive(Debug, Clone, Copy)]
struct Id<'a> {
    word: &'a str,
    within: &'a str,
    name: &'a str,
    account: &'a str,
    region: &'a str,
}

impl<'a> Id<'a> {
    fn of(target: &'a str) -> Self {
        let mut parts = target.split('/').map(Some).chain(std::iter::repeat(None));
        let [word, account, region, within, name] =
            std::array::from_fn(|_| parts.next().flatten().unwrap_or_default());
        Self { word, within, name, account, region }
    }

    fn place(&self) -> Place {
        Place::new(self.account, self.region)
    }

    fn service(&self) -> ServiceName {
        ServiceName::new(self.within, self.name)
    }
}

/// A one-off task: it runs, and is never moved.
pub(super) fn is_task(target: &str) -> bool {
    Id::of(target).word == "task"
}

/// A container service: its revisions are the images that its deployment states.
pub(super) fn is_container_service(target: &str) -> bool {
    Id::of(target).word == "lightsail"
}

/// What a target is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stand {
    /// The task definition's ARN.
    pub(super) revision: String,
    /// Since when, where the models say so.
    pub(super) since: Timestamp,
}

/// The revision of a service's primary deployment, or the one that a schedule or a rule names; `None`
/// where there is none, and for what has no task definition.
pub(super) fn stand(cloud: &Cloud, target: &str) -> Option<Stand> {
    let id = Id::of(target);
    let task = match id.word {
        "ecs" => {
            let primary = cloud.ecs_of(&id.place()).primary(&id.service())?;
            return Some(Stand { revision: primary.definition, since: primary.created_at });
        }
        "schedule" => &cloud.scheduled.schedule_of(id.within, id.name)?["Target"],
        "rule" => cloud.scheduled.rule_target_of(id.name)?,
        _ => return None,
    };
    let revision = text(&task["EcsParameters"]["TaskDefinitionArn"]).to_owned();
    Some(Stand { revision, since: Timestamp::UNIX_EPOCH })
}

/// The task definition of this ARN, where `target` is.
pub(super) fn definition<'c>(cloud: &'c Cloud, target: &str, revision: &str) -> Option<&'c Value> {
    let ecs = cloud.ecs_of(&Id::of(target).place());
    ecs.definition(revision).map(|(body, _)| body)
}

/// The bytes of each container of a target that runs, or, of a schedule, would run next: name and digest.
pub(super) fn runs(cloud: &Cloud, target: &str) -> Vec<(String, String)> {
    let id = Id::of(target);
    let named: Vec<(String, String)> = match id.word {
        "ecs" => return cloud.ecs_of(&id.place()).running_images(&id.service()),
        "lightsail" => return cloud.lightsail.running(id.name),
        _ => {
            let stand = stand(cloud, target).map(|it| it.revision).unwrap_or_default();
            let body = definition(cloud, target, &stand).unwrap_or(&Value::Null);
            let containers = list(&body["containerDefinitions"]);
            containers
                .map(|one| (text(&one["name"]).to_owned(), text(&one["image"]).to_owned()))
                .collect()
        }
    };
    let bytes = |image: &str| Some(cloud.ecr.pull(image)?.digest);
    named.into_iter().filter_map(|(name, image)| Some((name, bytes(&image)?))).collect()
}

/// All that a call which replaces what is there says of it, without what it may change: a schedule's and
/// a rule's revision, and the images of `released` containers. `None` for other calls.
pub(super) fn replaced(call: &Call, released: &[&str]) -> Option<Value> {
    let input = &call.input;
    match call.action.as_str() {
        "UpdateSchedule" | "CreateContainerServiceDeployment" => {
            Some(kept(input.clone(), released))
        }
        "PutTargets" => Some(kept(input["Targets"][0].clone(), released)),
        _ => None,
    }
}

/// The same of how the target stands.
pub(super) fn standing(cloud: &Cloud, target: &str, released: &[&str]) -> Option<Value> {
    let id = Id::of(target);
    let whole = match id.word {
        "schedule" => cloud.scheduled.schedule_of(id.within, id.name)?.clone(),
        "rule" => cloud.scheduled.rule_target_of(id.name)?.clone(),
        "lightsail" => {
            let active = cloud.lightsail.active(id.name)?;
            json!({ "containers": active["containers"], "publicEndpoint": active["publicEndpoint"] })
        }
        _ => return None,
    };
    Some(kept(whole, released))
}

/// What no release changes.
fn kept(mut whole: Value, released: &[&str]) -> Value {
    for path in ["/Target/EcsParameters/TaskDefinitionArn", "/EcsParameters/TaskDefinitionArn"] {
        if let Some(revision) = whole.pointer_mut(path) {
            *revision = Value::Null;
        }
    }
    for container in released {
        if let Some(image) = whole.pointer_mut(&format!("/containers/{container}/image")) {
            *image = Value::Null;
        }
    }
    if let Some(members) = whole.as_object_mut() {
        // How the call names the target, and a group that is not said.
        members.retain(|name, value| {
            !["serviceName", "ClientToken", "GroupName", "Name"].contains(&&**name)
                && !value.is_null()
        });
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Scope;

    fn call(action: &str, input: Value) -> Call {
        let (service, action) = action.split_once(':').unwrap();
        let (service, action) = (service.to_owned(), action.to_owned());
        Call { caller: Caller::Operator, scope: Scope::default(), service, action, input }
    }

    fn schedule(revision: &str, state: &str) -> Call {
        let target = json!({ "EcsParameters": { "TaskDefinitionArn": revision } });
        let input = json!({ "Name": "j", "State": state, "Target": target });
        call("scheduler:UpdateSchedule", input)
    }

    #[test]
    fn a_revision_makes_no_other_schedule_and_its_state_does() {
        let base = replaced(&schedule("j:1", "ENABLED"), &[]);
        assert_eq!(base, replaced(&schedule("j:2", "ENABLED"), &[]));
        assert_ne!(base, replaced(&schedule("j:1", "DISABLED"), &[]));
    }

    #[test]
    fn of_a_container_service_only_released_images_may_differ() {
        let stated = |web: &str, sidecar: &str, secret: &str| {
            let containers = json!({
                "web": { "image": web, "environment": { "SECRET": secret } },
                "sidecar": { "image": sidecar },
            });
            let input = json!({ "serviceName": "l", "containers": containers });
            replaced(&call("lightsail:CreateContainerServiceDeployment", input), &["web"])
        };
        let base = stated("web:1", "redis:7", "a");
        assert_eq!(base, stated("web:2", "redis:7", "a"));
        assert_ne!(base, stated("web:1", "redis:8", "a"));
        assert_ne!(base, stated("web:1", "redis:7", "b"));
    }
}
