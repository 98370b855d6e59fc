//! Apply: applications gather in one queue and are decided in groups, in the order of arrival.
//!
//! | file | knows |
//! |---|---|
//! | here | one application: who, parse, wait for the answer |
//! | `basket` | several seats at once, all or none |
//! | `stream` | many applications over one call |
//! | `queue` | gathering groups, and what to do when the database refuses one |
//! | `line` | how many of one family wait, and how fast the queue is served |
//! | `metrics` | what the queue shows of itself |
//! | `group` | one group: lock, decide, save, tell, commit |

mod basket;
mod group;
mod line;
mod metrics;
mod queue;
mod stream;

use std::time::Duration;

use proto::enrollment::v1::{ApplyRequest, ApplyResponse};
use shared::caller::Caller;
use shared::db::Error;
use shared::value::{Id, School, Violations};
use shared::{random, status};
use tonic::Status;

pub use basket::apply_basket;
pub use group::Desk;
pub use queue::{Queue, Waiting};
pub use stream::{Answers, apply_stream};

use super::EnrollmentRpc;
use super::{convert, error};
use crate::domain::admission::Application;
use crate::domain::basket::{Ask, Refusal};
use crate::hint::Hints;

/// Applies for a seat, and waits for the group's commit.
///
/// The request id needs no claim here: it is kept in the enrollment itself, and decided on in the group.
pub async fn apply(
    rpc: &EnrollmentRpc,
    caller: &Caller,
    request: &ApplyRequest,
) -> Result<ApplyResponse, Status> {
    // Whoever stops waiting drops this future, and with it the answer to come.
    let waiting = put(rpc, caller, request, None)?;
    answer(waiting).await
}

/// Queues one application, for as long as its caller waits.
fn put(
    rpc: &EnrollmentRpc,
    caller: &Caller,
    request: &ApplyRequest,
    patience: Option<Duration>,
) -> Result<Waiting, Status> {
    let guardian = caller.guardian()?;
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse::<uuid::Uuid>());
    let pupil_id = violations.field("pupil_id", request.pupil_id.parse());
    let section_id = violations.field("section_id", request.section_id.parse());
    let (Some(request_id), Some(pupil_id), Some(section_id)) = (request_id, pupil_id, section_id) else {
        return Err(status::invalid(&violations));
    };
    let pupil = guardian.pupil(pupil_id)?;
    let district_id = pupil.path.district().ok_or_else(|| status::not_found("pupil", pupil_id))?;
    let application = Application {
        enrollment_id: random::id(rpc.clock.now()),
        request_id,
        guardian_id: guardian.id(),
        district_id,
        pupil_id,
        section_id,
        join_waitlist: request.join_waitlist,
    };
    refuse_known_full(&rpc.hints, &application, pupil.path.school())?;
    rpc.queue.put(Ask::One(application), patience)
}

async fn answer(waiting: Waiting) -> Result<ApplyResponse, Status> {
    let given = answer_all(waiting).await?;
    given.first().map(response).ok_or_else(|| status::unavailable("STOPPING"))
}

async fn answer_all(waiting: Waiting) -> Result<Vec<Given>, Status> {
    // The batcher answers every item, or ends with the process.
    waiting.await.map_err(|_| status::unavailable("STOPPING"))?
}

fn response(given: &Given) -> ApplyResponse {
    let (enrollment, section_id) = (&given.enrollment, given.enrollment.section_id);
    ApplyResponse {
        enrollment: Some(convert::enrollment(
            enrollment,
            &given.section_title,
            given.position,
            convert::Reader::Guardian,
        )),
        seats: Some(convert::seats(section_id, &given.seats)),
    }
}

/// Refuses an application for a section that is known to be full; `school_id` is the pupil's. The database is not asked.
///
/// # Errors
/// FAILED_PRECONDITION `SECTION_FULL`.
pub fn refuse_known_full(
    hints: &Hints,
    application: &Application,
    school_id: Option<Id<School>>,
) -> Result<(), Status> {
    let Some(seats) = hints.refusal(application, school_id) else { return Ok(()) };
    metrics::METRICS.known_full();
    Err(error::full(&seats))
}

/// Decides groups of applications. [`Desk`] does; the bench measures it against another that takes them one by one.
pub trait Decide: Send + Sync + 'static {
    /// Decides a group in one transaction; gives what each got, part by part, in the order given.
    ///
    /// # Errors
    /// When the database refuses. Then nothing was done, or, if the connection broke at the commit, it may have been: to decide the
    /// same group again finds out.
    fn decide(
        &self,
        group: &[&Ask],
    ) -> impl Future<Output = Result<Vec<Result<Vec<Given>, Refusal>>, Error>> + Send;
}

/// What an application got.
#[derive(Clone, Debug)]
pub struct Given {
    /// The enrollment.
    pub enrollment: crate::domain::enrollment::Enrollment,
    /// Its section's title.
    pub section_title: String,
    /// The place in line; 0 when not in line.
    pub position: i32,
    /// How full the section was when it was decided.
    pub seats: crate::domain::section::Seats,
}
