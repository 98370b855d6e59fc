//! `kehou.identity.v1.MessageService`: which templates there are, and which a guardian accepted.

use std::collections::{BTreeSet, HashMap};

use proto::identity::v1::message_service_server::MessageService;
use proto::identity::v1::template::Kind;
use proto::identity::v1::{
    AcceptTemplatesRequest, AcceptTemplatesResponse, ListTemplatesRequest, ListTemplatesResponse, Template,
};
use shared::caller::{self, Caller};
use shared::clock::SharedClock;
use shared::db::{self, Db};
use shared::request::{self, Claimed, RequestKey};
use shared::status;
use shared::value::{self, Id, Violations};
use tonic::{Request, Response, Status};

use crate::config::Messages;
use crate::domain::message::{News, Way};
use crate::store;
use crate::store::vault::Vault;

/// The most templates accepted in one go: what WeChat asks at once.
const TEMPLATE_COUNT: usize = 5;

/// The longest id of a template, in characters.
const TEMPLATE_LENGTH: usize = 64;

/// `kehou.identity.v1.MessageService`, with everything its methods need.
#[derive(Clone)]
pub struct MessageServer {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: SharedClock,
    /// Seals and finds personal fields.
    pub vault: Vault,
    /// The templates.
    pub messages: Messages,
}

#[tonic::async_trait]
impl MessageService for MessageServer {
    async fn list_templates(
        &self,
        request: Request<ListTemplatesRequest>,
    ) -> Result<Response<ListTemplatesResponse>, Status> {
        let permit = caller::of(&request).guardian()?;
        let accepted = store::message::accepted(self.db.read(), permit.id()).await?;
        Ok(Response::new(ListTemplatesResponse { templates: self.templates(&accepted) }))
    }

    async fn accept_templates(
        &self,
        request: Request<AcceptTemplatesRequest>,
    ) -> Result<Response<AcceptTemplatesResponse>, Status> {
        let caller = caller::of(&request);
        self.accept(&caller, request.into_inner()).await.map(Response::new)
    }
}

impl MessageServer {
    async fn accept(
        &self,
        caller: &Caller,
        request: AcceptTemplatesRequest,
    ) -> Result<AcceptTemplatesResponse, Status> {
        let permit = caller.guardian()?;
        let mut violations = Violations::default();
        let request_id = violations.field("request_id", request.request_id.parse());
        let is_some = (1..=TEMPLATE_COUNT).contains(&request.template_ids.len());
        violations.check("template_ids", is_some, "must be 1 to 5");
        let ids = request.template_ids.iter().take(TEMPLATE_COUNT).enumerate();
        let ids: BTreeSet<_> = ids
            .filter_map(|(at, id)| violations.text(&format!("template_ids[{at}]"), id, 1, TEMPLATE_LENGTH))
            .collect();
        let Some(request_id) = request_id.filter(|_| violations.is_empty()) else {
            return Err(status::invalid(&violations));
        };
        let content = AcceptTemplatesRequest { request_id: String::new(), ..request };
        let key = RequestKey::new(&caller.key(), "AcceptTemplates", request_id, &content);
        db::retry(|| self.count(&key, permit.id(), &ids)).await
    }

    async fn count(
        &self,
        key: &RequestKey,
        guardian_id: Id<value::Guardian>,
        ids: &BTreeSet<String>,
    ) -> Result<AcceptTemplatesResponse, Status> {
        let tx = self.db.begin().await?;
        let now = self.clock.now();
        let claim = match request::claim(&tx, key, now).await? {
            Claimed::First(claim) => claim,
            Claimed::Again(answer) => return Ok(answer),
        };
        let guardian = store::guardian::lock(&tx, &self.vault, guardian_id).await?;
        guardian.ok_or_else(|| status::not_found("guardian", guardian_id))?;
        let known: BTreeSet<_> = self.configured().map(|(_, template_id)| template_id).collect();
        for template_id in ids.iter().filter(|id| known.contains(id.as_str())) {
            store::message::accept(&tx, guardian_id, template_id, now).await?;
        }
        let accepted = store::message::accepted(&tx, guardian_id).await?;
        let response = AcceptTemplatesResponse { templates: self.templates(&accepted) };
        claim.answer(&tx, &response).await?;
        tx.commit().await?;
        Ok(response)
    }

    fn configured(&self) -> impl Iterator<Item = (Kind, &str)> {
        let kinds = [
            (Kind::CheckedIn, News::CheckedIn),
            (Kind::CheckedOut, News::CheckedOut(Way::Guardian)),
            (Kind::Overdue, News::Overdue),
        ];
        kinds.into_iter().filter_map(|(kind, news)| {
            self.messages.template(news).map(|template| (kind, template.template_id.as_str()))
        })
    }

    fn templates(&self, accepted: &HashMap<String, i32>) -> Vec<Template> {
        let template = |(kind, template_id): (Kind, &str)| Template {
            kind: kind.into(),
            template_id: template_id.to_owned(),
            accepted_count: accepted.get(template_id).copied().unwrap_or(0),
        };
        self.configured().map(template).collect()
    }
}
