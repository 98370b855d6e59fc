//! Who may call what. A provider has no method here at all.

use std::collections::BTreeSet;

use proto::billing::v1 as pb;
use shared::caller::Role;
use tonic::{Code, Status};

use crate::world::{Client, World, reason, zhuzhou};

/// Calls a method with an empty request; gives only the refusal, if there is one.
async fn call(client: &mut Client, method: &str) -> Result<(), Status> {
    macro_rules! methods {
        ($($name:literal => $call:ident($request:ident),)*) => {
            match method {
                $($name => client.$call(pb::$request::default()).await.map(|_| ()),)*
                other => panic!("{other}"),
            }
        };
    }
    methods! {
        "PublishTariff" => publish_tariff(PublishTariffRequest),
        "GetTariff" => get_tariff(GetTariffRequest),
        "GetQuote" => get_quote(GetQuoteRequest),
        "GetInvoice" => get_invoice(GetInvoiceRequest),
        "ListInvoices" => list_invoices(ListInvoicesRequest),
        "Pay" => pay(PayRequest),
        "SyncPayment" => sync_payment(SyncPaymentRequest),
        "CloseInvoice" => close_invoice(CloseInvoiceRequest),
        "GetRefundQuote" => get_refund_quote(GetRefundQuoteRequest),
        "ReceiveNotification" => receive_notification(ReceiveNotificationRequest),
        "ListRefunds" => list_refunds(ListRefundsRequest),
        "UploadEvidence" => upload_evidence(UploadEvidenceRequest),
        "GetEvidence" => get_evidence(GetEvidenceRequest),
        "ApplyForWaiver" => apply_for_waiver(ApplyForWaiverRequest),
        "DecideWaiver" => decide_waiver(DecideWaiverRequest),
        "ListWaivers" => list_waivers(ListWaiversRequest),
        "GetTrialBalance" => get_trial_balance(GetTrialBalanceRequest),
    }
}

const GUARDIAN: &str = "guardian";
const ENROLLMENT: &str = "enrollment";
const GATEWAY: &str = "gateway";

/// Every method and who gets as far as having the request read. Everybody else is turned away before.
const TABLE: &[(&str, &[&str])] = &[
    ("PublishTariff", &["school_finance", "principal"]),
    ("GetTariff", &["*"]),
    ("GetQuote", &[GUARDIAN]),
    ("GetInvoice", &[GUARDIAN, "school_finance", ENROLLMENT, GATEWAY]),
    ("ListInvoices", &[GUARDIAN]),
    ("Pay", &[GUARDIAN]),
    ("SyncPayment", &[GUARDIAN]),
    ("CloseInvoice", &[ENROLLMENT]),
    ("GetRefundQuote", &[GUARDIAN, ENROLLMENT]),
    ("ReceiveNotification", &[GATEWAY]),
    ("ListRefunds", &[GUARDIAN]),
    ("UploadEvidence", &[GUARDIAN]),
    (
        "GetEvidence",
        &[GUARDIAN, "moral_education", "principal", "school_finance", "bureau_officer", "bureau_finance"],
    ),
    ("ApplyForWaiver", &[GUARDIAN]),
    ("DecideWaiver", &["moral_education", "principal", "school_finance", "bureau_officer", "bureau_finance"]),
    (
        "ListWaivers",
        &[GUARDIAN, "moral_education", "principal", "school_finance", "bureau_officer", "bureau_finance"],
    ),
    ("GetTrialBalance", &["bureau_finance", "school_finance"]),
];

async fn callers(world: &World) -> Vec<(String, Client)> {
    let family = world.family().await;
    let mut callers = vec![
        ("anonymous".to_owned(), world.anonymous()),
        (GUARDIAN.to_owned(), world.guardian(family)),
        (ENROLLMENT.to_owned(), world.enrollment()),
        (GATEWAY.to_owned(), world.gateway()),
    ];
    for role in Role::ALL {
        callers.push((role.as_str().to_owned(), world.staff(3, *role)));
    }
    callers
}

#[tokio::test]
async fn c66_c101_every_method_takes_only_its_own_callers_and_a_provider_none() {
    let world = zhuzhou().await.remove(0);
    for (name, mut client) in callers(&world).await {
        for (method, allowed) in TABLE {
            let answer = call(&mut client, method).await;
            // An empty notification is read, and is not WeChat's.
            let is_read = answer.as_ref().is_err_and(|status| reason(status) == "NOTIFICATION_FORGED");
            let code = answer.err().map_or(Code::Ok, |status| status.code());
            let is_allowed = allowed.contains(&name.as_str()) || allowed.contains(&"*");
            let is_turned_away = !is_read && matches!(code, Code::PermissionDenied | Code::Unauthenticated);
            assert_eq!(is_turned_away, !is_allowed, "{method} by {name}: {code:?}");
            if name == "provider" && *method != "GetTariff" {
                assert_eq!(code, Code::PermissionDenied, "{method}");
            }
        }
    }
}

#[test]
fn every_method_is_in_the_table() {
    let set = <prost_types::FileDescriptorSet as prost::Message>::decode(proto::DESCRIPTORS).unwrap();
    let services = set.file.iter().flat_map(|file| &file.service);
    let methods: BTreeSet<_> = services
        .filter(|service| service.name() == "BillingService")
        .flat_map(|service| service.method.iter().map(|method| method.name().to_owned()))
        .collect();
    let listed: BTreeSet<_> = TABLE.iter().map(|(method, _)| (*method).to_owned()).collect();
    assert_eq!(methods, listed);
}
