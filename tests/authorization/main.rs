//! Who may call what: every method of every service, by every kind of caller, as `table.txt` says; a method that is not in the table
//! fails.
//!
//! Each call carries an empty message. A caller who may call is told what is wrong with the message, or answered; one who may not
//! is told that first: UNAUTHENTICATED without a token, PERMISSION_DENIED with one.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use kehou_tests::{Kind as Engine, World};
use prost_reflect::{DescriptorPool, Kind, MessageDescriptor};
use shared::caller::{Caller, Grant, Guardian, NodePath, Role, Signer, StaffMember};
use shared::client::{self, Link};
use shared::status;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Service as _, ServiceExt as _};
use uuid::Uuid;

const TABLE: &str = include_str!("table.txt");

const SERVICES: [&str; 6] = ["identity", "catalog", "enrollment", "billing", "supervision", "gateway"];

/// With these a caller is sent away whatever the message says.
const NOT_FOR_YOU: [&str; 4] = ["TOKEN_MISSING", "GUARDIAN_ONLY", "ROLE_NOT_ALLOWED", "SERVICE_ONLY"];

/// Method → who may call it: `anyone`, or names of callers.
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let lines = TABLE.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (method, who) = line.split_once(':').unwrap();
            let who = who.split_whitespace().flat_map(|word| match word {
                "staff" => Role::ALL.iter().map(ToString::to_string).collect(),
                "services" => SERVICES.iter().map(|name| format!("service:{name}")).collect(),
                one => vec![one.to_owned()],
            });
            (method.to_owned(), who.collect())
        })
        .collect()
}

/// Every method there is: `kehou.billing.v1.BillingService/Pay`.
fn methods() -> Vec<String> {
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).unwrap();
    let of_service = |service: prost_reflect::ServiceDescriptor| {
        let name = service.full_name().to_owned();
        service.methods().map(move |method| format!("{name}/{}", method.name())).collect::<Vec<_>>()
    };
    pool.services().flat_map(of_service).collect()
}

#[test]
fn every_method_has_a_line_and_every_line_a_method() {
    let methods: BTreeSet<_> = methods().into_iter().collect();
    let lines: BTreeSet<_> = table().into_keys().collect();

    let missing: Vec<_> = methods.difference(&lines).collect();
    let stale: Vec<_> = lines.difference(&methods).collect();
    assert!(
        missing.is_empty() && stale.is_empty(),
        "without a line: {missing:#?}\nwithout a method: {stale:#?}"
    );
}

/// Whether an answer of this kind can hold an enrollment.
fn holds_enrollment(message: &MessageDescriptor) -> bool {
    message.full_name() == "kehou.enrollment.v1.Enrollment"
        || message.fields().any(|field| match field.kind() {
            Kind::Message(inner) => inner.full_name() != message.full_name() && holds_enrollment(&inner),
            _ => false,
        })
}

#[test]
fn c34_nothing_makes_an_enrollment_but_in_a_guardian_s_own_name() {
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).unwrap();
    let table = table();
    let mut makers = Vec::new();
    for service in pool.services().filter(|service| service.package_name() == "kehou.enrollment.v1") {
        for method in service.methods() {
            let is_read = ["Get", "List"].iter().any(|verb| method.name().starts_with(verb));
            let (input, output) = (method.input(), method.output());
            // What is told which enrollment to change makes none, but for a change into another section.
            let changes_one = input.get_field_by_name("enrollment_id").is_some()
                && input.get_field_by_name("to_section_id").is_none();
            if is_read || changes_one || !holds_enrollment(&output) {
                continue;
            }
            let name = format!("{}/{}", service.full_name(), method.name());
            if input.get_field_by_name("caller_token").is_some() {
                // Each item is judged by the token it carries, as the method for one is.
                assert_eq!(table[&name], ["service:gateway".to_owned()].into(), "{name}");
            } else {
                assert_eq!(table[&name], ["guardian".to_owned()].into(), "{name}");
            }
            makers.push(method.name().to_owned());
        }
    }
    for known in ["Apply", "ApplyStream", "ChangeSeat"] {
        assert!(makers.iter().any(|name| name == known), "{known} is not among {makers:?}");
    }
}

/// Every kind of caller by name. Roles are held at a node of the level they belong to, of a district nobody knows.
fn callers() -> Vec<(String, Caller)> {
    let id = || Uuid::from_bytes(shared::random::bytes());
    let nodes = [id(), id(), id(), id()];
    let mut callers = vec![
        ("anonymous".to_owned(), Caller::Anonymous),
        (
            "guardian".to_owned(),
            Caller::Guardian(Guardian { id: id().to_string().parse().unwrap(), pupils: Vec::new() }),
        ),
    ];
    for role in Role::ALL {
        let depth = match role {
            Role::ClassTeacher => 4,
            Role::MoralEducation
            | Role::TeachingOffice
            | Role::Principal
            | Role::SchoolFinance
            | Role::Instructor => 3,
            Role::TownOffice => 2,
            Role::Provider
            | Role::BureauOfficer
            | Role::HotlineOperator
            | Role::Inspector
            | Role::Assessor
            | Role::BureauFinance => 1,
            Role::PlatformOperator => 0,
        };
        let grant = Grant { role: *role, path: NodePath::new(nodes[..depth].to_vec()) };
        let member = StaffMember { id: id().to_string().parse().unwrap(), grants: vec![grant] };
        callers.push((role.to_string(), Caller::Staff(member)));
    }
    callers.extend(SERVICES.map(|name| (format!("service:{name}"), Caller::Service(name.to_owned()))));
    callers
}

#[tokio::test(flavor = "multi_thread")]
async fn c34_c66_c101_every_method_answers_every_kind_of_caller_as_the_table_says() {
    let world = World::start(Engine::Sqlite).await.unwrap();
    let keys = world.settings.data.join("keys");
    let clock = world.clock.shared();
    let sign = |caller: &Caller| {
        let issuer = match caller {
            Caller::Service(name) => name.as_str(),
            Caller::Anonymous | Caller::Guardian(_) | Caller::Staff(_) => "identity",
        };
        let key = keys.join(format!("{issuer}.key.pem"));
        let signer = Signer::load(issuer, &key, clock.clone()).unwrap();
        signer.token(caller, Duration::from_secs(300)).unwrap()
    };
    let tokens: Vec<(String, Option<Arc<str>>)> = callers()
        .into_iter()
        .map(|(name, caller)| {
            let token = (caller != Caller::Anonymous).then(|| Arc::from(sign(&caller)));
            (name, token)
        })
        .collect();

    let table = table();
    let mut wrong = Vec::new();
    let mut call_count = 0;
    for method in methods() {
        // Every service serves a feed; one stands for all.
        let service =
            if method.starts_with("kehou.feed.") { "identity" } else { method.split('.').nth(1).unwrap() };
        let url = world.service_url(service);
        let expected = table.get(&method).cloned().unwrap_or_default();
        let mut allowed = Vec::new();
        for (name, token) in &tokens {
            let (code, reason) = call(&url, &method, token.clone()).await;
            call_count += 1;
            let is_allowed = !NOT_FOR_YOU.contains(&reason.as_str());
            if is_allowed {
                allowed.push(name.clone());
            }
            let may = expected.contains("anyone") || expected.contains(name);
            let refusal = if name == "anonymous" { Code::Unauthenticated } else { Code::PermissionDenied };
            if may != is_allowed || (!may && code != refusal) {
                let word = if may { "may call" } else { "may not call" };
                wrong.push(format!("{name} {word} {method} and is told {code:?} {reason}"));
            }
        }
        let found = if allowed.len() == tokens.len() { "anyone".to_owned() } else { allowed.join(" ") };
        if wrong.iter().any(|line| line.contains(&method)) {
            eprintln!("found  {method}: {found}");
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {call_count} calls are not as the table says:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(call_count > 1_000, "only {call_count} calls");
    world.end().await.unwrap();
}

/// Calls with an empty message; gives code and reason.
async fn call(url: &str, method: &str, token: Option<Arc<str>>) -> (Code, String) {
    let link = Link::anonymous(client::channel(url).unwrap());
    let mut link = match token {
        Some(token) => link.as_caller(token),
        None => link,
    };
    let request = http::Request::post(format!("{url}/{method}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Body::new(Full::new(Bytes::from_static(&[0; 5]))))
        .unwrap();
    let answered = async { link.ready().await.unwrap().call(request).await };
    let refusal = match tokio::time::timeout(Duration::from_secs(60), answered).await.unwrap() {
        // A refusal comes in the head; whatever else is answered comes after it.
        Ok(response) => Status::from_header_map(response.headers()).unwrap_or_else(|| Status::ok("")),
        Err(refusal) => refusal,
    };
    (refusal.code(), status::reason_of(&refusal).unwrap_or_default())
}
