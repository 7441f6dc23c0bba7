//! What a service manager wants to hear, where there is one (`NOTIFY_SOCKET`, as systemd's `Type=notify` sets it).

use std::{
    os::{
        linux::net::SocketAddrExt as _,
        unix::net::{SocketAddr, UnixDatagram},
    },
    time::Duration,
};

use crate::environment;

/// The service is up.
pub(crate) fn ready() {
    notify("READY=1");
}

/// In one line, what the service is doing.
pub(crate) fn status(words: &str) {
    let line: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    notify(&format!("STATUS={line}"));
}

/// The service lives.
pub(crate) fn alive() {
    notify("WATCHDOG=1");
}

/// How often a watchdog wants to hear that it does: twice within the time after which it acts.
pub(crate) fn watchdog_interval() -> Option<Duration> {
    let microseconds: u64 = environment::variable("WATCHDOG_USEC")?.parse().ok()?;
    let is_ours = environment::variable("WATCHDOG_PID")
        .is_none_or(|process| process == std::process::id().to_string());
    (is_ours && microseconds > 0).then(|| Duration::from_micros(microseconds) / 2)
}

/// The service is ending; what is in flight is waited for.
pub(crate) fn stopping() {
    notify("STOPPING=1");
}

fn notify(state: &str) {
    let Some(path) = environment::variable("NOTIFY_SOCKET") else { return };
    let sent = UnixDatagram::unbound().and_then(|socket| match path.strip_prefix('@') {
        Some(name) => {
            let address = SocketAddr::from_abstract_name(name)?;
            socket.send_to_addr(state.as_bytes(), &address)
        }
        None => socket.send_to(state.as_bytes(), &path),
    });
    if let Err(error) = sent {
        tracing::debug!("the service manager could not be told: {error}");
    }
}
