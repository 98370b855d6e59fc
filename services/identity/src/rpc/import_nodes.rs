//! Adds the nodes of a table to the tree.

use std::collections::{HashMap, HashSet};

use policy::Packs;
use proto::identity::v1::{ImportNodesRequest, ImportNodesResponse};
use shared::caller::{Caller, Role, StaffPermit};
use shared::random;
use shared::status;
use shared::table::{Row, Table};
use shared::value::{self, Id, Violations};
use tonic::Status;

use super::answer::{self, Asked, Outcome};
use super::table::{self, Cells, plain};
use super::{Given, convert, error};
use crate::domain::fault::{Fault, Reason};
use crate::domain::node::{self, Draft, Kind, Node, Placed, Stage, column};
use crate::event::{self, Told};
use crate::store;

/// See the contract.
///
/// # Errors
/// See the contract.
pub async fn import_nodes(
    given: &Given,
    caller: &Caller,
    request: &ImportNodesRequest,
) -> Result<ImportNodesResponse, Status> {
    let permit = caller.staff(&[Role::PlatformOperator, Role::BureauOfficer])?;
    let mut violations = Violations::default();
    let request_id = answer::parse_id(&mut violations, &request.request_id);
    let format = table::format(&mut violations, request.file.as_ref());
    let (Some(request_id), Some(format)) = (request_id, format) else {
        return Err(status::invalid(&violations));
    };
    let content = ImportNodesRequest { request_id: String::new(), ..request.clone() };
    let asked = Asked::new(&given.vault, caller, "ImportNodes", request_id, &content);
    let drafts = match table::read(format, request.file.as_ref(), column::ALL).await? {
        Ok(table) => parse(&given.packs.packs(), &table),
        Err(faults) => Err(faults),
    };

    let tx = given.db.begin().await?;
    let claim = match asked.claim(&tx, &given.vault, given.clock.now()).await? {
        Outcome::First(claim) => claim,
        Outcome::Again(answer) => return Ok(answer),
    };
    let placed = match drafts {
        Ok(drafts) => place(given, &tx, &permit, &drafts).await?,
        Err(faults) => Err(faults),
    };
    let response = match placed {
        Ok((placed, tree)) => {
            save(given, &tx, &placed, &tree).await?;
            let nodes = placed.iter().map(|placed| convert::node(&placed.node)).collect();
            ImportNodesResponse { nodes, errors: Vec::new() }
        }
        Err(faults) => {
            ImportNodesResponse { nodes: Vec::new(), errors: faults.iter().map(convert::fault).collect() }
        }
    };
    claim.answer(&tx, &given.vault, &response).await?;
    tx.commit().await?;
    Ok(response)
}

/// Nodes by id: those of a table, and all above them.
struct Tree(HashMap<Id<value::Node>, Node>);

impl Tree {
    async fn of(tx: &shared::db::Tx, placed: &[Placed]) -> Result<Self, Status> {
        let nodes = placed.iter().map(|placed| (placed.node.id, placed.node.clone()));
        let mut nodes: HashMap<Id<value::Node>, Node> = nodes.collect();
        let above = placed.iter().flat_map(|placed| placed.node.path.iter().copied());
        let above: HashSet<_> = above.filter(|id| !nodes.contains_key(id)).collect();
        nodes.extend(store::node::with_ids(tx, above).await?);
        Ok(Self(nodes))
    }

    /// The nodes from the district down to `node`.
    fn line(&self, node: &Node) -> Vec<&Node> {
        node.path.iter().filter_map(|id| self.0.get(id)).collect()
    }
}

/// Places the rows among the nodes there are, nobody else adding any meanwhile.
async fn place(
    given: &Given,
    tx: &shared::db::Tx,
    permit: &StaffPermit,
    drafts: &[Draft],
) -> Result<Result<(Vec<Placed>, Tree), Vec<Fault>>, Status> {
    let codes: HashSet<_> =
        drafts.iter().flat_map(|draft| draft.parent_code.iter().chain([&draft.code])).collect();
    let codes: Vec<_> = codes.into_iter().cloned().collect();
    let seen = store::node::with_codes(tx, &codes).await?;
    store::node::lock_districts(tx, seen.iter().map(Node::district_id)).await?;
    let known = store::node::with_codes(tx, &codes).await?;
    let now = given.clock.now();
    let reaches = |path: &[Id<value::Node>]| permit.reaches(&convert::node_path(path));
    let placed = match node::place(drafts, &known, reaches, || random::id(now), now) {
        Ok(placed) => placed,
        Err(faults) => return Ok(Err(faults)),
    };
    let tree = Tree::of(tx, &placed).await?;
    let packs = given.packs.packs();
    let rows = drafts.iter().map(|draft| draft.row).zip(&placed);
    let faults = node::misplaced_supplements(
        rows,
        |node| tree.line(node),
        |pack_id, supplement_id| packs.policy(pack_id, Some(supplement_id)).is_some(),
    );
    Ok(if faults.is_empty() { Ok((placed, tree)) } else { Err(faults) })
}

/// Saves and tells the nodes that are new.
async fn save(given: &Given, tx: &shared::db::Tx, placed: &[Placed], tree: &Tree) -> Result<(), Status> {
    let mut new: Vec<Node> =
        placed.iter().filter(|placed| placed.is_new).map(|placed| placed.node.clone()).collect();
    if new.is_empty() {
        return Ok(());
    }
    new.sort_by_key(|node| node.path.len());
    store::node::insert_all(tx, &new).await.map_err(|refused| match refused.violated().as_deref() {
        Some("node_code_key" | "node_district_id_code_key") => error::overtaken(),
        _ => refused.into(),
    })?;
    let told = new.iter().map(|node| Told::node_added(node, node::holding(&tree.line(node))));
    event::tell(tx, &told.collect::<Vec<_>>(), given.clock.now()).await?;
    Ok(())
}

/// Reads the cells of every row.
fn parse(packs: &Packs, table: &Table) -> Result<Vec<Draft>, Vec<Fault>> {
    let mut faults = Vec::new();
    let drafts: Vec<_> = table.rows().filter_map(|row| parse_row(packs, row, &mut faults)).collect();
    if faults.is_empty() { Ok(drafts) } else { Err(faults) }
}

fn parse_row(packs: &Packs, row: Row<'_>, faults: &mut Vec<Fault>) -> Option<Draft> {
    let mut cells = Cells::new(row, faults);
    let text = |column| {
        let text = plain(row, column);
        (!text.is_empty()).then_some(text)
    };
    let kind = Kind::ALL.iter().copied().find(|kind| kind.word() == row.cell(column::KIND));
    let kind = cells.take(column::KIND, kind, Reason::ValueInvalid, false);
    let code = cells.take(
        column::CODE,
        text(column::CODE).filter(|code| node::is_code(code)),
        Reason::ValueInvalid,
        false,
    );
    let parent_code = text(column::PARENT);
    let name = Some(row.cell(column::NAME)).filter(|name| (1..=64).contains(&name.chars().count()));
    let name = name.filter(|name| !name.chars().any(char::is_control));
    let name = cells.take(column::NAME, name.map(ToOwned::to_owned), Reason::ValueInvalid, false);

    let stage = match (row.cell(column::STAGE), kind) {
        ("", Some(Kind::School)) => None,
        ("", _) => Some(None),
        (word, Some(Kind::School)) => Stage::ALL.iter().copied().find(|stage| stage.word() == word).map(Some),
        (_, None) => Some(None),
        (_, Some(Kind::District | Kind::Town | Kind::Class)) => None,
    };
    let stage = cells.take(column::STAGE, stage, Reason::ValueInvalid, false);
    let grade = match (text(column::GRADE), kind) {
        (None, Some(Kind::Class)) => None,
        (None, _) => Some(None),
        (Some(text), Some(Kind::Class)) => {
            text.parse::<i32>().ok().filter(|grade| (1..=9).contains(grade)).map(Some)
        }
        (Some(_), None) => Some(None),
        (Some(_), Some(Kind::District | Kind::Town | Kind::School)) => None,
    };
    let grade = cells.take(column::GRADE, grade, Reason::ValueInvalid, false);

    let pack_id = text(column::PACK);
    // Without a pack of its own or from above there would be no rule for anything below.
    let is_known = match &pack_id {
        Some(pack_id) => packs.policy(pack_id, None).is_some(),
        None => kind != Some(Kind::District),
    };
    let pack_id = cells.take(column::PACK, is_known.then_some(pack_id), Reason::PackUnknown, false);
    let supplement_id = text(column::SUPPLEMENT);
    let is_known = supplement_id
        .as_deref()
        .is_none_or(|supplement_id| packs.current().any(|policy| policy.supplement() == Some(supplement_id)));
    let supplement_id =
        cells.take(column::SUPPLEMENT, is_known.then_some(supplement_id), Reason::PackUnknown, false);
    Some(Draft {
        row: row.number(),
        kind: kind?,
        code: code?,
        parent_code,
        name: name?,
        stage: stage?,
        grade: grade?,
        pack_id: pack_id?,
        supplement_id: supplement_id?,
    })
}
