// Reading certificates in the browser: codes, tokens (RS256), pictures, and the digests by which the register knows them.

const bytesOf = (data) => (typeof data === "string" ? new TextEncoder().encode(data) : data);

export async function hexDigest(data) {
  const sum = await crypto.subtle.digest("SHA-256", bytesOf(data));
  return [...new Uint8Array(sum)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What was typed or scanned, in the form in which codes are kept; see lms/certificates/codes.py. */
export function readCode(typed) {
  const link = /\/verify\/([^/?#]+)/.exec(typed);
  let signs = (link?.[1] ?? typed).toUpperCase().slice(0, 100).replace(/\.(JSON|JWT|PNG|SVG|PDF)$/, "").replace(/[^0-9A-Z]/g, "");
  if (signs.length === 18 && signs.startsWith("PU")) signs = signs.slice(2);
  signs = signs.replace(/O/g, "0").replace(/[IL]/g, "1").replace(/U/g, "V").slice(0, 17);
  return ["PU", ...(signs.match(/.{1,4}/g) ?? [])].join("-");
}

function fromBase64(part) {
  const text = atob(part.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(text, (sign) => sign.charCodeAt(0));
}

/** A part of a token as JSON. */
export function decode(part) {
  return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(fromBase64(part)));
}

/** Whether one of the keys (JSON Web Keys) has signed a token with RS256. */
export async function isSigned(token, keys) {
  try {
    const [head, payload, signature] = token.trim().split(".");
    const header = decode(head);
    const jwk = keys.find((key) => key.kid === header.kid);
    if (header.alg !== "RS256" || !jwk) return false;
    const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
    const key = await crypto.subtle.importKey("jwk", { kty: jwk.kty, n: jwk.n, e: jwk.e }, algorithm, false, ["verify"]);
    return await crypto.subtle.verify(algorithm, key, fromBase64(signature), bytesOf(`${head}.${payload}`));
  } catch {
    return false;
  }
}

/** The text by whose SHA-256 the register knows a document: members in order, no spaces. */
export function fingerprint(value) {
  if (Array.isArray(value)) return `[${value.map(fingerprint).join(",")}]`;
  if (value && typeof value === "object") {
    const members = Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${fingerprint(value[name])}`);
    return `{${members.join(",")}}`;
  }
  return JSON.stringify(value);
}

/** The credential in a file: `{token}` or `{document}`; empty for anything else. */
export function credentialIn(bytes) {
  const text = (bytes[0] === 0x89 ? fromPng(bytes) : new TextDecoder().decode(bytes)).trim();
  return readText(text.startsWith("<") ? fromSvg(text) : text);
}

function readText(text) {
  if (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(text)) return { token: text };
  try {
    const document = JSON.parse(text);
    return document && typeof document === "object" ? { document } : {};
  } catch {
    return {};
  }
}

function fromPng(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const plain = new TextDecoder("latin1");
  const head = "openbadgecredential\0";
  for (let place = 8; place + 12 <= bytes.length; ) {
    const size = view.getUint32(place);
    const data = bytes.subarray(place + 8, place + 8 + size);
    if (plain.decode(bytes.subarray(place + 4, place + 8)) === "iTXt" && plain.decode(data.subarray(0, head.length)) === head) {
      return new TextDecoder().decode(data.subarray(head.length + 4));
    }
    place += size + 12;
  }
  return "";
}

function fromSvg(text) {
  const found = new DOMParser().parseFromString(text, "image/svg+xml");
  const [element] = found.getElementsByTagNameNS("https://purl.imsglobal.org/ob/v3p0", "credential");
  return (element?.getAttribute("verify") || element?.textContent || "").trim();
}
