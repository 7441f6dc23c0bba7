//! Notifications: bodies, repetition, giving up (section 6.3; point 47).

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Webhook;
use crate::model::world::World;
use crate::moment::Moment;
use crate::profile::{Pings, Profile};

/// How long a notification is tried before notifications are switched off.
const GIVE_UP_SECONDS: i64 = 24 * 3600;
/// The first pause between two tries; each further one doubles it, up to an hour.
const FIRST_PAUSE_SECONDS: i64 = 5;
const LONGEST_PAUSE_SECONDS: i64 = 3600;

/// Notifications that wait for their time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Ping {
    pub(crate) due: Moment,
    /// How many are to be sent.
    pub(crate) waiting: u32,
    /// Tries that failed since the last one that arrived.
    failures: u32,
    failing_since: Option<Moment>,
}

/// A notification to send now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PingOut {
    /// The webhook it belongs to.
    pub webhook_id: String,
    /// Where it goes.
    pub url: String,
    /// Its JSON body.
    pub body: String,
}

/// Notes that an event wants a notification.
pub(crate) fn note(webhook: &mut Webhook, profile: &Profile, now: Moment) {
    if webhook.url.is_none() || webhook.is_idle(now) {
        return;
    }
    let debounce = match profile.pings {
        Pings::PerEvent => 0,
        Pings::Debounced => i64::from(profile.ping_debounce_ms),
    };
    match &mut webhook.ping {
        Some(ping) if profile.pings == Pings::PerEvent => ping.waiting += 1,
        Some(_) => {}
        None => {
            webhook.ping = Some(Ping {
                due: now.plus_millis(debounce),
                waiting: 1,
                failures: 0,
                failing_since: None,
            });
        }
    }
}

/// When the next notification is due.
pub(crate) fn next_due(world: &World) -> Option<Moment> {
    world.webhooks.values().filter_map(|webhook| Some(webhook.ping.as_ref()?.due)).min()
}

/// The notifications that are due, one for each webhook.
pub(crate) fn take_due(world: &mut World, now: Moment) -> Vec<PingOut> {
    let mut out = Vec::new();
    for webhook in world.webhooks.values_mut() {
        let (Some(url), Some(ping)) = (&webhook.url, &mut webhook.ping) else { continue };
        if ping.due > now {
            continue;
        }
        // Until its answer is known, none of this webhook is sent again.
        ping.due = now.plus_seconds(60);
        let locator = json!({"accountId": webhook.account, "solutionId": webhook.solution});
        let body = json!({"webhookId": webhook.id, "locator": locator}).to_string();
        out.push(PingOut { webhook_id: webhook.id.clone(), url: url.clone(), body });
    }
    out
}

/// Notes whether a notification arrived; after a day of failures they are switched off.
pub(crate) fn settle(world: &mut World, webhook: &str, arrived: bool, now: Moment) {
    let Some(webhook) = world.webhooks.get_mut(webhook) else { return };
    let Some(ping) = &mut webhook.ping else { return };
    if arrived {
        ping.waiting = ping.waiting.saturating_sub(1);
        ping.failures = 0;
        ping.failing_since = None;
        ping.due = now;
        if ping.waiting == 0 {
            webhook.ping = None;
        }
        return;
    }
    let since = *ping.failing_since.get_or_insert(now);
    let doubled = FIRST_PAUSE_SECONDS << ping.failures.min(16);
    ping.failures += 1;
    ping.due = now.plus_seconds(doubled.min(LONGEST_PAUSE_SECONDS));
    if ping.due.micros_since(since) > GIVE_UP_SECONDS * 1_000_000 {
        webhook.url = None;
        webhook.ping = None;
    }
}

/// Sends what waits so many times more, as a scripted fault does.
pub(crate) fn repeat(world: &mut World, more: u32) {
    for ping in world.webhooks.values_mut().filter_map(|webhook| webhook.ping.as_mut()) {
        ping.waiting = ping.waiting.saturating_add(more);
    }
}
