//! Faults at chosen system calls of a child process, through strace: it skips a call, fails it, or kills at it.
//!
//! strace counts calls for each thread of the child by itself. It can run what it traces and nothing else.

use std::process::{Command, Stdio};

/// Whether strace is there and may trace; otherwise says on standard error why not. With `USHER_REQUIRE_STRACE=1` it
/// panics instead.
///
/// # Panics
/// As said.
#[must_use]
pub fn works() -> bool {
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

/// The command with syncs that succeed and do nothing.
#[must_use]
pub fn without_syncs(command: &Command) -> Command {
    inject(command, "fsync,fdatasync,sync_file_range", "retval=0")
}

/// The command, killed as it enters `call` for the `count`-th time, which it then never makes.
#[must_use]
pub fn killed_at(command: &Command, call: &str, count: u64) -> Command {
    inject(command, call, &format!("signal=KILL:when={count}"))
}

/// The command, whose `count`-th sync fails without being made.
#[must_use]
pub fn with_failing_sync(command: &Command, count: u64) -> Command {
    inject(command, "fsync,fdatasync", &format!("error=EIO:when={count}"))
}

fn inject(command: &Command, calls: &str, what: &str) -> Command {
    let mut traced = Command::new("strace");
    // The tracer is a grandchild (-D), so that our child is the program itself, to be killed and waited for. Only the
    // named calls stop it.
    traced.args(["-D", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e"]).arg(format!("trace={calls}"));
    traced.arg("-e").arg(format!("inject={calls}:{what}"));
    traced.arg(command.get_program()).args(command.get_args());
    traced
}
