"use strict";
(() => {
  const root = document.documentElement;
  const all = (query, from = document) => [...from.querySelectorAll(query)];
  const one = (query, from = document) => from.querySelector(query);
  const korean = () => root.lang === "ko";
  const say = (en, ko) => (korean() ? ko : en);

  // Language: every text has both, in attributes.
  const changed = [];
  function speak(language) {
    root.lang = language;
    for (const e of all("[data-en]")) e.textContent = e.getAttribute("data-" + language);
    for (const e of all("[data-label]")) {
      e.setAttribute(e.getAttribute("data-label"), e.getAttribute("data-label-" + language));
    }
    for (const b of all("[data-language]")) b.setAttribute("aria-pressed", b.dataset.language === language);
    changed.forEach((act) => act());
  }
  for (const b of all("[data-language]")) b.addEventListener("click", () => speak(b.dataset.language));

  // Colours: the system's, until asked for the others.
  const dark = matchMedia("(prefers-color-scheme: dark)");
  one(".theme").addEventListener("click", () => {
    const now = root.dataset.theme || (dark.matches ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
  });

  // Charts: a cursor over their points, for pointer and keyboard.
  for (const plot of all(".plot")) {
    const chart = JSON.parse(one("script", plot).textContent);
    const svg = one("svg", plot);
    const cursor = one(".cursor", plot);
    const readout = one(".readout", plot);
    const lines = chart.lines.filter((l) => l.points.length);
    if (!lines.length) continue;
    const walk = lines[0].points;
    const dots = lines.map((line) => {
      const dot = document.createElementNS(svg.namespaceURI, "circle");
      dot.setAttribute("class", "dot " + line.class);
      dot.setAttribute("r", 4);
      return cursor.appendChild(dot);
    });
    let at = walk.length - 1;
    const nearest = (points, x) =>
      points.reduce((best, p) => (Math.abs(p[0] - x) <= Math.abs(best[0] - x) ? p : best), points[0]);
    const text = () => {
      const x = walk[at][0];
      const values = lines.map((l) => {
        const p = nearest(l.points, x);
        const name = say(l.en, l.ko);
        return p[2] === walk[at][2] ? `${name} ${p[3]}` : `${name} ${p[3]} (${say(chart.en, chart.ko)} ${p[2]})`;
      });
      return `${say(chart.en, chart.ko)} ${walk[at][2]}: ${values.join(", ")}`;
    };
    const tell = () => {
      readout.textContent = text();
      plot.setAttribute("aria-valuenow", at);
      plot.setAttribute("aria-valuetext", readout.textContent);
    };
    const show = () => {
      const x = walk[at][0];
      one("path", cursor).setAttribute("transform", `translate(${x})`);
      lines.forEach((l, i) => {
        const p = nearest(l.points, x);
        dots[i].setAttribute("cx", p[0]);
        dots[i].setAttribute("cy", p[1]);
      });
      cursor.removeAttribute("hidden");
      tell();
    };
    const hide = () => {
      if (document.activeElement === plot) return;
      cursor.setAttribute("hidden", "");
      at = walk.length - 1;
      tell();
    };
    plot.tabIndex = 0;
    plot.setAttribute("role", "slider");
    plot.setAttribute("aria-valuemin", 0);
    plot.setAttribute("aria-valuemax", walk.length - 1);
    plot.addEventListener("pointermove", (e) => {
      const box = svg.getBoundingClientRect();
      const x = ((e.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
      at = walk.indexOf(nearest(walk, x));
      show();
    });
    plot.addEventListener("pointerleave", hide);
    plot.addEventListener("focus", show);
    plot.addEventListener("blur", hide);
    plot.addEventListener("keydown", (e) => {
      const leap = Math.max(1, Math.round(walk.length / 10));
      const last = walk.length - 1;
      const to = {
        ArrowRight: at + 1, ArrowUp: at + 1, ArrowLeft: at - 1, ArrowDown: at - 1,
        PageUp: at + leap, PageDown: at - leap, Home: 0, End: last,
      }[e.key];
      if (to === undefined) return;
      e.preventDefault();
      at = Math.min(last, Math.max(0, to));
      show();
    });
    changed.push(tell);
    tell();
  }

  // Cells of the confusion matrix open their images.
  const data = JSON.parse(one("#data").textContent);
  const dialog = one("#images");
  const close = one(".close", dialog);
  const found = one(".found", dialog);
  let opened = null;
  function fill() {
    close.setAttribute("aria-label", say("Close", "닫기"));
    if (!opened || !data) return;
    const truth = Number(opened.dataset.truth);
    const said = Number(opened.dataset.said);
    const count = Number(opened.dataset.count);
    const places = [];
    data.truth.forEach((t, i) => {
      if (t === truth && data.said[i] === said) places.push(i);
    });
    const image = data.texts ? say("text", "글") : say("image", "이미지");
    const sheets = data.texts ? "편이" : "장이";
    const [a, b] = [data.names[truth], data.names[said]];
    const number = (n) => n.toLocaleString("en");
    one("h2", dialog).textContent = say(`True ${a}, model says ${b}`, `정답 ${a}, 예측 ${b}`);
    const part = say(data.part.en, data.part.ko);
    const how = truth === said ? say("least sure first", "덜 확실한 것부터") : say("surest first", "확실한 것부터");
    const here = places.length < count ? say(`${number(places.length)} of them here, `, `그중 ${number(places.length)}${sheets} 여기에, `) : "";
    one("#images-about", dialog).textContent =
      say(`${number(count)} ${part} ${count === 1 ? image : image + "s"}, ${here}${how}`, `${part} ${image} ${number(count)}${data.texts ? "편" : "장"}, ${here}${how}`);
    found.setAttribute("aria-label", say(image + "s", image));
    found.classList.toggle("texts", Boolean(data.texts));
    const items = document.createDocumentFragment();
    for (const place of places) {
      const item = document.createElement("li");
      const picture = document.createElement(data.texts ? "blockquote" : "span");
      const on = place % (data.side * data.side);
      if (data.texts) {
        item.className = "written";
        picture.dir = "auto";
        picture.translate = false;
        picture.textContent = data.texts[place];
      } else {
        picture.className = "thumb s" + Math.floor(place / (data.side * data.side));
        picture.style.setProperty("--c", on % data.side);
        picture.style.setProperty("--r", Math.floor(on / data.side));
        picture.setAttribute("role", "img");
      }
      const sure = (data.sure[place] / 10).toFixed(1) + " %";
      picture.setAttribute("aria-label", say(`${image} ${data.index[place]}, sure by ${sure}`, `${image} ${data.index[place]}번, 확신 ${sure}`));
      const caption = document.createElement("span");
      caption.className = "caption";
      caption.textContent = data.files ? data.files[place] : "#" + data.index[place];
      const share = document.createElement("span");
      share.className = "sure";
      share.textContent = sure;
      item.append(picture, caption, share);
      items.append(item);
    }
    found.replaceChildren(items);
  }
  for (const cell of all("button[data-truth]")) {
    cell.addEventListener("click", () => {
      opened = cell;
      fill();
      dialog.showModal();
      found.scrollTop = 0;
      one("h2", dialog).focus();
    });
  }
  // Arrow keys go from cell to cell.
  for (const table of all(".matrix")) {
    table.addEventListener("keydown", (e) => {
      const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[e.key];
      const cell = e.target.closest("td");
      if (!step || !cell) return;
      let [row, column] = [cell.parentElement.rowIndex, cell.cellIndex];
      for (;;) {
        row += step[0];
        column += step[1];
        const next = table.rows[row] && table.rows[row].cells[column];
        if (!next) return;
        const button = one("button", next);
        if (button) {
          e.preventDefault();
          button.focus();
          return;
        }
      }
    });
  }
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (e) => {
    if (e.target === dialog) dialog.close();
  });
  dialog.addEventListener("close", () => {
    opened = null;
    found.replaceChildren();
  });
  changed.push(fill);
  fill();
})();
