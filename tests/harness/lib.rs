//! What the stories share: a platform of their own, and people who use it over HTTP.
//!
//! | file | knows |
//! |---|---|
//! | [`world`](World) | a whole platform with the demonstration loaded, on either database, under a clock that a test sets |
//! | [`place`] | where a world's data lie: a folder, and on PostgreSQL a database, copied from a loaded one |
//! | [`rows`] | what stands in the databases: whether everything told was heard, and whether anything changed |
//! | [`people`] | what families and schools do again and again |
//! | [`sandbox`] | what a test does to WeChat, and asks of it |
//! | [`process`] | programs of the platform as processes of their own |

pub mod people;
pub mod place;
pub mod process;
pub mod rows;
pub mod sandbox;
mod world;

pub use shared::db::Kind;
pub use world::{World, on};

/// Runs each story on each database, as a test of its own: `on_both!(a_waived_family_owes_nothing);` makes `a_waived_family_owes_nothing::on_sqlite`
/// and `::on_postgres` of `async fn a_waived_family_owes_nothing(world: &World) -> anyhow::Result<()>`.
#[macro_export]
macro_rules! on_both {
    ($($story:ident),+ $(,)?) => {$(
        mod $story {
            #[tokio::test(flavor = "multi_thread")]
            async fn on_sqlite() {
                $crate::on($crate::Kind::Sqlite, async |world| super::$story(world).await).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn on_postgres() {
                $crate::on($crate::Kind::Postgres, async |world| super::$story(world).await).await;
            }
        }
    )+};
}
