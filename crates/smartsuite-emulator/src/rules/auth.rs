//! `ACCOUNT-ID` first, then the token (sections 1.1 and 1.3; points 2 and 3).

use http::{HeaderMap, StatusCode, header};

use crate::model::world::World;
use crate::profile::{Profile, RejectedToken};
use crate::reply::{Body, Reply, detail, refusal};
use crate::rules::call::Actor;
use crate::rules::webhooks::twirp;

/// Who calls, or the refusal. `is_rpc` chooses the webhook service's error bodies.
pub(crate) fn actor(
    world: &World,
    profile: &Profile,
    headers: &HeaderMap,
    is_rpc: bool,
) -> Result<(Actor, String), Reply> {
    let text =
        |name: &str| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let slug = text("account-id").unwrap_or_default().trim().to_owned();
    if slug.is_empty() {
        return Err(account_refused("Account ID is not specified".into(), is_rpc));
    }
    let Some(account) = world.accounts.get(&slug) else {
        return Err(account_refused(format!("Account ID {slug} is not valid"), is_rpc));
    };
    let authorization = text(header::AUTHORIZATION.as_str()).unwrap_or_default().into_owned();
    let Some(token) = authorization.strip_prefix("Token ") else {
        let said = if authorization.is_empty() {
            "Authentication credentials were not provided."
        } else {
            "Invalid token header."
        };
        return Err(token_refused(profile, said, is_rpc));
    };
    let Some(key) = account.key(token.trim()) else {
        return Err(token_refused(profile, "Invalid token.", is_rpc));
    };
    let actor = Actor {
        account: slug,
        member: key.member,
        solutions: key.solutions.clone(),
        denied_tables: key.denied_tables.clone(),
        read_only: key.read_only,
        is_person: false,
    };
    Ok((actor, key.token.clone()))
}

fn account_refused(text: String, is_rpc: bool) -> Reply {
    if is_rpc {
        return refusal(StatusCode::BAD_REQUEST, twirp("invalid_argument", &text));
    }
    Reply::new(StatusCode::BAD_REQUEST, Body::Text(text))
}

fn token_refused(profile: &Profile, said: &str, is_rpc: bool) -> Reply {
    let status = match profile.rejected_token {
        RejectedToken::Unauthorized => StatusCode::UNAUTHORIZED,
        RejectedToken::Forbidden => StatusCode::FORBIDDEN,
        RejectedToken::BadRequest => StatusCode::BAD_REQUEST,
    };
    if is_rpc {
        return refusal(StatusCode::UNAUTHORIZED, twirp("unauthenticated", said));
    }
    detail(status, said)
}
