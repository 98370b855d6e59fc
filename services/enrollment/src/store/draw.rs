//! Acts of draws.
//!
//! What many read is in `draw` and small; the lists and the bundle, which few read, are in `draw_file`; what each family reads is a row
//! of `draw_entry`. The salt is sealed.

use std::collections::HashMap;

use draw::{Hash, Input, Proof, Pupil as Entry, RoundSalt, SectionIndex, Terms};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Order;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    Statement,
};
use serde::{Deserialize, Serialize};
use shared::db::{Error, Kind, Tx};
use shared::value::{Id, Moment, Pupil, Round as RoundKind, Section};
use uuid::Uuid;

use super::entity::{draw as act, draw_entry, draw_file};
use super::vault::Vault;
use super::{from_json, to_json};
use crate::domain::draw::closing::{Closed, Listed, Wish};
use crate::domain::draw::result::{Fate, WishResult};
use crate::domain::round::Round;

const TABLE: &str = "draw";

/// Rows of entries in one statement: nine values each.
const ROWS: usize = 500;

/// An act of a round's draw, without its lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// The round.
    pub round_id: Id<RoundKind>,
    /// What it is drawn by; from the commitment on as committed.
    pub terms: Terms,
    /// Why there is this act; empty for the first.
    pub reason: String,
    /// Every time values were entered, the first first.
    pub entered: Vec<Entered>,
    /// Where it stands.
    pub state: State,
}

/// Values of the sources, as entered once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entered {
    /// As they are hashed, in the order of the sources.
    pub values: Vec<String>,
    /// Who entered them.
    pub staff_id: Uuid,
    /// When.
    pub at: Moment,
}

/// Where an act stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// The lists are open.
    Opened,
    /// The lists are committed.
    Committed(Committed),
    /// It is drawn.
    Drawn(Committed, Drawn),
    /// Another act took its place before it was drawn.
    Abandoned(Committed),
}

/// What is public of closed lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The root.
    pub root: Hash,
    /// When.
    pub at: Moment,
    /// Pupils on the lists.
    pub pupil_count: i32,
}

/// What is public of a draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// The seed.
    pub seed: Hash,
    /// The digest of the outcome.
    pub outcome_digest: Hash,
    /// When.
    pub at: Moment,
    /// What each section came to, in the order of the terms.
    pub sections: Vec<SectionSummary>,
}

/// What a section came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionSummary {
    /// Seats drawn.
    pub seat_count: u32,
    /// Pupils admitted.
    pub admitted_count: u32,
    /// Wishes refused.
    pub refused_count: u32,
    /// The last number of each line.
    pub cutoffs: Vec<draw::outcome::Cutoff>,
}

impl Act {
    /// What is public of its lists; none while they are open.
    #[must_use]
    pub const fn committed(&self) -> Option<&Committed> {
        match &self.state {
            State::Opened => None,
            State::Committed(committed) | State::Abandoned(committed) | State::Drawn(committed, _) => {
                Some(committed)
            }
        }
    }

    /// What is public of its draw; none before it.
    #[must_use]
    pub const fn drawn(&self) -> Option<&Drawn> {
        match &self.state {
            State::Drawn(_, drawn) => Some(drawn),
            State::Opened | State::Committed(_) | State::Abandoned(_) => None,
        }
    }

    fn number(&self) -> i32 {
        number(self.terms.act)
    }
}

/// The number of an act as a row keeps it; acts are far below the edge.
fn number(act: u32) -> i32 {
    i32::try_from(act).unwrap_or(i32::MAX)
}

/// Finds an act, or the last one of the round.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn find(
    db: &impl ConnectionTrait,
    round: &Round,
    wanted: Option<i32>,
) -> Result<Option<Act>, Error> {
    let mut query = act::Entity::find()
        .filter(act::Column::DistrictId.eq(round.district_id.uuid()))
        .filter(act::Column::RoundId.eq(round.id.uuid()));
    if let Some(wanted) = wanted {
        query = query.filter(act::Column::Act.eq(wanted));
    }
    let row = query.order_by(act::Column::Act, Order::Desc).limit(1).one(db).await?;
    row.map(read).transpose()
}

/// Finds the last act of each of these rounds.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn find_last(
    db: &impl ConnectionTrait,
    rounds: &[Round],
) -> Result<HashMap<Id<RoundKind>, Act>, Error> {
    let mut last = HashMap::new();
    for round in rounds.iter().filter(|round| round.mode.is_drawn()) {
        last.extend(find(db, round, None).await?.map(|act| (round.id, act)));
    }
    Ok(last)
}

/// Keeps a new act whose lists are open.
///
/// # Errors
/// When the database refuses.
pub async fn insert(tx: &Tx, round: &Round, terms: &Terms, reason: &str, now: Moment) -> Result<(), Error> {
    let row = act::ActiveModel {
        district_id: Set(round.district_id.uuid()),
        round_id: Set(round.id.uuid()),
        act: Set(number(terms.act)),
        state: Set("opened".to_owned()),
        reason: Set(reason.to_owned()),
        terms: Set(to_json(terms, TABLE, round.id)?),
        salt: Set(None),
        root: Set(None),
        pupil_count: Set(0),
        committed_at: Set(None),
        entered: Set(to_json(&Vec::<Entered>::new(), TABLE, round.id)?),
        seed: Set(None),
        outcome_digest: Set(None),
        summary: Set(to_json(&Vec::<SectionSummary>::new(), TABLE, round.id)?),
        drawn_at: Set(None),
        created_at: Set(now),
    };
    act::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Keeps what an act committed to: the terms, the lists, an entry with its proof for each pupil, and the salt, sealed.
///
/// # Errors
/// When the database refuses, or the ring of keys cannot seal.
pub async fn commit(
    tx: &Tx,
    vault: &Vault,
    round: &Round,
    closed: &Closed,
    salt: &[u8; 32],
    now: Moment,
) -> Result<Hash, Error> {
    let terms = closed.input.terms();
    let commitment = draw::Commitment::of(&closed.input);
    let root = *commitment.root().hash();
    let key = || format!("{}/{}", round.id, terms.act);
    let pupils = closed.input.pupils();
    let row = act::ActiveModel {
        district_id: Set(round.district_id.uuid()),
        round_id: Set(round.id.uuid()),
        act: Set(number(terms.act)),
        state: Set("committed".to_owned()),
        terms: Set(to_json(terms, TABLE, round.id)?),
        salt: Set(Some(vault.seal(TABLE, "salt", key(), &Hash::new(*salt).to_string())?)),
        root: Set(Some(root.to_string())),
        pupil_count: Set(i32::try_from(pupils.len()).unwrap_or(i32::MAX)),
        committed_at: Set(Some(now)),
        ..Default::default()
    };
    act::Entity::update(row).exec(tx).await?;
    let file = draw_file::ActiveModel {
        district_id: Set(round.district_id.uuid()),
        round_id: Set(round.id.uuid()),
        act: Set(number(terms.act)),
        lists: Set(to_json(&pupils, "draw_file", round.id)?.to_string()),
        bundle: Set(None),
    };
    draw_file::Entity::insert(file).exec_without_returning(tx).await?;

    let mut rows = Vec::with_capacity(pupils.len());
    for (entry, listed) in pupils.iter().zip(&closed.listed) {
        let leaf = listed.index.0.saturating_add(1);
        let proof = commitment.prove(leaf).ok_or_else(|| {
            Error::inconsistent("draw_entry", listed.pupil_id, "its leaf is not in the tree")
        })?;
        rows.push(draw_entry::ActiveModel {
            district_id: Set(round.district_id.uuid()),
            round_id: Set(round.id.uuid()),
            act: Set(number(terms.act)),
            pupil_id: Set(listed.pupil_id.uuid()),
            leaf: Set(number(leaf)),
            entry: Set(to_json(entry, "draw_entry", listed.pupil_id)?),
            proof: Set(to_json(&proof, "draw_entry", listed.pupil_id)?),
            wishes: Set(to_json(&wishes_json(&listed.wishes), "draw_entry", listed.pupil_id)?),
            results: Set(None),
        });
    }
    for rows in rows.chunks(ROWS) {
        draw_entry::Entity::insert_many(rows.iter().cloned()).exec_without_returning(tx).await?;
    }
    Ok(root)
}

/// Reads back what an act committed to.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn closed(
    db: &impl ConnectionTrait,
    round: &Round,
    terms: &Terms,
) -> Result<Option<(Input, Vec<Listed>)>, Error> {
    let key = (round.district_id.uuid(), round.id.uuid(), number(terms.act));
    let Some(file) = draw_file::Entity::find_by_id(key).one(db).await? else {
        return Ok(None);
    };
    let broken = |why: String| Error::inconsistent("draw_file", round.id, why);
    let pupils: Vec<Entry> = serde_json::from_str(&file.lists).map_err(|error| broken(error.to_string()))?;
    let input = Input::in_order(terms.clone(), pupils)
        .map_err(|problems| broken(format!("{} problems", problems.len())))?;
    let rows = draw_entry::Entity::find()
        .filter(draw_entry::Column::DistrictId.eq(round.district_id.uuid()))
        .filter(draw_entry::Column::RoundId.eq(round.id.uuid()))
        .filter(draw_entry::Column::Act.eq(number(terms.act)))
        .order_by_asc(draw_entry::Column::Leaf)
        .all(db)
        .await?;
    let mut listed = Vec::with_capacity(rows.len());
    for (at, row) in rows.into_iter().enumerate() {
        if usize::try_from(row.leaf).ok() != Some(at + 1) {
            return Err(broken("its entries have gaps".to_owned()));
        }
        listed.push(Listed {
            pupil_id: Id::new(row.pupil_id),
            index: draw::PupilIndex::from_at(at),
            wishes: read_wishes(row.wishes, row.pupil_id)?,
        });
    }
    if listed.len() != input.pupils().len() {
        return Err(broken("its entries are not as many as on the lists".to_owned()));
    }
    Ok(Some((input, listed)))
}

/// Keeps values entered for an act, beside those entered before.
///
/// # Errors
/// When the database refuses.
pub async fn enter(tx: &Tx, round: &Round, before: &Act, entered: &Entered) -> Result<(), Error> {
    let mut all = before.entered.clone();
    all.push(entered.clone());
    let row = act::ActiveModel {
        district_id: Set(round.district_id.uuid()),
        round_id: Set(round.id.uuid()),
        act: Set(before.number()),
        entered: Set(to_json(&all, TABLE, round.id)?),
        ..Default::default()
    };
    act::Entity::update(row).exec(tx).await?;
    Ok(())
}

/// Keeps that another act takes the place of one that was not drawn.
///
/// # Errors
/// When the database refuses.
pub async fn abandon(tx: &Tx, round: &Round, before: &Act) -> Result<(), Error> {
    let row = act::ActiveModel {
        district_id: Set(round.district_id.uuid()),
        round_id: Set(round.id.uuid()),
        act: Set(before.number()),
        state: Set("abandoned".to_owned()),
        ..Default::default()
    };
    act::Entity::update(row).exec(tx).await?;
    Ok(())
}

/// Keeps a draw: what is public of it, the bundle, and what became of the wishes of each of `listed`, in their order.
///
/// # Errors
/// When the database refuses.
pub async fn save_drawn(
    tx: &Tx,
    round: &Round,
    drawn: &Drawn,
    bundle: &draw::Bundle,
    listed: &[Listed],
    results: &[Vec<WishResult>],
) -> Result<(), Error> {
    let act_number = number(bundle.terms.act);
    let row = act::ActiveModel {
        district_id: Set(round.district_id.uuid()),
        round_id: Set(round.id.uuid()),
        act: Set(act_number),
        state: Set("drawn".to_owned()),
        seed: Set(Some(drawn.seed.to_string())),
        outcome_digest: Set(Some(drawn.outcome_digest.to_string())),
        summary: Set(to_json(&drawn.sections, TABLE, round.id)?),
        drawn_at: Set(Some(drawn.at)),
        ..Default::default()
    };
    act::Entity::update(row).exec(tx).await?;
    let bundle =
        serde_json::to_string(bundle).map_err(|error| Error::inconsistent(TABLE, round.id, error))?;
    let file = draw_file::ActiveModel {
        district_id: Set(round.district_id.uuid()),
        round_id: Set(round.id.uuid()),
        act: Set(act_number),
        bundle: Set(Some(bundle)),
        ..Default::default()
    };
    draw_file::Entity::update(file).exec(tx).await?;
    save_results(tx, round, act_number, listed, results).await
}

/// A pupil's results as the batch statement takes them.
#[derive(Serialize)]
struct ResultsJson {
    pupil_id: String,
    results: Vec<ResultJson>,
}

/// Keeps the results of all, some hundreds in one statement.
async fn save_results(
    tx: &Tx,
    round: &Round,
    act: i32,
    listed: &[Listed],
    results: &[Vec<WishResult>],
) -> Result<(), Error> {
    let sql = match tx.kind() {
        Kind::Postgres => {
            "update draw_entry set results = r.results \
             from jsonb_to_recordset(cast($1 as text)::jsonb) as r (pupil_id uuid, results jsonb) \
             where draw_entry.district_id = $2 and draw_entry.round_id = $3 and draw_entry.act = $4 \
             and draw_entry.pupil_id = r.pupil_id"
        }
        Kind::Sqlite => {
            "update draw_entry set results = r.value ->> 'results' from json_each($1) as r \
             where draw_entry.district_id = $2 and draw_entry.round_id = $3 and draw_entry.act = $4 \
             and draw_entry.pupil_id = unhex(r.value ->> 'pupil_id')"
        }
    };
    let all: Vec<_> = listed.iter().zip(results).collect();
    for some in all.chunks(ROWS) {
        let rows: Vec<_> = some
            .iter()
            .map(|(listed, results)| ResultsJson {
                pupil_id: listed.pupil_id.uuid().simple().to_string(),
                results: results.iter().map(ResultJson::of).collect(),
            })
            .collect();
        let json = to_json(&rows, "draw_entry", round.id)?.to_string();
        let values = [json.into(), round.district_id.uuid().into(), round.id.uuid().into(), act.into()];
        let updated = tx
            .execute_raw(Statement::from_sql_and_values(tx.get_database_backend(), sql, values))
            .await?
            .rows_affected();
        if usize::try_from(updated).ok() != Some(rows.len()) {
            let why = format!("{updated} of {} results were kept", rows.len());
            return Err(Error::inconsistent("draw_entry", round.id, why));
        }
    }
    Ok(())
}

/// What a family keeps of an act, and what became of its wishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The receipt.
    pub receipt: draw::Receipt,
    /// Every wish handed in.
    pub wishes: Vec<Wish>,
    /// What became of each; none before the draw.
    pub results: Option<Vec<WishResult>>,
}

/// Finds what a family keeps of a committed act; none when the pupil is not on its lists.
///
/// # Errors
/// When the database refuses, a row breaks a promise, or the salt does not open.
pub async fn find_kept(
    db: &impl ConnectionTrait,
    vault: &Vault,
    round: &Round,
    act: &Act,
    pupil_id: Id<Pupil>,
) -> Result<Option<Kept>, Error> {
    let key = (round.district_id.uuid(), round.id.uuid(), act.number());
    let entry_key = (key.0, key.1, key.2, pupil_id.uuid());
    let Some(row) = draw_entry::Entity::find_by_id(entry_key).one(db).await? else {
        return Ok(None);
    };
    let Some(committed) = act.committed() else {
        return Ok(None);
    };
    let alias = salt(db, vault, round, act).await?.alias(pupil_id.uuid().as_bytes());
    let entry: Entry = from_json(row.entry, "draw_entry", pupil_id)?;
    let proof: Proof = from_json(row.proof, "draw_entry", pupil_id)?;
    let results: Option<Vec<ResultJson>> =
        row.results.map(|results| from_json(results, "draw_entry", pupil_id)).transpose()?;
    Ok(Some(Kept {
        receipt: draw::Receipt { root: draw::Root::new(committed.root), key: alias.key, entry, proof },
        wishes: read_wishes(row.wishes, row.pupil_id)?,
        results: results.map(|results| results.into_iter().map(ResultJson::read).collect()),
    }))
}

/// Opens the salt of a committed act.
///
/// # Errors
/// When the database refuses, a row breaks a promise, or the salt does not open.
pub async fn salt(
    db: &impl ConnectionTrait,
    vault: &Vault,
    round: &Round,
    act: &Act,
) -> Result<RoundSalt, Error> {
    let key = (round.district_id.uuid(), round.id.uuid(), act.number());
    let broken = |why: &str| Error::inconsistent(TABLE, round.id, why);
    let sealed: Option<Option<Vec<u8>>> =
        act::Entity::find_by_id(key).select_only().column(act::Column::Salt).into_tuple().one(db).await?;
    let sealed = sealed.flatten().ok_or_else(|| broken("committed without a salt"))?;
    let salt = vault.open(TABLE, "salt", format!("{}/{}", round.id, act.terms.act), &sealed)?;
    let salt: Hash = salt.parse().map_err(|_| broken("its salt is no hash"))?;
    Ok(RoundSalt::new(*salt.bytes()))
}

/// Keeps the terms of an act whose lists are open: a section has joined them.
///
/// # Errors
/// When the database refuses.
pub async fn save_terms(tx: &Tx, round: &Round, terms: &Terms) -> Result<(), Error> {
    let row = act::ActiveModel {
        district_id: Set(round.district_id.uuid()),
        round_id: Set(round.id.uuid()),
        act: Set(number(terms.act)),
        terms: Set(to_json(terms, TABLE, round.id)?),
        ..Default::default()
    };
    act::Entity::update(row).exec(tx).await?;
    Ok(())
}

/// Finds an act's bundle; none before the draw.
///
/// # Errors
/// When the database refuses.
pub async fn find_bundle(
    db: &impl ConnectionTrait,
    round: &Round,
    act: &Act,
) -> Result<Option<String>, Error> {
    let key = (round.district_id.uuid(), round.id.uuid(), act.number());
    let bundle: Option<Option<String>> = draw_file::Entity::find_by_id(key)
        .select_only()
        .column(draw_file::Column::Bundle)
        .into_tuple()
        .one(db)
        .await?;
    Ok(bundle.flatten())
}

/// A wish as its JSON column keeps it.
#[derive(Serialize, Deserialize)]
struct WishJson {
    section_id: Id<Section>,
    drawn_as: Option<SectionIndex>,
    stand_in_line: bool,
}

fn wishes_json(wishes: &[Wish]) -> Vec<WishJson> {
    wishes
        .iter()
        .map(|wish| WishJson {
            section_id: wish.section_id,
            drawn_as: wish.drawn_as,
            stand_in_line: wish.stand_in_line,
        })
        .collect()
}

fn read_wishes(json: serde_json::Value, pupil_id: Uuid) -> Result<Vec<Wish>, Error> {
    let wishes: Vec<WishJson> = from_json(json, "draw_entry", pupil_id)?;
    let wish = |wish: WishJson| Wish {
        section_id: wish.section_id,
        drawn_as: wish.drawn_as,
        stand_in_line: wish.stand_in_line,
    };
    Ok(wishes.into_iter().map(wish).collect())
}

/// A result as its JSON column keeps it.
#[derive(Serialize, Deserialize)]
struct ResultJson {
    section_id: Id<Section>,
    slot: Option<u32>,
    number: u32,
    #[serde(flatten)]
    fate: FateJson,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "fate", rename_all = "snake_case")]
enum FateJson {
    Admitted,
    Refused { zh: String, en: String },
    NotNeeded,
    LeftOut,
    Unseated,
}

impl ResultJson {
    fn of(result: &WishResult) -> Self {
        let fate = match &result.fate {
            Fate::Admitted => FateJson::Admitted,
            Fate::Refused { zh, en } => FateJson::Refused { zh: zh.clone(), en: en.clone() },
            Fate::NotNeeded => FateJson::NotNeeded,
            Fate::LeftOut => FateJson::LeftOut,
            Fate::Unseated => FateJson::Unseated,
        };
        Self { section_id: result.section_id, slot: result.slot, number: result.number, fate }
    }

    fn read(self) -> WishResult {
        let fate = match self.fate {
            FateJson::Admitted => Fate::Admitted,
            FateJson::Refused { zh, en } => Fate::Refused { zh, en },
            FateJson::NotNeeded => Fate::NotNeeded,
            FateJson::LeftOut => Fate::LeftOut,
            FateJson::Unseated => Fate::Unseated,
        };
        WishResult { section_id: self.section_id, slot: self.slot, number: self.number, fate }
    }
}

fn read(row: act::Model) -> Result<Act, Error> {
    let id = row.round_id;
    let broken = |why: &str| Error::inconsistent(TABLE, id, why);
    let hash = |text: Option<&String>| -> Result<Hash, Error> {
        text.and_then(|text| text.parse().ok()).ok_or_else(|| broken("a hash of it cannot be read"))
    };
    let committed = || -> Result<Committed, Error> {
        Ok(Committed {
            root: hash(row.root.as_ref())?,
            at: row.committed_at.ok_or_else(|| broken("committed without a moment"))?,
            pupil_count: row.pupil_count,
        })
    };
    let state = match row.state.as_str() {
        "opened" => State::Opened,
        "committed" => State::Committed(committed()?),
        "abandoned" => State::Abandoned(committed()?),
        "drawn" => State::Drawn(
            committed()?,
            Drawn {
                seed: hash(row.seed.as_ref())?,
                outcome_digest: hash(row.outcome_digest.as_ref())?,
                at: row.drawn_at.ok_or_else(|| broken("drawn without a moment"))?,
                sections: from_json(row.summary.clone(), TABLE, id)?,
            },
        ),
        _ => return Err(broken("its state is unknown")),
    };
    Ok(Act {
        round_id: Id::new(id),
        terms: from_json(row.terms.clone(), TABLE, id)?,
        reason: row.reason.clone(),
        entered: from_json(row.entered.clone(), TABLE, id)?,
        state,
    })
}
