//! Withdrawals that wait until somebody says what goes back: one for an enrollment, however often the family asks.

use std::collections::HashMap;

use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _};
use shared::db::{Error, Tx};
use shared::value::{Enrollment as EnrollmentKind, Guardian, Id, Moment};

use super::entity::withdrawal;
use crate::domain::enrollment::Enrollment;

/// Gives when each of `enrollments` was first asked to be given back in vain; the others are left out.
///
/// # Errors
/// When the database refuses.
pub async fn asked(
    db: &impl ConnectionTrait,
    enrollments: &[Enrollment],
) -> Result<HashMap<Id<EnrollmentKind>, Moment>, Error> {
    if enrollments.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = withdrawal::Entity::find()
        .filter(withdrawal::Column::DistrictId.is_in(enrollments.iter().map(|one| one.district_id.uuid())))
        .filter(withdrawal::Column::EnrollmentId.is_in(enrollments.iter().map(|one| one.id.uuid())))
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| (Id::new(row.enrollment_id), row.created_at)).collect())
}

/// Notes that a locked enrollment was asked to be given back, and what nobody has said.
///
/// # Errors
/// When the database refuses: one an enrollment.
pub async fn insert(
    tx: &Tx,
    enrollment: &Enrollment,
    guardian_id: Id<Guardian>,
    silent_key: &str,
    now: Moment,
) -> Result<(), Error> {
    let row = withdrawal::ActiveModel {
        district_id: Set(enrollment.district_id.uuid()),
        enrollment_id: Set(enrollment.id.uuid()),
        guardian_id: Set(guardian_id.uuid()),
        silent_key: Set(silent_key.to_owned()),
        created_at: Set(now),
    };
    withdrawal::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}
