//! `rctl wait COND…`: returns when all conditions hold in one look, so that no script has to sleep.

#![expect(clippy::disallowed_methods, reason = "this does things and measures how long they take")]

mod condition;

use std::time::{Duration, Instant};

use super::look::report;
use super::set::Running;
use super::{Ctx, Outcome, set};
use crate::cli::WaitArgs;
use crate::error::{Error, Exit, Result};

use condition::{Condition, masters, parse};

/// Between two looks at the nodes.
const PAUSE: Duration = Duration::from_millis(20);

/// Waits.
///
/// # Errors
/// No set runs (3), a condition that cannot be read (2), the timeout with what does not hold (6).
pub async fn run(ctx: &Ctx, args: &WaitArgs) -> Result<Outcome> {
    let conditions = parse(&args.conditions)?;
    let nodes: Vec<&str> = conditions.iter().filter_map(Condition::node).collect();
    let mut set = set::running(ctx, &nodes).await?;
    known(&set, &nodes)?;
    let began = Instant::now();
    let before = masters(&report(set.topology(), Some(&set.facts)).await);
    loop {
        let seen = report(set.topology(), Some(&set.facts)).await;
        let missing: Vec<String> =
            conditions.iter().filter_map(|condition| condition.missing(&seen, &before)).collect();
        if missing.is_empty() {
            ctx.console.talk(&format!(
                "{} after {} ms",
                args.conditions.join(" "),
                began.elapsed().as_millis()
            ));
            return Ok(Outcome::done(""));
        }
        if began.elapsed() >= args.timeout {
            let what = format!("not so after {} ms", args.timeout.as_millis());
            let error = missing.into_iter().fold(Error::new(Exit::TimedOut, what), Error::detail);
            return Err(error.hint("rctl status"));
        }
        tokio::time::sleep(PAUSE.min(args.timeout)).await;
        set.refresh().await?;
    }
}

/// A node that is not there would be waited for in vain.
fn known(set: &Running, nodes: &[&str]) -> Result<()> {
    let Some(node) = nodes.iter().find(|node| set.topology().find(node).is_none()) else { return Ok(()) };
    let known: Vec<String> = set.topology().nodes.iter().map(|node| node.port.to_string()).collect();
    let what = format!("{} has no node {node:?}", set.topology().name);
    Err(Error::new(Exit::Usage, what).detail(format!("its nodes: {}", known.join(", "))))
}
