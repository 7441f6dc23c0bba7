//! Clients that take what they are sent, and others. In time that is not waited for.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
    time::Instant,
};

use super::*;

async fn pass(seconds: u64) {
    drop(timeout(Duration::from_secs(seconds), pending::<()>()).await);
}

/// A client that takes so many bytes, again and again, with a pause before each time.
fn taking(mut client: DuplexStream, bytes: usize, pause: u64) {
    tokio::spawn(async move {
        let mut taken = vec![0; bytes];
        loop {
            pass(pause).await;
            if client.read_exact(&mut taken).await.is_err() {
                break;
            }
        }
    });
}

/// Sends so much over a connection that holds `room` bytes. Answers what came of it, and after how many seconds.
async fn send(stream: &mut Timed<DuplexStream>, bytes: usize) -> (Result<(), io::ErrorKind>, u64) {
    let began = Instant::now();
    let sent = stream.write_all(&vec![7; bytes]).await;
    let sent = if sent.is_ok() { stream.flush().await } else { sent };
    (sent.map_err(|error| error.kind()), began.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn who_takes_nothing_is_cut() {
    let (stream, client) = duplex(64);
    assert_eq!(send(&mut Timed::new(stream), 1_000).await, (Err(io::ErrorKind::TimedOut), 30));
    drop(client);
}

#[tokio::test(start_paused = true)]
async fn who_takes_a_byte_at_a_time_is_cut_all_the_same() {
    let (stream, client) = duplex(64);
    taking(client, 1, 1);
    assert_eq!(send(&mut Timed::new(stream), 1_000).await, (Err(io::ErrorKind::TimedOut), 30));
}

#[tokio::test(start_paused = true)]
async fn who_takes_it_slowly_has_it_all() {
    let (stream, client) = duplex(PART);
    taking(client, PART, 20);
    assert_eq!(send(&mut Timed::new(stream), 10 * PART).await, (Ok(()), 9 * 20));
}

#[tokio::test(start_paused = true)]
async fn little_at_a_time_with_long_pauses_is_no_stall() {
    let (stream, client) = duplex(64);
    taking(client, 64, 20);
    let mut stream = Timed::new(stream);
    // Each time the client takes it within the time, and never as much as a part.
    for _ in 0..5 {
        assert_eq!(send(&mut stream, 128).await, (Ok(()), 20));
        pass(20).await;
    }
}
