// The training page: every segment against its target.
start(async () => {
  if (!data.segments.length) return;
  watchers.push((places) => {
    const rows = places.flatMap((place) => data.mape[place] === null || data.baseline_mape[place] === null ? [] : [{
      segment: data.segments[place].join("-"), mape: data.mape[place],
      baseline: data.baseline_mape[place], verdict: data.verdict[place],
    }]);
    const widest = Math.max(100, ...rows.map((row) => row.baseline)), bend = data.target.mape / (1 - data.target.gain / 100);
    const at = (baseline) => ({ baseline, mape: Math.min(data.target.mape, (1 - data.target.gain / 100) * baseline) });
    const guide = [at(0), at(Math.min(bend, widest)), at(widest)];
    return draw("spread", "spread", { rows, guide },
      { segment: "Segment", mape: "Model, %", baseline: "Historical average, %", verdict: "Target" });
  });
});
