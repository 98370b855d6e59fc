//! The table `ticket_day`.

use sea_orm::entity::prelude::*;

/// The last number given out on a day.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ticket_day")]
#[expect(missing_docs, reason = "columns are explained by the migration that makes them")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub day: Date,
    pub last_number: i64,
}

/// None: rows of other tables are found by their keys.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
