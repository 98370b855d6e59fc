//! Request ids, on both databases.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use proto::feed::v1::TailRequest;
use sea_orm::{ConnectionTrait as _, Statement};
use sea_orm_migration::prelude::{MigrationTrait, MigratorTrait};
use shared::db::{Db, migration};
use shared::request::{self, Claimed, Error, RequestKey};
use shared::value::Moment;
use shared::{random, testing};
use tonic::{Code, Status};
use uuid::Uuid;

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        migration::shared()
    }
}

/// Any message does for content and answer.
fn message(position: i64) -> TailRequest {
    TailRequest { consumer: "billing".to_owned(), after_position: position }
}

fn now() -> Moment {
    testing::moment("2026-09-01T12:00:00+08:00")
}

fn request_id() -> Uuid {
    random::uuid(now())
}

/// A changing method: its change is the claim itself, its answer a number.
async fn method(db: &Db, key: &RequestKey, answer: i64) -> Result<(bool, i64), Error> {
    let tx = db.begin().await?;
    let claim = match request::claim::<TailRequest>(&tx, key, now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok((false, answer.after_position)),
    };
    tokio::time::sleep(Duration::from_millis(5)).await;
    claim.answer(&tx, &message(answer)).await?;
    tx.commit().await?;
    Ok((true, answer))
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer() {
    for db in testing::each_database::<Migrator>().await {
        let key = RequestKey::new("guardian:1", "HoldSeat", request_id(), &message(7));

        assert_eq!(method(&db, &key, 1).await.unwrap(), (true, 1));
        assert_eq!(method(&db, &key, 2).await.unwrap(), (false, 1));
    }
}

#[tokio::test]
async fn other_content_is_refused() {
    for db in testing::each_database::<Migrator>().await {
        let id = request_id();
        method(&db, &RequestKey::new("guardian:1", "HoldSeat", id, &message(7)), 1).await.unwrap();

        let error =
            method(&db, &RequestKey::new("guardian:1", "HoldSeat", id, &message(8)), 2).await.unwrap_err();

        assert!(matches!(error, Error::Reused(reused) if reused == id));
        let status = Status::from(error);
        assert_eq!(status.code(), Code::AlreadyExists);
        assert_eq!(shared::status::reason_of(&status).as_deref(), Some("REQUEST_ID_REUSED"));
    }
}

#[tokio::test]
async fn the_same_id_of_another_caller_or_method_is_another_request() {
    for db in testing::each_database::<Migrator>().await {
        let id = request_id();
        for (caller, name) in
            [("guardian:1", "HoldSeat"), ("guardian:2", "HoldSeat"), ("guardian:1", "ReleaseSeat")]
        {
            let key = RequestKey::new(caller, name, id, &message(7));
            assert!(method(&db, &key, 1).await.unwrap().0, "{caller} {name}");
        }
    }
}

#[tokio::test]
async fn a_change_that_is_rolled_back_leaves_the_request_free() {
    for db in testing::each_database::<Migrator>().await {
        let key = RequestKey::new("guardian:1", "HoldSeat", request_id(), &message(7));
        let tx = db.begin().await.unwrap();
        let claimed = request::claim::<TailRequest>(&tx, &key, now()).await.unwrap();
        assert!(matches!(claimed, Claimed::First(_)));
        drop(tx);

        assert_eq!(method(&db, &key, 2).await.unwrap(), (true, 2));
    }
}

#[tokio::test]
async fn a_change_committed_without_an_answer_is_an_inconsistent_row() {
    for db in testing::each_database::<Migrator>().await {
        let key = RequestKey::new("guardian:1", "HoldSeat", request_id(), &message(7));
        let tx = db.begin().await.unwrap();
        let _claimed = request::claim::<TailRequest>(&tx, &key, now()).await.unwrap();
        tx.commit().await.unwrap();

        let error = method(&db, &key, 2).await.unwrap_err();

        assert_eq!(Status::from(error).code(), Code::Internal);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_at_once_happen_once() {
    for db in testing::each_database::<Migrator>().await {
        // Four connections of one process, four of another.
        let (one, other) = (db.reopen().await, db.reopen().await);
        for _ in 0..3 {
            let key = Arc::new(RequestKey::new("guardian:1", "HoldSeat", request_id(), &message(7)));

            let calls: Vec<_> = (0..8)
                .map(|index| {
                    let (db, key) =
                        (if index % 2 == 0 { one.clone() } else { other.clone() }, Arc::clone(&key));
                    tokio::spawn(async move { method(&db, &key, index).await.unwrap() })
                })
                .collect();

            let mut answers = Vec::new();
            for call in calls {
                answers.push(call.await.unwrap());
            }
            assert_eq!(answers.iter().filter(|(first, _)| *first).count(), 1, "{answers:?}");
            let (_, first) = answers[0];
            assert!(answers.iter().all(|(_, answer)| *answer == first), "{answers:?}");
        }
    }
}

#[tokio::test]
async fn answers_are_kept_thirty_days() {
    for db in testing::each_database::<Migrator>().await {
        let key = RequestKey::new("guardian:1", "HoldSeat", request_id(), &message(7));
        method(&db, &key, 1).await.unwrap();

        assert_eq!(request::purge(&db, now() + TimeDelta::days(30)).await.unwrap(), 0);
        assert_eq!(
            request::purge(&db, now() + TimeDelta::days(30) + TimeDelta::microseconds(1)).await.unwrap(),
            1
        );

        let left = Statement::from_string(db.read().get_database_backend(), "select 1 from request");
        assert!(db.read().query_one_raw(left).await.unwrap().is_none());
    }
}
