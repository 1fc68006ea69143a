import { defineConfig } from "vite";

// Static files that work under any path, from any server, under a CSP without unsafe-inline.
export default defineConfig({
  base: "./",
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  worker: { format: "es" },
});
