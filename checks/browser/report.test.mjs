// report.html in a real browser, with no network. Run by checks/report.sh.
//   REPORT, KOREAN, REGRESSION: reports of `train mnist`, of `train mnist --lang ko`, of a regression.
//   CHROMIUM: the browser.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { accessible, fits, inEnglish, inKorean, launch, speak, texts, visit } from "./browser.mjs";

const { REPORT, KOREAN, REGRESSION } = process.env;

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const open = (file, options = {}) => visit(browser, pathToFileURL(file).href, { offline: true, ...options });

test("every confusion cell opens as many images as it counts", async () => {
  const { page, quiet } = await open(REPORT);
  // What the first ten test digits are is known to everyone who has seen MNIST.
  const known = [7, 2, 1, 0, 4, 1, 4, 9, 5, 9];
  const seen = new Map();
  let sum = 0;
  const cells = await page.$$("button[data-truth]");
  assert.ok(cells.length >= 20, `${cells.length} cells`);
  for (const cell of cells) {
    const count = Number(await cell.textContent());
    await cell.click();
    const found = await page.evaluate(() => {
      const list = [...document.querySelectorAll("#images .found li")];
      return list.map((li) => {
        const thumb = li.querySelector(".thumb");
        return { index: Number(li.querySelector(".caption").textContent.slice(1)), at: thumb.className + thumb.getAttribute("style") };
      });
    });
    assert.equal(found.length, count);
    const truth = Number(await cell.getAttribute("data-truth"));
    for (const { index, at } of found) {
      assert.ok(!seen.has(index), `image ${index} is in two cells`);
      seen.set(index, at);
      if (index < known.length) assert.equal(truth, known[index]);
    }
    sum += count;
    await page.keyboard.press("Escape");
  }
  assert.equal(sum, 10_000);
  assert.equal(seen.size, 10_000);
  assert.equal(new Set(seen.values()).size, 10_000, "every image has its own place in the sheets");
  await quiet();
});

test("the sheets hold pictures", async () => {
  const { page, quiet } = await open(REPORT);
  await page.click('button[data-truth="0"][data-said="0"]');
  const ink = await page.evaluate(async () => {
    // The last is the one the model is surest of.
    const thumb = [...document.querySelectorAll("#images .thumb")].pop();
    const style = getComputedStyle(thumb);
    const image = new Image();
    image.src = style.backgroundImage.slice(5, -2);
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 28;
    const [x, y] = ["--c", "--r"].map((v) => 28 * Number(style.getPropertyValue(v)));
    const pen = canvas.getContext("2d");
    pen.drawImage(image, x, y, 28, 28, 0, 0, 28, 28);
    const grey = [...pen.getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 === 0);
    return { width: image.width, height: image.height, bright: grey.filter((v) => v > 200).length, dark: grey.filter((v) => v === 0).length };
  });
  assert.equal(ink.width, 32 * 28);
  assert.equal(ink.height % 28, 0);
  assert.ok(ink.bright > 40 && ink.dark > 300, JSON.stringify(ink));
  await quiet();
});

for (const [name, file] of [["classes", REPORT], ["regression", REGRESSION]]) {
  test(`the language switch leaves nothing behind: ${name}`, async () => {
    const { page, quiet } = await open(file);
    await page.click(".more summary");
    await inEnglish(page, 100);
    const first = await texts(page);
    await speak(page, "ko");
    assert.equal(await page.getAttribute("html", "lang"), "ko");
    await inKorean(page, 50);
    await speak(page, "en");
    assert.deepEqual(await texts(page), first);
    await quiet();
  });

  for (const scheme of ["light", "dark"]) {
    test(`nothing serious for axe: ${name}, ${scheme}`, async () => {
      const { page, quiet } = await open(file, { scheme });
      await accessible(page, "English");
      await speak(page, "ko");
      await accessible(page, "Korean");
      if (name === "classes") {
        await page.click('td.miss button[data-truth]');
        await accessible(page, "an open cell", "#images");
      }
      await quiet();
    });
  }

  test(`no horizontal overflow at 360 pixels: ${name}`, async () => {
    const { page, quiet } = await open(file, { width: 360 });
    await fits(page, 360);
    await quiet();
  });
}

test("an open cell speaks both languages and fits a phone", async () => {
  const { page, quiet } = await open(REPORT, { width: 360 });
  await page.click("td.miss button");
  await inEnglish(page, 100);
  await page.keyboard.press("Escape");
  await speak(page, "ko");
  await page.click("td.miss button");
  await inKorean(page, 50);
  const wide = await page.$eval("#images .found", (e) => e.scrollWidth - e.clientWidth);
  assert.ok(wide <= 0, `${wide} pixels too wide`);
  await quiet();
});

test("a report made in Korean begins in Korean", async () => {
  const { page, quiet } = await open(KOREAN);
  assert.equal(await page.getAttribute("html", "lang"), "ko");
  await inKorean(page, 50);
  await speak(page, "en");
  await inEnglish(page, 100);
  await quiet();
});

test("the keyboard reaches charts and cells", async () => {
  const { page, quiet } = await open(REPORT);
  const reached = new Set();
  for (let i = 0; i < 30; i++) {
    await page.keyboard.press("Tab");
    reached.add(await page.evaluate(() => (document.activeElement.className || Object.keys(document.activeElement.dataset)[0])));
  }
  for (const stop of ["language", "theme", "plot", "truth"]) assert.ok(reached.has(stop), `Tab reaches ${stop}: ${[...reached]}`);
  await page.focus(".plot");
  const last = await page.textContent(".readout");
  await page.keyboard.press("Home");
  const first = await page.textContent(".readout");
  assert.notEqual(first, last);
  assert.match(first, /^epoch [\d.]+: .*\d/);
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.getAttribute(".plot", "aria-valuenow"), "1");
  const cell = 'button[data-truth="0"][data-said="0"]';
  await page.focus(cell);
  await page.keyboard.press("Enter");
  assert.ok(await page.isVisible("#images"));
  await page.keyboard.press("Escape");
  assert.ok(!(await page.isVisible("#images")));
  assert.ok(await page.$eval(cell, (e) => e === document.activeElement), "focus comes back");
  await page.keyboard.press("ArrowDown");
  assert.equal(await page.evaluate(() => document.activeElement.dataset.said), "0");
  await quiet();
});

test("colours follow the system, the switch and paper", async () => {
  const { page, quiet } = await open(REPORT, { scheme: "dark" });
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await ground();
  await page.click(".theme");
  const light = await ground();
  assert.notEqual(dark, light);
  await page.click(".theme");
  assert.equal(await ground(), dark);
  await page.emulateMedia({ media: "print" });
  assert.equal(await ground(), "rgb(255, 255, 255)");
  assert.ok(!(await page.isVisible(".bar")));
  await quiet();
});

test("a regression draws every image it judged", async () => {
  const { page, quiet } = await open(REGRESSION);
  const counts = await page.$$eval(".points", (all) => all.map((p) => p.getAttribute("d").split("M").length - 1));
  assert.deepEqual(counts, [300, 300, 300, 300]);
  const bins = await page.$$eval(".bin title", (all) => all.map((t) => Number(t.textContent.split(": ")[1])));
  assert.equal(bins.reduce((a, b) => a + b), 600);
  await quiet();
});
