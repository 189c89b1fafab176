//! Restores: to a time, of one shard, in place; and that looking changes nothing.

use std::{
    cmp::Ordering,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
};

use super::*;

/// A moment in the middle of a log: an LSN of a shard, and the second that it ended in.
fn middle(place: &Place, shard: usize) -> (u64, String) {
    let events = place.lines(&format!("log export --shard {shard}"), 0);
    let middle = &events[events.len() / 2];
    (middle["lsn"].as_u64().unwrap(), text(&middle["time"]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn looking_changes_nothing_and_says_what_would_be_lost() {
    let place = Place::new();
    place.sell(200).await;
    let (before, (lsn, _)) = (place.files("data"), middle(&place, 0));
    let words = format!("restore --from data --shard 0 --to-lsn {lsn} --in-place data --dry-run");
    let found = place.json(&words);
    let (shard, other) = (&found["shards"][0], &found["shards"][1]);
    assert_eq!((&shard["lsn"], &other["stays"]), (&lsn.into(), &true.into()));
    // Every sale behind the LSN, and no other.
    let events = place.lines(&format!("log export --shard 0 --from {}", lsn + 1), 0);
    let sold = events.iter().filter(|event| event["event"] == "HoldConfirmed").map(|event| text(&event["order"]));
    let mut sold: Vec<String> = sold.collect();
    let holds = shard["shows"].as_array().unwrap().iter().flat_map(|show| show["holds"].as_array().unwrap());
    let mut lost: Vec<String> =
        holds.filter(|hold| hold["change"] == "sale_lost").map(|hold| text(&hold["order"])).collect();
    sold.sort();
    lost.sort();
    assert!(!sold.is_empty() && sold == lost, "{sold:?} {lost:?}");
    // For people it is bounded.
    let (said, _) = place.says(&format!("{words} --limit 2"), 0);
    assert!(said.contains("sales lost") && said.contains("more; --limit or --json says all"), "{said}");
    assert!(said.contains("nothing was changed") && said.contains("sold -> available"), "{said}");
    assert!(said.contains("usher log export --data-dir") && said.lines().count() < 60, "{said}");
    let show = text(&shard["shows"][0]["show_id"]);
    let of_show = place.json(&format!("restore --from data --to-lsn 0:{lsn} --dry-run --show {show}"));
    assert_eq!(of_show["shows"][0]["holds"], shard["shows"][0]["holds"]);
    assert_eq!((place.files("data"), place.path("data.restoring").exists()), (before, false));
    assert_eq!(fs::read_dir(place.0.path()).unwrap().count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_place_the_server_must_be_stopped_and_what_was_there_is_kept() {
    let place = Place::new();
    place.sell(100).await;
    place.back_up();
    let at_backup = place.verified("data");
    let (mut server, address) = place.serve();
    let before = place.files("data").len();
    let (_, err) = place.says("restore --from backups --in-place data --yes", 1);
    assert!(err.contains("is in use; stop the process that has it open"), "{err}");
    assert!(place.files("data").len() >= before);
    let mut clients = common::Clients::connect(address).await;
    let (hold, buyer) = (9_999_999, "late");
    clients
        .inventory
        .hold_seats(common::wire::hold("gala", hold, buyer, common::wire::seats(&[90_000])))
        .await
        .unwrap();
    server.terminate();
    server.wait();
    let (now, files) = (place.verified("data"), place.files("data"));
    assert_ne!(now, at_backup);

    let (_, err) = place.says("restore --from backups --in-place data", 2);
    assert!(err.contains("say --yes") && place.files("data") == files, "{err}");
    let done = place.json("restore --from backups --in-place data --yes");
    assert_eq!(place.verified("data"), at_backup);
    let kept = PathBuf::from(text(&done["kept"]));
    let kept = kept.file_name().unwrap().to_str().unwrap();
    assert!(kept.starts_with("data.replaced-"), "{kept}");
    assert_eq!(place.verified(kept), now);
    // It goes on from there, and forgets nothing that it was restored with; its epoch is above all that there were.
    let epochs = |name: &str| {
        let shards = place.lines(&format!("log inspect --data-dir {name}"), 0);
        shards.iter().map(|own| own["epoch"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert!(epochs("data").iter().zip(epochs(kept)).all(|(new, old)| *new >= old));
    let (mut server, address) = place.serve();
    let mut clients = common::Clients::connect(address).await;
    clients
        .inventory
        .hold_seats(common::wire::hold("gala", hold, "other", common::wire::seats(&[90_000])))
        .await
        .unwrap();
    server.terminate();
    assert!(server.wait().success());
    assert!(epochs("data").iter().zip(epochs(kept)).all(|(new, old)| *new > old));
    // It is still the directory that it was: its backups go on where they ended, since that is what was restored.
    let (out, _) = place.says("backup create", 0);
    assert!(out.contains("incremental"), "{out}");
    assert!(place.lines("backup verify --all", 0).iter().all(|own| own["sound"] == true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_shard_goes_back_and_the_other_stays() {
    let place = Place::new();
    place.sell(200).await;
    place.back_up();
    let (before, (lsn, _)) = (place.verified("data"), middle(&place, 1));
    place.says(&format!("restore --from backups --shard 1 --to-lsn {lsn} --in-place data --yes"), 0);
    let after = place.verified("data");
    assert_eq!((&after[0], after[1].1), (&before[0], lsn));
    // The same into a new directory, from the directory that was kept.
    let kept = fs::read_dir(place.0.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let kept = kept.into_iter().find(|name| name.starts_with("data.replaced-")).unwrap();
    place.says(&format!("restore --from {kept} --shard 1 --to-lsn {lsn} --into looked-at"), 0);
    assert_eq!(place.verified("looked-at"), after);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_time_is_that_of_the_last_frame_before_it() {
    let place = Place::new();
    let (mut server, address) = place.serve();
    let sale = Sale::start(address).await;
    // Times are given to the second.
    tokio::time::sleep(Duration::from_millis(2_200)).await;
    sale.end().await;
    server.terminate();
    server.wait();
    place.back_up();
    let (_, time) = middle(&place, 0);
    let expected: Vec<u64> = (0..SHARDS)
        .map(|shard| {
            let events = place.lines(&format!("log export --shard {shard}"), 0);
            // Up to the first millisecond of that second, which `--until` leaves out.
            let is_first = |event: &&Value| event["clock_ms"].as_u64().unwrap().is_multiple_of(1_000);
            let is_before = |event: &&Value| match text(&event["time"]).cmp(&time) {
                Ordering::Less => true,
                Ordering::Equal => is_first(event),
                Ordering::Greater => false,
            };
            events.iter().filter(is_before).map(|event| event["lsn"].as_u64().unwrap()).max().unwrap_or(0)
        })
        .collect();
    assert!(expected[0] > 0, "{time}");
    place.says(&format!("restore --from backups --to-time {time} --into then"), 0);
    let found: Vec<u64> = place.verified("then").iter().map(|(_, lsn)| *lsn).collect();
    assert_eq!(found, expected);
    for wrong in ["--to-time yesterday", "--to-time +10m", "--to-lsn x", "--to-lsn 3 --to-time 1s", "--to-lsn 3"] {
        place.says(&format!("restore --from backups {wrong} --into wrong"), 2);
    }
    let (_, err) = place.says("restore --from backups --to-time 2199-01-01T00:00:00Z --into wrong", 2);
    assert!(err.contains("in the future; the newest frame is of 20"), "{err}");
    let (_, err) = place.says("restore --from backups --to-time 1ms --into wrong", 1);
    assert!(err.contains("later than the backup, which was made at") && err.contains("newest frame is of"), "{err}");
    place.says("restore --from backups", 2);
    let (_, err) = place.says("restore --from backups --into then", 1);
    assert!(err.contains("is not empty"), "{err}");
    assert!(!place.path("wrong").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_compared_is_no_difference_and_no_sameness() {
    let place = Place::new();
    place.sell(20).await;
    place.back_up();
    fs::remove_file(place.path("data/format")).unwrap();
    for words in ["--in-place data", "--into new --data-dir data", "--into data-2 --data-dir data-2"] {
        let words = format!("restore --from backups {words} --dry-run");
        let (said, _) = place.says(&words, 0);
        assert!(said.contains("not compared: what there is now cannot be read: "), "{said}");
        assert!(!said.contains("nothing differs") && !said.contains("now at LSN"), "{said}");
        assert!(place.json(&words)["shards"].as_array().unwrap().iter().all(|own| own["compared"] == false));
    }
    let (said, _) = place.says("restore --from backups --into new --dry-run", 0);
    assert!(said.contains("nothing differs") && !said.contains("usher log export"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn directories_that_are_not_apart_are_refused_before_anything_is_done() {
    let place = Place::new();
    place.sell(4).await;
    place.back_up();
    let before = (place.files("data"), place.files("backups"));
    for words in [
        "backup create --backups data",
        "backup create --backups data/backups",
        "backup create --backups .",
        "restore --from backups --into backups/new",
        "restore --from data --into data/new",
        "restore --from data --into data",
        "restore --from backups --into data/new --data-dir data",
        "restore --from data/rocksdb --in-place data --yes",
        "restore --from . --in-place data --yes",
        "restore --from backups --into /proc",
    ] {
        let (_, err) = place.says(words, 2);
        assert!(err.contains("apart") || err.contains("mount point"), "{words}: {err}");
    }
    assert_eq!((place.files("data"), place.files("backups")), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_root_restores_belongs_to_whom_it_belonged_to() {
    let place = Place::new();
    place.sell(4).await;
    place.back_up();
    fs::set_permissions(place.path("data"), fs::Permissions::from_mode(0o750)).unwrap();
    let is_root = fs::metadata(place.0.path()).unwrap().uid() == 0;
    let user = if is_root { 12_345 } else { fs::metadata(place.0.path()).unwrap().uid() };
    if is_root {
        give(&place.path("data"), user);
        chown(place.0.path(), Some(user), Some(user)).unwrap();
    }
    place.says("restore --from backups --in-place data --yes", 0);
    place.says("restore --from data --show gala --to-time 1ms --in-place data --yes", 0);
    place.says("reshard --data-dir data --shards 3", 0);
    place.says("restore --from backups --into new", 0);
    for name in ["data", "new"] {
        let files = place.files(name);
        let foreign = files.keys().find(|path| fs::metadata(path).unwrap().uid() != user);
        assert_eq!(foreign, None);
    }
    let mode = |name: &str| fs::metadata(place.path(name)).unwrap().mode() & 0o777;
    assert_eq!((mode("data"), mode("new")), (0o750, 0o700));
}

fn give(path: &Path, user: u32) {
    if path.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| give(&entry.unwrap().path(), user));
    }
    chown(path, Some(user), Some(user)).unwrap();
}
