//! The live view. Frames as transcripts: `tests/watch/*.txt` hold cases
//!
//! ```text
//! === the law the case defends
//! width=80 height=20                        also: ascii, colour, read-only
//! 6379 id=d8154a0a offset=1050 backlog=16384 first=1
//! look                                      a round of the nodes so far
//! happened 3 6380 killed by SIGKILL         seconds before the round, node or -, text
//! key k                                     or up, down, escape, interrupt, space
//! said a line | another                     what a promotion would do; refused A | B; ended A; lost A
//! ----
//! what is to be done, one wish a line, then the frame
//! ```
//!
//! and whole views on a terminal of their own. `UPDATE=1 cargo test --test watch` writes the frames anew.

#![expect(clippy::disallowed_methods, reason = "a test of real processes has a deadline")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

#[expect(dead_code, reason = "shared with other tests")]
mod rig;
#[path = "rig/round.rs"]
mod round;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use nix::poll::{PollFd, PollFlags, poll};
use nix::pty::{OpenptyResult, Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rctl::render::Painter;
use rctl::status::{Look, Round, judge};
use rctl::supervise::event::Happening;
use rctl::topology::{NodeSpec, Topology};
use rctl::watch::{Action, Event, Key, Screen, Told};
use rig::{PATIENCE, World, wait_until};
use round::{NOW_MS, look, spec};

#[test]
fn frames_are_as_the_transcripts_say() {
    let update = std::env::var_os("UPDATE").is_some();
    let path = "tests/watch/frames.txt";
    let text = std::fs::read_to_string(path).unwrap();
    let (mut out, mut cases) = (String::new(), 0);
    for case in text.strip_prefix("=== ").unwrap().split("\n=== ") {
        let (law, body) = case.split_once('\n').unwrap();
        let (given, _) = body.split_once("----\n").unwrap_or_else(|| panic!("{law}: no ---- line"));
        cases += 1;
        out.push_str(&format!("=== {law}\n{given}----\n{}\n", played(given)));
    }
    if update {
        std::fs::write(path, out).unwrap();
    } else {
        assert!(out == text, "{path} differs; now:\n{out}");
    }
    assert!(cases >= 10, "only {cases} cases were found");
}

/// No size panics, wraps, or leaves a line of the terminal to chance.
#[test]
fn c22_every_size_is_filled_and_no_line_is_longer_than_the_terminal() {
    let text = std::fs::read_to_string("tests/watch/frames.txt").unwrap();
    let case = text.split("=== ").find(|case| case.starts_with("a replica falls out")).unwrap();
    let given = case.split_once('\n').unwrap().1.split_once("----").unwrap().0;
    for extra in ["", " colour", " ascii"] {
        for width in (1..=30).chain([59, 60, 80, 119, 120, 200, 500]) {
            for height in (1..=30).chain([100]) {
                let size = format!("width={width} height={height}{extra}");
                let (_, frame) = play(&given.replace("width=80 height=24", &size));
                assert_eq!(frame.len(), height, "{size}");
                let plain = |line: &String| rctl::watch::layout::plain(line).chars().count();
                assert!(frame.iter().all(|line| plain(line) <= width), "{size}: {frame:#?}");
            }
        }
    }
}

fn played(given: &str) -> String {
    let (wishes, frame) = play(given);
    let lines = wishes.into_iter().chain(frame.iter().map(|line| line.trim_end().to_owned()));
    lines.map(|line| line.replace('\u{1b}', "<ESC>") + "\n").collect()
}

/// Plays a case; gives the wishes and the last frame.
fn play(given: &str) -> (Vec<String>, Vec<String>) {
    let mut lines = given.lines();
    let (mut painter, mut height, mut read_only) = (Painter::plain(), 24, false);
    for word in lines.next().unwrap().split_whitespace() {
        match word.split_once('=').unwrap_or((word, "")) {
            ("width", width) => painter.width = width.parse().unwrap(),
            ("height", lines) => height = lines.parse().unwrap(),
            ("ascii", _) => painter.ascii = true,
            ("colour", _) => painter.colour = true,
            ("read-only", _) => read_only = true,
            other => panic!("{other:?}"),
        }
    }
    let mut screen = Screen::new(painter, height, read_only);
    let mut nodes: BTreeMap<u16, (NodeSpec, Look)> = BTreeMap::new();
    let mut wishes = Vec::new();
    let mut rounds = 0;
    for line in lines {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        if let Ok(port) = word.parse::<u16>() {
            let known = rest.split_whitespace().map(|word| word.split_once('=').unwrap_or((word, "")));
            let known = known.collect();
            nodes.insert(port, (spec(port, &known), look(port, &known)));
            continue;
        }
        let parted = || rest.split(" | ").map(str::to_owned).collect::<Vec<_>>();
        let event = match word {
            "look" => {
                rounds += 1;
                let (wanted, looks) = nodes.values().cloned().unzip();
                let topology = Topology { name: "lab".into(), nodes: wanted, ..Topology::default() };
                let report = judge(&Round { topology: &topology, now_ms: NOW_MS, looks, own_ops_per_s: 0 });
                Event::Round { report: Box::new(report), clock: format!("12:09:{:02}", rounds + 1) }
            }
            "happened" => Event::Happened(vec![happened(rest)]),
            "key" => Event::Key(key(rest)),
            "said" | "refused" => {
                let (port, rest) = rest.split_once(' ').unwrap();
                let lines = rest.split(" | ").map(str::to_owned).collect();
                let said = if word == "said" { Ok(lines) } else { Err(lines) };
                Event::Outlook { port: port.parse().unwrap(), said }
            }
            "ended" => Event::Ended(parted()),
            "lost" => Event::Lost(rest.to_owned()),
            "later" => Event::Tick(NOW_MS + 1000 * rest.parse::<u64>().unwrap()),
            other => panic!("{other:?}"),
        };
        wishes.extend(screen.on(event).map(|action| match action {
            Action::Quit => "-> quit".to_owned(),
            Action::Outlook(port) => format!("-> look at promote {port}"),
            Action::Do(change) => format!("-> {}", change.typed()),
        }));
    }
    (wishes, screen.frame())
}

fn happened(words: &str) -> Told {
    let mut words = words.splitn(3, ' ');
    let ago: u64 = words.next().unwrap().parse().unwrap();
    let port = words.next().unwrap().parse().ok();
    let happening = Happening::new(NOW_MS - ago * 1000, port, words.next().unwrap().to_owned());
    Told { clock: format!("12:08:{:02}", 60 - ago), happening }
}

fn key(name: &str) -> Key {
    match name {
        "up" => Key::Up,
        "down" => Key::Down,
        "escape" => Key::Escape,
        "interrupt" => Key::Interrupt,
        "space" => Key::Char(' '),
        letter => Key::Char(letter.chars().next().unwrap()),
    }
}

/// A view on a terminal of its own, and the other end of that terminal.
struct View {
    child: Child,
    pair: OpenptyResult,
    before: String,
    seen: String,
}

impl View {
    fn start(world: &World, args: &[&str]) -> Self {
        let size = Winsize { ws_row: 30, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
        let pair = openpty(Some(&size), None).unwrap();
        let before = modes(&pair);
        let stdio = || Stdio::from(pair.slave.try_clone().unwrap());
        let mut command = world.command(args);
        command.env("TERM", "xterm").stdin(stdio()).stdout(stdio()).stderr(stdio());
        Self { child: command.spawn().unwrap(), pair, before, seen: String::new() }
    }

    /// Reads until `text` is there, beyond what an earlier wait has found.
    fn sees(&mut self, text: &str) {
        let mut file = File::from(self.pair.master.try_clone().unwrap());
        let mut chunk = [0; 4096];
        let began = Instant::now();
        while !self.seen.contains(text) {
            let mut ready = [PollFd::new(self.pair.master.as_fd(), PollFlags::POLLIN)];
            let came = poll(&mut ready, 1_000_u16).unwrap() > 0;
            assert!(began.elapsed() < PATIENCE, "{text:?} does not come; seen: {:?}", self.seen);
            let len = if came { file.read(&mut chunk).unwrap() } else { 0 };
            self.seen.push_str(&String::from_utf8_lossy(&chunk[..len]));
        }
        let at = self.seen.find(text).unwrap();
        self.seen.drain(..at + text.len());
    }

    fn types(&self, keys: &str) {
        File::from(self.pair.master.try_clone().unwrap()).write_all(keys.as_bytes()).unwrap();
    }

    /// Its end leaves the main screen, the cursor and the modes as they were.
    fn has_ended(mut self) {
        self.sees("\u{1b}[?25h\u{1b}[?1049l");
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        assert_eq!(modes(&self.pair), self.before);
    }
}

/// `stty -a` of the terminal.
fn modes(pair: &OpenptyResult) -> String {
    let slave = Stdio::from(pair.slave.try_clone().unwrap());
    let output = Command::new("stty").arg("-a").stdin(slave).output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn c22_a_set_is_watched_broken_and_mended_on_a_terminal_that_is_given_back() {
    let world = World::new();
    let [master, first, second] = [world.base, world.base + 1, world.base + 2].map(|port| port.to_string());
    world.ok(&["up", "-q", "--replicas", "2", "--port-base", &master]);
    let mut view = View::start(&world, &["watch", "--interval", "100ms"]);
    view.sees("in sync");
    view.sees("OFFSET RACE");
    view.sees("EVENTS");
    world.ok(&["kill", &second]);
    view.sees("crashed");
    world.ok(&["start", &second]);
    view.sees("in sync");
    // The node below the first, which is the master.
    view.types("\u{1b}[Bz");
    view.sees(&format!("freeze {first} with SIGSTOP"));
    view.types("n");
    view.types("p");
    view.sees(&format!("forecast for {master}"));
    view.types("y");
    view.sees(&format!("promote {first}: done"));
    view.types("q");
    view.has_ended();
    world.ok(&["wait", &format!("{first}=master")]);

    let mut view = View::start(&world, &["watch", "--read-only"]);
    view.sees("read only");
    view.sees("in sync");
    view.types("k");
    view.sees("this view is --read-only");
    kill(Pid::from_raw(i32::try_from(view.child.id()).unwrap()), Signal::SIGTERM).unwrap();
    view.has_ended();

    let mut view = View::start(&world, &["watch", "--interval", "100ms"]);
    view.sees("in sync");
    view.types("\u{3}");
    view.has_ended();

    let mut view = View::start(&world, &["watch", "--interval", "100ms"]);
    view.sees("in sync");
    world.ok(&["down", "-q"]);
    view.has_ended();
}

#[test]
fn a_pipe_gets_a_line_for_each_change_and_an_end_when_the_set_is_down() {
    let world = World::new();
    let [master, first] = [world.base, world.base + 1].map(|port| port.to_string());
    world.ok(&["up", "-q", "--replicas", "1", "--port-base", &master]);
    let watch = |args: &[&str]| {
        let mut child = world.command(args).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        (child, lines)
    };
    let (mut child, mut lines) = watch(&["watch", "--interval", "100ms"]);
    let (mut json_child, mut json) = watch(&["watch", "--json", "--interval", "100ms"]);
    let mut first_with = |text: &str| lines.find(|line| line.contains(text)).unwrap();
    assert!(first_with(&format!("{first}  replica of {master}")).contains("in-sync"));
    let mut values = json.by_ref().map(|line| serde_json::from_str::<serde_json::Value>(&line).unwrap());
    let begun = values.find(|line| line["node"] == world.base + 1).unwrap();
    assert_eq!(begun["schema"], "rctl.watch/1");
    assert_eq!((&begun["kind"], &begun["state"]), (&"state".into(), &"in-sync".into()));
    world.ok(&["kill", &first]);
    let line = first_with("crashed");
    assert!(line.contains("(was ") && line.contains(&format!("fix: rctl start {first}")), "{line}");
    assert!(!line.contains('\u{1b}'));
    assert!(values.any(|line| line["state"] == "crashed" && line["node"] == world.base + 1));
    world.ok(&["down", "-q"]);
    first_with("is down");
    assert!(values.any(|line| line["kind"] == "down"));
    for child in [&mut child, &mut json_child] {
        wait_until("the watch has ended", || child.try_wait().unwrap().is_some());
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn c23_what_follows_ends_when_its_reader_leaves_and_not_at_the_next_write() {
    let world = World::new();
    world.ok(&["up", "-q", "--replicas", "1", "--port-base", &world.base.to_string()]);
    for words in [&["watch"][..], &["events", "-f"], &["logs", "-f"]] {
        let mut child = world.command(words).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.next().unwrap().is_ok(), "{words:?}");
        // Nothing happens to the set from here on.
        drop(lines);
        wait_until("it has ended", || child.try_wait().unwrap().is_some());
        assert_eq!(child.wait().unwrap().code(), Some(0), "{words:?}");
    }
}
