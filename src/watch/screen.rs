//! The screen as a state machine: what a key means now, and the frame that shows it.

use super::consequence::consequence;
use super::layout::{Parts, fit, plain};
use super::race::race;
use super::ticker::ticker;
use super::{Action, Change, Event, Key, Told};
use crate::render::Painter;
use crate::render::status::{Columns, status};
use crate::render::style::marks;
use crate::render::tree::tree;
use crate::status::{NodeStatus, Role, State, StatusReport};

mod foot;

/// How many happenings are kept: more than any terminal has lines.
const KEPT: usize = 500;

/// What is shown, and what a key means now.
#[derive(Debug)]
pub struct Screen {
    painter: Painter,
    height: u16,
    read_only: bool,
    now: Shown,
    /// What came while the screen was frozen.
    held: Option<Shown>,
    clock_ms: u64,
    selected: Option<u16>,
    asking: Option<Question>,
    busy: Option<Change>,
    /// Somebody wants to leave as soon as the change has ended.
    leaving: bool,
    message: Vec<String>,
    lost: Option<String>,
}

/// What the nodes and the events say, at one moment.
#[derive(Debug, Clone, Default)]
struct Shown {
    report: Option<StatusReport>,
    clock: String,
    told: Vec<Told>,
}

#[derive(Debug)]
struct Question {
    change: Change,
    lines: Vec<String>,
    /// A promotion is not asked for before it is known what it would do.
    ready: bool,
}

impl Screen {
    /// An empty screen of a size; with `read_only`, keys that change something do nothing.
    #[must_use]
    pub fn new(painter: Painter, height: u16, read_only: bool) -> Self {
        Self {
            painter,
            height,
            read_only,
            now: Shown::default(),
            held: None,
            clock_ms: 0,
            selected: None,
            asking: None,
            busy: None,
            leaving: false,
            message: Vec::new(),
            lost: None,
        }
    }

    /// Takes what happened; gives what is to be done about it.
    pub fn on(&mut self, event: Event) -> Option<Action> {
        match event {
            Event::Round { report, clock } => {
                self.lost = None;
                self.clock_ms = self.clock_ms.max(report.asked_ms);
                let shown = self.held.as_mut().unwrap_or(&mut self.now);
                (shown.report, shown.clock) = (Some(*report), clock);
                self.keep_selection();
                None
            }
            Event::Happened(told) => {
                let shown = self.held.as_mut().unwrap_or(&mut self.now);
                shown.told.extend(told);
                let over = shown.told.len().saturating_sub(KEPT);
                shown.told.drain(..over);
                None
            }
            Event::Resize { width, height } => {
                (self.painter.width, self.height) = (width, height);
                None
            }
            Event::Tick(now_ms) => {
                self.clock_ms = self.clock_ms.max(now_ms);
                None
            }
            Event::Outlook { port, said } => {
                self.outlook(port, said);
                None
            }
            Event::Ended(lines) => {
                self.busy = None;
                self.message = lines;
                self.leaving.then_some(Action::Quit)
            }
            Event::Lost(why) => {
                self.lost = Some(why);
                None
            }
            Event::Key(key) => self.key(key),
        }
    }

    /// The frame: as many lines as the terminal has, none longer than it is wide.
    #[must_use]
    pub fn frame(&self) -> Vec<String> {
        let width = usize::from(self.painter.width);
        let mut parts = Parts { foot: self.foot(width), ..Parts::default() };
        match &self.now.report {
            None => parts.head = vec!["looking at the nodes".to_owned()],
            Some(report) => self.table(report, &mut parts),
        }
        if let Some(report) = &self.now.report {
            parts.race = race(report, &self.painter);
        }
        parts.events = vec!["EVENTS".to_owned()];
        parts.events.extend(ticker(&self.now.told, usize::from(self.height)));
        fit(parts, width, usize::from(self.height))
    }

    /// The painted status, cut into its parts; the selected node is marked.
    fn table(&self, report: &StatusReport, parts: &mut Parts) {
        let text = status(report, &self.now.clock, Columns::Fitting, &self.painter);
        let mut lines = text.lines().map(str::to_owned);
        // A heading, an empty line, the head of the table, then the tree.
        parts.head = lines.by_ref().take(3).collect();
        let branches = tree(&report.nodes, &marks(&self.painter));
        parts.rows = lines.by_ref().take(branches.len()).collect();
        parts.problems = lines.skip_while(String::is_empty).collect();
        let own =
            branches.iter().position(|branch| branch.node.is_some() && Some(branch.port) == self.selected);
        parts.at = own.unwrap_or(0);
        let edge = parts.head.last().map_or(0, |head| plain(head).chars().count());
        if let Some(row) = own.and_then(|at| parts.rows.get_mut(at)) {
            let mark = if self.painter.ascii { "<" } else { "◂" };
            let text = plain(row);
            let marked = format!("{text:edge$} {mark}");
            *row = if self.painter.colour { format!("\x1b[7m{marked}\x1b[0m") } else { marked };
        }
    }

    fn key(&mut self, key: Key) -> Option<Action> {
        if key == Key::Interrupt {
            return self.leave();
        }
        if let Some(question) = self.asking.take() {
            return (question.ready && key == Key::Char('y')).then(|| self.begin(question.change));
        }
        self.message.clear();
        match key {
            Key::Up => self.select(-1),
            Key::Down => self.select(1),
            Key::Char(' ') => match self.held.take() {
                Some(latest) => self.now = latest,
                None => self.held = Some(self.now.clone()),
            },
            Key::Char('s') => {
                if let Some(latest) = &self.held {
                    self.now = latest.clone();
                }
            }
            Key::Char('q') => return self.leave(),
            Key::Char(letter) => return self.wish(letter),
            Key::Escape | Key::Interrupt => {}
        }
        None
    }

    /// A key that changes something: asks first, unless it only takes something back.
    fn wish(&mut self, letter: char) -> Option<Action> {
        if self.read_only && "pkzch".contains(letter) {
            self.message = vec!["this view is --read-only".to_owned()];
            return None;
        }
        let node = self.node()?;
        let (port, paused) = (node.port, node.state == State::Paused);
        let change = match letter {
            'p' => Change::Promote(port),
            'k' => Change::Kill(port),
            'z' if paused => Change::Resume(port),
            'z' => Change::Pause(port),
            'c' => Change::Cut(port),
            'h' => Change::Heal(port),
            _ => return None,
        };
        if let Some(busy) = self.busy {
            self.message = vec![format!("not while {} is at work", busy.typed())];
            return None;
        }
        if let (Change::Cut(_), Role::Master) = (change, node.role) {
            self.message = vec![format!("{port} follows nobody: there is no link to cut")];
            return None;
        }
        match change {
            Change::Resume(_) | Change::Heal(_) => Some(self.begin(change)),
            Change::Promote(_) => {
                let lines = vec![format!("looking at what promote {port} would do")];
                self.asking = Some(Question { change, lines, ready: false });
                Some(Action::Outlook(port))
            }
            _ => {
                let report = self.newest().report.as_ref()?;
                self.asking = Some(Question { change, lines: consequence(change, report), ready: true });
                None
            }
        }
    }

    fn outlook(&mut self, port: u16, said: Result<Vec<String>, Vec<String>>) {
        // Whoever has left the question gets no answer.
        let Some(question) = self.asking.as_mut().filter(|asked| asked.change == Change::Promote(port))
        else {
            return;
        };
        match said {
            Ok(lines) => (question.lines, question.ready) = (lines, true),
            Err(why) => {
                self.asking = None;
                self.message = why;
            }
        }
    }

    fn begin(&mut self, change: Change) -> Action {
        self.busy = Some(change);
        self.message.clear();
        Action::Do(change)
    }

    /// A change that is at work is waited for; who asks twice does not wait.
    fn leave(&mut self) -> Option<Action> {
        if self.busy.is_some() && !self.leaving {
            self.leaving = true;
            return None;
        }
        Some(Action::Quit)
    }

    fn select(&mut self, step: isize) {
        let Some(report) = &self.now.report else { return };
        let order = order(&report.nodes, &self.painter);
        let at = order.iter().position(|port| Some(*port) == self.selected).unwrap_or(0);
        let to = at.saturating_add_signed(step).min(order.len().saturating_sub(1));
        self.selected = order.get(to).copied();
    }

    /// A node that left the set is selected no more.
    fn keep_selection(&mut self) {
        let Some(report) = &self.now.report else { return };
        if !report.nodes.iter().any(|node| Some(node.port) == self.selected) {
            self.selected = order(&report.nodes, &self.painter).first().copied();
        }
    }

    /// Decisions are made on what is true now, also while an older moment is shown.
    fn newest(&self) -> &Shown {
        self.held.as_ref().unwrap_or(&self.now)
    }

    fn node(&self) -> Option<&NodeStatus> {
        self.newest().report.as_ref()?.nodes.iter().find(|node| Some(node.port) == self.selected)
    }
}

/// Ports as the table shows them, from top to bottom.
fn order(nodes: &[NodeStatus], painter: &Painter) -> Vec<u16> {
    let branches = tree(nodes, &marks(painter));
    branches.into_iter().filter(|branch| branch.node.is_some()).map(|branch| branch.port).collect()
}
