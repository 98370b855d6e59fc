//! What every contract keeps: names, zero values, messages of one's own, and a comment on every element.

use std::collections::BTreeMap;

use prost::Message as _;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto,
    FileDescriptorProto, FileDescriptorSet, MethodDescriptorProto, ServiceDescriptorProto, SourceCodeInfo,
    source_code_info::Location,
};

/// Numbers of the descriptor's own fields, as they stand in comment paths.
mod at {
    pub(super) const MESSAGE: i32 = 4;
    pub(super) const ENUM: i32 = 5;
    pub(super) const SERVICE: i32 = 6;
    pub(super) const FIELD_OF_MESSAGE: i32 = 2;
    pub(super) const MESSAGE_OF_MESSAGE: i32 = 3;
    pub(super) const ENUM_OF_MESSAGE: i32 = 4;
    pub(super) const VALUE_OF_ENUM: i32 = 2;
    pub(super) const METHOD_OF_SERVICE: i32 = 2;
}

/// Reads an encoded descriptor set.
pub(crate) fn descriptors(bytes: &[u8]) -> FileDescriptorSet {
    FileDescriptorSet::decode(bytes).expect("the descriptors were written by the build")
}

/// Whether the file is one of Kehou's.
pub(crate) fn is_ours(file: &FileDescriptorProto) -> bool {
    file.package().starts_with("kehou.")
}

/// Every broken rule, with the element's full name.
pub(crate) fn broken(set: &FileDescriptorSet) -> Vec<String> {
    set.file.iter().filter(|file| is_ours(file)).flat_map(|file| Check::of(file).run(file)).collect()
}

struct Check {
    comments: BTreeMap<Vec<i32>, bool>,
    broken: Vec<String>,
}

impl Check {
    fn of(file: &FileDescriptorProto) -> Self {
        let locations = file.source_code_info.iter().flat_map(|info| &info.location);
        let comments =
            locations.map(|at| (at.path.clone(), !at.leading_comments().trim().is_empty())).collect();
        Self { comments, broken: Vec::new() }
    }

    fn run(mut self, file: &FileDescriptorProto) -> Vec<String> {
        let package = file.package().to_owned();
        if !file.name().starts_with(&package.replace('.', "/")) {
            self.broken.push(format!("{}: the folder must be the package {package}", file.name()));
        }
        if !package.ends_with(".v1") {
            self.broken.push(format!("{}: the package must end in its version", file.name()));
        }
        for (index, message) in (0..).zip(&file.message_type) {
            self.message(&format!("{package}.{}", message.name()), message, vec![at::MESSAGE, index]);
        }
        for (index, one) in (0..).zip(&file.enum_type) {
            self.enumeration(&format!("{package}.{}", one.name()), one, vec![at::ENUM, index]);
        }
        for (index, service) in (0..).zip(&file.service) {
            self.service(&format!("{package}.{}", service.name()), service, vec![at::SERVICE, index]);
        }
        self.broken
    }

    fn message(&mut self, name: &str, message: &DescriptorProto, path: Vec<i32>) {
        self.commented(name, &path);
        for (index, field) in (0..).zip(&message.field) {
            self.field(&format!("{name}.{}", field.name()), field, child(&path, at::FIELD_OF_MESSAGE, index));
        }
        for (index, one) in (0..).zip(&message.nested_type) {
            if !one.options.as_ref().is_some_and(|options| options.map_entry()) {
                self.message(
                    &format!("{name}.{}", one.name()),
                    one,
                    child(&path, at::MESSAGE_OF_MESSAGE, index),
                );
            }
        }
        for (index, one) in (0..).zip(&message.enum_type) {
            self.enumeration(
                &format!("{name}.{}", one.name()),
                one,
                child(&path, at::ENUM_OF_MESSAGE, index),
            );
        }
    }

    fn field(&mut self, name: &str, field: &FieldDescriptorProto, path: Vec<i32>) {
        self.commented(name, &path);
        let short = field.name();
        if short.to_lowercase() != *short {
            self.broken.push(format!("{name}: must be snake_case"));
        }
        if short.ends_with("_at") {
            self.broken.push(format!("{name}: a time in a contract ends in _time"));
        }
        if field.type_name() == ".google.protobuf.Timestamp" && !short.ends_with("_time") {
            self.broken.push(format!("{name}: a Timestamp's name ends in _time"));
        }
        let is_money = ["amount", "price", "fee", "paid", "charged", "refunded"].contains(&short);
        if is_money {
            self.broken.push(format!("{name}: an amount says its unit, _fen"));
        }
    }

    fn enumeration(&mut self, name: &str, one: &EnumDescriptorProto, path: Vec<i32>) {
        self.commented(name, &path);
        let prefix = screaming(one.name());
        for (index, value) in (0..).zip(&one.value) {
            self.commented(&format!("{name}.{}", value.name()), &child(&path, at::VALUE_OF_ENUM, index));
            if !value.name().starts_with(&format!("{prefix}_")) {
                self.broken.push(format!("{name}.{}: must begin with {prefix}_", value.name()));
            }
        }
        if one
            .value
            .first()
            .is_none_or(|zero| zero.name() != format!("{prefix}_UNSPECIFIED") || zero.number() != 0)
        {
            self.broken.push(format!("{name}: the zero value must be {prefix}_UNSPECIFIED"));
        }
    }

    fn service(&mut self, name: &str, service: &ServiceDescriptorProto, path: Vec<i32>) {
        self.commented(name, &path);
        if !service.name().ends_with("Service") {
            self.broken.push(format!("{name}: a service's name ends in Service"));
        }
        for (index, method) in (0..).zip(&service.method) {
            let full = format!("{name}.{}", method.name());
            self.commented(&full, &child(&path, at::METHOD_OF_SERVICE, index));
            for (found, ending) in [(method.input_type(), "Request"), (method.output_type(), "Response")] {
                if found.rsplit('.').next() != Some(&format!("{}{ending}", method.name())) {
                    self.broken.push(format!("{full}: must have a {ending} of its own, has {found}"));
                }
            }
        }
    }

    fn commented(&mut self, name: &str, path: &[i32]) {
        if !self.comments.get(path).copied().unwrap_or(false) {
            self.broken.push(format!("{name}: has no comment"));
        }
    }
}

fn child(path: &[i32], kind: i32, index: i32) -> Vec<i32> {
    [path, &[kind, index]].concat()
}

/// `ReleaseReason` gives `RELEASE_REASON`.
fn screaming(name: &str) -> String {
    let mut out = String::new();
    for (index, c) in name.chars().enumerate() {
        if index > 0 && c.is_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_uppercase());
    }
    out
}

/// One broken contract for each rule, with a word of the sentence that must name it.
pub(crate) fn planted() -> Vec<(FileDescriptorSet, &'static str)> {
    let field = |name: &str| FieldDescriptorProto { name: Some(name.to_owned()), ..Default::default() };
    let message = |name: &str, fields: Vec<FieldDescriptorProto>| DescriptorProto {
        name: Some(name.to_owned()),
        field: fields,
        ..Default::default()
    };
    let mut cases = Vec::new();
    let mut plant = |why, change: &dyn Fn(&mut FileDescriptorProto)| {
        let mut file = FileDescriptorProto {
            name: Some("kehou/x/v1/x.proto".to_owned()),
            package: Some("kehou.x.v1".to_owned()),
            ..Default::default()
        };
        change(&mut file);
        cases.push((FileDescriptorSet { file: vec![file] }, why));
    };
    plant("has no comment", &|file| file.message_type = vec![message("A", vec![])]);
    plant("snake_case", &|file| file.message_type = vec![message("A", vec![field("fooBar")])]);
    plant("ends in _time", &|file| file.message_type = vec![message("A", vec![field("created_at")])]);
    plant("says its unit", &|file| file.message_type = vec![message("A", vec![field("amount")])]);
    plant("the folder must be", &|file| file.name = Some("x.proto".to_owned()));
    plant("must end in its version", &|file| {
        file.package = Some("kehou.x".to_owned());
    });
    plant("_UNSPECIFIED", &|file| {
        let value =
            EnumValueDescriptorProto { name: Some("STATE_A".to_owned()), number: Some(0), options: None };
        file.enum_type = vec![EnumDescriptorProto {
            name: Some("State".to_owned()),
            value: vec![value],
            ..Default::default()
        }];
    });
    plant("must begin with STATE_", &|file| {
        let value = EnumValueDescriptorProto { name: Some("A".to_owned()), number: Some(0), options: None };
        file.enum_type = vec![EnumDescriptorProto {
            name: Some("State".to_owned()),
            value: vec![value],
            ..Default::default()
        }];
    });
    plant("of its own", &|file| {
        let method = MethodDescriptorProto {
            name: Some("Get".to_owned()),
            input_type: Some(".google.protobuf.Empty".to_owned()),
            output_type: Some(".kehou.x.v1.GetResponse".to_owned()),
            ..Default::default()
        };
        file.service = vec![ServiceDescriptorProto {
            name: Some("XService".to_owned()),
            method: vec![method],
            ..Default::default()
        }];
        file.source_code_info =
            Some(SourceCodeInfo { location: vec![Location { path: vec![6, 0], ..Default::default() }] });
    });
    cases
}
