//! Worlds that go the narrow way of one rule: what a dead process was sending, what people copied, a definition that
//! changes on rows at rest, a gate under many calls, rows that go while the log is followed.

use rand::Rng;
use smartsuite_emulator::{FaultKind, LateEnd, RouteKind};

use super::{
    Drawer,
    themes::{FINISH, ORDINARY},
};
use crate::{
    coverage::Stand,
    plan::{Blow, Change, Configuration, Edit, Launch, Setup, Step, Trap},
};

/// Longer than lists lag, and than the margin by which a read begins before the one before it.
const A_WHILE_MS: u64 = 5_000;

impl Drawer {
    /// A process dies between the marks of a call and its answer, and its rows change before the next one, or change
    /// back, or do not.
    pub(super) fn sending(&mut self, setup: &Setup, steps: &mut Vec<Step>) {
        let creates = self.likely(0.4);
        steps.push(if creates { self.inserts(2) } else { self.all('B') });
        if creates && self.likely(0.4) {
            self.stand_still(setup, steps);
            return steps.push(FINISH);
        }
        let route = if creates { RouteKind::BulkCreate } else { RouteKind::BulkUpdate };
        if self.likely(0.5) {
            let fault = self.one_of(&[FaultKind::Never, FaultKind::Reset]);
            let after = self.likely(0.3);
            steps.push(Step::Faults(vec![Trap { fault, route, after, skip: 0, times: 1 }]));
        }
        steps.push(ORDINARY);
        let until = self.one_of(&[Stand::Marked, Stand::OnTheWire, Stand::Answered]);
        let blow = if self.likely(0.5) {
            Blow::Kill
        } else {
            Blow::PowerCut(self.chance.random_range(0..8))
        };
        steps.extend([Step::Meet(until, blow), FINISH]);
        match (creates, self.likely(0.6)) {
            // Another value than any before.
            (true, true) => steps.push(self.all('C')),
            (false, true) => steps.push(self.all('A')),
            (_, false) => {}
        }
        steps.push(self.pause(&[0, 3_000]));
        steps.extend([ORDINARY, FINISH]);
    }

    /// People copy, delete and replace records, and make some with the keys of rows to come.
    pub(super) fn copies(&mut self, setup: &Setup, steps: &mut Vec<Step>) {
        let id = self.row();
        let people = |edit: Edit| Step::People(vec![edit]);
        match self.chance.random_range(0..7) {
            0 => {
                // What lands late lies above what people make meanwhile.
                let ms = self.chance.random_range(1_000..setup.late_max_ms);
                let fault = FaultKind::Late { ms, end: LateEnd::Never };
                let route = RouteKind::BulkCreate;
                let trap = Trap { fault, route, after: false, skip: 0, times: 1 };
                steps.extend([self.inserts(1), Step::Faults(vec![trap]), ORDINARY]);
                steps.extend([Step::Meet(Stand::OnTheWire, Blow::Kill), FINISH]);
                steps.extend([people(Edit::Make(self.next_id)), Step::Wait(ms.max(A_WHILE_MS))]);
                steps.extend([ORDINARY, FINISH, self.inserts(1)]);
            }
            1..4 => {
                // The tool's own mark passes the copy, and then the record goes.
                steps.extend([people(Edit::Copy(id)), Step::Wait(A_WHILE_MS)]);
                steps.extend([self.inserts(1), ORDINARY, FINISH, people(Edit::Delete(id))]);
                steps.push(Step::Wait(A_WHILE_MS));
                let value = self.one_of(&['C', 'D', 'E', 'F']);
                steps.push(Step::Write(vec![Change::Put { id, value, refused: false }]));
                if self.likely(0.5) {
                    steps.push(self.inserts(1));
                }
            }
            4 => {
                steps.extend([people(Edit::Make(self.next_id)), Step::Wait(A_WHILE_MS)]);
                steps.push(self.inserts(1));
            }
            5 => {
                steps.extend([people(Edit::Replace(id)), Step::Wait(A_WHILE_MS)]);
                steps.push(self.inserts(1));
            }
            _ => {
                let made = self.next_id;
                steps.push(self.inserts(1));
                let fault = self.one_of(&[FaultKind::Reset, FaultKind::Status(502)]);
                let route = RouteKind::BulkCreate;
                let trap = Trap { fault, route, after: false, skip: 0, times: 1 };
                steps.extend([Step::Faults(vec![trap]), ORDINARY, Step::Wait(10_000)]);
                return steps.extend([people(Edit::Make(made)), FINISH]);
            }
        }
        steps.extend([ORDINARY, FINISH]);
    }

    /// The definition changes: what the title is, when the position has passed the rows; or which field carries the key,
    /// while a create is on its way.
    pub(super) fn redefined(&mut self, setup: &Setup, steps: &mut Vec<Step>) {
        steps.push(self.inserts(2));
        if self.likely(0.6) {
            steps.extend([ORDINARY, FINISH, Step::Wait(A_WHILE_MS), ORDINARY, FINISH]);
            self.title_is_amount = !self.title_is_amount;
            steps.push(Step::Configure(Configuration::TitleIsAmount(self.title_is_amount)));
        } else {
            let late = FaultKind::Late {
                ms: self.chance.random_range(1_000..setup.late_max_ms),
                end: self.one_of(&[LateEnd::Reset, LateEnd::Never]),
            };
            let fault = self.one_of(&[late, FaultKind::Reset, FaultKind::Never]);
            let route = RouteKind::BulkCreate;
            steps.push(Step::Faults(vec![Trap { fault, route, after: true, skip: 0, times: 1 }]));
            steps.extend([ORDINARY, Step::Meet(Stand::OnTheWire, Blow::Kill), FINISH]);
            self.is_other_field = !self.is_other_field;
            steps.push(Step::Configure(Configuration::OtherExternalId(self.is_other_field)));
        }
        steps.extend([ORDINARY, FINISH]);
    }

    /// Many rows change while the service asks for a pause, or records of theirs are gone.
    pub(super) fn pace(&mut self, steps: &mut Vec<Step>) {
        let last = self.next_id - 1;
        if self.likely(0.5) {
            let route = self.one_of(&[RouteKind::BulkUpdate, RouteKind::List]);
            let fault = FaultKind::RateLimit;
            let (after, skip) = (self.likely(0.5), self.one_of(&[0, 0, 1]));
            steps.push(Step::Faults(vec![Trap { fault, route, after, skip, times: 1 }]));
        } else {
            let gone = self.chance.random_range(2..10);
            let edits = (0..gone).map(|_| Edit::Delete(self.chance.random_range(1..=last)));
            steps.push(Step::People(edits.collect()));
        }
        let value = self.one_of(&['C', 'D', 'E', 'F']);
        steps.push(self.every(value));
        steps.extend([Step::Start(Launch { runs: 2, ..Launch::ORDINARY }), FINISH]);
    }

    /// Rows go, and perhaps return, while the log is followed.
    pub(super) fn followed(&mut self, steps: &mut Vec<Step>) {
        steps.push(self.inserts(2));
        steps.push(Step::Start(Launch { follows: 40, ..Launch::ORDINARY }));
        steps.push(Step::Wait(self.chance.random_range(3_000..15_000)));
        let id = self.row();
        steps.push(Step::Write(vec![Change::Delete(id)]));
        steps.push(Step::Wait(self.chance.random_range(0..8_000)));
        if self.likely(0.4) {
            let value = self.value();
            steps.push(Step::Write(vec![Change::Put { id, value, refused: false }]));
        }
        steps.push(FINISH);
    }
}
