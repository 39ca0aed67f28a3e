//! Numbers as reports show them.

use serde_json::{Map, Value, json};

/// Median, tails and maximum, in milliseconds.
pub fn percentiles(micros: &mut [u64]) -> Value {
    micros.sort_unstable();
    let at = |share: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a length is a place in it"
        )]
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

/// The middle one (between the middle two), the least and the greatest; nothing of nothing.
pub fn spread(mut values: Vec<f64>) -> Value {
    values.sort_by(f64::total_cmp);
    let (Some(least), Some(greatest)) = (values.first(), values.last()) else {
        return Value::Null;
    };
    let middle = values.len() / 2;
    let median = f64::midpoint(values[(values.len() - 1) / 2], values[middle]);
    json!({ "median": round(median), "min": round(*least), "max": round(*greatest) })
}

/// For each of these figures, how Miyu's (the first of each round) relate to a relay's of the same round;
/// and the medians.
pub fn summary(rounds: &[Vec<Value>], relay: usize, keys: &[&str]) -> Value {
    let mut figures = Map::new();
    for key in keys {
        let of = |round: &Vec<Value>, subject: usize| round[subject][*key].as_f64();
        let all = |subject| spread(rounds.iter().filter_map(|it| of(it, subject)).collect());
        if all(0).is_null() {
            continue;
        }
        let ratio = |it| Some(of(it, 0)? / of(it, relay).filter(|relay| *relay > 0.0)?);
        let ratios = rounds.iter().filter_map(ratio).collect();
        let figure = json!({
            "ratio": spread(ratios), "miyu": all(0), "relay": all(relay),
        });
        figures.insert((*key).to_owned(), figure);
    }
    let relay = rounds.first().map(|it| &it[relay]["subject"]);
    json!({ "summary": "miyu against relay", "relay": relay, "rounds": rounds.len(), "figures": figures })
}
