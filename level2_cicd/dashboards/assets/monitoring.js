// The monitoring page: any series, error by week, drift by input and week.
const WEEK = 7 * 24 * 3600 * 1000;

async function seriesPart() {
  const all = data.series;
  if (!all) return;
  const names = ["actual", "units", "lower", "upper"];
  const planes = Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await unpack(all[name])])));
  const n = all.weeks.length, times = all.weeks.map((week) => Date.parse(week));
  const store = document.getElementById("store"), product = document.getElementById("product");
  let open = []; // series the filter lets through
  const storeOf = (i) => all.stores.names[all.stores.codes[i]], productOf = (i) => all.products.names[all.products.codes[i]];
  const unique = (values) => [...new Set(values)];
  const here = () => open.find((i) => storeOf(i) === store.value && productOf(i) === product.value);
  const offer = (i) => {
    fill(store, unique(open.map(storeOf)), i === undefined ? "" : storeOf(i));
    fill(product, open.filter((j) => storeOf(j) === store.value).map(productOf), i === undefined ? "" : productOf(i));
    return show();
  };
  const show = () => {
    const i = here(), said = document.getElementById("series-words");
    remember({ store: store.value, product: product.value });
    if (i === undefined) { said.textContent = "No series is like that."; return undefined; }
    const rows = times.map((week, w) => ({
      week, actual: planes.actual[i * n + w], forecast: planes.units[i * n + w],
      lower: planes.lower[i * n + w], upper: planes.upper[i * n + w],
    }));
    const both = rows.filter((row) => !Number.isNaN(row.actual) && !Number.isNaN(row.forecast));
    const sold = both.filter((row) => row.actual > 0);
    const off = sold.reduce((sum, row) => sum + Math.abs(row.forecast - row.actual) / row.actual, 0) / sold.length;
    const inside = both.filter((row) => row.lower <= row.actual && row.actual <= row.upper).length;
    const segment = data.segments[all.segments[i]];
    said.textContent = `${segment ? `Segment ${segment.join("-")}. ` : ""}` + (both.length
      ? `Off by ${words(Math.round(100 * off))} % on average over ${both.length} weeks; ${inside} of them inside the interval.`
      : "Nothing has come yet to compare with.");
    return draw("series", "series", { rows },
      { week: "Week", actual: "What came", forecast: "Forecast", lower: "Interval from", upper: "to" });
  };
  const step = (by) => {
    const place = open.indexOf(here());
    offer(open[(place + by + open.length) % open.length]);
  };
  store.addEventListener("change", () => offer(open.find((i) => storeOf(i) === store.value)));
  product.addEventListener("change", show);
  document.getElementById("before").addEventListener("click", () => step(-1));
  document.getElementById("after").addEventListener("click", () => step(1));
  watchers.push((places) => {
    const let_ = new Set(places.length === data.segments.length ? [...places, -1] : places);
    const wanted = [parameters.get("store"), parameters.get("product")];
    open = all.segments.flatMap((segment, i) => (let_.has(segment) ? [i] : []));
    return offer(open.find((i) => storeOf(i) === wanted[0] && productOf(i) === wanted[1]) ?? open[0]);
  });
}

async function errorPart() {
  const all = data.errors;
  if (!all) return;
  const n = all.weeks.length, times = all.weeks.map((week) => Date.parse(week)), cache = new Map();
  const get = async (method, name) => {
    const key = `${method} ${name}`;
    if (!cache.has(key)) cache.set(key, await unpack(all[method][name]));
    return cache.get(key);
  };
  const metric = document.getElementById("metric");
  let places = [];
  const show = async () => {
    const name = metric.value, shift = name === "bias" ? all.biasShift : 0;
    const [own, average, ownRows, averageRows] = await Promise.all(
      [["champion", name], ["baseline", name], ["champion", "n"], ["baseline", "n"]].map((each) => get(...each)));
    if (name !== metric.value) return undefined; // another one was chosen meanwhile
    const mean = (values, counts, week) => {
      let sum = 0, count = 0;
      for (const place of places) {
        const value = values[place * n + week], rows = counts[place * n + week];
        if (!Number.isNaN(value) && rows > 0) { sum += rows * (value - shift); count += rows; }
      }
      return count ? sum / count : NaN;
    };
    const rows = times.map((week, i) => ({ week, champion: mean(own, ownRows, i), baseline: mean(average, averageRows, i) }));
    const targets = { mape: data.targetMape, bias: 0, coverage: data.interval === null ? undefined : 100 * data.interval };
    const guide = targets[name] === undefined ? [] : [{ value: targets[name] }];
    const last = rows.findLast((row) => !Number.isNaN(row.champion));
    document.getElementById("error-words").textContent = last
      ? `Week of ${day(last.week)}: model ${words(last.champion)}${Number.isNaN(last.baseline) ? "" : `, historical average ${words(last.baseline)}`}.`
      : "No figures for this choice.";
    remember({ metric: name === "mape" ? "" : name });
    return draw("error", "error", { rows, guide }, { week: "Week", champion: "Model", baseline: "Historical average" });
  };
  const wanted = parameters.get("metric");
  if ([...metric.options].some((option) => option.value === wanted)) metric.value = wanted;
  metric.addEventListener("change", show);
  watchers.push((now) => { places = now; return show(); });
}

async function driftPart() {
  const all = data.drift;
  if (!all) return;
  const n = all.weeks.length, times = all.weeks.map((week) => Date.parse(week));
  const shares = await Promise.all(all.features.map((feature) => unpack(feature.share)));
  watchers.push((places) => {
    const rows = [];
    all.features.forEach(({ name }, f) => times.forEach((week, w) => {
      let worst = NaN;
      for (const place of places) {
        const share = shares[f][place * n + w];
        if (!(share <= worst)) worst = Number.isNaN(share) ? worst : share;
      }
      if (!Number.isNaN(worst)) rows.push({ feature: name, week, until: week + WEEK, middle: week + WEEK / 2, share: worst });
    }));
    return draw("drift", "drift", { rows }, { week: "Week", feature: "Input", share: "Share of the limit" });
  });
}

start(async () => { await Promise.all([seriesPart(), errorPart(), driftPart()]); });
