//! Where reading of the log goes on.

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
    /// The transactions before it, where the server names them.
    pub(crate) gtids: Option<Gtids>,
    /// Whether a snapshot that was opened after the position was taken may lack transactions before it, so that
    /// everything must be read once more.
    pub(crate) is_unsure: bool,
}

impl Position {
    /// Whether everything before `other` is before this, too; `None` where that cannot be said.
    pub(crate) fn covers(&self, other: &Self) -> Option<bool> {
        if let (Some(own), Some(other)) = (&self.gtids, &other.gtids) {
            return own.covers(other);
        }
        if self.server != other.server {
            return None;
        }
        Some((file_number(&self.file)?, self.offset) >= (file_number(&other.file)?, other.offset))
    }

    /// The newest position that neither has passed: one connection serves several.
    pub(crate) fn common(self, other: &Self) -> Option<Self> {
        if let (Some(own), Some(others)) = (&self.gtids, &other.gtids) {
            let gtids = own.common(others)?;
            return Some(Self { gtids: Some(gtids), ..self });
        }
        let covers = self.covers(other)?;
        Some(if covers { other.clone() } else { self })
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
            gtids,
            is_unsure: value.get("unsure")?.as_bool()?,
        })
    }
}

/// The number at the end of a log file's name: they rise, and grow longer after 999999.
fn file_number(file: &str) -> Option<u64> {
    file.rsplit_once('.')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(server: &str, file: &str, offset: u64) -> Position {
        Position { server: server.into(), file: file.into(), offset, gtids: None, is_unsure: false }
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
    fn a_stored_position_comes_back() {
        let plain = at("a", "bin.000001", 4);
        let named = Position {
            gtids: Some(Gtids::MySql("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5".parse().unwrap())),
            is_unsure: true,
            ..plain.clone()
        };
        for position in [plain, named] {
            assert_eq!(Position::parse(&position.stored()), Some(position));
        }
        for text in ["", "{}", r#"{"version":2}"#] {
            assert_eq!(Position::parse(text), None);
        }
    }
}
