//! How long streams live: until they end, or until the server stops.
//!
//! | stream | when the server stops |
//! |---|---|
//! | requests only, or both ways | no further request is read; the method sees the end, answers what it has read, and closes |
//! | responses only (`Feed.Tail`) | the answer ends at once with UNAVAILABLE `STOPPING`; the caller goes on elsewhere |

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::{Body, HttpBody as _};
use axum::response::Response;
use futures::StreamExt as _;
use http::header::CONTENT_TYPE;
use http_body_util::{BodyExt as _, BodyStream, StreamBody};
use tokio_util::sync::CancellationToken;

use crate::status;

/// Ends a stream of requests when the server stops.
pub(super) fn until_stopped(body: Body, stop: &CancellationToken) -> Body {
    let frames = BodyStream::new(body).take_until(stop.clone().cancelled_owned());
    Body::new(StreamBody::new(frames))
}

/// Ends a stream of responses when the server stops, and says why.
pub(super) fn cut(response: Response, stop: &CancellationToken) -> Response {
    if is_refusal(&response) {
        return response;
    }
    let is_cut = Arc::new(AtomicBool::new(false));
    let stop = stop.clone().cancelled_owned();
    let stopped = {
        let is_cut = is_cut.clone();
        async move {
            stop.await;
            is_cut.store(true, Ordering::Relaxed);
        }
    };
    let farewell = async move {
        is_cut.load(Ordering::Relaxed).then(|| {
            let mut trailers = status::unavailable("STOPPING").into_http::<()>().into_parts().0.headers;
            trailers.remove(CONTENT_TYPE);
            Ok(trailers)
        })
    };
    response.map(|body| {
        let frames = BodyStream::new(body).take_until(Box::pin(stopped));
        Body::new(StreamBody::new(frames).with_trailers(farewell))
    })
}

/// Keeps `guard` until the answer has left whole, or nobody wants it any more.
pub(super) fn guard<G: Send + 'static>(response: Response, guard: G) -> Response {
    if is_refusal(&response) {
        return response;
    }
    response.map(|body| {
        let frames = BodyStream::new(body).map(move |frame| {
            let _kept = &guard;
            frame
        });
        Body::new(StreamBody::new(frames))
    })
}

/// Says whether the answer is all head. Such a head must end the stream itself, or clients that go by the letter of gRPC miss the
/// trailers they think are to come: a body put around its empty one would spoil that.
fn is_refusal(response: &Response) -> bool {
    response.body().is_end_stream()
}
