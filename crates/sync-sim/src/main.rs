//! `cargo x sim`: lives through worlds and prints the seed of one that goes wrong.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a command for people, in real time"
)]

use std::{process::ExitCode, time::Duration, time::Instant};

use sync_sim::random::live;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |flag: &str| {
        let value = arguments.iter().skip_while(|argument| *argument != flag).nth(1)?;
        value.parse::<u64>().ok()
    };
    if let Some(seed) = number("--seed") {
        return report(seed);
    }
    let first = number("--from").unwrap_or(0);
    let time = Duration::from_secs(60 * number("--minutes").unwrap_or(1));
    let began = Instant::now();
    let mut lived = 0;
    let mut failed = Vec::new();
    for seed in first.. {
        if began.elapsed() >= time || failed.len() >= 5 {
            break;
        }
        if live(seed).is_err() {
            println!("seed {seed} goes wrong");
            failed.push(seed);
        }
        lived += 1;
    }
    println!("{lived} worlds, {} went wrong: {failed:?}", failed.len());
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn report(seed: u64) -> ExitCode {
    match live(seed) {
        Ok(tally) => {
            println!("seed {seed} holds: {tally:#?}");
            ExitCode::SUCCESS
        }
        Err(story) => {
            println!("seed {seed} goes wrong: {story}");
            ExitCode::FAILURE
        }
    }
}
