//! Holds the manifests: each is what Kubernetes understands, nothing in it is misspelt, and all services have one shape.

#![expect(clippy::expect_used, reason = "a test that cannot read the manifests has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use serde_json::Value;

/// Every program that serves.
const PROGRAMS: [&str; 6] = ["identity", "catalog", "enrollment", "billing", "supervision", "gateway"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests stand below the root").join("k8s")
}

/// Every document of a file.
fn documents(text: &str) -> Vec<Value> {
    serde_yaml_ng::Deserializer::from_str(text)
        .map(|document| serde::Deserialize::deserialize(document).expect("it is YAML"))
        .collect()
}

fn manifests() -> Vec<(PathBuf, Vec<Value>)> {
    let mut found = Vec::new();
    for folder in ["base", "overlays/production"] {
        for entry in fs::read_dir(root().join(folder)).expect("the folder exists") {
            let path = entry.expect("readable").path();
            if path.extension().is_some_and(|ending| ending == "yaml") {
                found.push((path.clone(), documents(&fs::read_to_string(&path).expect("readable"))));
            }
        }
    }
    found
}

/// Reads a document as the type its kind names and writes it again: whatever is lost on the way was misspelt.
fn lost(document: &Value) -> Vec<String> {
    fn again<T: serde::Serialize + serde::de::DeserializeOwned>(document: &Value) -> Result<Value, String> {
        let typed: T = serde_json::from_value(document.clone()).map_err(|error| error.to_string())?;
        serde_json::to_value(typed).map_err(|error| error.to_string())
    }
    let kind = document["kind"].as_str().unwrap_or_default();
    let written = match kind {
        "Deployment" => again::<Deployment>(document),
        "Job" => again::<Job>(document),
        "Service" => again::<Service>(document),
        "ServiceAccount" => again::<ServiceAccount>(document),
        "ConfigMap" => again::<ConfigMap>(document),
        "Namespace" => again::<Namespace>(document),
        "NetworkPolicy" => again::<NetworkPolicy>(document),
        "PodDisruptionBudget" => again::<PodDisruptionBudget>(document),
        // Read by kustomize, not by the cluster.
        "Kustomization" => return Vec::new(),
        other => Err(format!("no such kind `{other}`")),
    };
    match written {
        Ok(written) => missing(document, &written, kind),
        Err(error) => vec![error],
    }
}

/// Paths of `before` that `after` does not have.
fn missing(before: &Value, after: &Value, path: &str) -> Vec<String> {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => before
            .iter()
            .flat_map(|(key, value)| match after.get(key) {
                Some(kept) => missing(value, kept, &format!("{path}.{key}")),
                None => vec![format!("{path}.{key}")],
            })
            .collect(),
        (Value::Array(before), Value::Array(after)) => {
            let pairs = before.iter().zip(after).enumerate();
            pairs
                .flat_map(|(index, (before, after))| missing(before, after, &format!("{path}[{index}]")))
                .collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn every_manifest_is_what_kubernetes_understands() {
    let manifests = manifests();
    assert!(manifests.len() >= 14, "found only {}", manifests.len());
    for (path, documents) in manifests {
        for document in documents {
            assert_eq!(lost(&document), Vec::<String>::new(), "{}", path.display());
        }
    }
}

#[test]
fn a_misspelt_field_is_caught() {
    let text = "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {ports: [{prot: 9000, port: 1}]}";
    assert_eq!(lost(&documents(text)[0]), ["Service.spec.ports[0].prot"]);
}

#[test]
fn all_programs_have_one_shape() {
    let shape = |name: &str| {
        let text =
            fs::read_to_string(root().join(format!("base/{name}.yaml"))).expect("each program has a file");
        let mut documents =
            documents(&text.replace(name, "NAME").replace("8080", "PORT").replace("9000", "PORT"));
        // Who may come in, and what is set, is each program's own.
        for document in &mut documents {
            match document["kind"].as_str() {
                Some("NetworkPolicy") => document["spec"]["ingress"] = Value::Null,
                Some("ConfigMap") => document["data"] = Value::Null,
                _ => {}
            }
        }
        documents
    };
    for name in PROGRAMS {
        assert_eq!(shape(name), shape("identity"), "{name} differs from identity");
    }
}

#[test]
fn every_service_with_a_database_has_its_migration() {
    for name in PROGRAMS.iter().filter(|name| **name != "gateway") {
        let text =
            fs::read_to_string(root().join(format!("base/migrate-{name}.yaml"))).expect("a job exists");
        assert!(text.contains(&format!("[\"/usr/local/bin/{name}\", \"migrate\"]")), "{name}");
    }
}

#[test]
fn whoever_calls_is_let_in_and_nobody_else() {
    // Who calls whom, as the settings of each program say.
    let mut callers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in PROGRAMS {
        let text = fs::read_to_string(root().join(format!("base/{name}.yaml"))).expect("readable");
        for document in documents(&text).iter().filter(|document| document["kind"] == "ConfigMap") {
            for value in
                document["data"].as_object().into_iter().flatten().filter_map(|(_, value)| value.as_str())
            {
                for peer in PROGRAMS.iter().filter(|peer| value == format!("http://{peer}:9000")) {
                    callers.entry((*peer).to_owned()).or_default().push(name.to_owned());
                }
            }
        }
    }
    assert!(callers.len() >= 4, "read only {callers:?}");
    for (peer, mut expected) in callers {
        let text = fs::read_to_string(root().join(format!("base/{peer}.yaml"))).expect("readable");
        let documents = documents(&text);
        let policy = documents.iter().find(|document| document["kind"] == "NetworkPolicy").expect("a policy");
        let from = policy["spec"]["ingress"][0]["from"].as_array().expect("callers");
        let name = |one: &Value| {
            one["podSelector"]["matchLabels"]["app.kubernetes.io/name"].as_str().map(str::to_owned)
        };
        let mut allowed: Vec<_> = from.iter().filter_map(name).collect();
        allowed.sort();
        expected.sort();
        assert_eq!(allowed, expected, "callers of {peer}");
    }
}
