//! Pupils' names, as identity has them: asked for when they are shown, and kept nowhere.

use proto::identity::v1::identity_service_client::IdentityServiceClient;
use proto::identity::v1::{BatchGetPupilsRequest, Pupil};
use shared::client::Link;
use shared::status;
use tonic::Status;

/// The most pupils identity gives at once.
const NAME_COUNT: usize = 500;

/// Asks for pupils by their ids, in no order; those identity does not know are left out.
pub async fn ask(identity: &IdentityServiceClient<Link>, pupil_ids: &[String]) -> Result<Vec<Pupil>, Status> {
    let mut pupils = Vec::with_capacity(pupil_ids.len());
    for pupil_ids in pupil_ids.chunks(NAME_COUNT) {
        let request = BatchGetPupilsRequest { pupil_ids: pupil_ids.to_vec() };
        let response = identity.clone().batch_get_pupils(request).await.map_err(|refusal| {
            tracing::warn!(code = ?refusal.code(), "identity could not be asked for names: {}", refusal.message());
            status::unavailable("IDENTITY_UNAVAILABLE")
        })?;
        pupils.extend(response.into_inner().pupils);
    }
    Ok(pupils)
}
