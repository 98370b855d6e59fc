//! Hears of pupils and consents.

use proto::identity::v1::Event;
use proto::identity::v1::event::Kind;
use shared::clock::SharedClock;
use shared::db::Tx;
use shared::feed::{Consumer, Told};
use shared::value::{District, Id, Pupil as PupilKind};
use tonic::Status;
use uuid::Uuid;

use crate::domain::enrollment::{self, ReleaseReason};
use crate::domain::pupil::{Pupil, Standing};
use crate::{change, store};

/// What identity tells, made true here.
pub struct FollowIdentity {
    /// The time of day.
    pub clock: SharedClock,
}

#[async_trait::async_trait]
impl Consumer for FollowIdentity {
    type Event = Event;

    async fn apply(&self, tx: &Tx, told: &Told, event: Event) -> Result<(), Status> {
        match event.kind {
            Some(Kind::PupilEnrolled(enrolled)) => {
                self.place(tx, pupil(&enrolled.pupil_id, &enrolled.path, enrolled.grade)?).await
            }
            Some(Kind::PupilMoved(moved)) => {
                self.place(tx, pupil(&moved.pupil_id, &moved.path, moved.grade)?).await
            }
            Some(Kind::PupilLeft(left)) => {
                let id = id(&left.pupil_id, "pupil_id")?;
                if let Some(pupil) = store::pupil::find(tx, id).await? {
                    self.lose_all(tx, pupil.district_id, id, |_| true).await?;
                    store::pupil::save(tx, &Pupil { standing: Standing::Left, ..pupil }).await?;
                }
                Ok(())
            }
            Some(Kind::GuardianBound(bound)) => {
                let pupil_id = id(&bound.pupil_id, "pupil_id")?;
                let guardian_id = id(&bound.guardian_id, "guardian_id")?;
                Ok(store::pupil::consent(tx, told.district_id.uuid(), pupil_id, guardian_id).await?)
            }
            Some(Kind::ConsentWithdrawn(withdrawn)) => {
                let pupil_id = id(&withdrawn.pupil_id, "pupil_id")?;
                let guardian_id = id(&withdrawn.guardian_id, "guardian_id")?;
                let left = store::pupil::withdraw_consent(tx, told.district_id.uuid(), pupil_id, guardian_id)
                    .await?;
                if left == 0 {
                    self.lose_all(tx, told.district_id, pupil_id, |_| true).await?;
                }
                Ok(())
            }
            Some(Kind::NodeAdded(_)) | None => Ok(()),
        }
    }
}

impl FollowIdentity {
    /// Keeps where a pupil belongs. What the pupil had at another school is lost; what is at this one goes along.
    async fn place(&self, tx: &Tx, pupil: Pupil) -> Result<(), Status> {
        self.lose_all(tx, pupil.district_id, pupil.id, |enrollment| enrollment.school_id != pupil.school_id)
            .await?;
        store::pupil::save(tx, &pupil).await?;
        store::enrollment::move_pupil(tx, pupil.district_id, pupil.id, &pupil.path).await?;
        Ok(())
    }

    /// Gives back what a pupil has, as far as `is_lost`.
    async fn lose_all(
        &self,
        tx: &Tx,
        district_id: Id<District>,
        pupil_id: Id<PupilKind>,
        is_lost: impl Fn(&enrollment::Enrollment) -> bool,
    ) -> Result<(), Status> {
        let section_ids = store::enrollment::live_sections_of(tx, district_id, pupil_id).await?;
        if section_ids.is_empty() {
            return Ok(());
        }
        let mut sections = store::section::lock(tx, section_ids).await?;
        store::pupil::lock(tx, &[pupil_id]).await?;
        let live = store::enrollment::find_for(tx, &[district_id].into(), &[pupil_id], &[]).await?;
        if live.iter().any(|live| !sections.iter().any(|section| section.id == live.section_id)) {
            // A place was taken between the look and the locks: look again.
            return Err(shared::status::aborted("ENROLLMENT_CHANGED"));
        }
        let changes = live.into_iter().filter(|enrollment| is_lost(enrollment)).map(|enrollment| {
            let change = enrollment::lose(&enrollment, ReleaseReason::PupilLeft.into());
            (enrollment, change)
        });
        change::make(tx, &mut sections, changes.collect(), tx.now(self.clock.as_ref()).await?).await?;
        Ok(())
    }
}

fn id<K>(text: &str, field: &str) -> Result<Id<K>, Status> {
    text.parse().map_err(|_| Status::invalid_argument(format!("{field} is not a UUID")))
}

fn pupil(pupil_id: &str, path: &[String], grade: i32) -> Result<Pupil, Status> {
    let path: Result<Vec<Uuid>, _> = path.iter().map(|text| text.parse()).collect();
    let path = path.ok().filter(|path| path.len() == 4);
    let path = path.ok_or_else(|| Status::invalid_argument("path has not four ids"))?;
    Ok(Pupil {
        id: id(pupil_id, "pupil_id")?,
        district_id: Id::new(path[0]),
        school_id: Id::new(path[2]),
        path,
        grade,
        standing: Standing::Enrolled,
    })
}
