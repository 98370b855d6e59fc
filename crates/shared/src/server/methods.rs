//! Every method there is, read from the contracts.

use std::collections::HashMap;
use std::sync::LazyLock;

use prost::Message as _;
use prost_types::FileDescriptorSet;

/// What a call's path says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Method {
    /// The full name of its service, `kehou.feed.v1.FeedService`; `unknown` for a path that is no method.
    pub service: &'static str,
    /// Its name, `Tail`; `unknown` for a path that is no method.
    pub name: &'static str,
    /// Both, as spans and metrics show them: `kehou.feed.v1.FeedService/Tail`; `unknown` for a path that is no method.
    pub full_name: &'static str,
    /// Whether requests come as a stream.
    pub streams_in: bool,
    /// Whether responses go as a stream.
    pub streams_out: bool,
}

/// Stands for every path that is no method, so that a stranger's paths cannot fill the metrics with labels.
const UNKNOWN: Method = Method {
    service: "unknown",
    name: "unknown",
    full_name: "unknown",
    streams_in: false,
    streams_out: false,
};

static METHODS: LazyLock<HashMap<&'static str, Method>> = LazyLock::new(read);

impl Method {
    /// Looks up a path, `/kehou.feed.v1.FeedService/Tail`.
    pub fn of(path: &str) -> Self {
        path.strip_prefix('/').and_then(|path| METHODS.get(path)).copied().unwrap_or(UNKNOWN)
    }

    /// Says whether the call is one request and one response: only such a call has a deadline of its own.
    pub const fn is_unary(&self) -> bool {
        !self.streams_in && !self.streams_out
    }

    /// Says whether it serves the platform itself (health, reflection) rather than anyone's business.
    pub fn is_plumbing(&self) -> bool {
        self.service.starts_with("grpc.")
    }
}

fn read() -> HashMap<&'static str, Method> {
    let sets = [
        proto::DESCRIPTORS,
        tonic_health::pb::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
    ];
    let mut methods = HashMap::new();
    for set in sets {
        // Compiled in: a set that cannot be read is a broken build, and the test below says so.
        let Ok(set) = FileDescriptorSet::decode(set) else {
            continue;
        };
        for file in &set.file {
            for service in &file.service {
                let service_name = kept(format!("{}.{}", file.package(), service.name()));
                for method in &service.method {
                    let full_name = kept(format!("{service_name}/{}", method.name()));
                    let known = Method {
                        service: service_name,
                        name: kept(method.name().to_owned()),
                        full_name,
                        streams_in: method.client_streaming(),
                        streams_out: method.server_streaming(),
                    };
                    methods.insert(full_name, known);
                }
            }
        }
    }
    methods
}

/// Keeps a name to the end of the process: they are as many as the contracts have, and read once.
fn kept(name: String) -> &'static str {
    name.leak()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_is_known_by_its_path_and_how_it_streams() {
        let tail = Method::of("/kehou.feed.v1.FeedService/Tail");
        assert_eq!((tail.service, tail.name), ("kehou.feed.v1.FeedService", "Tail"));
        assert_eq!(tail.full_name, "kehou.feed.v1.FeedService/Tail");
        assert_eq!((tail.streams_in, tail.streams_out), (false, true));
        assert!(!tail.is_plumbing());

        let check = Method::of("/grpc.health.v1.Health/Check");
        assert!(check.is_unary() && check.is_plumbing());

        let reflection = Method::of("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo");
        assert!(reflection.streams_in && reflection.streams_out);
    }

    #[test]
    fn strangers_paths_share_one_name() {
        assert_eq!(Method::of("/kehou.feed.v1.FeedService/Nothing"), UNKNOWN);
        assert_eq!(Method::of("/"), UNKNOWN);
    }
}
