// One plot as SVG: lines over a linear or logarithmic axis, named at their ends. Colours follow the
// reader's light or dark scheme; the background is the page's.

const WIDTH = 720;
const HEIGHT = 380;
const LEFT = 76;
const RIGHT = 120;
const TOP = 56;
const BOTTOM = 60;

const STYLE = `
    text { font: 14px system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif; fill: #3b3f46; }
    .title { font-size: 17px; font-weight: 600; fill: #1c1e22; }
    .tick { font-size: 13px; fill: #5c626b; }
    .grid { stroke: #d8dbe0; stroke-width: 1; }
    .axis { stroke: #8a9099; stroke-width: 1; }
    .line { fill: none; stroke-width: 2.5; stroke-linejoin: round; stroke-linecap: round; }
    .name { font-weight: 600; }
    .miyu { stroke: #b4500f; } circle.miyu, text.miyu { stroke: none; fill: #b4500f; }
    .relay { stroke: #47698c; } circle.relay, text.relay { stroke: none; fill: #47698c; }
    .tuned { stroke: #6f7680; stroke-dasharray: 6 5; } circle.tuned, text.tuned { stroke: none; fill: #6f7680; }
    @media (prefers-color-scheme: dark) {
        text { fill: #c9cdd4; } .title { fill: #f0f2f5; } .tick { fill: #a3a9b3; }
        .grid { stroke: #3a3f47; } .axis { stroke: #767d88; }
        .miyu { stroke: #ff9a57; } circle.miyu, text.miyu { fill: #ff9a57; }
        .relay { stroke: #8fb6dd; } circle.relay, text.relay { fill: #8fb6dd; }
        .tuned { stroke: #a3a9b3; } circle.tuned, text.tuned { fill: #a3a9b3; }
    }`;

/** Round steps from 0 to above the greatest value. */
function steps(most) {
    const rough = most / 5;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 2.5, 5, 10].map((it) => it * power).find((it) => it >= rough);
    const count = Math.ceil(most / step);
    return Array.from({ length: count + 1 }, (_, index) => index * step);
}

const label = (value) => Number(value.toPrecision(6)).toLocaleString("en");
const place = (value) => value.toFixed(1);
const escape = (text) => text.replace(/[&<>]/g, (it) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[it]);

/** Names at line ends must not lie on each other. */
function apart(ends) {
    const sorted = [...ends].sort((a, b) => a.y - b.y);
    for (let index = 1; index < sorted.length; index++) {
        sorted[index].y = Math.max(sorted[index].y, sorted[index - 1].y + 18);
    }
    return sorted;
}

/** `series`: name, tone (a class above), points [x, y]; `log`: the x axis is logarithmic. */
export function plot({ title, x, y, log, series }) {
    const all = series.flatMap((it) => it.points);
    const xs = [...new Set(all.map(([at]) => at))].sort((a, b) => a - b);
    const rows = steps(Math.max(...all.map(([, value]) => value)));
    const along = log ? Math.log10 : (value) => value;
    const [from, to] = [along(log ? xs[0] : 0), along(xs.at(-1))];
    const atX = (value) => LEFT + ((along(value) - from) / (to - from)) * (WIDTH - LEFT - RIGHT);
    const atY = (value) => HEIGHT - BOTTOM - (value / rows.at(-1)) * (HEIGHT - TOP - BOTTOM);
    const columns = log ? xs : steps(xs.at(-1)).filter((it) => it <= xs.at(-1));

    const out = [
        `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escape(title)}">`,
        `<style>${STYLE}\n</style>`,
        `<text class="title" x="${LEFT}" y="26">${escape(title)}</text>`,
    ];
    for (const value of rows) {
        const height = place(atY(value));
        out.push(`<line class="${value === 0 ? "axis" : "grid"}" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${height}" y2="${height}"/>`);
        out.push(`<text class="tick" x="${LEFT - 10}" y="${place(atY(value) + 4.5)}" text-anchor="end">${label(value)}</text>`);
    }
    for (const value of columns) {
        out.push(`<text class="tick" x="${place(atX(value))}" y="${HEIGHT - BOTTOM + 22}" text-anchor="middle">${label(value)}</text>`);
    }
    out.push(`<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 12}" text-anchor="middle">${escape(x)}</text>`);
    out.push(`<text x="${LEFT}" y="46" class="tick">${escape(y)}</text>`);
    const ends = [];
    for (const { name, tone, points } of series) {
        const places = points.map(([at, value]) => [atX(at), atY(value)]);
        out.push(`<polyline class="line ${tone}" points="${places.map((it) => it.map(place).join(",")).join(" ")}"/>`);
        out.push(...places.map(([cx, cy]) => `<circle class="${tone}" cx="${place(cx)}" cy="${place(cy)}" r="3.5"/>`));
        ends.push({ name, tone, y: places.at(-1)[1] + 5 });
    }
    for (const { name, tone, y: height } of apart(ends)) {
        out.push(`<text class="name ${tone}" x="${WIDTH - RIGHT + 12}" y="${place(height)}">${escape(name)}</text>`);
    }
    return `${[...out, "</svg>"].join("\n")}\n`;
}
