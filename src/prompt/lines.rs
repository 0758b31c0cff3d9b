//! Where lines come from: an editor on a terminal, a terminal that cannot edit, or a pipe.

use std::cell::{Cell, RefCell};
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::rc::Rc;

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, Context, Editor, Helper};

use super::reference::Reference;

/// Lines kept in the history file.
const HISTORY: usize = 1000;

/// Terminals that print escape sequences instead of obeying them.
const NO_EDITING: [&str; 3] = ["dumb", "cons25", "emacs"];

/// A source of lines.
pub enum Lines {
    /// Editing, history, hints, completion.
    Editor(Box<Terminal>),
    /// A terminal of the plainest kind: a prompt, then a line.
    Plain(Box<dyn BufRead>),
    /// No prompt.
    Pipe(Box<dyn BufRead>),
}

/// What the editor and the session share.
#[derive(Debug, Clone, Default)]
pub struct Shared {
    /// The server's commands, once asked.
    pub reference: Rc<RefCell<Reference>>,
    /// `:set nohints` was typed.
    pub hints_off: Rc<Cell<bool>>,
}

/// A terminal with an editor.
pub struct Terminal {
    editor: Editor<Assistant, FileHistory>,
    history: Option<PathBuf>,
}

impl Lines {
    /// The editor where `terminal` (the value of `TERM`) can take it. `history` is the file that remembers.
    #[must_use]
    pub fn on_terminal(terminal: Option<&str>, history: Option<PathBuf>, shared: &Shared) -> Self {
        let plain = || Self::Plain(Box::new(std::io::BufReader::new(std::io::stdin())));
        if terminal.is_some_and(|name| NO_EDITING.iter().any(|known| name.eq_ignore_ascii_case(known))) {
            return plain();
        }
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .max_history_size(HISTORY)
            .and_then(|builder| builder.history_ignore_dups(true))
            .map(|builder| builder.auto_add_history(false).build());
        let Ok(Ok(mut editor)) = config.map(Editor::<Assistant, FileHistory>::with_config) else {
            return plain();
        };
        editor.set_helper(Some(Assistant { shared: shared.clone() }));
        if let Some(path) = &history {
            // No file yet is the common case.
            let _ = editor.load_history(path);
        }
        Self::Editor(Box::new(Terminal { editor, history }))
    }

    /// Lines of stdin, without prompts.
    #[must_use]
    pub fn from_pipe() -> Self {
        Self::Pipe(Box::new(std::io::BufReader::new(std::io::stdin())))
    }

    /// The next line without its end; `None` when there are no more, or on Ctrl-C at the prompt.
    pub fn next(&mut self, prompt: &str, out: &mut dyn Write) -> Option<Vec<u8>> {
        match self {
            Self::Editor(terminal) => match terminal.editor.readline(prompt) {
                Ok(line) => Some(line.into_bytes()),
                Err(ReadlineError::Signal(_)) => Some(Vec::new()),
                Err(_) => None,
            },
            Self::Plain(input) => {
                out.write_all(prompt.as_bytes()).and_then(|()| out.flush()).ok()?;
                line(input.as_mut())
            }
            Self::Pipe(input) => line(input.as_mut()),
        }
    }

    /// Remembers a line, in the file too.
    pub fn remember(&mut self, line: &str) {
        if let Self::Editor(terminal) = self {
            // A history that cannot be written is no reason to disturb a session.
            let _ = terminal.editor.add_history_entry(line);
            if let Some(path) = &terminal.history {
                let _ = terminal.editor.save_history(path);
            }
        }
    }

    /// Lines come from a terminal.
    #[must_use]
    pub fn terminal(&self) -> bool {
        !matches!(self, Self::Pipe(_))
    }

    /// Hints and completion are to be had.
    #[must_use]
    pub fn edits(&self) -> bool {
        matches!(self, Self::Editor(_))
    }
}

fn line(input: &mut dyn BufRead) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    let len = input.read_until(b'\n', &mut line).ok()?;
    if len == 0 {
        return None;
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Some(line)
}

/// Would this line put a secret into the history file.
#[must_use]
pub fn holds_a_secret(args: &[Vec<u8>]) -> bool {
    let word = |index: usize| args.get(index).map(|word| word.to_ascii_lowercase()).unwrap_or_default();
    let holds = |name: &[u8]| args.iter().any(|arg| arg.eq_ignore_ascii_case(name));
    match word(0).as_slice() {
        b"auth" => true,
        b"acl" => word(1) == b"setuser" || word(1) == b"deluser",
        b"config" => word(1) == b"set" && args.iter().any(|arg| secret_directive(arg)),
        b"hello" => holds(b"auth"),
        b"migrate" => holds(b"auth") || holds(b"auth2"),
        _ => false,
    }
}

fn secret_directive(word: &[u8]) -> bool {
    [&b"masterauth"[..], b"masteruser", b"requirepass"].iter().any(|name| word.eq_ignore_ascii_case(name))
}

struct Assistant {
    shared: Shared,
}

impl Helper for Assistant {}
impl Validator for Assistant {}

impl Completer for Assistant {
    type Candidate = String;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let typed = line.get(..pos).unwrap_or(line);
        Ok((0, self.shared.reference.borrow().completions(typed)))
    }
}

impl Hinter for Assistant {
    type Hint = String;

    fn hint(&self, line: &str, pos: usize, _: &Context<'_>) -> Option<String> {
        if self.shared.hints_off.get() || pos < line.len() {
            return None;
        }
        self.shared.reference.borrow().hint(line)
    }
}

impl Highlighter for Assistant {
    fn highlight_hint<'h>(&self, hint: &'h str) -> std::borrow::Cow<'h, str> {
        format!("\x1b[90m{hint}\x1b[0m").into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_stay_out_of_the_history() {
        let words = |line: &str| line.split(' ').map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>();
        for line in [
            "AUTH x",
            "config set requirepass x",
            "hello 3 auth u p",
            "acl setuser u >p",
            "migrate h 1 k 0 1 AUTH p",
        ] {
            assert!(holds_a_secret(&words(line)), "{line}");
        }
        for line in ["get auth", "config get requirepass", "hello 3", "acl whoami"] {
            assert!(!holds_a_secret(&words(line)), "{line}");
        }
    }

    #[test]
    fn a_last_line_needs_no_end() {
        let mut input = &b"a\r\n\nb"[..];
        let lines: Vec<_> = std::iter::from_fn(|| line(&mut input)).collect();
        assert_eq!(lines, [b"a".to_vec(), b"".to_vec(), b"b".to_vec()]);
    }
}
