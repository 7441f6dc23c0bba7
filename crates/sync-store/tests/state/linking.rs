//! Links between syncs: filled when rows are captured, healed by whoever changes a record.

use sync_core::{
    draft::LinkWish,
    field_value::FieldValue,
    key::Key,
    slug::Slug,
    state::{
        CapturedRow, Chunk, DirtyKey, Dispatch, Fault, LinkField, Origin, Outcome, RowOutcome,
        SeenLink, Settlement, StateStore, SyncIdentity, Writer,
    },
};
use sync_store::StateReader;

use crate::fixture::{State, draft, identity, record};

const SLUG: &str = "scustomer";

/// A state in which `customers` is held, and `orders`, whose rows point to customers.
struct Family {
    parent: State,
    child: Writer,
}

fn orders() -> SyncIdentity {
    SyncIdentity { name: "orders".into(), table: "t2".into(), ..identity() }
}

fn field(parent: &str) -> LinkField {
    LinkField {
        slug: SLUG.into(),
        parent: parent.into(),
        parent_previously: None,
        table: "t1".into(),
    }
}

impl Family {
    fn new() -> Self {
        let mut parent = State::new();
        let child = open(&mut parent, &orders());
        parent.store.set_links(&child, &[field("customers")]).unwrap();
        Self { parent, child }
    }

    /// Reads a child's row that points to these parents.
    fn capture(&mut self, key: i64, word: &str, parents: &[Key]) -> u64 {
        let wish = LinkWish { slug: SLUG.into(), parents: parents.to_vec() };
        let row = CapturedRow {
            key: Key::Int(key),
            outcome: RowOutcome::Linked(draft(word), vec![wish]),
            cells: None,
        };
        self.capture_row(row)
    }

    fn capture_row(&mut self, row: CapturedRow) -> u64 {
        let ticket = self.parent.store.begin_read(&self.child).unwrap();
        let answered = vec![row.key.clone()];
        let chunk = Chunk {
            ticket,
            rows: vec![row],
            unchanged: 0,
            answered,
            end: None,
            now: self.parent.now,
        };
        self.parent.store.capture(&self.child, &chunk).unwrap().unlinked
    }

    /// Sends the child's only entry; answers the links it holds.
    fn send(&mut self) -> (sync_core::state::Call, Vec<String>) {
        let request = self.parent.request();
        let (dispatch, _) = self.parent.store.dispatch(&self.child, &request).unwrap();
        let Dispatch::Send(call) = dispatch else { panic!("{dispatch:?}") };
        let ids = match call.entries[0].fields.get(SLUG) {
            Some(FieldValue::Ids(ids)) => ids.iter().cloned().collect(),
            Some(FieldValue::Empty) => Vec::new(),
            other => panic!("{other:?}"),
        };
        (call, ids)
    }

    fn settle(&mut self, call: &sync_core::state::Call, outcome: Outcome) {
        let settlement = Settlement { id: call.entries[0].id, outcome };
        self.parent.store.settle(&self.child, &[settlement], self.parent.now).unwrap();
    }

    fn written(&mut self, number: i64) {
        let (call, _) = self.send();
        self.settle(&call, Outcome::Written { record: record(number), autonumber: None });
    }

    fn dirty(&mut self) -> Vec<Key> {
        keys(self.parent.store.dirty(&self.child, 100).unwrap())
    }

    fn parents_dirty(&mut self) -> Vec<Key> {
        keys(self.parent.store.dirty(&self.parent.writer, 100).unwrap())
    }
}

fn keys(dirty: Vec<DirtyKey>) -> Vec<Key> {
    dirty.into_iter().map(|one| one.key).collect()
}

fn open(state: &mut State, identity: &SyncIdentity) -> Writer {
    let opened = state.store.open_sync(identity, state.now).unwrap();
    state.store.hold(&opened, "first", state.now).unwrap()
}

fn refusal() -> Outcome {
    Outcome::Refused {
        fault: Fault {
            code: "refused".into(),
            slug: Some(Slug::from(SLUG)),
            reason: sync_core::error::Quoted("no such record".into()),
            remedy: String::new(),
        },
    }
}

#[test]
fn a_link_is_made_when_the_parent_gets_its_record_and_follows_it() {
    let mut family = Family::new();
    assert_eq!(family.capture(1, "A", &[Key::Int(7)]), 1, "the link is lacking");
    family.written(100);
    assert_eq!(family.dirty(), []);
    family.parent.capture(&[(7, "P")]);
    family.parent.deliver();
    assert_eq!(family.dirty(), [Key::Int(1)], "whoever makes the parent's link marks the child");
    assert_eq!(family.capture(1, "A", &[Key::Int(7)]), 0);
    let (call, links) = family.send();
    assert_eq!(links, [record(7).0]);
    family.settle(&call, Outcome::Written { record: record(100), autonumber: None });
    // The parent's record is gone, in whatever way that was noticed.
    family.parent.store.set_missing(&family.parent.writer, &Key::Int(7), false).unwrap();
    assert_eq!(family.dirty(), [Key::Int(1)]);
}

#[test]
fn a_mark_made_by_a_parent_during_a_read_outlives_it() {
    let mut family = Family::new();
    family.capture(1, "A", &[Key::Int(7)]);
    let ticket = family.parent.store.begin_read(&family.child).unwrap();
    family.parent.store.mark_dirty(&family.child, &[Key::Int(1)]).unwrap();
    family.parent.capture(&[(7, "P")]);
    family.parent.deliver();
    let chunk = Chunk {
        ticket,
        rows: Vec::new(),
        unchanged: 0,
        answered: vec![Key::Int(1)],
        end: None,
        now: family.parent.now,
    };
    family.parent.store.capture(&family.child, &chunk).unwrap();
    assert_eq!(family.dirty(), [Key::Int(1)]);
}

#[test]
fn keys_of_every_kind_lead_to_their_parents() {
    for key in [Key::Int(-4), Key::from_text("a b"), Key::from_parts(&["DE".into(), "1|2".into()])]
    {
        let mut family = Family::new();
        let seen = SeenLink {
            key: Some(key.clone()),
            record: record(9),
            fingerprint: None,
            origin: Origin::Adopted,
        };
        family.parent.store.begin_scan(&family.parent.writer).unwrap();
        let now = family.parent.now;
        family.parent.store.link_seen(&family.parent.writer, &[seen], None, now).unwrap();
        assert_eq!(family.capture(1, "A", std::slice::from_ref(&key)), 0, "{}", key.text());
        assert_eq!(family.send().1, [record(9).0]);
    }
}

/// The service refuses the link: the parent is asked for, and the row goes without it until the parent was written.
#[test]
fn a_refused_link_is_held_back_until_its_parent_was_written() {
    let mut family = Family::new();
    family.parent.capture(&[(7, "P")]);
    family.parent.deliver();
    family.capture(1, "A", &[Key::Int(7)]);
    let (call, links) = family.send();
    assert_eq!(links, [record(7).0]);
    family.settle(&call, refusal());
    assert_eq!((family.dirty(), family.parents_dirty()), (vec![Key::Int(1)], vec![Key::Int(7)]));
    assert_eq!(family.parent.store.backlog(&family.child).unwrap(), (0, 0), "no failed row");
    let lacking = |family: &Family| {
        StateReader::open(&family.parent.path()).unwrap().lacking_links("orders").unwrap()
    };
    assert_eq!(family.capture(1, "A", &[Key::Int(7)]), 1);
    assert_eq!(lacking(&family)[0].keys, [Key::Int(7)]);
    let (call, links) = family.send();
    assert!(links.is_empty());
    family.settle(&call, Outcome::Written { record: record(100), autonumber: None });
    assert_eq!(family.dirty(), []);

    // The parent is read again; as nobody knows what its record holds, it is sent, and it is there.
    family.parent.capture(&[(7, "P")]);
    family.parent.deliver();
    assert_eq!(family.dirty(), [Key::Int(1)]);
    assert_eq!(lacking(&family), []);
    family.capture(1, "A", &[Key::Int(7)]);
    let (call, links) = family.send();
    assert_eq!(links, [record(7).0]);
    // Refused again within a day: there is another reason, and no more calls are spent.
    family.settle(&call, refusal());
    assert_eq!(family.parent.store.backlog(&family.child).unwrap(), (0, 1));
}

#[test]
fn a_row_that_is_gone_waits_for_nothing() {
    let mut family = Family::new();
    family.capture(1, "A", &[Key::Int(7)]);
    family.capture_row(CapturedRow { key: Key::Int(1), outcome: RowOutcome::Gone, cells: None });
    family.parent.capture(&[(7, "P")]);
    family.parent.deliver();
    assert_eq!(family.dirty(), []);
}

#[test]
fn a_link_to_another_sync_forgets_what_was_wished_before() {
    let mut family = Family::new();
    family.capture(1, "A", &[Key::Int(7)]);
    family.parent.store.set_links(&family.child, &[field("suppliers")]).unwrap();
    family.parent.capture(&[(7, "P")]);
    family.parent.deliver();
    assert_eq!(family.dirty(), []);
    family.parent.store.set_links(&family.child, &[]).unwrap();
    let lacking = StateReader::open(&family.parent.path()).unwrap().lacking_links("orders");
    assert_eq!(lacking.unwrap(), []);
}

/// The field links to another table than the one the parent writes now.
#[test]
fn records_of_another_table_are_not_linked_and_the_parents_move_is_noticed() {
    let mut family = Family::new();
    family.parent.capture(&[(7, "P")]);
    family.parent.deliver();
    family.capture(1, "A", &[Key::Int(7)]);
    family.parent.identity.table = "t9".into();
    family.parent.reopen().unwrap();
    assert_eq!(family.dirty(), [Key::Int(1)]);
    assert_eq!(family.capture(1, "A", &[Key::Int(7)]), 1);
    family.parent.identity.table = "t1".into();
    family.parent.reopen().unwrap();
    assert_eq!(family.dirty(), [Key::Int(1)]);
    assert_eq!(family.capture(1, "A", &[Key::Int(7)]), 0);
}
