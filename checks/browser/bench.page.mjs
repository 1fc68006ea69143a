// The convolution bench in a real browser.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, fits, inEnglish, inKorean, open, serve, speak, tabTo, until } from "./served.mjs";

let world;
before(async () => {
  world = await serve();
});
after(() => world.close());

/** The bench with a setting. */
async function bench(hash = "", options = {}) {
  const opened = await open(world, hash && `bench/${hash}`, options);
  await opened.page.waitForSelector(".stage");
  return opened;
}

/** The numbers of the output, by map, row and column. */
const outputs = (page) =>
  page.$$eval("[data-map]", (maps) => maps.map((m) => [...m.querySelectorAll("[role=row]")].map((r) => [...r.querySelectorAll("[data-at]")].map((c) => Number(c.dataset.value)))));

const texts = (page, selector) => page.$$eval(selector, (all) => all.map((e) => e.textContent));

/** The equation as one reads it. */
const equation = (page) => page.$eval(".equation", (e) => [...e.querySelectorAll(".factors, .join, .word, .result b")].map((p) => p.textContent.trim()).join(" "));

/** Waits until what is asked has this answer: the page draws a moment after it is told. */
async function soon(ask, want, what) {
  const end = Date.now() + 5000;
  for (;;) {
    const got = await ask();
    if (JSON.stringify(got) === JSON.stringify(want) || Date.now() > end) return assert.deepEqual(got, want, what);
    await new Promise((done) => setTimeout(done, 20));
  }
}
const place = (page) => page.textContent("[data-place]");
const has = (page, value) => soon(async () => (await outputs(page)).flat(2).includes(value), true, `an output is ${value}`);

/** A printed number in units of the 30th decimal. */
function exact(text) {
  const [, minus, whole, fraction = ""] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text) ?? assert.fail(`${text} is no number`);
  const units = BigInt(whole + fraction.padEnd(30, "0"));
  return minus ? -units : units;
}

test("the lecture's presets give its numbers", async () => {
  const { page, quiet } = await bench();
  const wants = {
    valid: [[[12, 16], [24, 28]]],
    same: [[[12, 16, 9], [24, 28, 15], [15, 17, 9]]],
    "three-filters": [12, 120, -12].map((k) => [[1, 16 / 12, 9 / 12], [2, 28 / 12, 15 / 12], [15 / 12, 17 / 12, 9 / 12]].map((r) => r.map((v) => Math.round(k * v)))),
    "max-pool": [[[4]]],
    "max-pool-same": [[[4, 3], [2, 1]]],
    negatives: [[[-1, -1], [-1, -1]]],
  };
  for (const [key, want] of Object.entries(wants)) {
    await page.click(`[data-preset=${key}]`);
    await soon(() => outputs(page), want, key);
    await soon(() => page.getAttribute(`[data-preset=${key}]`, "aria-pressed"), "true");
  }
  for (const [key, maps, side] of [["digit", 5, 14], ["digit-pool", 5, 7]]) {
    await page.click(`[data-preset=${key}]`);
    const extents = async () => ((all) => [all.length, all[0].length, all[0][0].length])(await outputs(page));
    await soon(extents, [maps, side, side], key);
  }
  await quiet();
});

test("the arithmetic is written as one would write it", async () => {
  const { page, quiet } = await bench("preset=valid");
  await soon(() => equation(page), "1·1 + 2·1 + 4·1 + 5·1 = 12");
  await page.hover('[data-map="0"] [data-at="1,1"]');
  await soon(() => equation(page), "5·1 + 6·1 + 8·1 + 9·1 = 28");
  await page.click("[data-preset=max-pool]");
  await soon(() => equation(page), "max( 4 , 3 , 2 , 1 ) = 4");
  await page.click("[data-preset=average]");
  await soon(() => equation(page), "( 1 + 2 + 6 + 7 ) / 4 = 4");
  await quiet();
});

test("the shown terms of every output cell add up, and are those under its window", async () => {
  const { page, quiet } = await bench("preset=dilation");
  let cells = 0;
  for (const key of ["same", "three-filters", "negatives", "dilation", "channels", "edges", "explicit", "large-stride", "average", "digit-pool"]) {
    await page.click(`[data-preset=${key}]`);
    await page.waitForSelector(`[data-about=${key}]`);
    const [all, pool] = [await outputs(page), (await page.getAttribute("[data-operator]", "data-operator")) !== "conv2d"];
    for (const [c, map] of all.entries()) {
      // The largest preset by its first map alone.
      if (key === "digit-pool" && c > 0) break;
      for (const [i, row] of map.entries()) {
        for (const [j, value] of row.entries()) {
          await page.focus(`[data-map="${c}"] [data-at="${i},${j}"]`);
          await soon(() => place(page), all.length > 1 ? `[${i}, ${j}, ${c}]` : `[${i}, ${j}]`, key);
          const told = await page.evaluate(() => ({
            terms: [...document.querySelectorAll(".term")].map((t) => ({ product: t.dataset.product, text: t.querySelector(".factors").textContent, outside: "outside" in t.dataset })),
            total: document.querySelector("[data-total]").dataset.total,
            shown: document.querySelector("[data-total]").textContent,
            place: document.querySelector("[data-place]").textContent,
          }));
          const shown = Number(told.shown.replace("−", "-"));
          assert.ok(Math.abs(shown - value) <= Math.abs(value) * 1e-3, `${key}: ${shown} for ${value}`);
          if (key === "average") {
            const inside = told.terms.filter((t) => !t.outside).map((t) => Number(t.text));
            assert.ok(Math.abs(inside.reduce((a, b) => a + b) / inside.length - value) < 1e-3);
          } else if (pool) {
            const numbers = told.terms.map((t) => Number(t.text.replace("−", "-").replace("∞", "Infinity")));
            assert.equal(Math.max(...numbers), shown);
          } else {
            assert.equal(told.terms.reduce((a, t) => a + exact(t.product), 0n), exact(told.total), `${key} ${told.place}`);
          }
          cells += 1;
        }
      }
    }
  }
  assert.ok(cells > 150, `${cells}`);
  await quiet();
});

test("the window lies where the arithmetic takes its numbers", async () => {
  const { page, quiet } = await bench("preset=dilation;at=1,2,0");
  const under = await page.evaluate(() => {
    const middle = (e) => ((b) => [b.left + b.width / 2, b.top + b.height / 2])(e.getBoundingClientRect());
    const frames = [...document.querySelectorAll('[data-part="input"] .frame.window')];
    return frames.map((f) => {
      const [x, y] = middle(f);
      const hit = [...document.querySelectorAll('[data-part="input"] [data-at]')].find((c) => ((b) => b.left < x && x < b.right && b.top < y && y < b.bottom)(c.getBoundingClientRect()));
      return Number(hit.dataset.value);
    });
  });
  assert.deepEqual(under, [10, 12, 14, 24, 26, 28, 38, 40, 42]);
  await quiet();
});

test("SAME with 28 cells, filter 3, stride 2 pads (0, 1)", async () => {
  const { page, quiet } = await bench("preset=lopsided");
  assert.deepEqual(await page.$$eval("[data-pad]", (all) => all.map((e) => e.dataset.pad)), ["0,1", "0,1"]);
  const cells = await page.$$eval('[data-part="input"] [data-padding]', (all) => all.map((e) => e.dataset.padding.split(",").map(Number)));
  assert.equal(cells.length, 28 + 28 + 1);
  assert.ok(cells.every(([i, j]) => i === 28 || j === 28), "at the bottom and the right alone");
  const [last, border] = await page.evaluate(() => ['[data-part="input"] [data-at="27,27"]', '[data-padding="28,28"]'].map((s) => document.querySelector(s).getBoundingClientRect().left));
  assert.ok(border > last, "drawn to the right of the last cell");
  await quiet();
});

test("max pooling of negatives gives no zero, and padding is minus infinity", async () => {
  const { page, quiet } = await bench("preset=negatives");
  assert.ok((await outputs(page)).flat(2).every((v) => v < 0));
  assert.deepEqual([...new Set(await texts(page, "[data-padding]"))], ["−∞"]);
  await page.focus('[data-map="0"] [data-at="1,1"]');
  await soon(() => equation(page), "max( −1 , −∞ , −∞ , −∞ ) = −1");
  await quiet();
});

test("what does not fit says why, with the formula", async () => {
  const { page, quiet } = await bench("preset=too-large");
  await soon(() => page.getAttribute("[data-why]", "data-why"), "window");
  assert.match(await page.textContent("[data-why]"), /covers 4 cells, but the input with its padding has 3.*⌊\(3 − 4\) \/ 1⌋ \+ 1 = .*< 1/s);
  assert.equal(await page.$(".equation"), null);
  await page.fill("[data-field=kernel-height]", "3");
  await page.fill("[data-field=kernel-width]", "3");
  await soon(() => outputs(page), [[[45]]]);
  await page.click("[data-preset=max-pool]");
  await page.check("[data-field=padding][value=explicit]");
  await page.fill("[data-field=pad-top]", "2");
  await soon(() => page.getAttribute("[data-why]", "data-why"), "padding");
  await page.click("[data-preset=lopsided]");
  await page.fill("[data-field=filters]", "8");
  await page.fill("[data-field=strides-height]", "1");
  await page.fill("[data-field=strides-width]", "1");
  await soon(() => page.getAttribute("[data-why]", "data-why"), "cells");
  await quiet();
});

test("the keyboard alone reaches and changes everything", async () => {
  const { page, quiet } = await bench();
  const key = (...keys) => keys.reduce((before, k) => before.then(() => page.keyboard.press(k)), Promise.resolve());
  await tabTo(page, "[data-preset=same]");
  await key("Enter");
  await soon(async () => (await outputs(page))[0].length, 3);
  await tabTo(page, "[data-field=operator]");
  await key("ArrowRight");
  await soon(() => page.getAttribute("[data-operator]", "data-operator"), "max_pool");
  await key("ArrowLeft");
  const fields = ["input-height", "input-width", "input-channels", "kernel-height", "kernel-width", "filters", "strides-height", "strides-width", "dilations-height", "dilations-width"];
  for (const field of fields) {
    await tabTo(page, `[data-field=${field}]`);
    const old = await page.$eval(":focus", (e) => e.valueAsNumber);
    const times = /^input-(height|width)/.test(field) ? 4 : 1;
    for (let n = 0; n < times; n++) await key("ArrowUp");
    await soon(() => page.$eval(`[data-field=${field}]`, (e) => e.valueAsNumber), old + times, field);
  }
  await tabTo(page, "[data-field=padding]");
  await key("ArrowRight");
  for (const side of ["top", "bottom", "left", "right"]) {
    await tabTo(page, `[data-field=pad-${side}]`);
    await key("ArrowUp");
  }
  await soon(() => page.$$eval('[data-padding="-1,-1"]', (all) => all.length), 2, "a corner of padding on both channels");
  await tabTo(page, "[data-fill=input_zeros]");
  await key("Enter");
  await soon(async () => (await outputs(page)).flat(2).every((v) => v === 0), true);
  await tabTo(page, "[data-fill=filter_ones]");
  await key("Space");
  await tabTo(page, '[data-part="input"] [data-at="0,0"]');
  await key("ArrowRight", "ArrowDown", "7");
  await soon(() => page.getAttribute('[data-part="input"] [data-channel="0"] [data-at="1,1"]', "data-value"), "7");
  await has(page, 7);
  await tabTo(page, '[data-part="filters"] [data-at]');
  await key("-", "2", ".", "5");
  await has(page, -17.5);
  await tabTo(page, '[data-map="0"] [data-at="0,0"]');
  await key("ArrowRight", "ArrowDown");
  await soon(() => place(page), "[1, 1, 0]");
  await key("PageDown", "Home");
  await soon(() => place(page), "[1, 0, 1]");
  await tabTo(page, '[data-step="1"]');
  await key("Enter");
  await soon(() => place(page), "[1, 1, 1]");
  for (let n = 0; n < 60; n++) await key("Enter");
  assert.equal(await page.getAttribute(":focus", "data-step"), "1", "the last cell keeps the focus on the button");
  await tabTo(page, "[data-field=code]");
  await key("ArrowRight");
  assert.match(await page.textContent(".code pre"), /import tensorflow/);
  await tabTo(page, "[data-copy]");
  await quiet();
});

test("a number that is none is marked and changes nothing", async () => {
  const { page, quiet } = await bench("preset=valid");
  const cell = '[data-part="input"] [data-at="0,0"]';
  await page.fill(cell, "abc");
  await soon(() => page.getAttribute(cell, "aria-invalid"), "true");
  await soon(() => outputs(page), [[[12, 16], [24, 28]]]);
  await page.fill(cell, "−1,5");
  await soon(() => outputs(page), [[[9.5, 16], [24, 28]]]);
  await page.fill(cell, "1e99");
  await soon(() => page.getAttribute(cell, "aria-invalid"), "true");
  await page.focus('[data-map="0"] [data-at="0,0"]');
  assert.equal(await page.inputValue(cell), "−1.5");
  await quiet();
});

const state = (page) =>
  page.evaluate(() => ({
    values: [...document.querySelectorAll(".stage [data-at]")].map((e) => e.dataset.value),
    padding: [...document.querySelectorAll(".stage [data-padding]")].map((e) => e.dataset.padding),
    fields: [...document.querySelectorAll(".controls input")].map((e) => (e.type === "radio" ? e.checked : e.value)),
    place: document.querySelector("[data-place]").textContent,
  }));

test("a link leads to the same state", async () => {
  const { page, quiet } = await bench("preset=channels");
  await page.check("[data-field=padding][value=explicit]");
  await page.fill("[data-field=pad-left]", "2");
  await page.fill("[data-field=strides-width]", "2");
  await page.fill('[data-part="filters"] [data-at="0,1"]', "0.1");
  await page.focus('[data-map="1"] [data-at="1,1"]');
  await until(page, () => location.hash.includes("at=1,1,1") && location.hash.includes("0.1"));
  const [hash, want] = [await page.evaluate(() => location.hash), await state(page)];
  const other = await bench(hash.slice("#bench/".length));
  assert.deepEqual(await state(other.page), want);
  await other.page.reload();
  await other.page.waitForSelector(".stage");
  assert.deepEqual(await state(other.page), want);
  await other.quiet();
  await quiet();
});

test("a large output begins in its middle, by a preset and by its link", async () => {
  const { page, quiet } = await bench("preset=lopsided");
  await soon(() => place(page), "[7, 7]");
  await page.focus('[data-map="0"] [data-at="0,0"]');
  await until(page, () => location.hash === "#bench/preset=lopsided;at=0,0,0");
  await page.reload();
  await page.waitForSelector(".stage");
  await soon(() => place(page), "[0, 0]");
  await page.click("[data-preset=digit]");
  await soon(() => place(page), "[7, 7, 0]");
  await until(page, () => location.hash === "#bench/preset=digit");
  await quiet();
});

test("another view begins at its top", async () => {
  const { page, quiet } = await bench("preset=digit", { width: 360 });
  await page.evaluate(() => scrollTo(0, 900));
  await page.click('.tabs a[href="#train"]');
  await page.waitForSelector("[data-play]");
  await until(page, () => document.querySelector(".train") && scrollY === 0);
  await quiet();
});

test("the bench is left as it was while another view is shown", async () => {
  const { page, quiet } = await bench("preset=dilation;at=1,2,0");
  const want = await state(page);
  await page.click('.tabs a[href="#train"]');
  await page.waitForSelector(".stage", { state: "detached" });
  await page.click('.tabs a[href="#bench"]');
  await page.waitForSelector(".stage");
  await soon(() => state(page), want);
  await until(page, () => location.hash === "#bench/preset=dilation;at=1,2,0");
  await quiet();
});

test("what is changed while the address is written stays", async () => {
  const { page, quiet } = await bench("preset=same");
  // Each address is written some 250 ms after a change; another change comes right then.
  const lost = await page.evaluate(async () => {
    const radio = (v) => document.querySelector(`[data-field=padding][value=${v}]`);
    const chosen = () => document.querySelector("[data-field=padding]:checked").value;
    let lost = 0;
    for (let n = 0; n < 8; n++) {
      const [first, second] = n % 2 ? ["VALID", "SAME"] : ["SAME", "VALID"];
      document.querySelector("[data-fill=filter_ones]").click();
      radio(first).click();
      const old = location.hash;
      document.querySelector("[data-fill=input_random]").click();
      await new Promise((done) => {
        const replace = history.replaceState;
        history.replaceState = function (...all) {
          replace.apply(history, all);
          history.replaceState = replace;
          queueMicrotask(() => (radio(second).click(), done()));
        };
      });
      await new Promise((done) => setTimeout(done, 120));
      lost += chosen() !== second || location.hash === old;
    }
    return lost;
  });
  assert.equal(lost, 0);
  await quiet();
});

test("a link that cannot be read falls back and says so", async () => {
  for (const bad of ["preset=none", "conv2d;x=9x9", "conv2d;x=1x1x1:1*99999999999;f=1x1x1:1;s=1x1;d=1x1;p=SAME", "%E0%A4%A", "preset=valid;at=1,x,2", "<b>"]) {
    const { page, quiet } = await bench(bad);
    assert.ok(await page.isVisible("[data-misread]"), bad);
    await soon(() => outputs(page), [[[12, 16], [24, 28]]], bad);
    await page.click("[data-preset=same]");
    assert.equal(await page.$("[data-misread]"), null);
    await quiet();
  }
});

test("the animation steps through the cells and ends", async () => {
  const { page, quiet } = await bench("preset=same");
  await page.selectOption(".pace select", "fast");
  const seen = page.evaluate(
    () =>
      new Promise((done) => {
        const found = [];
        const place = document.querySelector("[data-place]");
        const look = () => {
          if (found.at(-1) !== place.textContent) found.push(place.textContent);
          if (found.length === 9) done(found);
          else requestAnimationFrame(look);
        };
        look();
      }),
  );
  await page.click("[data-play]");
  assert.deepEqual(await seen, [0, 1, 2].flatMap((i) => [0, 1, 2].map((j) => `[${i}, ${j}]`)));
  await until(page, () => !document.querySelector("[data-playing]"));
  await quiet();
});

test("who asks for less motion gets none that is not asked for", async () => {
  const { page, quiet } = await bench("preset=same", { reducedMotion: "reduce" });
  assert.equal(await page.$eval(".frame", (e) => getComputedStyle(e).transitionDuration), "0s");
  await page.selectOption(".pace select", "fast");
  await page.click("[data-play]");
  await page.waitForTimeout(900);
  await soon(() => place(page), "[0, 0]", "a step takes more than a second");
  await until(page, () => document.querySelector("[data-place]").textContent === "[0, 1]");
  await page.click("[data-play]");
  assert.equal(await page.$("[data-playing]"), null);
  await quiet();
});

test("a finger shows a cell's window", async () => {
  const { page, quiet } = await bench("preset=valid", { hasTouch: true, width: 360 });
  await page.tap('[data-map="0"] [data-at="1,0"]');
  await soon(() => equation(page), "4·1 + 5·1 + 7·1 + 8·1 = 24");
  await quiet();
});

test("the programs can be copied", async () => {
  const { page, quiet } = await bench("preset=same", { permissions: ["clipboard-read", "clipboard-write"] });
  const marks = { rust: "Padding::Same", tensorflow: 'padding="SAME"', pytorch: "F.pad(x, (0, 1, 0, 1))" };
  for (const [language, mark] of Object.entries(marks)) {
    await page.check(`[data-field=code][value=${language}]`);
    await page.click("[data-copy]");
    await until(page, () => document.querySelector("[data-copy]").textContent === "Copied");
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    assert.equal(copied, await page.textContent(".code pre"));
    assert.ok(copied.includes(mark), copied);
  }
  await quiet();
});

const KEYS = ["valid", "three-filters", "negatives", "digit", "lopsided", "dilation", "channels", "explicit", "average", "too-large"];

test("Korean leaves no untranslated text, and English no Korean", async () => {
  const { page, quiet } = await bench("nothing", { language: "ko-KR" });
  assert.equal(await page.getAttribute("html", "lang"), "ko");
  await inKorean(page);
  for (const key of KEYS) {
    await page.click(`[data-preset=${key}]`);
    for (const language of ["rust", "tensorflow", "pytorch"]) await page.check(`[data-field=code][value=${language}]`);
    await inKorean(page);
  }
  await page.check("[data-field=padding][value=explicit]");
  await inKorean(page);
  await speak(page, "en");
  for (const key of KEYS) {
    await page.click(`[data-preset=${key}]`);
    await inEnglish(page);
  }
  await quiet();
});

for (const scheme of ["light", "dark"]) {
  test(`nothing serious for axe: ${scheme}`, async () => {
    const { page, quiet } = await bench("", { scheme });
    for (const key of ["three-filters", "negatives", "channels", "lopsided", "average", "too-large"]) {
      await page.click(`[data-preset=${key}]`);
      await accessible(page, key);
    }
    await speak(page, "ko");
    await page.check("[data-field=padding][value=explicit]");
    await accessible(page, "Korean");
    await quiet();
  });
}

test("no horizontal overflow at 360 pixels", async () => {
  const { page, quiet } = await bench("", { width: 360 });
  for (const key of [...KEYS, "edges", "large-stride", "digit-pool"]) {
    await page.click(`[data-preset=${key}]`);
    await fits(page, 360);
  }
  await quiet();
});
