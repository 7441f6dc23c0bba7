//! Looking up creates of unknown fate (`protocol.md` D3 to D5). Nothing is created again on a guess.

use std::time::Duration;

use sync_core::{
    config::model::OnMissing,
    doubt::{Verdict, judge},
    error::{CallError, CallErrorKind, Quoted},
    key::Key,
    mutation::{self, Mutation},
    port::{PAGE_MAX, RecordFilter, RecordPage},
    record::SeenRecord,
    scan::TableScan,
    state::{CallKind, Control, Doubt, Fault, Origin, Outcome, Settlement, StateError},
};

use super::Delivery;
use crate::record_text::{external_id_of, fingerprint_of};

/// Ids asked for at once; with the control, one call's worth.
pub(crate) const IDS_MAX: usize = 24;
/// Controls tried in a row: people may have deleted some. They are taken from both ends of the keys in turn, as people
/// delete the oldest records, or the newest.
const CONTROLS_MAX: usize = 4;
/// The most records of a table that is listed whole because its controls are gone: ten calls.
const LISTED_MAX: u64 = 10 * PAGE_MAX as u64;
/// When a look-up proved nothing, or failed.
const TRY_AGAIN: Duration = Duration::from_secs(30);

/// What a look-up showed.
pub(super) enum Sight {
    /// It worked: these are the records with any of the ids.
    Clear(Vec<SeenRecord>),
    /// The control was not in the answer, so the answer proves nothing.
    Blind,
    Failed(CallError),
}

/// Where the record of a control is that a look-up did not show.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whereabouts {
    /// There, with its id: the look-up was blind.
    Hidden,
    /// There, but somebody emptied or changed its id, or it was never filled.
    WithoutId,
    Gone,
}

impl Delivery<'_> {
    /// Looks up entries in doubt and settles those that can be.
    pub(super) async fn look_up(&mut self, doubts: Vec<Doubt>) -> Result<(), StateError> {
        let keys: Vec<Key> = doubts.iter().map(|doubt| doubt.key.clone()).collect();
        let writer = self.route.writer;
        let (mark, own) =
            self.state(move |state| Ok((state.mark(&writer)?, state.own_member(&writer)?))).await?;
        // What was created lately lies above the mark.
        let above = TableScan::above(mark.unwrap_or(0));
        let anybodys = doubts.iter().any(|doubt| doubt.is_unsent);
        let sight = self.look(&keys, above, anybodys).await?;
        let mut settlements = Vec::with_capacity(doubts.len());
        for doubt in doubts {
            let outcome = match &sight {
                Sight::Clear(records) => self.outcome_of(&doubt, records, own.as_deref()).await?,
                Sight::Blind | Sight::Failed(_) => self.look_again_later(&doubt),
            };
            settlements.push(Settlement { id: doubt.id, outcome });
        }
        self.note_sight(&sight).await?;
        self.settle(settlements).await?;
        self.note_archived().await
    }

    /// One look-up of the records that carry these keys, known to have worked, or not. Where there is no record of
    /// ours to be the control, `instead` is listed, without a filter on ids that could silently find nothing; where `anybodys` record
    /// is sought, the whole table if it is small. Where the
    /// controls are gone, perhaps because somebody emptied the table, it is listed whole if it is small.
    pub(super) async fn look(
        &mut self,
        keys: &[Key],
        instead: TableScan,
        anybodys: bool,
    ) -> Result<Sight, StateError> {
        self.unmarked.clear();
        let prefix = self.route.key_prefix.clone();
        let ids: Vec<String> = keys.iter().map(|key| key.external_id(&prefix)).collect();
        let mut except = keys.to_vec();
        let (mut any_hidden, mut all_gone) = (false, true);
        // One look-up is enough to learn that controls are gone.
        let controls_max = if self.controls_gone { 0 } else { CONTROLS_MAX };
        for attempt in 0..controls_max {
            let (writer, known) = (self.route.writer, except.clone());
            let control =
                self.state(move |state| state.control(&writer, &known, attempt % 2 == 1)).await?;
            let Some(control) = control else {
                if any_hidden {
                    return Ok(Sight::Blind);
                }
                if anybodys {
                    let small = self.list_for(&ids, TableScan::whole(), LISTED_MAX).await?;
                    if !matches!(small, Sight::Blind) {
                        return Ok(small);
                    }
                }
                return self.list_for(&ids, instead, u64::MAX).await;
            };
            let control_id = control.key.external_id(&prefix);
            let mut asked = ids.clone();
            asked.push(control_id.clone());
            let filter = RecordFilter::ExternalIds(asked);
            let records = match self.list(CallKind::LookUp, &filter).await? {
                // An answer that leaves records out would have them created again.
                Ok(page) if (page.received as u64) < page.total => return Ok(Sight::Blind),
                Ok(page) => page.records,
                Err(error) => return Ok(Sight::Failed(error)),
            };
            let is_seen = |record: &SeenRecord| record.external_id.as_deref() == Some(&control_id);
            if records.iter().any(is_seen) || mutation::is_on(Mutation::NoControl) {
                return Ok(Sight::Clear(records));
            }
            match self.whereabouts(&control, &control_id).await? {
                Ok(Whereabouts::Hidden) => any_hidden = true,
                Ok(Whereabouts::WithoutId) => all_gone = false,
                Ok(Whereabouts::Gone) => {}
                Err(error) => return Ok(Sight::Failed(error)),
            }
            except.push(control.key);
        }
        if any_hidden {
            return Ok(Sight::Blind);
        }
        self.controls_gone = all_gone;
        self.list_for(&ids, TableScan::whole(), LISTED_MAX).await
    }

    /// Where the record of a control is that did not show. If it is no control any more, its row is written once more (C7), and
    /// it is not chosen again before that.
    async fn whereabouts(
        &mut self,
        control: &Control,
        id: &str,
    ) -> Result<Result<Whereabouts, CallError>, StateError> {
        let route = self.route;
        let get = || route.target.get(&route.shape, &control.record);
        let found = match route.calls.repeatable(CallKind::LookUp, get).await? {
            Ok(Some(record)) if record.external_id.as_deref() == Some(id) => Whereabouts::Hidden,
            Ok(Some(_)) => Whereabouts::WithoutId,
            Ok(None) => Whereabouts::Gone,
            Err(error) => return Ok(Err(error)),
        };
        let (writer, key, policy) = (route.writer, control.key.clone(), route.on_missing);
        self.state(move |state| match found {
            Whereabouts::Hidden => Ok(()),
            Whereabouts::WithoutId => state.distrust(&writer, std::slice::from_ref(&key)),
            Whereabouts::Gone => {
                if policy == OnMissing::Quarantine {
                    // Its row is sent once more, and parked by the answer.
                    state.distrust(&writer, std::slice::from_ref(&key))?;
                }
                state.set_missing(&writer, &key, policy != OnMissing::Recreate)
            }
        })
        .await?;
        Ok(Ok(found))
    }

    /// Lists records, at most `records_max` of them, to find those that carry the ids.
    async fn list_for(
        &mut self,
        ids: &[String],
        mut scan: TableScan,
        records_max: u64,
    ) -> Result<Sight, StateError> {
        let (mut found, mut received, mut total) = (Vec::new(), 0, None);
        while let Some(filter) = scan.next() {
            let page = match self.list(CallKind::LookUp, &filter).await? {
                Ok(page) => page,
                Err(error) => return Ok(Sight::Failed(error)),
            };
            received += page.received as u64;
            if *total.get_or_insert(page.total) > records_max {
                return Ok(Sight::Blind);
            }
            if scan.take(&page).is_err() {
                return Ok(Sight::Blind);
            }
            let is_ours = |record: &SeenRecord| {
                record.external_id.as_ref().is_some_and(|id| ids.contains(id))
            };
            found.extend(page.records.into_iter().filter(is_ours));
        }
        Ok(if total.is_some_and(|total| received < total) {
            Sight::Blind
        } else {
            Sight::Clear(found)
        })
    }

    /// Draws the conclusions of a look-up that reach beyond its keys.
    pub(super) async fn note_sight(&mut self, sight: &Sight) -> Result<(), StateError> {
        match sight {
            Sight::Failed(error) => self.failed(error).await,
            // An answer without the control is as good as none; a run does not ask for ever.
            Sight::Blind => self.failed(&CallErrorKind::Garbled.into()).await,
            Sight::Clear(_) => {
                self.failures_in_a_row = 0;
                Ok(())
            }
        }
    }

    /// What the records found say of one entry.
    async fn outcome_of(
        &mut self,
        doubt: &Doubt,
        records: &[SeenRecord],
        own: Option<&str>,
    ) -> Result<Outcome, StateError> {
        let id = external_id_of(&doubt.fields, &self.route.shape.external_id.slug);
        let found: Vec<SeenRecord> = records
            .iter()
            .filter(|record| record.external_id.as_ref() == Some(&id))
            .cloned()
            .collect();
        Ok(match judge(doubt, &found, own, self.now()) {
            Verdict::LookAgain(look_at) => Outcome::InDoubt {
                answered: doubt.answered,
                left_at: doubt.left_at,
                // A look that found a stranger's record is a look all the same.
                empty_looks: doubt.empty_looks + 1,
                look_at,
                group: None,
                fault: doubt.fault.clone(),
            },
            Verdict::Recreate => match &doubt.fault {
                Some(fault) => {
                    self.tell_refused(fault);
                    Outcome::Refused { fault: fault.clone() }
                }
                None => self.back(),
            },
            Verdict::Adopt { record, ours } => self.adopt(doubt, &record, ours).await?,
        })
    }

    /// D5: the link takes its fingerprint from the values read, never from the draft.
    async fn adopt(
        &mut self,
        doubt: &Doubt,
        record: &SeenRecord,
        ours: bool,
    ) -> Result<Outcome, StateError> {
        let (writer, id, key) = (self.route.writer, record.id.clone(), doubt.key.clone());
        if self.state(move |state| state.linked_elsewhere(&writer, &id, &key)).await? {
            return Ok(Outcome::Refused {
                fault: Fault {
                    code: "record_of_another_key".into(),
                    slug: Some(self.route.shape.external_id.slug.clone()),
                    reason: Quoted(format!("record {} carries this external id but belongs to another row", record.id)),
                    remedy: "clear or correct the external id of that record in SmartSuite; the row is tried again \
                             by itself"
                        .into(),
                },
            });
        }
        self.breaker.accepted([doubt.id]);
        let created = ours && self.route.dedicated_member;
        Ok(Outcome::Found {
            record: record.id.clone(),
            fingerprint: Some(fingerprint_of(record)),
            origin: if created { Origin::Created } else { Origin::Adopted },
            autonumber: record.autonumber,
        })
    }

    fn look_again_later(&self, doubt: &Doubt) -> Outcome {
        Outcome::InDoubt {
            answered: doubt.answered,
            left_at: doubt.left_at,
            empty_looks: doubt.empty_looks,
            look_at: self.now().saturating_add(TRY_AGAIN).unwrap_or_else(|_| self.now()),
            group: None,
            fault: doubt.fault.clone(),
        }
    }

    /// One page of records. Which of them are archived is remembered for [`Self::note_archived`].
    pub(super) async fn list(
        &mut self,
        kind: CallKind,
        filter: &RecordFilter,
    ) -> Result<Result<RecordPage, CallError>, StateError> {
        let route = self.route;
        let archive = route.archive.as_deref();
        let shape = archive.map_or(&*route.shape, |archive| &archive.shape);
        let page = || route.target.list(shape, filter, 0, PAGE_MAX);
        let mut page = route.calls.repeatable(kind, page).await?;
        if let (Ok(page), Some(archive)) = (&mut page, archive) {
            for record in &mut page.records {
                if kind == CallKind::LookUp && !archive.is_marked(record) {
                    self.unmarked.push(record.id.clone());
                }
                let is_archived = archive.take_mark(record);
                let id = record.external_id.as_deref().filter(|_| is_archived);
                let key = id.and_then(|id| Key::from_external_id(id, &route.key_prefix));
                self.archived.extend(key.map(|key| (key, record.id.clone())));
            }
        }
        Ok(page)
    }

    /// Records that were seen archived and are linked: a row that is there brings its record back.
    pub(super) async fn note_archived(&mut self) -> Result<(), StateError> {
        let (writer, records) = (self.route.writer, std::mem::take(&mut self.archived));
        if records.is_empty() {
            return Ok(());
        }
        self.state(move |state| state.note_archived(&writer, &records)).await
    }
}
