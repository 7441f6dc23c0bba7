//! Worlds in which each trouble is made to meet each state of the protocol: left to chance, some pairs hardly ever do.

use rand::Rng;
use smartsuite_emulator::{FaultKind, LateEnd, RouteKind};

use super::{Drawer, themes::FINISH};
use crate::{
    coverage::Stand,
    plan::{Blow, Configuration, Edit, Launch, Setup, Step, Trap},
};

/// Rows for which the state file must grow.
const MANY: usize = 40;

impl Drawer {
    /// Work, a state of the protocol, and a trouble that meets it.
    pub(super) fn meeting(&mut self, setup: &Setup, steps: &mut Vec<Step>) {
        if self.likely(0.3) {
            steps.push(Step::BackUpState);
        }
        steps.push(self.inserts(3));
        steps.push(self.all('B'));
        let stand = self.one_of(&Stand::ALL);
        self.lead_to(stand, steps);
        match self.chance.random_range(0..25) {
            0..11 => {
                steps.push(self.begin());
                steps.push(Step::Meet(stand, self.blow(setup)));
            }
            11..17 => {
                steps.push(self.begin());
                steps.push(Step::Meet(stand, Blow::Kill));
                self.after_death(setup, steps);
            }
            17..20 => self.meet_a_read(setup, steps),
            20..22 => self.leave_marks_behind(setup, steps),
            22 => self.stand_still(setup, steps),
            _ => self.fill_the_disk(steps),
        }
        steps.push(FINISH);
        if self.likely(0.7) {
            steps.push(self.all('A'));
        }
        steps.push(self.pause(&[0, 3_000, 100_000]));
        steps.push(self.begin());
        steps.push(FINISH);
    }

    fn begin(&mut self) -> Step {
        let (runs, follows) = (self.one_of(&[1, 2]), self.one_of(&[0, 0, 20]));
        Step::Start(Launch { runs, follows, ..Launch::ORDINARY })
    }

    /// The next process comes into this state.
    fn lead_to(&mut self, stand: Stand, steps: &mut Vec<Step>) {
        match stand {
            Stand::FirstLook | Stand::SecondLook => steps.push(self.doubtful_create()),
            Stand::RestoredState => {
                steps.push(if self.likely(0.5) { Step::LoseState } else { Step::RestoreState });
            }
            Stand::Settled if self.fills_disks => {
                // Updates whose records are gone make creates, once they are settled.
                steps.push(Step::People(vec![Edit::Delete(self.row())]));
            }
            Stand::TakeOver => {
                let until = self.one_of(&[Stand::Waiting, Stand::Marked, Stand::OnTheWire]);
                steps.extend([self.begin(), Step::Meet(until, Blow::Kill)]);
            }
            _ if self.likely(0.2) => steps.push(self.doubtful_create()),
            _ => {}
        }
    }

    /// The next creates get no answer.
    fn doubtful_create(&mut self) -> Step {
        let fault = self.one_of(&[FaultKind::Reset, FaultKind::Status(502)]);
        let (route, after) = (RouteKind::BulkCreate, self.likely(0.3));
        Step::Faults(vec![Trap { fault, route, after, skip: 0, times: 1 }])
    }

    fn blow(&mut self, setup: &Setup) -> Blow {
        let kinds = if self.fills_disks { 19 } else { 16 };
        match self.chance.random_range(0..kinds) {
            16.. => Blow::FullDisk,
            0 => Blow::Kill,
            1 | 2 => Blow::PowerCut(self.chance.random_range(0..8)),
            3 => Blow::Stop(self.one_of(&[5, 70, 200])),
            4 => Blow::Rival,
            5 => Blow::Restart,
            6 => Blow::Unreachable,
            7 => Blow::BlindLookUp,
            8 | 9 if setup.log_batch.is_some() => self.one_of(&[Blow::PurgedLog, Blow::UnnamedLog]),
            _ => {
                let (fault, after) = self.fault(setup);
                Blow::Call { fault, after }
            }
        }
    }

    /// A fault of the service, and whether it comes after the effect.
    fn fault(&mut self, setup: &Setup) -> (FaultKind, bool) {
        let late = FaultKind::Late {
            ms: self.chance.random_range(1_000..setup.late_max_ms),
            end: self.one_of(&[LateEnd::Reset, LateEnd::Never, LateEnd::GatewayTimeout]),
        };
        let fault = self.one_of(&[
            late,
            FaultKind::Status(500),
            FaultKind::Challenge(403),
            FaultKind::Reset,
            FaultKind::Never,
            FaultKind::DelayMs(9_000),
            FaultKind::Truncate(40),
            FaultKind::ShortAnswer(1),
            FaultKind::RateLimit,
        ]);
        let after = match fault {
            FaultKind::Late { .. } => false,
            // A 2xx that leaves an item out without having done anything is what no service answers.
            FaultKind::ShortAnswer(_) => true,
            _ => self.likely(0.5),
        };
        (fault, after)
    }

    /// A process has died: what strikes before or while the next one begins.
    fn after_death(&mut self, setup: &Setup, steps: &mut Vec<Step>) {
        match self.chance.random_range(0..8) {
            0 => steps.push(Step::LoseState),
            1 => steps.push(Step::RestoreState),
            2 => steps.push(Step::Configure(Configuration::Amount(self.likely(0.5)))),
            3 => steps.push(self.move_on()),
            4 => steps.push(Step::Configure(Configuration::OtherKey)),
            5 => steps.push(Step::DatabaseDown(1)),
            6 => return self.fill_the_disk(steps),
            _ => steps.push(self.faulty(setup, &[RouteKind::List, RouteKind::Table])),
        }
        steps.push(self.begin());
    }

    /// A fault for the next call of one of these kinds.
    fn faulty(&mut self, setup: &Setup, routes: &[RouteKind]) -> Step {
        let (fault, after) = self.fault(setup);
        let route = self.one_of(routes);
        Step::Faults(vec![Trap { fault, route, after, skip: 0, times: 1 }])
    }

    /// A process dies before its creates have left, and the sync goes to another table: they stay marked while trouble
    /// strikes there.
    fn leave_marks_behind(&mut self, setup: &Setup, steps: &mut Vec<Step>) {
        steps.extend([self.begin(), Step::Meet(Stand::Marked, Blow::Kill)]);
        steps.push(self.move_on());
        match self.chance.random_range(0..10) {
            0 => steps.extend([self.doubtful_create(), Step::BlindLookUps(1)]),
            1 => return self.fill_the_disk(steps),
            2 => steps.push(Step::LogPurged),
            3 => steps.push(Step::DatabaseDown(1)),
            // The table's structure and what it holds are asked for before anything is written there.
            _ => steps.push(self.faulty(setup, &[RouteKind::List, RouteKind::Table])),
        }
        steps.push(self.begin());
    }

    /// Records go to the table where they do not go now.
    fn move_on(&mut self) -> Step {
        self.is_moved = !self.is_moved;
        Step::Configure(Configuration::OtherTable(self.is_moved))
    }

    /// A call of a dead process meets its fault while the next process reads.
    fn meet_a_read(&mut self, setup: &Setup, steps: &mut Vec<Step>) {
        if self.likely(0.4) {
            steps.extend([self.doubtful_create(), Step::BlindLookUps(1)]);
            steps.extend([self.begin(), Step::MeetLookUp(Blow::Kill)]);
        } else {
            steps.push(self.faulty(setup, &[RouteKind::BulkCreate, RouteKind::BulkUpdate]));
            steps.extend([self.begin(), Step::Meet(Stand::OnTheWire, Blow::Kill)]);
        }
        steps.push(self.begin());
    }

    /// A process stands still between its marks and its call, dies when that has left, and its successor counts from
    /// when it came.
    pub(super) fn stand_still(&mut self, setup: &Setup, steps: &mut Vec<Step>) {
        let ms = self.chance.random_range(40_000..setup.late_max_ms);
        let fault = FaultKind::Late { ms, end: LateEnd::Never };
        let route = RouteKind::BulkCreate;
        steps.push(Step::Faults(vec![Trap { fault, route, after: false, skip: 0, times: 1 }]));
        steps.extend([self.begin(), Step::Meet(Stand::Marked, Blow::Stop(70))]);
        steps.extend([Step::Meet(Stand::OnTheWire, Blow::Kill), self.begin()]);
    }

    /// A process finds the disk full, at some time or other.
    fn fill_the_disk(&mut self, steps: &mut Vec<Step>) {
        steps.push(Step::Write((0..MANY).map(|_| self.insert()).collect()));
        let pages = Some(self.chance.random_range(0..24));
        steps.push(Step::Start(Launch { pages, ..Launch::ORDINARY }));
    }
}
