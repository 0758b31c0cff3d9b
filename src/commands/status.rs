//! `rctl status`: who follows whom, and is it true.

use super::change::settle_if_interrupted;
use super::look::report;
use super::{Ctx, Outcome, set};
use crate::cli::{OutputFormat, StatusArgs};
use crate::error::{Error, Exit, Result};
use crate::render::status::{Columns, next, status};
use crate::status::StatusReport;

/// Asks the supervisor and every node, and shows what they say. Where the supervisor cannot be reached nor replaced,
/// the nodes alone are asked.
///
/// # Errors
/// No set runs, or it is not clear which is meant. With `--exit-code` a set that needs attention is no error but an
/// exit of 11.
pub async fn run(ctx: &Ctx, args: &StatusArgs) -> Result<Outcome> {
    let meant = set::meant(ctx, &[])?;
    let known = meant.topology.clone();
    let report = match (set::Running::reach(meant.dir).await, known) {
        (Ok(mut running), _) => {
            if let Err(why) = settle_if_interrupted(ctx, &mut running).await {
                ctx.console.talk(&format!("warning: {why}"));
            }
            running
                .facts
                .warnings
                .iter()
                .for_each(|warning| ctx.console.talk(&format!("warning: {warning}")));
            report(running.topology(), Some(&running.facts)).await
        }
        (Err(why), Some(topology)) => {
            ctx.console.talk(&format!("warning: asking the nodes alone: {}", why.what));
            report(&topology, None).await
        }
        (Err(why), None) => return Err(why),
    };
    let format = if args.json { OutputFormat::Json } else { args.output };
    let exit = if args.exit_code && !report.ok { Exit::Degraded } else { Exit::Done };
    let text = paint(ctx, &report, format)?;
    if format == OutputFormat::Table && ctx.painter.terminal {
        ctx.console.answer(&text)?;
        next(&report, &ctx.painter).into_iter().for_each(|line| ctx.console.talk(&format!("\n{line}")));
        return Ok(Outcome { text: String::new(), exit });
    }
    Ok(Outcome { text, exit })
}

/// A report as the reader wants it; other verbs show their set with it, too.
///
/// # Errors
/// None that anybody has seen: a report is always JSON.
pub fn paint(ctx: &Ctx, report: &StatusReport, format: OutputFormat) -> Result<String> {
    let columns = match format {
        OutputFormat::Table => Columns::Fitting,
        OutputFormat::Wide => Columns::All,
        OutputFormat::Json => return json(report),
    };
    let clock = jiff::Zoned::now().strftime("%H:%M:%S").to_string();
    Ok(status(report, &clock, columns, &ctx.painter))
}

/// A value as JSON, for people and for programs: indented, one line end.
pub(super) fn json(value: &impl serde::Serialize) -> Result<String> {
    let text = serde_json::to_string_pretty(value);
    text.map(|text| text + "\n")
        .map_err(|error| Error::new(Exit::Unexpected, format!("the answer is not JSON: {error}")))
}
