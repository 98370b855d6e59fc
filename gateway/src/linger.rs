//! Bodies that nobody reads to their end.
//!
//! A request may be refused before its body has come: too large, too many, not signed in. If the connection were closed on
//! what is still under way, the caller would see it reset and never read why. So what comes is thrown away for a moment.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use futures::{Stream, StreamExt as _};
use http::header;
use http_body_util::{BodyStream, StreamBody};

/// How long the rest of a body is thrown away.
const LINGER: Duration = Duration::from_secs(1);

/// A body that is read on by itself, for a moment, when it is dropped before its end.
struct Lingering(Option<BodyStream<Body>>);

/// The request with a body whose rest does no harm.
pub(crate) fn lingering(request: Request) -> Request {
    // Who asks first whether to send the body at all sends none once refused.
    if request.body().is_end_stream() || request.headers().contains_key(header::EXPECT) {
        return request;
    }
    request.map(|body| Body::new(StreamBody::new(Lingering(Some(BodyStream::new(body))))))
}

impl Stream for Lingering {
    type Item = <BodyStream<Body> as Stream>::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(frames) = &mut self.0 else {
            return Poll::Ready(None);
        };
        let frame = ready!(frames.poll_next_unpin(context));
        if !matches!(frame, Some(Ok(_))) {
            self.0 = None;
        }
        Poll::Ready(frame)
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        let (Some(mut frames), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        runtime.spawn(tokio::time::timeout(
            LINGER,
            async move { while let Some(Ok(_)) = frames.next().await {} },
        ));
    }
}
