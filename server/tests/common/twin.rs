//! The same request over HTTP/JSON: whatever gRPC refuses, that refuses alike.

use std::net::SocketAddr;

use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, SerializeOptions};
use serde_json::Value;

use super::{http::Http, refusal::Refused};

/// Sends a request of a method, by its name in Rust, as JSON, and compares the refusals.
pub(crate) async fn refuses_alike(address: SocketAddr, method: &'static str, request: Vec<u8>, refused: &Refused) {
    let problem = tokio::task::spawn_blocking(move || send(address, method, &request)).await.unwrap();
    assert_eq!(problem["reason"], refused.reason, "{method}: {problem}");
    let metadata = problem["metadata"].as_object().cloned().unwrap_or_default();
    let metadata = metadata.into_iter().map(|(name, said)| (name, said.as_str().unwrap().to_owned())).collect();
    assert_eq!(refused.metadata, metadata, "{method}: {problem}");
    assert_eq!(problem["detail"], refused.message, "{method}: {problem}");
}

fn send(address: SocketAddr, method: &str, request: &[u8]) -> Value {
    let http = Http::to(address);
    let method = find(method);
    let message = DynamicMessage::decode(method.input(), request).unwrap();
    let names = SerializeOptions::new().use_proto_field_name(true);
    let mut json = message.serialize_with_options(serde_json::value::Serializer, &names).unwrap();
    let document = http.get("/v1/openapi.json").ok();
    let paths = document["paths"].as_object().unwrap();
    let is_it = |(_, operations): &(&String, &Value)| operations["post"]["operationId"] == method.name();
    let mut path = paths.iter().find(is_it).unwrap_or_else(|| panic!("no path for {}", method.name())).0.clone();
    for name in ["show_id", "hold_id", "group_id"] {
        if path.contains(&format!("{{{name}}}")) {
            let value = json.as_object_mut().unwrap().remove(name).unwrap();
            path = path.replace(&format!("{{{name}}}"), &value.as_str().unwrap().replace('/', "%2F"));
        }
    }
    http.post(&path, &json.to_string()).json()
}

/// The method whose name in Rust is this.
pub(crate) fn find(name: &str) -> MethodDescriptor {
    let pool = DescriptorPool::decode(usher_proto::FILE_DESCRIPTOR_SET).unwrap();
    let is_it = |method: &MethodDescriptor| method.name().to_lowercase() == name.replace('_', "");
    let services = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    let mut methods = services.filter(is_it);
    methods.next().unwrap()
}
