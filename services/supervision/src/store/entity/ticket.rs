//! The table `ticket`.

use sea_orm::entity::prelude::*;

/// A complaint or suggestion.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ticket")]
#[expect(missing_docs, reason = "columns are explained by the migration that makes them")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub district_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub number: String,
    pub town_id: Uuid,
    pub school_id: Uuid,
    pub kind: String,
    pub subject: String,
    pub section: Option<String>,
    pub text_sealed: Vec<u8>,
    pub contact_sealed: Option<Vec<u8>>,
    pub guardian_id: Option<Uuid>,
    pub state: String,
    pub handler_role: Option<String>,
    pub handler_node_id: Option<Uuid>,
    pub accept_due_at: Option<ChronoDateTimeUtc>,
    pub reply_due_at: Option<ChronoDateTimeUtc>,
    pub was_late: bool,
    pub stars: Option<i32>,
    pub reopened_count: i32,
    pub created_at: ChronoDateTimeUtc,
}

/// None: rows of other tables are found by their keys.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
