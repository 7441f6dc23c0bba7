//! Linked records: both sides always say the same (section 5.1; point 21).

use crate::model::cell::Cell;
use crate::model::field::Field;
use crate::model::field_type::FieldType;
use crate::model::record::Record;
use crate::model::table::Table;
use crate::model::world::World;
use crate::object_id::ObjectId;

/// One side of a link: a field of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Side {
    pub(crate) table: ObjectId,
    pub(crate) column: usize,
    is_single: bool,
}

/// A field with the field on the other table that mirrors it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) own: Side,
    pub(crate) other: Side,
}

impl Link {
    fn turned(self) -> Self {
        Self { own: self.other, other: self.own }
    }
}

/// The links of a table whose two sides both exist.
pub(crate) fn of_table(world: &World, table: &Table) -> Vec<Link> {
    let linking = table.fields.iter().filter(|field| field.kind == FieldType::LinkedRecord);
    linking.filter_map(|field| of_field(world, table, field)).collect()
}

fn of_field(world: &World, table: &Table, field: &Field) -> Option<Link> {
    let other = world.tables.get(&field.linked_table?)?;
    let slug = field.back_slug.as_deref()?;
    let back = other.fields.iter().find(|field| field.slug == slug)?;
    Some(Link {
        own: Side { table: table.id, column: field.column?, is_single: field.is_single() },
        other: Side { table: other.id, column: back.column?, is_single: back.is_single() },
    })
}

/// A record that a change of the other side touched, as it was before where events need that.
#[derive(Debug, Clone)]
pub(crate) struct Touch {
    pub(crate) table: ObjectId,
    pub(crate) rank: u64,
    pub(crate) before: Option<Box<Record>>,
}

/// The records that a change of one side touched on the other.
pub(crate) type Touched = Vec<Touch>;

/// After a record's ids went from `old` to `new`, brings the other side in line.
pub(crate) fn follow(
    world: &mut World,
    link: Link,
    record: ObjectId,
    old: &[ObjectId],
    new: &[ObjectId],
) -> Touched {
    let mut touched = Touched::new();
    for gone in old.iter().filter(|id| !new.contains(id)) {
        touched.extend(unlink(world, link.other, *gone, record));
    }
    for fresh in new.iter().filter(|id| !old.contains(id)) {
        // Where the other side holds one record only, it leaves the one it had.
        if link.other.is_single {
            for loser in ids_of(world, link.other, *fresh).into_iter().filter(|id| *id != record) {
                touched.extend(unlink(world, link.turned().other, loser, *fresh));
                touched.extend(unlink(world, link.other, *fresh, loser));
            }
        }
        let mut ids = ids_of(world, link.other, *fresh);
        if !ids.contains(&record) {
            ids.push(record);
            touched.extend(set(world, link.other, *fresh, ids));
        }
    }
    touched
}

/// Takes a record out of every record that points to it, before it is deleted.
pub(crate) fn detach(world: &mut World, table: ObjectId, rank: u64) -> Touched {
    each_link(world, table, rank, |world, link, record, ids| {
        ids.iter().filter_map(|id| unlink(world, link.other, *id, record)).collect()
    })
}

/// Puts a record back where it points to, after it was restored.
pub(crate) fn attach(world: &mut World, table: ObjectId, rank: u64) -> Touched {
    each_link(world, table, rank, |world, link, record, ids| {
        let other = world.tables.get(&link.other.table);
        let alive: Vec<ObjectId> = ids
            .iter()
            .copied()
            .filter(|id| other.is_some_and(|other| other.live(*id).is_some()))
            .collect();
        let touched = follow(world, link, record, &[], &alive);
        if alive.len() < ids.len() {
            set(world, link.own, record, alive);
        }
        touched
    })
}

fn each_link(
    world: &mut World,
    table: ObjectId,
    rank: u64,
    mut act: impl FnMut(&mut World, Link, ObjectId, &[ObjectId]) -> Touched,
) -> Touched {
    let Some(here) = world.tables.get(&table) else { return Touched::new() };
    let Some(record) = here.at(rank) else { return Touched::new() };
    let id = record.id;
    let links: Vec<(Link, Vec<ObjectId>)> = of_table(world, here)
        .into_iter()
        .map(|link| (link, record.cell(link.own.column).as_ids().to_vec()))
        .collect();
    links.into_iter().flat_map(|(link, ids)| act(world, link, id, &ids)).collect()
}

fn ids_of(world: &World, side: Side, record: ObjectId) -> Vec<ObjectId> {
    let table = world.tables.get(&side.table);
    let record = table.and_then(|table| table.any(record));
    record.map(|record| record.cell(side.column).as_ids().to_vec()).unwrap_or_default()
}

fn unlink(world: &mut World, side: Side, from: ObjectId, gone: ObjectId) -> Option<Touch> {
    let mut ids = ids_of(world, side, from);
    let before = ids.len();
    ids.retain(|id| *id != gone);
    if ids.len() == before { None } else { set(world, side, from, ids) }
}

fn set(world: &mut World, side: Side, record: ObjectId, ids: Vec<ObjectId>) -> Option<Touch> {
    let table = world.tables.get(&side.table)?;
    let rank = table.rank_of(record)?;
    let before =
        if world.webhooks.is_empty() { None } else { table.at(rank).cloned().map(Box::new) };
    world.write(side.table, rank, vec![(side.column, Cell::ids(ids))]);
    Some(Touch { table: side.table, rank, before })
}
