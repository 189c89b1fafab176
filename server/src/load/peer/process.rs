//! A server of somebody else's as a child of this process: found, started, and ended by its id.

use std::{
    fs::File,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process};

/// How long it may take to start, or to end.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// It ends with this.
pub(super) struct Process {
    child: Child,
    end: Signal,
    said: PathBuf,
}

impl Process {
    /// Starts it. `end` is the signal that ends it in order; what it says is kept in a file of this directory.
    pub(super) fn start(mut command: Command, end: Signal, dir: &Path) -> anyhow::Result<Self> {
        let program = command.get_program().to_string_lossy().into_owned();
        let said = dir.join("said");
        let file = File::create(&said).with_context(|| format!("creating {}", said.display()))?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child = command.spawn().with_context(|| format!("starting {program}"))?;
        Ok(Self { child, end, said })
    }

    /// Waits until this works, as long as it runs.
    pub(super) async fn until<T, F: Future<Output = anyhow::Result<T>>>(
        &mut self,
        try_it: impl Fn() -> F,
    ) -> anyhow::Result<T> {
        let begun = Instant::now();
        loop {
            let error = match try_it().await {
                Ok(works) => return Ok(works),
                Err(error) => error,
            };
            if let Some(ended) = self.child.try_wait()? {
                let said = std::fs::read_to_string(&self.said).unwrap_or_default();
                bail!("it ended at once: {ended}\n{}", said.trim());
            }
            if begun.elapsed() > WAIT_MAX {
                return Err(error.context("it does not answer"));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// CPU time of it and of its children so far, in clock ticks.
    pub(super) fn ticks(&self) -> u64 {
        crate::load::cpu::ticks_of_family(self.child.id())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = kill_process(Pid::from_child(&self.child), self.end);
        let begun = Instant::now();
        while begun.elapsed() < WAIT_MAX && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port of loopback that nobody has now.
pub(super) fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("looking for a free port")?;
    Ok(listener.local_addr()?.port())
}

/// A program in one of these directories or in the path.
pub(super) fn find(program: &str, package: &str, directories: &[PathBuf]) -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let candidates = directories.iter().chain(&path).map(|directory| directory.join(program));
    let found = candidates.into_iter().find(|candidate: &PathBuf| Path::is_file(candidate));
    found.ok_or_else(|| anyhow!("{program} is not installed. On Debian or Ubuntu: sudo apt-get install -y {package}"))
}
