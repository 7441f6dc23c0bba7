//! Changing the choices of a table, one process at a time.

use jiff::Timestamp;

use super::{StateError, Writer};

/// Whose turn it is to change the choices of a table, and what its rows are mapped for then.
pub trait ChoiceStore {
    /// Takes the hash as seen without asking for a full read: the table changed in nothing that could make another draft
    /// of a row that has one.
    fn set_shape(&mut self, writer: &Writer, shape_hash: &str) -> Result<(), StateError>;

    /// Takes the turn to change the choices of the table, until then at most; answers `false` if another has it.
    fn take_turn(
        &mut self,
        writer: &Writer,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StateError>;

    /// Whether the turn that was taken until then is held still.
    fn has_turn(
        &mut self,
        writer: &Writer,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StateError>;

    /// Gives the turn back, if it is held still.
    fn end_turn(&mut self, writer: &Writer, until: Timestamp) -> Result<(), StateError>;
}
