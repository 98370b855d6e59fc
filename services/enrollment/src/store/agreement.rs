//! Agreements and signatures. Neither is ever changed: the database refuses.

use std::collections::{HashMap, HashSet};

use aws_lc_rs::digest::{SHA256, digest as hash};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use shared::db::{Error, Tx};
use shared::value::{Agreement as AgreementKind, District, Id, Pupil, Term};

use super::entity::{agreement, signature};
use crate::domain::agreement::{Agreement, Signature};

/// What a text is known by: SHA-256 of the title, a line feed and the body in UTF-8, as 64 hexadecimal digits in lower case.
#[must_use]
pub fn digest(title: &str, body: &str) -> String {
    hash(&SHA256, format!("{title}\n{body}").as_bytes())
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Finds the version in force of a term: the last published.
///
/// # Errors
/// When the database refuses.
pub async fn in_force(db: &impl ConnectionTrait, term_id: Id<Term>) -> Result<Option<Agreement>, Error> {
    let row = agreement::Entity::find()
        .filter(agreement::Column::TermId.eq(term_id.uuid()))
        .order_by_desc(agreement::Column::VersionNumber)
        .one(db)
        .await?;
    Ok(row.map(read))
}

/// Finds one version of a term.
///
/// # Errors
/// When the database refuses.
pub async fn find(
    db: &impl ConnectionTrait,
    term_id: Id<Term>,
    version_number: i32,
) -> Result<Option<Agreement>, Error> {
    let row = agreement::Entity::find()
        .filter(agreement::Column::TermId.eq(term_id.uuid()))
        .filter(agreement::Column::VersionNumber.eq(version_number))
        .one(db)
        .await?;
    Ok(row.map(read))
}

/// Lists all versions of a term, first to last.
///
/// # Errors
/// When the database refuses.
pub async fn list(db: &impl ConnectionTrait, term_id: Id<Term>) -> Result<Vec<Agreement>, Error> {
    let rows = agreement::Entity::find()
        .filter(agreement::Column::TermId.eq(term_id.uuid()))
        .order_by_asc(agreement::Column::VersionNumber)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(read).collect())
}

/// Keeps a new version.
///
/// # Errors
/// When the database refuses: a number is given once.
pub async fn insert(tx: &Tx, agreement: &Agreement) -> Result<(), Error> {
    let row = agreement::ActiveModel {
        district_id: Set(agreement.district_id.uuid()),
        id: Set(agreement.id.uuid()),
        school_id: Set(agreement.school_id.uuid()),
        term_id: Set(agreement.term_id.uuid()),
        version_number: Set(agreement.version_number),
        title: Set(agreement.title.clone()),
        body: Set(agreement.body.clone()),
        digest: Set(agreement.digest.clone()),
        publisher: Set(agreement.publisher.clone()),
        created_at: Set(agreement.created_at),
    };
    agreement::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Gives for whom of `pupils` the version in force in which of `terms` is signed. Asks nothing where there are no terms.
///
/// # Errors
/// When the database refuses.
pub async fn signed(
    tx: &Tx,
    terms: &[Id<Term>],
    pupils: &[Id<Pupil>],
) -> Result<HashSet<(Id<Term>, Id<Pupil>)>, Error> {
    let mut signed = HashSet::new();
    for term_id in terms {
        let Some(in_force) = in_force(tx, *term_id).await? else {
            continue;
        };
        let rows = signature::Entity::find()
            .filter(signature::Column::AgreementId.eq(in_force.id.uuid()))
            .filter(signature::Column::PupilId.is_in(pupils.iter().map(|id| id.uuid())))
            .all(tx)
            .await?;
        signed.extend(rows.into_iter().map(|row| (*term_id, Id::new(row.pupil_id))));
    }
    Ok(signed)
}

/// Finds the signature for a pupil under one version.
///
/// # Errors
/// When the database refuses.
pub async fn find_signature(
    db: &impl ConnectionTrait,
    agreement_id: Id<AgreementKind>,
    pupil_id: Id<Pupil>,
) -> Result<Option<Signature>, Error> {
    let row = signature::Entity::find()
        .filter(signature::Column::AgreementId.eq(agreement_id.uuid()))
        .filter(signature::Column::PupilId.eq(pupil_id.uuid()))
        .one(db)
        .await?;
    Ok(row.map(read_signature))
}

/// Gives the last signature for each of `pupils` in a term, whichever version it is under; who has none is left out.
///
/// # Errors
/// When the database refuses.
pub async fn last_signatures(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    term_id: Id<Term>,
    pupils: impl IntoIterator<Item = Id<Pupil>>,
) -> Result<HashMap<Id<Pupil>, Signature>, Error> {
    let rows = signature::Entity::find()
        .filter(signature::Column::DistrictId.eq(district_id.uuid()))
        .filter(signature::Column::TermId.eq(term_id.uuid()))
        .filter(signature::Column::PupilId.is_in(pupils.into_iter().map(Id::uuid)))
        .order_by_asc(signature::Column::Id)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| (Id::new(row.pupil_id), read_signature(row))).collect())
}

/// Keeps a new signature.
///
/// # Errors
/// When the database refuses: one a pupil and version.
pub async fn insert_signature(tx: &Tx, signature: &Signature) -> Result<(), Error> {
    let row = signature::ActiveModel {
        district_id: Set(signature.district_id.uuid()),
        id: Set(signature.id.uuid()),
        school_id: Set(signature.school_id.uuid()),
        term_id: Set(signature.term_id.uuid()),
        agreement_id: Set(signature.agreement_id.uuid()),
        pupil_id: Set(signature.pupil_id.uuid()),
        guardian_id: Set(signature.guardian_id.uuid()),
        consent_words: Set(signature.consent_words.clone()),
        created_at: Set(signature.created_at),
    };
    signature::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

fn read(row: agreement::Model) -> Agreement {
    Agreement {
        id: Id::new(row.id),
        district_id: Id::new(row.district_id),
        school_id: Id::new(row.school_id),
        term_id: Id::new(row.term_id),
        version_number: row.version_number,
        title: row.title,
        body: row.body,
        digest: row.digest,
        publisher: row.publisher,
        created_at: row.created_at,
    }
}

fn read_signature(row: signature::Model) -> Signature {
    Signature {
        id: Id::new(row.id),
        district_id: Id::new(row.district_id),
        school_id: Id::new(row.school_id),
        term_id: Id::new(row.term_id),
        agreement_id: Id::new(row.agreement_id),
        pupil_id: Id::new(row.pupil_id),
        guardian_id: Id::new(row.guardian_id),
        consent_words: row.consent_words,
        created_at: row.created_at,
    }
}
