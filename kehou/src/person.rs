//! People who use the platform over HTTP, as the mini-program and the consoles do: for loading the demonstration, for the
//! tour and for the stories of the tests.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::multipart::{Form, Part};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use shared::clock::SharedClock;
use shared::db::Backoff;
use tokio::time::Instant;
use uuid::Uuid;

use crate::accounts::{Account, Accounts};

/// How long something that travels between services by events may take before it counts as missing.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long one answer may take: longer than a gateway takes to say that it is too busy.
const ANSWER: Duration = Duration::from_secs(90);

/// After this much waiting something is late.
const LATE: Duration = Duration::from_secs(5);

/// How long a look rests before the next.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The doors of a running platform.
#[derive(Clone)]
pub struct Site {
    /// Where the gateway listens: `http://127.0.0.1:8080`.
    pub gateway: String,
    /// Where the WeChat sandbox listens.
    pub sandbox: String,
    /// The platform's clock: one-time codes are made with it.
    pub clock: SharedClock,
    http: Client,
    nudge: Option<Nudge>,
}

/// What is done with every look at something that is late.
type Nudge = Arc<dyn Fn() + Send + Sync>;

/// An answer, whatever it says.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The document; null when there was none.
    pub body: Value,
    /// The headers.
    pub headers: reqwest::header::HeaderMap,
}

/// Somebody with a session, or nobody in particular.
#[derive(Clone)]
pub struct Person {
    site: Site,
    token: Option<String>,
    /// What the tour calls this person.
    pub name: String,
}

impl Site {
    /// Knows where to go.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(gateway: &str, sandbox: &str, clock: SharedClock) -> anyhow::Result<Self> {
        let http = Client::builder().no_proxy().timeout(ANSWER).build()?;
        Ok(Self { gateway: gateway.to_owned(), sandbox: sandbox.to_owned(), clock, http, nudge: None })
    }

    /// The same doors, with `nudge` called at every look at something that is late. Whoever holds a clock that stands still moves it
    /// on there: a service that got no answer asks again by the clock.
    #[must_use]
    pub fn nudged_by(self, nudge: impl Fn() + Send + Sync + 'static) -> Self {
        Self { nudge: Some(Arc::new(nudge)), ..self }
    }

    /// Somebody who is not signed in.
    #[must_use]
    pub fn stranger(&self) -> Person {
        Person { site: self.clone(), token: None, name: "路人".to_owned() }
    }

    /// Somebody with a session that exists already.
    #[must_use]
    pub fn holder(&self, token: &str) -> Person {
        Person { site: self.clone(), token: Some(token.to_owned()), name: String::new() }
    }

    /// Signs a member of staff in with the account's password and the next unused one-time code.
    ///
    /// # Errors
    /// When the account is unknown or the sign-in is refused.
    pub async fn staff(&self, accounts: &Accounts, login_name: &str) -> anyhow::Result<Person> {
        let Account { password, totp_secret } = accounts.get(login_name)?;
        let code = accounts.next_code(login_name, &totp_secret, self.clock.as_ref()).await?;
        let body = json!({ "login_name": login_name, "password": password, "totp_code": code });
        let answer = self.stranger().post("/v1/sessions/staff", &body).await?.expect(200)?;
        Ok(Person {
            site: self.clone(),
            token: Some(text(&answer, "session_token")),
            name: login_name.to_owned(),
        })
    }

    /// Signs a guardian in through the sandbox's WeChat, with a WeChat identity of that name.
    ///
    /// # Errors
    /// When a step is refused.
    pub async fn guardian(&self, openid: &str) -> anyhow::Result<Person> {
        let login = self.sandbox_post("/sandbox/login", &json!({ "openid": openid })).await?;
        let body = json!({ "wechat_code": text(&login, "code") });
        let answer = self.stranger().post("/v1/sessions/guardian", &body).await?.expect(200)?;
        Ok(Person {
            site: self.clone(),
            token: Some(text(&answer, "session_token")),
            name: openid.to_owned(),
        })
    }

    /// Signs a guardian in, verifies the phone number and binds the pupil with that code.
    ///
    /// # Errors
    /// When a step is refused.
    pub async fn parent(
        &self,
        openid: &str,
        phone: &str,
        school_id: &str,
        pupil_code: &str,
    ) -> anyhow::Result<Parent> {
        let person = self.guardian(openid).await?;
        let phone = self.sandbox_post("/sandbox/phone", &json!({ "openid": openid, "phone": phone })).await?;
        person.post("/v1/me/phone", &json!({ "phone_code": text(&phone, "code") })).await?.expect(200)?;
        let terms = person.get("/v1/consent-terms").await?.expect(200)?;
        let binding = json!({
            "school_id": school_id, "pupil_code": pupil_code, "consent_version": text(&terms, "version"),
        });
        let pupil = person.post("/v1/me/pupils", &binding).await?.expect(200)?;
        Ok(Parent { pupil_id: text(&pupil, "id"), pupil_name: text(&pupil, "name"), person })
    }

    /// Asks the sandbox for something and gives its answer.
    ///
    /// # Errors
    /// When it is not reached or refuses.
    pub async fn sandbox_post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let response = self.http.post(format!("{}{path}", self.sandbox)).json(body).send().await?;
        answer(response).await?.expect_success().with_context(|| format!("POST {path} at the sandbox"))
    }

    /// Reads something from the sandbox.
    ///
    /// # Errors
    /// When it is not reached or refuses.
    pub async fn sandbox_get(&self, path: &str) -> anyhow::Result<Value> {
        let response = self.http.get(format!("{}{path}", self.sandbox)).send().await?;
        answer(response).await?.expect_success().with_context(|| format!("GET {path} at the sandbox"))
    }
}

/// A guardian with one pupil bound.
#[derive(Clone)]
pub struct Parent {
    /// The guardian.
    pub person: Person,
    /// The pupil.
    pub pupil_id: String,
    /// The pupil's name.
    pub pupil_name: String,
}

impl Parent {
    /// Applies for a seat.
    ///
    /// # Errors
    /// When the platform is not reached.
    pub async fn apply(&self, section_id: &str, join_waitlist: bool) -> anyhow::Result<Answer> {
        self.apply_as(section_id, join_waitlist, Uuid::from_bytes(shared::random::bytes())).await
    }

    /// Applies for a seat with a key of one's own, as a repeat does; asks again with it while the platform is too busy to answer.
    ///
    /// # Errors
    /// When the platform is not reached.
    pub async fn apply_as(&self, section_id: &str, join_waitlist: bool, key: Uuid) -> anyhow::Result<Answer> {
        let body =
            json!({ "pupil_id": self.pupil_id, "section_id": section_id, "join_waitlist": join_waitlist });
        self.person.try_when_heard("/v1/enrollments", &body, key, &[]).await
    }

    /// Reads the agreement of a term and signs it.
    ///
    /// # Errors
    /// When there is none, or a step is refused.
    pub async fn sign(&self, term_id: &str) -> anyhow::Result<Value> {
        let known = self.person.get(&format!("/v1/terms/{term_id}/agreement")).await?.expect(200)?;
        let body = json!({
            "term_id": term_id, "digest": known["agreement"]["digest"], "consent_words": "本人已阅读并自愿签订。",
        });
        self.person.post(&format!("/v1/pupils/{}/signatures", self.pupil_id), &body).await?.expect(200)
    }

    /// Begins a payment, pays in the sandbox as the family would in WeChat, and waits until the seat is confirmed. Gives what
    /// was paid, in fen.
    ///
    /// # Errors
    /// When a step is refused or takes too long.
    pub async fn pay(&self, enrollment_id: &str) -> anyhow::Result<i64> {
        let invoice = self.invoice(enrollment_id).await?;
        let sheet = self.begin_payment(enrollment_id).await?;
        let path = format!("/sandbox/orders/{}/pay", text(&sheet, "out_trade_no"));
        self.person.site.sandbox_post(&path, &json!({})).await?;
        self.person.enrollment_in(enrollment_id, "confirmed").await?;
        Ok(invoice["amount_fen"].as_i64().unwrap_or_default())
    }

    /// Begins a payment and gives the pay sheet.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn begin_payment(&self, enrollment_id: &str) -> anyhow::Result<Value> {
        let path = format!("/v1/enrollments/{enrollment_id}/pay");
        self.person.post(&path, &Value::Null).await?.expect(200)
    }

    /// The invoice of an enrollment, once billing has made it.
    ///
    /// # Errors
    /// When it does not appear in time.
    pub async fn invoice(&self, enrollment_id: &str) -> anyhow::Result<Value> {
        let path = format!("/v1/enrollments/{enrollment_id}/invoice");
        self.person.eventually(&path, |answer| answer.status == 200).await.map(|answer| answer.body)
    }
}

impl Person {
    /// Reads a path; again while the platform is too busy to answer.
    ///
    /// # Errors
    /// When the platform is not reached.
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        let mut wait = self.site.wait();
        loop {
            let answer = answer(self.request(Method::GET, path).send().await?).await?;
            if !answer.is_busy() || !wait.goes_on_later().await {
                return Ok(answer);
            }
        }
    }

    /// Sends a write with a fresh idempotency key; again with the same key while the platform is too busy to answer.
    ///
    /// # Errors
    /// When the platform is not reached.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.try_when_heard(path, body, Uuid::from_bytes(shared::random::bytes()), &[]).await
    }

    /// Sends a write with an idempotency key of one's own.
    ///
    /// # Errors
    /// When the platform is not reached.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        key: Uuid,
    ) -> anyhow::Result<Answer> {
        let mut request = self.request(method, path).header("idempotency-key", key.to_string());
        if let Some(body) = body {
            request = request.json(body);
        }
        answer(request.send().await?).await
    }

    /// Uploads a file.
    ///
    /// # Errors
    /// When the platform is not reached.
    pub async fn upload(
        &self,
        path: &str,
        name: &str,
        content: Vec<u8>,
        key: Uuid,
    ) -> anyhow::Result<Answer> {
        let form = Form::new().part("file", Part::bytes(content).file_name(name.to_owned()));
        let request =
            self.request(Method::POST, path).header("idempotency-key", key.to_string()).multipart(form);
        answer(request.send().await?).await
    }

    /// Begins a request of one's own making.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.site.http.request(method, format!("{}{path}", self.site.gateway));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Reads a path again and again until the answer is as wished.
    ///
    /// # Errors
    /// When it is not within the patience; the last answer is in the error.
    pub async fn eventually(&self, path: &str, wished: impl Fn(&Answer) -> bool) -> anyhow::Result<Answer> {
        let mut wait = self.site.wait();
        loop {
            let answer = self.get(path).await?;
            if wished(&answer) {
                return Ok(answer);
            }
            if !wait.goes_on().await {
                bail!("GET {path} is still {answer}");
            }
        }
    }

    /// Waits until an enrollment is in a state.
    ///
    /// # Errors
    /// When it does not get there in time.
    pub async fn enrollment_in(&self, enrollment_id: &str, state: &str) -> anyhow::Result<Value> {
        let path = format!("/v1/enrollments/{enrollment_id}");
        self.eventually(&path, |answer| answer.body["state"] == state).await.map(|answer| answer.body)
    }

    /// Sends a write again and again while what it needs has not travelled to the service yet (the refusal's reason is one of
    /// `not_yet`), or the platform is too busy to answer.
    ///
    /// # Errors
    /// When it is refused for another reason, or for too long.
    pub async fn post_when_heard(
        &self,
        path: &str,
        body: &Value,
        key: Uuid,
        not_yet: &[&str],
    ) -> anyhow::Result<Value> {
        let answer = self.try_when_heard(path, body, key, not_yet).await?;
        answer.expect(200).with_context(|| format!("POST {path} as {}", self.name))
    }

    /// The same, with the answer as it is: a refusal for another reason is one too.
    ///
    /// # Errors
    /// When the platform is not reached.
    pub async fn try_when_heard(
        &self,
        path: &str,
        body: &Value,
        key: Uuid,
        not_yet: &[&str],
    ) -> anyhow::Result<Answer> {
        let mut wait = self.site.wait();
        loop {
            let sent = (!body.is_null()).then_some(body);
            let answer = self.send(Method::POST, path, sent, key).await?;
            // The key makes it safe to ask again when a busy machine gave no answer in time.
            let waits = if answer.is_busy() {
                wait.goes_on_later().await
            } else {
                not_yet.contains(&answer.reason()) && wait.goes_on().await
            };
            if !waits {
                return Ok(answer);
            }
        }
    }
}

/// Waiting for something, with an end.
struct Wait<'a> {
    began_at: Instant,
    nudge: Option<&'a Nudge>,
    /// How long whoever finds the platform busy stays away: longer each time, and by chance, so that they do not all return at once.
    backoff: Backoff,
}

impl Wait<'_> {
    /// Rests a moment; says whether there is patience for another look.
    async fn goes_on(&mut self) -> bool {
        self.rest(LOOK_AGAIN).await
    }

    /// Stays away from a busy platform; says whether there is patience for another try.
    async fn goes_on_later(&mut self) -> bool {
        let away = self.backoff.next();
        self.rest(away).await
    }

    async fn rest(&mut self, rest: Duration) -> bool {
        let waited = self.began_at.elapsed();
        if waited >= PATIENCE {
            return false;
        }
        tokio::time::sleep(rest).await;
        if waited >= LATE
            && let Some(nudge) = self.nudge
        {
            nudge();
        }
        true
    }
}

impl Site {
    fn wait(&self) -> Wait<'_> {
        let backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(10));
        Wait { began_at: Instant::now(), nudge: self.nudge.as_ref(), backoff }
    }
}

impl Answer {
    /// Says whether nobody knows what became of the request, or nothing did: it may be sent again.
    #[must_use]
    pub const fn is_busy(&self) -> bool {
        matches!(self.status, 503 | 504)
    }

    /// The document of an answer with this status.
    ///
    /// # Errors
    /// When the status is another one.
    pub fn expect(self, status: u16) -> anyhow::Result<Value> {
        if self.status == status {
            return Ok(self.body);
        }
        bail!("wanted {status}, got {self}");
    }

    fn expect_success(self) -> anyhow::Result<Value> {
        if (200..300).contains(&self.status) {
            return Ok(self.body);
        }
        bail!("got {self}");
    }

    /// The refusal's reason; empty when it is none.
    #[must_use]
    pub fn reason(&self) -> &str {
        self.body["reason"].as_str().unwrap_or_default()
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.body)
    }
}

async fn answer(response: reqwest::Response) -> anyhow::Result<Answer> {
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let bytes = response.bytes().await?;
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Ok(Answer { status, body, headers })
}

/// A text field of a document; empty when it is missing.
#[must_use]
pub fn text(document: &Value, field: &str) -> String {
    document[field].as_str().unwrap_or_default().to_owned()
}
