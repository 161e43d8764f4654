//! The real function programs, as child processes over the Runtime API.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::rc::Rc;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, mpsc, oneshot};

use super::process::{Outcome, Process, Programs, Serving};
use super::runtime_api::{Job, RuntimeApi};
use crate::call::Instance;
use crate::template::Function;

/// Starts the programs in a folder, each wired as Lambda would wire it.
#[derive(Debug)]
pub struct Children {
    /// The folder with the programs: `promote`, `deploy`, `watch`, `notify`.
    pub folder: PathBuf,
    /// The folder that takes what they print, one file each.
    pub logs: PathBuf,
    /// Where the local AWS listens.
    pub address: SocketAddr,
    /// The region they run in.
    pub region: String,
    /// `TIDEGATE_CLOCK`: which time it is for them.
    pub clock: String,
    /// Where they fetch their jobs.
    pub api: Arc<RuntimeApi>,
}

impl Programs for Children {
    fn start(&self, function: &Function, instance: &Instance) -> Rc<dyn Process> {
        let key = instance.access_key();
        let jobs = self.api.open(&key);
        let program = self.folder.join(&function.program);
        let child = self.log_file(&function.program).and_then(|log| {
            Command::new(&program)
                .env_clear()
                .envs(self.environment(function, &key))
                .stdin(Stdio::null())
                .stdout(log.try_clone()?)
                .stderr(log)
                .kill_on_drop(true)
                .spawn()
        });
        let child = child.map_err(|error| format!("cannot start {}: {error}", program.display()));
        Rc::new(Running {
            lives: Cell::new(child.is_ok()),
            child: Mutex::new(child),
            jobs,
            arn: function.arn.clone(),
            served: Cell::new(0),
            key,
            api: self.api.clone(),
        })
    }
}

impl Children {
    fn log_file(&self, program: &str) -> io::Result<File> {
        OpenOptions::new().create(true).append(true).open(self.logs.join(format!("{program}.log")))
    }

    /// What Lambda sets, what the template sets, and the two variables of the local AWS.
    fn environment(&self, function: &Function, key: &str) -> BTreeMap<String, String> {
        let api = format!("http://{}/_runtime/{key}", self.address);
        let mut environment = function.environment.clone();
        let lambda = [
            ("AWS_LAMBDA_FUNCTION_NAME", function.name.clone()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory.to_string()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
            ("AWS_LAMBDA_LOG_FORMAT", "JSON".to_owned()),
            ("AWS_LAMBDA_LOG_LEVEL", "INFO".to_owned()),
            ("AWS_LAMBDA_RUNTIME_API", api),
            ("AWS_REGION", self.region.clone()),
            ("AWS_ACCESS_KEY_ID", key.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
            ("TIDEGATE_ENDPOINT_URL", format!("http://{}", self.address)),
            ("TIDEGATE_CLOCK", self.clock.clone()),
        ];
        environment.extend(lambda.map(|(name, value)| (name.to_owned(), value)));
        environment
    }
}

struct Running {
    child: Mutex<Result<Child, String>>,
    jobs: mpsc::UnboundedSender<Job>,
    arn: String,
    served: Cell<u64>,
    lives: Cell<bool>,
    key: String,
    api: Arc<RuntimeApi>,
}

impl Running {
    async fn serve(&self, event: Value, deadline: Timestamp) -> Outcome {
        let mut child = self.child.lock().await;
        let child = child.as_mut().map_err(|error| error.clone())?;
        self.served.set(self.served.get() + 1);
        let (answer, answered) = oneshot::channel();
        let id = format!("{}-{}", self.key, self.served.get());
        let job = Job { id, arn: self.arn.clone(), event, deadline, answer };
        if self.jobs.send(job).is_err() {
            return Err("the Runtime API has closed".to_owned());
        }
        tokio::select! {
            biased;
            Ok(outcome) = answered => outcome,
            status = child.wait() => {
                self.lives.set(false);
                Err(match status {
                    Ok(status) => format!("Runtime.ExitError: the program ended: {status}"),
                    Err(error) => format!("Runtime.ExitError: {error}"),
                })
            }
        }
    }
}

impl Process for Running {
    fn invoke(&self, event: Value, deadline: Timestamp) -> Serving<'_> {
        Box::pin(self.serve(event, deadline))
    }

    fn lives(&self) -> bool {
        self.lives.get()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.api.close(&self.key);
    }
}
