//! Themes: worlds of few rows in which one kind of thing happens again and again, as everything at once seldom goes
//! the narrow way that a rule of the protocol is about.

use rand::{Rng, rngs::SmallRng, seq::IndexedRandom};
use smartsuite_emulator::{FaultKind, LateEnd, RouteKind};

use super::{Drawer, VERY_LATE_MS};
use crate::plan::{Change, Configuration, Edit, Fate, Gone, Launch, Moment, Setup, Step, Trap};

/// What a world is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Theme {
    /// Rows change and change back while writes are cut short.
    Back,
    /// Creates without an answer, and people who work on what they made.
    Doubt,
    /// Effects that come up to an hour late.
    Late,
    /// The state is put back old.
    OldState,
    /// Many rows are refused, and mended, and refused.
    Refused,
    /// Marks are made while marked keys are read.
    Marks,
    /// The definition changes while creates are on their way.
    Moves,
    /// Rows go and come back.
    Gone,
    /// Transactions stay open, and reads break off.
    Slow,
    /// The database's log is followed.
    Log,
    /// Many processes want the same.
    Crowd,
    /// Troubles meet states of the protocol.
    Meeting,
    /// A process dies between the marks of a call and its answer.
    Sending,
    /// People copy, delete and replace records.
    Copies,
    /// The definition changes on rows at rest, or while a create is on its way.
    Redefined,
    /// The gate under many calls.
    Pace,
    /// Rows go while the log is followed.
    Followed,
}

impl Theme {
    /// Those that are drawn; a meeting is made of some of the later seeds.
    pub(super) const ALL: [Self; 11] = [
        Self::Back,
        Self::Doubt,
        Self::Late,
        Self::OldState,
        Self::Refused,
        Self::Marks,
        Self::Moves,
        Self::Gone,
        Self::Slow,
        Self::Log,
        Self::Crowd,
    ];

    /// Those that go the narrow way of one rule; they are drawn for later seeds still.
    pub(super) const NARROW: [Self; 5] =
        [Self::Sending, Self::Copies, Self::Redefined, Self::Pace, Self::Followed];

    pub(super) fn suits(self, setup: &mut Setup, chance: &mut SmallRng) {
        if self != Self::Late && setup.is_late() {
            setup.late_max_ms = super::LATE_MS;
        }
        match self {
            Self::Late => {
                setup.late_max_ms = VERY_LATE_MS;
                setup.dedicated = true;
            }
            Self::Refused => setup.half_written = chance.random_bool(0.7),
            Self::Marks => {
                (setup.batch_rows, setup.batch_takes_ms, setup.log_batch) = (1, 5_000, None);
            }
            Self::Gone if setup.gone == Gone::Stay => setup.gone = Gone::Deleted,
            Self::Slow => setup.batch_rows = 1,
            Self::Meeting => {
                (setup.batch_rows, setup.batch_takes_ms) =
                    (1, *[0, 700].choose(chance).unwrap_or(&0));
                setup.log_batch = chance.random_bool(0.4).then_some(2);
            }
            Self::Log => setup.log_batch = Some(chance.random_range(1..4)),
            Self::Sending => (setup.batch_rows, setup.batch_takes_ms) = (25, 0),
            Self::Copies | Self::Pace => {
                setup.gone = Gone::Stay;
                (setup.batch_rows, setup.batch_takes_ms) = (1_000, 0);
            }
            Self::Redefined => setup.batch_takes_ms = 0,
            Self::Followed => {
                setup.log_batch = Some(chance.random_range(1..4));
                if setup.gone == Gone::Stay {
                    setup.gone = Gone::Deleted;
                }
            }
            Self::Back | Self::Doubt | Self::OldState | Self::Moves | Self::Gone | Self::Crowd => {}
        }
    }
}

pub(super) const FINISH: Step = Step::Finish;
pub(super) const ORDINARY: Step = Step::Start(Launch::ORDINARY);

impl Drawer {
    /// The steps of a world with a theme.
    pub(super) fn steps_about(&mut self, theme: Theme, setup: &Setup) -> Vec<Step> {
        let rows = match theme {
            Theme::Refused => 1..=60,
            Theme::Gone => 1..=30,
            Theme::Pace => 76..=110,
            Theme::Followed => 4..=8,
            _ => 1..=5,
        };
        self.rows = self.chance.random_range(rows);
        let mut steps = vec![Step::Write((0..self.rows).map(|_| self.insert()).collect())];
        if theme == Theme::Pace {
            // None that the service refuses: its batch would be halved again and again.
            steps.push(self.every('A'));
        }
        steps.extend([ORDINARY, FINISH]);
        let rounds = if Theme::NARROW.contains(&theme) { 1..4 } else { 3..7 };
        for _ in 0..self.chance.random_range(rounds) {
            match theme {
                Theme::Back => self.back(setup, &mut steps),
                Theme::Doubt => self.doubt(setup, &mut steps),
                Theme::Late => self.late(setup, &mut steps),
                Theme::OldState => self.old_state(setup, &mut steps),
                Theme::Refused => self.refused(&mut steps),
                Theme::Marks => self.marks(&mut steps),
                Theme::Moves => self.moves(setup, &mut steps),
                Theme::Gone => self.gone(setup, &mut steps),
                Theme::Slow => self.slow(&mut steps),
                Theme::Log => self.log(setup, &mut steps),
                Theme::Crowd => self.crowd(setup, &mut steps),
                Theme::Meeting => self.meeting(setup, &mut steps),
                Theme::Sending => self.sending(setup, &mut steps),
                Theme::Copies => self.copies(setup, &mut steps),
                Theme::Redefined => self.redefined(setup, &mut steps),
                Theme::Pace => self.pace(&mut steps),
                Theme::Followed => self.followed(&mut steps),
            }
        }
        steps
    }

    /// Every row gets this value.
    pub(super) fn every(&self, value: char) -> Step {
        Step::Write((1..self.next_id).map(|id| Change::Put { id, value, refused: false }).collect())
    }

    /// All rows, or the last few, get this value.
    pub(super) fn all(&mut self, value: char) -> Step {
        let last = self.next_id - 1;
        let first = (last - 3).max(1);
        Step::Write((first..=last).map(|id| Change::Put { id, value, refused: false }).collect())
    }

    pub(super) fn inserts(&mut self, rows_max: usize) -> Step {
        let rows = self.chance.random_range(1..=rows_max);
        Step::Write((0..rows).map(|_| self.insert()).collect())
    }

    /// A process that is cut short soon after so many calls.
    fn cut_short(&mut self, calls: &[u32], turns_max: u32) -> Step {
        let at =
            Moment { calls: self.one_of(calls), turns: self.chance.random_range(0..turns_max) };
        let fate = match self.chance.random_range(0..6) {
            0..3 => Fate::Dies(at),
            3..5 => Fate::LosesPower(at, self.chance.random_range(0..8)),
            _ => Fate::Stops { at, seconds: self.one_of(&[5, 70, 200]), dies: self.likely(0.7) },
        };
        Step::Start(Launch { fate, ..Launch::ORDINARY })
    }

    /// Either that or an ordinary one.
    fn perhaps_cut_short(&mut self, calls: &[u32], turns_max: u32) -> Step {
        if self.likely(0.6) { self.cut_short(calls, turns_max) } else { ORDINARY }
    }

    /// A call of this kind gets no answer, whether or not it has its effect.
    fn unanswered(&mut self, setup: &Setup, route: RouteKind) -> Step {
        let late = FaultKind::Late {
            ms: self.chance.random_range(1_000..setup.late_max_ms),
            end: self.one_of(&[LateEnd::Reset, LateEnd::Never, LateEnd::GatewayTimeout]),
        };
        let fault = self.one_of(&[
            late,
            late,
            late,
            FaultKind::Status(502),
            FaultKind::Status(404),
            FaultKind::Challenge(200),
            FaultKind::Challenge(403),
            FaultKind::Reset,
            FaultKind::Never,
            FaultKind::Truncate(40),
            FaultKind::ShortAnswer(1),
            FaultKind::RateLimit,
        ]);
        let after = matches!(fault, FaultKind::ShortAnswer(_)) || self.likely(0.6);
        let (skip, times) = (self.one_of(&[0, 0, 0, 1]), self.one_of(&[1, 1, 2]));
        Step::Faults(vec![Trap { fault, route, after, skip, times }])
    }

    pub(super) fn pause(&mut self, milliseconds: &[u64]) -> Step {
        Step::Wait(self.one_of(milliseconds))
    }

    fn edit_of_last(&mut self) -> Step {
        let last = self.next_id - 1;
        let id = self.chance.random_range((last - 2).max(1)..=last);
        let edit = self.one_of(&[
            Edit::Copy(id),
            Edit::Copy(id),
            Edit::Delete(id),
            Edit::Make(id),
            Edit::Make(id),
            Edit::Note(id),
        ]);
        Step::People(vec![edit])
    }

    fn back(&mut self, setup: &Setup, steps: &mut Vec<Step>) {
        steps.push(self.all('B'));
        if self.likely(0.4) {
            steps.push(self.unanswered(setup, RouteKind::BulkUpdate));
        }
        steps.push(self.perhaps_cut_short(&[0, 0, 1, 1, 1], 30));
        steps.push(FINISH);
        steps.push(self.all('A'));
        steps.push(self.pause(&[0, 3_000, 100_000]));
        steps.push(self.perhaps_cut_short(&[0, 1], 30));
        steps.push(FINISH);
    }

    fn doubt(&mut self, setup: &Setup, steps: &mut Vec<Step>) {
        steps.push(self.inserts(3));
        steps.push(self.unanswered(setup, RouteKind::BulkCreate));
        if self.likely(0.3) {
            steps.push(Step::BlindLookUps(self.one_of(&[1, 1, 2])));
        }
        steps.push(self.perhaps_cut_short(&[1, 1, 2, 3], 30));
        if self.likely(0.7) {
            steps.push(self.pause(&[500, 3_000, 10_000, 60_000]));
            steps.push(self.edit_of_last());
            if self.likely(0.5) {
                steps.push(self.all('B'));
            }
        }
        steps.push(FINISH);
        if self.likely(0.3) {
            steps.push(self.all('A'));
        }
        steps.push(self.pause(&[0, 0, 3_000, 30_000, 100_000]));
        steps.push(self.perhaps_cut_short(&[1, 2], 30));
        steps.push(FINISH);
    }

    fn late(&mut self, setup: &Setup, steps: &mut Vec<Step>) {
        let write = if self.likely(0.5) { self.write() } else { self.all('B') };
        steps.push(write);
        let route =
            self.one_of(&[RouteKind::BulkUpdate, RouteKind::BulkCreate, RouteKind::BulkDelete]);
        steps.push(self.unanswered(setup, route));
        steps.push(self.perhaps_cut_short(&[1, 2], 30));
        steps.push(FINISH);
        steps.push(self.pause(&[0, 3_000, 100_000, 400_000]));
        let write = if self.likely(0.5) { self.write() } else { self.all('A') };
        steps.push(write);
        steps.extend([ORDINARY, FINISH]);
        steps.push(self.pause(&[3_000, 400_000, 4_000_000]));
    }

    fn old_state(&mut self, setup: &Setup, steps: &mut Vec<Step>) {
        if self.likely(0.4) {
            steps.push(self.inserts(2));
            steps.push(self.cut_short(&[1, 1, 2], 12));
            steps.push(FINISH);
        }
        steps.push(Step::BackUpState);
        let write = if self.likely(0.5) { self.inserts(3) } else { self.all('B') };
        steps.push(write);
        steps.extend([ORDINARY, FINISH]);
        if self.likely(0.5) {
            steps.push(Step::People(vec![Edit::Delete(self.row())]));
            steps.push(self.all('B'));
            steps.extend([ORDINARY, FINISH]);
        }
        if self.likely(0.5) {
            steps.push(self.all('A'));
        }
        if self.likely(0.3) {
            // A create is on its way.
            steps.push(self.inserts(2));
            steps.push(self.unanswered(setup, RouteKind::BulkCreate));
            steps.push(self.cut_short(&[1, 2], 6));
            steps.push(FINISH);
        }
        steps.push(if self.likely(0.8) { Step::RestoreState } else { Step::LoseState });
        if self.likely(0.35) {
            steps.push(Step::BlindLookUps(self.one_of(&[1, 2])));
        }
        if self.likely(0.3) {
            steps.push(self.unanswered(setup, RouteKind::List));
        }
        steps.push(self.perhaps_cut_short(&[1, 2, 3], 30));
        steps.push(FINISH);
        steps.push(self.pause(&[0, 3_000, 100_000]));
        steps.extend([ORDINARY, FINISH]);
    }

    fn refused(&mut self, steps: &mut Vec<Step>) {
        for _ in 0..2 {
            let rows = self.chance.random_range(1..12);
            let changes = (0..rows).map(|_| {
                let id = if self.likely(0.4) { self.next_id } else { self.row() };
                self.next_id = self.next_id.max(id + 1);
                Change::Put { id, value: self.value(), refused: self.likely(0.3) }
            });
            steps.push(Step::Write(changes.collect()));
            let calls = [1, 1, 2, 3, 5, 8];
            steps.push(self.perhaps_cut_short(&calls, 20));
            steps.push(FINISH);
        }
        steps.push(Step::Start(Launch { retry: self.likely(0.5), ..Launch::ORDINARY }));
        steps.push(FINISH);
    }

    fn marks(&mut self, steps: &mut Vec<Step>) {
        let rows: Vec<i64> = (0..self.one_of(&[1, 2])).map(|_| self.row()).collect();
        let of = |value: char| Step::Resync(rows.iter().map(|id| (*id, value)).collect());
        steps.push(of('B'));
        steps.push(self.perhaps_cut_short(&[0], 60));
        steps.push(Step::Wait(self.chance.random_range(0..25_000)));
        steps.push(of('A'));
        if self.likely(0.2) {
            steps.push(Step::ReadBreaks(self.one_of(&[0, 1])));
        }
        steps.push(FINISH);
        if self.likely(0.5) {
            steps.extend([ORDINARY, FINISH]);
        }
    }

    fn moves(&mut self, setup: &Setup, steps: &mut Vec<Step>) {
        let to = if self.likely(0.6) {
            [true, false].map(Configuration::OtherTable)
        } else {
            [false, true].map(Configuration::Amount)
        };
        for configuration in to {
            steps.push(self.inserts(2));
            if self.likely(0.3) {
                steps.push(self.all('B'));
            }
            if self.likely(0.7) {
                steps.push(self.unanswered(setup, RouteKind::BulkCreate));
            }
            steps.push(self.perhaps_cut_short(&[1, 2, 3], 12));
            steps.push(FINISH);
            steps.push(Step::Configure(configuration));
            steps.push(self.perhaps_cut_short(&[1, 2], 12));
            steps.push(FINISH);
        }
        steps.push(self.pause(&[0, 0, 3_000, 100_000]));
    }

    fn gone(&mut self, setup: &Setup, steps: &mut Vec<Step>) {
        let last = self.next_id - 1;
        if self.likely(0.4) {
            let id = self.row();
            steps.push(Step::People(vec![Edit::Copy(id), Edit::Delete(id)]));
            let value = self.value();
            steps.push(Step::Write(vec![Change::Put { id, value, refused: false }]));
            steps.extend([ORDINARY, FINISH]);
        }
        let rows: Vec<i64> = if self.likely(0.2) {
            // So many that somebody is asked.
            (1..=last).filter(|_| self.likely(0.8)).collect()
        } else {
            (0..self.one_of(&[1, 1, 2, 4])).map(|_| self.row()).collect()
        };
        steps.push(Step::Write(rows.iter().map(|id| Change::Delete(*id)).collect()));
        if self.likely(0.3) {
            steps.push(Step::HideKeys((0..2).map(|_| self.row()).collect()));
        }
        if self.likely(0.3) {
            let route = self.one_of(&[RouteKind::BulkDelete, RouteKind::BulkUpdate]);
            steps.push(self.unanswered(setup, route));
        }
        let mut start = self.perhaps_cut_short(&[0, 0, 1, 1, 2], 40);
        if let Step::Start(launch) = &mut start {
            (launch.yes, launch.follows) = (self.likely(0.3), self.one_of(&[0, 0, 20]));
        }
        steps.push(start);
        if self.likely(0.4) {
            steps.push(Step::Wait(self.chance.random_range(0..12_000)));
            steps.push(self.return_of(&rows));
        }
        steps.push(FINISH);
        if self.likely(0.5) {
            steps.extend([ORDINARY, FINISH]);
            steps.push(self.return_of(&rows));
        }
    }

    fn return_of(&mut self, rows: &[i64]) -> Step {
        let value = self.value();
        let few = rows.iter().take(4);
        Step::Write(few.map(|id| Change::Put { id: *id, value, refused: false }).collect())
    }

    fn slow(&mut self, steps: &mut Vec<Step>) {
        let (id, value) = (self.row(), self.value());
        steps.push(Step::Write(vec![Change::Begin(id, value)]));
        let change = self.change();
        steps.push(Step::Write(vec![change]));
        if self.likely(0.3) {
            steps.push(Step::ReadBreaks(self.one_of(&[0, 1, 2])));
        }
        steps.push(self.perhaps_cut_short(&[0, 0, 1], 60));
        steps.push(self.pause(&[100, 2_000, 30_000]));
        if self.likely(0.7) {
            steps.push(Step::Write(vec![Change::Commit(id)]));
        }
        steps.push(FINISH);
        steps.push(self.write());
        steps.push(self.perhaps_cut_short(&[0, 1], 60));
        steps.push(FINISH);
    }

    fn log(&mut self, setup: &Setup, steps: &mut Vec<Step>) {
        steps.push(self.write());
        let mut start = self.perhaps_cut_short(&[0, 0, 1, 2], 80);
        if let Step::Start(launch) = &mut start {
            launch.follows = self.one_of(&[0, 10, 60]);
        }
        if self.likely(0.3) {
            steps.push(self.faults(setup));
        }
        steps.push(start);
        for _ in 0..self.one_of(&[0, 1, 3]) {
            steps.push(Step::Wait(self.chance.random_range(0..15_000)));
            steps.push(self.write());
        }
        match self.chance.random_range(0..8) {
            0 => steps.push(Step::LogPurged),
            1 => steps.push(Step::LogUnnamed),
            2 => steps.push(Step::DatabaseRestarts),
            _ => {}
        }
        steps.push(FINISH);
    }

    fn crowd(&mut self, setup: &Setup, steps: &mut Vec<Step>) {
        if self.likely(0.5) {
            steps.push(self.faults(setup));
        }
        for _ in 0..self.chance.random_range(2..4) {
            let write = if self.likely(0.5) { self.inserts(3) } else { self.write() };
            steps.push(write);
            let fate = if self.likely(0.7) { self.fate() } else { Fate::Ends };
            let runs = self.one_of(&[1, 2, 3]);
            steps.push(Step::Start(Launch { runs, fate, ..Launch::ORDINARY }));
            steps.push(self.pause(&[0, 50, 300, 1_000, 4_000, 30_000]));
        }
        steps.push(FINISH);
    }
}
