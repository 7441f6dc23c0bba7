//! The exchange over a real network.

use std::error::Error;

use bytes::{Bytes, BytesMut};
use http::Request;
use reqwest::{Client, redirect, retry};
use sync_core::port::Boxed;

use super::{BodyEnd, Limits, Reply, Transport, TransportError};
use crate::options::{ClientOptions, OptionsError, is_loopback};

/// How long an unused connection is kept. Servers close theirs after a minute or so; a request that meets such a
/// close on its way is in doubt, which costs look-ups and waiting, while a new connection costs some milliseconds.
const IDLE: std::time::Duration = std::time::Duration::from_secs(15);

/// reqwest over rustls with ring. HTTP/1.1 only: at a few calls a second HTTP/2 gains nothing, and its stream resets
/// make it harder to tell what has left.
#[derive(Debug)]
pub struct HttpTransport {
    client: Client,
}

impl HttpTransport {
    /// A transport with the options' connect timeout. Proxies come from the usual environment variables, except for
    /// an address on this machine.
    pub fn new(options: &ClientOptions) -> Result<Self, OptionsError> {
        install_crypto();
        let base = options.base()?;
        let mut builder = Client::builder()
            .connect_timeout(options.timeouts.connect)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .http1_only()
            .tcp_nodelay(true)
            .pool_idle_timeout(IDLE);
        if base.host_str().is_some_and(is_loopback) {
            builder = builder.no_proxy();
        }
        let client = builder
            .build()
            .map_err(|error| OptionsError::Transport { reason: chain(&error.without_url()) })?;
        Ok(Self { client })
    }
}

/// reqwest is built without a default for TLS and panics unless the process has one. Whoever installed one first,
/// another client or another library, is left alone.
fn install_crypto() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Losing a race against another thread leaves that thread's provider, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
    }
}

impl Transport for HttpTransport {
    fn exchange(
        &self,
        request: Request<Bytes>,
        limits: Limits,
    ) -> Boxed<'_, Result<Reply, TransportError>> {
        Box::pin(async move {
            let mut request = reqwest::Request::try_from(request).map_err(without_answer)?;
            *request.timeout_mut() = Some(limits.time);
            let mut response = self.client.execute(request).await.map_err(without_answer)?;
            let status = response.status().as_u16();
            let headers = std::mem::take(response.headers_mut());
            let mut body = BytesMut::new();
            let end = loop {
                match response.chunk().await {
                    Ok(Some(chunk)) if body.len() + chunk.len() > limits.body_bytes_max => {
                        break BodyEnd::TooLarge;
                    }
                    Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                    Ok(None) => break BodyEnd::Complete,
                    Err(error) if error.is_timeout() => break BodyEnd::TimedOut,
                    Err(_) => break BodyEnd::Broken,
                }
            };
            Ok(Reply { status, headers, body: body.freeze(), end })
        })
    }
}

/// Only what failed while connecting, or before, is certain not to have left.
fn without_answer(error: reqwest::Error) -> TransportError {
    let (before, late) = (error.is_connect() || error.is_builder(), error.is_timeout());
    let words = chain(&error.without_url());
    match (before, late) {
        (true, _) => TransportError::NotSent(words),
        (false, true) => TransportError::TimedOut(words),
        (false, false) => TransportError::Broken(words),
    }
}

/// The error and its causes in one line.
fn chain(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words.push_str(": ");
        words.push_str(&cause.to_string());
        source = cause.source();
    }
    words
}
