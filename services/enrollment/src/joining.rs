//! What becomes of a section that is published while its term's seats are being drawn: it joins the lists that are still open, or
//! belongs to the seats left over.

use policy::Live;
use shared::db::{Error, Tx};
use shared::value::Moment;

use crate::announce::announce;
use crate::domain::draw::{closing, terms};
use crate::domain::round::{self, Course, Round};
use crate::domain::round_news::RoundNews;
use crate::domain::section::Section;
use crate::domain::term::Term;
use crate::store;

/// Keeps a published section with how its seats are given, and tells families of lists it joined. One told again stays as it is.
///
/// The term is locked: whoever opens a round sees the section, or is seen here.
///
/// # Errors
/// When the database refuses, a row breaks a promise, or the term's policy is not here.
pub async fn publish(tx: &Tx, packs: &Live, section: &Section, now: Moment) -> Result<(), Error> {
    let term = store::term::lock(tx, section.term_id).await?;
    if store::section::find(tx, section.id).await?.is_some() {
        return Ok(());
    }
    let Some(term) = term else { return store::section::insert(tx, section).await };
    let rounds = store::round::list(tx, &[term.id]).await?;
    let mut joined = false;
    if !section.seats.basic_care {
        for round in &rounds {
            joined |= join(tx, packs, &term, round, section, now).await?;
        }
    }
    let left_over = round::course_of_new(&rounds, section.seats.basic_care, joined) == Course::LeftOver;
    store::section::insert(tx, &Section { left_over, ..section.clone() }).await
}

/// Lets a section join a round's lists; says whether it did.
async fn join(
    tx: &Tx,
    packs: &Live,
    term: &Term,
    round: &Round,
    section: &Section,
    now: Moment,
) -> Result<bool, Error> {
    if !round::may_join(round, now) {
        return Ok(false);
    }
    // Whoever hands in wishes holds the round, and whoever closes the lists locks it.
    let Some(round) = store::round::lock(tx, round.id).await? else { return Ok(false) };
    if !round::may_join(&round, now) {
        return Ok(false);
    }
    let Some(act) = store::draw::find(tx, &round, None).await? else { return Ok(false) };
    let policy = packs.pinned(&term.policy_version).ok_or_else(|| {
        Error::inconsistent("term", term.id, format!("its policy {} is not here", term.policy_version))
    })?;
    let groups: Vec<_> =
        policy::enroll::priority_groups(&policy).iter().map(|group| group.key.clone()).collect();
    let drawn = closing::section_ids(&act.terms).into_iter().flatten();
    let drawn = store::section::find_all(tx, drawn).await?;
    let Some(terms) = terms::join(&act.terms, &drawn, section, &groups) else { return Ok(false) };
    store::draw::save_terms(tx, &round, &terms).await?;
    let news = RoundNews::Joined { section_title: section.title.clone() };
    announce(tx, &round, &term.path, &news, now).await?;
    Ok(true)
}
