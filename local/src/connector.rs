//! The SDK's way into a cloud in the same process: no sockets, no threads, the same wire.

use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use tidegate_aws::Clock;
use tidegate_aws::sdk::Access;

use crate::cloud::{Reply, Word};
use crate::engine::World;
use crate::wire;

/// An HTTP client whose every request is answered by `world`.
pub fn http_client(world: &Arc<World>) -> SharedHttpClient {
    let connector = SharedHttpConnector::new(Connector(world.clone()));
    http_client_fn(move |_, _| connector.clone())
}

/// An SDK config whose calls `world` answers; `access_key` says who calls, `clock` how patiently.
pub fn sdk_config(world: &Arc<World>, region: &str, access_key: &str, clock: &Clock) -> SdkConfig {
    let credentials = Credentials::new(access_key, "local", None, None, "local");
    let access = Access {
        region: region.to_owned(),
        endpoint: "http://aws.local".to_owned(),
        credentials: SharedCredentialsProvider::new(credentials),
    };
    access.sdk_config(clock, http_client(world))
}

/// The way to every URL outside of AWS: who answers is said by `world`.
pub fn outside(world: &Arc<World>) -> SharedHttpConnector {
    SharedHttpConnector::new(Outside(world.clone()))
}

#[derive(Debug)]
struct Outside(Arc<World>);

/// A small answer from the same continent.
const AWAY: Duration = Duration::from_millis(40);

impl HttpConnector for Outside {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let world = self.0.clone();
        HttpConnectorFuture::new(async move {
            world.clock.sleep(AWAY).await;
            let (status, body, after) = match world.with(|cloud, now| cloud.ask(request.uri(), now))
            {
                Word::Answer(status, body, after) => (status, body, after),
                Word::NoHost => return Err(ConnectorError::io("no such host".into())),
                Word::Silence => return std::future::pending().await,
            };
            world.clock.sleep(after).await;
            let status =
                status.try_into().map_err(|error| ConnectorError::user(Box::new(error)))?;
            Ok(HttpResponse::new(status, SdkBody::from(body)))
        })
    }
}

#[derive(Debug)]
struct Connector(Arc<World>);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let world = self.0.clone();
        HttpConnectorFuture::new(async move {
            let response = match read(&request) {
                Err(unreadable) => unreadable,
                Ok((call, protocol)) => {
                    // A caller that dies on the way never sent its call.
                    world.clock.sleep(world.with(|cloud, now| cloud.send(&call, now))).await;
                    let (reply, back) =
                        world.with(|cloud, now| (cloud.call(call, now), cloud.travel()));
                    let Reply::Answered(answer, delay) = reply else {
                        return std::future::pending().await;
                    };
                    world.clock.sleep(delay + back).await;
                    wire::write(&protocol, &answer)
                }
            };
            write(response)
        })
    }
}

fn read(request: &HttpRequest) -> Result<(crate::call::Call, wire::Protocol), wire::Response> {
    wire::read(wire::Request {
        authorization: request.headers().get("authorization"),
        target: request.headers().get("x-amz-target"),
        method: request.method(),
        uri: request.uri(),
        body: request.body().bytes().unwrap_or_default(),
    })
}

fn write(response: wire::Response) -> Result<HttpResponse, ConnectorError> {
    let status =
        response.status.try_into().map_err(|error| ConnectorError::user(Box::new(error)))?;
    let mut http = HttpResponse::new(status, SdkBody::from(response.body));
    http.headers_mut().insert("content-type", response.content_type);
    if let Some(error_type) = response.error_type {
        http.headers_mut().insert("x-amzn-errortype", error_type);
    }
    Ok(http)
}
