// What every page needs: its data, the filter, charts that follow light and dark, sortable tables.
const data = JSON.parse(document.getElementById("data").textContent);
const keys = ["region", "format", "speed"];
const filters = keys.map((key) => document.getElementById(`filter-${key}`)).filter(Boolean);
const watchers = [];
const charts = new Map(); // id of the place to what was last drawn there
const parameters = new URLSearchParams();

function tell(problem) {
  const place = document.getElementById("broken");
  place.textContent = `The charts of this page could not be drawn: ${problem} The tables are complete.`;
  place.hidden = false;
}
window.addEventListener("error", (event) => tell(event.message));
window.addEventListener("unhandledrejection", (event) => tell(String(event.reason)));

// Numbers arrive as codes, deflated, as base64 text: see packing.py. Gives rows x columns, NaN where not known.
async function unpack(packed) {
  if (!("DecompressionStream" in window)) throw new Error("this browser is too old; one of 2023 or later can.");
  const bytes = Uint8Array.from(atob(packed.codes), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const plain = new Uint8Array(await new Response(stream).arrayBuffer());
  const size = packed.rows * packed.columns, coarse = packed.bytes === 1, unknown = coarse ? 255 : 65535;
  const values = new Float64Array(size);
  for (let i = 0; i < size; i += 1) {
    const code = coarse ? plain[i] : plain[i] | (plain[size + i] << 8);
    const step = packed.steps[Math.floor(i / packed.columns)];
    values[i] = code === unknown ? NaN : coarse ? step * code * code : step * code;
  }
  return values;
}

function choice() {
  return Object.fromEntries(filters.map((each) => [each.name, each.value]));
}

// Places in data.segments that the filter lets through.
function chosen() {
  const wanted = choice();
  return data.segments.flatMap((segment, place) =>
    keys.every((key, i) => !wanted[key] || segment[i] === wanted[key]) ? [place] : []);
}

function remember(changes) {
  for (const [key, value] of Object.entries(changes)) {
    if (value) parameters.set(key, value);
    else parameters.delete(key);
  }
  const hash = parameters.size ? `#${parameters}` : "";
  history.replaceState(null, "", hash || location.pathname + location.search);
  for (const link of document.querySelectorAll("a.page")) link.href = link.getAttribute("href").split("#")[0] + hash;
}

function readHash() {
  for (const key of [...parameters.keys()]) parameters.delete(key);
  for (const [key, value] of new URLSearchParams(location.hash.slice(1))) parameters.set(key, value);
  for (const select of filters) {
    const value = parameters.get(select.name) ?? "";
    select.value = [...select.options].some((option) => option.value === value) ? value : "";
  }
}

function apply() {
  const wanted = choice();
  for (const row of document.querySelectorAll("tr[data-region]")) {
    row.hidden = keys.some((key) => wanted[key] && row.dataset[key] !== undefined && row.dataset[key] !== wanted[key]);
  }
  const places = chosen();
  const shown = document.getElementById("shown");
  if (shown) shown.textContent = places.length ? `${places.length} of ${data.segments.length} segments` : "No segment is like that. Show all, or choose another.";
  remember(wanted);
  return Promise.all(watchers.map((watcher) => watcher(places)));
}

function colours(text) {
  const style = getComputedStyle(document.documentElement);
  return text.replace(/"@([a-z0-9]+)"/g, (_, name) => JSON.stringify(style.getPropertyValue(`--${name}`).trim()));
}

function words(value) {
  return typeof value === "number" ? value.toLocaleString("en", { maximumSignificantDigits: 4 }) : value ?? "–";
}

function pointAt(_, event, item, value) {
  const tip = document.getElementById("tip");
  tip.hidden = !value;
  if (!value) return;
  const list = document.createElement("dl");
  for (const [key, each] of Object.entries(value)) {
    if (["null", "NaN", "undefined", ""].includes(String(each))) continue;
    for (const [kind, text] of [["dt", key], ["dd", String(each)]]) {
      list.append(Object.assign(document.createElement(kind), { textContent: text }));
    }
  }
  tip.replaceChildren(list);
  const box = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(event.clientX + 14, innerWidth - box.width - 8))}px`;
  tip.style.top = `${event.clientY + 18 + box.height > innerHeight ? event.clientY - box.height - 12 : event.clientY + 18}px`;
}

// Vega writes into the rows it is given.
function copied(rows) {
  return rows.map((row) => ({ ...row }));
}

// Draw a chart of `name` at `id` with data sets {rows, ...}; columns: what its table shows, field to heading.
async function draw(id, name, sets, columns) {
  const drawn = { ...charts.get(id), name, sets, columns };
  charts.set(id, drawn);
  if (drawn.view) {
    const view = await drawn.view;
    if (charts.get(id) !== drawn) return; // overtaken by a later choice
    for (const [set, rows] of Object.entries(sets)) view.data(set, copied(rows));
    await view.runAsync();
  } else {
    drawn.view = embed(id, name, sets);
    await drawn.view;
  }
  tabulate(id);
}

// `ast`: expressions are interpreted, not made into functions, which the page's content policy forbids.
async function embed(id, name, sets) {
  const spec = JSON.parse(colours(JSON.stringify(data.charts[name])));
  for (const each of spec.data) if (sets[each.name]) each.values = copied(sets[each.name]);
  const found = await vegaEmbed(document.getElementById(id), spec, {
    mode: "vega", ast: true, actions: false, renderer: "svg", hover: true, tooltip: pointAt,
    defaultStyle: false, config: { aria: false }, logLevel: 1, // errors alone: a set without rows is none
  });
  return found.view;
}

async function redraw() {
  for (const [id, { view, name, sets, columns }] of [...charts]) {
    (await view).finalize();
    charts.delete(id); // so that it is made anew, in the colours of now
    document.getElementById(id).replaceChildren();
    await draw(id, name, sets, columns);
  }
}

// The numbers of a chart as a table, made when somebody opens it.
function tabulate(id) {
  const details = document.querySelector(`details[data-chart="${id}"]`);
  const drawn = charts.get(id);
  if (!details?.open || !drawn) return;
  const make = (kind, text, more = {}) => Object.assign(document.createElement(kind), { textContent: text, ...more });
  const table = document.createElement("table"), head = document.createElement("tr");
  for (const heading of Object.values(drawn.columns)) head.append(make("th", heading, { scope: "col" }));
  table.createTHead().append(head);
  const body = table.createTBody();
  for (const row of drawn.sets.rows) {
    const line = body.insertRow();
    Object.keys(drawn.columns).forEach((field, i) => {
      const value = field === "week" ? day(row.week) : words(Number.isNaN(row[field]) ? null : row[field]);
      line.append(i ? make("td", value) : make("th", value, { scope: "row" }));
    });
  }
  details.querySelector(".scroll").replaceChildren(table);
}

function day(time) {
  return new Date(time).toISOString().slice(0, 10);
}

function fill(select, values, wanted) {
  select.replaceChildren(...values.map((value) => new Option(value)));
  select.value = values.includes(wanted) ? wanted : values[0] ?? "";
}

function sortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  const worth = (row, column) => {
    const cell = row.cells[column], text = cell?.dataset.value ?? cell?.textContent.trim() ?? "";
    const number = Number.parseFloat(text.replaceAll(",", ""));
    return { text, number: /^[-+]?[\d.,]+( |$|%)/.test(text) || cell?.dataset.value ? number : NaN };
  };
  heads.forEach((head, column) => {
    head.querySelector("button.sort")?.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") !== "descending" && head.classList.contains("number");
      const up = !down && head.getAttribute("aria-sort") !== "ascending";
      for (const each of heads) each.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down || !up ? "descending" : "ascending");
      const sign = down || !up ? -1 : 1;
      const rows = [...table.tBodies[0].rows].map((row) => [row, worth(row, column)]);
      rows.sort(([, a], [, b]) => {
        if (Number.isNaN(a.number) !== Number.isNaN(b.number)) return Number.isNaN(a.number) ? 1 : -1; // not known: last
        return sign * (Number.isNaN(a.number) ? a.text.localeCompare(b.text) : a.number - b.number);
      });
      table.tBodies[0].append(...rows.map(([row]) => row));
    });
  });
}

async function start(page) {
  for (const table of document.querySelectorAll("table:has(button.sort)")) sortable(table);
  for (const details of document.querySelectorAll("details[data-chart]")) {
    details.addEventListener("toggle", () => tabulate(details.dataset.chart));
  }
  readHash();
  await page();
  for (const select of filters) select.addEventListener("change", apply);
  document.getElementById("reset")?.addEventListener("click", () => {
    for (const select of filters) select.value = "";
    apply();
  });
  window.addEventListener("hashchange", () => { readHash(); apply(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  await apply();
  document.documentElement.dataset.drawn = String(Math.round(performance.now()));
}
