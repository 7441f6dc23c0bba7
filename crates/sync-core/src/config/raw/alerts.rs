//! What the user typed about alerts.

use super::{
    super::decode::{OneOrMany, Required},
    Decode, Given, Key, Node, Report, Scalar, Section, Subject, defaults, section, words,
};

section! {
    /// Who is told when something is wrong. `schedule` sends one message when a state changes and one when it has
    /// passed; `alerts test` tries every way.
    RawAlerts {
        /// By e-mail.
        "email" email: Option<Given<RawEmail>>,
        /// The address of a Slack incoming webhook. It is a secret: write it as `${VARIABLE}`.
        "slack" slack: Option<Given<Scalar>>,
        /// The address of a workflow of Microsoft Teams that posts a card when a webhook request is received. It is a
        /// secret: write it as `${VARIABLE}`.
        "teams" teams: Option<Given<Scalar>>,
        /// Any other address that takes JSON by POST.
        "webhook" webhook: Option<Given<RawWebhook>>,
        /// An address that is called while all is well, so that its keeper notices when this service is gone.
        "heartbeat" heartbeat: Option<Given<RawHeartbeat>>,
        /// Minutes that changes are gathered into one message.
        #[schemars(range(min = 0, max = 60), extend("default" = defaults::GROUP_MINUTES))]
        "group" group: Option<Given<u32>>,
        /// The hours in which nobody is told; what happened in them is said when they end, as far as it still holds.
        "quiet_hours" quiet_hours: Option<Given<RawQuietHours>>,
        /// Whether messages may go to hosts of private networks and of this machine. Otherwise an address of these is
        /// refused, whatever name it has.
        #[schemars(extend("default" = defaults::ALLOW_INTERNAL))]
        "allow_internal" allow_internal: Option<Given<bool>>,
    }
}

section! {
    /// A mail server that takes messages.
    RawEmail {
        /// Its name.
        #[schemars(length(min = 1))]
        "server" server: Required<Scalar>,
        /// Its port.
        #[schemars(range(min = 1, max = 65_535), extend("default" = defaults::MAIL_PORT))]
        "port" port: Option<Given<u32>>,
        /// `starttls`: the connection is encrypted before anything is said; `tls`: from its beginning (port 465);
        /// `none`: not at all, for a server on this machine.
        #[schemars(extend("enum" = MAIL_SECURITY), extend("default" = defaults::MAIL_SECURITY))]
        "security" security: Option<Given<Scalar>>,
        /// The user, where the server wants one.
        "user" user: Option<Given<Scalar>>,
        /// The user's password, as `${VARIABLE}`.
        "password" password: Option<Given<Scalar>>,
        /// Who the messages are from: `sync@example.org`, or `Sync <sync@example.org>`.
        #[schemars(length(min = 1))]
        "from" from: Required<Scalar>,
        /// Who gets them: an address, or a list.
        "to" to: Required<OneOrMany>,
    }
}

section! {
    /// An address that takes JSON by POST.
    RawWebhook {
        /// The address.
        #[schemars(length(min = 1))]
        "url" url: Required<Scalar>,
        /// A secret, as `${VARIABLE}`, that is sent as `Authorization: Bearer`.
        "token" token: Option<Given<Scalar>>,
    }
}

section! {
    /// An address that is called by GET while all is well.
    RawHeartbeat {
        /// The address.
        #[schemars(length(min = 1))]
        "url" url: Required<Scalar>,
        /// Minutes between two calls.
        #[schemars(range(min = 1, max = 1_440), extend("default" = defaults::HEARTBEAT_MINUTES))]
        "minutes" minutes: Option<Given<u32>>,
    }
}

section! {
    /// The hours of each day in which nobody is told.
    RawQuietHours {
        /// When they begin, as in `22:00`.
        #[schemars(length(min = 1))]
        "from" from: Required<Scalar>,
        /// When they end; earlier than `from` means the next morning.
        #[schemars(length(min = 1))]
        "to" to: Required<Scalar>,
        /// The zone in which both are meant.
        #[schemars(extend("default" = defaults::TIME_ZONE))]
        "time_zone" time_zone: Option<Given<Scalar>>,
    }
}

/// Values of `alerts.email.security`.
pub(in crate::config) const MAIL_SECURITY: &[&str] = &["starttls", "tls", "none"];
