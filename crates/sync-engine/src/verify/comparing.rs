//! The passes of a comparison: the table, the rows, what the next run reads, and the records that are left.

use sync_core::{
    comparison::{ComparedRow, Content, Disagreement},
    config::model::OnDelete,
    draft::Draft,
    key::Key,
    mapping::CompiledMapping,
    port::{BULK_MAX, ReadScope},
    slug::Slug,
    source::Row,
    state::RestPolicy,
};

use super::{
    holding::{Broken, Held},
    report::{Comparison, Question, VerifyOptions, VerifyOutcome},
    table::compared_shape,
};
use crate::{
    capture::{KEYS_MAX, Marker},
    event::Event,
    run::link_fields,
};

/// Rows, records or differences handled in one turn of the state.
pub(super) const BATCH: usize = 1_000;

/// A comparison under way.
pub(super) struct Comparing<'a> {
    pub(super) held: &'a Held<'a>,
    pub(super) options: &'a VerifyOptions<'a>,
    pub(super) found: Comparison,
}

impl<'a> Comparing<'a> {
    pub(super) fn new(held: &'a Held<'a>, options: &'a VerifyOptions<'a>) -> Self {
        Self { held, options, found: Comparison::default() }
    }

    /// Compares, and prepares the repair that was asked for.
    pub(super) async fn compare(&mut self) -> Result<VerifyOutcome, Broken> {
        let held = self.held;
        let pages = held.pages_expected().await?;
        let sample = self.options.sample.filter(|rows| rows.div_ceil(BULK_MAX as u64) < pages);
        let calls = sample.map_or(pages, |rows| rows.div_ceil(BULK_MAX as u64));
        if !(self.options.ask)(Question::Read { calls }) {
            return Ok(VerifyOutcome::Declined { calls });
        }
        let mapping = held.mapping().await?;
        let sampled = match sample {
            None => {
                self.found.records = held.keep_table(&mapping).await?;
                None
            }
            Some(rows) => {
                let keys = held.sampled_keys(rows).await?;
                self.found.sample = Some(keys.len() as u64);
                self.found.records = held.keep_records_of(&mapping, &keys).await?;
                Some(keys)
            }
        };
        let all_read_next = held.reads_all_next();
        match &sampled {
            None => self.compare_read(&mapping, ReadScope::Full, all_read_next).await?,
            Some(keys) => {
                for keys in keys.chunks(KEYS_MAX) {
                    let scope = ReadScope::Keys(keys.to_vec());
                    self.compare_read(&mapping, scope, all_read_next).await?;
                }
            }
        }
        self.explain_by_next_read(&mapping).await?;
        self.compare_rest().await?;
        self.count().await?;
        if self.found.sample.is_none() {
            let twice = self.found.drift(Disagreement::Duplicate);
            let writer = held.writer;
            held.state(move |state| state.note_shared_ids(&writer, twice, false)).await?;
        }
        if self.options.repairs {
            self.repair().await?;
        }
        Ok(VerifyOutcome::Compared(Box::new(std::mem::take(&mut self.found))))
    }

    /// Streams rows past the records that are kept.
    async fn compare_read(
        &mut self,
        mapping: &CompiledMapping,
        scope: ReadScope,
        all_read_next: bool,
    ) -> Result<(), Broken> {
        let (held, writer) = (self.held, self.held.writer);
        let mut read = held.task.source.open(scope).await?;
        for text in read.notes() {
            held.calls.observe(&Event::Note { text });
        }
        let deleted_field = held.task.definition.source.deleted_field.as_deref();
        let marker = Marker::of(deleted_field, read.columns());
        let slugs: Vec<Slug> =
            compared_shape(mapping).fields.iter().map(|field| field.slug.clone()).collect();
        loop {
            held.check_cancelled()?;
            let rows = read.next_rows(BATCH).await?;
            if rows.is_empty() {
                return Ok(());
            }
            // Rows that say of themselves that they are deleted are none.
            let rows: Vec<Row> = rows.into_iter().filter(|row| !marker.is_set(row)).collect();
            self.found.rows += rows.len() as u64;
            let rows = self.compared_rows(mapping, &rows).await?;
            let shape = slugs.clone();
            let compared = held
                .state(move |state| state.compare_rows(&writer, &rows, &shape, all_read_next))
                .await?;
            self.found.compared.equal += compared.equal;
            self.found.compared.settled += compared.settled;
            self.found.compared.unlinked += compared.unlinked;
        }
    }

    async fn compared_rows(
        &mut self,
        mapping: &CompiledMapping,
        rows: &[Row],
    ) -> Result<Vec<ComparedRow>, Broken> {
        let mut wishes = Vec::with_capacity(rows.len());
        for row in rows {
            match mapping.draft(row) {
                Ok(draft) => wishes.push((draft.key.clone(), Ok(draft))),
                Err(fault) => match fault.key.clone() {
                    Some(key) => wishes.push((key, Err(fault.code.code().to_owned()))),
                    None => self.found.keyless += 1,
                },
            }
        }
        let (writer, links) = (self.held.writer, link_fields(&self.held.task.definition));
        let shape = compared_shape(mapping).clone();
        let prefix = self.held.task.definition.destination.key_prefix.clone();
        Ok(self
            .held
            .state(move |state| {
                if !links.is_empty() {
                    state.set_links(&writer, &links)?;
                }
                let compared = |(key, wish): (Key, Result<Draft, String>)| {
                    let wish = match wish {
                        Ok(Draft { fields, links, .. }) => {
                            let linked = state.resolve(&writer, &key, &links)?;
                            Ok(Content::of_draft(&fields.with(linked), &shape))
                        }
                        Err(code) => Err(code),
                    };
                    Ok(ComparedRow { external_id: key.external_id(&prefix), key, wish })
                };
                wishes.into_iter().map(compared).collect()
            })
            .await?)
    }

    /// Judges the records that no row was compared with.
    async fn compare_rest(&mut self) -> Result<(), Broken> {
        let (held, writer) = (self.held, self.held.writer);
        let policy = RestPolicy {
            key_prefix: held.task.definition.destination.key_prefix.clone(),
            keeps_records: held.task.definition.destination.on_delete == OnDelete::Ignore,
        };
        let mut place = Some(0);
        while let Some(after) = place {
            held.check_cancelled()?;
            let policy = policy.clone();
            let (rest, last) =
                held.state(move |state| state.compare_rest(&writer, &policy, after, BATCH)).await?;
            self.found.rest.people += rest.people;
            self.found.rest.others += rest.others;
            place = last;
        }
        Ok(())
    }

    /// Counts the differences and lists the first of them.
    async fn count(&mut self) -> Result<(), Broken> {
        let (held, writer, listed_max) = (self.held, self.held.writer, self.options.listed_max);
        let (counts, first) = held
            .state(move |state| {
                Ok((state.count_differences(&writer)?, state.differences(&writer, 0, listed_max)?))
            })
            .await?;
        self.found.counts = counts;
        self.found.differences = first.into_iter().map(|(_, difference)| difference).collect();
        Ok(())
    }
}
