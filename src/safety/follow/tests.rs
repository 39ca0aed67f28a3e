//! What is decided between two reads of the store: the order of the reads is forced, not left to luck.

use parking_lot::Mutex;

use super::*;
use crate::admission::client::Tongue;
use crate::domain::LeaveReason;
use crate::domain::id::{Address, RoomId, Side};
use crate::domain::safety::{
    Actor, AppealState, Notice, NoticeId, NoticeKind, Reason, SanctionDraft, Setting, SettingName,
};
use crate::domain::{Pairing, Position, Room};
use crate::state_machine::Voice;
use crate::store::safety::{Acted, Appealed, InForce, LISTED};
use crate::store::{Arrival, Pending, ReadState, SideClaim};

const SESSION: SessionId = SessionId([7; 16]);
/// Longer than any test.
const HOUR: i64 = 3_600_000;

/// What is committed between two reads.
type Commit = Box<dyn FnOnce(&Book) + Send>;

/// What was committed: a store of decisions that does something after its next answer, before the caller goes on.
#[derive(Default)]
struct Book {
    rows: Mutex<Vec<Sanction>>,
    notices: Mutex<Vec<Notice>>,
    between: Mutex<Option<Commit>>,
    /// It answers nothing any more.
    silent: Mutex<bool>,
}

impl Book {
    fn between(&self, act: impl FnOnce(&Self) + Send + 'static) {
        *self.between.lock() = Some(Box::new(act));
    }

    /// Answers what is so now; what happens next has not happened for this answer.
    fn answer<T>(&self, answer: T) -> Pending<T> {
        if *self.silent.lock() {
            return Pending::known(Err(StoreError::Unavailable("the disk is full".into())));
        }
        let act = self.between.lock().take();
        if let Some(act) = act {
            act(self);
        }
        Pending::known(Ok(answer))
    }

    fn add(&self, kind: SanctionKind, lifts: Option<SanctionId>) -> SanctionId {
        let mut rows = self.rows.lock();
        let id = SanctionId(rows.len() as u64 + 1);
        rows.push(Sanction {
            id,
            target: SanctionTarget::Session(SESSION),
            kind,
            rule: Reason::Spam,
            at: Timestamp(0),
            until: Some(Timestamp(Now::read().wall.0 + HOUR)),
            lifts,
            lifted_by: None,
            automatic: false,
            by: None,
            case: None,
        });
        id
    }

    /// Imposes it with its notice, as one commit.
    fn imposes(&self, kind: SanctionKind) -> SanctionId {
        let id = self.add(kind, None);
        self.notices.lock().push(Notice {
            id: NoticeId::fresh(),
            to: SESSION,
            kind: NoticeKind::of(kind).expect("it is told"),
            rule: Some(Reason::Spam),
            text: String::new(),
            from: Timestamp(0),
            until: None,
            automatic: false,
            acted: None,
            sanction: Some(id),
            acknowledged: None,
            appeal: AppealState::Possible,
        });
        id
    }

    fn is_lifted(&self, id: SanctionId) -> bool {
        self.rows.lock().iter().any(|it| it.lifts == Some(id))
    }
}

impl Sanctions for Book {
    fn impose(&self, _: SanctionDraft, _: Reason, _: String, _: Actor) -> Pending<Acted<Sanction>> {
        unreachable!()
    }

    fn lift_sanction(&self, _: SanctionId, _: String, _: Actor) -> Pending<Acted<Sanction>> {
        unreachable!()
    }

    fn sanctions_in_force(&self, after: SanctionId) -> Pending<InForce> {
        let rows = self.rows.lock().clone();
        let holds = |it: &Sanction| it.id > after && it.lifts.is_none() && !self.is_lifted(it.id);
        let mut sanctions: Vec<Sanction> = rows.iter().copied().filter(holds).collect();
        let more = sanctions.len() > LISTED;
        sanctions.truncate(LISTED);
        let newest = rows.last().map_or(SanctionId(0), |it| it.id);
        self.answer(InForce {
            sanctions,
            newest,
            more,
        })
    }

    fn sanctions_since(&self, after: SanctionId) -> Pending<Vec<Sanction>> {
        let mut rows = self.rows.lock().clone();
        rows.retain(|it| it.id > after);
        rows.truncate(LISTED);
        self.answer(rows)
    }

    fn sanctions_on(&self, _: SanctionTarget) -> Pending<Vec<Sanction>> {
        unreachable!()
    }

    fn notices(&self, to: SessionId) -> Pending<Vec<Notice>> {
        let mut notices = self.notices.lock().clone();
        notices.retain(|it| it.to == to);
        notices.reverse();
        self.answer(notices)
    }

    fn unread_since(&self, after: u64) -> Pending<Vec<(u64, SessionId)>> {
        let notices = self.notices.lock().clone();
        let numbered = (1..).zip(&notices).map(|(number, it)| (number, it.to));
        let mut unread: Vec<_> = numbered.filter(|(number, _)| *number > after).collect();
        unread.truncate(LISTED);
        self.answer(unread)
    }

    fn acknowledge(&self, _: SessionId, _: NoticeId) -> Pending<bool> {
        unreachable!()
    }

    fn appeal(&self, _: SessionId, _: NoticeId, _: String) -> Pending<Appealed> {
        unreachable!()
    }
}

impl Settings for Book {
    fn settings(&self) -> Pending<Vec<Setting>> {
        self.answer(Vec::new())
    }

    fn put_setting(
        &self,
        _: SettingName,
        _: Option<String>,
        _: Option<u64>,
        _: Actor,
    ) -> Pending<Acted<()>> {
        unreachable!()
    }
}

/// No one is in a room.
struct Empty;

impl Rooms for Empty {
    fn create_room(&self, _: &Pairing) -> Pending<()> {
        unreachable!()
    }
    fn room(&self, _: RoomId) -> Pending<Option<Room>> {
        unreachable!()
    }
    fn open_rooms(&self, _: SessionId) -> Pending<Vec<Room>> {
        Pending::known(Ok(Vec::new()))
    }
    fn arrive(&self, _: RoomId, _: SideClaim, _: Address) -> Pending<Option<Arrival>> {
        unreachable!()
    }
    fn depart(&self, _: RoomId, _: Side, _: Address, _: ReadState) -> Pending<Option<u64>> {
        unreachable!()
    }
    fn positions(&self, _: Vec<RoomId>) -> Pending<Vec<Position>> {
        unreachable!()
    }
    fn save_read_state(&self, _: RoomId, _: Side, _: ReadState) {}
    fn close_room(&self, _: RoomId, _: Side, _: LeaveReason) -> Pending<bool> {
        unreachable!()
    }
    fn count_open_rooms(&self) -> u64 {
        0
    }
}

fn node(book: &Arc<Book>) -> Follower {
    let sanctions = Arc::<SanctionSet>::default();
    let drain = Drain::new();
    Follower {
        decided: book.clone(),
        settings: book.clone(),
        rooms: Arc::new(Empty),
        board: Arc::new(NoticeBoard::new(book.clone(), Arc::clone(&sanctions))),
        online: Online::new(drain.token().clone(), Arc::default()),
        sanctions,
        drain,
    }
}

impl Follower {
    fn is_muted(&self) -> bool {
        matches!(
            self.sanctions.voice(SESSION, Now::read().wall),
            Voice::Muted(_)
        )
    }

    /// What a socket of the person would be told now.
    async fn told(&self) -> Vec<&'static str> {
        let views = self.board.untold(SESSION, Tongue::default()).await;
        views.iter().map(|it| it.kind).collect()
    }
}

#[tokio::test]
async fn who_is_woken_by_a_mute_is_told_of_it() {
    // After so many of the reads of this look it is committed.
    for reads in 0..4 {
        let book = Arc::<Book>::default();
        let node = node(&book);
        node.fill().await.unwrap();
        let before = node.online.end_of(SESSION);
        after(&book, reads, |book| {
            book.imposes(SanctionKind::Mute);
        });
        node.catch_up().await.unwrap();
        // They are woken by the notice, once: then the mute has to be there, or what they are told of would be taken for
        // one that was lifted, and they would hear nothing of it.
        if node.online.nudged(SESSION, before.since) {
            assert_eq!(node.told().await, ["mute"], "after {reads} reads");
        }
        node.catch_up().await.unwrap();
        assert!(node.online.nudged(SESSION, before.since));
        assert_eq!((node.told().await, node.is_muted()), (vec!["mute"], true));
    }
}

#[tokio::test]
async fn what_holds_goes_on_to_hold_while_a_store_that_was_put_back_is_read_anew() {
    // After so many of the reads the store falls silent.
    for reads in 0..6 {
        let book = Arc::<Book>::default();
        // The copy has more than one stretch, with the mute in the second, and the newest rows are not in it.
        for _ in 0..=LISTED {
            book.add(SanctionKind::Warning, None);
        }
        book.imposes(SanctionKind::Mute);
        for _ in 0..3 {
            book.add(SanctionKind::Note, None);
        }
        let node = node(&book);
        node.fill().await.unwrap();
        book.rows.lock().truncate(LISTED + 2);
        after(&book, reads, |book| *book.silent.lock() = true);
        let looked = node.catch_up().await;
        assert!(looked.is_err() && node.is_muted(), "after {reads} reads");
        *book.silent.lock() = false;
        node.catch_up().await.unwrap();
        assert!(node.is_muted(), "after {reads} reads");
        assert_eq!(node.sanctions.newest(), SanctionId(LISTED as u64 + 2));
        assert_eq!(node.sanctions.counts(), [LISTED + 2, 0]);
    }
}

#[tokio::test]
async fn nothing_that_is_committed_between_two_reads_is_lost() {
    // After so many of the reads at the start and of the first look it is committed.
    for reads in 0..9 {
        let book = Arc::<Book>::default();
        let lifted = book.add(SanctionKind::ShadowMute, None);
        // More than one stretch, so that there is a between.
        for _ in 0..=LISTED {
            book.add(SanctionKind::Warning, None);
        }
        let node = node(&book);
        after(&book, reads, move |book| {
            book.imposes(SanctionKind::Mute);
            book.add(SanctionKind::ShadowMute, Some(lifted));
        });
        node.fill().await.unwrap();
        node.catch_up().await.unwrap();
        // Four reads fill it; the first look asks for the newest row, for notices and then for sanctions.
        let known = reads <= 5;
        assert_eq!(node.is_muted(), known, "after {reads} reads");
        let target = SanctionTarget::Session(SESSION);
        let shadow = node.sanctions.holds(target, lifted, Now::read().wall);
        assert_eq!(!shadow, known, "after {reads} reads");
        // What this look missed the next one has.
        node.catch_up().await.unwrap();
        assert!(node.is_muted() && !node.sanctions.holds(target, lifted, Now::read().wall));
        assert_eq!(node.told().await, ["mute"]);
    }
}

/// Does this after so many more answers.
fn after(book: &Book, reads: usize, act: impl FnOnce(&Book) + Send + 'static) {
    match reads {
        0 => book.between(act),
        more => book.between(move |book| after(book, more - 1, act)),
    }
}

#[tokio::test]
async fn a_ban_closes_the_sockets_that_are_open_and_no_later_one_twice() {
    let book = Arc::<Book>::default();
    let node = node(&book);
    node.fill().await.unwrap();
    let open = node.online.end_of(SESSION);
    let ban = book.imposes(SanctionKind::Ban);
    node.catch_up().await.unwrap();
    let ended = node.online.ended(SESSION, open.since);
    assert_eq!(ended, Some(CloseReason::Banned));
    book.add(SanctionKind::Ban, Some(ban));
    node.catch_up().await.unwrap();
    let back = node.online.end_of(SESSION);
    node.catch_up().await.unwrap();
    assert_eq!(node.online.ended(SESSION, back.since), None);
    // Imposed and lifted before this node looked: no one is sent away.
    let ban = book.imposes(SanctionKind::Ban);
    book.add(SanctionKind::Ban, Some(ban));
    node.catch_up().await.unwrap();
    assert_eq!(node.online.ended(SESSION, back.since), None);
}
