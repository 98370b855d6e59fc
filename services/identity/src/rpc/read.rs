//! Methods that change nothing (but for the note of who read what).

use std::collections::HashMap;

use proto::identity::v1::{
    BatchGetPupilsRequest, BatchGetPupilsResponse, GetConsentTermsResponse, GetNodeRequest, GetNodeResponse,
    GetPayerRequest, GetPayerResponse, ListMyPupilsRequest, ListMyPupilsResponse, ListNodesRequest,
    ListNodesResponse, ListPupilsRequest, ListPupilsResponse, Pupil as PupilMessage,
};
use shared::caller::{Caller, Role, StaffPermit};
use shared::db::Error;
use shared::status;
use shared::value::{self, Id, Page, PageToken, Violations};
use tonic::Status;

use super::convert::Shown;
use super::{Given, convert};
use crate::domain::consent;
use crate::domain::node::{Kind, Node};
use crate::domain::pupil::Pupil;
use crate::store;
use crate::store::audit::Action;

/// Gives one node. Classes only to who has to do with them.
///
/// # Errors
/// See the contract.
pub async fn get_node(
    given: &Given,
    caller: &Caller,
    request: &GetNodeRequest,
) -> Result<GetNodeResponse, Status> {
    let mut violations = Violations::default();
    let Some(id) = violations.field("id", request.id.parse::<Id<value::Node>>()) else {
        return Err(status::invalid(&violations));
    };
    let node = store::node::find(given.db.read(), id).await?;
    let node = node.filter(|node| may_see(caller, node)).ok_or_else(|| status::not_found("node", id))?;
    Ok(GetNodeResponse { node: Some(convert::node(&node)) })
}

/// Districts, towns and schools are public; a class is known to its pupils' guardians, to staff above it and to services.
fn may_see(caller: &Caller, node: &Node) -> bool {
    let path = convert::node_path(&node.path);
    match (node.kind, caller) {
        (Kind::District | Kind::Town | Kind::School, _) | (Kind::Class, Caller::Service(_)) => true,
        (Kind::Class, Caller::Anonymous) => false,
        (Kind::Class, Caller::Guardian(guardian)) => guardian.pupils.iter().any(|pupil| pupil.path == path),
        (Kind::Class, Caller::Staff(_)) => caller.staff(Role::ALL).is_ok_and(|permit| permit.reaches(&path)),
    }
}

/// Lists the nodes right below a node, by code.
///
/// # Errors
/// See the contract.
pub async fn list_nodes(
    given: &Given,
    caller: &Caller,
    request: &ListNodesRequest,
) -> Result<ListNodesResponse, Status> {
    let mut violations = Violations::default();
    let parent_id = match request.parent_id.as_str() {
        "" => Some(None),
        text => violations.field("parent_id", text.parse::<Id<value::Node>>()).map(Some),
    };
    let page = violations.field("page_token", Page::<String>::parse(request.page_size, &request.page_token));
    let (Some(parent_id), Some(page)) = (parent_id, page) else { return Err(status::invalid(&violations)) };
    if let Some(parent_id) = parent_id {
        let unknown = || status::not_found("node", parent_id);
        let parent = store::node::find(given.db.read(), parent_id).await?;
        let parent = parent.filter(|node| may_see(caller, node)).ok_or_else(unknown)?;
        if parent.kind == Kind::School {
            caller.staff(Role::ALL)?.reach(&convert::node_path(&parent.path), "node", parent_id)?;
        }
    }
    let mut nodes = store::node::list(given.db.read(), parent_id, &one_more(&page)).await?;
    let next_page_token = cut(&mut nodes, &page, |node| PageToken::of(&node.code));
    Ok(ListNodesResponse { nodes: nodes.iter().map(convert::node).collect(), next_page_token })
}

/// Lists the pupils of a school or class, and notes who read them.
///
/// # Errors
/// See the contract.
pub async fn list_pupils(
    given: &Given,
    caller: &Caller,
    request: &ListPupilsRequest,
) -> Result<ListPupilsResponse, Status> {
    let permit = caller.staff(Role::ALL)?;
    let mut violations = Violations::default();
    let node_id = violations.field("node_id", request.node_id.parse::<Id<value::Node>>());
    let page = violations.field("page_token", Page::parse(request.page_size, &request.page_token));
    let (Some(node_id), Some(page)) = (node_id, page) else { return Err(status::invalid(&violations)) };
    let node = store::node::find(given.db.read(), node_id).await?;
    let node = node.filter(|node| matches!(node.kind, Kind::School | Kind::Class));
    let node = node.ok_or_else(|| status::not_found("node", node_id))?;
    permit.reach(&convert::node_path(&node.path), "node", node_id)?;

    let mut pupils = store::pupil::list(given.db.read(), &given.vault, &node, &one_more(&page)).await?;
    let next_page_token = cut(&mut pupils, &page, |pupil| PageToken::of(&(pupil.path.last(), pupil.id)));
    let nodes =
        store::node::with_ids(given.db.read(), pupils.iter().flat_map(|pupil| pupil.path.iter().copied()))
            .await?;
    let shown = |pupil: &Pupil| if works_with(&permit, pupil) { Shown::Whole } else { Shown::Masked };
    let rendered =
        pupils.iter().map(|pupil| render(pupil, &nodes, shown(pupil))).collect::<Result<_, _>>()?;

    let tx = given.db.begin().await?;
    let now = given.clock.now();
    store::audit::append(&tx, &caller.key(), Action::ListPupils, &node, pupils.len(), now).await?;
    tx.commit().await?;
    Ok(ListPupilsResponse { pupils: rendered, next_page_token })
}

/// Says whether the caller has a role at the pupil's class or school. From further away, a name is not needed to oversee.
fn works_with(permit: &StaffPermit, pupil: &Pupil) -> bool {
    let path = convert::node_path(&pupil.path);
    let depth = Kind::School.depth();
    permit.grants().iter().any(|grant| grant.path.nodes().len() >= depth && grant.reaches(&path))
}

/// Gives names for a list of pupils, to the services that make rosters and invoices.
///
/// # Errors
/// See the contract.
pub async fn batch_get_pupils(
    given: &Given,
    caller: &Caller,
    request: &BatchGetPupilsRequest,
) -> Result<BatchGetPupilsResponse, Status> {
    caller.service(&["enrollment", "billing"])?;
    let mut violations = Violations::default();
    violations.check("pupil_ids", request.pupil_ids.len() <= 500, "must have at most 500 ids");
    let mut read = Vec::with_capacity(request.pupil_ids.len());
    for (index, text) in request.pupil_ids.iter().enumerate() {
        read.extend(violations.field(&format!("pupil_ids[{index}]"), text.parse::<Id<value::Pupil>>()));
    }
    if !violations.is_empty() {
        return Err(status::invalid(&violations));
    }
    let found = store::pupil::with_ids(given.db.read(), &given.vault, &read).await?;
    let nodes =
        store::node::with_ids(given.db.read(), found.values().flat_map(|pupil| pupil.path.iter().copied()))
            .await?;
    let pupils = read.iter().filter_map(|id| found.get(id)).map(|pupil| render(pupil, &nodes, Shown::Whole));
    Ok(BatchGetPupilsResponse { pupils: pupils.collect::<Result<_, _>>()? })
}

/// Gives the terms of consent.
#[must_use]
pub fn get_consent_terms() -> GetConsentTermsResponse {
    GetConsentTermsResponse { version: consent::VERSION.to_owned(), text: consent::TEXT.to_owned() }
}

/// Lists the pupils bound to the calling guardian now, by name.
///
/// # Errors
/// See the contract.
pub async fn list_my_pupils(
    given: &Given,
    caller: &Caller,
    _request: &ListMyPupilsRequest,
) -> Result<ListMyPupilsResponse, Status> {
    let permit = caller.guardian()?;
    // The token may be older than a withdrawal: no consent, no reading.
    let ids = store::consent::pupils_of(given.db.read(), permit.id()).await?;
    let found = store::pupil::with_ids(given.db.read(), &given.vault, &ids).await?;
    let nodes =
        store::node::with_ids(given.db.read(), found.values().flat_map(|pupil| pupil.path.iter().copied()))
            .await?;
    let mut pupils: Vec<_> = found.values().collect();
    pupils.sort_by(|one, other| (&one.name, one.id).cmp(&(&other.name, other.id)));
    let pupils =
        pupils.into_iter().map(|pupil| render(pupil, &nodes, Shown::Whole)).collect::<Result<_, _>>()?;
    Ok(ListMyPupilsResponse { pupils })
}

/// Gives the WeChat identity a guardian pays with.
///
/// # Errors
/// See the contract.
pub async fn get_payer(
    given: &Given,
    caller: &Caller,
    request: &GetPayerRequest,
) -> Result<GetPayerResponse, Status> {
    caller.service(&["billing"])?;
    let mut violations = Violations::default();
    let Some(id) = violations.field("guardian_id", request.guardian_id.parse::<Id<value::Guardian>>()) else {
        return Err(status::invalid(&violations));
    };
    let guardian = store::guardian::find(given.db.read(), &given.vault, id).await?;
    let guardian = guardian.ok_or_else(|| status::not_found("guardian", id))?;
    Ok(GetPayerResponse { appid: guardian.identity.appid, openid: guardian.identity.openid })
}

/// A pupil as a message. `nodes` must have the pupil's school and class.
///
/// # Errors
/// [`Error::Inconsistent`] when they have not.
pub fn render(
    pupil: &Pupil,
    nodes: &HashMap<Id<value::Node>, Node>,
    shown: Shown,
) -> Result<PupilMessage, Error> {
    let at = |kind: Kind| pupil.path.get(kind.depth() - 1).and_then(|id| nodes.get(id));
    let (Some(school), Some(class)) = (at(Kind::School), at(Kind::Class)) else {
        return Err(Error::inconsistent("pupil", pupil.id, "its school or class is not there"));
    };
    Ok(convert::pupil(pupil, school, class, shown))
}

/// The same page with one row more, by which the end of the list is known.
fn one_more<K: Clone>(page: &Page<K>) -> Page<K> {
    Page { size: page.size + 1, after: page.after.clone() }
}

/// Cuts a list that was read with [`one_more`] to its page; gives the token of the next page, empty when there is none.
fn cut<K, T>(rows: &mut Vec<T>, page: &Page<K>, token: impl Fn(&T) -> PageToken) -> String {
    let size = usize::try_from(page.size).unwrap_or(usize::MAX);
    if rows.len() <= size {
        return String::new();
    }
    rows.truncate(size);
    rows.last().map(|row| token(row).into_text()).unwrap_or_default()
}
