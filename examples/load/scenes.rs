//! What is done to a target, and the report of it: people who talk, people who idle.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::Arguments;
use super::driver::{Lost, Socket};
use super::figures::{percentiles, round};
use super::load::{Pace, Plan, gather, overhear, talk};
use super::meter::Meter;
use super::process::Usage;
use super::target::Target;

/// Pairs that come and go before idle people are counted.
const WARM_UP_PAIRS: usize = 100;
/// Pairs of idle people who come together.
const PAIRS_AT_ONCE: usize = 500;
/// Messages from each person before the measured ones.
const WARM_UP_MESSAGES: u64 = 20;
/// After the last message that is owed, until nothing more is said of them.
const QUIET: Duration = Duration::from_millis(200);

/// A report, and whether all went as promised.
pub type Outcome = (Value, bool);

/// Pairs talk.
pub async fn busy(arguments: &Arguments, target: &Target) -> Outcome {
    let (met, failed) = gather(&target.addresses, arguments.pairs).await;
    report("set-up", &failed);
    let warm_up = Plan {
        messages: WARM_UP_MESSAGES.min(arguments.messages),
        pace: Pace::Window(1),
    };
    let (met, early) = talk(met, warm_up).await;
    let plan = plan(arguments, met.len());
    let all = met.len() as u64 * plan.messages;
    let meter = Meter::start(target);
    let (met, mut tally) = talk(met, plan).await;
    let spent = meter.stop(target);
    let (met, said_again) = overhear(met, QUIET).await;
    tally.doubled += said_again;
    tally.broken.extend(early.broken);
    report("broken", &tally.broken);
    let lost = 2 * all - tally.acked - tally.delivered;
    let faults = [lost, tally.doubled, tally.reordered, tally.gaps];
    let earlier = [early.doubled, early.reordered, early.gaps];
    let broken = tally.broken.len();
    let good = failed.is_empty() && broken == 0 && faults == [0; 4] && earlier == [0; 3];
    let report = json!({
        "subject": target.subject.name(), "nodes": target.addresses.len(), "pairs": arguments.pairs,
        "messages_each": plan.messages, "window": arguments.rate.is_none().then_some(arguments.window),
        "rate": arguments.rate, "messages": all, "seconds": round(spent.seconds),
        "messages_per_second": (all as f64 / spent.seconds).round(),
        "acknowledged_ms": percentiles(&mut tally.ack), "delivered_ms": percentiles(&mut tally.delivery),
        "server_cpu_us_per_message": spent.server.map(|it| round(it * 1e6 / all as f64)),
        "server_cores_busy": spent.server.map(|it| round(it / spent.seconds)),
        "client_cores_busy": spent.client.map(|it| round(it / spent.seconds)),
        "server_rss_kib": target.usage().map(|it| it.rss_kib),
        "pages_by_holes": target.pages_by_holes().await,
        "failed_set_ups": failed.len(), "broken": broken,
        "lost": lost, "doubled": tally.doubled, "reordered": tally.reordered, "gaps": tally.gaps,
    });
    // Only now: people who leave cost something.
    drop(met);
    (report, good)
}

fn plan(arguments: &Arguments, people: usize) -> Plan {
    let Some(rate) = arguments.rate else {
        return Plan {
            messages: arguments.messages,
            pace: Pace::Window(arguments.window),
        };
    };
    let interval = people as f64 / rate;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of messages within a run"
    )]
    let messages = ((arguments.seconds / interval).round() as u64).max(1);
    Plan {
        messages,
        pace: Pace::Every(Duration::from_secs_f64(interval)),
    }
}

/// People in rooms say nothing.
pub async fn idle(arguments: &Arguments, target: &Target, count: usize) -> Outcome {
    let mut failed = come_and_go(target).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let before = target.usage();
    let (mut idling, not) = come_and_stay(target, count.div_ceil(2)).await;
    failed.extend(not);
    report("set-up", &failed);
    let opened = idling.len();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let fresh = target.usage();
    let hold = Duration::from_secs(arguments.hold);
    let started = Instant::now();
    let closed = tokio::time::timeout(hold, idling.join_next()).await.is_ok();
    let seconds = started.elapsed().as_secs_f64();
    let after = target.usage();
    let each = |usage: &Option<Usage>| {
        let (usage, before) = usage.as_ref().zip(before.as_ref())?;
        let kib = usage.rss_kib.saturating_sub(before.rss_kib);
        Some(kib * 1024 / opened.max(1) as u64)
    };
    let cpu = fresh.as_ref().zip(after.as_ref());
    let cpu = cpu.map(|(fresh, after)| after.cpu_since(fresh).as_secs_f64() * 1e6 / seconds);
    let report = json!({
        "subject": target.subject.name(), "nodes": target.addresses.len(),
        "idle": opened, "failed_set_ups": failed.len(), "closed": closed,
        "server_rss_kib_before": before.as_ref().map(|it| it.rss_kib),
        "server_rss_kib": after.as_ref().map(|it| it.rss_kib),
        "bytes_each": each(&after), "bytes_each_when_fresh": each(&fresh),
        "cpu_us_per_second_each": cpu.map(|it| round(it / opened.max(1) as f64)),
        "held_seconds": arguments.hold,
    });
    (report, failed.is_empty() && !closed)
}

/// A few pairs talk and leave, so that idle memory is counted without what every start costs once;
/// answers what went wrong.
async fn come_and_go(target: &Target) -> Vec<String> {
    let (met, mut failed) = gather(&target.addresses, WARM_UP_PAIRS).await;
    let plan = Plan {
        messages: 5,
        pace: Pace::Window(1),
    };
    let (_, tally) = talk(met, plan).await;
    failed.extend(tally.broken);
    failed
}

/// So many pairs come and say nothing; answers them, and what went wrong. Group by group: who is in a
/// room already must answer pings while the others still come.
async fn come_and_stay(target: &Target, pairs: usize) -> (JoinSet<Lost>, Vec<String>) {
    let (mut idling, mut failed) = (JoinSet::new(), Vec::new());
    for first in (0..pairs).step_by(PAIRS_AT_ONCE) {
        let group = PAIRS_AT_ONCE.min(pairs - first);
        let (met, not) = gather(&target.addresses, group).await;
        failed.extend(not);
        for person in met {
            idling.spawn(stay(person.socket));
        }
    }
    (idling, failed)
}

/// Says nothing and answers pings, until the socket is lost; answers why.
async fn stay(mut socket: Socket) -> Lost {
    loop {
        match socket.hear().await {
            // Silence is what idle people hear.
            Ok(_) | Err(Lost::Silent) => {}
            Err(lost) => return lost,
        }
    }
}

/// Says the first few of what went wrong.
pub fn report(what: &str, whys: &[String]) {
    for why in whys.iter().take(5) {
        eprintln!("{what}: {why}");
    }
}
