//! Sets and hashes where transcripts do not reach: large ones, draws, and what is told of them.

use std::collections::BTreeSet;

use super::Bench;
use crate::command::effects::Events;
use crate::data::{Limits, Rng};

/// Limits so low that a few members already are many.
fn bench() -> Bench {
    let mut bench = Bench::new();
    bench.settings.limits = Limits { set_ints: 16, set_entries: 8, hash_entries: 8, ..Limits::default() };
    bench
}

/// The bulk strings of a reply or of an encoded command.
fn texts(reply: &str) -> Vec<String> {
    let mut lines = reply.split('~');
    let mut texts = Vec::new();
    while let Some(line) = lines.next() {
        if line.starts_with('$') && line != "$-1" {
            texts.extend(lines.next().map(str::to_owned));
        }
    }
    texts
}

fn members(bench: &mut Bench, key: &str) -> BTreeSet<String> {
    texts(&bench.run(&format!("SMEMBERS {key}"))).into_iter().collect()
}

/// What the last command told listeners.
fn events(bench: &Bench) -> Vec<String> {
    bench
        .effects
        .events()
        .map(|(event, key)| format!("{} {}", event.name, String::from_utf8_lossy(key)))
        .collect()
}

#[test]
fn sets_taken_together_are_what_sets_of_the_language_are() {
    let mut rng = Rng::new(11);
    for round in 0..60 {
        let mut bench = bench();
        let mut models = Vec::new();
        for key in ["a", "b", "c"] {
            // From missing to large, of few different members or of many, integers only or not.
            let (size, span) =
                ([0, 3, 12, 40, 300][rng.below(5) as usize], [15, 60, 400][rng.below(3) as usize]);
            let prefix = if rng.below(2) == 0 { "" } else { "m" };
            let model: BTreeSet<String> = (0..size).map(|_| format!("{prefix}{}", rng.below(span))).collect();
            for member in &model {
                bench.run(&format!("SADD {key} {member}"));
            }
            models.push(model);
        }
        let [a, b, c] = &models[..] else { unreachable!("three were made") };
        let inter: BTreeSet<String> =
            a.iter().filter(|it| b.contains(*it) && c.contains(*it)).cloned().collect();
        let union: BTreeSet<String> = a.iter().chain(b).chain(c).cloned().collect();
        let diff: BTreeSet<String> =
            a.iter().filter(|it| !b.contains(*it) && !c.contains(*it)).cloned().collect();
        for (name, wanted) in [("SINTER", &inter), ("SUNION", &union), ("SDIFF", &diff)] {
            let given = texts(&bench.run(&format!("{name} a b c")));
            assert_eq!(given.len(), wanted.len(), "{name} in round {round}");
            assert_eq!(&given.into_iter().collect::<BTreeSet<_>>(), wanted, "{name} in round {round}");
            assert_eq!(bench.run(&format!("{name}STORE d a b c")), format!(":{}~", wanted.len()));
            assert_eq!(&members(&mut bench, "d"), wanted);
            // Into one of the sources.
            assert!(bench.run(&format!("{name}STORE d d b c")).starts_with(":"));
        }
        let limit = 1 + rng.below(20);
        let wanted = inter.len().min(usize::try_from(limit).unwrap());
        assert_eq!(bench.run(&format!("SINTERCARD 3 a b c LIMIT {limit}")), format!(":{wanted}~"));
        assert_eq!(members(&mut bench, "a"), *a);
    }
}

#[test]
fn what_spop_takes_out_is_taken_out_by_its_effects_elsewhere() {
    let (mut here, mut there) = (bench(), bench());
    let mut replicate = |here: &mut Bench, line: &str| {
        let reply = here.run(line);
        for effect in here.effects() {
            there.run(&if effect == "sent" { line.to_owned() } else { texts(&effect).join(" ") });
        }
        assert_eq!(here.keyspace.digest(), there.keyspace.digest(), "after {line}");
        texts(&reply)
    };
    for first in (0..5000).step_by(100) {
        let more: Vec<String> = (first..first + 100).map(|number| format!("m{number}")).collect();
        replicate(&mut here, &format!("SADD s {}", more.join(" ")));
    }
    let mut popped = BTreeSet::new();
    for line in ["SPOP s", "SPOP s 10", "SPOP s 2500", "SPOP s 2480", "SPOP s 3", "SPOP s", "SPOP s 100"] {
        for member in replicate(&mut here, line) {
            assert!(popped.insert(member));
        }
    }
    assert_eq!((popped.len(), here.run("EXISTS s")), (5000, ":0~".to_owned()));
}

#[test]
fn a_pop_of_many_is_told_in_batches_and_counted() {
    let mut bench = bench();
    for number in 0..3000 {
        bench.run(&format!("SADD s {number}"));
    }
    bench.run("SPOP s 2100");
    let sizes: Vec<usize> = bench.effects().iter().map(|effect| texts(effect).len() - 2).collect();
    assert_eq!((sizes, bench.effects.changes()), (vec![1024, 1024, 52], 2100));
}

#[test]
fn every_member_is_drawn_equally_often() {
    for (members, command) in [
        (10, "SRANDMEMBER s"),
        (200, "SRANDMEMBER s -10"),
        (200, "SRANDMEMBER s 10"),
        (200, "HRANDFIELD h 150"),
        (5, "HRANDFIELD h -1"),
    ] {
        let mut bench = bench();
        for number in 0..members {
            bench.run(&format!("SADD s m{number}"));
            bench.run(&format!("HSET h m{number} v"));
        }
        let mut drawn = std::collections::BTreeMap::new();
        let rounds = 3000;
        let mut total = 0.0;
        for _ in 0..rounds {
            for member in texts(&bench.run(command)) {
                *drawn.entry(member).or_insert(0_u32) += 1;
                total += 1.0;
            }
        }
        let fair = total / f64::from(members);
        assert_eq!(drawn.len(), usize::try_from(members).unwrap());
        for (member, times) in drawn {
            assert!(
                (f64::from(times) - fair).abs() < 5.0 * f64::sqrt(fair),
                "{command}: {member} {times} times, not {fair}"
            );
        }
    }
}

#[test]
fn listeners_are_told_what_happened_and_nothing_else() {
    let mut bench = bench();
    bench.settings.notify = Events::parse("KEA");
    for (line, told) in [
        ("SADD s a b c", &["sadd s"][..]),
        ("SADD s a", &[]),
        ("SREM s x", &[]),
        ("SREM s a", &["srem s"]),
        ("SMOVE s t b", &["srem s", "sadd t"]),
        ("SADD u b", &["sadd u"]),
        ("SMOVE u t b", &["srem u", "del u"]),
        ("SPOP s", &["spop s", "del s"]),
        ("SADD s a b c", &["sadd s"]),
        ("SPOP s 2", &["spop s"]),
        ("SPOP s 1", &["spop s", "del s"]),
        ("SPOP s", &[]),
        ("SADD s a b", &["sadd s"]),
        ("SREM s a b", &["srem s", "del s"]),
        ("SADD s a b", &["sadd s"]),
        ("SINTERSTORE d s", &["sinterstore d"]),
        ("SUNIONSTORE d s", &["sunionstore d"]),
        ("SDIFFSTORE d s", &["sdiffstore d"]),
        ("SDIFFSTORE d s s", &["del d"]),
        ("SDIFFSTORE d s s", &[]),
        ("HSET h f 1 g 2", &["hset h"]),
        ("HSETNX h f 1", &[]),
        ("HSETNX h i 1", &["hset h"]),
        ("HINCRBY h f 1", &["hincrby h"]),
        ("HINCRBYFLOAT h f 1", &["hincrbyfloat h"]),
        ("HINCRBY h f x", &[]),
        ("HDEL h x", &[]),
        ("HDEL h f", &["hdel h"]),
        ("HDEL h g i", &["hdel h", "del h"]),
    ] {
        bench.run(line);
        let events: Vec<String> =
            events(&bench).into_iter().filter(|event| !event.starts_with("new ")).collect();
        assert_eq!(events, told, "{line}");
    }
}

#[test]
fn a_set_past_its_deadline_is_no_set_any_more() {
    let mut bench = bench();
    for line in ["SADD s a b", "SADD t b", "HSET h f 1", "PEXPIRE s 10", "PEXPIRE h 10"] {
        bench.run(line);
    }
    bench.now_ms += 10;
    assert_eq!(bench.run("SUNION s t"), "*1~$1~b~");
    assert_eq!(bench.effects(), ["*2~$6~UNLINK~$1~s~"]);
    assert_eq!(bench.run("HINCRBY h f 1"), ":1~");
    assert_eq!(bench.effects(), ["*2~$6~UNLINK~$1~h~", "sent"]);
}
