
// What is asked for, and what becomes of it.

const interval = 2000;
const remembered = 60;
const patience = 8000;
const directions = ["v4_to_v6", "v6_to_v4"];
const curves = { v4_to_v6: [], v6_to_v4: [], drops: [] };
let before = null;
let lastAnswer = 0;

async function get(path) {
  const control = new AbortController();
  const timer = setTimeout(() => control.abort(), patience);
  try {
    const answer = await fetch(path, { signal: control.signal, cache: "no-store" });
    if (answer.status === 503 || answer.status === 200) return await answer.json();
    throw new Error(path + ": " + answer.status);
  } finally {
    clearTimeout(timer);
  }
}

function sum(object) {
  return Object.values(object || {}).reduce((a, b) => a + b, 0);
}

function look(status) {
  const now = { at: status.exporter.now_ms, pid: status.daemon.pid,
                restarts: status.daemon.restarts, drops: 0, protocols: {} };
  for (const d of directions) {
    const counters = status.counters[d];
    now.drops += sum(counters.rejected) + sum(counters.dropped);
    now.protocols[d] = counters.protocols;
  }
  return now;
}

// Counters that go back belong to a daemon that has started anew.
function perSecond(now, then, seconds) {
  return now >= then ? (now - then) / seconds : NaN;
}

function rates(now) {
  if (!before || now.at <= before.at) return null;
  if (now.pid !== before.pid && now.restarts <= before.restarts) return null;
  const seconds = (now.at - before.at) / 1000;
  const out = { drops: perSecond(now.drops, before.drops, seconds), protocols: {} };
  for (const d of directions) {
    out[d] = { packets: 0, bits: 0 };
    out.protocols[d] = {};
    for (const p of Object.keys(now.protocols[d])) {
      const packets = perSecond(now.protocols[d][p].packets, before.protocols[d][p].packets, seconds);
      const bits = 8 * perSecond(now.protocols[d][p].bytes, before.protocols[d][p].bytes, seconds);
      out.protocols[d][p] = { packets, bits };
      out[d].packets += packets;
      out[d].bits += bits;
    }
  }
  return out;
}

function remember(name, value) {
  curves[name].push(value);
  if (curves[name].length > remembered) curves[name].shift();
  draw("plot-" + name, curves[name], remembered);
}

function showTraffic(rate) {
  for (const d of directions) {
    say(byId("rate-" + d), rate ? short(rate[d].bits) + "bit/s, " + short(rate[d].packets) + " packets/s" : "–");
    remember(d, rate ? rate[d].bits : NaN);
  }
  say(byId("rate-drops"), rate ? short(rate.drops) + " packets/s" : "–");
  remember("drops", rate ? rate.drops : NaN);
  if (!rate) return;
  fillRows("protocols", Object.keys(rate.protocols.v4_to_v6).map(p => [p.toUpperCase(),
    ...directions.flatMap(d => [short(rate.protocols[d][p].packets), short(rate.protocols[d][p].bits)])]), "none");
}

function showState(status) {
  const daemon = status.daemon;
  const isGood = status.exporter.ready;
  const state = byId("state");
  state.className = "state " + (isGood ? "good" : "bad");
  say(state, isGood ? "Ready" : { running: "Not ready", silent: "Silent", stopped: "Stopped",
                                  absent: "No daemon" }[daemon.state] || "Not ready");
  const since = status.readiness && status.readiness.since;
  say(byId("reason"), isGood ? (since ? "since " + since : "") : status.exporter.why_not);
  say(byId("version"), status.version || "");
  showBanner(daemon.state === "running" ? "" : daemon.state === "absent"
    ? "No daemon. " + daemon.problem
    : "The daemon " + (daemon.state === "stopped" ? "has stopped" : "gives no sign of life") +
      ". These are its last numbers, " + ago(daemon.silent_ms / 1000) + " old.");
}

function showBanner(text) {
  say(byId("stale"), text);
  byId("stale").hidden = text === "";
  document.body.classList.toggle("stale", text !== "");
}

function showDaemon(status) {
  const daemon = status.daemon;
  const now = status.exporter.now_ms / 1000;
  const routing = status.routing;
  const uplinks = ((status.fastpath || {}).interfaces || []).map(i => i.name + (i.runs ? " (" + i.runs + ")" : ": " + i.why_not));
  fillFacts("daemon", [
    ["Running for", ago(now - daemon.started)],
    ["Mappings", String(daemon.mappings)],
    ["Table", daemon.digest.slice(0, 16) + ", generation " + daemon.generation + ", loaded " + ago(now - daemon.generation_since) + " ago"],
    ["Prefix", status.translation_prefix || "–"],
    ["Process", daemon.pid + ", " + daemon.restarts + " restarts"],
    ["Withdrawals", String((status.readiness || {}).withdrawals ?? "–")],
    ["Routing", routing ? (routing.draining ? "draining, by " + routing.by : "announces") : "–"],
    ["Fast path", uplinks.join(", ") || "off"],
  ]);
  fillList("reloads", (status.reload_history || []).map(r => r.at + ": " + r.result + ", " + r.added +
    " added, " + r.removed + " removed, " + r.changed + " changed" + (r.message ? ": " + r.message : "")), "none yet");
}

function showDrops(drops) {
  const made = drops.counts.map(reason => {
    const box = element("div", undefined, "reason");
    const counts = directions.map(d => reason[d].rejected + reason[d].dropped);
    box.append(element("b", reason.reason),
               element("span", " 4 → 6: " + counts[0] + ", 6 → 4: " + counts[1], "quiet"),
               element("p", reason.sentence), element("p", reason.advice, "quiet"));
    return box;
  });
  byId("reasons").replaceChildren(...(made.length ? made : [element("p", "none", "quiet")]));
  fillList("last", drops.last.slice(0, 20).map(d =>
    new Date(d.time_ms).toISOString().slice(0, 19) + "Z " + d.reason + ": " + d.packet), "none");
}

function trafficCells(row) {
  const both = key => directions.reduce((total, d) => total + (row[d][key] || 0), 0);
  return [short(both("packets_per_second")), short(both("bits_per_second")), short(both("bytes"))];
}

async function refresh() {
  const status = await get("/api/v1/status");
  showState(status);
  lastAnswer = Date.now();
  if (status.daemon.state === "absent") {
    before = null;
    showTraffic(null);
    return;
  }
  const now = look(status);
  showTraffic(rates(now));
  before = now;
  showDaemon(status);
  const order = "?sort=bit_rate&limit=10";
  const [drops, mappings, tenants] = await Promise.all(
    [get("/api/v1/drops"), get("/api/v1/mappings" + order), get("/api/v1/tenants" + order)]);
  if (drops.counts) showDrops(drops);
  if (mappings.rows) fillRows("mappings", mappings.rows.map(row =>
    [row.ipv4 + " = " + row.ipv6 + (row.name ? " " + row.name : ""), ...trafficCells(row)]), "none");
  if (tenants.rows) fillRows("tenants", tenants.rows.map(row =>
    [row.tenant || "(none)", ...trafficCells(row)]), "none");
}

async function run() {
  for (;;) {
    try {
      if (!document.hidden) await refresh();
    } catch (problem) {
      const age = lastAnswer ? " Last answer " + ago((Date.now() - lastAnswer) / 1000) + " ago." : "";
      showBanner("The exporter does not answer." + age);
    }
    await new Promise(resolve => setTimeout(resolve, interval));
  }
}

run();
