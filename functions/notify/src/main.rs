//! The Lambda function `notify`.

use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use serde_json::Value;
use tidegate_aws::App;
use tidegate_notify::{Notifier, Settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let app = App::from_env()?;
    let notifier = &Notifier::new(&app, Settings::from_env()?);
    run(service_fn(async |event: LambdaEvent<Value>| {
        let deadline = Timestamp::try_from(event.context.deadline())?;
        Ok::<_, Error>(notifier.handle(event.payload, deadline).await?)
    }))
    .await
}
