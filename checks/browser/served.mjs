// The page as it is served: web/dist under a path of its own, with the Content-Security-Policy that `foveal serve`
// sends, in a browser that reaches nothing else.
//   CHROMIUM: the browser. DIST: the page's files. FOVEAL: the built program.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const DIST = process.env.DIST ?? join(ROOT, "web/dist");
const FOVEAL = process.env.FOVEAL ?? join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "debug/foveal");
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];
const CSP = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm", ".svg": "image/svg+xml" };
const PATH = "/a/path/";

/** What the built program answers, as JSON. */
export const foveal = (...args) => JSON.parse(execFileSync(FOVEAL, [...args, "--json", "--lang", "en"], { maxBuffer: 1 << 28 }));
/** Runs the built program. */
export const run = (...args) => execFileSync(FOVEAL, args, { stdio: ["ignore", "pipe", "pipe"] });

/** A server and a browser; `close` ends both. */
export async function serve() {
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, "http://x").pathname);
    const name = path === PATH ? "index.html" : path.slice(PATH.length);
    try {
      if (!path.startsWith(PATH) || normalize(name).startsWith("..")) throw new Error(path);
      const body = await readFile(join(DIST, name));
      response.writeHead(200, { "content-type": TYPES[extname(name)] ?? "application/octet-stream", "content-security-policy": CSP });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const address = `http://127.0.0.1:${server.address().port}${PATH}`;
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
  const close = async () => {
    await browser.close();
    server.close();
  };
  return { address, browser, close };
}

/** A page whose requests and complaints are kept; every test ends with `quiet`. */
export async function open({ address, browser }, hash, { width = 1280, height = 900, scheme = "light", language = "en-US", ...rest } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, locale: language, acceptDownloads: true, ...rest });
  const page = await context.newPage();
  const away = [];
  const said = [];
  await context.route("**/*", (route) => (route.request().url().startsWith(address) ? route.continue() : route.abort()));
  page.on("request", (r) => /^(data|blob):/.test(r.url()) || r.url().startsWith(address) || away.push(r.url()));
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && said.push(m.text()));
  page.on("pageerror", (e) => said.push(String(e)));
  await page.goto(`${address}#${hash}`);
  const quiet = async () => {
    assert.deepEqual(said, [], "the console is silent");
    assert.deepEqual(away, [], "no request leaves");
    await context.close();
  };
  return { page, quiet };
}

export const speak = (page, language) => page.click(`[data-language=${language}]`);

const HANGUL = /[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]/;
// Names that are the same in Korean.
const NAMES = /\b(foveal|MNIST|Grad-CAM|PNG|SAME|VALID|Tab|Enter|Delete|Page Up|Page Down|MB|Rust)\b|\.safetensors|\.onnx|model\.safetensors/g;

/** Every text that a person can see or hear, with whether it is a name. */
const texts = (page) =>
  page.evaluate(() => {
    const found = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
    for (let node = walk.currentNode; node; node = walk.nextNode()) {
      const element = node.nodeType === 1 ? node : node.parentElement;
      if (element.closest("script, style") || !element.checkVisibility()) continue;
      const name = !!element.closest("[translate=no], button[lang]");
      if (node.nodeType === 3 && node.textContent.trim()) found.push({ text: node.textContent.trim(), name });
      if (node.nodeType === 1) {
        for (const attribute of ["aria-label", "alt", "title"]) {
          const text = node.getAttribute(attribute);
          if (text && !name) found.push({ text, name });
        }
      }
    }
    return found;
  });

/** Korean leaves no English but names; `own` are names of layers and data sets. */
export async function inKorean(page, own = /\b(mnist|conv2d|relu|max_pool|flatten|dense|input)(_\d+)?\b/g) {
  const all = await texts(page);
  const english = all.filter((t) => !t.name && /[A-Za-z]{2,}/.test(t.text.replace(NAMES, "").replace(own, "")));
  assert.deepEqual(english.map((t) => t.text), [], "no English in Korean");
  assert.ok(all.filter((t) => HANGUL.test(t.text)).length > 15);
}

export async function inEnglish(page) {
  const all = await texts(page);
  assert.deepEqual(all.filter((t) => !t.name && HANGUL.test(t.text)).map((t) => t.text), [], "no Hangul in English");
}

export async function accessible(page, what) {
  if (!(await page.evaluate(() => !!window.axe))) await page.evaluate(AXE);
  const result = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  assert.ok(result.passes.length > 5, `${result.passes.length} rules looked at something`);
  const bad = result.violations.filter((v) => ["serious", "critical"].includes(v.impact));
  assert.deepEqual(bad.map((v) => `${what}: ${v.id}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(" | ")}`), []);
}

export async function fits(page, width) {
  for (const language of ["en", "ko"]) {
    await speak(page, language);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `${wide} pixels in ${language}`);
  }
}

/** Waits until `holds(arg)` is true in the page. The page's policy lets no text be run as a program, so it is asked anew. */
export async function until(page, holds, arg, most = 30_000) {
  const end = Date.now() + most;
  while (!(await page.evaluate(holds, arg))) {
    if (Date.now() > end) assert.fail(`not true within ${most} ms: ${holds}`);
    await page.waitForTimeout(50);
  }
}

/** Saves what a click downloads. */
export async function downloaded(page, selector, path) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.click(selector)]);
  await download.saveAs(path);
  return path;
}

/** Presses Tab until an element that matches has the focus. */
export async function tabTo(page, selector, most = 80) {
  for (let i = 0; i < most; i++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((s) => document.activeElement.matches(s), selector)) return;
  }
  assert.fail(`Tab does not reach ${selector}`);
}
