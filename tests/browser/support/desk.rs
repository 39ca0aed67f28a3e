//! What operators find: people who were reported, put into the data of a server that is stopped for it.

use miyu::boot::backends::{self, Backends};
use miyu::config::Config;
use miyu::domain::id::{Address, NodeId, RoomId, Seq, SessionId, Side, TicketId};
use miyu::domain::safety::report::Chosen;
use miyu::domain::safety::{
    Actor, OperatorDraft, OperatorName, Reason, ReportDraft, ReportId, Role,
};
use miyu::domain::{Pairing, Party, Persona, Profile, UserId};
use miyu::operators::Passwords;
use miyu::operators::passwords::Password;
use miyu::store::Draft;
use miyu::store::safety::{Reported, SafetyStore};

use super::stage::Stage;

/// Of every operator here.
pub const PASSWORD: &str = "a lantern in the rain";

/// Changes the data of the stage's server, which is stopped for it and started again.
pub async fn at_rest<T>(stage: &Stage, change: impl AsyncFnOnce(&Backends) -> T) -> T {
    stage.stop_server();
    let mut config = Config::default();
    config.store.url = format!("sqlite:{}/miyu.db", stage.data().display());
    let backends = backends::open(&config, NodeId::fresh()).await;
    let backends = backends.expect("the data");
    let done = change(&backends).await;
    backends.store.close().await.expect("an orderly end");
    stage.run_server();
    done
}

/// As [`at_rest`], with what operators do.
pub async fn on_the_data<T>(stage: &Stage, act: impl AsyncFnOnce(&dyn SafetyStore) -> T) -> T {
    at_rest(stage, async |data| act(&*data.safety).await).await
}

/// Makes an operator, so that the site takes reports.
pub async fn with_operator(stage: &Stage) {
    at_rest(stage, async |data| {
        make_operator(data, "op", Role::Administrator).await;
    })
    .await;
}

/// Makes an operator who logs in with [`PASSWORD`].
pub async fn make_operator(backends: &Backends, name: &str, role: Role) {
    let hash = Passwords::default().hash(Password::typed(PASSWORD)).await;
    let operator = OperatorDraft {
        name: OperatorName::parse(name).expect("a name"),
        role,
        password: hash.expect("a hash"),
    };
    let made = backends.safety.make_operator(operator, Actor::Local).await;
    made.expect("an answer");
}

/// Two strangers say these lines to each other, and the first reports the second one's last line.
pub async fn reported(backends: &Backends, reason: Reason, note: &str, lines: &[(Side, &str)]) {
    let pairing = Pairing {
        room: RoomId::fresh(),
        parties: ["安靜的天燈", "Sleepy Moon"].map(party),
        common_tags: Vec::new(),
        is_bot: false,
    };
    let store = &backends.store;
    store.create_room(&pairing).await.expect("a room");
    for (at, (side, text)) in lines.iter().enumerate() {
        let said = Draft {
            room: pairing.room,
            side: *side,
            client_id: format!("line-{at}"),
            content: (*text).to_owned(),
            reply_to: None,
            unheard: false,
        };
        store.append(said).await.expect("a message");
    }
    let report = ReportDraft {
        id: ReportId::fresh(),
        reporter: pairing.parties[0].session,
        room: pairing.room,
        side: Side::A,
        reason,
        note: note.to_owned(),
        chosen: Chosen::Messages(vec![Seq(lines.len() as u64)]),
        claims: Vec::new(),
        networks: None,
    };
    let answer = backends.safety.report(report).await.expect("an answer");
    assert!(matches!(answer, Reported::Done { .. }), "{answer:?}");
}

fn party(name: &str) -> Party {
    Party {
        ticket: TicketId::fresh(),
        session: SessionId::fresh(),
        persona: Persona {
            user_id: UserId::fresh(),
            profile: Profile::parse(name, "3", "happy", "female"),
        },
        marks: Vec::new(),
        address: Address {
            node: NodeId::fresh(),
            number: 0,
        },
    }
}
