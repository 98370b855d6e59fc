//! The agreement (自愿服务协议书) a guardian signs where the region asks for one: nobody counts the pupil and nothing is charged before.
//!
//! A school's agreement for a term is published in versions, and none is ever changed. The one in force is the last. A signature is
//! for one pupil and one version; it covers every seat of the pupil in the term that comes up while that version is in force. Seats
//! that went on stay as they are when a new version is published: the signature still names the one that was signed.

use shared::value::{
    Agreement as AgreementKind, District, Guardian, Id, Moment, Pupil, School, Signature as SignatureKind,
    Term,
};

/// One version of a term's agreement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// The version.
    pub id: Id<AgreementKind>,
    /// The district.
    pub district_id: Id<District>,
    /// The school.
    pub school_id: Id<School>,
    /// The term.
    pub term_id: Id<Term>,
    /// 1 for a term's first, then one more each.
    pub version_number: i32,
    /// The title, 1 to 80 characters.
    pub title: String,
    /// The text, 1 to 24,000 characters.
    pub body: String,
    /// What title and text are known by: 64 hexadecimal digits.
    pub digest: String,
    /// Who published it, `staff:<id>`.
    pub publisher: String,
    /// When it was published.
    pub created_at: Moment,
}

/// A guardian's signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The signature.
    pub id: Id<SignatureKind>,
    /// The district.
    pub district_id: Id<District>,
    /// The school.
    pub school_id: Id<School>,
    /// The term.
    pub term_id: Id<Term>,
    /// The version signed.
    pub agreement_id: Id<AgreementKind>,
    /// For whom.
    pub pupil_id: Id<Pupil>,
    /// By whom.
    pub guardian_id: Id<Guardian>,
    /// The words of consent, 2 to 200 characters.
    pub consent_words: String,
    /// When.
    pub created_at: Moment,
}

/// Why an agreement is not published, signed, or relied on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The region asks for none.
    #[error("no agreement is asked for")]
    NotAsked,
    /// None is published for the term.
    #[error("no agreement is published")]
    NotPublished,
    /// The text the guardian read is not the one in force.
    #[error("version {version_number} is in force")]
    Changed {
        /// The version in force.
        version_number: i32,
        /// What it is known by.
        digest: String,
    },
}

/// Gives the number of a new version. `is_asked` says whether the region asks for an agreement, `last` is the number in force.
///
/// # Errors
/// [`Error::NotAsked`].
pub fn publish(is_asked: bool, last: Option<i32>) -> Result<i32, Error> {
    if is_asked { Ok(last.unwrap_or(0) + 1) } else { Err(Error::NotAsked) }
}

/// Lets a round open: where the region asks for an agreement, families must be able to sign one.
///
/// # Errors
/// [`Error::NotPublished`].
pub fn open(is_asked: bool, in_force: Option<&Agreement>) -> Result<(), Error> {
    if is_asked && in_force.is_none() { Err(Error::NotPublished) } else { Ok(()) }
}

/// Lets a guardian sign what they have read: the version in force, by its digest.
///
/// # Errors
/// [`Error::NotPublished`], [`Error::Changed`].
pub fn sign<'a>(in_force: Option<&'a Agreement>, digest: &str) -> Result<&'a Agreement, Error> {
    let in_force = in_force.ok_or(Error::NotPublished)?;
    if in_force.digest == digest {
        return Ok(in_force);
    }
    Err(Error::Changed { version_number: in_force.version_number, digest: in_force.digest.clone() })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::enrollment::tests::at;

    fn agreement(version_number: i32) -> Agreement {
        let id = Uuid::from_u128;
        Agreement {
            id: Id::new(id(1)),
            district_id: Id::new(id(2)),
            school_id: Id::new(id(3)),
            term_id: Id::new(id(4)),
            version_number,
            title: "自愿服务协议书".to_owned(),
            body: "甲方、乙方。".to_owned(),
            digest: format!("{version_number:064}"),
            publisher: "staff:1".to_owned(),
            created_at: at(0),
        }
    }

    #[test]
    fn c35_versions_count_up_and_only_where_one_is_asked_for() {
        assert_eq!(publish(true, None), Ok(1));
        assert_eq!(publish(true, Some(1)), Ok(2));
        assert_eq!(publish(false, None), Err(Error::NotAsked));
    }

    #[test]
    fn c35_a_round_opens_with_an_agreement_or_where_none_is_asked_for() {
        assert_eq!(open(true, None), Err(Error::NotPublished));
        assert_eq!(open(true, Some(&agreement(1))), Ok(()));
        assert_eq!(open(false, None), Ok(()));
    }

    #[test]
    fn c35_what_is_signed_is_what_was_read() {
        let in_force = agreement(2);
        assert_eq!(sign(None, ""), Err(Error::NotPublished));
        assert_eq!(sign(Some(&in_force), &in_force.digest), Ok(&in_force));
        let digest = in_force.digest.clone();
        let old = agreement(1).digest;
        assert_eq!(sign(Some(&in_force), &old), Err(Error::Changed { version_number: 2, digest }));
    }
}
