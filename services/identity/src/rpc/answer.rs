//! First answers: what a repeated request is given. They hold names, so they are sealed; and what was asked is kept as a keyed hash only,
//! for it may hold a password or a pupil code.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::Message;
use shared::caller::Caller;
use shared::db::{Db, Error, Tx};
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Moment, Violations};
use tonic::Status;
use uuid::Uuid;

use crate::store::vault::Vault;

/// A request that can be told from others.
#[derive(Clone, Debug)]
pub struct Asked {
    key: RequestKey,
    /// Where the answer is sealed to: nobody else's, of no other method, to no other request.
    place: String,
    /// The keyed hash of the content, hexadecimal: the same content has the same.
    pub content: String,
}

/// What is kept in place of a request's content.
#[derive(Clone, PartialEq, Message)]
struct Content {
    #[prost(bytes = "vec", tag = "1")]
    index: Vec<u8>,
}

/// What is kept in place of an answer.
#[derive(Clone, PartialEq, Message)]
struct Sealed {
    #[prost(bytes = "vec", tag = "1")]
    sealed: Vec<u8>,
}

/// The outcome of a claim.
pub enum Outcome<R> {
    /// Nobody did this before: do it, and leave the answer.
    First(Claim),
    /// It was done before: this was the answer.
    Again(R),
}

/// The duty to leave an answer before the commit.
#[must_use = "without an answer every repeat of this request would be an error"]
pub struct Claim {
    claim: request::Claim,
    place: String,
}

/// Notes a request id that is no UUID.
pub fn parse_id(violations: &mut Violations, request_id: &str) -> Option<Uuid> {
    violations.field("request_id", request_id.parse::<Uuid>().map_err(|_| "not a UUID"))
}

impl Asked {
    /// A request of `caller`. `content` is the message without its request id.
    #[must_use]
    pub fn new(
        vault: &Vault,
        caller: &Caller,
        method: &'static str,
        request_id: Uuid,
        content: &impl Message,
    ) -> Self {
        let caller = caller.key();
        let index =
            vault.index(&format!("request.content:{method}"), &STANDARD.encode(content.encode_to_vec()));
        let text = index.iter().map(|byte| format!("{byte:02x}")).collect();
        let place = format!("{caller}:{method}:{request_id}");
        Self { key: RequestKey::new(&caller, method, request_id, &Content { index }), place, content: text }
    }

    /// Claims the request id.
    ///
    /// # Errors
    /// ALREADY_EXISTS when the id was used for other content; else the database's refusal.
    pub async fn claim<R: Message + Default>(
        &self,
        tx: &Tx,
        vault: &Vault,
        now: Moment,
    ) -> Result<Outcome<R>, Status> {
        match request::claim::<Sealed>(tx, &self.key, now).await? {
            Claimed::First(claim) => Ok(Outcome::First(Claim { claim, place: self.place.clone() })),
            Claimed::Again(kept) => {
                let text = vault.open("request", "answer", &self.place, &kept.sealed)?;
                let wrong = || Error::inconsistent("request", &self.place, "its answer is of another method");
                let bytes = STANDARD.decode(text).map_err(|_| wrong())?;
                Ok(Outcome::Again(R::decode(bytes.as_slice()).map_err(|_| wrong())?))
            }
        }
    }

    /// The first answer, if the request was made before. Claims nothing: for methods that must know before they ask others.
    ///
    /// # Errors
    /// As [`Asked::claim`].
    pub async fn answered<R: Message + Default>(
        &self,
        db: &Db,
        vault: &Vault,
        now: Moment,
    ) -> Result<Option<R>, Status> {
        let tx = db.begin().await?;
        let outcome = self.claim(&tx, vault, now).await?;
        tx.rollback().await?;
        match outcome {
            Outcome::First(_) => Ok(None),
            Outcome::Again(answer) => Ok(Some(answer)),
        }
    }

    /// The blind index under which an answer with secrets is kept for minutes.
    #[must_use]
    pub fn brief_key(&self, vault: &Vault) -> Vec<u8> {
        vault.index("brief_answer.request", &format!("{}:{}", self.place, self.content))
    }
}

impl Claim {
    /// Leaves the answer that every repeat will get. Last step before the commit.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn answer(self, tx: &Tx, vault: &Vault, answer: &impl Message) -> Result<(), Error> {
        let sealed =
            vault.seal("request", "answer", &self.place, &STANDARD.encode(answer.encode_to_vec()))?;
        self.claim.answer(tx, &Sealed { sealed }).await
    }
}
