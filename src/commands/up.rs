//! `rctl up`: converge to the file, and wait until replication is really up.
//!
//! It starts what is down, adds what is new and leaves what runs. Interrupted or failed, it takes back what this
//! very call started, and nothing else.

#![expect(clippy::disallowed_methods, reason = "this does things and measures how long they take")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use super::interrupt::Interrupts;
use super::ready::{Stage, Watcher};
use super::select::label;
use super::sentinels::Vigilance;
use super::set::{self, Running};
use super::{Ctx, Outcome, clash, trouble};
use crate::cli::{OutputFormat, UpArgs, WantedArgs};
use crate::error::{Error, Exit, Result};
use crate::node::engine;
use crate::plan::diff::{Diff, Present};
use crate::plan::{Plan, ports};
use crate::render::progress::Progress;
use crate::supervise::facts::SetFacts;
use crate::supervise::request::Request;
use crate::supervise::runtime;
use crate::supervise::state_dir::{Lock, SetDir};
use crate::topology::{self, Topology};

/// Between two looks at the nodes.
const PAUSE: Duration = Duration::from_millis(2);
/// How long the way back may take before it is given up.
const ROLLBACK: Duration = Duration::from_secs(25);

/// Brings the set up.
///
/// # Errors
/// Everything the exit codes tell: an invalid file (4), a port or an engine (5), the timeout (6), the guard (7).
pub async fn run(ctx: &Ctx, args: &UpArgs) -> Result<Outcome> {
    let topology = wanted(ctx, &args.wanted)?;
    let dir = SetDir::of(&ctx.state_root, &topology);
    one_of_a_name(ctx, &dir, &topology.name)?;
    let path = std::env::var_os("PATH");
    let plan = Plan::new(topology, dir.path(), path.as_deref())?;
    super::limits::enough_for(plan.nodes.len() + plan.sentinels.len())?;
    let mut interrupts = Interrupts::watch()?;
    dir.create()?;
    let own = if args.foreground { Some(supervise_here(&dir).await?) } else { None };
    let mut set = Running::reach(dir.clone()).await?;
    let mut up = Up::new(ctx, args, &plan.topology, &set);
    let outcome = tokio::select! {
        outcome = up.converge(&mut set, plan) => outcome,
        () = interrupts.next() => Err(Error::new(Exit::Unexpected, "interrupted")),
    };
    up.progress.clear();
    if let Err(error) = outcome {
        let error = up.take_back(&mut set, &mut interrupts, error).await;
        if args.rm {
            dir.purge()?;
        }
        return Err(error);
    }
    match own {
        Some(own) => {
            ctx.console.answer(&table(ctx, &set).await?)?;
            stay(ctx, args, &dir, own, &mut interrupts).await
        }
        None => table(ctx, &set).await.map(Outcome::done),
    }
}

/// The answer: what runs now.
async fn table(ctx: &Ctx, set: &Running) -> Result<String> {
    let mut report = super::look::report(set.topology(), Some(&set.facts)).await;
    // What differs from the file was said on the way.
    report.notes.clear();
    super::status::paint(ctx, &report, OutputFormat::Table)
}

/// What was asked for: the file, `./rctl.toml`, or `--replicas`.
pub(super) fn wanted(ctx: &Ctx, args: &WantedArgs) -> Result<Topology> {
    let here = Path::new("rctl.toml");
    let file = match &args.file {
        Some(file) => Some(file.as_path()),
        None if args.replicas.is_none() && here.is_file() => Some(here),
        None => None,
    };
    let mut topology = match file {
        Some(file) => {
            let (topology, warnings) = topology::load(file)?;
            warnings.iter().for_each(|warning| ctx.console.talk(&format!("warning: {warning}")));
            topology
        }
        None => Topology::of_replicas(args.replicas.unwrap_or(2))?,
    };
    if let Some(engine) = &args.engine {
        let engine = engine::parse(engine)?;
        let own = topology.nodes.iter_mut().filter(|node| node.attach.is_none());
        own.for_each(|node| node.engine = engine.clone());
    }
    topology.direct = args.direct;
    if let Some(base) = args.port_base {
        ports::shift(&mut topology, base)?;
    }
    Ok(topology)
}

/// Two running sets of one name could not be told apart by it.
fn one_of_a_name(ctx: &Ctx, dir: &SetDir, name: &str) -> Result<()> {
    let other =
        set::known(ctx).into_iter().find(|set| set.running && set.dir != *dir && set.dir.name() == name);
    match other {
        None => Ok(()),
        Some(other) => {
            let file = other.topology.and_then(|topology| topology.file);
            let from = file.map(|file| format!(", from {}", file.display())).unwrap_or_default();
            Err(Error::new(Exit::Refused, format!("another set called {name} is running{from}"))
                .hint(format!("rctl down --topology {name}")))
        }
    }
}

/// Runs the supervisor in this very process.
async fn supervise_here(dir: &SetDir) -> Result<JoinHandle<Result<Lock>>> {
    let (ready, is_ready) = tokio::sync::oneshot::channel();
    let dir = dir.clone();
    let name = dir.name();
    let own = tokio::spawn(runtime::run(dir, move || {
        let _ = ready.send(());
    }));
    match is_ready.await {
        Ok(()) => Ok(own),
        Err(_) => match own.await {
            Ok(Err(error)) => Err(error.hint(format!("rctl down --topology {name}"))),
            _ => Err(Error::new(Exit::Unexpected, "the supervisor ended at once")),
        },
    }
}

/// Stays until the set is down.
async fn stay(
    ctx: &Ctx,
    args: &UpArgs,
    dir: &SetDir,
    own: JoinHandle<Result<Lock>>,
    interrupts: &mut Interrupts,
) -> Result<Outcome> {
    ctx.console.talk("Ctrl-C stops the set");
    let mut own = own;
    let ended = tokio::select! {
        ended = &mut own => ended,
        () = interrupts.next() => {
            // The supervisor heard the signal too, and is taking the set down.
            ctx.console.talk("stopping");
            own.await
        }
    };
    let _lock =
        ended.map_err(|error| Error::new(Exit::Unexpected, format!("the supervisor failed: {error}")))??;
    if args.rm {
        dir.purge()?;
    }
    Ok(Outcome::done(""))
}

struct Up<'a> {
    ctx: &'a Ctx,
    args: &'a UpArgs,
    progress: Progress,
    began: Instant,
    /// No node lived before this call.
    from_nothing: bool,
    /// What this call started.
    started: Vec<u16>,
    /// What of that was not known before.
    added: Vec<u16>,
}

impl<'a> Up<'a> {
    fn new(ctx: &'a Ctx, args: &'a UpArgs, topology: &Topology, set: &Running) -> Self {
        let name = |node: &topology::NodeSpec| match &node.name {
            Some(name) => format!("{} ({name})", node.port),
            None if node.attach.is_some() => format!("{}:{}", node.host(), node.port),
            None => node.port.to_string(),
        };
        let sentinels = topology.sentinel_ports().map(|port| (port, format!("{port} (sentinel)")));
        let lines = topology.nodes.iter().map(|node| (node.port, name(node))).chain(sentinels);
        Self {
            ctx,
            args,
            progress: Progress::new(ctx.painter, &ctx.console, lines),
            began: Instant::now(),
            from_nothing: !set.facts.nodes.iter().any(|node| node.pid.is_some()),
            started: Vec::new(),
            added: Vec::new(),
        }
    }

    async fn converge(&mut self, set: &mut Running, plan: Plan) -> Result<()> {
        let wanted = plan.topology.clone();
        let diff = Diff::of(&wanted, &present(set).await);
        self.not_elsewhere(set, &wanted, &diff)?;
        self.tell(set, &diff);
        let alive = |port: &u16| set.facts.process(*port).is_some_and(|node| node.pid.is_some());
        let sentinels: Vec<u16> = wanted.sentinel_ports().collect();
        let mut starts = diff.starts();
        starts.extend(sentinels.iter().filter(|port| !alive(port)));
        let file = self.args.wanted.file.as_ref().map(|file| file.display().to_string());
        if let Some(error) = clash::look(self.ctx, &set.dir, &wanted, &starts, file.as_deref()) {
            return Err(error);
        }
        self.added.clone_from(&diff.add);
        self.started = starts;
        set.begin(&Request::Converge { plan, allow_data_loss: self.args.allow_data_loss }).await?;
        let ports: Vec<u16> = wanted.nodes.iter().map(|node| node.port).collect();
        if self.args.allow_data_loss {
            super::consent::give(set, &ports).await;
        }
        self.wait(set, &ports).await?;
        self.tell_attached(set, &wanted, &diff).await;
        self.sentinels_watch(set, &sentinels).await?;
        if self.args.prune && !diff.extra.is_empty() {
            super::remove::take_out(set, &diff.extra, false).await?;
        }
        if self.args.reset_roles {
            super::roles::reset(self.ctx, set, &wanted, self.args.allow_data_loss).await?;
            self.wait(set, &ports).await?;
        }
        let took = self.began.elapsed().as_millis();
        if !self.started.is_empty() {
            self.ctx.console.talk(&format!("{} is up after {took} ms", wanted.name));
        }
        Ok(())
    }

    /// The same file on other ports is another set; it would be added to this one, node by node.
    fn not_elsewhere(&self, set: &Running, wanted: &Topology, diff: &Diff) -> Result<()> {
        let lives = set.facts.nodes.iter().any(|node| node.pid.is_some());
        if lives && diff.add.len() == wanted.nodes.iter().filter(|node| node.attach.is_none()).count() {
            let ports: Vec<String> = set.facts.nodes.iter().map(|node| node.port.to_string()).collect();
            let what = format!("{} is running already, on {}", wanted.name, ports.join(", "));
            return Err(Error::new(Exit::Refused, what).hint(format!("rctl down --topology {}", wanted.name)));
        }
        Ok(())
    }

    /// What `up` sees and leaves alone.
    fn tell(&self, set: &Running, diff: &Diff) {
        let talk = |line: String| self.ctx.console.talk(&line);
        for port in &diff.changed {
            talk(format!(
                "warning: {port} runs with another configuration than the file's; rctl restart {port}"
            ));
        }
        if !self.args.prune {
            for port in &diff.extra {
                talk(format!(
                    "warning: {port} is no longer in the file; rctl remove {port}, or rctl up --prune"
                ));
            }
        }
        if !self.args.reset_roles {
            let role = |upstream: Option<u16>| match upstream {
                Some(upstream) => format!("follows {upstream}"),
                None => "is a master".to_owned(),
            };
            for (port, file, truth) in &diff.roles {
                let port = label(&set.facts, *port);
                talk(format!(
                    "warning: {port} {}, in the file it {}; left as it runs",
                    role(*truth),
                    role(*file)
                ));
            }
        }
    }

    /// What is attached is pointed at nobody unasked: a resync would replace what it holds.
    async fn tell_attached(&self, set: &Running, wanted: &Topology, diff: &Diff) {
        for node in wanted.nodes.iter().filter(|node| diff.attach.contains(&node.port)) {
            let follows = set.observe(node.port).await.and_then(|seen| seen.link).map(|link| link.port);
            if let Some(upstream) = node.replica_of.filter(|upstream| follows != Some(*upstream)) {
                let port = node.port;
                self.ctx.console.talk(&format!(
                    "warning: {port} is attached and does not follow {upstream}, as the file says; rctl replicaof {port} {upstream}"
                ));
            }
        }
    }

    async fn wait(&mut self, set: &mut Running, ports: &[u16]) -> Result<()> {
        let mut watcher = Watcher::default();
        loop {
            let stages = watcher.look(set, ports).await?;
            for (port, stage) in &stages {
                self.progress.step(*port, &stage.text(), stage.ready());
            }
            if stages.values().all(Stage::ready) {
                return Ok(());
            }
            self.give_up_on(set, &stages)?;
            if self.began.elapsed() > self.args.timeout {
                return Err(late(set, &stages));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Waits until every Sentinel knows all replicas and the others: before that they agree on nothing.
    async fn sentinels_watch(&mut self, set: &mut Running, ports: &[u16]) -> Result<()> {
        while !ports.is_empty() {
            let facts = set.refresh().await?;
            let wanted = super::sentinels::Wanted::of(facts);
            let stages: Vec<(u16, Vigilance)> =
                ports.iter().map(|&port| (port, wanted.stage(facts, port))).collect();
            for (port, stage) in &stages {
                self.progress.step(*port, &stage.text(), *stage == Vigilance::Ready);
                if let Vigilance::Failed(exit) = stage {
                    return Err(trouble::crashed(self.ctx, set, *port, exit));
                }
            }
            if stages.iter().all(|(_, stage)| *stage == Vigilance::Ready) {
                return Ok(());
            }
            if self.began.elapsed() > self.args.timeout {
                let late = stages.iter().filter(|(_, stage)| *stage != Vigilance::Ready);
                let what = format!("the Sentinels of {} are not ready in time", set.topology().name);
                return Err(late.fold(Error::new(Exit::TimedOut, what), |error, (port, stage)| {
                    error.detail(format!("{port}: {}", stage.text()))
                }));
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// What waiting will not mend.
    fn give_up_on(&self, set: &Running, stages: &BTreeMap<u16, Stage>) -> Result<()> {
        for (port, stage) in stages {
            if let Stage::Failed { exit } = stage {
                return Err(trouble::crashed(self.ctx, set, *port, exit));
            }
        }
        let settled = stages
            .values()
            .all(|stage| stage.ready() || matches!(stage, Stage::Held { .. } | Stage::Syncing { .. }));
        let held = stages.iter().find_map(|(port, stage)| match stage {
            Stage::Held { why } => Some((*port, why)),
            _ => None,
        });
        match held {
            Some((port, why)) if settled => Err(trouble::held(set, port, why)),
            _ => Ok(()),
        }
    }

    /// Takes back what this call started. A second interruption kills.
    async fn take_back(&self, set: &mut Running, interrupts: &mut Interrupts, error: Error) -> Error {
        // What the guard holds is for people to decide on, with the replicas alive.
        let held = error.exit == Exit::Refused && !self.started.is_empty();
        if held || (self.started.is_empty() && !self.from_nothing) {
            return error;
        }
        let ports = self.started.clone();
        let back = async {
            if self.from_nothing {
                set.begin(&Request::Down).await?;
                return match set.ended(ROLLBACK).await {
                    true => Ok(()),
                    false => Err(Error::new(Exit::TimedOut, "it did not stop in time")),
                };
            }
            set.begin(&Request::Stop { ports: ports.clone() }).await?;
            let down = |facts: &SetFacts| {
                ports.iter().all(|port| facts.process(*port).is_none_or(|n| n.pid.is_none()))
            };
            set.until(ROLLBACK, down).await?;
            for port in &self.added {
                set.begin(&Request::Remove { port: *port, purge: false }).await?;
            }
            Ok::<(), Error>(())
        };
        let undone = tokio::select! {
            undone = back => undone,
            () = interrupts.next() => Err(Error::new(Exit::Unexpected, "interrupted again")),
        };
        match undone {
            Ok(()) if ports.is_empty() => error,
            Ok(()) => error.detail("what this call had started was stopped again"),
            Err(why) => {
                let _ = set.begin(&Request::Kill { ports, signal: nix::libc::SIGKILL }).await;
                error.detail(format!("what this call had started was killed: {why}"))
            }
        }
    }
}

fn late(set: &Running, stages: &BTreeMap<u16, Stage>) -> Error {
    let lacking = stages.iter().filter(|(_, stage)| !stage.ready());
    let error = Error::new(Exit::TimedOut, format!("{} is not up in time", set.topology().name));
    lacking
        .fold(error, |error, (port, stage)| {
            error.detail(format!("{}: {}", label(&set.facts, *port), stage.text()))
        })
        .hint(format!(
            "tail {}",
            set.dir.node(stages.iter().find(|(_, s)| !s.ready()).map_or(0, |(p, _)| *p)).log().display()
        ))
}

/// What runs, by what the supervisor knows and the nodes themselves say.
pub(super) async fn present(set: &Running) -> Present {
    let facts = &set.facts;
    let mut present = Present {
        nodes: facts.topology.nodes.clone(),
        alive: facts.nodes.iter().map(|node| (node.port, node.lives())).collect(),
        upstream: BTreeMap::new(),
    };
    for node in facts.nodes.iter().filter(|node| node.lives() && node.wiring.is_none()) {
        if let Some(seen) = set.observe(node.port).await {
            let ours = |host: &str, port: u16| topology::same_host(host, facts.topology.host(port));
            let upstream = seen.link.filter(|link| ours(&link.host, link.port)).map(|link| link.port);
            present.upstream.insert(node.port, upstream);
        }
    }
    present
}
