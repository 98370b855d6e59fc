//! A catalog that runs, a district it knows of, and people who call it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use catalog::job::follow_identity::FollowIdentity;
use catalog::{Config, Migrator, Parts};
use policy::Live;
use proto::catalog::v1::catalog_service_client::CatalogServiceClient;
use proto::catalog::v1::*;
use proto::identity::v1 as identity;
use shared::caller::{
    Caller, Grant, GuardedPupil, Guardian, NodePath, Role, Signer, StaffMember, Verifier, keys,
};
use shared::client::{self, Link};
use shared::feed::{Consumer as _, Told};
use shared::status;
use shared::testing::{self, FixedClock, TestDb, moment};
use shared::value::Id;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};
use uuid::Uuid;

pub type Client = CatalogServiceClient<Link>;

pub const DISTRICT: Uuid = Uuid::from_u128(0xd);
pub const TOWN: Uuid = Uuid::from_u128(0xa);
pub const OTHER_TOWN: Uuid = Uuid::from_u128(0xb);
/// A primary school of [`TOWN`].
pub const SCHOOL: Uuid = Uuid::from_u128(0xa1);
/// A junior school of [`TOWN`].
pub const JUNIOR_SCHOOL: Uuid = Uuid::from_u128(0xa2);
/// A primary school of [`OTHER_TOWN`].
pub const OTHER_SCHOOL: Uuid = Uuid::from_u128(0xb1);

/// A running catalog.
pub struct World {
    pub db: TestDb,
    pub clock: FixedClock,
    signer: Signer,
    channel: tonic::transport::Channel,
    stop: CancellationToken,
    served: JoinHandle<anyhow::Result<()>>,
    keys: TempDir,
}

/// A catalog on each database, in a district ruled by `pack`: one of the tests' own, or one of those that ship when there is a
/// supplement.
pub async fn worlds(pack: &str, supplement: &str) -> Vec<World> {
    let mut worlds = Vec::new();
    for db in testing::each_database::<Migrator>().await {
        worlds.push(World::begin(db, pack, supplement).await);
    }
    worlds
}

impl World {
    pub async fn begin(db: TestDb, pack: &str, supplement: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let ships = root.join("../../policies");
        let folder =
            if ships.join(format!("{pack}.toml")).exists() { ships } else { root.join("tests/packs") };
        let packs = Live::open(&folder).expect("the packs are sound");

        let clock = FixedClock::at(moment("2026-08-20T09:00:00+08:00"));
        let folder = tempfile::tempdir().unwrap();
        let key = keys::generate(folder.path(), "identity").unwrap();
        keys::generate(folder.path(), "enrollment").unwrap();
        let signer = Signer::load("identity", &key, clock.shared()).unwrap();
        let verifier = Arc::new(Verifier::load(folder.path(), clock.shared()).unwrap());

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let channel = client::channel(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        // Nobody is there: nodes are told by `tell`.
        let identity = Link::anonymous(client::channel("http://127.0.0.1:9").unwrap());
        let stop = CancellationToken::new();
        let parts = Parts {
            config: Config::default(),
            db: db.clone(),
            clock: clock.shared(),
            verifier,
            packs: Arc::new(packs),
            identity,
        };
        let served = tokio::spawn(catalog::run(parts, listener, None, stop.clone()));
        let world = Self { db, clock, signer, channel, stop, served, keys: folder };
        use identity::{Stage, node::Kind};
        world.node(Kind::District, &[DISTRICT], Stage::Unspecified, pack, supplement).await;
        for town in [TOWN, OTHER_TOWN] {
            world.node(Kind::Town, &[DISTRICT, town], Stage::Unspecified, pack, supplement).await;
        }
        for (town, school, stage) in [
            (TOWN, SCHOOL, Stage::Primary),
            (TOWN, JUNIOR_SCHOOL, Stage::Junior),
            (OTHER_TOWN, OTHER_SCHOOL, Stage::Primary),
        ] {
            world.node(Kind::School, &[DISTRICT, town, school], stage, pack, supplement).await;
        }
        world
    }

    /// Lets identity tell of a node.
    pub async fn node(
        &self,
        kind: identity::node::Kind,
        path: &[Uuid],
        stage: identity::Stage,
        pack: &str,
        supplement: &str,
    ) {
        let node = identity::Node {
            id: path.last().unwrap().to_string(),
            kind: kind.into(),
            path: path.iter().map(ToString::to_string).collect(),
            code: "X".to_owned(),
            name: "某处".to_owned(),
            stage: stage.into(),
            grade: 0,
            pack_id: pack.to_owned(),
            supplement_id: supplement.to_owned(),
        };
        let added = identity::NodeAdded { node: Some(node) };
        self.tell(identity::event::Kind::NodeAdded(added)).await.unwrap();
    }

    /// Lets identity tell something.
    pub async fn tell(&self, kind: identity::event::Kind) -> Result<(), Status> {
        let told = Told {
            id: Uuid::from_u128(1),
            position: 1,
            district_id: Id::new(DISTRICT),
            subject_id: DISTRICT,
            name: "told".to_owned(),
            happened_at: moment("2026-08-01T09:00:00+08:00"),
        };
        let tx = self.db.begin().await?;
        FollowIdentity.apply(&tx, &told, identity::Event { kind: Some(kind) }).await?;
        Ok(tx.commit().await?)
    }

    /// A client in `caller`'s name.
    pub fn client(&self, caller: &Caller) -> Client {
        CatalogServiceClient::new(self.link(Some(caller).filter(|caller| **caller != Caller::Anonymous)))
    }

    /// A way to the catalog in a person's name, or in nobody's.
    pub fn link(&self, caller: Option<&Caller>) -> Link {
        let link = Link::anonymous(self.channel.clone()).with_deadline(Duration::from_secs(60));
        match caller {
            Some(caller) => link.as_caller(self.signer.token(caller, Duration::from_secs(300)).unwrap()),
            None => link,
        }
    }

    /// A way to the catalog in a service's own name.
    pub fn service_link(&self, name: &str) -> Link {
        let key = keys::generate(self.keys.path(), name).unwrap();
        let signer = Signer::load(name, &key, self.clock.shared()).unwrap();
        Link::service(self.channel.clone(), Arc::new(signer))
    }

    /// A member of staff with one role at one place.
    pub fn staff(&self, role: Role, path: &[Uuid]) -> Client {
        self.client(&staff(role, path))
    }

    pub fn principal(&self) -> Client {
        self.staff(Role::Principal, &[DISTRICT, TOWN, SCHOOL])
    }

    pub fn town_office(&self) -> Client {
        self.staff(Role::TownOffice, &[DISTRICT, TOWN])
    }

    pub fn officer(&self) -> Client {
        self.staff(Role::BureauOfficer, &[DISTRICT])
    }

    /// Who acts for a provider.
    pub fn provider(&self, provider_id: &str) -> Client {
        self.staff(Role::Provider, &[provider_id.parse().unwrap()])
    }

    pub fn anyone(&self) -> Client {
        self.client(&Caller::Anonymous)
    }

    /// A term of [`SCHOOL`] from 2026-10-08 to 2027-01-15.
    pub async fn term(&self) -> Term {
        self.term_of(SCHOOL, TOWN, "2026-10-08", "2027-01-15").await
    }

    pub async fn term_of(&self, school: Uuid, town: Uuid, first_day: &str, last_day: &str) -> Term {
        let mut principal = self.staff(Role::Principal, &[DISTRICT, town, school]);
        let request = OpenTermRequest { school_id: school.to_string(), ..open_term(first_day, last_day) };
        principal.open_term(request).await.unwrap().into_inner().term.unwrap()
    }

    /// Slots of a term of [`SCHOOL`].
    pub async fn slots(&self, term: &Term, slots: &[NewSlot]) -> Vec<Slot> {
        let request = add_slots(term, slots, "");
        self.principal().add_slots(request).await.unwrap().into_inner().slots
    }

    /// An approved course of [`SCHOOL`]'s own.
    pub async fn course(&self, title: &str, kind: ContentKind, category: &str) -> Course {
        let mut principal = self.principal();
        let request = CreateCourseRequest { category: category.to_owned(), ..create_course(title, kind) };
        let course = principal.create_course(request).await.unwrap().into_inner().course.unwrap();
        let approved = principal.approve_course(approve(&course, "已核对")).await.unwrap();
        approved.into_inner().course.unwrap()
    }

    /// A provider on a list.
    pub async fn listed_provider(&self, code: &str, node: Uuid) -> Provider {
        let provider = self.registered_provider(code).await;
        let listed = self.officer().list_on_whitelist(list_on(&provider, node)).await.unwrap();
        listed.into_inner().provider.unwrap()
    }

    /// A provider on no list.
    pub async fn registered_provider(&self, code: &str) -> Provider {
        let request = RegisterProviderRequest {
            request_id: request_id(),
            name: format!("机构{code}"),
            credit_code: credit_code(code),
        };
        self.officer().register_provider(request).await.unwrap().into_inner().provider.unwrap()
    }

    /// An approved course of a provider at [`SCHOOL`].
    pub async fn provider_course(&self, provider: &Provider, title: &str) -> Course {
        let course = self.submitted_course(provider, title).await;
        self.town_office().review_course(review(&course, "")).await.unwrap();
        let approved = self.principal().approve_course(approve(&course, "")).await.unwrap();
        approved.into_inner().course.unwrap()
    }

    /// A course a provider has submitted to [`SCHOOL`].
    pub async fn submitted_course(&self, provider: &Provider, title: &str) -> Course {
        let submitted =
            self.provider(&provider.id).submit_course(submit_course(provider, SCHOOL, title)).await;
        submitted.unwrap().into_inner().course.unwrap()
    }

    pub async fn section(&self, course: &Course, term: &Term, slots: &[&Slot]) -> Section {
        let arranged = self.principal().arrange_section(arrange(course, term, slots)).await;
        arranged.unwrap().into_inner().section.unwrap()
    }

    pub async fn publish_all(&self, term: &Term) -> Result<i32, Status> {
        let published = self.principal().publish_sections(publish(term, &[])).await?;
        Ok(published.into_inner().published_count)
    }

    pub async fn menu(&self, term: &Term) -> GetMenuResponse {
        let request = GetMenuRequest { term_id: term.id.clone() };
        self.anyone().get_menu(request).await.unwrap().into_inner()
    }

    /// The names of the events told so far.
    pub async fn told(&self) -> Vec<String> {
        testing::told::<Event>(&self.db).await.into_iter().map(|(name, ..)| name).collect()
    }

    /// Looks at every invariant, then stops the catalog. Every test ends with it.
    pub async fn end(self) {
        shared::feed::Feed::new(self.db.clone()).number().await.unwrap();
        for checked in catalog::check(&self.db).await.unwrap() {
            assert_eq!(checked.broken, Vec::<String>::new(), "{}", checked.invariant);
        }
        self.stop().await;
    }

    /// Stops the catalog.
    pub async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(Duration::from_secs(120), self.served).await.unwrap().unwrap().unwrap();
    }
}

pub fn staff(role: Role, path: &[Uuid]) -> Caller {
    let grants = vec![Grant { role, path: NodePath::new(path.to_vec()) }];
    Caller::Staff(StaffMember { id: Id::new(Uuid::from_u128(0x57aff)), grants })
}

pub fn guardian() -> Caller {
    let path = NodePath::new(vec![DISTRICT, TOWN, SCHOOL, Uuid::from_u128(0xc1a55)]);
    let pupils = vec![GuardedPupil { pupil_id: Id::new(Uuid::from_u128(1)), path }];
    Caller::Guardian(Guardian { id: Id::new(Uuid::from_u128(2)), pupils })
}

/// A new request id.
pub fn request_id() -> String {
    shared::random::uuid(moment("2026-08-20T09:00:00+08:00")).to_string()
}

/// A credit code that ends in `code`.
pub fn credit_code(code: &str) -> String {
    format!("{code:0>18}")
}

pub fn open_term(first_day: &str, last_day: &str) -> OpenTermRequest {
    OpenTermRequest {
        request_id: request_id(),
        school_id: SCHOOL.to_string(),
        name: "2026-2027学年第一学期".to_owned(),
        first_day: first_day.to_owned(),
        last_day: last_day.to_owned(),
        off_days: Vec::new(),
    }
}

pub fn add_slots(term: &Term, slots: &[NewSlot], justification: &str) -> AddSlotsRequest {
    AddSlotsRequest {
        request_id: request_id(),
        term_id: term.id.clone(),
        slots: slots.to_vec(),
        justification: justification.to_owned(),
    }
}

/// A slot of one class hour, such as `slot(1, Afternoon, "16:00", "17:00")`.
pub fn slot(weekday: i32, kind: slot::Kind, start_time: &str, end_time: &str) -> NewSlot {
    NewSlot {
        weekday,
        kind: kind.into(),
        start_time: start_time.to_owned(),
        end_time: end_time.to_owned(),
        class_hour_count: 1,
    }
}

pub fn create_course(title: &str, kind: ContentKind) -> CreateCourseRequest {
    CreateCourseRequest {
        request_id: request_id(),
        school_id: SCHOOL.to_string(),
        title: title.to_owned(),
        description: "动手、体验与展示".to_owned(),
        content_kind: kind.into(),
        category: "艺术".to_owned(),
    }
}

pub fn submit_course(provider: &Provider, school: Uuid, title: &str) -> SubmitCourseRequest {
    SubmitCourseRequest {
        request_id: request_id(),
        provider_id: provider.id.clone(),
        school_id: school.to_string(),
        title: title.to_owned(),
        description: "动手、体验与展示".to_owned(),
        content_kind: ContentKind::Enrichment.into(),
        category: "科技".to_owned(),
    }
}

pub fn review(course: &Course, reason: &str) -> ReviewCourseRequest {
    ReviewCourseRequest {
        request_id: request_id(),
        course_id: course.id.clone(),
        decision: Decision::Approve.into(),
        reason: reason.to_owned(),
    }
}

pub fn approve(course: &Course, reason: &str) -> ApproveCourseRequest {
    ApproveCourseRequest {
        request_id: request_id(),
        course_id: course.id.clone(),
        decision: Decision::Approve.into(),
        reason: reason.to_owned(),
    }
}

/// Thirty seats for grades 1 to 3, room and instructor not fixed.
pub fn arrange(course: &Course, term: &Term, slots: &[&Slot]) -> ArrangeSectionRequest {
    ArrangeSectionRequest {
        request_id: request_id(),
        course_id: course.id.clone(),
        term_id: term.id.clone(),
        capacity_count: 30,
        grades: vec![1, 2, 3],
        slot_ids: slots.iter().map(|slot| slot.id.clone()).collect(),
        room: String::new(),
        instructor_name: String::new(),
    }
}

pub fn publish(term: &Term, sections: &[&Section]) -> PublishSectionsRequest {
    PublishSectionsRequest {
        request_id: request_id(),
        term_id: term.id.clone(),
        section_ids: sections.iter().map(|section| section.id.clone()).collect(),
    }
}

pub fn cancel(section: &Section, reason: &str) -> CancelSectionRequest {
    CancelSectionRequest {
        request_id: request_id(),
        section_id: section.id.clone(),
        reason: reason.to_owned(),
    }
}

/// From 2026-01-01 to 2026-12-31.
pub fn list_on(provider: &Provider, node: Uuid) -> ListOnWhitelistRequest {
    ListOnWhitelistRequest {
        request_id: request_id(),
        provider_id: provider.id.clone(),
        node_id: node.to_string(),
        first_day: "2026-01-01".to_owned(),
        last_day: "2026-12-31".to_owned(),
    }
}

pub fn suspend(provider: &Provider, node: Uuid) -> SuspendProviderRequest {
    SuspendProviderRequest {
        request_id: request_id(),
        provider_id: provider.id.clone(),
        node_id: node.to_string(),
        reason: "诱导校外培训".to_owned(),
    }
}

/// Why a call was refused: its code and its reason.
pub fn refusal<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Code, String) {
    let status = answer.expect_err("it is refused");
    (status.code(), status::reason_of(&status).unwrap_or_default())
}

/// The reason of a refusal by a rule.
pub fn rule<T: std::fmt::Debug>(answer: Result<T, Status>) -> String {
    let (code, reason) = refusal(answer);
    assert_eq!(code, Code::FailedPrecondition, "{reason}");
    reason
}

/// A fact beside a refusal's reason.
pub fn fact(status: &Status, name: &str) -> String {
    status::facts_of(status).get(name).cloned().unwrap_or_default()
}

/// The fields that broke rules.
pub fn broken_fields<T: std::fmt::Debug>(answer: Result<T, Status>) -> Vec<String> {
    let status = answer.expect_err("it is refused");
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    status::violations_of(&status).list().iter().map(|violation| violation.field.clone()).collect()
}
