//! `dedupe`: records that share an external id.

use clap::Args;
use sync_core::config::model::SyncDefinition;
use sync_engine::{
    run::Trouble,
    verify::{DedupeOptions, DedupeOutcome, DedupeReport, Question},
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
        dedupe::{Deduped, json, text},
    },
};

/// Options of `dedupe`.
#[derive(Clone, Debug, Args)]
pub(crate) struct DedupeArgs {
    #[command(flatten)]
    pub(crate) aside: AsideArgs,
    /// Delete those that this tool created and nobody changed since; they go to SmartSuite's recycle bin
    #[arg(long)]
    pub(crate) apply: bool,
    /// Empty the external id of every record that does not stay, instead of deleting it; with `--apply`, of those
    /// that may not be deleted
    #[arg(long)]
    pub(crate) clear_ids: bool,
}

/// Lists them, and does what was asked for.
pub(crate) fn perform(
    global: &Global,
    args: &DedupeArgs,
    screen: &Screen,
) -> Result<Exit, Failure> {
    if args.apply || args.clear_ids {
        consent(args, *screen).needed()?;
    }
    command::runtime()?.block_on(dedupe_all(global, args, screen))
}

fn consent(args: &DedupeArgs, screen: Screen) -> Consent {
    Consent { given: args.aside.yes, calls_max: args.aside.max_calls, screen }
}

async fn dedupe_all(global: &Global, args: &DedupeArgs, screen: &Screen) -> Result<Exit, Failure> {
    let aside = Aside::open(global, &args.aside, screen)?;
    if aside.chosen.is_empty() {
        screen.remark("no sync is enabled in the mapping file: nothing to do");
    }
    let mut deduped = Vec::new();
    for definition in &aside.chosen {
        let report = dedupe(&aside, definition, args, screen).await;
        deduped.push(Deduped { report, busy_fails: aside.busy_fails() });
    }
    let exit = deduped.iter().fold(Exit::Done, |exit, one| exit.and(one.exit()));
    if args.aside.json {
        screen.say(&format!("{:#}", json(&deduped, exit)));
    } else {
        screen.say(&text(&deduped, screen.out));
    }
    Ok(exit)
}

async fn dedupe(
    aside: &Aside,
    definition: &SyncDefinition,
    args: &DedupeArgs,
    screen: &Screen,
) -> DedupeReport {
    let (task, cancelled) = (aside.wire.task(definition).await, aside.ending.asked());
    let consent = consent(args, *screen);
    let ask = |question: Question| consent.ask(&definition.name, question);
    let options = DedupeOptions {
        apply: args.apply,
        clear_ids: args.clear_ids,
        listed_max: args.aside.list,
        ask: &ask,
    };
    loop {
        let report = Box::pin(aside.wire.engine.dedupe(&task, &options, cancelled)).await;
        let report = report.unwrap_or_else(|error| DedupeReport {
            sync: definition.name.clone(),
            outcome: DedupeOutcome::Failed(Trouble::from(&error)),
            calls: 0,
        });
        if report.outcome != DedupeOutcome::Busy || !aside.waits(cancelled).await {
            return report;
        }
    }
}
