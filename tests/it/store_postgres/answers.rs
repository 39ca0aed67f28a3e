//! Answers that are lost on the way: a batch that happened is told and published once, one that did
//! not is done again, and one that comes late changes nothing.

use std::sync::Arc;
use std::time::Duration;

use miyu::domain::id::{Seq, Side};
use miyu::store::postgres::{PostgresStore, Target};
use miyu::store::{Appended, Draft, Entries, Hearing};
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
    /// The server's answer to a commit is lost, and the connection with it.
    LoseAnswer,
    /// The request is lost, and the connection with it.
    LoseRequest,
    /// What is to be written and its commit are lost, and the connection with them.
    LoseCommit,
    /// The connection is lost; the request comes to the server when `late` says so.
    DelayRequest,
    /// The same with what is to be written and its commit.
    DelayCommit,
}

impl Trick {
    /// Whether it is played when these bytes come by.
    fn fits(self, from_server: bool, bytes: &[u8]) -> bool {
        let commits = bytes.windows(7).any(|word| word == b"COMMIT\0");
        match self {
            Self::Nothing => false,
            Self::LoseAnswer => from_server && commits,
            Self::LoseRequest | Self::DelayRequest => !from_server,
            Self::LoseCommit | Self::DelayCommit => !from_server && commits,
        }
    }
}

/// A way to the server that plays tricks.
#[derive(Clone)]
struct Way {
    trick: Arc<Mutex<Trick>>,
    late: Arc<Notify>,
    arrived: Arc<Notify>,
}

impl Way {
    fn take(&self, from_server: bool, bytes: &[u8]) -> Trick {
        let mut next = self.trick.lock();
        match next.fits(from_server, bytes) {
            true => std::mem::replace(&mut next, Trick::Nothing),
            false => Trick::Nothing,
        }
    }

    async fn carry(self, mut near: TcpStream, to: String) {
        let mut far = TcpStream::connect(to).await.unwrap();
        let (mut request, mut answer) = (vec![0; 65_536], vec![0; 65_536]);
        loop {
            tokio::select! {
                read = near.read(&mut request) => {
                    let said = &request[..read.unwrap_or(0)];
                    match self.take(false, said) {
                        Trick::Nothing if !said.is_empty() => far.write_all(said).await.unwrap(),
                        trick @ (Trick::DelayRequest | Trick::DelayCommit) => {
                            let all = rest_of(said.to_vec(), near).await;
                            self.deliver_late(all, far, trick).await;
                            return;
                        }
                        _ => return,
                    }
                }
                read = far.read(&mut answer) => {
                    let said = &answer[..read.unwrap_or(0)];
                    let lost = self.take(true, said) != Trick::Nothing;
                    if said.is_empty() || lost || near.write_all(said).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    async fn deliver_late(&self, said: Vec<u8>, mut far: TcpStream, trick: Trick) {
        self.late.notified().await;
        // The server may have closed the connection.
        let _ = far.write_all(&said).await;
        let mut heard = Vec::new();
        let mut answer = vec![0; 65_536];
        let patience = Duration::from_millis(500);
        while let Ok(Ok(count @ 1..)) = tokio::time::timeout(patience, far.read(&mut answer)).await
        {
            heard.extend_from_slice(&answer[..count]);
        }
        let has = |word: &[u8]| heard.windows(word.len()).any(|it| it == word);
        assert!(!has(b"COMMIT\0"), "the late batch happened");
        assert!(
            trick != Trick::DelayRequest || has(b"MY001"),
            "it was not refused"
        );
        self.arrived.notify_one();
    }
}

/// What was said, with what follows it at once; then the listener is gone.
async fn rest_of(mut said: Vec<u8>, mut near: TcpStream) -> Vec<u8> {
    let mut more = vec![0; 65_536];
    let patience = Duration::from_millis(100);
    while let Ok(Ok(count @ 1..)) = tokio::time::timeout(patience, near.read(&mut more)).await {
        said.extend_from_slice(&more[..count]);
    }
    said
}

/// One append while the trick is played; the seqs published, and the log.
async fn append_under(trick: Trick) {
    append_heard(trick, Hearing::Whole).await;
}

/// The same, of which the other side is told so much.
async fn append_heard(trick: Trick, hearing: Hearing) {
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
    // Nothing else is reported.
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
    let said = Draft {
        unheard: hearing == Hearing::Nothing,
        ..draft(room, A, "a1", "x")
    };
    let answer = store.append(said).await.unwrap();
    assert!(matches!(answer, Appended::Done(entry) if entry.seq == Seq(1)));
    assert!(*way.trick.lock() == Trick::Nothing, "it was played");
    if matches!(trick, Trick::DelayRequest | Trick::DelayCommit) {
        way.late.notify_one();
        let arrived = tokio::time::timeout(Duration::from_secs(20), way.arrived.notified());
        arrived.await.expect("it was refused");
    }
    assert_eq!(seqs(&log(&store, room).await), [1]);
    let published = setting.sink.all_of(room);
    let published: Vec<_> = published
        .iter()
        .map(|it| (it.entry.seq.0, it.hearing))
        .collect();
    assert_eq!(published, [(1, hearing)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happened_is_answered_and_published_though_its_answer_was_lost() {
    append_under(Trick::LoseAnswer).await;
    append_heard(Trick::LoseAnswer, Hearing::Nothing).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_lost_before_it_happened_is_done_again() {
    append_under(Trick::LoseRequest).await;
    append_under(Trick::LoseCommit).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_late_changes_nothing() {
    append_under(Trick::DelayRequest).await;
    append_under(Trick::DelayCommit).await;
}
