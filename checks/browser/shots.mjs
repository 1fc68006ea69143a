// Pictures of every view in every width, theme and language, to be looked at: `make shots` after `make page`, with
// SHOTS=FOLDER and VIEWS="bench train" if wanted. A picture shows the whole page; what is cut off or outside the
// window is named on the terminal.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { open, serve, speak, until } from "./served.mjs";

const [folder, ...views] = process.argv.slice(2);
const WIDTHS = [360, 1280, 1920];

/** What is wider than the page, and texts that their boxes cut off. */
const faults = (page) =>
  page.evaluate(() => {
    const told = [];
    const wide = document.documentElement.scrollWidth;
    if (wide > innerWidth) told.push(`the page is ${wide} pixels wide`);
    for (const e of document.querySelectorAll("button, a, h1, h2, h3, h4, p, label, legend, span, td, th, input")) {
      const box = e.getBoundingClientRect();
      if (!e.checkVisibility() || e.closest(".unseen, .skip, [data-small], select, svg") || box.width < 2 || !e.textContent.trim()) continue;
      const hidden = getComputedStyle(e).overflow !== "visible" && (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1);
      const out = (box.right > innerWidth + 1 || box.left < -1) && !e.closest("pre, .options, .confusion, .tabs");
      if (hidden || out) told.push(`${hidden ? "cut" : "out"}: ${e.className || e.tagName} "${e.textContent.trim().slice(0, 40)}"`);
    }
    return told.slice(0, 5);
  });

async function shoot(page, name, first = true) {
  for (const language of ["en", "ko"]) {
    await speak(page, language);
    for (const scheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme: scheme });
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 900 });
        await page.mouse.move(0, 0);
        await page.evaluate(() => scrollTo(0, 0));
        await page.waitForTimeout(first ? 120 : 60);
        await page.screenshot({ path: join(folder, `${name}-${width}-${scheme}-${language}.png`), fullPage: true });
        for (const fault of await faults(page)) console.log(`${name}, ${width}, ${scheme}, ${language}: ${fault}`);
      }
    }
  }
}

const phase = (page, wanted) => until(page, (p) => document.querySelector("[data-phase]")?.dataset.phase === p, wanted, 300_000);

const SCENES = {
  async bench(page) {
    const keys = await page.$$eval("[data-preset]", (all) => all.map((e) => e.dataset.preset));
    for (const key of keys) {
      await page.click(`[data-preset=${key}]`);
      await page.waitForSelector(`[data-about=${key}]`);
      await shoot(page, `bench-${key}`);
    }
  },
  async network(page) {
    await page.click("[data-digit='3']");
    await shoot(page, "network");
    await page.focus("[data-layer=conv2d_2] .sheets");
    await page.keyboard.press("Enter");
    await page.waitForSelector("[data-made=window]");
    await shoot(page, "network-cell");
    await page.click("[data-cam-switch]");
    await page.waitForSelector("[data-cam]");
    await shoot(page, "network-cam");
    await page.setInputFiles("[data-file=model]", { name: "notes.safetensors", mimeType: "application/octet-stream", buffer: Buffer.from("no model") });
    await page.waitForSelector("[data-refused]");
    await shoot(page, "network-refused");
  },
  async train(page) {
    await shoot(page, "train");
    await page.click("[data-play]");
    await phase(page, "running");
    await page.waitForSelector("[data-accuracy]");
    await shoot(page, "train-running", false);
    await phase(page, "finished");
    await shoot(page, "train-finished");
  },
};

await mkdir(folder, { recursive: true });
const world = await serve();
for (const view of views.length > 0 ? views : Object.keys(SCENES)) {
  const { page, quiet } = await open(world, view);
  await page.waitForSelector({ bench: ".stage", network: "[data-answers]", train: "[data-play]" }[view]);
  await SCENES[view](page);
  await quiet();
}
await world.close();
