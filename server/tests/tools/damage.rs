//! Copies of a sound directory, each damaged in its own way: what is found, and where.

use usher_engine::{
    codec::PayloadWriter,
    event::Event,
    ids::{HoldId, Reference, ShowNumber},
    time::Timestamp,
};
use usher_wal::{Log as _, RocksStore, ShardId};

use super::*;

/// A copy of it, which goes with the test.
fn copy(of: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    copy_into(of, to.path());
    to
}

fn copy_into(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy_into(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}

/// RocksDB's own log, where the newest frames are.
fn newest_frames(data: &Path) -> PathBuf {
    let logs = fs::read_dir(data.join("rocksdb")).unwrap().map(|entry| entry.unwrap().path());
    let logs = logs.filter(|path| path.extension().is_some_and(|extension| extension == "log"));
    logs.max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap()
}

/// Both tools end with 1; what they print for people.
#[track_caller]
fn found_in(data: &Path) -> (String, String) {
    let (verify, doctor) = (says(data, "log verify", 1), says(data, "doctor", 1));
    assert!(verify.contains("DAMAGED") && doctor.contains("PROBLEM"), "{verify}{doctor}");
    (verify, doctor)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_copy_is_found() {
    let (sound, _) = sold_out_directory(1, 100).await;
    let inspected = json_lines(&says(sound.path(), "log inspect --json", 0));
    let last = inspected[0]["last_lsn"].as_u64().unwrap();

    // After an orderly end RocksDB refuses it by itself; after an interruption the watermark does.
    fs::remove_file(sound.path().join("clean")).unwrap();
    let cut = copy(sound.path());
    let path = newest_frames(cut.path());
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let (verify, doctor) = found_in(cut.path());
    let lost = format!("but LSN {last} was acknowledged: durable frames are lost; restore the shard");
    assert!(verify.contains("shard 0 ends at LSN") && verify.contains(&lost), "{verify}");
    assert!(doctor.contains(&lost) && doctor.contains("-> restore shard 0"), "{doctor}");
    says(cut.path(), "log inspect", 1);
    // Until the damage it can be read.
    assert!(says(cut.path(), "log export", 1).lines().count() > 50);

    let flipped = copy(sound.path());
    let mut bytes = bytes;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(newest_frames(flipped.path()), &bytes).unwrap();
    let (verify, doctor) = found_in(flipped.path());
    assert!(verify.contains("restore"), "{verify}");
    assert!(doctor.contains("-> restore"), "{doctor}");

    let gone = copy(sound.path());
    fs::remove_file(gone.path().join("acknowledged")).unwrap();
    let (verify, doctor) = found_in(gone.path());
    assert!(
        verify.contains("acknowledged is missing") && doctor.contains("acknowledged is missing"),
        "{verify}{doctor}"
    );
}

/// Frames that are whole and in order, but say what cannot be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_that_make_no_sense_are_found() {
    let (data, _) = sold_out_directory(1, 10).await;
    let mut payload = PayloadWriter::default();
    let (order, payment) = (Reference::order("o").unwrap(), Reference::payment("p").unwrap());
    let hold_id = HoldId::new(&[9; 16]).unwrap();
    payload.push(ShowNumber(0), &Event::HoldConfirmed { hold_id, order, payment, places: None }, Timestamp(0));
    let store = RocksStore::open(data.path(), 1.try_into().unwrap()).unwrap();
    let mut log = store.log(ShardId(0)).unwrap();
    let lsn = log.append(log.tail().clock_ms, payload.bytes()).unwrap();
    drop((log, store));
    let verify = says(data.path(), "log verify", 1);
    let found = format!("DAMAGED: LSN {lsn} of shard 0 was rejected: its events do not fit what was before them");
    assert!(verify.contains(&found) && verify.contains("restore the shard"), "{verify}");
    // They can be read all the same.
    let last = says(data.path(), "log tail --limit 1", 0);
    assert!(last.contains("sold all it had, order o"), "{last}");
}
