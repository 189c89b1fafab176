//! `usher demo`: a stadium, a flash sale, an honest report, and a server that goes on.

use std::{
    collections::BTreeMap,
    io::Write as _,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use clap::Args;
use console::style;
use usher_client::Inventory;
use usher_engine::shard::Notice;
use usher_proto::v1;

use super::{client::inventory, demo_server};
use crate::{
    config::{Config, ConfigFlags},
    load::{
        self, Load, Pace, Ran, check,
        report::{Run, thousands},
        scenario,
    },
    plan::generate,
};

/// Seeds the sale differently each time, but the same way for the same show.
const SEED: u64 = 0x0005_e11e;

/// The data stays: a second demo on the same directory recovers it and sells another show.
#[derive(Debug, Args)]
pub(super) struct Demo {
    #[command(flatten)]
    config: ConfigFlags,
    /// Length of the sale in seconds
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    seconds: u64,
    /// Callers at the same time
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=4_096))]
    callers: u16,
    /// Commands of one call
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..=4_096))]
    batch: u16,
    /// End after the report instead of serving on
    #[arg(long)]
    once: bool,
}

/// What recovery found, over all shards.
#[derive(Debug, Default)]
struct Found {
    shows: usize,
    events: u64,
}

impl Demo {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let mut config = Config::load(&self.config)?;
        if self.config.log_level.is_none() {
            // The demo speaks for itself.
            config.log_level = "warn".to_owned();
        }
        crate::telemetry::start(config.log_format, &config.log_level)?;
        let data_dir = config.data_dir.clone();
        let found = Arc::new(Mutex::new(Found::default()));
        let opened = Instant::now();
        let server = demo_server::start(config, note_recovery(Arc::clone(&found)))?;
        self.say_opened(&data_dir, &found, opened.elapsed())?;
        let (show, ran) = load::apart(|| self.sell(server.address))?;
        print_report(&show.show_id, ran, &data_dir)?;
        if self.once {
            return server.stop();
        }
        say_next(&show, server.address, &data_dir);
        server.wait()
    }

    fn say_opened(&self, data_dir: &Path, found: &Mutex<Found>, took: Duration) -> anyhow::Result<()> {
        let dir = data_dir.display();
        let found = found.lock().map_err(|_| anyhow::anyhow!("the shards' notices"))?;
        if found.shows == 0 {
            println!("Opened a new log in {dir} (RocksDB, every answer is fsynced before it leaves).");
            return Ok(());
        }
        let shows = if found.shows == 1 { "1 show".to_owned() } else { format!("{} shows", found.shows) };
        let (events, took) = (thousands(found.events), took.as_secs_f64());
        println!("{} {shows} from {events} events in {dir} in {took:.2} s.", style("Recovered").green().bold());
        let check = check::check_log(data_dir, &BTreeMap::new())?;
        println!("  the log says: {} places sold so far, {}", thousands(check.places_sold), verdict(&check));
        Ok(())
    }

    /// Imports the stadium under the first free name and sells it.
    async fn sell(&self, address: SocketAddr) -> anyhow::Result<(v1::Show, Ran)> {
        let server = format!("http://{address}");
        let show = import(&inventory(&server)?).await?;
        let (name, id) = (&show.name, style(&show.show_id).bold());
        println!("Imported {name} as {id}: {} places.", thousands(u64::from(show.places)));
        println!("Selling for {} s ...", self.seconds);
        let (lasts, batch) = (Duration::from_secs(self.seconds), u32::from(self.batch));
        let buyers = u32::from(self.callers) * batch;
        let sizes = scenario::Sizes { shows: Some(1), seats: show.places, party: 1, buyers, lasts, together: batch };
        let load = Load {
            scenario: scenario::Name::Spike.of(sizes),
            show_ids: [show.show_id.clone()].into(),
            pace: Pace::Closed(buyers),
            batch,
            connections: 2,
            lasts,
            seed: SEED,
        };
        Ok((show, load::run(&server, &load).await?))
    }
}

/// Counts what recovery found.
fn note_recovery(found: Arc<Mutex<Found>>) -> impl Fn(usher_wal::ShardId, &Notice) + Send + Sync + 'static {
    move |_, notice| {
        if let Notice::Recovered(recovered) = notice
            && let Ok(mut found) = found.lock()
        {
            found.shows += recovered.shows.len();
            found.events += recovered.events;
        }
    }
}

async fn import(inventory: &Inventory) -> anyhow::Result<v1::Show> {
    let prices = generate::demo_stadium_prices();
    let plan = prost::bytes::Bytes::from(generate::demo_stadium_pretix());
    for number in 1..=10_000 {
        let show_id = format!("demo-{number}");
        if inventory.get_show(v1::GetShowRequest { show_id: show_id.clone() }).await.is_ok() {
            continue;
        }
        let request = v1::ImportShowRequest {
            show_id,
            plan,
            prices_minor: prices.by_category.clone(),
            currency: prices.currency.clone().unwrap_or_default(),
            ..v1::ImportShowRequest::default()
        };
        return inventory.import_show(request).await?.show.context("an import without a show");
    }
    anyhow::bail!("this data directory has 10,000 demos; name another with --data-dir")
}

fn print_report(show_id: &str, ran: Ran, data_dir: &Path) -> anyhow::Result<()> {
    let sold: Vec<_> = ran.sales.iter().map(|sale| sale.hold_id).collect();
    let acknowledged = sold.len() as u64;
    let run = Run::new(ran, None);
    println!("\n{} in {:.1} s, fsync on", style("Sold").bold(), run.seconds);
    println!("{run}");
    let check = check::check_log(data_dir, &BTreeMap::from([(show_id, sold)]))?;
    println!(
        "  the log    {} sales acknowledged, {} missing; {}",
        thousands(acknowledged),
        check.sales_missing,
        verdict(&check)
    );
    std::io::stdout().flush()?;
    ensure!(check.is_clean(), "the log is not what it must be: {:?}", check.violations);
    Ok(())
}

fn verdict(check: &check::Check) -> String {
    let text = format!("{} seats sold twice", check.seats_sold_twice);
    if check.is_clean() { style(text).green().bold().to_string() } else { style(text).red().bold().to_string() }
}

fn say_next(show: &v1::Show, address: SocketAddr, data_dir: &Path) {
    let server = if address.port() == 7421 { String::new() } else { format!(" --server http://{address}") };
    let id = &show.show_id;
    println!("\nServing on {address} from {} until Ctrl-C. Try in another terminal:", data_dir.display());
    let usher = std::env::args().next().unwrap_or_else(|| "usher".to_owned());
    println!("  {usher} show get {id}{server}");
    println!("  {usher} hold {id} --index 4711 --buyer ada{server}   # sold out: it says which seat is gone");
    println!("  {usher} call usher.v1.Shows/ListShows{server}");
}
