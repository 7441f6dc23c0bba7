//! What can go wrong at the two edges, in closed vocabularies that carry their own policy.

#![deny(clippy::wildcard_enum_match_arm)]

use std::time::Duration;

use crate::{
    mutation::{self, Mutation},
    slug::Slug,
    sql::TextPosition,
};

/// Why a call to the destination did not do what was asked.
///
/// `Display` never shows a row's value: the service's own words are kept in [`CallError::detail`], which only the
/// state and the commands made to show rows may print.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{kind}")]
pub struct CallError {
    /// What happened.
    pub kind: CallErrorKind,
    /// Whose request it was about, as far as the answer says: one entry for each complaint.
    pub complaints: Vec<Complaint>,
    /// The answer's own words, shortened to 500 bytes. May echo row values.
    pub detail: Quoted,
    /// The refusal was about the form in which a value was written, not about the value, and the client will use
    /// another form from now on: the same call may be sent once more (a create after its look-up) before anybody is
    /// blamed.
    pub retry_as_is: bool,
}

impl From<CallErrorKind> for CallError {
    fn from(kind: CallErrorKind) -> Self {
        Self { kind, complaints: Vec::new(), detail: Quoted::default(), retry_as_is: false }
    }
}

/// Text from outside that may echo row values: `Debug` hides it, and it has no `Display`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Quoted(pub String);

impl std::fmt::Debug for Quoted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Quoted(***)")
    }
}

/// One complaint of a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Position of the item in the request, when the answer names it.
    pub item: Option<usize>,
    /// The field, when the answer names it.
    pub slug: Option<Slug>,
    /// The service's words.
    pub message: Quoted,
}

/// The kinds of [`CallError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum CallErrorKind {
    /// The connection was never made, so the request certainly did not leave.
    #[error("SmartSuite could not be reached")]
    NotSent,
    /// No answer within the time limit.
    #[error("SmartSuite did not answer in time")]
    TimedOut,
    /// The connection broke, or the body ended early.
    #[error("the connection to SmartSuite broke before its answer was complete")]
    Broken,
    /// 5xx, from the service or a gateway.
    #[error("SmartSuite answered {status}")]
    Server {
        /// The status code.
        status: u16,
    },
    /// 429.
    #[error("SmartSuite asked for a pause (429)")]
    Throttled {
        /// `Retry-After`, where there is one.
        retry_after: Option<Duration>,
    },
    /// A bot-challenge or other HTML page instead of an answer, whatever its status.
    #[error("a web page came instead of SmartSuite's answer")]
    Challenge,
    /// A 2xx whose body could not be understood or was too large, or a 4xx in words that are not the service's.
    #[error("SmartSuite's answer could not be understood")]
    Garbled,
    /// 401, or 403 about the token.
    #[error("SmartSuite does not accept the token")]
    TokenRejected,
    /// 400 about ACCOUNT-ID.
    #[error("SmartSuite does not know the account id")]
    AccountRejected,
    /// 403 about the table, or about something that its words do not tell.
    #[error("SmartSuite does not allow the call (403)")]
    Forbidden,
    /// 4xx in words about the bound of records: the plan has no room for more.
    #[error("the plan has no room for more records")]
    PlanFull,
    /// 402 or 403 in words about the workspace's API calls: the month's are used up.
    #[error("the workspace's API calls for this month are used up")]
    QuotaSpent,
    /// 404 given by the service itself: the table or the record is not there.
    #[error("SmartSuite does not find the table or record")]
    NotFound,
    /// 3xx, 405, or a 404 page: the address is wrong, not the data.
    #[error("the address is not SmartSuite's API")]
    WrongAddress,
    /// 400, 413, 422 and other 4xx about the content.
    #[error("SmartSuite refused the content ({status})")]
    Refused {
        /// The status code.
        status: u16,
    },
}

stable_codes!(CallErrorKind {
    Self::NotSent => "smartsuite_unreachable",
    Self::TimedOut => "smartsuite_timeout",
    Self::Broken => "smartsuite_connection_broken",
    Self::Server { .. } => "smartsuite_server_error",
    Self::Throttled { .. } => "smartsuite_rate_limited",
    Self::Challenge => "smartsuite_challenge_page",
    Self::Garbled => "smartsuite_garbled_answer",
    Self::TokenRejected => "smartsuite_token_rejected",
    Self::AccountRejected => "smartsuite_account_rejected",
    Self::Forbidden => "smartsuite_forbidden",
    Self::PlanFull => "smartsuite_plan_full",
    Self::QuotaSpent => "smartsuite_quota_spent",
    Self::NotFound => "smartsuite_not_found",
    Self::WrongAddress => "smartsuite_wrong_address",
    Self::Refused { .. } => "smartsuite_refused",
});

impl CallErrorKind {
    /// Whether the service itself has decided, so that the call had no effect (`protocol.md` D2). False: the
    /// call may have had its effect, or may still have it.
    pub fn is_answered(self) -> bool {
        match self {
            Self::Server { .. } if mutation::is_on(Mutation::ServerErrorAnswers) => true,
            Self::Garbled | Self::Challenge if mutation::is_on(Mutation::GarbledAnswers) => true,
            Self::NotSent
            | Self::TokenRejected
            | Self::AccountRejected
            | Self::Forbidden
            | Self::PlanFull
            | Self::QuotaSpent
            | Self::NotFound
            | Self::Refused { .. } => true,
            Self::TimedOut
            | Self::Broken
            | Self::Server { .. }
            | Self::Throttled { .. }
            | Self::Challenge
            | Self::Garbled
            | Self::WrongAddress => false,
        }
    }

    /// Whether it may be the call itself, by one of its rows or by its size, that keeps the service from answering it.
    pub fn may_lie_in_the_call(self) -> bool {
        match self {
            Self::Server { .. } | Self::TimedOut | Self::Broken | Self::Garbled => true,
            Self::NotSent
            | Self::Throttled { .. }
            | Self::Challenge
            | Self::TokenRejected
            | Self::AccountRejected
            | Self::Forbidden
            | Self::PlanFull
            | Self::QuotaSpent
            | Self::NotFound
            | Self::WrongAddress
            | Self::Refused { .. } => false,
        }
    }

    /// What it harms.
    pub fn scope(self) -> Scope {
        match self {
            Self::Refused { .. } => Scope::Rows,
            Self::Forbidden | Self::PlanFull | Self::NotFound => Scope::Table,
            Self::TokenRejected | Self::AccountRejected | Self::WrongAddress | Self::QuotaSpent => {
                Scope::Account
            }
            Self::NotSent
            | Self::TimedOut
            | Self::Broken
            | Self::Server { .. }
            | Self::Throttled { .. }
            | Self::Challenge
            | Self::Garbled => Scope::Moment,
        }
    }

    /// What a person should do next.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::NotSent => {
                "check the network and SMARTSUITE_BASE_URL; nothing was sent and nothing is lost"
            }
            Self::TimedOut
            | Self::Broken
            | Self::Server { .. }
            | Self::Challenge
            | Self::Garbled => {
                "run again later: what was sent is looked up before anything is created again"
            }
            Self::Throttled { .. } => {
                "wait; if it lasts, the workspace's monthly API quota may be used up"
            }
            Self::TokenRejected => "check SMARTSUITE_TOKEN: a new key replaces the old one",
            Self::AccountRejected => {
                "check SMARTSUITE_ACCOUNT_ID: the eight characters after app.smartsuite.com/ in the browser"
            }
            Self::Forbidden => {
                "give the token's member access to the table's solution; if it has access, the workspace's API calls \
                 for this month or its records may be used up"
            }
            Self::PlanFull => {
                "delete records that are not needed, or change to a larger plan, then `run --retry`; records that are \
                 there go on being updated, and nothing is lost"
            }
            Self::QuotaSpent => {
                "wait for the next month, or buy more calls; nothing is lost: what waits is sent then"
            }
            Self::NotFound => {
                "check `destination.table_id`: the last part of the table's address in the browser"
            }
            Self::WrongAddress => "check SMARTSUITE_BASE_URL; unset it for the real service",
            Self::Refused { .. } => "see `status` for the rows and what SmartSuite says of them",
        }
    }
}

impl CallErrorKind {
    /// Whether it says, of a create, nothing but that there may be no more records: whoever may not add some may still
    /// change those that are there. What forbids that too says so when an update is sent.
    pub fn is_about_adding(self) -> bool {
        matches!(self, Self::Forbidden | Self::PlanFull)
    }

    /// How long a sync that it stopped stays so, before it tries again by itself; `None`: until somebody acts.
    ///
    /// A spent month ends without a sign that could be waited for: nobody tells when a workspace's month turns, and
    /// the answer may look like one about access.
    pub fn stops_for(self) -> Option<Duration> {
        match self {
            Self::Throttled { .. } => Some(Duration::from_mins(15)),
            Self::QuotaSpent | Self::PlanFull => Some(Duration::from_hours(1)),
            Self::Forbidden => Some(Duration::from_hours(24)),
            Self::NotSent
            | Self::TimedOut
            | Self::Broken
            | Self::Server { .. }
            | Self::Challenge
            | Self::Garbled
            | Self::TokenRejected
            | Self::AccountRejected
            | Self::NotFound
            | Self::WrongAddress
            | Self::Refused { .. } => None,
        }
    }
}

/// How far a failure reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Single rows: bisect and quarantine.
    Rows,
    /// The table: stop the sync without bisecting.
    Table,
    /// Every sync of the account.
    Account,
    /// Only this moment: try again.
    Moment,
}

/// Why the source could not be read.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct SourceError {
    /// What happened.
    pub kind: SourceErrorKind,
    /// One line in words, free of row values and credentials.
    pub message: String,
    /// What a person should do next.
    pub remedy: String,
    /// What of the configuration it is about.
    pub about: SourcePart,
}

/// A part of a sync's configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SourcePart {
    /// Nothing in particular.
    #[default]
    Whole,
    /// A place in the query.
    Query(TextPosition),
    /// These columns.
    Columns(Vec<String>),
}

/// The kinds of [`SourceError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceErrorKind {
    /// No connection: host, port, network, server down.
    Unreachable,
    /// User or password.
    AccessDenied,
    /// The database does not exist or is not visible.
    UnknownDatabase,
    /// A missing right.
    MissingPrivilege,
    /// TLS could not be had as demanded.
    Tls,
    /// The server does not accept the SQL.
    Sql,
    /// The query does not return a column that is needed.
    MissingColumn,
    /// The read was cut short: connection lost, killed, time limit.
    Interrupted,
    /// The server's answer could not be understood.
    Protocol,
    /// The binlog cannot be followed: a setting of the server, or the sync's own shape.
    LogSettings,
    /// The server does not have the binlog from the position on any more.
    PositionLost,
}

stable_codes!(SourceErrorKind {
    Self::Unreachable => "mysql_unreachable",
    Self::AccessDenied => "mysql_access_denied",
    Self::UnknownDatabase => "mysql_unknown_database",
    Self::MissingPrivilege => "mysql_missing_privilege",
    Self::Tls => "mysql_tls",
    Self::Sql => "mysql_sql_error",
    Self::MissingColumn => "mysql_missing_column",
    Self::Interrupted => "mysql_interrupted",
    Self::Protocol => "mysql_protocol",
    Self::LogSettings => "binlog_settings",
    Self::PositionLost => "binlog_position_lost",
});
