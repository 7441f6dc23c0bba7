//! Preparing the next run to mend what a comparison found. Nothing is written to SmartSuite here, and nothing is ever
//! deleted: the state forgets what it believed, in the transaction that marks the key (`protocol.md` C7).

use sync_core::{
    comparison::{Cause, Difference, Disagreement},
    config::model::OnMissing,
    key::Key,
    port::BULK_MAX,
};

use super::{
    comparing::{BATCH, Comparing},
    holding::Broken,
    report::{Question, Repaired},
};
use crate::delivery::IDS_MAX;

/// What is done about one difference.
enum Step {
    /// Its record is written again.
    Distrust,
    /// Its record is looked for, and created again where it is gone.
    LookFor,
    /// Its record is gone and stays so.
    LeaveMissing,
    /// Nothing: it needs a person, another command, or just the next run.
    Nothing,
}

impl Comparing<'_> {
    /// Asks, then goes through every difference.
    pub(super) async fn repair(&mut self) -> Result<(), Broken> {
        let rows =
            self.found.drift(Disagreement::Missing) + self.found.drift(Disagreement::Different);
        let mends = rows > 0 || self.found.compared.unlinked > 0;
        let looks = match self.held.task.definition.destination.on_missing {
            // Before a record is made anew, it is looked for.
            OnMissing::Recreate => self.found.drift(Disagreement::Missing).div_ceil(IDS_MAX as u64),
            OnMissing::Skip | OnMissing::Quarantine => 0,
        };
        let calls = rows.div_ceil(BULK_MAX as u64) + looks;
        if !mends || !(self.options.ask)(Question::Repair { rows, calls }) {
            return Ok(());
        }
        let mut repaired = Repaired { linked: self.link_compared().await?, ..Repaired::default() };
        let (held, writer, mut after) = (self.held, self.held.writer, 0);
        loop {
            held.check_cancelled()?;
            let batch = held.state(move |state| state.differences(&writer, after, BATCH)).await?;
            let Some((last, _)) = batch.last() else { break };
            after = *last;
            self.mend(batch.into_iter().map(|(_, difference)| difference), &mut repaired).await?;
        }
        self.found.repaired = Some(repaired);
        Ok(())
    }

    async fn mend(
        &self,
        differences: impl Iterator<Item = Difference>,
        repaired: &mut Repaired,
    ) -> Result<(), Broken> {
        let (mut distrusted, mut gone, mut left) = (Vec::new(), Vec::new(), Vec::new());
        let mut archived = Vec::new();
        for difference in differences {
            let step = self.step(&difference);
            let is_archived = self.is_archived(&difference);
            match (step, difference.key) {
                (Step::Distrust, Some(key)) => {
                    let record = difference.record.filter(|_| is_archived);
                    archived.extend(record.map(|record| (key.clone(), record)));
                    distrusted.push(key);
                }
                (Step::LookFor, Some(key)) => gone.push(key),
                (Step::LeaveMissing, Some(key)) => left.push(key),
                (Step::Nothing, _) | (_, None) => {
                    repaired.left += u64::from(difference.cause.is_drift());
                }
            }
        }
        repaired.rows += (distrusted.len() + gone.len()) as u64;
        repaired.left_missing += left.len() as u64;
        let writer = self.held.writer;
        self.held
            .state(move |state| {
                state.distrust(&writer, &distrusted)?;
                state.note_archived(&writer, &archived)?;
                // Lists may lag, and what was deleted may come back: each is looked for before it is made anew (D7).
                gone.iter().try_for_each(|key: &Key| state.set_missing(&writer, key, false))?;
                left.iter().try_for_each(|key: &Key| state.set_missing(&writer, key, true))
            })
            .await?;
        Ok(())
    }

    /// Whether the record of a row that is there is archived: then its row brings it back.
    fn is_archived(&self, difference: &Difference) -> bool {
        let archive = self.held.task.definition.destination.on_delete.archive();
        archive.is_some_and(|archive| difference.fields.contains(&archive.slug))
    }

    fn step(&self, difference: &Difference) -> Step {
        let on_missing = self.held.task.definition.destination.on_missing;
        match (difference.disagreement, difference.cause) {
            (_, cause) if !cause.is_drift() => Step::Nothing,
            (Disagreement::Missing, Cause::RecordChanged | Cause::Unclear) => match on_missing {
                OnMissing::Recreate => Step::LookFor,
                OnMissing::Skip => Step::LeaveMissing,
                // Delivery meets the missing record and parks the row.
                OnMissing::Quarantine => Step::Distrust,
            },
            (Disagreement::Different | Disagreement::Missing, _) => Step::Distrust,
            (Disagreement::Extra | Disagreement::Duplicate, _) => Step::Nothing,
        }
    }

    /// Links records whose rows were compared with them; their values were read, so that equal ones cost nothing.
    async fn link_compared(&self) -> Result<u64, Broken> {
        let (held, writer, now) = (self.held, self.held.writer, self.held.engine.clock.now());
        let (mut linked, mut place) = (0, Some(0));
        while let Some(after) = place {
            held.check_cancelled()?;
            let (count, last) =
                held.state(move |state| state.link_compared(&writer, after, BATCH, now)).await?;
            linked += count;
            place = last;
        }
        Ok(linked)
    }
}
