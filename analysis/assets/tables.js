"use strict";
// Gives every table of the page headings that sort it and a field that filters it; without this script the tables stand
// as they are. Numbers sort as numbers (of "6.1 ± 0.2" the first), small print never does, and what is unknown comes last.
{
  const NUMBER = "[-+−]?\\d[\\d,]*(?:\\.\\d+)?(?:e[-+−]?\\d+)?";
  const WHOLE = new RegExp(`^${NUMBER}$`, "i");
  const FIRST = new RegExp(NUMBER, "i");
  const UNKNOWN = new Set(["", "–", "none yet"]);
  const NEXT = { none: "ascending", ascending: "descending", descending: "none" };
  const collator = new Intl.Collator("en", { sensitivity: "base" });

  const textIn = (node, small) => (node.nodeType === Node.TEXT_NODE ? node.data : !small && node.classList?.contains("small") ? "" : [...node.childNodes].map((child) => textIn(child, small)).join(" "));
  const spaced = (text) => text.replace(/\s+/g, " ").trim();
  const numberIn = (text) => Number.parseFloat((FIRST.exec(text)?.[0] ?? "").replaceAll(",", "").replaceAll("−", "-"));

  // What a column's cells sort by: the key that the page gives, numbers where it holds them, else words; null is unknown.
  function keysOf(rows, place) {
    const cells = rows.map((row) => row.cells[place]);
    const texts = cells.map((cell) => spaced(textIn(cell, false)));
    const known = texts.filter((text) => !UNKNOWN.has(text));
    const areNumbers = cells.some((cell) => cell.classList.contains("number")) || (known.length > 0 && known.every((text) => WHOLE.test(text)));
    return new Map(rows.map((row, i) => {
      if (cells[i].dataset.sort !== undefined) return [row, Number(cells[i].dataset.sort)];
      if (UNKNOWN.has(texts[i])) return [row, null];
      const number = areNumbers ? numberIn(texts[i]) : NaN;
      return [row, areNumbers ? (Number.isNaN(number) ? null : number) : texts[i]];
    }));
  }

  function sorted(rows, place, direction) {
    if (direction === "none") return rows;
    const keys = keysOf(rows, place);
    const compare = (a, b) => (typeof a === "number" ? a - b : collator.compare(a, b));
    const known = rows.filter((row) => keys.get(row) !== null).sort((a, b) => (direction === "ascending" ? 1 : -1) * compare(keys.get(a), keys.get(b)));
    return [...known, ...rows.filter((row) => keys.get(row) === null)];
  }

  // A text that is written once for the rows that share it stands with the first of them that is shown.
  function tellOnce(rows) {
    let before = "";
    for (const row of rows) {
      const shared = row.querySelector("[data-once]");
      if (!shared || row.hidden) continue;
      shared.hidden = shared.dataset.once === before;
      before = shared.dataset.once;
    }
  }

  const searched = (text) => spaced(text).replaceAll("−", "-").toLowerCase();
  const isDrawn = (cell) => cell.classList.contains("blocks") || cell.querySelector("svg") !== null;

  function equip(table) {
    const [body] = table.tBodies;
    const given = [...body.rows];
    const heads = [...table.tHead.rows[0].cells];
    const contents = new Map(given.map((row) => [row, searched(textIn(row, true))]));

    const filter = document.createElement("input");
    filter.type = "search";
    filter.placeholder = "any words";
    filter.setAttribute("aria-label", `Filter rows: ${spaced(textIn(table.caption ?? table.tHead, false))}`);
    const label = document.createElement("label");
    label.append("Filter ", filter);
    const told = document.createElement("output");
    told.setAttribute("aria-live", "polite");
    const tools = document.createElement("div");
    tools.className = "controls rows";
    tools.append(label, told);
    (table.closest(".scroll") ?? table).before(tools);

    filter.addEventListener("input", () => {
      const wanted = searched(filter.value).split(" ");
      for (const row of given) row.hidden = !wanted.every((word) => contents.get(row).includes(word));
      const shown = given.filter((row) => !row.hidden).length;
      tools.classList.toggle("filtered", shown < given.length);
      told.textContent = shown < given.length ? `${shown} of ${given.length} rows` : "";
      tellOnce(body.rows);
    });

    heads.forEach((head, place) => {
      if (!head.textContent.trim() || given.some((row) => isDrawn(row.cells[place]))) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      head.ariaSort = "none";
      button.addEventListener("click", () => {
        const direction = NEXT[head.ariaSort];
        for (const other of heads) if (other.ariaSort) other.ariaSort = "none";
        head.ariaSort = direction;
        body.append(...sorted([...given], place, direction));
        tellOnce(body.rows);
      });
    });
  }

  for (const table of document.querySelectorAll("main table")) if (table.tHead && table.tBodies[0]?.rows.length > 1) equip(table);
}
