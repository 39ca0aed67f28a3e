//! A store on empty data with a clock that tests move and a sink that remembers, for any backend.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use miyu::domain::id::{Address, NodeId, RoomId, Seq, SessionId, Side, TicketId, Timestamp};
use miyu::domain::{Entry, EntryKind, Pairing, Party, Persona, Profile, UserId};
use miyu::store::safety::SafetyStore;
use miyu::store::sqlite::{SqliteStore, SqliteTuning};
use miyu::store::{
    Appended, CommitSink, Committed, Draft, Durability, Page, PageLimit, SharedClock, SideClaim,
    Store, StoreRules,
};
use parking_lot::{Condvar, Mutex};

/// A clock that stands still until it is moved.
#[derive(Clone)]
pub struct Now(Arc<AtomicI64>);

impl Default for Now {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(1_800_000_000_000)))
    }
}

impl Now {
    pub fn get(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }

    pub fn advance(&self, by: Duration) {
        let millis = i64::try_from(by.as_millis()).unwrap();
        self.0.fetch_add(millis, Ordering::SeqCst);
    }

    pub fn clock(&self) -> SharedClock {
        let now = self.clone();
        Arc::new(move || now.get())
    }
}

/// Remembers what was published, in order; can be made to hold up the store.
#[derive(Default)]
pub struct Recorder {
    seen: Mutex<Vec<Committed>>,
    closing: Mutex<Vec<(RoomId, Timestamp)>>,
    held: Mutex<bool>,
    released: Condvar,
}

impl Recorder {
    /// Everything published so far about one room.
    pub fn of(&self, room: RoomId) -> Vec<Entry> {
        let seen = self.seen.lock();
        let mine = seen.iter().filter(|c| c.people.room == room);
        mine.map(|c| (*c.entry).clone()).collect()
    }

    /// The same, with what else was published of it.
    pub fn all_of(&self, room: RoomId) -> Vec<Committed> {
        let seen = self.seen.lock();
        seen.iter()
            .filter(|c| c.people.room == room)
            .cloned()
            .collect()
    }

    /// When a room's people were told that it closes, each time.
    pub fn closing(&self, room: RoomId) -> Vec<Timestamp> {
        let told = self.closing.lock();
        let mine = told.iter().filter(|(of, _)| *of == room);
        mine.map(|(_, at)| *at).collect()
    }

    pub fn count(&self) -> usize {
        self.seen.lock().len()
    }

    /// From now on publishing does not end until `release`.
    pub fn hold(&self) {
        *self.held.lock() = true;
    }

    pub fn release(&self) {
        *self.held.lock() = false;
        self.released.notify_all();
    }
}

impl CommitSink for Recorder {
    fn committed(&self, batch: &[Committed]) {
        self.seen.lock().extend_from_slice(batch);
        let mut held = self.held.lock();
        if *held {
            // A worker of the runtime may be what is held up: others must take over its work.
            tokio::task::block_in_place(|| self.released.wait_while(&mut held, |held| *held));
        }
    }

    fn closing(&self, room: RoomId, closes_at: Timestamp) {
        self.closing.lock().push((room, closes_at));
    }
}

/// Short rules; the clock stands still anyway.
pub fn rules() -> StoreRules {
    StoreRules {
        reconnect_grace: Duration::from_secs(300),
        arrival: Duration::from_secs(20),
        call_for: Duration::from_secs(900),
        retention: Duration::from_secs(24 * 3600),
        block_lifetime: Duration::from_secs(30 * 24 * 3600),
        room_entries: 50,
        room_bytes: 1 << 20,
        longest: Duration::ZERO,
        max_size: 0,
        blocks_per_session: 3,
        evidence_retention: Duration::from_secs(30 * 24 * 3600),
        record_retention: Duration::from_secs(365 * 24 * 3600),
        timeout: Duration::from_secs(20),
    }
}

/// What a store is opened with.
#[derive(Clone)]
pub struct Setting {
    pub rules: StoreRules,
    pub sink: Arc<Recorder>,
    pub now: Now,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            rules: rules(),
            sink: Arc::default(),
            now: Now::default(),
        }
    }
}

/// A kind of store, and one place with data of it.
pub trait Backend: Sized {
    /// A place with no data.
    async fn fresh() -> Self;
    /// Opens the data of this place; no other process has it open.
    async fn open(&self, setting: &Setting) -> Arc<dyn Store>;
    /// The same with what it keeps of people's safety, if it does.
    async fn open_whole(&self, setting: &Setting) -> Whole {
        Whole {
            store: self.open(setting).await,
            safety: None,
        }
    }
    /// Whether these bytes are anywhere in the data, which no process has open.
    async fn holds(&self, text: &str) -> bool;
    /// Runs this SQL on the data, which no process has open.
    async fn run(&self, sql: &str);
}

/// A store that is open, by what it keeps.
pub struct Whole {
    pub store: Arc<dyn Store>,
    pub safety: Option<Arc<dyn SafetyStore>>,
}

/// SQLite in a folder of its own, with sizes so small that every path runs.
pub struct Sqlite {
    pub folder: tempfile::TempDir,
}

/// Sizes at which a handful of rooms evicts, flushes and batches.
pub fn tiny() -> SqliteTuning {
    SqliteTuning {
        batch: 4,
        room_cache: 2,
        cached_entries: 64,
        behind: 1,
        scan: 8,
        idle: Duration::from_millis(100),
        erase_rows: 3,
        blocks: 20,
        close_rooms: 2,
        ..SqliteTuning::default()
    }
}

impl Sqlite {
    pub fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("data").join("miyu.db")
    }

    pub fn open_with(&self, setting: &Setting, tuning: SqliteTuning) -> Arc<SqliteStore> {
        let store = SqliteStore::open_tuned(
            &self.path(),
            Durability::Process,
            setting.rules.clone(),
            setting.sink.clone(),
            setting.now.clock(),
            tuning,
        );
        store.unwrap()
    }
}

impl Backend for Sqlite {
    async fn fresh() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    async fn open(&self, setting: &Setting) -> Arc<dyn Store> {
        self.open_with(setting, tiny())
    }

    async fn open_whole(&self, setting: &Setting) -> Whole {
        let store = self.open_with(setting, tiny());
        Whole {
            safety: Some(store.clone()),
            store,
        }
    }

    async fn holds(&self, text: &str) -> bool {
        let files = std::fs::read_dir(self.path().parent().unwrap()).unwrap();
        files.into_iter().any(|file| {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            bytes.windows(text.len()).any(|w| w == text.as_bytes())
        })
    }

    async fn run(&self, sql: &str) {
        let file = rusqlite::Connection::open(self.path()).unwrap();
        file.execute_batch(sql).unwrap();
        file.close().unwrap();
    }
}

/// A store with everything around it.
pub struct World<B> {
    pub backend: B,
    pub setting: Setting,
    store: Option<Whole>,
}

impl<B: Backend> World<B> {
    pub async fn new() -> Self {
        Self::with(rules()).await
    }

    pub async fn with(rules: StoreRules) -> Self {
        let setting = Setting {
            rules,
            sink: Arc::default(),
            now: Now::default(),
        };
        let backend = B::fresh().await;
        let store = Some(backend.open_whole(&setting).await);
        Self {
            backend,
            setting,
            store,
        }
    }

    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store.as_ref().expect("open").store
    }

    pub fn safety(&self) -> &Arc<dyn SafetyStore> {
        let whole = self.store.as_ref().expect("open");
        whole.safety.as_ref().expect("keeps people's safety")
    }

    pub fn sink(&self) -> &Recorder {
        &self.setting.sink
    }

    pub fn advance(&self, by: Duration) {
        self.setting.now.advance(by);
    }

    /// Closes in good order.
    pub async fn close(&mut self) {
        let whole = self.store.take().expect("open");
        whole.store.close().await.unwrap();
    }

    /// Opens after `close`.
    pub async fn open(&mut self) {
        self.store = Some(self.backend.open_whole(&self.setting).await);
    }

    pub async fn reopen(&mut self) {
        self.close().await;
        self.open().await;
    }

    /// Ends without closing.
    pub async fn crash(&mut self) {
        drop(self.store.take().expect("open"));
        self.open().await;
    }

    /// A new room of two new sessions, which both came.
    pub async fn room(&self) -> Pairing {
        let pairing = self.room_unvisited().await;
        for side in Side::BOTH {
            let place = SideClaim::Side(side);
            let arrived = self.store().arrive(pairing.room, place, address(side));
            let arrived = arrived.await;
            arrived.unwrap().unwrap();
        }
        pairing
    }

    /// A new room to which neither side has come.
    pub async fn room_unvisited(&self) -> Pairing {
        let pairing = pairing();
        self.store().create_room(&pairing).await.unwrap();
        pairing
    }

    /// Says something new; it must work.
    pub async fn say(&self, room: RoomId, side: Side, client_id: &str, text: &str) -> Entry {
        match self.append(room, side, client_id, text).await {
            Appended::Done(entry) => Arc::unwrap_or_clone(entry),
            other => panic!("not appended: {other:?}"),
        }
    }

    pub async fn append(&self, room: RoomId, side: Side, client_id: &str, text: &str) -> Appended {
        let draft = draft(room, side, client_id, text);
        self.store().append(draft).await.unwrap()
    }

    /// The whole log as this side sees it, page by page.
    pub async fn replay(&self, room: RoomId, side: Side) -> Vec<Entry> {
        self.replay_by(room, side, 7).await.0
    }

    /// The same with pages of a given size; also the last page.
    pub async fn replay_by(&self, room: RoomId, side: Side, limit: usize) -> (Vec<Entry>, Page) {
        let mut entries = Vec::new();
        let mut after = Seq::ZERO;
        loop {
            let page = self
                .store()
                .page(room, side, after, PageLimit::entries(limit))
                .await;
            let page = page.unwrap().expect("a room");
            entries.extend(page.entries.iter().cloned());
            after = page.upto;
            if page.upto == page.last_seq {
                return (entries, page);
            }
        }
    }
}

/// A connection of this side.
pub fn address(side: Side) -> Address {
    Address {
        node: NodeId(7),
        number: side.index() as u64,
    }
}

pub fn persona(name: &str) -> Persona {
    Persona {
        user_id: UserId::fresh(),
        profile: Profile::parse(name, "3", "happy", "female"),
    }
}

pub fn party(session: SessionId, name: &str) -> Party {
    Party {
        ticket: TicketId::fresh(),
        session,
        persona: persona(name),
        marks: Vec::new(),
        address: Address {
            node: NodeId(7),
            number: 0,
        },
    }
}

pub fn pairing() -> Pairing {
    pairing_of(SessionId::fresh(), SessionId::fresh())
}

pub fn pairing_of(a: SessionId, b: SessionId) -> Pairing {
    Pairing {
        room: RoomId::fresh(),
        parties: [party(a, "甲"), party(b, "乙")],
        common_tags: vec!["音樂".into()],
        is_bot: false,
    }
}

pub fn draft(room: RoomId, side: Side, client_id: &str, text: &str) -> Draft {
    Draft {
        unheard: false,
        room,
        side,
        client_id: client_id.into(),
        content: text.into(),
        reply_to: None,
    }
}

/// What a message entry says now.
pub fn content(entry: &Entry) -> Option<&str> {
    match &entry.kind {
        EntryKind::Message { content, .. } => content.as_deref(),
        other => panic!("no message: {other:?}"),
    }
}

/// The seqs of entries.
pub fn seqs(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.seq.0).collect()
}
