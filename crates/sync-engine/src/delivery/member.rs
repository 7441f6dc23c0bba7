//! Which member we are: who made a record decides whose it is (`protocol.md` D4 to D6).

use std::collections::BTreeSet;

use sync_core::{
    draft::Fields,
    record::SeenRecord,
    state::{CallKind, Origin, StateError},
};

use super::Delivery;

/// Strangers among whose records ours is sought at once.
const STRANGERS_MAX: usize = 3;

impl Delivery<'_> {
    pub(super) async fn own_member(&self) -> Result<Option<String>, StateError> {
        let writer = self.route.writer;
        self.state(move |state| state.own_member(&writer)).await
    }

    /// D5: ours counts as created only where the member is the tool's alone.
    pub(super) fn origin_of(&self, record: &SeenRecord, own: Option<&str>) -> Origin {
        if self.route.dedicated_member && own.is_some() && record.created_by.as_deref() == own {
            Origin::Created
        } else {
            Origin::Adopted
        }
    }

    /// Who we are, where no answered create has told yet and it decides what becomes of these records, all of which carry
    /// a key of ours. One that a single member made and touched is written once more, with the key that it has: if the
    /// answer names that member as the last one still, it is us. Whoever touched a record besides stays to be seen.
    pub(super) async fn recognised<'r>(
        &mut self,
        records: impl IntoIterator<Item = &'r SeenRecord>,
    ) -> Result<Option<String>, StateError> {
        let (route, mut strangers) = (self.route, BTreeSet::new());
        let carrier = &route.shape.external_id.slug;
        for record in records {
            let Some(maker) = record.created_by.as_ref() else { continue };
            let is_untouched = record.updated_by.as_ref() == Some(maker);
            if !is_untouched || strangers.contains(maker) || strangers.len() == STRANGERS_MAX {
                continue;
            }
            let carried = record.fields.iter().filter(|(slug, _)| slug == carrier).cloned();
            let items = [(record.id.clone(), Fields::new(carried.collect()))];
            let update = || route.target.update(&route.shape, &items);
            let answer = match route.calls.repeatable(CallKind::Update, update).await? {
                Ok(answer) => answer,
                Err(error) => {
                    self.failed(&error).await?;
                    return Ok(None);
                }
            };
            let shown = answer.records.iter().find(|shown| shown.id == record.id);
            if shown.is_some_and(|shown| shown.updated_by.as_ref() == Some(maker)) {
                let (writer, member) = (route.writer, maker.clone());
                self.state(move |state| state.set_own_member(&writer, &member)).await?;
                return Ok(Some(maker.clone()));
            }
            strangers.insert(maker.clone());
        }
        Ok(None)
    }
}
