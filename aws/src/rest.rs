//! Services of which one or two calls are needed and that speak REST: a path is asked or written, and JSON
//! comes back.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use serde_json::Value;

use crate::Refusal;
use crate::call::call;
use crate::json::answer;

/// A service that speaks REST with JSON.
#[derive(Debug, Clone)]
pub(crate) struct RestService {
    pub(crate) config: SdkConfig,
    /// Its signing name, which its host begins with.
    pub(crate) name: &'static str,
}

impl RestService {
    /// Reads what stands at `path`; `action` and `resource` are what a refusal names.
    pub(crate) async fn get(
        &self,
        action: &'static str,
        resource: &str,
        path: &str,
    ) -> Result<Value, Refusal> {
        self.send(action, resource, request("GET", path, None)).await
    }

    /// Replaces what stands at `path`.
    pub(crate) async fn put(
        &self,
        action: &'static str,
        resource: &str,
        path: &str,
        input: &Value,
    ) -> Result<Value, Refusal> {
        self.send(action, resource, request("PUT", path, Some(input))).await
    }

    async fn send(
        &self,
        action: &'static str,
        resource: &str,
        request: Result<HttpRequest, BoxError>,
    ) -> Result<Value, Refusal> {
        let (_, operation) = action.split_once(':').unwrap_or(("", action));
        let refused = |error| Refusal::of(action, resource)(error);
        call(&self.config, self.name, operation, request, answer).await.map_err(refused)
    }
}

fn request(method: &str, path: &str, input: Option<&Value>) -> Result<HttpRequest, BoxError> {
    let body = input.map(Value::to_string).unwrap_or_default();
    let length = body.len().to_string();
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method(method)?;
    request.set_uri(path)?;
    if input.is_some() {
        request.headers_mut().insert("content-type", "application/json");
        request.headers_mut().insert("content-length", length);
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::RefusalKind;
    use crate::fake::{Fake, config};

    #[tokio::test]
    async fn a_path_is_asked_at_the_services_own_host() {
        let fake = Fake::new();
        fake.answer(200, "{\"State\": \"ENABLED\"}");
        fake.answer(404, "{\"Message\": \"Schedule tick does not exist.\"}");
        let scheduler = RestService { config: config(&fake), name: "scheduler" };
        let ask = || scheduler.get("scheduler:GetSchedule", "tick", "/schedules/tick");
        assert_eq!(ask().await.unwrap(), json!({ "State": "ENABLED" }));
        assert_eq!(ask().await.unwrap_err().kind, RefusalKind::NotFound);
        let uri = "https://scheduler.us-west-2.amazonaws.com/schedules/tick";
        assert!(fake.requests().iter().all(|request| request.uri == uri));
    }
}
