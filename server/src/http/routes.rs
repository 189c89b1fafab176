//! Which path is which method: read from the `google.api.http` option of each method in the `.proto` files.
//!
//! A path's last part may end with a verb behind a colon. Where it ends with one that is known there, it is that verb,
//! whatever the HTTP method: an id that itself ends so is sent with its colon as `%3A`.

use std::{str::FromStr as _, sync::Arc};

use anyhow::{Context as _, ensure};
use axum::http::{Method, uri::PathAndQuery};
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, MethodDescriptor, Value};

/// The option, and the fields of it that say which HTTP method it is.
const OPTION: &str = "google.api.http";
const PATTERNS: [(&str, Method); 5] = [
    ("get", Method::GET),
    ("put", Method::PUT),
    ("post", Method::POST),
    ("delete", Method::DELETE),
    ("patch", Method::PATCH),
];

/// What the body of a request is.
#[derive(Debug)]
pub(super) enum Body {
    /// There is none: what the path does not name are parameters of the query.
    None,
    /// The message, without what the path names.
    Message,
    /// One field of the message.
    Field(FieldDescriptor),
}

/// A method and its path.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) method: Method,
    /// As the option has it, such as `/v1/shows/{show_id}:open`.
    pub(super) template: String,
    segments: Vec<Segment>,
    verb: Option<String>,
    pub(super) body: Body,
    pub(super) rpc: MethodDescriptor,
    /// Where gRPC has it.
    pub(super) grpc_path: PathAndQuery,
}

#[derive(Debug)]
enum Segment {
    Literal(String),
    Variable(FieldDescriptor),
}

/// What a path is.
pub(super) enum Found<'a> {
    /// Nothing.
    Nothing,
    /// Something, by other methods only.
    ByOtherMethods(Vec<&'a Method>),
    /// A method, with what the path says of its fields, still percent-encoded.
    Route(&'a Arc<Route>, Vec<(FieldDescriptor, String)>),
}

/// The paths of every method that has one. Streams have none.
///
/// # Errors
/// When an option cannot be read: the `.proto` files are wrong.
pub(super) fn routes(pool: &DescriptorPool) -> anyhow::Result<Vec<Route>> {
    let option = pool.get_extension_by_name(OPTION).context("the descriptors know no google.api.http")?;
    let mut routes = Vec::new();
    for rpc in pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let options = rpc.options();
        if options.has_extension(&option)
            && let Value::Message(rule) = options.get_extension(&option).as_ref()
        {
            routes.push(Route::new(rpc.clone(), rule).with_context(|| format!("the path of {}", rpc.full_name()))?);
        }
    }
    Ok(routes)
}

impl Route {
    fn new(rpc: MethodDescriptor, rule: &DynamicMessage) -> anyhow::Result<Self> {
        let text = |name| rule.get_field_by_name(name).and_then(|value| value.as_str().map(str::to_owned));
        let pattern = PATTERNS.iter().find(|(name, _)| rule.has_field_by_name(name)).context("no known HTTP method")?;
        let template = text(pattern.0).context("no path")?;
        let message = rpc.input();
        let field = |name: &str| message.get_field_by_name(name).with_context(|| format!("no field {name}"));
        let (path, verb) = split_verb(&template);
        let segments = path.trim_start_matches('/').split('/').map(|part| {
            let variable = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
            variable.map_or_else(|| Ok(Segment::Literal(part.to_owned())), |name| field(name).map(Segment::Variable))
        });
        let segments = segments.collect::<anyhow::Result<Vec<_>>>()?;
        let body = match text("body").unwrap_or_default().as_str() {
            "" => Body::None,
            "*" => Body::Message,
            name => Body::Field(field(name)?),
        };
        ensure!(!rpc.is_client_streaming() && !rpc.is_server_streaming(), "streams have no path");
        let grpc_path = PathAndQuery::from_str(&format!("/{}/{}", rpc.parent_service().full_name(), rpc.name()))?;
        let verb = verb.map(str::to_owned);
        Ok(Self { method: pattern.1.clone(), segments, verb, body, rpc, grpc_path, template })
    }

    /// The fields that the path names.
    pub(super) fn variables(&self) -> impl Iterator<Item = &FieldDescriptor> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Variable(field) => Some(field),
            Segment::Literal(_) => None,
        })
    }

    /// Whether the caller names the new hold outside the path, which an `Idempotency-Key` can do for him.
    pub(super) fn new_hold_id(&self) -> Option<FieldDescriptor> {
        let hold_id = self.rpc.input().get_field_by_name("hold_id")?;
        (self.method == Method::POST && self.variables().all(|own| *own != hold_id)).then_some(hold_id)
    }

    fn values(&self, path: &str) -> Option<Vec<(FieldDescriptor, String)>> {
        let path = match &self.verb {
            Some(verb) => path.strip_suffix(verb.as_str())?.strip_suffix(':')?,
            None => path,
        };
        let mut parts = path.strip_prefix('/')?.split('/');
        let mut values = Vec::new();
        for segment in &self.segments {
            match (segment, parts.next()?) {
                (Segment::Literal(literal), part) if literal == part => {}
                (Segment::Variable(field), part) if !part.is_empty() => values.push((field.clone(), part.to_owned())),
                _ => return None,
            }
        }
        parts.next().is_none().then_some(values)
    }
}

fn split_verb(template: &str) -> (&str, Option<&str>) {
    let last = template.rfind('/').unwrap_or_default();
    match template.rfind(':').filter(|colon| *colon > last) {
        Some(colon) => (&template[..colon], Some(&template[colon + 1..])),
        None => (template, None),
    }
}

/// Finds what a request is for.
pub(super) fn find<'a>(routes: &'a [Arc<Route>], method: &Method, path: &str) -> Found<'a> {
    let mut found: Vec<_> = routes.iter().filter_map(|route| Some((route, route.values(path)?))).collect();
    if found.iter().any(|(route, _)| route.verb.is_some()) {
        found.retain(|(route, _)| route.verb.is_some());
    }
    let methods: Vec<&Method> = found.iter().map(|(route, _)| &route.method).collect();
    match found.into_iter().find(|(route, _)| route.method == *method) {
        Some((route, values)) => Found::Route(route, values),
        None if methods.is_empty() => Found::Nothing,
        None => Found::ByOtherMethods(methods),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Arc<Route>> {
        let pool = DescriptorPool::decode(usher_proto::FILE_DESCRIPTOR_SET).unwrap();
        routes(&pool).unwrap().into_iter().map(Arc::new).collect()
    }

    fn check(method: Method, path: &str, expected: &str) {
        let routes = all();
        let found = match find(&routes, &method, path) {
            Found::Nothing => "nothing".to_owned(),
            Found::ByOtherMethods(methods) => format!("by {methods:?}"),
            Found::Route(route, values) => {
                let values = values.iter().map(|(field, value)| format!(" {}={value}", field.name()));
                format!("{}{}", route.rpc.name(), values.collect::<String>())
            }
        };
        assert_eq!(found, expected, "{method} {path}");
    }

    #[test]
    fn a_path_is_found_with_its_fields() {
        check(Method::GET, "/v1/shows", "ListShows");
        check(Method::POST, "/v1/shows", "CreateShow");
        check(Method::DELETE, "/v1/shows", "by [POST, GET]");
        check(Method::GET, "/v1/shows/club", "GetShow show_id=club");
        check(Method::POST, "/v1/shows/club:open", "OpenSale show_id=club");
        check(Method::POST, "/v1/shows/club/holds:best", "HoldBest show_id=club");
        check(Method::POST, "/v1/shows/club/holds/7:confirm", "ConfirmHold show_id=club hold_id=7");
        for nothing in ["/", "/v1", "/v1/shows/", "/v1/shows//holds", "/v1/shows/club/holds/7/8", "/v1/shows/a/b"] {
            check(Method::GET, nothing, "nothing");
        }
    }

    #[test]
    fn a_known_verb_is_a_verb_and_every_other_colon_is_part_of_an_id() {
        check(Method::GET, "/v1/shows/club:2026", "GetShow show_id=club:2026");
        check(Method::POST, "/v1/shows/club:2026:open", "OpenSale show_id=club:2026");
        check(Method::GET, "/v1/shows/club:open", "by [POST]");
        check(Method::GET, "/v1/shows/club%3Aopen", "GetShow show_id=club%3Aopen");
    }

    #[test]
    fn every_method_that_is_no_stream_has_one_path() {
        let pool = DescriptorPool::decode(usher_proto::FILE_DESCRIPTOR_SET).unwrap();
        let mut routed: Vec<String> = all().iter().map(|route| route.rpc.full_name().to_owned()).collect();
        let methods = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
        let unary = methods.filter(|rpc| !rpc.is_client_streaming() && !rpc.is_server_streaming());
        let mut unary: Vec<String> = unary.map(|rpc| rpc.full_name().to_owned()).collect();
        routed.sort_unstable();
        unary.sort_unstable();
        assert_eq!(routed, unary);
        let mut paths: Vec<_> = all().iter().map(|route| format!("{} {}", route.method, route.template)).collect();
        let count = paths.len();
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), count, "two methods share a path");
    }
}
