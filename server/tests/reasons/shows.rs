//! Which shows there are, and when they are sold.

use usher_proto::v1;

use crate::{
    Row, ask,
    common::{now_ms, wire},
    hold, row,
};

fn on_sale(show: v1::CreateShowRequest, sale: v1::Sale) -> v1::CreateShowRequest {
    v1::CreateShowRequest { sale: Some(sale), ..show }
}

pub(crate) fn rows() -> Vec<Row> {
    let opens_at_ms = now_ms() + 3_600_000;
    let scheduled = v1::Sale { opens_at_ms, ..v1::Sale::default() };
    let draft = v1::Sale { is_draft: true, ..v1::Sale::default() };
    let of = |show: &str| show.to_owned();
    vec![
        row("SHOW_NOT_OPEN", on_sale(wire::hall("draft", 5, 0), draft), vec![], hold("draft", 1, "ann", &[0]))
            .says("state", "DRAFT"),
        row("SHOW_NOT_OPEN", on_sale(wire::hall("early", 5, 0), scheduled), vec![], hold("early", 1, "ann", &[0]))
            .says("state", "SCHEDULED")
            .says("opens_at_ms", opens_at_ms),
        row(
            "SHOW_NOT_OPEN",
            wire::hall("over", 5, 0),
            vec![ask!(shows.cancel_show(v1::CancelShowRequest { show_id: of("over"), dry_run: false }))],
            ask!(shows.open_sale(v1::OpenSaleRequest { show_id: of("over") })),
        )
        .says("state", "CANCELLED"),
        row(
            "HOLDS_LIVE",
            wire::hall("live", 5, 0),
            vec![hold("live", 1, "ann", &[0]), ask!(shows.close_sale(v1::CloseSaleRequest { show_id: of("live") }))],
            ask!(shows.archive_show(v1::ArchiveShowRequest { show_id: of("live") })),
        )
        .says("holds", 1),
        row("SHOW_UNKNOWN", wire::hall("known", 5, 0), vec![], hold("unknown", 1, "ann", &[0])),
        row(
            "SHOW_ID_REUSED",
            wire::hall("twofold", 5, 0),
            vec![],
            ask!(shows.create_show(wire::hall("twofold", 6, 0))),
        )
        .says("field", "manifest"),
    ]
}
