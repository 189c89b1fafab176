//! `usher watch`: a show's places while they are sold.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use console::Term;
use serde_json::json;
use usher_client::Inventory;
use usher_proto::v1;

use super::{client::ServerArgs, when::utc};
use hall::Hall;

mod hall;

/// Lines beside the picture.
const LINES_BESIDE: usize = 3;

/// Shows the seats of a show while they are sold, as large as the terminal, until Ctrl-C.
#[derive(Debug, Args)]
#[command(after_help = "\
Where standard output is no terminal, it prints a line whenever something has changed; with --json or
--output jsonl a JSON object.

Examples:
  $ usher watch gala
  $ usher watch gala --once
  $ usher watch gala --json | jq .sold")]
pub(super) struct Watch {
    /// The show
    show: String,
    /// Milliseconds between two looks, 100 to 60000
    #[arg(long, value_name = "MS", default_value_t = 500, value_parser = clap::value_parser!(u64).range(100..=60_000))]
    every: u64,
    /// Look once and end
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    server: ServerArgs,
}

impl Watch {
    pub(super) fn run(self) -> anyhow::Result<()> {
        self.server.block_on(|inventory| self.watch(inventory))
    }

    async fn watch(&self, inventory: Inventory) -> anyhow::Result<()> {
        let (mut hall, mut seen): (Option<(u32, Hall)>, Option<Seen>) = (None, None);
        let mut screen = Screen::new(self.server.json());
        loop {
            let request = v1::GetSeatMapRequest { show_id: self.show.clone(), min_version: 0 };
            let map = inventory.get_seat_map(request).await?;
            if hall.as_ref().is_none_or(|(version, _)| *version != map.manifest_version) {
                let request = v1::GetShowRequest { show_id: self.show.clone() };
                let manifest = inventory.get_show(request).await?.manifest.context("a show has a manifest")?;
                hall = Some((map.manifest_version, Hall::of(&manifest)));
            }
            if let Some((_, hall)) = &hall {
                screen.show(&self.show, hall, &map, seen.as_ref());
            }
            if self.once {
                return Ok(());
            }
            seen = Some(Seen { sold: map.counts.unwrap_or_default().sold, version: map.version, at: Instant::now() });
            tokio::time::sleep(Duration::from_millis(self.every)).await;
        }
    }
}

/// What the last look saw.
struct Seen {
    sold: u32,
    version: u64,
    at: Instant,
}

/// Where it is shown.
struct Screen {
    term: Term,
    json: bool,
    /// Lines of the last picture, which the next one replaces.
    lines: usize,
    /// It says how fast seats are sold, which ends without a change.
    tells_rate: bool,
}

impl Screen {
    fn new(json: bool) -> Self {
        Self { term: Term::stdout(), json, lines: 0, tells_rate: false }
    }

    fn show(&mut self, show: &str, hall: &Hall, map: &v1::GetSeatMapResponse, seen: Option<&Seen>) {
        let has_changed = seen.is_none_or(|seen| seen.version != map.version);
        let counts = map.counts.unwrap_or_default();
        if self.json {
            if has_changed {
                let line = json!({
                    "show_id": show, "version": map.version, "as_of_ms": map.as_of_ms, "available": counts.available,
                    "held": counts.held, "sold": counts.sold, "blocked": counts.blocked,
                });
                println!("{line}");
            }
            return;
        }
        let rate = seen.map(|seen| f64::from(counts.sold.saturating_sub(seen.sold)) / seen.at.elapsed().as_secs_f64());
        let rate =
            rate.filter(|rate| *rate >= 0.5).map(|rate| format!(", {rate:.0} sold a second")).unwrap_or_default();
        let told = format!(
            "{show} at {}: {} available, {} held, {} sold, {} blocked{rate}",
            utc(map.as_of_ms),
            counts.available,
            counts.held,
            counts.sold,
            counts.blocked
        );
        if !self.term.is_term() {
            if has_changed {
                println!("{told}");
            }
            return;
        }
        // A picture that is the same is not drawn again: it would flicker.
        if !has_changed && !self.tells_rate {
            return;
        }
        self.tells_rate = !rate.is_empty();
        let (height, width) = self.term.size();
        let size = (usize::from(width).saturating_sub(4), usize::from(height).saturating_sub(LINES_BESIDE));
        let picture = hall.draw(map, size).join("\n");
        let text = format!("{picture}\n{}\n{told}", hall::legend());
        // A terminal that is gone ends the process by its signal.
        let _ = self.term.clear_last_lines(self.lines);
        let _ = self.term.write_line(&text);
        self.lines = text.lines().count();
    }
}
