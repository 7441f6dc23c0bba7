//! Makes the fields that are wanting, and waits until they show.

use std::{sync::Arc, time::Duration};

use sync_core::{
    error::{CallError, CallErrorKind},
    port::{Clock, RecordTarget as _},
    state::CallKind,
    table::TableStructure,
};
use sync_smartsuite::{NewField, SmartSuiteClient};

use crate::{failure::Failure, state_gate::StateGate};

/// Looks at a table until new fields show: the service says that it takes up to seconds.
const LOOKS_MAX: u32 = 8;

/// SmartSuite, through the state's gate.
pub(crate) struct Workspace {
    /// The client.
    pub(crate) client: SmartSuiteClient,
    /// The gate.
    pub(crate) gate: StateGate,
    /// The clock.
    pub(crate) clock: Arc<dyn Clock>,
}

impl Workspace {
    /// One call.
    pub(crate) async fn call<T>(
        &self,
        call: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, Failure> {
        self.gate.call(CallKind::Structure, call).await?.map_err(|error| failed(&error))
    }

    /// Adds fields to a table and answers the table with them. One that is there already is not added again; one whose
    /// answer was lost is looked for before anybody says that it failed.
    pub(crate) async fn add(
        &self,
        table: &TableStructure,
        fields: &[&NewField],
    ) -> Result<TableStructure, Failure> {
        for field in fields {
            if table.field(&field.slug).is_some() {
                continue;
            }
            let added = self
                .gate
                .call(CallKind::Structure, self.client.add_field(&table.id, field))
                .await?;
            match added {
                Ok(()) => {}
                // It may have been added all the same: the look below tells.
                Err(error) if !error.kind.is_answered() => {}
                Err(error) => {
                    let failure = failed(&error);
                    return Err(Failure {
                        message: format!(
                            "field \"{}\" could not be added to table \"{}\": {}",
                            field.label, table.name, failure.message
                        ),
                        ..failure
                    });
                }
            }
        }
        let mut wait = Duration::from_millis(500);
        for _ in 0..LOOKS_MAX {
            let seen = self.call(self.client.structure(&table.id)).await?;
            if fields.iter().all(|field| seen.field(&field.slug).is_some()) {
                return Ok(seen);
            }
            self.clock.sleep(wait).await;
            wait = (wait * 2).min(Duration::from_secs(10));
        }
        Err(Failure::world(
            format!("the new fields of table \"{}\" do not show", table.name),
            "run `init` again: fields that are there are found, and not made twice",
        ))
    }
}

fn failed(error: &CallError) -> Failure {
    let words = format!("{} [{}]", error.kind, error.kind.code());
    match error.kind {
        CallErrorKind::TokenRejected
        | CallErrorKind::AccountRejected
        | CallErrorKind::WrongAddress => Failure::usage(words, error.kind.remedy()),
        _ => Failure::world(words, error.kind.remedy()),
    }
}
