//! The check of invariants notices what rules and constraints would not let happen.

use sea_orm::{ConnectionTrait as _, Statement};
use shared::db::Kind;

use crate::support::World;

/// Breaks rows by hand, one way at a time, and gives the invariants that then do not hold.
async fn broken_by(engine: Kind, sql: &[&str]) -> Vec<String> {
    let world = World::start(engine).await;
    let (ticket, receipt) = world.replied().await;
    world.nobody().rate_ticket(world.rating(&ticket, &receipt, true)).await.unwrap();
    world.submitted().await;
    assert!(world.broken().await.is_empty());
    let tx = world.db.begin().await.unwrap();
    for sql in sql {
        tx.execute_raw(Statement::from_string(tx.get_database_backend(), *sql)).await.unwrap();
    }
    tx.commit().await.unwrap();
    let checked = supervision::check(&world.db).await.unwrap();
    assert!(checked.iter().all(|checked| checked.looked_at > 0), "{checked:?}");
    let broken = checked.into_iter().filter(|checked| !checked.broken.is_empty());
    broken.map(|checked| checked.invariant.to_owned()).collect()
}

#[tokio::test]
async fn every_broken_invariant_is_found() {
    for engine in [Kind::Sqlite, Kind::Postgres] {
        let cases: [(&[&str], &[&str]); 7] = [
            (&["delete from entry where action = 'accepted'"], &["entries_of_a_ticket_have_no_gap"]),
            (
                &["update entry set action = 'rated' where action = 'submitted'"],
                &["a_ticket_begins_by_being_submitted", "a_ticket_is_where_its_last_entry_left_it"],
            ),
            (
                &["update ticket set state = 'accepted' where state = 'submitted'"],
                &["a_ticket_is_where_its_last_entry_left_it"],
            ),
            (&["update ticket_day set last_number = 1"], &["a_number_was_given_out_on_its_day"]),
            (&["delete from event where name = 'ticket_replied'"], &["every_answer_was_told_once"]),
            (
                &["update event set name = 'ticket_closing' where name = 'ticket_closed'"],
                &["every_end_was_told_once"],
            ),
            (
                &["update ticket set handler_role = 'janitor' where state = 'closed'"],
                &["rows_keep_their_promises", "a_ticket_is_where_its_last_entry_left_it"],
            ),
        ];
        for (sql, expected) in cases {
            let mut broken = broken_by(engine, sql).await;
            // Whether the deleted event had its position yet is the sequencer's affair.
            broken.retain(|invariant| invariant != "feed_positions_have_no_gap");
            assert_eq!(broken, expected, "{sql:?}");
        }
    }
}
