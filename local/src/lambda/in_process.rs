//! The shipped handlers in this process: the twin's programs.

use std::rc::Rc;

use jiff::Timestamp;
use serde_json::Value;
use tidegate_aws::setting::retention;
use tidegate_aws::{App, Dice, Probe};
use tidegate_notify::{Notifier, Settings};

use super::process::{Outcome, Process, Programs, Serving};
use crate::call::Instance;
use crate::connector;
use crate::streams::hash;
use crate::template::Function;
use crate::twin::Twin;

/// Runs each process of a function as a value with its own connections and its own dice.
#[derive(Debug)]
pub struct Handlers {
    twin: Twin,
    seed: u64,
}

impl Handlers {
    /// Handlers whose world is `twin`'s.
    pub fn new(twin: &Twin, seed: u64) -> Self {
        Self { twin: twin.clone(), seed }
    }
}

impl Programs for Handlers {
    fn start(&self, function: &Function, instance: &Instance) -> Rc<dyn Process> {
        let key = instance.access_key();
        let variable = |name: &str| function.environment.get(name).cloned().unwrap_or_default();
        let app = App::new(
            self.twin.sdk_config(&key),
            variable("TIDEGATE_TABLE"),
            self.twin.region().to_owned(),
            self.twin.world.clock.clone(),
            Dice::seeded(self.seed ^ hash(&key)),
        );
        let app = app.named(&function.name);
        let outside = connector::outside(&self.twin.world);
        let app = app.asking(Probe::over(&self.twin.world.clock, outside));
        // The template's parameter is a number; its programs refuse to start with anything else.
        let app = app.keeping(retention(&variable("TIDEGATE_RETENTION_DAYS")).unwrap_or_default());
        let optional = |name: &str| Some(variable(name)).filter(|value| !value.is_empty());
        let notifier = (function.program == "notify").then(|| {
            let settings = Settings {
                topic: variable("TIDEGATE_TOPIC_ARN"),
                slack: optional("TIDEGATE_SLACK_SECRET_ARN"),
                teams: optional("TIDEGATE_TEAMS_SECRET_ARN"),
                dead_letters: optional("TIDEGATE_DEAD_LETTERS_URL"),
            };
            Notifier::new(&app, settings)
        });
        Rc::new(Handler { program: function.program.clone(), app, notifier })
    }
}

struct Handler {
    program: String,
    app: App,
    notifier: Option<Notifier>,
}

impl Handler {
    async fn serve(&self, event: Value, deadline: Timestamp) -> Outcome {
        let served = match (self.program.as_str(), &self.notifier) {
            ("promote", _) => tidegate_promote::handle(&self.app, event, deadline).await,
            ("deploy", _) => tidegate_deploy::handle(&self.app, event, deadline).await,
            ("watch", _) => tidegate_watch::handle(&self.app, event, deadline).await,
            (_, Some(notifier)) => notifier.handle(event, deadline).await,
            (other, None) => return Err(format!("there is no program `{other}`")),
        };
        served.map_err(tidegate_aws::Error::told)
    }
}

impl Process for Handler {
    fn invoke(&self, event: Value, deadline: Timestamp) -> Serving<'_> {
        Box::pin(self.serve(event, deadline))
    }
}
