//! A test's stage: one server, the people, and the finishing step that every test ends with.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt as _;
use parking_lot::Mutex;
use tempfile::TempDir;
use tokio::sync::Semaphore;

use super::audit::{barriers, complaints};
use super::browser::{Browser, Engine};
use super::house::{House, runtime};
use super::person::Person;
use super::server::Server;

/// At most two tests at a time, whatever `--test-threads` says: browsers need the processor.
static SEATS: Semaphore = Semaphore::const_new(2);

/// A test before it runs.
pub struct Play {
    name: String,
    settings: Vec<(&'static str, &'static str)>,
}

/// What a test works with.
pub struct Stage {
    name: String,
    server: Mutex<Server>,
    people: Mutex<Vec<Person>>,
    first_came: AtomicBool,
    house: Arc<House>,
}

impl Play {
    /// A test of this name on a server with default settings.
    pub fn new(name: &'static str) -> Self {
        let name = match Browser::default().engine {
            Engine::Chromium => name.to_owned(),
            Engine::Firefox => format!("{name}_in_firefox"),
        };
        Self {
            name,
            settings: Vec::new(),
        }
    }

    /// Sets a key of the server's configuration.
    pub fn set(mut self, key: &'static str, value: &'static str) -> Self {
        self.settings.push((key, value));
        self
    }

    /// Runs the test and then, whatever it was about, looks at every person's console and requests
    /// and has axe look at each page and tab that is still open. A failure leaves pictures and logs
    /// in `target/browser/NAME/`.
    pub fn run(self, script: impl AsyncFnOnce(&Stage)) {
        runtime().block_on(async {
            // Before the seat: what is shared stays while a test waits for one.
            let house = House::shared();
            let _seat = SEATS.acquire().await.expect("seats are never closed");
            let stage = Stage {
                name: self.name,
                server: Mutex::new(Server::start(&self.settings)),
                people: Mutex::default(),
                first_came: AtomicBool::new(false),
                house,
            };
            let script = async {
                script(&stage).await;
                stage.look_for_complaints().await;
            };
            let ended = AssertUnwindSafe(script).catch_unwind().await;
            if ended.is_err() {
                // Whatever fails here must not hide the failure itself.
                let _ = AssertUnwindSafe(stage.keep_evidence()).catch_unwind().await;
            }
            for person in stage.everybody() {
                let session = Arc::clone(person.session());
                match ended {
                    Ok(()) => stage.house.keep(session, &person.url("")).await,
                    // What has failed may be the browser.
                    Err(_) => session.close().await,
                }
            }
            if let Err(panic) = ended {
                resume_unwind(panic);
            }
        });
    }
}

impl Stage {
    /// A person at an ordinary desktop.
    pub async fn person(&self, name: &str) -> Person {
        self.person_with(name, &Browser::default()).await
    }

    /// A person at this browser.
    pub async fn person_with(&self, name: &str, browser: &Browser) -> Person {
        let base = format!("http://127.0.0.1:{}", self.port());
        self.person_at(name, browser, base).await
    }

    /// A person who comes by another address of the same server. In a scene that is played in Firefox the
    /// first who comes sits there, the others at Chromium: so the two meet each other, and it costs less.
    pub async fn person_at(&self, name: &str, browser: &Browser, base: String) -> Person {
        let mut browser = browser.clone();
        if self.first_came.swap(true, Ordering::SeqCst) {
            browser.engine = Engine::Chromium;
        }
        let session = self.house.session(&browser).await;
        let person = Person::at(session, name, base, &browser).await;
        self.people.lock().push(person.clone());
        person
    }

    /// Two people at ordinary desktops.
    pub async fn two(&self) -> (Person, Person) {
        tokio::join!(self.person("Anna"), self.person("Bao"))
    }

    /// The server's port.
    pub fn port(&self) -> u16 {
        self.server.lock().port
    }

    /// Ends the server as an operator does and expects it to leave well.
    pub fn stop_server(&self) {
        let status = self.server.lock().stop();
        assert!(status.success(), "the server left with {status}");
    }

    /// Sets a key of the server's configuration, from its next start on.
    pub fn set(&self, key: &str, value: &str) {
        self.server.lock().set(key, value);
    }

    /// Starts the server again on the same port and data.
    pub fn run_server(&self) {
        self.server.lock().run();
    }

    /// Where the server's database and its key are.
    pub fn data(&self) -> PathBuf {
        self.server.lock().data()
    }

    /// A copy of the data of a server that is stopped.
    pub fn copy_data(&self) -> TempDir {
        let copy = tempfile::tempdir().expect("a temporary folder");
        copy_files(&self.server.lock().data(), copy.path());
        copy
    }

    /// Puts such a copy in the place of the data.
    pub fn restore_data(&self, copy: &TempDir) {
        let data = self.server.lock().data();
        std::fs::remove_dir_all(&data).expect("the server is stopped");
        std::fs::create_dir(&data).expect("a folder");
        copy_files(copy.path(), &data);
    }

    fn everybody(&self) -> Vec<Person> {
        self.people.lock().clone()
    }

    async fn look_for_complaints(&self) {
        let mut found = Vec::new();
        for person in self.everybody() {
            // axe first: what a page says to the console meanwhile is looked at too.
            found.extend(barriers(&person).await);
            found.extend(complaints(&person).await);
        }
        assert!(found.is_empty(), "{}", found.join("\n"));
    }

    async fn keep_evidence(&self) {
        let folder = artefacts().join(&self.name);
        std::fs::create_dir_all(&folder).expect("a folder for evidence");
        write(&folder, "server.log", self.server.lock().log().as_bytes());
        for person in self.everybody() {
            let name = person.name();
            if let Ok(picture) = person.client().screenshot().await {
                write(&folder, &format!("{name}.png"), &picture);
            }
            let mut text = person.describe().await;
            for said in person.take_console().await {
                text.push_str(&format!("\n{said}"));
            }
            write(&folder, &format!("{name}.txt"), text.as_bytes());
        }
        eprintln!("{}: pictures and logs in {}", self.name, folder.display());
    }
}

/// Where pictures go: below `target/`.
fn artefacts() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("../browser")
}

/// Takes a picture of what a person sees, if `MIYU_SCREENSHOTS` names a folder for it.
pub async fn picture(person: &Person, name: &str) {
    let Some(folder) = std::env::var_os("MIYU_SCREENSHOTS").map(PathBuf::from) else {
        return;
    };
    std::fs::create_dir_all(&folder).expect("a folder for pictures");
    let taken = person.client().screenshot().await.expect("a picture");
    write(&folder, &format!("{name}.png"), &taken);
}

fn copy_files(from: &Path, to: &Path) {
    for file in std::fs::read_dir(from).expect("a folder") {
        let file = file.expect("a file");
        std::fs::copy(file.path(), to.join(file.file_name())).expect("copied");
    }
}

fn write(folder: &Path, name: &str, content: &[u8]) {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
