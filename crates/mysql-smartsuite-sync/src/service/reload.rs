//! The mapping file, read anew while the service runs: when somebody asks (SIGHUP), and when it or a file that it includes
//! has changed.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sync_core::{config::model::Config, port::Clock, schedule::Schedule};
use sync_engine::event::Observer;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::ShiftPlan;
use crate::{
    alerting::Troubles,
    budget::{BudgetKeeper, Manner},
    environment::{Environment, Settings},
    failure::Failure,
    mapping_file::{MappingFile, select},
    report::counted,
    wire::Wire,
};

/// How often it is looked whether the file has changed.
const EVERY: Duration = Duration::from_secs(5);

/// What a service is made of, but for the mapping file.
pub(crate) struct Reload {
    path: PathBuf,
    environment: Environment,
    settings: Settings,
    observer: Arc<dyn Observer>,
    clock: Arc<dyn Clock>,
    troubles: Arc<Troubles>,
    hangup: Option<Signal>,
    watched: Watched,
}

/// The mapping file and those it includes, as they were when they were looked at last.
struct Watched {
    /// The mapping file is the first.
    files: Vec<Look>,
    /// What was found instead, where a file was not there.
    doubted: Option<Vec<Look>>,
}

/// A file and what it held; `None`: it could not be read.
type Look = (PathBuf, Option<Vec<u8>>);

impl Watched {
    /// As they are now. What was included is looked for, too, where it is not there: it may come.
    fn of(path: &Path, environment: &Environment) -> Self {
        let included = MappingFile::read(path, environment).map(|file| file.included);
        let paths = [path.to_owned()].into_iter().chain(included.unwrap_or_default());
        Self { files: paths.map(look).collect(), doubted: None }
    }

    /// Whether one of them is another than before. One that is being replaced is not there for a moment: that it is gone
    /// is believed when it is still so at the next look, and of the mapping file itself never.
    fn has_changed(&mut self) -> bool {
        let now: Vec<Look> = self.files.iter().map(|(path, _)| look(path.clone())).collect();
        let doubted = self.doubted.take();
        if now == self.files || now.first().is_none_or(|(_, text)| text.is_none()) {
            return false;
        }
        let is_gone = |(before, after): (&Look, &Look)| before.1.is_some() && after.1.is_none();
        if !self.files.iter().zip(&now).any(is_gone) || doubted.as_ref() == Some(&now) {
            return true;
        }
        self.doubted = Some(now);
        false
    }
}

fn look(path: PathBuf) -> Look {
    let text = std::fs::read(&path).ok();
    (path, text)
}

impl Reload {
    /// Of the file at `path`, as it is now.
    pub(crate) fn new(
        path: PathBuf,
        environment: Environment,
        settings: Settings,
        observer: Arc<dyn Observer>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let watched = Watched::of(&path, &environment);
        Self {
            path,
            environment,
            settings,
            observer,
            clock,
            troubles: Arc::default(),
            hangup: None,
            watched,
        }
    }

    /// What can be wrong with the service itself.
    pub(crate) fn troubles(&self) -> &Arc<Troubles> {
        &self.troubles
    }

    /// The clock of the service.
    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Minutes between runs of syncs without a schedule.
    pub(crate) fn interval_minutes(&self) -> u32 {
        self.settings.local.interval_minutes
    }

    /// Listens for SIGHUP from now on.
    ///
    /// # Errors
    /// The system allows no signal handlers.
    pub(crate) fn listen(&mut self) -> std::io::Result<()> {
        self.hangup = Some(signal(SignalKind::hangup())?);
        Ok(())
    }

    /// Waits until somebody asks, or a file is another one than before.
    pub(crate) async fn wanted(&mut self) {
        loop {
            let hangup = async {
                match &mut self.hangup {
                    Some(hangup) => {
                        hangup.recv().await;
                    }
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = hangup => break,
                () = self.clock.sleep(EVERY) => {}
            }
            if self.watched.has_changed() {
                break;
            }
        }
        self.watched = Watched::of(&self.path, &self.environment);
    }

    /// The file as it is now and what is to be served by it. One that cannot be used is said, and remembered as a
    /// trouble; `None`: the service goes on as before.
    pub(crate) fn read(&self) -> Option<(Config, ShiftPlan)> {
        let outcome = self.config().and_then(|config| Ok((self.plan(&config, false)?, config)));
        match outcome {
            Ok((plan, config)) => {
                self.troubles.set_configuration(None);
                tracing::info!(
                    "the mapping file was read anew: serving {}",
                    counted(u64::try_from(plan.timetable.len()).unwrap_or(0), "sync")
                );
                Some((config, plan))
            }
            Err(failure) => {
                let (hint, code) = (failure.hint.as_str(), "bad_configuration");
                let what = failure.message.lines().next().unwrap_or_default().to_owned();
                tracing::error!(
                    code,
                    hint,
                    "the mapping file has changed and cannot be used; the service goes on with it as it was: {what}"
                );
                self.troubles.set_configuration(Some(what));
                None
            }
        }
    }

    fn config(&self) -> Result<Config, Failure> {
        let file = MappingFile::read(&self.path, &self.environment)?;
        let first = file
            .diagnostics
            .iter()
            .find(|one| one.severity == sync_core::config::diagnostic::Severity::Error);
        if let Some(error) = first {
            return Err(Failure::usage(
                format!("{} [{}]", error.message, error.code),
                "`validate` shows everything that is wrong with it",
            ));
        }
        file.config.ok_or_else(|| {
            Failure::usage("it has errors", "`validate` shows everything that is wrong with it")
        })
    }

    /// What is to be served by a configuration.
    ///
    /// # Errors
    /// No sync is enabled, or the state or SmartSuite's address cannot be used.
    pub(crate) fn plan(&self, config: &Config, immediately: bool) -> Result<ShiftPlan, Failure> {
        let syncs = select(config, &[])?;
        if syncs.is_empty() {
            return Err(Failure::usage(
                "no sync is enabled in the mapping file",
                "set `enabled: true` where a sync should run",
            ));
        }
        let observer = Arc::clone(&self.observer);
        let mut wire = Wire::new(&self.settings, config, &self.environment, observer)?;
        wire.notes.iter().for_each(|note| tracing::warn!("{note}"));
        if let Some(keeper) = BudgetKeeper::of(config, &wire.state_path, Manner::Spread) {
            wire.engine = wire.engine.clone().governed_by(Arc::new(keeper));
        }
        let mut timetable = Vec::new();
        for sync in syncs {
            let schedule = match &sync.schedule {
                Some(definition) => Schedule::new(definition).map_err(|error| {
                    Failure::usage(
                        format!("the schedule of sync `{}` cannot be used: {error}", sync.name),
                        "mend `schedule` in the mapping file",
                    )
                })?,
                None => Schedule::every(self.settings.local.interval_minutes),
            };
            timetable.push((sync.clone(), schedule));
        }
        Ok(ShiftPlan { wire, timetable, immediately })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_an_included_file_is_seen_and_one_that_is_gone_at_the_second_look() {
        let folder = tempfile::tempdir().unwrap();
        let main = folder.path().join("main.yml");
        let part = folder.path().join("part.yml");
        std::fs::write(&main, "include: [part.yml, later.yml]\nsyncs: []\n").unwrap();
        std::fs::write(&part, "syncs: []\n").unwrap();
        let environment = Environment::read(Path::new(".env.none"), |_| None).unwrap();
        let again = || Watched::of(&main, &environment);
        let mut watched = again();
        assert!(!watched.has_changed());
        std::fs::write(&part, "syncs: [] # changed\n").unwrap();
        assert!(watched.has_changed());
        watched = again();
        std::fs::write(folder.path().join("later.yml"), "syncs: []\n").unwrap();
        assert!(watched.has_changed(), "one that was missing is waited for");
        watched = again();
        std::fs::remove_file(&part).unwrap();
        assert!(!watched.has_changed(), "it may be replaced at this moment");
        assert!(watched.has_changed());
        std::fs::remove_file(&main).unwrap();
        assert!(!watched.has_changed() && !watched.has_changed());
    }
}
