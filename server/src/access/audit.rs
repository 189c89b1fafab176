//! The audit trail: calls of organisers and operators, and refusals, in files of JSON lines of their own.
//!
//! Each line is `{"hash": …, "entry": …}`, where the hash is the SHA-256 of the entry's very text and the entry has the hash
//! before it: whoever knows the last hash knows whether a line was changed, added or left out. A thread writes and syncs
//! them; nobody waits for it. Not every refusal has a line ([`refusals`]), but each is counted: a flood of them does not
//! fill the disk. Files are never deleted here; the oldest may be moved away.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tonic::Code;

use self::{chain::Position, refusals::Refusals};

pub mod chain;
mod refusals;

/// Bytes of a file after which the next one begins, if nothing else is set.
const FILE_BYTES: u64 = 16 << 20;
/// Lines that wait to be written.
const WAITING_MAX: usize = 4_096;
/// Between two log lines about entries that are lost.
const SAID_INTERVAL: Duration = Duration::from_secs(10);

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
    /// Entries before this one that could not be written: the disk was full, or the writing too slow.
    #[serde(default, skip_serializing_if = "is_none")]
    pub entries_lost: u64,
    /// The hash of the entry before.
    pub previous: String,
}

/// The trail's end, to which lines are handed.
pub(crate) struct Audit {
    lines: SyncSender<Entry>,
    /// Entries that are not in it.
    lost: Arc<AtomicU64>,
    refusals: Mutex<Refusals>,
}

impl Audit {
    /// Goes on with the trail of a directory.
    ///
    /// # Errors
    /// When it cannot be read or written, or its last line is damaged.
    pub(crate) fn open(directory: &Path, file_bytes: Option<u64>) -> anyhow::Result<Self> {
        let lost = Arc::<AtomicU64>::default();
        let writer = Writer::open(directory, file_bytes.unwrap_or(FILE_BYTES), Arc::clone(&lost))
            .with_context(|| format!("the audit trail {}", directory.display()))?;
        let (lines, waiting) = sync_channel(WAITING_MAX);
        thread::Builder::new().name("usher-audit".to_owned()).spawn(move || writer.run(&waiting))?;
        Ok(Self { lines, lost, refusals: Mutex::new(Refusals::new()) })
    }

    /// A call was answered.
    pub(super) fn called(&self, who: &str, method: &str, show: Option<&str>, code: Code) {
        let result = if code == Code::Ok { "OK".to_owned() } else { format!("{code:?}") };
        if !self.hand_over(who, method, show, result, 0) {
            self.lost.fetch_add(1, Relaxed);
        }
    }

    /// Entries that are not in it since the process began.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Relaxed)
    }

    /// A call, or a show of a batch, was refused, of somebody who is known or of a stranger.
    pub(super) fn refused(&self, who: &str, is_known: bool, method: &str, show: Option<&str>, reason: &str) {
        let mut refusals = self.refusals.lock();
        let is_told = refusals.take_line(is_known.then_some(who))
            && self.hand_over(who, method, show, reason.to_owned(), refusals.untold);
        refusals.untold = if is_told { 0 } else { refusals.untold + 1 };
    }

    /// False where too many lines wait.
    fn hand_over(&self, who: &str, method: &str, show: Option<&str>, result: String, refusals_untold: u64) -> bool {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let at_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        // Callers choose the path; no more of it than the longest name of a method.
        let method = method.chars().take(128).collect();
        let (who, show, previous) = (who.to_owned(), show.map(str::to_owned), String::new());
        // Numbers, losses and hashes are the writer's.
        let entry = Entry { number: 0, at_ms, who, method, show, result, refusals_untold, entries_lost: 0, previous };
        self.lines.try_send(entry).is_ok()
    }
}

/// Writes the lines.
struct Writer {
    directory: PathBuf,
    file: File,
    bytes: u64,
    bytes_max: u64,
    last: Position,
    lost: Arc<AtomicU64>,
    /// Of those, what the trail tells of.
    told: u64,
    /// When it was said that there are some, and how many.
    said: Option<(Instant, u64)>,
}

impl Writer {
    fn open(directory: &Path, bytes_max: u64, lost: Arc<AtomicU64>) -> anyhow::Result<Self> {
        fs::create_dir_all(directory)?;
        let last = chain::end(directory)?;
        let path = chain::files(directory)?.pop().unwrap_or_else(|| chain::file(directory, last.number + 1));
        let file = append(&path)?;
        let bytes = file.metadata()?.len();
        let (directory, told, said) = (directory.to_owned(), 0, None);
        Ok(Self { directory, file, bytes, bytes_max, last, lost, told, said })
    }

    /// Until nobody can hand over lines any more.
    fn run(mut self, waiting: &Receiver<Entry>) {
        while let Ok(first) = waiting.recv() {
            let mut lines = vec![first];
            lines.extend(waiting.try_iter().take(WAITING_MAX));
            let count = lines.len() as u64;
            let error = self.write(lines).err();
            if error.is_some() {
                self.lost.fetch_add(count, Relaxed);
            }
            self.say_what_is_lost(error);
        }
    }

    /// Now and then, if there is more than was said.
    fn say_what_is_lost(&mut self, error: Option<io::Error>) {
        let lost = self.lost.load(Relaxed);
        let is_known = self.said.map_or(lost == 0, |(at, said)| said == lost || at.elapsed() < SAID_INTERVAL);
        if !is_known {
            let error = error.map_or_else(|| "it is not written fast enough".to_owned(), |error| error.to_string());
            tracing::error!(error, lost, "calls are missing in the audit trail");
            self.said = Some((Instant::now(), lost));
        }
    }

    fn write(&mut self, entries: Vec<Entry>) -> io::Result<()> {
        if self.bytes >= self.bytes_max {
            self.file = append(&chain::file(&self.directory, self.last.number + 1))?;
            self.bytes = 0;
        }
        let (mut text, mut last, lost) = (Vec::new(), self.last.clone(), self.lost.load(Relaxed));
        for (position, entry) in entries.into_iter().enumerate() {
            let entries_lost = if position == 0 { lost - self.told } else { 0 };
            last.follow(Entry { entries_lost, ..entry }, &mut text)?;
        }
        if let Err(error) = self.file.write_all(&text).and_then(|()| self.file.sync_data()) {
            // What is there of it would be in the midst of the next line.
            self.file.set_len(self.bytes)?;
            return Err(error);
        }
        self.bytes += text.len() as u64;
        (self.last, self.told) = (last, lost);
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
