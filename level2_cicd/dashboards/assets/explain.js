// The explain page: one segment's drivers, and all of them as a table.
start(async () => {
  const select = document.getElementById("segment");
  if (!select) return;
  const bars = (pairs) => pairs.map(([label, value]) => ({ label, value, sign: value < 0 ? "down" : "up" }));
  const show = () => {
    const known = data.drivers[select.value], said = document.getElementById("segment-words");
    remember({ segment: select.value });
    if (!known) { said.textContent = "No segment of this choice has a model of its own."; return undefined; }
    const [first, second] = known.families;
    said.textContent = (first ? `Driven most by: ${first[0].toLowerCase()} (${words(first[1])} %) and ${second[0].toLowerCase()} (${words(second[1])} %). ` : "")
      + `The network has ${words(Math.round(100 * known.network))} % of the weight, the LASSO the rest; the LASSO has ${known.used} terms on ${known.inputs} inputs.`;
    const left = draw("families", "bars", { rows: bars(known.families) }, { label: "Inputs", value: "Change of the forecast, %" });
    const right = draw("coefficients", "bars", { rows: bars(known.coefficients) }, { label: "Input", value: "Change of the LASSO's forecast, %" });
    return Promise.all([left, right]);
  };
  select.addEventListener("change", show);
  watchers.push((places) => {
    const names = places.map((place) => data.segments[place].join("-")).filter((name) => data.drivers[name]);
    fill(select, names, parameters.get("segment"));
    return show();
  });
});
