//! `verify`: does SmartSuite hold what the database says? `repair`: and if not, mend it.

use std::sync::Arc;

use clap::{Args, value_parser};
use sync_core::config::model::SyncDefinition;
use sync_engine::{
    run::{RunOptions, Trouble},
    verify::{Question, VerifyOptions, VerifyOutcome, VerifyReport},
};

use crate::{
    cli::Global,
    command::{
        self,
        aside::{Aside, AsideArgs},
        consent::Consent,
    },
    exit::Exit,
    failure::Failure,
    report::{
        Screen,
        run::Finished,
        verify::{Verified, json, text},
    },
    turn::Turn,
};

/// Options of `verify`.
#[derive(Clone, Debug, Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) aside: AsideArgs,
    /// Compare only so many of the linked rows, chosen by chance: a call for 25
    #[arg(long, value_name = "ROWS", value_parser = value_parser!(u64).range(1..))]
    pub(crate) sample: Option<u64>,
}

/// Options of `repair`.
#[derive(Clone, Debug, Args)]
pub(crate) struct RepairArgs {
    #[command(flatten)]
    pub(crate) aside: AsideArgs,
}

/// Compares and reports.
pub(crate) fn perform(
    global: &Global,
    args: &VerifyArgs,
    screen: &Screen,
) -> Result<Exit, Failure> {
    let asked = Asked { aside: &args.aside, sample: args.sample, repairs: false };
    command::runtime()?.block_on(verify_all(global, asked, screen))
}

/// Compares, prepares what can be mended, and runs the syncs.
pub(crate) fn repair(global: &Global, args: &RepairArgs, screen: &Screen) -> Result<Exit, Failure> {
    let asked = Asked { aside: &args.aside, sample: None, repairs: true };
    consent(asked, *screen).needed()?;
    command::runtime()?.block_on(verify_all(global, asked, screen))
}

#[derive(Clone, Copy)]
struct Asked<'a> {
    aside: &'a AsideArgs,
    sample: Option<u64>,
    repairs: bool,
}

fn consent(asked: Asked<'_>, screen: Screen) -> Consent {
    Consent { given: asked.aside.yes, calls_max: asked.aside.max_calls, screen }
}

async fn verify_all(global: &Global, asked: Asked<'_>, screen: &Screen) -> Result<Exit, Failure> {
    let aside = Aside::open(global, asked.aside, screen)?;
    if aside.chosen.is_empty() {
        screen.remark("no sync is enabled in the mapping file: nothing to do");
    }
    let mut verified = Vec::new();
    for definition in &aside.chosen {
        let report = verify(&aside, definition, asked, screen).await;
        let repaired = match &report.outcome {
            VerifyOutcome::Compared(comparison) => comparison.repaired.is_some(),
            _ => false,
        };
        let run = if repaired { Some(Box::pin(run(&aside, definition)).await) } else { None };
        verified.push(Verified { report, run, busy_fails: aside.busy_fails() });
    }
    let exit = verified.iter().fold(Exit::Done, |exit, one| exit.and(one.exit()));
    if asked.aside.json {
        screen.say(&format!("{:#}", json(&verified, exit)));
    } else {
        screen.say(&text(&verified, screen.out));
    }
    Ok(exit)
}

async fn verify(
    aside: &Aside,
    definition: &SyncDefinition,
    asked: Asked<'_>,
    screen: &Screen,
) -> VerifyReport {
    let (task, cancelled) = (aside.wire.task(definition).await, aside.ending.asked());
    let consent = consent(asked, *screen);
    let ask = |question: Question| consent.ask(&definition.name, question);
    let options = VerifyOptions {
        sample: asked.sample,
        listed_max: asked.aside.list,
        repairs: asked.repairs,
        ask: &ask,
    };
    loop {
        let report = Box::pin(aside.wire.engine.verify(&task, &options, cancelled)).await;
        let report = report.unwrap_or_else(|error| VerifyReport {
            sync: definition.name.clone(),
            outcome: VerifyOutcome::Failed(Trouble::from(&error)),
            calls: 0,
        });
        if report.outcome != VerifyOutcome::Busy || !aside.waits(cancelled).await {
            return report;
        }
    }
}

/// The ordinary way: the marked rows are read again and sent.
async fn run(aside: &Aside, definition: &SyncDefinition) -> Finished {
    let turn = Turn {
        wire: Arc::clone(&aside.wire),
        definition: definition.clone(),
        options: RunOptions::default(),
        waits: true,
        busy_fails: false,
    };
    turn.take(aside.ending.asked()).await
}
