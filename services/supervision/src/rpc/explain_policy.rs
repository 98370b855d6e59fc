//! `ExplainPolicy`.

use policy::explain::{Line, Question, answer};
use policy::fee::{self, StatedFee};
use policy::{Policy, Standing};
use proto::supervision::v1::explain_policy_request::Question as Asked;
use proto::supervision::v1::policy_line::Standing as StandingMessage;
use proto::supervision::v1::{self as message, ExplainPolicyRequest, ExplainPolicyResponse};
use shared::status::{not_found, unavailable};
use shared::value::{Id, School};
use tonic::Status;

use super::Supervision;
use super::convert::{self, Fields};
use crate::store;

struct Query {
    school_id: Id<School>,
    question: Question,
    policy_version: Option<String>,
}

/// Explains the policy a school is under, to the clause. Documents are public: nobody needs to say who they are.
pub async fn explain_policy(
    supervision: &Supervision,
    request: ExplainPolicyRequest,
) -> Result<ExplainPolicyResponse, Status> {
    let query = parse(&request)?;
    let school_id = query.school_id;
    let school = store::school::find(supervision.db.read(), school_id).await?;
    let school = school.ok_or_else(|| not_found("school", school_id))?;
    let policy = match query.policy_version {
        None => supervision.policy_of(&school).ok_or_else(|| unavailable("POLICY_VERSION_UNKNOWN"))?,
        Some(pin) => {
            // Another region's policy never held here.
            let pinned = supervision.packs.pinned(&pin).filter(|policy| policy.pack_id() == school.pack_id);
            pinned.ok_or_else(|| not_found("policy_version", pin))?
        }
    };
    let stated_fees = match query.question {
        Question::Fee | Question::All => stated_fees(&policy),
        Question::EndTime
        | Question::Approval
        | Question::Waivers
        | Question::Silent
        | Question::Inherited
        | Question::Key(_) => Vec::new(),
    };
    Ok(ExplainPolicyResponse {
        pack_id: policy.pack_id().to_owned(),
        name_zh: policy.name_zh().to_owned(),
        policy_version: policy.pin(),
        lines: answer(&policy, &query.question).into_iter().map(line).collect(),
        stated_fees,
    })
}

fn parse(request: &ExplainPolicyRequest) -> Result<Query, Status> {
    let mut fields = Fields::default();
    let school_id = fields.id("school_id", &request.school_id);
    let key = fields.text("key", &request.key, 0, 64);
    let question = match key.as_deref() {
        None | Some("") => fields.rule("question", question(request.question)),
        Some(key) => {
            let asks_both = request.question != i32::from(Asked::Unspecified);
            let alone = if asks_both { Err("must be left out when a key is asked for") } else { Ok(()) };
            let known = Policy::keys().into_iter().any(|known| known.name == key);
            let known = if known { Ok(key.to_owned()) } else { Err("must be a key of the policy schema") };
            let key = fields.rule("key", known);
            fields.rule("question", alone).and(key).map(Question::Key)
        }
    };
    let policy_version = fields.text("policy_version", &request.policy_version, 0, 200);
    let query = school_id.zip(question).zip(policy_version);
    fields.finish(query.map(|((school_id, question), version)| Query {
        school_id,
        question,
        policy_version: Some(version).filter(|version| !version.is_empty()),
    }))
}

fn question(asked: i32) -> Result<Question, &'static str> {
    match Asked::try_from(asked) {
        Ok(Asked::Unspecified) => Ok(Question::All),
        Ok(Asked::Fee) => Ok(Question::Fee),
        Ok(Asked::EndTime) => Ok(Question::EndTime),
        Ok(Asked::Approval) => Ok(Question::Approval),
        Ok(Asked::Waivers) => Ok(Question::Waivers),
        Ok(Asked::Silent) => Ok(Question::Silent),
        Ok(Asked::Inherited) => Ok(Question::Inherited),
        Err(_) => Err("must be one of the questions"),
    }
}

fn line(line: Line) -> message::PolicyLine {
    let standing = match line.standing {
        Standing::Stated => StandingMessage::Stated,
        Standing::Inherited => StandingMessage::Inherited,
        Standing::Supplemented => StandingMessage::Supplemented,
        Standing::Silent => StandingMessage::Silent,
    };
    message::PolicyLine {
        key: line.key.to_owned(),
        standing: standing.into(),
        text_zh: line.text.zh,
        text_en: line.text.en,
        source: line.clause.as_ref().map(convert::source).unwrap_or_default(),
    }
}

/// What the region states that parents pay; nothing where it states nothing, or that they do not.
fn stated_fees(policy: &Policy) -> Vec<message::StatedFee> {
    let fees = fee::stated(policy).unwrap_or_default();
    fees.into_iter().map(stated_fee).collect()
}

fn stated_fee(stated: StatedFee) -> message::StatedFee {
    let (basis, end_slot) = match stated.basis {
        fee::Basis::Term => ("term", 0),
        fee::Basis::Month => ("month", 0),
        fee::Basis::ClassHour => ("class_hour", 0),
        fee::Basis::SlotMonth { end_slot } => ("slot_month", end_slot),
        fee::Basis::Day => ("day", 0),
    };
    let stages = stated.stages.unwrap_or_default();
    message::StatedFee {
        basis: basis.to_owned(),
        end_slot: i32::try_from(end_slot).unwrap_or(i32::MAX),
        amount_fen: stated.amount.get(),
        binding: convert::binding(stated.binding).to_owned(),
        personalised: stated.offering == fee::Offering::PersonalisedCourse,
        stages: stages.iter().map(|stage| stage.word().to_owned()).collect(),
    }
}
