//! Lookups: whose holds, which page, and the opaque tokens by which pages follow each other.

use std::collections::BTreeSet;

use prost::Message as _;
use usher_engine::{
    ids::{BuyerId, HoldId, Reference, SectionIndex},
    inventory::{
        lookups::{Cursor, LookupBy, PAGE_MAX, Page},
        manifest::{Manifest, SECTIONS_MAX},
    },
    time::Timestamp,
};
use usher_proto::v1;

use super::{Violations, answers};
use crate::status::Refusal;

const PAGE_SIZE_DEFAULT: usize = 100;
/// A page ends before it is larger; a hold of 1,000 places with the longest names takes a tenth of it.
const PAGE_BYTES_MAX: usize = 3 << 20;

/// A lookup that was read.
#[derive(Debug)]
pub struct Lookup {
    /// Whose holds.
    pub by: LookupBy,
    /// From where.
    pub from: Option<Cursor>,
    /// At most so many.
    pub max: usize,
}

/// Reads a ListHolds.
///
/// # Errors
/// A refusal that names every field that is wrong.
pub fn list_holds(wire: &v1::ListHoldsRequest, manifest: &Manifest) -> Result<Lookup, Refusal> {
    use v1::list_holds_request::By;
    let mut violations = Violations::default();
    let by = match &wire.by {
        Some(By::BuyerId(text)) => violations.take("buyer_id", BuyerId::new(text.as_bytes())).map(LookupBy::Buyer),
        Some(By::OrderRef(text)) => violations.take("order_ref", Reference::order(text)).map(LookupBy::Order),
        Some(By::AllSales(true)) => Some(LookupBy::Show),
        Some(By::AllSales(false)) => {
            violations.note("all_sales", "must be true");
            None
        }
        Some(By::Newest(of)) => Some(LookupBy::Newest(sections(of, manifest, &mut violations)?)),
        None => {
            violations.note("by", "must be buyer_id, order_ref, all_sales or newest");
            None
        }
    };
    let max = match wire.page_size as usize {
        0 => PAGE_SIZE_DEFAULT,
        size => size,
    };
    violations.require(max <= PAGE_MAX, "page_size", format_args!("must be at most {PAGE_MAX}, is {max}"));
    let from = page_token(&wire.page_token, by.as_ref());
    let from = violations.take("page_token", from);
    let read = || Some(Lookup { by: by?, from: from?, max });
    violations.done(read())
}

/// Where the newest are looked for: ascending, each once; none is anywhere.
fn sections(
    of: &v1::NewestHolds,
    manifest: &Manifest,
    violations: &mut Violations,
) -> Result<Vec<SectionIndex>, Refusal> {
    let count = of.sections.len();
    let message = format_args!("must be at most {SECTIONS_MAX}, are {count}");
    violations.require(count <= SECTIONS_MAX, "newest.sections", message);
    let (mut found, mut unknown) = (BTreeSet::new(), Vec::new());
    for name in of.sections.iter().take(SECTIONS_MAX) {
        match manifest.section(name) {
            Some(section) => drop(found.insert(section)),
            None => unknown.push(format!("section {name:?}")),
        }
    }
    if !of.pool.is_empty() {
        match manifest.parts().pools.iter().find(|pool| pool.name == of.pool) {
            Some(pool) => found.extend(&pool.sections),
            None => unknown.push(format!("pool {:?}", of.pool)),
        }
    }
    if unknown.is_empty() { Ok(found.into_iter().collect()) } else { Err(Refusal::places_unknown(&unknown)) }
}

/// A token says which kind of list it belongs to.
fn page_token(token: &str, by: Option<&LookupBy>) -> Result<Option<Cursor>, &'static str> {
    let wrong = "must be empty or the next_page_token of an earlier answer to the same request";
    if token.is_empty() {
        return Ok(None);
    }
    let cursor = match token.split_at_checked(1) {
        Some(("p", position)) if matches!(by, Some(LookupBy::Show)) => position.parse().ok().map(Cursor::At),
        Some(("n", key)) if matches!(by, Some(LookupBy::Newest(_))) => {
            key.split_once('-').and_then(|(at, id)| Some(Cursor::Before(Timestamp(at.parse().ok()?), hold_id(id)?)))
        }
        Some(("h", id)) if matches!(by, Some(LookupBy::Buyer(_) | LookupBy::Order(_))) => {
            hold_id(id).map(Cursor::After)
        }
        _ => None,
    };
    cursor.map(Some).ok_or(wrong)
}

fn hold_id(hex: &str) -> Option<HoldId> {
    let is_plain = hex.len() == 32 && hex.bytes().all(|digit| digit.is_ascii_hexdigit());
    let number = u128::from_str_radix(hex, 16).ok().filter(|_| is_plain)?;
    HoldId::new(&number.to_be_bytes()).ok()
}

fn token_of(cursor: Cursor) -> String {
    let hex = |id: HoldId| format!("{:032x}", u128::from_be_bytes(*id.as_bytes()));
    match cursor {
        Cursor::After(id) => format!("h{}", hex(id)),
        Cursor::Before(at, id) => format!("n{}-{}", at.0, hex(id)),
        Cursor::At(position) => format!("p{position}"),
    }
}

/// A page, as much of it as one answer carries. `lookup` is what it was asked for with.
#[must_use]
pub fn page_to_wire(page: Page, lookup: &Lookup, show_id: &str, manifest: &Manifest) -> v1::ListHoldsResponse {
    let waiting = page.waiting.map(|entry| answers::waitlist_entry(*entry, manifest));
    let mut response = v1::ListHoldsResponse { holds: Vec::new(), waiting, next_page_token: String::new() };
    let mut bytes = 0;
    let mut last = None;
    for view in page.holds {
        let key = (view.granted_at, view.hold_id);
        let hold = answers::hold(*view, show_id, manifest);
        // A field's tag and length come with it.
        bytes += hold.encoded_len() + 8;
        if bytes > PAGE_BYTES_MAX && !response.holds.is_empty() {
            let cut = last.map(|key| cursor_behind(lookup, key, response.holds.len()));
            response.next_page_token = cut.map(token_of).unwrap_or_default();
            return response;
        }
        response.holds.push(hold);
        last = Some(key);
    }
    response.next_page_token = page.next.map(token_of).unwrap_or_default();
    response
}

/// Where a page goes on that was cut behind the hold that was granted then, the `count`th of it.
fn cursor_behind(lookup: &Lookup, (at, id): (Timestamp, HoldId), count: usize) -> Cursor {
    match (&lookup.by, lookup.from) {
        (LookupBy::Show, Some(Cursor::At(first))) => {
            Cursor::At(first.saturating_add(u32::try_from(count).unwrap_or(0)))
        }
        (LookupBy::Show, _) => Cursor::At(u32::try_from(count).unwrap_or(0)),
        (LookupBy::Newest(_), _) => Cursor::Before(at, id),
        _ => Cursor::After(id),
    }
}

#[cfg(test)]
mod tests {
    use usher_engine::{
        ids::SeatIndex,
        inventory::{
            HoldState, HoldView,
            manifest::{Category, CategoryIndex, ManifestParts, Row, SeatNames, SeatRun, Section, SectionKind},
            places::Places,
        },
    };

    use super::*;

    /// A thousand seats whose labels are as long as they may be.
    fn long_names() -> Manifest {
        let long = "x".repeat(100);
        let names = SeatNames::Named((0..1_000).map(|seat| format!("{seat:032}")).collect());
        let row = Row::new(long.clone(), vec![SeatRun::new(CategoryIndex(0), names)]);
        Manifest::new(ManifestParts {
            name: "Hall".to_owned(),
            currency: "EUR".to_owned(),
            categories: vec![Category { name: long.clone(), price_minor: 1 }],
            sections: vec![Section { name: long, kind: SectionKind::Reserved(vec![row]) }],
            capacity: None,
            pools: Vec::new(),
        })
        .unwrap()
    }

    fn page(holds: u8) -> Page {
        let view = |number: u8| HoldView {
            hold_id: HoldId::new(&[number; 16]).unwrap(),
            buyer: BuyerId::new(b"ann").unwrap(),
            state: HoldState::Confirmed,
            places: Places::new((0..1_000).map(SeatIndex), []).unwrap(),
            total_minor: 1_000,
            granted_at: Timestamp(1),
            expires_at: Timestamp(2),
            extendable_until: Timestamp(3),
            booking: None,
            more: None,
        };
        Page { holds: (1..=holds).map(view).map(Box::new).collect(), waiting: None, next: None }
    }

    #[test]
    fn a_page_ends_before_it_is_too_large_and_goes_on_where_it_ended() {
        let manifest = long_names();
        let buyer = || LookupBy::Buyer(BuyerId::new(b"ann").unwrap());
        let newest = LookupBy::Newest(Vec::new());
        let asked =
            [(LookupBy::Show, None), (LookupBy::Show, Some(Cursor::At(5))), (buyer(), None), (newest.clone(), None)];
        for (by, from) in asked {
            let lookup = Lookup { by, from, max: 100 };
            let cut = page_to_wire(page(20), &lookup, "show", &manifest);
            assert!(cut.encoded_len() <= PAGE_BYTES_MAX && (5..20).contains(&cut.holds.len()), "{}", cut.holds.len());
            let count = u8::try_from(cut.holds.len()).unwrap();
            let next = match (&lookup.by, from) {
                (LookupBy::Show, Some(Cursor::At(first))) => Cursor::At(first + u32::from(count)),
                (LookupBy::Show, _) => Cursor::At(u32::from(count)),
                (LookupBy::Newest(_), _) => Cursor::Before(Timestamp(1), HoldId::new(&[count; 16]).unwrap()),
                _ => Cursor::After(HoldId::new(&[count; 16]).unwrap()),
            };
            assert_eq!(cut.next_page_token, token_of(next));
        }
        let whole = page_to_wire(page(2), &Lookup { by: buyer(), from: None, max: 100 }, "show", &manifest);
        assert_eq!((whole.holds.len(), whole.next_page_token.as_str()), (2, ""));
    }

    #[test]
    fn a_token_leads_back_to_its_place_and_only_there() {
        let id = HoldId::new(&[0xab; 16]).unwrap();
        let buyer = LookupBy::Buyer(BuyerId::new(b"ann").unwrap());
        let kinds = [
            (Cursor::After(id), buyer),
            (Cursor::At(7), LookupBy::Show),
            (Cursor::Before(Timestamp(5), id), LookupBy::Newest(Vec::new())),
        ];
        for (cursor, own) in &kinds {
            let token = token_of(*cursor);
            for (_, by) in &kinds {
                let read = page_token(&token, Some(by));
                assert_eq!(read.ok(), (by == own).then_some(Some(*cursor)), "{token}");
            }
        }
        assert_eq!(page_token("", None), Ok(None));
        for wrong in ["h", "p", "n", "p-1", "n5", "n5-", "n-5", "hxyz", "h00000000000000000000000000000000", "é", "7"]
        {
            assert!(kinds.iter().all(|(_, by)| page_token(wrong, Some(by)).is_err()), "{wrong}");
        }
    }
}
