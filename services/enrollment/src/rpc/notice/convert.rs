//! Notices as messages.

use proto::enrollment::v1 as message;
use shared::value::{Id, Notice as NoticeKind};

use crate::domain::notice::{Audience, Notice};
use crate::event::timestamp;

/// Who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// One of a pupil's guardians.
    Guardian,
    /// Somebody of the staff.
    Staff,
}

/// A notice as messages carry it. `corrected_by` is the last notice that puts it right.
pub fn notice(notice: &Notice, corrected_by: Option<Id<NoticeKind>>, reader: Reader) -> message::Notice {
    let (grades, class_ids) = match &notice.audience {
        Audience::School => (Vec::new(), Vec::new()),
        Audience::Grades(grades) => (grades.iter().copied().collect(), Vec::new()),
        Audience::Classes(classes) => (Vec::new(), classes.iter().map(ToString::to_string).collect()),
    };
    message::Notice {
        id: notice.id.to_string(),
        school_id: notice.school_id.to_string(),
        term_id: notice.term_id.to_string(),
        title: notice.title.clone(),
        body: notice.body.clone(),
        grades,
        class_ids,
        disclosure_keys: notice.disclosure_keys.clone(),
        corrects_id: notice.corrects.map(|id| id.to_string()).unwrap_or_default(),
        corrected_by_id: corrected_by.map(|id| id.to_string()).unwrap_or_default(),
        sender_staff_id: match reader {
            Reader::Guardian => String::new(),
            Reader::Staff => notice.sender_id.map(|id| id.to_string()).unwrap_or_default(),
        },
        send_time: Some(timestamp(notice.sent_at)),
    }
}
