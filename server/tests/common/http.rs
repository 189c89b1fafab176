//! A plain HTTP client and what it got.

use std::net::SocketAddr;

use serde_json::Value;
use ureq::{
    Agent,
    http::{HeaderMap, Request, StatusCode},
};

/// A client of one server.
pub(crate) struct Http {
    agent: Agent,
    base: String,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Http {
    pub(crate) fn to(address: SocketAddr) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).proxy(None);
        Self { agent: config.build().into(), base: format!("http://{address}") }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "")
    }

    /// Sends JSON.
    pub(crate) fn post(&self, path: &str, json: &str) -> Answer {
        self.send("POST", path, &[("content-type", "application/json")], json)
    }

    /// Sends JSON with one header more.
    pub(crate) fn post_with(&self, path: &str, header: (&str, &str), json: &str) -> Answer {
        self.send("POST", path, &[("content-type", "application/json"), header], json)
    }

    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl AsRef<[u8]> + Into<Vec<u8>>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body: Vec<u8> = body.into();
        let answer = if body.is_empty() && method != "POST" {
            self.agent.run(request.body(()).unwrap())
        } else {
            self.agent.run(request.body(body).unwrap())
        };
        let mut answer = answer.unwrap();
        let bytes = answer.body_mut().read_to_vec().unwrap();
        Answer { status: answer.status(), headers: answer.headers().clone(), bytes }
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&self.bytes)))
    }

    /// What was asked for.
    #[track_caller]
    pub(crate) fn ok(&self) -> Value {
        assert_eq!((self.status.as_u16(), self.header("content-type")), (200, "application/json"), "{}", self.json());
        self.json()
    }

    /// The problem, of this status and reason.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, reason: &str) -> Value {
        let problem = self.json();
        assert_eq!(self.header("content-type"), "application/problem+json", "{problem}");
        assert_eq!((self.status.as_u16(), &problem["reason"]), (status, &Value::from(reason)), "{problem}");
        assert_eq!(
            (&problem["status"], problem["type"].as_str()),
            (&status.into(), Some(&*format!("urn:usher:problem:{reason}")))
        );
        problem
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// The fields that a problem names.
pub(crate) fn wrong_fields(problem: &Value) -> Vec<&str> {
    let violations = problem["violations"].as_array().map(Vec::as_slice).unwrap_or_default();
    violations.iter().map(|violation| violation["field"].as_str().unwrap()).collect()
}
