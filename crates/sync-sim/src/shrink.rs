//! Shortening a plan that goes wrong: whatever can be left out while the same thing goes wrong is left out.

use crate::{
    life::{Failure, live},
    oracle::What,
    plan::{Fate, Launch, Plan, Step},
};

/// Lives spent on shortening one plan.
const LIVES_MAX: usize = 600;

/// A shortened plan with what goes wrong in it.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The plan.
    pub plan: Plan,
    /// What goes wrong.
    pub failure: Failure,
}

/// Shortens a plan in which `failure` happens.
pub fn shrink(plan: Plan, failure: Failure) -> Shrunk {
    let mut shrinker =
        Shrinker { what: failure.wrong.what, shrunk: Shrunk { plan, failure }, lives: 0 };
    loop {
        let before = shrinker.shrunk.plan.clone();
        shrinker.leave_out_steps();
        shrinker.leave_out_parts();
        shrinker.make_harmless();
        if shrinker.shrunk.plan == before || shrinker.lives >= LIVES_MAX {
            return shrinker.shrunk;
        }
    }
}

struct Shrinker {
    what: What,
    shrunk: Shrunk,
    lives: usize,
}

impl Shrinker {
    /// Takes the plan if it goes wrong in the same way.
    fn accepts(&mut self, plan: Plan) -> bool {
        if self.lives >= LIVES_MAX {
            return false;
        }
        self.lives += 1;
        match live(&plan) {
            Err(failure) if failure.wrong.what == self.what => {
                self.shrunk = Shrunk { plan, failure: *failure };
                true
            }
            Ok(_) | Err(_) => false,
        }
    }

    /// Leaves out steps, many at once first.
    fn leave_out_steps(&mut self) {
        let mut size = self.shrunk.plan.steps.len() / 2;
        while size > 0 {
            let mut at = 0;
            while at < self.shrunk.plan.steps.len() {
                let mut plan = self.shrunk.plan.clone();
                let end = (at + size).min(plan.steps.len());
                plan.steps.drain(at..end);
                if !self.accepts(plan) {
                    at += size;
                }
            }
            size /= 2;
        }
    }

    /// Leaves out single rows, edits and faults of steps, many at once first.
    fn leave_out_parts(&mut self) {
        for step in 0..self.shrunk.plan.steps.len() {
            let mut size = parts(&self.shrunk.plan.steps[step]) / 2;
            while size > 0 {
                let mut at = 0;
                while at < parts(&self.shrunk.plan.steps[step]) {
                    let mut plan = self.shrunk.plan.clone();
                    leave_out(&mut plan.steps[step], at, size);
                    if !self.accepts(plan) {
                        at += size;
                    }
                }
                size /= 2;
            }
        }
    }

    /// Lets processes come to their ordinary end, and the service be the usual one.
    fn make_harmless(&mut self) {
        for step in 0..self.shrunk.plan.steps.len() {
            if let Step::Start(launch) = self.shrunk.plan.steps[step] {
                for simpler in [
                    Launch::ORDINARY,
                    Launch { fate: launch.fate, ..Launch::ORDINARY },
                    Launch { fate: Fate::Ends, ..launch },
                ] {
                    let mut plan = self.shrunk.plan.clone();
                    plan.steps[step] = Step::Start(simpler);
                    if simpler != launch && self.accepts(plan) {
                        break;
                    }
                }
            }
        }
        let mut plan = self.shrunk.plan.clone();
        plan.setup.profile = smartsuite_emulator::ProfileName::Default;
        (plan.setup.half_written, plan.setup.shuffled) = (false, false);
        (plan.setup.batch_rows, plan.setup.batch_takes_ms) = (1_000, 0);
        if plan != self.shrunk.plan {
            self.accepts(plan);
        }
        let mut plan = self.shrunk.plan.clone();
        (plan.setup.page_rows, plan.setup.soft) = (None, false);
        if plan != self.shrunk.plan {
            self.accepts(plan);
        }
    }
}

fn parts(step: &Step) -> usize {
    match step {
        Step::Write(changes) => changes.len(),
        Step::People(edits) => edits.len(),
        Step::Faults(traps) => traps.len(),
        Step::Resync(rows) => rows.len(),
        Step::HideKeys(rows) => rows.len(),
        _ => 0,
    }
}

fn leave_out(step: &mut Step, at: usize, size: usize) {
    let end = (at + size).min(parts(step));
    match step {
        Step::Write(changes) => drop(changes.drain(at..end)),
        Step::People(edits) => drop(edits.drain(at..end)),
        Step::Faults(traps) => drop(traps.drain(at..end)),
        Step::Resync(rows) => drop(rows.drain(at..end)),
        Step::HideKeys(rows) => drop(rows.drain(at..end)),
        _ => {}
    }
}
