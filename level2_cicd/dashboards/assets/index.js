// The overview: units of all chosen series together.
start(async () => {
  if (!data.total) return;
  const { weeks } = data.total, n = weeks.length;
  const times = weeks.map((week) => Date.parse(week));
  const [actual, units] = await Promise.all([unpack(data.total.actual), unpack(data.total.units)]);
  const sum = (values, places, week) => {
    const known = places.map((place) => values[place * n + week]).filter((value) => !Number.isNaN(value));
    return known.length ? known.reduce((total, value) => total + value, 0) : NaN;
  };
  watchers.push((places) => {
    const all = places.length === data.segments.length ? [...places, data.segments.length] : places;
    const rows = times.map((week, i) => ({ week, actual: sum(actual, all, i), forecast: sum(units, all, i) }));
    const last = rows.reduce((found, row, i) => (Number.isNaN(row.actual) ? found : i), -1);
    rows.forEach((row, i) => { row.ahead = i > last ? row.forecast : NaN; });
    return draw("total", "total", { rows }, { week: "Week", actual: "What came", forecast: "Forecast" });
  });
});
