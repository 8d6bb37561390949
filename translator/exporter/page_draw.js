
"use strict";
// How things look. Text from data goes through textContent only.

function byId(id) { return document.getElementById(id); }

function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function element(tag, text, name) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (name) made.className = name;
  return made;
}

// A number of three digits: "1.23 M".
function short(value) {
  if (!isFinite(value)) return "–";
  let unit = 0;
  while (value >= 999.5 && unit < 5) { value /= 1000; unit += 1; }
  const digits = unit === 0 ? (value < 10 && value % 1 ? 1 : 0) : value < 10 ? 2 : value < 100 ? 1 : 0;
  return value.toFixed(digits) + (unit ? " " + "kMGTP"[unit - 1] : "");
}

function ago(seconds) {
  if (!isFinite(seconds)) return "–";
  seconds = Math.max(0, Math.round(seconds));
  if (seconds < 120) return seconds + " s";
  if (seconds < 7200) return Math.floor(seconds / 60) + " min";
  if (seconds < 172800) return Math.floor(seconds / 3600) + " h";
  return Math.floor(seconds / 86400) + " days";
}

function fillRows(id, rows, empty) {
  const body = byId(id);
  const made = rows.map(cells => {
    const row = element("tr");
    for (const cell of cells) row.append(element("td", cell));
    return row;
  });
  if (!made.length) {
    const cell = element("td", empty, "quiet");
    cell.colSpan = 5;
    const row = element("tr");
    row.append(cell);
    made.push(row);
  }
  body.replaceChildren(...made);
}

function fillList(id, lines, empty) {
  const made = (lines.length ? lines : [empty]).map(line => element("li", line));
  byId(id).replaceChildren(...made);
}

function fillFacts(id, facts) {
  const made = [];
  for (const [name, value] of facts) made.push(element("dt", name), element("dd", value));
  byId(id).replaceChildren(...made);
}

// Values from the oldest on; NaN leaves a gap. The curve's top is the largest of them.
function draw(id, values, most) {
  const svg = byId(id);
  let path = svg.querySelector("path");
  if (!path) {
    path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    svg.append(path);
  }
  const top = Math.max(1, ...values.filter(isFinite));
  let text = "";
  let pen = "M";
  values.forEach((value, i) => {
    if (!isFinite(value)) { pen = "M"; return; }
    const x = 300 * (i + most - values.length) / (most - 1);
    text += pen + x.toFixed(1) + " " + (78 - 76 * value / top).toFixed(1);
    pen = "L";
  });
  path.setAttribute("d", text || "M0 78");
}
