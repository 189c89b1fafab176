//! `usher config check`: what a server would find wrong with its settings before it opens its data directory, and what it
//! would not mind though it is risky.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;
use clap::Args;
use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject as _};

use crate::{
    access::Known,
    cli::output::print_error,
    config::{Config, ConfigFlags, Durability, Sources, WrongSetting},
    credentials,
    edge::{Tls, are_overdue, ends_at_s},
};

/// A certificate that ends sooner is a warning.
const CERTIFICATE_DAYS_LEFT_MIN: i64 = 14;
const DAY_S: i64 = 86_400;

/// Exit codes: 0 a server would start, though there may be warnings; 2 it would not, and why.
#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    config: ConfigFlags,
}

impl Check {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        let sources = Sources::of(&self.config)?;
        let config = sources.load()?;
        let wrong: Vec<String> =
            problems(&config).map(|error| sources.with_sources(format!("{error:#}"), &config)).collect();
        for text in warnings(&config) {
            print_error(format_args!("warning: {}", sources.with_sources(text, &config)));
        }
        if !wrong.is_empty() {
            return Err(WrongSetting(wrong.join("\n")).into());
        }
        println!("a server would start with these settings");
        Ok(())
    }
}

/// Files that are not there, cannot be read, are not what they should be, or do not fit together; addresses of others.
fn problems(config: &Config) -> impl Iterator<Item = anyhow::Error> {
    let absent: Vec<anyhow::Result<()>> = credentials::unreadable(config).map(Err).collect();
    let read = || vec![Tls::open(&config.tls).map(drop), Known::open(&config.access).map(drop)];
    let files = if absent.is_empty() { read() } else { absent };
    let collector = config.telemetry.ca.as_deref().map_or(Ok(()), |path| certificates("telemetry.ca", path).map(drop));
    let addresses = listeners(config).map(|(name, address)| is_of_this_machine(name, address));
    let found: Vec<anyhow::Result<()>> = files.into_iter().chain([collector]).chain(addresses).collect();
    found.into_iter().filter_map(Result::err)
}

fn listeners(config: &Config) -> impl Iterator<Item = (&'static str, SocketAddr)> {
    let optional = [("operations_listen", config.operations_listen), ("metrics_listen", config.metrics_listen)];
    let optional = optional.into_iter().filter_map(|(name, address)| Some((name, address?)));
    [("listen", config.listen)].into_iter().chain(optional)
}

/// Any port does: a running server has the one that is set.
fn is_of_this_machine(name: &str, address: SocketAddr) -> anyhow::Result<()> {
    TcpListener::bind((address.ip(), 0)).map(drop).with_context(|| format!("{name} {address}"))
}

fn certificates(setting: &str, path: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let named = || format!("{setting} {}", path.display());
    let text = fs::read(path).with_context(named)?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&text).collect::<Result<_, _>>().with_context(named)?;
    anyhow::ensure!(!found.is_empty(), "{} has no certificate", named());
    Ok(found)
}

fn warnings(config: &Config) -> Vec<String> {
    let mut warnings = Vec::new();
    if config.durability == Durability::Os {
        warnings.push("durability is os: a power cut loses sales that were acknowledged".to_owned());
    }
    for (name, address) in listeners(config).filter(|(_, address)| !address.ip().is_loopback()) {
        if name != "metrics_listen" && !config.access.is_configured() {
            warnings.push(format!(
                "{name} is {address}, and nobody has to say who he is: everybody there may do everything (access.keys_file)"
            ));
        }
        if config.tls.certificate.is_none() {
            warnings.push(format!("{name} is {address}, without TLS: everything can be read on the way"));
        }
    }
    warnings.extend(config.tls.certificate.as_deref().and_then(ends_soon));
    let overdue = config.tls.client_crl.as_deref().filter(|path| are_overdue(path));
    warnings.extend(overdue.map(|path| {
        format!("tls.client_crl {} is past its nextUpdate: whoever was revoked since is let in", path.display())
    }));
    warnings.extend(reserve_is_short(config));
    warnings
}

fn ends_soon(path: &Path) -> Option<String> {
    let first = certificates("tls.certificate", path).ok()?.into_iter().next()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    let days = (ends_at_s(&first)? - i64::try_from(now).ok()?).div_euclid(DAY_S);
    let named = format!("tls.certificate {}", path.display());
    match days {
        CERTIFICATE_DAYS_LEFT_MIN.. => None,
        0.. => Some(format!("{named} ends within {} days", days + 1)),
        _ => Some(format!("{named} has ended: nobody will connect")),
    }
}

fn reserve_is_short(config: &Config) -> Option<String> {
    let place = std::path::absolute(&config.data_dir).ok()?;
    let found = place.ancestors().find_map(|place| rustix::fs::statvfs(place).ok())?;
    let (free, reserve) = (found.f_bavail.saturating_mul(found.f_frsize), config.disk_reserve_bytes);
    (free < reserve).then(|| {
        let place = place.display();
        format!("disk_reserve_bytes is {reserve}, and {free} are free at {place}: every command would be refused")
    })
}
