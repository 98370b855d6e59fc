//! What a term's policy says about offers, kept when a round is opened: a promotion then needs no policy files. And whether a seat
//! came from the line.

use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _};
use shared::db::{Error, Tx};
use shared::value::{District, Enrollment as EnrollmentKind, Id, Term};

use super::entity::{enrollment, offer_rule};
use crate::domain::offer::{Night, Rule};

/// Finds a term's rule; the empty one where no round was ever opened.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn find(tx: &Tx, district_id: Id<District>, term_id: Id<Term>) -> Result<Rule, Error> {
    let key = (district_id.uuid(), term_id.uuid());
    let Some(row) = offer_rule::Entity::find_by_id(key).one(tx).await? else {
        return Ok(Rule::default());
    };
    let night = match (row.quiet_from_minute, row.quiet_to_minute) {
        (Some(from_minute), Some(to_minute)) => Some(Night { from_minute, to_minute }),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => {
            return Err(Error::inconsistent("offer_rule", term_id, "half a night"));
        }
    };
    Ok(Rule { offer_seconds: row.offer_seconds, night })
}

/// Keeps a term's rule; told again, it is the same.
///
/// # Errors
/// When the database refuses.
pub async fn save(tx: &Tx, district_id: Id<District>, term_id: Id<Term>, rule: &Rule) -> Result<(), Error> {
    let row = offer_rule::ActiveModel {
        district_id: Set(district_id.uuid()),
        term_id: Set(term_id.uuid()),
        offer_seconds: Set(rule.offer_seconds),
        quiet_from_minute: Set(rule.night.map(|night| night.from_minute)),
        quiet_to_minute: Set(rule.night.map(|night| night.to_minute)),
    };
    let on_known = OnConflict::columns([offer_rule::Column::DistrictId, offer_rule::Column::TermId])
        .update_columns([
            offer_rule::Column::OfferSeconds,
            offer_rule::Column::QuietFromMinute,
            offer_rule::Column::QuietToMinute,
        ])
        .to_owned();
    offer_rule::Entity::insert(row).on_conflict(on_known).exec_without_returning(tx).await?;
    Ok(())
}

/// Says whether an enrollment ever stood in line.
///
/// # Errors
/// When the database refuses.
pub async fn stood_in_line(tx: &Tx, id: Id<EnrollmentKind>) -> Result<bool, Error> {
    let number: Option<Option<i64>> = enrollment::Entity::find()
        .select_only()
        .column(enrollment::Column::WaitlistNumber)
        .filter(enrollment::Column::Id.eq(id.uuid()))
        .into_tuple()
        .one(tx)
        .await?;
    Ok(number.flatten().is_some())
}
