//! A page of a log on its way to a client: the entries wait as they are and are encoded one by one, or some at a time,
//! so that a page is never in memory a second time as text, and shrinks while it is written.

use std::vec::IntoIter;

use super::{Encoder, Text};
use crate::domain::id::{RoomId, Side};
use crate::domain::{Entry, Persona};

/// From so many bytes on no further entry goes into a frame of several.
const TOGETHER: usize = 16 * 1024;

/// The frames of some entries, in order. Each is made when it is asked for, and its entries are then forgotten.
#[derive(Debug)]
pub struct Replay {
    encoder: Encoder,
    room: RoomId,
    personas: [Persona; 2],
    side: Side,
    entries: IntoIter<Entry>,
    together: bool,
}

impl Replay {
    /// Of these entries of a room, as `side` is sent them.
    pub fn new(
        encoder: Encoder,
        room: RoomId,
        personas: [Persona; 2],
        side: Side,
        entries: Vec<Entry>,
    ) -> Self {
        Self {
            encoder,
            room,
            personas,
            side,
            entries: entries.into_iter(),
            together: false,
        }
    }

    /// The same, with many entries in a frame if so: a page takes longer to be told of a frame than to read what is in it.
    #[must_use]
    pub fn together(self, together: bool) -> Self {
        Self { together, ..self }
    }

    fn entry(&mut self) -> Option<Text> {
        let entry = self.entries.next()?;
        let Self { room, side, .. } = *self;
        Some(self.encoder.entry(room, &self.personas, &entry, side))
    }

    /// As many as fit, in one frame.
    fn several(&mut self) -> Option<Text> {
        let first = self.entry()?;
        let mut frame = format!(r#"{{"action":"entries","entries":[{first}"#);
        while frame.len() < TOGETHER {
            let Some(entry) = self.entry() else { break };
            frame.push(',');
            frame.push_str(&entry);
        }
        frame.push_str("]}");
        Some(Text::from(frame))
    }
}

impl Iterator for Replay {
    type Item = Text;

    fn next(&mut self) -> Option<Text> {
        match self.together {
            true => self.several(),
            false => self.entry(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.entries.len();
        match self.together {
            // At least one frame, if anything is left.
            true => (left.min(1), Some(left)),
            false => (left, Some(left)),
        }
    }
}
