//! `rctl drill`: load, a fault, the recovery, and a report of one screen.
//!
//! On one machine a plain kill loses nothing, because the kernel delivers what is under way: so links are delayed first,
//! and what is on them dies with the master, as with a machine. The report says so.

#![expect(clippy::disallowed_methods, reason = "this does things and measures how long they take")]

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::breaking::{mend, snap};
use super::drill_report::{Answer, Drill, Resync, paint};
use super::interrupt::Interrupts;
use super::load::{master, run_name};
use super::promote::one;
use super::set::{self, Running};
use super::status::json;
use super::{Ctx, Outcome, down, exec, life, promote};
use crate::cli::{DownArgs, DrillArgs, ExecArgs, KillArgs, Pick, PromoteArgs, StartArgs};
use crate::error::{Error, Exit, Result};
use crate::fault::{Effect, Healing, Link};
use crate::proof::writer::{Style, Writer, sweep};
use crate::render::console::Console;
use crate::render::progress::Progress;

/// How long each step of the recovery may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks at the nodes.
const PAUSE: Duration = Duration::from_millis(5);

/// Drills the running set, or a set of its own for each engine.
///
/// # Errors
/// No set runs (3), a node cannot be promoted (7), the set does not recover (6). Acknowledged writes that were lost are
/// no error but an exit of 12.
pub async fn run(ctx: &Ctx, args: &DrillArgs) -> Result<Outcome> {
    let mut drills = Vec::new();
    if args.engines.is_empty() {
        drills.push(drill(ctx, args, &mut set::running(ctx, &[]).await?, None).await?);
    }
    for engine in &args.engines {
        drills.push(match apart(ctx, args, engine).await {
            Ok(drill) => drill,
            // The other engines can still be drilled.
            Err(error) if args.engines.len() > 1 => Drill::failed(engine, &error),
            Err(error) => return Err(error),
        });
    }
    let exit = match drills.iter().any(|drill| drill.verdict.lost > 0) {
        true => Exit::Differs,
        false if drills.iter().all(|drill| drill.problem.is_some()) => Exit::Environment,
        false => Exit::Done,
    };
    let text = match args.json {
        true => json(&Answer { schema: "rctl.drill/1", drills: &drills })?,
        false => paint(&drills),
    };
    Ok(Outcome { text, exit })
}

/// On a set of its own, in a state directory of its own, which is removed afterwards.
async fn apart(ctx: &Ctx, args: &DrillArgs, engine: &str) -> Result<Drill> {
    let state = exec::Private::new()?;
    let own = Ctx { state_root: state.path().to_owned(), topology: None, ..quiet(ctx) };
    let wanted = ExecArgs {
        file: None,
        replicas: Some(2),
        engine: Some(engine.to_owned()),
        timeout: PATIENCE,
        command: Vec::new(),
        direct: false,
    };
    let outcome = match exec::bring_up(&own, &wanted).await {
        Ok(mut set) => drill(ctx, args, &mut set, Some(&own)).await,
        Err(error) => Err(error),
    };
    let gone = down::run(&own, &DownArgs { purge: true }).await;
    let outcome = outcome.map(|drill| Drill { engine: engine.to_owned(), ..drill })?;
    gone.map(|_| outcome)
}

/// The same surroundings, without a word: the verbs within a drill are steps of it.
fn quiet(ctx: &Ctx) -> Ctx {
    Ctx {
        state_root: ctx.state_root.clone(),
        topology: ctx.topology.clone(),
        painter: ctx.painter,
        console: Rc::new(Console::new(Box::new(std::io::sink()), Box::new(std::io::sink()), true)),
        show_commands: false,
        timeouts: ctx.timeouts,
    }
}

/// One drill on a running set. `own` are the surroundings of a set that is not the caller's.
async fn drill(ctx: &Ctx, args: &DrillArgs, set: &mut Running, own: Option<&Ctx>) -> Result<Drill> {
    let steps = match own {
        Some(own) => quiet(own),
        None => quiet(ctx).on(&set.topology().name),
    };
    let old = master(set).await?;
    let victim = match args.kill.as_str() {
        "master" | "primary" => old,
        word => one(set, word).await?,
    };
    let engine = super::look::report(set.topology(), Some(&set.facts)).await.engine;
    let mut progress = Progress::new(ctx.painter, &ctx.console, [(0, format!("drill {engine}"))]);
    let mut drill = Drill { engine, killed: victim, wait: args.wait, ..Drill::default() };
    drill.pick = if args.pick == Pick::Best { "best" } else { "worst" };
    let before = set.facts.faults.clone();
    let run = run_name();
    let mut interrupts = Interrupts::watch()?;
    let outcome = tokio::select! {
        outcome = under_load(args, set, &steps, (old, &run), &mut drill, &mut progress) => outcome,
        () = interrupts.next() => Err(Error::new(Exit::Unexpected, "interrupted").hint("rctl start down")),
    };
    // Whatever came of it, links are as they were.
    for fault in set.refresh().await?.faults.clone() {
        if !before.contains(&fault) {
            mend(set, Healing::Fault { id: fault.id }).await?;
        }
    }
    if outcome.is_err() {
        sweep(&set.places(), &run).await;
    }
    progress.clear();
    outcome.map(|()| drill)
}

async fn under_load(
    args: &DrillArgs,
    set: &mut Running,
    steps: &Ctx,
    (old, run): (u16, &str),
    drill: &mut Drill,
    progress: &mut Progress,
) -> Result<()> {
    delay(set, args, old, drill).await?;
    progress.step(0, &drill.delayed(), false);
    let style = Style {
        rate: Some(args.rate),
        clients: args.clients,
        waiting: args.clients / 2,
        replicas: args.wait,
    };
    let writer = Writer::start(set.places(), old, run, style);
    progress.step(0, &format!("{} clients write to {old}", args.clients), false);
    tokio::time::sleep(args.duration).await;
    // A drill in which nothing was confirmed would prove nothing.
    writer
        .until(PATIENCE, |ledger| {
            ledger.count_since(0).0 > 0 && (args.wait == 0 || ledger.confirmed_count() > 0)
        })
        .await;
    let marks = logs(set);
    let killed_us = writer.now_us();
    life::kill(steps, &KillArgs { selectors: vec![drill.killed.to_string()], signal: "KILL".into() }).await?;
    progress.step(0, &format!("{} killed by SIGKILL", drill.killed), false);
    if drill.killed == old {
        let heir = heir(set, old, args.pick).await?;
        let args = PromoteArgs {
            node: heir.to_string(),
            dry_run: false,
            allow_data_loss: args.pick == Pick::Worst,
            timeout: PATIENCE,
        };
        promote::run(steps, &args).await?;
        drill.promoted = Some(heir);
        progress.step(0, &format!("{heir} promoted"), false);
    }
    let again = writer.until(PATIENCE, |ledger| ledger.count_since(killed_us).1 > 0).await;
    if !again {
        return Err(Error::new(Exit::TimedOut, "nobody could write again").hint("rctl status"));
    }
    progress.step(0, "writes go on", false);
    life::start(
        steps,
        &StartArgs { selectors: vec![drill.killed.to_string()], timeout: PATIENCE, allow_data_loss: false },
    )
    .await?;
    tokio::time::sleep(args.duration).await;
    recovered(set).await?;
    progress.step(0, "every node follows", false);
    let end_us = writer.now_us();
    let (verdict, ledger) = writer.finish(PATIENCE).await?;
    drill.outage_ms = ledger.longest_gap(killed_us.saturating_sub(1_000_000), end_us) / 1000;
    drill.verdict = verdict;
    drill.resyncs = resyncs(set, &marks);
    progress.step(0, "done", true);
    Ok(())
}

/// Delays the links of the master's replicas, each more than the one before, so that they differ.
async fn delay(set: &mut Running, args: &DrillArgs, master: u16, drill: &mut Drill) -> Result<()> {
    let step = u64::try_from(args.delay.as_millis()).unwrap_or(u64::MAX);
    if step == 0 {
        return Ok(());
    }
    let mut replicas = Vec::new();
    for node in &set.topology().nodes {
        let upstream = set.observe(node.port).await.and_then(|seen| seen.link).map(|link| link.port);
        replicas.extend(Link::between(node.port, master).filter(|_| upstream == Some(master)));
    }
    for (nth, link) in replicas.into_iter().enumerate() {
        let ms = step.saturating_mul(3 * nth as u64 + 1).min(3_600_000);
        match snap(set, Effect::Delay { ms }, vec![link]).await {
            Ok(()) => drill.delays.push((link.to_string(), ms)),
            Err(error) if error.exit == Exit::Refused => {
                drill.not_delayed = Some(error.what);
                return Ok(());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Of the replicas of the dead master, the one that has most or least.
async fn heir(set: &Running, old: u16, pick: Pick) -> Result<u16> {
    let mut found: Vec<(u64, u16)> = Vec::new();
    for node in set.topology().nodes.iter().filter(|node| node.port != old) {
        if let Some(seen) = set.observe(node.port).await.filter(|seen| seen.is_replica) {
            found.push((seen.offset.unwrap_or(0), node.port));
        }
    }
    found.sort_unstable();
    let chosen = if pick == Pick::Best { found.last() } else { found.first() };
    chosen.map(|(_, port)| *port).ok_or_else(|| {
        Error::new(Exit::Refused, format!("{old} has no replica to promote")).hint("rctl status")
    })
}

/// Waits until every node is writable or in sync.
async fn recovered(set: &mut Running) -> Result<()> {
    let began = Instant::now();
    loop {
        set.refresh().await?;
        let report = super::look::report(set.topology(), Some(&set.facts)).await;
        if report.ok {
            return Ok(());
        }
        if began.elapsed() > PATIENCE {
            let sick = report.nodes.iter().filter(|node| !node.state.is_well());
            let sick: Vec<String> =
                sick.map(|node| format!("{} is {}", node.port, node.state.word())).collect();
            return Err(Error::new(Exit::TimedOut, format!("the set did not recover: {}", sick.join(", ")))
                .hint("rctl status"));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Where each node's log ends now.
fn logs(set: &Running) -> Vec<(u16, u64)> {
    let end = |port| std::fs::metadata(set.dir.node(port).log()).map_or(0, |log| log.len());
    set.topology().nodes.iter().map(|node| (node.port, end(node.port))).collect()
}

/// How each node came back, by what it wrote in its log.
fn resyncs(set: &Running, marks: &[(u16, u64)]) -> Vec<Resync> {
    let since = |port: u16, from: u64| {
        let bytes = std::fs::read(set.dir.node(port).log()).unwrap_or_default();
        let tail = bytes.get(usize::try_from(from).unwrap_or(usize::MAX)..).unwrap_or_default();
        String::from_utf8_lossy(tail).into_owned()
    };
    let refusals: Vec<String> =
        marks.iter().flat_map(|(port, from)| refusals(&since(*port, *from))).collect();
    marks
        .iter()
        .filter_map(|(port, from)| {
            let text = since(*port, *from);
            let kind = if text.contains("Full resync from master") {
                "full"
            } else if text.contains("Successful partial resynchronization") {
                "partial"
            } else {
                return None;
            };
            let mine = |line: &&String| line.contains(&format!(":{port}"));
            let why = refusals.iter().find(mine).or(refusals.first()).filter(|_| kind == "full").cloned();
            Some(Resync { node: *port, kind, why })
        })
        .collect()
}

/// Why partial resyncs were not possible, in the words of the master's log.
fn refusals(text: &str) -> Vec<String> {
    let marks = [
        "Partial resynchronization not accepted: ",
        "Unable to partial resync with replica ",
        "Full resync: ",
    ];
    let told = |line: &str| -> Option<String> {
        let at = marks.iter().find_map(|mark| line.find(mark))?;
        Some(line.get(at..)?.chars().take(160).collect())
    };
    text.lines().filter_map(told).collect()
}
