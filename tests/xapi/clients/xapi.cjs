// The same with the library @xapi/xapi, under the version that is asked for.
const XAPI = require("@xapi/xapi");

const lrs = new XAPI({
  endpoint: process.env.ENDPOINT,
  auth: XAPI.toBasicAuth(process.env.KEY, process.env.SECRET),
  version: process.env.VERSION,
});
const agent = { objectType: "Agent", mbox: `mailto:xapi-${process.env.VERSION}@example.org` };
const activityId = `https://example.org/xapi/${process.env.VERSION}`;
const seen = {};
const status = (error) => error.response?.status ?? error.status ?? String(error);

async function run() {
  seen.versions = (await lrs.getAbout()).data.version;

  const statement = {
    actor: agent,
    verb: XAPI.Verbs.COMPLETED,
    object: { objectType: "Activity", id: activityId },
  };
  const [id] = (await lrs.sendStatement({ statement })).data;
  await lrs.sendStatements({ statements: [statement, statement] });
  const one = await lrs.getStatement({ statementId: id });
  seen.spoken = one.headers["x-experience-api-version"];
  seen.actor = one.data.actor.mbox === agent.mbox;
  const first = (await lrs.getStatements({ agent, limit: 2 })).data;
  const rest = (await lrs.getMoreStatements({ more: first.more })).data;
  seen.pages = [first.statements.length, rest.statements.length];
  await lrs.voidStatement({ actor: agent, statementId: id });
  seen.voided = (await lrs.getVoidedStatement({ voidedStatementId: id })).status;

  const place = { agent, activityId, stateId: "bookmark" };
  await lrs.createState({ ...place, state: { page: 1, kept: true } });
  await lrs.createState({ ...place, state: { page: 2 } });
  const kept = await lrs.getState(place);
  seen.state = kept.data;
  const etag = kept.headers.etag;
  await lrs.setState({ ...place, state: { page: 3 }, etag, matchHeader: "If-Match" });
  seen.outdated = await lrs
    .setState({ ...place, state: { page: 4 }, etag, matchHeader: "If-Match" })
    .catch(status);
  seen.ids = (await lrs.getStates({ agent, activityId })).data;
  await lrs.deleteState(place);
  seen.left = (await lrs.getStates({ agent, activityId })).data;

  await lrs.createActivityProfile({ activityId, profileId: "p", profile: { a: 1 } });
  seen.activityProfile = (await lrs.getActivityProfile({ activityId, profileId: "p" })).data;
  await lrs.setAgentProfile({
    agent, profileId: "p", profile: { b: 1 }, etag: "*", matchHeader: "If-None-Match",
  });
  seen.agentProfile = (await lrs.getAgentProfile({ agent, profileId: "p" })).data;
  seen.person = (await lrs.getAgent({ agent })).data;
  seen.activity = (await lrs.getActivity({ activityId })).data.id === activityId;
}

run().then(
  () => console.log(JSON.stringify(seen)),
  (error) => {
    console.error(error.stack, error.response?.data);
    process.exit(1);
  },
);
