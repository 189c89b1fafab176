//! Damaged backups and data directories, and processes that are killed in the middle.

use super::*;

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 0x10;
    fs::write(path, bytes).unwrap();
}

/// The largest file of a shard in a part of the backups.
fn largest(place: &Place, part: &str) -> PathBuf {
    let files = place.files(&format!("backups/{part}"));
    files.into_iter().max_by_key(|(_, (bytes, _))| *bytes).unwrap().0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_segment_is_refused_with_file_lsn_and_remedy() {
    let place = Place::new();
    place.sell(100).await;
    let made = place.back_up();
    let segment = largest(&place, "segments");
    let shard = segment.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
    flip(&segment, usize::try_from(fs::metadata(&segment).unwrap().len() / 2).unwrap());
    let verdicts = place.lines("backup verify", 1);
    let verdict = verdicts.iter().find(|own| own["sound"] == false).unwrap();
    let problem = text(&verdict["problem"]);
    let named = segment.strip_prefix(place.0.path()).unwrap().display().to_string();
    assert!(problem.contains(&named) && problem.contains("restore from another backup"), "{problem}");
    let lsn: u64 = problem.split_once("at LSN ").unwrap().1.split([':', ' ']).next().unwrap().parse().unwrap();
    let to = made["shards"][shard.parse::<usize>().unwrap()]["to_lsn"].as_u64().unwrap();
    assert!(lsn > 1 && lsn < to, "{problem}");
    let (_, err) = place.says("restore --from backups --into new", 1);
    assert!(err.contains(&named) && err.contains(&format!("of shard {shard} is damaged at LSN {lsn}: ")), "{err}");
    assert!(!place.path("new").exists() && !place.path("new.restoring").exists());
    // Up to there it is as good as ever.
    place.says(&format!("restore --from backups --to-lsn {shard}:{} --into new", lsn - 1), 0);
    let (said, _) = place.says("backup verify", 1);
    assert!(said.contains("DAMAGED") && said.contains(": sound"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_that_refuses_to_open_is_restored_as_far_as_it_is_sound() {
    let place = Place::new();
    let (mut server, address) = place.serve();
    let sale = Sale::start(address).await;
    sale.wait_for(100).await;
    sale.end().await;
    // The watermark is written at most 100 ms behind.
    thread::sleep(Duration::from_millis(300));
    server.kill();
    server.wait();
    let wals =
        place.files("data/rocksdb").into_iter().filter(|(path, _)| path.extension().is_some_and(|end| end == "log"));
    let (wal, (bytes, _)) = wals.max_by_key(|(_, (bytes, _))| *bytes).unwrap();
    let whole = fs::read(&wal).unwrap();
    fs::write(&wal, &whole[..usize::try_from(bytes * 3 / 4).unwrap()]).unwrap();
    assert!(run(place.usher("log verify --data-dir data")).0 == Some(1));
    let before = place.files("data");
    let (said, err) = place.says("restore --from data --in-place data --yes", 1);
    assert!(said.contains("LOSS") && err.contains("--accept-loss"), "{said}{err}");
    assert_eq!(place.files("data"), before, "nothing was changed");
    let (said, _) = place.says("restore --from data --in-place data --yes --accept-loss", 0);
    assert!(said.contains("was acknowledged: durable frames are lost") && said.contains("is kept"), "{said}");
    place.verified("data");
    let (mut server, _) = place.serve();
    server.terminate();
    assert!(server.wait().success());
}

/// Killed at many moments: there is either a whole backup more or none, and the next one goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_is_killed_is_none() {
    let place = Place::new();
    place.sell(400).await;
    let mut before = 0;
    for round in 0..12u64 {
        let mut child = place.usher("backup create").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_millis(round * 7));
        let _ = child.kill();
        child.wait().unwrap();
        if !place.path("backups/usher-backups").exists() {
            continue;
        }
        let listed = place.lines("backup list", 0);
        assert!((before..=before + 1).contains(&listed.len()), "{before} and then {}", listed.len());
        before = listed.len();
        if before > 0 {
            assert!(place.lines("backup verify", 0).iter().all(|own| own["sound"] == true));
        }
    }
    place.back_up();
    let left: Vec<PathBuf> =
        place.files("backups").into_keys().filter(|path| path.extension().is_some_and(|end| end == "new")).collect();
    assert_eq!(left, Vec::<PathBuf>::new());
    place.says("restore --from backups --into new", 0);
    assert_eq!(place.verified("new"), place.verified("data"));
}

/// Killed at many moments: the place has the old directory or the new one, and never half of one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_that_is_killed_leaves_one_or_the_other() {
    let place = Place::new();
    place.sell(400).await;
    place.back_up();
    let then = place.verified("data");
    let (mut server, address) = place.serve();
    let mut clients = common::Clients::connect(address).await;
    clients
        .inventory
        .hold_seats(common::wire::hold("gala", 77_777, "x", common::wire::seats(&[90_000])))
        .await
        .unwrap();
    server.terminate();
    server.wait();
    let now = place.verified("data");
    assert_ne!(then, now);
    for round in 0..12u64 {
        let words = ["restore --from backups --in-place data --yes", "restore --from backups --into new"];
        for words in words {
            let mut child = place.usher(words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            thread::sleep(Duration::from_millis(round * 15));
            let _ = child.kill();
            child.wait().unwrap();
        }
        let found = place.verified("data");
        assert!(found == now || found == then, "{found:?}");
        if place.path("new").exists() {
            assert_eq!(place.verified("new"), then);
            fs::remove_dir_all(place.path("new")).unwrap();
        }
        // What was kept is whole, too: one of the two.
        for entry in
            fs::read_dir(place.0.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap())
        {
            if entry.starts_with("data.replaced-") {
                let kept = place.verified(&entry);
                assert!(kept == now || kept == then, "{entry}");
                fs::remove_dir_all(place.path(&entry)).unwrap();
            }
        }
    }
    place.says("restore --from backups --in-place data --yes", 0);
    assert_eq!(place.verified("data"), then);
    assert!(!place.path("data.restoring").exists());
}

/// A log that was never trimmed says all that its snapshots say.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotten_snapshot_is_left_out_where_the_frames_suffice() {
    let place = Place::new();
    place.sell(20).await;
    place.back_up();
    let snapshot = largest(&place, "snapshots");
    flip(&snapshot, 40);
    place.says("backup verify", 1);
    let (_, err) = place.says("restore --from backups --into new", 0);
    let named = snapshot.strip_prefix(place.0.path()).unwrap().display().to_string();
    assert!(err.contains(&format!("warning: {named} is damaged and left out")), "{err}");
    assert_eq!(place.verified("new"), place.verified("data"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_sees_what_snapshots_and_backups_lack() {
    let place = Place::new();
    place.sell(20).await;
    place.back_up();
    let (said, _) = place.says("doctor --data-dir data --backups backups", 0);
    assert!(said.contains("the newest of each show is sound") && said.contains("all files are there"), "{said}");
    let segment = largest(&place, "segments");
    let whole = fs::read(&segment).unwrap();
    for rotten in [&whole[1..], &[]] {
        fs::write(&segment, rotten).unwrap();
        let (said, _) = place.says("doctor --data-dir data --backups backups", 1);
        assert!(said.contains("is not whole: ") && said.contains("usher backup verify --all"), "{said}");
    }
    fs::write(&segment, &whole).unwrap();
    place.says("restore --from backups --into new", 0);
    let (said, _) = place.says("doctor --data-dir new --backups backups", 1);
    assert!(said.contains("they are of the data directory") && !said.contains("frames behind"), "{said}");

    let snapshots = place.files("data/snapshots");
    snapshots.keys().for_each(|path| flip(path, 40));
    let (said, _) = place.says("doctor --data-dir data", 0);
    assert!(said.contains("warning  snapshots") && said.contains("is damaged: its checksum does not match"), "{said}");
    // As soon as the log is trimmed, it rests on them.
    let (mut server, address) = place.serve();
    for seat in [99_998, 99_999] {
        let hold = common::wire::hold("gala", u128::from(seat), "late", common::wire::seats(&[seat]));
        common::Clients::connect(address).await.inventory.hold_seats(hold).await.unwrap();
        take_snapshots(&place, address);
    }
    server.terminate();
    server.wait();
    place.files("data/snapshots").keys().for_each(|path| flip(path, 41));
    let found = place.lines("doctor --data-dir data", 1);
    let lacking = |finding: &Value| finding["values"]["lacking"].as_u64().unwrap_or(0);
    let lacking: u64 = found[0]["findings"].as_array().unwrap().iter().map(lacking).sum();
    assert!(lacking > 0, "{found:?}");
}
