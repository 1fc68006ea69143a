// The page as it is served: web/dist under a path of its own, with the Content-Security-Policy that `foveal serve`
// sends, in a browser that reaches nothing else.
//   DIST: the page's files. FOVEAL: the built program.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { launch, visit } from "./browser.mjs";

export { accessible, fits, inEnglish, inKorean, speak } from "./browser.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const DIST = process.env.DIST ?? join(ROOT, "web/dist");
const FOVEAL = process.env.FOVEAL ?? join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "debug/foveal");
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
  const browser = await launch();
  const close = async () => {
    await browser.close();
    server.close();
  };
  return { address, browser, close };
}

/** A view of the page; every test ends with `quiet`. */
export const open = ({ address, browser }, hash, { language = "en-US", ...rest } = {}) =>
  visit(browser, `${address}#${hash}`, { own: address, locale: language, acceptDownloads: true, ...rest });

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
