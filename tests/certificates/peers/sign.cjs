// Sign a credential with Digital Bazaar's libraries and a new key. Reads from standard input
// {"documents": {URL: document}, "credential": credential}, where the documents are all that may be
// loaded, and writes {"signed": credential}; the issuer is set to the did:key of the new key.
const fs = require("node:fs");

async function main() {
  const input = JSON.parse(fs.readFileSync(0, "utf8"));
  const vc = require("@digitalbazaar/vc");
  const {DataIntegrityProof} = require("@digitalbazaar/data-integrity");
  const {cryptosuite} = require("@digitalbazaar/eddsa-rdfc-2022-cryptosuite");
  const Ed25519Multikey = require("@digitalbazaar/ed25519-multikey");

  const key = await Ed25519Multikey.generate();
  const did = `did:key:${key.publicKeyMultibase}`;
  key.controller = did;
  key.id = `${did}#${key.publicKeyMultibase}`;
  const credential = {...input.credential, issuer: {...input.credential.issuer, id: did}};
  const documentLoader = async (url) => {
    if (input.documents[url] === undefined) {
      throw new Error(`not allowed: ${url}`);
    }
    return {contextUrl: null, documentUrl: url, document: input.documents[url]};
  };
  const suite = new DataIntegrityProof({signer: key.signer(), cryptosuite});
  const signed = await vc.issue({credential, suite, documentLoader});
  process.stdout.write(JSON.stringify({signed}));
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
