//! Webhooks: events, their log, tokens, pings and expiry (section 6; points 44 to 50).

pub(crate) mod event;
pub(crate) mod ping;
pub(crate) mod rpc;
pub(crate) mod scope;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::model::record::Stamp;
use crate::model::world::World;
use crate::moment::Moment;
use crate::object_id::ObjectId;
use crate::profile::Profile;
use event::{Event, Kind};
use ping::Ping;
use scope::Scope;

/// Days without `ListEvents` after which notifications stop, and after which all is deleted.
const IDLE_DAYS: i64 = 7;

/// A subscription with the log of its events.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Webhook {
    pub(crate) id: String,
    pub(crate) account: String,
    pub(crate) solution: ObjectId,
    pub(crate) scope: Scope,
    pub(crate) kinds: BTreeSet<Kind>,
    /// Where pings go; none while notifications are switched off.
    pub(crate) url: Option<String>,
    pub(crate) created: Stamp,
    pub(crate) updated: Stamp,
    /// When it was made or `ListEvents` was last called.
    pub(crate) listed_at: Moment,
    pub(crate) events: BTreeMap<u64, Event>,
    pub(crate) next_sequence: u64,
    pub(crate) ping: Option<Ping>,
}

impl Webhook {
    /// When its notifications stop unless its events are listed before.
    pub(crate) fn expires_at(&self) -> Moment {
        self.listed_at.plus_days(IDLE_DAYS)
    }

    /// Whether it has been idle for so long that it notifies nobody.
    pub(crate) fn is_idle(&self, now: Moment) -> bool {
        now >= self.expires_at()
    }

    /// The webhook as RPCs show it.
    pub(crate) fn shown(&self, now: Moment) -> Value {
        let by = |stamp: Stamp| json!({"by": stamp.by, "at": stamp.at.exact()});
        json!({
            "webhook_id": self.id,
            "locator": {"account_id": self.account, "solution_id": self.solution},
            "filter": self.scope.shown(),
            "kinds": self.kinds,
            "created_at": by(self.created),
            "updated_at": by(self.updated),
            "notification_status": match &self.url {
                Some(url) => json!({"enabled": {"url": url}}),
                None => json!({"disabled": {}}),
            },
            "system_status": if self.is_idle(now) {
                json!({"disabled": {}})
            } else {
                json!({"enabled": {"expires_at": self.expires_at().exact()}})
            },
        })
    }
}

/// Deletes webhooks that nobody listed for twice the idle time, and events past their retention.
pub(crate) fn expire(world: &mut World, profile: &Profile, now: Moment) {
    world.webhooks.retain(|_, webhook| now < webhook.listed_at.plus_days(2 * IDLE_DAYS));
    for webhook in world.webhooks.values_mut() {
        if webhook.is_idle(now) {
            webhook.ping = None;
        }
        if let Some(days) = profile.event_retention_days {
            webhook.events.retain(|_, event| event.at.plus_days(i64::from(days)) > now);
        }
    }
}

/// An error body of the webhook service.
pub(crate) fn twirp(code: &str, message: &str) -> Value {
    json!({"code": code, "msg": message})
}
