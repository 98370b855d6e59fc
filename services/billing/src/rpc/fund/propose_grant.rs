//! Works a grant out, and proposes it.

use chrono::Datelike as _;
use proto::billing::v1::{ProposeGrantRequest, ProposeGrantResponse, QuoteGrantRequest, QuoteGrantResponse};
use shared::caller::{Caller, StaffPermit};
use shared::request::{Claimed, RequestKey, claim};
use shared::value::{Fen, Id, Term as TermKind, Violations};
use shared::{db, status};
use tonic::Status;

use super::{GRANT_ROLES, convert};
use crate::domain::fund::Content;
use crate::domain::fund::grant::{Asked, Facts, Grant, Period, work_out};
use crate::domain::refusal::{Clause, Refusal};
use crate::domain::term::Term;
use crate::rpc::convert as common;
use crate::store;
use crate::till::Till;

/// What a grant is worked out for.
struct Wanted {
    term_id: Id<TermKind>,
    asked: Asked,
}

struct Parsed {
    key: RequestKey,
    wanted: Wanted,
    document: String,
}

pub async fn quote_grant(
    till: &Till,
    caller: &Caller,
    request: QuoteGrantRequest,
) -> Result<QuoteGrantResponse, Status> {
    let permit = caller.staff(GRANT_ROLES)?;
    let mut violations = Violations::default();
    let wanted = wanted(&mut violations, &request);
    let wanted = common::read(&violations, wanted)?;
    let term = super::term(till, &permit, wanted.term_id).await?;
    let facts = store::heads::facts(till.db.read(), term.school_id(), term.id, wanted.asked.year).await?;
    let (grant, amount, clauses) = worked_out(till, &term, &wanted.asked, &facts)?;
    Ok(QuoteGrantResponse { grant: Some(convert::grant(&grant, amount)), clauses: common::clauses(&clauses) })
}

pub async fn propose_grant(
    till: &Till,
    caller: &Caller,
    request: ProposeGrantRequest,
) -> Result<ProposeGrantResponse, Status> {
    let permit = caller.staff(GRANT_ROLES)?;
    let parsed = parse(caller, request)?;
    db::retry(|| propose(till, &permit, &parsed)).await
}

fn parse(caller: &Caller, request: ProposeGrantRequest) -> Result<Parsed, Status> {
    let mut violations = Violations::default();
    let request_id = common::request_id(&mut violations, &request.request_id);
    let asked = QuoteGrantRequest {
        term_id: request.term_id.clone(),
        kind: request.kind,
        scope: request.scope.clone(),
        year: request.year,
        given_fen: request.given_fen,
    };
    let wanted = wanted(&mut violations, &asked);
    let least = wanted.as_ref().map_or(0, |wanted| usize::from(wanted.asked.rule.takes_a_figure()));
    let document = violations.text("document", &request.document, least, 64);
    let values = || Some((request_id?, wanted?, document?));
    let (request_id, wanted, document) = common::read(&violations, values())?;
    let content = ProposeGrantRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "ProposeGrant", request_id, &content);
    Ok(Parsed { key, wanted, document })
}

fn wanted(violations: &mut Violations, request: &QuoteGrantRequest) -> Option<Wanted> {
    let term_id = common::id(violations, "term_id", &request.term_id);
    let rule = convert::rule(violations, request.kind());
    let scope = violations.text("scope", &request.scope, 0, 60);
    violations.check("year", (0..=9_999).contains(&request.year), "must be a year, or 0");
    let takes = rule.is_some_and(|rule| rule.takes_a_figure());
    let is_given = if takes { request.given_fen >= 1 } else { request.given_fen == 0 };
    violations.check(
        "given_fen",
        is_given || rule.is_none(),
        "must be 1 or more where it is needed, and 0 elsewhere",
    );
    let year = Some(request.year).filter(|year| *year != 0);
    Some(Wanted {
        term_id: term_id?,
        asked: Asked { rule: rule?, scope: scope?, year, given: Fen::new(request.given_fen) },
    })
}

fn worked_out(
    till: &Till,
    term: &Term,
    asked: &Asked,
    facts: &Facts,
) -> Result<(Grant, Fen, Vec<Clause>), Status> {
    let policy = till.policy(term)?;
    let mut violations = Violations::default();
    let in_term = term.first_day.year()..=term.last_day.year();
    match (asked.rule.period(&policy), asked.year) {
        (Some(Period::Year), Some(year)) if in_term.contains(&year) => {}
        (Some(Period::Year), _) => violations.note("year", "must be a year the term lies in"),
        (Some(Period::Term), Some(_)) => violations.note("year", "must be 0: the grant is for the term"),
        (Some(Period::Term) | None, _) => {}
    }
    common::read(&violations, Some(()))?;
    Ok(work_out(&policy, facts, asked)?)
}

async fn propose(till: &Till, permit: &StaffPermit, parsed: &Parsed) -> Result<ProposeGrantResponse, Status> {
    let tx = till.db.begin().await?;
    let now = till.clock.now();
    let claim = match claim(&tx, &parsed.key, now).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let term = super::lock_term(&tx, permit, parsed.wanted.term_id).await?;
    let asked = &parsed.wanted.asked;
    let facts = store::heads::facts(&tx, term.school_id(), term.id, asked.year).await?;
    let (grant, amount, clauses) = worked_out(till, &term, asked, &facts)?;
    if let Some(there) = store::fund::grant_like(&tx, term.school_id(), term.id, &grant).await? {
        return Err(Refusal::GrantProposed { fund_entry_id: there.id }.into());
    }
    if amount <= Fen::ZERO {
        return Err(Refusal::NothingToGrant.into());
    }
    let entry =
        super::proposed(&term, Content::Grant(grant), amount, &parsed.document, clauses, permit.id(), now);
    if let Err(error) = store::fund::insert(&tx, &entry).await {
        // Somebody proposed it from another term meanwhile: it is found when asked again.
        return Err(match error.violated().as_deref() {
            Some(store::fund::ONE_GRANT) => status::aborted("DATABASE_CONFLICT"),
            _ => error.into(),
        });
    }
    let answer = ProposeGrantResponse { fund_entry: Some(convert::fund_entry(&entry)) };
    claim.answer(&tx, &answer).await?;
    tx.commit().await?;
    Ok(answer)
}
