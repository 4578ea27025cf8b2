// Bundles assets/ into lms/core/static/build/ under hashed names, with a manifest and a compressed copy of each file.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";
import { browserslistToTargets, transform } from "lightningcss";

const root = path.dirname(fileURLToPath(import.meta.url));
const out = path.join(root, "lms/core/static/build");

// The oldest browsers that know cascade layers; `light-dark()` and nesting are written out for them.
const targets = browserslistToTargets(["chrome 99", "firefox 97", "safari 15.4"]);

const stubs = {
  // EasyMDE brings its own preview and spelling; Puente previews on the server, browsers spell.
  name: "stubs",
  setup(bundler) {
    const contents = {
      marked: "export const marked = {}",
      "codemirror-spell-checker": "export default function () {}",
    };
    bundler.onResolve({ filter: /^(marked|codemirror-spell-checker)$/ }, ({ path: name }) => ({ path: name, namespace: "stub" }));
    bundler.onLoad({ filter: /.*/, namespace: "stub" }, ({ path: name }) => ({ contents: contents[name] }));
  },
};

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });

const result = await build({
  absWorkingDir: root,
  entryPoints: [
    "assets/css/app.css",
    "assets/css/editor.css",
    "assets/js/app.js",
    "assets/js/editor.js",
    "assets/js/offline.js",
    "assets/js/offline-worker.js",
    "assets/icons/mark.svg",
  ],
  entryNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  outdir: out,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["chrome99", "firefox97", "safari15.4"],
  loader: { ".svg": "copy" },
  legalComments: "none",
  metafile: true,
  plugins: [stubs],
  logLevel: "warning",
});

const manifest = {};
for (const [file, { entryPoint }] of Object.entries(result.metafile.outputs)) {
  const name = path.basename(file);
  const full = path.join(root, file);
  let content = await readFile(full);
  if (name.endsWith(".css")) {
    content = transform({ filename: name, code: content, minify: true, targets }).code;
    await writeFile(full, content);
  }
  if (entryPoint) manifest[path.basename(entryPoint)] = name;
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };
  const compressed = brotliCompressSync(content, quality);
  await writeFile(`${full}.br`, compressed);
  await writeFile(`${full}.gz`, gzipSync(content, { level: 9 }));
  console.log(`${name.padEnd(28)} ${String(content.length).padStart(8)} bytes, ${String(compressed.length).padStart(7)} brotli`);
}
await writeFile(path.join(out, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
