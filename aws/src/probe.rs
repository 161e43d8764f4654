//! Asks the URLs of a config's checks.

use std::sync::Arc;

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use tidegate_core::config::HttpCheck;
use tidegate_core::decide::checks::{Heard, PATIENCE};

use crate::Clock;
use crate::http::{HttpFault, Outbound, Reach};

/// What is read of an answer: a text that a check looks for stands near the beginning.
const MOST_BODY: usize = 64 * 1024;

/// Asks URLs, each as far as its check may reach.
#[derive(Debug, Clone)]
pub struct Probe {
    public: Arc<Outbound>,
    private: Arc<Outbound>,
    /// The local AWS answers for every URL: a laptop has none of these hosts.
    local: Option<String>,
}

impl Probe {
    /// Over the network; `endpoint` is the local AWS's, where it stands in for AWS.
    pub fn new(clock: &Clock, endpoint: Option<&str>) -> Self {
        let over = |reach| Arc::new(Outbound::new(clock.clone(), reach));
        match endpoint {
            Some(endpoint) => {
                let anywhere = over(Reach::Anywhere);
                let local = Some(endpoint.trim_end_matches('/').to_owned());
                Self { public: anywhere.clone(), private: anywhere, local }
            }
            None => {
                Self { public: over(Reach::Public), private: over(Reach::Private), local: None }
            }
        }
    }

    /// Over a given connector: an in-process one.
    pub fn over(clock: &Clock, connector: SharedHttpConnector) -> Self {
        let outbound = Arc::new(Outbound::over(clock.clone(), connector));
        Self { public: outbound.clone(), private: outbound, local: None }
    }

    /// Asks once, and follows no redirect.
    pub async fn ask(&self, check: &HttpCheck) -> Heard {
        let outbound = if check.private { &self.private } else { &self.public };
        let url = match &self.local {
            Some(endpoint) => &format!("{endpoint}/_local/http/{}", check.url),
            None => &check.url,
        };
        match outbound.get(url, PATIENCE, MOST_BODY).await {
            Ok(answer) => Heard::Http { status: answer.status, body: answer.body },
            Err(fault @ HttpFault::Refused { .. }) if check.private => {
                Heard::Unasked(fault.to_string())
            }
            Err(fault @ HttpFault::Refused { .. }) => Heard::Unasked(format!(
                "{fault}; `private: true` in the config allows addresses of the VPC"
            )),
            Err(fault) => Heard::Silence(fault.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn check(url: &str, private: bool) -> HttpCheck {
        HttpCheck {
            url: url.to_owned(),
            expect: vec![200],
            body: None,
            attempts: 1,
            every: Duration::from_secs(15),
            private,
        }
    }

    /// Refused before anything is sent: no test needs a network to see it.
    #[tokio::test]
    async fn nobody_is_led_inside() {
        let probe = Probe::new(&Clock::system(), None);
        for (url, private) in [
            ("http://10.0.0.1/health", false),
            ("https://localhost/health", false),
            ("http://127.0.0.1:9001/2018-06-01/runtime/invocation/next", true),
            ("http://169.254.169.254/latest/meta-data/", true),
            ("http://localhost/health", true),
            ("http://[fd00:ec2::254]/latest/meta-data/", true),
        ] {
            let heard = probe.ask(&check(url, private)).await;
            let Heard::Unasked(why) = &heard else { panic!("{url}: {heard:?}") };
            assert!(why.contains("is not called"), "{why}");
        }
    }

    #[tokio::test]
    async fn nobody_who_answers_is_silence() {
        // A port that was free a moment ago.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let probe = Probe::new(&Clock::system(), Some(&endpoint));
        let heard = probe.ask(&check("https://a.example.com/b", false)).await;
        assert!(matches!(heard, Heard::Silence(_)), "{heard:?}");
    }
}
