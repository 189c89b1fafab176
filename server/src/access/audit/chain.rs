//! How the lines of the trail hang together, and whether they do.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail, ensure};
use aws_lc_rs::digest;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Entry;

/// Where a trail is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Of the last entry; 0 if there is none.
    pub number: u64,
    /// Its hash; empty if there is none.
    pub hash: String,
}

/// A sound line, and the hash in it.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// With its end.
    pub text: &'a str,
    /// Of its entry.
    pub hash: &'a str,
}

#[derive(Deserialize)]
struct Line<'a> {
    hash: String,
    #[serde(borrow)]
    entry: &'a RawValue,
}

impl Position {
    /// Appends an entry's line to a text.
    pub(super) fn follow(&mut self, entry: Entry, text: &mut Vec<u8>) -> io::Result<()> {
        let entry = Entry { number: self.number + 1, previous: std::mem::take(&mut self.hash), ..entry };
        let own = serde_json::to_string(&entry)?;
        *self = Self { number: entry.number, hash: hash(&own) };
        writeln!(text, "{}", line_of(&self.hash, &own))
    }
}

/// Reads a trail from its first file on, hands each entry over, and says where it ends. The first file need not be the
/// trail's first one.
///
/// # Errors
/// Which line was changed, added or left out.
pub fn verify(
    directory: &Path,
    mut each: impl FnMut(Told<'_>, Entry) -> anyhow::Result<()>,
) -> anyhow::Result<Position> {
    let mut last: Option<Position> = None;
    for path in files(directory)? {
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        for (number, line) in text.split_inclusive('\n').enumerate() {
            let place = || format!("{}:{}", path.display(), number + 1);
            let (entry, position) = read(line).with_context(place)?;
            if let Some(last) = &last {
                let follows = entry.number == last.number + 1 && entry.previous == last.hash;
                ensure!(follows, "{}: it does not follow the line before: one was changed, added or left out", place());
            }
            each(Told { text: line, hash: &position.hash }, entry)?;
            last = Some(position);
        }
    }
    last.with_context(|| format!("there is no audit trail in {}", directory.display()))
}

/// Where a trail ends. What of a last line was not written is cut off.
pub(super) fn end(directory: &Path) -> anyhow::Result<Position> {
    for path in files(directory)?.into_iter().rev() {
        let text = fs::read(&path)?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        if whole < text.len() {
            fs::OpenOptions::new().write(true).open(&path)?.set_len(whole as u64)?;
        }
        let text = std::str::from_utf8(&text[..whole]).with_context(|| path.display().to_string())?;
        if let Some(line) = text.lines().next_back() {
            return Ok(read(&format!("{line}\n")).with_context(|| path.display().to_string())?.1);
        }
    }
    Ok(Position::default())
}

fn read(line: &str) -> anyhow::Result<(Entry, Position)> {
    let Some(line) = line.strip_suffix('\n') else { bail!("the line is cut off") };
    let Line { hash: said, entry: raw } = serde_json::from_str(line)?;
    ensure!(hash(raw.get()) == said, "the entry is not the one that the hash is of");
    ensure!(line == line_of(&said, raw.get()), "more stands there than the entry and its hash, and no hash is of that");
    let entry: Entry = serde_json::from_str(raw.get())?;
    let position = Position { number: entry.number, hash: said };
    Ok((entry, position))
}

/// The one form of a line: what is not the entry is as little anybody's choice as the entry.
fn line_of(hash: &str, entry: &str) -> String {
    format!("{{\"hash\":\"{hash}\",\"entry\":{entry}}}")
}

/// The files of a trail, the oldest first.
pub(super) fn files(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(directory).with_context(|| directory.display().to_string())?;
    let mut files: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort_unstable();
    Ok(files)
}

/// The file that begins with this entry.
pub(super) fn file(directory: &Path, first: u64) -> PathBuf {
    directory.join(format!("audit-{first:012}.jsonl"))
}

fn hash(text: &str) -> String {
    digest::digest(&digest::SHA256, text.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
