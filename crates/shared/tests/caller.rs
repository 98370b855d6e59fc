//! Who is believed, and which permit they get.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use shared::caller::{
    Caller, Grant, GuardedPupil, Guardian, NodePath, Role, Signer, StaffMember, TokenError, Verifier, keys,
};
use shared::clock::SharedClock;
use shared::status::{facts_of, reason_of};
use shared::testing::FixedClock;
use shared::value::Id;
use tonic::{Code, Status};
use uuid::Uuid;

/// A folder of keys, a clock, and everything that uses them.
struct World {
    folder: tempfile::TempDir,
    clock: FixedClock,
}

impl World {
    fn new() -> Self {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        Self { folder: tempfile::tempdir().unwrap(), clock: FixedClock::at(now) }
    }

    fn clock(&self) -> SharedClock {
        self.clock.shared()
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn signer(&self, issuer: &str) -> Signer {
        let path = keys::generate(self.path(), issuer).unwrap();
        Signer::load(issuer, &path, self.clock()).unwrap()
    }

    fn verifier(&self) -> Verifier {
        Verifier::load(self.path(), self.clock()).unwrap()
    }

    /// Signs anything with an issuer's key: what an issuer that ignores the rules would do.
    fn forge(&self, issuer: &str, header: &Header, claims: &Value) -> String {
        let pem = fs::read(keys::generate(self.path(), issuer).unwrap()).unwrap();
        jsonwebtoken::encode(header, claims, &EncodingKey::from_ed_pem(&pem).unwrap()).unwrap()
    }
}

fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn path(nodes: &[u128]) -> NodePath {
    NodePath::new(nodes.iter().copied().map(uuid).collect())
}

fn guardian() -> Caller {
    let pupil = |number, nodes: &[u128]| GuardedPupil { pupil_id: Id::new(uuid(number)), path: path(nodes) };
    Caller::Guardian(Guardian {
        id: Id::new(uuid(1)),
        pupils: vec![pupil(11, &[100, 110, 111, 112]), pupil(12, &[100, 110, 115, 116])],
    })
}

fn staff(grants: &[(Role, &[u128])]) -> Caller {
    let grants = grants.iter().map(|(role, nodes)| Grant { role: *role, path: path(nodes) }).collect();
    Caller::Staff(StaffMember { id: Id::new(uuid(2)), grants })
}

fn service(name: &str) -> Caller {
    Caller::Service(name.to_owned())
}

fn header(issuer: &str) -> Header {
    Header { kid: Some(issuer.to_owned()), ..Header::new(Algorithm::EdDSA) }
}

fn claims(issuer: &str, audience: &str, caller: &Caller) -> Value {
    json!({
        "iss": issuer, "aud": audience, "sub": caller.key(), "iat": 1_800_000_000, "exp": 1_800_000_600, "caller": caller,
    })
}

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn each_kind_of_caller_reads_back_as_it_was_signed() {
    let world = World::new();
    let (identity, billing) = (world.signer("identity"), world.signer("billing"));
    let verifier = world.verifier();

    for caller in [guardian(), staff(&[(Role::Principal, &[100, 110, 111])]), service("identity")] {
        let token = identity.token(&caller, HOUR).unwrap();
        assert_eq!(verifier.verify(&token).await.unwrap(), caller);
        // And again from memory.
        assert_eq!(verifier.verify(&token).await.unwrap(), caller);
    }
    let token = billing.token(&service("billing"), HOUR).unwrap();
    assert_eq!(verifier.verify(&token).await.unwrap(), service("billing"));
}

#[tokio::test]
async fn a_token_is_good_until_its_end_and_the_leeway_whether_known_or_new() {
    let world = World::new();
    let token = world.signer("identity").token(&guardian(), Duration::from_secs(60)).unwrap();
    let known = world.verifier();

    world.clock.advance(TimeDelta::milliseconds(89_999));
    assert!(known.verify(&token).await.is_ok());
    world.clock.advance(TimeDelta::milliseconds(1));

    let expired_at = DateTime::from_timestamp(1_800_000_060, 0).unwrap();
    for verifier in [known, world.verifier()] {
        let refused = verifier.verify(&token).await;
        assert!(
            matches!(refused, Err(TokenError::Expired { expired_at: at }) if at == expired_at),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn a_token_from_the_future_is_not_believed() {
    let world = World::new();
    let signer = world.signer("identity");
    world.clock.advance(TimeDelta::seconds(31));
    let token = signer.token(&guardian(), HOUR).unwrap();

    world.clock.advance(TimeDelta::seconds(-31));

    assert!(matches!(world.verifier().verify(&token).await, Err(TokenError::Invalid(_))));
    world.clock.advance(TimeDelta::seconds(1));
    assert!(world.verifier().verify(&token).await.is_ok());
}

#[tokio::test]
async fn what_no_honest_issuer_signs_is_not_believed() {
    let world = World::new();
    let (honest, root) = (guardian(), staff(&[(Role::Principal, &[])]));
    for issuer in ["identity", "billing", "gateway"] {
        world.signer(issuer);
    }
    let verifier = world.verifier();
    let good = world.forge("identity", &header("identity"), &claims("identity", "kehou", &honest));
    assert!(verifier.verify(&good).await.is_ok(), "the forge itself is sound");

    let cases = [
        ("another audience", "identity", header("identity"), claims("identity", "elsewhere", &honest)),
        ("people by a service", "billing", header("billing"), claims("billing", "kehou", &honest)),
        (
            "staff by the gateway",
            "gateway",
            header("gateway"),
            claims("gateway", "kehou", &staff(&[(Role::Principal, &[1])])),
        ),
        (
            "another service's name",
            "billing",
            header("billing"),
            claims("billing", "kehou", &service("gateway")),
        ),
        (
            "identity for another service",
            "identity",
            header("identity"),
            claims("identity", "kehou", &service("billing")),
        ),
        ("another issuer's key id", "billing", header("identity"), claims("identity", "kehou", &honest)),
        ("another issuer in the claims", "billing", header("billing"), claims("identity", "kehou", &honest)),
        (
            "another issuer in a service's claims",
            "billing",
            header("billing"),
            claims("identity", "kehou", &service("billing")),
        ),
        ("nobody", "identity", header("identity"), claims("identity", "kehou", &Caller::Anonymous)),
        ("a principal of everything", "identity", header("identity"), claims("identity", "kehou", &root)),
        ("no key id", "identity", Header::new(Algorithm::EdDSA), claims("identity", "kehou", &honest)),
        ("no end", "identity", header("identity"), {
            let mut claims = claims("identity", "kehou", &honest);
            claims.as_object_mut().unwrap().remove("exp");
            claims
        }),
        ("another subject", "identity", header("identity"), {
            let mut claims = claims("identity", "kehou", &honest);
            claims["sub"] = json!("guardian:somebody");
            claims
        }),
    ];
    for (what, key, header, claims) in cases {
        let token = world.forge(key, &header, &claims);
        let refused = verifier.verify(&token).await;
        assert!(
            matches!(refused, Err(TokenError::Invalid(_) | TokenError::Forbidden { .. })),
            "{what}: {refused:?}"
        );
    }
}

#[tokio::test]
async fn a_token_that_was_touched_is_not_believed() {
    let world = World::new();
    let token = world.signer("identity").token(&guardian(), HOUR).unwrap();
    let verifier = world.verifier();
    let parts: Vec<_> = token.split('.').collect();
    let [head, body, signature] = parts[..] else { panic!("three parts") };
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(body).unwrap()).unwrap();
    let richer = URL_SAFE_NO_PAD.encode(text.replace(&uuid(1).to_string(), &uuid(9).to_string()));
    let unsigned = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","kid":"identity"}"#);
    let symmetric = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","kid":"identity"}"#);

    let touched = [
        format!("{head}.{richer}.{signature}"),
        format!("{unsigned}.{body}."),
        format!("{unsigned}.{body}.{signature}"),
        format!("{symmetric}.{body}.{signature}"),
        format!("{head}.{body}"),
        format!("{head}.{body}.{}", URL_SAFE_NO_PAD.encode([0; 64])),
        String::new(),
        "...".to_owned(),
    ];
    for token in touched {
        let refused = verifier.verify(&token).await;
        assert!(matches!(refused, Err(TokenError::Invalid(_))), "{token}: {refused:?}");
    }
    assert!(verifier.verify(&token).await.is_ok());
}

#[tokio::test]
async fn a_strangers_pair_of_keys_opens_nothing() {
    let (ours, theirs) = (World::new(), World::new());
    ours.signer("identity");
    let token = theirs.signer("identity").token(&guardian(), HOUR).unwrap();

    assert!(matches!(ours.verifier().verify(&token).await, Err(TokenError::Invalid(_))));
    let nobody = World::new();
    assert!(matches!(nobody.verifier().verify(&token).await, Err(TokenError::Invalid(_))));
}

#[tokio::test]
async fn during_a_change_of_keys_both_are_believed() {
    let (old, new) = (World::new(), World::new());
    let before = old.signer("identity").token(&guardian(), HOUR).unwrap();
    let after = new.signer("identity").token(&guardian(), HOUR).unwrap();
    fs::copy(new.path().join("identity.pub.pem"), old.path().join("identity.next.pub.pem")).unwrap();

    let verifier = old.verifier();

    assert!(verifier.verify(&before).await.is_ok());
    assert!(verifier.verify(&after).await.is_ok());
}

#[test]
fn a_signer_refuses_to_speak_for_others() {
    let world = World::new();
    let (identity, billing) = (world.signer("identity"), world.signer("billing"));

    for (signer, caller) in [
        (&billing, guardian()),
        (&billing, staff(&[(Role::Principal, &[1])])),
        (&billing, service("gateway")),
        (&identity, service("billing")),
        (&identity, Caller::Anonymous),
        (&identity, staff(&[(Role::BureauOfficer, &[])])),
    ] {
        assert!(matches!(signer.token(&caller, HOUR), Err(TokenError::Forbidden { .. })), "{}", caller.key());
    }
    assert!(identity.token(&staff(&[(Role::PlatformOperator, &[])]), HOUR).is_ok());
}

#[tokio::test]
async fn a_services_own_token_is_kept_and_made_anew_in_time() {
    let world = World::new();
    let billing = world.signer("billing");
    let verifier = world.verifier();
    let first = billing.service_token().unwrap();

    world.clock.advance(TimeDelta::seconds(179));
    assert_eq!(billing.service_token().unwrap(), first);
    world.clock.advance(TimeDelta::seconds(1));
    let second = billing.service_token().unwrap();

    assert_ne!(second, first);
    assert_eq!(verifier.verify(&second).await.unwrap(), service("billing"));
    assert_eq!(verifier.verify(&first).await.unwrap(), service("billing"), "calls on their way still arrive");
}

#[test]
fn a_pair_of_keys_is_made_once_and_its_private_half_is_its_owners() {
    use std::os::unix::fs::PermissionsExt as _;

    let world = World::new();
    let path = keys::generate(world.path(), "billing").unwrap();
    let first = fs::read(&path).unwrap();
    let public = fs::read(world.path().join("billing.pub.pem")).unwrap();

    keys::generate(world.path(), "billing").unwrap();

    assert_eq!(fs::read(&path).unwrap(), first);
    assert_eq!(fs::read(world.path().join("billing.pub.pem")).unwrap(), public);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    for name in ["", "../billing", "a.b", "Billing"] {
        assert!(matches!(keys::generate(world.path(), name), Err(keys::KeyError::Name(_))), "{name}");
    }
}

fn refusal<T>(result: Result<T, Status>) -> Option<(Code, String)> {
    result.err().map(|status| (status.code(), reason_of(&status).unwrap_or_default()))
}

#[test]
fn each_caller_gets_its_own_permit_and_no_other() {
    let principal = staff(&[(Role::Principal, &[100, 110, 111])]);
    let missing = || Some((Code::Unauthenticated, "TOKEN_MISSING".to_owned()));
    let denied = |reason: &str| Some((Code::PermissionDenied, reason.to_owned()));
    // caller, guardian(), staff([Principal]), staff([Inspector]), service(["billing"])
    let table = [
        (Caller::Anonymous, [missing(), missing(), missing(), missing()]),
        (guardian(), [None, denied("ROLE_NOT_ALLOWED"), denied("ROLE_NOT_ALLOWED"), denied("SERVICE_ONLY")]),
        (principal, [denied("GUARDIAN_ONLY"), None, denied("ROLE_NOT_ALLOWED"), denied("SERVICE_ONLY")]),
        (
            service("billing"),
            [denied("GUARDIAN_ONLY"), denied("ROLE_NOT_ALLOWED"), denied("ROLE_NOT_ALLOWED"), None],
        ),
        (
            service("catalog"),
            [
                denied("GUARDIAN_ONLY"),
                denied("ROLE_NOT_ALLOWED"),
                denied("ROLE_NOT_ALLOWED"),
                denied("SERVICE_ONLY"),
            ],
        ),
    ];
    for (caller, [as_guardian, as_principal, as_inspector, as_billing]) in table {
        let key = caller.key();
        assert_eq!(refusal(caller.guardian()), as_guardian, "{key} as guardian");
        assert_eq!(refusal(caller.staff(&[Role::Principal])), as_principal, "{key} as principal");
        assert_eq!(refusal(caller.staff(&[Role::Inspector])), as_inspector, "{key} as inspector");
        assert_eq!(refusal(caller.service(&["billing"])), as_billing, "{key} as billing");
    }
}

#[test]
fn a_guardian_knows_of_no_pupil_but_their_own() {
    let permit = guardian().guardian().unwrap();

    assert_eq!(permit.pupil(Id::new(uuid(12))).unwrap().path, path(&[100, 110, 115, 116]));
    let stranger = permit.pupil(Id::new(uuid(13))).unwrap_err();

    assert_eq!(stranger.code(), Code::NotFound);
    assert_eq!(reason_of(&stranger).as_deref(), Some("PUPIL_NOT_FOUND"));
    assert_eq!(facts_of(&stranger)["pupil_id"], uuid(13).to_string());
}

#[test]
fn staff_reach_what_lies_below_a_role_that_was_asked_for() {
    let caller = staff(&[
        (Role::ClassTeacher, &[100, 110, 111, 112]),
        (Role::Principal, &[100, 110, 111]),
        (Role::Inspector, &[100, 120]),
        (Role::SchoolFinance, &[100, 110, 119]),
    ]);

    let permit = caller.staff(&[Role::ClassTeacher, Role::Principal, Role::Inspector]).unwrap();

    assert!(permit.reach(&path(&[100, 110, 111, 114]), "section", 7).is_ok());
    assert!(permit.reaches(&path(&[100, 120, 121])));
    let beyond = permit.reach(&path(&[100, 110, 119]), "section", 7).unwrap_err();
    assert_eq!((beyond.code(), reason_of(&beyond).as_deref()), (Code::NotFound, Some("SECTION_NOT_FOUND")));
    assert!(!permit.reaches(&path(&[100])));
    assert!(permit.holds(Role::Principal, &path(&[100, 110, 111, 112])));
    assert!(!permit.holds(Role::Inspector, &path(&[100, 110, 111])));
    assert!(!permit.holds(Role::SchoolFinance, &path(&[100, 110, 119])), "it was not asked for");
    // The class lies within the school.
    assert_eq!(permit.paths(), [&path(&[100, 110, 111]), &path(&[100, 120])]);
}

#[test]
fn the_platform_operator_reaches_all_and_a_provider_itself() {
    let operator = staff(&[(Role::PlatformOperator, &[]), (Role::Inspector, &[100])]);
    let permit = operator.staff(&[Role::PlatformOperator, Role::Inspector]).unwrap();
    assert!(permit.reaches(&path(&[7, 8, 9])));
    assert_eq!(permit.paths(), [&NodePath::ROOT]);

    let provider = staff(&[(Role::Provider, &[55])]).staff(&[Role::Provider]).unwrap();
    assert_eq!(provider.providers().collect::<Vec<_>>(), [Id::new(uuid(55))]);
    assert!(provider.reaches(&path(&[55])));
    assert!(!provider.reaches(&path(&[100, 110, 111])));
}

#[test]
fn a_role_that_lost_its_place_gives_no_permit() {
    let caller = staff(&[(Role::Principal, &[])]);

    assert_eq!(
        refusal(caller.staff(&[Role::Principal])),
        Some((Code::PermissionDenied, "ROLE_NOT_ALLOWED".to_owned()))
    );
}

#[test]
fn a_request_no_server_has_seen_is_anonymous() {
    assert_eq!(shared::caller::of(&tonic::Request::new(())), Caller::Anonymous);
}
