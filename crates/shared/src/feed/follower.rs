//! Following another service's feed.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::DateTime;
use futures::FutureExt as _;
use opentelemetry::KeyValue;
use opentelemetry::metrics::Gauge;
use prost::Message;
use proto::feed::v1::feed_service_client::FeedServiceClient;
use proto::feed::v1::{Event, TailRequest};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait as _, EntityTrait as _, IntoActiveModel as _, QuerySelect as _};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::client::GrpcService;
use tonic::codegen::{Body as HttpBody, Bytes, StdError};
use tonic::{Code, Status};
use tracing::Instrument as _;
use uuid::Uuid;

use super::entity::cursor;
use super::trace;
use crate::db::{Backoff, Db, Error, Tx};
use crate::status;
use crate::value::{District, Id, Moment};

/// What a service does when another tells it something.
#[async_trait]
pub trait Consumer: Send + Sync + 'static {
    /// The `Event` message of the service that tells.
    type Event: Message + Default;

    /// Makes the event take effect, in `tx` and nowhere else: the cursor moves in the same transaction.
    ///
    /// No call to another service or to the outside from here. What must be called is written down as a row,
    /// and a job does it.
    ///
    /// # Errors
    /// ABORTED, UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED and RESOURCE_EXHAUSTED are tried again until they
    /// pass. Every other refusal says that this event cannot be understood: the consumer stops there, loudly,
    /// and no later event is heard.
    async fn apply(&self, tx: &Tx, told: &Told, event: Self::Event) -> Result<(), Status>;
}

/// Where an event comes from, beside its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The event's id.
    pub id: Uuid,
    /// Its place in the feed, from 1 up, without gaps.
    pub position: i64,
    /// The district it happened in.
    pub district_id: Id<District>,
    /// What it is about.
    pub subject_id: Uuid,
    /// Its name, for logs.
    pub name: String,
    /// When it happened, by the telling service's clock.
    pub happened_at: Moment,
}

/// Why a consumer stopped for good.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// An event could not be applied. Nothing after it was.
    #[error("event {position} ({name}) of feed {feed} cannot be applied: {why}")]
    Poison {
        /// The feed.
        feed: &'static str,
        /// The event's position.
        position: i64,
        /// The event's name.
        name: String,
        /// The refusal, without personal data.
        why: String,
    },
    /// The cursor is not a position of the feed: one of the two databases was set back.
    #[error("the cursor {position} is not in feed {feed}: {why}")]
    Lost {
        /// The feed.
        feed: &'static str,
        /// The cursor.
        position: i64,
        /// What the other side says.
        why: String,
    },
}

/// What a consumer is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Not connected to the feed, or not yet.
    #[default]
    Connecting,
    /// Connected; applies what comes.
    Following,
    /// Stopped by an event it cannot apply. Only a restart tries it again.
    Stopped,
}

/// How far a consumer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// What it is doing.
    pub state: State,
    /// The last position applied.
    pub applied: i64,
    /// The last position the feed is known to have.
    pub last: i64,
}

impl Standing {
    /// How many events are told but not applied, as far as known.
    #[must_use]
    pub fn lag(&self) -> i64 {
        (self.last - self.applied).max(0)
    }
}

/// A view of how far a consumer is, for health and tests. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Progress(watch::Receiver<Standing>);

impl Progress {
    /// How far it is now.
    #[must_use]
    pub fn standing(&self) -> Standing {
        *self.0.borrow()
    }

    /// Says whether it has not stopped.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.standing().state != State::Stopped
    }

    /// Waits until `reached` holds; gives what held then, or the last standing when the consumer has ended
    /// before.
    pub async fn wait_for(&mut self, reached: impl FnMut(&Standing) -> bool) -> Standing {
        let reached = self.0.wait_for(reached).await.map(|standing| *standing);
        reached.unwrap_or_else(|_| self.standing())
    }
}

/// Follows one feed for one consumer.
pub struct Follower<S, C> {
    consumer_name: &'static str,
    feed: &'static str,
    client: FeedServiceClient<S>,
    db: Db,
    consumer: C,
    standing: Arc<watch::Sender<Standing>>,
    lag: Gauge<i64>,
}

/// How an attempt to follow ended.
enum Ended {
    Stop,
    Interrupted(Status),
    Failed(FollowError),
}

impl<S, C> Follower<S, C>
where
    S: GrpcService<Body> + Send + Sync + 'static,
    S::Error: Into<StdError>,
    S::Future: Send,
    S::ResponseBody: HttpBody<Data = Bytes> + Send + 'static,
    <S::ResponseBody as HttpBody>::Error: Into<StdError> + Send,
    C: Consumer,
{
    /// Prepares to follow `feed` (the telling service's name) through `channel`, as `consumer_name` (the
    /// hearing service's name, with a suffix if it hears the same feed twice). The cursor is kept in `db`
    /// under these two names.
    ///
    /// `channel` needs HTTP/2 keep-alive, or a peer that vanished is not noticed.
    pub fn new(consumer_name: &'static str, feed: &'static str, channel: S, db: Db, consumer: C) -> Self {
        let lag = opentelemetry::global::meter("kehou")
            .i64_gauge("kehou.feed.lag")
            .with_description("Events told by a feed and not applied yet by a consumer.")
            .build();
        let standing = Arc::new(watch::Sender::new(Standing::default()));
        Self { consumer_name, feed, client: FeedServiceClient::new(channel), db, consumer, standing, lag }
    }

    /// How far it is, now and later.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress(self.standing.subscribe())
    }

    /// Follows until `stop`. Connects again, with growing waits, whenever the feed or the own database is
    /// away.
    ///
    /// # Errors
    /// [`FollowError`], already logged, when an event cannot be applied. To go on is a decision for people.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), FollowError> {
        let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(10));
        loop {
            let before = self.standing.borrow().applied;
            match self.follow(&stop).await {
                Ended::Stop => return Ok(()),
                Ended::Interrupted(status) => {
                    let (code, message) = (status.code(), status.message());
                    let feed = self.feed;
                    tracing::warn!(
                        feed,
                        ?code,
                        "feed {feed} was interrupted ({code:?} {message}); connecting again"
                    );
                }
                Ended::Failed(error) => {
                    self.stand(|standing| standing.state = State::Stopped);
                    tracing::error!(feed = self.feed, %error, "consumer {} stopped: {error}", self.consumer_name);
                    return Err(error);
                }
            }
            self.stand(|standing| standing.state = State::Connecting);
            if self.standing.borrow().applied > before {
                backoff.reset();
            }
            if stop.run_until_cancelled(tokio::time::sleep(backoff.next())).await.is_none() {
                return Ok(());
            }
        }
    }

    async fn follow(&mut self, stop: &CancellationToken) -> Ended {
        let cursor = match self.cursor().await {
            Ok(cursor) => cursor,
            Err(error) => return Ended::Interrupted(error.into()),
        };
        self.stand(|standing| standing.applied = cursor);
        let request = TailRequest { consumer: self.consumer_name.to_owned(), after_position: cursor };
        let Some(opened) = stop.run_until_cancelled(self.client.tail(request)).await else {
            return Ended::Stop;
        };
        let mut events = match opened {
            Ok(response) => response.into_inner(),
            Err(status) if status.code() == Code::OutOfRange => {
                let why = status.message().to_owned();
                return Ended::Failed(FollowError::Lost { feed: self.feed, position: cursor, why });
            }
            Err(status) => return Ended::Interrupted(status),
        };
        self.stand(|standing| standing.state = State::Following);
        loop {
            let Some(received) = stop.run_until_cancelled(events.message()).await else {
                return Ended::Stop;
            };
            let response = match received {
                Ok(Some(response)) => response,
                Ok(None) => return Ended::Interrupted(Status::unavailable("the feed ended")),
                Err(status) => return Ended::Interrupted(status),
            };
            self.stand(|standing| standing.last = response.last_position);
            for event in response.events {
                // Checked between events: one that has begun is finished.
                if stop.is_cancelled() {
                    return Ended::Stop;
                }
                if let Err(ended) = self.take(event, stop).await {
                    return ended;
                }
            }
        }
    }

    /// Applies one event, again and again while only circumstances are against it.
    async fn take(&self, event: Event, stop: &CancellationToken) -> Result<(), Ended> {
        let (position, name) = (event.position, event.name.clone());
        let poison = |why: String| {
            Ended::Failed(FollowError::Poison { feed: self.feed, position, name: name.clone(), why })
        };
        let traceparent = event.traceparent.clone();
        let (told, payload) = read(event).map_err(|why| poison(why.to_owned()))?;
        let mut backoff = Backoff::new(Duration::from_millis(10), Duration::from_secs(10));
        loop {
            let span = tracing::info_span!(
                "consume",
                feed = self.feed,
                event.name = told.name,
                event.id = %told.id,
                event.position = position,
            );
            trace::join(&span, &traceparent);
            let apply = AssertUnwindSafe(self.apply(&told, &payload).instrument(span)).catch_unwind();
            match apply.await {
                Ok(Ok(())) => {
                    self.stand(|standing| standing.applied = position);
                    return Ok(());
                }
                Ok(Err(status)) if is_passing(&status) => {
                    let (feed, code) = (self.feed, status.code());
                    tracing::warn!(
                        feed,
                        position,
                        ?code,
                        "event {position} of feed {feed} is tried again ({code:?})"
                    );
                }
                Ok(Err(status)) => return Err(poison(format!("{:?} {}", status.code(), status.message()))),
                Err(panic) => return Err(poison(format!("panic: {}", panic_text(panic.as_ref())))),
            }
            if stop.run_until_cancelled(tokio::time::sleep(backoff.next())).await.is_none() {
                return Err(Ended::Stop);
            }
        }
    }

    /// Applies one event and moves the cursor, in one transaction.
    async fn apply(&self, told: &Told, payload: &[u8]) -> Result<(), Status> {
        let event = C::Event::decode(payload).map_err(|error| {
            Status::invalid_argument(format!("the payload is not of this message: {error}"))
        })?;
        let tx = self.db.begin().await?;
        let cursor = cursor::Entity::find_by_id((self.consumer_name.to_owned(), self.feed.to_owned()))
            .lock_exclusive()
            .one(&tx)
            .await
            .map_err(status::database)?
            .ok_or_else(|| Error::inconsistent("feed_cursor", self.feed, "missing"))?;
        if told.position <= cursor.position {
            // Another replica was faster.
            return Ok(());
        }
        if told.position != cursor.position + 1 {
            let why = format!("event {} came after event {}", told.position, cursor.position);
            return Err(Status::data_loss(why));
        }
        self.consumer.apply(&tx, told, event).await?;
        let mut cursor = cursor.into_active_model();
        cursor.position = Set(told.position);
        cursor.update(&tx).await.map_err(status::database)?;
        tx.commit().await?;
        Ok(())
    }

    /// The last position applied; makes the cursor's row if there is none.
    async fn cursor(&self) -> Result<i64, Error> {
        let key = (self.consumer_name.to_owned(), self.feed.to_owned());
        if let Some(row) = cursor::Entity::find_by_id(key).one(self.db.read()).await? {
            return Ok(row.position);
        }
        let row = cursor::ActiveModel {
            consumer: Set(self.consumer_name.to_owned()),
            feed: Set(self.feed.to_owned()),
            position: Set(0),
        };
        let tx = self.db.begin().await?;
        cursor::Entity::insert(row)
            .on_conflict_do_nothing_on([cursor::Column::Consumer, cursor::Column::Feed])
            .exec_without_returning(&tx)
            .await?;
        tx.commit().await?;
        Ok(0)
    }

    fn stand(&self, change: impl FnOnce(&mut Standing)) {
        self.standing.send_modify(change);
        let labels = [KeyValue::new("consumer", self.consumer_name), KeyValue::new("feed", self.feed)];
        self.lag.record(self.standing.borrow().lag(), &labels);
    }
}

/// Says whether a refusal is about circumstances, which pass, and not about the event.
fn is_passing(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Aborted
            | Code::Unavailable
            | Code::DeadlineExceeded
            | Code::Cancelled
            | Code::ResourceExhausted
    )
}

/// Reads the envelope.
fn read(event: Event) -> Result<(Told, Vec<u8>), &'static str> {
    let create_time = event.create_time.ok_or("it has no time")?;
    let nanoseconds = u32::try_from(create_time.nanos).map_err(|_| "its time is broken")?;
    let told = Told {
        id: event.id.parse().map_err(|_| "its id is no UUID")?,
        position: event.position,
        district_id: event.district_id.parse().map_err(|_| "its district is no UUID")?,
        subject_id: event.subject_id.parse().map_err(|_| "its subject is no UUID")?,
        name: event.name,
        happened_at: DateTime::from_timestamp(create_time.seconds, nanoseconds)
            .ok_or("its time is broken")?,
    };
    Ok((told, event.payload))
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without words")
}
