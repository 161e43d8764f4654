//! A small world for the tests: the real template, two services, programs made of closures.

use std::cell::RefCell;
use std::rc::Rc;

use jiff::Timestamp;
use serde_json::{Value, json};
use tidegate_core::config::{Config, PipelineConfig};
use tidegate_local::api::Place;
use tidegate_local::call::Instance;
use tidegate_local::lambda::process::{Outcome, Process, Programs, Serving};
use tidegate_local::template::Function;
use tidegate_local::twin::{self, Setting, Twin};
use tidegate_local::{places, seed};

const CONFIG: &str = "
version: 1
pipelines:
  p:
    images: { crons: { repository: live_crons, tag: uapi } }
    cluster: live-crons
    waves: [[Rag], [Carousel]]
";

pub(crate) fn pipelines() -> Vec<PipelineConfig> {
    let config = Config::parse("tidegate.yaml", CONFIG).unwrap();
    config.resolve("123456789012", "us-west-2").unwrap()
}

/// What a program answers to an event.
type Answer = dyn Fn(&str, &Value) -> Outcome;

/// Programs that note what they are given, and answer what they are told to: `{}` otherwise.
#[derive(Clone)]
pub(crate) struct Script {
    seen: Rc<RefCell<Vec<(String, Value)>>>,
    answer: Rc<Answer>,
}

impl Default for Script {
    fn default() -> Self {
        Self::answering(|_, _| Ok(json!({})))
    }
}

impl Script {
    /// Programs that answer so.
    pub(crate) fn answering(answer: impl Fn(&str, &Value) -> Outcome + 'static) -> Self {
        Self { seen: Rc::default(), answer: Rc::new(answer) }
    }

    /// The events that `program` was given, ticks and sweeps left out.
    pub(crate) fn events(&self, program: &str) -> Vec<Value> {
        let seen = self.seen.borrow();
        let own = seen.iter().filter(|(name, event)| name == program && event["kind"].is_null());
        own.map(|(_, event)| event.clone()).collect()
    }

    /// How often a schedule woke `program`.
    pub(crate) fn ticks(&self, program: &str) -> usize {
        let seen = self.seen.borrow();
        seen.iter().filter(|(name, event)| name == program && event["kind"].is_string()).count()
    }
}

impl Programs for Script {
    fn start(&self, function: &Function, _: &Instance) -> Rc<dyn Process> {
        Rc::new(Scripted { program: function.program.clone(), script: self.clone() })
    }
}

struct Scripted {
    program: String,
    script: Script,
}

impl Process for Scripted {
    fn invoke(&self, event: Value, _: Timestamp) -> Serving<'_> {
        let answer = (self.script.answer)(&self.program, &event);
        self.script.seen.borrow_mut().push((self.program.clone(), event));
        Box::pin(async move { answer })
    }
}

/// Tells a story in a twin whose services run, with programs that follow `script`.
pub(crate) fn tell<T>(seed: u64, script: &Script, story: impl AsyncFnOnce(Twin) -> T) -> T {
    let pipelines = pipelines();
    let setting = Setting {
        seed,
        template: include_str!("../../../template.yaml"),
        parameters: places::parameters(&pipelines),
        place: Place::new("123456789012", "us-west-2"),
        begins: "2026-11-21T08:00:00Z".parse().unwrap(),
    };
    let programs = script.clone();
    twin::run(
        &setting,
        |_| Box::new(programs),
        async |twin| {
            twin.world.with(|cloud, now| seed::fleet(cloud, &pipelines, now)).unwrap();
            story(twin).await
        },
    )
    .unwrap()
}
