//! One show put back; and restores of directories whose shows have gone from one shard to another.

use super::*;

/// Where a show is, and the LSN of an event of it in the middle of what happened to it.
fn middle_of(place: &Place, show: &str) -> (u64, u64) {
    let events = place.lines(&format!("log export --show {show}"), 0);
    let middle = &events[events.len() / 2];
    (middle["shard"].as_u64().unwrap(), middle["lsn"].as_u64().unwrap())
}

/// What a restore of a show to an LSN would undo.
#[track_caller]
fn difference(place: &Place, show: &str, (shard, lsn): (u64, u64)) -> Value {
    let found = place.json(&format!("restore --from data --show {show} --to-lsn {shard}:{lsn} --dry-run"));
    found["shows"].as_array().unwrap().first().cloned().unwrap_or_default()
}

fn holds(difference: &Value) -> usize {
    difference["holds"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_show_is_put_back_and_forth_while_all_others_stay() {
    let place = Place::new();
    place.sell(200).await;
    let at = middle_of(&place, "opera");
    let end = place.verified("data")[usize::try_from(at.0).unwrap()].1;
    let lost = difference(&place, "opera", at);
    assert!(holds(&lost) > 10, "{lost}");
    let others: Vec<Value> =
        ["gala", "circus", "final"].map(|show| difference(&place, show, middle_of(&place, show))).into();
    let files = place.files("data");
    let words = format!("restore --from data --show opera --to-lsn {}:{} --in-place data", at.0, at.1);
    let (_, err) = place.says(&words, 2);
    assert!(err.contains("say --yes") && place.files("data") == files, "{err}");
    let done = place.json(&format!("{words} --yes"));
    assert_eq!((&done["put_back_by_lsn"], &done["shows"][0]), (&(end + 1).into(), &lost));
    let now = difference(&place, "opera", at);
    assert_eq!((holds(&now), now["seats"].as_array().unwrap().len()), (0, 0), "{now}");
    let still: Vec<Value> =
        ["gala", "circus", "final"].map(|show| difference(&place, show, middle_of(&place, show))).into();
    assert_eq!(still, others);
    place.verified("data");
    // A server sells what is free again; and what was undone can be done again, since it is still in the log.
    let (mut server, address) = place.serve();
    let overview = place.json(&format!("show get opera --server http://{address}"));
    assert!(overview.to_string().contains("opera"));
    server.terminate();
    assert!(server.wait().success());
    place.says(&format!("restore --from data --show opera --to-lsn {}:{end} --in-place data --yes", at.0), 0);
    assert_eq!(holds(&difference(&place, "opera", (at.0, end))), 0);
    let (_, err) = place.says("restore --from data --show ballet --to-time 1s --in-place data --yes", 1);
    assert!(err.contains("there is no show ballet"), "{err}");
    place.says("restore --from data --show opera --into new", 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_show_is_never_restored_onto_two_shards() {
    let place = Place::new();
    place.sell(100).await;
    place.back_up();
    let (before, at) = (place.verified("data"), middle_of(&place, "gala"));
    let (from, to) = (at.0, 1 - at.0);
    place.says(&format!("reshard --data-dir data --show gala={to}"), 0);
    let end = place.json(&format!("log inspect --data-dir data --shard {from}"))["last_lsn"].as_u64().unwrap();
    let words = |shard: u64, lsn: u64| format!("restore --from data --show gala --to-lsn {shard}:{lsn} --dry-run");
    let (_, err) = place.says(&words(from, end), 1);
    assert!(err.contains(&format!("it is on shard {to} now: say so with --to-lsn {to}:LSN")), "{err}");
    let (_, err) = place.says(&words(to, 1), 1);
    assert!(err.contains("if it came from another one later") && err.contains("--to-lsn SHARD:LSN"), "{err}");
    // Where it was, it would be again; and where it went to, it would stay.
    let words = format!("restore --from data --shard {from} --to-lsn {} --in-place data --dry-run", at.1);
    let (_, err) = place.says(&words, 1);
    assert!(err.contains("show gala would be on the shards 0 and 1: it went from one to the other"), "{err}");
    let after = place.verified("data");
    let words = format!("restore --from data --to-lsn {to}:{} --dry-run", after[usize::try_from(to).unwrap()].1 - 1);
    let (_, err) = place.says(&words, 1);
    assert!(err.contains(&format!("show gala would be nowhere: it had left shard {from}")), "{err}");
    // The backup from before has all in its place, and nothing of it is lost: only where it is differs.
    let found = place.json("restore --from backups --in-place data --dry-run");
    let shows = found["shards"].as_array().unwrap().iter().flat_map(|shard| shard["shows"].as_array().unwrap());
    let gala: Vec<&Value> = shows.filter(|show| show["show_id"] == "gala").collect();
    assert_eq!(gala.len(), 1, "{found}");
    assert_eq!((holds(gala[0]), &gala[0]["exists_then"], &gala[0]["exists_now"]), (0, &true.into(), &true.into()));
    place.says("restore --from backups --in-place data --yes", 0);
    assert_eq!(place.verified("data"), before);
    // With another number of shards the same backups go on, and an older number can be restored.
    place.says("backup create --backups of-restored", 0);
    place.says("reshard --data-dir data --shards 3", 0);
    let made = place.json("backup create --backups of-restored");
    assert_eq!(made["shards"].as_array().unwrap().len(), 3, "{made}");
    assert!(place.lines("backup verify --backups of-restored", 0).iter().all(|own| own["sound"] == true));
    let first = text(&place.lines("backup list --backups of-restored", 0)[0]["id"]);
    place.says(&format!("restore --from of-restored --backup {first} --in-place data --yes"), 0);
    assert_eq!(place.verified("data"), before);
}
