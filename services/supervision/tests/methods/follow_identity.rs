//! Hearing identity's feed.

use std::sync::Arc;
use std::time::Duration;

use proto::identity::v1::{self as identity, Stage};
use proto::supervision::v1::SubmitTicketRequest;
use shared::caller::{self, Verifier};
use shared::clock::Clock as _;
use shared::feed::{self, Feed, FeedServer, NewEvent};
use shared::server::{self, Grpc, Limits, Ready};
use shared::testing::{FixedClock, database, moment};
use shared::value::Id;
use supervision::Migrator;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic::service::Routes;

use crate::support::{CALENDAR, MONDAY, School, WORKING, World, on_each, reason, school_node};

#[tokio::test]
async fn only_schools_are_kept() {
    on_each(|world| async move {
        let school = School { id: world.uuid(), ..world.school.clone() };
        let node = school_node(&school, Stage::Primary, CALENDAR);
        for kind in [identity::node::Kind::District, identity::node::Kind::Town, identity::node::Kind::Class]
        {
            world.hear(identity::Node { kind: kind.into(), ..node.clone() }).await.unwrap();
        }
        let left = identity::PupilLeft { pupil_id: world.uuid().to_string() };
        world.hear_event(Some(identity::event::Kind::PupilLeft(left))).await.unwrap();

        let request = SubmitTicketRequest { school_id: school.id.to_string(), ..world.submission() };

        assert_eq!(reason(world.nobody().submit_ticket(request).await), "SCHOOL_NOT_FOUND");
    })
    .await;
}

#[tokio::test]
async fn a_later_telling_replaces_an_earlier_one() {
    on_each(|world| async move {
        world.hear(school_node(&world.school, Stage::Junior, WORKING)).await.unwrap();

        let (ticket, _) = world.submitted().await;

        assert_eq!(ticket.section, "secondary");
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_understood_is_refused_for_good() {
    on_each(|world| async move {
        let node = school_node(&world.school, Stage::Primary, CALENDAR);
        let broken = [
            identity::Node { kind: 0, ..node.clone() },
            identity::Node { stage: 0, ..node.clone() },
            identity::Node { path: node.path[..2].to_vec(), ..node.clone() },
            identity::Node { path: vec!["x".to_owned(); 3], ..node.clone() },
        ];
        for node in broken {
            assert_eq!(world.hear(node).await.unwrap_err().code(), Code::InvalidArgument);
        }
        assert_eq!(world.hear_event(None).await.unwrap_err().code(), Code::InvalidArgument);
    })
    .await;
}

#[tokio::test]
async fn a_school_identity_tells_of_can_be_complained_about() {
    for engine in [shared::db::Kind::Sqlite, shared::db::Kind::Postgres] {
        // An identity that offers a feed and nothing else.
        let keys = tempfile::tempdir().unwrap();
        for issuer in ["identity", "supervision"] {
            caller::keys::generate(keys.path(), issuer).unwrap();
        }
        let clock = FixedClock::at(moment(MONDAY));
        let told = database::<Migrator>(engine).await;
        let feed = Feed::new((*told).clone());
        let stop = CancellationToken::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut routes = Routes::builder();
        routes.add_service(FeedServer::new(feed.clone(), &["supervision"], stop.clone()).into_service());
        let grpc = Grpc {
            name: "identity",
            listener,
            routes: routes.routes(),
            verifier: Arc::new(Verifier::load(keys.path(), clock.shared()).unwrap()),
            limits: Limits { drain_seconds: 5, ..Limits::default() },
            ready: Ready::all(Vec::new()),
            admin: None,
        };
        tokio::spawn(server::serve(grpc, stop.clone()));
        let world = World::start_beside(engine, &url, &keys).await;

        let school = School { id: world.uuid(), ..world.school.clone() };
        let node = school_node(&school, Stage::Junior, CALENDAR);
        let added = identity::event::Kind::NodeAdded(identity::NodeAdded { node: Some(node) });
        let event = NewEvent {
            district_id: Id::new(school.district_id),
            subject_id: school.id,
            name: "node_added",
            payload: &identity::Event { kind: Some(added) },
            happened_at: clock.now(),
        };
        let tx = told.begin().await.unwrap();
        feed::append(&tx, event).await.unwrap();
        tx.commit().await.unwrap();
        feed.number().await.unwrap();

        let mut answer = Err(tonic::Status::not_found(""));
        for _ in 0..3_000 {
            let request = SubmitTicketRequest { school_id: school.id.to_string(), ..world.submission() };
            answer = world.nobody().submit_ticket(request).await;
            if answer.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(answer.unwrap().into_inner().ticket.unwrap().section, "secondary");
        stop.cancel();
    }
}
