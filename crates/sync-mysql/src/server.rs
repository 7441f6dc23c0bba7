//! Which server answers.

use std::fmt;

/// The family of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// MariaDB.
    MariaDb,
    /// MySQL, Percona Server and what speaks like them.
    MySql,
}

/// A server as it introduces itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerVersion {
    /// Its family.
    pub flavour: Flavour,
    /// Major, minor and patch; zeros where the server's text has no numbers.
    pub number: (u16, u16, u16),
    /// Its own words.
    pub text: String,
}

impl ServerVersion {
    /// Reads the text of `SELECT VERSION()`.
    pub(crate) fn parse(text: &str) -> Self {
        let flavour = if text.contains("MariaDB") { Flavour::MariaDb } else { Flavour::MySql };
        // Old MariaDB hides behind a MySQL version: `5.5.5-10.1.48-MariaDB`.
        let own =
            text.strip_prefix("5.5.5-").filter(|_| flavour == Flavour::MariaDb).unwrap_or(text);
        let digits =
            own.split(|c: char| !c.is_ascii_digit() && c != '.').next().unwrap_or_default();
        let mut parts = digits.split('.').map(|part| part.parse().unwrap_or_default());
        let mut next = || parts.next().unwrap_or_default();
        let number = (next(), next(), next());
        Self { flavour, number, text: text.to_owned() }
    }

    /// Whether `WITH q (a, b) AS (...)` is understood.
    pub(crate) fn has_named_subqueries(&self) -> bool {
        match self.flavour {
            Flavour::MariaDb => self.number >= (10, 2, 1),
            Flavour::MySql => self.number >= (8, 0, 1),
        }
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.flavour {
            Flavour::MariaDb => write!(f, "{}", self.text.replacen("-MariaDB", " MariaDB", 1)),
            Flavour::MySql => write!(f, "{} MySQL", self.text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        for (text, flavour, number) in [
            ("10.11.19-MariaDB-0+deb12u1", Flavour::MariaDb, (10, 11, 19)),
            ("5.5.5-10.1.48-MariaDB", Flavour::MariaDb, (10, 1, 48)),
            ("9.7.4-1", Flavour::MySql, (9, 7, 4)),
            ("5.6.24", Flavour::MySql, (5, 6, 24)),
            ("8.0.36-28.1", Flavour::MySql, (8, 0, 36)),
            ("weird", Flavour::MySql, (0, 0, 0)),
        ] {
            let version = ServerVersion::parse(text);
            assert_eq!((version.flavour, version.number), (flavour, number), "{text}");
        }
    }
}
