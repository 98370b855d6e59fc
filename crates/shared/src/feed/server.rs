//! Offering a feed to other services.

use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use prost::Message as _;
use proto::feed::v1::feed_service_server::{FeedService, FeedServiceServer};
use proto::feed::v1::{TailRequest, TailResponse};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status};

use super::Feed;
use crate::caller;
use crate::db::Error;
use crate::status;
use crate::value::Violations;

/// The most events in one response.
const EVENTS: u64 = 500;

/// The most bytes of events in one response: well below the 4 MiB that a client takes.
const BYTES: usize = 1 << 20;

/// How often a waiting call looks for itself, when every hint is lost.
const POLL: Duration = Duration::from_secs(1);

/// `kehou.feed.v1.FeedService` over one feed. For services only.
#[derive(Clone, Debug)]
pub struct FeedServer {
    feed: Feed,
    hearers: &'static [&'static str],
    stop: CancellationToken,
}

impl FeedServer {
    /// Offers `feed` to the services named in `hearers`; open calls end at `stop`, else a server could never
    /// drain.
    #[must_use]
    pub fn new(feed: Feed, hearers: &'static [&'static str], stop: CancellationToken) -> Self {
        Self { feed, hearers, stop }
    }

    /// The gRPC service, to be added to a server.
    #[must_use]
    pub fn into_service(self) -> FeedServiceServer<Self> {
        FeedServiceServer::new(self)
    }
}

#[tonic::async_trait]
impl FeedService for FeedServer {
    type TailStream = BoxStream<'static, Result<TailResponse, Status>>;

    async fn tail(&self, request: Request<TailRequest>) -> Result<Response<Self::TailStream>, Status> {
        caller::of(&request).service(self.hearers)?;
        let TailRequest { consumer, after_position } = request.into_inner();
        let mut violations = Violations::default();
        violations.text("consumer", &consumer, 1, 64);
        violations.check("after_position", after_position >= 0, "must not be negative");
        if !violations.is_empty() {
            return Err(status::invalid(&violations));
        }
        let last_position = self.feed.last_position().await?;
        if after_position > last_position {
            // One of the two databases was set back, by a restored backup. Going on would skip or repeat
            // events silently.
            tracing::error!(
                consumer,
                after_position,
                last_position,
                "{consumer} has heard {after_position} events of this feed, which has told {last_position}"
            );
            let facts = format!("the last position is {last_position}");
            return Err(Status::new(Code::OutOfRange, facts));
        }
        tracing::debug!(consumer, after_position, "{consumer} follows this feed");
        let tail =
            Tail { feed: self.feed.clone(), changed: self.feed.last.subscribe(), position: after_position };
        let stream = stream::unfold(Some(tail), |tail| async {
            let mut tail = tail?;
            match tail.next().await {
                Ok(response) => Some((Ok(response), Some(tail))),
                Err(error) => Some((Err(error.into()), None)),
            }
        });
        Ok(Response::new(stream.take_until(self.stop.clone().cancelled_owned()).boxed()))
    }
}

/// One open call.
struct Tail {
    feed: Feed,
    changed: watch::Receiver<i64>,
    position: i64,
}

impl Tail {
    /// Waits for the next events.
    async fn next(&mut self) -> Result<TailResponse, Error> {
        loop {
            // Marked before looking: what comes in between wakes us.
            self.changed.borrow_and_update();
            let mut events = self.feed.after(self.position, EVENTS).await?;
            truncate(&mut events);
            if let Some(last) = events.last() {
                self.position = last.position;
                let last_position = self.feed.last_position().await?.max(self.position);
                return Ok(TailResponse { events, last_position });
            }
            // The sender lives in `feed`; whether it changed or time ran out, look again.
            let _ = tokio::time::timeout(POLL, self.changed.changed()).await;
        }
    }
}

/// Leaves at most [`BYTES`] of events, but at least one.
fn truncate(events: &mut Vec<proto::feed::v1::Event>) {
    let mut bytes = 0;
    let fitting = events.iter().take_while(|event| {
        bytes += event.encoded_len();
        bytes <= BYTES
    });
    let count = fitting.count().max(1);
    events.truncate(count);
}
