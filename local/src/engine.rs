//! Runs the cloud: one task that waits for what is due, one task for each invocation.
//!
//! The same engine serves a person's laptop and the tests' twin; only the clock and the processes
//! differ. Everything runs on one thread, in an order that time and the seed decide.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tidegate_aws::Clock;
use tokio::sync::{Notify, oneshot};

use crate::call::Instance;
use crate::cloud::{Cloud, Invocation};
use crate::lambda::process::{Outcome, Process, Programs};
use crate::sns::Delivery;
use crate::template::Function;

/// The cloud, its clock, and the bell that tells the engine of news.
#[derive(Debug)]
pub struct World {
    /// What time it is there.
    pub clock: Clock,
    cloud: Mutex<Cloud>,
    asked: Mutex<Vec<Asked>>,
    news: Notify,
}

/// Somebody asks for an invocation and waits for its answer.
#[derive(Debug)]
struct Asked {
    program: String,
    event: Value,
    answer: oneshot::Sender<Outcome>,
}

impl World {
    /// A world that stands still until an [`Engine`] runs it.
    pub fn new(cloud: Cloud, clock: Clock) -> Arc<Self> {
        let (cloud, asked, news) = (Mutex::new(cloud), Mutex::default(), Notify::new());
        Arc::new(Self { clock, cloud, asked, news })
    }

    /// Does something with the cloud, now, and lets the engine see what follows.
    pub fn with<T>(&self, act: impl FnOnce(&mut Cloud, Timestamp) -> T) -> T {
        let done = act(&mut self.cloud(), self.clock.now());
        self.news.notify_one();
        done
    }

    /// Looks at the cloud; nothing follows from looking.
    pub fn look<T>(&self, look: impl FnOnce(&Cloud) -> T) -> T {
        look(&self.cloud())
    }

    /// Invokes a function and waits for its answer; `program` must be known.
    pub async fn invoke(&self, program: &str, event: Value) -> Outcome {
        let (answer, answered) = oneshot::channel();
        let asked = Asked { program: program.to_owned(), event, answer };
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
        self.news.notify_one();
        answered.await.unwrap_or_else(|_| Err("the local AWS stopped".to_owned()))
    }

    /// A panic elsewhere leaves the cloud as it was between two calls: still usable.
    fn cloud(&self) -> MutexGuard<'_, Cloud> {
        self.cloud.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Starts what must start, kills what must die.
pub struct Engine {
    world: Arc<World>,
    programs: Box<dyn Programs>,
    deliver: Box<dyn Fn(Delivery)>,
    processes: RefCell<Processes>,
}

/// A process, and who it is.
type Warm = (Instance, Rc<dyn Process>);

#[derive(Default)]
struct Processes {
    started: u64,
    idle: BTreeMap<String, Vec<Warm>>,
    serving: BTreeMap<Instance, oneshot::Sender<()>>,
}

/// Without anything due, the engine still looks around so often.
const IDLE: Duration = Duration::from_secs(3_600);

impl Engine {
    /// An engine for `world`; `deliver` sends what SNS's subscribers must get.
    pub fn new(
        world: Arc<World>,
        programs: Box<dyn Programs>,
        deliver: Box<dyn Fn(Delivery)>,
    ) -> Rc<Self> {
        Rc::new(Self { world, programs, deliver, processes: RefCell::default() })
    }

    /// Runs for ever; must be polled inside a `LocalSet`.
    pub async fn run(self: Rc<Self>) {
        loop {
            let now = self.world.clock.now();
            let (started, killed, deliveries, due) = {
                let mut cloud = self.world.cloud();
                let started = cloud.advance(now);
                let due = cloud.next_due();
                (started, cloud.take_killed(), cloud.take_deliveries(), due)
            };
            for invocation in started {
                tokio::task::spawn_local(self.clone().serve(invocation, None));
            }
            for asked in self.world.take_asked() {
                let invocation = self.world.cloud().invoke(&asked.program, asked.event);
                tokio::task::spawn_local(self.clone().serve(invocation, Some(asked.answer)));
            }
            for instance in killed {
                if let Some(kill) = self.processes.borrow_mut().serving.remove(&instance) {
                    // It may have ended in the same moment: then there is nothing to kill.
                    let _ = kill.send(());
                }
            }
            deliveries.into_iter().for_each(&self.deliver);
            let wait = due.map_or(IDLE, |due| {
                Duration::try_from(due.duration_since(self.world.clock.now())).unwrap_or_default()
            });
            tokio::select! {
                biased;
                () = self.world.news.notified() => {}
                () = self.world.clock.sleep(wait) => {}
            }
        }
    }

    async fn serve(
        self: Rc<Self>,
        invocation: Invocation,
        answer: Option<oneshot::Sender<Outcome>>,
    ) {
        let function = self.world.look(|cloud| cloud.function(&invocation.program).cloned());
        let Some(function) = function else { return };
        let (instance, process) = self.process(&function);
        let (kill, killed) = oneshot::channel();
        self.processes.borrow_mut().serving.insert(instance.clone(), kill);
        let clock = self.world.clock.clone();
        let began = clock.now();
        let deadline = began + function.timeout;
        let mut lives = true;
        let outcome = tokio::select! {
            biased;
            _ = killed => {
                lives = false;
                Err("Runtime.ExitError: the process was killed".to_owned())
            }
            outcome = process.invoke(invocation.event.clone(), deadline) => outcome,
            () = clock.sleep(function.timeout) => {
                lives = false;
                Err(format!("Task timed out after {:.2} seconds", function.timeout.as_secs_f64()))
            }
        };
        let mut processes = self.processes.borrow_mut();
        processes.serving.remove(&instance);
        if lives && process.lives() {
            let idle = processes.idle.entry(function.program).or_default();
            idle.push((instance.clone(), process));
        }
        drop(processes);
        if let Some(answer) = answer {
            // Whoever asked may have gone.
            let _ = answer.send(outcome.clone());
        }
        self.world.with(|cloud, now| cloud.finish(invocation, (instance, began), outcome, now));
    }

    /// An idle process, the one used last first, as Lambda does; or a new one.
    fn process(&self, function: &Function) -> Warm {
        let mut processes = self.processes.borrow_mut();
        if let Some(warm) = processes.idle.get_mut(&function.program).and_then(Vec::pop) {
            return warm;
        }
        processes.started += 1;
        let instance = Instance { program: function.program.clone(), number: processes.started };
        drop(processes);
        let process = self.programs.start(function, &instance);
        (instance, process)
    }
}
