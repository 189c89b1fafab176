//! What organisers ask for.

use super::{
    super::{
        super::{
            blocks::Mark,
            manifest::{Category, ManifestChange, Section, SectionKind},
        },
        hall,
    },
    Words, mark, name, number, time,
};
use crate::{
    command::{
        AssignChannel, BlockPlaces, Command, ScheduleRelease, ScheduleSale, Selection, SetChannel, UnblockPlaces,
    },
    ids::SeatRange,
    time::Timestamp,
};

impl Words<'_> {
    fn selection(&self) -> Selection {
        let kinds = |kind: &str| {
            let of_kind = self.others.iter().filter_map(|word| word.split_once(':'));
            of_kind.filter(|(own, _)| *own == kind).map(|(_, name)| name).collect::<Vec<_>>()
        };
        let row = |text: &str| {
            let (section, row) = text.split_once('/').expect("a section and a row");
            (self.section(section), row.to_owned())
        };
        let categories = &self.manifest.parts().categories;
        Selection {
            seats: self.seats(),
            rows: kinds("row").into_iter().map(row).collect(),
            sections: kinds("section").into_iter().map(|name| self.section(name)).collect(),
            categories: kinds("category").into_iter().map(|name| hall::category(name, categories)).collect(),
            ga: self.units(),
        }
    }

    fn mark(&self) -> Mark {
        let is_mark = |word: &&&str| {
            let kind = word.split_once(':').map(|(kind, _)| kind);
            kind.is_some_and(|kind| !["row", "section", "category"].contains(&kind))
        };
        mark(self.others.iter().find(is_mark).expect("a mark such as kill:camera"))
    }

    pub(super) fn of_show(&self, verb: &str) -> Command {
        let (selection, dry_run) = (self.selection(), self.has("dry"));
        match verb {
            "block" => Command::BlockPlaces(Box::new(BlockPlaces { selection, mark: self.mark() })),
            "unblock" => Command::UnblockPlaces(Box::new(UnblockPlaces { selection, mark: self.mark(), dry_run })),
            "retire" => Command::RetireSeats(Box::new(selection)),
            "schedule" => {
                Command::ScheduleRelease(ScheduleRelease { mark: self.mark(), at: self.value("at").map(time) })
            }
            "channel" => {
                let (key, public_at) = (name(self.others[0]), self.value("public").map(time));
                Command::SetChannel(SetChannel { key, public_at })
            }
            "assign" => {
                let key = self.value("to").filter(|key| *key != "none").map(name);
                Command::AssignChannel(Box::new(AssignChannel { selection, key }))
            }
            "plan" => {
                let opens_at = self.value("opens").map_or(Timestamp(0), time);
                Command::ScheduleSale(ScheduleSale { opens_at, closes_at: self.value("closes").map(time) })
            }
            "open" => Command::OpenSale,
            "pause" => Command::PauseSale { stop_clocks: self.has("clocks") },
            "close" => Command::CloseSale,
            "cancel-show" => Command::CancelShow { dry_run },
            "archive" => Command::ArchiveShow,
            other => panic!("unknown verb {other}"),
        }
    }

    pub(super) fn change(&self, verb: &str, rest: &str) -> ManifestChange {
        let parts = self.manifest.parts();
        let (what, more) = rest.split_once(' ').unwrap_or((rest, ""));
        match (verb, what) {
            ("add", "row") => {
                let (section, row) = hall::row(more, &parts.categories);
                match self.manifest.section(&section) {
                    Some(section) => ManifestChange::AddRows { section, rows: vec![row] },
                    None => {
                        let kind = SectionKind::Reserved(vec![row]);
                        ManifestChange::AddSection(Section { name: section, kind })
                    }
                }
            }
            ("add", "floor") => ManifestChange::AddSection(hall::floor(more, &parts.categories)),
            ("add", _) => {
                let (name, price) = more.split_once(' ').expect("a name and a price");
                let (name, price_minor) = (name.to_owned(), u64::from(number(price)));
                ManifestChange::AddCategory(Category { name, price_minor })
            }
            ("recategorise", _) => {
                let category = hall::category(self.value("at").expect("a category"), &parts.categories);
                ManifestChange::Recategorise { seats: SeatRange::of(self.seats()), category }
            }
            ("reprice", name) => {
                let category = hall::category(name, &parts.categories);
                ManifestChange::Reprice { category, price_minor: u64::from(number(more)) }
            }
            ("resize", name) => ManifestChange::SetGaCapacity { section: self.section(name), capacity: number(more) },
            ("limit", what) => ManifestChange::SetCapacity((what != "none").then(|| number(what))),
            ("pool", _) => ManifestChange::SetPool(hall::pool(rest, &parts.sections)),
            _ => ManifestChange::RemovePool(rest.to_owned()),
        }
    }
}
