//! Lines on their way to stderr. Logging one never waits, never fails and never panics: a thread of
//! its own writes. What could not be written, or was too much to keep, is counted and said once writing
//! works again. Decides nothing about what is said.

use std::collections::VecDeque;
use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};

/// Most that waits, in bytes; what comes on top is lost.
const MOST: usize = 1 << 20;
/// What a line costs besides its text.
const LINE: usize = 64;
/// How often it is tried whether writing works again, while no new line comes.
const TRY_AGAIN: Duration = Duration::from_secs(1);
/// Where stderr is shared with a program that made it non-blocking: how long a line waits for room.
const ROOM: Duration = Duration::from_secs(1);
/// How often such a line is tried.
const ROOM_LOOKS: u32 = 50;

/// The lines of this process.
pub static LINES: Lines = Lines::new();

/// A bounded queue of lines, and how writing them goes.
pub struct Lines {
    queue: Mutex<LineQueue>,
    came: Condvar,
    done: Condvar,
    json: AtomicBool,
}

struct LineQueue {
    waiting: VecDeque<Box<[u8]>>,
    bytes: usize,
    /// A thread takes them. Without one they are written by those who say them.
    served: bool,
    /// The thread has taken one and is not through with it.
    busy: bool,
    /// Lines that were lost and not told of yet.
    untold: u64,
    /// Lines that were lost in all.
    lost: u64,
    /// Why the last line could not be written.
    trouble: Option<String>,
}

impl Lines {
    const fn new() -> Self {
        Self {
            queue: Mutex::new(LineQueue {
                waiting: VecDeque::new(),
                bytes: 0,
                served: false,
                busy: false,
                untold: 0,
                lost: 0,
                trouble: None,
            }),
            came: Condvar::new(),
            done: Condvar::new(),
            json: AtomicBool::new(false),
        }
    }

    /// Starts the thread that writes; how the lines are formatted is only for those that it adds. Where
    /// no thread can be had, lines are written at once.
    pub fn serve(&'static self, json: bool) {
        self.json.store(json, Ordering::Relaxed);
        let mut queue = self.queue.lock();
        if queue.served {
            return;
        }
        let thread = std::thread::Builder::new().name("log".to_owned());
        queue.served = thread
            .spawn(move || self.work(&mut std::io::stderr()))
            .is_ok();
    }

    /// Says these lines, when there is room for them.
    pub fn say(&self, text: &[u8]) {
        let mut queue = self.queue.lock();
        let cost = text.len() + LINE;
        match queue.bytes.saturating_add(cost) <= MOST {
            true => {
                queue.bytes += cost;
                queue.waiting.push_back(text.into());
            }
            false => queue.lose(),
        }
        let served = queue.served;
        drop(queue);
        match served {
            true => drop(self.came.notify_one()),
            false => self.write_waiting(&mut Out::new(&mut std::io::stderr())),
        }
    }

    /// Waits until everything said so far is written or lost, at most this long.
    pub fn flush(&self, timeout: Duration) {
        let deadline = Instant::now() + timeout;
        let mut queue = self.queue.lock();
        while queue.served && (queue.busy || !queue.waiting.is_empty()) {
            if self.done.wait_until(&mut queue, deadline).timed_out() {
                return;
            }
        }
    }

    /// How many lines were lost since the start.
    pub fn lost(&self) -> u64 {
        self.queue.lock().lost
    }

    /// Why lines are lost at this time, and how many; `None` while all is well.
    pub fn trouble(&self) -> Option<String> {
        let queue = self.queue.lock();
        let why = queue.trouble.as_deref();
        let why = why.or((queue.untold > 0).then_some("nobody reads it"))?;
        Some(format!(
            "the log cannot be written: {why}; {} lines were lost",
            queue.lost
        ))
    }

    fn work(&self, stderr: &mut impl Write) -> ! {
        let mut out = Out::new(stderr);
        loop {
            let mut queue = self.queue.lock();
            if queue.waiting.is_empty() {
                self.done.notify_all();
                match queue.untold {
                    0 => self.came.wait(&mut queue),
                    _ => drop(self.came.wait_for(&mut queue, TRY_AGAIN)),
                }
            }
            drop(queue);
            self.write_waiting(&mut out);
            self.tell_lost(&mut out);
        }
    }

    fn write_waiting(&self, out: &mut Out<'_, impl Write>) {
        while let Some(line) = self.take() {
            let written = self.tell_lost(out) && self.write(out, &line);
            let mut queue = self.queue.lock();
            queue.busy = false;
            if !written {
                queue.lose();
            }
        }
    }

    fn take(&self) -> Option<Box<[u8]>> {
        let mut queue = self.queue.lock();
        let line = queue.waiting.pop_front()?;
        queue.bytes -= line.len() + LINE;
        queue.busy = true;
        Some(line)
    }

    fn write(&self, out: &mut Out<'_, impl Write>, line: &[u8]) -> bool {
        let written = out.line(line);
        self.queue.lock().trouble = written.as_ref().err().map(ToString::to_string);
        written.is_ok()
    }

    /// Says how many lines were lost, if any were. False: that could not be said either.
    fn tell_lost(&self, out: &mut Out<'_, impl Write>) -> bool {
        let (untold, why) = {
            let queue = self.queue.lock();
            (queue.untold, queue.trouble.clone())
        };
        if untold == 0 {
            return true;
        }
        let json = self.json.load(Ordering::Relaxed);
        let told = self.write(out, lost_line(untold, why.as_deref(), json).as_bytes());
        if told {
            self.queue.lock().untold -= untold;
        }
        told
    }
}

impl LineQueue {
    fn lose(&mut self) {
        self.untold += 1;
        self.lost += 1;
    }
}

/// The line about lost ones, in the form that the others have.
fn lost_line(lost: u64, why: Option<&str>, json: bool) -> String {
    let mut time = String::new();
    // Writing into a text cannot fail; a clock that cannot be read leaves it empty.
    let _ = SystemTime.format_time(&mut Writer::new(&mut time));
    let why = why.unwrap_or("nobody read the log");
    let text = format!("{lost} log lines were lost ({why})");
    match json {
        true => {
            let line = serde_json::json!({
                "timestamp": time, "level": "WARN", "message": text, "lost": lost,
                "target": module_path!(),
            });
            format!("{line}\n")
        }
        false => format!("{time}  WARN {text}\n"),
    }
}

/// Where lines go, and whether one was cut short there.
struct Out<'a, W> {
    inner: &'a mut W,
    torn: bool,
}

impl<'a, W: Write> Out<'a, W> {
    fn new(inner: &'a mut W) -> Self {
        Self { inner, torn: false }
    }

    /// Writes all of it. After a line that was cut short a new one begins first.
    fn line(&mut self, line: &[u8]) -> std::io::Result<()> {
        if self.torn {
            self.all(b"\n").map_err(|(_, error)| error)?;
            self.torn = false;
        }
        self.all(line).map_err(|(written, error)| {
            self.torn = written > 0;
            error
        })
    }

    fn all(&mut self, bytes: &[u8]) -> Result<(), (usize, std::io::Error)> {
        let (mut written, mut looks) = (0, 0);
        while written < bytes.len() {
            match self.inner.write(&bytes[written..]) {
                Ok(0) => return Err((written, ErrorKind::WriteZero.into())),
                Ok(more) => written += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock && looks < ROOM_LOOKS => {
                    looks += 1;
                    std::thread::sleep(ROOM / ROOM_LOOKS);
                }
                Err(error) => return Err((written, error)),
            }
        }
        Ok(())
    }
}

/// Gives the formatter a place for its lines.
pub struct ToLines;

impl<'a> MakeWriter<'a> for ToLines {
    type Writer = Said;

    fn make_writer(&'a self) -> Said {
        Said
    }
}

/// One event's line: the formatter writes it in one go.
pub struct Said;

impl Write for Said {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        LINES.say(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file on a disk that may be full, or a pipe that may have no reader.
    #[derive(Default)]
    struct Disk {
        text: Vec<u8>,
        /// So many bytes have room.
        room: usize,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            if self.room == 0 {
                return Err(ErrorKind::StorageFull.into());
            }
            let part = bytes.len().min(self.room);
            self.text.extend_from_slice(&bytes[..part]);
            self.room -= part;
            Ok(part)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// Lines whose thread is the test.
    fn lines() -> Lines {
        let lines = Lines::new();
        lines.queue.lock().served = true;
        lines
    }

    #[test]
    fn lost_lines_are_counted_and_told_when_there_is_room_again() {
        let lines = lines();
        lines.json.store(true, Ordering::Relaxed);
        let mut disk = Disk {
            room: 8,
            ..Disk::default()
        };
        let mut out = Out::new(&mut disk);
        for line in ["one\n", "two and more\n", "three\n"] {
            lines.say(line.as_bytes());
        }
        lines.write_waiting(&mut out);
        assert_eq!(lines.lost(), 2);
        assert!(lines.trouble().unwrap().contains("2 lines were lost"));
        out.inner.room = 4096;
        lines.say(b"four\n");
        lines.write_waiting(&mut out);
        assert_eq!(lines.trouble(), None);
        let text = String::from_utf8(disk.text).unwrap();
        let said: Vec<&str> = text.lines().collect();
        assert_eq!((said[0], said[1], said[3]), ("one", "two ", "four"));
        let told: serde_json::Value = serde_json::from_str(said[2]).unwrap();
        assert_eq!((&told["lost"], &told["level"]), (&2.into(), &"WARN".into()));
    }

    #[test]
    fn what_no_reader_takes_is_bounded_and_told() {
        let lines = lines();
        let line = [b'x'; 1024];
        for _ in 0..2 * MOST / line.len() {
            lines.say(&line);
        }
        let lost = lines.lost();
        let kept = MOST / (line.len() + LINE);
        assert_eq!(usize::try_from(lost).unwrap(), 2 * MOST / line.len() - kept);
        assert!(lines.trouble().unwrap().contains("nobody reads it"));
        let mut disk = Disk {
            room: usize::MAX,
            ..Disk::default()
        };
        lines.write_waiting(&mut Out::new(&mut disk));
        let text = String::from_utf8(disk.text).unwrap();
        assert!(text.contains(&format!("WARN {lost} log lines were lost")));
        assert_eq!(lines.trouble(), None);
    }
}
