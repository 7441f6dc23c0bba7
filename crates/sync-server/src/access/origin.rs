//! Where a browser's request comes from: pages of other sites must not act here in a person's name.

use axum::http::{HeaderMap, Uri, header};

use crate::problem::Problem;

/// Fails where a browser says that another site made the request.
pub(super) fn check_same_site(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site")
        && site != "same-origin"
        && site != "none"
    {
        return Err(Problem::another_site());
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
    let authority = origin.as_ref().and_then(Uri::authority).map(|authority| authority.as_str());
    match (authority, text("host")) {
        (Some(origin), Some(host)) if origin.eq_ignore_ascii_case(host) => Ok(()),
        _ => Err(Problem::another_site()),
    }
}

/// Fails where the request was sent to a name that is not this machine's own: a name of somebody else may have been
/// made to lead here.
pub(super) fn check_own_name(headers: &HeaderMap) -> Result<(), Problem> {
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    let is_own =
        name.eq_ignore_ascii_case("localhost") || address.parse::<std::net::IpAddr>().is_ok();
    if is_own { Ok(()) } else { Err(Problem::another_name()) }
}
