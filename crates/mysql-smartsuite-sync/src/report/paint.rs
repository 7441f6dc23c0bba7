//! Colours, for terminals that show them. Nothing is said by colour alone.

/// Paints words, or leaves them as they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    /// Whether there are colours at all.
    pub(crate) color: bool,
}

impl Paint {
    /// It went well.
    pub(crate) fn good(self, text: &str) -> String {
        self.with("32", text)
    }

    /// A person should look.
    pub(crate) fn caution(self, text: &str) -> String {
        self.with("33", text)
    }

    /// It failed.
    pub(crate) fn bad(self, text: &str) -> String {
        self.with("31", text)
    }

    /// The main word of a line.
    pub(crate) fn strong(self, text: &str) -> String {
        self.with("1", text)
    }

    /// What matters less.
    pub(crate) fn faint(self, text: &str) -> String {
        self.with("2", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}
