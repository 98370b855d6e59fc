//! Transactions, conflicts, constraints and migrations, on both databases.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, SqliteTransactionMode, Statement, TransactionOptions,
    TransactionTrait as _,
};
use sea_orm_migration::prelude::{ForeignKey, MigrationTrait, MigratorTrait, Table};
use shared::db::{self, Db, DbConfig, Error, Kind, SchemaError, column, migration};
use shared::{random, testing};
use tonic::{Code, Status};

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations = migration::shared();
        migrations.push(accounts());
        migrations
    }
}

/// The same service one release earlier.
struct OlderMigrator;

impl MigratorTrait for OlderMigrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        migration::shared()
    }
}

fn accounts() -> Box<dyn MigrationTrait> {
    let owner = ForeignKey::create()
        .name("account_owner_fkey")
        .from("account", "owner_number")
        .to("owner", "number")
        .take();
    migration::named("m20260902_000001_account")
        .table(Table::create().table("owner").col(column::number("number").primary_key()))
        .table(
            Table::create()
                .table("account")
                .col(column::number("number").primary_key())
                .col(column::text("bank"))
                .col(column::text("code"))
                .col(column::fen("balance_fen"))
                .col(column::optional(column::number("owner_number")))
                .check(column::at_least("account", "balance_fen", 0))
                .foreign_key(&mut owner.clone()),
        )
        .index(column::unique("account", &["bank", "code"]))
        .sql_on(Kind::Postgres, "alter table account set (fillfactor = 50)")
        .boxed()
}

async fn execute(on: &impl ConnectionTrait, sql: &str) -> Result<u64, Error> {
    Ok(on.execute_unprepared(sql).await?.rows_affected())
}

async fn number(on: &impl ConnectionTrait, sql: &str) -> i64 {
    let statement = Statement::from_string(on.get_database_backend(), sql);
    on.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

async fn insert_account(on: &impl ConnectionTrait, number: i64) {
    let sql = format!(
        "insert into account (number, bank, code, balance_fen) values ({number}, 'b', 'c{number}', 0)"
    );
    execute(on, &sql).await.unwrap();
}

#[tokio::test]
async fn what_is_committed_is_seen_and_what_is_dropped_is_not() {
    for db in testing::each_database::<Migrator>().await {
        let tx = db.begin().await.unwrap();
        insert_account(&tx, 1).await;
        tx.commit().await.unwrap();

        let tx = db.begin().await.unwrap();
        insert_account(&tx, 2).await;
        drop(tx);

        let tx = db.begin().await.unwrap();
        insert_account(&tx, 3).await;
        tx.rollback().await.unwrap();

        assert_eq!(number(db.read(), "select count(*) from account").await, 1);
        assert_eq!(number(db.read(), "select number from account").await, 1);
    }
}

#[tokio::test]
async fn on_sqlite_reading_connections_cannot_write_and_what_is_committed_is_on_the_disk() {
    let db = testing::database::<Migrator>(Kind::Sqlite).await;

    assert!(execute(db.read(), "delete from account").await.is_err());

    let tx = db.begin().await.unwrap();
    assert_eq!(number(&tx, "pragma synchronous").await, 2, "FULL");
    assert_eq!(number(&tx, "pragma foreign_keys").await, 1);
    let mode = Statement::from_string(tx.get_database_backend(), "pragma journal_mode");
    let mode: String = tx.query_one_raw(mode).await.unwrap().unwrap().try_get_by_index(0).unwrap();
    assert_eq!(mode, "wal");
}

#[tokio::test]
async fn on_postgres_nothing_waits_for_ever() {
    let db = testing::database::<Migrator>(Kind::Postgres).await;
    for setting in ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"] {
        let select = format!("select setting::bigint from pg_settings where name = '{setting}'");
        assert!(number(db.read(), &select).await > 0, "{setting}");
    }
}

#[tokio::test]
async fn a_violated_constraint_has_the_same_name_on_both_databases() {
    let table = [
        ("insert into account (number, bank, code, balance_fen) values (1, 'b', 'other', 0)", "account_pkey"),
        (
            "insert into account (number, bank, code, balance_fen) values (9, 'b', 'c1', 0)",
            "account_bank_code_key",
        ),
        (
            "insert into account (number, bank, code, balance_fen) values (9, 'b', 'c9', -1)",
            "account_balance_fen_check",
        ),
        ("insert into account (number, bank, balance_fen) values (9, 'b', 0)", "code_not_null"),
    ];
    for db in testing::each_database::<Migrator>().await {
        let tx = db.begin().await.unwrap();
        insert_account(&tx, 1).await;
        tx.commit().await.unwrap();

        for (sql, name) in table {
            let tx = db.begin().await.unwrap();
            let error = execute(&tx, sql).await.unwrap_err();
            assert_eq!(error.violated().as_deref(), Some(name), "{error}");
            assert!(!error.is_retryable());
        }

        let tx = db.begin().await.unwrap();
        let sql =
            "insert into account (number, bank, code, balance_fen, owner_number) values (9, 'b', 'c9', 0, 7)";
        let error = execute(&tx, sql).await.unwrap_err();
        let name = match db.kind() {
            Kind::Postgres => "account_owner_fkey",
            Kind::Sqlite => "foreign_key",
        };
        assert_eq!(error.violated().as_deref(), Some(name), "{error}");
        drop(tx);

        let error = execute(&db.begin().await.unwrap(), "select nonsense").await.unwrap_err();
        assert_eq!(error.violated(), None);
    }
}

#[tokio::test]
async fn on_postgres_a_lock_that_is_not_won_in_time_is_a_conflict() {
    let db = testing::database::<Migrator>(Kind::Postgres).await;
    let holder = db.begin().await.unwrap();
    insert_account(&holder, 1).await;
    holder.commit().await.unwrap();
    let holder = db.begin().await.unwrap();
    execute(&holder, "update account set balance_fen = 1").await.unwrap();

    let impatient = Db::connect(&DbConfig { lock_timeout_ms: 50, ..db.config().clone() }).await.unwrap();
    let tx = impatient.begin().await.unwrap();
    let error = execute(&tx, "update account set balance_fen = 2").await.unwrap_err();

    assert!(error.is_retryable(), "{error}");
    assert_eq!(Status::from(error).code(), Code::Aborted);
}

#[tokio::test]
async fn on_sqlite_a_file_that_another_process_writes_is_a_conflict() {
    let db = testing::database::<Migrator>(Kind::Sqlite).await;
    let _holder = db.begin().await.unwrap();

    // As another process would, but without its patience.
    let mut options = ConnectOptions::new(db.config().url.clone());
    options.map_sqlx_sqlite_opts(|options| options.busy_timeout(Duration::ZERO));
    let impatient = Database::connect(options).await.unwrap();
    let immediate = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let error = Error::from(impatient.begin_with_options(immediate).await.unwrap_err());

    assert!(error.is_retryable(), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn changes_that_lock_against_each_other_all_happen_when_tried_again() {
    /// Takes the two rows in the order given, so that half the callers meet the other half in a deadlock.
    async fn swap(db: &Db, first: i64, second: i64) -> Result<(), Status> {
        let tx = db.begin().await?;
        for account in [first, second] {
            let sql = format!("update account set balance_fen = balance_fen + 1 where number = {account}");
            execute(&tx, &sql).await?;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tx.commit().await?;
        Ok(())
    }
    for db in testing::each_database::<Migrator>().await {
        for account in [1, 2] {
            let tx = db.begin().await.unwrap();
            insert_account(&tx, account).await;
            tx.commit().await.unwrap();
        }
        let db = Arc::new(db);

        let changes = (0..6).map(|index| {
            let db = Arc::clone(&db);
            let (first, second) = if index % 2 == 0 { (1, 2) } else { (2, 1) };
            tokio::spawn(async move {
                // Five tries may not be enough for six that collide on purpose; a caller tries again as well.
                while db::retry(|| swap(&db, first, second)).await.is_err() {}
            })
        });
        for change in changes.collect::<Vec<_>>() {
            change.await.unwrap();
        }

        for account in [1, 2] {
            let select = format!("select balance_fen from account where number = {account}");
            assert_eq!(number(db.read(), &select).await, 6);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn calls_that_are_cut_off_leave_no_half_change_and_a_healthy_pool() {
    for db in testing::each_database::<Migrator>().await {
        let mut cut_off = 0;
        for index in 0..200 {
            let change = async {
                let tx = db.begin().await.unwrap();
                insert_account(&tx, index * 2).await;
                insert_account(&tx, index * 2 + 1).await;
                tx.commit().await.unwrap();
            };
            let patience = Duration::from_micros(u64::from(u16::from_be_bytes(random::bytes())) % 4_000);
            cut_off += i32::from(tokio::time::timeout(patience, change).await.is_err());
        }

        assert!(cut_off > 0, "the test must cut some calls off");
        let halves = "select count(*) from account a where not exists \
            (select 1 from account b where b.number = case when a.number % 2 = 0 then a.number + 1 else a.number - 1 end)";
        assert_eq!(number(db.read(), halves).await, 0);
        let tx = db.begin().await.unwrap();
        insert_account(&tx, 1_000).await;
        tx.commit().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_processes_may_migrate_at_once() {
    for db in testing::each_database::<Nothing>().await {
        let processes = [db.reopen().await, db.reopen().await, db.reopen().await, db.reopen().await];

        let migrations =
            processes.map(|process| tokio::spawn(async move { db::migrate::<Migrator>(&process).await }));

        for migration in migrations {
            migration.await.unwrap().unwrap();
        }
        db::check_schema::<Migrator>(&db).await.unwrap();
    }
}

struct Nothing;

impl MigratorTrait for Nothing {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        Vec::new()
    }
}

#[tokio::test]
async fn a_program_refuses_a_schema_older_or_newer_than_itself() {
    for db in testing::each_database::<OlderMigrator>().await {
        let pending = db::check_schema::<Migrator>(&db).await.unwrap_err();
        assert_eq!(pending, SchemaError::Pending(vec!["m20260902_000001_account".to_owned()]));

        db::migrate::<Migrator>(&db).await.unwrap();

        db::check_schema::<Migrator>(&db).await.unwrap();
        let unknown = db::check_schema::<OlderMigrator>(&db).await.unwrap_err();
        assert!(
            matches!(&unknown, SchemaError::Unknown(text) if text.contains("m20260902_000001_account")),
            "{unknown}"
        );
    }
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_behind() {
    struct Failing;
    impl MigratorTrait for Failing {
        fn migrations() -> Vec<Box<dyn MigrationTrait>> {
            let broken = migration::named("m20260903_000001_broken")
                .table(Table::create().table("half").col(column::key("id")))
                .sql("insert into nowhere values (1)");
            vec![accounts(), broken.boxed()]
        }
    }
    for db in testing::each_database::<Nothing>().await {
        db::migrate::<Failing>(&db).await.unwrap_err();

        for table in ["half", "account", "owner"] {
            assert!(execute(db.read(), &format!("select 1 from {table}")).await.is_err(), "{table}");
        }
    }
}

#[tokio::test]
async fn services_share_a_postgres_database_with_a_schema_each() {
    let database = testing::database::<Nothing>(Kind::Postgres).await;
    let connect = async |schema: &str| {
        let config = DbConfig { schema: Some(schema.to_owned()), ..database.config().clone() };
        let db = Db::connect(&config).await.unwrap();
        db::migrate::<Migrator>(&db).await.unwrap();
        db::check_schema::<Migrator>(&db).await.unwrap();
        db
    };
    let (billing, catalog) = (connect("billing").await, connect("catalog").await);

    let tx = billing.begin().await.unwrap();
    insert_account(&tx, 1).await;
    tx.commit().await.unwrap();

    assert_eq!(number(billing.read(), "select count(*) from account").await, 1);
    assert_eq!(number(catalog.read(), "select count(*) from account").await, 0);
}

#[tokio::test]
async fn a_closed_sqlite_database_is_one_file_again() {
    let db = testing::database::<Migrator>(Kind::Sqlite).await;
    let tx = db.begin().await.unwrap();
    insert_account(&tx, 1).await;
    tx.commit().await.unwrap();
    let file = db.config().url.strip_prefix("sqlite://").unwrap().to_owned();

    db.close(Duration::from_secs(5)).await;

    assert!(!std::path::Path::new(&format!("{file}-wal")).exists());
    assert!(db.begin().await.is_err());
    assert_eq!(number(db.reopen().await.read(), "select count(*) from account").await, 1);
}

#[tokio::test]
async fn closing_does_not_wait_for_ever_for_a_transaction_in_use() {
    for db in testing::each_database::<Migrator>().await {
        let held = db.begin().await.unwrap();

        let closing = tokio::time::timeout(Duration::from_secs(60), db.close(Duration::from_millis(100)));

        closing.await.expect("closed in time");
        drop(held);
    }
}
