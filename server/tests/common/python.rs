//! The same request through the client for Python: whatever gRPC refuses, that raises alike.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::SocketAddr,
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde_json::Value;

use super::{refusal::Refused, skipped, twin};

/// A process that asks what it is told to. Dropping it ends it.
pub(crate) struct Python {
    child: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Python {
    /// With the interpreter that `USHER_PYTHON` names, which has the client; `.ci/python` does that.
    pub(crate) fn if_installed(address: SocketAddr) -> Option<Self> {
        let Some(interpreter) = std::env::var_os("USHER_PYTHON") else {
            skipped("USHER_PYTHON names no interpreter that has the client: refusals were NOT held against it");
            return None;
        };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto/python/tests/asked.py");
        let mut command = Command::new(interpreter);
        command.arg(script).arg(address.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (asks, answers) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Some(Self { child, asks, answers: BufReader::new(answers) })
    }

    /// Sends a request of a method, by its name in Rust, and compares what is raised.
    pub(crate) fn is_refused_alike(&mut self, method: &str, request: &[u8], refused: &Refused) {
        let request: String = request.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(self.asks, "{} {request}", twin::find(method).full_name()).unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let raised: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{method}: {line:?}"));
        assert_eq!(raised["reason"], refused.reason, "{method}: {raised}");
        assert_eq!(raised["message"], refused.message, "{method}: {raised}");
        assert_eq!(raised["metadata"], serde_json::json!(refused.metadata), "{method}: {raised}");
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // It may have ended before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
