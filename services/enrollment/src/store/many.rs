//! Many values in few statements, whose text stays the same however many there are: PostgreSQL parses and plans such a statement
//! once for a connection's life, where a list of placeholders is another statement for every length.

use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait};
use uuid::Uuid;

/// A separator no id has.
const SEPARATOR: &str = ",";

/// The condition that a column holds one of `ids`.
pub fn among<E, C>(
    db: &impl ConnectionTrait,
    entity: E,
    column: C,
    ids: impl IntoIterator<Item = Uuid>,
) -> SimpleExpr
where
    E: EntityTrait,
    C: ColumnTrait,
{
    if db.get_database_backend() != DbBackend::Postgres {
        return column.is_in(ids);
    }
    let table = entity.table_name();
    let sql = format!("\"{table}\".\"{}\" = any({})", column.as_str(), UUIDS);
    Expr::cust_with_values(sql, [joined(ids)])
}

/// The first bound value as PostgreSQL's array of ids.
const UUIDS: &str = "cast(string_to_array($1, ',') as uuid[])";

/// Ids as one text, to be bound and taken apart by PostgreSQL.
pub fn joined(ids: impl IntoIterator<Item = Uuid>) -> String {
    let mut text = String::new();
    let mut buffer = Uuid::encode_buffer();
    for id in ids {
        if !text.is_empty() {
            text.push_str(SEPARATOR);
        }
        text.push_str(id.simple().encode_lower(&mut buffer));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stand_one_after_another() {
        let ids = [1_u128, 2].map(Uuid::from_u128);
        assert_eq!(joined(ids), "00000000000000000000000000000001,00000000000000000000000000000002");
        assert_eq!(joined([]), "");
    }
}
