//! The database's files are removed or replaced while the real executable serves: nothing is acknowledged
//! that only this process could read, and it is said why.

use tempfile::TempDir;

use crate::support::binary::{Server, Setup, get_json};
use crate::support::driver::{Frame, Socket, meet, send};
use crate::support::scene::{MIYU, until};

/// Whether this message is acknowledged.
async fn is_taken(socket: &mut Socket, id: &str) -> bool {
    socket.tell(&send("hello", id, None)).await.unwrap();
    loop {
        match socket.hear().await.unwrap() {
            Frame::NewMessage { message } if message.client_id == id => return true,
            Frame::Error { code, .. } => {
                assert_eq!(code, "unavailable");
                return false;
            }
            _ => {}
        }
    }
}

async fn problem(server: &Server) -> Option<String> {
    let (_, ready) = get_json(server.operators().unwrap(), "/readyz").await;
    let why = ready["problems"].get(0)?;
    Some(why["why"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_acknowledged_into_a_file_without_a_name() {
    for name in ["miyu.db", "miyu.db-wal"] {
        let home = TempDir::new().unwrap();
        let setup = Setup::new(MIYU, home.path());
        let mut server = setup.spawn();
        let address = server.ready().await;
        let seats = meet(address, "gone").await.unwrap();
        let mut socket = Socket::open(address, &seats[0].path(0)).await.unwrap();
        assert!(is_taken(&mut socket, "before").await);

        let (file, aside) = (setup.data.join(name), home.path().join("aside"));
        std::fs::rename(&file, &aside).unwrap();
        assert!(!is_taken(&mut socket, "gone").await, "{name}");
        // Nor into one that took its place.
        std::fs::copy(&aside, &file).unwrap();
        assert!(!is_taken(&mut socket, "replaced").await, "{name}");
        let told = async || {
            problem(&server)
                .await
                .is_some_and(|it| it.contains("removed or replaced"))
        };
        until("/readyz says why", told, || server.said()).await;
        assert!(
            server.said().contains("removed or replaced"),
            "{}",
            server.said()
        );

        std::fs::rename(&aside, &file).unwrap();
        assert!(is_taken(&mut socket, "back").await, "{name}");
        let well = async || problem(&server).await.is_none();
        until("it is ready again", well, || server.said()).await;
        server.kill();
        let mut server = setup.spawn();
        let address = server.ready().await;
        let (_, log) = get_json(address, &seats[0].api("messages")).await;
        let log = log.to_string();
        assert!(
            log.contains("\"before\"") && log.contains("\"back\""),
            "{log}"
        );
        assert_eq!(server.stop().await.code(), Some(0));
    }
}
