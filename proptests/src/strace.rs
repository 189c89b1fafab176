//! Faults at chosen system calls of a child process, through strace: it fails a call, or kills at it.
//!
//! strace counts calls for each thread of the child by itself. It can run what it traces and nothing else.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

/// Whether strace is there and may trace; otherwise says on standard error why not. With `USHER_REQUIRE_STRACE=1` it
/// panics instead.
///
/// # Panics
/// As said.
#[must_use]
pub fn works() -> bool {
    let _forking = crate::FORKS.write();
    let tried = Command::new("strace").args(["-f", "-o", "/dev/null", "true"]).stderr(Stdio::piped()).output();
    let why = match tried {
        Ok(output) if output.status.success() => return true,
        Ok(output) => format!("strace cannot trace: {}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => format!("strace is not installed ({error})"),
    };
    assert!(std::env::var("USHER_REQUIRE_STRACE").as_deref() != Ok("1"), "{why}");
    crate::skipped(&why);
    false
}

/// The command, killed as it enters `call` for the `count`-th time, which it then never makes.
#[must_use]
pub fn killed_at(command: &Command, call: &str, count: u64) -> Command {
    inject(command, call, &format!("signal=KILL:when={count}"), Path::new("/dev/null"))
}

/// The command, whose `count`-th sync fails without being made. Whether there was one is [`was_injected`] in `trace`.
#[must_use]
pub fn with_failing_sync(command: &Command, count: u64, trace: &Path) -> Command {
    inject(command, "fsync,fdatasync", &format!("error=EIO:when={count}"), trace)
}

/// Whether a fault was injected, by the trace of a command that has ended.
///
/// # Panics
/// When the trace is not there.
#[must_use]
pub fn was_injected(trace: &Path) -> bool {
    fs::read_to_string(trace).unwrap().contains("(INJECTED)")
}

fn inject(command: &Command, calls: &str, what: &str, trace: &Path) -> Command {
    let mut traced = Command::new("strace");
    // The tracer is a grandchild (-D), so that our child is the program itself, to be killed and waited for. Every call
    // stops it: with --seccomp-bpf, strace 6.1 leaves out the signals.
    traced.args(["-D", "-f", "-qq", "-o"]).arg(trace).arg("-e").arg(format!("trace={calls}"));
    traced.arg("-e").arg(format!("inject={calls}:{what}"));
    traced.arg(command.get_program()).args(command.get_args());
    traced
}
