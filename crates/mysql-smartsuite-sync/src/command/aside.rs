//! What commands share that hold a sync for something other than a run.

use std::sync::Arc;

use clap::Args;
use sync_core::{config::model::SyncDefinition, port::Clock as _};
use sync_engine::event::Observer;
use tokio_util::sync::CancellationToken;

use crate::{
    cli::{Global, IfRunning},
    clock::SystemClock,
    command::{self, run::start_logging},
    failure::Failure,
    mapping_file::select,
    report::Screen,
    signal::Ending,
    telemetry::{Console, LogObserver, Observers},
    turn::WAIT,
    wire::Wire,
};

/// Options of commands that look at both sides.
#[derive(Clone, Debug, Args)]
pub(crate) struct AsideArgs {
    /// Only this sync; may be repeated. Without it: every enabled sync
    #[arg(long, value_name = "NAME")]
    pub(crate) sync_name: Vec<String>,
    /// Go on without asking
    #[arg(long)]
    pub(crate) yes: bool,
    /// Leave a sync alone whose reading would cost more API calls than this
    #[arg(long, value_name = "NUMBER")]
    pub(crate) max_calls: Option<u64>,
    /// List at most so many a sync; all are counted
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    pub(crate) list: usize,
    /// What to do while another process runs the same sync
    #[arg(long, value_name = "WHAT", default_value = "wait")]
    pub(crate) if_running: IfRunning,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// The ports and the syncs that were chosen.
pub(crate) struct Aside {
    pub(crate) wire: Arc<Wire>,
    pub(crate) chosen: Vec<SyncDefinition>,
    pub(crate) ending: Ending,
    if_running: IfRunning,
}

impl Aside {
    /// Reads the settings and the mapping file, and opens the state. Must be called on the runtime.
    ///
    /// # Errors
    /// As every command that runs syncs.
    pub(crate) fn open(
        global: &Global,
        args: &AsideArgs,
        screen: &Screen,
    ) -> Result<Self, Failure> {
        let environment = command::environment()?;
        let settings = environment.settings(&command::flags(global));
        let (_, config, settings) = command::everything(global, &environment, settings, screen)?;
        let chosen = select(&config, &args.sync_name)?.into_iter().cloned().collect();
        let console = Console::new(indicatif::MultiProgress::new());
        start_logging(&settings, global, &console);
        let observers: Vec<Arc<dyn Observer>> = vec![Arc::new(LogObserver::default())];
        let wire = Wire::new(&settings, &config, &environment, Arc::new(Observers(observers)))?;
        for note in &wire.notes {
            tracing::warn!("{note}");
        }
        let ending = Ending::listen(move |text| console.line(text)).map_err(|error| {
            Failure::world(
                format!("signals cannot be listened to: {error}"),
                "see the system's log",
            )
        })?;
        Ok(Self { wire: Arc::new(wire), chosen, ending, if_running: args.if_running })
    }

    /// Whether a sync that is busy elsewhere is asked for again, after a moment.
    pub(crate) async fn waits(&self, cancelled: &CancellationToken) -> bool {
        if self.if_running != IfRunning::Wait || cancelled.is_cancelled() {
            return false;
        }
        tokio::select! {
            biased;
            () = cancelled.cancelled() => false,
            () = SystemClock::new().sleep(WAIT) => true,
        }
    }

    /// Whether a sync that is busy elsewhere counts as a failure.
    pub(crate) fn busy_fails(&self) -> bool {
        self.if_running == IfRunning::Fail
    }
}
