//! Where messages go, and what becomes of them when the service ends meanwhile.

use std::{
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use sync_core::{alert::Message, config};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    sync::Notify,
};

use super::{
    super::{Sender, sender::client},
    story::{SetClock, Story},
};

/// Reads a request to its end.
async fn read(stream: &mut BufReader<TcpStream>) {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap() <= 2 {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    stream.read_exact(&mut vec![0; length]).await.unwrap();
}

/// A server that answers so many requests so, and is told to `reached` when another one has come; that one has no
/// answer. Its port.
async fn server(answers: usize, answer: String, reached: Arc<Notify>) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        loop {
            let mut stream = BufReader::new(listener.accept().await.unwrap().0);
            read(&mut stream).await;
            if kept.len() < answers {
                stream.get_mut().write_all(answer.as_bytes()).await.unwrap();
            } else {
                reached.notify_one();
            }
            kept.push(stream);
        }
    });
    port
}

fn answer(status: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

/// What nobody may reach: it hangs up on whoever connects, and counts them.
fn inside() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let count: Arc<AtomicUsize> = Arc::default();
    let counts = Arc::clone(&count);
    std::thread::spawn(move || {
        for _ in listener.incoming() {
            counts.fetch_add(1, Ordering::SeqCst);
        }
    });
    (address, count)
}

fn sender(alerts: &str) -> Sender {
    let text = format!(
        "alerts:\n{alerts}\nsyncs:\n  - name: a\n    source: {{table: a}}\n    destination: \
         {{table_id: 6500000000000000000000c1, external_id_field: sx, field_mappings: {{b: sb}}}}\n"
    );
    let config = config::parse(&text, &|_| None).config.unwrap();
    Sender::new(config.alerts.unwrap(), SetClock::at("2026-11-02T12:00:00Z"))
}

fn message() -> Message {
    Message { at: jiff::Timestamp::UNIX_EPOCH, changes: Vec::new() }
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let (inside, reached) = inside();
    for code in [301, 302, 303, 307, 308] {
        let answer = answer(&format!("{code} Elsewhere\r\nLocation: http://{inside}/"));
        let port = server(9, answer, Arc::default()).await;
        let sender = sender(&format!(
            "  webhook: {{url: 'http://127.0.0.1:{port}/'}}
  heartbeat: {{url: 'http://127.0.0.1:{port}/'}}
  allow_internal: true"
        ));
        let refused = Err(format!("answered {code}"));
        assert_eq!(sender.send("webhook", &message()).await, refused);
        assert_eq!(sender.beat().await, refused);
    }
    assert_eq!(reached.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn no_way_leads_to_an_inside_address_behind_a_name() {
    let (inside, reached) = inside();
    let port = inside.port();
    let sender = sender(&format!(
        "  email: {{server: localhost, port: {port}, security: none, from: a@example.org, to: b@example.org}}
  slack: http://localhost:{port}/
  teams: http://localhost:{port}/
  webhook: {{url: 'http://localhost:{port}/'}}
  heartbeat: {{url: 'http://localhost:{port}/'}}"
    ));
    let mut outcomes = vec![sender.beat().await];
    for channel in sender.channels() {
        outcomes.push(sender.send(channel, &message()).await);
    }
    assert_eq!(outcomes.len(), 5);
    for outcome in outcomes {
        let why = outcome.unwrap_err();
        assert!(why.contains("private network"), "{why}");
    }
    assert_eq!(reached.load(Ordering::SeqCst), 0);
}

/// What was checked is connected to: the name is not asked again, which might lead elsewhere by then.
#[tokio::test]
async fn a_name_is_not_resolved_again_after_the_check() {
    drop(sender("  slack: https://example.org/"));
    let port = server(1, answer("200 OK"), Arc::default()).await;
    // Nobody knows this name.
    let client = client("checked.invalid", &[([127, 0, 0, 1], port).into()]).unwrap();
    let answer = client.get(format!("http://checked.invalid:{port}/")).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
}

#[tokio::test]
async fn what_was_sent_before_the_end_is_not_sent_again() {
    let reached = Arc::new(Notify::new());
    let port = server(2, answer("200 OK"), Arc::clone(&reached)).await;
    let mut story = Story::of(&format!(
        "alerts:
  webhook: {{url: 'http://127.0.0.1:{port}/'}}
  group: 0
  allow_internal: true
syncs:
  - name: orders
    source: {{table: orders}}
    destination: {{table_id: 6500000000000000000000d1, external_id_field: sorder, field_mappings: {{total: stotal}}}}
"
    ));
    story.is_taken = false;
    for trouble in [Some("one"), None, Some("three")] {
        story.troubles.set_backup(trouble.map(str::to_owned));
        story.later(60);
    }
    story.clock.set(story.now() + jiff::SignedDuration::from_hours(1));
    let due = story.alarm.look().unwrap();
    assert_eq!(due.len(), 3);
    let third = due[2].id;
    // The service ends while the third message has no answer.
    tokio::select! {
        biased;
        _ = story.alarm.send(due) => panic!("the third hangs"),
        () = reached.notified() => {}
    }
    let left = story.alarm.look().unwrap();
    assert_eq!(left.iter().map(|message| message.id).collect::<Vec<_>>(), [third]);
}
