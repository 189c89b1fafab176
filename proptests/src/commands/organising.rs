//! What organisers ask for.

use rand::RngExt;
use usher_engine::{
    command::{
        AssignChannel, BlockPlaces, Command, ScheduleRelease, ScheduleSale, Selection, SetChannel, UnblockPlaces,
    },
    ids::{Name, SeatIndex, SeatRange, SectionIndex, ShowNumber},
    inventory::{
        blocks::{BlockKind, Mark},
        manifest::{
            Category, CategoryIndex, Features, ManifestChange, Pool, Row, SeatNames, SeatRun, Section, SectionKind,
        },
    },
    time::Timestamp,
};

use super::{
    Generator, Step,
    shows::{FLOORS, policy},
};

impl Generator {
    /// `kind` is below 200.
    pub(super) fn organising(&mut self, kind: u32) -> Command {
        match kind {
            0..40 => {
                let (selection, mark) = (self.selection(), self.mark());
                Command::BlockPlaces(Box::new(BlockPlaces { selection, mark }))
            }
            40..85 => {
                let selection = self.selection();
                let mark =
                    if self.chance(5) { Mark { kind: BlockKind::Returning, ..self.mark() } } else { self.mark() };
                Command::UnblockPlaces(Box::new(UnblockPlaces { selection, mark, dry_run: self.chance(15) }))
            }
            85..90 => Command::RetireSeats(Box::new(self.few())),
            90..105 => {
                let mark = self.mark();
                let at = if self.chance(80) { Some(self.soon()) } else { None };
                Command::ScheduleRelease(ScheduleRelease { mark, at })
            }
            105..120 => {
                let key = Name::new(if self.chance(50) { "fan" } else { "press" }).unwrap();
                let public_at = if self.chance(50) { Some(self.soon()) } else { None };
                Command::SetChannel(SetChannel { key, public_at })
            }
            120..135 => {
                let (selection, key) = (self.selection(), self.rng.random_range(0..10));
                let key = [Some("fan"), Some("press"), Some("nobody"), None][[0, 0, 0, 0, 1, 1, 1, 3, 3, 2][key]];
                Command::AssignChannel(Box::new(AssignChannel {
                    selection,
                    key: key.map(|key| Name::new(key).unwrap()),
                }))
            }
            135..177 => self.lifecycle(kind),
            177..184 => Command::ChangePolicy(Box::new(policy(&mut self.rng))),
            _ => Command::ChangeManifest(Box::new(self.manifest_change())),
        }
    }

    /// Most shows have their channels from the beginning.
    pub(super) fn define_channels(&mut self) {
        for key in ["fan", "press"].map(|key| Name::new(key).unwrap()) {
            let public_at = if self.chance(30) { Some(self.soon()) } else { None };
            self.push(Step::Ask(ShowNumber(0), Command::SetChannel(SetChannel { key: key.clone(), public_at })));
            if self.chance(60) {
                let assign = AssignChannel { selection: self.few(), key: Some(key) };
                self.push(Step::Ask(ShowNumber(0), Command::AssignChannel(Box::new(assign))));
            }
        }
    }

    /// Many shows are nearly sold out from the beginning, so that people wait.
    pub(super) fn withhold_most(&mut self) {
        let sections = if self.chance(50) { vec![0, 1, 2, 3] } else { vec![0, 1] };
        let sections = sections.into_iter().map(SectionIndex).collect();
        let selection = Selection { sections, ..Selection::default() };
        let block = BlockPlaces { selection, mark: self.mark() };
        self.push(Step::Ask(ShowNumber(0), Command::BlockPlaces(Box::new(block))));
    }

    fn lifecycle(&mut self, kind: u32) -> Command {
        match kind {
            135..140 => {
                let opens_at = if self.chance(60) { Timestamp(0) } else { self.soon() };
                let closes_at = if self.chance(10) { Some(self.soon()) } else { None };
                Command::ScheduleSale(ScheduleSale { opens_at, closes_at })
            }
            140..162 => Command::OpenSale,
            162..168 => Command::PauseSale { stop_clocks: self.chance(60) },
            168 => Command::CloseSale,
            169..173 => Command::CancelShow { dry_run: self.chance(80) },
            _ => Command::ArchiveShow,
        }
    }

    fn soon(&mut self) -> Timestamp {
        let at = self.now.plus_ms(self.rng.random_range(0..12) * 1_000);
        self.deadlines.push(at);
        at
    }

    pub(super) fn mark(&mut self) -> Mark {
        let marks = [(BlockKind::House, "vip"), (BlockKind::Kill, "pole"), (BlockKind::Block, "camera")];
        let (kind, reason) = marks[[0, 0, 0, 1, 2, 2][self.rng.random_range(0..6)]];
        Mark { kind, reason: Name::new(reason).unwrap() }
    }

    /// A few seats.
    fn few(&mut self) -> Selection {
        Selection { seats: self.places().seats().collect(), ..Selection::default() }
    }

    fn selection(&mut self) -> Selection {
        let mut selection = match self.rng.random_range(0..10) {
            0..4 => self.few(),
            4..6 => {
                let rows = [(0, "1"), (0, "2"), (1, "1"), (1, "2"), (4, "1"), (0, "new")];
                let (section, name) = rows[self.rng.random_range(0..6)];
                Selection { rows: vec![(SectionIndex(section), name.to_owned())], ..Selection::default() }
            }
            6..8 => {
                let sections = if self.chance(50) { vec![0] } else { vec![0, 1] };
                Selection { sections: sections.into_iter().map(SectionIndex).collect(), ..Selection::default() }
            }
            8 => {
                let categories = vec![CategoryIndex(self.rng.random_range(0..4))];
                Selection { categories, ..Selection::default() }
            }
            _ => Selection::default(),
        };
        if selection == Selection::default() || self.chance(15) {
            let floor = FLOORS[self.rng.random_range(0..2)];
            // Often none, sometimes about as many as come back at once.
            let units = match self.rng.random_range(0..10) {
                0..3 => 0,
                3..5 => self.rng.random_range(64..67),
                5 => self.rng.random_range(0..90),
                _ => self.rng.random_range(1..5),
            };
            selection.ga.push((floor, units));
        }
        match self.rng.random_range(0..200) {
            0 => selection.ga.push((SectionIndex(0), 1)),
            1 => selection.sections.push(SectionIndex(90)),
            _ => {}
        }
        selection
    }

    fn manifest_change(&mut self) -> ManifestChange {
        // Sometimes what was added comes again.
        if !self.chance(15) {
            self.changes += 1;
        }
        let name = |number: u32| format!("new-{number}");
        let section = SectionIndex([0, 1, 2, 3, 90][self.rng.random_range(0..5)]);
        let floor = if self.chance(80) { FLOORS[self.rng.random_range(0..2)] } else { section };
        let categories = if self.chance(10) { 9 } else { 3 };
        let category = CategoryIndex(self.rng.random_range(0..categories));
        match self.rng.random_range(0..100) {
            0..14 => ManifestChange::AddRows { section, rows: vec![self.new_row()] },
            14..20 => {
                let number = if self.chance(80) { self.changes } else { 0 };
                let many = self.chance(40);
                let capacity = self.rng.random_range(1..if many { 90 } else { 5 });
                let units = SectionKind::GeneralAdmission { capacity, category };
                let kind = if self.chance(60) { SectionKind::Reserved(vec![self.new_row()]) } else { units };
                ManifestChange::AddSection(Section { name: name(number), kind })
            }
            20..24 => ManifestChange::AddCategory(Category { name: name(self.changes / 2), price_minor: 700 }),
            24..44 => {
                let seats: Vec<SeatIndex> = self.places().seats().collect();
                ManifestChange::Recategorise { seats: SeatRange::of(seats), category }
            }
            44..62 => {
                let price_minor = [1_900, 2_000, 3_000, 5_000][self.rng.random_range(0..4)];
                ManifestChange::Reprice { category, price_minor }
            }
            62..82 => {
                let capacity = [0, 1, 2, 4, 6, 6, 9, 95][self.rng.random_range(0..8)];
                ManifestChange::SetGaCapacity { section: floor, capacity }
            }
            82..88 => ManifestChange::SetCapacity([None, Some(0), Some(4), Some(12)][self.rng.random_range(0..4)]),
            88..95 => {
                let (capacity, both) = (self.rng.random_range(1..7), self.chance(70));
                let sections = if both { FLOORS.to_vec() } else { vec![floor] };
                ManifestChange::SetPool(Pool { name: "Standing".to_owned(), capacity, sections })
            }
            _ => ManifestChange::RemovePool("Standing".to_owned()),
        }
    }

    /// A row of seats whose names mostly are new.
    fn new_row(&mut self) -> Row {
        let first = if self.chance(85) { self.changes * 100 } else { 1 };
        let (count, rank) = (self.rng.random_range(1..5), self.rng.random_range(0..3));
        let names = SeatNames::Numbered { first, step: 1, count };
        let features = if self.chance(20) { Features::COMPANION } else { Features::NONE };
        let category = CategoryIndex(self.rng.random_range(0..3));
        let rank = self.chance(50).then_some(rank);
        self.seats += count;
        Row { rank, ..Row::new("new", vec![SeatRun { category, names, features }]) }
    }
}
