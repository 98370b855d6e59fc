//! What every change of a round has in common that families must hear of: a notice to the whole school, in the same transaction.

use shared::db::{Error, Tx};
use shared::random;
use shared::value::Moment;
use uuid::Uuid;

use crate::domain::notice::{Audience, Notice};
use crate::domain::round::Round;
use crate::domain::round_news::RoundNews;
use crate::store;

/// Tells the guardians of every pupil of the round's school, once each. `path` is the term's. Nobody is told where there are no pupils.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn announce(
    tx: &Tx,
    round: &Round,
    path: &[Uuid],
    news: &RoundNews,
    now: Moment,
) -> Result<(), Error> {
    let pupils = store::notice::pupils_of_school(tx, round.district_id, round.school_id).await?;
    let addressed: Vec<_> = pupils.iter().map(|pupil| pupil.id).collect();
    if addressed.is_empty() {
        return Ok(());
    }
    let notice = Notice {
        id: random::id(now),
        district_id: round.district_id,
        school_id: round.school_id,
        path: path.to_vec(),
        term_id: round.term_id,
        title: news.title().to_owned(),
        body: news.body(round),
        audience: Audience::School,
        disclosure_keys: Vec::new(),
        corrects: None,
        sender_id: None,
        sent_at: now,
    };
    store::notice::insert(tx, &notice, &addressed).await
}
