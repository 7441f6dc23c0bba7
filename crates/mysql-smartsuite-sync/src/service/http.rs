//! Listens for HTTP. A port that cannot be had is said and tried again; the syncs run whatever becomes of it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use sync_core::port::Clock;
use sync_server::{Live, ServerParts, router, serve};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::desk::ServiceDesk;
use crate::{
    environment::{HttpSettings, Listen},
    failure::Failure,
};

/// Between two attempts to listen.
const AGAIN: Duration = Duration::from_secs(30);

/// What is served, once there is an address.
pub(crate) struct Http {
    address: SocketAddr,
    parts: ServerParts,
    clock: Arc<dyn Clock>,
    /// What is listened at, until it is served.
    listener: Option<TcpListener>,
    /// Whether it was said that the address cannot be had.
    told: bool,
}

impl Http {
    /// `None`: nothing is to be listened for.
    ///
    /// # Errors
    /// The address is not this machine's own, and no token guards what is served there.
    pub(crate) fn new(
        settings: HttpSettings,
        desk: Arc<ServiceDesk>,
        live: Arc<Live>,
        clock: &Arc<dyn Clock>,
        state: std::path::PathBuf,
    ) -> Result<Option<Self>, Failure> {
        let Listen::At(address) = settings.listen else { return Ok(None) };
        if !address.ip().is_loopback() && !settings.access.is_guarded() {
            return Err(Failure::usage(
                format!("others could reach {address}, and no token would stop them"),
                "set SYNC_OPERATOR_TOKEN, for example to what `openssl rand -hex 24` prints, or listen at 127.0.0.1",
            ));
        }
        let parts = ServerParts {
            desk,
            live,
            clock: Arc::clone(clock),
            state,
            access: settings.access,
            version: env!("CARGO_PKG_VERSION"),
            ending: CancellationToken::new(),
        };
        let clock = Arc::clone(clock);
        Ok(Some(Self { address, parts, clock, listener: None, told: false }))
    }

    /// Listens, if the address can be had: whoever connects from now on is heard as soon as it is served.
    pub(crate) async fn listen(&mut self) {
        match TcpListener::bind(self.address).await {
            Ok(listener) => {
                let address = listener.local_addr().unwrap_or(self.address);
                tracing::info!("pages and triggers at http://{address}/");
                if !self.parts.access.is_guarded() {
                    tracing::info!(
                        hint = "SYNC_OPERATOR_TOKEN asks for a token",
                        "everybody on this machine may look at them and use them"
                    );
                }
                self.listener = Some(listener);
            }
            Err(error) => {
                if !std::mem::replace(&mut self.told, true) {
                    tracing::error!(
                        code = "http_port",
                        hint = "end the program that listens there, or give another address by `--listen`; it is tried again",
                        "no pages and no triggers: {} cannot be listened at: {error}; the syncs run all the same",
                        self.address
                    );
                }
            }
        }
    }

    /// Serves until `ending` is cancelled. Where nothing is listened at yet, that is tried again.
    pub(crate) async fn keep(mut self, ending: CancellationToken) {
        let listener = loop {
            if let Some(listener) = self.listener.take() {
                break listener;
            }
            tokio::select! {
                biased;
                () = ending.cancelled() => return,
                () = self.clock.sleep(AGAIN) => {}
            }
            self.listen().await;
        };
        self.parts.ending = ending.clone();
        serve(listener, router(self.parts), ending).await;
    }
}
