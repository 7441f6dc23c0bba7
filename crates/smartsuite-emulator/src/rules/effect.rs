//! The effects of writes: records, both sides of links, titles, stamps, events.
//!
//! Whatever changes a record, a call or a person, goes through here (sections 3.8 to 3.11 and 6.1).

use crate::model::cell::Cell;
use crate::model::field_type::FieldType;
use crate::model::record::{Record, Stamp};
use crate::model::world::{Pending, World};
use crate::object_id::ObjectId;
use crate::rules::call::Call;
use crate::rules::draft::Draft;
use crate::rules::links::{self, Touched};
use crate::rules::title;
use crate::rules::webhooks::event::{self, Batch, Kind};

/// Creates a record; returns its rank.
pub(crate) fn create(
    world: &mut World,
    call: &Call<'_>,
    table: ObjectId,
    draft: Draft,
    batch: &Batch,
) -> u64 {
    let stamp = world.stamp(call.now, call.actor.member);
    let mut id = world.dice.object_id(call.now);
    while world.tables.get(&table).is_some_and(|table| table.any(id).is_some()) {
        id = world.dice.object_id(call.now);
    }
    create_as(world, call, table, id, stamp, draft, batch)
}

/// Creates a record with a given id and stamp, as a seed does.
pub(crate) fn create_as(
    world: &mut World,
    call: &Call<'_>,
    table: ObjectId,
    id: ObjectId,
    stamp: Stamp,
    draft: Draft,
    batch: &Batch,
) -> u64 {
    let apart = i64::from(call.profile.stamps_apart_ms);
    let updated = Stamp { at: stamp.at.plus_millis(apart), ..stamp };
    let mut record = Record { id, created: stamp, updated, deleted: None, cells: Vec::new() };
    for (column, cell) in draft.cells {
        record.put(column, cell);
    }
    let links = linked_changes(world, table, None, &record);
    let rank = world.insert(table, record);
    let touched = follow(world, id, links);
    title::generate(world, call, table, rank);
    fetch_files(world, call, table, id, draft.attachments);
    event::raise(world, call, Kind::Created, table, rank, None, batch);
    mirror(world, call, touched, stamp, batch);
    rank
}

/// Changes a record; says whether a value changed.
pub(crate) fn update(
    world: &mut World,
    call: &Call<'_>,
    table: ObjectId,
    rank: u64,
    draft: Draft,
    batch: &Batch,
) -> bool {
    let before = world.tables.get(&table).and_then(|table| table.at(rank)).cloned();
    let Some(before) = before else { return false };
    let has_changed = !draft.attachments.is_empty()
        || draft.cells.iter().any(|(column, cell)| !before.cell(*column).same_value(cell));
    if !has_changed && !call.profile.noop_bumps {
        return false;
    }
    let mut after = before.clone();
    for (column, cell) in &draft.cells {
        after.put(*column, cell.clone());
    }
    let links = linked_changes(world, table, Some(&before), &after);
    world.write(table, rank, draft.cells);
    let stamp = world.stamp(call.now, call.actor.member);
    world.set_updated(table, rank, stamp);
    let touched = follow(world, before.id, links);
    title::generate(world, call, table, rank);
    fetch_files(world, call, table, before.id, draft.attachments);
    event::raise(world, call, Kind::Updated, table, rank, Some(&before), batch);
    mirror(world, call, touched, stamp, batch);
    has_changed
}

/// Moves a record into the recycle bin.
pub(crate) fn delete(
    world: &mut World,
    call: &Call<'_>,
    table: ObjectId,
    rank: u64,
    batch: &Batch,
) {
    let stamp = world.stamp(call.now, call.actor.member);
    let before = world.tables.get(&table).and_then(|table| table.at(rank)).cloned();
    let touched = links::detach(world, table, rank);
    world.set_deleted(table, rank, Some(stamp));
    event::raise(world, call, Kind::Deleted, table, rank, before.as_ref(), batch);
    mirror(world, call, touched, stamp, batch);
}

/// Takes a record out of the recycle bin; its title says so (section 3.10).
pub(crate) fn restore(
    world: &mut World,
    call: &Call<'_>,
    table: ObjectId,
    rank: u64,
    batch: &Batch,
) {
    let stamp = world.stamp(call.now, call.actor.member);
    let title = world.tables.get(&table).and_then(|table| {
        let column = table.title_column()?;
        let title = table.at(rank)?.cell(column).as_text().unwrap_or_default().to_owned();
        Some((column, Cell::text(format!("{title} (Restored)"))))
    });
    world.set_deleted(table, rank, None);
    world.write(table, rank, title.into_iter().collect());
    world.set_updated(table, rank, stamp);
    let touched = links::attach(world, table, rank);
    event::raise(world, call, Kind::Created, table, rank, None, batch);
    mirror(world, call, touched, stamp, batch);
}

/// Which ids of which link go from what to what.
type LinkChange = (links::Link, Vec<ObjectId>, Vec<ObjectId>);

fn linked_changes(
    world: &World,
    table: ObjectId,
    before: Option<&Record>,
    after: &Record,
) -> Vec<LinkChange> {
    let Some(table) = world.tables.get(&table) else { return Vec::new() };
    if !table.fields.iter().any(|field| field.kind == FieldType::LinkedRecord) {
        return Vec::new();
    }
    let ids = |record: Option<&Record>, column: usize| {
        record.map(|record| record.cell(column).as_ids().to_vec()).unwrap_or_default()
    };
    links::of_table(world, table)
        .into_iter()
        .map(|link| {
            let column = link.own.column;
            (link, ids(before, column), ids(Some(after), column))
        })
        .filter(|(_, old, new)| old != new)
        .collect()
}

fn follow(world: &mut World, record: ObjectId, changes: Vec<LinkChange>) -> Touched {
    let each = changes.into_iter();
    each.flat_map(|(link, old, new)| links::follow(world, link, record, &old, &new)).collect()
}

/// The other records of a changed link were updated as well, where that is so (unknown 21).
fn mirror(world: &mut World, call: &Call<'_>, touched: Touched, stamp: Stamp, batch: &Batch) {
    if !call.profile.link_bumps {
        return;
    }
    for touch in touched {
        world.set_updated(touch.table, touch.rank, stamp);
        let before = touch.before.as_deref();
        event::raise(world, call, Kind::Updated, touch.table, touch.rank, before, batch);
    }
}

/// Lets files that were given by their address appear after a while (point 42).
fn fetch_files(
    world: &mut World,
    call: &Call<'_>,
    table: ObjectId,
    record: ObjectId,
    files: Vec<(String, String)>,
) {
    let at = call.now.plus_millis(i64::from(call.profile.file_fetch_delay_ms));
    for (slug, address) in files {
        let by = call.actor.member;
        world.later(at, Pending::AttachFile { table, record, slug, address, by });
    }
}
