//! Where reading of the log goes on.

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::gtid::{GtidSet, GtidState, Gtids};

/// The version of a stored position's text.
const VERSION: u64 = 1;

/// A place between two transactions of a server's log.
///
/// Files and offsets of different servers say nothing of each other: comparing them is `None`, never `false`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// Which server's log it is.
    pub(crate) server: String,
    /// The file.
    pub(crate) file: String,
    /// Bytes before it in the file.
    pub(crate) offset: u64,
    /// When the file was begun, by the server's clock, seconds since 1970; `None`: not known. A file of the same name
    /// that was begun at another time is one of a log that was deleted and begun anew.
    pub(crate) begun: Option<u32>,
    /// The transactions before it, where the server names them.
    pub(crate) gtids: Option<Gtids>,
    /// Whether a snapshot that was opened after the position was taken may lack transactions before it, so that
    /// everything must be read once more.
    pub(crate) is_unsure: bool,
}

/// How two positions fit together: of one log, files follow each other, and each is begun once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// As far as one can see, the later one is further on in the same log.
    Follows,
    /// The same place, which has another name in the file behind it.
    Same,
    /// They are of different logs.
    OtherLog,
}

impl Position {
    /// Whether everything before `other` is before this, too; `None` where that cannot be said.
    pub(crate) fn covers(&self, other: &Self) -> Option<bool> {
        if let (Some(own), Some(other)) = (&self.gtids, &other.gtids) {
            return own.covers(other);
        }
        self.place_covers(other)
    }

    /// The same by file and offset alone.
    fn place_covers(&self, other: &Self) -> Option<bool> {
        if self.server != other.server {
            return None;
        }
        Some((file_number(&self.file)?, self.offset) >= (file_number(&other.file)?, other.offset))
    }

    /// How the files of this one and of `earlier`, which it covers, fit together.
    pub(crate) fn fits(&self, earlier: &Self) -> Fit {
        let numbers = (file_number(&self.file), file_number(&earlier.file));
        let (Some(file), Some(before), true) =
            (numbers.0, numbers.1, self.server == earlier.server)
        else {
            return Fit::Follows;
        };
        let are_begun_twice = match (self.begun, earlier.begun) {
            (Some(begun), Some(before)) => begun != before,
            _ => false,
        };
        match file.cmp(&before) {
            // The end of a file is the beginning of the next.
            Ordering::Less if earlier.covers(self) == Some(true) => Fit::Same,
            Ordering::Less => Fit::OtherLog,
            Ordering::Equal if are_begun_twice => Fit::OtherLog,
            Ordering::Equal | Ordering::Greater => Fit::Follows,
        }
    }

    /// The newest position that neither has passed: one connection serves several.
    pub(crate) fn common(self, other: &Self) -> Option<Self> {
        if let (Some(own), Some(others)) = (&self.gtids, &other.gtids) {
            let gtids = Some(own.common(others)?);
            // It stands where the one further back does, if that can be said.
            let place = match self.place_covers(other) {
                Some(true) => other.clone(),
                Some(false) => self,
                None => self.nowhere(),
            };
            return Some(Self { gtids, ..place });
        }
        let covers = self.covers(other)?;
        Some(if covers { other.clone() } else { self })
    }

    /// The same transactions, on a server where nothing is known of their place.
    pub(crate) fn on(self, server: &str) -> Self {
        if self.server == server {
            return self;
        }
        Self { server: server.to_owned(), ..self.nowhere() }
    }

    /// The same transactions, without a place.
    fn nowhere(self) -> Self {
        Self { file: String::new(), offset: 4, begun: None, ..self }
    }

    pub(crate) fn stored(&self) -> String {
        let (family, gtids) = match &self.gtids {
            Some(Gtids::MySql(set)) => ("mysql", set.to_string()),
            Some(Gtids::MariaDb(state)) => ("mariadb", state.to_string()),
            None => ("none", String::new()),
        };
        let text = json!({
            "version": VERSION,
            "server": self.server,
            "file": self.file,
            "offset": self.offset,
            "begun": self.begun,
            "named_by": family,
            "gtids": gtids,
            "unsure": self.is_unsure,
        });
        text.to_string()
    }

    /// `None` for text of another version.
    pub(crate) fn parse(stored: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(stored).ok()?;
        let text = |name: &str| value.get(name)?.as_str().map(str::to_owned);
        if value.get("version")?.as_u64()? != VERSION {
            return None;
        }
        let gtids = text("gtids")?;
        let gtids = match text("named_by")?.as_str() {
            "mysql" => Some(Gtids::MySql(gtids.parse::<GtidSet>().ok()?)),
            "mariadb" => Some(Gtids::MariaDb(gtids.parse::<GtidState>().ok()?)),
            "none" => None,
            _ => return None,
        };
        Some(Self {
            server: text("server")?,
            file: text("file")?,
            offset: value.get("offset")?.as_u64()?,
            // Positions that were stored by older programs have none.
            begun: value
                .get("begun")
                .and_then(Value::as_u64)
                .and_then(|seconds| u32::try_from(seconds).ok()),
            gtids,
            is_unsure: value.get("unsure")?.as_bool()?,
        })
    }
}

/// The number at the end of a log file's name: they rise, and grow longer after 999999.
pub(crate) fn file_number(file: &str) -> Option<u64> {
    file.rsplit_once('.')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(server: &str, file: &str, offset: u64) -> Position {
        Position {
            server: server.into(),
            file: file.into(),
            offset,
            begun: None,
            gtids: None,
            is_unsure: false,
        }
    }

    #[test]
    fn files_are_compared_by_their_numbers() {
        let older = at("a", "bin.999999", 900);
        let newer = at("a", "bin.1000000", 4);
        assert_eq!(newer.covers(&older), Some(true));
        assert_eq!(older.covers(&newer), Some(false));
        assert_eq!(newer.clone().common(&older), Some(older));
    }

    #[test]
    fn logs_of_different_servers_are_not_comparable() {
        assert_eq!(at("a", "bin.000001", 4).covers(&at("b", "bin.000001", 4)), None);
    }

    #[test]
    fn names_are_compared_across_servers() {
        let named = |server, text: &str| Position {
            gtids: Some(Gtids::MariaDb(text.parse().unwrap())),
            ..at(server, "bin.000001", 4)
        };
        assert_eq!(named("b", "0-2-9").covers(&named("a", "0-1-8")), Some(true));
        assert_eq!(named("b", "0-2-7").covers(&named("a", "0-1-8")), Some(false));
    }

    #[test]
    fn what_several_have_in_common_stands_where_the_last_of_them_does() {
        let named = |file, text: &str| Position {
            gtids: Some(Gtids::MariaDb(text.parse().unwrap())),
            begun: Some(7),
            ..at("a", file, 90)
        };
        let (older, newer) = (named("bin.000002", "0-1-7"), named("bin.000003", "0-1-9"));
        assert_eq!(newer.clone().common(&older), Some(older.clone()));
        assert_eq!(older.clone().common(&newer), Some(older.clone()));
        let elsewhere = Position { server: "b".into(), ..older.clone() };
        assert_eq!(newer.common(&elsewhere).unwrap().file, "");
        let moved = older.on("b");
        assert_eq!((moved.file.as_str(), moved.begun), ("", None));
        assert_eq!(moved.covers(&named("bin.000002", "0-1-7")), Some(true));
    }

    #[test]
    fn a_stored_position_comes_back() {
        let plain = at("a", "bin.000001", 4);
        let named = Position {
            gtids: Some(Gtids::MySql("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5".parse().unwrap())),
            is_unsure: true,
            begun: Some(1_700_000_000),
            ..plain.clone()
        };
        for position in [plain, named] {
            assert_eq!(Position::parse(&position.stored()), Some(position));
        }
        let older = plain_without_begun();
        assert_eq!(Position::parse(&older), Some(at("a", "bin.000001", 4)));
        for text in ["", "{}", r#"{"version":2}"#] {
            assert_eq!(Position::parse(text), None);
        }
    }

    /// As it was stored before it said when its file was begun.
    fn plain_without_begun() -> String {
        at("a", "bin.000001", 4).stored().replace(r#""begun":null,"#, "")
    }
}
