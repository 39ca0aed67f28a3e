//! What goes wrong: connections that are cut, a server that goes away, rows and databases that cannot
//! be used.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use miyu::domain::id::{Seq, Side};
use miyu::store::postgres::{PostgresStore, Target};
use miyu::store::{Appended, Entries, PageLimit, Upkeep};
use tokio::task::JoinSet;

use super::{assert_kept, assert_published, log, new_room, plain, say_all, two_nodes};
use crate::support::postgres::{Postgres, connect, fresh_name, server, setup};
use crate::support::store::{Backend, Setting, draft, seqs};

const A: Side = Side::A;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_when_connections_are_cut() {
    const EACH: usize = 150;
    let (database, nodes, settings) = two_nodes().await;
    let room = new_room(&nodes[0]).await;
    let cutter = database.client().await;
    let over = Arc::new(AtomicBool::new(false));
    let mut talkers = JoinSet::new();
    for talker in 0..6 {
        let node = talker % 2;
        let (store, name) = (Arc::clone(&nodes[node]), format!("t{talker}"));
        let side = Side::BOTH[talker / 2 % 2];
        talkers.spawn(async move { (node, say_all(store, room, side, name, EACH).await) });
    }
    let stop = Arc::clone(&over);
    let cutting = async {
        let mut cut = 0;
        while !stop.load(Ordering::SeqCst) {
            cut += database.cut(&cutter).await;
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
        cut
    };
    let mut said = [Vec::new(), Vec::new()];
    let talking = async {
        while let Some(done) = talkers.join_next().await {
            let (node, mut more) = done.unwrap();
            said[node].append(&mut more);
        }
        over.store(true, Ordering::SeqCst);
    };
    let (cut, ()) = tokio::join!(cutting, talking);
    assert!(cut >= 10, "only {cut} connections were cut");
    let kept = log(&nodes[0], room).await;
    assert_kept(&kept, &said.concat());
    for node in 0..2 {
        assert_published(&settings[node].sink, room, &said[node]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_goes_away_is_waited_for() {
    let database = Postgres::fresh().await;
    let setting = plain();
    let store = database.node(setup(&setting)).await;
    let room = new_room(&store).await;
    let admin = connect("postgres").await;
    let allow = async |yes: bool| {
        let sql = format!("ALTER DATABASE {} ALLOW_CONNECTIONS {yes}", database.name());
        admin.batch_execute(&sql).await.unwrap();
    };
    let inside = database.client().await;
    allow(false).await;
    database.cut(&inside).await;
    let pending = store.append(draft(room, A, "a1", "x"));
    let page = store.page(room, A, Seq::ZERO, PageLimit::entries(10));
    let unready = store.ready().await.unwrap_err().to_string();
    assert!(unready.contains("not currently accepting"), "{unready}");
    assert!(unready.contains(database.name()), "{unready}");
    allow(true).await;
    assert!(matches!(pending.await, Ok(Appended::Done(_))));
    assert!(page.await.is_ok());
    store.ready().await.unwrap();
    assert_eq!(seqs(&setting.sink.of(room)), [1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_row_that_cannot_be_stored_fails_alone() {
    let database = Postgres::fresh().await;
    let client = database.client().await;
    let poison = "ALTER TABLE entries ADD CONSTRAINT poison CHECK (body <> 'poison'::bytea)";
    client.batch_execute(poison).await.unwrap();
    let setting = plain();
    let store = database.node(setup(&setting)).await;
    let room = new_room(&store).await;
    let texts = (0..20).map(|n| if n == 7 { "poison" } else { "x" });
    let answers = texts
        .enumerate()
        .map(|(n, text)| store.append(draft(room, A, &format!("a{n}"), text)));
    let answers: Vec<_> = answers.collect();
    let mut failed = Vec::new();
    for (n, answer) in answers.into_iter().enumerate() {
        match answer.await {
            Ok(Appended::Done(_)) => {}
            Err(error) => {
                assert!(!error.to_string().contains("poison"), "{error}");
                failed.push(n);
            }
            other => panic!("{other:?}"),
        }
    }
    client
        .batch_execute("ALTER TABLE entries DROP CONSTRAINT poison")
        .await
        .unwrap();
    assert_eq!(failed, [7]);
    assert_eq!(seqs(&log(&store, room).await), (1..=19).collect::<Vec<_>>());
}

/// Why a store cannot be had at this address.
async fn refusal(url: &str, password: Option<&str>) -> String {
    let target = Target::parse(url, password).unwrap();
    let mut setup = setup(&plain());
    setup.tuning.patience = Duration::ZERO;
    match PostgresStore::open(target, setup).await {
        Ok(_) => panic!("opened {url}"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_says_what_to_do_and_no_password() {
    let missing = refusal(&format!("{}nowhere", server()), None).await;
    assert!(missing.contains("no database `nowhere`") && missing.contains("createdb"));
    let admin = connect("postgres").await;
    let role = fresh_name("role");
    for sql in [
        format!("CREATE ROLE {role} LOGIN CONNECTION LIMIT 0"),
        format!("CREATE DATABASE {role}"),
    ] {
        admin.batch_execute(&sql).await.unwrap();
    }
    let of_role = server().replace("miyu@", &format!("{role}:hunter2@"));
    let crowded = refusal(&format!("{of_role}{role}"), None).await;
    assert!(
        crowded.contains("cannot reach") && crowded.contains(&role),
        "{crowded}"
    );
    let sql = format!("ALTER ROLE {role} CONNECTION LIMIT -1");
    admin.batch_execute(&sql).await.unwrap();
    let forbidden = refusal(&format!("{of_role}{role}"), Some("hunter2")).await;
    assert!(forbidden.contains("OWNER TO"), "{forbidden}");
    let tls = refusal(&format!("{}nowhere?sslmode=require", server()), None).await;
    assert!(tls.contains("TLS"), "{tls}");
    let silent = refusal("postgres://me:hunter2@127.0.0.1:1/d", None).await;
    assert!(
        silent.contains("cannot reach") && silent.contains("127.0.0.1:1"),
        "{silent}"
    );
    for said in [missing, crowded, forbidden, tls, silent] {
        assert!(!said.contains("hunter2"), "{said}");
    }
    let sql = format!("DROP DATABASE {role}");
    admin.batch_execute(&sql).await.unwrap();
    admin
        .batch_execute(&format!("DROP ROLE {role}"))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_database_of_another_encoding_is_refused_with_the_reason() {
    let admin = connect("postgres").await;
    for encoding in ["LATIN1", "KOI8R"] {
        let name = fresh_name("encoding");
        let make =
            format!("CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0");
        admin.batch_execute(&make).await.unwrap();
        let target = Target::parse(&format!("{}{name}", server()), None).unwrap();
        let opened = PostgresStore::open(target, setup(&Setting::default())).await;
        let why = opened.err().expect("it cannot hold every text").to_string();
        assert!(why.contains("encoding") && why.contains("UTF8"), "{why}");
        let drop = format!("DROP DATABASE {name} WITH (FORCE)");
        admin.batch_execute(&drop).await.unwrap();
    }
}
