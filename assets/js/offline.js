// Verifies codes and files of this site without a network, by the signed snapshot that the browser keeps.
import { credentialIn, decode, fingerprint, hexDigest, isSigned, readCode } from "./credential.js";

const page = document.querySelector("[data-offline]");
const form = document.querySelector("#offline-form");
const answer = document.querySelector("#offline-answer");
const state = document.querySelector("#snapshot-state");
const text = (name) => page.dataset[`text${name[0].toUpperCase()}${name.slice(1)}`];
const moment = (seconds) => new Date(seconds * 1000).toLocaleString(document.documentElement.lang, { dateStyle: "long", timeStyle: "short" });

let snapshot = null;

async function loadSnapshot() {
  let token, keys;
  try {
    [token, keys] = await Promise.all([
      fetch(page.dataset.snapshot).then((found) => (found.ok ? found.text() : Promise.reject())),
      fetch(page.dataset.keys).then((found) => found.json()),
    ]);
  } catch {
    state.textContent = text("none");
    return;
  }
  if (!(await isSigned(token, keys.keys))) {
    state.textContent = text("forged");
    return;
  }
  const found = decode(token.split(".")[1]);
  found.byCode = new Map(found.certificates.map((entry) => [entry[0], entry]));
  found.byFile = new Map(found.certificates.flatMap((entry) => entry[3].map((digest) => [digest, entry])));
  found.digits = found.certificates[0]?.[0].length ?? 20;
  snapshot = found;
  const isOld = Date.now() / 1000 > found.exp;
  state.textContent = isOld ? text("old") : text("asOf").replace("{moment}", moment(found.iat));
  form.hidden = false;
}

function stateOf(entry) {
  const now = Date.now() / 1000;
  if (now > snapshot.exp) return "unchecked";
  if (entry[1] === "valid" && entry[2] && entry[2] <= now) return "expired";
  return entry[1];
}

function show(verdict, words, document_) {
  answer.hidden = false;
  answer.className = `verdict verdict-${verdict === "unknown" || verdict === "unchecked" ? "revoked" : verdict}`;
  answer.dataset.state = verdict;
  answer.querySelector("strong").textContent = text(verdict);
  const [lead, note] = answer.querySelectorAll(".verdict-body > p");
  lead.textContent = words;
  note.textContent = text("asOf").replace("{moment}", moment(snapshot.iat));
  const list = answer.querySelector("dl");
  list.replaceChildren();
  for (const [name, value] of Object.entries(said(document_))) {
    if (!value) continue;
    const [term, definition] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = text(name);
    definition.textContent = value;
    list.append(term, definition);
  }
  answer.scrollIntoView({ block: "nearest" });
}

function said(found) {
  const subject = found?.credentialSubject;
  if (!subject) return {};
  const names = [subject.identifier ?? []].flat().filter((one) => one.hashed === false && one.identityType === "name");
  return {
    holder: names[0]?.identityHash,
    title: subject.achievement?.name ?? found.name,
    issued: found.validFrom && new Date(found.validFrom).toLocaleDateString(document.documentElement.lang, { dateStyle: "long" }),
  };
}

async function checkCode(typed) {
  const digest = await hexDigest(readCode(typed));
  const entry = snapshot.byCode.get(digest.slice(0, snapshot.digits));
  if (entry) show(stateOf(entry), text("byCode"));
  else show("unknown", text("noCode"));
}

/** Each certificate of a collection by its own digest; who put it together is proven only by a token. */
async function checkCollection(document_, proven) {
  const parts = [document_.credentialSubject?.verifiableCredential ?? []].flat();
  let known = 0;
  for (const part of parts) {
    const entry = snapshot.byFile.get((await hexDigest(fingerprint(part))).slice(0, snapshot.digits));
    if (entry && stateOf(entry) === "valid") known += 1;
  }
  const words = text("collection").replace("{known}", known).replace("{count}", parts.length);
  show(proven && known && known === parts.length ? "valid" : "unchecked", words, document_);
}

const isCollection = (found) => [found?.type ?? []].flat().includes("ClrCredential");

async function checkToken(token) {
  const entry = snapshot.byFile.get((await hexDigest(token)).slice(0, snapshot.digits));
  if (!(await isSigned(token, snapshot.keys))) return show("unknown", text("noFile"));
  const found = decode(token.split(".")[1]);
  if (found.iss !== snapshot.iss) return show("unknown", text("noFile"));
  if (isCollection(found)) return checkCollection(found, true);
  return entry ? show(stateOf(entry), text("byToken"), found) : show("unchecked", text("newer"), found);
}

async function checkFile(bytes) {
  const entry = snapshot.byFile.get((await hexDigest(bytes)).slice(0, snapshot.digits));
  const found = credentialIn(bytes);
  if (found.token) return checkToken(found.token);
  if (isCollection(found.document)) return checkCollection(found.document, false);
  const same = entry ?? (found.document && snapshot.byFile.get((await hexDigest(fingerprint(found.document))).slice(0, snapshot.digits)));
  return same ? show(stateOf(same), text("byFile"), found.document) : show("unknown", text("noFile"));
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const typed = document.querySelector("#offline-code").value.trim();
  if (!typed) return;
  if (typed.startsWith("{")) await checkFile(new TextEncoder().encode(typed));
  else if (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(typed)) await checkToken(typed);
  else await checkCode(typed);
});

document.querySelector("#offline-file").addEventListener("change", async (event) => {
  const [file] = event.target.files;
  if (file && file.size <= 5 * 1024 * 1024) await checkFile(new Uint8Array(await file.arrayBuffer()));
});

async function scan() {
  const video = document.querySelector("#offline-video");
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  video.srcObject = stream;
  video.hidden = false;
  await video.play();
  const until = Date.now() + 60_000;
  let found = [];
  while (!found.length && Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    found = await detector.detect(video);
  }
  stream.getTracks().forEach((track) => track.stop());
  video.hidden = true;
  if (found.length) {
    document.querySelector("#offline-code").value = found[0].rawValue;
    form.requestSubmit();
  }
}

if ("BarcodeDetector" in window && navigator.mediaDevices) {
  const button = document.querySelector("#offline-scan");
  button.hidden = false;
  button.addEventListener("click", () => scan().catch(() => (button.hidden = true)));
}

await loadSnapshot();
if ("serviceWorker" in navigator) {
  await navigator.serviceWorker.register(page.dataset.worker);
  await navigator.serviceWorker.ready;
  if (snapshot && Date.now() / 1000 <= snapshot.exp) state.textContent += ` ${text("ready")}`;
  page.dataset.isReady = "";
}
