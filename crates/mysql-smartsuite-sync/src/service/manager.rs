//! What a service manager wants to hear, where there is one (`NOTIFY_SOCKET`, as systemd's `Type=notify` sets it).

use std::{
    os::{
        linux::net::SocketAddrExt as _,
        unix::net::{SocketAddr, UnixDatagram},
    },
    time::Duration,
};

use crate::environment;

/// The service manager, where there is one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manager {
    /// The path of its socket; after `@` a name in the system's abstract space.
    socket: Option<String>,
    /// How often it wants to hear that the service lives.
    every: Option<Duration>,
}

impl Manager {
    /// As the environment of this process tells.
    pub(crate) fn of_environment() -> Self {
        let number = |name| environment::variable(name)?.parse::<u64>().ok();
        let is_ours = environment::variable("WATCHDOG_PID")
            .is_none_or(|process| process == std::process::id().to_string());
        let microseconds = number("WATCHDOG_USEC").filter(|number| is_ours && *number > 0);
        Self {
            socket: environment::variable("NOTIFY_SOCKET"),
            every: microseconds.map(|number| Duration::from_micros(number) / 2),
        }
    }

    /// The service is up.
    pub(crate) fn ready(&self) {
        self.notify("READY=1");
    }

    /// In one line, what the service is doing.
    pub(crate) fn status(&self, words: &str) {
        let line: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.notify(&format!("STATUS={line}"));
    }

    /// The service lives.
    pub(crate) fn alive(&self) {
        self.notify("WATCHDOG=1");
    }

    /// How often a watchdog wants to hear that it does: twice within the time after which it acts.
    pub(crate) fn watchdog_interval(&self) -> Option<Duration> {
        self.every
    }

    /// The service is ending; what is in flight is waited for.
    pub(crate) fn stopping(&self) {
        self.notify("STOPPING=1");
    }

    fn notify(&self, state: &str) {
        let Some(path) = &self.socket else { return };
        let sent = UnixDatagram::unbound().and_then(|socket| match path.strip_prefix('@') {
            Some(name) => {
                let address = SocketAddr::from_abstract_name(name)?;
                socket.send_to_addr(state.as_bytes(), &address)
            }
            None => socket.send_to(state.as_bytes(), path),
        });
        if let Err(error) = sent {
            tracing::debug!("the service manager could not be told: {error}");
        }
    }
}

#[cfg(test)]
impl Manager {
    /// One that listens there, and wants to hear so often that the service lives.
    pub(super) fn at(socket: &std::path::Path, every: Duration) -> Self {
        Self { socket: Some(socket.display().to_string()), every: Some(every) }
    }
}
