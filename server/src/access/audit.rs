//! The audit trail: calls of organisers and operators, and refusals, in files of JSON lines of their own.
//!
//! Each line is `{"hash": …, "entry": …}`, where the hash is the SHA-256 of the entry's very text and the entry has the hash
//! before it: whoever knows the last hash knows whether a line was changed, added or left out. A thread writes and syncs
//! them; nobody waits for it. Refusals have a line a second at most, with the number of those that had none: a flood of
//! them does not fill the disk. Files are never deleted here; the oldest may be moved away.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tonic::Code;

use self::chain::Position;

pub mod chain;

/// Bytes of a file after which the next one begins, if nothing else is set.
const FILE_BYTES: u64 = 16 << 20;
/// Lines that wait to be written.
const WAITING_MAX: usize = 4_096;
/// Between two lines of refusals, after so many at once.
const REFUSAL_INTERVAL: Duration = Duration::from_secs(1);
const REFUSALS_AT_ONCE: u32 = 60;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Of the trail, one more with each.
    pub number: u64,
    /// When, in milliseconds since 1970, by this machine's clock.
    pub at_ms: u64,
    /// Who: never a secret.
    pub who: String,
    /// The method.
    pub method: String,
    /// The show that it was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub show: Option<String>,
    /// `OK`, the code of the answer, or the reason of the refusal.
    pub result: String,
    /// Refusals before this one that have no line.
    #[serde(default, skip_serializing_if = "is_none")]
    pub refusals_untold: u64,
    /// The hash of the entry before.
    pub previous: String,
}

/// The trail's end, to which lines are handed.
pub(crate) struct Audit {
    lines: SyncSender<Entry>,
    refusals: Mutex<Refusals>,
}

/// How many more lines there may be now.
struct Refusals {
    left: u32,
    counted: Instant,
    untold: u64,
}

impl Audit {
    /// Goes on with the trail of a directory.
    ///
    /// # Errors
    /// When it cannot be read or written, or its last line is damaged.
    pub(crate) fn open(directory: &Path, file_bytes: Option<u64>) -> anyhow::Result<Self> {
        let writer = Writer::open(directory, file_bytes.unwrap_or(FILE_BYTES))
            .with_context(|| format!("the audit trail {}", directory.display()))?;
        let (lines, waiting) = sync_channel(WAITING_MAX);
        thread::Builder::new().name("usher-audit".to_owned()).spawn(move || writer.run(&waiting))?;
        let refusals = Mutex::new(Refusals { left: REFUSALS_AT_ONCE, counted: Instant::now(), untold: 0 });
        Ok(Self { lines, refusals })
    }

    /// A call was answered.
    pub(super) fn called(&self, who: &str, method: &str, show: Option<&str>, code: Code) {
        let result = if code == Code::Ok { "OK".to_owned() } else { format!("{code:?}") };
        if !self.hand_over(who, method, show, result, 0) {
            tracing::error!(who, method, "the audit trail is not written fast enough: a call is missing in it");
        }
    }

    /// A call, or a show of a batch, was refused.
    pub(super) fn refused(&self, who: &str, method: &str, show: Option<&str>, reason: &str) {
        let mut refusals = self.refusals.lock();
        refusals.untold = match refusals.take() {
            Some(untold) if self.hand_over(who, method, show, reason.to_owned(), untold) => 0,
            Some(untold) => untold + 1,
            None => refusals.untold + 1,
        };
    }

    /// False where too many lines wait.
    fn hand_over(&self, who: &str, method: &str, show: Option<&str>, result: String, refusals_untold: u64) -> bool {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let at_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        // Callers choose the path; no more of it than the longest name of a method.
        let method = method.chars().take(128).collect();
        let (who, show, previous) = (who.to_owned(), show.map(str::to_owned), String::new());
        self.lines.try_send(Entry { number: 0, at_ms, who, method, show, result, refusals_untold, previous }).is_ok()
    }
}

impl Refusals {
    /// How many had no line, if there may be one now.
    fn take(&mut self) -> Option<u64> {
        let seconds = self.counted.elapsed().as_secs() / REFUSAL_INTERVAL.as_secs();
        if seconds > 0 {
            self.counted = Instant::now();
            self.left = u32::try_from(seconds).unwrap_or(u32::MAX).saturating_add(self.left).min(REFUSALS_AT_ONCE);
        }
        self.left = self.left.checked_sub(1)?;
        Some(self.untold)
    }
}

/// Writes the lines.
struct Writer {
    directory: PathBuf,
    file: File,
    bytes: u64,
    bytes_max: u64,
    last: Position,
}

impl Writer {
    fn open(directory: &Path, bytes_max: u64) -> anyhow::Result<Self> {
        fs::create_dir_all(directory)?;
        let last = chain::end(directory)?;
        let path = chain::files(directory)?.pop().unwrap_or_else(|| chain::file(directory, last.number + 1));
        let file = append(&path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { directory: directory.to_owned(), file, bytes, bytes_max, last })
    }

    /// Until nobody can hand over lines any more.
    fn run(mut self, waiting: &Receiver<Entry>) {
        while let Ok(first) = waiting.recv() {
            let mut lines = vec![first];
            lines.extend(waiting.try_iter().take(WAITING_MAX));
            if let Err(error) = self.write(lines) {
                tracing::error!(%error, "the audit trail cannot be written: calls are missing in it");
            }
        }
    }

    fn write(&mut self, entries: Vec<Entry>) -> io::Result<()> {
        if self.bytes >= self.bytes_max {
            self.file = append(&chain::file(&self.directory, self.last.number + 1))?;
            self.bytes = 0;
        }
        let mut text = Vec::new();
        let mut last = self.last.clone();
        for entry in entries {
            last.follow(entry, &mut text)?;
        }
        self.file.write_all(&text)?;
        self.file.sync_data()?;
        self.bytes += text.len() as u64;
        self.last = last;
        Ok(())
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests;
