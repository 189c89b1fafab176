//! Directories as they are named on the command line: which of them must have nothing to do with each other, and which cannot
//! be put into place.

use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};

use super::client::WrongUsage;

/// Refuses two directories of which one is the other, or in it: what is written into one would be read as the other's.
///
/// # Errors
/// [`WrongUsage`].
pub(super) fn check_apart((flag, dir): (&str, &Path), (other_flag, other): (&str, &Path)) -> Result<(), WrongUsage> {
    let (one, two) = (resolved(dir), resolved(other));
    let how = match (one.starts_with(&two), two.starts_with(&one)) {
        (true, true) => "is also",
        (true, false) => "is inside of",
        (false, true) => "holds",
        (false, false) => return Ok(()),
    };
    let (dir, other) = (dir.display(), other.display());
    Err(WrongUsage(format!("{flag} {dir} {how} {other_flag} {other}; name directories that are apart")))
}

/// The absolute path, without links as far as it is there.
pub(super) fn resolved(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let real = |ancestor: &Path| Some(ancestor.canonicalize().ok()?.join(absolute.strip_prefix(ancestor).ok()?));
    let found = absolute.ancestors().find_map(real);
    found.map_or_else(|| absolute.clone(), |path| path.components().collect())
}

/// Refuses a directory that is a mount point: no other one can be renamed to it.
///
/// # Errors
/// [`WrongUsage`].
pub(super) fn check_no_mount_point(flag: &str, dir: &Path) -> Result<(), WrongUsage> {
    let attributes = statx(CWD, dir, AtFlags::empty(), StatxFlags::empty()).map(|found| found.stx_attributes);
    if attributes.is_ok_and(|attributes| attributes.contains(StatxAttributes::MOUNT_ROOT)) {
        let dir = dir.display();
        return Err(WrongUsage(format!(
            "{flag} {dir} is a mount point, which no directory can be put in place of; name one inside of it"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_inside_of_the_other_is_refused_however_it_is_written() {
        let place = tempfile::tempdir().unwrap();
        let (data, link) = (place.path().join("data"), place.path().join("link"));
        std::fs::create_dir(&data).unwrap();
        std::os::unix::fs::symlink(&data, &link).unwrap();
        let refused = |one: &Path, other: &Path| check_apart(("--from", one), ("--into", other)).err();
        let told = refused(&link.join("."), &data).unwrap().to_string();
        assert!(told.contains("is also --into") && told.contains("apart"), "{told}");
        assert!(refused(&data, &link.join("not/there")).unwrap().to_string().contains(" holds "));
        assert!(refused(&link.join("x"), &data).unwrap().to_string().contains(" is inside of "));
        assert!(refused(&data, &place.path().join("data-2")).is_none());
    }

    #[test]
    fn a_mount_point_is_known() {
        assert!(check_no_mount_point("--into", Path::new("/proc")).is_err());
        let place = tempfile::tempdir().unwrap();
        let dir = place.path().join("dir");
        std::fs::create_dir(&dir).unwrap();
        assert!(check_no_mount_point("--into", &dir).is_ok());
        assert!(check_no_mount_point("--into", &place.path().join("absent")).is_ok());
    }
}
