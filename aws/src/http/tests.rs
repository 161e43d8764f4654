//! Whom we trust, whom we call, and what an answer is.

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;

use super::outbound::MOST_BODY;
use super::*;

const LIMIT: Duration = Duration::from_secs(10);

/// Answers every call alike, or never.
#[derive(Debug)]
struct Endpoint(Option<(u16, &'static str)>);

impl HttpConnector for Endpoint {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        assert_eq!(request.method(), "POST");
        assert_eq!(request.headers().get("content-type"), Some("application/json"));
        let Some((status, retry_after)) = self.0 else {
            return HttpConnectorFuture::new(std::future::pending());
        };
        let status = status.try_into().unwrap();
        let mut response = HttpResponse::new(status, SdkBody::from("x".repeat(MOST_BODY + 1)));
        response.headers_mut().insert("retry-after", retry_after);
        HttpConnectorFuture::ready(Ok(response))
    }
}

async fn post(clock: Clock, endpoint: Endpoint) -> Result<HttpAnswer, HttpFault> {
    let outbound = Outbound::over(clock, SharedHttpConnector::new(endpoint));
    outbound.post_json("https://hooks.example.com/T0/hunter2", "{}".to_owned(), LIMIT).await
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_read_as_it_comes() {
    let clock = Clock::virtual_from("2026-01-01T00:00:00Z".parse().unwrap());
    let wait = |retry_after| post(clock.clone(), Endpoint(Some((429, retry_after))));
    let answer = wait("30").await.unwrap();
    assert_eq!((answer.status, answer.body.len()), (429, MOST_BODY));
    assert_eq!(answer.retry_after, Some(Duration::from_secs(30)));
    let dated = wait("Thu, 01 Jan 2026 00:02:00 GMT").await.unwrap();
    assert_eq!(dated.retry_after, Some(Duration::from_secs(120)));
    let past = wait("Wed, 31 Dec 2025 00:00:00 GMT").await.unwrap();
    assert_eq!(past.retry_after, None);
    let redirect = post(clock.clone(), Endpoint(Some((302, "")))).await.unwrap();
    assert_eq!(redirect.status, 302, "followed nowhere");
}

#[tokio::test(start_paused = true)]
async fn silence_ends_at_the_limit_and_keeps_the_secret() {
    let start = "2026-01-01T00:00:00Z".parse().unwrap();
    let clock = Clock::virtual_from(start);
    let fault = post(clock.clone(), Endpoint(None)).await.unwrap_err();
    assert_eq!(fault, HttpFault::TimedOut { host: "hooks.example.com".into(), limit: LIMIT });
    assert_eq!(clock.now(), start + LIMIT);
    assert!(!fault.to_string().contains("hunter2"));
}

/// Refused before anything is sent: for names this asks the machine's own resolver.
#[tokio::test]
async fn what_leads_inside_is_never_called() {
    let outbound = Outbound::new(Clock::system(), Reach::Public);
    for url in [
        "https://127.0.0.1/hunter2",
        "https://169.254.169.254/hunter2",
        "https://[::1]:443/hunter2",
        "https://[::ffff:10.0.0.1]/hunter2",
        "https://localhost/hunter2",
        "https://user@example.com/hunter2",
        "http://example.com/hunter2",
        "hunter2",
    ] {
        let fault = outbound.post_json(url, String::new(), LIMIT).await.unwrap_err();
        assert!(matches!(fault, HttpFault::Refused { .. }), "{url}: {fault}");
        assert!(!fault.to_string().contains("hunter2"), "{fault}");
    }
}

#[tokio::test]
async fn the_local_aws_is_called_in_plain_http() {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 1024];
        let length = stream.read(&mut request).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").unwrap();
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    let outbound = Outbound::new(Clock::system(), Reach::Anywhere);
    let answer = outbound.post_json(&url, "{\"a\":1}".to_owned(), LIMIT).await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body, "ok");
    let request = server.join().unwrap();
    assert!(request.starts_with("POST /hook HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("content-length: 7"), "{request}");
}

#[tokio::test]
async fn a_question_is_bounded_follows_nothing_and_keeps_no_connection() {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/health?deep=1", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 1024];
        let length = stream.read(&mut request).unwrap();
        let head = "HTTP/1.1 307 Temporary Redirect\r\nlocation: /elsewhere\r\n\
                    content-length: 100\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&[b'x'; 100]).unwrap();
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    let outbound = Outbound::new(Clock::system(), Reach::Anywhere);
    let answer = outbound.get(&url, LIMIT, 10).await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (307, "xxxxxxxxxx"));
    let request = server.join().unwrap();
    assert!(request.starts_with("GET /health?deep=1 HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("connection: close\r\n"), "{request}");
}

/// The connector panics on a certificate that it cannot read: so building it is the test.
#[test]
fn all_embedded_roots_are_readable() {
    let clock = Clock::system();
    for roots in [aws_roots, public_roots] {
        connector(&clock, Reach::Public, roots(TrustStore::empty()));
    }
}
