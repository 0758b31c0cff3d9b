//! The seeded campaign over [`rctl_server::sim`].
//!
//! ```text
//! cargo test -p rctl-server --test sim                                            a few hundred schedules
//! SIM_SCHEDULES=20000 cargo test --release -p rctl-server --test sim              many
//! SIM_FROM=5000000 SIM_SCHEDULES=100000 cargo test --release …                    others
//! SIM_SEED=17 cargo test -p rctl-server --test sim one_seed -- --nocapture        one, told in full
//! ```
//!
//! `corpus.txt` holds the seeds that once found something; they run first.

#[cfg(feature = "mutants")]
mod mutants;

use rctl_server::sim::{Campaign, Outcome};
use std::time::Instant;

/// Schedules of a plain `cargo test`.
const SCHEDULES: u64 = 300;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn corpus() -> impl Iterator<Item = u64> {
    include_str!("corpus.txt").lines().filter_map(|line| line.split_whitespace().next()?.parse().ok())
}

/// The end of the story of a seed whose run broke a law, and how to see all of it.
fn report(seed: u64, outcome: &Outcome) -> String {
    let told = Campaign::new(seed, true).run();
    let lines: Vec<String> = told.story.iter().map(|(ms, line)| format!("  {ms:>8} ms  {line}")).collect();
    let tail = lines.get(lines.len().saturating_sub(60)..).unwrap_or_default().join("\n");
    format!(
        "seed {seed} broke a law: {}\nits options: {}\nthe last events:\n{tail}\nreplay: SIM_SEED={seed} cargo test -p rctl-server --test sim one_seed -- --nocapture",
        outcome.broken.clone().unwrap_or_default(),
        outcome.odds,
    )
}

#[test]
fn every_law_holds_under_every_schedule() {
    let schedules = number("SIM_SCHEDULES").unwrap_or(SCHEDULES);
    let from = number("SIM_FROM").unwrap_or(0);
    let most = number("SIM_FAILURES").unwrap_or(1);
    #[expect(
        clippy::disallowed_methods,
        reason = "how fast the machine is, for people; no run depends on it"
    )]
    let begun = Instant::now();
    let (mut ran, mut steps, mut partial, mut full, mut commands) = (0u32, 0, 0, 0, 0);
    let mut failures = Vec::new();
    for seed in corpus().chain(from..from + schedules) {
        let outcome = Campaign::new(seed, false).run();
        ran += 1;
        steps += outcome.steps;
        partial += outcome.partial;
        full += outcome.full;
        commands += outcome.commands;
        if outcome.broken.is_some() {
            failures.push((seed, outcome));
            if failures.len() as u64 >= most {
                break;
            }
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    let rate = f64::from(ran) / seconds;
    println!(
        "{ran} schedules in {seconds:.1} s ({rate:.0} a second): {steps} steps, {commands} commands, {partial} continuations, {full} full resyncs"
    );
    for (seed, outcome) in &failures {
        println!("seed {seed}: {}", outcome.broken.clone().unwrap_or_default());
    }
    if let Some((seed, outcome)) = failures.first() {
        panic!("{}", report(*seed, outcome));
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in 0..20 {
        let first = Campaign::new(seed, false).run();
        let again = Campaign::new(seed, true).run();
        assert_eq!(
            (first.hash, first.steps, first.time_ms),
            (again.hash, again.steps, again.time_ms),
            "seed {seed}"
        );
        assert_ne!(first.hash, Campaign::new(seed + 1, false).run().hash, "seed {seed} and the next");
    }
}

/// `SIM_SEED` says which; without it there is nothing to tell.
#[test]
fn one_seed_told_in_full() {
    let Some(seed) = number("SIM_SEED") else { return };
    let outcome = Campaign::new(seed, true).run();
    println!("options: {}", outcome.odds);
    for (ms, line) in &outcome.story {
        println!("{ms:>8} ms  {line}");
    }
    if std::env::var_os("SIM_LOG").is_some() {
        for (ms, line) in &outcome.log {
            println!("{ms:>8} log {line}");
        }
    }
    println!("{} steps, hash {:016x}", outcome.steps, outcome.hash);
    assert_eq!(outcome.broken, None, "seed {seed}");
}
