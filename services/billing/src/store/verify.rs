//! The chain computed again from the rows, held against what was anchored outside.

use shared::check::Checked;
use shared::db::{Db, Error};
use uuid::Uuid;

use super::chain::{self, Link};
use crate::domain::chain::{Anchor, Hash, Posting, hash};

/// The first place at which chain, rows and anchors do not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstDifference {
    /// The place in the chain; 0 when it is about entries outside it.
    pub position: i64,
    /// The entry there, when the chain has one.
    pub journal_id: Option<Uuid>,
    /// What does not agree.
    pub why: &'static str,
}

/// What verifying a district's chain came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The district.
    pub district_id: Uuid,
    /// Entries in the chain.
    pub sealed_count: u64,
    /// Entries that wait for their place.
    pub unsealed_count: u64,
    /// The hash of the last entry as computed again.
    pub head: Hash,
    /// How many anchors were held against it.
    pub anchor_count: u64,
    /// The first place that does not agree; none when all is well.
    pub first_difference: Option<FirstDifference>,
}

/// Computes a district's chain again; gives every link to `see` on the way.
///
/// # Errors
/// When the database refuses.
pub async fn verify(
    db: &Db,
    district_id: Uuid,
    anchors: &[Anchor],
    mut see: impl FnMut(&Link),
) -> Result<Verified, Error> {
    // Read before the chain is: what is sealed meanwhile counts twice at most, and nothing is missed.
    let head = chain::heads(db.read()).await?.into_iter().find(|head| head.district_id == district_id);
    let all = chain::journal_count(db.read(), district_id).await?;
    let mut anchors: Vec<Anchor> =
        anchors.iter().copied().filter(|one| one.district_id == district_id).collect();
    anchors.sort_by_key(|anchor| anchor.position);
    let mut verified = Verified {
        district_id,
        sealed_count: 0,
        unsealed_count: 0,
        head: Hash::START,
        anchor_count: u64::try_from(anchors.len()).unwrap_or(u64::MAX),
        first_difference: None,
    };
    let mut waiting = anchors.into_iter().filter(|anchor| anchor.position > 0).peekable();
    let mut position = 0;
    loop {
        let links = chain::links(db.read(), district_id, position).await?;
        if links.is_empty() {
            break;
        }
        for link in links {
            see(&link);
            let differs =
                |why| FirstDifference { position: link.position, journal_id: Some(link.journal_id), why };
            if link.position != position + 1 {
                let gap = FirstDifference {
                    position: position + 1,
                    journal_id: None,
                    why: "a place of the chain is empty",
                };
                verified.first_difference.get_or_insert(gap);
            }
            position = link.position;
            verified.sealed_count += 1;
            match &link.journal {
                None => {
                    verified.first_difference.get_or_insert(differs("the entry is gone"));
                }
                Some(journal) => verified.head = hash(&verified.head, position, journal),
            }
            if link.hash != Some(verified.head) {
                verified.first_difference.get_or_insert(differs("the entry is not the one that was sealed"));
            }
            if head.is_some_and(|head| head.position == position && Some(head.hash) != link.hash) {
                verified.first_difference.get_or_insert(differs("the head is not the chain's"));
            }
            while let Some(anchor) = waiting.next_if(|anchor| anchor.position <= position) {
                if anchor.position < position || anchor.hash != verified.head {
                    verified.first_difference.get_or_insert(differs("it is not what was anchored"));
                }
            }
        }
    }
    if let Some(anchor) = waiting.next() {
        let gone =
            FirstDifference { position: anchor.position, journal_id: None, why: "what was anchored is gone" };
        verified.first_difference.get_or_insert(gone);
    }
    if head.is_some_and(|head| head.position > position) {
        let gone = FirstDifference {
            position: position + 1,
            journal_id: None,
            why: "the chain ends before its head",
        };
        verified.first_difference.get_or_insert(gone);
    }
    verified.unsealed_count = chain::unsealed_count(db.read(), Some(district_id)).await?;
    if verified.sealed_count + verified.unsealed_count < all {
        let outside = FirstDifference {
            position: 0,
            journal_id: None,
            why: "an entry is neither in the chain nor on its way",
        };
        verified.first_difference.get_or_insert(outside);
    }
    Ok(verified)
}

/// Verifies every district, with the anchors there are.
///
/// # Errors
/// When the database refuses.
pub async fn verify_all(db: &Db, anchors: &[Anchor]) -> Result<Vec<Verified>, Error> {
    let mut districts = chain::districts(db.read()).await?;
    districts.extend(anchors.iter().map(|anchor| anchor.district_id));
    districts.sort();
    districts.dedup();
    let mut all = Vec::with_capacity(districts.len());
    for district_id in districts {
        all.push(verify(db, district_id, anchors, |_| ()).await?);
    }
    Ok(all)
}

/// The chain as the checker tells it.
///
/// # Errors
/// When the database refuses.
pub async fn check_chain(db: &Db, anchors: &[Anchor]) -> Result<Checked, Error> {
    let all = verify_all(db, anchors).await?;
    let broken = all.iter().filter_map(|one| {
        let first = one.first_difference.as_ref()?;
        let journal = first.journal_id.map(|id| id.to_string()).unwrap_or_default();
        Some(format!(
            "district {} position {} journal {journal}: {}",
            one.district_id, first.position, first.why
        ))
    });
    Ok(Checked {
        invariant: "the ledger's chain is what its rows give and what was anchored",
        looked_at: all.iter().map(|one| one.sealed_count + one.unsealed_count).sum(),
        broken: broken.collect(),
    })
}

/// A place of the chain as a line of an export: what a stranger needs to compute it again.
#[must_use]
pub fn export_line(link: &Link) -> String {
    let Some(journal) = &link.journal else {
        return serde_json::json!({ "position": link.position, "journal_id": link.journal_id }).to_string();
    };
    let line = |line: &Posting| {
        serde_json::json!({
            "number": line.number,
            "account": line.account,
            "debit_fen": line.debit_fen,
            "credit_fen": line.credit_fen,
        })
    };
    serde_json::json!({
        "position": link.position,
        "district_id": journal.district_id,
        "school_id": journal.school_id,
        "journal_id": journal.id,
        "source_id": journal.source_id,
        "kind": journal.kind,
        "number": journal.number,
        "at": journal.created_at.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
        "lines": journal.lines.iter().map(line).collect::<Vec<_>>(),
        "hash": link.hash.map(|hash| hash.to_string()),
    })
    .to_string()
}
