//! A page of a log on its way to a client: the entries wait as they are and are encoded one by one, so that a page is
//! never in memory a second time as text, and shrinks while it is written.

use std::vec::IntoIter;

use super::{Encoder, Text};
use crate::domain::id::{RoomId, Side};
use crate::domain::{Entry, Persona};

/// The frames of some entries, in order. Each is made when it is asked for, and its entry is then forgotten.
#[derive(Debug)]
pub struct Replay {
    encoder: Encoder,
    room: RoomId,
    personas: [Persona; 2],
    side: Side,
    entries: IntoIter<Entry>,
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
        }
    }
}

impl Iterator for Replay {
    type Item = Text;

    fn next(&mut self) -> Option<Text> {
        let entry = self.entries.next()?;
        let Self { room, side, .. } = *self;
        Some(self.encoder.entry(room, &self.personas, &entry, side))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.entries.size_hint()
    }
}

impl ExactSizeIterator for Replay {}
