//! A small world for the tests: the real template, two services, programs made of closures.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use jiff::Timestamp;
use serde_json::{Value, json};
use tidegate_core::config::{Config, PipelineConfig};
use tidegate_local::api::Place;
use tidegate_local::call::Instance;
use tidegate_local::lambda::process::{Outcome, Process, Programs, Serving};
use tidegate_local::seed;
use tidegate_local::template::Function;
use tidegate_local::twin::{self, Setting, Twin};

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

/// Programs that note what they are given, and answer what they are told to: `{}` otherwise.
#[derive(Clone, Default)]
pub(crate) struct Script {
    pub(crate) seen: Rc<RefCell<Vec<(String, Value)>>>,
    pub(crate) answers: Rc<RefCell<VecDeque<Outcome>>>,
}

impl Script {
    /// The events that `program` was given.
    pub(crate) fn events(&self, program: &str) -> Vec<Value> {
        let seen = self.seen.borrow();
        seen.iter().filter(|(name, _)| name == program).map(|(_, event)| event.clone()).collect()
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
        self.script.seen.borrow_mut().push((self.program.clone(), event));
        let answer = self.script.answers.borrow_mut().pop_front();
        Box::pin(async move { answer.unwrap_or_else(|| Ok(json!({}))) })
    }
}

/// Tells a story in a twin whose services run, with programs that follow `script`.
pub(crate) fn tell<T>(seed: u64, script: &Script, story: impl AsyncFnOnce(Twin) -> T) -> T {
    let pipelines = pipelines();
    let setting = Setting {
        seed,
        template: include_str!("../../../template.yaml"),
        parameters: seed::parameters(&pipelines),
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
