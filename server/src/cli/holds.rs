//! `usher holds`: whose holds and bookings there are.

use anyhow::Context as _;
use clap::Args;
use usher_proto::v1::{self, list_holds_request::By};

use super::{
    client::ServerArgs,
    format::List,
    print::{HOLD_COLUMNS, entry_json, entry_row, hold_json, hold_row},
};

/// One a line.
#[derive(Debug, Args)]
pub(super) struct Holds {
    /// Show to look into
    show: String,
    #[command(flatten)]
    by: ByArgs,
    /// With --newest, only those with places in this section; may stand several times
    #[arg(long = "section", value_name = "NAME", requires = "newest")]
    sections: Vec<String>,
    /// With --newest, only those with places in this pool
    #[arg(long, value_name = "NAME", requires = "newest")]
    pool: Option<String>,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct ByArgs {
    /// All that a buyer has and had, as long as it is remembered
    #[arg(long)]
    buyer: Option<String>,
    /// The bookings of an order
    #[arg(long)]
    order: Option<String>,
    /// All bookings of the show, in the order in which they were made
    #[arg(long)]
    all: bool,
    /// Live holds and bookings, those granted last first: whom to ask where too much is taken
    #[arg(long)]
    newest: bool,
}

impl ByArgs {
    fn into_by(self, of: v1::NewestHolds) -> Option<By> {
        let order = self.order.map(By::OrderRef);
        let newest = self.newest.then_some(By::Newest(of));
        self.buyer.map(By::BuyerId).or(order).or(newest).or(self.all.then_some(By::AllSales(true)))
    }
}

impl Holds {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let of = v1::NewestHolds { sections: self.sections, pool: self.pool.unwrap_or_default() };
        let by = self.by.into_by(of).context("say whose: --buyer, --order, --all or --newest")?;
        self.server.block_on(async |inventory| {
            let mut list = List::new(self.server.format(), HOLD_COLUMNS);
            let mut page_token = String::new();
            loop {
                let (show_id, by) = (self.show.clone(), Some(by.clone()));
                let request = v1::ListHoldsRequest { show_id, by, page_size: 1_000, page_token };
                let page = inventory.list_holds(request).await?;
                page.holds.iter().for_each(|hold| list.add(|| hold_json(hold), || hold_row(hold)));
                if let Some(entry) = &page.waiting {
                    list.add(|| entry_json(entry), || entry_row(entry));
                }
                list.page();
                if page.next_page_token.is_empty() {
                    list.end("There are none.");
                    return Ok(());
                }
                page_token = page.next_page_token;
            }
        })
    }
}
