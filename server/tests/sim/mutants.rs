//! Every mistake that can be made on purpose is noticed, at the seed that `mutants.txt` records beside its name.
//!
//! `cargo test -p rctl-server --features mutants --test sim`. With `SIM_SEARCH=100000` the first seed of each that notices
//! is looked for, and printed as the lines of that file.

use rctl_server::mutant::{Mutant, choose};
use rctl_server::sim::Campaign;

fn noticed(mutant: Mutant, seed: u64) -> Option<String> {
    choose(Some(mutant));
    let broken = Campaign::new(seed, false).run().broken;
    choose(None);
    broken
}

fn recorded(mutant: Mutant) -> Option<u64> {
    let name = format!("{mutant:?}");
    include_str!("mutants.txt").lines().find_map(|line| {
        let mut words = line.split_whitespace();
        (words.next()? == name).then(|| words.next()?.parse().ok())?
    })
}

#[test]
fn every_planted_mistake_is_noticed_at_its_seed() {
    let search = super::number("SIM_SEARCH");
    let mut missed = Vec::new();
    for mutant in Mutant::ALL {
        let seed = match search {
            Some(most) => (0..most).find(|&seed| noticed(mutant, seed).is_some()),
            None => recorded(mutant),
        };
        match seed.and_then(|seed| Some((seed, noticed(mutant, seed)?))) {
            Some((seed, law)) => println!("{:<22} {seed:<7} {law}", format!("{mutant:?}")),
            None => missed.push(mutant),
        }
    }
    assert!(missed.is_empty(), "not noticed: {missed:?}");
}

#[test]
fn nothing_is_broken_where_no_mistake_is_made() {
    for mutant in Mutant::ALL {
        if let Some(seed) = recorded(mutant) {
            assert_eq!(Campaign::new(seed, false).run().broken, None, "{mutant:?}, seed {seed}");
        }
    }
}
