//! `rctl add PORT`: a node more, attached if asked to. Taken back where it does not come up.

#![expect(clippy::disallowed_methods, reason = "this does things and measures how long they take")]

use std::time::{Duration, Instant};

use super::ready::{Stage, Watcher};
use super::set::{self, Running};
use super::{Ctx, Outcome, clash, trouble};
use crate::cli::AddArgs;
use crate::error::{Error, Exit, Result};
use crate::node::engine::{self, Program};
use crate::plan::NodePlan;
use crate::supervise::owner;
use crate::supervise::request::Request;
use crate::topology::{Engine, NodeSpec, Persistence, Restart};

/// Between two looks at the new node.
const PAUSE: Duration = Duration::from_millis(2);

/// Adds the node and waits until it is ready.
///
/// # Errors
/// A port or a name that cannot be had (2, 5, 7), the timeout (6).
pub async fn run(ctx: &Ctx, args: &AddArgs) -> Result<Outcome> {
    let upstream: Vec<&str> = args.replica_of.as_deref().into_iter().collect();
    let mut set = set::running(ctx, &upstream).await?;
    let spec = spec(args, &set)?;
    if let Some(error) = clash::look(ctx, &set.dir, set.topology(), &[args.port], None) {
        return Err(elsewhere(args, error));
    }
    let path = std::env::var_os("PATH");
    let node = NodePlan::new(spec, set.dir.path(), set.topology().direct, |engine| {
        Program::locate(engine, path.as_deref())
    })?;
    set.begin(&Request::Add { node: Box::new(node) }).await?;
    match wait(ctx, args, &mut set).await {
        Ok(stage) => Ok(Outcome::done(format!("{} {}\n", args.port, stage.text()))),
        Err(error) => {
            super::remove::take_out(&mut set, &[args.port], false).await?;
            Err(error.detail("it was taken out again"))
        }
    }
}

async fn wait(ctx: &Ctx, args: &AddArgs, set: &mut Running) -> Result<Stage> {
    let began = Instant::now();
    let mut watcher = Watcher::default();
    loop {
        let stage = watcher.look(set, &[args.port]).await?.remove(&args.port).unwrap_or(Stage::Starting);
        match &stage {
            Stage::Failed { exit } => return Err(trouble::crashed(ctx, set, args.port, exit)),
            Stage::Held { why } => return Err(trouble::held(set, args.port, why)),
            stage if stage.ready() => return Ok(stage.clone()),
            _ if began.elapsed() > args.timeout => {
                let what = format!("{} is not ready in time: {}", args.port, stage.text());
                return Err(Error::new(Exit::TimedOut, what));
            }
            _ => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// The ways out of a port clash, for one node: another port instead of another base.
fn elsewhere(args: &AddArgs, mut error: Error) -> Error {
    error.hints.retain(|hint| !hint.starts_with("rctl up"));
    let free = (args.port.max(1024)..u16::MAX).skip(1).find(|port| owner::taken(&[*port]).is_empty());
    let upstream = args.replica_of.as_ref().map(|node| format!(" --replica-of {node}")).unwrap_or_default();
    error.hints.splice(..0, free.map(|port| format!("rctl add {port}{upstream}")));
    error
}

fn spec(args: &AddArgs, set: &Running) -> Result<NodeSpec> {
    let usage = |what: String| Error::new(Exit::Usage, what);
    let topology = set.topology();
    if args.port == 0 {
        return Err(usage("port 0 is no port".into()));
    }
    if let Some(name) = &args.name {
        if !crate::topology::is_name(name) {
            return Err(usage(format!("{name:?} is no node name: a to z, 0 to 9 and -, at most 40")));
        }
        if topology.find(name).is_some() {
            return Err(Error::new(Exit::Refused, format!("{} has a node {name} already", topology.name)));
        }
    }
    let replica_of = match &args.replica_of {
        None => None,
        Some(handle) => match topology.find(handle) {
            Some(node) if node.port != args.port => Some(node.port),
            _ => {
                return Err(
                    usage(format!("{} has no node {handle:?} to follow", topology.name)).hint("rctl status")
                );
            }
        },
    };
    let like = topology.nodes.first();
    let engine = match &args.engine {
        Some(engine) => engine::parse(engine)?,
        None => like.map_or(Engine::Builtin, |node| node.engine.clone()),
    };
    Ok(NodeSpec {
        port: args.port,
        name: args.name.clone(),
        replica_of,
        engine,
        persistence: like.map_or(Persistence::Rdb, |node| node.persistence),
        restart: like.map_or(Restart::No, |node| node.restart),
        config: like.map(|node| node.config.clone()).unwrap_or_default(),
        attach: None,
    })
}
