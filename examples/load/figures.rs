//! Numbers as reports show them.

use serde_json::{Map, Value, json};

/// Median, tails and maximum, in milliseconds.
pub fn percentiles(micros: &mut [u64]) -> Value {
    micros.sort_unstable();
    let at = |share: f64| {
        let index = (micros.len() as f64 * share) as usize;
        let micros = micros.get(index.min(micros.len().saturating_sub(1)));
        micros.map(|it| round(*it as f64 / 1000.0))
    };
    json!({ "p50": at(0.5), "p99": at(0.99), "p99_9": at(0.999), "max": at(1.0) })
}

/// To two decimals.
pub fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// The middle one, the least and the greatest; nothing of nothing.
pub fn spread(mut values: Vec<f64>) -> Value {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.as_slice() {
        [] => Value::Null,
        [least, .., greatest] => {
            json!({ "median": round(values[middle]), "min": round(*least), "max": round(*greatest) })
        }
        [only] => json!({ "median": round(*only), "min": round(*only), "max": round(*only) }),
    }
}

/// For each of these figures, how Miyu's (the first of each round) relate to a relay's of the same round;
/// and the medians.
pub fn summary(rounds: &[Vec<Value>], relay: usize, keys: &[&str]) -> Value {
    let mut figures = Map::new();
    for key in keys {
        let of = |subject: usize| {
            rounds
                .iter()
                .filter_map(move |it| it[subject][*key].as_f64())
        };
        if of(0).next().is_none() {
            continue;
        }
        let pairs = of(0).zip(of(relay)).filter(|(_, relay)| *relay > 0.0);
        let ratios: Vec<f64> = pairs.map(|(miyu, relay)| miyu / relay).collect();
        let figure = json!({
            "ratio": spread(ratios), "miyu": spread(of(0).collect()), "relay": spread(of(relay).collect()),
        });
        figures.insert((*key).to_owned(), figure);
    }
    let relay = rounds.first().map(|it| &it[relay]["subject"]);
    json!({ "summary": "miyu against relay", "relay": relay, "rounds": rounds.len(), "figures": figures })
}
