//! Which member of the MySQL family a server belongs to.

use std::fmt;

/// A member of the MySQL family. A suite that matters runs on every one of [`Flavor::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flavor {
    /// `MariaDB`: the server on the machine, else installed from the distribution by `apt-get`.
    /// Its absence is a failure.
    MariaDb,
    /// Real `MySQL`, 8 or later: the server on the machine, else version 9 unpacked into the cache
    /// folder from Debian's unstable suite. Its absence is [`Unavailable`](crate::Unavailable).
    MySql,
}

impl Flavor {
    /// Both flavors, `MariaDB` first.
    pub const ALL: [Self; 2] = [Self::MariaDb, Self::MySql];

    /// The short name used in folder names, in lower case.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::MariaDb => "mariadb",
            Self::MySql => "mysql",
        }
    }
}

impl fmt::Display for Flavor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::MariaDb => "MariaDB",
            Self::MySql => "MySQL",
        })
    }
}
