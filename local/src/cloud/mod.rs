//! The local AWS as one value: calls come in, time goes on, invocations come out. No clock, no I/O.
//!
//! `answer` is the wire's side, `flow` what happens by itself between calls.

mod answer;
mod elsewhere;
mod flow;
mod outside;
mod rival;
mod running;
mod witness;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::agenda::Agenda;
use crate::api::{ApiError, Place};
use crate::call::{Call, Instance, Noted};
use crate::cloudformation::CloudFormation;
use crate::cloudwatch::CloudWatch;
use crate::dynamodb::DynamoDb;
use crate::ecr::Ecr;
use crate::ecs::Ecs;
use crate::faults::{Fault, Faults};
use crate::iam::Iam;
use crate::lambda::asynchronous::Event;
use crate::lambda::mapping::{Feed, LaneId};
use crate::lightsail::Lightsail;
use crate::logs::Logs;
use crate::parameters::Parameters;
use crate::queues::Queues;
use crate::scheduled::Scheduled;
use crate::secrets::Secrets;
use crate::sns::{Delivery, Sns};
use crate::streams::Stream;
use crate::template::{Function, Stack, TemplateError};

use elsewhere::Elsewhere;

pub use answer::Reply;
pub use outside::{Asked, Behind, Word};
pub use rival::Rival;
pub use witness::Witness;

/// Everything the local AWS holds.
#[derive(Debug)]
pub struct Cloud {
    /// The account and region of the installation.
    pub place: Place,
    /// The registry.
    pub ecr: Ecr,
    /// The services.
    pub ecs: Ecs,
    /// The table.
    pub dynamodb: DynamoDb,
    /// The topics.
    pub sns: Sns,
    /// The secrets.
    pub secrets: Secrets,
    /// The parameters.
    pub parameters: Parameters,
    /// The log groups.
    pub logs: Logs,
    /// The alarms.
    pub cloudwatch: CloudWatch,
    /// The schedules and rules that run tasks.
    pub scheduled: Scheduled,
    /// The container services.
    pub lightsail: Lightsail,
    /// What was given up.
    pub queues: Queues,
    /// What goes wrong on purpose.
    pub faults: Faults,
    /// Somebody who is quicker, where a race must be lost.
    pub rival: Option<Rival>,
    /// Somebody who sees everything.
    pub witness: Option<Box<dyn Witness>>,
    /// Posts to the webhooks.
    pub webhooks: Vec<Webhook>,
    /// The roles.
    pub iam: Iam,
    cloudformation: CloudFormation,
    seed: u64,
    elsewhere: Vec<Elsewhere>,
    /// The accounts whose events the bus takes.
    admitted: BTreeSet<String>,
    functions: BTreeMap<String, Function>,
    table: String,
    stream: Stream,
    feeds: Vec<Feed>,
    agenda: Agenda<Due>,
    calls: Vec<Noted>,
    /// Who answers for a URL.
    urls: BTreeMap<String, Vec<(Place, Behind)>>,
    asked: Vec<Asked>,
    ended: Vec<Ended>,
    invocations: u64,
    killed: Vec<Instance>,
    deliveries: Vec<Delivery>,
    dice: fastrand::Rng,
}

/// A message that a webhook received.
#[derive(Debug, Clone, PartialEq)]
pub struct Webhook {
    /// When.
    pub at: Timestamp,
    /// `slack` or `teams`.
    pub channel: String,
    /// The body.
    pub body: Value,
}

/// An invocation that must be started.
#[derive(Debug, Clone, PartialEq)]
pub struct Invocation {
    /// Counts them.
    pub number: u64,
    /// The function's program.
    pub program: String,
    /// The event.
    pub event: Value,
    /// Who hears how it ended.
    source: Source,
}

/// An invocation that ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// When it began.
    pub began: Timestamp,
    /// When it ended.
    pub at: Timestamp,
    /// The process that served it, and nothing else meanwhile.
    pub instance: Instance,
    /// The event.
    pub event: Value,
    /// Its answer, or its error's text.
    pub outcome: Result<Value, String>,
}

/// What becomes due.
#[derive(Debug, Clone)]
enum Due {
    /// An event reaches Lambda.
    Event { program: String, event: Event },
    /// A schedule fires.
    Schedule { program: String, index: usize, nominal: Timestamp },
    /// A lane may have something to serve.
    Lane { feed: usize, lane: LaneId },
    /// A call that its sender gave up lands, for it was struck so.
    Landing(Call, Fault),
}

#[derive(Debug, Clone, PartialEq)]
enum Source {
    Asynchronous(Event),
    Lane {
        feed: usize,
        lane: LaneId,
    },
    /// A person waits for the answer, or a duplicate that nobody waits for.
    Nobody,
}

impl Cloud {
    /// A new account with the stack deployed in it, at `now`.
    pub fn new(stack: &Stack, seed: u64, now: Timestamp) -> Result<Self, CloudError> {
        let mut dice = fastrand::Rng::with_seed(seed);
        let place = stack.place.clone();
        let functions = stack.functions()?;
        let iam = Iam::new(stack, &functions)?;
        iam.check_wiring(&functions)?;
        let [table] = &stack.tables()[..] else {
            return Err(CloudError::Tables(stack.tables().len()));
        };
        let mut cloud = Self {
            ecr: Ecr::new(place.clone(), dice.u64(..)),
            ecs: Ecs::new(place.clone(), dice.u64(..)),
            dynamodb: DynamoDb::new(std::slice::from_ref(table))?,
            sns: Sns::new(&place, stack.topics()).with(stack.subscriptions()),
            secrets: Secrets::new(&place),
            parameters: Parameters::default(),
            logs: Logs::default(),
            cloudwatch: CloudWatch::new(place.clone()),
            scheduled: Scheduled::new(place.clone()),
            lightsail: Lightsail::new(place.clone()),
            queues: Queues::default(),
            faults: Faults::none(dice.u64(..)),
            rival: None,
            witness: None,
            webhooks: Vec::new(),
            iam,
            cloudformation: CloudFormation::new(
                stack.deployed()?,
                stack.parameters.clone().into_iter().collect(),
            ),
            seed,
            elsewhere: Vec::new(),
            admitted: stack.admitted(),
            table: table.name.clone(),
            stream: Stream::new(&table.stream, &place.region, dice.u64(..)),
            feeds: Vec::new(),
            agenda: Agenda::default(),
            calls: Vec::new(),
            urls: BTreeMap::new(),
            asked: Vec::new(),
            ended: Vec::new(),
            invocations: 0,
            killed: Vec::new(),
            deliveries: Vec::new(),
            functions: BTreeMap::new(),
            place,
            dice,
        };
        for function in functions {
            for mapping in &function.mappings {
                cloud.feeds.push(Feed::new(mapping.clone(), &function.program));
            }
            cloud.functions.insert(function.program.clone(), function);
        }
        cloud.set_schedules(now);
        Ok(cloud)
    }

    /// A function by its program's name (`deploy`), logical id (`DeployFunction`), name or ARN.
    pub fn function(&self, name: &str) -> Option<&Function> {
        let is = |it: &&Function| it.id == name || it.name == name || it.arn == name;
        self.functions.get(name).or_else(|| self.functions.values().find(is))
    }

    /// The roles of those functions that release something.
    pub fn role_arns(&self) -> Vec<String> {
        let releasing = ["promote", "deploy", "watch"].iter();
        releasing.filter_map(|name| self.functions.get(*name)).map(|it| it.role.clone()).collect()
    }

    /// The table's name.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Every call so far, in order of arrival.
    pub fn calls(&self) -> &[Noted] {
        &self.calls
    }

    /// Every invocation that ended, in that order.
    pub fn ended(&self) -> &[Ended] {
        &self.ended
    }

    /// A webhook received `body`.
    pub fn receive(&mut self, channel: &str, body: Value, now: Timestamp) {
        self.webhooks.push(Webhook { at: now, channel: channel.to_owned(), body });
    }

    /// Processes that must be killed, once.
    pub fn take_killed(&mut self) -> Vec<Instance> {
        std::mem::take(&mut self.killed)
    }

    /// Messages that subscribers must be sent, once.
    pub fn take_deliveries(&mut self) -> Vec<Delivery> {
        std::mem::take(&mut self.deliveries)
    }

    /// How long a call travels each way, in a world without a network.
    ///
    /// AWS answers most control calls in some tens of milliseconds; what matters to the tests is
    /// that calls of different processes interleave, and differently with each seed.
    pub fn travel(&mut self) -> Duration {
        Duration::from_millis(self.dice.u64(2..25))
    }

    /// A call leaves its sender; how long it travels.
    pub fn send(&mut self, call: &Call, now: Timestamp) -> Duration {
        self.testify(|witness, cloud| witness.sent(cloud, call, now));
        self.travel()
    }
}

/// Why the local AWS cannot start.
#[derive(Debug, thiserror::Error)]
pub enum CloudError {
    /// The template.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The template has not exactly one table.
    #[error("template.yaml: expected one AWS::DynamoDB::Table, found {0}")]
    Tables(usize),
    /// A model refused to be set up.
    #[error("the local AWS cannot be set up")]
    SetUp(#[from] ApiError),
}
