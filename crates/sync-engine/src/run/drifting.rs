//! What has changed of the two schemas since the mapping last fitted them: told, remembered, and acted on.

use sync_core::{
    drift::{Drift, KnownSchema},
    error::{SourceError, SourcePart},
    mapping::{Finding, Severity},
    source::Column,
    state::{FullReadReason, StateError},
    table::TableStructure,
};

use super::{Trouble, reading::Unread, running::Running};
use crate::{capture::Broken, event::Event};

impl Running<'_> {
    /// Says what was left out of the definition before the run, and keeps it for `status`.
    pub(super) async fn tell_left_out(&self) -> Result<(), StateError> {
        for one in &self.task.drift.left_out {
            let text = format!(
                "field `{}` is left as it is, as its mapping fits no more: {}",
                one.slug, one.reason
            );
            self.calls.observe(&Event::Note { text });
        }
        for text in &self.task.drift.notes {
            self.calls.observe(&Event::Note { text: text.clone() });
        }
        let left_out = self.task.drift.left_out.iter();
        let left_out: Vec<_> = left_out.map(|one| (one.slug.clone(), one.reason.clone())).collect();
        let writer = self.writer;
        self.engine.state.run(move |state| state.set_left_out(&writer, &left_out)).await
    }

    async fn known_schema(&self) -> Result<Option<KnownSchema>, StateError> {
        let sync = self.opened.id;
        let known = self.engine.state.run(move |state| state.known_schema(sync)).await?;
        Ok(known.as_deref().and_then(KnownSchema::from_text))
    }

    /// The mapping fits these schemas: remembers them, and says what differs from those it fitted before. Answers
    /// whether a full read has become due: rows hold other values though nobody changed them.
    pub(super) async fn see_schemas(
        &mut self,
        columns: &[Column],
        structure: &TableStructure,
    ) -> Result<bool, StateError> {
        let definition = &self.task.definition;
        let (destination, source) = (&definition.destination, &definition.source);
        let now = KnownSchema::of(destination, columns, structure)
            .with_all_columns(self.task.drift.all_columns.clone());
        let (drift, known) = match self.known_schema().await? {
            Some(known) => {
                let drift = known.drift(destination, source, columns, structure);
                let renewed = known.clone().renewed(now);
                if renewed == known {
                    return Ok(false);
                }
                (drift, renewed)
            }
            None => (Vec::new(), now),
        };
        for one in &drift {
            self.calls.observe(&Event::Note { text: format!("since the last run, {one}") });
        }
        let rereads = drift.iter().any(Drift::changes_values);
        let (writer, text) = (self.writer, known.text());
        self.engine.state.run(move |state| state.set_known_schema(&writer, &text, rereads)).await?;
        if rereads {
            self.opened.page = None;
            self.opened.full_read.get_or_insert(FullReadReason::SchemaChanged);
        }
        Ok(rereads)
    }

    /// The mapping does not fit. Where it did before, what changed is said first.
    pub(super) async fn unfit(
        &self,
        findings: Vec<Finding>,
        columns: &[Column],
        structure: &TableStructure,
    ) -> Result<Unread, StateError> {
        let errors: Vec<Finding> =
            findings.into_iter().filter(|one| one.severity() == Severity::Error).collect();
        let definition = &self.task.definition;
        let drift = match self.known_schema().await? {
            Some(known) => {
                known.drift(&definition.destination, &definition.source, columns, structure)
            }
            None => Vec::new(),
        };
        let trouble = if drift.is_empty() {
            Trouble::new(
                "mapping_does_not_fit",
                "the mapping does not fit the source or the table",
                "mend the mapping; `validate --online` shows the same list",
            )
        } else {
            schema_drift(&drift.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        Ok(Unread::Unfit(Trouble { findings: errors, ..trouble }))
    }

    /// The source cannot be read. Where that is because of a column that was there before, it is said so.
    pub(super) async fn unread(&self, broken: Broken) -> Result<Unread, StateError> {
        let Broken::Source(SourceError { about: SourcePart::Columns(names), .. }) = &broken else {
            return Ok(Unread::Broken(broken));
        };
        let known = self.known_schema().await?.unwrap_or_default();
        let gone: Vec<String> = names
            .iter()
            .filter(|name| known.knows_column(name))
            .map(|name| format!("column `{name}` is there no more"))
            .collect();
        if gone.is_empty() {
            return Ok(Unread::Broken(broken));
        }
        Ok(Unread::Gone(schema_drift(&gone)))
    }
}

/// The mapping fitted, and fits no more.
fn schema_drift(changes: &[String]) -> Trouble {
    Trouble::new(
        "schema_drift",
        format!("the mapping fits no more: {}; nothing was read or written", changes.join(", ")),
        "put it back, or change the mapping; with `on_drift: ignore` the sync goes on without such fields",
    )
}
