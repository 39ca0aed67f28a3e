//! Answers that are lost on the way: a batch that happened is told and published once, one that did
//! not is done again, and one that comes late changes nothing.

use std::sync::Arc;
use std::time::Duration;

use miyu::domain::id::{Seq, Side};
use miyu::store::postgres::{PostgresStore, Target};
use miyu::store::{Appended, Entries};
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::{log, new_room, plain};
use crate::support::postgres::{Postgres, server, setup};
use crate::support::store::{Backend, draft, seqs};

const A: Side = Side::A;
const HOUR: Duration = Duration::from_secs(3600);

/// What the way to the server does to the next thing said, once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trick {
    Nothing,
    /// The server's answer is lost, and the connection with it.
    LoseAnswer,
    /// The request is lost, and the connection with it.
    LoseRequest,
    /// The connection is lost; the request comes to the server when `late` says so.
    DelayRequest,
}

/// A way to the server that plays tricks.
#[derive(Clone)]
struct Way {
    trick: Arc<Mutex<Trick>>,
    late: Arc<Notify>,
    arrived: Arc<Notify>,
}

impl Way {
    fn take(&self, trick: Trick) -> bool {
        let mut next = self.trick.lock();
        let hit = *next == trick;
        if hit {
            *next = Trick::Nothing;
        }
        hit
    }

    async fn carry(self, mut near: TcpStream, to: String) {
        let mut far = TcpStream::connect(to).await.unwrap();
        let (mut request, mut answer) = (vec![0; 65_536], vec![0; 65_536]);
        loop {
            tokio::select! {
                read = near.read(&mut request) => {
                    let count = read.unwrap_or(0);
                    if count == 0 || self.take(Trick::LoseRequest) {
                        return;
                    }
                    if self.take(Trick::DelayRequest) {
                        drop(near);
                        self.late.notified().await;
                        far.write_all(&request[..count]).await.unwrap();
                        let count = far.read(&mut answer).await.unwrap();
                        let refused = answer[..count].windows(5).any(|code| code == b"MY001");
                        assert!(refused, "the late batch happened");
                        self.arrived.notify_one();
                        return;
                    }
                    far.write_all(&request[..count]).await.unwrap();
                }
                read = far.read(&mut answer) => {
                    let count = read.unwrap_or(0);
                    if count == 0 || self.take(Trick::LoseAnswer) {
                        return;
                    }
                    if near.write_all(&answer[..count]).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

/// One append while the trick is played; the seqs published, and the log.
async fn append_under(trick: Trick) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = listener.local_addr().unwrap();
    let there = server();
    let there = there
        .rsplit_once('@')
        .unwrap()
        .1
        .trim_end_matches('/')
        .to_owned();
    let way = Way {
        trick: Arc::new(Mutex::new(Trick::Nothing)),
        late: Arc::default(),
        arrived: Arc::default(),
    };
    let mut carrying = JoinSet::new();
    let (carrier, to) = (way.clone(), there.clone());
    carrying.spawn(async move {
        let mut ways = JoinSet::new();
        while let Ok((near, _)) = listener.accept().await {
            ways.spawn(carrier.clone().carry(near, to.clone()));
        }
    });
    let database = Postgres::fresh().await;
    let setting = plain();
    let mut setup = setup(&setting);
    // Nobody else says anything.
    (setup.tuning.count, setup.tuning.renewal) = (HOUR, HOUR);
    let url = format!(
        "{}{}",
        server().replace(&there, &here.to_string()),
        database.name()
    );
    let target = Target::parse(&url, None).unwrap();
    let store = PostgresStore::open(target, setup).await.unwrap();
    let room = new_room(&store).await;
    *way.trick.lock() = trick;
    let answer = store.append(draft(room, A, "a1", "x")).await.unwrap();
    assert!(matches!(answer, Appended::Done(entry) if entry.seq == Seq(1)));
    assert!(*way.trick.lock() == Trick::Nothing, "it was played");
    if trick == Trick::DelayRequest {
        way.late.notify_one();
        let arrived = tokio::time::timeout(Duration::from_secs(20), way.arrived.notified());
        arrived.await.expect("it was refused");
    }
    assert_eq!(seqs(&log(&store, room).await), [1]);
    assert_eq!(seqs(&setting.sink.of(room)), [1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happened_is_answered_and_published_though_its_answer_was_lost() {
    append_under(Trick::LoseAnswer).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_lost_before_it_happened_is_done_again() {
    append_under(Trick::LoseRequest).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_late_changes_nothing() {
    append_under(Trick::DelayRequest).await;
}
