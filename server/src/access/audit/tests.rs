//! Lines that were changed, left out or moved are found, and a flood of refusals does not fill the disk.

use super::*;

fn write(directory: &Path, bytes_max: u64, methods: &[&str]) -> Position {
    let mut writer = Writer::open(directory, bytes_max).unwrap();
    for method in methods {
        let (who, method, result) = ("key:1:web".to_owned(), (*method).to_owned(), "OK".to_owned());
        let (show, previous) = (Some("gala".to_owned()), String::new());
        let entry = Entry { number: 0, at_ms: 7, who, method, show, result, refusals_untold: 0, previous };
        writer.write(vec![entry]).unwrap();
    }
    writer.last
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
        audit.refused("address:192.0.2.1", "/x", None, "CREDENTIALS_INVALID");
    }
    assert!(audit.refusals.lock().untold > 99_000);
    drop(audit);
    let bytes =
        || chain::files(directory.path()).unwrap().iter().map(|file| fs::metadata(file).unwrap().len()).sum::<u64>();
    thread::sleep(Duration::from_millis(200));
    assert!((1..30_000).contains(&bytes()), "{}", bytes());
}
