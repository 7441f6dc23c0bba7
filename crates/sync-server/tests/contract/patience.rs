//! Slow clients: each has its time and no more, and none holds up the end. In time that is not waited for.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::WORLD;

/// A server with its end, and the address at which it listens.
async fn serve(ending: &CancellationToken) -> (tokio::task::JoinHandle<()>, std::net::SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = sync_server::serve(listener, WORLD.router.clone(), ending.clone());
    (tokio::spawn(served), address)
}

/// What a client hears that sends this and then nothing more, and how long it takes.
async fn hears(address: std::net::SocketAddr, sent: &str) -> (String, Duration) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(sent.as_bytes()).await.unwrap();
    let (began, mut heard) = (Instant::now(), Vec::new());
    // Where the other side closes unread, the end may be a reset.
    let _end = stream.read_to_end(&mut heard).await;
    (String::from_utf8_lossy(&heard).into_owned(), began.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_go_on_is_cut_in_twenty_seconds() {
    let ending = CancellationToken::new();
    let (serving, address) = serve(&ending).await;
    let halves = [
        ("", ""),
        ("GET /healthz HT", ""),
        ("GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: ", ""),
        ("GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n", "200"),
        (
            "POST /api/v1/session HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{",
            "408",
        ),
    ];
    for (half, status) in halves {
        let (heard, took) = hears(address, half).await;
        assert_eq!(heard.split(' ').nth(1).unwrap_or_default(), status, "{half:?}: {heard}");
        assert!(took < Duration::from_secs(45), "{half:?}: {took:?}");
    }
    ending.cancel();
    serving.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_no_answer_does_not_keep_its_place() {
    let ending = CancellationToken::new();
    let (serving, address) = serve(&ending).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    // Their answers are far more than both ends hold, and no head is waited for.
    let requests = "GET /api/v1/openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(400);
    let mut asks =
        std::pin::pin!(async { while stream.write_all(requests.as_bytes()).await.is_ok() {} });
    // Beside a socket this clock runs ahead of what happens: of so many hours only the first is needed.
    let mut hours = 0..10_000;
    while timeout(Duration::from_hours(1), &mut asks).await.is_err() {
        assert!(hours.next().is_some(), "it is still connected");
    }
    ending.cancel();
    serving.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn no_slow_client_holds_up_the_end() {
    let ending = CancellationToken::new();
    let (serving, address) = serve(&ending).await;
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(b"POST /api/v1/session HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{").await.unwrap();
    // Until it is heard: a whole request that comes later has been answered.
    let mut quick = TcpStream::connect(address).await.unwrap();
    quick.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    assert_ne!(quick.read(&mut [0; 16]).await.unwrap(), 0);
    ending.cancel();
    timeout(Duration::from_secs(5), serving).await.expect("it ends").unwrap();
}
