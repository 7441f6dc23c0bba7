//! Whether a server that says that nothing is new keeps something back.

use super::position::Position;

/// How things stood when it said so.
pub(super) struct Idle {
    /// How far its log is by its own word.
    pub(super) newest: Option<Position>,
    /// Where in its file the server stands that sends it.
    pub(super) end: u32,
}

impl Idle {
    /// Whether everything that the server has was read. MySQL says that nothing is new also while it passes over what is
    /// known already, and then it is its names that tell. An offset does not: it may be that of an empty file.
    pub(super) fn is_end(&self, position: &Position) -> bool {
        let newest = self.newest.as_ref().filter(|newest| newest.gtids.is_some());
        newest.is_none_or(|newest| position.covers(newest) != Some(false))
    }

    /// Whether the server does not send what it has. A log that is deleted and begun anew under the name of the file that
    /// is being sent leaves the one who sends it in a file that is no more.
    pub(super) fn is_kept_from(&self, before: &Self, position: &Position) -> bool {
        let Some(earlier) = &before.newest else { return false };
        let is_shorter =
            self.newest.as_ref().is_some_and(|newest| newest.covers(earlier) == Some(false));
        // Only names say what is lacking: an offset may be that of an empty file, behind what was read. Where MySQL
        // passes over what is known already, it moves.
        let is_stuck = earlier.gtids.is_some()
            && self.end == before.end
            && position.covers(earlier) == Some(false);
        is_shorter || is_stuck
    }
}

#[cfg(test)]
mod tests {
    use super::{super::gtid::Gtids, *};

    fn place(file: &str, offset: u64, named: Option<&str>) -> Position {
        Position {
            server: "s".into(),
            file: file.into(),
            offset,
            begun: None,
            gtids: named.map(|gtids| Gtids::MariaDb(gtids.parse().unwrap())),
            is_unsure: false,
        }
    }

    fn kept(before: &Position, newest: &Position, ends: [u32; 2], position: &Position) -> bool {
        let idle = |newest: &Position, end| Idle { newest: Some(newest.clone()), end };
        idle(newest, ends[1]).is_kept_from(&idle(before, ends[0]), position)
    }

    #[test]
    fn an_empty_file_behind_what_was_read_is_nothing_new() {
        let (read, empty) = (place("b.000007", 900, None), place("b.000008", 157, None));
        assert!(!kept(&empty, &empty, [157, 157], &read));
        assert!(kept(&read, &place("b.000001", 157, None), [900, 900], &read), "it is shorter");
    }

    #[test]
    fn a_log_is_read_to_its_end_when_everything_that_has_a_name_was_read() {
        let is_end = |newest: Option<Position>, position: &Position| {
            Idle { newest, end: 900 }.is_end(position)
        };
        let read = place("b.000007", 900, Some("0-1-9"));
        assert!(is_end(Some(place("", 4, Some("0-1-9"))), &read));
        assert!(!is_end(Some(place("", 4, Some("0-1-12"))), &read), "it is only passed over");
        let nameless = place("b.000007", 900, None);
        assert!(is_end(Some(place("b.000008", 157, None)), &nameless));
        assert!(is_end(None, &nameless));
    }

    #[test]
    fn transactions_that_have_names_and_are_not_sent_are_kept_back() {
        let read = place("b.000007", 900, Some("0-1-9"));
        let more = place("", 4, Some("0-1-12"));
        assert!(kept(&more, &more, [900, 900], &read));
        assert!(!kept(&more, &more, [900, 950], &read), "it moves");
        assert!(!kept(&read, &more, [900, 900], &read), "they came since");
        assert!(kept(&more, &place("", 4, Some("0-1-2")), [900, 950], &read), "it is shorter");
        let unknown = Idle { newest: None, end: 900 };
        assert!(!unknown.is_kept_from(&unknown, &read));
    }
}
