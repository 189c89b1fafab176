//! `usher show change`: other places and prices while a show is on sale. Nobody loses what he was granted.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde::de::DeserializeOwned;
use usher_proto::v1::{self, change_manifest_request::Change as Wire};

use super::{
    describe::{over_json, over_text},
    fragment,
    mark::SelectionArgs,
};
use crate::{
    cli::client::ServerArgs,
    plan::usher_json::{RowPlan, SectionPlan},
};

/// Which change.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Change {
    /// More rows of a section of seats, from a JSON list of rows as in a seating plan
    AddRows(AddRows),
    /// One more section, from JSON as in a seating plan
    AddSection(AddSection),
    /// One more category
    AddCategory(Priced),
    /// Another price of a category; holds and bookings keep theirs
    Reprice(Priced),
    /// Seats of another category
    Recategorise(Recategorise),
    /// Another capacity of the whole show, or none
    SetCapacity(SetCapacity),
    /// Another capacity of a general-admission section, which may be below what is taken
    SetGaCapacity(SetGaCapacity),
    /// General-admission sections that share a capacity
    SetPool(SetPool),
    /// One pool less
    RemovePool(RemovePool),
}

/// Their seats get the next free numbers.
#[derive(Debug, Args)]
pub(in crate::cli) struct AddRows {
    /// The show
    show: String,
    /// A section of seats
    section: String,
    /// File such as [{"name": "C", "category": "Gold", "seats": {"first": 1, "count": 30}}]
    rows: PathBuf,
    #[command(flatten)]
    server: ServerArgs,
}

/// Its seats get the next free numbers.
#[derive(Debug, Args)]
pub(in crate::cli) struct AddSection {
    /// The show
    show: String,
    /// File such as {"name": "Pit", "capacity": 100, "category": "Floor"}
    section: PathBuf,
    #[command(flatten)]
    server: ServerArgs,
}

/// A category and its price.
#[derive(Debug, Args)]
pub(in crate::cli) struct Priced {
    /// The show
    show: String,
    /// The category
    category: String,
    /// Minor units
    price_minor: u64,
    #[command(flatten)]
    server: ServerArgs,
}

/// Holds and bookings keep their prices.
#[derive(Debug, Args)]
pub(in crate::cli) struct Recategorise {
    /// The show
    show: String,
    /// Their new category
    #[arg(long, value_name = "NAME")]
    to: String,
    #[command(flatten)]
    selection: SelectionArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// Of seats and units together.
#[derive(Debug, Args)]
pub(in crate::cli) struct SetCapacity {
    /// The show
    show: String,
    #[command(flatten)]
    capacity: CapacityArgs,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct CapacityArgs {
    /// Most places that may be held and sold at once
    capacity: Option<u32>,
    /// As many as there are
    #[arg(long)]
    none: bool,
}

/// Below what is taken nothing more is granted.
#[derive(Debug, Args)]
pub(in crate::cli) struct SetGaCapacity {
    /// The show
    show: String,
    /// A general-admission section
    section: String,
    /// Units
    capacity: u32,
    #[command(flatten)]
    server: ServerArgs,
}

/// A pool of the same name is replaced.
#[derive(Debug, Args)]
pub(in crate::cli) struct SetPool {
    /// The show
    show: String,
    /// The pool's name
    pool: String,
    /// Most units that may be held and sold at once
    capacity: u32,
    /// A general-admission section of it; may stand several times
    #[arg(long = "section", value_name = "NAME", required = true)]
    sections: Vec<String>,
    #[command(flatten)]
    server: ServerArgs,
}

/// Its sections share nothing any more.
#[derive(Debug, Args)]
pub(in crate::cli) struct RemovePool {
    /// The show
    show: String,
    /// The pool's name
    pool: String,
    #[command(flatten)]
    server: ServerArgs,
}

impl Change {
    pub(super) fn run(self) -> anyhow::Result<()> {
        match self {
            Self::AddRows(AddRows { show, section, rows, server }) => {
                let rows: Vec<RowPlan> = read(&rows)?;
                let rows = rows.into_iter().map(fragment::row).collect::<anyhow::Result<_>>()?;
                send(&server, show, Wire::AddRows(v1::AddRows { section, rows }))
            }
            Self::AddSection(AddSection { show, section, server }) => {
                let section: SectionPlan = read(&section)?;
                send(&server, show, Wire::AddSection(fragment::section(section)?))
            }
            Self::AddCategory(Priced { show, category, price_minor, server }) => {
                send(&server, show, Wire::AddCategory(v1::Category { name: category, price_minor }))
            }
            Self::Reprice(Priced { show, category, price_minor, server }) => {
                send(&server, show, Wire::Reprice(v1::Reprice { category, price_minor }))
            }
            Self::Recategorise(Recategorise { show, to, selection, server }) => {
                let selection = Some(selection.into_selection());
                send(&server, show, Wire::Recategorise(v1::Recategorise { selection, category: to }))
            }
            Self::SetCapacity(SetCapacity { show, capacity: CapacityArgs { capacity, .. }, server }) => {
                send(&server, show, Wire::SetCapacity(v1::SetCapacity { capacity }))
            }
            Self::SetGaCapacity(SetGaCapacity { show, section, capacity, server }) => {
                send(&server, show, Wire::SetGaCapacity(v1::SetGaCapacity { section, capacity }))
            }
            Self::SetPool(SetPool { show, pool, capacity, sections, server }) => {
                send(&server, show, Wire::SetPool(v1::Pool { name: pool, capacity, sections }))
            }
            Self::RemovePool(RemovePool { show, pool, server }) => send(&server, show, Wire::RemovePool(pool)),
        }
    }
}

fn read<T: DeserializeOwned>(file: &PathBuf) -> anyhow::Result<T> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let mut deserializer = serde_json::Deserializer::from_str(&text);
    serde_path_to_error::deserialize(&mut deserializer).with_context(|| format!("in {}", file.display()))
}

fn send(server: &ServerArgs, show_id: String, change: Wire) -> anyhow::Result<()> {
    server.block_on(async |inventory| {
        let request = v1::ChangeManifestRequest { show_id: show_id.clone(), change: Some(change) };
        let answer = inventory.change_manifest(request).await?;
        let over = &answer.over_committed;
        if server.json() {
            let over: Vec<_> = over.iter().map(over_json).collect();
            let version = answer.manifest_version;
            println!("{}", serde_json::json!({ "manifest_version": version, "over_committed": over }));
            return Ok(());
        }
        println!("{show_id}: the manifest is at version {}", answer.manifest_version);
        for over in over {
            println!("  {}; nothing more is granted there", over_text(over));
        }
        Ok(())
    })
}
