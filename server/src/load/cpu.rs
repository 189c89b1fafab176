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
        let used = |(group, ticks): (&&'static str, &u64)| {
            (*group, ticks - earlier.0.get(group).copied().unwrap_or(0).min(*ticks))
        };
        let used: Vec<(&'static str, u64)> = self.0.iter().map(used).collect();
        let all = used.iter().map(|(_, ticks)| ticks).sum::<u64>().max(1);
        used.into_iter().map(|(group, ticks)| (group, ticks * 100 / all)).filter(|(_, share)| *share > 0).collect()
    }
}

fn group(thread: &str) -> &'static str {
    match thread {
        name if name.starts_with("usher-load") => "load generator",
        name if name.starts_with("usher-server") || name.starts_with("usher-edge") => "gRPC server",
        name if name.starts_with("usher-shard") => "shards",
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
        assert_eq!(ticks(stat), Some(100));
    }
}
