//! The Lambda Runtime API's state: a desk for each process, where it fetches its jobs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::process::Outcome;

/// All desks, by the access key of the process that sits there.
#[derive(Debug, Default)]
pub struct RuntimeApi {
    desks: Mutex<BTreeMap<String, Arc<Desk>>>,
}

/// Where one process fetches jobs and leaves answers.
#[derive(Debug)]
pub struct Desk {
    jobs: tokio::sync::Mutex<mpsc::UnboundedReceiver<Job>>,
    current: Mutex<Option<oneshot::Sender<Outcome>>>,
}

/// An invocation, as the process gets it.
#[derive(Debug)]
pub struct Job {
    /// The request's id.
    pub id: String,
    /// The function's ARN.
    pub arn: String,
    /// The event.
    pub event: Value,
    /// When it must be answered.
    pub deadline: Timestamp,
    /// Where the answer goes.
    pub answer: oneshot::Sender<Outcome>,
}

impl RuntimeApi {
    /// Sets up a desk; jobs sent here are fetched there.
    pub fn open(&self, key: &str) -> mpsc::UnboundedSender<Job> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let desk = Desk { jobs: tokio::sync::Mutex::new(receiver), current: Mutex::default() };
        self.lock().insert(key.to_owned(), Arc::new(desk));
        sender
    }

    /// The process has gone.
    pub fn close(&self, key: &str) {
        self.lock().remove(key);
    }

    /// The desk of the process that says it holds `key`.
    pub fn desk(&self, key: &str) -> Option<Arc<Desk>> {
        self.lock().get(key).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Arc<Desk>>> {
        self.desks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desk {
    /// Waits for the next job. `None` when there will be none.
    pub async fn next(&self) -> Option<(String, String, Value, Timestamp)> {
        let Job { id, arn, event, deadline, answer } = self.jobs.lock().await.recv().await?;
        *self.current() = Some(answer);
        Some((id, arn, event, deadline))
    }

    /// Answers the current job; says whether there was one.
    pub fn answer(&self, outcome: Outcome) -> bool {
        // Whoever asked may have given up: the process has answered all the same.
        self.current().take().is_some_and(|answer| answer.send(outcome).is_ok())
    }

    fn current(&self) -> std::sync::MutexGuard<'_, Option<oneshot::Sender<Outcome>>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
