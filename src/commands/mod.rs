//! One file per verb: `run` to an [`Outcome`]. What can be typed is in [`crate::cli`].
//!
//! A verb writes nothing itself but through [`Ctx::console`]; the answer of a verb that ends is the text of
//! its [`Outcome`], which `main` prints. Adding a verb: a row in [`crate::cli::Verb`], a file here, an arm in
//! [`dispatch`].

pub mod add;
pub mod autofailover;
pub mod breaking;
pub mod call;
pub mod change;
pub mod check;
pub mod clash;
pub mod cli;
pub mod completions;
mod consent;
mod context;
pub mod doctor;
pub mod down;
pub mod drill;
mod drill_report;
pub mod env;
pub mod events;
pub mod exec;
pub mod export;
pub mod faults;
pub mod graph;
pub mod help;
pub mod info;
pub mod init;
pub mod interrupt;
pub mod life;
mod limits;
pub mod load;
pub mod logs;
pub mod look;
pub mod paths;
pub mod plan;
pub mod promote;
pub mod ps;
mod reader;
pub mod ready;
pub mod remove;
pub mod replicaof;
pub mod roles;
pub mod select;
pub mod sentinels;
pub mod set;
pub mod sim;
pub mod status;
pub mod succession;
pub mod supervise;
pub mod trouble;
pub mod up;
pub mod verify;
pub mod wait;
pub mod watch;

use crate::cli::Verb;
use crate::error::{Error, Exit, Result};

pub use context::{Ctx, Timeouts, state_root};

/// What a verb hands back: the answer, and what the process ends with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// For stdout, with its line ends; may be empty.
    pub text: String,
    /// The exit code.
    pub exit: Exit,
}

impl Outcome {
    /// The wanted state was seen; `text` is the answer.
    pub fn done(text: impl Into<String>) -> Self {
        Self { text: text.into(), exit: Exit::Done }
    }
}

/// Runs one verb to its end.
pub async fn dispatch(ctx: &Ctx, verb: &Verb) -> Result<Outcome> {
    match verb {
        Verb::Add(args) => add::run(ctx, args).await,
        Verb::Autofailover(args) => autofailover::run(ctx, args).await,
        Verb::Call(args) => call::run(ctx, args).await,
        Verb::Check(args) => check::run(ctx, args),
        Verb::Cli(args) => cli::run(ctx, args).await,
        Verb::Completions(args) => completions::run(args),
        Verb::Cut(args) => breaking::cut(ctx, args).await,
        Verb::Delay(args) => breaking::delay(ctx, args).await,
        Verb::Throttle(args) => breaking::throttle(ctx, args).await,
        Verb::Partition(args) => breaking::partition(ctx, args).await,
        Verb::Faults(args) => faults::run(ctx, args).await,
        Verb::Heal(args) => breaking::heal(ctx, args).await,
        Verb::Doctor(args) => doctor::run(ctx, args).await,
        Verb::Drill(args) => drill::run(ctx, args).await,
        Verb::Load(args) => load::run(ctx, args).await,
        Verb::Down(args) => down::run(ctx, args).await,
        Verb::Env(args) => env::run(ctx, args).await,
        Verb::Events(args) => events::run(ctx, args).await,
        Verb::Export(args) => export::run(ctx, args),
        Verb::Failover(args) => succession::failover(ctx, args).await,
        Verb::Graph(args) => graph::run(ctx, args).await,
        Verb::Help(args) => help::run(args),
        Verb::Info(args) => info::run(ctx, args).await,
        Verb::Init(args) => init::run(ctx, args),
        Verb::Kill(args) => life::kill(ctx, args).await,
        Verb::Logs(args) => logs::run(ctx, args).await,
        Verb::Paths(args) => paths::run(ctx, args),
        Verb::Pause(args) => life::pause(ctx, args).await,
        Verb::Plan(args) => plan::run(ctx, args).await,
        Verb::Promote(args) => promote::run(ctx, args).await,
        Verb::Ps(args) => ps::run(ctx, args).await,
        Verb::Remove(args) => remove::run(ctx, args).await,
        Verb::Restart(args) => life::restart(ctx, args).await,
        Verb::Resume(args) => life::resume(ctx, args).await,
        Verb::Sim(args) => sim::run(ctx, args),
        Verb::Start(args) => life::start(ctx, args).await,
        Verb::Replicaof(args) => replicaof::run(ctx, args).await,
        Verb::Status(args) => status::run(ctx, args).await,
        Verb::Stop(args) => life::stop(ctx, args).await,
        Verb::Supervise(args) => supervise::run(args).await,
        Verb::Switchover(args) => succession::switchover(ctx, args).await,
        Verb::Up(args) => up::run(ctx, args).await,
        Verb::Verify(args) => verify::run(ctx, args).await,
        Verb::Wait(args) => wait::run(ctx, args).await,
        Verb::Watch(args) => watch::run(ctx, args).await,
        other => Err(Error::new(Exit::Usage, format!("this build does not have the verb yet: {other:?}"))),
    }
}
