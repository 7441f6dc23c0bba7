//! Plans drawn from a seed: half of them of everything, the others each around one theme.

mod meetings;
mod narrow;
mod themes;

use rand::{Rng, SeedableRng, rngs::SmallRng, seq::IndexedRandom};
use smartsuite_emulator::{FaultKind, LateEnd, ProfileName, RouteKind};

use self::themes::Theme;
use crate::plan::{
    Change, Configuration, Edit, Fate, Gone, Launch, Moment, Plan, Setup, Step, Trap,
};

/// Effects come at most this late where what comes later than the last look-up is not wanted.
const LATE_MS: u64 = 80_000;
/// The same in worlds where the second look must mend what came of it.
const VERY_LATE_MS: u64 = 50 * 60_000;

/// From this seed on some worlds are meetings. The ones before are those in which mistakes were sought and recorded.
const MEETINGS_FROM: u64 = 2_000;

/// Whether this world may go the narrow way of one rule. Between these seeds are some that are recorded as they were before.
fn may_be_narrow(seed: u64) -> bool {
    (10_000..10_500).contains(&seed) || seed >= 20_000
}

/// From this seed on worlds are of every kind, and each mistake is sought: a meeting may be one with a full disk, and those with
/// what is settled have more to send.
pub const ALL_KINDS_FROM: u64 = 50_000;

/// From this seed on faults meet calls for one record, too.
const SINGLES_FROM: u64 = 100_000;

/// Draws the plan of a seed.
pub fn draw(seed: u64) -> Plan {
    let mut drawer = Drawer::of(seed);
    let theme = drawer.theme(seed);
    let mut setup = drawer.setup();
    drawer.suit(theme, &mut setup);
    let steps = match theme {
        None => drawer.steps(&setup),
        Some(theme) => drawer.steps_about(theme, &setup),
    };
    Plan { seed, setup, steps }
}

/// The theme of a seed's world, in a word; `None`: it is of everything.
pub fn theme_of(seed: u64) -> Option<String> {
    let mut drawer = Drawer::of(seed);
    drawer.theme(seed).map(|theme| format!("{theme:?}"))
}

struct Drawer {
    chance: SmallRng,
    /// Disks may become full in the midst of a run.
    fills_disks: bool,
    /// Faults meet calls for one record.
    traps_singles: bool,
    /// Rows at the beginning.
    rows: i64,
    next_id: i64,
    /// Records go to the other table, as far as a meeting has moved them.
    is_moved: bool,
    /// The title was made the amount.
    title_is_amount: bool,
    /// The other field was made to carry the key.
    is_other_field: bool,
}

impl Drawer {
    fn of(seed: u64) -> Self {
        Self {
            chance: SmallRng::seed_from_u64(seed),
            fills_disks: seed >= ALL_KINDS_FROM,
            traps_singles: seed >= SINGLES_FROM,
            rows: 0,
            next_id: 1,
            is_moved: false,
            title_is_amount: false,
            is_other_field: false,
        }
    }

    fn likely(&mut self, share: f64) -> bool {
        self.chance.random_bool(share)
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        *of.choose(&mut self.chance).expect("something to choose from")
    }

    fn setup(&mut self) -> Setup {
        // Who is not the tool's alone is told of late twins; only who is has them removed.
        let is_late = self.likely(0.15);
        Setup {
            profile: self.one_of(&ProfileName::ALL),
            half_written: self.likely(0.3),
            shuffled: self.likely(0.3),
            dedicated: is_late || self.likely(0.7),
            late_max_ms: if is_late { VERY_LATE_MS } else { LATE_MS },
            batch_rows: self.one_of(&[1, 3, 25, 1_000]),
            batch_takes_ms: self.one_of(&[0, 0, 700, 5_000]),
            gone: Gone::Stay,
            soft: self.likely(0.25),
            page_rows: self.likely(0.2).then(|| self.one_of(&[2, 10])),
            log_batch: self.likely(0.15).then(|| self.one_of(&[1, 3, 100])),
        }
    }

    /// Whether and which theme the world has.
    fn theme(&mut self, seed: u64) -> Option<Theme> {
        if may_be_narrow(seed) && self.likely(0.4) {
            return Some(self.one_of(&Theme::NARROW));
        }
        if seed >= MEETINGS_FROM && self.likely(0.4) {
            return Some(Theme::Meeting);
        }
        let has_one = self.likely(0.55);
        has_one.then(|| self.one_of(&Theme::ALL))
    }

    /// What holds from the beginning is such as the theme needs.
    fn suit(&mut self, theme: Option<Theme>, setup: &mut Setup) {
        setup.gone = self.one_of(&[
            Gone::Stay,
            Gone::Stay,
            Gone::Stay,
            Gone::Deleted,
            Gone::Deleted,
            Gone::AllDeleted,
            Gone::Archived,
        ]);
        if let Some(theme) = theme {
            theme.suits(setup, &mut self.chance);
        }
        setup.soft &= setup.gone != Gone::Stay;
    }

    fn steps(&mut self, setup: &Setup) -> Vec<Step> {
        let many = self.one_of(&[6, 6, 6, 6, 6, 40, 40, 40, 40, 140]);
        self.rows = self.chance.random_range(1..=many);
        let mut steps = vec![Step::Write((0..self.rows).map(|_| self.insert()).collect())];
        if self.likely(0.3) {
            steps.push(self.faults(setup));
        }
        steps.push(self.start(0.3));
        steps.push(Step::Finish);
        // Either the tables and fields stay, or the state does: what happens to both is beyond what is promised.
        let moves_field = self.likely(0.1);
        for _ in 0..self.chance.random_range(2..10) {
            self.round(setup, moves_field, &mut steps);
        }
        steps
    }

    /// Some work, some trouble, a process or several, and time.
    fn round(&mut self, setup: &Setup, moves_field: bool, steps: &mut Vec<Step>) {
        if self.likely(0.85) {
            steps.push(self.write());
        }
        if self.likely(0.3) {
            steps.push(Step::People(self.edits()));
        }
        if self.likely(0.6) {
            steps.push(self.faults(setup));
        }
        if self.likely(0.3) {
            steps.push(self.other_trouble());
        }
        if self.likely(0.12) {
            steps.push(Step::Configure(self.configuration(moves_field)));
        }
        if !moves_field && !setup.is_late() {
            steps.extend(self.state_file());
        }
        for _ in 0..self.one_of(&[1, 1, 1, 1, 2, 3]) {
            steps.push(self.start(0.5));
            if self.likely(0.35) {
                steps.push(Step::Wait(self.one_of(&[0, 50, 300, 1_000, 4_000, 30_000])));
                steps.push(self.write());
                if self.likely(0.2) {
                    steps.push(Step::People(self.edits()));
                }
                if self.likely(0.2) {
                    steps.push(self.other_trouble());
                }
            }
        }
        if self.likely(0.85) {
            steps.push(Step::Finish);
        }
        let pauses = [0, 0, 3_000, 3_000, 60_000, 400_000, 4_000_000];
        let pause = self.one_of(&pauses);
        if pause > 0 {
            steps.push(Step::Wait(pause));
        }
    }

    fn insert(&mut self) -> Change {
        let id = self.next_id;
        self.next_id += 1;
        Change::Put { id, value: self.value(), refused: self.likely(0.02) }
    }

    fn value(&mut self) -> char {
        self.one_of(&['A', 'B'])
    }

    fn row(&mut self) -> i64 {
        // A few rows have most of the trouble.
        let few = self.likely(0.6);
        let last = self.next_id.max(2) - 1;
        let first = if few { (last - 3).max(1) } else { 1 };
        self.chance.random_range(first..=last)
    }

    fn write(&mut self) -> Step {
        let burst = self.one_of(&[1, 1, 2, 3, 6, 30]);
        let changes = self.chance.random_range(1..=burst);
        Step::Write((0..changes).map(|_| self.change()).collect())
    }

    fn change(&mut self) -> Change {
        let id = self.row();
        match self.chance.random_range(0..20) {
            0..5 => self.insert(),
            5 => Change::Delete(id),
            6 => {
                let to = self.next_id;
                self.next_id += 1;
                Change::Rekey(id, to)
            }
            7 | 8 => Change::Begin(id, self.value()),
            9 | 10 => Change::Commit(id),
            11 => Change::RollBack(id),
            _ => Change::Put { id, value: self.value(), refused: self.likely(0.05) },
        }
    }

    fn edits(&mut self) -> Vec<Edit> {
        (0..self.one_of(&[1, 1, 2, 5]))
            .map(|_| {
                let id = self.row();
                match self.chance.random_range(0..8) {
                    0..3 => Edit::Delete(id),
                    3 | 4 => Edit::Copy(id),
                    5 => Edit::Note(id),
                    6 => Edit::Make(id),
                    _ => Edit::Retitle(id),
                }
            })
            .collect()
    }

    fn faults(&mut self, setup: &Setup) -> Step {
        Step::Faults((0..self.chance.random_range(1..4)).map(|_| self.trap(setup)).collect())
    }

    fn trap(&mut self, setup: &Setup) -> Trap {
        let late = FaultKind::Late {
            ms: self.chance.random_range(1_000..setup.late_max_ms),
            end: self.one_of(&[LateEnd::Reset, LateEnd::Never, LateEnd::GatewayTimeout]),
        };
        let fault = self.one_of(&[
            FaultKind::Status(500),
            FaultKind::Status(503),
            FaultKind::Status(403),
            FaultKind::Challenge(200),
            FaultKind::Challenge(403),
            FaultKind::Reset,
            FaultKind::Reset,
            FaultKind::Never,
            FaultKind::DelayMs(9_000),
            late,
            late,
            late,
            FaultKind::Truncate(40),
            FaultKind::ShortAnswer(1),
            FaultKind::RateLimit,
        ]);
        let singles = [RouteKind::Create, RouteKind::Update];
        let route = if self.traps_singles && self.likely(0.1) {
            self.one_of(&singles)
        } else {
            self.one_of(&[
                RouteKind::BulkCreate,
                RouteKind::BulkCreate,
                RouteKind::BulkCreate,
                RouteKind::BulkUpdate,
                RouteKind::BulkUpdate,
                RouteKind::List,
                RouteKind::Get,
                RouteKind::Table,
                RouteKind::BulkDelete,
            ])
        };
        // A 2xx that leaves an item out without having done anything is what no service answers.
        let after = matches!(fault, FaultKind::ShortAnswer(_)) || self.likely(0.6);
        Trap {
            fault,
            route,
            after,
            skip: self.one_of(&[0, 0, 0, 1, 2]),
            times: self.one_of(&[1, 1, 2]),
        }
    }

    fn other_trouble(&mut self) -> Step {
        match self.chance.random_range(0..12) {
            0 | 1 => Step::BlindLookUps(self.one_of(&[1, 2])),
            2 => Step::DatabaseDown(1),
            3 => Step::ReadBreaks(self.one_of(&[0, 1, 2])),
            4 | 5 => Step::DatabaseRestarts,
            6 => Step::HideKeys((0..self.one_of(&[1, 3])).map(|_| self.row()).collect()),
            7 => Step::KeysBreak,
            8 => Step::LogUnnamed,
            9 if self.likely(0.5) => Step::LogPurged,
            _ => Step::Resync(
                (0..self.one_of(&[1, 2])).map(|_| (self.row(), self.value())).collect(),
            ),
        }
    }

    fn configuration(&mut self, moves_field: bool) -> Configuration {
        match self.chance.random_range(0..6) {
            _ if moves_field => Configuration::OtherExternalId(self.likely(0.7)),
            0 | 1 => Configuration::Amount(self.likely(0.5)),
            2 | 3 => Configuration::OtherTable(self.likely(0.5)),
            4 => Configuration::OtherKey,
            _ => Configuration::Rename(self.chance.random_range(1..5)),
        }
    }

    fn state_file(&mut self) -> Option<Step> {
        Some(match self.chance.random_range(0..16) {
            0 => Step::LoseState,
            1..4 => Step::BackUpState,
            4 => Step::RestoreState,
            _ => return None,
        })
    }

    /// A process; `trouble` is the share of those that do not simply come to their end.
    fn start(&mut self, trouble: f64) -> Step {
        let fate = if self.likely(trouble) { self.fate() } else { Fate::Ends };
        Step::Start(Launch {
            runs: self.one_of(&[1, 1, 2, 3]),
            full: self.likely(0.08),
            retry: self.likely(0.3),
            yes: self.likely(0.3),
            follows: if self.likely(0.5) { 0 } else { self.one_of(&[5, 40]) },
            pages: self.likely(0.06).then(|| self.one_of(&[0, 1, 3])),
            fate,
        })
    }

    fn fate(&mut self) -> Fate {
        let at = self.moment();
        match self.chance.random_range(0..10) {
            0..5 => Fate::Dies(at),
            5..8 => Fate::LosesPower(at, self.chance.random_range(0..8)),
            _ => {
                Fate::Stops { at, seconds: self.one_of(&[5, 70, 200, 900]), dies: self.likely(0.5) }
            }
        }
    }

    fn moment(&mut self) -> Moment {
        let calls = self.one_of(&[0, 0, 1, 1, 2, 3, 5]);
        let turns = self.one_of(&[4, 12, 40, 120]);
        Moment { calls, turns: self.chance.random_range(0..turns) }
    }
}
