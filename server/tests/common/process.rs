//! The real binary as a child process: started, read, and ended by its id.

use std::{
    io::{BufRead as _, BufReader, Read},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use serde_json::Value;

use super::WAIT_MAX;

/// What the child wrote to standard error so far, and whether that was all.
#[derive(Default)]
struct Output {
    lines: Vec<String>,
    ended: bool,
}

/// A running child. Dropping it kills it, so that a failing test leaves none behind.
pub(crate) struct Process {
    child: Child,
    output: Arc<(Mutex<Output>, Condvar)>,
    reader: Option<JoinHandle<()>>,
}

/// A program without the settings of whoever runs the tests.
pub(crate) fn program(path: &str) -> Command {
    let mut command = Command::new(path);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("USHER_")) {
        command.env_remove(name);
    }
    command
}

/// `usher serve` on this directory and any free port, with log lines for machines.
pub(crate) fn serve_command(data_dir: &Path, shards: u32) -> Command {
    let mut command = program(env!("CARGO_BIN_EXE_usher"));
    command.arg("serve").arg("--data-dir").arg(data_dir);
    command.args(["--listen", "127.0.0.1:0", "--log-format", "json", "--shards", &shards.to_string()]);
    // Where a test's machine is busy, nobody is put off for it.
    command.env("USHER_QUEUE_WAIT_MS_MAX", "60000");
    command
}

impl Process {
    /// Starts a command and reads its standard error from now on.
    pub(crate) fn spawn(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let output = Arc::<(Mutex<Output>, Condvar)>::default();
        let (pipe, shared) = (child.stderr.take().unwrap(), Arc::clone(&output));
        let reader = Some(thread::spawn(move || read_lines(pipe, &shared)));
        Self { child, output, reader }
    }

    /// Starts `usher serve` and waits until it listens.
    pub(crate) fn serve(data_dir: &Path, shards: u32) -> (Self, SocketAddr) {
        Self::serve_with(data_dir, shards, &[])
    }

    /// As [`Self::serve`], with more arguments.
    pub(crate) fn serve_with(data_dir: &Path, shards: u32, arguments: &[&str]) -> (Self, SocketAddr) {
        let mut command = serve_command(data_dir, shards);
        command.args(arguments);
        let process = Self::spawn(command);
        let address = process.address();
        (process, address)
    }

    /// Its id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The address that it listens on, once it does.
    pub(crate) fn address(&self) -> SocketAddr {
        self.wait_for("listening")["address"].as_str().unwrap().parse().unwrap()
    }

    /// The first log line with this message, once it is there.
    pub(crate) fn wait_for(&self, message: &str) -> Value {
        self.wait_for_lines(message, 1).swap_remove(0)
    }

    /// The log lines with this message, once there are so many: what was done may be told a moment later.
    pub(crate) fn wait_for_lines(&self, message: &str, count: usize) -> Vec<Value> {
        let (output, changed) = &*self.output;
        let too_few = |output: &mut Output| !output.ended && with(&output.lines, message).count() < count;
        let (output, _) = changed.wait_timeout_while(output.lock().unwrap(), WAIT_MAX, too_few).unwrap();
        let found: Vec<Value> = with(&output.lines, message).collect();
        assert!(found.len() >= count, "not {count} of {message:?} in:\n{}", output.lines.join("\n"));
        found
    }

    /// The log lines with this message so far.
    pub(crate) fn lines_of(&self, message: &str) -> Vec<Value> {
        with(&self.output.0.lock().unwrap().lines, message).collect()
    }

    /// Everything that it wrote to standard error so far.
    pub(crate) fn text(&self) -> String {
        self.output.0.lock().unwrap().lines.join("\n")
    }

    /// SIGKILL, as a crash does it, and the wait for the end.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM.
    pub(crate) fn terminate(&self) {
        terminate(self.id());
    }

    /// Waits for the end and for its last line.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let started = Instant::now();
        while started.elapsed() < WAIT_MAX {
            if let Some(status) = self.child.try_wait().unwrap() {
                self.reader.take().into_iter().for_each(|reader| reader.join().unwrap());
                return status;
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("it does not end:\n{}", self.text());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// SIGTERM to one process.
pub(crate) fn terminate(id: u32) {
    assert!(Command::new("kill").args(["-TERM", &id.to_string()]).status().unwrap().success());
}

/// Runs a command that ends by itself; its exit code, standard output and standard error.
pub(crate) fn run(mut command: Command) -> (Option<i32>, String, String) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn read_lines(pipe: impl Read, shared: &(Mutex<Output>, Condvar)) {
    for line in BufReader::new(pipe).lines().map_while(Result::ok) {
        shared.0.lock().unwrap().lines.push(line);
        shared.1.notify_all();
    }
    shared.0.lock().unwrap().ended = true;
    shared.1.notify_all();
}

fn with<'l>(lines: &'l [String], message: &'l str) -> impl Iterator<Item = Value> + 'l {
    let parsed = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    parsed.filter(move |line| line["message"] == message)
}
