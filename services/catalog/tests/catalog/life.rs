//! Following identity, offering a feed, checking, stopping.

use std::sync::Arc;
use std::time::Duration;

use catalog::{Config, Migrator, Parts};
use policy::{Live, Packs};
use proto::feed::v1::TailRequest;
use proto::feed::v1::feed_service_client::FeedServiceClient;
use proto::identity::v1 as identity;
use sea_orm::ConnectionTrait as _;
use shared::caller::{Signer, Verifier, keys};
use shared::client::{self, Link};
use shared::db::migration;
use shared::feed::{self, Feed, FeedServer, NewEvent};
use shared::server::{self, Grpc, Limits, Ready};
use shared::testing::{self, FixedClock, moment};
use shared::value::Id;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic::service::Routes;

use crate::world::*;

/// A database with nothing but a feed, as identity's has one.
struct FeedOnly;

impl sea_orm_migration::MigratorTrait for FeedOnly {
    fn migrations() -> Vec<Box<dyn sea_orm_migration::MigrationTrait>> {
        migration::shared()
    }
}

#[tokio::test]
async fn a_school_told_on_identitys_feed_can_open_a_term() {
    for db in testing::each_database::<Migrator>().await {
        let clock = FixedClock::at(moment("2026-08-20T09:00:00+08:00"));
        let folder = tempfile::tempdir().unwrap();
        let identity_key = keys::generate(folder.path(), "identity").unwrap();
        let catalog_key = keys::generate(folder.path(), "catalog").unwrap();
        let verifier = Arc::new(Verifier::load(folder.path(), clock.shared()).unwrap());
        let stop = CancellationToken::new();

        // Identity: nothing but its feed.
        let identity_db = testing::database::<FeedOnly>(db.kind()).await;
        let identity_feed = Feed::new(identity_db.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let offered = FeedServer::new(identity_feed.clone(), &["catalog"], stop.clone()).into_service();
        let identity_server = Grpc {
            name: "identity",
            listener,
            routes: Routes::new(offered),
            verifier: verifier.clone(),
            limits: Limits::default(),
            ready: Ready::always(),
            admin: None,
        };
        let identity_served = tokio::spawn(server::serve(identity_server, stop.clone()));
        let numbering = tokio::spawn({
            let stop = stop.clone();
            async move { identity_feed.sequencer(stop).await }
        });

        // The catalog.
        let signer = Arc::new(Signer::load("catalog", &catalog_key, clock.shared()).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let channel = client::channel(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let packs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/packs");
        let parts = Parts {
            config: Config::default(),
            db: db.clone(),
            clock: clock.shared(),
            verifier,
            packs: Arc::new(Live::open(&packs).unwrap()),
            identity: Link::service(client::channel(&format!("http://{address}")).unwrap(), signer),
        };
        let served = tokio::spawn(catalog::run(parts, listener, None, stop.clone()));
        let people = Signer::load("identity", &identity_key, clock.shared()).unwrap();
        let principal = staff(shared::caller::Role::Principal, &[DISTRICT, TOWN, SCHOOL]);
        let token = people.token(&principal, Duration::from_secs(300)).unwrap();
        let mut principal = Client::new(Link::anonymous(channel).as_caller(token));

        let early = refusal(principal.open_term(open_term("2026-09-01", "2027-01-15")).await);
        assert_eq!(early, (Code::NotFound, "SCHOOL_NOT_FOUND".to_owned()));

        use identity::{Node, NodeAdded, PupilLeft, Stage, event::Kind, node};
        let school = Node {
            id: SCHOOL.to_string(),
            kind: node::Kind::School.into(),
            path: [DISTRICT, TOWN, SCHOOL].map(|id| id.to_string()).into(),
            stage: Stage::Primary.into(),
            pack_id: "town_lists".to_owned(),
            ..Node::default()
        };
        let class = Node {
            kind: node::Kind::Class.into(),
            path: [DISTRICT, TOWN, SCHOOL, OTHER_SCHOOL].map(|id| id.to_string()).into(),
            ..school.clone()
        };
        let tx = identity_db.begin().await.unwrap();
        for kind in [
            Kind::PupilLeft(PupilLeft { pupil_id: TOWN.to_string() }),
            Kind::NodeAdded(NodeAdded { node: Some(school) }),
            Kind::NodeAdded(NodeAdded { node: Some(class) }),
        ] {
            let payload = identity::Event { kind: Some(kind) };
            let event = NewEvent {
                district_id: Id::new(DISTRICT),
                subject_id: SCHOOL,
                name: "told",
                payload: &payload,
                happened_at: moment("2026-08-20T09:00:00+08:00"),
            };
            feed::append(&tx, event).await.unwrap();
        }
        tx.commit().await.unwrap();

        let opened = async {
            loop {
                match principal.open_term(open_term("2026-09-01", "2027-01-15")).await {
                    Ok(opened) => break opened.into_inner().term.unwrap(),
                    Err(status) => assert_eq!(status.code(), Code::NotFound, "{status:?}"),
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let term = tokio::time::timeout(Duration::from_secs(120), opened).await.unwrap();
        assert!(term.policy_version.starts_with("town_lists@"));

        stop.cancel();
        served.await.unwrap().unwrap();
        identity_served.await.unwrap().unwrap();
        numbering.await.unwrap();
    }
}

#[tokio::test]
async fn what_identity_tells_is_understood_or_refused_for_good() {
    for world in worlds("town_lists", "").await {
        use identity::{Node, NodeAdded, event::Kind, node};
        let nodes = [
            Node { kind: node::Kind::School.into(), path: vec![DISTRICT.to_string()], ..Node::default() },
            Node {
                kind: node::Kind::School.into(),
                path: [DISTRICT, TOWN, SCHOOL].map(|id| id.to_string()).into(),
                ..Node::default()
            },
            Node {
                kind: node::Kind::Town.into(),
                path: vec!["x".to_owned(), "y".to_owned()],
                ..Node::default()
            },
            Node::default(),
        ];
        for node in nodes {
            let told = world.tell(Kind::NodeAdded(NodeAdded { node: Some(node.clone()) })).await;
            assert_eq!(told.unwrap_err().code(), Code::InvalidArgument, "{node:?}");
        }
        world.end().await;
    }
}

#[tokio::test]
async fn the_feed_is_for_the_services_that_follow_it() {
    for world in worlds("town_lists", "").await {
        world.term().await;
        let tail = || TailRequest { consumer: "test".to_owned(), after_position: 0 };

        let mut officer = FeedServiceClient::new(
            world.link(Some(&staff(shared::caller::Role::BureauOfficer, &[DISTRICT]))),
        );
        assert_eq!(refusal(officer.tail(tail()).await).1, "SERVICE_ONLY");
        let mut enrollment = FeedServiceClient::new(world.service_link("enrollment"));
        let mut events = enrollment.tail(tail()).await.unwrap().into_inner();
        let first =
            tokio::time::timeout(Duration::from_secs(120), events.message()).await.unwrap().unwrap().unwrap();
        assert_eq!((first.events[0].position, first.events[0].name.as_str()), (1, "term_opened"));
        assert_eq!(first.events[0].district_id, DISTRICT.to_string());
        drop(events);
        world.end().await;
    }
}

#[tokio::test]
async fn a_check_names_what_is_broken() {
    for world in worlds("hunan_zhuzhou", "zhuzhou_demo").await {
        use proto::catalog::v1::{ContentKind, slot::Kind::Afternoon};
        let term = world.term().await;
        let next = world.term_of(SCHOOL, TOWN, "2027-02-20", "2027-07-01").await;
        let slots = world.slots(&term, &[slot(1, Afternoon, "16:00", "17:00")]).await;
        world.slots(&next, &[slot(1, Afternoon, "16:00", "17:00")]).await;
        let course = world.course("剪纸", ContentKind::Enrichment, "艺术").await;
        world.section(&course, &term, &[&slots[0]]).await;
        world.section(&course, &term, &[&slots[0]]).await;
        world.publish_all(&term).await.unwrap();
        Feed::new(world.db.clone()).number().await.unwrap();
        let looked = catalog::check(&world.db).await.unwrap();
        assert!(
            looked.iter().all(|checked| checked.looked_at > 0 && checked.broken.is_empty()),
            "{looked:?}"
        );

        let broken = [
            ("published_section_has_approved_course", "update course set state = 'submitted'"),
            ("no_room_or_instructor_is_in_two_live_sections_at_once", "update section set room = '101'"),
            ("section_has_slots_of_its_term", "delete from section_slot"),
            ("menu_version_counts_menu_changes", "update term set menu_version = 7"),
            (
                "terms_of_a_school_share_no_day",
                "update term set first_day = '2026-10-08', last_day = '2026-10-09'",
            ),
            ("feed_positions_have_no_gap", "update feed_sequence set last_position = 9"),
            (
                "every_told_section_was_published",
                "update section set published_at = null, state = 'arranged'",
            ),
        ];
        for (invariant, damage) in broken {
            let tx = world.db.begin().await.unwrap();
            tx.execute_unprepared(damage).await.unwrap();
            tx.commit().await.unwrap();
            let checked = catalog::check(&world.db).await.unwrap();
            let found = checked.iter().find(|checked| checked.invariant == invariant).unwrap();
            assert!(!found.broken.is_empty(), "{invariant}");
        }
        world.stop().await;
    }
}

#[tokio::test]
async fn it_does_not_serve_on_a_schema_it_does_not_know() {
    for db in testing::each_database::<FeedOnly>().await {
        let folder = tempfile::tempdir().unwrap();
        let clock = FixedClock::at(moment("2026-08-20T09:00:00+08:00"));
        let parts = Parts {
            config: Config::default(),
            db: db.clone(),
            clock: clock.shared(),
            verifier: Arc::new(Verifier::load(folder.path(), clock.shared()).unwrap()),
            packs: Arc::new(Live::fixed(Packs::default())),
            identity: Link::anonymous(client::channel("http://127.0.0.1:9").unwrap()),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();

        let refused = catalog::run(parts, listener, None, CancellationToken::new()).await.unwrap_err();

        assert!(refused.to_string().contains("m20260901_010001_node"), "{refused}");
    }
}
