"use strict";
// Draws the figures of the report with Plotly, in the colours of a light or a dark page.
const dark = matchMedia("(prefers-color-scheme: dark)");
const still = matchMedia("(prefers-reduced-motion: reduce)");
document.documentElement.classList.add("scripted");
const plots = [...document.querySelectorAll(".plot[data-figure]")];

const dataOf = (id) => document.getElementById(id).textContent;

// A figure names the twin of each of its colours; a dark page gets the figure with every colour replaced by its twin.
function figureFor(plot, isDark) {
  const text = dataOf(plot.dataset.figure ?? plot.dataset.explored);
  const figure = JSON.parse(text);
  const twins = figure.layout.meta.dark;
  return isDark ? JSON.parse(text, (key, value) => (typeof value === "string" && Object.hasOwn(twins, value) ? twins[value] : value)) : figure;
}

function configFor(plot) {
  const bar = plot.clientWidth < 560 ? false : "hover";
  return { displayModeBar: bar, responsive: true, displaylogo: false, modeBarButtons: [["toImage", "resetScale2d"]], toImageButtonOptions: { format: "svg" } };
}

function draw(plot, isDark) {
  const { data, layout, frames } = figureFor(plot, isDark);
  if (plot.parentElement.clientWidth < 560) {
    const across = new Set(Object.keys(layout).filter((key) => key.startsWith("xaxis")).map((key) => String(layout[key].domain))).size;
    if (across > 2) plot.style.minWidth = `${220 * across}px`; // the figure scrolls in itself
    if (layout.legend) layout.legend.font = { size: 10 };
    if (layout.legend?.title && across <= 2) {
      layout.legend.title.side = "top";
      layout.margin.t += 24;
    }
  }
  return Plotly.react(plot, { data, layout, frames, config: configFor(plot) });
}

// A figure with frames is a film: nothing moves until it is asked to, by a button or a slider that any key can reach.
function film(plot) {
  const controls = plot.parentElement.querySelector(".film");
  const names = JSON.parse(dataOf(plot.dataset.figure)).frames.map((frame) => frame.name);
  const [button, slider, output] = ["button", "input", "output"].map((name) => controls.querySelector(name));
  let timer = 0;
  const turn = (number) => {
    slider.value = number;
    output.textContent = slider.ariaValueText = `epoch ${names[number]}`;
    const duration = still.matches ? 0 : 150;
    return Plotly.animate(plot, [names[number]], { mode: "immediate", frame: { duration, redraw: false }, transition: { duration } });
  };
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    button.textContent = "Play";
  };
  const step = () => (Number(slider.value) < names.length - 1 ? turn(Number(slider.value) + 1) : stop());
  slider.max = names.length - 1;
  slider.addEventListener("input", () => { stop(); turn(Number(slider.value)); });
  button.addEventListener("click", () => {
    if (timer) { stop(); return; }
    if (Number(slider.value) === names.length - 1) turn(0);
    button.textContent = "Pause";
    timer = setInterval(step, 450);
  });
  controls.hidden = false;
  return () => turn(Number(slider.value));
}

// Figures are drawn when they come near, so that a page of many opens at once.
function whenNear(element, act) {
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    act();
  }, { rootMargin: "800px 0px" });
  observer.observe(element);
}

const films = new Map();
const drawn = new Set();
async function show(plot, isDark) {
  drawn.add(plot);
  await draw(plot, isDark);
  if (!films.has(plot) && plot.parentElement.querySelector(".film")) films.set(plot, film(plot));
  films.get(plot)?.();
}
for (const plot of plots) whenNear(plot, () => drawn.has(plot) || show(plot, dark.matches));
dark.addEventListener("change", () => drawn.forEach((plot) => show(plot, dark.matches)));
addEventListener("beforeprint", () => plots.forEach((plot) => show(plot, false)));
addEventListener("afterprint", () => plots.forEach((plot) => show(plot, dark.matches)));
