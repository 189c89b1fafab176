//! One run of a set-up: a new server with its shows, the load, and the look at what it left behind.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use tokio::task::JoinSet;
use usher_client::{Inventory, v1};

use super::set_up::{Options, SetUp};
use crate::{
    cli::{client::inventory, demo_server},
    config::{Config, ConfigFlags},
    load::{
        self, Load, Pace,
        check::check_all,
        peer::{self, Measured, PeerName},
        report::Run,
        scenario::{Scenario, Sizes},
        venue::Venue,
    },
};

/// Shows that are created at the same time.
const CREATED_AT_ONCE: usize = 32;

/// Runs it once, in a directory of its own below `dir`.
pub(super) fn once(set_up: &SetUp, number: u32, dir: &Path) -> anyhow::Result<Run> {
    let data_dir = dir.join("data");
    let flags = ConfigFlags {
        listen: Some(([127, 0, 0, 1], 0).into()),
        data_dir: Some(data_dir.clone()),
        shards: Some(set_up.shards),
        ..ConfigFlags::default()
    };
    let server = demo_server::start(Config::load(&flags)?, |_, _| {})?;
    let address = format!("http://{}", server.address);
    let ran = load::apart(|| measure(set_up, number, &address, &data_dir));
    server.stop()?;
    std::fs::remove_dir_all(&data_dir).with_context(|| format!("removing {}", data_dir.display()))?;
    ran
}

async fn measure(set_up: &SetUp, number: u32, address: &str, data_dir: &Path) -> anyhow::Result<Run> {
    let venue = match &set_up.plan {
        Some(plan) => Venue::of_plan(plan)?,
        None => Venue::of_seats(set_up.seats)?,
    };
    let scenario = set_up.scenario.of(Sizes {
        shows: set_up.shows,
        seats: venue.seats(),
        party: set_up.party,
        buyers: set_up.buyers.unwrap_or(1),
        lasts: set_up.lasts(),
        together: set_up.batch.max(1),
    });
    let show_ids: Arc<[String]> = (0..scenario.shows()).map(|show| format!("show-{show}")).collect();
    let client = inventory(address)?;
    create(&client, &*scenario, &venue, &show_ids).await?;
    let load = Load {
        scenario: Arc::clone(&scenario),
        show_ids: Arc::clone(&show_ids),
        pace: set_up.pace(),
        batch: set_up.batch,
        connections: set_up.connections,
        lasts: set_up.lasts(),
        seed: set_up.seed.wrapping_add(u64::from(number) << 32),
    };
    let ran = load::run(address, &load).await?;
    let what = (&*scenario, &venue, &*show_ids);
    let check = check_all(&client, data_dir, what, (&ran.sales, &ran.measured.tally.counts)).await?;
    Ok(Run::new(ran, Some(check)))
}

async fn create(client: &Inventory, scenario: &dyn Scenario, venue: &Venue, show_ids: &[String]) -> anyhow::Result<()> {
    let mut creating: JoinSet<Result<v1::CreateShowResponse, usher_client::Error>> = JoinSet::new();
    for show_id in show_ids {
        if creating.len() == CREATED_AT_ONCE {
            creating.join_next().await.transpose().context("creating a show")?.transpose()?;
        }
        let (client, request) = (client.clone(), venue.show(show_id, scenario.policy()));
        creating.spawn(async move { client.create_show(request).await });
    }
    while let Some(created) = creating.join_next().await {
        created.context("creating a show")??;
    }
    Ok(())
}

/// Measures every set-up of a system that Usher is compared with.
pub(super) fn peer(
    name: PeerName,
    (runs, lasts): (u32, Duration),
    options: &Options,
    dir: &Path,
    mut tell: impl FnMut(Measured),
) -> anyhow::Result<()> {
    for form in peer::forms(name) {
        let seats = options.seats_of_peers().unwrap_or(form.seats);
        let sold_out = lasts.as_secs() * form.attempts_per_second_max / (10 * u64::from(seats));
        let shows = Some(u32::try_from(sold_out + 1)?);
        let mut all = Vec::new();
        for number in 0..runs {
            let sizes = Sizes { shows, seats, party: 1, buyers: form.buyers, lasts, together: form.together };
            let load = Load {
                scenario: crate::load::scenario::Name::Spike.of(sizes),
                show_ids: Arc::new([]),
                pace: Pace::Closed(form.buyers),
                batch: form.together,
                connections: form.connections,
                lasts,
                seed: options.seed().wrapping_add(u64::from(number) << 32),
            };
            let own = dir.join("peer");
            let run = load::apart(|| form.run(&load, seats, &own));
            // A system that did not even start may have left nothing.
            let _ = std::fs::remove_dir_all(&own);
            all.push(run?);
        }
        tell(Measured::new(form, all));
    }
    Ok(())
}
