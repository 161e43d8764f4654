//! Schedules and rules that run an ECS task: which revision they name, and naming another.
//!
//! Both APIs replace all they are given, so everything is read as AWS wrote it, one member is changed,
//! and the whole is written back: a state, an input, a dead-letter queue and what is newer than this
//! program survive.

use aws_types::SdkConfig;
use jiff::Timestamp;
use serde_json::{Value, json};
use tidegate_core::model::{TargetId, TargetKind};
use tidegate_core::sighting::{Deployment, RolloutState, Sighting};

use crate::ecs::Seen;
use crate::json::JsonService;
use crate::moment::of_json;
use crate::rest::RestService;
use crate::{Clock, Refusal, RefusalKind};

pub(super) const UPDATE_SCHEDULE: &str = "scheduler:UpdateSchedule";
pub(super) const PUT_TARGETS: &str = "events:PutTargets";

/// What `GetSchedule` says and `UpdateSchedule` does not take.
const OUTPUT_ONLY: [&str; 4] = ["Arn", "CreationDate", "LastModificationDate", "Name"];

/// EventBridge Scheduler, and EventBridge.
#[derive(Debug, Clone)]
pub(super) struct Scheduled {
    scheduler: RestService,
    events: JsonService,
    clock: Clock,
}

/// What names a revision, as AWS wrote it.
enum Holder {
    /// A schedule, whole.
    Schedule(Value),
    /// The only target of a rule that runs a task.
    RuleTarget(Value),
}

impl Holder {
    /// What is run, where, and as whom: the same members in both.
    fn target(&self) -> &Value {
        match self {
            Self::Schedule(schedule) => &schedule["Target"],
            Self::RuleTarget(target) => target,
        }
    }

    /// The role that the task is run with.
    fn role(&self) -> Option<&str> {
        self.target()["RoleArn"].as_str()
    }

    /// The ARN of the cluster that the task is run in.
    fn cluster(&self) -> &str {
        self.target()["Arn"].as_str().unwrap_or_default()
    }

    /// The ARN of the task definition that runs next.
    fn revision(&self) -> &str {
        self.target()["EcsParameters"]["TaskDefinitionArn"].as_str().unwrap_or_default()
    }

    fn changed_at(&self) -> Timestamp {
        let at = match self {
            Self::Schedule(schedule) => of_json(&schedule["LastModificationDate"]),
            // EventBridge does not say.
            Self::RuleTarget(_) => None,
        };
        at.unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

impl Scheduled {
    pub(super) fn new(config: &SdkConfig, clock: &Clock) -> Self {
        let (name, target, version) = ("events", "AWSEvents", "1.1");
        Self {
            scheduler: RestService { config: config.clone(), name: "scheduler" },
            events: JsonService { config: config.clone(), name, target, version },
            clock: clock.clone(),
        }
    }

    /// A look, in the words of a service that runs no task just now.
    pub(super) async fn look(&self, target: &TargetId) -> Result<Option<Seen>, Refusal> {
        let holder = match self.read(target).await {
            Ok(holder) => holder,
            Err(refusal) if refusal.is_not_found() => return Ok(None),
            Err(refusal) => return Err(refusal),
        };
        let revision = holder.revision().to_owned();
        let deployment = Deployment {
            id: target.kind.noun().to_owned(),
            primary: true,
            revision: revision.clone(),
            rollout: Some(RolloutState::Completed),
            reason: String::new(),
            failed_tasks: 0,
            desired: 0,
            running: 0,
            pending: 0,
            created_at: holder.changed_at(),
        };
        let sighting = Sighting::of(self.clock.now(), vec![deployment]);
        Ok(Some(Seen {
            sighting,
            task_definition: revision,
            holder: holder.role().map(str::to_owned),
            cluster: Some(holder.cluster().to_owned()),
            ..Seen::default()
        }))
    }

    /// Names another revision, and changes nothing else. Where somebody writes at the same moment, a
    /// little later will do.
    pub(super) async fn bring(&self, target: &TargetId, revision: &str) -> Result<(), Refusal> {
        self.name(target, revision).await.map_err(|refusal| match refusal.kind {
            RefusalKind::Conflict => refusal.into_throttle(),
            _ => refusal,
        })
    }

    async fn name(&self, target: &TargetId, revision: &str) -> Result<(), Refusal> {
        match self.read(target).await? {
            Holder::Schedule(mut schedule) => {
                schedule["Target"]["EcsParameters"]["TaskDefinitionArn"] = json!(revision);
                if let Some(members) = schedule.as_object_mut() {
                    members.retain(|name, _| !OUTPUT_ONLY.contains(&name.as_str()));
                }
                let path = format!("/schedules/{}", target.name);
                let resource = &target.name;
                self.scheduler.put(UPDATE_SCHEDULE, resource, &path, &schedule).await?;
            }
            Holder::RuleTarget(mut of_rule) => {
                of_rule["EcsParameters"]["TaskDefinitionArn"] = json!(revision);
                let input = json!({ "Rule": target.name, "EventBusName": target.within, "Targets": [of_rule] });
                let answer = self.events.call(PUT_TARGETS, &target.name, &input).await?;
                // It refuses single targets in an answer of 200.
                if let Some(refused) = answer["FailedEntries"].get(0) {
                    let text = |name: &str| refused[name].as_str().unwrap_or("unknown");
                    let (code, words) = (text("ErrorCode"), text("ErrorMessage"));
                    return Err(Refusal::in_answer(PUT_TARGETS, &target.name, code, words));
                }
            }
        }
        Ok(())
    }

    async fn read(&self, target: &TargetId) -> Result<Holder, Refusal> {
        if target.kind == TargetKind::Rule {
            self.rule(target).await
        } else {
            self.schedule(target).await
        }
    }

    async fn schedule(&self, target: &TargetId) -> Result<Holder, Refusal> {
        const ACTION: &str = "scheduler:GetSchedule";
        let TargetId { within, name, .. } = target;
        let path = format!("/schedules/{name}?groupName={within}");
        let schedule = self.scheduler.get(ACTION, name, &path).await?;
        if schedule["Target"]["EcsParameters"].is_null() {
            return Err(Refusal::unfit(ACTION, name, "this schedule runs no ECS task"));
        }
        fit(ACTION, target, Holder::Schedule(schedule))
    }

    async fn rule(&self, target: &TargetId) -> Result<Holder, Refusal> {
        const ACTION: &str = "events:ListTargetsByRule";
        let TargetId { within, name, .. } = target;
        // A rule has five targets at most, unless AWS was asked for more: one page holds a hundred.
        let input = json!({ "Rule": name, "EventBusName": within });
        let mut answer = self.events.call(ACTION, name, &input).await?;
        let mut tasks: Vec<Value> =
            answer["Targets"].as_array_mut().map(std::mem::take).unwrap_or_default();
        tasks.retain(|target| !target["EcsParameters"].is_null());
        let several = tasks.len();
        match tasks.pop() {
            Some(only) if several == 1 => fit(ACTION, target, Holder::RuleTarget(only)),
            None => Err(Refusal::unfit(ACTION, name, "this rule runs no ECS task")),
            Some(_) => {
                let words = format!(
                    "this rule runs {several} ECS tasks; Tidegate moves one: make a rule of each"
                );
                Err(Refusal::unfit(ACTION, name, &words))
            }
        }
    }
}

/// Refuses what Tidegate could move, but not judge.
fn fit(action: &'static str, target: &TargetId, holder: Holder) -> Result<Holder, Refusal> {
    let (revision, cluster) = (holder.revision(), holder.cluster());
    let (_, number) = revision.rsplit_once(':').unwrap_or_default();
    let words = if number.parse::<u64>().is_err() {
        // Registering alone would release, before anything is judged.
        format!(
            "it names {revision} without a revision, so whatever is registered runs at once; name a \
             revision, and Tidegate moves it"
        )
    } else if !is_of(target, cluster) {
        let TargetId { account, region, .. } = target;
        format!(
            "its task runs in {cluster}, and Tidegate hears runs in {region} of {account} only: one \
             that fails would bring nothing back; let it run in a cluster there"
        )
    } else {
        return Ok(holder);
    };
    Err(Refusal::unfit(action, &target.name, &words))
}

/// Whether a cluster is of the target's own account and region, whose events come here.
fn is_of(target: &TargetId, cluster: &str) -> bool {
    let mut place = cluster.split(':').skip(3);
    place.next() == Some(target.region.as_str()) && place.next() == Some(target.account.as_str())
}
