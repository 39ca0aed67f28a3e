//! What a room should be, whatever was done to it.

use miyu::domain::id::{Seq, Side};
use miyu::domain::{EntryKind, LeaveReason, Quote, REACTION_ENTRIES, Reaction};
use miyu::store::Refusal;

use super::ops::{Target, client_id};
use super::{ROOM_BYTES, ROOM_ENTRIES};

/// What a room is, in the plainest words.
#[derive(Clone, Default)]
pub struct Model {
    pub log: Vec<Line>,
    pub closed: bool,
    pub erased: bool,
}

#[derive(Clone)]
pub enum Line {
    Said {
        side: Side,
        name: String,
        text: Option<String>,
        reply: Option<usize>,
        hidden: [bool; 2],
    },
    Recalled {
        side: Side,
        target: usize,
        name: String,
    },
    Reacted {
        side: Side,
        target: usize,
        reaction: Option<Reaction>,
    },
    Left {
        side: Side,
    },
}

impl Model {
    pub fn entry(&self, at: usize) -> EntryKind {
        match &self.log[at] {
            Line::Said {
                side,
                name,
                text,
                reply,
                ..
            } => EntryKind::Message {
                side: *side,
                client_id: name.clone(),
                content: text.clone(),
                reply: reply.map(|at| self.quote(at)),
            },
            Line::Recalled { side, target, name } => EntryKind::Recall {
                side: *side,
                target: Seq(*target as u64 + 1),
                client_id: name.clone(),
            },
            Line::Reacted {
                side,
                target,
                reaction,
            } => EntryKind::Reaction {
                side: *side,
                target: Seq(*target as u64 + 1),
                reaction: *reaction,
            },
            Line::Left { side } => EntryKind::Departure {
                side: *side,
                reason: LeaveReason::Left,
            },
        }
    }

    pub fn quote(&self, at: usize) -> Quote {
        let Line::Said { side, text, .. } = &self.log[at] else {
            panic!("a quote of no message");
        };
        Quote::of(Seq(at as u64 + 1), *side, text.as_deref())
    }

    pub fn own(&self, of: Side, named: &str) -> Option<usize> {
        self.log.iter().position(
            |line| matches!(line, Line::Said { side, name, .. } if *side == of && name == named),
        )
    }

    pub fn find(&self, side: Side, target: &Target) -> Option<usize> {
        match target {
            Target::Name(name) => self.own(side, &client_id(*name)),
            Target::Seq(seq) => {
                let at = usize::try_from(seq.checked_sub(1)?).unwrap();
                matches!(self.log.get(at)?, Line::Said { .. }).then_some(at)
            }
        }
    }

    pub fn replay(&self, side: Side) -> Vec<(Seq, EntryKind)> {
        self.part(side, 0, usize::MAX)
    }

    pub fn part(&self, side: Side, after: usize, limit: usize) -> Vec<(Seq, EntryKind)> {
        let all = (0..self.log.len()).skip(after).take(limit);
        let hides =
            |at: usize| matches!(&self.log[at], Line::Said { hidden, .. } if hidden[side.index()]);
        let shown = all.filter(|at| match &self.log[*at] {
            Line::Reacted { target, .. } => !hides(*target),
            _ => !hides(*at),
        });
        shown
            .map(|at| (Seq(at as u64 + 1), self.entry(at)))
            .collect()
    }

    pub fn append(&mut self, side: Side, name: u8, text: u8, reply: Option<&Target>) -> Outcome {
        let (name, text) = (client_id(name), format!("text {text}"));
        if self.erased {
            return Outcome::Refused(Refusal::RoomClosed);
        }
        if let Some(at) = self.own(side, &name) {
            let Line::Said { text: stored, .. } = &self.log[at] else {
                panic!("found a message");
            };
            return match stored {
                Some(stored) if *stored != text => Outcome::Refused(Refusal::ClientIdReused),
                _ => Outcome::Repeat(self.entry(at)),
            };
        }
        if self.closed {
            return Outcome::Refused(Refusal::RoomClosed);
        }
        let more = (name.len() + text.len()) as u64;
        if self.log.len() as u64 >= ROOM_ENTRIES || self.bytes() + more > ROOM_BYTES {
            return Outcome::Refused(Refusal::RoomFull);
        }
        let reply = reply.and_then(|target| self.find(side, target));
        self.log.push(Line::Said {
            side,
            name,
            text: Some(text),
            reply,
            hidden: [false; 2],
        });
        Outcome::Done(self.entry(self.log.len() - 1))
    }

    fn bytes(&self) -> u64 {
        let bytes = self.log.iter().map(|line| match line {
            Line::Said { name, text, .. } => name.len() + text.as_ref().map_or(0, String::len),
            Line::Recalled { name, .. } => name.len(),
            Line::Reacted { .. } | Line::Left { .. } => 0,
        });
        bytes.sum::<usize>() as u64
    }

    pub fn recall(&mut self, by: Side, target: &Target, named: bool) -> Outcome {
        if self.erased {
            return Outcome::Refused(Refusal::RoomClosed);
        }
        let Some(at) = self.find(by, target) else {
            return Outcome::Refused(Refusal::NoSuchMessage);
        };
        let Line::Said {
            side, name, text, ..
        } = &mut self.log[at]
        else {
            panic!("found a message");
        };
        if *side != by {
            return Outcome::Refused(Refusal::NotYours);
        }
        if text.take().is_none() {
            return Outcome::Refused(Refusal::AlreadyRecalled);
        }
        let name = if named { "recall".into() } else { name.clone() };
        for line in &mut self.log {
            if let Line::Reacted {
                target, reaction, ..
            } = line
                && *target == at
            {
                *reaction = None;
            }
        }
        self.log.push(Line::Recalled {
            side: by,
            target: at,
            name,
        });
        Outcome::Done(self.entry(self.log.len() - 1))
    }

    /// `Err(None)`: it is so already.
    pub fn react(
        &mut self,
        by: Side,
        target: &Target,
        wish: Option<Reaction>,
    ) -> Result<EntryKind, Option<Refusal>> {
        if self.erased {
            return Err(Some(Refusal::RoomClosed));
        }
        let Some(at) = self.find(by, target) else {
            return Err(Some(Refusal::NoSuchMessage));
        };
        let recalled = matches!(&self.log[at], Line::Said { text: None, .. });
        let full = self.log.len() as u64 >= ROOM_ENTRIES;
        let before = self.log.iter_mut().filter_map(|line| match line {
            Line::Reacted {
                side,
                target,
                reaction,
            } if *side == by && *target == at => Some(reaction),
            _ => None,
        });
        let mut before: Vec<&mut Option<Reaction>> = before.collect();
        let (count, standing) = (before.len(), before.iter().find_map(|it| **it));
        let refusal = if standing == wish {
            return Err(None);
        } else if self.closed {
            Some(Refusal::RoomClosed)
        } else if wish.is_none() {
            None
        } else if recalled {
            Some(Refusal::AlreadyRecalled)
        } else if count + 1 >= REACTION_ENTRIES {
            Some(Refusal::TooManyReactions)
        } else if full {
            Some(Refusal::RoomFull)
        } else {
            None
        };
        if refusal.is_some() {
            return Err(refusal);
        }
        for said in &mut before {
            **said = None;
        }
        self.log.push(Line::Reacted {
            side: by,
            target: at,
            reaction: wish,
        });
        Ok(self.entry(self.log.len() - 1))
    }

    pub fn hide(&mut self, by: Side, target: &Target) -> Result<Seq, Refusal> {
        if self.erased {
            return Err(Refusal::RoomClosed);
        }
        let at = self.find(by, target).ok_or(Refusal::NoSuchMessage)?;
        if let Line::Said { hidden, .. } = &mut self.log[at] {
            hidden[by.index()] = true;
        }
        Ok(Seq(at as u64 + 1))
    }
}

#[derive(Debug, PartialEq)]
pub enum Outcome {
    Done(EntryKind),
    Repeat(EntryKind),
    Refused(Refusal),
}
