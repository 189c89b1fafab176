//! `usher serve`.

use anyhow::Context as _;
use clap::Args;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;

use crate::{
    config::{ConfigFlags, Source, Sources, settings},
    node::Node,
    shutdown, telemetry,
};

/// Every setting can also stand in a TOML file (--config) or in the environment (USHER_DATA_DIR, ...); a flag wins over
/// the environment, the environment over the file.
#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    config: ConfigFlags,
}

impl Serve {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let sources = Sources::of(&self.config)?;
        let config = sources.load()?;
        telemetry::start(config.log_format, &config.log_level)?;
        for setting in settings::settings() {
            let source = sources.source(&setting);
            if source != Source::Default {
                tracing::debug!(setting = setting.name, %source, "set");
            }
        }
        allow_files();
        // For what is not connections: those have threads of their own.
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().context("starting the runtime")?;
        runtime.block_on(async {
            let shutdown = shutdown::requested().context("listening for signals")?;
            let traces = telemetry::traces::start(&config.telemetry)?;
            let listener =
                TcpListener::bind(config.listen).await.with_context(|| format!("listening on {}", config.listen))?;
            let node =
                tokio::task::spawn_blocking(move || Node::open(config, |_, _| {})).await.context("opening")??;
            let node = node.reloading(self.config);
            let served = node.serve(listener, shutdown).await;
            if let Some(traces) = traces {
                traces.end().await;
            }
            served
        })
    }
}

/// As many open files as the system lets the process have: each connection is one.
fn allow_files() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        tracing::warn!(%error, "the limit of open files stays as it was");
    }
}
