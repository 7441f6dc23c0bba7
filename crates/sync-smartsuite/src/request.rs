//! What is sent: addresses, headers, bodies.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, header};
use reqwest::Url;
use serde_json::Value;
use sync_core::error::{CallError, CallErrorKind};

use crate::options::{ClientOptions, OptionsError};

/// Makes the requests of one account.
pub(crate) struct Requests {
    base: Url,
    headers: HeaderMap,
}

impl Requests {
    /// Checks everything that goes into an address or a header.
    pub(crate) fn new(options: &ClientOptions) -> Result<Self, OptionsError> {
        let sendable = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        let token = options.token.expose();
        if !sendable(token) {
            return Err(OptionsError::Token);
        }
        if !sendable(&options.account_id) {
            return Err(OptionsError::AccountId);
        }
        let mut authorization =
            HeaderValue::from_str(&format!("Token {token}")).map_err(|_| OptionsError::Token)?;
        authorization.set_sensitive(true);
        let account =
            HeaderValue::from_str(&options.account_id).map_err(|_| OptionsError::AccountId)?;
        let agent =
            HeaderValue::from_str(&options.user_agent).map_err(|_| OptionsError::UserAgent)?;
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, authorization);
        headers.insert("account-id", account);
        headers.insert(header::USER_AGENT, agent);
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        Ok(Self { base: options.base()?, headers })
    }

    /// Where requests go, for people.
    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// A request to the path made of these segments, always with a slash at the end: without it the service answers
    /// a write with a redirect, and the write is lost.
    pub(crate) fn make(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Request<Bytes>, CallError> {
        let unusable = || CallError::from(CallErrorKind::WrongAddress);
        if path.iter().any(|segment| matches!(*segment, "" | "." | "..")) {
            return Err(unusable());
        }
        let mut url = self.base.clone();
        url.path_segments_mut().map_err(|()| unusable())?.extend(path).push("");
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let bytes = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        let mut request = Request::builder()
            .method(method)
            .uri(url.as_str())
            .body(bytes)
            .map_err(|_| unusable())?;
        request.headers_mut().clone_from(&self.headers);
        if body.is_some() {
            request
                .headers_mut()
                .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use sync_core::secret::Secret;

    use super::*;

    fn requests() -> Requests {
        Requests::new(&ClientOptions::new("s1234567", Secret::new("planted"))).unwrap()
    }

    #[test]
    fn every_address_ends_in_a_slash_before_its_query() {
        let list = requests().make(
            Method::POST,
            &["applications", "65", "records", "list"],
            &[("offset", "0"), ("limit", "25")],
            Some(&Value::Null),
        );
        assert_eq!(
            list.unwrap().uri().to_string(),
            "https://app.smartsuite.com/api/v1/applications/65/records/list/?offset=0&limit=25"
        );
    }

    #[test]
    fn an_id_cannot_leave_its_place_in_the_path() {
        let odd = requests().make(Method::GET, &["applications", "a/b?c#d e%2f"], &[], None);
        assert_eq!(odd.unwrap().uri().path(), "/api/v1/applications/a%2Fb%3Fc%23d%20e%252f/");
        for id in ["", ".", ".."] {
            let error = requests().make(Method::GET, &["applications", id], &[], None).err();
            assert_eq!(error.map(|error| error.kind), Some(CallErrorKind::WrongAddress), "{id}");
        }
    }

    #[test]
    fn credentials_travel_in_headers_that_debug_hides() {
        let request = requests().make(Method::GET, &["x"], &[], None).unwrap();
        assert_eq!(request.headers()["authorization"], "Token planted");
        assert_eq!(request.headers()["account-id"], "s1234567");
        assert!(!format!("{request:?}").contains("planted"));
    }

    #[test]
    fn credentials_that_cannot_be_sent_are_refused_without_being_shown() {
        for token in ["", "planted\n", "plan ted", "plantéd"] {
            let error = Requests::new(&ClientOptions::new("s1", Secret::new(token))).err();
            assert_eq!(error, Some(OptionsError::Token));
        }
        let error = Requests::new(&ClientOptions::new("s1 ", Secret::new("t"))).err();
        assert_eq!(error, Some(OptionsError::AccountId));
    }
}
