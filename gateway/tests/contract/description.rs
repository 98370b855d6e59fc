//! The description of the API, as reviewed and as promised.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::assert_same_as_file;

/// Writes that need no key: they change nothing that a repeat would change again.
const WITHOUT_KEY: [&str; 8] = [
    "sign_in_guardian",
    "sign_in_staff",
    "sign_out",
    "find_ticket",
    "get_quote",
    "sync_payment",
    // Each event has an id of the device's own.
    "record_device_events",
    // The day is what it is known by.
    "reconcile_day",
];

fn description() -> Value {
    serde_json::to_value(gateway::openapi()).unwrap()
}

/// Path, method, operation.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            found.push((path.clone(), method.clone(), operation.clone()));
        }
    }
    found
}

#[test]
fn the_description_changes_only_under_review() {
    assert_same_as_file("openapi.json", &description());
}

#[test]
fn the_description_is_openapi_3_1() {
    let document = description();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    assert_eq!(document["components"]["securitySchemes"]["session"]["scheme"], "bearer");
}

#[test]
fn every_operation_has_a_name_of_its_own_and_a_summary() {
    let document = description();
    let mut names = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let name = operation["operationId"].as_str().unwrap().to_owned();
        assert!(names.insert(name.clone()), "{name} is there twice");
        let summary = operation["summary"].as_str().unwrap_or_default();
        assert!(summary.ends_with('.'), "{method} {path}: {summary:?}");
        assert!(operation["tags"].as_array().is_some_and(|tags| tags.len() == 1), "{name}");
    }
}

#[test]
fn every_write_takes_a_key_but_those_that_need_none() {
    let document = description();
    for (path, method, operation) in operations(&document) {
        let name = operation["operationId"].as_str().unwrap();
        let key = operation["parameters"].as_array().and_then(|parameters| {
            parameters.iter().find(|parameter| parameter["name"] == "Idempotency-Key")
        });
        let needs_key = method != "get" && !WITHOUT_KEY.contains(&name);
        assert_eq!(key.is_some(), needs_key, "{method} {path}");
        if let Some(key) = key {
            assert_eq!((&key["in"], &key["required"]), (&json!("header"), &json!(true)), "{name}");
        }
    }
}

/// Operations for anyone. All others need a session.
const PUBLIC: [&str; 19] = [
    "consent_terms",
    "explain_policy",
    "find_ticket",
    "get_agreement",
    "get_draw",
    "get_menu",
    "get_node",
    "get_tariff",
    "list_nodes",
    "list_rounds",
    "list_seats",
    "list_slots",
    "list_terms",
    "list_trials",
    "rate_ticket",
    "record_device_events",
    "sign_in_guardian",
    "sign_in_staff",
    "submit_ticket",
];

#[test]
fn every_operation_that_is_not_public_needs_a_session() {
    let document = description();
    for (path, method, operation) in operations(&document) {
        let name = operation["operationId"].as_str().unwrap();
        let security = operation["security"].as_array().cloned().unwrap_or_default();
        let needs_session = security == [json!({ "session": [] })];
        let may_do_without = security.is_empty() || security.contains(&json!({}));
        assert!(needs_session != may_do_without, "{method} {path}");
        assert_eq!(may_do_without, PUBLIC.contains(&name), "{method} {path}");
    }
}

#[test]
fn every_refusal_is_described_as_a_problem_document() {
    let document = description();
    for (path, method, operation) in operations(&document) {
        let refusal = &operation["responses"]["default"];
        let kinds: Vec<_> = refusal["content"].as_object().unwrap().keys().collect();
        assert_eq!(kinds, ["application/problem+json"], "{method} {path}");
        for (code, response) in operation["responses"].as_object().unwrap() {
            assert_ne!(response["description"], "", "{method} {path} {code}");
        }
    }
}

#[test]
fn every_parameter_of_a_path_is_described() {
    let document = description();
    for (path, method, operation) in operations(&document) {
        let wanted: BTreeSet<String> = path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .map(str::to_owned)
            .collect();
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let described: BTreeSet<String> = parameters
            .iter()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| parameter["name"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(described, wanted, "{method} {path}");
    }
}
