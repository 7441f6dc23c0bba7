//! What happens now, as a stream of server-sent events: a view of all runs under way whenever one moves, a few times a
//! second at most.

use std::{collections::BTreeMap, convert::Infallible, time::Duration};

use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, stream};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{caller::Looking, live::Progress, problem::Problem};

/// Between two views: quick enough for eyes.
const PACE: Duration = Duration::from_millis(300);
/// After so long without a view a comment is sent, so that proxies keep the connection and a dead one is noticed.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// What happens now.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct LiveView {
    /// When.
    now: Timestamp,
    /// Rises when something changed that this view does not show: ask for the overview again.
    version: u64,
    /// Runs under way by sync.
    runs: BTreeMap<String, Progress>,
}

pub(crate) async fn live(
    Looking(server): Looking,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let mut watch = server.live.watch();
    // The first view comes at once.
    watch.mark_changed();
    let views = stream::unfold((server, watch, false), |(server, mut watch, paces)| async move {
        let next = async {
            if paces {
                server.clock.sleep(PACE).await;
            }
            watch.changed().await
        };
        tokio::select! {
            biased;
            () = server.ending.cancelled() => return None,
            changed = next => changed.ok()?,
        }
        let (runs, version) = server.live.progress();
        let view = LiveView { now: server.clock.now(), version, runs };
        let event = Event::default().json_data(&view).unwrap_or_default();
        Some((Ok(event), (server, watch, true)))
    });
    Ok(Sse::new(views).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE)))
}
