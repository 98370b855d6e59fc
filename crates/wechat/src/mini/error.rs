//! Error numbers of the mini-program API, sorted by what the caller should do.

/// Why a call did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The code is wrong, used, or older than five minutes. The client fetches a new one, once.
    #[error("the code is not valid ({errcode})")]
    CodeInvalid {
        /// WeChat's number.
        errcode: i64,
    },
    /// Too many calls for this user or this day. Tell the client to wait; do not repeat here.
    #[error("too many calls ({errcode})")]
    RateLimited {
        /// WeChat's number.
        errcode: i64,
    },
    /// WeChat bars this user. No repeat helps.
    #[error("the user is blocked by WeChat")]
    Blocked,
    /// Our own settings are wrong (appid, secret, address list, template, page). Raise an alarm.
    #[error("the configuration is refused ({errcode}): {errmsg}")]
    Configuration {
        /// WeChat's number.
        errcode: i64,
        /// WeChat's words, with the `rid` its support asks for.
        errmsg: String,
    },
    /// The access token was refused even after it was replaced. Raise an alarm.
    #[error("the access token is refused ({errcode})")]
    TokenRefused {
        /// WeChat's number.
        errcode: i64,
    },
    /// The user has no acceptance left for this template. Drop the message; it is nobody's fault.
    #[error("the user did not subscribe, or the subscription is used up")]
    NotSubscribed,
    /// The recipient is not a user of this mini-program.
    #[error("the recipient is unknown")]
    RecipientUnknown,
    /// A field breaks its rule at WeChat although it passed ours. Ours to fix.
    #[error("a message field is refused: {errmsg}")]
    MessageRefused {
        /// WeChat's words, which name the field.
        errmsg: String,
    },
    /// A field breaks a rule we know; nothing was sent.
    #[error(transparent)]
    MessageInvalid(#[from] super::InvalidMessage),
    /// Nothing was done. The same call may be repeated later.
    #[error("WeChat is busy or out of reach: {why}")]
    Busy {
        /// The cause, without URL.
        why: String,
    },
    /// It may have been done. A single-use code may be spent.
    #[error("outcome unknown: {why}")]
    Unknown {
        /// The cause, without URL.
        why: String,
    },
    /// A number this list does not know.
    #[error("WeChat answered {errcode}: {errmsg}")]
    Other {
        /// WeChat's number.
        errcode: i64,
        /// WeChat's words.
        errmsg: String,
    },
    /// The phone number was given to another mini-program.
    #[error("the answer belongs to another mini-program")]
    OtherApp,
}

impl Error {
    pub(super) fn from_errcode(errcode: i64, errmsg: String) -> Self {
        match errcode {
            -1 => Self::Busy { why: "system busy".to_owned() },
            40029 | 40163 => Self::CodeInvalid { errcode },
            45009 | 45011 => Self::RateLimited { errcode },
            40226 => Self::Blocked,
            40001 | 40014 | 42001 => Self::TokenRefused { errcode },
            40013 | 40125 | 40164 | 41002 | 41004 | 41008 | 40037 | 41030 => {
                Self::Configuration { errcode, errmsg }
            }
            43101 => Self::NotSubscribed,
            40003 => Self::RecipientUnknown,
            47003 => Self::MessageRefused { errmsg },
            _ => Self::Other { errcode, errmsg },
        }
    }
}
