//! A school on a Monday: a section that meets at 16:00, its pupils, and the people of the day.

use std::sync::Arc;

use chrono::TimeDelta;
use enrollment::config::Jobs;
use enrollment::hint::Hints;
use enrollment::job::{Bench, close_registers, lay_out};
use proto::enrollment::v1::day_service_client::DayServiceClient;
use proto::enrollment::v1::record_roll_request::NewMark;
use proto::enrollment::v1::{
    self as message, AssignDutyRequest, CorrectMarkRequest, GetRollRequest, GetRollResponse,
    ListLessonsRequest, RecordRollRequest, RecordRollResponse,
};
use shared::caller::{Caller, Grant, NodePath, Role, StaffMember};
use shared::client::Link;
use shared::clock::Clock as _;
use shared::random;
use shared::testing::moment;
use shared::value::{Id, Moment, Section, Staff, Term};
use tonic::Status;
use uuid::Uuid;

use crate::support::{Family, Menu, World, guardian, time};

pub use message::mark::State as Standing;

/// The first Monday of the term, ten minutes into the lesson.
pub const LESSON: &str = "2026-09-07T16:10:00+08:00";

/// The day of it.
pub const DAY: &str = "2026-09-07";

/// When registers close in these tests, in minutes after midnight.
pub const CLOSE_MINUTE: i32 = 23 * 60;

/// A world with one section and its pupils, the clock at [`LESSON`].
pub struct Stage {
    pub world: World,
    pub term_id: Id<Term>,
    pub section_id: Id<Section>,
    pub slot_id: Uuid,
    pub families: Vec<Family>,
    /// Named for the section from the first to the last day of the term.
    pub instructor: Caller,
    /// Counts marks, each device for itself.
    pub phone: Phone,
}

/// A device that makes marks.
#[derive(Clone, Copy, Debug)]
pub struct Phone {
    pub id: Uuid,
    /// How far its clock is ahead.
    pub ahead: TimeDelta,
}

impl Phone {
    pub fn new(world: &World) -> Self {
        Self { id: random::uuid(world.now()), ahead: TimeDelta::zero() }
    }
}

impl Stage {
    /// A section of `menu` with `count` confirmed pupils under `pack`, an instructor named.
    pub async fn set(world: World, pack: &str, menu: Menu, count: usize) -> Self {
        let (term_id, section_id) = world.open(pack, menu).await;
        let families = world.families(count).await;
        for (family, at) in families.iter().zip(1..) {
            world.fakes.name(family.pupil_id, &format!("学生{at:02}"), "三年级1班", 3);
            let seat = world.apply(family, section_id).await;
            if seat.state() == message::enrollment::State::Held {
                world.hear_settled(&seat.id, false).await.unwrap();
            }
            let bound = proto::identity::v1::GuardianBound {
                guardian_id: family.guardian_id.to_string(),
                pupil_id: family.pupil_id.to_string(),
            };
            world.hear_identity(proto::identity::v1::event::Kind::GuardianBound(bound)).await;
        }
        let section = enrollment::store::section::find(world.db.read(), section_id).await.unwrap().unwrap();
        let instructor = staff(&world, Role::Instructor);
        let stage = Self {
            slot_id: section.slots[0].id.uuid(),
            phone: Phone::new(&world),
            world,
            term_id,
            section_id,
            families,
            instructor,
        };
        stage.name(message::duty::Post::Section, stage.section_id.to_string(), &stage.instructor).await;
        stage.world.clock.set(moment(LESSON));
        stage
    }

    pub fn now(&self) -> Moment {
        self.world.clock.now()
    }

    pub fn at(&self, text: &str) {
        self.world.clock.set(moment(text));
    }

    // Who asks.

    pub fn staff(&self, role: Role) -> DayServiceClient<Link> {
        self.world.day(&staff(&self.world, role))
    }

    pub fn office(&self) -> DayServiceClient<Link> {
        self.staff(Role::TeachingOffice)
    }

    pub fn teacher(&self) -> DayServiceClient<Link> {
        self.world.day(&self.instructor)
    }

    pub fn parent(&self, at: usize) -> DayServiceClient<Link> {
        self.world.day(&guardian(&self.families[at]))
    }

    pub fn pupil(&self, at: usize) -> String {
        self.families[at].pupil_id.to_string()
    }

    pub fn school_id(&self) -> String {
        self.world.school.id().to_string()
    }

    /// Names somebody for something for the whole term.
    pub async fn name(&self, post: message::duty::Post, place_id: String, who: &Caller) -> message::Duty {
        let request = AssignDutyRequest {
            request_id: self.world.request_id(),
            school_id: self.school_id(),
            post: post.into(),
            place_id,
            staff_id: staff_id(who).to_string(),
            staff_name: "李老师".to_owned(),
            first_day: "2026-09-01".to_owned(),
            last_day: "2027-01-31".to_owned(),
        };
        self.office().assign_duty(request).await.unwrap().into_inner().duty.unwrap()
    }

    // What is asked often.

    /// A mark made now, as the phone's clock has it.
    pub fn mark(&self, phone: &Phone, sequence: i64, at: usize, state: Standing) -> NewMark {
        NewMark {
            id: random::uuid(self.now()).to_string(),
            pupil_id: self.pupil(at),
            state: state.into(),
            sequence,
            device_time: Some(time(self.now() + phone.ahead)),
        }
    }

    /// A batch sent now, as the phone's clock has it.
    pub fn batch(&self, phone: &Phone, marks: Vec<NewMark>) -> RecordRollRequest {
        RecordRollRequest {
            request_id: self.world.request_id(),
            section_id: self.section_id.to_string(),
            day: DAY.to_owned(),
            slot_id: self.slot_id.to_string(),
            device_id: phone.id.to_string(),
            send_time: Some(time(self.now() + phone.ahead)),
            marks,
        }
    }

    /// The instructor calls the roll with one phone: states of the first pupils, in order.
    pub async fn call_roll(&self, states: &[Standing]) -> RecordRollResponse {
        let marks = states.iter().enumerate().zip(1..);
        let marks = marks.map(|((at, state), sequence)| self.mark(&self.phone, sequence, at, *state));
        let batch = self.batch(&self.phone, marks.collect());
        self.teacher().record_roll(batch).await.unwrap().into_inner()
    }

    pub fn roll(&self) -> GetRollRequest {
        GetRollRequest {
            section_id: self.section_id.to_string(),
            day: DAY.to_owned(),
            slot_id: self.slot_id.to_string(),
        }
    }

    pub async fn register(&self) -> GetRollResponse {
        self.office().get_roll(self.roll()).await.unwrap().into_inner()
    }

    /// How the pupils stand, in the order of the families.
    pub async fn standings(&self) -> Vec<Standing> {
        let register = self.register().await;
        let of = |family: &Family| {
            let id = family.pupil_id.to_string();
            register
                .lines
                .iter()
                .find(|line| line.pupil_id == id)
                .map_or(Standing::Unspecified, |line| line.state())
        };
        self.families.iter().map(of).collect()
    }

    pub fn correction(&self, at: usize, state: Standing, reason: &str) -> CorrectMarkRequest {
        CorrectMarkRequest {
            request_id: self.world.request_id(),
            section_id: self.section_id.to_string(),
            day: DAY.to_owned(),
            slot_id: self.slot_id.to_string(),
            pupil_id: self.pupil(at),
            state: state.into(),
            reason: reason.to_owned(),
        }
    }

    pub async fn lessons(&self, client: &mut DayServiceClient<Link>) -> Result<Vec<message::Lesson>, Status> {
        let request = ListLessonsRequest { school_id: self.school_id(), day: DAY.to_owned() };
        client.list_lessons(request).await.map(|answer| answer.into_inner().lessons)
    }

    // The jobs, called by hand: when they run is not the matter.

    pub fn bench(&self) -> Bench {
        Bench {
            db: (**self.world.db).clone(),
            clock: self.world.clock.shared(),
            hints: Arc::new(Hints::default()),
            config: Jobs::default(),
        }
    }

    pub async fn lay_out(&self) {
        lay_out::lay_out(&self.bench(), CLOSE_MINUTE).await.unwrap();
    }

    /// Closes whatever is due. The service's own job may have been faster.
    pub async fn close(&self) {
        close_registers::close_registers(&self.bench()).await.unwrap();
    }

    pub async fn end(self) {
        self.world.end().await;
    }
}

/// A member of staff with a role at the school; a class teacher at its class.
pub fn staff(world: &World, role: Role) -> Caller {
    let path = match role {
        Role::ClassTeacher => world.school.class_path(),
        _ => world.school.path.clone(),
    };
    staff_at(world, role, path)
}

pub fn staff_at(world: &World, role: Role, path: Vec<Uuid>) -> Caller {
    let grants = vec![Grant { role, path: NodePath::new(path) }];
    Caller::Staff(StaffMember { id: random::id(world.now()), grants })
}

pub fn staff_id(caller: &Caller) -> Id<Staff> {
    match caller {
        Caller::Staff(member) => member.id,
        other => panic!("{other:?} is no staff"),
    }
}
