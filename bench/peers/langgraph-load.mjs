// Drives LangGraph's PostgreSQL checkpointer in a closed loop and prints what came of it as one line of JSON, which
// ./statehouse bench --peers reads. The checkpointer exists for JavaScript and Python only, so this load is not in C#.
//
//   node langgraph-load.mjs --what put|get --agents N --in-flight N --first N --values FILE (--seconds S --warm-up S | --requests N)
//
// The database comes as DATABASE_URL. FILE has a JSON text a line. One caller in flight is one connection, up to --connections.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { uuid6 } from "@langchain/langgraph-checkpoint";
import { PostgresSaver } from "@langchain/langgraph-checkpoint-postgres";
import pg from "pg";

const text = { type: "string" };
const { values: given } = parseArgs({
  options: {
    what: text, agents: text, "in-flight": text, first: text, values: text, connections: text,
    seconds: text, "warm-up": text, requests: text, setup: { type: "boolean" },
  },
});
const agents = Number(given.agents);
const inFlight = Number(given["in-flight"]);
const values = readFileSync(given.values, "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line));

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: Math.min(inFlight, Number(given.connections)) });
const saver = new PostgresSaver(pool);

// A checkpoint as a graph leaves it behind a step: here of one channel, the key. Each has a version of its own, or its value would
// not be written.
async function put(number) {
  const versions = { "key-0": number + 1 };
  const checkpoint = {
    v: 4,
    id: uuid6(0),
    ts: new Date().toISOString(),
    channel_values: { "key-0": values[number % values.length] },
    channel_versions: versions,
    versions_seen: {},
  };
  const config = { configurable: { thread_id: `agent-${number % agents}`, checkpoint_ns: "" } };
  await saver.put(config, checkpoint, { source: "loop", step: number, parents: {} }, versions);
}

async function get(number) {
  const tuple = await saver.getTuple({ configurable: { thread_id: `agent-${number % agents}` } });
  if (tuple?.checkpoint.channel_values["key-0"] === undefined) throw new Error(`agent-${number % agents} has no key-0`);
}

const ask = given.what === "put" ? put : get;
let next = Number(given.first);
let commits = 0;

// Latencies in microseconds, in buckets at most 0.8 % wide: 128 to a power of two.
function bucket(us) {
  const step = 2 ** Math.max(0, Math.floor(Math.log2(Math.max(us, 1))) - 7);
  return Math.ceil(us / step) * step;
}

async function loop(isOver, latencies) {
  const caller = async () => {
    while (!isOver()) {
      const number = next++;
      const began = process.hrtime.bigint();
      await ask(number);
      const us = bucket(Number(process.hrtime.bigint() - began) / 1000);
      latencies.set(us, (latencies.get(us) ?? 0) + 1);
      if (given.what === "put") commits++;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
}

function until(seconds) {
  const end = performance.now() + seconds * 1000;
  return () => performance.now() >= end;
}

const latencies = new Map();
let error = null;
let unmeasured = 0;
let began = performance.now();
try {
  if (given.setup) await saver.setup();
  if (given.requests !== undefined) {
    const end = next + Number(given.requests);
    await loop(() => next >= end, latencies);
  } else if (given.seconds !== undefined) {
    await loop(until(Number(given["warm-up"])), new Map());
    unmeasured = commits;
    began = performance.now();
    await loop(until(Number(given.seconds)), latencies);
  }
} catch (failure) {
  error = String(failure?.message ?? failure);
}
const seconds = (performance.now() - began) / 1000;
console.log(JSON.stringify({ load: "langgraph", commits, unmeasured, seconds, latencies_us: [...latencies], error }));
await pool.end();
