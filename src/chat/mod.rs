//! The chat state machine: what one connection to a room does with its client's actions, the room's
//! frames and the store's answers. Pure: no I/O, no clock. The ordered stream of entries is in
//! [`stream`], the partner's presence in [`partner`].

use std::sync::Arc;
use std::time::Instant;

use crate::channel::{EntryRole, Frame};
use crate::domain::MessageRef;
use crate::domain::id::{Address, Seq, SessionId, Side};
use crate::protocol::client::{self, ChatAction, ChatFrame};
use crate::protocol::{CloseReason, DecodeError, Encoder, ErrorCode, Text};
use crate::safety::Told;
use crate::state_machine::{Action, Actions, Machine, Now, Voice, Weight};
use crate::store::{Appended, Hidden, Reacted, Recalled, Refusal, RoomPeople, StoreError};

pub mod access;
mod actions;
mod closing;
pub mod effects;
mod hushed;
mod jobs;
mod log;
mod ownership;
mod partner;
mod phase;
mod presence;
mod progress;
mod stream;
#[cfg(test)]
mod tests;

use actions::OwnTyping;
use closing::AutoClose;
pub use jobs::{ChatJob, ChatOutcome, ChatRules, KnownEntry, Opening};
use ownership::Ownership;
use partner::PartnerView;
use phase::RoomPhase;
use progress::Progress;
use stream::Stream;

/// One connection to one room.
///
/// What there is rarely is boxed: most connections say nothing most of the time, and a page of the log, or the first
/// sign of typing, costs more than its box.
pub struct Chat {
    encoder: Encoder,
    rules: Arc<ChatRules>,
    sessions: [SessionId; 2],
    people: Arc<RoomPeople>,
    side: Side,
    connection: Address,
    room: RoomPhase,
    ownership: Ownership,
    stream: Stream,
    progress: Progress,
    /// The entry that the client says it has, until the log was seen to have it.
    held: Option<Box<KnownEntry>>,
    /// It takes many entries of the log in one frame.
    together: bool,
    /// The client has what the log has not: it is told so, and sent the whole log.
    anew: bool,
    partner: PartnerView,
    typing: Option<Box<OwnTyping>>,
    closing: AutoClose,
    /// The next page comes with the room: signals may have been lost.
    wants_room: bool,
    retry_page: Option<Box<Instant>>,
    retry_arrive: Option<Box<(Instant, Option<Side>)>>,
    told: Told,
}

impl Chat {
    /// A machine for a connection that has arrived.
    pub fn new(encoder: Encoder, rules: Arc<ChatRules>, opening: Opening) -> Self {
        let Opening {
            room,
            people,
            side,
            connection,
            provisional,
            after,
            together,
        } = opening;
        let anew = after.is_some_and(|held| held.seq > room.last_seq);
        let held = after.filter(|held| !anew && held.seq > Seq::ZERO && held.sent_at.is_some());
        let stream = match after {
            Some(_) if anew => Stream::resuming(Seq::ZERO),
            // Read along, to be compared.
            Some(KnownEntry { seq, .. }) if held.is_some() => Stream::resuming(Seq(seq.0 - 1)),
            Some(KnownEntry { seq, .. }) => Stream::resuming(seq),
            None => {
                // A connection that may belong to the other side must miss nothing of that one's log.
                let guessed = provisional.then(|| room.side(side.other()).cursor);
                let cursor = room.side(side).cursor.min(guessed.unwrap_or(Seq(u64::MAX)));
                Stream::from_cursor(cursor.min(room.last_seq))
            }
        };
        Self {
            encoder,
            partner: PartnerView::new(room.side(side.other())),
            ownership: Ownership::new(room.side(side).version, provisional),
            progress: Progress::new(stream.last(), room.side(side).read, after.is_none()),
            rules,
            sessions: [room.sides[0].session, room.sides[1].session],
            people,
            side,
            connection,
            stream,
            held: held.map(Box::new),
            together,
            anew,
            typing: None,
            closing: AutoClose::default(),
            wants_room: false,
            retry_page: None,
            retry_arrive: None,
            told: Told::default(),
            room: RoomPhase::Opening(Box::new(room)),
        }
    }

    fn replaced(&self) -> bool {
        self.ownership.is_replaced()
    }

    /// Writes to the client, unless a newer connection has taken over.
    fn tell(&self, text: Text, out: &mut Actions<ChatJob>) {
        if !self.replaced() {
            out.push(Action::Write(text));
        }
    }

    fn fail(&self, code: ErrorCode, client_id: Option<&str>, out: &mut Actions<ChatJob>) {
        out.push(Action::Erred(code));
        self.tell(self.encoder.error(code, client_id, None), out);
    }

    /// The same about a reaction to this message.
    fn fail_reaction(&self, code: ErrorCode, target: &MessageRef, out: &mut Actions<ChatJob>) {
        out.push(Action::Erred(code));
        self.tell(self.encoder.reaction_error(code, target), out);
    }

    fn on_reacted(
        &self,
        side: Side,
        target: &MessageRef,
        reacted: Result<Reacted, StoreError>,
        out: &mut Actions<ChatJob>,
    ) {
        match reacted {
            Ok(Reacted::Done(_)) => {}
            Ok(Reacted::Same(seq, reaction)) => {
                let personas = &self.people.personas;
                let same = self.encoder.same_reaction(personas, side, seq, reaction);
                self.tell(same, out);
            }
            Ok(Reacted::Refused(why)) => self.fail_reaction(refusal(why), target, out),
            Err(_) => self.fail_reaction(ErrorCode::Unavailable, target, out),
        }
    }
}

impl Machine for Chat {
    type Input = ChatFrame;
    type Job = ChatJob;
    type Outcome = ChatOutcome;

    fn decode(text: &str) -> Result<ChatFrame, DecodeError> {
        client::chat(text)
    }

    fn weight(frame: &ChatFrame) -> Weight {
        match frame.action {
            ChatAction::Typing(_)
            | ChatAction::Leaving(_)
            | ChatAction::Read(_)
            | ChatAction::AreYouThere => Weight::Signal,
            _ => Weight::Message,
        }
    }

    fn open(&mut self, now: Now, out: &mut Actions<ChatJob>) {
        if let Some(room) = self.room.begin() {
            let grace = self.rules.reconnect_grace;
            let anew = std::mem::take(&mut self.anew);
            let state = self
                .encoder
                .room_state(&room, self.side, grace, now.wall, anew);
            out.push(Action::Write(state));
            self.learn_closing(&room, now, out);
        }
        self.page(false, "open", out);
    }

    fn on_input(&mut self, frame: ChatFrame, now: Now, out: &mut Actions<ChatJob>) {
        self.act(frame, Voice::Free, now, out);
    }

    fn on_hushed(&mut self, frame: ChatFrame, voice: Voice, now: Now, out: &mut Actions<ChatJob>) {
        if let Some(frame) = self.hush(frame, voice, now, out) {
            self.act(frame, voice, now, out);
        }
    }

    fn on_news(&mut self, _: Now, out: &mut Actions<ChatJob>) {
        let session = self.sessions[self.side.index()];
        out.push(Action::Queue(ChatJob::Notices(session)));
    }

    fn on_bad_frame(&mut self, error: &DecodeError, out: &mut Actions<ChatJob>) {
        out.push(Action::Erred(error.code));
        self.tell(self.encoder.decode_error(error), out);
        if error.code == ErrorCode::AlreadyEntered {
            // A client that wants two rooms of one connection would take one for the other.
            out.push(Action::Close(CloseReason::Refused));
        }
    }

    fn on_frame(&mut self, frame: &Frame, now: Now, out: &mut Actions<ChatJob>) {
        match frame {
            Frame::Entry {
                seq,
                by,
                role,
                texts,
            } => {
                if *role == EntryRole::End {
                    self.room.close();
                }
                self.on_entry(*seq, *by, *role, texts.for_side(self.side), now, out);
            }
            Frame::Opened {
                side,
                connection,
                version,
            } => self.on_opened(*side, *connection, *version, out),
            Frame::Closed {
                side,
                connection,
                away,
            } => self.on_closed(*side, *connection, *away, now, out),
            Frame::Swapped { session, by, to } => self.on_swapped(*session, *by, *to, out),
            Frame::Typing { side, is_typing } => {
                self.on_typing_of(*side, *is_typing, now, out);
            }
            Frame::Leaving { side, is_leaving } => self.on_leaving_of(*side, *is_leaving, out),
            Frame::Read { side, seq } if *side != self.side && self.room.is_open() => {
                self.tell(self.encoder.partner_read(*seq), out);
            }
            Frame::Callable { side, on } if *side != self.side => self.on_callable(*on, out),
            Frame::Position(position) => self.on_position(position, now, out),
            Frame::Closing { at } => self.on_closing(*at, now, out),
            _ => {}
        }
    }

    fn on_lagged(&mut self, _: Now, out: &mut Actions<ChatJob>) {
        // Also a replaced one: that it speaks again may be what was lost.
        self.page(true, "lagged", out);
    }

    fn on_outcome(&mut self, outcome: ChatOutcome, now: Now, out: &mut Actions<ChatJob>) {
        match outcome {
            ChatOutcome::Appended(_, Ok(Appended::Done(_))) => {}
            ChatOutcome::Appended(_, Ok(Appended::Repeat(entry))) => {
                let RoomPeople { room, personas } = &*self.people;
                self.tell(self.encoder.repeat(*room, personas, &entry), out);
            }
            ChatOutcome::Appended(client_id, Ok(Appended::Refused(why))) => {
                self.fail(refusal(why), Some(&client_id), out);
            }
            ChatOutcome::Appended(client_id, Err(_)) => {
                self.fail(ErrorCode::Unavailable, Some(&client_id), out);
            }
            ChatOutcome::Recalled(client_id, Ok(Recalled::Refused(why))) => {
                self.fail(refusal(why), client_id.as_deref(), out);
            }
            ChatOutcome::Recalled(client_id, Err(_)) => {
                self.fail(ErrorCode::Unavailable, client_id.as_deref(), out);
            }
            ChatOutcome::Hidden(Ok(Hidden::Done(seq))) => {
                self.tell(self.encoder.message_deleted(seq), out);
            }
            ChatOutcome::Hidden(Ok(Hidden::Refused(why))) => self.fail(refusal(why), None, out),
            ChatOutcome::Hidden(Err(_)) | ChatOutcome::Left(Err(_)) => {
                self.fail(ErrorCode::Unavailable, None, out);
            }
            ChatOutcome::Reacted(side, target, reacted) => {
                self.on_reacted(side, &target, reacted, out);
            }
            ChatOutcome::Reported(side, reported, block) => {
                self.on_reported(side, reported, block, out);
            }
            ChatOutcome::Subscribed(on) => self.tell(self.encoder.calling(on), out),
            ChatOutcome::Blocked => self.tell(self.encoder.blocked(), out),
            ChatOutcome::Notices(notices) => self.on_notices(notices, out),
            ChatOutcome::Arrived(side, speaker) => self.on_arrived(side, speaker, out),
            // Until it is written, the store takes this side for away.
            ChatOutcome::NotArrived(instead_of) => {
                self.retry_arrive = Some(Box::new((now.instant + stream::RETRY, instead_of)));
            }
            ChatOutcome::Paged(page, room) => self.on_paged(page, room, now, out),
            ChatOutcome::Recalled(_, Ok(Recalled::Done(_)))
            | ChatOutcome::Left(Ok(_))
            | ChatOutcome::Done => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        [
            self.stream.deadline(),
            self.partner.deadline(),
            self.retry_page.as_deref().copied(),
            self.retry_arrive.as_ref().map(|it| it.0),
            self.closing.deadline(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn on_timer(&mut self, now: Now, out: &mut Actions<ChatJob>) {
        if self.stream.gap_is_old(now.instant) {
            self.page(false, "hole", out);
        }
        if self.retry_page.take_if(|at| **at <= now.instant).is_some() {
            self.page(true, "open", out);
        }
        if let Some(due) = self.retry_arrive.take_if(|it| it.0 <= now.instant) {
            let (_, instead_of) = *due;
            // One that was replaced meanwhile takes a free place only.
            self.arrive(instead_of.filter(|_| !self.replaced()), out);
        }
        self.closing_is_due(now, out);
        if self.partner.typing_expired(now.instant) {
            self.tell(self.encoder.partner_typing(false), out);
        }
        if self.partner.is_away(now.instant) && self.room.is_open() {
            let grace = Some(self.grace_after_settling());
            self.tell(self.encoder.partner_status(false, grace), out);
        }
    }

    fn on_flushed(&mut self) -> Option<ChatJob> {
        let (side, saves) = (self.side, self.progress.flushed(self.stream.last()));
        let read_state = self.progress.read_state();
        saves.then_some(ChatJob::SaveReadState { side, read_state })
    }

    fn farewell(self) -> Option<ChatJob> {
        Some(ChatJob::Depart {
            side: self.side,
            version: self.ownership.version(),
            read_state: self.progress.read_state(),
        })
    }
}

fn refusal(why: Refusal) -> ErrorCode {
    match why {
        Refusal::RoomClosed => ErrorCode::RoomClosed,
        Refusal::RoomFull => ErrorCode::RoomFull,
        Refusal::NoSuchMessage => ErrorCode::NoSuchMessage,
        Refusal::NotYours => ErrorCode::NotYours,
        Refusal::AlreadyRecalled => ErrorCode::AlreadyRecalled,
        Refusal::ClientIdReused => ErrorCode::ClientIdReused,
        Refusal::TooManyReactions => ErrorCode::TooManyReactions,
    }
}
