//! The world of a scenario: an inventory and its log, driven as a shard drives them.

use super::{
    super::{Inventory, Show, invariants, policy::Policy, sale::Sale, stored::FrozenShow},
    hall::{self, Hall},
    parse::{self, Asked},
    show::Names,
};
use crate::{
    codec::{PayloadWriter, read_payload},
    command::Command,
    event::{Event, ShowCreated},
    ids::{ShowId, ShowNumber},
    time::Timestamp,
};

const SHOW: ShowNumber = ShowNumber(0);

/// What happens after each step.
#[derive(Clone, Copy, Debug)]
pub(super) enum Recovery {
    /// Nothing.
    None,
    /// A recovery from the logged bytes.
    Replay,
    /// A snapshot; from every other one the world goes on.
    Snapshot,
}

pub(super) struct World {
    pub(super) inventory: Inventory,
    hall: Hall,
    policy: Policy,
    sale: Sale,
    log: Vec<(Timestamp, Vec<u8>)>,
    frame: PayloadWriter,
    /// What followed since the step began.
    told: Vec<String>,
    sweeps: bool,
    tells_expiries: bool,
    recovery: Recovery,
    /// The snapshot that was taken last, and its bytes.
    snapshot: Option<(FrozenShow, Vec<u8>)>,
    /// Where it came differently from what the scenario says.
    pub(super) differences: Vec<String>,
}

impl World {
    /// Runs a scenario to its end.
    pub(super) fn run(text: &str, recovery: Recovery) -> Self {
        let mut world = Self {
            inventory: Inventory::default(),
            hall: Hall::default(),
            policy: Policy::default(),
            sale: Sale::default(),
            log: Vec::new(),
            frame: PayloadWriter::default(),
            told: Vec::new(),
            sweeps: true,
            tells_expiries: false,
            recovery,
            snapshot: None,
            differences: Vec::new(),
        };
        let mut lines = text.lines().map(str::trim).peekable();
        while let Some(line) = lines.next() {
            if world.directive(line) {
                continue;
            }
            let mut follows = Vec::new();
            while let Some(more) = lines.next_if(|line| line.starts_with("=>")) {
                follows.extend(more.trim_start_matches("=>").split(';').map(str::trim));
            }
            world.step(line, &follows);
        }
        world
    }

    fn directive(&mut self, line: &str) -> bool {
        if let Some(settings) = line.strip_prefix("policy ") {
            hall::set_policy(&mut self.policy, settings);
        } else if let Some(sale) = line.strip_prefix("sale ") {
            self.sale = hall::sale(sale);
        } else {
            match line {
                "no sweep" => self.sweeps = false,
                "sweep" => self.sweeps = true,
                "tell expiries" => self.tells_expiries = true,
                "" => {}
                _ => return self.hall.directive(line),
            }
        }
        true
    }

    fn step(&mut self, line: &str, follows: &[&str]) {
        let (asked, expected) = line.split_once("->").unwrap_or_else(|| panic!("no answer in {line:?}"));
        let (time, asked) = asked.trim().split_once(' ').expect("a time and a command");
        let now = parse::time(time);
        if self.inventory.next_number() == SHOW {
            self.create(now);
        }
        self.told.clear();
        if self.sweeps {
            self.sweep(now);
        }
        let answered = self.ask(asked.trim(), now);
        if answered != expected.trim() {
            self.differences.push(format!("{line}\n    was answered: {answered}"));
        }
        if self.told != follows {
            self.differences.push(format!("{line}\n    was followed by: => {}", self.told.join("; ")));
        }
        invariants::check(&self.inventory);
        self.append(now);
        match self.recovery {
            Recovery::None => {}
            Recovery::Replay => self.recover(),
            Recovery::Snapshot => self.take_snapshot(now),
        }
    }

    fn create(&mut self, now: Timestamp) {
        let (show_id, manifest) = (ShowId::new("scenario").expect("an id"), self.hall.parts());
        let created = ShowCreated { show_id, manifest, policy: self.policy, sale: self.sale };
        let mut events = Vec::new();
        assert_eq!(self.inventory.decide_create(created, &mut events), Ok(None));
        self.apply(events, false, now);
    }

    fn sweep(&mut self, now: Timestamp) {
        for (show, due) in self.inventory.take_due(now, usize::MAX) {
            let mut events = Vec::new();
            self.inventory.fall_due(show, due, &mut events);
            self.apply(events, true, now);
        }
    }

    fn ask(&mut self, asked: &str, now: Timestamp) -> String {
        match parse::asked(asked, self.show()) {
            Asked::Command(command) => self.command(&command, now),
            Asked::Lookup { by, from, max } => {
                let page = self.show().lookup(&by, from, max, now);
                self.names().page(&page)
            }
            Asked::Seats => self.names().seats(&self.show().seat_map(now)),
            Asked::Units => self.names().rooms(&self.show().seat_map(now)),
            Asked::Overview => self.names().overview(&self.show().overview(now)),
            Asked::Nothing => "done".to_owned(),
        }
    }

    fn command(&mut self, command: &Command, now: Timestamp) -> String {
        let mut events = Vec::new();
        let decided = self.inventory.decide(SHOW, command, now, &mut events);
        assert!(decided.is_ok() || events.is_empty(), "a rejection has no events");
        self.apply(events, false, now);
        match decided {
            Ok(answer) => self.names().answer(&answer),
            Err(rejection) => format!("rejected: {}", self.names().rejection(&rejection)),
        }
    }

    /// Logs and applies events, and what follows from them.
    fn apply(&mut self, events: Vec<Event>, is_due: bool, now: Timestamp) {
        for mut event in events {
            if is_due && (self.tells_expiries || !matches!(event, Event::HoldExpired { .. })) {
                self.told.push(self.names().event(&event));
            }
            self.frame.push(SHOW, &event, now);
            self.inventory.apply(SHOW, &mut event, now);
        }
        while let Some(mut event) = self.inventory.follow(SHOW, now) {
            self.told.push(self.names().event(&event));
            self.frame.push(SHOW, &event, now);
            self.inventory.apply(SHOW, &mut event, now);
        }
    }

    fn append(&mut self, now: Timestamp) {
        if self.frame.events() > 0 {
            self.log.push((now, self.frame.bytes().to_vec()));
            self.frame.clear();
        }
    }

    fn recover(&mut self) {
        let recovered = self.replayed();
        assert_eq!(recovered.state_hash(), self.inventory.state_hash(), "recovery");
        self.inventory = recovered;
        invariants::check(&self.inventory);
    }

    fn take_snapshot(&mut self, now: Timestamp) {
        if let Some((frozen, bytes)) = self.snapshot.take() {
            assert!(frozen.store() == bytes, "a frozen show stays as it was");
        }
        let frozen = self.inventory.freeze(SHOW);
        let (bytes, mut loaded) = (frozen.store(), Inventory::default());
        loaded.load(&bytes, now).expect("our own bytes");
        assert_eq!(loaded.state_hash(), self.inventory.state_hash(), "snapshot");
        invariants::check(&loaded);
        if frozen.version().is_multiple_of(2) {
            self.inventory = loaded;
        }
        self.snapshot = Some((frozen, bytes));
    }

    /// The inventory that the logged bytes make.
    pub(super) fn replayed(&self) -> Inventory {
        let mut replayed = Inventory::default();
        for (at, payload) in &self.log {
            for record in read_payload(payload, *at) {
                let (number, mut event) = record.expect("our own bytes");
                replayed.apply(number, &mut event, *at);
            }
            replayed.replayed(SHOW, *at);
        }
        replayed
    }

    fn show(&self) -> &Show {
        self.inventory.show(SHOW).expect("the show")
    }

    fn names(&self) -> Names<'_> {
        Names(self.show())
    }
}
