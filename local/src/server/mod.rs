//! The local AWS over HTTP, on 127.0.0.1 only: the same wire, the Runtime API, and its own corner.

mod deliver;
mod invoke;
mod own;
mod runtime;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::net::TcpListener;

use crate::cloud::Reply;
use crate::engine::World;
use crate::lambda::runtime_api::RuntimeApi;
use crate::wire;

pub use deliver::deliver;

/// What every request can reach.
#[derive(Debug, Clone)]
pub struct Desk {
    /// The cloud.
    pub world: Arc<World>,
    /// Where the functions' processes fetch their jobs.
    pub runtime: Arc<RuntimeApi>,
}

/// Takes a port of 127.0.0.1; 0 is any that is free.
pub async fn listen(port: u16) -> std::io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Serves for ever.
pub async fn serve(listener: TcpListener, desk: Desk) -> std::io::Result<()> {
    let runtime = "/_runtime/{key}/2018-06-01/runtime";
    let routes = Router::new()
        .route(&format!("{runtime}/invocation/next"), get(runtime::next))
        .route(&format!("{runtime}/invocation/{{id}}/response"), post(runtime::response))
        .route(&format!("{runtime}/invocation/{{id}}/error"), post(runtime::error))
        .route(&format!("{runtime}/init/error"), post(runtime::init_error))
        .route("/2015-03-31/functions/{name}/invocations", post(invoke::invoke))
        .route("/_local/notifications", get(own::notifications))
        .route("/_local/calls", get(own::calls))
        .route("/_local/dead-letters", get(own::dead_letters))
        .route("/_local/faults", get(own::faults).post(own::add_fault).delete(own::clear_faults))
        .route("/_local/http/{*url}", get(own::outside))
        .route("/_local/{webhook}", post(own::webhook))
        .fallback(aws)
        .with_state(desk);
    axum::serve(listener, routes).await
}

/// Every AWS protocol arrives here, whatever the host is called.
async fn aws(
    State(desk): State<Desk>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let uri = uri.to_string();
    let request = wire::Request {
        authorization: header("authorization"),
        target: header("x-amz-target"),
        method: method.as_str(),
        uri: &uri,
        body: &body,
    };
    let response = match wire::read(request) {
        Err(unreadable) => unreadable,
        Ok((call, protocol)) => match desk.world.with(|cloud, now| cloud.call(call, now)) {
            Reply::Answered(answer, delay) => {
                if !delay.is_zero() {
                    desk.world.clock.sleep(delay).await;
                }
                wire::write(&protocol, &answer)
            }
            // The caller hears nothing, and gives up by itself.
            Reply::Silence => return std::future::pending().await,
        },
    };
    written(response)
}

fn written(response: wire::Response) -> Response {
    let status = StatusCode::from_u16(response.status).unwrap_or(StatusCode::BAD_REQUEST);
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static(response.content_type));
    headers.insert("x-amzn-requestid", HeaderValue::from_static(wire::REQUEST_ID));
    if let Some(error_type) = response.error_type.and_then(|it| HeaderValue::from_str(&it).ok()) {
        headers.insert(HeaderName::from_static("x-amzn-errortype"), error_type);
    }
    (status, headers, response.body).into_response()
}
