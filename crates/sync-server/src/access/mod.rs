//! Who may do what: tokens, sessions, signatures, and where a browser's request comes from.

mod attempts;
mod origin;
mod proxies;
mod session;
mod signature;

use std::net::IpAddr;

use axum::http::{HeaderMap, header};
use jiff::Timestamp;
use subtle::ConstantTimeEq as _;
use sync_core::secret::Secret;

use self::{attempts::Attempts, session::Sessions, signature::Signatures};
use crate::problem::Problem;

pub use proxies::Proxies;
pub(crate) use session::{clearing_cookie, cookie_of};

/// The credentials that the server knows, each optional, and whose word counts for where a request comes from.
#[derive(Clone, Debug, Default)]
pub struct AccessSettings {
    /// May look and act.
    pub operator_token: Option<Secret>,
    /// May look.
    pub viewer_token: Option<Secret>,
    /// May start syncs by the webhook.
    pub webhook_token: Option<Secret>,
    /// Signs requests to the webhook.
    pub webhook_secret: Option<Secret>,
    /// Proxies in front, behind which clients are told apart.
    pub proxies: Proxies,
}

/// The least length of a credential: what is shorter could be guessed.
pub const CREDENTIAL_LENGTH_MIN: usize = 16;

impl AccessSettings {
    /// Whether nobody can look or act without a token.
    pub fn is_guarded(&self) -> bool {
        self.operator_token.is_some() || self.viewer_token.is_some()
    }
}

/// What a caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Look at everything.
    Viewer,
    /// Act, too.
    Operator,
}

impl Role {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
        }
    }
}

/// Decides about callers.
#[derive(Debug)]
pub(crate) struct Access {
    settings: AccessSettings,
    sessions: Sessions,
    signatures: Signatures,
    attempts: Attempts,
}

impl Access {
    pub(crate) fn new(settings: AccessSettings) -> Self {
        let sessions = Sessions::new(&settings);
        Self {
            settings,
            sessions,
            signatures: Signatures::default(),
            attempts: Attempts::default(),
        }
    }

    /// Whether pages need a sign-in.
    pub(crate) fn is_guarded(&self) -> bool {
        self.settings.is_guarded()
    }

    /// What the caller may do. `changes`: the request is about to change something.
    pub(crate) fn role(
        &self,
        headers: &HeaderMap,
        peer: IpAddr,
        now: Timestamp,
        changes: bool,
    ) -> Result<Role, Problem> {
        if let Some(token) = bearer(headers) {
            return self.role_of_token(token, headers, peer, now);
        }
        if changes {
            origin::check_same_site(headers)?;
        }
        if !self.is_guarded() {
            // Whoever reaches this machine's own address may act; a page of another site must not be made to.
            origin::check_own_name(headers)?;
            return Ok(Role::Operator);
        }
        self.sessions.role(headers, now).ok_or_else(Problem::sign_in_needed)
    }

    /// What a token allows. Wrong ones are counted by address, and too many lock it out for a while.
    pub(crate) fn role_of_token(
        &self,
        token: &str,
        headers: &HeaderMap,
        peer: IpAddr,
        now: Timestamp,
    ) -> Result<Role, Problem> {
        let client = self.settings.proxies.client(headers, peer);
        self.attempts.weigh(client, token, now, || {
            // Both are always compared, so that the time taken does not tell which one was nearer.
            let operator = is_equal(token, self.settings.operator_token.as_ref());
            let viewer = is_equal(token, self.settings.viewer_token.as_ref());
            match (operator, viewer) {
                (true, _) => Some(Role::Operator),
                (false, true) => Some(Role::Viewer),
                (false, false) => None,
            }
        })
    }

    /// Fails where a browser says that a page of another site makes the request.
    pub(crate) fn check_browser(&self, headers: &HeaderMap) -> Result<(), Problem> {
        origin::check_same_site(headers)
    }

    /// The cookie of a new session.
    pub(crate) fn session_cookie(&self, role: Role, headers: &HeaderMap, now: Timestamp) -> String {
        self.sessions.cookie(role, headers, now)
    }

    /// Whether the caller may start a sync by the webhook: by a token, by a signature over the time stamp, the sync
    /// and the body, or because nothing is guarded.
    pub(crate) fn check_webhook(
        &self,
        headers: &HeaderMap,
        sync: &str,
        body: &[u8],
        peer: IpAddr,
        now: Timestamp,
    ) -> Result<(), Problem> {
        if let Some(secret) = &self.settings.webhook_secret
            && headers.contains_key(signature::SIGNATURE)
        {
            return self.signatures.check(secret, headers, sync, body, now);
        }
        if let Some(token) = bearer(headers) {
            let client = self.settings.proxies.client(headers, peer);
            return self.attempts.weigh(client, token, now, || {
                let webhook = is_equal(token, self.settings.webhook_token.as_ref());
                let operator = is_equal(token, self.settings.operator_token.as_ref());
                (webhook | operator).then_some(())
            });
        }
        let is_open = !self.is_guarded()
            && self.settings.webhook_token.is_none()
            && self.settings.webhook_secret.is_none();
        if !is_open {
            return Err(Problem::webhook_credentials_needed());
        }
        origin::check_same_site(headers)?;
        origin::check_own_name(headers)
    }
}

fn is_equal(given: &str, wanted: Option<&Secret>) -> bool {
    // Lengths may be told apart by time; contents may not.
    wanted.is_some_and(|wanted| given.as_bytes().ct_eq(wanted.expose().as_bytes()).into())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests;
