//! The JSON API: everything that the pages show, and the commands that they give.

mod budget;
mod command;
mod live;
mod overview;
mod quarantine;
mod record;
pub(crate) mod session;
mod sync;

pub(crate) use self::{
    budget::{Budget, budget, read as read_budget},
    command::{
        DoneView, ResyncRequest, RowsRequest, RunRequest, drop_rows, pause, resume, resync, retry,
        run,
    },
    live::{LiveView, live},
    overview::{BinlogView, Overview, Standing, SyncSummary, overview, read as read_overview},
    quarantine::{QuarantineView, quarantine},
    record::{RecordStory, record},
    sync::{SyncDetail, sync},
};

#[cfg(test)]
pub(crate) use self::overview::tests::{Seen, overview_of};
