//! Signs a guardian in with a WeChat login code.
//!
//! WeChat takes a code once, and a mini-program may send it twice. The first to ask claims the code in the database, asks WeChat, and
//! leaves the answer, sealed, for as long as the code could live; the others wait for it. Only a keyed hash of the code is kept.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use prost::Message as _;
use proto::identity::v1::{SignInGuardianRequest, SignInGuardianResponse};
use shared::caller::Caller;
use shared::db::Error;
use shared::random;
use shared::status;
use shared::value::Violations;
use tonic::Status;

use super::{Given, convert, error};
use crate::domain::guardian::WechatIdentity;
use crate::secret;
use crate::store;
use crate::store::brief_answer::Standing;
use crate::store::session::{Holder, Session};

/// How long a login code lives. Source: WeChat mini-program documentation, wx.login.
const CODE_LIFE: TimeDelta = TimeDelta::minutes(5);

/// How often and how long a second asker looks for the first one's answer.
const LOOK: (u32, Duration) = (60, Duration::from_millis(100));

/// See the contract.
///
/// # Errors
/// See the contract.
pub async fn sign_in_guardian(
    given: &Given,
    _caller: &Caller,
    request: &SignInGuardianRequest,
) -> Result<SignInGuardianResponse, Status> {
    let mut violations = Violations::default();
    let code = violations.text("wechat_code", &request.wechat_code, 1, 128);
    let Some(code) = code else { return Err(status::invalid(&violations)) };
    let key = given.vault.index("brief_answer.wechat_code", &code);

    let tx = given.db.begin().await?;
    let now = given.clock.now();
    let is_first = store::brief_answer::ask(&tx, &key, now + CODE_LIFE, now).await?;
    tx.commit().await?;
    if !is_first {
        return wait(given, &key).await;
    }
    match given.wechat.code2session(&code).await {
        Ok(session) => begin_session(given, &key, session.openid).await,
        Err(refused) => {
            let tx = given.db.begin().await?;
            store::brief_answer::take_back(&tx, &key).await?;
            tx.commit().await?;
            Err(error::wechat(&refused))
        }
    }
}

async fn begin_session(given: &Given, key: &[u8], openid: String) -> Result<SignInGuardianResponse, Status> {
    let identity = WechatIdentity { appid: given.wechat.appid().to_owned(), openid };
    // WeChat will not tell again: whatever gets in the way here is tried again here.
    let begin = || async {
        let tx = given.db.begin().await?;
        let now = given.clock.now();
        let guardian =
            store::guardian::find_or_insert(&tx, &given.vault, &identity, random::id(now), now).await?;
        let token = random::token();
        let session = Session {
            id: random::id(now),
            holder: Holder::Guardian(guardian.id),
            token_digest: secret::digest_token(&token),
            created_at: now,
            expires_at: now + given.sessions.guardian(),
        };
        store::session::insert(&tx, &session).await?;
        let response = SignInGuardianResponse {
            session_token: token,
            session_expire_time: Some(convert::timestamp(session.expires_at)),
            guardian_id: guardian.id.to_string(),
            phone_verified: guardian.phone.is_some(),
        };
        let text = STANDARD.encode(response.encode_to_vec());
        store::brief_answer::answer(&tx, &given.vault, key, &text).await?;
        tx.commit().await?;
        Ok(response)
    };
    shared::db::retry(begin).await
}

/// Waits for the answer that another call is getting.
async fn wait(given: &Given, key: &[u8]) -> Result<SignInGuardianResponse, Status> {
    let (times, pause) = LOOK;
    for _ in 0..times {
        match store::brief_answer::find(given.db.read(), &given.vault, key, given.clock.now()).await? {
            Standing::Answered(text) => {
                let wrong =
                    || Error::inconsistent("brief_answer", "(hidden)", "not an answer of SignInGuardian");
                let bytes = STANDARD.decode(text).map_err(|_| wrong())?;
                return Ok(SignInGuardianResponse::decode(bytes.as_slice()).map_err(|_| wrong())?);
            }
            Standing::Waiting => tokio::time::sleep(pause).await,
            // WeChat refused the first one: the code is of no use to anybody.
            Standing::Unasked => return Err(status::unauthenticated("WECHAT_CODE_INVALID")),
        }
    }
    Err(status::unavailable("WECHAT_UNAVAILABLE"))
}
