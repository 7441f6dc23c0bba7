//! Rows events: the key columns of every row image, and nothing else.

use std::io::Read as _;

use flate2::read::ZlibDecoder;

use super::{
    bytes::{Bytes, big_endian, bit},
    cell::CellForm,
    event::{RowChange, RowsForm},
    table_map::TableMap,
};

/// The number that stands for no table, in events that only end a statement.
const NO_TABLE: u64 = 0x00ff_ffff;
/// Set in the last rows event of a statement.
const STATEMENT_END: u64 = 1;
/// Most bytes that compressed rows or a compressed statement may become: what one event of a server can hold.
const INFLATED_MAX: u64 = 1 << 30;

/// A rows event before its rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowsHead<'a> {
    /// The table's number; `None` in an event without rows.
    pub(crate) table: Option<u64>,
    /// Whether the statement ends with it.
    pub(crate) ends_statement: bool,
    rest: Bytes<'a>,
}

impl<'a> RowsHead<'a> {
    pub(crate) fn parse(body: &'a [u8], form: RowsForm) -> Option<Self> {
        let mut bytes = Bytes(body);
        let table = bytes.uint(6)?;
        let flags = bytes.uint(2)?;
        if form.has_extra {
            let length = bytes.length(2)?;
            bytes.skip(length.checked_sub(2)?)?;
        }
        Some(Self {
            table: (table != NO_TABLE).then_some(table),
            ends_statement: flags & STATEMENT_END != 0,
            rest: bytes,
        })
    }
}

/// What an image shows of a wanted column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Cell<'a> {
    /// Nothing: it lacks the column.
    #[default]
    Hidden,
    /// NULL.
    Null,
    /// Its bytes.
    Shown(&'a [u8]),
}

/// One row's cells at the wanted places.
pub(crate) type Cells<'a> = [Cell<'a>];

/// Reads over every row and hands out the cells of the columns at `places`, the image before and the one after.
/// Inserted rows have only an image after, deleted ones only one before.
///
/// `None` if the event is damaged; what was handed out before is true.
pub(crate) fn for_each_row(
    head: RowsHead<'_>,
    form: RowsForm,
    table: &TableMap,
    places: &[usize],
    mut each: impl FnMut(Option<&Cells<'_>>, Option<&Cells<'_>>),
) -> Option<()> {
    let mut bytes = head.rest;
    let count = bytes.packed_length().filter(|count| *count == table.columns.len())?;
    let bitmap_length = count.div_ceil(8);
    let first = Shown::parse(bytes.take(bitmap_length)?, table, places);
    let second = match form.change {
        RowChange::Update => Some(Shown::parse(bytes.take(bitmap_length)?, table, places)),
        RowChange::Insert | RowChange::Delete => None,
    };
    let inflated;
    let mut rows = if form.is_compressed {
        inflated = inflated_bytes(bytes.0)?;
        Bytes(&inflated)
    } else {
        bytes
    };
    let json_bytes = table
        .columns
        .iter()
        .filter(|column| matches!(column, CellForm::Json(_)))
        .count()
        .div_ceil(8);
    let mut before = vec![Cell::Hidden; places.len()];
    let mut after = vec![Cell::Hidden; places.len()];
    while !rows.is_empty() {
        match (form.change, &second) {
            (RowChange::Insert, _) => {
                first.row(&mut rows, &mut after)?;
                each(None, Some(&after));
            }
            (RowChange::Delete, _) => {
                first.row(&mut rows, &mut before)?;
                each(Some(&before), None);
            }
            (RowChange::Update, second) => {
                first.row(&mut rows, &mut before)?;
                if form.is_partial && rows.packed()? & 1 == 1 {
                    // Which JSON columns hold differences: they are as easy to read over as whole values.
                    rows.skip(json_bytes)?;
                }
                second.as_ref()?.row(&mut rows, &mut after)?;
                each(Some(&before), Some(&after));
            }
        }
    }
    Some(())
}

/// The columns that an image shows.
struct Shown {
    /// Their forms, and for those that are wanted where their cells go.
    columns: Vec<(CellForm, Option<usize>)>,
    null_bytes: usize,
}

impl Shown {
    fn parse(bitmap: &[u8], table: &TableMap, places: &[usize]) -> Self {
        let columns: Vec<_> = table
            .columns
            .iter()
            .enumerate()
            .filter(|(index, _)| bit(bitmap, *index))
            .map(|(index, form)| (*form, places.iter().position(|place| *place == index)))
            .collect();
        Self { null_bytes: columns.len().div_ceil(8), columns }
    }

    /// Reads over one image.
    #[inline]
    fn row<'a>(&self, rows: &mut Bytes<'a>, cells: &mut Cells<'a>) -> Option<()> {
        // An image of nothing would never end.
        if self.columns.is_empty() {
            return None;
        }
        let nulls = rows.take(self.null_bytes)?;
        cells.fill(Cell::Hidden);
        for (index, (form, wanted)) in self.columns.iter().enumerate() {
            let cell = if bit(nulls, index) { Cell::Null } else { Cell::Shown(form.take(rows)?) };
            if let Some(place) = wanted.and_then(|wanted| cells.get_mut(wanted)) {
                *place = cell;
            }
        }
        Some(())
    }
}

/// What MariaDB compressed: a byte that tells the algorithm (0: zlib) and the length of the length, the length, the
/// stream.
pub(crate) fn inflated_bytes(compressed: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Bytes(compressed);
    let form = bytes.u8()?;
    if form & 0xf0 != 0x80 {
        return None;
    }
    let length = big_endian(bytes.take(usize::from(form & 7))?);
    if length > INFLATED_MAX {
        return None;
    }
    // Room is made as it is filled: the length may be a lie.
    let mut inflated = Vec::new();
    ZlibDecoder::new(bytes.0).take(length + 1).read_to_end(&mut inflated).ok()?;
    (u64::try_from(inflated.len()) == Ok(length)).then_some(inflated)
}
