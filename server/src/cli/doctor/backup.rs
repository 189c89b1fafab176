//! What the doctor says about the backups: whose they are, whether their files are there, how old the last one is, and what is
//! not in it. What is in the files is `usher backup verify`'s.

use std::path::Path;

use serde_json::{Value, json};
use usher_wal::backup::{BackupError, Backups, Catalogue};

use super::{
    Examined, Finding, Level,
    checks::{found, seconds, shards},
};
use crate::cli::{print::counted, when::utc};

/// Older ones are a warning, if anything happened since.
const AGE_MS_MAX: u64 = 24 * 3_600_000;

/// A directory of backups.
pub(super) struct FoundBackups {
    newest: Option<Catalogue>,
    /// What the newest one lacks, or another one.
    lacking: Option<BackupError>,
}

impl FoundBackups {
    pub(super) fn at(dir: &Path) -> Result<Self, BackupError> {
        let backups = Backups::open(dir)?;
        let newest = backups.newest()?;
        let all: Vec<Catalogue> = backups.list()?.into_iter().filter_map(Result::ok).collect();
        let lacking = all.iter().rev().find_map(|catalogue| backups.check_files(catalogue).err());
        Ok(Self { newest, lacking })
    }
}

pub(super) fn check(examined: &Examined) -> Vec<Finding> {
    let finding = match &examined.backup {
        None => return Vec::new(),
        Some(Ok(FoundBackups { newest: Some(catalogue), lacking })) => of(examined, catalogue, lacking.as_ref()),
        Some(Ok(FoundBackups { newest: None, .. })) => {
            found("backup", "there is none".to_owned(), Value::Null).but(Level::Warning, "usher backup create")
        }
        Some(Err(error)) => found("backup", error.to_string(), Value::Null)
            .but(Level::Warning, "name the directory with --backups, or make one with `usher backup create`"),
    };
    vec![finding]
}

fn of(examined: &Examined, catalogue: &Catalogue, lacking: Option<&BackupError>) -> Finding {
    if let (Some(theirs), Ok(_)) =
        (catalogue.data_directory.filter(|theirs| Some(*theirs) != examined.id), &examined.shards)
    {
        let text = format!("they are of the data directory {theirs}, which is another one");
        let advice = "name this directory's own with --backups, or begin them: usher backup create --backups NEW_DIR";
        return found("backup", text, json!({ "id": catalogue.id, "data_directory": theirs }))
            .but(Level::Problem, advice);
    }
    if let Some(lacking) = lacking {
        let advice = "`usher backup verify --all` tells what can still be restored";
        return found("backup", lacking.to_string(), json!({ "id": catalogue.id })).but(Level::Problem, advice);
    }
    let (mut behind, mut trimmed) = (0, false);
    for own in shards(examined) {
        let end = catalogue.shards.iter().find(|backup| backup.shard == own.shard).map_or(0, |backup| backup.end.lsn.0);
        behind += own.last.saturating_sub(end);
        // The frame at the end must be there still, for the next backup to go on from it.
        trimmed |= own.frames > 0 && own.first > end + 1;
    }
    let age_ms = examined.now_ms.saturating_sub(catalogue.created_ms);
    let text = format!(
        "the last one is {} old ({}), {} behind; all files are there, `usher backup verify` reads them",
        seconds(age_ms),
        utc(catalogue.created_ms),
        counted(behind, "frame")
    );
    let values = json!({
        "id": catalogue.id, "created_ms": catalogue.created_ms, "age_ms": age_ms, "frames_behind": behind,
        "trimmed": trimmed,
    });
    let finding = found("backup", text, values);
    if trimmed {
        let advice =
            "the log was trimmed past its end: make one now, and more often; what lies between cannot be restored";
        return finding.but(Level::Warning, advice);
    }
    if age_ms > AGE_MS_MAX && behind > 0 {
        return finding.but(Level::Warning, "usher backup create");
    }
    finding
}
