//! What is written about bounds is what the code adds up.

#[test]
fn every_bound_says_its_bytes() {
    use miyu::admission::bounds::BOUNDS;
    let text = include_str!("../../../docs/internals/bounds.md");
    let (_, table) = text
        .split_once("| what | bound | when it is full | bytes |\n")
        .unwrap();
    let rows = table
        .lines()
        .skip(1)
        .take_while(|line| line.starts_with('|'));
    let mut said = std::collections::HashMap::new();
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(
            cells.len(),
            4,
            "say in a fourth column what this comes to in bytes, or – when another row or the budget \
             holds it: {row}"
        );
        said.insert(cells[0], cells[3]);
    }
    for bound in &BOUNDS {
        let bytes = said.remove(bound.what);
        assert_eq!(bytes, Some(bound.shown().as_str()), "{}", bound.what);
    }
    said.retain(|_, bytes| *bytes != "–");
    assert!(
        said.is_empty(),
        "admission/holdings.rs does not add up {said:?}"
    );
}

#[test]
fn what_can_be_held_is_as_documented() {
    use miyu::admission::bounds::{CONNECTION, holdings};
    use miyu::admission::host::HostMemory;
    const MIB: u64 = 1 << 20;
    let host = HostMemory {
        bytes: 2048 * MIB,
        said_by: "test",
    };
    let held = holdings(&miyu::config::Limits::default(), host);
    let text = include_str!("../../../docs/internals/bounds.md");
    let share = host.budget(0) / 8 / MIB;
    for figure in [
        format!("counts with {} KiB", CONNECTION / 1024),
        format!("one address can hold {} MiB", held.address / MIB),
        format!("a share of {share} MiB"),
        format!(
            "can hold {} MiB. The kernel",
            thousands(held.everything / MIB)
        ),
    ] {
        assert!(text.contains(&figure), "bounds.md should say: {figure}");
    }
}

fn thousands(n: u64) -> String {
    match n {
        0..1000 => n.to_string(),
        _ => format!("{},{:03}", n / 1000, n % 1000),
    }
}
