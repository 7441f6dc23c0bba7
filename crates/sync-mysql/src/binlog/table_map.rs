//! `TABLE_MAP`: what the table of the rows to come looks like.

use super::{bytes::Bytes, cell::CellForm};

/// Longest lists that are believed: a table has at most 4,096 columns.
const COLUMNS_MAX: usize = 4_096;

/// A table as the log describes it before its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TableMap {
    /// The number that rows refer to.
    pub(crate) id: u64,
    /// Its database.
    pub(crate) schema: String,
    /// Its name.
    pub(crate) name: String,
    /// How the cells of each column are written.
    pub(crate) columns: Vec<CellForm>,
    /// The columns' names, where `binlog_row_metadata` is `FULL`.
    pub(crate) names: Option<Vec<String>>,
}

impl TableMap {
    /// `None` if the event is damaged or holds a type that is not known.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(body);
        let id = bytes.uint(6)?;
        bytes.skip(2)?;
        let length = bytes.length(1)?;
        let schema = bytes.name(length)?;
        let length = bytes.length(1)?;
        let name = bytes.name(length)?;
        let count = bytes.packed_length().filter(|count| *count <= COLUMNS_MAX)?;
        let kinds = bytes.take(count)?;
        let length = bytes.packed_length()?;
        let mut described = Bytes(bytes.take(length)?);
        let columns = kinds
            .iter()
            .map(|kind| CellForm::parse(*kind, &mut described))
            .collect::<Option<Vec<_>>>()?;
        bytes.skip(count.div_ceil(8))?;
        let names = column_names(bytes, count);
        Some(Self { id, schema, name, columns, names })
    }
}

/// The piece of the optional metadata that holds the columns' names.
fn column_names(mut bytes: Bytes<'_>, count: usize) -> Option<Vec<String>> {
    const COLUMN_NAMES: u8 = 4;
    while !bytes.is_empty() {
        let kind = bytes.u8()?;
        let length = bytes.packed_length()?;
        let mut piece = Bytes(bytes.take(length)?);
        if kind != COLUMN_NAMES {
            continue;
        }
        let mut names = Vec::with_capacity(count);
        while !piece.is_empty() {
            let length = piece.packed_length()?;
            names.push(String::from_utf8_lossy(piece.take(length)?).into_owned());
        }
        return (names.len() == count).then_some(names);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(optional: &[u8]) -> Vec<u8> {
        let mut body = vec![9, 0, 0, 0, 0, 0, 1, 0];
        body.extend(b"\x04shop\0\x01t\0");
        body.extend([2, 3, 15]);
        body.extend([2, 80, 0]);
        body.push(0b10);
        body.extend(optional);
        body
    }

    #[test]
    fn a_table_is_described() {
        let table = TableMap::parse(&body(&[])).unwrap();
        assert_eq!((table.id, &*table.schema, &*table.name), (9, "shop", "t"));
        assert_eq!(table.columns, [CellForm::Fixed(4), CellForm::Prefixed(1)]);
        assert_eq!(table.names, None);
    }

    #[test]
    fn full_metadata_names_the_columns() {
        let table = TableMap::parse(&body(b"\x01\x01\x80\x04\x08\x02id\x04name")).unwrap();
        assert_eq!(table.names.unwrap(), ["id", "name"]);
        let wrong_count = TableMap::parse(&body(b"\x04\x03\x02id")).unwrap();
        assert_eq!(wrong_count.names, None);
    }

    #[test]
    fn an_unknown_type_is_refused() {
        let mut body = body(&[]);
        body[17] = 200;
        assert_eq!(TableMap::parse(&body), None);
    }
}
