//! The service without its server and its clockwork: methods are called, jobs are run by hand, and it starts anew for each story.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use enrollment::config::{Admission, Jobs};
use enrollment::domain::agreement::Agreement;
use enrollment::domain::pupil::{Pupil, Standing};
use enrollment::domain::round::{self, Mode, Round, Waits};
use enrollment::domain::section::{Seats, Section, Slot, State};
use enrollment::domain::term::Term;
use enrollment::hint::Hints;
use enrollment::job::follow_billing::FollowBilling;
use enrollment::job::follow_catalog::FollowCatalog;
use enrollment::job::follow_identity::FollowIdentity;
use enrollment::job::{Bench, close, expire, promote};
use enrollment::rpc::EnrollmentRpc;
use enrollment::rpc::apply::{Desk as Applications, Queue};
use enrollment::store::entity;
use enrollment::{Migrator, store};
use policy::Live;
use proto::billing::v1::billing_service_client::BillingServiceClient;
use proto::enrollment::v1::agreement_service_server::AgreementService as _;
use proto::enrollment::v1::enrollment_service_server::EnrollmentService as _;
use proto::enrollment::v1::{
    self as message, ApplyRequest, ApplyResponse, DecideStepRequest, DecideStepResponse,
    SignAgreementRequest, WithdrawRequest, WithdrawResponse,
};
use proto::identity::v1::identity_service_client::IdentityServiceClient;
use proto::{billing, catalog, identity};
use sea_orm::{ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use shared::caller::{self, Caller, Grant, GuardedPupil, NodePath, Role, Signer, StaffMember, Verifier};
use shared::client::{self, Link};
use shared::clock::Clock as _;
use shared::db::Kind;
use shared::feed::{Consumer, Told};
use shared::random;
use shared::testing::{FixedClock, TestDb, database, moment, told};
use shared::value::Id;
use tonic::{Request, Status};
use uuid::Uuid;

use super::model::{self, CAPACITY, PUPILS, WAITS};
use crate::fakes::{Close, Fakes};
use crate::support::{CHARGED, FREE, NOON, REVIEWED};

/// The kinds of regions: nothing is charged; parents pay; parents pay after three steps of approval; guardians sign first.
pub const REGIONS: [(&str, usize, bool, bool); 4] = [
    (FREE, 0, false, false),
    (CHARGED, 0, true, false),
    (REVIEWED, 3, true, false),
    ("hebei", 0, false, true),
];

const DISTRICT: u128 = 1;
const TOWN: u128 = 2;
const SCHOOL: u128 = 3;
const CLASS: u128 = 4;
const PUPIL: u128 = 0x1000;

fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn term_id<K>(region: usize) -> Id<K> {
    Id::new(uuid(0x100 * (u128::try_from(region).unwrap() + 1)))
}

fn section_id<K>(region: usize, section: usize) -> Id<K> {
    Id::new(uuid(0x100 * (u128::try_from(region).unwrap() + 1) + 1 + u128::try_from(section).unwrap()))
}

fn pupil_id<K>(pupil: usize) -> Id<K> {
    Id::new(uuid(PUPIL + u128::try_from(pupil).unwrap()))
}

fn path() -> Vec<Uuid> {
    [DISTRICT, TOWN, SCHOOL, CLASS].map(uuid).to_vec()
}

pub struct Desk {
    pub db: TestDb,
    pub clock: FixedClock,
    pub fakes: Fakes,
    pub region: usize,
    rpc: EnrollmentRpc,
    bench: Bench,
    billing: BillingServiceClient<Link>,
    began_at: i64,
    _keys: tempfile::TempDir,
}

impl Desk {
    pub async fn new(kind: Kind) -> Self {
        let packs = Live::open(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies"))).unwrap();
        let packs = Arc::new(packs);
        let keys = tempfile::tempdir().unwrap();
        caller::keys::generate(keys.path(), "enrollment").unwrap();
        let clock = FixedClock::at(moment(NOON));
        let fakes = Fakes::new();
        let signer =
            Signer::load("enrollment", &keys.path().join("enrollment.key.pem"), clock.shared()).unwrap();
        let link = Link::service(client::channel(&fakes.serve().await).unwrap(), Arc::new(signer));
        let db = database::<Migrator>(kind).await;
        let hints = Arc::new(Hints::default());
        let applications = Applications {
            db: (*db).clone(),
            clock: clock.shared(),
            packs: packs.clone(),
            hints: hints.clone(),
        };
        let (queue, _) = Queue::start(applications, &Admission::default());
        let rpc = EnrollmentRpc {
            db: (*db).clone(),
            clock: clock.shared(),
            packs: packs.clone(),
            verifier: Arc::new(Verifier::load(keys.path(), clock.shared()).unwrap()),
            billing: BillingServiceClient::new(link.clone()),
            identity: IdentityServiceClient::new(link.clone()),
            hints: hints.clone(),
            queue,
        };
        // One question to billing at a time: in the order of the list.
        let config = Jobs { close_concurrency: 1, ..Jobs::default() };
        let bench = Bench { db: (*db).clone(), clock: clock.shared(), hints, config };
        let desk = Self {
            db,
            began_at: clock.now().timestamp(),
            clock,
            fakes,
            region: 0,
            rpc,
            bench,
            billing: BillingServiceClient::new(link),
            _keys: keys,
        };
        desk.furnish(&packs).await;
        desk
    }

    async fn furnish(&self, packs: &Live) {
        let now = self.clock.now();
        let tx = self.db.begin().await.unwrap();
        for (region, (pack, ..)) in REGIONS.iter().enumerate() {
            let term = Term {
                id: term_id(region),
                district_id: Id::new(uuid(DISTRICT)),
                school_id: Id::new(uuid(SCHOOL)),
                path: path()[..3].to_vec(),
                first_day: "2026-09-07".parse().unwrap(),
                last_day: "2027-01-22".parse().unwrap(),
                off_days: Vec::new(),
                policy_version: packs.policy(pack, None).unwrap().pin(),
            };
            store::term::insert(&tx, &term).await.unwrap();
            let round = Round {
                id: term_id(region),
                district_id: term.district_id,
                school_id: term.school_id,
                term_id: term.id,
                mode: Mode::FirstCome,
                open_at: now - TimeDelta::hours(1),
                close_at: now + TimeDelta::days(3_650),
                waits: Waits {
                    review_seconds: i32::try_from(WAITS[0]).unwrap(),
                    payment_seconds: i32::try_from(WAITS[1]).unwrap(),
                },
                ties: None,
                state: round::State::Opened,
            };
            store::round::insert(&tx, &round, now).await.unwrap();
            for (at, capacity_count) in CAPACITY.into_iter().enumerate() {
                let (weekday, start_minute) = [(1, 960), (1, 990), (2, 960)][at];
                let slot =
                    Slot { weekday, start_minute, end_minute: start_minute + 60, id: section_id(region, at) };
                let section = Section {
                    id: section_id(region, at),
                    district_id: term.district_id,
                    school_id: term.school_id,
                    path: term.path.clone(),
                    term_id: term.id,
                    title: "围棋".to_owned(),
                    provider_id: None,
                    grades: vec![3],
                    slots: vec![slot],
                    seats: Seats {
                        capacity_count,
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
                store::section::insert(&tx, &section).await.unwrap();
            }
        }
        for pupil in 0..PUPILS {
            let pupil = Pupil {
                id: pupil_id(pupil),
                district_id: Id::new(uuid(DISTRICT)),
                school_id: Id::new(uuid(SCHOOL)),
                path: path(),
                grade: 3,
                standing: Standing::Enrolled,
            };
            store::pupil::save(&tx, &pupil).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    /// Forgets what every story before did.
    pub async fn clear(&mut self, region: usize) {
        self.region = region;
        let tx = self.db.begin().await.unwrap();
        tx.execute_unprepared(
            "delete from enrollment_slot; delete from enrollment; delete from event; delete from request; \
             delete from line; delete from consent; \
             insert into consent (district_id, pupil_id, guardian_id) select district_id, id, id from pupil; \
             update section set taken_count = 0, waitlisted_count = 0, last_waitlist_number = 0, \
             state = 'published', cancel_reason = ''; update pupil set state = 'enrolled'",
        )
        .await
        .unwrap();
        // A version nobody has signed.
        if REGIONS[region].3 {
            let before = store::agreement::in_force(&tx, term_id(region)).await.unwrap();
            let version_number = before.map_or(0, |before| before.version_number) + 1;
            let agreement = Agreement {
                id: random::id(self.clock.now()),
                district_id: Id::new(uuid(DISTRICT)),
                school_id: Id::new(uuid(SCHOOL)),
                term_id: term_id(region),
                version_number,
                title: "自愿服务协议书".to_owned(),
                body: "一、自愿参加。".to_owned(),
                digest: format!("{version_number:064x}"),
                publisher: "staff:1".to_owned(),
                created_at: self.clock.now(),
            };
            store::agreement::insert(&tx, &agreement).await.unwrap();
        }
        tx.commit().await.unwrap();
        self.fakes.close_with(Close::Closed);
    }

    /// Seconds since the first story began.
    pub fn now(&self) -> i64 {
        self.clock.now().timestamp() - self.began_at
    }

    pub fn request_id(&self) -> String {
        random::uuid(self.clock.now()).to_string()
    }

    pub fn application(&self, pupil: usize, section: usize, join_waitlist: bool) -> ApplyRequest {
        ApplyRequest {
            request_id: self.request_id(),
            pupil_id: pupil_id::<()>(pupil).to_string(),
            section_id: section_id::<()>(self.region, section).to_string(),
            join_waitlist,
        }
    }

    fn ask<T>(&self, pupil: usize, message: T) -> Request<T> {
        let guarded = GuardedPupil { pupil_id: pupil_id(pupil), path: NodePath::new(path()) };
        let guardian = caller::Guardian { id: pupil_id(pupil), pupils: vec![guarded] };
        let mut request = Request::new(message);
        request.extensions_mut().insert(Caller::Guardian(guardian));
        request
    }

    pub async fn apply(&self, pupil: usize, request: ApplyRequest) -> Result<ApplyResponse, Status> {
        // A hint may refuse a moment longer than the section is full; here every moment is compared.
        self.rpc.hints.forget((0..CAPACITY.len()).map(|section| section_id(self.region, section)));
        self.rpc.apply(self.ask(pupil, request)).await.map(tonic::Response::into_inner)
    }

    pub async fn withdraw(&self, pupil: usize, request: WithdrawRequest) -> Result<WithdrawResponse, Status> {
        self.rpc.withdraw(self.ask(pupil, request)).await.map(tonic::Response::into_inner)
    }

    pub async fn sign(&self, pupil: usize) -> Result<(), Status> {
        let term_id = term_id::<shared::value::Term>(self.region);
        let in_force = store::agreement::in_force(self.db.read(), term_id).await.unwrap().unwrap();
        let request = SignAgreementRequest {
            request_id: self.request_id(),
            pupil_id: pupil_id::<()>(pupil).to_string(),
            term_id: term_id.to_string(),
            digest: in_force.digest,
            consent_words: "同意".to_owned(),
        };
        self.rpc.sign_agreement(self.ask(pupil, request)).await.map(|_| ())
    }

    pub async fn decide(&self, id: &str, step: usize, approved: bool) -> Result<DecideStepResponse, Status> {
        let (step_key, role) = [
            ("class_pre_review", Role::ClassTeacher),
            ("school_approve", Role::Principal),
            ("unified_arrange", Role::TeachingOffice),
        ][step.min(2)];
        let request = DecideStepRequest {
            request_id: self.request_id(),
            enrollment_id: id.to_owned(),
            step_key: step_key.to_owned(),
            approved,
            reason: if approved { String::new() } else { "名额调整".to_owned() },
        };
        let depth = if role == Role::ClassTeacher { 4 } else { 3 };
        let grants = vec![Grant { role, path: NodePath::new(path()[..depth].to_vec()) }];
        let mut request = Request::new(request);
        request.extensions_mut().insert(Caller::Staff(StaffMember { id: Id::new(uuid(9)), grants }));
        self.rpc.decide_step(request).await.map(tonic::Response::into_inner)
    }

    pub async fn expire(&self) -> Result<u64, Status> {
        expire::expire(&self.bench).await
    }

    pub async fn close(&self) -> Result<u64, Status> {
        close::close(&self.bench, &self.billing).await
    }

    pub async fn promote(&self) -> Result<u64, Status> {
        promote::promote(&self.bench).await
    }

    async fn hear<C: Consumer>(&self, consumer: &C, event: C::Event) -> Result<(), Status> {
        let told = Told {
            id: random::uuid(self.clock.now()),
            position: 1,
            district_id: Id::new(uuid(DISTRICT)),
            subject_id: uuid(9),
            name: "event".to_owned(),
            happened_at: self.clock.now(),
        };
        let tx = self.db.begin().await?;
        consumer.apply(&tx, &told, event).await?;
        Ok(tx.commit().await?)
    }

    pub async fn settle(&self, id: &str) -> Result<(), Status> {
        use billing::v1::event::Kind;
        let settled = billing::v1::InvoiceSettled { enrollment_id: id.to_owned(), late: false };
        let event = billing::v1::Event { kind: Some(Kind::InvoiceSettled(settled)) };
        self.hear(&FollowBilling { clock: self.clock.shared() }, event).await
    }

    pub async fn cancel(&self, section: usize) -> Result<(), Status> {
        use catalog::v1::event::Kind;
        let cancelled = catalog::v1::SectionCancelled {
            section_id: section_id::<()>(self.region, section).to_string(),
            reason: "停课".to_owned(),
        };
        let event = catalog::v1::Event { kind: Some(Kind::SectionCancelled(cancelled)) };
        self.hear(&FollowCatalog { clock: self.clock.shared(), packs: self.rpc.packs.clone() }, event).await
    }

    async fn identity(&self, kind: identity::v1::event::Kind) -> Result<(), Status> {
        let event = identity::v1::Event { kind: Some(kind) };
        self.hear(&FollowIdentity { clock: self.clock.shared() }, event).await
    }

    pub async fn leave(&self, pupil: usize) -> Result<(), Status> {
        let left = identity::v1::PupilLeft { pupil_id: pupil_id::<()>(pupil).to_string() };
        self.identity(identity::v1::event::Kind::PupilLeft(left)).await
    }

    pub async fn withdraw_consent(&self, pupil: usize) -> Result<(), Status> {
        let withdrawn = identity::v1::ConsentWithdrawn {
            guardian_id: pupil_id::<()>(pupil).to_string(),
            pupil_id: pupil_id::<()>(pupil).to_string(),
        };
        self.identity(identity::v1::event::Kind::ConsentWithdrawn(withdrawn)).await
    }

    /// What the database holds of this story, as the model writes it: enrollments by age, sections, and the ids of the enrollments.
    pub async fn look(&self) -> (Vec<model::Row>, [model::Section; 3], Vec<String>) {
        let read = self.db.read();
        let rows = entity::enrollment::Entity::find().order_by_asc(entity::enrollment::Column::Id);
        let slots = entity::enrollment_slot::Entity::find();
        let sections = entity::section::Entity::find()
            .filter(entity::section::Column::TermId.eq(term_id::<()>(self.region).uuid()))
            .order_by_asc(entity::section::Column::Id);
        let lines = entity::line::Entity::find();
        let (rows, slots, sections, lines, told) = tokio::join!(
            rows.all(read),
            slots.all(read),
            sections.all(read),
            lines.all(read),
            told::<message::Event>(&self.db)
        );
        let (rows, slots, sections, lines) =
            (rows.unwrap(), slots.unwrap(), sections.unwrap(), lines.unwrap());
        let ids = rows.iter().map(|row| row.id.to_string()).collect();
        let index = |of: Uuid, first: Uuid| usize::try_from(of.as_u128() - first.as_u128()).unwrap();
        let row = |row: &entity::enrollment::Model| {
            let is_seated = ["awaiting_agreement", "in_review", "held", "releasing", "confirmed"]
                .contains(&row.state.as_str());
            let slots: Vec<_> = slots.iter().filter(|slot| slot.enrollment_id == row.id).collect();
            assert_eq!(slots.len(), usize::from(is_seated), "a seat takes its slot, and nothing else does");
            assert!(slots.iter().all(|slot| slot.pupil_id == row.pupil_id && slot.slot_id == row.section_id));
            let steps = row.steps.as_array().unwrap();
            let until = row.hold_expires_at.or(row.next_close_at);
            model::Row {
                pupil: index(row.pupil_id, pupil_id::<()>(0).uuid()),
                section: index(row.section_id, section_id::<()>(self.region, 0).uuid()),
                state: word(&row.state),
                number: row.waitlist_number,
                until: until.map(|until| until.timestamp() - self.began_at),
                approved: steps.iter().skip(1).filter(|step| !step["approved_at"].is_null()).count(),
                reason: row.release_reason.as_deref().map(word),
                settled: row.was_settled,
                told: told.iter().filter(|(_, of, _)| *of == row.id).map(|(name, ..)| word(name)).collect(),
            }
        };
        let section = |section: &entity::section::Model| {
            let line = lines.iter().find(|line| line.section_id == section.id);
            model::Section {
                taken: section.taken_count,
                waiting: section.waitlisted_count,
                last: section.last_waitlist_number,
                freed: line.map_or(0, |line| line.freed_count),
                offered: line.map_or(0, |line| line.offered_count),
                cancelled: section.state == "cancelled",
            }
        };
        let sections: Vec<_> = sections.iter().map(section).collect();
        (rows.iter().map(row).collect(), sections.try_into().unwrap(), ids)
    }

    /// Looks whether the last story left everything as promised.
    pub async fn check(&self) {
        for checked in enrollment::check(&self.db).await.unwrap() {
            assert!(checked.broken.is_empty(), "{}: {:?}", checked.invariant, checked.broken);
        }
    }

    /// Lets the time pass that keeps two moments apart.
    pub fn tick(&self) {
        self.clock.advance(TimeDelta::seconds(1));
    }

    pub fn let_pass(&self, time: Duration) {
        self.clock.advance(TimeDelta::from_std(time).unwrap());
    }
}

/// One of the words both sides know.
fn word(text: &str) -> &'static str {
    const WORDS: [&str; 22] = [
        "awaiting_agreement",
        "agreement_awaited",
        "agreement_expired",
        "waitlisted",
        "in_review",
        "held",
        "releasing",
        "confirmed",
        "released",
        "hold_expired",
        "review_expired",
        "declined",
        "withdrawn",
        "section_cancelled",
        "pupil_left",
        "review_begun",
        "seat_held",
        "seat_confirmed",
        "seat_released",
        "settlement_unseated",
        "published",
        "cancelled",
    ];
    WORDS.into_iter().find(|word| *word == text).unwrap_or_else(|| panic!("{text}"))
}
