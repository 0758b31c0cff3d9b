//! `rctl watch`: the set, live. [`crate::watch`] decides what is shown and what a key means; here the nodes are looked
//! at, the events are read, and what the screen wishes is done by the verb of that name.

mod plain;
mod terminal;

use std::cell::RefCell;
use std::future::Future;
use std::io::{self, IsTerminal, Write};
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::events::Tail;
use super::look::{now_ms, report_beside};
use super::set::{self, Running};
use super::{Ctx, Outcome, breaking, life, promote};
use crate::cli::{CutArgs, HealArgs, KillArgs, PromoteArgs, SelArgs, WatchArgs};
use crate::error::{Error, Exit, Result};
use crate::render::Painter;
use crate::render::console::Console;
use crate::status::StatusReport;
use crate::supervise::event::Happening;
use crate::watch::{Action, Change, Event, Screen, Told};
use terminal::Terminal;

/// The shortest interval: a look is allowed 400 ms, and is work for every node.
const LEAST: Duration = Duration::from_millis(50);
/// How long a change started from the screen may take.
const CHANGE: Duration = Duration::from_secs(30);

/// Shows the set until somebody has seen enough, or it is down.
///
/// # Errors
/// No set runs, or it is not clear which is meant; the terminal cannot be used.
pub async fn run(ctx: &Ctx, args: &WatchArgs) -> Result<Outcome> {
    let running = set::running(ctx, &[]).await?;
    let name = running.dir.name();
    let eyes = Eyes { ctx: ctx.on(&name), running: Some(running), polls: polls(args.interval) };
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    if args.json || dumb || !ctx.painter.terminal || !io::stdin().is_terminal() {
        return plain::follow(ctx, args, eyes).await;
    }
    let mut ends = Ends::new()?;
    let mut terminal = Terminal::take(&ctx.console)?;
    let (width, height) = Terminal::size();
    let screen = Screen::new(Painter { width, ..ctx.painter }, height, args.read_only);
    let ended = View { ctx: &eyes.ctx.on(&name), screen, interval: args.interval.max(LEAST) }
        .live(&mut terminal, eyes, &mut ends)
        .await;
    drop(terminal);
    ended.map(Outcome::done)
}

/// How many looks a second, rounded up.
fn polls(interval: Duration) -> u64 {
    let ms = u64::try_from(interval.max(LEAST).as_millis()).unwrap_or(u64::MAX);
    1_000_u64.div_ceil(ms.max(1))
}

/// The signals that end the view.
struct Ends {
    term: Signal,
    int: Signal,
    hup: Signal,
}

impl Ends {
    fn new() -> Result<Self> {
        let of = |kind| {
            signal(kind)
                .map_err(|error| Error::new(Exit::Environment, format!("signals cannot be awaited: {error}")))
        };
        Ok(Self {
            term: of(SignalKind::terminate())?,
            int: of(SignalKind::interrupt())?,
            hup: of(SignalKind::hangup())?,
        })
    }

    async fn any(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
            _ = self.hup.recv() => {}
        }
    }
}

/// What looks at a set, and goes on looking when its supervisor is replaced.
struct Eyes {
    ctx: Ctx,
    running: Option<Running>,
    polls: u64,
}

/// What came of a look.
enum Sight {
    Seen(Box<StatusReport>),
    Lost(String),
    /// The set is down.
    Gone,
}

impl Eyes {
    /// Asks the supervisor, then every node.
    async fn look(&mut self) -> Sight {
        match &mut self.running {
            Some(running) => {
                if running.refresh().await.is_err() {
                    self.running = None;
                }
            }
            None => match set::meant(&self.ctx, &[]) {
                Err(_) => return Sight::Gone,
                Ok(known) => match Running::reach(known.dir).await {
                    Ok(running) => self.running = Some(running),
                    Err(error) => return Sight::Lost(error.what),
                },
            },
        }
        match &self.running {
            // Whether it is down or only its supervisor is gone, the next look tells.
            None => Sight::Lost("its supervisor has ended".into()),
            Some(running) => {
                let report = report_beside(running.topology(), Some(&running.facts), self.polls).await;
                Sight::Seen(Box::new(report))
            }
        }
    }
}

struct View<'a> {
    ctx: &'a Ctx,
    screen: Screen,
    interval: Duration,
}

type Work<'a> = Pin<Box<dyn Future<Output = Event> + 'a>>;

impl View<'_> {
    /// Until the end; gives what is to be said after it.
    async fn live(mut self, terminal: &mut Terminal<'_>, eyes: Eyes, ends: &mut Ends) -> Result<String> {
        let ctx = self.ctx;
        let path = eyes.running.as_ref().map(|running| running.dir.events()).unwrap_or_default();
        let (mut tail, mut keys) = (Tail::new(), terminal::keys());
        let mut look = Box::pin(looked(eyes, Duration::ZERO));
        let mut work: Option<Work<'_>> = None;
        loop {
            terminal.show(self.screen.frame())?;
            let event = tokio::select! {
                () = ends.any() => return Ok(String::new()),
                event = keys.recv() => match event {
                    Some(event) => event,
                    None => return Ok(String::new()),
                },
                (eyes, sight) = &mut look => {
                    look.set(looked(eyes, self.interval));
                    let happened = tail.read(&path).into_iter().map(told).collect();
                    self.screen.on(Event::Happened(happened));
                    match sight {
                        Sight::Gone => return Ok(format!("{} is down\n", ctx.topology.as_deref().unwrap_or("the set"))),
                        Sight::Lost(why) => Event::Lost(why),
                        Sight::Seen(report) => Event::Round { clock: clock(report.asked_ms), report },
                    }
                }
                event = worked(&mut work) => {
                    work = None;
                    event
                }
                () = tokio::time::sleep(Duration::from_secs(1)) => Event::Tick(now_ms()),
            };
            if matches!(event, Event::Resize { .. }) {
                terminal.forget();
            }
            match self.screen.on(event) {
                None => {}
                Some(Action::Quit) => return Ok(String::new()),
                Some(Action::Outlook(port)) => work = Some(Box::pin(outlook(ctx, port))),
                Some(Action::Do(change)) => work = Some(Box::pin(carried_out(ctx, change))),
            }
        }
    }
}

/// A look after a pause. The eyes go along, so that a look that is awaited can be kept over keys.
async fn looked(mut eyes: Eyes, pause: Duration) -> (Eyes, Sight) {
    tokio::time::sleep(pause).await;
    let sight = eyes.look().await;
    (eyes, sight)
}

/// What is at work, if anything.
async fn worked(work: &mut Option<Work<'_>>) -> Event {
    match work {
        Some(work) => work.as_mut().await,
        None => std::future::pending().await,
    }
}

/// What `rctl promote -n` says.
async fn outlook(ctx: &Ctx, port: u16) -> Event {
    let (aside, heard) = aside(ctx);
    let said = match promote::run(&aside, &promotion(port, true)).await {
        Ok(_) => Ok(heard.lines()),
        Err(error) => Err(told_error(&error)),
    };
    Event::Outlook { port, said }
}

/// Carries out a change by the verb of that name; gives its words.
async fn carried_out(ctx: &Ctx, change: Change) -> Event {
    let (aside, heard) = aside(ctx);
    let one = |port: u16| SelArgs { selectors: vec![port.to_string()] };
    let done = match change {
        Change::Promote(port) => promote::run(&aside, &promotion(port, false)).await,
        Change::Kill(port) => {
            life::kill(&aside, &KillArgs { selectors: one(port).selectors, signal: "KILL".into() }).await
        }
        Change::Pause(port) => life::pause(&aside, &one(port)).await,
        Change::Resume(port) => life::resume(&aside, &one(port)).await,
        Change::Cut(port) => {
            breaking::cut(&aside, &CutArgs { links: one(port).selectors, silent: false }).await
        }
        Change::Heal(port) => breaking::heal(&aside, &HealArgs { what: port.to_string() }).await,
    };
    let mut lines = Vec::new();
    match done {
        Err(error) => lines = told_error(&error),
        Ok(outcome) if outcome.exit == Exit::Incomplete => lines.extend(heard.warnings()),
        Ok(_) => lines.push(format!("{}: done", change.typed())),
    }
    Event::Ended(lines)
}

fn promotion(port: u16, dry_run: bool) -> PromoteArgs {
    PromoteArgs { node: port.to_string(), dry_run, allow_data_loss: false, timeout: CHANGE }
}

fn told_error(error: &Error) -> Vec<String> {
    error.to_string().lines().map(|line| line.trim_end().to_owned()).collect()
}

/// The same surroundings for a verb that is run beside the screen: what it says is heard, not printed.
fn aside(ctx: &Ctx) -> (Ctx, Heard) {
    let heard = Heard::default();
    let console = Console::new(Box::new(io::sink()), Box::new(heard.clone()), false);
    let mut aside = ctx.on(ctx.topology.as_deref().unwrap_or_default());
    (aside.console, aside.show_commands, aside.painter) = (Rc::new(console), false, Painter::plain());
    (aside, heard)
}

#[derive(Clone, Default)]
struct Heard(Rc<RefCell<Vec<u8>>>);

impl Heard {
    fn lines(&self) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.0.borrow()).into_owned();
        text.lines().map(str::to_owned).collect()
    }

    fn warnings(&self) -> Vec<String> {
        let lines = self.lines();
        let from = lines.iter().position(|line| line.starts_with("rctl: ")).unwrap_or(0);
        lines.get(from..).unwrap_or_default().to_vec()
    }
}

impl Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn told(happening: Happening) -> Told {
    Told { clock: clock(happening.at_ms), happening }
}

/// The local time of day.
fn clock(unix_ms: u64) -> String {
    let moment = i64::try_from(unix_ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    let zoned = moment.map(|moment| moment.to_zoned(jiff::tz::TimeZone::system()));
    zoned.map_or_else(|| "?".to_owned(), |zoned| zoned.strftime("%H:%M:%S").to_string())
}
