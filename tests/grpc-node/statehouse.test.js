'use strict';

const assert = require('node:assert/strict');
const { randomUUID } = require('node:crypto');
const { after, before, beforeEach, test } = require('node:test');
const { startServer, connect, struct, plain, grpc, Health, ServerReflection } = require('./statehouse.js');

let server;
let client;
let agent;

before(async () => {
  server = await startServer();
  client = connect(server.address);
});

after(async () => {
  client?.close();
  await server?.stop();
});

beforeEach(() => { agent = `agent:${randomUUID()}`; });

const get = (key, agent_id = agent) => client.call('GetState', { agent_id, key });

test('two writes of a key in one transaction make versions 1 and 2 under one commit_ts', async () => {
  const { txn_id } = await client.call('BeginTransaction', { timeout_ms: 60_000 });
  await client.call('Write', { txn_id, agent_id: agent, key: 'step:1', value: struct({ status: 'pending' }) });
  await client.call('Write', { txn_id, agent_id: agent, key: 'step:1', value: struct({ status: 'done' }) });
  const { commit_ts } = await client.call('Commit', { txn_id });
  for (const [version, status] of [[1, 'pending'], [2, 'done']]) {
    const state = await client.call('GetStateAtVersion', { agent_id: agent, key: 'step:1', version });
    assert.deepEqual([state.exists, state.version, state.commit_ts, plain(state.value)], [true, version, commit_ts, { status }]);
  }
  assert.equal((await client.call('Commit', { txn_id })).commit_ts, commit_ts);
});

test('a value of every kind reads back as it was written', async () => {
  const value = { text: 'ä ☃ 😀 "\\\n', int: 42, half: 0.5, neg: -1e-7, yes: true, no: false, none: null, list: [1, 'a', [], {}], deep: { a: { b: {} } }, '': 0 };
  await client.put(agent, 'k', value);
  assert.deepEqual(plain((await get('k')).value), value);
  const { entries } = await client.call('ScanPrefix', { agent_id: agent, prefix: 'k' });
  assert.deepEqual(entries.map((entry) => [entry.key, entry.version, plain(entry.value)]), [['k', 1, value]]);
});

test('a deleted key leaves a tombstone and no value', async () => {
  await client.put(agent, 'k', { n: 1 });
  const { txn_id } = await client.call('BeginTransaction', {});
  await client.call('Delete', { txn_id, agent_id: agent, key: 'k' });
  const { commit_ts } = await client.call('Commit', { txn_id });
  const state = await get('k');
  assert.deepEqual([state.exists ?? false, state.version, state.commit_ts, state.value ?? null], [false, 2, commit_ts, null]);
  assert.deepEqual((await client.call('ListKeys', { agent_id: agent })).keys ?? [], []);
});

test('an error carries its status, its message and a StatehouseError', async () => {
  const failure = await client.call('Commit', { txn_id: 'ключ' }).then(() => assert.fail('no error'), (error) => error);
  assert.equal(failure.code, grpc.status.NOT_FOUND);
  assert.match(failure.details, /ключ/);
  const [trailer] = failure.metadata.get('statehouse-error-bin');
  assert.ok(trailer.includes('SH-1005') && trailer.includes('sh_code'));
});

test('a replay that is read slowly arrives whole and in order', async () => {
  const count = 40;
  for (let n = 0; n < count; n++) await client.put(agent, 'k', { n, fill: 'x'.repeat(100_000) });
  const events = client.stub.Replay({ agent_id: agent });
  let expected = 0;
  // Reading one at a time keeps the stream paused in between, which holds the server back.
  for await (const event of events) {
    assert.equal(plain(event.operations[0].value).n, expected++);
    await get('k');
  }
  assert.equal(expected, count);
});

test('a cancelled replay ends with CANCELLED and the connection goes on', async () => {
  for (let n = 0; n < 20; n++) await client.put(agent, 'k', { n, fill: 'x'.repeat(200_000) });
  const events = client.stub.Replay({ agent_id: agent });
  const ended = new Promise((resolve) => events.once('error', resolve));
  events.once('data', () => events.cancel());
  assert.equal((await ended).code, grpc.status.CANCELLED);
  assert.equal((await get('k')).version, 20);
});

test('a message beyond 8 MiB is RESOURCE_EXHAUSTED and the connection goes on', async () => {
  const write = { txn_id: 't', agent_id: agent, key: 'k', value: struct({ fill: 'x'.repeat(9 << 20) }) };
  await assert.rejects(client.call('Write', write), { code: grpc.status.RESOURCE_EXHAUSTED });
  assert.equal((await client.call('Health', {})).status, 'ok');
});

test('16 clients at once each read what they wrote', async () => {
  await Promise.all(Array.from({ length: 16 }, async (_, number) => {
    const own = connect(server.address);
    const name = `${agent}:${number}`;
    for (let n = 1; n <= 20; n++) {
      const commitTs = await own.put(name, 'k', { n });
      const state = await own.call('GetState', { agent_id: name, key: 'k' });
      assert.deepEqual([state.version, state.commit_ts, plain(state.value)], [n, commitTs, { n }]);
    }
    own.close();
  }));
});

test('grpc.health.v1 says SERVING', async () => {
  const health = connect(server.address, Health);
  assert.equal((await health.call('Check', { service: 'statehouse.v1.StatehouseService' })).status, 'SERVING');
  health.close();
});

test('reflection lists the services and hands out the files that declare them', async () => {
  const reflection = connect(server.address, ServerReflection);
  const dialogue = reflection.stub.ServerReflectionInfo();
  const replies = dialogue[Symbol.asyncIterator]();
  const ask = async (request) => {
    dialogue.write(request);
    return (await replies.next()).value;
  };
  const { service } = (await ask({ list_services: '' })).list_services_response;
  assert.ok(service.some(({ name }) => name === 'statehouse.v1.StatehouseService'));
  const { file_descriptor_proto: files } = (await ask({ file_containing_symbol: 'statehouse.v1.WriteRequest' })).file_descriptor_response;
  assert.ok(files.some((file) => file.includes('statehouse/v1/statehouse.proto')));
  assert.ok(files.some((file) => file.includes('google/protobuf/struct.proto')));
  assert.equal((await ask({ file_containing_symbol: 'nobody.Knows' })).error_response.error_code, grpc.status.NOT_FOUND);
  dialogue.end();
  assert.equal((await replies.next()).done, true);
  reflection.close();
});
