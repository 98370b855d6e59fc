//! Sessions at the edge: the opaque token people send becomes a short-lived caller token the services verify.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use proto::identity::v1::ExchangeSessionRequest;
use proto::identity::v1::identity_service_client::IdentityServiceClient;
use shared::client::Link;
use shared::clock::SharedClock;
use shared::value::Moment;

use crate::Edge;
use crate::problem::Refusal;

/// A caller token is thrown away this long before it ends, so that it outlives the calls it is sent with.
const MARGIN: Duration = Duration::from_secs(20);

/// Session tokens, by hash → the caller token they were exchanged for.
pub struct Sessions {
    identity: Link,
    clock: SharedClock,
    known: moka::future::Cache<[u8; 32], Exchanged>,
}

/// A caller token and when to stop using it.
#[derive(Clone)]
struct Exchanged {
    caller_token: Arc<str>,
    until: Moment,
}

impl Sessions {
    /// Exchanges at `identity`, in the gateway's own name.
    #[must_use]
    pub fn new(identity: Link, clock: SharedClock) -> Self {
        let known = moka::future::Cache::builder()
            .max_capacity(200_000)
            .time_to_live(Duration::from_secs(600))
            .build();
        Self { identity, clock, known }
    }

    /// The caller token of a session that was exchanged before, as long as it is good.
    pub async fn remembered(&self, session_token: &str) -> Option<Arc<str>> {
        let known = self.known.get(&fingerprint(session_token)).await?;
        (self.clock.now() < known.until).then_some(known.caller_token)
    }

    /// Gives the caller token of a session, exchanged once and then remembered until shortly before it ends.
    ///
    /// # Errors
    /// `SESSION_ENDED` when identity does not know the session.
    pub async fn exchange(&self, session_token: &str) -> Result<Arc<str>, Refusal> {
        let key = fingerprint(session_token);
        if let Some(known) = self.known.get(&key).await {
            if self.clock.now() < known.until {
                return Ok(known.caller_token);
            }
            self.known.invalidate(&key).await;
        }
        // Callers who come together with one session wait for one exchange; a refusal is not remembered.
        let exchanged = self.known.try_get_with(key, self.ask(session_token)).await;
        exchanged.map(|exchanged| exchanged.caller_token).map_err(|refusal| (*refusal).clone())
    }

    async fn ask(&self, session_token: &str) -> Result<Exchanged, Refusal> {
        let request = ExchangeSessionRequest { session_token: session_token.to_owned() };
        let answer =
            IdentityServiceClient::new(self.identity.clone()).exchange_session(request).await?.into_inner();
        let ends_at = crate::convert::moment(answer.expire_time).unwrap_or_else(|| self.clock.now());
        Ok(Exchanged { caller_token: answer.caller_token.into(), until: ends_at - MARGIN })
    }

    /// Forgets a session's caller token: what the caller may reach has just changed, or the session ended.
    pub async fn forget(&self, session_token: &str) {
        self.known.invalidate(&fingerprint(session_token)).await;
    }
}

fn fingerprint(token: &str) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    out
}

/// The caller of a request who must be signed in.
pub struct Session {
    /// The opaque token the caller sent.
    pub token: Arc<str>,
    /// The signed token for the services.
    pub caller_token: Arc<str>,
}

/// The caller of a request who may be signed in.
pub struct MaybeSession(pub Option<Session>);

impl Session {
    /// The way to a service in this caller's name.
    #[must_use]
    pub fn link(&self, link: &Link) -> Link {
        link.as_caller(self.caller_token.clone())
    }
}

impl MaybeSession {
    /// The way to a service in this caller's name, or in nobody's.
    #[must_use]
    pub fn link(&self, edge: &Edge, pick: impl Fn(&crate::Links) -> &Link) -> Link {
        match &self.0 {
            Some(session) => session.link(pick(&edge.links)),
            None => pick(&edge.public).clone(),
        }
    }
}

/// The bearer token of a request.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

impl FromRequestParts<Edge> for Session {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Refusal> {
        let token = bearer(&parts.headers)
            .ok_or_else(|| Refusal::new(StatusCode::UNAUTHORIZED, "SESSION_REQUIRED"))?;
        let caller_token = match edge.sessions.remembered(token).await {
            Some(caller_token) => caller_token,
            None => {
                edge.door.let_stranger_in(&parts.extensions).await?;
                edge.sessions.exchange(token).await?
            }
        };
        Ok(Self { token: token.into(), caller_token })
    }
}

impl FromRequestParts<Edge> for MaybeSession {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Refusal> {
        if parts.headers.contains_key(header::AUTHORIZATION) {
            return Session::from_request_parts(parts, edge).await.map(|session| Self(Some(session)));
        }
        Ok(Self(None))
    }
}
