//! Calls to people's endpoints: guarded, one request, no redirect.

use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_types::date_time::{DateTime, Format};

use super::{Reach, connector, public_roots, trust};
use crate::Clock;

/// Enough of a webhook's answer to show a person; the rest is not read.
pub(super) const MOST_BODY: usize = 4096;

/// Sends requests to endpoints outside AWS.
#[derive(Clone)]
pub struct Outbound {
    clock: Clock,
    reach: Reach,
    connector: OnceLock<SharedHttpConnector>,
}

/// What an endpoint answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The HTTP status; a redirect is an answer like any other.
    pub status: u16,
    /// How long the endpoint asks us to wait.
    pub retry_after: Option<Duration>,
    /// The body, as far as it was read.
    pub body: String,
}

/// Why there is no answer. Names the host alone: a webhook's path is its password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpFault {
    /// The call may not be made; asking again changes nothing.
    #[error("{host} is not called: {why}")]
    Refused {
        /// The endpoint's host.
        host: String,
        /// The rule that forbids it.
        why: String,
    },
    /// No answer in time.
    #[error("{host} gave no answer within {limit:?}")]
    TimedOut {
        /// The endpoint's host.
        host: String,
        /// The time it had.
        limit: Duration,
    },
    /// The connection could not be made or broke.
    #[error("{host} could not be reached: {why}")]
    Unreachable {
        /// The endpoint's host.
        host: String,
        /// What happened.
        why: String,
    },
}

impl Outbound {
    /// Calls over the network; roots are loaded when the first call is made.
    pub fn new(clock: Clock, reach: Reach) -> Self {
        Self { clock, reach, connector: OnceLock::new() }
    }

    /// Calls over a given connector: an in-process one.
    pub fn over(clock: Clock, connector: SharedHttpConnector) -> Self {
        Self { clock, reach: Reach::Anywhere, connector: OnceLock::from(connector) }
    }

    /// Posts `body` as JSON and reads the answer, all within `limit`; over TLS, for the path of a
    /// webhook is its password.
    pub async fn post_json(
        &self,
        url: &str,
        body: String,
        limit: Duration,
    ) -> Result<HttpAnswer, HttpFault> {
        if self.reach != Reach::Anywhere && url.starts_with("http://") {
            let (host, why) = (host(url), "only https:// keeps a webhook secret".to_owned());
            return Err(HttpFault::Refused { host: host.to_owned(), why });
        }
        self.send(url, |url| json_request(url, body), limit, MOST_BODY).await
    }

    /// Gets `url` and reads at most `most` bytes of the answer, all within `limit`.
    pub async fn get(
        &self,
        url: &str,
        limit: Duration,
        most: usize,
    ) -> Result<HttpAnswer, HttpFault> {
        self.send(url, get_request, limit, most).await
    }

    async fn send(
        &self,
        url: &str,
        request: impl FnOnce(&str) -> Result<HttpRequest, String>,
        limit: Duration,
        most: usize,
    ) -> Result<HttpAnswer, HttpFault> {
        let host = self.admit(url)?;
        let request = request(url).map_err(|why| HttpFault::Refused { host: host.clone(), why })?;
        tokio::select! {
            answer = self.exchange(request, most) => {
                answer.map_err(|error| fault(host, error.as_ref()))
            }
            () = self.clock.sleep(limit) => Err(HttpFault::TimedOut { host, limit }),
        }
    }

    /// The host of `url`, if it may be called as far as the text alone says: an address written out
    /// is never resolved, so the resolver's guard would not see it.
    fn admit(&self, url: &str) -> Result<String, HttpFault> {
        let refused = |host: &str, why: &str| {
            Err(HttpFault::Refused { host: host.to_owned(), why: why.to_owned() })
        };
        if !["https://", "http://"].iter().any(|scheme| url.starts_with(scheme)) {
            return refused("the endpoint", "its URL does not begin with https:// or http://");
        }
        if authority(url).contains('@') {
            return refused("the endpoint", "its URL holds a user name");
        }
        let host = host(url);
        match host.parse::<IpAddr>() {
            Ok(address) if !self.reach.allows(address) => refused(host, "not a public address"),
            _ => Ok(host.to_owned()),
        }
    }

    async fn exchange(&self, request: HttpRequest, most: usize) -> Result<HttpAnswer, BoxError> {
        let connector =
            self.connector.get_or_init(|| connector(&self.clock, self.reach, trust(public_roots)));
        let response = connector.call(request).await?;
        let status = response.status().as_u16();
        let retry_after = self.retry_after(&response);
        Ok(HttpAnswer { status, retry_after, body: text(response.into_body(), most).await? })
    }

    /// `Retry-After` comes as seconds or as a date.
    fn retry_after(&self, response: &HttpResponse) -> Option<Duration> {
        let value = response.headers().get("retry-after")?;
        if let Ok(seconds) = value.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let date = DateTime::from_str(value, Format::HttpDate).ok()?;
        let wait = date.secs().checked_sub(self.clock.now().as_second())?;
        u64::try_from(wait).ok().map(Duration::from_secs)
    }
}

type BoxError = Box<dyn Error + Send + Sync>;

/// `HOST:PORT` of a URL with its scheme.
fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// The host alone.
fn host(url: &str) -> &str {
    let authority = authority(url);
    match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    }
}

fn get_request(url: &str) -> Result<HttpRequest, String> {
    let mut request = HttpRequest::new(SdkBody::empty());
    request.set_uri(url).map_err(|_| NOT_WELL_FORMED.to_owned())?;
    request.headers_mut().insert("user-agent", "tidegate");
    // A connection that was kept while the function slept may be gone, and that is no wrong answer.
    request.headers_mut().insert("connection", "close");
    Ok(request)
}

const NOT_WELL_FORMED: &str = "its URL is not well-formed";

fn json_request(url: &str, body: String) -> Result<HttpRequest, String> {
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method("POST").map_err(|error| error.to_string())?;
    // The error would repeat the URL, and with it the secret.
    request.set_uri(url).map_err(|_| NOT_WELL_FORMED.to_owned())?;
    request.headers_mut().insert("content-type", "application/json");
    Ok(request)
}

async fn text(body: SdkBody, most: usize) -> Result<String, BoxError> {
    let mut stream = ByteStream::new(body);
    let mut bytes = Vec::new();
    while bytes.len() < most
        && let Some(chunk) = stream.next().await
    {
        bytes.extend_from_slice(&chunk?);
    }
    bytes.truncate(most);
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The innermost cause says what happened; the layers above it only say that something did.
fn fault(host: String, error: &(dyn Error + 'static)) -> HttpFault {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    let why = innermost.to_string();
    if innermost.is::<super::reach::Refused>() {
        HttpFault::Refused { host, why }
    } else {
        HttpFault::Unreachable { host, why }
    }
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outbound({:?})", self.reach)
    }
}
