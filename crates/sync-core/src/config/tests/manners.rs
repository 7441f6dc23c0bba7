//! The month's calls and alerts, as people write them.

use super::*;
use crate::{
    alert::MailSecurity,
    budget::{BudgetDefinition, WhenUsedUp},
    config::diagnostic::Code,
};

const SYNC: &str = "
syncs:
  - name: a
    source: {query: SELECT 1 AS id, primary_key: id}
    destination: {table_id: 6500000000000000000000c1, external_id_field: sx, field_mappings: {id: sid}}
";

fn config(more: &str) -> Config {
    let secret = |name: &str| Some(format!("https://example.org/{name}"));
    let parsed = parse(&format!("{SYNC}{more}"), &secret);
    assert_eq!(parsed.diagnostics, []);
    parsed.config.unwrap()
}

fn codes(more: &str) -> Vec<&'static str> {
    let parsed = parse(&format!("{SYNC}{more}"), &|_| None);
    parsed.diagnostics.iter().map(|one| one.code).collect()
}

#[test]
fn a_plan_says_how_many_calls_there_are_and_a_tenth_is_kept() {
    let budget = |monthly_calls, reserve, has_overage| {
        Some(BudgetDefinition {
            monthly_calls,
            billing_day: 1,
            reserve,
            when_used_up: WhenUsedUp::Wait,
            has_overage,
        })
    };
    assert_eq!(config("").budget, None);
    for (text, expected) in [
        ("plan: team", budget(5_000, 500, true)),
        ("plan: free", budget(100, 10, false)),
        ("plan: enterprise", budget(250_000, 25_000, true)),
        ("plan: professional, monthly_calls: 60000, reserve: 0", budget(60_000, 0, true)),
        ("monthly_calls: 7", budget(7, 0, true)),
    ] {
        assert_eq!(config(&format!("smartsuite: {{{text}}}")).budget, expected, "{text}");
    }
}

#[test]
fn what_cannot_be_meant_of_a_month_is_said() {
    for (text, code) in [
        ("plan: gold", Code::UnknownValue),
        ("reserve: 10", Code::ConflictingKeys),
        ("billing_day: 3", Code::ConflictingKeys),
        ("plan: team, billing_day: 0", Code::OutOfRange),
        ("plan: team, billing_day: 32", Code::OutOfRange),
        ("plan: free, reserve: 100", Code::OutOfRange),
        ("plan: team, when_used_up: pray", Code::UnknownValue),
    ] {
        assert_eq!(codes(&format!("smartsuite: {{{text}}}")), [code.name()], "{text}");
    }
    assert_eq!(codes("alerts: {group: 2}"), [Code::MissingKey.name()]);
    for (text, code) in [
        ("slack: ftp://x", Code::UnknownValue),
        ("slack: 'https://'", Code::UnknownValue),
        ("slack: 'https://x y'", Code::UnknownValue),
        ("webhook: {url: 'https://x', token: plain}", Code::BadSecret),
        ("email: {server: x, from: a@b, to: nobody}", Code::UnknownValue),
        ("email: {server: x, from: a@b, to: c@d, security: maybe}", Code::UnknownValue),
        ("email: {server: x, from: a@b, to: c@d, user: u}", Code::ConflictingKeys),
        ("slack: 'https://x', quiet_hours: {from: '25:00', to: '06:00'}", Code::UnknownValue),
        (
            "slack: 'https://x', quiet_hours: {from: '22:00', to: '06:00', time_zone: Mars}",
            Code::BadTimeZone,
        ),
        ("slack: 'https://x', group: 61", Code::OutOfRange),
        ("heartbeat: {url: 'https://x', minutes: 0}", Code::OutOfRange),
    ] {
        assert_eq!(codes(&format!("alerts: {{{text}}}")), [code.name()], "{text}");
    }
}

#[test]
fn alerts_are_understood_and_their_secrets_do_not_print() {
    let text = "
alerts:
  email: {server: smtp.example.org, port: 465, security: tls, user: u, password: '${PASSWORD}', from: A <a@b>, to: [c@d, e@f]}
  slack: ${SLACK}
  webhook: {url: 'https://example.org/hook', token: '${TOKEN}'}
  heartbeat: {url: '${BEAT}'}
  quiet_hours: {from: '22:30', to: '06:00', time_zone: Europe/Berlin}
  allow_internal: true
";
    let alerts = config(text).alerts.unwrap();
    assert_eq!(alerts.channels(), ["email", "slack", "webhook"]);
    let mail = alerts.email.as_ref().unwrap();
    assert_eq!((mail.port, mail.security, mail.to.len()), (465, MailSecurity::Tls, 2));
    assert_eq!(alerts.slack.as_ref().unwrap().expose(), "https://example.org/SLACK");
    assert_eq!((alerts.group_minutes, alerts.heartbeat.as_ref().unwrap().minutes), (1, 5));
    let shown = format!("{alerts:?}");
    for secret in ["PASSWORD", "SLACK", "TOKEN", "BEAT", "example.org/hook"] {
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
}
