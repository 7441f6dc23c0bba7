//! Every input of the corpora, and spoilt copies of them, on every test run.
#![cfg(test)]

use std::{collections::BTreeSet, fs, path::PathBuf};

use fuzz_targets::TARGETS;
use rand::{Rng, SeedableRng, rngs::SmallRng};

/// Spoilt copies of each input.
const SPOILT: usize = 40;

fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut paths: Vec<PathBuf> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// Cuts, repeats and changes parts of an input.
fn spoil(input: &[u8], chance: &mut SmallRng) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..chance.random_range(1..4) {
        if bytes.is_empty() {
            bytes.push(chance.random());
        }
        let at = chance.random_range(0..bytes.len());
        let to = chance.random_range(at..bytes.len().min(at + 40));
        match chance.random_range(0..5_u8) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, chance.random()),
            2 => drop(bytes.drain(at..to)),
            3 => drop(bytes.splice(at..to, [chance.random()])),
            _ => {
                let part: Vec<u8> = bytes.iter().copied().skip(at).take(to - at).collect();
                drop(bytes.splice(at..at, part));
            }
        }
    }
    bytes
}

#[test]
fn every_target_has_a_main_and_inputs() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let manifest = fs::read_to_string(root.join("fuzz/Cargo.toml")).unwrap();
    for (name, _) in TARGETS {
        assert!(corpus(name).len() >= 3, "{name} has inputs to begin with");
        let main = fs::read_to_string(root.join(format!("fuzz/fuzz_targets/{name}.rs"))).unwrap();
        assert!(main.contains(&format!("fuzz_targets::{name}::run")), "{name} calls its target");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is built");
    }
    let corpora: BTreeSet<String> =
        fs::read_dir(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
    assert_eq!(corpora, TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect());
}

#[test]
fn no_input_that_was_kept_makes_a_target_panic() {
    let mut chance = SmallRng::seed_from_u64(1);
    for (name, run) in TARGETS {
        for (path, input) in corpus(name) {
            let mut inputs = vec![input.clone()];
            inputs.extend((0..SPOILT).map(|_| spoil(&input, &mut chance)));
            for input in inputs {
                let outcome = std::panic::catch_unwind(|| run(&input));
                assert!(
                    outcome.is_ok(),
                    "{name} panics on an input made of {}: {}",
                    path.display(),
                    String::from_utf8_lossy(&input)
                );
            }
        }
    }
}
