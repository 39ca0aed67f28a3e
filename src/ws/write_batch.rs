//! What one event makes a connection write: frames that are there, and pages whose frames are made when their turn
//! comes.

use std::vec::IntoIter;

use crate::protocol::{Replay, Text};

/// Frames in the order in which they are written.
#[derive(Debug, Default)]
pub struct WriteBatch(Vec<Part>);

#[derive(Debug)]
enum Part {
    Frame(Text),
    Replay(Box<Replay>),
}

impl WriteBatch {
    /// Adds a frame.
    pub fn frame(&mut self, text: Text) {
        self.0.push(Part::Frame(text));
    }

    /// Adds the frames of a page.
    pub fn replay(&mut self, replay: Box<Replay>) {
        self.0.push(Part::Replay(replay));
    }

    /// Nothing is to be written.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Text> for WriteBatch {
    fn from(text: Text) -> Self {
        Self(vec![Part::Frame(text)])
    }
}

impl IntoIterator for WriteBatch {
    type Item = Text;
    type IntoIter = BatchFrames;

    fn into_iter(self) -> BatchFrames {
        BatchFrames {
            parts: self.0.into_iter(),
            replay: None,
        }
    }
}

/// The frames of a [`WriteBatch`], one by one.
#[derive(Debug)]
pub struct BatchFrames {
    parts: IntoIter<Part>,
    replay: Option<Box<Replay>>,
}

impl BatchFrames {
    /// Bytes of the frames that are there already.
    pub fn bytes(&self) -> usize {
        let texts = self.parts.as_slice().iter().map(|part| match part {
            Part::Frame(text) => text.len(),
            // Its bytes were reserved when the page was read.
            Part::Replay(_) => 0,
        });
        texts.sum()
    }
}

impl Iterator for BatchFrames {
    type Item = Text;

    fn next(&mut self) -> Option<Text> {
        loop {
            if let Some(text) = self.replay.as_mut().and_then(Iterator::next) {
                return Some(text);
            }
            self.replay = None;
            match self.parts.next()? {
                Part::Frame(text) => return Some(text),
                Part::Replay(replay) => self.replay = Some(replay),
            }
        }
    }
}
