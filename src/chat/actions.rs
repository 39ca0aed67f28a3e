//! The client's side of the chat machine: which connection may speak for which side, and what each action asks
//! for. What the room and the store say is in [`super`].

use std::time::{Duration, Instant};

use crate::channel::Frame;
use crate::chat::{Chat, ChatJob};
use crate::domain::id::{Address, Seq, SessionId, Side};
use crate::domain::safety::ReportId;
use crate::protocol::ErrorCode;
use crate::protocol::client::{ChatAction, ChatFrame};
use crate::safety::NotReported;
use crate::state_machine::{Action, Actions, Now, Voice};
use crate::store::{Draft, ReactionDraft};

/// A client that goes on typing says so again; that it types is passed on at most this often.
const TYPING_AGAIN: Duration = Duration::from_secs(2);

/// What was passed on of this side's typing since its last message.
#[derive(Clone, Copy)]
pub(super) struct OwnTyping {
    /// When that it types was passed on last.
    begun: Instant,
    on: bool,
}

impl Chat {
    /// Whether the frame's `user_id` may speak here. May correct a guessed side.
    fn is_owner(&mut self, user_id: Option<&str>, out: &mut Actions<ChatJob>) -> bool {
        let Some(user_id) = user_id else { return true };
        let other = self.side.other();
        let is = |side: Side| self.people.personas[side.index()].user_id.as_str() == user_id;
        if is(self.side) {
            self.ownership.confirm();
            return true;
        }
        if !is(other) {
            // An id of this session from elsewhere: it claims neither side.
            return true;
        }
        if self.sessions[0] != self.sessions[1] {
            return false;
        }
        if self.ownership.is_provisional() {
            self.swap();
            out.push(Action::Queue(ChatJob::Publish(Frame::Swapped {
                session: self.sessions[0],
                by: self.connection,
                to: self.side,
            })));
            self.arrive(Some(other.other()), out);
        }
        true
    }

    pub(super) fn swap(&mut self) {
        self.side = self.side.other();
        self.ownership.swap();
        self.partner.swap();
        // What the other side has read is not what this one has.
        self.progress.forget_read();
    }

    pub(super) fn on_swapped(
        &mut self,
        session: SessionId,
        by: Address,
        to: Side,
        out: &mut Actions<ChatJob>,
    ) {
        let mine = self.sessions[self.side.index()] == session;
        if !mine || by == self.connection {
            return;
        }
        if self.ownership.is_provisional() && self.side == to {
            let before = self.side;
            self.swap();
            self.arrive(Some(before), out);
        } else if self.ownership.other_left(by) {
            self.come_back(out);
            self.arrive(None, out);
        }
    }

    pub(super) fn arrive(&mut self, instead_of: Option<Side>, out: &mut Actions<ChatJob>) {
        out.push(Action::Queue(ChatJob::Arrive {
            side: self.side,
            instead_of,
        }));
    }

    /// Does what a frame asks for, if it may speak for this side.
    pub(super) fn act(
        &mut self,
        frame: ChatFrame,
        voice: Voice,
        now: Now,
        out: &mut Actions<ChatJob>,
    ) {
        if self.is_owner(frame.user_id.as_deref(), out) {
            return self.on_chat_action(frame.action, voice, now, out);
        }
        let client_id = match &frame.action {
            ChatAction::Send { client_id, .. } | ChatAction::Recall { client_id, .. } => {
                client_id.as_deref()
            }
            ChatAction::React { target, .. } => {
                return self.fail_reaction(ErrorCode::NotAMember, target, out);
            }
            _ => None,
        };
        self.fail(ErrorCode::NotAMember, client_id, out);
    }

    fn on_chat_action(
        &mut self,
        action: ChatAction,
        voice: Voice,
        now: Now,
        out: &mut Actions<ChatJob>,
    ) {
        let side = self.side;
        match action {
            ChatAction::Send {
                content,
                reply_to,
                client_id,
            } => {
                self.typing = None;
                let client_id = client_id.unwrap_or_else(server_made_name);
                out.push(Action::Queue(ChatJob::Append(Draft {
                    room: self.people.room,
                    side,
                    client_id,
                    content,
                    reply_to,
                    unheard: voice == Voice::Unheard,
                })));
            }
            ChatAction::Recall { target, client_id } => out.push(Action::Queue(ChatJob::Recall {
                target,
                client_id,
                side,
            })),
            ChatAction::Delete { target } => {
                out.push(Action::Queue(ChatJob::Hide { target, side }));
            }
            ChatAction::React { target, reaction } => {
                out.push(Action::Queue(ChatJob::React(ReactionDraft {
                    room: self.people.room,
                    side,
                    target,
                    reaction,
                    unheard: voice == Voice::Unheard,
                })));
            }
            ChatAction::FindNext => out.push(Action::Queue(ChatJob::Leave { side, block: None })),
            ChatAction::Block => self.block(side, out),
            ChatAction::Report(request) => out.push(Action::Queue(ChatJob::Report {
                side,
                session: self.sessions[side.index()],
                request,
            })),
            ChatAction::CallMe(subscription) => {
                out.push(Action::Queue(ChatJob::Subscribe { side, subscription }));
            }
            ChatAction::Acknowledge(notice) => {
                let session = self.sessions[side.index()];
                out.push(Action::Queue(ChatJob::Acknowledge(session, notice)));
            }
            // What passes is not passed on of a person that no one hears.
            ChatAction::Typing(_) | ChatAction::Leaving(_) | ChatAction::Read(_)
                if voice == Voice::Unheard => {}
            ChatAction::Typing(is_typing) => self.on_typing(is_typing, now, out),
            ChatAction::Leaving(is_leaving) => self.on_leaving(is_leaving, out),
            ChatAction::Read(seq) => self.on_read(seq, out),
            // Also where a newer connection speaks: this one has an end that listens all the same.
            ChatAction::AreYouThere => out.push(Action::Vouch),
        }
    }

    fn block(&self, side: Side, out: &mut Actions<ChatJob>) {
        let block = (
            self.sessions[side.index()],
            self.sessions[side.other().index()],
        );
        out.push(Action::Queue(ChatJob::Leave {
            side,
            block: Some(block),
        }));
    }

    /// A report that stands blocks as well, if it was to; one that does not leaves everything as it is, to be made
    /// again.
    pub(super) fn on_reported(
        &self,
        side: Side,
        reported: Result<ReportId, NotReported>,
        block: bool,
        out: &mut Actions<ChatJob>,
    ) {
        let stands = match &reported {
            Ok(_) => true,
            Err(why) => why.stands(),
        };
        match reported {
            Ok(report) => self.tell(self.encoder.reported(report), out),
            Err(why) => {
                let code = report_error(&why);
                out.push(Action::Erred(code));
                self.tell(self.encoder.error(code, None, why.retry_after()), out);
            }
        }
        if block && stands {
            self.block(side, out);
        }
    }

    /// That it ends is passed on when it was said to begin; that it begins, seldom: else it would be a way to speak.
    pub(super) fn on_typing(&mut self, is_typing: bool, now: Now, out: &mut Actions<ChatJob>) {
        let said = self.typing.as_deref().copied();
        let news = match is_typing {
            true => said.is_none_or(|it| now.instant >= it.begun + TYPING_AGAIN),
            false => said.is_some_and(|it| it.on),
        };
        if !self.room.is_open() || !news {
            return;
        }
        let begun = match said {
            Some(it) if !is_typing => it.begun,
            _ => now.instant,
        };
        let on = is_typing;
        self.typing = Some(Box::new(OwnTyping { begun, on }));
        out.push(Action::Queue(ChatJob::Publish(Frame::Typing {
            side: self.side,
            is_typing,
        })));
    }

    pub(super) fn on_typing_of(
        &mut self,
        side: Side,
        is_typing: bool,
        now: Now,
        out: &mut Actions<ChatJob>,
    ) {
        if side != self.side && self.partner.typing(is_typing, now.instant) {
            self.tell(self.encoder.partner_typing(is_typing), out);
        }
    }

    fn on_leaving(&mut self, is_leaving: bool, out: &mut Actions<ChatJob>) {
        if self.room.is_open() {
            let side = self.side;
            let leaving = Frame::Leaving { side, is_leaving };
            out.push(Action::Queue(ChatJob::Publish(leaving)));
        }
    }

    /// Passed on as it was said: a client forgets it by itself, and with each connection of its partner's.
    pub(super) fn on_leaving_of(
        &mut self,
        side: Side,
        is_leaving: bool,
        out: &mut Actions<ChatJob>,
    ) {
        if side != self.side && self.room.is_open() && self.knows_newer_frames() {
            self.tell(self.encoder.partner_leaving(is_leaving), out);
        }
    }

    pub(super) fn on_read(&mut self, seq: Seq, out: &mut Actions<ChatJob>) {
        let seq = seq.min(self.stream.last());
        // A room that has closed tells nothing more of its people.
        if !self.room.is_open() || !self.progress.has_read(seq) {
            return;
        }
        let side = self.side;
        let read_state = self.progress.read_state();
        out.push(Action::Queue(ChatJob::SaveReadState { side, read_state }));
        out.push(Action::Queue(ChatJob::Publish(Frame::Read { side, seq })));
    }
}

fn report_error(why: &NotReported) -> ErrorCode {
    match why {
        NotReported::Off => ErrorCode::ReportsOff,
        NotReported::Already => ErrorCode::AlreadyReported,
        NotReported::SameSession => ErrorCode::SameSession,
        // Erased while its last connection is told so, or never this session's: it says the same.
        NotReported::NoSuchRoom | NotReported::NotAMember => ErrorCode::NotAMember,
        NotReported::TooMany => ErrorCode::TooManyReports,
        NotReported::RateLimited(_) => ErrorCode::RateLimited,
        NotReported::Unavailable => ErrorCode::Unavailable,
    }
}

/// For a client that gives its message no name: nothing of it is idempotent then.
fn server_made_name() -> String {
    format!("srv-{}", uuid::Uuid::new_v4().simple())
}
