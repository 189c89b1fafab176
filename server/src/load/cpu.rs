//! Who used the processor: CPU time by thread name, so that a figure can say what the load itself cost.

use std::{collections::BTreeMap, fs};

/// CPU time of this process so far, in clock ticks, by the group that a thread's name puts it into.
#[derive(Clone, Debug, Default)]
pub struct CpuTimes(BTreeMap<&'static str, u64>);

impl CpuTimes {
    /// Reads `/proc/self/task`; empty where there is none. Threads that ended are not counted.
    #[must_use]
    pub fn now() -> Self {
        let mut times = Self::default();
        let Ok(tasks) = fs::read_dir("/proc/self/task") else { return times };
        for task in tasks.flatten() {
            let name = fs::read_to_string(task.path().join("comm")).unwrap_or_default();
            let stat = fs::read_to_string(task.path().join("stat")).unwrap_or_default();
            *times.0.entry(group(name.trim())).or_default() += ticks(&stat).unwrap_or(0);
        }
        times
    }

    /// The share of each group in what was used since `earlier`, in percent.
    #[must_use]
    pub fn shares_since(&self, earlier: &Self) -> Vec<(&'static str, u64)> {
        shares(&self.used_since(earlier))
    }

    /// Clock ticks of each group since `earlier`.
    #[must_use]
    pub fn used_since(&self, earlier: &Self) -> Vec<(&'static str, u64)> {
        let used = |(group, ticks): (&&'static str, &u64)| {
            (*group, ticks - earlier.0.get(group).copied().unwrap_or(0).min(*ticks))
        };
        self.0.iter().map(used).collect()
    }
}

/// In percent of all, those that have any.
#[must_use]
pub fn shares(used: &[(&'static str, u64)]) -> Vec<(&'static str, u64)> {
    let all = used.iter().map(|(_, ticks)| ticks).sum::<u64>().max(1);
    let shares = used.iter().map(|(group, ticks)| (*group, ticks * 100 / all));
    shares.filter(|(_, share)| *share > 0).collect()
}

/// CPU time of a process and its children so far, in clock ticks; none where there is no `/proc`.
#[must_use]
pub fn ticks_of_family(process: u32) -> u64 {
    let stat = |id: u32| fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let others = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = others.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let is_family = |id: u32, stat: &str| id == process || parent(stat) == Some(process);
    ids.map(|id| (id, stat(id))).filter(|(id, stat)| is_family(*id, stat)).filter_map(|(_, stat)| ticks(&stat)).sum()
}

fn parent(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

fn group(thread: &str) -> &'static str {
    match thread {
        name if name.starts_with("usher-load") || name.starts_with("usher-meter") => "load generator",
        name if name.starts_with("usher-server") || name.starts_with("usher-edge") => "gRPC server",
        name if name.starts_with("usher-shard") || name.starts_with("usher-log") => "shards",
        name if name.starts_with("rocksdb") => "RocksDB background",
        _ => "other",
    }
}

/// User and system time: the 14th and 15th field, counted behind the name, which may have spaces.
fn ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_system_time_are_added_whatever_the_name() {
        let stat = "12 (usher) (x)) S 1 1 1 0 -1 4 0 0 0 0 70 30 0 0 20 0 9 0 5";
        assert_eq!((ticks(stat), parent(stat)), (Some(100), Some(1)));
    }
}
