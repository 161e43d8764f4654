//! SNS's posts to subscribers on this machine.

use std::sync::Arc;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::engine::World;
use crate::sns::Delivery;

/// Posts `delivery`, once. SNS would try again; a subscriber of the local AWS is there or is not,
/// and what it did not take can be seen among the dead letters.
pub async fn deliver(world: Arc<World>, delivery: Delivery) {
    if let Err(error) = post(&delivery).await {
        let Delivery { endpoint, body } = delivery;
        let letter = json!({ "endpoint": endpoint, "error": error.to_string(), "message": body });
        world.with(|cloud, _| cloud.queues.send("undelivered", letter));
    }
}

async fn post(delivery: &Delivery) -> std::io::Result<()> {
    let address = delivery.endpoint.trim_start_matches("http://");
    let (host, path) = address.split_once('/').unwrap_or((address, ""));
    let body = delivery.body.to_string();
    let head = format!(
        "POST /{path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: text/plain; charset=UTF-8\r\n\
         x-amz-sns-message-type: Notification\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(host).await?;
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(())
}
