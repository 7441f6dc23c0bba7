//! Sessions of browsers. A session is a signed cookie, so that it outlives a restart of the service and ends when a
//! token is changed; nothing is kept here.

use std::fmt::Write as _;

use axum::http::{HeaderMap, header};
use hmac::{Hmac, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;

use super::{AccessSettings, Role};

const NAME: &str = "sync_session";
/// Seconds that a session lasts: a working day.
const SECONDS: i64 = 12 * 60 * 60;

pub(super) struct Sessions {
    key: Hmac<Sha256>,
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sessions")
    }
}

impl Sessions {
    /// Signed with what only the server and those who know the tokens know.
    pub(super) fn new(settings: &AccessSettings) -> Self {
        let mut key = keyed(b"sessions of the pages, first form");
        for token in [&settings.operator_token, &settings.viewer_token] {
            let token = token.as_ref().map_or("", |token| token.expose());
            key.update(&token.len().to_le_bytes());
            key.update(token.as_bytes());
        }
        Self { key: keyed(&key.finalize().into_bytes()) }
    }

    pub(super) fn cookie(&self, role: Role, headers: &HeaderMap, now: Timestamp) -> String {
        let until = now.as_second() + SECONDS;
        let text = format!("{}.{until}", role.word());
        let signature = hex(&self.signed(&text).finalize().into_bytes());
        let attributes = attributes(headers);
        format!("{NAME}={text}.{signature}; Max-Age={SECONDS}; {attributes}")
    }

    pub(super) fn role(&self, headers: &HeaderMap, now: Timestamp) -> Option<Role> {
        let (text, signature) = cookie_of(headers)?.rsplit_once('.')?;
        self.signed(text).verify_slice(&unhex(signature)?).ok()?;
        let (role, until) = text.split_once('.')?;
        let left = until.parse::<i64>().ok()? - now.as_second();
        // A clock that was set back must not make sessions that last for years.
        (0..=SECONDS).contains(&left).then_some(())?;
        [Role::Viewer, Role::Operator].into_iter().find(|known| known.word() == role)
    }

    fn signed(&self, text: &str) -> Hmac<Sha256> {
        self.key.clone().chain_update(text.as_bytes())
    }
}

/// The cookie that ends a session.
pub(crate) fn clearing_cookie(headers: &HeaderMap) -> String {
    format!("{NAME}=; Max-Age=0; {}", attributes(headers))
}

/// The session's cookie as the browser sent it.
pub(crate) fn cookie_of(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(NAME)?.strip_prefix('='))
}

/// `Secure` where a proxy in front says that it speaks TLS.
fn attributes(headers: &HeaderMap) -> &'static str {
    let is_tls = headers.get("x-forwarded-proto").is_some_and(|value| value == "https");
    if is_tls {
        "Path=/; HttpOnly; SameSite=Strict; Secure"
    } else {
        "Path=/; HttpOnly; SameSite=Strict"
    }
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
pub(super) fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("a key of any length")
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _written = write!(text, "{byte:02x}");
        text
    })
}

pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let value =
        |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    digits
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some(value(*high)? << 4 | value(*low)?),
            _ => None,
        })
        .collect()
}
