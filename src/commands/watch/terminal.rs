//! The terminal while it is ours: raw, on its alternate screen, one write a frame; given back whatever happens.

use std::io::Write;

use crossterm::event::{self, KeyCode, KeyEventKind, KeyModifiers};
use crossterm::terminal::{disable_raw_mode, enable_raw_mode, size};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::error::{Error, Exit, Result};
use crate::render::console::Console;
use crate::watch::{Event, Key};

/// The alternate screen without a cursor, and lines that do not wrap.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
const LEAVE: &str = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";

/// A terminal that is ours until this is dropped.
pub(super) struct Terminal<'c> {
    console: &'c Console,
    /// What is on it.
    shown: Vec<String>,
}

impl<'c> Terminal<'c> {
    /// Takes the terminal. A panic gives it back before it says anything.
    ///
    /// # Errors
    /// It cannot be switched to raw mode.
    pub(super) fn take(console: &'c Console) -> Result<Self> {
        enable_raw_mode().map_err(|error| {
            Error::new(Exit::Environment, format!("the terminal cannot be switched: {error}"))
                .hint("rctl watch | cat")
        })?;
        let say = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let _ = std::io::stdout().write_all(LEAVE.as_bytes());
            let _ = std::io::stdout().flush();
            let _ = disable_raw_mode();
            say(panic);
        }));
        let terminal = Self { console, shown: Vec::new() };
        terminal.console.answer(ENTER)?;
        Ok(terminal)
    }

    /// Its size: columns, lines. What says nothing has the usual one.
    pub(super) fn size() -> (u16, u16) {
        size().ok().filter(|(width, height)| *width > 0 && *height > 0).unwrap_or((80, 24))
    }

    /// Shows a frame: the lines that differ from what is there, in one write; nothing where none does.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(super) fn show(&mut self, frame: Vec<String>) -> Result<()> {
        let mut text = String::new();
        if self.shown.len() != frame.len() {
            self.shown = Vec::new();
            text.push_str("\x1b[2J");
        }
        for (index, line) in frame.iter().enumerate() {
            if self.shown.get(index) != Some(line) {
                text.push_str(&format!("\x1b[{};1H\x1b[2K{line}", index + 1));
            }
        }
        self.shown = frame;
        if text.is_empty() { Ok(()) } else { self.console.answer(&text) }
    }

    /// What is there is not known any more: the next frame is written whole.
    pub(super) fn forget(&mut self) {
        self.shown.clear();
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        let _ = self.console.answer(LEAVE);
        let _ = disable_raw_mode();
    }
}

/// Keys and sizes as they come. The thread that reads them ends with the process, or with the terminal.
pub(super) fn keys() -> UnboundedReceiver<Event> {
    let (give, take) = unbounded_channel();
    std::thread::spawn(move || {
        while let Ok(event) = event::read() {
            if let Some(event) = translated(&event)
                && give.send(event).is_err()
            {
                break;
            }
        }
    });
    take
}

fn translated(event: &event::Event) -> Option<Event> {
    match event {
        event::Event::Resize(width, height) => Some(Event::Resize { width: *width, height: *height }),
        event::Event::Key(key) if key.kind != KeyEventKind::Release => {
            let control = key.modifiers.contains(KeyModifiers::CONTROL);
            let key = match key.code {
                KeyCode::Char('c') if control => Key::Interrupt,
                KeyCode::Char(letter) if !control => Key::Char(letter),
                KeyCode::Up => Key::Up,
                KeyCode::Down => Key::Down,
                KeyCode::Esc => Key::Escape,
                _ => return None,
            };
            Some(Event::Key(key))
        }
        _ => None,
    }
}
