//! A school for the bench: one term, one round, many pupils, each with a guardian.
//!
//! Made by the services' own store functions, straight into their databases: to bring thousands of families in by the front door
//! takes far longer than what is measured. Who they are to identity (a session, a consent, a pupil) and what enrollment was told of
//! them is the same as when they come that way.

use anyhow::Context as _;
use chrono::TimeDelta;
use enrollment::domain::enrollment::Fee;
use enrollment::domain::pupil::{Pupil, Standing};
use enrollment::domain::round::{self, Mode, Round, Waits};
use enrollment::domain::section::{Seats, Section, Slot, State};
use enrollment::domain::term::{Ruling, Term};
use enrollment::store;
use identity::domain::guardian::WechatIdentity;
use identity::domain::node::{Kind, Node, Stage};
use identity::domain::person::{Name, Phone, PupilCode};
use identity::domain::pupil as known;
use identity::store::consent::Consent;
use identity::store::session::{Holder, Session};
use identity::store::vault::Vault;
use policy::Live;
use sea_orm_migration::sea_orm::{ConnectionTrait as _, QueryResult, Statement};
use shared::clock::{Clock as _, SystemClock};
use shared::db::{Db, Kind as Engine};
use shared::value::{self, District, Guardian, Id, Moment, School};
use shared::{random, value::Section as SectionKind};
use uuid::Uuid;

use super::profile::{NewSection, Plan};

/// When the term's sections meet: 16:00 to 17:00.
const MEETS: (i32, i32) = (16 * 60, 17 * 60);

/// The school and everybody in it.
pub struct World {
    /// The ids district, town, school, class.
    pub path: [Uuid; 4],
    /// The term.
    pub term_id: Id<value::Term>,
    /// Pupils and their guardians, as the plan counts them.
    pub families: Vec<Family>,
    /// The sections of this round of the bench, as the plan counts them.
    pub sections: Vec<Id<SectionKind>>,
    slots: [Uuid; 5],
    pin: String,
}

/// A pupil and the guardian who applies.
#[derive(Clone, Debug)]
pub struct Family {
    /// The pupil.
    pub pupil_id: Id<value::Pupil>,
    /// The guardian.
    pub guardian_id: Id<Guardian>,
    /// The guardian's session token; empty where there is no gateway.
    pub session_token: String,
}

/// What is not as it must be after a round; all 0 when it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Broken {
    /// Sections with more seats taken than there are.
    pub oversold: u64,
    /// Pupils with two live enrollments in a section.
    pub duplicates: u64,
    /// Sections whose counter is not the number of their rows.
    pub miscounted: u64,
    /// Pupils with two seats at one time.
    pub clashes: u64,
    /// Enrollments that were promised and are not there, or are there and were promised to nobody.
    pub unanswered: u64,
    /// Sections with a free seat that turned somebody away.
    pub left_empty: u64,
}

impl Broken {
    /// Whether everything is as it must be.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

fn now() -> Moment {
    SystemClock.now()
}

impl World {
    /// Makes the school with as many families as the plan needs: in enrollment's database.
    ///
    /// # Errors
    /// When the database refuses, or no pack of the set lets everybody in free and at once.
    pub async fn make(db: &Db, packs: &Live, plan: &Plan) -> anyhow::Result<Self> {
        let free = |policy: &&std::sync::Arc<policy::Policy>| {
            Ruling::of(policy).is_ok_and(|ruling| {
                ruling.fee == Fee::Free && ruling.steps.is_empty() && !ruling.asks_agreement
            })
        };
        let current = packs.current();
        let policy =
            current.iter().find(free).context("no pack seats a pupil free, without steps and agreement")?;
        let world = Self {
            path: std::array::from_fn(|_| random::uuid(now())),
            term_id: random::id(now()),
            families: (0..plan.pupil_count)
                .map(|_| Family {
                    pupil_id: random::id(now()),
                    guardian_id: random::id(now()),
                    session_token: String::new(),
                })
                .collect(),
            sections: Vec::new(),
            slots: std::array::from_fn(|_| random::uuid(now())),
            pin: policy.pin(),
        };
        let tx = db.begin().await?;
        store::term::insert(&tx, &world.term()).await?;
        store::round::insert(&tx, &world.round(), now()).await?;
        for family in &world.families {
            store::pupil::save(&tx, &world.pupil(family)).await?;
        }
        tx.commit().await?;
        Ok(world)
    }

    /// The school's district.
    #[must_use]
    pub fn district_id(&self) -> Id<District> {
        Id::new(self.path[0])
    }

    /// The school.
    #[must_use]
    pub fn school_id(&self) -> Id<School> {
        Id::new(self.path[2])
    }

    fn term(&self) -> Term {
        let today = now().date_naive();
        Term {
            id: self.term_id,
            district_id: self.district_id(),
            school_id: self.school_id(),
            path: self.path[..3].to_vec(),
            // Far enough that nobody lays out a lesson meanwhile.
            first_day: today + TimeDelta::days(200),
            last_day: today + TimeDelta::days(300),
            off_days: Vec::new(),
            policy_version: self.pin.clone(),
        }
    }

    fn round(&self) -> Round {
        Round {
            id: random::id(now()),
            district_id: self.district_id(),
            school_id: self.school_id(),
            term_id: self.term_id,
            mode: Mode::FirstCome,
            open_at: now() - TimeDelta::hours(1),
            close_at: now() + TimeDelta::days(7),
            waits: Waits { review_seconds: 604_800, payment_seconds: 86_400 },
            ties: None,
            state: round::State::Opened,
        }
    }

    fn pupil(&self, family: &Family) -> Pupil {
        Pupil {
            id: family.pupil_id,
            district_id: self.district_id(),
            school_id: self.school_id(),
            path: self.path.to_vec(),
            grade: 3,
            standing: Standing::Enrolled,
        }
    }

    /// Empties enrollment's tables of what the last round of the bench left, and puts the plan's sections on the menu anew.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn reset(&mut self, db: &Db, sections: &[NewSection]) -> anyhow::Result<()> {
        let tx = db.begin().await?;
        for table in ["enrollment_slot", "enrollment", "section"] {
            let sql = match tx.kind() {
                Engine::Postgres => format!("truncate {table}"),
                Engine::Sqlite => format!("delete from {table}"),
            };
            tx.execute_unprepared(&sql).await?;
        }
        self.sections.clear();
        for new in sections {
            let slot = usize::try_from(new.weekday - 1).ok().and_then(|day| self.slots.get(day));
            let section = Section {
                id: random::id(now()),
                district_id: self.district_id(),
                school_id: self.school_id(),
                path: self.path[..3].to_vec(),
                term_id: self.term_id,
                title: "围棋".to_owned(),
                provider_id: None,
                grades: (1..=9).collect(),
                slots: vec![Slot {
                    weekday: new.weekday,
                    start_minute: MEETS.0,
                    end_minute: MEETS.1,
                    id: Id::new(*slot.context("a section on no weekday")?),
                }],
                seats: Seats {
                    capacity_count: new.capacity_count,
                    taken_count: 0,
                    promised_count: 0,
                    waitlisted_count: 0,
                    last_waitlist_number: 0,
                    basic_care: false,
                },
                extended_care: false,
                left_over: false,
                state: State::Published,
            };
            store::section::insert(&tx, &section).await?;
            self.sections.push(section.id);
        }
        tx.commit().await?;
        Ok(())
    }

    /// Makes everybody known to identity: a class, its pupils, their guardians with consent, and a session for each.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn enter_identity(&mut self, db: &Db, vault: &Vault, packs: &Live) -> anyhow::Result<()> {
        let path: Vec<Id<value::Node>> = self.path.iter().map(|id| Id::new(*id)).collect();
        let pack_id = packs.pinned(&self.pin).map(|policy| policy.pack_id().to_owned());
        let node = |(depth, kind): (usize, Kind)| Node {
            id: path[depth],
            kind,
            path: path[..=depth].to_vec(),
            code: format!("BENCH-{}", path[depth].uuid().simple()),
            name: "压测".to_owned(),
            stage: (kind == Kind::School).then_some(Stage::Primary),
            grade: (kind == Kind::Class).then_some(3),
            pack_id: pack_id.clone().filter(|_| kind == Kind::District),
            supplement_id: None,
            created_at: now(),
        };
        let nodes: Vec<_> = Kind::ALL.iter().copied().enumerate().map(node).collect();
        let tx = db.begin().await?;
        identity::store::node::insert_all(&tx, &nodes).await?;
        let pupils = self.families.iter().enumerate().map(|(number, family)| {
            Ok(known::Pupil {
                id: family.pupil_id,
                path: path.clone(),
                code: PupilCode::parse(&format!("BENCH{number:08}"))?,
                name: Name::parse("压测学生")?,
                phones: vec![Phone::parse("13800000000")?],
                state: known::State::Enrolled,
            })
        });
        let pupils = pupils.collect::<anyhow::Result<Vec<_>>>()?;
        identity::store::pupil::save_all(&tx, vault, &pupils, now()).await?;
        for (number, family) in self.families.iter_mut().enumerate() {
            let who =
                WechatIdentity { appid: "bench".to_owned(), openid: format!("{}-{number}", self.path[0]) };
            identity::store::guardian::find_or_insert(&tx, vault, &who, family.guardian_id, now()).await?;
            let consent = Consent {
                id: random::uuid(now()),
                district_id: Id::new(self.path[0]),
                guardian_id: family.guardian_id,
                pupil_id: family.pupil_id,
                version: "bench".to_owned(),
                text_digest: vec![0; 32],
                given_at: now(),
            };
            identity::store::consent::insert(&tx, &consent).await?;
            family.session_token = random::token();
            let session = Session {
                id: random::id(now()),
                holder: Holder::Guardian(family.guardian_id),
                token_digest: identity::secret::digest_token(&family.session_token),
                created_at: now(),
                expires_at: now() + TimeDelta::days(30),
            };
            identity::store::session::insert(&tx, &session).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Looks whether a round left everything as it must be. `promised` are the enrollments that were given in answers; `turned_away`
    /// says that somebody was refused a section for being full.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn look(&self, db: &Db, promised: &[Uuid], turned_away: bool) -> anyhow::Result<Broken> {
        let count = async |sql: &'static str| anyhow::Ok(u64::try_from(rows(db, sql).await?.len())?);
        let known = rows(db, "select id from enrollment").await?;
        let known = known.iter().map(|row| row.try_get::<Uuid>("", "id"));
        let known: std::collections::HashSet<Uuid> = known.collect::<Result<_, _>>()?;
        let promised: std::collections::HashSet<Uuid> = promised.iter().copied().collect();
        Ok(Broken {
            oversold: count("select id from section where taken_count > capacity_count").await?,
            duplicates: count(
                "select pupil_id from enrollment where state <> 'released' \
                 group by district_id, pupil_id, section_id having count(*) > 1",
            )
            .await?,
            miscounted: count(
                "select s.id from section s where s.taken_count <> (select count(*) from enrollment e \
                 where e.district_id = s.district_id and e.section_id = s.id \
                 and e.state in ('in_review', 'held', 'releasing', 'confirmed'))",
            )
            .await?,
            clashes: count(
                "select e.pupil_id from enrollment e join enrollment_slot l on l.district_id = e.district_id \
                 and l.pupil_id = e.pupil_id and l.enrollment_id = e.id where e.state <> 'released' \
                 group by e.district_id, e.pupil_id, l.slot_id having count(*) > 1",
            )
            .await?,
            unanswered: u64::try_from(known.symmetric_difference(&promised).count())?,
            left_empty: if turned_away && self.sections.len() == 1 {
                count("select id from section where taken_count < capacity_count").await?
            } else {
                0
            },
        })
    }
}

async fn rows(db: &Db, sql: &'static str) -> anyhow::Result<Vec<QueryResult>> {
    let statement = Statement::from_string(db.read().get_database_backend(), sql);
    Ok(db.read().query_all_raw(statement).await?)
}
