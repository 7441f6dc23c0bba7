//! What the state keeps besides.

/// What is kept beyond what the work itself needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keeping {
    /// A log of what was done to each record.
    pub effects: bool,
    /// What refused rows hold. Without it they are read again before they are tried again.
    pub payload: bool,
    /// What was last written to each record.
    pub values: bool,
}

impl Default for Keeping {
    /// As where the mapping file says nothing.
    fn default() -> Self {
        Self { effects: true, payload: true, values: false }
    }
}
