//! Shows and their overviews for the wire.

use usher_engine::{
    ids::ShowId,
    inventory::{
        CancelReport,
        manifest::Manifest,
        overview::{BlockOverview, ChannelOverview, Counts, Overview, PoolOverview},
        sale::ShowState,
    },
    router::ShowEntry,
};
use usher_proto::v1;

use super::{change::over_committed, policy::policy_to_wire, sale::state_to_wire, selection::mark_to_wire};

/// A show without its manifest, in a state.
#[must_use]
pub fn show(id: &ShowId, entry: &ShowEntry, state: ShowState) -> v1::Show {
    v1::Show {
        show_id: id.to_string(),
        name: entry.manifest.parts().name.clone(),
        places: entry.manifest.places(),
        shard: entry.shard.0,
        policy: Some(policy_to_wire(&entry.policy)),
        state: state_to_wire(state).into(),
        opens_at_ms: entry.sale.opens_at.0,
        closes_at_ms: entry.sale.closes_at.map(|at| at.0),
        manifest_version: entry.manifest_version,
        clocks_stand_since_ms: entry.sale.clocks_stand_since().filter(|_| state == ShowState::Paused).map(|at| at.0),
    }
}

/// What cancelling a show ends.
#[must_use]
pub fn cancel_report(report: &CancelReport, show: Option<v1::Show>) -> v1::CancelShowResponse {
    v1::CancelShowResponse {
        show,
        holds: report.holds,
        held_places: report.held_places,
        bookings: report.bookings,
        sold_places: report.sold_places,
        refund_minor: report.refund_minor,
        waiting: report.waiting,
    }
}

/// What its organiser sees of a show.
#[must_use]
pub fn overview(id: &ShowId, overview: &Overview, entry: &ShowEntry) -> v1::GetShowOverviewResponse {
    let manifest = &entry.manifest;
    let categories = overview.categories.iter().map(|(category, own)| v1::NamedCounts {
        name: manifest.parts().categories[usize::from(category.0)].name.clone(),
        counts: Some(counts(own)),
    });
    let sections = overview.sections.iter().map(|(section, own)| v1::NamedCounts {
        name: manifest.section_name(*section).to_owned(),
        counts: Some(counts(own)),
    });
    let (taken, capacity) = overview.capacity;
    v1::GetShowOverviewResponse {
        show: Some(show(id, entry, overview.state)),
        as_of_ms: overview.as_of.0,
        version: overview.version,
        counts: Some(counts(&overview.counts)),
        sections: sections.collect(),
        categories: categories.collect(),
        channels: overview.channels.iter().map(channel).collect(),
        blocks: overview.blocks.iter().map(|own| block(own, manifest)).collect(),
        live_holds: overview.live_holds,
        bookings: overview.bookings,
        waiting: overview.waiting,
        gathered: overview.gathered,
        taken,
        capacity,
        pools: overview.pools.iter().map(pool).collect(),
        over_committed: overview.over_committed.iter().map(|over| over_committed(over, manifest)).collect(),
    }
}

fn counts(counts: &Counts) -> v1::Counts {
    let Counts { available, held, sold, blocked } = *counts;
    v1::Counts { available, held, sold, blocked }
}

fn pool(pool: &PoolOverview) -> v1::PoolOverview {
    let PoolOverview { name, capacity, taken, available } = pool.clone();
    v1::PoolOverview { name, capacity, taken, available }
}

fn channel(channel: &ChannelOverview) -> v1::ChannelOverview {
    v1::ChannelOverview {
        key: channel.key.as_str().to_owned(),
        public_at_ms: channel.public_at.map(|at| at.0),
        is_public: channel.is_public,
        counts: Some(counts(&channel.counts)),
    }
}

fn block(block: &BlockOverview, manifest: &Manifest) -> v1::BlockOverview {
    let ga = block
        .ga
        .iter()
        .map(|&(section, quantity)| v1::GaQuantity { section: manifest.section_name(section).to_owned(), quantity });
    v1::BlockOverview {
        mark: Some(mark_to_wire(&block.mark)),
        seats: block.seats,
        ga: ga.collect(),
        released_at_ms: block.released_at.map(|at| at.0),
    }
}
