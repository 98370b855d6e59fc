//! Begins a payment: writes the order down, sends it to WeChat, gives the pay sheet.
//!
//! The order is committed before WeChat hears of it, and its text is sent byte for byte every time, so that two calls at once and
//! a reply that is lost end in one order. The sheet is given out only if the order is then still the open one: an order that was
//! closed meanwhile is never shown.

use std::time::Duration;

use proto::billing::v1::{PayRequest, PayResponse};
use proto::identity::v1::GetPayerRequest;
use proto::identity::v1::identity_service_client::IdentityServiceClient;
use shared::caller::{Caller, GuardianPermit};
use shared::client::Link;
use shared::request::{Claimed, RequestKey, claim};
use shared::value::{Enrollment, Id, Invoice as InvoiceKind, Moment, Payment as PaymentKind, Violations};
use shared::{db, random, status};
use tonic::Status;
use wechat::pay::{Error, OrderRequest};

use super::convert;
use crate::domain::invoice::Invoice;
use crate::domain::number::out_trade_no;
use crate::domain::payment::{self, Payment, State, next_query_at};
use crate::domain::refusal::Refusal;
use crate::domain::term::Term;
use crate::merchant::Payee;
use crate::store;
use crate::till::Till;
use crate::till::book::Book;
use crate::till::order::{self, Standing};

/// How often the way to an order is tried: each time something was in the way and is out of it now.
const ROUNDS: u32 = 3;

/// How often one order is sent while WeChat gives no answer to rely on.
const SENDINGS: u32 = 2;

/// How long to wait before an order is sent again.
const SENDING_PAUSE: Duration = Duration::from_millis(200);

pub async fn pay(
    till: &Till,
    identity: &Link,
    caller: &Caller,
    request: PayRequest,
) -> Result<PayResponse, Status> {
    let permit = caller.guardian()?;
    let (key, enrollment_id) = parse(caller, request)?;
    if let Some(answer) = answered_before(till, &key).await? {
        return Ok(answer);
    }
    let payer = payer(identity, &permit).await?;
    for _ in 0..ROUNDS {
        let (payment, is_usable) = db::retry(|| begin(till, &permit, enrollment_id, &payer)).await?;
        if !is_usable {
            // Another guardian's order, or one whose time is over: it must be certain that nobody pays it.
            order::close(till, &payment).await?;
            continue;
        }
        let Some(prepay_id) = send(till, &payment).await? else { continue };
        if let Some(answer) = db::retry(|| show(till, &key, &payment, &prepay_id)).await? {
            return Ok(answer);
        }
        // It was closed while WeChat was making it.
        order::close(till, &payment).await?;
    }
    Err(status::unavailable("WECHAT_UNAVAILABLE"))
}

fn parse(caller: &Caller, request: PayRequest) -> Result<(RequestKey, Id<Enrollment>), Status> {
    let mut violations = Violations::default();
    let request_id = convert::request_id(&mut violations, &request.request_id);
    let enrollment_id = convert::id(&mut violations, "enrollment_id", &request.enrollment_id);
    let (request_id, enrollment_id) = convert::read(&violations, request_id.zip(enrollment_id))?;
    let content = PayRequest { request_id: String::new(), ..request };
    Ok((RequestKey::new(&caller.key(), "Pay", request_id, &content), enrollment_id))
}

/// Gives the answer of the same request, if it was answered. The claim itself is left to the end: an answer needs WeChat.
async fn answered_before(till: &Till, key: &RequestKey) -> Result<Option<PayResponse>, Status> {
    db::retry(|| async {
        let tx = till.db.begin().await?;
        let answer = match claim(&tx, key, till.clock.now()).await? {
            Claimed::First(_) => None,
            Claimed::Again(answer) => Some(answer),
        };
        tx.rollback().await?;
        Ok(answer)
    })
    .await
}

/// With which WeChat identity the guardian pays.
struct Payer {
    appid: String,
    openid: String,
}

async fn payer(identity: &Link, permit: &GuardianPermit) -> Result<Payer, Status> {
    let mut client = IdentityServiceClient::new(identity.clone());
    let request = GetPayerRequest { guardian_id: permit.id().to_string() };
    let answer = client.get_payer(request).await?.into_inner();
    Ok(Payer { appid: answer.appid, openid: answer.openid })
}

/// Finds the open order, or writes a new one down. Says whether it can be shown to this payer.
async fn begin(
    till: &Till,
    permit: &GuardianPermit,
    enrollment_id: Id<Enrollment>,
    payer: &Payer,
) -> Result<(Payment, bool), Status> {
    let tx = till.db.begin().await?;
    let not_found = || status::not_found("invoice", enrollment_id);
    let invoice = store::invoice::of_enrollment(&tx, enrollment_id).await?.ok_or_else(not_found)?;
    permit.pupil(invoice.pupil_id).map_err(|_| not_found())?;
    let mut book = Book::of(till, &tx, &invoice).await?;
    let now = till.clock.now();
    let allowed = book.invoice(invoice.id)?.pay(till.window, now);
    let payments = store::payment::lock_all(&tx, invoice.id).await?;
    if let Some(open) = payments.iter().find(|payment| payment.is_open()) {
        if !matches!(allowed, Ok(_) | Err(Refusal::HoldTooShort { .. })) {
            return Err(allowed.map_or_else(Into::into, |_| status::unavailable("WECHAT_UNAVAILABLE")));
        }
        let is_usable = now < open.expires_at && till.openid(open)? == payer.openid;
        return Ok((open.clone(), is_usable));
    }
    let (amount, expires_at) = allowed?;
    let attempt = u32::try_from(payments.len()).map_or(u32::MAX, |count| count.saturating_add(1));
    let invoice = book.invoice(invoice.id)?.clone();
    let account = book.prices.payee(invoice.section_id).ok_or(Refusal::TariffNotPublished)?;
    let payee = payee(&book.term, account);
    let order = NewOrder { invoice: &invoice, attempt, amount_fen: amount.get(), expires_at, payee };
    let payment = order.write(till, payer, now)?;
    store::payment::insert(&tx, &payment).await?;
    tx.commit().await?;
    Ok((payment, true))
}

fn payee(term: &Term, account: policy::vocabulary::PayeeAccount) -> Payee {
    Payee { district_id: term.district_id, school_id: term.school_id(), account }
}

/// An order about to be written down.
struct NewOrder<'a> {
    invoice: &'a Invoice,
    attempt: u32,
    amount_fen: i64,
    expires_at: Moment,
    payee: Payee,
}

impl NewOrder<'_> {
    fn write(&self, till: &Till, payer: &Payer, now: Moment) -> Result<Payment, Status> {
        let merchant = till.merchants.of(&self.payee).merchant();
        if merchant.paying_appid() != payer.appid {
            tracing::error!("guardians sign in to another mini-program than the merchant is bound to");
            return Err(status::unavailable("WECHAT_UNAVAILABLE"));
        }
        let invoice_id: Id<InvoiceKind> = self.invoice.id;
        let order = OrderRequest {
            description: format!("课后服务 {}", self.invoice.title),
            out_trade_no: out_trade_no(invoice_id, self.attempt),
            time_expire: self.expires_at,
            attach: None,
            notify_url: till.notify_url.to_string(),
            amount_fen: self.amount_fen,
            openid: payer.openid.clone(),
        };
        let json = order.to_json(merchant).map_err(|error| status::internal(&error))?;
        let id: Id<PaymentKind> = random::id(now);
        let seal = |context: String, text: &str| {
            till.sealer.seal(&context, text).map_err(|error| status::internal(&error))
        };
        Ok(Payment {
            id,
            district_id: self.invoice.district_id,
            invoice_id,
            attempt: self.attempt,
            out_trade_no: order.out_trade_no,
            payee_mchid: merchant.payee_mchid().to_owned(),
            amount: shared::value::Fen::new(self.amount_fen),
            order_sealed: seal(format!("payment.order:{id}"), &json)?,
            openid_sealed: seal(format!("payment.openid:{id}"), &payer.openid)?,
            expires_at: self.expires_at,
            state: State::Created,
            created_at: now,
            next_query_at: Some(next_query_at(now, self.expires_at, 0, now)),
            query_count: 0,
            reserved: shared::value::Fen::ZERO,
            refunded: shared::value::Fen::ZERO,
            refund_count: 0,
            refund_sent_at: None,
        })
    }
}

/// Sends the order. Gives the handle of its sheet; none when it turned out to be paid or closed.
async fn send(till: &Till, payment: &Payment) -> Result<Option<String>, Status> {
    let pay = till.merchant(payment)?;
    let json = till.order(payment)?;
    let mut last = None;
    for sending in 0..SENDINGS {
        if sending > 0 {
            tokio::time::sleep(SENDING_PAUSE).await;
        }
        match pay.order(json.as_bytes()).await {
            Ok(prepaid) => return Ok(Some(prepaid.prepay_id)),
            Err(error @ Error::Final { .. }) => {
                tracing::warn!(payment.id = %payment.id, %error, "WeChat refuses an order: {error}");
                return match order::ask(till, payment).await? {
                    Standing::Paid | Standing::Closed => Ok(None),
                    Standing::Open => Err(status::unavailable("WECHAT_UNAVAILABLE")),
                };
            }
            Err(error) => last = Some(error),
        }
    }
    if last.as_ref().is_some_and(Error::is_unknown) {
        db::retry(|| note_unknown(till, payment.id)).await?;
    }
    if let Some(error) = last {
        tracing::warn!(payment.id = %payment.id, %error, "an order has no answer to rely on: {error}");
    }
    Err(status::unavailable("WECHAT_UNAVAILABLE"))
}

async fn note_unknown(till: &Till, id: Id<PaymentKind>) -> Result<(), Status> {
    let tx = till.db.begin().await?;
    let Some(mut payment) = store::payment::lock(&tx, id).await? else { return Ok(()) };
    payment.state = payment::unknown(payment.state);
    store::payment::save(&tx, &payment).await?;
    Ok(tx.commit().await?)
}

/// Signs the sheet of an order that is still the open one. None when it is not.
async fn show(
    till: &Till,
    key: &RequestKey,
    payment: &Payment,
    prepay_id: &str,
) -> Result<Option<PayResponse>, Status> {
    let tx = till.db.begin().await?;
    let claim = match claim(&tx, key, till.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(Some(answer)),
    };
    let Some(mut payment) = store::payment::lock(&tx, payment.id).await? else { return Ok(None) };
    if !payment.is_open() {
        return Ok(None);
    }
    payment.state = payment::prepaid(payment.state);
    store::payment::save(&tx, &payment).await?;
    let sheet = till.merchant(&payment)?.sheet(prepay_id).map_err(|error| status::internal(&error))?;
    let answer = PayResponse {
        time_stamp: sheet.time_stamp,
        nonce_str: sheet.nonce_str,
        package: sheet.package,
        sign_type: sheet.sign_type,
        pay_sign: sheet.pay_sign,
        out_trade_no: payment.out_trade_no,
    };
    claim.answer(&tx, &answer).await?;
    tx.commit().await?;
    Ok(Some(answer))
}
