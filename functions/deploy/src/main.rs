//! The program: wiring only.

use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;
use tidegate_aws::{App, Error, deadline, log};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    log::start();
    let app = App::from_env()?;
    app.warm_up().await;
    let app = &app;
    lambda_runtime::run(service_fn(async move |event: LambdaEvent<Value>| {
        let deadline = deadline(event.context.deadline);
        tidegate_deploy::handle(app, event.payload, deadline).await.map_err(Error::told)
    }))
    .await
}
