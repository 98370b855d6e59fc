//! Fee standards: what a school may publish, and where it may not.

use proto::billing::v1 as pb;
use proto::billing::v1::tariff::Basis;
use sea_orm::{ConnectionTrait as _, Statement};
use sea_orm_migration::{MigrationTrait, MigratorTrait};
use shared::caller::Role;
use shared::db::{self, Kind};
use shared::testing::database;
use tonic::Code;

use crate::world::{each, fact, jinhua, reason, zhuzhou};

#[tokio::test]
async fn c55_c102_a_term_fee_and_a_fee_by_class_hour_stay_what_they_are() {
    for (worlds, basis, amount_fen, payee) in
        [(zhuzhou().await, Basis::ClassHour, 500, "school"), (jinhua().await, Basis::Term, 50_000, "school")]
    {
        for world in worlds {
            world.publish(basis, amount_fen).await;

            let request = pb::GetTariffRequest { term_id: world.term.to_string() };
            let answer = world.anonymous().get_tariff(request).await.unwrap().into_inner();
            let tariff = answer.tariff.unwrap();

            assert_eq!((tariff.basis(), tariff.amount_fen), (basis, amount_fen));
            assert_eq!(tariff.payee_account, payee);
            assert!(!answer.free_of_charge && !answer.clauses.is_empty());
            let told = shared::testing::told::<pb::Event>(&world.db).await;
            assert_eq!(told.len(), 1);
            assert_eq!((told[0].0.as_str(), told[0].1), ("tariff_published", world.term));
        }
    }
}

#[tokio::test]
async fn c56_a_price_above_the_ceiling_is_refused_with_the_clause() {
    for world in zhuzhou().await {
        world.heard().await;
        let mut client = world.staff(1, Role::Principal);

        let refused = client.publish_tariff(world.tariff(Basis::ClassHour, 501)).await.unwrap_err();

        assert_eq!(
            (reason(&refused).as_str(), refused.code()),
            ("CEILING_EXCEEDED", Code::FailedPrecondition)
        );
        assert_eq!(fact(&refused, "limit_fen"), "500");
        assert!(fact(&refused, "clause_zh").contains("5.00"), "{}", fact(&refused, "clause_zh"));
        client.publish_tariff(world.tariff(Basis::ClassHour, 500)).await.unwrap();
    }
}

#[tokio::test]
async fn c59_where_the_service_is_free_no_price_is_published_and_nothing_is_ever_billed() {
    for world in each("hebei_shahe", Some("shahe_demo")).await {
        world.heard().await;
        let mut client = world.staff(1, Role::SchoolFinance);

        let refused = client.publish_tariff(world.tariff(Basis::Term, 1)).await.unwrap_err();

        assert_eq!(reason(&refused), "FREE_OF_CHARGE");
        assert_eq!(fact(&refused, "key"), "parent_fee_mode");
        assert!(fact(&refused, "clause_zh").contains("免费"), "{}", fact(&refused, "clause_zh"));

        let request = pb::GetTariffRequest { term_id: world.term.to_string() };
        let answer = world.anonymous().get_tariff(request).await.unwrap().into_inner();
        assert!(answer.free_of_charge && answer.tariff.is_none());

        let family = world.family().await;
        let section = world.section(&[(1, 15, 3)]).await;
        let seat = world.hold(family, section).await;
        let quote = world.quote(family, &[section]).await.unwrap();
        assert!(quote.free_of_charge && quote.amount_fen == 0 && quote.clauses.len() == 1);
        assert_eq!(world.count("invoice").await, 0);
        assert_eq!(world.count("payment").await, 0);
        assert!(world.orders().await.is_empty());
        assert_eq!(reason(&world.pay(seat).await.unwrap_err()), "INVOICE_NOT_FOUND");
        world.sound().await;
    }
}

#[tokio::test]
async fn c66_the_payee_is_the_policys_and_where_it_is_silent_nothing_is_published() {
    for world in each("hunan_zhuzhou", None).await {
        world.heard().await;
        let refused = world
            .staff(1, Role::SchoolFinance)
            .publish_tariff(world.tariff(Basis::ClassHour, 500))
            .await
            .unwrap_err();

        assert_eq!(reason(&refused), "POLICY_SILENT");
        assert_eq!(
            (fact(&refused, "key"), fact(&refused, "pack_id")),
            ("payee_account".to_owned(), "hunan_zhuzhou".to_owned())
        );
    }
}

#[tokio::test]
async fn a_term_has_one_fee_standard_and_the_same_request_gets_the_first_answer() {
    for world in zhuzhou().await {
        world.heard().await;
        let mut client = world.staff(1, Role::SchoolFinance);
        let request = world.tariff(Basis::ClassHour, 500);

        let first = client.publish_tariff(request.clone()).await.unwrap().into_inner();
        let again = client.publish_tariff(request.clone()).await.unwrap().into_inner();
        let reused =
            client.publish_tariff(pb::PublishTariffRequest { amount_fen: 400, ..request }).await.unwrap_err();
        let second = client.publish_tariff(world.tariff(Basis::ClassHour, 400)).await.unwrap_err();

        assert_eq!(first, again);
        assert_eq!(reason(&reused), "REQUEST_ID_REUSED");
        assert_eq!(reason(&second), "TARIFF_ALREADY_PUBLISHED");
        assert_eq!(world.count("tariff").await, 1);
    }
}

#[tokio::test]
async fn another_schools_term_is_not_found_and_every_bad_field_is_named() {
    for world in zhuzhou().await {
        world.heard().await;
        let mut client = world.staff(1, Role::SchoolFinance);
        let unknown =
            pb::PublishTariffRequest { term_id: world.request_id(), ..world.tariff(Basis::Term, 1) };
        assert_eq!(reason(&client.publish_tariff(unknown).await.unwrap_err()), "TERM_NOT_FOUND");

        let bad = pb::PublishTariffRequest::default();
        let refused = client.publish_tariff(bad).await.unwrap_err();
        let fields: Vec<_> = shared::status::violations_of(&refused)
            .list()
            .iter()
            .map(|violation| violation.field.clone())
            .collect();
        assert_eq!(fields, ["request_id", "term_id", "basis", "amount_fen"]);
    }
}

#[tokio::test]
async fn c55_a_price_by_the_month_is_the_stated_one_to_the_fen_and_needs_a_rule_for_months_that_are_not_full()
{
    for world in each("by_month", None).await {
        world.heard().await;
        let mut client = world.staff(1, Role::Principal);
        for amount_fen in [11_999, 12_001] {
            let refused = client.publish_tariff(world.tariff(Basis::Month, amount_fen)).await.unwrap_err();
            assert_eq!(reason(&refused), "FEE_NOT_AS_STATED");
            assert_eq!(fact(&refused, "stated_fen"), "12000");
        }

        let request = world.tariff(Basis::Month, 12_000);
        let answer = client.publish_tariff(request).await.unwrap().into_inner();

        assert_eq!(answer.tariff.unwrap().basis(), Basis::Month);
        assert!(answer.clauses.iter().any(|clause| clause.key == "proration_rule"), "{:?}", answer.clauses);
        let request = pb::GetTariffRequest { term_id: world.term.to_string() };
        let tariff = world.anonymous().get_tariff(request).await.unwrap().into_inner().tariff.unwrap();
        assert_eq!((tariff.basis(), tariff.amount_fen), (Basis::Month, 12_000));
    }
    // The region's own document states the fee and leaves the rest open.
    for world in each("sichuan_jingyan", None).await {
        world.heard().await;
        let mut client = world.staff(1, Role::Principal);
        let refused = client.publish_tariff(world.tariff(Basis::Month, 12_000)).await.unwrap_err();
        assert_eq!(
            (reason(&refused).as_str(), fact(&refused, "key").as_str()),
            ("POLICY_SILENT", "proration_rule")
        );
        assert_eq!(world.count("tariff").await, 0);
    }
}

#[tokio::test]
async fn c55_c56_a_price_by_the_day_stays_under_the_ceiling_of_a_day() {
    for world in zhuzhou().await {
        world.heard().await;
        let mut client = world.staff(1, Role::Principal);

        let refused = client.publish_tariff(world.tariff(Basis::Day, 1_001)).await.unwrap_err();
        assert_eq!(
            (reason(&refused).as_str(), fact(&refused, "limit_fen").as_str()),
            ("CEILING_EXCEEDED", "1000")
        );
        let answer = client.publish_tariff(world.tariff(Basis::Day, 1_000)).await.unwrap().into_inner();

        let tariff = answer.tariff.unwrap();
        assert_eq!((tariff.basis(), tariff.amount_fen), (Basis::Day, 1_000));
    }
}

#[tokio::test]
async fn c01_c55_no_basis_is_turned_into_another_and_the_silence_is_named_for_people() {
    for world in zhuzhou().await {
        world.heard().await;
        let mut client = world.staff(1, Role::Principal);

        let refused = client.publish_tariff(world.tariff(Basis::Month, 12_000)).await.unwrap_err();

        assert_eq!(reason(&refused), "POLICY_SILENT");
        assert_eq!(fact(&refused, "key"), "parent_fee_fen_per_month");
        assert_eq!(
            (fact(&refused, "key_zh"), fact(&refused, "key_en")),
            ("收费标准".to_owned(), "fee".to_owned())
        );
    }
}

/// The schema before prices by the month and by the day.
struct Before;

impl MigratorTrait for Before {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let all = billing::Migrator::migrations();
        all.into_iter().take_while(|migration| !migration.name().ends_with("_tariff_basis")).collect()
    }
}

#[tokio::test]
async fn fee_standards_published_before_are_kept_when_the_table_learns_new_bases() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let db = database::<Before>(kind).await;
        let uuid = |last: u8| match kind {
            Kind::Sqlite => format!("x'{}{last:02x}'", "00".repeat(15)),
            Kind::Postgres => format!("'00000000-0000-0000-0000-0000000000{last:02x}'"),
        };
        let row = |id: u8, term: u8, basis: &str| {
            format!(
                "insert into tariff (id, district_id, term_id, basis, amount_fen, approval_document, payee_account, \
                 published_by, created_at) values ({}, {}, {}, '{basis}', 500, '12号', 'school', {}, '2026-09-01T00:00:00Z')",
                uuid(id),
                uuid(90),
                uuid(term),
                uuid(91)
            )
        };
        let write = async |sql: String| {
            let tx = db.begin().await.unwrap();
            let done = tx.execute_unprepared(&sql).await.map(drop);
            if done.is_ok() {
                tx.commit().await.unwrap();
            }
            done
        };
        write(row(1, 11, "class_hour")).await.unwrap();
        assert!(write(row(2, 12, "month")).await.is_err());

        db::migrate::<billing::Migrator>(&db).await.unwrap();

        for (id, basis) in [(2, "month"), (3, "day")] {
            write(row(id, 10 + id, basis)).await.unwrap();
        }
        assert!(write(row(4, 14, "year")).await.is_err(), "other words stay out");
        assert!(write(row(5, 11, "term")).await.is_err(), "one fee standard a term");
        let connection = db.read();
        let sql = "select basis, amount_fen from tariff order by id";
        let rows = connection
            .query_all_raw(Statement::from_string(connection.get_database_backend(), sql))
            .await
            .unwrap();
        let rows: Vec<(String, i64)> = rows
            .iter()
            .map(|row| (row.try_get("", "basis").unwrap(), row.try_get("", "amount_fen").unwrap()))
            .collect();
        let expected = ["class_hour", "month", "day"].map(|basis| (basis.to_owned(), 500));
        assert_eq!(rows, expected);
    }
}
