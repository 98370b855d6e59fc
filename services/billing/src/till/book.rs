//! All invoices of a pupil in a term.
//!
//! An open invoice is priced beside the settled ones and the open ones issued before it. When one of those closes or is given
//! back, the rest is priced anew. An invoice whose price is zero only because another, still unpaid, carries the pupil's
//! charge rests on that one: it is settled when that one is. Else a family could keep a place by letting another expire.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{NaiveDate, TimeDelta};
use policy::Policy;
use shared::db::Tx;
use shared::value::{
    Enrollment, Fen, Id, Invoice as InvoiceKind, Moment, Pupil, Section as SectionKind, Term as TermKind,
};
use tonic::Status;

use super::Till;
use crate::domain::invoice::{self, Invoice, State};
use crate::domain::ledger;
use crate::domain::pricing::{Charged, Price, Prices, price};
use crate::domain::refusal::Refusal;
use crate::domain::seat_change::SeatChange;
use crate::domain::term::{Section, Term, local_day};
use crate::domain::waiver::{Waiver, waived};
use crate::event;
use crate::store;
use crate::store::ledger::{Kind, Place};

/// All invoices of a pupil in a term, with what they are priced by.
pub struct Book {
    /// The term.
    pub term: Term,
    /// What rules the term.
    pub policy: Arc<Policy>,
    /// What the term is charged by.
    pub prices: Prices,
    /// The sections of the invoices.
    pub sections: HashMap<Id<SectionKind>, Section>,
    /// The invoices in the order they were issued.
    pub invoices: Vec<Invoice>,
    /// The pupil's seats that were changed for others from a later day on.
    pub changes: Vec<SeatChange>,
    /// The category of a waiver in force.
    pub waiver_category: Option<String>,
}

impl Book {
    /// Locks a pupil and their invoices of a term. None when pupil or term are not known.
    ///
    /// # Errors
    /// When the database refuses, or the term's policy is not here.
    pub async fn lock(
        till: &Till,
        tx: &Tx,
        pupil_id: Id<Pupil>,
        term_id: Id<TermKind>,
    ) -> Result<Option<Self>, Status> {
        if store::pupil::lock(tx, pupil_id).await?.is_none() {
            return Ok(None);
        }
        let Some(term) = store::term::find(tx, term_id).await? else { return Ok(None) };
        let policy = till.policy(&term)?;
        let prices = prices(tx, term_id).await?;
        let changes = store::seat_change::of_pupil(tx, pupil_id).await?;
        let invoices = store::invoice::lock_all(tx, pupil_id, term_id).await?;
        let sections =
            store::section::find_all(tx, invoices.iter().map(|invoice| invoice.section_id)).await?;
        let waivers = store::waiver::of_pupil(tx, pupil_id).await?;
        let waiver_category = in_force(waivers, local_day(till.clock.now()));
        Ok(Some(Self { term, policy, prices, sections, invoices, changes, waiver_category }))
    }

    /// Reads the invoices of a pupil in a term without locking anything. None when the term is not known.
    ///
    /// # Errors
    /// When the database refuses, or the term's policy is not here.
    pub async fn read(
        till: &Till,
        pupil_id: Id<Pupil>,
        term_id: Id<TermKind>,
    ) -> Result<Option<Self>, Status> {
        let db = till.db.read();
        let Some(term) = store::term::find(db, term_id).await? else { return Ok(None) };
        let policy = till.policy(&term)?;
        let prices = prices(db, term_id).await?;
        let changes = store::seat_change::of_pupil(db, pupil_id).await?;
        let invoices = store::invoice::of_term(db, pupil_id, term_id).await?;
        let sections =
            store::section::find_all(db, invoices.iter().map(|invoice| invoice.section_id)).await?;
        let waivers = store::waiver::of_pupil(db, pupil_id).await?;
        let waiver_category = in_force(waivers, local_day(till.clock.now()));
        Ok(Some(Self { term, policy, prices, sections, invoices, changes, waiver_category }))
    }

    /// Locks the book an invoice stands in.
    ///
    /// # Errors
    /// When the database refuses; INTERNAL when the invoice's pupil or term are missing.
    pub async fn of(till: &Till, tx: &Tx, invoice: &Invoice) -> Result<Self, Status> {
        let book = Self::lock(till, tx, invoice.pupil_id, invoice.term_id).await?;
        let missing = || store::Error::inconsistent("invoice", invoice.id, "its pupil or term is missing");
        Ok(book.ok_or_else(missing)?)
    }

    /// The invoice with an id.
    ///
    /// # Errors
    /// INTERNAL when it is not in this book.
    pub fn invoice(&mut self, id: Id<InvoiceKind>) -> Result<&mut Invoice, Status> {
        let found = self.invoices.iter_mut().find(|invoice| invoice.id == id);
        Ok(found.ok_or_else(|| store::Error::inconsistent("invoice", id, "not in its pupil's book"))?)
    }

    /// The invoice of an enrollment, if there is one.
    #[must_use]
    pub fn of_enrollment(&self, id: Id<Enrollment>) -> Option<&Invoice> {
        self.invoices.iter().find(|invoice| invoice.enrollment_id == id)
    }

    /// When a seat ended for another one that is settled; none when it did not.
    #[must_use]
    pub fn succeeded_at(&self, id: Id<Enrollment>) -> Option<Moment> {
        let is_settled = |id| self.of_enrollment(id).is_some_and(Invoice::is_settled);
        let ended = self.changes.iter().filter(|change| change.from_enrollment_id == id);
        ended.filter(|change| is_settled(change.to_enrollment_id)).map(SeatChange::takes_effect_at).min()
    }

    /// The section of an invoice.
    ///
    /// # Errors
    /// INTERNAL when it is missing.
    pub fn section(&self, invoice: &Invoice) -> Result<&Section, Status> {
        let found = self.sections.get(&invoice.section_id);
        Ok(found.ok_or_else(|| store::Error::inconsistent("section", invoice.section_id, "missing"))?)
    }

    /// The lessons settled invoices pay for, and what is kept for them.
    ///
    /// # Errors
    /// INTERNAL when a section is missing or a sum does not fit.
    pub fn settled(&self) -> Result<(Vec<Charged<'_>>, Fen), Status> {
        self.paying(Invoice::is_settled, None)
    }

    /// The lessons settled and open invoices pay for, and what is kept, or asked, for them.
    ///
    /// # Errors
    /// INTERNAL when a section is missing or a sum does not fit.
    pub fn live(&self) -> Result<(Vec<Charged<'_>>, Fen), Status> {
        self.paying(|invoice| invoice.is_settled() || invoice.is_open(), None)
    }

    /// The settled invoices with the lessons they pay for, in the order they were issued.
    ///
    /// # Errors
    /// INTERNAL when a section is missing.
    pub fn settled_invoices(&self) -> Result<Vec<(&Invoice, Charged<'_>)>, Status> {
        let settled: Vec<_> = self.invoices.iter().filter(|invoice| invoice.is_settled()).collect();
        let counts = |id| settled.iter().any(|invoice| invoice.enrollment_id == id);
        settled.iter().map(|invoice| Ok((*invoice, self.charged(invoice, counts)?))).collect()
    }

    /// The lessons an invoice pays for, where `counts` says which of the pupil's other seats are billed beside it: a seat that stands
    /// in for another begins on its day, and then the other one ends.
    fn charged(
        &self,
        invoice: &Invoice,
        counts: impl Fn(Id<Enrollment>) -> bool,
    ) -> Result<Charged<'_>, Status> {
        let id = invoice.enrollment_id;
        let from = self.changes.iter().find(|change| change.to_enrollment_id == id);
        let ended = self
            .changes
            .iter()
            .filter(|change| change.from_enrollment_id == id && counts(change.to_enrollment_id))
            .map(SeatChange::takes_effect_at)
            .min();
        let until = match (invoice.charged_until, ended) {
            (Some(until), Some(ended)) => Some(until.min(ended)),
            (until, ended) => until.or(ended),
        };
        Ok(Charged { section: self.section(invoice)?, from: from.map(|change| change.from_day), until })
    }

    /// The lessons the meant invoices pay for, and what is kept for them; `beside` is an enrollment that is being priced.
    fn paying(
        &self,
        is_meant: impl Fn(&Invoice) -> bool,
        beside: Option<Id<Enrollment>>,
    ) -> Result<(Vec<Charged<'_>>, Fen), Status> {
        let mut charged = Vec::new();
        let mut kept = Fen::ZERO;
        // What has no price asks for nothing and takes up nothing.
        let meant: Vec<_> =
            self.invoices.iter().filter(|invoice| invoice.price.is_some() && is_meant(invoice)).collect();
        let counts = |id| beside == Some(id) || meant.iter().any(|invoice| invoice.enrollment_id == id);
        for invoice in &meant {
            charged.push(self.charged(invoice, counts)?);
            kept = kept.plus(invoice.kept().map_err(Refusal::from)?).map_err(Refusal::from)?;
        }
        Ok((charged, kept))
    }

    /// Where entries of the ledger about this pupil's invoices of the term stand.
    #[must_use]
    pub fn place(&self, now: Moment) -> Place {
        Place { district_id: self.term.district_id, school_id: self.term.school_id(), at: now }
    }

    /// Prices what is open and settles what needs no money, until nothing changes any more.
    ///
    /// # Errors
    /// When the database refuses or a price cannot be worked out.
    pub async fn follow_up(&mut self, tx: &Tx, now: Moment) -> Result<(), Status> {
        let ordered = self.ordered(tx).await?;
        loop {
            self.price_open(tx, &ordered, now).await?;
            if !self.settle_resting(tx, &ordered, now).await? {
                return Ok(());
            }
        }
    }

    /// The open invoices that have an open order at WeChat: their price stands.
    async fn ordered(&self, tx: &Tx) -> Result<HashSet<Id<InvoiceKind>>, Status> {
        let mut ordered = HashSet::new();
        for invoice in self.invoices.iter().filter(|invoice| invoice.is_open()) {
            if store::payment::open_of(tx, invoice.id).await?.is_some() {
                ordered.insert(invoice.id);
            }
        }
        Ok(ordered)
    }

    async fn price_open(
        &mut self,
        tx: &Tx,
        ordered: &HashSet<Id<InvoiceKind>>,
        now: Moment,
    ) -> Result<(), Status> {
        for index in 0..self.invoices.len() {
            let invoice = &self.invoices[index];
            if !invoice.is_open()
                || ordered.contains(&invoice.id)
                || !self.prices.has_price(invoice.section_id)
            {
                continue;
            }
            let before = |other: &Invoice| {
                other.is_settled() || (other.is_open() && other.created_at < invoice.created_at)
            };
            let Some(priced) = self.price_beside(invoice, before)? else { continue };
            let category = invoice.waiver_category.clone().or_else(|| self.waiver_category.clone());
            let (category, waived) = self.waived(category, priced.amount);
            if invoice.price == Some(priced.amount) && invoice.waived == waived && !invoice.is_waiver_due {
                continue;
            }
            let old = (invoice.price, invoice.waived);
            let place = self.place(now);
            let invoice = &mut self.invoices[index];
            invoice.price = Some(priced.amount);
            invoice.waived = waived;
            invoice.waiver_category = category;
            invoice.clauses = priced.clauses();
            invoice.is_waiver_due = false;
            let (kind, number) = match old.0 {
                None => (Kind::Issued, 0),
                Some(_) => {
                    invoice.reprice_count += 1;
                    (Kind::Repriced, invoice.reprice_count)
                }
            };
            let change = priced.amount.minus(old.0.unwrap_or(Fen::ZERO)).map_err(Refusal::from)?;
            let waived_change = waived.minus(old.1).map_err(Refusal::from)?;
            let entry = ledger::issued(change, waived_change).map_err(Refusal::from)?;
            store::invoice::save(tx, invoice).await?;
            store::ledger::insert(tx, place, invoice.id.uuid(), kind, number, &entry).await?;
        }
        Ok(())
    }

    /// Settles the open invoices that ask for no money and rest on none that does; says whether there were any.
    async fn settle_resting(
        &mut self,
        tx: &Tx,
        ordered: &HashSet<Id<InvoiceKind>>,
        now: Moment,
    ) -> Result<bool, Status> {
        for index in 0..self.invoices.len() {
            let invoice = &self.invoices[index];
            let Some(own_price) = invoice.price else { continue };
            let asks = invoice.amount().map_err(Refusal::from)?;
            if !invoice.is_open() || ordered.contains(&invoice.id) || asks > Fen::ZERO {
                continue;
            }
            let rests = own_price.is_zero()
                && self
                    .price_beside(invoice, Invoice::is_settled)?
                    .is_none_or(|priced| priced.amount > Fen::ZERO);
            if rests {
                continue;
            }
            let invoice = &mut self.invoices[index];
            settle(tx, invoice, now).await?;
            return Ok(true);
        }
        Ok(false)
    }

    /// What an invoice's section costs beside the invoices that are meant. None where the policy does not let it be charged, such as
    /// above a ceiling of the term: the invoice stays without a price, nobody can pay it, and its hold ends.
    fn price_beside(
        &self,
        invoice: &Invoice,
        is_meant: impl Fn(&Invoice) -> bool,
    ) -> Result<Option<Price>, Status> {
        let beside = Some(invoice.enrollment_id);
        let (charged, kept) = self.paying(|other| other.id != invoice.id && is_meant(other), beside)?;
        let new = [Charged { until: None, ..self.charged(invoice, |_| false)? }];
        match price(&self.policy, &self.prices, &self.term, &charged, kept, &new) {
            Ok(priced) => Ok(Some(priced)),
            Err(refusal @ Refusal::Unworkable { .. }) => Err(refusal.into()),
            Err(refusal) => {
                tracing::error!(alarm = true, invoice.id = %invoice.id, %refusal, "a held seat cannot be charged: {refusal}");
                Ok(None)
            }
        }
    }

    /// What a waiver of the pupil in force lets off the invoices of new sections, each beside those before it.
    ///
    /// # Errors
    /// INTERNAL when a price cannot be worked out.
    pub fn let_off(&self, charged: &[Charged<'_>], kept: Fen, new: &[Charged<'_>]) -> Result<Fen, Status> {
        let mut let_off = Fen::ZERO;
        if self.waiver_category.is_none() {
            return Ok(let_off);
        }
        let (mut charged, mut kept) = (charged.to_vec(), kept);
        for one in new {
            let priced =
                price(&self.policy, &self.prices, &self.term, &charged, kept, std::slice::from_ref(one))?;
            let (_, waived) = self.waived(self.waiver_category.clone(), priced.amount);
            let_off = let_off.plus(waived).map_err(Refusal::from)?;
            kept = kept.plus(priced.amount).map_err(Refusal::from)?;
            charged.push(*one);
        }
        Ok(let_off)
    }

    /// What is waived of a charge. A category this term's policy cannot judge waives nothing here.
    fn waived(&self, category: Option<String>, charge: Fen) -> (Option<String>, Fen) {
        match waived(&self.policy, category.as_deref(), charge) {
            Ok(waived) => (category, waived),
            Err(refusal) => {
                tracing::warn!(term.id = %self.term.id, %refusal, "a waiver is not applied in this term: {refusal}");
                (None, Fen::ZERO)
            }
        }
    }
}

async fn prices(db: &impl sea_orm::ConnectionTrait, term_id: Id<TermKind>) -> Result<Prices, store::Error> {
    let tariff = store::tariff::find(db, term_id).await?;
    let sections = store::section_price::of_term(db, term_id).await?;
    Ok(Prices { tariff, sections })
}

/// The category of the waiver that holds on `today`, if one does.
fn in_force(waivers: Vec<Waiver>, today: NaiveDate) -> Option<String> {
    waivers.into_iter().find(|waiver| waiver.is_in_force(today)).map(|waiver| waiver.category)
}

/// Settles an invoice and tells it.
///
/// # Errors
/// When the database refuses.
pub async fn settle(tx: &Tx, invoice: &mut Invoice, now: Moment) -> Result<(), Status> {
    let (state, told) = invoice::settle(invoice.state.clone(), now);
    invoice.state = state;
    store::invoice::save(tx, invoice).await?;
    if let Some(told) = told {
        event::invoice(tx, invoice, told, now).await?;
    }
    Ok(())
}

/// Closes an open invoice, reverses what it had booked, and tells it. A closed one stays.
///
/// # Errors
/// FAILED_PRECONDITION `INVOICE_SETTLED`; when the database refuses.
pub async fn close(tx: &Tx, place: Place, invoice: &mut Invoice, now: Moment) -> Result<(), Status> {
    let (state, told) = invoice::close(invoice.state.clone(), now)?;
    let Some(told) = told else { return Ok(()) };
    invoice.state = state;
    invoice.is_waiver_due = false;
    let entry = ledger::closed(invoice.price.unwrap_or(Fen::ZERO), invoice.waived).map_err(Refusal::from)?;
    store::invoice::save(tx, invoice).await?;
    store::ledger::insert(tx, place, invoice.id.uuid(), Kind::Closed, 0, &entry).await?;
    event::invoice(tx, invoice, told, now).await?;
    Ok(())
}

/// When the next invoice of a book is issued: now, and after every other. Their order decides what each of them adds.
#[must_use]
pub fn next_issue(book: &Book, now: Moment) -> Moment {
    let last = book.invoices.iter().map(|invoice| invoice.created_at).max();
    last.map_or(now, |last| now.max(last + TimeDelta::microseconds(1)))
}

/// A new open invoice, not priced yet.
#[must_use]
pub fn open(id: Id<InvoiceKind>, term: &Term, due_at: Moment, for_whom: &ForWhom, now: Moment) -> Invoice {
    Invoice {
        id,
        district_id: term.district_id,
        school_id: term.school_id(),
        enrollment_id: for_whom.enrollment_id,
        pupil_id: for_whom.pupil_id,
        term_id: term.id,
        section_id: for_whom.section_id,
        guardian_id: for_whom.guardian_id,
        title: for_whom.title.clone(),
        created_at: now,
        state: State::Open { due_at },
        price: None,
        waived: Fen::ZERO,
        waiver_category: None,
        clauses: Vec::new(),
        paid: Fen::ZERO,
        refunded: Fen::ZERO,
        reversed: Fen::ZERO,
        released_at: None,
        charged_until: None,
        is_refund_undecided: false,
        is_waiver_due: false,
        reprice_count: 0,
    }
}

/// Whose seat an invoice is for.
#[derive(Clone, Debug)]
pub struct ForWhom {
    /// The enrollment.
    pub enrollment_id: Id<Enrollment>,
    /// The pupil.
    pub pupil_id: Id<Pupil>,
    /// The section.
    pub section_id: Id<SectionKind>,
    /// Who applied.
    pub guardian_id: Id<shared::value::Guardian>,
    /// The section's title.
    pub title: String,
}
