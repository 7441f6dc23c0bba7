//! How to reach the server.

use std::{path::PathBuf, str::FromStr, time::Duration};

use sync_core::secret::Secret;

/// How to reach the server and who to be there. `Debug` shows neither user nor password.
#[derive(Clone)]
pub struct ConnectOptions {
    /// Host name or IP address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// User name.
    pub user: String,
    /// Password; may be empty.
    pub password: Secret,
    /// The database in which the query's bare table names are looked up.
    pub database: String,
    /// How far TLS is demanded; `None`: [`SslMode::Preferred`] for private and loopback addresses, else
    /// [`SslMode::Required`].
    pub ssl_mode: Option<SslMode>,
    /// PEM file of the authority that signed the server's certificate, for [`SslMode::VerifyIdentity`]; `None`: the
    /// public authorities.
    pub ssl_ca: Option<PathBuf>,
    /// How long to wait for what.
    pub limits: TimeLimits,
}

/// How long to wait before the server is taken for dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeLimits {
    /// For a connection that is ready for the first query.
    pub connect: Duration,
    /// For the next piece of an answer: the first row of a slow query, then every further packet.
    pub answer: Duration,
    /// After which the server itself should stop a query; `None`: never. Ignored by servers without such a limit.
    pub statement: Option<Duration>,
}

impl Default for TimeLimits {
    /// 10 seconds to connect; 10 minutes for an answer, as a query over a large table sorts before it speaks.
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), answer: Duration::from_mins(10), statement: None }
    }
}

/// How far TLS is demanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SslMode {
    /// Never.
    Disabled,
    /// If the server offers it; its certificate is not checked.
    Preferred,
    /// Always; the server's certificate is not checked, so eavesdroppers are kept out, impostors are not.
    Required,
    /// Always; the certificate must be signed by a known authority and name the host.
    VerifyIdentity,
}

/// A word that names no [`SslMode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the SSL mode must be one of: disabled, preferred, required, verify_identity")]
pub struct UnknownSslMode;

impl FromStr for SslMode {
    type Err = UnknownSslMode;

    /// In any case, with `_` or `-`.
    fn from_str(text: &str) -> Result<Self, UnknownSslMode> {
        match text.to_ascii_lowercase().replace('-', "_").as_str() {
            "disabled" => Ok(Self::Disabled),
            "preferred" => Ok(Self::Preferred),
            "required" => Ok(Self::Required),
            "verify_identity" => Ok(Self::VerifyIdentity),
            _ => Err(UnknownSslMode),
        }
    }
}

impl ConnectOptions {
    /// Options with every default: port 3306, TLS as the address asks for.
    pub fn new(
        host: impl Into<String>,
        user: impl Into<String>,
        password: Secret,
        database: impl Into<String>,
    ) -> Self {
        Self {
            host: host.into(),
            port: 3306,
            user: user.into(),
            password,
            database: database.into(),
            ssl_mode: None,
            ssl_ca: None,
            limits: TimeLimits::default(),
        }
    }

    /// `host:port`, for messages.
    pub(crate) fn address(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl std::fmt::Debug for ConnectOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConnectOptions")
            .field("address", &self.address())
            .field("database", &self.database)
            .field("ssl_mode", &self.ssl_mode)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ssl_modes_are_read_in_any_case() {
        for (text, mode) in [
            ("disabled", SslMode::Disabled),
            ("Preferred", SslMode::Preferred),
            ("REQUIRED", SslMode::Required),
            ("verify-identity", SslMode::VerifyIdentity),
        ] {
            assert_eq!(text.parse(), Ok(mode));
        }
        assert_eq!("verify_ca".parse::<SslMode>(), Err(UnknownSslMode));
    }

    #[test]
    fn debug_shows_no_credentials() {
        let options =
            ConnectOptions::new("::1", "planted-user", Secret::new("planted-pass"), "shop");
        let shown = format!("{options:?}");
        assert!(!shown.contains("planted") && shown.contains("[::1]:3306"), "{shown}");
    }
}
