'use strict';
// The real server as a process of its own, and stock clients made from the published .proto files.

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const root = path.resolve(__dirname, '../..');
const protos = path.join(root, 'src/Gateway/Grpc/Protos');
const options = { longs: Number, enums: String, keepCase: true, oneofs: true, includeDirs: [protos] };
const load = (file) => grpc.loadPackageDefinition(loader.loadSync(file, options));
const { StatehouseService } = load('statehouse/v1/statehouse.proto').statehouse.v1;
const { Health } = load('grpc/health/v1/health.proto').grpc.health.v1;
const { ServerReflection } = load('grpc/reflection/v1/reflection.proto').grpc.reflection.v1;

async function startServer() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'statehouse-node-'));
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('STATEHOUSE_')));
  const dll = path.join(root, 'src/Gateway/bin/Release/net10.0/Statehouse.Gateway.dll');
  const child = spawn(
    process.env.DOTNET ?? 'dotnet',
    [dll, '--data', path.join(folder, 'data'), '--http', '127.0.0.1:0', '--grpc', '127.0.0.1:0'],
    { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let messages = '';
  child.stderr.on('data', (text) => { messages += text; });
  for await (const line of readline.createInterface({ input: child.stdout })) {
    const found = /^gRPC: (\S+)/.exec(line);
    if (found) {
      child.stdout.resume();
      return { address: found[1], folder, child, stop: () => stop(child, folder) };
    }
  }
  throw new Error(`The server did not start: ${messages}`);
}

async function stop(child, folder) {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
  fs.rmSync(folder, { recursive: true });
}

/** A client whose unary methods return promises: `call('GetState', {...})`. */
function connect(address, Service = StatehouseService) {
  const stub = new Service(address, grpc.credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
  const call = (name, request, deadlineMs = 30_000) => new Promise((resolve, reject) => {
    stub[name](request, { deadline: Date.now() + deadlineMs }, (error, reply) => (error ? reject(error) : resolve(reply)));
  });
  const put = async (agent_id, key, value) => {
    const { txn_id } = await call('BeginTransaction', {});
    await call('Write', { txn_id, agent_id, key, value: struct(value) });
    return (await call('Commit', { txn_id })).commit_ts;
  };
  return { stub, call, put, close: () => stub.close() };
}

const struct = (members) => ({ fields: Object.fromEntries(Object.entries(members).map(([name, value]) => [name, toValue(value)])) });

function toValue(value) {
  if (value === null) return { nullValue: 'NULL_VALUE' };
  if (Array.isArray(value)) return { listValue: { values: value.map(toValue) } };
  switch (typeof value) {
    case 'object': return { structValue: struct(value) };
    case 'string': return { stringValue: value };
    case 'boolean': return { boolValue: value };
    default: return { numberValue: value };
  }
}

const plain = (message) => Object.fromEntries(Object.entries(message.fields ?? {}).map(([name, value]) => [name, fromValue(value)]));

function fromValue(value) {
  if (value.kind === 'structValue') return plain(value.structValue);
  if (value.kind === 'listValue') return (value.listValue.values ?? []).map(fromValue);
  return value.kind === 'nullValue' ? null : value[value.kind];
}

module.exports = { startServer, connect, struct, plain, grpc, Health, ServerReflection };
