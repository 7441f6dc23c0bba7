//! `cargo x sim`: lives through simulated worlds, and shows one that goes wrong in as few steps as possible.
#![expect(clippy::print_stdout, reason = "a command for people")]

use std::{fs, path::Path, process::ExitCode, time::Duration};

use sync_core::mutation::{self, Mutation};
use sync_sim::{
    draw::{ALL_KINDS_FROM, draw},
    hunt::{Bag, Ground, hunt},
    life::{Failure, live},
    plan::Plan,
    recorded::{BY_TRACE, RECORDED},
    shrink::shrink,
};

const HELP: &str = "\
cargo x sim                   lives through worlds for a minute, from seed 0
  --minutes M                 for so many minutes
  --from N                    from another seed
  --theme NAME                only worlds about this (Back, Doubt, Late, OldState, Refused, Marks, Moves, Gone, Slow,
                              Log, Crowd, Meeting, Sending, Copies, Redefined, Pace, Followed)
  --threads T                 on so many threads; else one for each processor
  --coverage                  prints what struck when, in Markdown
cargo x sim --seed N          lives through one world and tells its story
  --whole                     without leaving out what is not needed
  --mutation NAME             with a mistake built in
cargo x sim --mutations       seeks a world that catches each mistake, at most 2,000 for each, from seed 50000
cargo x sim --record          the same, and notes for the tests which worlds those are";

/// Worlds that a mutation may take.
const BAR: u64 = 2_000;
/// Worlds that are noted for each: the program changes, and with it what happens in a world.
const NOTED: usize = 3;
/// Where they are noted.
const RECORDED_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/recorded.rs");

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let text = |flag: &str| {
        let after = arguments.iter().skip_while(|argument| *argument != flag).nth(1);
        after.map(String::as_str)
    };
    let number = |flag: &str| text(flag).and_then(|value| value.parse::<u64>().ok());
    if has("--help") {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let chosen = text("--mutation")
        .map(|name| Mutation::ALL.iter().copied().find(|mutation| format!("{mutation:?}") == name));
    if chosen == Some(None) {
        println!("there is no such mutation; there are:");
        for mutation in Mutation::ALL {
            println!("  {mutation:?}: {}", mutation.does());
        }
        return ExitCode::FAILURE;
    }
    let mutation = chosen.flatten();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let seeks = has("--mutations") || has("--record");
    let first = number("--from").unwrap_or(if seeks { ALL_KINDS_FROM } else { 0 });
    let ground = Ground {
        seeds: first..u64::MAX,
        mutation,
        theme: text("--theme").map(str::to_owned),
        threads: number("--threads")
            .map_or(processors, |threads| usize::try_from(threads).unwrap_or(processors)),
        time: Duration::from_secs(60 * number("--minutes").unwrap_or(1)),
        failures_max: 3,
    };
    match number("--seed") {
        Some(seed) => one(seed, mutation, has("--whole")),
        None if has("--mutations") => mutations(&ground, None),
        None if has("--record") => mutations(&ground, Some(Path::new(RECORDED_IN))),
        None => many(&ground, has("--coverage")),
    }
}

/// Lives through one world.
fn one(seed: u64, mutation: Option<Mutation>, whole: bool) -> ExitCode {
    mutation::turn_on(mutation);
    let plan = draw(seed);
    match live(&plan) {
        Ok(tally) => {
            println!("{plan}\nseed {seed} holds\n{tally}");
            ExitCode::SUCCESS
        }
        Err(failure) if whole => {
            println!("{plan}\n{}\n{:?}", failure.story.join("\n"), failure.wrong);
            ExitCode::FAILURE
        }
        Err(failure) => {
            show(plan, *failure);
            ExitCode::FAILURE
        }
    }
}

/// Shows a world that goes wrong, whole and shortened.
fn show(plan: Plan, failure: Failure) {
    let seed = plan.seed;
    println!("seed {seed} goes wrong: {:?}: {}", failure.wrong.what, failure.wrong.text);
    let steps = plan.steps.len();
    let shrunk = shrink(plan, failure);
    println!("of {steps} steps, these suffice:\n{}", shrunk.plan);
    println!("{}", shrunk.failure.story.join("\n"));
    println!("{:?}: {}", shrunk.failure.wrong.what, shrunk.failure.wrong.text);
    println!("replay: cargo x sim --seed {seed}");
}

/// Lives through as many worlds as there is time for.
fn many(ground: &Ground, coverage: bool) -> ExitCode {
    let bag = hunt(ground);
    let next = ground.seeds.start + bag.worlds;
    for (seed, failure) in &bag.failures {
        mutation::turn_on(ground.mutation);
        show(draw(*seed), failure.clone());
    }
    if coverage {
        println!("{}", bag.tally);
    }
    let [rows, faults, deaths, calls] = bag.tally.medians();
    println!(
        "{} worlds, {} of them went wrong; seeds {} to {}; median of a world: {rows} rows, {faults} faults, {deaths} \
         deaths, {calls} calls; last runs took at most {} % of their bound",
        bag.worlds,
        bag.failures.len(),
        ground.seeds.start,
        next.saturating_sub(1),
        bag.tally.dearest
    );
    if bag.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Seeks worlds that catch each mutation, and notes them in a file.
fn mutations(ground: &Ground, record: Option<&Path>) -> ExitCode {
    let (mut missed, mut noted) = (0, String::new());
    println!("| rule | mutation | worlds needed | caught as |\n|---|---|--:|---|");
    let all = ground.mutation.map_or(Mutation::ALL.to_vec(), |one| vec![one]);
    for mutation in all {
        if BY_TRACE.contains(&mutation) {
            let (rule, does) = (mutation.rule(), mutation.does());
            println!("| {rule} | `{mutation:?}`: {does} | trace | |");
            continue;
        }
        let first = ground.seeds.start;
        let bag = hunt(&Ground {
            seeds: first..first + BAR,
            mutation: Some(mutation),
            failures_max: if record.is_some() { NOTED } else { 1 },
            time: Duration::MAX,
            ..ground.clone()
        });
        let (rule, does) = (mutation.rule(), mutation.does());
        noted.push_str(&line_of(mutation, &bag));
        match bag.failures.first() {
            Some((seed, failure)) => println!(
                "| {rule} | `{mutation:?}`: {does} | {} | {:?} |",
                seed - first + 1,
                failure.wrong.what
            ),
            None => {
                missed += 1;
                println!("| {rule} | `{mutation:?}`: {does} | not in {BAR} | |");
            }
        }
    }
    println!("{missed} not caught");
    if let Some(path) = record
        && let Err(error) = note(path, &noted)
    {
        println!("`{}`: {error}", path.display());
        return ExitCode::FAILURE;
    }
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The worlds that catch a mutation as they are noted; where none was found, those that are noted already.
fn line_of(mutation: Mutation, bag: &Bag) -> String {
    let found = bag.failures.iter().map(|(seed, failure)| (*seed, failure.wrong.what));
    let mut seeds: Vec<_> = found.take(NOTED).collect();
    if let (true, Some((_, known))) =
        (seeds.is_empty(), RECORDED.iter().find(|(known, _)| *known == mutation))
    {
        seeds = known.to_vec();
    }
    let seeds: Vec<String> =
        seeds.iter().map(|(seed, what)| format!("({seed}, What::{what:?})")).collect();
    format!("    (Mutation::{mutation:?}, &[{}]),\n", seeds.join(", "))
}

/// Writes the noted worlds in place of those that the file has.
fn note(path: &Path, noted: &str) -> std::io::Result<()> {
    let old = fs::read_to_string(path)?;
    let head = old.split_inclusive('\n').take_while(|line| !line.starts_with("    ("));
    let head: String = head.filter(|line| !line.starts_with("];")).collect();
    fs::write(path, format!("{head}{noted}];\n"))
}
