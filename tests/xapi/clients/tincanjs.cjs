// What a course made with an authoring tool does, with the library that most of them carry.
const TinCan = require("tincanjs");

const lrs = new TinCan.LRS({
  endpoint: process.env.ENDPOINT,
  username: process.env.KEY,
  password: process.env.SECRET,
  version: process.env.VERSION,
  allowFail: false,
});
const agent = new TinCan.Agent({ mbox: "mailto:tincanjs@example.org", name: "Ana Ñ+1" });
const activity = new TinCan.Activity({ id: "https://example.org/tincanjs/1" });
const registration = "6c1d5a8e-0d5f-4a53-9c5c-0a5f6b2f9d11";
const seen = {};

// the last argument of each call is an object that takes a callback (error, result)
const call = (method, ...args) =>
  new Promise((resolve, reject) => {
    args[args.length - 1].callback = (error, result) =>
      error ? reject(new Error(`${method}: ${error} ${result?.responseText ?? ""}`)) : resolve(result);
    lrs[method](...args);
  });

async function run() {
  seen.versions = (await call("about", {})).version;

  const statement = new TinCan.Statement({
    actor: agent,
    verb: { id: "http://adlnet.gov/expapi/verbs/answered", display: { en: "answered" } },
    target: activity,
    context: { registration },
    result: { score: { scaled: 0.75 }, duration: "PT1M3.5S" },
  });
  await call("saveStatement", statement, {});
  seen.scaled = (await call("retrieveStatement", statement.id, {})).result.score.scaled;
  const found = await call("queryStatements", { params: { agent, registration, limit: 1 } });
  seen.found = found.statements.map((one) => one.id === statement.id);

  const state = { agent, activity, registration };
  await call("saveState", "bookmark", "page 7", { ...state, contentType: "text/plain" });
  const kept = await call("retrieveState", "bookmark", { ...state });
  seen.state = [kept.contents, kept.contentType];
  await call("saveState", "bookmark", "page 8", {
    ...state, contentType: "text/plain", lastSHA1: kept.etag.replace(/"/g, ""),
  });
  const outdated = await call("saveState", "bookmark", "page 9", {
    ...state, contentType: "text/plain", lastSHA1: kept.etag.replace(/"/g, ""),
  }).catch((error) => error.message);
  seen.outdated = outdated;
  seen.ids = await call("retrieveStateIds", { ...state });
  await call("dropState", "bookmark", { ...state });
  seen.dropped = (await call("retrieveState", "bookmark", { ...state })) === null;

  await call("saveActivityProfile", "scores", JSON.stringify({ best: 3 }), {
    activity, contentType: "application/json", method: "POST",
  });
  const profile = await call("retrieveActivityProfile", "scores", { activity });
  seen.profile = profile.contents;
  await call("saveActivityProfile", "scores", JSON.stringify({ best: 4 }), {
    activity, contentType: "application/json", lastSHA1: profile.etag,
  });
  seen.bestNow = (await call("retrieveActivityProfile", "scores", { activity })).contents.best;

  await call("saveAgentProfile", "wishes", JSON.stringify({ dark: true }), {
    agent, contentType: "application/json", method: "POST",
  });
  seen.wishes = (await call("retrieveAgentProfile", "wishes", { agent })).contents;
}

run().then(
  () => console.log(JSON.stringify(seen)),
  (error) => {
    console.error(error.stack);
    process.exit(1);
  },
);
