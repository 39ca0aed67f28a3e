// Turns what scripts/bench measured into what docs/BENCHMARKS.md shows: its table and docs/benchmarks/*.svg.
//
//   report FOLDER DOCS    rewrites the table and the plots
//   check FOLDER          makes them from whatever is there, and throws them away
//   rate FOLDER SHARE     this part of the messages a second that the bare relay reached
//   parts TEXT CRITERION  what cargo bench measured, as lines of JSON

import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { plot } from "./bench-plot.mjs";

const BEGIN = "<!-- figures: written by scripts/bench -->";
const END = "<!-- end of figures -->";

/** What must be zero in a measurement, where it is there. */
const FAULTS = ["lost", "doubled", "reordered", "gaps", "broken", "failed", "failed_set_ups", "rooms_not_of_two"];

/** All lines of one file; none when it was not measured. A measurement in which anything failed is none. */
function lines(folder, name) {
    const path = join(folder, `${name}.jsonl`);
    if (!existsSync(path)) return [];
    const found = readFileSync(path, "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line));
    const faulty = found.find((it) => it.closed || FAULTS.some((key) => it[key]));
    if (faulty) throw new Error(`${path}: something failed; measure this again: ${JSON.stringify(faulty)}`);
    return found;
}

/** Part of its core from which on the client has no time left. */
const CLIENT_FULL = 0.95;

const of = (reports, subject) => reports.filter((it) => it.subject === subject);
const ascending = (values) => [...values].sort((a, b) => a - b);
/** Between the middle two of an even number. */
function median(values) {
    const [sorted, middle] = [ascending(values), values.length / 2];
    return (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
}

/** The median with its spread, or nothing. */
function spread(values) {
    const sorted = ascending(values.filter((it) => it !== null && it !== undefined));
    if (sorted.length === 0) return null;
    return { median: median(sorted), min: sorted[0], max: sorted.at(-1), count: sorted.length };
}

/** How Miyu's figures relate to a relay's of the same round. */
function ratios(reports, key, relay = "relay") {
    const [miyu, other] = [of(reports, "miyu"), of(reports, relay)];
    const both = miyu.map((it, round) => [it[key], other[round]?.[key]]).filter((it) => it.every(Number.isFinite));
    return spread(both.map(([here, there]) => here / there));
}

/** Ratios of rates; marked when it was the client that was at its limit with the relay. */
function rates(reports, key, relay = "relay") {
    const busy = spread(of(reports, relay).map((it) => it.client_cores_busy));
    const figure = ratios(reports, key, relay);
    return figure && { ...figure, flattered: busy !== null && busy.median >= CLIENT_FULL };
}

/** With as many digits as mean something. */
function show(value) {
    if (value >= 1000) return Math.round(value).toLocaleString("en");
    return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}

function row(what, target, unit, figure, met) {
    if (figure === null) return `| ${what} | ${target} | not measured | | | |`;
    const mark = met(figure.median) ? "yes" : "**no**";
    const reached = `${show(figure.median)}${unit}${figure.flattered ? " †" : ""}`;
    return `| ${what} | ${target} | ${reached} | ${range(figure)} | ${figure.count} | ${mark} |`;
}

const range = (figure) => (figure.min === figure.max ? "" : `${show(figure.min)} – ${show(figure.max)}`);

const atMost = (limit) => (value) => value <= limit;
const atLeast = (limit) => (value) => value >= limit;

/** docs/BENCHMARKS.md's table. */
function table(folder) {
    const [pairs, paced, idle] = ["pairs", "paced", "idle"].map((it) => lines(folder, it));
    const [connect, arrive] = ["connect", "arrive"].map((it) => lines(folder, it));
    const [cold, pools] = ["cold", "parts"].map((it) => lines(folder, it));
    const redis = (tags) =>
        spread(lines(folder, "pairings").filter((it) => it.tags === tags).map((it) => it.pairings_per_second));
    const pool = (people, waiting) =>
        pools.filter((it) => it.bench === "pool" && it.people === people && it.waiting === waiting);
    const [few, many] = ["untagged", "tagged"].reduce(
        (before, people) => [
            [...before[0], ...pool(people, 100_000)],
            [...before[1], ...pool(people, 1_000_000)],
        ],
        [[], []],
    );
    const worst = (values, pick) => (values.length ? spread([pick(...values)]) : null);
    const slower = few.map((it, index) => it.pairings_per_second / many[index]?.pairings_per_second);
    const talked = [...pairs, ...paced, ...lines(folder, "growth-pairs")];
    const holes = of(talked, "miyu").map((it) => it.pages_by_holes);
    const first = cold.find((it) => it.first_page_ms);
    return [
        "| figure | target | reached | spread | rounds | met |",
        "|---|---|---|---|---|---|",
        row("processor time of the server, one message stored and delivered to both sides; 100 pairs, window 8", "≤ 1.5 × bare", " ×", ratios(pairs, "server_cpu_us_per_message"), atMost(1.5)),
        row("the same", "≤ 1.5 × tuned", " ×", ratios(pairs, "server_cpu_us_per_message", "tuned"), atMost(1.5)),
        row("messages a second, the same; server on one core", "≥ 0.7 × bare", " ×", rates(pairs, "messages_per_second"), atLeast(0.7)),
        row("the same", "≥ 0.7 × tuned", " ×", rates(pairs, "messages_per_second", "tuned"), atLeast(0.7)),
        row("acknowledged at half of the load that this asks for, p99", "≤ 5 ms", " ms", spread(of(paced, "miyu").map((it) => it.acknowledged_ms.p99)), atMost(5)),
        row("resident memory of one idle chat connection, of 15,000", "≤ 5 kB", " kB", spread(of(idle, "miyu").map((it) => it.bytes_each / 1000)), atMost(5)),
        row("processor time of one of them", "≤ 2 µs a second", " µs", spread(of(idle, "miyu").map((it) => it.cpu_us_per_second_each)), atMost(2)),
        row("pairings in process, all rules, 100,000 waiting; the slower of tagged and untagged", "≥ 100,000/s", "/s", worst(few.map((it) => it.pairings_per_second), Math.min), atLeast(100_000)),
        row("entering the pool, the same, p99", "< 50 µs", " µs", worst(few.map((it) => it.enter_us.p99), Math.max), (it) => it < 50),
        row("1,000,000 waiting instead", "≤ 2 × slower", " ×", worst(slower.filter(Number.isFinite), Math.max), atMost(2)),
        row("pairings through one Redis, untagged", "≥ 15,000/s", "/s", redis(0), atLeast(15_000)),
        row("the same with two tags each", "≥ 5,000/s", "/s", redis(2), atLeast(5000)),
        row("people paired a second, 4,000 connecting and starting at once", "≥ 0.8 × bare", " ×", rates(connect, "people_per_second"), atLeast(0.8)),
        row("the same", "≥ 0.8 × tuned", " ×", rates(connect, "people_per_second", "tuned"), atLeast(0.8)),
        row("people paired a second, connected before, 4,000 starting at once", "≥ 0.8 × bare", " ×", rates(arrive, "people_per_second"), atLeast(0.8)),
        row("the same", "≥ 0.8 × tuned", " ×", rates(arrive, "people_per_second", "tuned"), atLeast(0.8)),
        row("pages read because of holes on one node", "0", "", worst(holes.filter(Number.isFinite), Math.max), atMost(0)),
        row("cold start to the first page", "< 100 ms", " ms", first ? { ...first.first_page_ms, count: first.rounds } : null, (it) => it < 100),
        row("release executable", "< 20 MB", " MB", first ? spread([first.executable_bytes / 1e6]) : null, (it) => it < 20),
        "",
        "† The client was at its limit with the relay, which could have more: the ratio of processor time says how much.",
    ].join("\n");
}

/** The same figures not as ratios. */
function absolute(folder) {
    const [pairs, paced, idle] = ["pairs", "paced", "idle"].map((it) => lines(folder, it));
    const [connect, arrive] = ["connect", "arrive"].map((it) => lines(folder, it));
    const middle = (reports, subject, pick) => {
        const figure = spread(of(reports, subject).map(pick));
        return figure === null ? "–" : show(figure.median);
    };
    const all = (what, reports, pick) =>
        `| ${what} | ${["miyu", "relay", "tuned"].map((it) => middle(reports, it, pick)).join(" | ")} |`;
    const people = (which, reports) => [
        all(`people paired a second, ${which}`, reports, (it) => it.people_per_second),
        all("processor time a person, µs, the same", reports, (it) => it.server_cpu_us_per_person),
        all("part of its core that the server used, the same", reports, (it) => it.server_cores_busy),
        all("part of its core that the client used, the same", reports, (it) => it.client_cores_busy),
    ];
    const nodes = (count) => lines(folder, "nodes").filter((it) => it.nodes === count);
    const each = (pick) => [1, 2].map((count) => middle(nodes(count), "miyu", pick)).join(" | ");
    return [
        "| median | Miyu | bare relay | tuned relay |",
        "|---|---|---|---|",
        all("processor time a message, µs", pairs, (it) => it.server_cpu_us_per_message),
        all("messages a second", pairs, (it) => it.messages_per_second),
        all("part of its core that the server used", pairs, (it) => it.server_cores_busy),
        all("part of its core that the client used", pairs, (it) => it.client_cores_busy),
        all("acknowledged p50, ms, 1,600 unacknowledged all the time", pairs, (it) => it.acknowledged_ms.p50),
        all("acknowledged p50, ms, one message after the other, at half of the load", paced, (it) => it.acknowledged_ms.p50),
        all("acknowledged p99, ms, the same", paced, (it) => it.acknowledged_ms.p99),
        all("processor time a message, µs, the same", paced, (it) => it.server_cpu_us_per_message),
        all("part of its core that the server used, the same", paced, (it) => it.server_cores_busy),
        all("idle connection, bytes", idle, (it) => it.bytes_each),
        all("idle connection, µs a second", idle, (it) => it.cpu_us_per_second_each),
        ...people("4,000 connecting and starting at once", connect),
        ...people("connected before, 4,000 starting at once", arrive),
        "",
        "| median; 200 pairs, window 4; Redis and PostgreSQL (without `fsync`); everything shares two cores | one node | two nodes |",
        "|---|---|---|",
        `| messages a second | ${each((it) => it.messages_per_second)} |`,
        `| processor time of all nodes a message, µs | ${each((it) => it.server_cpu_us_per_message)} |`,
    ].join("\n");
}

/** name.svg → its text; only what was measured. */
function plots(folder) {
    const all = {};
    const medians = (name, subject, x, pick) => {
        const reports = of(lines(folder, name), subject);
        const places = [...new Set(reports.map((it) => it[x]))];
        return places.map((at) => [at, median(reports.filter((it) => it[x] === at).map(pick))]);
    };
    const growth = (name, x, pick) => [
        { name: "Miyu", tone: "miyu", points: medians(name, "miyu", x, pick) },
        { name: "bare relay", tone: "relay", points: medians(name, "relay", x, pick) },
        { name: "tuned relay", tone: "tuned", points: medians(name, "tuned", x, pick) },
    ];
    const add = (name, settings, series) => {
        const measured = series.filter((it) => it.points.length > 1);
        if (measured.length > 0) all[`${name}.svg`] = plot({ ...settings, series: measured });
    };
    add("throughput",
        { title: "Messages stored and delivered, server on one core", x: "pairs who talk", y: "messages a second", log: true },
        growth("growth-pairs", "pairs", (it) => it.messages_per_second));
    add("cost",
        { title: "Processor time of the server for one message", x: "pairs who talk", y: "µs a message", log: true },
        growth("growth-pairs", "pairs", (it) => it.server_cpu_us_per_message));
    add("latency",
        { title: "Time to the acknowledgement, 99th percentile, open loop", x: "messages a second; the server is on one core", y: "ms", log: false },
        growth("growth-rate", "rate", (it) => it.acknowledged_ms.p99));
    add("memory",
        { title: "Resident memory of the server", x: "idle chat connections", y: "MB", log: false },
        growth("growth-idle", "idle", (it) => (it.server_rss_kib * 1024) / 1e6));
    const pool = (people, pick) =>
        lines(folder, "parts").filter((it) => it.bench === "pool" && it.people === people).map((it) => [it.waiting, pick(it)]);
    add("pairing",
        { title: "One person enters the waiting pool, 99th percentile", x: "people waiting", y: "µs", log: true },
        [
            { name: "with tags", tone: "miyu", points: pool("tagged", (it) => it.enter_us.p99) },
            { name: "without tags", tone: "relay", points: pool("untagged", (it) => it.enter_us.p99) },
        ]);
    return all;
}

function report(folder, docs) {
    const page = join(docs, "BENCHMARKS.md");
    const text = readFileSync(page, "utf8");
    const [before, rest] = text.split(BEGIN);
    const [, after] = rest.split(END);
    writeFileSync(page, `${before}${BEGIN}\n\n${table(folder)}\n\n${absolute(folder)}\n\n${END}${after}`);
    mkdirSync(join(docs, "benchmarks"), { recursive: true });
    for (const [name, svg] of Object.entries(plots(folder))) writeFileSync(join(docs, "benchmarks", name), svg);
}

/** Everything is made, from however little. */
function check(folder) {
    if (!table(folder).includes("| yes |")) throw new Error("a table without figures");
    absolute(folder);
    const tiny = { title: "t", x: "x", y: "y", log: true };
    plot({ ...tiny, series: [{ name: "s", tone: "miyu", points: [[1, 1], [10, 2]] }] });
    plots(folder);
}

/** A part of what the bare relay reached, for the open loop. */
function rate(folder, share) {
    const reached = spread(of(lines(folder, "pairs"), "relay").map((it) => it.messages_per_second));
    if (reached === null) throw new Error("measure the scene pairs first");
    return Math.round(reached.median * Number(share));
}

/** The lines of JSON among what cargo bench printed, and criterion's own estimates. */
function parts(text, criterion) {
    const found = readFileSync(text, "utf8").split("\n").filter((line) => line.startsWith("{"));
    for (const group of existsSync(criterion) ? readdirSync(criterion) : []) {
        for (const path of readdirSync(join(criterion, group), { recursive: true })) {
            if (!path.endsWith(join("new", "estimates.json"))) continue;
            const estimates = JSON.parse(readFileSync(join(criterion, group, path), "utf8"));
            const bench = `${group}/${path.split("/new/")[0]}`;
            found.push(JSON.stringify({ bench, microseconds: estimates.median.point_estimate / 1000 }));
        }
    }
    return found.join("\n");
}

const [action, ...words] = process.argv.slice(2);
const actions = { report, check, rate, parts };
const said = actions[action](...words);
if (said !== undefined) console.log(said);
