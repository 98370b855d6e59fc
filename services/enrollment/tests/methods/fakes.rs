//! Billing and identity, as far as this service asks them: real gRPC servers that answer as a test says.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{Request as HttpRequest, Response as HttpResponse};
use proto::billing::v1 as billing;
use proto::identity::v1 as identity;
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

/// What billing does when it is asked to close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    Closed,
    Settled,
    Unanswered,
}

#[derive(Debug)]
struct Answers {
    close: Close,
    tariff: Result<(), Status>,
    refund: Result<(), Status>,
    asked_to_close: Vec<String>,
    names: HashMap<String, (String, String, i32)>,
}

/// Both services, and what they say.
#[derive(Clone, Debug)]
pub struct Fakes(Arc<Mutex<Answers>>);

impl Fakes {
    /// Billing closes, has a tariff and a refund rule; identity knows nobody.
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Answers {
            close: Close::Closed,
            tariff: Ok(()),
            refund: Ok(()),
            asked_to_close: Vec::new(),
            names: HashMap::new(),
        })))
    }

    pub fn close_with(&self, close: Close) {
        self.0.lock().unwrap().close = close;
    }

    pub fn tariff_with(&self, tariff: Result<(), Status>) {
        self.0.lock().unwrap().tariff = tariff;
    }

    pub fn refund_with(&self, refund: Result<(), Status>) {
        self.0.lock().unwrap().refund = refund;
    }

    pub fn asked_to_close(&self) -> Vec<String> {
        self.0.lock().unwrap().asked_to_close.clone()
    }

    pub fn name(&self, pupil_id: impl ToString, name: &str, class: &str, grade: i32) {
        self.0.lock().unwrap().names.insert(pupil_id.to_string(), (name.to_owned(), class.to_owned(), grade));
    }

    /// Serves both on one port; gives its URL.
    pub async fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server =
            Server::builder().add_service(BillingFake(self.clone())).add_service(IdentityFake(self.clone()));
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true))));
        url
    }

    fn close(
        &self,
        request: &billing::CloseInvoiceRequest,
    ) -> Result<Response<billing::CloseInvoiceResponse>, Status> {
        use billing::close_invoice_response::Outcome;
        let mut answers = self.0.lock().unwrap();
        answers.asked_to_close.push(request.enrollment_id.clone());
        let outcome = match answers.close {
            Close::Closed => Outcome::Closed,
            Close::Settled => Outcome::Settled,
            Close::Unanswered => return Err(Status::unavailable("WECHAT_UNAVAILABLE")),
        };
        Ok(Response::new(billing::CloseInvoiceResponse { outcome: outcome.into() }))
    }

    fn pupils(&self, request: &identity::BatchGetPupilsRequest) -> identity::BatchGetPupilsResponse {
        let answers = self.0.lock().unwrap();
        let pupils = request.pupil_ids.iter().filter_map(|id| {
            let (name, class_name, grade) = answers.names.get(id)?.clone();
            Some(identity::Pupil { id: id.clone(), name, class_name, grade, ..identity::Pupil::default() })
        });
        identity::BatchGetPupilsResponse { pupils: pupils.collect() }
    }
}

type Served = BoxFuture<'static, Result<HttpResponse<Body>, Infallible>>;

#[derive(Clone)]
struct BillingFake(Fakes);

impl NamedService for BillingFake {
    const NAME: &'static str = "kehou.billing.v1.BillingService";
}

impl tower::Service<HttpRequest<Body>> for BillingFake {
    type Response = HttpResponse<Body>;
    type Error = Infallible;
    type Future = Served;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequest<Body>) -> Served {
        let fakes = self.0.clone();
        async move {
            let method = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
            Ok(match method.as_str() {
                "CloseInvoice" => {
                    let answer = move |request: Request<billing::CloseInvoiceRequest>| {
                        let fakes = fakes.clone();
                        async move { fakes.close(request.get_ref()) }
                    };
                    Grpc::new(ProstCodec::default()).unary(tower::service_fn(answer), request).await
                }
                "GetTariff" => {
                    let answer = move |_: Request<billing::GetTariffRequest>| {
                        let tariff = fakes.0.lock().unwrap().tariff.clone();
                        async move { tariff.map(|()| Response::new(billing::GetTariffResponse::default())) }
                    };
                    Grpc::new(ProstCodec::default()).unary(tower::service_fn(answer), request).await
                }
                "GetRefundQuote" => {
                    let answer = move |_: Request<billing::GetRefundQuoteRequest>| {
                        let refund = fakes.0.lock().unwrap().refund.clone();
                        async move { refund.map(|()| Response::new(billing::GetRefundQuoteResponse::default())) }
                    };
                    Grpc::new(ProstCodec::default()).unary(tower::service_fn(answer), request).await
                }
                _ => Status::unimplemented(method).into_http(),
            })
        }
        .boxed()
    }
}

#[derive(Clone)]
struct IdentityFake(Fakes);

impl NamedService for IdentityFake {
    const NAME: &'static str = "kehou.identity.v1.IdentityService";
}

impl tower::Service<HttpRequest<Body>> for IdentityFake {
    type Response = HttpResponse<Body>;
    type Error = Infallible;
    type Future = Served;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequest<Body>) -> Served {
        let fakes = self.0.clone();
        async move {
            if !request.uri().path().ends_with("/BatchGetPupils") {
                return Ok(Status::unimplemented("").into_http());
            }
            let answer = move |request: Request<identity::BatchGetPupilsRequest>| {
                let response = fakes.pupils(request.get_ref());
                async move { Ok::<_, Status>(Response::new(response)) }
            };
            Ok(Grpc::new(ProstCodec::default()).unary(tower::service_fn(answer), request).await)
        }
        .boxed()
    }
}
