//! Names of transactions, and sets of them, as both families of servers write them.

use std::{collections::BTreeMap, fmt, str::FromStr};

use super::bytes::{Bytes, hex};
use crate::server::Flavour;

/// A MySQL server's UUID and, where there is one, a tag.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Origin {
    uuid: [u8; 16],
    tag: String,
}

/// The name of one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Gtid {
    /// MySQL's.
    MySql(Origin, u64),
    /// MariaDB's: domain, server and number.
    MariaDb(u32, u32, u64),
}

impl Gtid {
    /// From the body of a MySQL event.
    pub(crate) fn parse_mysql(body: &[u8], is_tagged: bool) -> Option<Self> {
        let mut bytes = Bytes(body);
        bytes.skip(1)?;
        if !is_tagged {
            let uuid = bytes.take(16)?.try_into().ok()?;
            return Some(Self::MySql(Origin { uuid, tag: String::new() }, bytes.uint(8)?));
        }
        // Sizes, then fields by rising number: 0 flags, 1 server, 2 number, 3 tag.
        bytes.serialized()?;
        bytes.serialized()?;
        let (mut uuid, mut number, mut tag) = ([0; 16], None, String::new());
        while !bytes.is_empty() {
            match bytes.serialized()? {
                0 => drop(bytes.serialized()?),
                1 => {
                    for byte in &mut uuid {
                        *byte = u8::try_from(bytes.serialized()?).ok()?;
                    }
                }
                // Signed: the lowest bit is the sign.
                2 => number = Some(bytes.serialized()? >> 1),
                3 => {
                    let length = usize::try_from(bytes.serialized()?).ok()?;
                    tag = String::from_utf8(bytes.take(length)?.to_vec()).ok()?;
                }
                _ => break,
            }
        }
        Some(Self::MySql(Origin { uuid, tag }, number?))
    }

    /// From the body of a MariaDB event; the server stands in the header.
    pub(crate) fn parse_mariadb(body: &[u8], server: u32) -> Option<Self> {
        let mut bytes = Bytes(body);
        let number = bytes.uint(8)?;
        let domain = u32::try_from(bytes.uint(4)?).ok()?;
        Some(Self::MariaDb(domain, server, number))
    }
}

/// Transactions that are known, in the form of the family that named them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Gtids {
    /// Everything of a MySQL server.
    MySql(GtidSet),
    /// The newest transaction of each domain of a MariaDB server.
    MariaDb(GtidState),
}

impl Gtids {
    /// Whether servers of this family name transactions so.
    pub(crate) fn is_of(&self, flavour: Flavour) -> bool {
        match self {
            Self::MySql(_) => flavour == Flavour::MySql,
            Self::MariaDb(_) => flavour == Flavour::MariaDb,
        }
    }

    /// What a MySQL log file says of the transactions before it. `None` for a form that is not known: with tags it is
    /// another.
    pub(crate) fn parse_mysql_earlier(body: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(body);
        let mut set = GtidSet::default();
        for _ in 0..bytes.uint(8)? {
            let uuid = bytes.take(16)?.try_into().ok()?;
            let mut ranges: Vec<(u64, u64)> = Vec::new();
            for _ in 0..bytes.uint(8)? {
                // The end is the number behind the last.
                let (first, end) = (bytes.uint(8)?, bytes.uint(8)?);
                let before = ranges.last().map_or(0, |(_, last)| last.saturating_add(1));
                if first <= before || end <= first {
                    return None;
                }
                ranges.push((first, end - 1));
            }
            if !ranges.is_empty() {
                set.0.insert(Origin { uuid, tag: String::new() }, ranges);
            }
        }
        bytes.is_empty().then_some(Self::MySql(set))
    }

    /// The same of a MariaDB log file.
    pub(crate) fn parse_mariadb_earlier(body: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(body);
        let mut state = GtidState::default();
        // The highest bits are flags.
        for _ in 0..bytes.uint(4)? & 0x0fff_ffff {
            let mut short = || u32::try_from(bytes.uint(4)?).ok();
            let (domain, server) = (short()?, short()?);
            let number = bytes.uint(8)?;
            // One of each server that wrote to the domain.
            let newest = state.0.entry(domain).or_insert((server, number));
            if newest.1 < number {
                *newest = (server, number);
            }
        }
        bytes.is_empty().then_some(Self::MariaDb(state))
    }

    pub(crate) fn add(&mut self, gtid: &Gtid) {
        match (self, gtid) {
            (Self::MySql(set), Gtid::MySql(origin, number)) => set.add(origin, *number),
            (Self::MariaDb(state), Gtid::MariaDb(domain, server, number)) => {
                state.0.insert(*domain, (*server, *number));
            }
            // A server names its transactions in one way.
            (Self::MySql(_), Gtid::MariaDb(..)) | (Self::MariaDb(_), Gtid::MySql(..)) => {}
        }
    }

    /// Whether all of `other` is part of it; `None` where that means nothing.
    pub(crate) fn covers(&self, other: &Self) -> Option<bool> {
        match (self, other) {
            (Self::MySql(set), Self::MySql(other)) => Some(set.contains(other)),
            (Self::MariaDb(state), Self::MariaDb(other)) => Some(state.has_reached(other)),
            (Self::MySql(_), Self::MariaDb(_)) | (Self::MariaDb(_), Self::MySql(_)) => None,
        }
    }

    /// The newest position that neither has passed.
    pub(crate) fn common(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::MySql(set), Self::MySql(other)) => Some(Self::MySql(set.common(other))),
            (Self::MariaDb(state), Self::MariaDb(other)) => {
                Some(Self::MariaDb(state.common(other)))
            }
            (Self::MySql(_), Self::MariaDb(_)) | (Self::MariaDb(_), Self::MySql(_)) => None,
        }
    }
}

impl fmt::Display for Gtids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MySql(set) => set.fmt(f),
            Self::MariaDb(state) => state.fmt(f),
        }
    }
}

/// Text that is no set of transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no GTID text")]
pub struct NoGtidText;

/// MySQL's set: for each origin, ranges of numbers that neither touch nor overlap, in order; both ends belong to
/// them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GtidSet(BTreeMap<Origin, Vec<(u64, u64)>>);

impl GtidSet {
    fn add(&mut self, origin: &Origin, number: u64) {
        // Nearly always the next one of an origin that is there.
        match self.0.get_mut(origin) {
            Some(ranges) => match ranges.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
                _ => insert(ranges, (number, number)),
            },
            None => drop(self.0.insert(origin.clone(), vec![(number, number)])),
        }
    }

    /// Whether every transaction of `other` is in it.
    pub fn contains(&self, other: &Self) -> bool {
        other.0.iter().all(|(origin, ranges)| {
            let own = self.0.get(origin).map(Vec::as_slice).unwrap_or_default();
            ranges.iter().all(|(first, last)| {
                own.iter().any(|(own_first, own_last)| own_first <= first && last <= own_last)
            })
        })
    }

    fn common(&self, other: &Self) -> Self {
        let mut common = BTreeMap::new();
        for (origin, ranges) in &self.0 {
            let others = other.0.get(origin).map(Vec::as_slice).unwrap_or_default();
            let shared: Vec<(u64, u64)> = ranges
                .iter()
                .flat_map(|(first, last)| {
                    others.iter().filter_map(move |(other_first, other_last)| {
                        let (first, last) = (*first.max(other_first), *last.min(other_last));
                        (first <= last).then_some((first, last))
                    })
                })
                .collect();
            if !shared.is_empty() {
                common.insert(origin.clone(), shared);
            }
        }
        Self(common)
    }

    /// The set in pieces of one origin each, as the server's command wants them.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(origin, ranges)| piece(origin, ranges))
    }
}

/// Adds a range, joining those that touch.
fn insert(ranges: &mut Vec<(u64, u64)>, added: (u64, u64)) {
    ranges.push(added);
    ranges.sort_unstable();
    let mut joined: Vec<(u64, u64)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges.drain(..) {
        match joined.last_mut() {
            Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
            _ => joined.push((first, last)),
        }
    }
    *ranges = joined;
}

fn piece(origin: &Origin, ranges: &[(u64, u64)]) -> String {
    let mut uuid = Vec::new();
    let mut rest = Bytes(&origin.uuid);
    for length in [4, 2, 2, 2, 6] {
        uuid.extend(rest.take(length).map(hex));
    }
    let mut text = uuid.join("-");
    if !origin.tag.is_empty() {
        text += ":";
        text += &origin.tag;
    }
    for (first, last) in ranges {
        text += &if first == last { format!(":{first}") } else { format!(":{first}-{last}") };
    }
    text
}

impl fmt::Display for GtidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.pieces().collect::<Vec<_>>().join(","))
    }
}

impl FromStr for GtidSet {
    type Err = NoGtidText;

    /// As the server prints it: `uuid:1-5:7, uuid:tag:1`. After a tag further ranges are the tag's.
    fn from_str(text: &str) -> Result<Self, NoGtidText> {
        let mut set = Self::default();
        for piece in text.split(',').map(str::trim).filter(|piece| !piece.is_empty()) {
            let mut parts = piece.split(':').map(str::trim);
            let uuid = parts.next().and_then(uuid).ok_or(NoGtidText)?;
            let mut origin = Origin { uuid, tag: String::new() };
            let mut count = 0;
            for part in parts {
                if part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
                    origin.tag = tag(part).ok_or(NoGtidText)?;
                    continue;
                }
                let (first, last) = part.split_once('-').unwrap_or((part, part));
                let range = (number(first)?, number(last)?);
                if range.0 == 0 || range.0 > range.1 {
                    return Err(NoGtidText);
                }
                insert(set.0.entry(origin.clone()).or_default(), range);
                count += 1;
            }
            if count == 0 {
                return Err(NoGtidText);
            }
        }
        Ok(set)
    }
}

fn number(text: &str) -> Result<u64, NoGtidText> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or(NoGtidText)
}

fn uuid(text: &str) -> Option<[u8; 16]> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'-').collect();
    if digits.len() != 32 {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut uuid = [0; 16];
    for (byte, pair) in uuid.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(uuid)
}

fn tag(text: &str) -> Option<String> {
    let fits = text.len() <= 32 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    fits.then(|| text.to_ascii_lowercase())
}

/// MariaDB's state: for each domain the newest transaction, by server and number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GtidState(BTreeMap<u32, (u32, u64)>);

impl GtidState {
    /// Whether it is at least as far as `other` in each of its domains.
    pub fn has_reached(&self, other: &Self) -> bool {
        other
            .0
            .iter()
            .all(|(domain, (_, number))| self.0.get(domain).is_some_and(|(_, own)| own >= number))
    }

    fn common(&self, other: &Self) -> Self {
        let older = |(domain, (server, number)): (&u32, &(u32, u64))| {
            let (other_server, other_number) = other.0.get(domain)?;
            let oldest = if number <= other_number {
                (*server, *number)
            } else {
                (*other_server, *other_number)
            };
            Some((*domain, oldest))
        };
        Self(self.0.iter().filter_map(older).collect())
    }
}

impl fmt::Display for GtidState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self
            .0
            .iter()
            .map(|(domain, (server, number))| format!("{domain}-{server}-{number}"))
            .collect();
        f.write_str(&names.join(","))
    }
}

impl FromStr for GtidState {
    type Err = NoGtidText;

    /// As the server prints it: `0-1-1234,2-1-7`.
    fn from_str(text: &str) -> Result<Self, NoGtidText> {
        let mut state = Self::default();
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let parts: Vec<u64> = name.split('-').map(number).collect::<Result<_, _>>()?;
            let [domain, server, number] = parts.as_slice() else { return Err(NoGtidText) };
            let short = |number: &u64| u32::try_from(*number).map_err(|_| NoGtidText);
            let newest = state.0.entry(short(domain)?).or_insert((short(server)?, *number));
            if newest.1 < *number {
                *newest = (short(server)?, *number);
            }
        }
        Ok(state)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const A: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
    const B: &str = "00000000-0000-0000-0000-0000000000ff";

    fn set(text: &str) -> GtidSet {
        text.parse().unwrap()
    }

    #[test]
    fn sets_are_printed_as_the_server_does() {
        for text in
            ["", &format!("{A}:1-5:7"), &format!("{B}:3,{A}:1"), &format!("{A}:1,{A}:tag_1:2-3")]
        {
            assert_eq!(set(text).to_string(), text);
        }
        assert_eq!(set(&format!("{A}:5:1-3:4, \n{A}:6-9")).to_string(), format!("{A}:1-9"));
        assert_eq!(set(&format!("{A}:1:Tag:2")).to_string(), format!("{A}:1,{A}:tag:2"));
    }

    #[test]
    fn what_is_no_set_is_refused() {
        for text in [
            "x",
            A,
            "3e11:1",
            &format!("{A}:"),
            &format!("{A}:0"),
            &format!("{A}:5-3"),
            &format!("{A}:+1"),
        ] {
            assert_eq!(text.parse::<GtidSet>(), Err(NoGtidText), "{text}");
        }
        for text in ["1-2", "1-2-3-4", "a-b-c", "0--1", "99999999999-1-1"] {
            assert_eq!(text.parse::<GtidState>(), Err(NoGtidText), "{text}");
        }
    }

    #[test]
    fn what_a_file_says_was_before_it_is_read() {
        let mut body = 1_u64.to_le_bytes().to_vec();
        body.extend(uuid(A).unwrap());
        for number in [2_u64, 1, 6, 8, 9] {
            body.extend(number.to_le_bytes());
        }
        let earlier = Gtids::parse_mysql_earlier(&body);
        assert_eq!(earlier, Some(Gtids::MySql(set(&format!("{A}:1-5:8")))));
        body.pop();
        assert_eq!(Gtids::parse_mysql_earlier(&body), None);
        assert_eq!(Gtids::parse_mysql_earlier(&[0; 8]), Some(Gtids::MySql(set(""))));

        let mut body = vec![3, 0, 0, 0x10];
        for (domain, server, number) in [(0_u32, 1_u32, 9_u64), (0, 2, 11), (7, 1, 4)] {
            body.extend(domain.to_le_bytes());
            body.extend(server.to_le_bytes());
            body.extend(number.to_le_bytes());
        }
        let earlier = Gtids::parse_mariadb_earlier(&body).unwrap();
        assert_eq!(earlier.to_string(), "0-2-11,7-1-4");
        body.pop();
        assert_eq!(Gtids::parse_mariadb_earlier(&body), None);
    }

    #[test]
    fn a_set_contains_what_it_was_given_and_no_more() {
        let all = set(&format!("{A}:1-9,{B}:1"));
        assert!(all.contains(&set(&format!("{A}:2-3:9"))));
        assert!(!all.contains(&set(&format!("{A}:9-10"))));
        assert!(!all.contains(&set(&format!("{A}:tag:1"))));
        assert_eq!(all.common(&set(&format!("{A}:8-12"))).to_string(), format!("{A}:8-9"));
    }

    #[test]
    fn states_are_compared_by_domain() {
        let state = |text: &str| text.parse::<GtidState>().unwrap();
        assert_eq!(state("2-1-7,0-1-1234").to_string(), "0-1-1234,2-1-7");
        assert!(state("0-2-9,1-1-1").has_reached(&state("0-1-9")));
        assert!(!state("0-1-8").has_reached(&state("0-1-9")));
        assert!(!state("1-1-8").has_reached(&state("0-1-1")));
        assert_eq!(state("0-2-9,1-1-1").common(&state("0-1-5")).to_string(), "0-1-5");
    }

    #[test]
    fn names_are_read_from_events() {
        let mut body = vec![1];
        body.extend([0; 15]);
        body.push(0xff);
        body.extend(300_u64.to_le_bytes());
        let Some(Gtid::MySql(origin, 300)) = Gtid::parse_mysql(&body, false) else { panic!() };
        assert_eq!(piece(&origin, &[(300, 300)]), format!("{B}:300"));

        // Version 2, size and last field; flags 0; the server; number 5, signed; tag "ab".
        let mut body = vec![2, 0x34, 0x06, 0x00, 0x00, 0x02];
        body.extend([0; 15]);
        body.extend([0xfd, 0x03]);
        body.extend([0x04, 0x14, 0x06, 0x04, b'a', b'b', 0x08, 0x00]);
        let Some(Gtid::MySql(origin, 5)) = Gtid::parse_mysql(&body, true) else { panic!() };
        assert_eq!(piece(&origin, &[(5, 5)]), format!("{B}:ab:5"));

        let mut body = 77_u64.to_le_bytes().to_vec();
        body.extend([3, 0, 0, 0, 0]);
        assert_eq!(Gtid::parse_mariadb(&body, 9), Some(Gtid::MariaDb(3, 9, 77)));
        assert_eq!(Gtid::parse_mariadb(&[1], 9), None);
    }

    proptest! {
        #[test]
        fn any_text_is_a_set_or_refused(text in "[0-9a-f:, _-]{0,60}|.{0,40}") {
            if let Ok(set) = text.parse::<GtidSet>() {
                prop_assert_eq!(set.to_string().parse::<GtidSet>(), Ok(set));
            }
            if let Ok(state) = text.parse::<GtidState>() {
                prop_assert_eq!(state.to_string().parse::<GtidState>(), Ok(state));
            }
        }

        #[test]
        fn any_bytes_say_what_was_before_a_file_or_nothing(
            count in 0_u8..3, body in proptest::collection::vec(0_u8..4, 0..120),
        ) {
            let body = [&[count, 0, 0, 0, 0, 0, 0, 0][..], &body].concat();
            if let Some(Gtids::MySql(set)) = Gtids::parse_mysql_earlier(&body) {
                prop_assert_eq!(set.to_string().parse::<GtidSet>(), Ok(set));
            }
            if let Some(Gtids::MariaDb(state)) = Gtids::parse_mariadb_earlier(&body) {
                prop_assert_eq!(state.to_string().parse::<GtidState>(), Ok(state));
            }
        }

        #[test]
        fn numbers_added_one_by_one_are_all_there(numbers in proptest::collection::vec(1_u64..40, 0..60)) {
            let mut grown = GtidSet::default();
            let origin = Origin { uuid: [7; 16], tag: String::new() };
            for number in &numbers {
                grown.add(&origin, *number);
            }
            for number in 1..40 {
                let mut one = GtidSet::default();
                one.add(&origin, number);
                prop_assert_eq!(grown.contains(&one), numbers.contains(&number));
            }
        }
    }
}
