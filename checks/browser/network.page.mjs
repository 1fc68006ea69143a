// The network view in a real browser.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { accessible, DIST, downloaded, fits, foveal, inEnglish, inKorean, open, run, serve, speak, tabTo, until } from "./served.mjs";

const MODEL = join(DIST, "models/mnist.safetensors");
let world, work;
before(async () => {
  work = mkdtempSync(join(tmpdir(), "foveal-network-"));
  world = await serve();
});
after(async () => {
  await world.close();
  rmSync(work, { recursive: true });
});

const ready = (page) => page.waitForSelector("[data-answers] [data-probability]");

const likely = (page) => page.$$eval("[data-probability]", (all) => all.map((e) => Number(e.dataset.probability)));

/** Waits until the page's answer is another than `old`. */
const changed = (page, old) =>
  until(page, (was) => JSON.stringify([...document.querySelectorAll("[data-probability]")].map((e) => Number(e.dataset.probability))) !== was, JSON.stringify(old));

/** The page's probabilities are those of `foveal predict`. */
async function same(page, model, input) {
  const want = foveal("predict", model, input).predictions[0];
  await until(
    page,
    (p) => {
      const own = [...document.querySelectorAll("[data-probability]")].map((e) => Number(e.dataset.probability));
      return own.length === p.length && own.every((v, i) => Math.abs(v - p[i]) < 1e-5);
    },
    want.probabilities,
  );
  const own = await likely(page);
  assert.ok(Math.abs(own.reduce((a, b) => a + b) - 1) < 1e-5, `${own} add up to 1`);
  assert.equal(Number(await page.getAttribute("[data-best]", "data-best")), want.index);
}

/** A stroke through places of the pad, in shares of it. */
async function draw(page, places) {
  const box = await (await page.$("[data-pad]")).boundingBox();
  const at = ([x, y]) => [box.x + x * box.width, box.y + y * box.height];
  await page.mouse.move(...at(places[0]));
  await page.mouse.down();
  for (const place of places.slice(1)) await page.mouse.move(...at(place), { steps: 6 });
  await page.mouse.up();
}

test("a drawn digit gives what foveal predict gives on the same pixels", async () => {
  const { page, quiet } = await open(world, "network");
  await ready(page);
  const strokes = { one: [[0.55, 0.2], [0.5, 0.8]], seven: [[0.25, 0.25], [0.7, 0.25], [0.45, 0.8]], corner: [[0.05, 0.9], [0.2, 0.7]] };
  for (const [name, places] of Object.entries(strokes)) {
    const old = await likely(page);
    await page.click("[data-clear]");
    await draw(page, places);
    await changed(page, old);
    await same(page, MODEL, await downloaded(page, "[data-save]", join(work, `${name}.png`)));
  }
  await page.click("[data-clear]");
  await same(page, MODEL, await downloaded(page, "[data-save]", join(work, "blank.png")));
  await quiet();
});

test("test digits and pictures give what foveal predict gives; a link names the digit", async () => {
  const { page, quiet } = await open(world, "network/digit-3");
  await ready(page);
  await same(page, MODEL, "mnist:test:3");
  for (const digit of [0, 4, 18]) {
    await page.click(`[data-digit="${digit}"]`);
    await same(page, MODEL, `mnist:test:${digit}`);
    assert.match(page.url(), new RegExp(`#network/digit-${digit}$`));
  }
  await page.setInputFiles("[data-file=picture]", join(work, "seven.png"));
  await same(page, MODEL, join(work, "seven.png"));
  await page.setInputFiles("[data-file=picture]", { name: "no.png", mimeType: "image/png", buffer: Buffer.from("no picture at all") });
  assert.match(await page.textContent("[data-unseen]"), /no\.png/);
  await quiet();
});

const units = (text, places) => {
  const [whole, fraction = ""] = text.split(".");
  return BigInt(whole.replace("-", "") + fraction.padEnd(places, "0")) * (text.startsWith("-") ? -1n : 1n);
};

/** Each cell's terms, as written, add up to the total that is written. */
async function addsUp(page, what) {
  const { terms, total } = await page.evaluate(() => ({
    terms: [...document.querySelectorAll(".made [data-term]")].map((e) => e.dataset.term),
    total: document.querySelector(".made [data-total]")?.dataset.total,
  }));
  assert.ok(terms.length > 1, what);
  const places = Math.max(...[...terms, total].map((t) => (t.split(".")[1] ?? "").length));
  assert.equal(terms.reduce((sum, t) => sum + units(t, places), 0n), units(total, places), what);
  return Number(total);
}

/** Points at a share of a layer's first map, and waits for its arithmetic. */
async function point(page, layer, x, y) {
  const box = page.locator(`[data-layer="${layer}"] .map-box`).first();
  await box.scrollIntoViewIfNeeded();
  const { width, height } = await box.boundingBox();
  await box.click({ position: { x: x * width, y: y * height } });
  await page.waitForSelector(`[data-layer="${layer}"] .made [data-value]`);
}

test("every layer's cells show arithmetic that adds up", async () => {
  const { page, quiet } = await open(world, "network");
  await ready(page);
  const layers = await page.$$eval("[data-layer]", (all) => all.map((e) => [e.dataset.layer, e.dataset.kind]));
  assert.deepEqual(layers.map((l) => l[1]), ["input", "conv2d", "relu", "max_pool", "conv2d", "relu", "max_pool", "flatten", "dense", "relu", "dense"]);
  for (const [layer, kind] of layers) {
    for (const [x, y] of [[0.05, 0.1], [0.51, 0.49]]) {
      await point(page, layer, x, y);
      const value = Number(await page.getAttribute(".made [data-value]", "data-value"));
      if (kind === "conv2d" || kind === "dense") {
        const total = await addsUp(page, layer);
        assert.ok(Math.abs(total - value) < 1e-4 * Math.max(1, Math.abs(value)), `${layer}: ${total} ${value}`);
      }
      if (kind === "max_pool") assert.equal(await page.$$eval(".patch [data-largest]", (all) => all.length), 1);
    }
    if (kind === "conv2d") assert.ok((await page.$$(".mark-cell.reach")).length > 0, "the window is framed in the layer before");
  }
  await quiet();
});

test("Grad-CAM lies over the picture, of the class and in the maps that are asked for", async () => {
  const { page, quiet } = await open(world, "network/digit-0");
  await ready(page);
  await page.click("[data-cam-switch]");
  await page.waitForSelector("[data-cam]");
  const most = () => page.getAttribute("[data-cam]", "data-cam");
  const first = await most();
  assert.ok(Number(first) > 0);
  await page.selectOption("[data-field=cam-class]", "3");
  await until(page, (was) => document.querySelector("[data-cam]")?.dataset.cam !== was, first);
  const second = await most();
  await page.selectOption("[data-field=cam-layer]", "1");
  await until(page, (was) => document.querySelector("[data-cam]")?.dataset.cam !== was, second);
  await quiet();
});

// A model with layers of many kinds, trained for an epoch on few digits.
const OTHER = `[input]
shape = [28, 28, 1]
[[layer]]
kind = "conv2d"
filters = 4
kernel = [3, 3]
strides = [2, 2]
padding = "SAME"
[[layer]]
kind = "batch_norm"
[[layer]]
kind = "leaky_relu"
[[layer]]
kind = "avg_pool"
ksize = [2, 2]
[[layer]]
kind = "conv2d"
filters = 4
kernel = [1, 1]
[[layer]]
kind = "tanh"
[[layer]]
kind = "add"
inputs = ["tanh_1", "avg_pool_1"]
[[layer]]
kind = "concat"
inputs = ["add_1", "avg_pool_1"]
[[layer]]
kind = "sigmoid"
[[layer]]
kind = "global_avg_pool"
[[layer]]
kind = "dropout"
rate = 0.2
[[layer]]
kind = "dense"
units = 10
[[layer]]
kind = "softmax"
`;

function other() {
  const few = gunzipSync(readFileSync(join(DIST, "digits/few.bin")));
  const n = few.length / 785;
  const idx = (magic, dims, body) => Buffer.concat([Buffer.from(Uint32Array.from([magic, ...dims]).buffer).swap32(), body]);
  for (const part of ["train", "t10k"]) {
    writeFileSync(join(work, `${part}-images-idx3-ubyte`), idx(2051, [n, 28, 28], few.subarray(0, 784 * n)));
    writeFileSync(join(work, `${part}-labels-idx1-ubyte`), idx(2049, [n], few.subarray(784 * n)));
  }
  writeFileSync(join(work, "other.toml"), OTHER);
  run("train", work, "--model", join(work, "other.toml"), "--epochs", "1", "-q", "--out", join(work, "run"));
  return join(work, "run/model.safetensors");
}

test("another model opens, and every kind of layer explains itself", async () => {
  const file = other();
  const { page, quiet } = await open(world, "network/digit-2");
  await ready(page);
  const old = await likely(page);
  await page.setInputFiles("[data-file=model]", file);
  await page.waitForSelector('[data-model="model.safetensors"]');
  await changed(page, old);
  await same(page, file, "mnist:test:2");
  const layers = await page.$$eval("[data-layer]", (all) => all.map((e) => e.dataset.layer));
  assert.equal(layers.length, 14);
  for (const layer of layers) await point(page, layer, 0.3, 0.4);
  await page.click("[data-own-model]");
  await page.waitForSelector("[data-model=own]");
  await ready(page);
  await same(page, MODEL, "mnist:test:2");
  await quiet();
});

/** Opens the model that `foveal train` makes of `from`. */
async function trained(page, name, from, epochs) {
  const folder = join(work, `scale-${name}`);
  run("train", from, "--model", "stack", "--epochs", String(epochs), "--lr", "0.003", "--no-report", "-q", "--out", folder);
  const buffer = readFileSync(join(folder, "model.safetensors"));
  await page.setInputFiles("[data-file=model]", { name: `${name}.safetensors`, mimeType: "application/octet-stream", buffer });
  await page.waitForSelector(`[data-model="${name}.safetensors"]`);
  return folder;
}

test("models of every scale, of labels and of large values say of a picture what predict says", async () => {
  const data = join(work, "scales");
  execFileSync("python3", ["checks/scales_data.py", data]);
  const pictures = ["rows/480.png", "columns/481.png", "blocks/482.png"].map((picture) => join(data, "folder/test", picture));
  const { page, quiet } = await open(world, "network");
  await ready(page);
  for (const [name, from] of [["folder", "folder"], ["unit", "unit.npz"], ["signed", "signed.npz"], ["words", "words.npz"]]) {
    const folder = await trained(page, name, join(data, from), 3);
    for (const picture of pictures) {
      await page.setInputFiles("[data-file=picture]", picture);
      await same(page, folder, picture);
    }
  }
  const several = await trained(page, "several", join(data, "several.csv"), 6);
  for (const picture of pictures) {
    const want = foveal("predict", several, picture).predictions[0];
    const old = await likely(page);
    await page.setInputFiles("[data-file=picture]", picture);
    await changed(page, old);
    const own = await likely(page);
    own.forEach((p, i) => assert.ok(Math.abs(p - want.probabilities[i]) < 1e-5, `${own}: ${want.probabilities}`));
    const labels = await page.getAttribute("[data-labels]", "data-labels");
    assert.deepEqual(labels.split(" ").filter(Boolean).map(Number), want.indices);
  }
  await accessible(page);
  const large = await trained(page, "large", join(data, "large.csv"), 3);
  for (const picture of pictures) {
    const [want] = foveal("predict", large, picture).predictions[0].values;
    await page.setInputFiles("[data-file=picture]", picture);
    await until(page, (v) => Math.abs(Number(document.querySelector("[data-value]")?.dataset.value) - v) < 1e-4, want);
    assert.ok(want > 999_999_990, `${want}`);
  }
  await quiet();
});

test("files that are no models are refused clearly, and the open model stays", async () => {
  const { page, quiet } = await open(world, "network");
  await ready(page);
  const whole = readFileSync(MODEL);
  const give = async (name, buffer, why) => {
    await page.setInputFiles("[data-file=model]", { name, mimeType: "application/octet-stream", buffer });
    await page.waitForSelector(`[data-refused="${why}"]`);
    const text = await page.textContent("[data-refused]");
    assert.ok(text.includes(name), text);
    return text;
  };
  await give("picture.safetensors", readFileSync(join(work, "seven.png")), "foreign");
  await give("empty.safetensors", Buffer.alloc(0), "foreign");
  assert.match(await give("cut.safetensors", whole.subarray(0, whole.length - 1000), "broken"), /cut short/);
  const header = Number(whole.readBigUInt64LE(0));
  const spoilt = Buffer.from(whole);
  spoilt.fill(0x20, 9, 8 + header);
  await give("spoilt.safetensors", spoilt, "broken");
  await speak(page, "ko");
  assert.match(await page.textContent("[data-refused]"), /모델로 읽을 수 없는/);
  await inKorean(page);
  await same(page, MODEL, "mnist:test:0");
  await quiet();
});

test("the keyboard alone draws, picks, looks into cells and asks where it looked", async () => {
  const { page, quiet } = await open(world, "network");
  await ready(page);
  const old = await likely(page);
  await tabTo(page, "[data-pad]");
  await page.keyboard.press("Space");
  for (let i = 0; i < 7; i++) await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Space");
  await changed(page, old);
  await same(page, MODEL, await downloaded(page, "[data-save]", join(work, "keys.png")));
  await page.focus("[data-pad]");
  await page.keyboard.press("Delete");
  await tabTo(page, '[data-digit="1"]');
  await page.keyboard.press("Enter");
  await same(page, MODEL, "mnist:test:1");
  await tabTo(page, "[data-cam-switch]");
  await page.keyboard.press("Space");
  await page.waitForSelector("[data-cam]");
  await tabTo(page, '[data-layer="conv2d_1"] .sheets');
  await page.keyboard.press("Enter");
  await page.waitForSelector('[data-layer="conv2d_1"] .made');
  const place = () => page.textContent(".made h4");
  assert.match(await place(), /\[12, 12, 0\]/);
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("PageDown");
  await until(page, () => document.querySelector(".made h4")?.textContent.includes("[12, 13, 1]"));
  await page.keyboard.press("Escape");
  await until(page, () => !document.querySelector(".made"));
  await quiet();
});

test("a finger goes from cell to cell, and names stand under the last layer", async () => {
  const { page, quiet } = await open(world, "network/digit-3", { width: 360, hasTouch: true });
  await ready(page);
  await page.locator('[data-layer="max_pool_1"] .map-box').nth(2).tap();
  const place = () => page.textContent(".made h4");
  await page.waitForSelector("[data-made=window]");
  const [i, j, c] = (await place()).match(/\d+(?=[,\]])/g).map(Number);
  assert.equal(c, 2);
  for (const [to, want] of [["right", [i, j + 1, c]], ["down", [i + 1, j + 1, c]], ["left", [i + 1, j, c]], ["up", [i, j, c]]]) {
    await page.tap(`[data-move=${to}]`);
    await until(page, (w) => document.querySelector(".made h4").textContent.endsWith(w), `[${want.join(", ")}]`);
  }
  assert.deepEqual(await page.$$eval('[data-layer="dense_2"] .flat-names span', (all) => all.map((e) => e.textContent)), [..."0123456789"]);
  await quiet();
});

for (const scheme of ["light", "dark"]) {
  test(`both languages, axe, and 360 pixels: ${scheme}`, async () => {
    const { page, quiet } = await open(world, "network", { width: 360, scheme });
    await ready(page);
    await page.click("[data-cam-switch]");
    await point(page, "conv2d_2", 0.5, 0.5);
    await fits(page, 360);
    await inKorean(page);
    await accessible(page, "Korean");
    await speak(page, "en");
    await inEnglish(page);
    await point(page, "dense_2", 0.5, 0.5);
    await accessible(page, "English");
    await fits(page, 360);
    await quiet();
  });
}
