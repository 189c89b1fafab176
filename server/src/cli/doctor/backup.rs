//! What the doctor says about the last backup: how old it is, and what is not in it.

use serde_json::{Value, json};
use usher_wal::backup::Catalogue;

use super::{
    Examined, Finding, Level,
    checks::{found, seconds, shards},
};
use crate::cli::when::utc;

/// Older ones are a warning, if anything happened since.
const AGE_MS_MAX: u64 = 24 * 3_600_000;

pub(super) fn check(examined: &Examined) -> Vec<Finding> {
    let finding = match &examined.backup {
        None => return Vec::new(),
        Some(Ok(Some(catalogue))) => of(examined, catalogue),
        Some(Ok(None)) => {
            found("backup", "there is none".to_owned(), Value::Null).but(Level::Warning, "usher backup create")
        }
        Some(Err(error)) => found("backup", error.to_string(), Value::Null)
            .but(Level::Warning, "name the directory with --backups, or make one with `usher backup create`"),
    };
    vec![finding]
}

fn of(examined: &Examined, catalogue: &Catalogue) -> Finding {
    let (mut behind, mut trimmed) = (0, false);
    for own in shards(examined) {
        let end = catalogue.shards.iter().find(|backup| backup.shard == own.shard).map_or(0, |backup| backup.end.lsn.0);
        behind += own.last.saturating_sub(end);
        // The frame at the end must be there still, for the next backup to go on from it.
        trimmed |= own.frames > 0 && own.first > end + 1;
    }
    let age_ms = examined.now_ms.saturating_sub(catalogue.created_ms);
    let text =
        format!("the last one is {} old ({}), {behind} frames behind", seconds(age_ms), utc(catalogue.created_ms));
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
