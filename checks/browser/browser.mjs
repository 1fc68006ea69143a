// A browser without a network, and the checks of every page: a silent console, no request to anyone, both languages,
// nothing serious found by axe. For report.html (report.test.mjs) and for the page (served.mjs).
//   CHROMIUM: the browser.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];

export const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });

/**
 * A page at `url` whose requests and complaints are kept; every test ends with `quiet`. What begins with `own` is let
 * through, and nothing else.
 */
export async function visit(browser, url, { own = url, width = 1280, height = 900, scheme = "light", ...rest } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, ...rest });
  const page = await context.newPage();
  const away = [];
  const said = [];
  await context.route("**/*", (route) => (route.request().url().startsWith(own) ? route.continue() : route.abort()));
  page.on("request", (r) => /^(data|blob):/.test(r.url()) || r.url().startsWith(own) || away.push(r.url()));
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && said.push(m.text()));
  page.on("pageerror", (e) => said.push(String(e)));
  await page.goto(url);
  const quiet = async () => {
    assert.deepEqual(said, [], "the console is silent");
    assert.deepEqual(away, [], "no request leaves");
    await context.close();
  };
  return { page, quiet };
}

export const speak = (page, language) => page.click(`[data-language=${language}]`);

/** Every text that a person can see or hear; whether it is a name, or the language's own word for itself. */
export const texts = (page) =>
  page.evaluate(() => {
    const found = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
    for (let node = walk.currentNode; node; node = walk.nextNode()) {
      const element = node.nodeType === 1 ? node : node.parentElement;
      if (element.closest("script, style") || !element.checkVisibility()) continue;
      const kind = { name: !!element.closest("[translate=no]"), code: !!element.closest("pre"), foreign: !!element.closest("button[lang]") };
      if (node.nodeType === 3 && node.textContent.trim()) found.push({ text: node.textContent.trim(), ...kind });
      if (node.nodeType === 1) {
        for (const attribute of ["aria-label", "alt", "title", "aria-valuetext"]) {
          const text = node.getAttribute(attribute);
          if (text) found.push({ text, ...kind, name: false });
        }
      }
    }
    return found;
  });

const HANGUL = /[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]/;
// Names that are the same in Korean.
const NAMES = /\b(foveal|MNIST|Grad-CAM|PNG|SAME|VALID|Tab|Enter|Delete|Page Up|Page Down|MB|Rust|F1|AUC|AP|ROC|RMSE|MAE|SGD|Adam|AdamW|Nesterov|FLOPs|UTC)\b|\.safetensors|\.onnx|model\.safetensors/g;

/** Korean leaves no English but names: those above, and what stands as a name on the page itself, also inside a sentence. */
export async function inKorean(page, least = 15) {
  const all = await texts(page);
  const own = new Set(all.filter((t) => t.name && !t.code).flatMap((t) => t.text.split(/[\s,]+/)));
  const english = (word) => /[A-Za-z]{2,}/.test(word) && !own.has(word.split("의")[0]);
  const left = all.filter((t) => !t.name && !t.foreign && t.text.replace(NAMES, "").split(/[\s,:()]+/).some(english));
  assert.deepEqual(left.map((t) => t.text), [], "no English in Korean");
  assert.ok(all.filter((t) => HANGUL.test(t.text)).length > least);
}

export async function inEnglish(page, least = 15) {
  const all = await texts(page);
  assert.ok(all.length > least, `${all.length} texts`);
  assert.deepEqual(all.filter((t) => !t.name && !t.foreign && HANGUL.test(t.text)).map((t) => t.text), [], "no Hangul in English");
}

/** Nothing serious for axe within what a selector finds. */
export async function accessible(page, what, within = "html") {
  if (!(await page.evaluate(() => !!window.axe))) await page.evaluate(AXE);
  const result = await page.evaluate((query) => window.axe.run(query, { resultTypes: ["violations"] }), within);
  assert.ok(result.passes.length > 5, `${result.passes.length} rules looked at something`);
  const bad = result.violations.filter((v) => ["serious", "critical"].includes(v.impact));
  assert.deepEqual(bad.map((v) => `${what}: ${v.id}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(" | ")}`), []);
}

/** No wider than the window, in both languages. */
export async function fits(page, width) {
  for (const language of ["en", "ko"]) {
    await speak(page, language);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `${wide} pixels in ${language}`);
  }
}
