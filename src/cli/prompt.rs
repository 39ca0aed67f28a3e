//! A password that is typed at a terminal, unseen, or comes by standard input.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, IsTerminal as _, Read as _, Write as _};

use anyhow::Context as _;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::{Exit, Failure};

/// Longer than any password.
const MOST_BYTES: u64 = 4096;

/// Asks for a new password, twice; from standard input, once, where that is no terminal.
pub(super) fn new_password(of: &str) -> Result<String, Exit> {
    if !std::io::stdin().is_terminal() {
        return line(&mut std::io::stdin().lock());
    }
    let mut terminal = Terminal::open()?;
    let first = terminal.ask(&format!("Password for {of} (at least 12 characters): "))?;
    let second = terminal.ask("The same again: ")?;
    match first == second {
        true => Ok(first),
        false => Err(Exit(
            Failure::Other,
            "the two passwords differ; nothing was changed".to_owned(),
        )),
    }
}

/// A terminal that does not show what is typed, until this is dropped.
struct Terminal {
    file: File,
    before: Termios,
}

impl Terminal {
    fn open() -> Result<Self, Exit> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).open("/dev/tty");
        let file =
            file.context("there is no terminal to ask at; send the password by standard input")?;
        let before = tcgetattr(&file).context("the terminal cannot be asked")?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        silent.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(&file, OptionalActions::Flush, &silent).context("the terminal would show it")?;
        Ok(Self { file, before })
    }

    fn ask(&mut self, what: &str) -> Result<String, Exit> {
        self.file
            .write_all(what.as_bytes())
            .context("the terminal cannot be asked")?;
        line(&mut BufReader::new(&self.file))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.file, OptionalActions::Flush, &self.before);
    }
}

fn line(from: &mut impl std::io::BufRead) -> Result<String, Exit> {
    let mut text = String::new();
    let read = from.take(MOST_BYTES).read_line(&mut text);
    read.context("the password cannot be read")?;
    let password = text.trim_end_matches(['\r', '\n']).to_owned();
    match password.is_empty() {
        true => Err(Exit(
            Failure::Other,
            "no password was given; type one, or send it by standard input".to_owned(),
        )),
        false => Ok(password),
    }
}
