//! Adds the staff of a table, and gives the first credentials of new accounts once.

use std::collections::{HashMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use prost::Message as _;
use proto::identity::v1::{FirstCredentials, ImportStaffRequest, ImportStaffResponse};
use shared::caller::{Caller, Role, StaffPermit};
use shared::db::{Error, Tx};
use shared::random;
use shared::status;
use shared::table::{Row, Table};
use shared::value::{District, Id, Violations};
use tonic::Status;

use super::answer::{self, Asked, Outcome};
use super::table::{self, Cells, plain};
use super::{Given, convert, error};
use crate::domain::fault::{Fault, Reason};
use crate::domain::node::Kind;
use crate::domain::person::Name;
use crate::domain::staff::{self, Change, Draft, Place, column};
use crate::secret;
use crate::store;
use crate::store::brief_answer::Standing;
use crate::store::staff::NewMember;

/// How long a repeat is given the first credentials.
const CREDENTIALS_KEPT: TimeDelta = TimeDelta::minutes(10);

/// See the contract.
///
/// # Errors
/// See the contract.
pub async fn import_staff(
    given: &Given,
    caller: &Caller,
    request: &ImportStaffRequest,
) -> Result<ImportStaffResponse, Status> {
    let permit = caller.staff(&[Role::PlatformOperator, Role::BureauOfficer, Role::Principal])?;
    let is_operator = permit.holds(Role::PlatformOperator, &shared::caller::NodePath::ROOT);
    let mut violations = Violations::default();
    let request_id = answer::parse_id(&mut violations, &request.request_id);
    let district_id = match request.district_id.as_str() {
        "" if is_operator => Some(None),
        text => violations.field("district_id", text.parse::<Id<District>>()).map(Some),
    };
    let format = table::format(&mut violations, request.file.as_ref());
    let (Some(request_id), Some(district_id), Some(format)) = (request_id, district_id, format) else {
        return Err(status::invalid(&violations));
    };
    let content = ImportStaffRequest { request_id: String::new(), ..request.clone() };
    let asked = Asked::new(&given.vault, caller, "ImportStaff", request_id, &content);
    if let Some(district_id) = district_id {
        check_district(given, &permit, district_id).await?;
    }
    let drafts = match table::read(format, request.file.as_ref(), column::ALL).await? {
        Ok(table) => parse(&table),
        Err(faults) => Err(faults),
    };

    let tx = given.db.begin().await?;
    let now = given.clock.now();
    let claim = match asked.claim(&tx, &given.vault, now).await? {
        Outcome::First(claim) => claim,
        Outcome::Again(answer) => return again(given, &tx, &asked, answer).await,
    };
    let changes = match drafts {
        Ok(drafts) => compare(given, &tx, &permit, district_id, &drafts).await?,
        Err(faults) => Err(faults),
    };
    let response = match changes {
        Ok(changes) => {
            ImportStaffResponse { credentials: save(given, &tx, &changes).await?, errors: Vec::new() }
        }
        Err(faults) => ImportStaffResponse {
            credentials: Vec::new(),
            errors: faults.iter().map(convert::fault).collect(),
        },
    };
    if !response.credentials.is_empty() {
        let key = asked.brief_key(&given.vault);
        store::brief_answer::ask(&tx, &key, now + CREDENTIALS_KEPT, now).await?;
        let text = STANDARD.encode(response.encode_to_vec());
        store::brief_answer::answer(&tx, &given.vault, &key, &text).await?;
    }
    claim.answer(&tx, &given.vault, &without_secrets(&response)).await?;
    tx.commit().await?;
    Ok(response)
}

/// The district whose codes the table uses must be there, and the caller must have a role in it.
async fn check_district(
    given: &Given,
    permit: &StaffPermit,
    district_id: Id<District>,
) -> Result<(), Status> {
    let unknown = || status::not_found("district", district_id);
    let node = store::node::find(given.db.read(), Id::new(district_id.uuid())).await.map_err(Status::from)?;
    let node = node.filter(|node| node.kind == Kind::District).ok_or_else(unknown)?;
    let path = convert::node_path(&node.path);
    let works_there = permit.reaches(&path) || permit.grants().iter().any(|grant| path.reaches(&grant.path));
    if works_there { Ok(()) } else { Err(unknown()) }
}

/// The first answer again: with the credentials while they are kept, without their secrets later.
async fn again(
    given: &Given,
    tx: &Tx,
    asked: &Asked,
    kept: ImportStaffResponse,
) -> Result<ImportStaffResponse, Status> {
    let key = asked.brief_key(&given.vault);
    match store::brief_answer::find(tx, &given.vault, &key, given.clock.now()).await? {
        Standing::Answered(text) => {
            let wrong = || Error::inconsistent("brief_answer", "(hidden)", "not an answer of ImportStaff");
            let bytes = STANDARD.decode(text).map_err(|_| wrong())?;
            Ok(ImportStaffResponse::decode(bytes.as_slice()).map_err(|_| wrong())?)
        }
        Standing::Unasked | Standing::Waiting => Ok(kept),
    }
}

fn without_secrets(response: &ImportStaffResponse) -> ImportStaffResponse {
    let credentials = response.credentials.iter().map(|credentials| FirstCredentials {
        password: String::new(),
        totp_secret: String::new(),
        ..credentials.clone()
    });
    ImportStaffResponse { credentials: credentials.collect(), errors: response.errors.clone() }
}

async fn compare(
    given: &Given,
    tx: &Tx,
    permit: &StaffPermit,
    district_id: Option<Id<District>>,
    drafts: &[Draft],
) -> Result<Result<Vec<Change>, Vec<Fault>>, Status> {
    let nodes = match district_id {
        Some(district_id) => {
            // One table of a district's staff at a time.
            store::node::lock_districts(tx, [district_id]).await?;
            let codes: HashSet<_> = drafts.iter().map(|draft| draft.place.clone()).collect();
            store::node::of_district(tx, district_id, &codes.into_iter().collect::<Vec<_>>()).await?
        }
        None => HashMap::new(),
    };
    let login_names: HashSet<_> = drafts.iter().map(|draft| draft.login_name.clone()).collect();
    let login_names: Vec<_> = login_names.into_iter().collect();
    let known = store::staff::with_login_names(tx, &given.vault, &login_names).await?;
    let is_operator = permit.holds(Role::PlatformOperator, &shared::caller::NodePath::ROOT);
    let reaches = |place: &Place| match place {
        Place::Node(path) => permit.reaches(&convert::node_path(path)),
        // A provider works in many districts, and the platform is above them: neither is a district's to give.
        Place::Provider(_) | Place::Platform => is_operator,
    };
    let now = given.clock.now();
    Ok(staff::compare(drafts, &nodes, &known, reaches, || random::id(now)))
}

/// Saves new accounts and new grants; gives the first credentials of new accounts, in the order of the changes.
async fn save(given: &Given, tx: &Tx, changes: &[Change]) -> Result<Vec<FirstCredentials>, Status> {
    let now = given.clock.now();
    let mut new = Vec::new();
    let mut credentials = Vec::new();
    for change in changes.iter().filter(|change| change.is_new) {
        let password = secret::first_password();
        let totp_secret = secret::totp_secret();
        new.push(NewMember {
            id: change.member.id,
            login_name: change.member.login_name.clone(),
            name: change.member.name.clone(),
            password_hash: secret::hash_first(&password).map_err(|refused| error::fault(&refused))?,
            totp_secret: totp_secret.clone(),
        });
        credentials.push(FirstCredentials {
            staff_id: change.member.id.to_string(),
            login_name: change.member.login_name.clone(),
            password,
            totp_secret,
        });
    }
    let inserted = store::staff::insert_all(tx, &given.vault, &new, now).await;
    inserted.map_err(|refused| match refused.violated().as_deref() {
        Some("staff_login_name_key") => error::overtaken(),
        _ => refused.into(),
    })?;
    store::staff::grant_all(tx, changes, now).await.map_err(|refused| {
        match refused.violated().as_deref() {
            Some("staff_grant_staff_id_role_place_id_key") => error::overtaken(),
            _ => Status::from(refused),
        }
    })?;
    Ok(credentials)
}

/// Reads the cells of every row.
fn parse(table: &Table) -> Result<Vec<Draft>, Vec<Fault>> {
    let mut faults = Vec::new();
    let drafts: Vec<_> = table.rows().filter_map(|row| parse_row(row, &mut faults)).collect();
    if faults.is_empty() { Ok(drafts) } else { Err(faults) }
}

fn parse_row(row: Row<'_>, faults: &mut Vec<Fault>) -> Option<Draft> {
    let mut cells = Cells::new(row, faults);
    let login_name = Some(plain(row, column::LOGIN).to_lowercase()).filter(|name| staff::is_login_name(name));
    let login_name = cells.take(column::LOGIN, login_name, Reason::ValueInvalid, false);
    let name = cells.take(column::NAME, Name::parse(row.cell(column::NAME)).ok(), Reason::ValueInvalid, true);
    let role = Some(plain(row, column::ROLE)).filter(|role| staff::level(role).is_some());
    let role = cells.take(column::ROLE, role, Reason::RoleUnknown, false);
    let place = plain(row, column::PLACE);
    Some(Draft { row: row.number(), login_name: login_name?, name: name?, role: role?, place })
}
