//! What changes while the process serves. Certificates, revocations, keys and signers are read again when their files change,
//! and on SIGHUP; so are then the file of settings, and those of them that can change without a restart (`x-reload`).

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use crate::{
    access::Rates,
    config::{
        Config, ConfigFlags, Limits,
        settings::{json, settings},
    },
    credentials::{Credentials, states},
    edge::Places,
    telemetry,
};

/// How often the files are looked at: a key that is revoked is good for so long.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The settings that can change, for those who go by them.
pub(crate) struct Live {
    pub(crate) limits: watch::Sender<Arc<Limits>>,
    pub(crate) rates: Arc<Rates>,
    pub(crate) allowed_origins: watch::Sender<Arc<[String]>>,
    pub(crate) connections: Arc<Places<IpAddr>>,
    pub(crate) callers: Arc<Places<String>>,
    /// A file has changed and cannot be read: what was in force still is.
    pub(crate) are_files_stale: Arc<AtomicBool>,
}

impl Live {
    pub(crate) fn new(config: &Config) -> Self {
        let limits = &config.limits;
        Self {
            limits: watch::Sender::new(Arc::new(limits.clone())),
            rates: Arc::new(Rates::new(limits)),
            allowed_origins: watch::Sender::new(config.http_allowed_origins.as_slice().into()),
            connections: Places::new(limits.connections_max, limits.connections_per_address_max),
            callers: Places::new(u32::MAX, limits.connections_per_caller_max),
            are_files_stale: Arc::default(),
        }
    }

    /// From now on these are in force. Connections that are there keep their limits, but for rates.
    fn set(&self, config: &Config) -> anyhow::Result<()> {
        // First, for it alone can fail.
        telemetry::set_level(&config.log_level)?;
        let limits = &config.limits;
        self.rates.set(limits);
        self.limits.send_replace(Arc::new(limits.clone()));
        self.allowed_origins.send_replace(config.http_allowed_origins.as_slice().into());
        self.connections.limit(limits.connections_max, limits.connections_per_address_max);
        self.callers.limit(u32::MAX, limits.connections_per_caller_max);
        Ok(())
    }
}

/// All that is read again.
pub(crate) struct Reloader {
    /// As it is in force.
    pub(crate) config: Config,
    /// Where it came from; it stays as it is, if absent.
    pub(crate) flags: Option<ConfigFlags>,
    pub(crate) live: Live,
    pub(crate) credentials: Credentials,
}

impl Reloader {
    /// Looks until it is told to end. What cannot be read leaves in force what was; the log says so.
    pub(crate) async fn follow(mut self) {
        let Ok(mut told) = signal(SignalKind::hangup()) else {
            return tracing::error!("SIGHUP cannot be listened for: whatever changes needs a restart");
        };
        let (mut before, mut wrong) = (self.credentials.states.clone(), None);
        loop {
            let is_told = tokio::select! {
                _ = told.recv() => true,
                () = tokio::time::sleep(LOOK_INTERVAL) => false,
            };
            if is_told {
                self.read_settings();
            }
            let now = states(&self.config);
            // What is wrong with a file may be mended without changing what tells its states apart: who may read it.
            if is_told || now != before || wrong.is_some() {
                wrong = self.read_files(wrong.filter(|_| !is_told && now == before));
                before = now;
            }
        }
    }

    /// What is wrong with them. It is said unless it is what was said.
    fn read_files(&self, said: Option<String>) -> Option<String> {
        let read = self.credentials.reload();
        self.live.are_files_stale.store(read.is_err(), Relaxed);
        let wrong = read.err().map(|error| format!("{error:#}"));
        match &wrong {
            None => tracing::info!("keys and certificates were read again"),
            Some(error) if wrong != said => {
                tracing::error!(error, "what a file of keys or certificates says stays as it was")
            }
            Some(_) => {}
        }
        wrong
    }

    fn read_settings(&mut self) {
        let Some(flags) = &self.flags else { return };
        let read = Config::load(flags).map_err(anyhow::Error::from);
        let read = read.and_then(|read| self.live.set(&read).map(|()| read));
        let read = match read {
            Ok(read) => read,
            Err(error) => return tracing::error!(error = format!("{error:#}"), "the settings stay as they were"),
        };
        let (changed, need_restart) = changes(&self.config, &read);
        if !need_restart.is_empty() {
            tracing::warn!(settings = need_restart.join(" "), "changed settings need a restart");
        }
        tracing::info!(changed = changed.join(" "), "the settings were read again");
        let Config { log_level, limits, http_allowed_origins, .. } = read;
        self.config.log_level = log_level;
        self.config.limits = limits;
        self.config.http_allowed_origins = http_allowed_origins;
    }
}

/// The names of the settings that are others: those that can change, and those that need a restart.
fn changes(before: &Config, now: &Config) -> (Vec<String>, Vec<String>) {
    let (before, now) = (json(before), json(now));
    let differing = settings().into_iter().filter(|setting| setting.value_in(&before) != setting.value_in(&now));
    let (changed, need_restart): (Vec<_>, Vec<_>) = differing.partition(|setting| setting.reload.is_some());
    let names = |settings: Vec<crate::config::settings::Setting>| settings.into_iter().map(|setting| setting.name);
    (names(changed).collect(), names(need_restart).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is marked in the reference is what is put into force.
    #[test]
    fn exactly_the_marked_settings_change_without_a_restart() {
        let tables = |setting: &crate::config::settings::Setting| setting.name.split('.').next().unwrap().to_owned();
        let mut marked: Vec<String> =
            settings().iter().filter(|setting| setting.reload.is_some()).map(tables).collect();
        marked.dedup();
        marked.sort_unstable();
        assert_eq!(marked, ["http_allowed_origins", "limits", "log_level"]);
    }

    #[test]
    fn what_needs_a_restart_is_told_from_what_does_not() {
        let mut now = Config { durability: crate::config::Durability::Os, ..Config::default() };
        now.limits.streams_max = 7;
        let names = |names: [&str; 1]| names.map(str::to_owned).to_vec();
        assert_eq!(changes(&Config::default(), &now), (names(["limits.streams_max"]), names(["durability"])));
    }
}
