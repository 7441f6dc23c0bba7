//! Sends the notifications of webhooks (section 6.3; point 47).

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{SharedEmulator, real_time};
use crate::rules::webhooks::ping::PingOut;

/// How often due notifications are looked for.
const PERIOD: Duration = Duration::from_millis(100);
/// How long a receiver may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends what is due, for ever.
pub(super) async fn send_pings(emulator: SharedEmulator) {
    let mut sending = JoinSet::new();
    loop {
        real_time::sleep(PERIOD).await;
        while sending.try_join_next().is_some() {}
        for ping in emulator.with(|emulator| emulator.take_pings(real_time::now())) {
            let emulator = emulator.clone();
            sending.spawn(async move {
                let arrived = matches!(timeout(PATIENCE, post(&ping)).await, Ok(Ok(true)));
                emulator.with(|emulator| emulator.ping_settled(real_time::now(), &ping, arrived));
            });
        }
    }
}

/// Posts a notification and says whether it was answered with a 2xx. Only plain HTTP is spoken:
/// the emulator's receivers are on the same machine.
async fn post(ping: &PingOut) -> std::io::Result<bool> {
    let unsupported = || std::io::Error::from(std::io::ErrorKind::Unsupported);
    let rest = ping.url.strip_prefix("http://").ok_or_else(unsupported)?;
    let (authority, path) = match rest.split_once('/') {
        Some((authority, path)) => (authority, path),
        None => (rest, ""),
    };
    let address =
        if authority.contains(':') { authority.to_owned() } else { format!("{authority}:80") };
    let mut stream = TcpStream::connect(address).await?;
    let request = format!(
        "POST /{path} HTTP/1.1\r\nHost: {authority}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{}",
        ping.body.len(),
        ping.body
    );
    stream.write_all(request.as_bytes()).await?;
    let mut head = [0_u8; 12];
    stream.read_exact(&mut head).await?;
    // "HTTP/1.1 200": the class of the status is all that counts.
    Ok(head.get(9) == Some(&b'2'))
}
