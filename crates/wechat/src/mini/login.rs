//! Login code → openid; phone code → phone number. Both codes are single use and live five minutes.

use std::fmt;
use std::time::Duration;

use http::Method;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::Value;

use super::{Error, MiniProgram};
use crate::http::encode;

/// Who a login code belongs to.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Session {
    /// The user in this mini-program. Another mini-program sees another openid.
    pub openid: String,
    /// The user across mini-programs of one owner; a link, never a key.
    pub unionid: Option<String>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session(..)")
    }
}

/// A phone number WeChat has verified.
#[derive(Clone, PartialEq, Eq)]
pub struct Phone {
    /// Digits without country code.
    pub number: String,
    /// Country code without plus, `86` for the mainland.
    pub country_code: String,
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone(..)")
    }
}

impl MiniProgram {
    /// Exchanges the code of `wx.login` for the user's openid. Call once per code.
    ///
    /// # Errors
    /// [`Error::CodeInvalid`], [`Error::RateLimited`], [`Error::Blocked`], [`Error::Configuration`], [`Error::Busy`],
    /// [`Error::Unknown`]; after the last the code may be spent, so the client fetches a new one.
    #[tracing::instrument(name = "wechat.mini.code2session", skip_all)]
    pub async fn code2session(&self, code: &str) -> Result<Session, Error> {
        let target = zeroize::Zeroizing::new(format!(
            "/sns/jscode2session?appid={}&secret={}&js_code={}&grant_type=authorization_code",
            encode(&self.inner.appid),
            encode(self.inner.secret.expose_secret()),
            encode(code),
        ));
        match self.call(Method::GET, &target, Vec::new()).await {
            Err(Error::Busy { .. }) => {
                // WeChat's own advice for "system busy": once more, a moment later.
                tokio::time::sleep(jitter()).await;
                self.call(Method::GET, &target, Vec::new()).await
            }
            answer => answer,
        }
    }

    /// Exchanges the code of the phone button for the number. `openid` makes WeChat check whose code it is.
    ///
    /// # Errors
    /// As [`Self::code2session`]; [`Error::OtherApp`] when the answer's watermark names another mini-program;
    /// [`Error::TokenRefused`] when the access token stays refused.
    #[tracing::instrument(name = "wechat.mini.phone_number", skip_all)]
    pub async fn phone_number(&self, code: &str, openid: &str) -> Result<Phone, Error> {
        #[derive(Deserialize)]
        struct Answer {
            phone_info: PhoneInfo,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct PhoneInfo {
            pure_phone_number: String,
            country_code: Value,
            watermark: Watermark,
        }
        #[derive(Deserialize)]
        struct Watermark {
            appid: String,
        }
        let body = serde_json::json!({ "code": code, "openid": openid }).to_string();
        let Answer { phone_info } =
            self.call_with_token("/wxa/business/getuserphonenumber", body.as_bytes()).await?;
        if phone_info.watermark.appid != self.inner.appid {
            return Err(Error::OtherApp);
        }
        // Documented both as number and as text.
        let country_code = match phone_info.country_code {
            Value::String(text) => text,
            other => other.to_string(),
        };
        Ok(Phone { number: phone_info.pure_phone_number, country_code })
    }
}

/// 150 to 405 milliseconds.
fn jitter() -> Duration {
    let mut byte = [0_u8];
    // Without randomness the pause is merely not jittered.
    let _ = aws_lc_rs::rand::fill(&mut byte);
    Duration::from_millis(150 + u64::from(byte[0]))
}
