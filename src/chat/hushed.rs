//! A side whose person may not speak: what it asks for is refused or left out, and everything else goes on. And what
//! it is told of that.

use crate::chat::{Chat, ChatJob};
use crate::domain::id::Timestamp;
use crate::protocol::client::{ChatAction, ChatFrame};
use crate::protocol::{ErrorCode, NoticeView};
use crate::state_machine::{Action, Actions, Now, Voice};

impl Chat {
    /// Takes what may not be said out of a frame; what is left of it is to be done.
    pub(super) fn hush(
        &mut self,
        frame: ChatFrame,
        voice: Voice,
        now: Now,
        out: &mut Actions<ChatJob>,
    ) -> Option<ChatFrame> {
        let until = match voice {
            // Who is heard by no one is answered as all are: what of it is passed on is decided where it is done.
            Voice::Free | Voice::Unheard => return Some(frame),
            Voice::Muted(until) => until,
        };
        match &frame.action {
            ChatAction::Send { client_id, .. } => {
                self.muted(client_id.as_deref(), until, now, out);
                None
            }
            ChatAction::React { target, .. } => {
                out.push(Action::Erred(ErrorCode::Muted));
                self.tell(self.encoder.reaction_error(ErrorCode::Muted, target), out);
                None
            }
            // A person who cannot say anything is not about to, and says nothing by signs either.
            ChatAction::Typing(_) | ChatAction::Leaving(_) => None,
            _ => Some(frame),
        }
    }

    fn muted(
        &self,
        client_id: Option<&str>,
        until: Option<Timestamp>,
        now: Now,
        out: &mut Actions<ChatJob>,
    ) {
        let left = until.map(|until| until.since(now.wall));
        out.push(Action::Erred(ErrorCode::Muted));
        self.tell(self.encoder.error(ErrorCode::Muted, client_id, left), out);
    }

    /// Each notice once a connection. One that was replaced is told nothing, and what it missed when it speaks again.
    pub(super) fn on_notices(
        &mut self,
        notices: Vec<NoticeView<'static>>,
        out: &mut Actions<ChatJob>,
    ) {
        if self.replaced() {
            return;
        }
        let news = self.told.news(notices).into_iter();
        out.extend(news.map(|it| Action::Write(self.encoder.notice(&it))));
    }
}
