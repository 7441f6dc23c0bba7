//! Adding the choices that rows ask for (`on_unknown: create`).
//!
//! The service takes a field's whole list and deletes what is left out, some seconds after it has said yes. So one process
//! at a time changes a table's choices; what it sends is what it has just read and what is new; and it looks until its own
//! are there, and puts back what it saw others add in between.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use sync_core::{
    error::{CallError, CallErrorKind},
    mapping::{CompiledMapping, new_choices},
    slug::Slug,
    state::{CallKind, StateError},
    table::{Choice, Field, FieldText, TableStructure},
};

use super::{running::Running, task::shape_hash};
use crate::event::Event;

/// New labels of one field in one run: more are no choices, but a column of free text.
pub(crate) const LABELS_MAX: usize = 100;
/// Seconds before each look at whether the choices are there.
const LOOKS: [u64; 10] = [1, 1, 2, 3, 5, 8, 10, 10, 15, 15];
/// What does not show so long after it was sent is sent again, to the list as it is then.
const SENT_ANEW_AFTER: SignedDuration = SignedDuration::from_secs(12);
/// How often at most: what does not show then is not taken, whatever was answered.
const SENT_ANEW_MAX: u32 = 2;
/// How long a process may keep others from changing the choices of a table.
const TURN: SignedDuration = SignedDuration::from_mins(4);
/// How long it waits for its turn, and how often it asks.
const TURN_PATIENCE: Duration = Duration::from_mins(1);
const TURN_ASKED_EVERY: Duration = Duration::from_secs(2);
/// What was read longer ago is not sent back: others may have added to it.
const READ_AGE_MAX: SignedDuration = SignedDuration::from_secs(5);

/// Why choices are not there.
enum Unadded {
    /// The service, or the way to it.
    Call(CallError),
    /// In words.
    Said(String),
}

impl From<CallError> for Unadded {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl Running<'_> {
    /// Adds the choices that rows have asked for since this was called last. Answers whether rows that were put aside for
    /// them can be read again, by the table and the mapping as they are then.
    pub(super) async fn add_choices(
        &mut self,
        structure: &mut TableStructure,
        mapping: &mut CompiledMapping,
    ) -> Result<bool, StateError> {
        let mut any = false;
        for (slug, labels) in std::mem::take(&mut self.wanted) {
            let new = |label: &String| self.asked_for.insert((slug.clone(), label.clone()));
            let labels: BTreeSet<String> = labels.into_iter().filter(new).collect();
            if labels.is_empty() || self.cancelled.is_cancelled() {
                continue;
            }
            match self.add(&slug, &labels).await? {
                Ok(changed) => {
                    self.take_over(structure, &slug, changed).await?;
                    any = true;
                }
                Err(unadded) => self.tell_unadded(structure, &slug, &unadded),
            }
        }
        if !any {
            return Ok(false);
        }
        let definition = &self.task.definition;
        let (compiled, _) = CompiledMapping::compile(
            &definition.destination,
            &definition.source,
            &self.columns,
            structure,
        );
        let Some(compiled) = compiled else { return Ok(false) };
        *mapping = compiled;
        self.release_quarantine().await?;
        Ok(true)
    }

    fn tell_unadded(&self, structure: &TableStructure, slug: &Slug, unadded: &Unadded) {
        let label = structure.field(slug).map_or("", |field| field.label.as_str());
        let why = match unadded {
            Unadded::Call(error) => format!("{} ({})", error.kind, error.kind.remedy()),
            Unadded::Said(words) => words.clone(),
        };
        let text = format!(
            "choices were not added to field `{slug}` (\"{label}\"), so rows that ask for them stand in quarantine: \
             {why}"
        );
        self.calls.observe(&Event::Note { text });
    }

    /// The table as it is now is the one that rows are mapped for. What only got choices changes no row but those that
    /// asked for them.
    async fn take_over(
        &mut self,
        known: &mut TableStructure,
        slug: &Slug,
        mut changed: TableStructure,
    ) -> Result<(), StateError> {
        changed.members.clone_from(&known.members);
        let only_grew = only_grew(known, &changed, slug);
        let hash = shape_hash(&self.task.definition, &changed);
        let (writer, stored, now) = (self.writer, changed.clone(), self.engine.clock.now());
        self.engine
            .state
            .run(move |state| {
                state.set_structure(writer.destination, &stored, now)?;
                if only_grew {
                    return state.set_shape(&writer, &hash);
                }
                state.see_shape(&writer, &hash).map(drop)
            })
            .await?;
        *known = changed;
        Ok(())
    }

    /// Adds what of the labels is not there yet; answers the table with all of them.
    async fn add(
        &self,
        slug: &Slug,
        labels: &BTreeSet<String>,
    ) -> Result<Result<TableStructure, Unadded>, StateError> {
        if labels.len() > LABELS_MAX {
            return Ok(Err(Unadded::Said(format!(
                "more than {LABELS_MAX} are wanted at once, which looks like a column of free text: add them in \
                 SmartSuite, or map the column to a text field"
            ))));
        }
        let destination = self.writer.destination;
        let _turn = self.calls.structure_turns.wait(destination).await;
        let Some(until) = self.take_turn().await? else {
            return Ok(Err(Unadded::Said(
                "another process is adding some to the table: they are tried again by themselves"
                    .into(),
            )));
        };
        let added = self.add_in_turn(slug, labels, until).await;
        let writer = self.writer;
        self.engine.state.run(move |state| state.end_turn(&writer, until)).await?;
        added
    }

    /// Waits until no other process changes the table's choices; answers until when none other does.
    async fn take_turn(&self) -> Result<Option<Timestamp>, StateError> {
        let (writer, clock) = (self.writer, &self.engine.clock);
        let patience = clock.elapsed() + TURN_PATIENCE;
        loop {
            let now = clock.now();
            let until = now.saturating_add(TURN).unwrap_or(now);
            if self.engine.state.run(move |state| state.take_turn(&writer, now, until)).await? {
                return Ok(Some(until));
            }
            if clock.elapsed() >= patience || self.cancelled.is_cancelled() {
                return Ok(None);
            }
            self.pause(TURN_ASKED_EVERY).await;
        }
    }

    async fn pause(&self, length: Duration) {
        tokio::select! {
            biased;
            () = self.cancelled.cancelled() => {}
            () = self.engine.clock.sleep(length) => {}
        }
    }

    async fn add_in_turn(
        &self,
        slug: &Slug,
        labels: &BTreeSet<String>,
        until: Timestamp,
    ) -> Result<Result<TableStructure, Unadded>, StateError> {
        let mut seen = match self.look(slug).await? {
            Ok(seen) => seen,
            Err(unadded) => return Ok(Err(unadded)),
        };
        let before = seen.ids();
        let mut wanted = new_choices(&seen.field.choices, labels);
        if wanted.is_empty() {
            return Ok(Ok(seen.structure));
        }
        if !self.calls.may_add(slug, &wanted) {
            return Ok(Err(Unadded::Said("the plan does not have them".into())));
        }
        let mut others: BTreeMap<String, Choice> = BTreeMap::new();
        if let Err(unadded) = self.send(&mut seen, slug, &wanted, until).await? {
            return Ok(Err(unadded));
        }
        let (mut sent_at, mut sent_anew) = (self.engine.clock.now(), 0);
        for seconds in LOOKS {
            self.pause(Duration::from_secs(seconds)).await;
            seen = match self.look(slug).await? {
                Ok(seen) => seen,
                Err(unadded) => return Ok(Err(unadded)),
            };
            let held = seen.ids();
            for choice in &seen.field.choices {
                if !before.contains(&choice.id) && !wanted.contains(choice) {
                    others.entry(choice.id.clone()).or_insert_with(|| choice.clone());
                }
            }
            if !wanted.iter().all(|choice| held.contains(&choice.id)) {
                // Somebody else's list may have replaced ours.
                let waited = self.engine.clock.now().duration_since(sent_at);
                if waited > SENT_ANEW_AFTER && sent_anew < SENT_ANEW_MAX {
                    sent_anew += 1;
                    let missing: Vec<Choice> = wanted
                        .iter()
                        .filter(|choice| !held.contains(&choice.id))
                        .cloned()
                        .collect();
                    if let Err(unadded) = self.send(&mut seen, slug, &missing, until).await? {
                        return Ok(Err(unadded));
                    }
                    sent_at = self.engine.clock.now();
                }
                continue;
            }
            // Ours replaced the list: what others added while it was under way is put back.
            let lost: Vec<Choice> =
                others.values().filter(|choice| !held.contains(&choice.id)).cloned().collect();
            if lost.is_empty() {
                return Ok(Ok(seen.structure));
            }
            if let Err(unadded) = self.send(&mut seen, slug, &lost, until).await? {
                return Ok(Err(unadded));
            }
            sent_at = self.engine.clock.now();
            wanted.extend(lost);
        }
        Ok(Err(Unadded::Said(
            "SmartSuite took them and does not show them: they are looked for again by themselves"
                .into(),
        )))
    }

    /// Sends the field's choices as they were just read, and more. An answer that is lost is no failure: the next look
    /// tells.
    async fn send(
        &self,
        seen: &mut Seen,
        slug: &Slug,
        more: &[Choice],
        until: Timestamp,
    ) -> Result<Result<(), Unadded>, StateError> {
        let table = &self.task.definition.destination.table_id;
        if self.calls.pass(Some(CallKind::Structure)).await?.is_none() {
            return Ok(Err(Unadded::Call(CallErrorKind::NotSent.into())));
        }
        if self.engine.clock.now().duration_since(seen.at) > READ_AGE_MAX {
            // The gate was closed for a while.
            *seen = match self.look(slug).await? {
                Ok(seen) => seen,
                Err(unadded) => return Ok(Err(unadded)),
            };
        }
        let writer = self.writer;
        let now = self.engine.clock.now();
        if !self.engine.state.run(move |state| state.has_turn(&writer, now, until)).await? {
            return Ok(Err(Unadded::Said(
                "it took too long: they are tried again by themselves".into(),
            )));
        }
        let target = &self.task.target;
        let call = target.add_choices(table, &seen.text, more);
        match self.calls.send(CallKind::Structure, more.len(), call).await? {
            Err(error) if error.kind.is_answered() || error.kind == CallErrorKind::NotSent => {
                Ok(Err(error.into()))
            }
            Ok(()) | Err(_) => Ok(Ok(())),
        }
    }

    async fn look(&self, slug: &Slug) -> Result<Result<Seen, Unadded>, StateError> {
        let table = &self.task.definition.destination.table_id;
        let target = &self.task.target;
        let read = self.calls.repeatable(CallKind::Structure, || target.field(table, slug)).await?;
        let (structure, text) = match read {
            Ok(read) => read,
            Err(error) => return Ok(Err(error.into())),
        };
        let field = structure.field(slug).cloned();
        Ok(match (field, text) {
            (Some(field), Some(text)) if !field.read_only => {
                Ok(Seen { structure, field, text, at: self.engine.clock.now() })
            }
            _ => Err(Unadded::Said("the field is there no more, or cannot be changed".into())),
        })
    }
}

/// A field as it was read.
struct Seen {
    structure: TableStructure,
    field: Field,
    text: FieldText,
    at: Timestamp,
}

impl Seen {
    fn ids(&self) -> BTreeSet<String> {
        self.field.choices.iter().map(|choice| choice.id.clone()).collect()
    }
}

/// Whether the table differs in nothing but that a field has more choices, behind or between those that it had.
fn only_grew(known: &TableStructure, changed: &TableStructure, slug: &str) -> bool {
    let mut as_known = changed.clone();
    let Some(before) = known.field(slug) else { return false };
    let Some(field) = as_known.fields.iter_mut().find(|field| &*field.slug == slug) else {
        return false;
    };
    let kept = field.choices.iter().filter(|choice| before.choices.contains(choice)).cloned();
    field.choices = kept.collect();
    as_known == *known
}
