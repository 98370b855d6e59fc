//! Changes a place for another one from a later day on: until then the old one is kept, from then on the new one is had.

use chrono::NaiveDate;
use policy::Clause;
use proto::enrollment::v1::{ChangeSeatRequest, ChangeSeatResponse};
use shared::caller::GuardianPermit;
use shared::request::{self, Claimed, RequestKey};
use shared::{random, status};
use tonic::Status;

use super::change_seat::{Locked, Parsed, lock, take};
use super::{EnrollmentRpc, convert, error, ruling};
use crate::domain::admission::{self, Application, Outcome};
use crate::domain::day::local;
use crate::domain::seat_change::{self, SeatChange, plan};
use crate::domain::section::Slot;
use crate::{event, store};

/// Changes a place from `from_day` on.
pub async fn change_later(
    rpc: &EnrollmentRpc,
    permit: &GuardianPermit,
    key: &RequestKey,
    parsed: &Parsed,
    from_day: NaiveDate,
) -> Result<ChangeSeatResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let Locked { from, to, enrollment, mut snapshot } = lock(rpc, &tx, permit, parsed).await?;
    if from.term_id != to.term_id {
        return Err(status::not_found("section", to.id));
    }
    let now = tx.now(rpc.clock.as_ref()).await?;
    let term = store::term::find(&tx, from.term_id).await?;
    let term = term.ok_or_else(|| error::no_enrollment(enrollment.id))?;
    let policy = ruling::policy_in(&rpc.packs, &term)?;
    plan(&enrollment, &term, &policy, from_day, local::day(now)).map_err(|refusal| refused(&refusal))?;
    if let Some(planned) = store::seat_change::planned_of(&tx, enrollment.id).await? {
        return Err(status::refused("CHANGE_PLANNED", &[("from_day", planned.from_day.to_string())]));
    }
    let application = Application {
        enrollment_id: random::id(now),
        request_id: parsed.request_id,
        guardian_id: permit.id(),
        district_id: enrollment.district_id,
        pupil_id: enrollment.pupil_id,
        section_id: to.id,
        join_waitlist: false,
    };
    let outcome = admission::decide(&mut snapshot, &application, now)
        .map_err(|refusal| error::admission(&refusal, &application))?;
    let Outcome::Admitted { enrollment: given, event, seats } = outcome else {
        return Err(status::reused());
    };
    let change = SeatChange {
        district_id: enrollment.district_id,
        pupil_id: enrollment.pupil_id,
        from_enrollment_id: enrollment.id,
        to_enrollment_id: given.id,
        from_day,
    };
    store::seat_change::insert(&tx, &change, now).await?;
    // Hours of both are the new seat's: until its day nobody else gets them for this pupil either way.
    store::enrollment::free_slots(&tx, &enrollment).await?;
    let is_shared = |slot: &Slot| to.slots.iter().any(|other| other.id == slot.id);
    let rest: Vec<_> = from.slots.iter().copied().filter(|slot| !is_shared(slot)).collect();
    let seat = store::enrollment::Seat { enrollment: &enrollment, slots: &rest };
    store::enrollment::take_slots(&tx, &[seat]).await?;
    // Before the first fact of the new seat: whoever prices it must know from when on.
    event::tell_change(&tx, &enrollment, &change, now).await?;
    take(&tx, &snapshot, &given, event, now).await?;
    let guardian = convert::Reader::Guardian;
    let response = ChangeSeatResponse {
        enrollment: Some(convert::enrollment(&given, &to.title, 0, guardian)),
        given_up: Some(convert::enrollment(&enrollment, &from.title, 0, guardian)),
        seats: Some(convert::seats(to.id, &seats)),
        from_day: from_day.to_string(),
    };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}

/// Reads the day; empty changes at once.
pub fn from_day(request: &ChangeSeatRequest) -> Option<Result<NaiveDate, &'static str>> {
    let text = request.from_day.as_str();
    (!text.is_empty()).then(|| text.parse().map_err(|_| "must be a day `YYYY-MM-DD`"))
}

/// A paid seat is changed on certain days only: this one is the earliest.
pub fn day_required(earliest_day: Option<NaiveDate>, clause: &Clause) -> Status {
    error::by_clause("CHANGE_DAY_REQUIRED", clause, &earliest(earliest_day))
}

fn refused(error: &seat_change::Error) -> Status {
    match error {
        seat_change::Error::NotConfirmed => status::refused("ENROLLMENT_NOT_CONFIRMED", &[]),
        seat_change::Error::DayNotAllowed { earliest_day, clause: Some(clause) } => {
            error::by_clause("CHANGE_DAY_NOT_ALLOWED", clause, &earliest(*earliest_day))
        }
        seat_change::Error::DayNotAllowed { earliest_day, clause: None } => {
            status::refused("CHANGE_DAY_NOT_ALLOWED", &earliest(*earliest_day))
        }
        seat_change::Error::Silent(silent) => error::silent(silent),
    }
}

fn earliest(day: Option<NaiveDate>) -> Vec<(&'static str, String)> {
    day.map(|day| ("earliest_day", day.to_string())).into_iter().collect()
}
