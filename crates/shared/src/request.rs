//! Request ids: anything can be sent twice, nothing happens twice.
//!
//! A changing method claims its request id in the transaction that makes the change. The first claim goes on
//! and leaves its answer beside the change; a later one with the same content is given that answer; one with
//! other content is refused.
//!
//! ```ignore
//! let tx = db.begin().await?;
//! let claim = match request::claim(&tx, &key, clock.now()).await? {
//!     Claimed::First(claim) => claim,
//!     Claimed::Again(answer) => return Ok(answer),
//! };
//! // lock, decide, save, tell
//! claim.answer(&tx, &response).await?;
//! tx.commit().await?;
//! ```
//!
//! Two at once: the second claim waits until the first transaction has ended, then sees its answer or, if it
//! rolled back, is first.

use std::time::Duration;

use aws_lc_rs::digest;
use chrono::TimeDelta;
use prost::Message;
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, TryInsertResult};
use tokio_util::sync::CancellationToken;
use tonic::Status;
use uuid::Uuid;

use crate::clock::SharedClock;
use crate::db::{Db, Error as DbError, Tx};
use crate::status;
use crate::value::Moment;

/// How long an answer is kept: a repeat after that would happen again.
pub const KEPT: TimeDelta = TimeDelta::days(30);

/// What one request is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey {
    caller: String,
    method: &'static str,
    request_id: Uuid,
    fingerprint: [u8; 32],
}

impl RequestKey {
    /// The key of a request.
    ///
    /// `caller` is who asks, so that nobody can ask for another's answer; `method` the RPC's name; `content`
    /// the message without its request id, of which only a SHA-256 is kept.
    #[must_use]
    pub fn new(caller: &str, method: &'static str, request_id: Uuid, content: &impl Message) -> Self {
        let digest = digest::digest(&digest::SHA256, &content.encode_to_vec());
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(digest.as_ref());
        Self { caller: caller.to_owned(), method, request_id, fingerprint }
    }
}

/// Why a claim was not given.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request id was used before, for another content.
    #[error("request id {0} was used for another content")]
    Reused(Uuid),
    /// The database did not do it, or the stored answer is broken.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        match error {
            Error::Reused(_) => status::reused(),
            Error::Database(error) => error.into(),
        }
    }
}

/// The outcome of a claim.
#[derive(Debug)]
pub enum Claimed<R> {
    /// Nobody did this before: do it, and leave the answer.
    First(Claim),
    /// It was done before: this was the answer.
    Again(R),
}

/// The right to do it, and the duty to leave an answer before the commit.
#[derive(Debug)]
#[must_use = "without an answer every repeat of this request would be an error"]
pub struct Claim {
    key: RequestKey,
}

/// Claims a request id in `tx`.
///
/// # Errors
/// [`Error::Reused`] for other content; [`Error::Database`] else.
pub async fn claim<R: Message + Default>(
    tx: &Tx,
    key: &RequestKey,
    now: Moment,
) -> Result<Claimed<R>, Error> {
    let row = entity::ActiveModel {
        caller: Set(key.caller.clone()),
        method: Set(key.method.to_owned()),
        request_id: Set(key.request_id),
        fingerprint: Set(key.fingerprint.to_vec()),
        answer: Set(None),
        created_at: Set(now),
    };
    let columns = [entity::Column::Caller, entity::Column::Method, entity::Column::RequestId];
    let inserted = entity::Entity::insert(row)
        .on_conflict_do_nothing_on(columns)
        .exec_without_returning(tx)
        .await
        .map_err(DbError::from)?;
    if matches!(inserted, TryInsertResult::Inserted(1..)) {
        return Ok(Claimed::First(Claim { key: key.clone() }));
    }
    // A new statement sees what the transaction we waited for has committed.
    let inconsistent = |why: &str| DbError::inconsistent("request", key.request_id, why);
    let stored = entity::Entity::find_by_id((key.caller.clone(), key.method.to_owned(), key.request_id))
        .one(tx)
        .await
        .map_err(DbError::from)?
        .ok_or_else(|| inconsistent("neither free nor there"))?;
    if stored.fingerprint != key.fingerprint {
        return Err(Error::Reused(key.request_id));
    }
    let answer = stored.answer.ok_or_else(|| inconsistent("committed without an answer"))?;
    let answer = R::decode(answer.as_slice()).map_err(|_| inconsistent("its answer is of another method"))?;
    Ok(Claimed::Again(answer))
}

impl Claim {
    /// Leaves the answer that every repeat will get. Last step before the commit.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn answer(self, tx: &Tx, answer: &impl Message) -> Result<(), DbError> {
        let row = entity::ActiveModel {
            caller: Set(self.key.caller),
            method: Set(self.key.method.to_owned()),
            request_id: Set(self.key.request_id),
            answer: Set(Some(answer.encode_to_vec())),
            ..Default::default()
        };
        entity::Entity::update(row).exec(tx).await?;
        Ok(())
    }

    /// Gives the right back without an answer: what the transaction keeps is only that it was refused. A repeat is judged anew.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn give_up(self, tx: &Tx) -> Result<(), DbError> {
        let id = (self.key.caller, self.key.method.to_owned(), self.key.request_id);
        entity::Entity::delete_by_id(id).exec(tx).await?;
        Ok(())
    }
}

/// Forgets the answers that are older than [`KEPT`]; gives how many.
///
/// # Errors
/// When the database refuses.
pub async fn purge(db: &Db, now: Moment) -> Result<u64, DbError> {
    let tx = db.begin().await?;
    let old = entity::Column::CreatedAt.lt(now - KEPT);
    let purged = entity::Entity::delete_many().filter(old).exec(&tx).await?;
    tx.commit().await?;
    Ok(purged.rows_affected)
}

/// How often [`forget`] looks.
const FORGET_INTERVAL: Duration = Duration::from_secs(60 * 60);

/// Forgets old answers until `stop`: a job of every service.
pub async fn forget(db: Db, clock: SharedClock, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(FORGET_INTERVAL)).await.is_some() {
        match purge(&db, clock.now()).await {
            Ok(count) => tracing::debug!(count, "{count} old request ids were forgotten"),
            Err(error) => tracing::warn!(%error, "old request ids could not be forgotten: {error}"),
        }
    }
}

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "request")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub caller: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub method: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub request_id: Uuid,
        pub fingerprint: Vec<u8>,
        pub answer: Option<Vec<u8>>,
        pub created_at: ChronoDateTimeUtc,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
