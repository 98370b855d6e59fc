//! `PublishSections`.

use std::collections::BTreeSet;

use proto::catalog::v1::{PublishSectionsRequest, PublishSectionsResponse};
use shared::caller::Caller;
use shared::request::{self, Claimed, RequestKey};
use shared::status::not_found;
use shared::value::{self, Id};
use tonic::Status;
use uuid::Uuid;

use super::convert::{self, Fields};
use super::{Catalog, SCHOOL_STAFF, event};
use crate::domain::menu::{self, Coming, Draft};
use crate::domain::section::{Section, State};
use crate::store;
use crate::store::section::Which;
use crate::store::term::MenuChange;

struct Command {
    request_id: Uuid,
    term_id: Id<value::Term>,
    section_ids: BTreeSet<Id<value::Section>>,
}

/// Puts arranged sections on the menu.
pub async fn publish_sections(
    catalog: &Catalog,
    caller: &Caller,
    request: PublishSectionsRequest,
) -> Result<PublishSectionsResponse, Status> {
    let permit = caller.staff(SCHOOL_STAFF)?;
    let command = parse(&request)?;
    let content = PublishSectionsRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "PublishSections", command.request_id, &content);

    let tx = catalog.db.begin().await?;
    let claim = match request::claim(&tx, &key, catalog.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let term_id = command.term_id;
    let term = store::term::lock(&tx, term_id).await?.ok_or_else(|| not_found("term", term_id))?;
    permit.reach(&convert::school_path(&term.path), "term", term_id)?;
    let term_slots = store::slot::of_term(&tx, &term).await?;
    let sections = store::section::of_term(&tx, &term, &term_slots, Which::All).await?;
    let known: BTreeSet<_> = sections.iter().map(|section| section.id).collect();
    if let Some(unknown) = command.section_ids.difference(&known).next() {
        return Err(not_found("section", unknown));
    }
    let providers = sections.iter().filter_map(|section| section.course.origin.provider_id()).collect();
    let listings = store::provider::listings(&tx, &providers).await?;
    let now = catalog.clock.now();
    let policy = catalog.policy_of(&term)?;
    let draft = Draft {
        calendar: &term.calendar,
        sections: &sections,
        wanted: &command.section_ids,
        listings: &listings,
        today: convert::local_day(now),
    };
    let coming = menu::publish(&policy, &draft)?;
    let flags = flags(&coming);
    let published: Vec<Section> = coming
        .into_iter()
        .map(|coming| Section { state: State::Published, ..coming.section.clone() })
        .collect();
    if !published.is_empty() {
        let ids: Vec<_> = published.iter().map(|section| section.id).collect();
        store::section::publish(&tx, &term, &ids, now).await?;
        store::term::change_menu(&tx, &term, MenuChange::Published, ids.len(), now).await?;
        event::sections_published(&tx, &published, now).await?;
    }
    let published_count = i32::try_from(published.len()).unwrap_or(i32::MAX);
    let answer = PublishSectionsResponse { published_count, flags };
    claim.answer(&tx, &answer).await?;
    tx.commit().await?;
    Ok(answer)
}

/// The names of what was accepted and is to be on record, each once.
fn flags(coming: &[Coming<'_>]) -> Vec<String> {
    let flagged: Vec<_> =
        coming.iter().filter_map(|coming| Some((coming.section.id, coming.flag.as_ref()?))).collect();
    for (id, flag) in &flagged {
        tracing::info!(section.id = %id, phase = flag.phase, "section {id} begins in a phase that names no such course");
    }
    flagged.first().map(|_| "NOT_IN_THIS_PHASE".to_owned()).into_iter().collect()
}

fn parse(request: &PublishSectionsRequest) -> Result<Command, Status> {
    let mut fields = Fields::default();
    let request_id = fields.uuid("request_id", &request.request_id);
    let term_id = fields.id("term_id", &request.term_id);
    let section_ids = request.section_ids.iter().enumerate();
    let section_ids =
        section_ids.filter_map(|(index, id)| fields.id(&format!("section_ids[{index}]"), id)).collect();
    let ids = request_id.zip(term_id);
    fields.finish(ids.map(|(request_id, term_id)| Command { request_id, term_id, section_ids }))
}
