//! Contract messages by their descriptors: filled to the last field, read as JSON, compared with answers.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use prost_reflect::{
    DescriptorPool, DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor,
    ReflectMessage as _, Value,
};
use serde_json::{Map, json};

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| DescriptorPool::decode(proto::DESCRIPTORS).unwrap());

const TIMESTAMP: &str = "google.protobuf.Timestamp";

/// The method with this name, `kehou.catalog.v1.CatalogService/OpenTerm`: its request and its response.
pub fn method(full_name: &str) -> (MessageDescriptor, MessageDescriptor) {
    let (service, name) = full_name.split_once('/').unwrap();
    let service = POOL.get_service_by_name(service).unwrap();
    let method = service
        .methods()
        .find(|method| method.name() == name)
        .unwrap_or_else(|| panic!("no method {full_name}"));
    (method.input(), method.output())
}

/// Every unary method of every service that a person's request may become.
pub fn methods() -> Vec<String> {
    let services = POOL.services().filter(|service| service.full_name().starts_with("kehou."));
    services
        .flat_map(|service| {
            let names = service.methods().map(|method| (service.full_name().to_owned(), method));
            names
                .filter(|(_, method)| !method.is_server_streaming())
                .map(|(service, method)| format!("{service}/{}", method.name()))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// A message in which every field is set, each to a value of its own: texts to where they stand, numbers counting up.
pub fn filled(descriptor: &MessageDescriptor) -> DynamicMessage {
    let mut count = 100;
    fill(descriptor, "", &mut count)
}

fn fill(descriptor: &MessageDescriptor, at: &str, count: &mut u32) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    if descriptor.full_name() == TIMESTAMP {
        *count += 1;
        message.set_field_by_name("seconds", Value::I64(1_788_220_800 + i64::from(*count)));
        return message;
    }
    for field in descriptor.fields() {
        let path = if at.is_empty() { field.name().to_owned() } else { format!("{at}.{}", field.name()) };
        let value = if field.is_list() {
            Value::List(vec![
                value(&field, &format!("{path}[0]"), count),
                value(&field, &format!("{path}[1]"), count),
            ])
        } else {
            value(&field, &path, count)
        };
        message.set_field(&field, value);
    }
    message
}

fn value(field: &FieldDescriptor, path: &str, count: &mut u32) -> Value {
    *count += 1;
    match field.kind() {
        Kind::String => Value::String(path.to_owned()),
        Kind::Bytes => Value::Bytes(path.to_owned().into()),
        Kind::Bool => Value::Bool(true),
        Kind::Int32 => Value::I32(i32::try_from(*count).unwrap()),
        Kind::Int64 => Value::I64(i64::from(*count)),
        Kind::Uint64 => Value::U64(u64::from(*count)),
        Kind::Enum(descriptor) => Value::EnumNumber(descriptor.values().last().unwrap().number()),
        Kind::Message(descriptor) => Value::Message(fill(&descriptor, path, count)),
        other => panic!("{path}: no contract uses {other:?}"),
    }
}

/// Reads a message as JSON; what is not set is left out.
pub fn read(descriptor: &MessageDescriptor, bytes: &[u8]) -> (DynamicMessage, serde_json::Value) {
    let message = DynamicMessage::decode(descriptor.clone(), bytes).unwrap();
    let document = json_of(&message);
    (message, document)
}

fn json_of(message: &DynamicMessage) -> serde_json::Value {
    if message.descriptor().full_name() == TIMESTAMP {
        return json!(moment(message));
    }
    let fields =
        message.fields().map(|(field, value)| (field.name().to_owned(), json_of_value(&field, value)));
    serde_json::Value::Object(fields.collect::<Map<_, _>>())
}

fn json_of_value(field: &FieldDescriptor, value: &Value) -> serde_json::Value {
    match value {
        Value::Bool(value) => json!(value),
        Value::I32(value) => json!(value),
        Value::I64(value) => json!(value),
        Value::U64(value) => json!(value),
        Value::String(value) => json!(value),
        Value::Bytes(value) => json!(String::from_utf8_lossy(value)),
        Value::EnumNumber(number) => json!(enum_of(field).get_value(*number).unwrap().name()),
        Value::Message(message) => json_of(message),
        Value::List(values) => values.iter().map(|value| json_of_value(field, value)).collect(),
        other => panic!("no contract uses {other:?}"),
    }
}

fn enum_of(field: &FieldDescriptor) -> EnumDescriptor {
    match field.kind() {
        Kind::Enum(descriptor) => descriptor,
        other => panic!("{other:?} is no enum"),
    }
}

fn moment(timestamp: &DynamicMessage) -> String {
    let seconds = timestamp.get_field_by_name("seconds").unwrap().as_i64().unwrap();
    let moment = chrono::DateTime::from_timestamp(seconds, 0).unwrap();
    moment.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// The fields of a message, and of the messages in it, that are not set.
pub fn unset(message: &DynamicMessage) -> Vec<String> {
    let mut found = Vec::new();
    for field in message.descriptor().fields() {
        if !message.has_field(&field) {
            found.push(field.name().to_owned());
            continue;
        }
        let inner: Vec<DynamicMessage> = match message.get_field(&field).as_ref() {
            Value::Message(inner) => vec![inner.clone()],
            Value::List(values) => values.iter().filter_map(|value| value.as_message().cloned()).collect(),
            _ => Vec::new(),
        };
        for inner in inner.iter().filter(|inner| inner.descriptor().full_name() != TIMESTAMP) {
            let below = unset(inner);
            found.extend(below.iter().map(|name| format!("{}.{name}", field.name())));
        }
    }
    found
}

/// The fields of a filled message whose values an answer does not show.
pub fn not_shown(message: &DynamicMessage, answer: &serde_json::Value) -> Vec<String> {
    let mut shown = Vec::new();
    leaves(answer, "", &mut shown);
    let mut missing = Vec::new();
    look_for(message, "", &shown, &mut missing);
    let mut seen = BTreeSet::new();
    missing.retain(|path| seen.insert(path.clone()));
    missing
}

/// Every value in a document with the name it stands under.
fn leaves(document: &serde_json::Value, name: &str, found: &mut Vec<(String, serde_json::Value)>) {
    match document {
        serde_json::Value::Object(fields) => {
            for (name, value) in fields {
                leaves(value, name, found);
            }
        }
        serde_json::Value::Array(values) => values.iter().for_each(|value| leaves(value, name, found)),
        value => found.push((name.to_owned(), value.clone())),
    }
}

fn look_for(
    message: &DynamicMessage,
    at: &str,
    shown: &[(String, serde_json::Value)],
    missing: &mut Vec<String>,
) {
    for (field, value) in message.fields() {
        let path = if at.is_empty() { field.name().to_owned() } else { format!("{at}.{}", field.name()) };
        let values = match value {
            Value::List(values) => values.as_slice(),
            value => std::slice::from_ref(value),
        };
        let is_shown = |value: &Value| match value {
            Value::Bool(value) => shown.contains(&(field.name().to_owned(), json!(value))),
            Value::EnumNumber(number) => {
                let word = word(&enum_of(&field), *number);
                shown.contains(&(field.name().to_owned(), json!(word)))
            }
            value => {
                let expected = json_of_value(&field, value);
                shown.iter().any(|(_, value)| *value == expected)
            }
        };
        for value in values {
            match value {
                Value::Message(inner) if inner.descriptor().full_name() != TIMESTAMP => {
                    look_for(inner, &path, shown, missing);
                }
                value if is_shown(value) => {}
                _ => missing.push(path.clone()),
            }
        }
    }
}

/// An enum's value as answers say it.
fn word(descriptor: &EnumDescriptor, number: i32) -> String {
    let mut prefix = String::new();
    for c in descriptor.name().chars() {
        if c.is_uppercase() && !prefix.is_empty() {
            prefix.push('_');
        }
        prefix.extend(c.to_uppercase());
    }
    let value = descriptor.get_value(number).unwrap();
    let name = value.name();
    name.strip_prefix(&format!("{prefix}_")).unwrap_or(name).to_lowercase()
}
