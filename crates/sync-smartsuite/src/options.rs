//! What a client needs to know, checked before anything is sent.

use std::{net::IpAddr, time::Duration};

use reqwest::Url;
use sync_core::secret::Secret;

/// The real service.
pub const BASE_URL: &str = "https://app.smartsuite.com/api/v1";

/// The path of every address of the API; added where a base URL names only a host.
const API_PATH: &str = "/api/v1";

/// Where SmartSuite is and who asks.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// [`BASE_URL`], or another place that speaks the same API. A URL without a path gets `/api/v1`.
    pub base_url: String,
    /// The workspace: the eight characters after `app.smartsuite.com/` in the browser.
    pub account_id: String,
    /// The API key of a member.
    pub token: Secret,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// The `User-Agent` header.
    pub user_agent: String,
}

/// Where SmartSuite is, once checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The base URL in full, without a slash at the end.
    pub url: String,
    /// Its host, without port: links belong to it.
    pub host: String,
    /// Whether it is on this machine.
    pub is_loopback: bool,
}

/// How long to wait for one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection, name look-up and TLS included.
    pub connect: Duration,
    /// For a structure or a single record, from the first step to the last byte.
    pub read: Duration,
    /// For a bulk call or a page of records, likewise; the service is slow on both.
    pub bulk: Duration,
}

impl Default for Timeouts {
    /// 10, 30 and 60 seconds: clients of the service wait 30 seconds, and see bulk calls and long lists exceed them.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            read: Duration::from_secs(30),
            bulk: Duration::from_mins(1),
        }
    }
}

/// Options that cannot work. Never shows the token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// Not an absolute `http` or `https` URL.
    #[error("the SmartSuite base URL is not an http(s) URL")]
    BaseUrl,
    /// A URL with a user, a query or a fragment.
    #[error("the SmartSuite base URL must not hold a user name, password, query or fragment")]
    BaseUrlParts,
    /// `http` to a host that is not private.
    #[error(
        "the SmartSuite base URL must begin with https: the token would be readable on its way to {host}"
    )]
    InClear {
        /// The host.
        host: String,
    },
    /// Empty, or with white space or characters that no header can carry.
    #[error("the SmartSuite account id is empty or holds characters that cannot be sent")]
    AccountId,
    /// Empty, or with white space or characters that no header can carry.
    #[error("the SmartSuite token is empty or holds characters that cannot be sent")]
    Token,
    /// Characters that no header can carry.
    #[error("the user agent holds characters that cannot be sent")]
    UserAgent,
    /// No HTTP client could be made, for example because the system has no certificates.
    #[error("the HTTP client could not be set up: {reason}")]
    Transport {
        /// The library's words.
        reason: String,
    },
}

impl ClientOptions {
    /// Options for the real service, with the usual time limits.
    pub fn new(account_id: impl Into<String>, token: Secret) -> Self {
        Self {
            base_url: BASE_URL.to_owned(),
            account_id: account_id.into(),
            token,
            timeouts: Timeouts::default(),
            user_agent: concat!("mysql-smartsuite-sync/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }

    /// Where the service is.
    ///
    /// # Errors
    /// The base URL cannot be used.
    pub fn address(&self) -> Result<Address, OptionsError> {
        let url = self.base()?;
        let host = url.host_str().unwrap_or_default().to_owned();
        Ok(Address { is_loopback: is_loopback(&host), url: url.into(), host })
    }

    /// The checked base URL, its path without a slash at the end.
    pub(crate) fn base(&self) -> Result<Url, OptionsError> {
        let mut url = Url::parse(self.base_url.trim()).map_err(|_| OptionsError::BaseUrl)?;
        let host = match (url.scheme(), url.host_str()) {
            ("https" | "http", Some(host)) => host.to_owned(),
            _ => return Err(OptionsError::BaseUrl),
        };
        let user = !url.username().is_empty() || url.password().is_some();
        if user || url.query().is_some() || url.fragment().is_some() {
            return Err(OptionsError::BaseUrlParts);
        }
        if url.scheme() == "http" && !is_private(&host) {
            return Err(OptionsError::InClear { host });
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(if path.is_empty() { API_PATH } else { &path });
        Ok(url)
    }
}

/// Whether a host is this machine or in a private network: an address set aside for that, or a name without a dot,
/// as container networks use.
fn is_private(host: &str) -> bool {
    match address(host) {
        Some(IpAddr::V4(v4)) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        Some(IpAddr::V6(v6)) => v6.is_loopback() || v6.is_unique_local(),
        None => !host.contains('.'),
    }
}

/// Whether a host is this machine; such a call never goes through a proxy.
pub(crate) fn is_loopback(host: &str) -> bool {
    host == "localhost" || address(host).is_some_and(|address| address.is_loopback())
}

fn address(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(url: &str) -> Result<String, OptionsError> {
        let mut options = ClientOptions::new("s1234567", Secret::new("t"));
        url.clone_into(&mut options.base_url);
        options.base().map(|url| url.to_string())
    }

    #[test]
    fn a_bare_host_gets_the_path_of_the_api() {
        assert_eq!(base("http://127.0.0.1:8080").unwrap(), "http://127.0.0.1:8080/api/v1");
        assert_eq!(base("http://127.0.0.1:8080/").unwrap(), "http://127.0.0.1:8080/api/v1");
        assert_eq!(base(BASE_URL).unwrap(), BASE_URL);
        assert_eq!(base(&format!(" {BASE_URL}/ ")).unwrap(), BASE_URL);
        assert_eq!(base("https://proxy.example/smart/").unwrap(), "https://proxy.example/smart");
    }

    #[test]
    fn an_address_knows_its_host_whatever_the_port() {
        let address = |url: &str| {
            let mut options = ClientOptions::new("s1234567", Secret::new("t"));
            url.clone_into(&mut options.base_url);
            options.address().unwrap()
        };
        assert_eq!(address("http://127.0.0.1:1").host, address("http://127.0.0.1:2/").host);
        assert!(address("http://127.0.0.1:1").is_loopback);
        assert!(!address(BASE_URL).is_loopback);
        assert_eq!(address("https://proxy.example").url, "https://proxy.example/api/v1");
    }

    #[test]
    fn the_token_travels_in_clear_only_inside_private_networks() {
        for url in ["http://localhost", "http://[::1]:1", "http://10.1.2.3", "http://emulator:80"] {
            assert!(base(url).is_ok(), "{url}");
        }
        for url in ["http://app.smartsuite.com/api/v1", "http://8.8.8.8"] {
            assert!(matches!(base(url), Err(OptionsError::InClear { .. })), "{url}");
        }
    }

    #[test]
    fn what_is_no_base_url_is_refused() {
        for url in ["", "smartsuite", "ftp://host", "file:///etc/passwd", "/api/v1", "mailto:a@b"] {
            assert_eq!(base(url), Err(OptionsError::BaseUrl), "{url}");
        }
        for url in ["https://u:p@host", "https://host/?q=1", "https://host/#x"] {
            assert_eq!(base(url), Err(OptionsError::BaseUrlParts), "{url}");
        }
    }
}
