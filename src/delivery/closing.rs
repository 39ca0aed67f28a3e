//! Ending connections that belong together, here and on every node: those to a room, those of a browser,
//! or all.

use std::sync::Arc;

use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::online::Online;
use crate::channel::{ChannelLayer, Frame, GroupClosing, GroupId};
use crate::protocol::CloseReason;

/// Ends the connections of groups. Cheap to clone.
#[derive(Clone)]
pub struct Closer {
    online: Online,
    channel: Arc<dyn ChannelLayer>,
}

impl Closer {
    /// Of the connections of this node, and of others by this channel layer.
    pub fn new(online: Online, channel: Arc<dyn ChannelLayer>) -> Self {
        Self { online, channel }
    }

    /// Ends the connections that the group has now, on every node, each with the code of this reason. It waits
    /// for none of them. Another node may miss it: what must hold has to be written down besides.
    pub fn close(&self, group: GroupId, reason: CloseReason) {
        let closing = GroupClosing { group, reason };
        self.close_here(closing);
        self.channel.close_elsewhere(closing);
    }

    fn close_here(&self, GroupClosing { group, reason }: GroupClosing) {
        match group {
            GroupId::Room(_) => self.channel.publish_here(group, Frame::Close(reason)),
            GroupId::Session(session) if reason == CloseReason::Forgotten => {
                self.online.forget(session);
            }
            GroupId::Session(session) => self.online.close(session, reason),
            GroupId::Everybody => self.online.close_all(reason),
        }
    }

    /// Does here what other nodes ask for, until this token is cancelled.
    pub async fn run(self, stop: CancellationToken) {
        let Some(mut closings) = self.channel.closings() else {
            return;
        };
        loop {
            let heard = tokio::select! {
                () = stop.cancelled() => return,
                heard = closings.recv() => heard,
            };
            match heard {
                Ok(closing) => self.close_here(closing),
                // Their sockets stay until they close by themselves; what they may do, the store decides.
                Err(RecvError::Lagged(missed)) => warn!(missed, "closings of groups unheard"),
                Err(RecvError::Closed) => return,
            }
        }
    }
}
