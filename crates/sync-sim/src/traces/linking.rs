//! Links between syncs: a row's record holds the records of the rows it points to, whenever those come, move or go.

use std::collections::BTreeMap;

use serde_json::json;
use smartsuite_emulator::{Fault, FaultKind, Profile, RouteKind, UnknownLink};
use sync_core::{
    config::model::{LinkDefinition, SyncDefinition},
    state::RunStatus,
};
use sync_engine::run::{RunOptions, RunReport};

use super::{
    stage::{books_balance, calm, status, usual, world},
    steps::Run,
};
use crate::{
    source::SimDatabase,
    world::{AMOUNT, BACK_LINK, EXTERNAL_ID, LINK, OTHER_TABLE, OWN_LINK, Process, TABLE, World},
};

/// Two tables: parents, and children whose `name` lists the keys they point to.
struct Family {
    world: World,
    children: SimDatabase,
    child: SyncDefinition,
}

fn link(slug: &str, parent: &str, table: &str) -> LinkDefinition {
    LinkDefinition {
        slug: slug.into(),
        parent: parent.into(),
        parent_previously: None,
        parent_table: table.into(),
        from: vec!["name".into()],
        list: true,
    }
}

/// A sync of the second table whose `name` column fills these links.
fn linking(world: &World, links: Vec<LinkDefinition>) -> SyncDefinition {
    let mut child = world.definition.clone();
    child.name = "others".into();
    child.destination.table_id = OTHER_TABLE.into();
    child.destination.fields.retain(|field| field.slug.as_str() == AMOUNT);
    child.destination.links = links;
    child
}

impl Family {
    fn of(world: World) -> Self {
        let child = linking(&world, vec![link(LINK, "items", TABLE)]);
        let children = SimDatabase::new(world.clock);
        Self { world, children, child }
    }

    fn parents(&self, keys: std::ops::RangeInclusive<i64>) {
        for id in keys {
            self.world.database.put(id, "parent", id);
        }
    }

    fn process(&self) -> Process {
        self.world.process().beside(&self.child, &self.children)
    }

    async fn run_child(&self) -> RunReport {
        let report = self.process().run(RunOptions::default()).await.expect("the state works");
        books_balance(&report);
        assert_eq!(status(&report), RunStatus::Success, "{report:#?}");
        report
    }

    async fn run_parent(&self) -> RunReport {
        let report = self.world.run().await;
        books_balance(&report);
        assert_eq!(status(&report), RunStatus::Success, "{report:#?}");
        report
    }

    /// Each child's amount with the keys of the parents it is linked to, as SmartSuite shows them.
    fn linked(&self) -> BTreeMap<String, (String, Vec<String>)> {
        links_of(&self.world, OTHER_TABLE, LINK, TABLE)
    }

    /// The same as it should be: of the keys that a child names, those that are rows.
    fn wished(&self) -> BTreeMap<String, (String, Vec<String>)> {
        let parents = self.world.database.rows();
        let exists = |key: &&str| key.parse().is_ok_and(|id: i64| parents.contains_key(&id));
        let rows = self.children.rows().into_iter();
        rows.map(|(id, row)| {
            let mut keys: Vec<String> =
                row.name.split(',').filter(exists).map(str::to_owned).collect();
            keys.sort();
            (id.to_string(), (row.amount.to_string(), keys))
        })
        .collect()
    }

    /// When all is calm, a run of each brings every link in step, and another of each finds nothing to do.
    async fn comes_right(&self) {
        calm(&self.world);
        self.run_parent().await;
        self.run_child().await;
        assert_eq!(self.linked(), self.wished());
        self.world.clear_log();
        self.run_parent().await;
        self.run_child().await;
        assert_eq!(self.world.all_requests(), 0, "nothing changed, so nothing is sent");
        let full = RunOptions { full: true, ..RunOptions::default() };
        let report = self.process().run(full).await.expect("the state works");
        assert_eq!(status(&report), RunStatus::Success, "{report:#?}");
        assert_eq!(self.world.all_requests(), 0, "the state knows what SmartSuite holds");
    }
}

fn links_of(
    world: &World,
    table: &str,
    slug: &str,
    parent_table: &str,
) -> BTreeMap<String, (String, Vec<String>)> {
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let names: BTreeMap<String, String> = world
        .dump(parent_table)
        .iter()
        .map(|record| (text(&record["id"]), text(&record[EXTERNAL_ID])))
        .collect();
    let records = world.dump(table);
    let all = records.len();
    let linked: BTreeMap<_, _> = records
        .iter()
        .map(|record| {
            let ids = record[slug].as_array().cloned().unwrap_or_default();
            let mut keys: Vec<String> = ids
                .iter()
                .map(|id| names.get(&text(id)).cloned().unwrap_or_else(|| "nobody".into()))
                .collect();
            keys.sort();
            (text(&record[EXTERNAL_ID]), (text(&record[AMOUNT]), keys))
        })
        .collect();
    assert_eq!(linked.len(), all, "a record is there twice");
    linked
}

/// In both behaviours towards links to records that are not there, and as the service most likely is.
fn family<F: Future<Output = ()>>(script: impl Fn(Family) -> F) {
    for unknown_link in [UnknownLink::Refuse, UnknownLink::Drop] {
        let profile = Profile { unknown_link, ..Profile::default() };
        world(profile, |world| script(Family::of(world)));
    }
}

#[test]
fn links_go_out_with_their_rows_when_parents_are_there() {
    family(|family| async move {
        family.parents(1..=3);
        for (id, parents) in [(1, "1"), (2, "1,3"), (3, "")] {
            family.children.put(id, parents, id);
        }
        family.run_parent().await;
        family.world.clear_log();
        let report = family.run_child().await;
        assert_eq!((report.books.created, report.books.unlinked), (3, 0));
        assert_eq!(family.world.requests(RouteKind::BulkUpdate), 0);
        assert_eq!(family.linked(), family.wished());
        // Another parent, none, two.
        for (id, parents) in [(1, "2"), (2, ""), (3, "1,2")] {
            family.children.put(id, parents, id);
        }
        family.run_child().await;
        assert_eq!(family.world.requests(RouteKind::BulkUpdate), 1);
        family.comes_right().await;
    });
}

#[test]
fn a_link_whose_parent_comes_later_is_healed_by_one_update() {
    family(|family| async move {
        for id in 1..=30 {
            family.children.put(id, &id.to_string(), id);
        }
        let report = family.run_child().await;
        assert_eq!((report.books.created, report.books.unlinked), (30, 30));
        family.parents(1..=30);
        family.run_parent().await;
        // Longer ago than a structure is trusted where rows are tried again.
        super::stage::pass(&family.world, std::time::Duration::from_hours(2)).await;
        family.world.clear_log();
        let report = family.run_child().await;
        assert_eq!((report.books.updated, report.books.unlinked), (30, 0));
        assert_eq!(family.world.requests(RouteKind::BulkUpdate), 2);
        assert_eq!(family.world.all_requests(), 2, "nothing but the updates themselves");
        family.comes_right().await;
    });
}

#[test]
fn a_key_that_no_row_has_costs_nothing() {
    family(|family| async move {
        family.parents(1..=1);
        family.children.put(1, "1,77", 1);
        family.run_parent().await;
        let report = family.run_child().await;
        assert_eq!(report.books.unlinked, 1);
        family.comes_right().await;
    });
}

#[test]
fn a_parent_recreated_under_another_id_takes_its_children_along() {
    family(|family| async move {
        family.parents(1..=3);
        for id in 1..=3 {
            family.children.put(id, "1,2", id);
        }
        family.run_parent().await;
        family.run_child().await;
        for id in family.world.record_ids("2") {
            family.world.person(&json!({"action": "delete", "record": id}));
        }
        family.world.database.put(2, "changed", 20);
        family.run_parent().await;
        family.world.clear_log();
        family.run_child().await;
        assert_eq!(family.world.all_requests(), 1);
        family.comes_right().await;
    });
}

/// The parent's record is gone and nobody has noticed: the row goes without that link, and is no failed row.
#[test]
fn a_link_to_a_record_that_people_deleted_harms_nothing() {
    family(|family| async move {
        family.parents(1..=3);
        for id in 1..=3 {
            family.children.put(id, "1,2", id);
        }
        family.run_parent().await;
        family.run_child().await;
        for id in family.world.record_ids("2") {
            family.world.person(&json!({"action": "delete", "record": id}));
        }
        family.children.put(1, "1,2", 100);
        family.children.put(9, "2", 9);
        family.run_child().await;
        let linked = family.linked();
        assert_eq!(linked.get("1"), Some(&("100".to_owned(), vec!["1".to_owned()])));
        assert_eq!(linked.get("9"), Some(&("9".to_owned(), vec![])));
        family.comes_right().await;
    });
}

/// People whose superiors are people.
#[test]
fn a_table_that_points_to_itself_is_linked_in_one_run() {
    usual(|world| async move {
        let mut family = Family::of(world);
        family.child = linking(&family.world, vec![link(OWN_LINK, "others", OTHER_TABLE)]);
        for (id, superior) in [(1, ""), (2, "1"), (3, "1"), (4, "3"), (5, "5")] {
            family.children.put(id, superior, id);
        }
        family.run_child().await;
        let own = || links_of(&family.world, OTHER_TABLE, OWN_LINK, OTHER_TABLE);
        let superiors: Vec<String> = own().into_values().map(|(_, keys)| keys.join(",")).collect();
        assert_eq!(superiors, ["", "1", "1", "3", "5"]);
        assert_eq!(family.world.requests(RouteKind::BulkCreate), 1);
        assert_eq!(family.world.requests(RouteKind::BulkUpdate), 1);
        family.world.clear_log();
        family.run_child().await;
        assert_eq!(family.world.all_requests(), 0);
    });
}

#[test]
fn two_tables_that_point_to_each_other_are_linked_in_two_passes() {
    usual(|world| async move {
        let mut family = Family::of(world);
        family.world.definition.destination.fields.retain(|field| field.slug.as_str() == AMOUNT);
        family.world.definition.destination.links = vec![link(BACK_LINK, "others", OTHER_TABLE)];
        for id in 1..=3 {
            family.world.database.put(id, &(4 - id).to_string(), id);
            family.children.put(id, &id.to_string(), id);
        }
        family.run_parent().await;
        family.run_child().await;
        family.run_parent().await;
        let back: Vec<String> = links_of(&family.world, TABLE, BACK_LINK, OTHER_TABLE)
            .into_values()
            .map(|(_, keys)| keys.join(","))
            .collect();
        assert_eq!(back, ["3", "2", "1"]);
        family.comes_right().await;
    });
}

/// Steps from one death to the next that is tried.
const STRIDE: usize = 7;

/// The children's process is killed after some step of a first run, then the parents' after some step of theirs.
#[test]
fn links_survive_the_death_of_either_process() {
    for dies_first in ["child", "parent"] {
        for steps in (1..).step_by(STRIDE) {
            let mut died = false;
            usual(async |world| {
                let family = Family::of(world);
                for id in 1..=2 {
                    family.children.put(id, &id.to_string(), id);
                }
                let process = if dies_first == "child" {
                    family.process()
                } else {
                    family.run_child().await;
                    family.world.process()
                };
                family.parents(1..=2);
                died = Run::of(&process).go(steps).await.is_none();
                drop(process);
                family.comes_right().await;
            });
            if !died {
                assert!(steps > 10, "the run ended after {steps} steps already");
                break;
            }
        }
    }
}

/// The parent writes another table, and goes back to the first, whose links stand already.
#[test]
fn links_follow_the_parents_table() {
    usual(|world| async move {
        let mut family = Family::of(world);
        family.parents(1..=2);
        family.children.put(1, "1,2", 1);
        family.run_parent().await;
        family.run_child().await;
        family.world.definition.destination.table_id = OTHER_TABLE.into();
        family.world.definition.destination.key_prefix = "p:".into();
        let accept = RunOptions { accept_key_change: true, ..RunOptions::default() };
        let report = family.world.process().run(accept).await.expect("the state works");
        assert_eq!(status(&report), RunStatus::Success);
        family.run_child().await;
        family.world.definition.destination.table_id = TABLE.into();
        family.world.definition.destination.key_prefix = String::new();
        let report = family.world.process().run(accept).await.expect("the state works");
        assert_eq!(status(&report), RunStatus::Success);
        family.run_child().await;
        let linked = links_of(&family.world, OTHER_TABLE, LINK, TABLE);
        assert_eq!(linked.get("1"), Some(&("1".to_owned(), vec!["1".to_owned(), "2".to_owned()])));
    });
}

/// The answer to the parent's create is lost: its record is found by look-ups, and its child healed.
#[test]
fn a_parent_found_after_doubt_takes_its_children_along() {
    family(|family| async move {
        family.parents(1..=1);
        family.run_parent().await;
        family.parents(2..=4);
        family.children.put(1, "2,3", 1);
        family.run_child().await;
        family.world.network.emulator().add_fault(
            Fault::new(FaultKind::Reset).on(&[RouteKind::BulkCreate]).after_the_effect(),
        );
        family.run_parent().await;
        family.comes_right().await;
    });
}
