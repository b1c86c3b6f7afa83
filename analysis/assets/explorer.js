"use strict";
// Joins the explorer's three views over the events of their libraries: brushed axes (Plotly) filter the table
// (Tabulator), and what the table's filters leave over is drawn as curves (Plotly).
{
  const [axes, curves, grid, chooser, told] = ["explorer-axes", "explorer-curves", "explorer-table", "explorer-colour", "explorer-told"].map((id) => document.getElementById(id));
  const { keys, labels, seeds, statuses, places, colourings, curves: points, lines, draws, columns, rows } = JSON.parse(dataOf("explorer-data"));
  const arrays = { u1: Uint8Array, i4: Int32Array, f4: Float32Array };
  const unpacked = ({ dtype, bdata }) => new arrays[dtype](Uint8Array.from(atob(bdata), (letter) => letter.charCodeAt(0)).buffer);
  const plain = (text) => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const [starts, epochs, ic] = [points.starts, points.epochs, points.ic].map(unpacked);
  const codes = colourings.map((one) => unpacked(one.codes));
  const order = unpacked(draws);
  const first = (list) => list.toSorted((a, b) => order[a] - order[b]).slice(0, lines).sort((a, b) => a - b);
  const onAxes = first([...keys.keys()]);
  const texts = keys.map((key, i) => `<b>${plain(labels[i])}</b><br>seed ${seeds[i]}, ${plain(statuses[i].replaceAll("_", " "))}<br>trial ${key.slice(0, 8)}`);
  let chosen = [...keys.keys()];

  // Colours come in steps: a scale of colours has two stops per step, one at either end.
  function scaleOf(number, isDark) {
    const { label, texts: ticks, light, dark: night } = colourings[number];
    const shades = isDark ? night : light;
    const colorscale = shades.flatMap((shade, i) => [[i / shades.length, shade], [(i + 1) / shades.length, shade]]);
    const colorbar = { title: { text: plain(label), side: "top" }, thickness: 12, outlinewidth: 0, tickvals: ticks.map(([at]) => at), ticktext: ticks.map(([, text]) => plain(text)) };
    return { shades, look: { colorscale, cmin: -0.5, cmax: shades.length - 0.5, showscale: true, colorbar } };
  }

  // One trace per colour; gaps between trials are points without a value.
  function tracesOf(number, isDark) {
    const { shades, look } = scaleOf(number, isDark);
    const drawn = first(chosen);
    const traces = shades.map((color) => ({ type: "scatter", mode: "lines", x: [], y: [], text: [], line: { color, width: 1.4 }, opacity: drawn.length > 100 ? 0.55 : 0.9, hovertemplate: "%{text}<br>epoch %{x}, IC %{y:.2f}<extra></extra>" }));
    for (const i of drawn) {
      const { x, y, text } = traces[codes[number][i]];
      for (let at = starts[i]; at < starts[i + 1]; at += 1) {
        x.push(epochs[at]);
        y.push(ic[at]);
        text.push(texts[i]);
      }
      x.push(null);
      y.push(null);
      text.push("");
    }
    for (const trace of traces) if (trace.x.length < 80) trace.mode = "lines+markers";
    const count = chosen.length === keys.length ? `all ${keys.length.toLocaleString("en")} trials` : `${chosen.length.toLocaleString("en")} of ${keys.length.toLocaleString("en")} trials`;
    told.textContent = drawn.length < chosen.length ? `${count}; ${drawn.length.toLocaleString("en")} of them drawn, at random` : count;
    return [...traces, { type: "scatter", mode: "markers", x: [null], y: [null], marker: { color: [0], ...look } }];
  }

  function drawCurves(isDark = dark.matches) {
    return Plotly.react(curves, tracesOf(chooser.selectedIndex, isDark), figureFor(curves, isDark).layout, configFor(curves));
  }

  // Brushes and the order of the axes stay as they are, unless all is to be chosen anew.
  function drawAxes(isDark = dark.matches, anew = false) {
    if (!axes) return undefined;
    const { data, layout } = figureFor(axes, isDark);
    const number = chooser.selectedIndex;
    data[0].line = { color: onAxes.map((i) => codes[number][i]), ...scaleOf(number, isDark).look };
    if (axes.data && !anew) data[0].dimensions = axes.data[0].dimensions;
    return Plotly.react(axes, data, layout, configFor(axes));
  }

  const draw = (isDark) => Promise.all([drawAxes(isDark), drawCurves(isDark)]);

  // A number's filter understands 3, >3, <=0.5 and the like; an empty cell passes none.
  function passes(wanted, value) {
    const [, sign, limit] = /^\s*([<>]=?|=)?\s*(\S+)\s*$/.exec(wanted) ?? [];
    const number = Number(limit);
    if (limit === undefined || Number.isNaN(number)) return true;
    if (value === null) return false;
    return { "<": value < number, "<=": value <= number, ">": value > number, ">=": value >= number }[sign] ?? value === number;
  }

  const table = new Tabulator(grid, {
    data: keys.map((_, i) => Object.fromEntries([["id", i], ...columns.map(({ field }) => [field, rows[field][i]])])),
    height: Math.min(460, 110 + 33 * keys.length),
    layout: "fitDataFill",
    nestedFieldSeparator: false,
    headerFilterLiveFilterDelay: 250,
    columnDefaults: { headerFilter: "input", headerFilterPlaceholder: "any", maxInitialWidth: 320 },
    columns: columns.map(({ field, head, number, digits }) => ({
      field,
      title: head,
      headerFilterParams: { elementAttributes: { "aria-label": `filter ${head}` } },
      ...(field === "key" && { formatter: (cell) => plain(cell.getValue().slice(0, 8)) }),
      ...(number && {
        hozAlign: "right",
        headerHozAlign: "right",
        sorter: "number",
        sorterParams: { alignEmptyValues: "bottom" },
        headerFilterFunc: passes,
        formatter: (cell) => { const value = cell.getValue(); return value === null ? "–" : digits === null ? String(Number(value.toPrecision(4))) : value.toFixed(digits); },
      }),
    })),
  });
  table.on("tableBuilt", () => {
    for (const head of grid.querySelectorAll(".tabulator-col-content")) {
      head.tabIndex = 0;
      head.addEventListener("keydown", (event) => { if (event.key === "Enter" && event.target === head) head.click(); });
    }
  });
  table.on("dataFiltered", (_, found) => {
    chosen = found.map((row) => row.getIndex()).sort((a, b) => a - b);
    if (curves.data) drawCurves();
  });

  // The ranges brushed on an axis: none, one as [low, high], or a list of such; rounded as the axis' numbers are.
  function brushed() {
    const ranged = axes.data[0].dimensions.filter(({ constraintrange }) => constraintrange?.length);
    const tests = ranged.map(({ constraintrange, name }) => ({ numbers: unpacked(places[name]), ranges: Array.isArray(constraintrange[0]) ? constraintrange : [constraintrange] }));
    return ({ id }) => tests.every(({ numbers, ranges }) => ranges.some(([low, high]) => numbers[id] >= Math.fround(low) && numbers[id] <= Math.fround(high)));
  }

  whenNear(chooser, async () => {
    await draw();
    axes?.on("plotly_restyle", () => table.setFilter(brushed()));
    grid.dataset.joined = "yes";
  });
  chooser.addEventListener("change", () => draw());
  document.getElementById("explorer-all").addEventListener("click", async () => {
    await drawAxes(dark.matches, true);
    table.clearFilter(true);
  });
  document.getElementById("explorer-csv").addEventListener("click", () => table.download("csv", `${document.querySelector("h1").textContent}-trials.csv`));
  dark.addEventListener("change", () => draw());
  addEventListener("beforeprint", () => draw(false));
  addEventListener("afterprint", () => draw());
}
