//! The lock-out after a 429, for those who allow it: nobody can use the API key for about a minute.

use std::time::Duration;

use futures_util::future::join_all;
use http::{Method, header};
use serde_json::Value;

use super::{
    ProbeError,
    caller::Caller,
    topic::{Findings, Verdict, found, unclear},
};
use crate::transport::Reply;

/// Calls that leave at once. The documented limit is 5 a second, and they may fall into two seconds of the service.
const BURST: u64 = 16;
/// A call this long after the burst falls into the lock-out of 30 s.
const DURING: Duration = Duration::from_secs(20);
/// This long after that, the first lock-out has passed, and one that was started again has not.
const AFTER: Duration = Duration::from_secs(15);
/// What a lock-out that was started again takes to pass.
const REST: Duration = Duration::from_secs(31);
/// A call in the lock-out may start it again: others wait for the end of that one too.
const CLOSED: Duration = DURING.saturating_add(REST);

/// Provokes a 429 and waits until it is over.
pub(super) async fn ask(
    caller: &mut Caller<'_>,
    findings: &mut Findings,
) -> Result<(), ProbeError> {
    // The second of the service that the last call fell into must be over.
    caller.wait(Duration::from_secs(2)).await;
    caller.take(BURST)?;
    let hasty: &Caller<'_> = caller;
    let burst = (0..BURST).map(|_| async { hasty.rush(structure(hasty)?).await });
    let mut replies = Vec::new();
    for reply in join_all(burst).await {
        replies.extend(reply?);
    }
    let throttled: Vec<&Reply> = replies.iter().filter(|reply| reply.status == 429).collect();
    let Some(first) = throttled.first() else {
        for name in ["rate_limit", "rate_body", "retry_after", "penalty_restarts"] {
            findings.note(name, unclear(format!("{BURST} calls at once met no 429")));
        }
        return Ok(());
    };
    caller.close(Some(CLOSED)).await?;
    // Those that went through may have fallen into two seconds.
    let through = replies.len() - throttled.len();
    findings.note("rate_limit", found(format!("{} to {through}", through.div_ceil(2))));
    findings.note("rate_body", body(first));
    findings.note(
        "retry_after",
        match first.headers.get(header::RETRY_AFTER) {
            Some(value) => found(format!("sent: {}", value.to_str().unwrap_or("unreadable"))),
            None => found("absent"),
        },
    );
    caller.wait(DURING).await;
    let during = again(caller).await?;
    caller.wait(AFTER).await;
    let after = again(caller).await?;
    findings.note(
        "penalty_restarts",
        match (during, after) {
            // Nothing but another lock-out for everybody could tell the two apart.
            (Some(429), Some(429)) => found("starts it again, or it lasts longer than 35 s"),
            (Some(429), Some(_)) => found("does not prolong it"),
            (Some(_), _) => unclear("the lock-out was shorter than 20 s"),
            (None, _) => unclear("a call had no answer"),
        },
    );
    if after == Some(429) {
        caller.close(None).await?;
        caller.wait(REST).await;
    }
    Ok(())
}

/// One more call at once; its status.
async fn again(caller: &mut Caller<'_>) -> Result<Option<u16>, ProbeError> {
    caller.take(1)?;
    Ok(caller.rush(structure(caller)?).await?.map(|reply| reply.status))
}

fn structure(caller: &Caller<'_>) -> Result<http::Request<bytes::Bytes>, ProbeError> {
    caller.request(Method::GET, &[], &[], None)
}

fn body(reply: &Reply) -> Verdict {
    found(if reply.body.is_empty() {
        "empty"
    } else if serde_json::from_slice::<Value>(&reply.body).is_ok() {
        "JSON"
    } else {
        "a page or text"
    })
}
