/** What the app sends, and what it makes of every kind of answer. */

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { createAppTester } from 'zapier-platform-core';

import { anApp } from './support/apps.js';
import { startServer } from './support/servers.js';

const TARGET_URL = 'https://hooks.zapier.com/1/2';

let server;
let answer;

before(async () => {
  process.env.RELAIS_ALLOW_LOOPBACK = '1';
  server = await startServer((request) => answer(request));
});

after(() => {
  delete process.env.RELAIS_ALLOW_LOOPBACK;
  server.close();
});

beforeEach(() => {
  server.reset();
  answer = () => ({ body: {} });
});

const authData = () => ({ base_url: server.url, api_key: 'rk_secret' });

const run = (pick, bundle = {}, app = anApp()) =>
  createAppTester(app)(pick(app), { authData: authData(), ...bundle });

const operation = (app) => app.triggers.new_visit.operation;
const subscribe = (inputData = {}) =>
  run((app) => operation(app).performSubscribe, { targetUrl: TARGET_URL, inputData });
const unsubscribe = (subscribeData) =>
  run((app) => operation(app).performUnsubscribe, { subscribeData });
const listSamples = (inputData = {}) => run((app) => operation(app).performList, { inputData });
const authenticate = () => run((app) => app.authentication.test);

const problem = (status, body) => () => ({
  status,
  headers: { 'content-type': 'application/problem+json' },
  body,
});

const messageOf = (error) => {
  try {
    return JSON.parse(error.message).message;
  } catch {
    return error.message;
  }
};

const refusal = async (promise) => {
  const error = await promise.then(
    () => assert.fail('nothing was refused'),
    (reason) => reason,
  );
  return { name: error.name, message: messageOf(error) };
};

test('every request shows the key and asks for English JSON', async () => {
  answer = () => ({ body: { scope: 'account', account: {}, label: 'Studio' } });

  await authenticate();

  const [{ method, url, headers }] = server.requests;
  assert.equal(`${method} ${url}`, 'GET /api/v1/me');
  assert.equal(headers.authorization, 'Bearer rk_secret');
  assert.equal(headers.accept, 'application/json');
  assert.equal(headers['accept-language'], 'en');
});

test('subscribing sends everything that was picked, in wire values', async () => {
  answer = () => ({ status: 201, body: { id: 'sub_1', secret: 'whsec_x' } });

  await subscribe({ resource_ids: ['51', 52], event: ['leave'], visitor_role: ['5'] });

  const [{ method, url, body }] = server.requests;
  assert.equal(`${method} ${url}`, 'POST /api/v1/subscriptions');
  assert.deepEqual(JSON.parse(body), {
    trigger: 'new_visit',
    target_url: TARGET_URL,
    platform: 'zapier',
    resource_ids: ['51', '52'],
    filters: { event: ['leave'], 'visitor.role': [5] },
  });
});

test('subscribing without picks sends no restrictions', async () => {
  answer = () => ({ status: 201, body: { id: 'sub_1' } });

  await subscribe({ resource_ids: [], event: '', visitor_role: null });

  assert.deepEqual(Object.keys(JSON.parse(server.requests[0].body)), [
    'trigger',
    'target_url',
    'platform',
  ]);
});

test('a typed value that is no choice goes as it is', async () => {
  answer = () => ({ status: 201, body: { id: 'sub_1' } });

  await subscribe({ event: 'wave' });

  assert.deepEqual(JSON.parse(server.requests[0].body).filters, { event: ['wave'] });
});

test('Zapier keeps the id of a subscription and not its secret', async () => {
  answer = () => ({ status: 201, body: { id: 'sub_1', secret: 'whsec_x' } });

  assert.deepEqual(await subscribe(), { id: 'sub_1' });
});

test('samples are asked for with the same restrictions', async () => {
  answer = () => ({ body: [{ id: 'evt_1' }] });

  const samples = await listSamples({ resource_ids: ['51', 'a,b'], event: ['leave'] });

  const url = new URL(server.requests[0].url, server.url);
  assert.deepEqual(samples, [{ id: 'evt_1' }]);
  assert.equal(url.pathname, '/api/v1/triggers/new_visit/samples');
  assert.equal(url.searchParams.get('limit'), '3');
  assert.deepEqual(url.searchParams.getAll('resource_id'), ['51', 'a,b']);
  assert.deepEqual(JSON.parse(url.searchParams.get('filters')), { event: ['leave'] });
});

test('unsubscribing deletes the subscription', async () => {
  answer = () => ({ status: 204 });

  await unsubscribe({ id: 'sub_1' });

  const [{ method, url }] = server.requests;
  assert.equal(`${method} ${url}`, 'DELETE /api/v1/subscriptions/sub_1');
});

for (const status of [404, 410]) {
  test(`unsubscribing accepts ${status}: it is gone already`, async () => {
    answer = problem(status, { title: 'Gone', code: 'not_found' });

    assert.deepEqual(await unsubscribe({ id: 'sub_1' }), {});
  });
}

test('unsubscribing that fails says so', async () => {
  answer = () => ({ status: 503, body: {} });

  await assert.rejects(unsubscribe({ id: 'sub_1' }), /503/);
});

test('there is nothing to unsubscribe where nothing was subscribed', async () => {
  await unsubscribe(undefined);

  assert.deepEqual(server.requests, []);
});

test('a delivery is one result', async () => {
  const results = await run((app) => operation(app).perform, { cleanedRequest: { id: 'evt_1' } });

  assert.deepEqual(results, [{ id: 'evt_1' }]);
});

test('a batch is one result per event', async () => {
  const results = await run((app) => operation(app).perform, {
    cleanedRequest: [{ id: 'evt_1' }, { id: 'evt_2' }],
  });

  assert.equal(results.length, 2);
});

test('a run without a request has no results', async () => {
  assert.deepEqual(await run((app) => operation(app).perform), []);
});

test('a drop-down shows the page it is asked for', async () => {
  answer = () => ({ body: { data: [{ id: '51', label: 'Yoga', kind: 'room' }] } });

  const rooms = await run((app) => app.triggers.room_choices.operation.perform, {
    meta: { page: 2 },
  });

  assert.deepEqual(rooms, [{ id: '51', label: 'Yoga' }]);
  assert.equal(server.requests[0].url, '/api/v1/resources/room?limit=100&page=2');
});

test('the fields of the account are those beyond the standing ones', async () => {
  const field = (key, type, more) => ({ key, type, label: 'Label', sample: null, ...more });
  answer = () => ({
    body: {
      data: [
        field('id', 'string'),
        field('visitor', 'object'),
        field('visitor.name', 'string'),
        field('custom_fields.notes', 'text', { sample: 'VIP' }),
        field('custom_fields.born', 'date'),
        field('custom_fields.tags', 'list', { label: 'Tags' }),
        field('orders', 'list', {
          label: 'Orders',
          children: [field('item.code', 'string', { label: 'Code' })],
        }),
      ],
    },
  });

  const fields = await run((app) => operation(app).outputFields.at(-1), {
    inputData: { resource_ids: ['51'] },
  });

  assert.equal(server.requests[0].url, '/api/v1/triggers/new_visit/fields?resource_id=51');
  assert.deepEqual(fields, [
    { key: 'custom_fields__notes', label: 'Label', type: 'string', sample: 'VIP' },
    { key: 'custom_fields__born', label: 'Label', type: 'datetime' },
    { key: 'custom_fields__tags', label: 'Tags', list: true },
    { key: 'orders[]item__code', label: 'Orders Code', type: 'string' },
  ]);
});

test('a refusal is told in words, with the fields it is about', async () => {
  answer = problem(422, {
    title: 'Invalid request',
    code: 'invalid_request',
    detail: 'The request is not valid.',
    errors: [{ field: 'filters.role', code: 'unknown_value', message: 'must be a known role' }],
  });

  const { name, message } = await refusal(subscribe());

  assert.equal(name, 'AppError');
  assert.equal(message, 'The request is not valid. (filters.role: must be a known role)');
});

test('an error without a problem document tells its status', async () => {
  answer = () => ({ status: 502, body: '<h1>Bad Gateway</h1>' });

  const { message } = await refusal(listSamples());

  assert.equal(message, 'Relais answered with the status 502.');
});

test('a key that is not known any more asks for a new connection', async () => {
  answer = problem(401, { title: 'Unauthenticated', code: 'unauthenticated', detail: 'x' });

  const { name, message } = await refusal(authenticate());

  assert.equal(name, 'ExpiredAuthError');
  assert.match(message, /does not know this API key/);
});

test('too many requests are left to Zapier to repeat', async () => {
  answer = () => ({ status: 429, headers: { 'retry-after': '7' }, body: {} });

  const { name } = await refusal(listSamples());

  assert.equal(name, 'ThrottledError');
});

test('a web page instead of an API is a wrong address', async () => {
  answer = () => ({ body: '<h1>Welcome</h1>' });

  const { message } = await refusal(authenticate());

  assert.match(message, /Please check the URL/);
});

test('a redirect is not followed, so the key stays where it belongs', async () => {
  answer = () => ({ status: 302, headers: { location: `${server.url}/elsewhere` } });

  const { message } = await refusal(authenticate());

  assert.match(message, /Please check the URL/);
  assert.equal(server.requests.length, 1);
});

test('an unusable address is refused before anything is sent', async () => {
  const bundle = { authData: { base_url: 'http://hooks.example.com', api_key: 'rk_secret' } };

  const { message } = await refusal(run((app) => app.authentication.test, bundle));

  assert.equal(message, 'Relais URL: the address must start with `https://`.');
});

test("a publisher's key is refused", async () => {
  answer = () => ({ body: { scope: 'publisher', account: null, label: 'Publisher' } });

  const { message } = await refusal(authenticate());

  assert.match(message, /use the API key of one account/);
});

test("a brand's address is used whatever a bundle says", async () => {
  answer = () => ({ body: { scope: 'account', account: { reference: 'demo' }, label: 'Studio' } });
  const app = anApp({ brand: { base_url: `${server.url}/relais` } });
  const bundle = { authData: { base_url: 'https://other.example', api_key: 'rk_secret' } };

  await run(() => app.authentication.test, bundle, app);

  assert.equal(server.requests[0].url, '/relais/api/v1/me');
});
