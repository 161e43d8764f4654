//! Calls: faults first, then permission, then the model that answers.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Cloud, Due};
use crate::api::{ApiError, Input};
use crate::call::{Answer, Call, Caller, Noted};
use crate::dynamodb::Change;
use crate::elb;
use crate::eventbridge;
use crate::faults::{Fault, Occasion};

/// What the caller gets.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// An answer, after a wait.
    Answered(Answer, Duration),
    /// Nothing, ever: the call or its answer was lost, or the caller is dead.
    Silence,
}

impl Cloud {
    /// Answers a call that arrives at `now`.
    pub fn call(&mut self, call: Call, now: Timestamp) -> Reply {
        let caller = call.caller.to_string();
        let occasion = Occasion { caller: &caller, service: &call.service, action: &call.action };
        let fault = self.faults.strike(occasion, Fault::is_of_calls);
        match fault {
            None => Reply::Answered(self.land(call, None, now), Duration::ZERO),
            Some(Fault::Throttle) => {
                let answer = throttled(&call.service);
                self.note(call, fault, &answer, &[], now);
                Reply::Answered(answer, Duration::ZERO)
            }
            Some(Fault::Deny) => {
                let what = format!("{caller} is not authorized to perform: {}", call.name());
                let answer = ApiError::refused("AccessDeniedException", what).into();
                self.note(call, fault, &answer, &[], now);
                Reply::Answered(answer, Duration::ZERO)
            }
            Some(late @ Fault::Late(_)) => {
                self.agenda.add(now + late.delay(), Due::Landing(call, late));
                Reply::Silence
            }
            Some(Fault::AnswerLost) => {
                self.land(call, fault, now);
                Reply::Silence
            }
            Some(death @ (Fault::KillBefore | Fault::KillAfter)) => {
                if let Caller::Function(instance) = &call.caller {
                    self.killed.push(instance.clone());
                }
                if death == Fault::KillAfter {
                    self.land(call, fault, now);
                }
                Reply::Silence
            }
            Some(slow @ Fault::Delay(_)) => {
                Reply::Answered(self.land(call, fault, now), slow.delay())
            }
            Some(_) => Reply::Silence,
        }
    }

    /// The call reaches AWS, whatever struck it before.
    pub(super) fn land(&mut self, call: Call, fault: Option<Fault>, now: Timestamp) -> Answer {
        if let Some(rival) = &mut self.rival {
            for quicker in rival.before(&call) {
                let (answer, changes) = self.dispatch(&quicker, now);
                self.note(quicker, None, &answer, &changes, now);
            }
        }
        let (answer, changes) = match self.check(&call, now) {
            Ok(()) => self.dispatch(&call, now),
            Err(denied) => (denied.into(), Vec::new()),
        };
        self.note(call, fault, &answer, &changes, now);
        answer
    }

    /// Refuses a call that the caller's role does not allow, or another account's repository.
    fn check(&mut self, call: &Call, now: Timestamp) -> Result<(), ApiError> {
        let place = self.place_of(call);
        self.iam.check(call, &place, now)?;
        // No policy of a repository lets anybody list the registry.
        let repository = Input(&call.input).text("repositoryName");
        let registry = self.ecr.at(&place);
        let lets = |who: &str, action: &str| {
            repository.is_some_and(|repository| registry.lets(who, action, repository))
        };
        self.iam.check_repository(call, &place, lets)
    }

    /// The model's answer, and what the call did to the table.
    fn dispatch(&mut self, call: &Call, now: Timestamp) -> (Answer, Vec<Change>) {
        let Call { service, action, input, .. } = call;
        let place = self.place_of(call);
        let (ecs, ecr) = self.ecs_at(&place);
        let answer = match service.as_str() {
            "dynamodb" => return self.write_or_read(call, now),
            "ecs" => ecs.call(action, input, now, ecr).into(),
            "ecr" => self.ecr.at(&place).call(action, input, now).into(),
            "elasticloadbalancing" => elb::call(action, input, ecs, now).into(),
            "logs" => {
                let there = self.elsewhere.iter().find(|other| other.place == place);
                let ecs = there.map_or(&self.ecs, |other| &other.ecs);
                self.logs.call(action, input, ecs, now).into()
            }
            "ssm" => self.parameters.call(action, input).into(),
            "iam" => self.iam.call(action, input).into(),
            "cloudformation" => self.cloudformation.call(action, input).into(),
            // Whose it is decides: the stack's wake functions, the others run tasks.
            "scheduler" if self.scheduled.holds_schedule(action, input) => {
                self.scheduled.call_scheduler(action, input, now).into()
            }
            "scheduler" => eventbridge::schedules(action, input, &self.functions).into(),
            "events" if self.scheduled.holds_rule(action, input) => {
                self.scheduled.call_events(action, input, now).into()
            }
            "events" => eventbridge::rules(action, input, &mut self.functions, &self.place).into(),
            "lambda" => eventbridge::lambda(action, input, &self.functions, &self.place).into(),
            "lightsail" => self.lightsail.call(action, input, now, &self.ecr).into(),
            "cloudwatch" => self.cloudwatch_at(&place).call(action, input, now).into(),
            "sns" => {
                let (answer, deliveries) = self.sns.call(action, input, now);
                self.deliveries.extend(deliveries);
                answer.into()
            }
            "secretsmanager" => self.secrets.call(action, input).into(),
            "sqs" => self.queues.call(action, input).into(),
            "sts" if action == "GetCallerIdentity" => self.identity(call),
            "sts" if action == "AssumeRole" => self.iam.assume(call, now).into(),
            _ => ApiError::unknown_action(service, action).into(),
        };
        (answer, Vec::new())
    }

    fn write_or_read(&mut self, call: &Call, now: Timestamp) -> (Answer, Vec<Change>) {
        let caller = call.caller.to_string();
        if call.action == "TransactWriteItems" {
            let occasion =
                Occasion { caller: &caller, service: &call.service, action: &call.action };
            let conflict = |fault| fault == Fault::TransactionConflict;
            if self.faults.strike(occasion, conflict).is_some() {
                return (transaction_conflict(&call.input), Vec::new());
            }
        }
        let (answer, changes) = self.dynamodb.call(&call.action, &call.input, now);
        for change in &changes {
            let record = self.stream.record(change, now);
            for feed in 0..self.feeds.len() {
                if let Some(lane) = self.feeds[feed].offer(&record) {
                    self.wake_lane(feed, lane);
                }
            }
        }
        (answer, changes)
    }

    fn identity(&self, call: &Call) -> Answer {
        let (arn, account) = (self.iam.arn_of_call(call), self.iam.account_of(call));
        Ok(json!({ "Arn": arn, "Account": account, "UserId": "AIDALOCAL" })).into()
    }

    fn note(
        &mut self,
        call: Call,
        fault: Option<Fault>,
        answer: &Answer,
        changes: &[Change],
        now: Timestamp,
    ) {
        let refusal = answer.refusal().map(str::to_owned);
        let items = answer.items();
        let noted = Noted { at: now, call, refusal, fault, items };
        self.testify(|witness, cloud| witness.landed(cloud, &noted, changes));
        self.calls.push(noted);
    }
}

fn throttled(service: &str) -> Answer {
    let code = if service == "sns" { "Throttling" } else { "ThrottlingException" };
    ApiError::refused(code, "Rate exceeded").into()
}

/// Every item of the transaction but the first is innocent.
fn transaction_conflict(input: &Value) -> Answer {
    let items = input["TransactItems"].as_array().map_or(0, Vec::len);
    let reasons: Vec<Value> = (0..items)
        .map(|index| match index {
            0 => json!({
                "Code": "TransactionConflict",
                "Message": "Transaction is ongoing for the item",
            }),
            _ => json!({ "Code": "None" }),
        })
        .collect();
    let message = "Transaction cancelled, please refer cancellation reasons for specific reasons";
    Answer {
        status: 400,
        body: json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": message,
            "CancellationReasons": reasons,
        }),
    }
}
