//! Lines that were changed, left out or moved are found, and a flood of refusals does not fill the disk.

use super::*;

fn write(directory: &Path, bytes_max: u64, methods: &[&str]) -> Position {
    let mut writer = Writer::open(directory, bytes_max, Arc::default()).unwrap();
    methods.iter().for_each(|method| writer.write(vec![entry(method)]).unwrap());
    writer.last
}

fn entry(method: &str) -> Entry {
    let (who, method, result) = ("key:1:web".to_owned(), method.to_owned(), "OK".to_owned());
    let (show, previous) = (Some("gala".to_owned()), String::new());
    Entry { number: 0, at_ms: 7, who, method, show, result, refusals_untold: 0, entries_lost: 0, previous }
}

/// A full disk, which takes the beginning of a line.
#[test]
fn what_could_not_be_written_leaves_no_trace_but_its_number() {
    let directory = tempfile::tempdir().unwrap();
    let lost = Arc::<AtomicU64>::default();
    let mut writer = Writer::open(directory.path(), 1 << 20, Arc::clone(&lost)).unwrap();
    writer.write(vec![entry("/a")]).unwrap();
    let good = std::mem::replace(&mut writer.file, File::options().append(true).open("/dev/full").unwrap());
    assert!(writer.write(vec![entry("/b")]).is_err());
    writer.file = good;
    lost.fetch_add(1, Relaxed);
    writer.write(vec![entry("/c"), entry("/d")]).unwrap();
    let mut found = Vec::new();
    chain::verify(directory.path(), |_, entry| {
        found.push((entry.method, entry.entries_lost));
        Ok(())
    })
    .unwrap();
    assert_eq!(found, [("/a".to_owned(), 0), ("/c".to_owned(), 1), ("/d".to_owned(), 0)]);
}

#[test]
fn a_trail_goes_on_over_files_and_openings_and_is_sound() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), 300, &["/a", "/b", "/c"]);
    let end = write(directory.path(), 300, &["/d"]);
    assert!(chain::files(directory.path()).unwrap().len() > 1);
    let mut methods = Vec::new();
    let found = chain::verify(directory.path(), |_, entry| {
        methods.push(entry.method);
        Ok(())
    });
    assert_eq!((found.unwrap(), methods.concat()), (end, "/a/b/c/d".to_owned()));
}

#[test]
fn whatever_is_changed_or_left_out_is_found_and_a_torn_line_is_cut_off() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), 1 << 20, &["/a", "/b", "/c"]);
    let path = chain::files(directory.path()).unwrap().remove(0);
    let whole = fs::read_to_string(&path).unwrap();
    let wrong = |text: &str| {
        fs::write(&path, text).unwrap();
        chain::verify(directory.path(), |_, _| Ok(())).is_err()
    };
    assert!(wrong(&whole.replacen("\"/b\"", "\"/x\"", 1)));
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    assert!(wrong(&format!("{}{}", lines[0], lines[2])));
    assert!(wrong(&format!("{}{}{}", lines[1], lines[0], lines[2])));
    for beside in ["{\"who\":\"boss\",\"hash\"", "{ \"hash\""] {
        assert!(wrong(&whole.replacen("{\"hash\"", beside, 1)), "{beside}");
    }
    assert!(wrong(&whole.replacen("}}\n", "} }\n", 1)) && wrong(&whole.replacen("}}\n", "},\"entry\":1}\n", 1)));
    assert!(wrong(&whole[..whole.len() - 5]));
    assert_eq!(
        write(directory.path(), 1 << 20, &["/d"]).number,
        3,
        "the torn third is gone, the fourth takes its place"
    );
    assert!(!wrong(&whole));
}

#[test]
fn a_flood_of_refusals_has_few_lines_and_is_counted() {
    let directory = tempfile::tempdir().unwrap();
    let audit = Audit::open(directory.path(), None).unwrap();
    for _ in 0..100_000 {
        audit.refused("address:192.0.2.1", false, "/x", None, "CREDENTIALS_INVALID");
    }
    assert!(audit.refusals.lock().untold > 99_000);
    drop(audit);
    let bytes =
        || chain::files(directory.path()).unwrap().iter().map(|file| fs::metadata(file).unwrap().len()).sum::<u64>();
    thread::sleep(Duration::from_millis(200));
    assert!((1..30_000).contains(&bytes()), "{}", bytes());
}

#[test]
fn a_flood_of_strangers_hides_nobody_who_is_known_nor_does_one_of_those_hide_all_others() {
    let directory = tempfile::tempdir().unwrap();
    let audit = Audit::open(directory.path(), None).unwrap();
    let flood = |who: &str, is_known| {
        (0..1_000).for_each(|_| audit.refused(who, is_known, "/x", None, "CREDENTIALS_INVALID"));
    };
    flood("address:192.0.2.1", false);
    audit.refused("key:1:web", true, "/forbidden", None, "SCOPE_MISSING");
    flood("key:2:flood", true);
    // Some have the same budget as the flood, but by no means all.
    (10..50).for_each(|id| audit.refused(&format!("key:{id}:web"), true, "/forbidden", None, "SCOPE_MISSING"));
    drop(audit);
    let told = || {
        let (mut told, mut untold) = (Vec::new(), 0);
        let read = chain::verify(directory.path(), |_, entry| {
            untold += entry.refusals_untold;
            told.extend(Some(entry.who).filter(|_| entry.method == "/forbidden"));
            Ok(())
        });
        read.map(|_| (told, untold))
    };
    let begun = Instant::now();
    while told().map_or(0, |(told, _)| told.len()) < 20 && begun.elapsed() < Duration::from_secs(10) {
        thread::sleep(Duration::from_millis(10));
    }
    let (told, untold) = told().unwrap();
    assert!(told[0] == "key:1:web" && told.len() >= 20, "{told:?}");
    assert!(untold > 1_500, "{untold}");
}
