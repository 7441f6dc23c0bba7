//! Silence: writing calls that nobody answers. Which are sent as they were, which in parts, and when a run sends no more.
//!
//! A call may go unanswered because the service is down, because of one of its rows, or because of its size. None of
//! the three can be told from one failure. So what failed once is sent again as it was; what fails again is split into
//! parts, which travel apart, down to single rows, which the client may send by another way. Rows that were not sent
//! yet wait as soon as two calls in a row were not answered: an outage should cost few calls, and split little.

/// Parts that a call is split into: two steps from 25 rows to single ones. Each call without an answer costs two
/// look-ups and a minute and a half where it creates, so few steps are worth a few more calls.
pub const PARTS: usize = 5;
/// Calls in a row without an answer after which rows wait that were not sent yet.
const WARY: u32 = 2;
/// Calls in a row without an answer after which a run sends no more: as many as one bad row costs that is the first of
/// everything (its call twice, its part, and itself), and one.
const SILENT_MAX: u32 = 5;
/// Calls of several rows that must have gone unanswered, and none been answered, before rows go one by one: the whole
/// twice, and three of its parts. A single bad row spoils only one of them.
const SEVERAL_MAX: u32 = 5;
/// How often a row was sent, without an answer, before it is taken to be what the service stumbles over, where it stands
/// alone and other writes are answered: the whole call twice, its part, itself by both routes, and once more.
const ALONE_MAX: u32 = 6;
/// The same where no other write is answered: it may be an outage of writes alone. A dozen runs.
const ALONE_IN_SILENCE_MAX: u32 = 60;
/// The same for a row that was parked before.
const ALONE_AGAIN_MAX: u32 = 2;

/// What became of the calls of one kind.
#[derive(Clone, Copy, Debug, Default)]
struct Sizes {
    /// A call of several rows was answered.
    several_answered: bool,
    /// Calls of several rows that were not.
    several_silent: u32,
    /// A call of one row was answered.
    one_answered: bool,
}

/// Watches the writing calls of one delivery.
#[derive(Clone, Debug, Default)]
pub struct Silence {
    in_a_row: u32,
    any_answered: bool,
    creates: Sizes,
    changes: Sizes,
}

impl Silence {
    fn sizes(&mut self, creates: bool) -> &mut Sizes {
        if creates { &mut self.creates } else { &mut self.changes }
    }

    /// A call of so many rows was answered, whatever the answer says of them.
    pub fn answered(&mut self, creates: bool, rows: usize) {
        self.in_a_row = 0;
        self.any_answered = true;
        let sizes = self.sizes(creates);
        if rows > 1 {
            sizes.several_answered = true;
        } else {
            sizes.one_answered = true;
        }
    }

    /// A call of so many rows was not answered.
    pub fn unanswered(&mut self, creates: bool, rows: usize) {
        self.in_a_row += 1;
        if rows > 1 {
            self.sizes(creates).several_silent += 1;
        }
    }

    /// Whether a write of this delivery was answered: then a failure says something of its own call.
    pub fn any_answered(&self) -> bool {
        self.any_answered
    }

    /// Whether only rows should be sent that were sent before.
    pub fn is_wary(&self) -> bool {
        self.in_a_row >= WARY
    }

    /// Whether the run should send no more.
    pub fn is_outage(&self) -> bool {
        self.in_a_row >= SILENT_MAX
    }

    /// Whether rows go one by one: calls of several go unanswered, and those of one do not.
    pub fn goes_one_by_one(&self, creates: bool) -> bool {
        let sizes = if creates { self.creates } else { self.changes };
        sizes.one_answered && !sizes.several_answered && sizes.several_silent >= SEVERAL_MAX
    }
}

/// The part that an item of a call of `items` travels in. Later parts leave first.
pub fn part(item: usize, items: usize) -> u32 {
    u32::try_from(item / items.div_ceil(PARTS).max(1)).unwrap_or(0)
}

/// Whether a row that stands alone, and was sent so often before without an answer, is to blame. `any_answered`: of this
/// delivery's writes.
pub fn is_to_blame(attempts: u32, refusals: u32, any_answered: bool) -> bool {
    let most = match (refusals, any_answered) {
        (0, true) => ALONE_MAX,
        (0, false) => ALONE_IN_SILENCE_MAX,
        _ => ALONE_AGAIN_MAX,
    };
    attempts >= most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_five_rows_stand_alone_after_two_splits() {
        let sizes = |items: usize| {
            let mut sizes = [0; PARTS];
            for item in 0..items {
                sizes[part(item, items) as usize] += 1;
            }
            sizes
        };
        assert_eq!(sizes(25), [5; 5]);
        assert_eq!(sizes(5), [1; 5]);
        assert_eq!(sizes(7), [2, 2, 2, 1, 0]);
        assert_eq!(sizes(2), [1, 1, 0, 0, 0]);
    }

    #[test]
    fn two_unanswered_calls_make_wary_and_five_are_an_outage() {
        let mut silence = Silence::default();
        silence.unanswered(true, 25);
        assert!(!silence.is_wary());
        silence.unanswered(false, 25);
        assert!(silence.is_wary() && !silence.is_outage());
        silence.unanswered(false, 25);
        silence.unanswered(false, 25);
        silence.unanswered(false, 25);
        assert!(silence.is_outage() && !silence.any_answered());
        silence.answered(false, 1);
        assert!(!silence.is_wary() && silence.any_answered());
    }

    #[test]
    fn rows_go_one_by_one_where_no_call_of_several_is_answered() {
        let mut silence = Silence::default();
        for rows in [25, 25, 5, 5, 5] {
            silence.unanswered(true, rows);
            assert!(!silence.goes_one_by_one(true));
        }
        silence.answered(true, 1);
        assert!(silence.goes_one_by_one(true));
        assert!(!silence.goes_one_by_one(false), "updates are another route");
    }

    /// The row spoils the whole call twice, one part, and the call in which it stands alone.
    #[test]
    fn one_bad_row_does_not_make_rows_go_one_by_one() {
        let mut silence = Silence::default();
        silence.unanswered(false, 25);
        silence.unanswered(false, 25);
        silence.unanswered(false, 5);
        silence.answered(false, 1);
        assert!(!silence.goes_one_by_one(false));
        silence.answered(false, 5);
        for _ in 0..9 {
            silence.unanswered(false, 25);
        }
        assert!(!silence.goes_one_by_one(false));
    }

    #[test]
    fn a_row_is_to_blame_when_it_was_sent_alone_often_enough() {
        assert!(!is_to_blame(5, 0, true) && is_to_blame(6, 0, true));
        assert!(!is_to_blame(59, 0, false) && is_to_blame(60, 0, false));
        assert!(!is_to_blame(1, 1, true) && is_to_blame(2, 1, false), "it was parked before");
    }
}
