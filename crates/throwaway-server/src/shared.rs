//! A server that many test processes use.

use anyhow::{Context as _, Result};

use crate::environment::variable;
use crate::{Flavor, Server, Unavailable, greeting};

/// What the environment says about the shared server of a flavor. `cargo x with-servers` sets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SharedServer {
    /// It listens at this port of 127.0.0.1.
    Running {
        /// The port.
        port: u16,
    },
    /// It was tried and could not be had; nobody needs to try again.
    Unavailable(Unavailable),
}

impl SharedServer {
    /// The shared server of this flavor, if the environment names one.
    pub fn from_environment(flavor: Flavor) -> Result<Option<Self>> {
        if let Some(reason) = variable(unavailable_variable(flavor)) {
            return Ok(Some(Self::Unavailable(Unavailable { flavor, reason })));
        }
        let name = url_variable(flavor);
        let Some(url) = variable(name) else { return Ok(None) };
        let port = port_in(&url).with_context(|| {
            format!("`{name}` is not of the form `mysql://root@127.0.0.1:PORT`")
        })?;
        Ok(Some(Self::Running { port }))
    }

    /// The variable that tells other processes of a running server, and its value.
    pub fn variable_for(server: &Server) -> (&'static str, String) {
        (url_variable(server.flavor()), server.url())
    }

    /// The variable that tells other processes of an absent server, and its value.
    pub fn variable_for_absent(unavailable: &Unavailable) -> (&'static str, String) {
        (unavailable_variable(unavailable.flavor), unavailable.reason.clone())
    }
}

/// The version of the server at a port, as it greets.
pub(crate) fn greeted_version(port: u16) -> Result<String> {
    greeting::version_at(port).with_context(|| format!("no server answers at 127.0.0.1:{port}"))
}

const fn url_variable(flavor: Flavor) -> &'static str {
    match flavor {
        Flavor::MariaDb => "SYNC_TEST_MARIADB_URL",
        Flavor::MySql => "SYNC_TEST_MYSQL_URL",
    }
}

const fn unavailable_variable(flavor: Flavor) -> &'static str {
    match flavor {
        Flavor::MariaDb => "SYNC_TEST_MARIADB_UNAVAILABLE",
        Flavor::MySql => "SYNC_TEST_MYSQL_UNAVAILABLE",
    }
}

fn port_in(url: &str) -> Option<u16> {
    url.strip_prefix("mysql://root@127.0.0.1:")?.trim_end_matches('/').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_loopback_address_is_taken() {
        assert_eq!(port_in("mysql://root@127.0.0.1:3399"), Some(3399));
        assert_eq!(port_in("mysql://root@127.0.0.1:3399/"), Some(3399));
        assert_eq!(port_in("mysql://root@db.example.com:3306"), None);
    }
}
