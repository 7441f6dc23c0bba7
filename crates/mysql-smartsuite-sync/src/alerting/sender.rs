//! Sends messages, each by one way, within a bound of time.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message as Mail, Tokio1Executor,
    message::{Mailbox, header::ContentType},
    transport::smtp::{
        authentication::Credentials,
        client::{Tls, TlsParameters},
    },
};
use reqwest::{Client, Method, Url, redirect};
use serde_json::Value;
use sync_core::{
    alert::{AlertDefinition, MailDefinition, MailSecurity, Message},
    port::Clock,
    secret::Secret,
};

use super::{address::resolved, form};

/// How long one message may take, whatever hangs.
const LIMIT: Duration = Duration::from_secs(20);

/// Sends messages.
#[derive(Clone)]
pub(crate) struct Sender {
    definition: Arc<AlertDefinition>,
    clock: Arc<dyn Clock>,
}

impl Sender {
    /// By the ways of a definition.
    pub(crate) fn new(definition: AlertDefinition, clock: Arc<dyn Clock>) -> Self {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // Losing a race against another thread leaves that thread's provider, which is as good.
            drop(rustls::crypto::ring::default_provider().install_default());
        }
        Self { definition: Arc::new(definition), clock }
    }

    /// The ways that are set.
    pub(crate) fn channels(&self) -> Vec<&'static str> {
        self.definition.channels()
    }

    /// Sends a message.
    ///
    /// # Errors
    /// Why it could not be sent, in words that hold no secret.
    pub(crate) async fn send(&self, channel: &str, message: &Message) -> Result<(), String> {
        let definition = &self.definition;
        let post = |url: &Secret, token: Option<&Secret>, body| {
            let (url, token) = (url.clone(), token.cloned());
            async move { self.call(Method::POST, &url, token.as_ref(), Some(body)).await }
        };
        let sent = async {
            match channel {
                "email" => match &definition.email {
                    Some(mail) => self.mail(mail, message).await,
                    None => Ok(()),
                },
                "slack" => match &definition.slack {
                    Some(url) => post(url, None, form::slack(message)).await,
                    None => Ok(()),
                },
                "teams" => match &definition.teams {
                    Some(url) => post(url, None, form::teams(message)).await,
                    None => Ok(()),
                },
                _ => match &definition.webhook {
                    Some(webhook) => {
                        post(&webhook.url, webhook.token.as_ref(), form::plain(message)).await
                    }
                    None => Ok(()),
                },
            }
        };
        self.within(sent).await
    }

    /// Tells the keeper of the heartbeat that this service lives.
    ///
    /// # Errors
    /// As in [`Sender::send`].
    pub(crate) async fn beat(&self) -> Result<(), String> {
        let Some(heartbeat) = &self.definition.heartbeat else { return Ok(()) };
        self.within(self.call(Method::GET, &heartbeat.url, None, None)).await
    }

    async fn within(&self, sent: impl Future<Output = Result<(), String>>) -> Result<(), String> {
        tokio::select! {
            biased;
            sent = sent => sent,
            () = self.clock.sleep(LIMIT) => Err("no answer in time".to_owned()),
        }
    }

    /// One HTTP request to an address that was checked; no redirect is followed.
    async fn call(
        &self,
        method: Method,
        url: &Secret,
        token: Option<&Secret>,
        body: Option<Value>,
    ) -> Result<(), String> {
        let url: Url = url.expose().parse().map_err(|_| "the address cannot be understood")?;
        let host = url.host_str().ok_or("the address has no host")?;
        let port = url.port_or_known_default().ok_or("the address has no port")?;
        let addresses = resolved(host, port, self.definition.allow_internal).await?;
        let mut request = client(host, &addresses)?.request(method, url);
        if let Some(token) = token {
            request = request.bearer_auth(token.expose());
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.map_err(words)?;
        let status = answer.status();
        if status.is_success() { Ok(()) } else { Err(format!("answered {}", status.as_u16())) }
    }

    async fn mail(&self, mail: &MailDefinition, message: &Message) -> Result<(), String> {
        let addresses = resolved(&mail.server, mail.port, self.definition.allow_internal).await?;
        let address = addresses.first().ok_or("the host is not known")?;
        let tls = || TlsParameters::new(mail.server.clone()).map_err(|error| error.to_string());
        let tls = match mail.security {
            MailSecurity::StartTls => Tls::Required(tls()?),
            MailSecurity::Tls => Tls::Wrapper(tls()?),
            MailSecurity::None => Tls::None,
        };
        let mut transport =
            AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(address.ip().to_string())
                .port(mail.port)
                .timeout(Some(LIMIT))
                .tls(tls);
        if let Some((user, password)) = &mail.login {
            transport =
                transport.credentials(Credentials::new(user.clone(), password.expose().to_owned()));
        }
        let mailbox = |text: &str| -> Result<Mailbox, String> {
            text.parse().map_err(|_| "a mail address cannot be understood".to_owned())
        };
        let mut builder = Mail::builder()
            .from(mailbox(&mail.from)?)
            .subject(format!("{}: {}", form::SENDER, message.title()))
            .message_id(None)
            .header(ContentType::TEXT_PLAIN);
        for to in &mail.to {
            builder = builder.to(mailbox(to)?);
        }
        let mail =
            builder.body(format!("{}\n", message.text())).map_err(|error| error.to_string())?;
        transport.build().send(mail).await.map(drop).map_err(|error| {
            use std::error::Error as _;
            match error.source() {
                Some(cause) => format!("{error}: {cause}"),
                None => error.to_string(),
            }
        })
    }
}

/// Connects to these addresses, whatever the name leads to by then, and follows no redirect.
pub(super) fn client(host: &str, addresses: &[SocketAddr]) -> Result<Client, String> {
    Client::builder()
        .redirect(redirect::Policy::none())
        .referer(false)
        .http1_only()
        .no_proxy()
        .resolve_to_addrs(host, addresses)
        .build()
        .map_err(words)
}

/// What went wrong, without the address: it may be a secret.
fn words(error: reqwest::Error) -> String {
    use std::error::Error as _;
    let error = error.without_url();
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words.push_str(": ");
        words.push_str(&cause.to_string());
        source = cause.source();
    }
    words
}
