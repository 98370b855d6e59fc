//! Sends the messages that are due, one after another, at a pace.
//!
//! A message is taken and counted in one transaction, sent outside of any, and what became of it kept in another. Whoever dies between
//! leaves it to be sent again: at least once, and once where nothing breaks.

use std::time::Duration;

use shared::clock::SharedClock;
use shared::db::{self, Db};
use tokio_util::sync::CancellationToken;
use tonic::Status;
use wechat::mini::{Error, Field, MiniProgram, MiniProgramState, SubscribeMessage};

use crate::config::Messages;
use crate::domain::message::{self, Message, Outcome, Unsent};
use crate::store;
use crate::store::vault::Vault;

/// How long to rest when nothing is due.
const REST: Duration = Duration::from_millis(500);

/// What sending works with.
pub struct Sender {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: SharedClock,
    /// Opens WeChat identities and names.
    pub vault: Vault,
    /// The mini-program.
    pub wechat: MiniProgram,
    /// The templates and the pace.
    pub messages: Messages,
}

/// Whether there was anything to send, and how WeChat took it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// Nothing was due.
    Nothing,
    /// One message was tried.
    One,
    /// WeChat says that this is too much.
    TooMuch,
}

/// Sends until `stop`.
pub async fn run(sender: Sender, stop: CancellationToken) {
    let pause = Duration::from_secs(1) / sender.messages.per_second.clamp(1, 1_000);
    let too_much = Duration::from_secs(sender.messages.pause_seconds.clamp(1, 3_600).into());
    loop {
        let rest = match pass(&sender).await {
            Ok(Passed::One) => pause,
            Ok(Passed::Nothing) => REST,
            Ok(Passed::TooMuch) => too_much,
            Err(error) => {
                tracing::warn!(code = ?error.code(), "a message could not be taken or kept and is tried again: {}", error.message());
                REST
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(rest) => {}
        }
    }
}

/// Sends the message that is due for longest.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn pass(sender: &Sender) -> Result<Passed, Status> {
    let taken = db::retry(|| async {
        let tx = sender.db.begin().await?;
        let taken = store::message::take(&tx, sender.clock.now()).await?;
        tx.commit().await?;
        Ok::<_, Status>(taken)
    });
    let Some(taken) = taken.await? else { return Ok(Passed::Nothing) };
    let (outcome, passed) = send(sender, &taken).await?;
    keep(sender, &taken, outcome).await?;
    Ok(passed)
}

async fn send(sender: &Sender, taken: &Message) -> Result<(Outcome, Passed), Status> {
    if message::is_stale(taken.happened_at, sender.clock.now()) {
        return Ok((Outcome::Never(Unsent::Stale), Passed::One));
    }
    let withdrawn = Ok((Outcome::Never(Unsent::Withdrawn), Passed::One));
    let conn = sender.db.read();
    let bound = store::consent::find_live(conn, taken.guardian_id, taken.pupil_id).await?;
    let guardian = store::guardian::find(conn, &sender.vault, taken.guardian_id).await?;
    let pupil = store::pupil::with_ids(conn, &sender.vault, &[taken.pupil_id]).await?.remove(&taken.pupil_id);
    let (Some(_), Some(guardian), Some(pupil)) = (bound, guardian, pupil) else { return withdrawn };
    // The template was taken out of the settings since.
    let Some(template) = sender.messages.template(taken.news) else { return withdrawn };
    let message = SubscribeMessage {
        openid: guardian.identity.openid,
        template_id: template.template_id.clone(),
        page: sender.messages.page.clone().filter(|page| !page.is_empty()),
        fields: vec![
            Field::new(&template.pupil_field, &message::pupil_name(&pupil.name)),
            Field::new(&template.time_field, &clock_text(taken.happened_at)),
            Field::new(&template.news_field, taken.news.words()),
        ],
        state: MiniProgramState::Formal,
    };
    Ok(match sender.wechat.send_message(&message).await {
        Ok(_) => (Outcome::Sent, Passed::One),
        Err(Error::NotSubscribed) => (Outcome::Never(Unsent::NotSubscribed), Passed::One),
        Err(Error::RecipientUnknown | Error::Blocked) => (Outcome::Never(Unsent::Unreachable), Passed::One),
        Err(error @ (Error::MessageRefused { .. } | Error::MessageInvalid(_))) => {
            tracing::error!(message.id = %taken.id, "WeChat does not take what a message says: {error}");
            (Outcome::Never(Unsent::Refused), Passed::One)
        }
        Err(error @ Error::RateLimited { .. }) => {
            tracing::warn!(message.id = %taken.id, "messages rest for a while: {error}");
            (Outcome::Later, Passed::TooMuch)
        }
        Err(error @ (Error::Busy { .. } | Error::Unknown { .. })) => {
            tracing::warn!(message.id = %taken.id, "a message is tried again: {error}");
            (Outcome::Later, Passed::One)
        }
        // Settings or tokens: somebody has to look, and the message may still go meanwhile.
        Err(
            error @ (Error::Configuration { .. }
            | Error::TokenRefused { .. }
            | Error::CodeInvalid { .. }
            | Error::OtherApp
            | Error::Other { .. }),
        ) => {
            tracing::error!(message.id = %taken.id, "messages cannot be sent: {error}");
            (Outcome::Later, Passed::One)
        }
    })
}

async fn keep(sender: &Sender, taken: &Message, outcome: Outcome) -> Result<(), Status> {
    db::retry(|| async {
        let tx = sender.db.begin().await?;
        let now = sender.clock.now();
        store::message::save(&tx, taken, message::after(taken, outcome, now), now).await?;
        let used = match outcome {
            Outcome::Sent => Some(false),
            Outcome::Never(Unsent::NotSubscribed) => Some(true),
            Outcome::Never(Unsent::Unreachable | Unsent::Refused | Unsent::Stale | Unsent::Withdrawn)
            | Outcome::Later => None,
        };
        if let (Some(all), Some(template)) = (used, sender.messages.template(taken.news)) {
            store::message::use_up(&tx, taken.guardian_id, &template.template_id, all, now).await?;
        }
        tx.commit().await?;
        Ok::<_, Status>(())
    })
    .await
}

/// A moment in the time of Shanghai, where everybody is: `2026年9月7日 16:05`.
fn clock_text(moment: shared::value::Moment) -> String {
    (moment + chrono::TimeDelta::hours(8)).format("%Y年%-m月%-d日 %H:%M").to_string()
}
