//! What a service manager wants to hear, where there is one (`NOTIFY_SOCKET`, as systemd's `Type=notify` sets it).

use std::os::{
    linux::net::SocketAddrExt as _,
    unix::net::{SocketAddr, UnixDatagram},
};

use crate::environment;

/// The service is up.
pub(crate) fn ready() {
    notify("READY=1");
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
