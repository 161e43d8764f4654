//! Over real sockets: the Runtime API with a child, Lambda's Invoke, the corner of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tidegate_aws::{Clock, Probe};
use tidegate_core::config::HttpCheck;
use tidegate_core::decide::checks::Heard;
use tidegate_local::call::{Call, Caller, Scope};
use tidegate_local::cloud::Behind;
use tidegate_local::ecs::ServiceName;
use tidegate_local::laptop::{Laptop, Options};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;

use crate::world::pipelines;

/// A folder in which each program is the echo function.
fn programs(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let echo = own.parent().and_then(Path::parent).unwrap().join("examples/echo_function");
    assert!(echo.exists(), "run `cargo test -p tidegate-local`, which builds the example as well");
    let folder = std::env::temp_dir().join(format!("tidegate-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for program in ["promote", "deploy", "watch", "notify"] {
        std::fs::copy(&echo, folder.join(program)).unwrap();
    }
    folder
}

/// Runs `story` beside a laptop whose time runs 60 times faster.
fn beside<T>(name: &str, story: impl AsyncFnOnce(Laptop) -> T) -> T {
    let folder = programs(name);
    let options = Options {
        pipelines: pipelines(),
        port: 0,
        speed: 60.0,
        logs: folder.join("logs"),
        functions: folder.clone(),
        seed: 1,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let told = LocalSet::new()
        .block_on(&runtime, async { story(Laptop::start(options).await.unwrap()).await });
    std::fs::remove_dir_all(folder).unwrap();
    told
}

async fn ask(address: SocketAddr, method: &str, path: &str, body: Value) -> (u16, String) {
    let body = body.to_string();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, format!("{}\n{body}", head.to_ascii_lowercase()))
}

async fn invoke(laptop: &Laptop, name: &str, event: Value) -> (u16, String) {
    let path = format!("/2015-03-31/functions/{name}/invocations");
    ask(laptop.address, "POST", &path, event).await
}

#[test]
fn a_child_serves_fails_exits_and_hangs_and_the_next_one_serves_again() {
    beside("child", async |laptop| {
        for name in ["PromoteFunction", "promote", "tidegate-PromoteFunction"] {
            let (status, answer) = invoke(&laptop, name, json!({"n": 7})).await;
            assert_eq!(status, 200, "{answer}");
            assert!(answer.ends_with(r#"{"n":7}"#), "{answer}");
        }
        let (_, answer) = invoke(&laptop, "promote", json!({"do": "fail"})).await;
        assert!(answer.contains("x-amz-function-error: unhandled"), "{answer}");
        assert!(answer.contains("asked to fail"), "{answer}");
        let (_, answer) = invoke(&laptop, "promote", json!({"do": "exit"})).await;
        assert!(answer.contains("Runtime.ExitError"), "{answer}");
        let (_, answer) = invoke(&laptop, "promote", json!({"do": "hang"})).await;
        assert!(answer.contains("Task timed out after 60.00 seconds"), "{answer}");
        let (_, answer) = invoke(&laptop, "promote", json!({"n": 8})).await;
        assert!(answer.ends_with(r#"{"n":8}"#), "{answer}");
        let (status, _) = invoke(&laptop, "nobody", json!({})).await;
        assert_eq!(status, 404);
    });
}

#[test]
fn a_push_reaches_the_child_by_way_of_the_bus() {
    beside("push", async |laptop| {
        let push = |cloud: &mut _, now| {
            tidegate_local::seed::push(cloud, "live_crons", &["uapi"], "healthy", now)
        };
        laptop.world.with(push).unwrap();
        let served = || {
            laptop.world.look(|cloud| {
                cloud.ended().iter().any(|it| {
                    it.outcome.as_ref().is_ok_and(|it| it["detail-type"] == "ECR Image Action")
                })
            })
        };
        for _ in 0..100 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if served() {
                return;
            }
        }
        panic!("no push arrived");
    });
}

#[test]
fn the_corner_of_its_own_takes_faults_and_webhooks() {
    beside("corner", async |laptop| {
        let address = laptop.address;
        let fault = json!({"service": "secretsmanager", "fault": {"late": 5000}});
        assert_eq!(ask(address, "POST", "/_local/faults", fault).await.0, 201);
        let (status, answer) = ask(address, "POST", "/_local/faults", json!({"x": 1})).await;
        assert_eq!(status, 400);
        assert!(answer.contains("not a fault: unknown field `x`"), "{answer}");
        let (_, answer) = ask(address, "GET", "/_local/faults", Value::Null).await;
        assert!(answer.contains(r#""fired":0"#), "{answer}");
        assert_eq!(ask(address, "DELETE", "/_local/faults", Value::Null).await.0, 204);
        let post = json!({"text": "live"});
        assert_eq!(ask(address, "POST", "/_local/slack", post).await.0, 200);
        assert_eq!(ask(address, "POST", "/_local/irc", json!({})).await.0, 404);
        let (_, answer) = ask(address, "GET", "/_local/notifications", Value::Null).await;
        assert!(answer.contains(r#""channel":"slack""#), "{answer}");
    });
}

#[test]
fn a_check_of_a_program_is_answered_by_the_services_behind_its_url() {
    beside("check", async |laptop| {
        let check = |url: &str| HttpCheck {
            url: url.to_owned(),
            expect: vec![200],
            body: None,
            attempts: 1,
            every: Duration::from_secs(15),
            private: false,
        };
        let known = "https://api.example.com/health";
        let rag = ServiceName::new("live-crons", "Rag");
        laptop
            .world
            .with(|cloud, _| cloud.put_behind(known, &cloud.place.clone(), [Behind::Service(rag)]));
        let probe = Probe::new(&Clock::system(), Some(&format!("http://{}/", laptop.address)));
        let ok = Heard::Http { status: 200, body: "ok".to_owned() };
        assert_eq!(probe.ask(&check(&format!("{known}?key=1"))).await, ok);
        let nobody = probe.ask(&check("https://other.example.com/health")).await;
        assert!(matches!(nobody, Heard::Http { status: 502, .. }), "{nobody:?}");
    });
}

#[test]
fn a_subscriber_on_this_machine_gets_what_is_published() {
    beside("subscriber", async |laptop| {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}/hook", listener.local_addr().unwrap());
        laptop.world.with(|cloud, now| {
            let topic = cloud.sns.topics()[0].clone();
            let subscribe = json!({"TopicArn": topic, "Protocol": "http", "Endpoint": endpoint});
            cloud.call(operator("Subscribe", subscribe), now);
            cloud.call(operator("Publish", json!({"TopicArn": topic, "Message": "live"})), now);
        });
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut post = [0; 4_096];
        let length = stream.read(&mut post).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        let post = String::from_utf8_lossy(&post[..length]).into_owned();
        assert!(post.starts_with("POST /hook HTTP/1.1"), "{post}");
    });
}

fn operator(action: &str, input: Value) -> Call {
    let (service, action) = ("sns".to_owned(), action.to_owned());
    Call { caller: Caller::Operator, scope: Scope::default(), service, action, input }
}
