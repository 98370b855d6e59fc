//! The subscribe message: one template, its fields, one recipient who accepted it.

use std::fmt;

use serde::Deserialize;

use super::{Error, MiniProgram};

/// Which build of the mini-program the message opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MiniProgramState {
    /// The build of developers.
    Developer,
    /// The trial build.
    Trial,
    /// The released build.
    #[default]
    Formal,
}

impl MiniProgramState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Developer => "developer",
            Self::Trial => "trial",
            Self::Formal => "formal",
        }
    }
}

/// One field of a template: its key as the template names it (`thing1`, `amount3`), and its value.
#[derive(Clone, PartialEq, Eq)]
pub struct Field {
    /// Kind and number, such as `thing1`.
    pub key: String,
    /// What the reader sees; the rule depends on the kind.
    pub value: String,
}

/// A message to one user. One acceptance of the user pays for one message.
#[derive(Clone, PartialEq, Eq)]
pub struct SubscribeMessage {
    /// The recipient's openid.
    pub openid: String,
    /// The template's id.
    pub template_id: String,
    /// Page to open with its query, such as `pages/order?id=1`; none means that the message opens nothing.
    pub page: Option<String>,
    /// The template's fields.
    pub fields: Vec<Field>,
    /// Which build it opens.
    pub state: MiniProgramState,
}

impl fmt::Debug for SubscribeMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubscribeMessage").field("template_id", &self.template_id).finish_non_exhaustive()
    }
}

/// WeChat took the message. Whether it reaches the user is not told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// WeChat's id of the message, when it gave one.
    pub msgid: Option<String>,
}

/// A field's value breaks the rule of its kind. Carries no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {rule}")]
pub struct InvalidMessage {
    /// The field's key.
    pub key: String,
    /// The rule it breaks.
    pub rule: &'static str,
}

impl Field {
    /// Makes a field.
    #[must_use]
    pub fn new(key: &str, value: &str) -> Self {
        Self { key: key.to_owned(), value: value.to_owned() }
    }

    /// Checks the value against the rule of its kind. A kind this list does not know is left to WeChat.
    ///
    /// # Errors
    /// [`InvalidMessage`] with the rule.
    ///
    /// Source: WeChat mini-program documentation, 订阅消息参数值内容限制说明.
    pub fn check(&self) -> Result<(), InvalidMessage> {
        let refuse = |rule| Err(InvalidMessage { key: self.key.clone(), rule });
        let kind = self.key.trim_end_matches(|character: char| character.is_ascii_digit());
        let value = self.value.as_str();
        let len = value.chars().count();
        let all = |test: fn(char) -> bool| value.chars().all(test);
        if value.trim().is_empty() {
            return refuse("is not empty");
        }
        let (good, rule) = match kind {
            "thing" => (len <= 20, "has at most 20 characters"),
            "number" => (len <= 32 && is_decimal(value), "is a number of at most 32 digits"),
            "letter" => (len <= 32 && all(|c| c.is_ascii_alphabetic()), "is at most 32 letters"),
            "symbol" => (len <= 5 && all(|c| !c.is_alphanumeric()), "is at most 5 symbols"),
            "character_string" => {
                (len <= 32 && all(|c| c.is_ascii_graphic()), "is at most 32 ASCII characters")
            }
            "time" | "date" => {
                (is_time(value), "is HH:MM or YYYY年M月D日 with or without HH:MM, or a range with ~")
            }
            "amount" => (is_amount(value), "is one currency sign and at most 10 digits, with or without 元"),
            "phone_number" => (
                len <= 17 && all(|c| c.is_ascii_digit() || matches!(c, '-' | '+' | ' ' | '(' | ')')),
                "is at most 17 digits and signs",
            ),
            "car_number" => (len <= 8, "has at most 8 characters"),
            "name" => (
                if all(|c| c.is_ascii()) { len <= 20 } else { len <= 10 } && all(|c| !c.is_ascii_digit()),
                "is at most 10 Chinese characters or 20 letters",
            ),
            "phrase" => (len <= 5 && all(is_han), "is at most 5 Chinese characters"),
            _ => (true, ""),
        };
        if good { Ok(()) } else { refuse(rule) }
    }
}

fn is_han(character: char) -> bool {
    matches!(u32::from(character), 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF)
}

fn is_decimal(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && digits(fraction)
}

fn is_amount(text: &str) -> bool {
    let text = text.strip_suffix('元').unwrap_or(text);
    let text = text.strip_prefix(['¥', '￥', '$', '€', '£']).unwrap_or(text);
    is_decimal(text) && text.bytes().filter(u8::is_ascii_digit).count() <= 10
}

fn is_time(text: &str) -> bool {
    text.split('~').count() <= 2 && text.split('~').all(|part| is_moment(part.trim()))
}

/// `19:01`, `2019年10月1日`, `2019-10-01`, and a date followed by a time.
fn is_moment(text: &str) -> bool {
    let (first, second) = text.split_once(' ').map_or((text, None), |(date, time)| (date, Some(time)));
    match second {
        Some(time) => is_date(first) && is_clock(time),
        None => is_date(first) || is_clock(first),
    }
}

fn is_clock(text: &str) -> bool {
    let mut parts = text.split(':').map(str::parse::<u32>);
    let hour_and_minute = matches!((parts.next(), parts.next()), (Some(Ok(0..=23)), Some(Ok(0..=59))));
    hour_and_minute
        && parts.next().is_none_or(|second| matches!(second, Ok(0..=59)))
        && parts.next().is_none()
}

fn is_date(text: &str) -> bool {
    let text = text.strip_suffix('日').unwrap_or(text);
    let mut parts = text.split(['年', '月', '-', '/']).map(str::parse::<u32>);
    matches!(
        (parts.next(), parts.next(), parts.next(), parts.next()),
        (Some(Ok(1000..=9999)), Some(Ok(1..=12)), Some(Ok(1..=31)), None)
    )
}

impl MiniProgram {
    /// Sends a subscribe message. Each success uses up one acceptance, so keep a record and send each once.
    ///
    /// # Errors
    /// [`Error::MessageInvalid`] before anything is sent; [`Error::NotSubscribed`] and [`Error::RecipientUnknown`] mean
    /// drop it; [`Error::Configuration`] and [`Error::MessageRefused`] are ours to fix; [`Error::Busy`] may be repeated.
    #[tracing::instrument(name = "wechat.mini.send_message", skip_all, fields(template_id = message.template_id))]
    pub async fn send_message(&self, message: &SubscribeMessage) -> Result<Sent, Error> {
        #[derive(Deserialize)]
        struct Answer {
            msgid: Option<serde_json::Value>,
        }
        for field in &message.fields {
            field.check()?;
        }
        let data = message
            .fields
            .iter()
            .map(|field| (field.key.clone(), serde_json::json!({ "value": field.value })))
            .collect::<serde_json::Map<_, _>>();
        let mut body = serde_json::json!({
            "touser": message.openid,
            "template_id": message.template_id,
            "data": data,
            "miniprogram_state": message.state.as_str(),
            "lang": "zh_CN",
        });
        if let Some(page) = &message.page {
            body["page"] = serde_json::json!(page);
        }
        let answer: Answer =
            self.call_with_token("/cgi-bin/message/subscribe/send", body.to_string().as_bytes()).await?;
        let msgid = answer.msgid.map(|msgid| match msgid {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        });
        Ok(Sent { msgid })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_rule_and_its_edge() {
        let twenty = "字".repeat(20);
        let twenty_one = "字".repeat(21);
        for (key, value, is_good) in [
            ("thing1", twenty.as_str(), true),
            ("thing1", twenty_one.as_str(), false),
            ("thing12", "a", true),
            ("thing1", " ", false),
            ("number1", "12.5", true),
            ("number1", "12.", false),
            ("number1", "十二", false),
            ("letter1", "abc", true),
            ("letter1", "abc1", false),
            ("symbol1", "+-*/!", true),
            ("symbol1", "+-*/!!", false),
            ("character_string1", "KH-0001", true),
            ("character_string1", "课后", false),
            ("time1", "16:30", true),
            ("time1", "24:00", false),
            ("time1", "2026年11月23日 16:30", true),
            ("time1", "2026年11月23日 16:30~2026年11月23日 18:00", true),
            ("time1", "16:30~17:30~18:00", false),
            ("time1", "明天", false),
            ("date1", "2026年11月23日", true),
            ("date1", "2026年13月1日", false),
            ("amount1", "¥120.00", true),
            ("amount1", "120元", true),
            ("amount1", "12345678901元", false),
            ("amount1", "¥¥1", false),
            ("phone_number1", "+86-13800138000", true),
            ("phone_number1", "138001380001380013", false),
            ("car_number1", "粤A8Z888挂", true),
            ("car_number1", "粤A8Z888挂车吗", false),
            ("name1", "欧阳小明同学的妈妈啊", true),
            ("name1", "欧阳小明同学的妈妈啊呀", false),
            ("name1", "Maximilian Schuester", true),
            ("phrase1", "已确认", true),
            ("phrase1", "已经被确认", true),
            ("phrase1", "已经被确认了", false),
            ("phrase1", "ok", false),
            ("new_kind1", "anything at all, however long it may be", true),
        ] {
            assert_eq!(Field::new(key, value).check().is_ok(), is_good, "{key} {value}");
        }
    }
}
