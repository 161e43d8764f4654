//! The smallest Lambda function: a child for the tests of the Runtime API.
//!
//! Answers with the event it got, unless the event asks it to `fail`, to `exit` or to `hang`.

use std::io::{Read, Write};
use std::net::TcpStream;

fn main() -> std::io::Result<()> {
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API").unwrap_or_default();
    let api = api.trim_start_matches("http://");
    let (host, base) = api.split_once('/').unwrap_or((api, ""));
    let runtime = format!("/{base}/2018-06-01/runtime/invocation");
    loop {
        let (head, event) = ask(host, "GET", &format!("{runtime}/next"), "")?;
        let id = header(&head, "lambda-runtime-aws-request-id");
        if event.contains("\"exit\"") {
            std::process::exit(3);
        }
        if event.contains("\"hang\"") {
            std::thread::sleep(std::time::Duration::from_secs(3_600));
        }
        let (way, body) = if event.contains("\"fail\"") {
            ("error", r#"{"errorType":"Asked","errorMessage":"asked to fail"}"#)
        } else {
            ("response", event.as_str())
        };
        ask(host, "POST", &format!("{runtime}/{id}/{way}"), body)?;
    }
}

/// One request; the head and the body of its answer.
fn ask(host: &str, method: &str, path: &str, body: &str) -> std::io::Result<(String, String)> {
    let mut stream = TcpStream::connect(host)?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
         content-length: {length}\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    Ok((head.to_owned(), body.to_owned()))
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines
        .filter(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
        .next()
        .unwrap_or_default()
}
