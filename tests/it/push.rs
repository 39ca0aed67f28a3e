//! Calls to browsers by their push service: what it is given, what a browser reads in it, and what is done
//! with each of its answers.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use miyu::domain::{Call, Subscription};
use miyu::push::client::Client;
use miyu::push::endpoint::Endpoint;
use miyu::push::queue::{Caller, Delivered};
use miyu::push::recipient::{PushHosts, Recipient};
use miyu::push::vapid::SenderKey;
use miyu::tasks::Drain;
use parking_lot::Mutex;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};

use crate::support::push_service::{Asked, PushService};

mod calling;

const CONTACT: &str = "mailto:me@chat.example";
const WORTH: Duration = Duration::from_secs(900);

fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// Runs the browser's part in node and answers what it said.
fn browser(arguments: &[&str], given: &Value) -> String {
    use std::io::Write as _;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/push/browser.mjs");
    let mut child = Command::new("node")
        .arg(script)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(given.to_string().as_bytes()).unwrap();
    drop(stdin);
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "node {arguments:?}");
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

/// The keys of a browser's subscription, and its private one.
fn browser_keys() -> Value {
    serde_json::from_str(&browser(&["keys"], &json!({}))).unwrap()
}

/// What a browser of these keys reads in it.
fn opened_by(keys: &Value, asked: &Asked) -> String {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../http-ece/ece.cjs");
    let mut given = keys.clone();
    given["body"] = json!(URL_SAFE_NO_PAD.encode(&asked.body));
    browser(&["open", target.to_str().unwrap()], &given)
}

struct Scene {
    service: PushService,
    caller: Caller,
    drain: Drain,
    keys: Value,
    to: Recipient,
    delivered: Arc<Mutex<Vec<Delivered>>>,
    public: String,
}

async fn scene(answers: &[&str]) -> Scene {
    let service = PushService::start(answers).await;
    let keys = browser_keys();
    let hosts = PushHosts::new(vec![service.address.to_string()]);
    let text = |name: &str| keys[name].as_str().unwrap().to_owned();
    let subscription = Subscription {
        endpoint: service.endpoint(),
        p256dh: text("p256dh"),
        auth: text("auth"),
    };
    let to = hosts.recipient(&subscription).unwrap();
    let key = SenderKey::read(&SenderKey::generate().unwrap()).unwrap();
    let public = key.public();
    let drain = Drain::new();
    let caller = Caller::new(drain.clone(), Client::new(), key, CONTACT.to_owned());
    Scene {
        service,
        caller,
        drain,
        keys,
        to,
        delivered: Arc::default(),
        public,
    }
}

impl Scene {
    fn call(&self, call: Call) -> bool {
        let (to, delivered) = (self.to.clone(), Arc::clone(&self.delivered));
        self.caller.begin(move |caller| async move {
            let outcome = caller.deliver(&to, call, WORTH).await;
            delivered.lock().push(outcome);
        })
    }

    /// What became of the one call.
    async fn outcome(&self) -> Delivered {
        loop {
            if let Some(delivered) = self.delivered.lock().first() {
                return *delivered;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// What the browser reads in it.
    fn opened(&self, asked: &Asked) -> String {
        opened_by(&self.keys, asked)
    }
}

#[tokio::test]
async fn a_call_is_read_by_its_browser_alone_and_says_one_of_three_words() {
    let scene = scene(&[]).await;
    for (number, (call, word, urgency)) in [
        (Call::SomeoneCame, "someone", "high"),
        (Call::NewMessage, "message", "normal"),
        (Call::PartnerLeft, "left", "low"),
    ]
    .into_iter()
    .enumerate()
    {
        assert!(scene.call(call));
        let asked = scene.service.until_asked(number + 1).await;
        let last = asked.last().unwrap();
        assert_eq!(scene.opened(last), word);
        assert!(last.head.starts_with("POST /browser/1 HTTP/1.1\r\n"));
        assert_eq!(last.header("content-encoding"), Some("aes128gcm"));
        assert_eq!(last.header("urgency"), Some(urgency));
        assert_eq!(last.header("topic"), Some("miyu"));
        let ttl: u64 = last.header("ttl").unwrap().parse().unwrap();
        assert!((890..=900).contains(&ttl), "{ttl}");
        assert_eq!(
            last.body.len(),
            asked[0].body.len(),
            "its length tells nothing"
        );
        signed(&scene, last);
    }
}

/// It is signed for this service, by the key that browsers are given.
fn signed(scene: &Scene, asked: &Asked) {
    let said = asked.header("authorization").unwrap();
    let (word, public) = said
        .strip_prefix("vapid t=")
        .unwrap()
        .split_once(", k=")
        .unwrap();
    assert_eq!(public, scene.public);
    let (text, signature) = word.rsplit_once('.').unwrap();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, decode(public));
    key.verify(text.as_bytes(), &decode(signature)).unwrap();
    let claims = decode(text.split_once('.').unwrap().1);
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["aud"], format!("http://{}", scene.service.address));
    assert_eq!(claims["sub"], CONTACT);
}

#[tokio::test]
async fn a_service_that_cannot_now_is_asked_again_when_it_said() {
    let answers = ["500 Oops", "429 Too Many Requests\r\nretry-after: 3"];
    let scene = scene(&answers).await;
    assert!(scene.call(Call::SomeoneCame));
    let asked = scene.service.until_asked(3).await;
    let pause = |from: usize| asked[from + 1].at - asked[from].at;
    assert!(pause(0) >= Duration::from_millis(450), "{:?}", pause(0));
    assert!(pause(1) >= Duration::from_secs(3), "{:?}", pause(1));
    // Neither a key nor a signature is used twice.
    assert_ne!(asked[0].body, asked[2].body);
    assert_eq!(scene.opened(&asked[2]), "someone");
}

#[tokio::test]
async fn a_browser_that_is_gone_is_known_to_be() {
    for answer in ["410 Gone", "404 Not Found"] {
        let scene = scene(&[answer]).await;
        assert!(scene.call(Call::NewMessage));
        scene.service.until_asked(1).await;
        assert_eq!(scene.outcome().await, Delivered::Gone, "{answer}");
        assert_eq!(scene.service.asked().len(), 1);
    }
}

#[tokio::test]
async fn a_redirect_and_a_refusal_are_the_end_of_a_call() {
    let trap = PushService::start(&[]).await;
    let redirect = format!("307 Elsewhere\r\nlocation: {}", trap.endpoint());
    for answer in [redirect.as_str(), "403 Forbidden", "400 Bad Request"] {
        let scene = scene(&[answer]).await;
        assert!(scene.call(Call::NewMessage));
        assert_eq!(scene.outcome().await, Delivered::Not);
        assert_eq!(scene.service.asked().len(), 1, "{answer}");
    }
    assert!(trap.asked().is_empty(), "it was followed");
}

#[tokio::test]
async fn a_silent_service_holds_few_connections_and_no_shutdown() {
    let silence = [""; 20];
    let scene = scene(&silence).await;
    for _ in 0..1_000 {
        assert!(scene.call(Call::NewMessage));
    }
    assert!(!scene.call(Call::NewMessage), "one too many");
    let asked = scene.service.until_asked(8).await;
    assert_eq!(asked.len(), 8);
    let begun = std::time::Instant::now();
    scene.drain.token().cancel();
    scene.drain.finish(Duration::from_secs(10)).await;
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn only_named_hosts_are_gone_to() {
    let service = PushService::start(&[]).await;
    assert!(Endpoint::parse(&service.endpoint(), &[]).is_none());
}
