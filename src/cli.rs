//! The command line: what can be asked of the executable, and with which exit code it answers.

mod admin;
mod announcement;
mod cases;
mod control;
mod listening;
mod prompt;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::boot::descriptors;
use crate::boot::reload::Reload;
use crate::boot::supervisor::Supervisor;
use crate::boot::{self, BuildError, Ended, Part, reachable};
use crate::config::{self, Config, Given, Loaded, sample};
use crate::domain::text::clean_name;
use crate::release_memory;
use crate::tasks::{outlive, signalled};
use crate::telemetry::{self, causes, log};

use announcement::{announce, offer_link};
use listening::{bind, control_socket};

/// How long `healthcheck` waits for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

const EXIT_CODES: &str = "\
Exit codes:
  0    as asked (a drained server, a valid configuration, a healthy server)
  1    anything else went wrong, or `healthcheck` found no healthy server
  2    the command line or the configuration is wrong
  3    the address cannot be bound
  4    the store cannot be opened
  5    the store's writer died while serving
  6    Redis is not reached, or other nodes there do not fit
  130  a second signal ended the drain";

/// Pairs two strangers and lets them talk.
#[derive(Parser)]
#[command(name = "miyu", version, after_help = EXIT_CODES)]
pub struct Cli {
    /// The configuration file [default: config/miyu.toml, if it is there]
    #[arg(long, global = true, value_name = "PATH")]
    config: Option<PathBuf>,
    /// Address and port of the site, such as 0.0.0.0:8000 (server.listen)
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// The folder for the database (store.url = sqlite:FOLDER/miyu.db)
    #[arg(long, global = true, value_name = "FOLDER")]
    data_dir: Option<String>,
    /// A level or filter, such as debug or miyu=debug (log.filter)
    #[arg(long, global = true, value_name = "FILTER")]
    log: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Clone, Subcommand)]
enum Command {
    /// Run the server (what happens without a command)
    Serve,
    /// Check the configuration and show what is in effect, and where from
    CheckConfig,
    /// Print a configuration file with every key, its meaning and its default
    DefaultConfig,
    /// Ask the configured address whether the server is ready
    Healthcheck,
    /// Make and help operators, and read what they did: of the server that runs, or of its data
    #[command(subcommand)]
    Admin(admin::Admin),
    /// List, show and export what was reported
    #[command(subcommand)]
    Cases(cases::Cases),
    /// List and lift sanctions
    #[command(subcommand)]
    Sanctions(cases::Sanctions),
    /// Let no new searches begin for a while
    #[command(subcommand)]
    Maintenance(cases::Maintenance),
    /// Print the version
    Version,
}

/// Why the process ends other than well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    Other = 1,
    Config = 2,
    Bind = 3,
    Store = 4,
    StoreDied = 5,
    Channel = 6,
}

/// A failure with what to tell the person at the terminal.
struct Exit(Failure, String);

impl From<anyhow::Error> for Exit {
    fn from(error: anyhow::Error) -> Self {
        Self(Failure::Other, causes(error.as_ref()))
    }
}

impl From<BuildError> for Exit {
    fn from(error: BuildError) -> Self {
        let failure = match error.part() {
            Part::Config => Failure::Config,
            Part::Store => Failure::Store,
            Part::Channel => Failure::Channel,
        };
        Self(failure, causes(&error))
    }
}

/// Does what was asked and answers with the exit code.
pub fn run(cli: Cli) -> ExitCode {
    let done = match cli.command.clone().unwrap_or(Command::Serve) {
        Command::Serve => serve(&cli),
        Command::CheckConfig => check_config(&cli),
        Command::DefaultConfig => print(&sample::sample()),
        Command::Healthcheck => healthcheck(&cli),
        Command::Admin(what) => command(&cli, |config| admin::run(what, config)),
        Command::Cases(what) => command(&cli, |config| cases::cases(what, config)),
        Command::Sanctions(what) => command(&cli, |config| cases::sanctions(what, config)),
        Command::Maintenance(what) => command(&cli, |config| cases::maintenance(what, config)),
        Command::Version => print(&format!("miyu {}\n", env!("CARGO_PKG_VERSION"))),
    };
    let code = match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Exit(failure, why)) => {
            log::say(&format!("miyu: {why}\n"));
            ExitCode::from(failure as u8)
        }
    };
    log::finish();
    code
}

/// Writes to stdout; a reader that closed it early (`| head`) knows enough.
fn print(text: &str) -> Result<(), Exit> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Exit(Failure::Other, error.to_string()))
        }
        _ => Ok(()),
    }
}

/// As it can be shown at a terminal: nothing in it moves the cursor, turns lines round, or ends one.
fn shown(text: &str) -> String {
    clean_name(text, 2000)
}

/// From where this process is configured.
fn given(cli: &Cli) -> Given {
    let store = cli
        .data_dir
        .as_ref()
        .map(|folder| format!("sqlite:{}", Path::new(folder).join("miyu.db").display()));
    let flags = [
        ("server.listen", cli.listen.clone()),
        ("store.url", store),
        ("log.filter", cli.log.clone()),
    ];
    let flags = flags
        .into_iter()
        .filter_map(|(key, text)| Some((key, text?)))
        .collect();
    Given::from_process(cli.config.clone(), flags)
}

fn load(given: Given) -> Result<Loaded, Exit> {
    config::load(given).map_err(|problems| Exit(Failure::Config, problems.to_string()))
}

fn check_config(cli: &Cli) -> Result<(), Exit> {
    let loaded = load(given(cli))?;
    print(&sample::effective(&loaded))
}

/// A command that asks a server, or opens its data.
fn command<F>(cli: &Cli, ask: impl FnOnce(Config) -> F) -> Result<(), Exit>
where
    F: Future<Output = Result<(), Exit>>,
{
    let config = load(given(cli))?.config;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let done = runtime.block_on(ask(config));
    runtime.shutdown_timeout(Duration::from_secs(1));
    done
}

fn serve(cli: &Cli) -> Result<(), Exit> {
    let given = given(cli);
    let loaded = load(given.clone())?;
    log::start(loaded.config.log.format, &loaded.config.log.filter)
        .map_err(|error| Exit(Failure::Config, causes(&error)))?;
    telemetry::start_metrics();
    // Before there are threads.
    descriptors::make_room();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .on_thread_park(release_memory::if_due)
        .build()
        .context("cannot start the runtime")?;
    let ended = runtime.block_on(serve_until_signalled(given, loaded));
    // What is still blocking by now was given its time.
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended
}

async fn serve_until_signalled(given: Given, loaded: Loaded) -> Result<(), Exit> {
    // Listening for signals begins before anything that takes time, so that a start can be
    // interrupted as politely as a running server.
    let mut signal = std::pin::pin!(signalled());
    let hangups = outlive().context("cannot listen for signals")?;
    let config = loaded.config.clone();
    let reload = Reload::new(hangups, given, loaded);
    let supervisor = Supervisor::from_process();
    let mut listeners = bind(&config)?;
    supervisor.status("opening the store");
    let address = listeners.site.local_addr().context("no local address")?;
    let operators = listeners.operator.as_ref();
    let operators = operators.and_then(|it| it.local_addr().ok());
    let built = tokio::select! {
        biased;
        signal = signal.as_mut() => return Ok(signal.context("cannot listen for signals")?),
        built = boot::build(config) => built,
    };
    let server = built?;
    let app = Arc::clone(&server.state);
    listeners.control = control_socket(&app.config);
    announce(&app, address, operators);
    offer_link(&app, address).await;
    supervisor.ready(&format!("serving on {address}"));
    let shutdown = async {
        if let Err(error) = signal.await {
            tracing::error!(%error, "cannot listen for signals; leaving");
        }
        supervisor.stopping("draining");
    };
    let ended = tokio::select! {
        ended = server.serve(listeners, shutdown) => ended,
        never = supervisor.watch(&*app.store, &app.shutdown) => never,
        never = reload.run(&app) => never,
    };
    match ended {
        Ended::Drained => Ok(()),
        Ended::StoreDied => Err(Exit(
            Failure::StoreDied,
            "the store's writer died; the log says why".to_owned(),
        )),
    }
}

/// `GET /readyz` of the configured server. Fails with what the server says is wrong.
fn healthcheck(cli: &Cli) -> Result<(), Exit> {
    let failed = |why: String| Err(Exit(Failure::Other, why));
    let server = load(given(cli))?.config.server;
    let Some(address) = server.operator_address().map(reachable) else {
        return failed("nothing to ask: server.operator_listen is off, or has no port".to_owned());
    };
    let answer = ask(address).with_context(|| format!("{address} does not answer"))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    match head.split_whitespace().nth(1) {
        Some("200") => Ok(()),
        Some("503") => failed(format!("not ready: {body}")),
        _ => failed(format!(
            "another program answers at {address}; give this server a port of its own with \
             server.operator_listen"
        )),
    }
}

/// One request by hand: an HTTP client is not worth its weight for this.
fn ask(address: SocketAddr) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET /readyz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.take(64 * 1024).read_to_string(&mut answer)?;
    Ok(answer)
}
