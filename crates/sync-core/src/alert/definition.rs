//! Who is told, and how, as the mapping file says.

use jiff::{Timestamp, civil::Time, tz::TimeZone};

use crate::secret::Secret;

/// Who is told, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertDefinition {
    /// By e-mail.
    pub email: Option<MailDefinition>,
    /// The address of a Slack incoming webhook.
    pub slack: Option<Secret>,
    /// The address of a Teams workflow.
    pub teams: Option<Secret>,
    /// Another address that takes JSON.
    pub webhook: Option<WebhookDefinition>,
    /// An address that is called while all is well.
    pub heartbeat: Option<HeartbeatDefinition>,
    /// Minutes that changes are gathered.
    pub group_minutes: u32,
    /// When nobody is told.
    pub quiet_hours: Option<QuietHours>,
    /// Whether private addresses may be called.
    pub allow_internal: bool,
}

/// A mail server that takes messages.
#[derive(Clone, Debug, PartialEq)]
pub struct MailDefinition {
    /// Its name.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub security: MailSecurity,
    /// User and password.
    pub login: Option<(String, Secret)>,
    /// Who messages are from.
    pub from: String,
    /// Who gets them.
    pub to: Vec<String>,
}

/// How a connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailSecurity {
    /// Before anything is said.
    StartTls,
    /// From its beginning.
    Tls,
    /// Not at all.
    None,
}

/// An address that takes JSON by POST.
#[derive(Clone, Debug, PartialEq)]
pub struct WebhookDefinition {
    /// The address.
    pub url: Secret,
    /// Sent as a bearer token.
    pub token: Option<Secret>,
}

/// An address that is called while all is well.
#[derive(Clone, Debug, PartialEq)]
pub struct HeartbeatDefinition {
    /// The address.
    pub url: Secret,
    /// Minutes between two calls.
    pub minutes: u32,
}

/// The hours of each day in which nobody is told.
#[derive(Clone, Debug, PartialEq)]
pub struct QuietHours {
    /// When they begin.
    pub from: Time,
    /// When they end; earlier than `from`: the next morning.
    pub to: Time,
    /// Where.
    pub zone: TimeZone,
}

impl QuietHours {
    /// Whether `now` is in them.
    pub fn holds(&self, now: Timestamp) -> bool {
        let time = now.to_zoned(self.zone.clone()).time();
        if self.from <= self.to {
            (self.from..self.to).contains(&time)
        } else {
            time >= self.from || time < self.to
        }
    }
}

impl AlertDefinition {
    /// The ways that are set, by their stable words.
    pub fn channels(&self) -> Vec<&'static str> {
        let ways = [
            ("email", self.email.is_some()),
            ("slack", self.slack.is_some()),
            ("teams", self.teams.is_some()),
            ("webhook", self.webhook.is_some()),
        ];
        ways.into_iter().filter(|(_, is_set)| *is_set).map(|(word, _)| word).collect()
    }
}
