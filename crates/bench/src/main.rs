//! `make bench`: what the product costs, beside a yardstick measured in the same run.
//!
//! Reading order: [`stage`] is what runs, [`process`] how it is measured, [`links`] how a state comes to know a million
//! rows without a first load, [`case`] the questions, [`figure`] the answers, [`document`] where people read them.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    reason = "it talks to the person who runs it, about measured figures"
)]

mod case;
mod document;
mod figure;
mod links;
mod machine;
mod process;
mod stage;

use std::{fs, path::Path, path::PathBuf, process::ExitCode};

use anyhow::{Context as _, Result};
use clap::{Parser, ValueEnum};

use case::{
    changes, first_load, growth, load, log, real_limit, recovery, start_up, state, sweep, typical,
    unchanged,
};
use document::Measured;
use figure::Figures;
use links::Links;
use stage::{Emulator, Mode, Stage};

/// Measures the product, and writes what was found into the pages that show it.
#[derive(Parser)]
enum Work {
    Measure(Arguments),
    /// Writes figures into the marked places of pages.
    Write {
        /// Figures of the usual run.
        #[arg(long)]
        figures: PathBuf,
        /// Figures of a run over ten million rows; need not be there yet.
        #[arg(long)]
        large: PathBuf,
        /// The pages.
        pages: Vec<PathBuf>,
    },
}

/// Measures the product.
#[derive(clap::Args)]
struct Arguments {
    /// The program to measure.
    #[arg(long)]
    product: PathBuf,
    /// Rows of the large table.
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
    /// Where the figures go, as JSON.
    #[arg(long)]
    out: PathBuf,
    /// Figures of an earlier run: fails if one that is the same on every machine became worse by more than 15 %.
    #[arg(long)]
    check: Option<PathBuf>,
    /// Only these cases; without it, all.
    #[arg(long)]
    only: Vec<Case>,
    /// What the person typed, for the pages.
    #[arg(long, default_value = "bench measure")]
    command: String,
}

/// A part of the measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Case {
    /// Full reads in which nothing changed, the state's size, and starting at all.
    Unchanged,
    /// Runs of a service while people look at its pages.
    Load,
    /// Unchanged runs over smaller tables.
    Growth,
    /// Runs that find a few changes, and what they cost in calls.
    Changes,
    /// Sweeps of all keys.
    Sweep,
    /// The database's log: reading it, and following it.
    Log,
    /// Days of 96 runs.
    Days,
    /// A first load with the gate open.
    FirstLoad,
    /// What waits in real time: a first load under the limit for a minute, and the recovery from a crash.
    Waits,
}

impl Arguments {
    fn wants(&self, case: Case) -> bool {
        self.only.is_empty() || self.only.contains(&case)
    }
}

fn main() -> ExitCode {
    let done = match Work::parse() {
        Work::Measure(arguments) => report(&arguments),
        Work::Write { figures, large, pages } => write(&figures, &large, &pages),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn write(figures: &Path, large: &Path, pages: &[PathBuf]) -> Result<ExitCode> {
    let large = large.exists().then(|| read(large)).transpose()?;
    let measured = Measured { usual: read(figures)?, large };
    pages.iter().try_for_each(|page| measured.write(page))?;
    Ok(ExitCode::SUCCESS)
}

fn report(arguments: &Arguments) -> Result<ExitCode> {
    // The baseline first: the output may take its place.
    let baseline = arguments.check.as_deref().map(read).transpose()?;
    let figures = measure(arguments)?;
    keep(&figures, &arguments.out)?;
    drop(fs::remove_file(begun(arguments)));
    println!("\n{}\n\n{}", figures.machine_line(), figures.markdown());
    println!("\nfigures as JSON: {}", arguments.out.display());
    let Some(baseline) = &baseline else { return Ok(ExitCode::SUCCESS) };
    let worse = figures.worse_than(baseline);
    for words in &worse {
        eprintln!("worse than the baseline: {words}");
    }
    if !worse.is_empty() {
        return Ok(ExitCode::FAILURE);
    }
    println!(
        "no figure became worse than the baseline by more than 15 %, and no goal is missed that was met"
    );
    Ok(ExitCode::SUCCESS)
}

fn keep(figures: &Figures, path: &Path) -> Result<()> {
    let json = serde_json::to_string_pretty(figures)?;
    fs::write(path, json + "\n").with_context(|| format!("failed to write `{}`", path.display()))
}

/// Where the figures are as long as some are to come: what was measured before something failed is not lost.
fn begun(arguments: &Arguments) -> PathBuf {
    arguments.out.with_extension("begun.json")
}

fn read(path: &Path) -> Result<Figures> {
    let text =
        fs::read_to_string(path).with_context(|| format!("failed to read `{}`", path.display()))?;
    Ok(serde_json::from_str(&text)?)
}

fn measure(arguments: &Arguments) -> Result<Figures> {
    let (product, rows) = (&arguments.product, arguments.rows);
    if arguments.wants(Case::Log) {
        log::prepare()?;
    }
    println!("filling a table of {rows} rows");
    let stage = Stage::set(product, rows)?;
    let mut figures =
        Figures { machine: machine::told(&stage, &arguments.command), figures: Vec::new() };
    let emulator = Emulator::start(&stage, &["--rate-limit", "off"])?;
    println!("linking its rows");
    let links = Links::of(&stage, &emulator)?;
    let kept = |figures: &Figures| keep(figures, &begun(arguments));
    if arguments.wants(Case::Unchanged) {
        unchanged(&stage, &emulator, &links, rows, &mut figures)?;
        kept(&figures)?;
    }
    drop(emulator);
    if arguments.wants(Case::Growth) {
        growth::measure(product, rows, &mut figures)?;
        kept(&figures)?;
    }
    if arguments.wants(Case::Sweep) {
        let emulator = Emulator::start(&stage, &["--rate-limit", "off"])?;
        sweep::measure(&stage, &emulator, &links, rows, &mut figures)?;
        kept(&figures)?;
    }
    // What changes rows comes last: the links are of the table as it was filled.
    if arguments.wants(Case::Changes) {
        changes::measure(&stage, &links, rows, &mut figures)?;
        kept(&figures)?;
    }
    if arguments.wants(Case::Load) {
        load::measure(&stage, rows, &mut figures)?;
        kept(&figures)?;
    }
    if arguments.wants(Case::Log) {
        log::measure(product, rows, &mut figures)?;
        kept(&figures)?;
    }
    if arguments.wants(Case::Days) {
        typical::measure(product, &mut figures)?;
        kept(&figures)?;
    }
    if arguments.wants(Case::FirstLoad) {
        first_load::measure(&stage, rows, &mut figures)?;
        kept(&figures)?;
    }
    if arguments.wants(Case::Waits) {
        println!("two cases that wait in real time, side by side: neither needs the processor");
        let (limited, recovered) = std::thread::scope(|scope| {
            let limited = scope.spawn(|| real_limit::measure(&stage));
            let recovered = recovery::measure(&stage);
            (limited.join(), recovered)
        });
        let limited = limited.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        limited.into_iter().chain(recovered?).for_each(|figure| figures.add(figure));
    }
    Ok(figures)
}

fn unchanged(
    stage: &Stage,
    emulator: &Emulator,
    links: &Links,
    rows: u64,
    figures: &mut Figures,
) -> Result<()> {
    for mode in [Mode::Table, Mode::Query, Mode::Scattered] {
        if mode == Mode::Scattered && rows > Stage::USUAL_ROWS_MAX {
            // Ten million links in no order take longer to write than all else to measure.
            continue;
        }
        let others;
        let links = if mode == Mode::Scattered {
            others = Links::of_mode(stage, emulator, mode)?;
            &others
        } else {
            links
        };
        let (known, import) = links.state(stage, emulator, mode)?;
        if mode == Mode::Table {
            state::size(&known, import.seconds, rows, figures)?;
            start_up::measure(stage, emulator, &known, figures)?;
        }
        unchanged::measure(stage, emulator, mode, &known, rows, figures)?;
        fs::remove_file(&known)?;
    }
    Ok(())
}
