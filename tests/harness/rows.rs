//! What stands in a world's databases, read beside the services.

use std::collections::BTreeMap;
use std::time::Duration;

use kehou::platform::Settings;
use sea_orm::{ConnectionTrait as _, QueryResult, Statement};
use shared::db::{Db, DbConfig, Kind};

/// The services, each with a database of its own.
pub const SERVICES: [&str; 5] = ["identity", "catalog", "enrollment", "billing", "supervision"];

/// The five databases.
#[derive(Debug)]
pub struct Rows(BTreeMap<&'static str, Db>);

/// How far every feed is, and how far everybody has heard it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Service → events told, events that have no position yet, last position.
    told: BTreeMap<&'static str, [i64; 3]>,
    /// Listener and service → last position heard.
    heard: BTreeMap<(String, String), i64>,
    /// Service → rows of all its tables.
    row_counts: BTreeMap<&'static str, i64>,
}

impl Standing {
    /// Whether everything told is numbered and heard by everybody who listens.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        let last = |service: &str| self.told.get(service).map_or(0, |[_, _, last]| *last);
        !self.heard.is_empty()
            && self.told.values().all(|[count, waiting, last]| *waiting == 0 && count == last)
            && self.heard.iter().all(|((_, service), heard)| *heard == last(service))
    }
}

impl Rows {
    /// Opens them.
    ///
    /// # Errors
    /// When one cannot be opened.
    pub async fn open(settings: &Settings) -> anyhow::Result<Self> {
        let mut databases = BTreeMap::new();
        for service in SERVICES {
            let config = DbConfig { max_connections: 2, ..settings.database_of(service) };
            databases.insert(service, Db::connect(&config).await?);
        }
        Ok(Self(databases))
    }

    /// How far every feed is.
    ///
    /// # Errors
    /// When a database cannot be read.
    pub async fn standing(&self) -> anyhow::Result<Standing> {
        let mut standing = Standing::default();
        for (service, db) in &self.0 {
            let told = "select count(*) as told, count(*) - count(position) as waiting, \
                        (select last_position from feed_sequence) as last from event";
            for row in select(db, told).await? {
                standing.told.insert(
                    service,
                    [number(&row, "told")?, number(&row, "waiting")?, number(&row, "last")?],
                );
            }
            for row in select(db, "select consumer, feed, position from feed_cursor").await? {
                let key = (row.try_get("", "consumer")?, row.try_get("", "feed")?);
                standing.heard.insert(key, number(&row, "position")?);
            }
            let mut sum = 0;
            for table in self.tables(service).await? {
                sum += self.count(service, &table).await?;
            }
            standing.row_counts.insert(service, sum);
        }
        Ok(standing)
    }

    /// Every row of every table, as text: service and table → rows, sorted. Two that are equal are of databases that are equal.
    ///
    /// # Errors
    /// When a database cannot be read.
    pub async fn content(&self) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
        let mut content = BTreeMap::new();
        for (service, db) in &self.0 {
            for table in self.tables(service).await? {
                let text = match db.kind() {
                    Kind::Postgres => format!("select t::text as line from \"{table}\" t order by 1"),
                    Kind::Sqlite => {
                        let columns =
                            select(db, &format!("select name from pragma_table_info('{table}')")).await?;
                        let columns: Vec<String> =
                            columns.iter().map(|row| row.try_get("", "name")).collect::<Result<_, _>>()?;
                        let quoted: Vec<_> =
                            columns.iter().map(|name| format!("quote(\"{name}\")")).collect();
                        format!("select {} as line from \"{table}\" order by 1", quoted.join(" || ',' || "))
                    }
                };
                let rows = select(db, &text).await?;
                let lines = rows.iter().map(|row| row.try_get("", "line")).collect::<Result<_, _>>()?;
                content.insert(format!("{service}.{table}"), lines);
            }
        }
        Ok(content)
    }

    /// How many rows a table has.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn count(&self, service: &'static str, table: &str) -> anyhow::Result<i64> {
        let rows = select(&self.0[service], &format!("select count(*) as number from \"{table}\"")).await?;
        number(&rows[0], "number")
    }

    async fn tables(&self, service: &'static str) -> anyhow::Result<Vec<String>> {
        let db = &self.0[service];
        let text = match db.kind() {
            Kind::Sqlite => {
                "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' order by 1"
            }
            Kind::Postgres => {
                "select table_name::text as name from information_schema.tables where table_schema = current_schema() order by 1"
            }
        };
        Ok(select(db, text).await?.iter().map(|row| row.try_get("", "name")).collect::<Result<_, _>>()?)
    }

    /// Closes them.
    pub async fn close(&self) {
        for db in self.0.values() {
            db.close(Duration::from_secs(5)).await;
        }
    }
}

async fn select(db: &Db, text: &str) -> anyhow::Result<Vec<QueryResult>> {
    Ok(db.read().query_all_raw(Statement::from_string(db.read().get_database_backend(), text)).await?)
}

fn number(row: &QueryResult, column: &str) -> anyhow::Result<i64> {
    Ok(row.try_get("", column)?)
}
