//! The chat machine's jobs against the store and the channel layer.

use std::net::IpAddr;
use std::sync::Arc;

use crate::admission::client::Tongue;
use crate::admission::memory_budget::{Class, MemoryBudget, Reservation};
use crate::channel::{ChannelLayer, Frame, GroupId, Membership};
use crate::chat::{Chat, ChatJob, ChatOutcome};
use crate::domain::id::{Address, RoomId, Seq, SessionId, Side};
use crate::domain::{LeaveReason, MessageRef, Subscription};
use crate::protocol::client::ReportRequest;
use crate::push::recipient::PushHosts;
use crate::safety::{NotReported, NoticeBoard, Reporter, Reporting};
use crate::state_machine::Io;
use crate::store::{Arrival, PageLimit, ReactionDraft, ReadState, SideClaim, Store, StoreError};
use crate::tasks::Drain;
use crate::telemetry;

mod depart_retry;
mod in_flight;

pub use self::depart_retry::DepartRetry;
pub use self::in_flight::ChatInFlight;
use self::in_flight::other;

/// What all chat connections reach.
pub struct ChatServices {
    /// The truth.
    pub store: Arc<dyn Store>,
    /// Rooms' other connections.
    pub channel: Arc<dyn ChannelLayer>,
    /// The most entries of a page: `limits.page_entries`.
    pub page_entries: usize,
    /// What pages are reserved from.
    pub memory: Arc<MemoryBudget>,
    /// The most bytes of a page: `limits.page_bytes`.
    pub page_bytes: usize,
    /// For departures that the store could not take yet.
    pub drain: Drain,
    /// Takes reports.
    pub reporting: Arc<Reporting>,
    /// Which push services may call people who are away; `None`: people are not called.
    pub push_hosts: Option<Arc<PushHosts>>,
    /// What people are told of decisions and by the site.
    pub board: Arc<NoticeBoard>,
}

impl ChatServices {
    /// What a page takes while it is read, encoded and written, in bytes.
    pub fn page_memory(&self) -> usize {
        self.page_bytes + AROUND_PAGE
    }
}

/// What one of them does.
pub struct ChatIo {
    /// With this.
    pub reach: Arc<ChatServices>,
    /// As the connection of this room, heard for as long as the connection lives.
    pub membership: Membership,
    /// Whose address is this.
    address: IpAddr,
    /// In which language the site speaks to it.
    language: Tongue,
    /// For the page that is read or written.
    page: Option<Box<Reservation>>,
}

/// What a page takes beside its texts: its entries, and pieces of it on their way to the kernel.
const AROUND_PAGE: usize = 64 * 1024;

impl Io<Chat> for ChatIo {
    type InFlight = ChatInFlight;

    fn start(&mut self, job: ChatJob) -> ChatInFlight {
        match job {
            ChatJob::Append(draft) => {
                let client_id = draft.client_id.clone();
                ChatInFlight::Append(client_id, self.reach.store.append(draft))
            }
            ChatJob::Recall {
                target,
                client_id,
                side,
            } => self.recall(side, target, client_id),
            ChatJob::Hide { target, side } => {
                let hiding = self.reach.store.hide(self.room(), side, target);
                other(async move { ChatOutcome::Hidden(hiding.await) })
            }
            ChatJob::React(draft) => self.react(draft),
            ChatJob::Leave { side, block } => self.leave(side, block),
            ChatJob::Report {
                side,
                session,
                request,
            } => self.report(side, session, *request),
            ChatJob::Arrive { side, instead_of } => self.arrive(side, instead_of),
            ChatJob::Publish(frame) => self.publish(frame),
            ChatJob::SaveReadState { side, read_state } => {
                self.reach
                    .store
                    .save_read_state(self.room(), side, read_state);
                ChatInFlight::Done
            }
            ChatJob::Page {
                side,
                after,
                names,
                with_room,
                cause,
            } => {
                if !self.reserve_page() {
                    // The machine asks again after a moment, for as long as the connection lives.
                    let error = StoreError::Unavailable("limits.memory is in use".into());
                    return other(async move { ChatOutcome::Paged(Err(error), None) });
                }
                metrics::counter!(telemetry::PAGES, "cause" => cause).increment(1);
                self.page(side, after, names, with_room)
            }
            ChatJob::Subscribe { side, subscription } => self.subscribe(side, subscription),
            ChatJob::Notices(session) => self.notices(session),
            ChatJob::Acknowledge(session, notice) => {
                let board = Arc::clone(&self.reach.board);
                other(async move {
                    board.confirm(session, notice).await;
                    ChatOutcome::Done
                })
            }
            ChatJob::Depart {
                side,
                version,
                read_state,
            } => self.depart(side, version, read_state),
        }
    }

    fn settled(&mut self) {
        self.page = None;
    }
}

impl ChatIo {
    /// For a connection of this address, in the room of its membership.
    pub fn new(reach: Arc<ChatServices>, membership: Membership, address: IpAddr) -> Self {
        Self {
            reach,
            membership,
            address,
            language: Tongue::default(),
            page: None,
        }
    }

    /// The same where the site speaks this language to it.
    #[must_use]
    pub fn speaking(self, language: Tongue) -> Self {
        Self { language, ..self }
    }

    /// Holds memory for a page until it is written.
    fn reserve_page(&mut self) -> bool {
        self.page = None;
        let memory = &self.reach.memory;
        let reserved = memory.reserve(self.address, Class::InRoom, self.reach.page_memory());
        self.page = reserved.ok().map(Box::new);
        self.page.is_some()
    }

    fn room(&self) -> RoomId {
        match self.membership.group() {
            GroupId::Room(room) => room,
            group => unreachable!("a chat connection joins a room, not {group:?}"),
        }
    }

    fn recall(&self, side: Side, target: MessageRef, client_id: Option<String>) -> ChatInFlight {
        let store = &self.reach.store;
        let recalling = store.recall(self.room(), side, target, client_id.clone());
        other(async move { ChatOutcome::Recalled(client_id, recalling.await) })
    }

    fn react(&self, draft: ReactionDraft) -> ChatInFlight {
        let (side, target) = (draft.side, draft.target.clone());
        let reacting = self.reach.store.react(draft);
        other(async move { ChatOutcome::Reacted(side, target, reacting.await) })
    }

    fn subscribe(&self, side: Side, subscription: Option<Box<Subscription>>) -> ChatInFlight {
        let hosts = self.reach.push_hosts.as_ref();
        let fits = |it: &Subscription| hosts.is_some_and(|hosts| hosts.recipient(it).is_some());
        let subscription = subscription.filter(|it| fits(it)).map(|it| *it);
        let subscribing = self.reach.store.subscribe(self.room(), side, subscription);
        let (channel, group) = (Arc::clone(&self.reach.channel), GroupId::Room(self.room()));
        other(async move {
            // A store that does not answer keeps nothing, as far as the person is told.
            let on = subscribing.await.unwrap_or(false);
            channel.publish(group, Frame::Callable { side, on });
            ChatOutcome::Subscribed(on)
        })
    }

    fn notices(&self, session: SessionId) -> ChatInFlight {
        let (board, language) = (Arc::clone(&self.reach.board), self.language);
        other(async move { ChatOutcome::Notices(board.untold(session, language).await) })
    }

    /// Not before its turn: "is typing" after a message must not overtake the message.
    fn publish(&self, frame: Frame) -> ChatInFlight {
        let (channel, group) = (Arc::clone(&self.reach.channel), GroupId::Room(self.room()));
        other(async move {
            channel.publish(group, frame);
            ChatOutcome::Done
        })
    }

    /// A page of the log, and the room itself if signals may have been lost.
    fn page(&self, side: Side, after: Seq, names: usize, with_room: bool) -> ChatInFlight {
        let room = with_room.then(|| self.reach.store.room(self.room()));
        let limit = PageLimit {
            entries: self.reach.page_entries,
            bytes: self.reach.page_bytes,
            names,
        };
        let page = self.reach.store.page(self.room(), side, after, limit);
        other(async move {
            let room = match room {
                Some(room) => match room.await {
                    Ok(room) => room.map(Box::new),
                    // Both are asked for again, or signals that were lost stay lost.
                    Err(error) => return ChatOutcome::Paged(Err(error), None),
                },
                None => None,
            };
            ChatOutcome::Paged(page.await, room)
        })
    }

    fn leave(&self, side: Side, block: Option<(SessionId, SessionId)>) -> ChatInFlight {
        let blocking = block.map(|(by, whom)| self.reach.store.block(by, whom, self.room()));
        let closing = self
            .reach
            .store
            .close_room(self.room(), side, LeaveReason::Left);
        other(async move {
            // The room closes even when the block could not be kept; the client is told of that.
            let closed = closing.await;
            match blocking {
                Some(blocking) => match (blocking.await, closed) {
                    (Ok(()), Ok(_)) => ChatOutcome::Blocked,
                    (Err(error), _) | (_, Err(error)) => ChatOutcome::Left(Err(error)),
                },
                None => ChatOutcome::Left(closed),
            }
        })
    }

    fn report(&self, side: Side, session: SessionId, request: ReportRequest) -> ChatInFlight {
        let reporting = Arc::clone(&self.reach.reporting);
        let reporter = Reporter {
            session,
            room: self.room(),
            side,
            address: self.address,
        };
        // Its claims are as large as many messages.
        let memory = &self.reach.memory;
        let held = memory.reserve(self.address, Class::InRoom, request.bytes());
        other(async move {
            let block = request.block;
            let reported = match held {
                Ok(_held) => reporting.report(reporter, request).await,
                Err(_) => Err(NotReported::Unavailable),
            };
            ChatOutcome::Reported(side, reported, block)
        })
    }

    fn arrive(&self, side: Side, instead_of: Option<Side>) -> ChatInFlight {
        let (room, connection) = (self.room(), self.membership.address());
        let read_state = ReadState::default();
        let left = instead_of.map(|old| {
            let leaving = self.leaving(old, read_state);
            (
                self.reach.store.depart(room, old, connection, read_state),
                leaving,
            )
        });
        let place = match instead_of {
            Some(_) => SideClaim::Side(side),
            None => SideClaim::IfFree(side),
        };
        let arriving = self.reach.store.arrive(room, place, connection);
        let (channel, drain) = (Arc::clone(&self.reach.channel), self.reach.drain.clone());
        other(async move {
            if let Some((departing, leaving)) = left {
                match departing.await {
                    Ok(away) => leaving.publish(away),
                    // Owed, whatever becomes of the arrival: nothing else would ever undo it.
                    Err(StoreError::Unavailable(_)) => leaving.later(&drain),
                    Err(_) => {}
                }
            }
            match arriving.await {
                Err(_) => ChatOutcome::NotArrived(instead_of),
                Ok(Some(arrival)) if arrival.room.active() => {
                    announce(&*channel, &arrival, connection);
                    ChatOutcome::Arrived(side, arrival.room.side(side).presence())
                }
                Ok(_) => ChatOutcome::Done,
            }
        })
    }

    fn leaving(&self, side: Side, read_state: ReadState) -> DepartRetry {
        DepartRetry {
            store: Arc::clone(&self.reach.store),
            channel: Arc::clone(&self.reach.channel),
            room: self.room(),
            side,
            connection: self.membership.address(),
            read_state,
        }
    }

    fn depart(&self, side: Side, version: u64, read_state: ReadState) -> ChatInFlight {
        let leaving = self.leaving(side, read_state);
        let departing = self
            .reach
            .store
            .depart(self.room(), side, leaving.connection, read_state);
        let drain = self.reach.drain.clone();
        other(async move {
            match departing.await {
                Ok(away) => leaving.publish(away),
                Err(StoreError::Unavailable(_)) => {
                    leaving.publish(Some(version));
                    // The queue of clean-ups must not wait for the disk: this goes on beside it.
                    leaving.later(&drain);
                }
                Err(_) => leaving.publish(None),
            }
            ChatOutcome::Done
        })
    }
}

/// Tells the room of a connection that owns its side now; in a closed room no connection does.
pub fn announce(channel: &dyn ChannelLayer, arrival: &Arrival, connection: Address) {
    let Arrival { room, side, .. } = arrival;
    let here = room.side(*side);
    if here.connection == Some(connection) {
        let opened = Frame::Opened {
            side: *side,
            connection,
            version: here.version,
        };
        channel.publish(GroupId::Room(room.id), opened);
    }
}
