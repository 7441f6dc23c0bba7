//! `alerts`: who is told, and how.

use jiff::{civil::Time, tz::TimeZone};

use crate::{
    alert::{
        AlertDefinition, HeartbeatDefinition, MailDefinition, MailSecurity, QuietHours,
        WebhookDefinition,
    },
    config::{
        decode::Given,
        defaults,
        diagnostic::Code,
        raw::{MAIL_SECURITY, RawAlerts, RawEmail, RawHeartbeat, RawQuietHours, RawWebhook},
        report::{Finding, Report},
        scalar::Scalar,
    },
    secret::Secret,
};

use super::{budget::word, filled, filled_scalar, in_range, schedule};

/// Who is told; `None` where something is wrong, which is then reported.
pub(super) fn lower(given: &Given<RawAlerts>, report: &mut Report<'_>) -> Option<AlertDefinition> {
    let raw = &given.value;
    let mut address = |given: &Option<Given<Scalar>>, key: &str| {
        given.as_ref().and_then(|given| address(given, key, report))
    };
    let (slack, teams) = (address(&raw.slack, "slack"), address(&raw.teams, "teams"));
    let webhook = raw.webhook.as_ref().and_then(|given| webhook(&given.value, report));
    let heartbeat = raw.heartbeat.as_ref().and_then(|given| heartbeat(&given.value, report));
    let email = raw.email.as_ref().and_then(|given| email(&given.value, report));
    let quiet_hours = raw.quiet_hours.as_ref().and_then(|given| quiet_hours(&given.value, report));
    let group_minutes = match &raw.group {
        Some(given) => in_range(given, 0..=defaults::GROUP_MINUTES_MAX, "group", report)?,
        None => defaults::GROUP_MINUTES,
    };
    if !["email", "slack", "teams", "webhook", "heartbeat"].iter().any(|key| raw.has(key)) {
        report.add(
            Finding::new(Code::MissingKey, given.key, "`alerts` names nobody who is told")
                .hint("add `email`, `slack`, `teams`, `webhook` or `heartbeat`"),
        );
    }
    Some(AlertDefinition {
        email,
        slack,
        teams,
        webhook,
        heartbeat,
        group_minutes,
        quiet_hours,
        allow_internal: raw
            .allow_internal
            .as_ref()
            .map_or(defaults::ALLOW_INTERNAL, |given| given.value),
    })
}

fn address(given: &Given<Scalar>, key: &str, report: &mut Report<'_>) -> Option<Secret> {
    let text = filled(given, key, report)?;
    let host = ["https://", "http://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    if host.is_some_and(|host| !host.is_empty() && !text.contains(char::is_whitespace)) {
        return Some(Secret::new(text));
    }
    let finding =
        Finding::new(Code::UnknownValue, given.span, format!("`{key}` is no web address"));
    report.add(finding.hint("write an address that begins with `https://`"));
    None
}

/// A text that must not stand in the file itself.
fn secret(given: &Given<Scalar>, key: &str, report: &mut Report<'_>) -> Option<Secret> {
    let text = &given.value.text;
    if !text.is_empty() && given.value.is_foreign(&(0..text.len())) {
        return Some(Secret::new(text.clone()));
    }
    let message = format!("the secret of `{key}` stands in the file");
    let finding = Finding::new(Code::BadSecret, given.span, message);
    report.add(finding.hint("write `${VARIABLE}` and set that in the environment"));
    None
}

fn webhook(raw: &RawWebhook, report: &mut Report<'_>) -> Option<WebhookDefinition> {
    let url = raw.url.0.as_ref().and_then(|given| address(given, "url", report));
    let token = raw.token.as_ref().map(|given| secret(given, "token", report));
    Some(WebhookDefinition { url: url?, token: token.flatten() })
}

fn heartbeat(raw: &RawHeartbeat, report: &mut Report<'_>) -> Option<HeartbeatDefinition> {
    let url = raw.url.0.as_ref().and_then(|given| address(given, "url", report));
    let minutes = match &raw.minutes {
        Some(given) => in_range(given, 1..=defaults::HEARTBEAT_MINUTES_MAX, "minutes", report)?,
        None => defaults::HEARTBEAT_MINUTES,
    };
    Some(HeartbeatDefinition { url: url?, minutes })
}

fn email(raw: &RawEmail, report: &mut Report<'_>) -> Option<MailDefinition> {
    let server = raw.server.0.as_ref().and_then(|given| filled(given, "server", report));
    let from = raw.from.0.as_ref().and_then(|given| mail_address(given, "from", report));
    let port = match &raw.port {
        Some(given) => in_range(given, 1..=u32::from(u16::MAX), "port", report),
        None => Some(defaults::MAIL_PORT),
    };
    let security = match &raw.security {
        Some(given) => word(given, "security", MAIL_SECURITY, report),
        None => Some(0),
    };
    let mut to = Vec::new();
    for scalar in raw.to.0.iter().flat_map(|given| &given.value.0) {
        let given = Given { key: scalar.span, span: scalar.span, value: scalar.clone() };
        to.extend(mail_address(&given, "to", report));
    }
    let user = raw.user.as_ref().and_then(|given| filled_scalar(&given.value, "`user`", report));
    let password = raw.password.as_ref().map(|given| secret(given, "password", report));
    if let (Some(key), None) | (None, Some(key)) =
        (raw.user.as_ref().map(|given| given.key), raw.password.as_ref().map(|given| given.key))
    {
        let finding =
            Finding::new(Code::ConflictingKeys, key, "`user` and `password` belong together");
        report.add(finding.hint("give both, or neither"));
    }
    Some(MailDefinition {
        server: server?,
        port: u16::try_from(port?).ok()?,
        security: match security? {
            1 => MailSecurity::Tls,
            2 => MailSecurity::None,
            _ => MailSecurity::StartTls,
        },
        login: user.zip(password.flatten()),
        from: from?,
        to,
    })
}

/// `user@host`, or `Name <user@host>`.
fn mail_address(given: &Given<Scalar>, key: &str, report: &mut Report<'_>) -> Option<String> {
    let text = filled(given, key, report)?;
    let bare =
        text.rsplit_once('<').map_or(Some(text.as_str()), |(_, rest)| rest.strip_suffix('>'));
    let parts = bare.and_then(|bare| bare.split_once('@'));
    if parts.is_some_and(|(user, host)| {
        !user.is_empty() && !host.is_empty() && !host.contains(['@', ' ']) && !user.contains(' ')
    }) {
        return Some(text);
    }
    let finding =
        Finding::new(Code::UnknownValue, given.span, format!("`{key}` holds no mail address"));
    report.add(finding.hint("write it as in `ops@example.org`"));
    None
}

fn quiet_hours(raw: &RawQuietHours, report: &mut Report<'_>) -> Option<QuietHours> {
    let mut time = |given: &Option<Given<Scalar>>, key: &str| -> Option<Time> {
        let given = given.as_ref()?;
        let text = given.value.text.trim();
        if let Ok(time) = Time::strptime("%H:%M", text) {
            return Some(time);
        }
        let finding =
            Finding::new(Code::UnknownValue, given.span, format!("`{key}` is no time of day"));
        report.add(finding.hint("write hours and minutes, in quotes, as in `\"22:00\"`"));
        None
    };
    let (from, to) = (time(&raw.from.0, "from"), time(&raw.to.0, "to"));
    let zone = match &raw.time_zone {
        Some(given) => schedule::time_zone(given, report)?,
        None => defaults::TIME_ZONE.to_owned(),
    };
    Some(QuietHours { from: from?, to: to?, zone: TimeZone::get(&zone).ok()? })
}
