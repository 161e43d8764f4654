//! The program: wiring only.

use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;
use tidegate_aws::{App, Error, deadline, log};
use tidegate_notify::{Notifier, Settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    log::start();
    let app = App::from_env()?;
    let notifier = &Notifier::new(&app, Settings::from_env()?);
    lambda_runtime::run(service_fn(async move |event: LambdaEvent<Value>| {
        let deadline = deadline(event.context.deadline);
        notifier.handle(event.payload, deadline).await.map_err(Error::told)
    }))
    .await
}
