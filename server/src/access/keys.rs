//! API keys: the file of them, and finding the one that a caller shows.
//!
//! A key reads `usher_<id>_<secret>`: a public id, and 256 bits of the system's randomness. Of the secret only the SHA-256
//! is kept. That is enough: slow hashes protect what people choose, and nobody guesses 256 bits. Ids are no secret.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, ensure};
use aws_lc_rs::{digest, rand};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use super::{Caller, Grant, Secret, check_private};

/// In front of every key, so that scanners of sources find those that were left there.
pub const PREFIX: &str = "usher_";
/// Symbols of the name of a key.
const NAME_SYMBOLS_MAX: usize = 100;
/// Random bytes of an id and of a secret.
const ID_BYTES: usize = 6;
const SECRET_BYTES: usize = 32;

/// The file: JSON, written as a whole.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeysFile {
    /// The keys, the oldest first.
    pub keys: Vec<Key>,
}

/// A key, as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Key {
    /// The public id.
    pub id: String,
    /// For whom it was made.
    pub name: String,
    /// What it allows.
    #[serde(flatten)]
    pub grant: Grant,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: u64,
    /// Its secrets: one, or for a while after a rotation two.
    pub secrets: Vec<Hashed>,
}

/// A secret, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hashed {
    /// In URL-safe base64.
    sha256: String,
    /// The instant from which on it is no longer good, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<u64>,
}

impl KeysFile {
    /// Reads the file.
    ///
    /// # Errors
    /// When it is not there, is none, or can be read by everybody.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        check_private(path)?;
        let text = fs::read(path).with_context(|| path.display().to_string())?;
        serde_json::from_slice(&text).with_context(|| format!("{} is no file of keys", path.display()))
    }

    /// Changes the file, which is made if it may be new. Changes of several processes come one after the other.
    ///
    /// # Errors
    /// When it cannot be locked, read or written, or `change` fails; the old one is then left.
    pub fn change<T>(
        path: &Path,
        may_be_new: bool,
        change: impl FnOnce(&mut Self) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        // Beside the file, which is another one after each change.
        let lock = path.with_extension("lock");
        let named = || format!("locking {}", lock.display());
        let mut held = fs::OpenOptions::new();
        let held = held.write(true).create(true).truncate(false).mode(0o600).open(&lock).with_context(named)?;
        held.lock().with_context(named)?;
        let mut file = if may_be_new && !path.exists() { Self::default() } else { Self::read(path)? };
        let done = change(&mut file)?;
        file.write(path)?;
        Ok(done)
    }

    /// Writes the file durably and at once, for its owner alone. Where others may change it: [`Self::change`].
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        let (new, named) = (path.with_extension("new"), || format!("writing {}", path.display()));
        let mut file = fs::OpenOptions::new();
        let mut file = file.write(true).create(true).truncate(true).mode(0o600).open(&new).with_context(named)?;
        file.write_all(&serde_json::to_vec_pretty(self)?).and_then(|()| file.sync_all()).with_context(named)?;
        fs::rename(&new, path).with_context(named)?;
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::File::open(directory).and_then(|directory| directory.sync_all()).with_context(named)
    }

    /// A new key; what it returns is shown once and never again.
    ///
    /// # Errors
    /// When the name cannot stand in a line, the grant is for nothing, or the system has no randomness.
    pub fn create(&mut self, name: &str, grant: Grant) -> anyhow::Result<Secret> {
        let can_be_read = (1..=NAME_SYMBOLS_MAX).contains(&name.chars().count()) && !name.chars().any(char::is_control);
        ensure!(can_be_read, "a name has 1 to {NAME_SYMBOLS_MAX} symbols, and none that moves the cursor");
        grant.check()?;
        let id = random::<ID_BYTES>()?.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let (key, hashed) = new_secret(&id)?;
        let (name, created_ms) = (name.to_owned(), now_ms());
        self.keys.push(Key { id, name, grant, created_ms, secrets: vec![hashed] });
        Ok(key)
    }

    /// A new secret for a key. The old one is good for `overlap` more.
    ///
    /// # Errors
    /// When there is no such key, or the system has no randomness.
    pub fn rotate(&mut self, id: &str, overlap: Duration) -> anyhow::Result<Secret> {
        let key = self.keys.iter_mut().find(|key| key.id == id).with_context(|| format!("there is no key {id}"))?;
        let (secret, hashed) = new_secret(id)?;
        let until = now_ms() + u64::try_from(overlap.as_millis()).unwrap_or(u64::MAX / 2);
        key.secrets.retain(|old| old.until_ms.is_none());
        key.secrets.iter_mut().for_each(|old| old.until_ms = Some(until));
        key.secrets.push(hashed);
        Ok(secret)
    }

    /// Takes a key back.
    ///
    /// # Errors
    /// When there is none.
    pub fn revoke(&mut self, id: &str) -> anyhow::Result<()> {
        let before = self.keys.len();
        self.keys.retain(|key| key.id != id);
        ensure!(self.keys.len() < before, "there is no key {id}");
        Ok(())
    }
}

/// The keys in force, each with the caller that it makes.
#[derive(Debug, Default)]
pub(super) struct Keys(Vec<(Key, Arc<Caller>)>);

impl Keys {
    /// Those of a file. Callers whose key is gone or means something else now are no longer valid.
    pub(super) fn of(file: KeysFile, before: &Self) -> Self {
        let caller = |key: &Key| Arc::new(Caller::new(format!("key:{}:{}", key.id, key.name), key.grant.clone()));
        let kept = |key: &Key| before.0.iter().find(|(old, _)| old == key).map(|(_, caller)| Arc::clone(caller));
        let now: Vec<_> = file.keys.into_iter().map(|key| (kept(&key).unwrap_or_else(|| caller(&key)), key)).collect();
        let gone = before.0.iter().filter(|(_, old)| !now.iter().any(|(new, _)| Arc::ptr_eq(new, old)));
        gone.for_each(|(_, old)| old.is_valid.store(false, std::sync::atomic::Ordering::Relaxed));
        Self(now.into_iter().map(|(caller, key)| (key, caller)).collect())
    }

    /// Whose key this is. What is wrong with it is not told: id and secret are one.
    pub(super) fn find(&self, shown: &str) -> Option<Arc<Caller>> {
        let (id, secret) = halves(shown)?;
        let (key, caller) = self.0.iter().find(|(key, _)| key.id == id)?;
        let (shown, now) = (hash(secret), now_ms());
        let live = key.secrets.iter().filter(|known| known.until_ms.is_none_or(|until| now < until));
        // Every one is compared, each in constant time.
        let fits =
            live.fold(subtle::Choice::from(0), |fits, known| fits | known.sha256.as_bytes().ct_eq(shown.as_bytes()));
        bool::from(fits).then(|| Arc::clone(caller))
    }
}

/// The id and the secret of a key.
fn halves(shown: &str) -> Option<(&str, &str)> {
    shown.strip_prefix(PREFIX)?.split_once('_')
}

/// The id in what somebody shows as his key, as far as it is one by its form.
pub(super) fn shown_id(shown: &str) -> Option<&str> {
    let (id, _) = halves(shown)?;
    (id.len() == 2 * ID_BYTES && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(id)
}

fn new_secret(id: &str) -> anyhow::Result<(Secret, Hashed)> {
    let secret = URL_SAFE_NO_PAD.encode(random::<SECRET_BYTES>()?);
    let hashed = Hashed { sha256: hash(&secret), until_ms: None };
    Ok((Secret::new(format!("{PREFIX}{id}_{secret}")), hashed))
}

fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).ok().context("the system gives no random bytes")?;
    Ok(bytes)
}

fn hash(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, secret.as_bytes()))
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_several_change_at_once_is_all_in_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys.json");
        let first = KeysFile::change(&path, true, |file| file.create("first", Grant::everything())).unwrap();
        let id = first.reveal().split('_').nth(1).unwrap().to_owned();
        std::thread::scope(|scope| {
            scope.spawn(|| KeysFile::change(&path, false, |file| file.revoke(&id)).unwrap());
            for _ in 0..8 {
                scope.spawn(|| KeysFile::change(&path, true, |file| file.create("web", Grant::everything())).unwrap());
            }
        });
        let names: Vec<String> = KeysFile::read(&path).unwrap().keys.into_iter().map(|key| key.name).collect();
        assert_eq!(names, vec!["web"; 8]);
    }

    #[test]
    fn a_key_is_found_until_it_is_revoked_and_the_old_secret_until_the_rotation_is_over() {
        let mut file = KeysFile::default();
        let key = file.create("web", Grant::everything()).unwrap();
        let again = |file: &KeysFile| serde_json::from_str(&serde_json::to_string(file).unwrap()).unwrap();
        let first = Keys::of(again(&file), &Keys::default());
        let caller = first.find(key.reveal()).unwrap();
        let id = file.keys[0].id.clone();
        assert!(
            first.find(&format!("usher_{id}_wrong")).is_none() && first.find(&id).is_none() && first.find("").is_none()
        );
        let new = file.rotate(&id, Duration::from_secs(60)).unwrap();
        let both = Keys::of(again(&file), &first);
        assert!(both.find(key.reveal()).is_some() && both.find(new.reveal()).is_some());
        file.rotate(&id, Duration::ZERO).unwrap();
        assert!(Keys::of(again(&file), &both).find(new.reveal()).is_none());
        file.revoke(&id).unwrap();
        assert!(Keys::of(again(&file), &first).find(key.reveal()).is_none());
        assert!(caller.check_valid().is_err(), "streams of it end");
        assert!(file.revoke(&id).is_err());
        assert!(!format!("{key:?}").contains(key.reveal()));
    }
}
