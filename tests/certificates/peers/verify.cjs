// Verify credentials with Digital Bazaar's libraries. Reads from standard input
// {"documents": {URL: document}, "credentials": [credential, ...]}, where the documents are all that
// may be loaded, and writes for each credential {"verified": boolean, "revoked": boolean or null,
// "problems": [text, ...]}.
const fs = require("node:fs");

async function main() {
  const input = JSON.parse(fs.readFileSync(0, "utf8"));
  const vc = require("@digitalbazaar/vc");
  const {DataIntegrityProof} = require("@digitalbazaar/data-integrity");
  const {cryptosuite} = require("@digitalbazaar/eddsa-rdfc-2022-cryptosuite");
  const {checkStatus} = require("@digitalbazaar/vc-bitstring-status-list");

  const documentLoader = async (url) => {
    const [address, fragment] = url.split("#");
    let document = input.documents[address];
    if (document === undefined) {
      throw new Error(`not allowed: ${url}`);
    }
    if (fragment && document.verificationMethod) {
      const method = document.verificationMethod.find((one) => one.id === url);
      if (!method) {
        throw new Error(`no such key: ${url}`);
      }
      document = {"@context": "https://w3id.org/security/multikey/v1", ...method};
    }
    return {contextUrl: null, documentUrl: url, document};
  };

  const answers = [];
  for (const credential of input.credentials) {
    const suite = new DataIntegrityProof({cryptosuite});
    const result = await vc.verifyCredential({
      credential,
      suite,
      documentLoader,
      checkStatus: (options) =>
        checkStatus({...options, suite: new DataIntegrityProof({cryptosuite}), documentLoader,
          verifyBitstringStatusListCredential: true}),
    });
    const errors = [result.error, result.statusResult && result.statusResult.error]
      .filter(Boolean)
      .flatMap((error) => error.errors || [error]);
    // the library says that it could read the list, and apart from that what stands in it
    const entries = (result.statusResult && result.statusResult.results) || [];
    answers.push({
      verified: result.verified,
      problems: errors.map((error) => String(error.message)),
      revoked: entries.length ? entries.some((entry) => Boolean(entry.status)) : null,
    });
  }
  process.stdout.write(JSON.stringify(answers));
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
