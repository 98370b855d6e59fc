//! Hears of paid seats that a family wants to give back while nobody has said what goes back: each becomes one ticket to the
//! bureau.

use std::sync::Arc;

use async_trait::async_trait;
use policy::enroll::hotline;
use policy::{Live, Policy};
use proto::enrollment::v1::event::Kind as Told;
use proto::enrollment::v1::{Event, RefundRuleMissing};
use shared::clock::SharedClock;
use shared::db::Tx;
use shared::feed::{self, Consumer};
use shared::seal::Sealer;
use shared::value::{Guardian, Id, School};
use shared::{random, status};
use tonic::Status;
use uuid::Uuid;

use crate::domain::ticket::{Action, Complainant, Kind, Limits, State, Subject, Ticket};
use crate::domain::{deadline, local_time};
use crate::store;
use crate::store::ticket::Sheet;
use crate::writing::{self, Done};

/// Turns what only the bureau can decide into tickets.
#[derive(Clone)]
pub struct FollowEnrollment {
    /// What time it is.
    pub clock: SharedClock,
    /// Every region's policy.
    pub packs: Arc<Live>,
    /// Seals what is written.
    pub sealer: Arc<Sealer>,
}

#[async_trait]
impl Consumer for FollowEnrollment {
    type Event = Event;

    async fn apply(&self, tx: &Tx, _told: &feed::Told, event: Event) -> Result<(), Status> {
        // Whatever else enrollment tells asks nothing of the bureau.
        let Some(Told::RefundRuleMissing(missing)) = &event.kind else { return Ok(()) };
        self.refer(tx, &event, missing).await
    }
}

impl FollowEnrollment {
    /// Submits the ticket in the guardian's name: the family follows it, and judges the answer. A guardian's limit of tickets a day
    /// is for what they write, not for this.
    async fn refer(&self, tx: &Tx, event: &Event, missing: &RefundRuleMissing) -> Result<(), Status> {
        let school_id: Id<School> = match event.pupil_path.get(2).map(|id| id.parse()) {
            Some(Ok(id)) => id,
            Some(Err(_)) | None => return Err(unreadable("a pupil's path without a school")),
        };
        let guardian_id: Id<Guardian> =
            missing.guardian_id.parse().map_err(|_| unreadable("guardian_id is no UUID"))?;
        // Identity's feed is behind: the event is tried again until it has caught up.
        let school = store::school::find(tx, school_id).await?;
        let school = school.ok_or_else(|| status::unavailable("NOT_HEARD_YET"))?;
        let policy = self.packs.policy(&school.pack_id, school.supplement_id.as_deref());
        let policy = policy.as_deref();
        let number = store::ticket::next_number(tx, local_time::of(self.clock.now()).date()).await?;
        let now = self.clock.now();
        let id = random::id(now);
        let sheet = Sheet {
            id,
            number,
            kind: Kind::Suggestion,
            subject: Subject::Fees,
            section: policy
                .and_then(|policy| hotline(policy, school.stage).ok())
                .map(|hotline| hotline.section.clone()),
            text_sealed: writing::seal_text(&self.sealer, id, &text(event, &missing.key))?,
            contact_sealed: None,
            created_at: now,
        };
        let accept_due_at = policy.and_then(|policy| deadline::accept_due_at(policy, now));
        let ticket = Ticket {
            school: school.path,
            complainant: Complainant::Guardian(guardian_id),
            state: State::Submitted,
            limits: Limits { accept_due_at, ..Limits::default() },
            stars: None,
            reopened_count: 0,
        };
        store::ticket::insert(tx, &sheet, &ticket).await?;
        let actor_key = format!("guardian:{guardian_id}");
        let (action, actor_role) = (Action::Submitted, writing::COMPLAINANT);
        let done = Done { action, actor_role, actor_key: &actor_key, text: "" };
        writing::write_down(&self.sealer, tx, id, &ticket, &done, now).await
    }
}

/// What the bureau reads: what is asked of it, and where the matter lies. Ids only; who may know the names asks for them.
fn text(event: &Event, key: &str) -> String {
    let known = Policy::keys().into_iter().find(|known| known.name == key);
    let name = known.map_or(key, |known| known.zh);
    let nodes: Vec<_> = event.pupil_path.iter().filter_map(|id| id.parse::<Uuid>().ok()).collect();
    let path: Vec<_> = nodes.iter().map(ToString::to_string).collect();
    format!(
        "家长要求退出一门已经缴费的课程。政策文件和补充规定都没有规定“{name}”（{key}），平台没有自行退费，名额仍然保留。\
         请作出书面决定；补充规定生效后，家长可以再次申请退出。\n\
         区县、镇街、学校、班级：{}\n学生：{}\n学期：{}\n班次：{}\n选课记录：{}",
        path.join(" / "),
        event.pupil_id,
        event.term_id,
        event.section_id,
        event.enrollment_id,
    )
}

fn unreadable(why: &'static str) -> Status {
    Status::invalid_argument(why)
}
