//! The connection over which the server sends its log.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt as _;
use mysql_async::{
    BinlogStreamRequest, Conn, Error, Sid,
    binlog::{BinlogChecksumAlg, events},
    prelude::Queryable as _,
};
use sync_core::error::{SourceError, SourceErrorKind, SourcePart};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    task::AbortHandle,
    time::timeout,
};

use super::{
    event::{CHECKSUM_LENGTH, EventKind, HEADER_LENGTH, Header, checksum},
    gtid::Gtids,
    log_failure::LogFailure,
    position::Position,
};
use crate::{explainer::Explainer, options::ConnectOptions, server::Flavour, session};

/// Events that wait while one is being decoded, and their size in KiB; one that alone is longer waits by itself.
const EVENTS_AHEAD: usize = 64;
const KIBIBYTES_AHEAD: u16 = 4_096;
/// Bytes of the longest packet: an event may be longer than the server's own limit, as it holds a row twice.
const PACKET_MAX: usize = 1 << 30;
/// How many heartbeats may be missed before the connection is taken for lost.
const HEARTBEATS_MISSED: u32 = 3;

/// An event off the wire, its checksum verified and cut off.
#[derive(Debug)]
pub(crate) struct SentEvent {
    pub(crate) header: Header,
    pub(crate) body: Vec<u8>,
    /// Its room among those that wait, given back when it is dropped.
    _room: OwnedSemaphorePermit,
}

/// An open stream of the log. Dropping it closes the connection.
#[derive(Debug)]
pub(crate) struct LogStream {
    events: mpsc::Receiver<Result<SentEvent, LogFailure>>,
    task: AbortHandle,
    patience: Duration,
    explainer: Arc<Explainer>,
}

impl Drop for LogStream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Who asks for the log.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    /// The number under which the server knows the reader: unique among all who read its log.
    pub(crate) server_id: u32,
    /// The same as a UUID.
    pub(crate) uuid: String,
    /// How often the server shall say that it lives.
    pub(crate) heartbeat: Duration,
}

impl LogStream {
    /// Asks for the log from `position` on.
    pub(crate) async fn open(
        options: &ConnectOptions,
        explainer: &Arc<Explainer>,
        flavour: Flavour,
        reader: &Reader,
        position: &Position,
    ) -> Result<Self, LogFailure> {
        let mut conn = session::connect(options, explainer, Some(PACKET_MAX)).await?;
        let said = |error: &Error| LogFailure::of(error, explainer);
        for setting in settings(flavour, reader, position) {
            conn.query_drop(setting).await.map_err(|error| said(&error))?;
        }
        let (sender, events) = mpsc::channel(EVENTS_AHEAD);
        let pump = pump(conn, reader.server_id, position.clone(), Arc::clone(explainer), sender);
        // A task of its own: the driver may panic on a packet that it does not expect.
        let task = tokio::spawn(pump).abort_handle();
        Ok(Self {
            events,
            task,
            patience: reader.heartbeat * HEARTBEATS_MISSED,
            explainer: Arc::clone(explainer),
        })
    }

    /// The next event, if it is there already.
    pub(crate) fn ready(&mut self) -> Option<Result<SentEvent, LogFailure>> {
        self.events.try_recv().ok()
    }

    /// How long a silence counts as the loss of the connection.
    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    /// What such a silence is.
    pub(crate) fn silence(&self) -> SourceError {
        self.explainer.silent(self.patience.as_secs())
    }

    /// The next event. Silence for three heartbeats counts as the loss of the connection, and so does its end.
    pub(crate) async fn next(&mut self) -> Result<SentEvent, LogFailure> {
        match timeout(self.patience, self.events.recv()).await {
            Ok(Some(event)) => event,
            Ok(None) => Err(LogFailure::Lost(self.explainer.interrupted())),
            Err(_) => Err(LogFailure::Lost(self.silence())),
        }
    }
}

fn settings(flavour: Flavour, reader: &Reader, position: &Position) -> Vec<String> {
    let period = reader.heartbeat.as_nanos();
    let mut settings = vec![format!("SET @master_heartbeat_period = {period}")];
    match flavour {
        Flavour::MariaDb => {
            // Without it the server replaces its own kinds of events by others.
            settings.push("SET @mariadb_slave_capability = 4".to_owned());
            if let Some(Gtids::MariaDb(state)) = &position.gtids {
                settings.push(format!("SET @slave_connect_state = '{state}'"));
                settings.push("SET @slave_gtid_strict_mode = 0".to_owned());
                settings.push("SET @slave_gtid_ignore_duplicates = 0".to_owned());
            }
        }
        Flavour::MySql => {
            settings.push(format!("SET @source_heartbeat_period = {period}"));
            settings.push(format!("SET @slave_uuid = '{0}', @replica_uuid = '{0}'", reader.uuid));
        }
    }
    settings
}

async fn pump(
    conn: Conn,
    server_id: u32,
    position: Position,
    explainer: Arc<Explainer>,
    sender: mpsc::Sender<Result<SentEvent, LogFailure>>,
) {
    let failure = match pass(conn, server_id, &position, &explainer, &sender).await {
        Ok(()) => return,
        Err(failure) => failure,
    };
    drop(sender.send(Err(failure)).await);
}

/// Passes events on until nobody wants them any more.
async fn pass(
    conn: Conn,
    server_id: u32,
    position: &Position,
    explainer: &Arc<Explainer>,
    sender: &mpsc::Sender<Result<SentEvent, LogFailure>>,
) -> Result<(), LogFailure> {
    let said = |error: &Error| LogFailure::of(error, explainer);
    let mut request = BinlogStreamRequest::new(server_id);
    match &position.gtids {
        Some(Gtids::MySql(set)) => {
            let pieces: Vec<Sid<'static>> = set
                .pieces()
                .map(|piece| piece.parse())
                .collect::<Result<_, _>>()
                .map_err(|_| LogFailure::Broken(explainer.garbled()))?;
            request = request.with_gtid().with_gtid_set(pieces).with_pos(4);
        }
        Some(Gtids::MariaDb(_)) => request = request.with_pos(4),
        None => {
            request = request.with_filename(position.file.as_bytes()).with_pos(position.offset);
        }
    }
    let mut stream = conn.get_binlog_stream(request).await.map_err(|error| said(&error))?;
    let room = Arc::new(Semaphore::new(usize::from(KIBIBYTES_AHEAD)));
    while let Some(event) = stream.next().await {
        let event = event.map_err(|error| said(&error))?;
        let wanted = (event.header().event_size() / 1_024 + 1).min(KIBIBYTES_AHEAD.into());
        let Ok(room) = Arc::clone(&room).acquire_many_owned(wanted).await else { return Ok(()) };
        let event = checked(&event, room).ok_or_else(|| LogFailure::Lost(damaged()))?;
        if sender.send(Ok(event)).await.is_err() {
            return Ok(());
        }
    }
    // MySQL 5.6 ends a stream without a word when another reader comes with the same number.
    Err(LogFailure::Lost(explainer.interrupted()))
}

/// The event, if its checksum is right.
fn checked(event: &events::Event, room: OwnedSemaphorePermit) -> Option<SentEvent> {
    let sent = event.header();
    let header = Header {
        seconds: sent.timestamp(),
        kind: sent.event_type_raw(),
        server_id: sent.server_id(),
        size: sent.event_size(),
        end: sent.log_pos(),
        flags: sent.flags_raw(),
    };
    let mut body = event.data().to_vec();
    let footer = event.footer();
    let algorithm = footer.get_checksum_alg().ok()?;
    // Events inside a compressed transaction have none of their own.
    if let (Some(BinlogChecksumAlg::BINLOG_CHECKSUM_ALG_CRC32), Some(sum), true) =
        (algorithm, event.checksum(), footer.get_checksum_enabled())
    {
        let expected = event.calc_checksum(BinlogChecksumAlg::BINLOG_CHECKSUM_ALG_CRC32);
        if u32::from_le_bytes(sum) != expected {
            return None;
        }
    } else if EventKind::of(header.kind) == EventKind::Rotate {
        cut_checksum(&header, &mut body);
    }
    Some(SentEvent { header, body, _room: room })
}

/// MariaDB sends its first `ROTATE` with a checksum before it has said that it sends checksums: the driver takes it
/// for part of the file's name.
fn cut_checksum(header: &Header, body: &mut Vec<u8>) {
    let Some(length) = body.len().checked_sub(CHECKSUM_LENGTH) else { return };
    let Some((inside, sum)) = body.split_at_checked(length) else { return };
    let mut head = Vec::with_capacity(HEADER_LENGTH);
    head.extend(header.seconds.to_le_bytes());
    head.push(header.kind);
    head.extend(header.server_id.to_le_bytes());
    head.extend(header.size.to_le_bytes());
    head.extend(header.end.to_le_bytes());
    head.extend(header.flags.to_le_bytes());
    if sum == checksum(&[&head, inside]).to_le_bytes() {
        body.truncate(length);
    }
}

fn damaged() -> SourceError {
    SourceError {
        about: SourcePart::Whole,
        kind: SourceErrorKind::Protocol,
        message: "an event of the binlog arrived damaged: its checksum is wrong".to_owned(),
        remedy: "check the network; if it stays so, the server's log is damaged".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_true_checksum_is_cut_off_a_name() {
        let header = Header { kind: 4, size: 45, flags: 0x20, ..Header::default() };
        let mut head = vec![0, 0, 0, 0, 4, 0, 0, 0, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0x20, 0];
        let name = b"\x04\0\0\0\0\0\0\0bin.000001".to_vec();
        head.extend(&name);
        let mut body = name.clone();
        body.extend(checksum(&[&head]).to_le_bytes());
        cut_checksum(&header, &mut body);
        assert_eq!(body, name);
        let mut plain = name.clone();
        cut_checksum(&header, &mut plain);
        assert_eq!(plain, name);
    }
}
