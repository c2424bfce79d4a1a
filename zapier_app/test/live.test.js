/** The app against a real Relais, a real receiver and real events, trigger by trigger. */

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { createAppTester } from 'zapier-platform-core';

import catalog from '../catalog.json' with { type: 'json' };
import App from '../index.js';
import { flatKeys, valuesAt } from '../scripts/rules/reading.mjs';
import { misfits } from '../scripts/rules/samples.mjs';
import { startRelais, whyNoRelais } from './support/relais.js';
import { startServer } from './support/servers.js';

const DEMO = 'demo';
const GONE_WITHIN_MS = 10_000;
const LIVE = { skip: whyNoRelais() ?? false };
const ONE = { timeout: 90_000 };

const appTester = createAppTester(App);

let relais;
let receiver;
let answer;

/** What Zapier hands to the functions of a trigger, for the demo account by default. */
const aBundle = (more = {}, apiKey = relais.accountKey) => ({
  authData: { base_url: relais.url, api_key: apiKey },
  inputData: {},
  ...more,
});

const operationOf = (key) => App.triggers[key].operation;

const run = (key, method, bundle) => appTester(operationOf(key)[method], aBundle(bundle));

const listChoices = (key, page, apiKey) =>
  appTester(operationOf(key).perform, aBundle({ meta: { page } }, apiKey));

const fieldsOf = async (key, inputData = {}, apiKey = relais.accountKey) => {
  const { outputFields } = operationOf(key);
  const dynamic = await appTester(outputFields.at(-1), aBundle({ inputData }, apiKey));
  return [...outputFields.slice(0, -1), ...dynamic];
};

const subscribe = (key, inputData = {}) =>
  run(key, 'performSubscribe', { inputData, targetUrl: `${receiver.url}/${key}` });

const unsubscribe = (key, subscribeData) => run(key, 'performUnsubscribe', { subscribeData });

const exampleOf = (key, apiKey = relais.accountKey) =>
  relais.call('GET', `/triggers/${key}/example`, apiKey);

const publish = ({ account, type, data, actor }) =>
  relais.call('POST', '/events', relais.publisherKey, { account, type, data, actor });

/** Do what Zapier does with a request to the target URL. */
const receive = async (key) => {
  const { headers, body } = await receiver.next();
  const bundle = { rawRequest: { headers, content: body }, cleanedRequest: JSON.parse(body) };
  return run(key, 'perform', bundle);
};

/** Pick the resource that the example is about, as a user picks it in the drop-down. */
const pickResource = async ({ resource }, example) => {
  if (!resource) {
    return {};
  }
  const { list_key: listKey } = catalog.resources.find(({ kind }) => kind === resource.kind);
  const [wanted] = valuesAt(example, resource.field.replaceAll('.', '__'));
  const offered = await listChoices(listKey, 0);
  const picked = offered.find(({ id }) => id === String(wanted));
  assert.ok(picked, `the drop-down offers no ${wanted}`);
  return { resource_ids: [picked.id] };
};

const sortedKeys = (payload) => flatKeys(payload).sort();

/** Return the keys that no output field describes; an untyped object describes its inside. */
const undescribed = (payload, fields) => {
  const described = fields.map(({ key }) => key);
  const covers = (field, key) =>
    key === field || key.startsWith(`${field}__`) || key.startsWith(`${field}[]`);
  return flatKeys(payload).filter((key) => !described.some((field) => covers(field, key)));
};

/** An empty object or list in a static sample promises no more than its own key. */
const promised = (sample, payload) =>
  flatKeys(sample).filter((key) => valuesAt(payload, key).length === 0);

const anAccount = async (reference) => {
  const { publisherKey, call } = relais;
  const path = `/accounts/${reference}/keys`;
  await call('POST', '/accounts', publisherKey, { reference, name: 'Studio Lumière' });
  const { key } = await call('POST', path, publisherKey, { name: 'Zapier' });
  return key;
};

const isGone = async (id) => {
  const { data } = await relais.call('GET', '/subscriptions?limit=100', relais.accountKey);
  return data.every((subscription) => subscription.id !== id);
};

const until = async (isTrue) => {
  const deadline = Date.now() + GONE_WITHIN_MS;
  while (!(await isTrue())) {
    assert.ok(Date.now() < deadline, 'it did not happen in time');
    await sleep(50);
  }
};

describe('the app with a live Relais', LIVE, () => {
  before(async () => {
    process.env.RELAIS_ALLOW_LOOPBACK = '1';
    receiver = await startServer((request) => answer(request));
    relais = await startRelais();
  });

  after(async () => {
    delete process.env.RELAIS_ALLOW_LOOPBACK;
    receiver?.close();
    await relais?.stop();
  });

  beforeEach(() => {
    receiver.reset();
    answer = () => ({ body: { status: 'success' } });
  });

  test('a good key connects, and the connection is labelled with the account', ONE, async () => {
    const found = await appTester(App.authentication.test, aBundle());

    assert.equal(found.reference, DEMO);
    assert.ok(found.label.length > 0);
    assert.ok(!found.label.includes(relais.accountKey));
  });

  test('a wrong key is refused in words', ONE, async () => {
    await assert.rejects(
      appTester(App.authentication.test, aBundle({}, 'rk_wrong')),
      /does not know this API key/,
    );
  });

  test("a publisher's key is refused in words", ONE, async () => {
    await assert.rejects(
      appTester(App.authentication.test, aBundle({}, relais.publisherKey)),
      /use the API key of one account/,
    );
  });

  for (const spec of catalog.triggers) {
    test(`${spec.key}: a published event arrives as the samples said`, ONE, async () => {
      const { key } = spec;
      const [example] = await run(key, 'performList', {});
      const inputData = await pickResource(spec, example);
      const [listed] = await run(key, 'performList', { inputData });
      const fields = await fieldsOf(key, inputData);

      const subscribeData = await subscribe(key, inputData);
      await publish(await exampleOf(key));
      const [received, ...others] = await receive(key);

      assert.deepEqual(others, []);
      assert.equal(received.trigger, key);
      assert.deepEqual(sortedKeys(received), sortedKeys(listed)); // T006
      assert.deepEqual(promised(spec.sample, received), []); // T004
      assert.deepEqual(misfits(received, fields), []); // T005
      assert.deepEqual(misfits(listed, fields), []); // Z001
      assert.deepEqual(undescribed(received, fields), []);

      await unsubscribe(key, subscribeData);
      await unsubscribe(key, subscribeData);
      assert.ok(await isGone(subscribeData.id));
    });
  }

  test('a picked filter keeps other events away', ONE, async () => {
    const key = 'changed_appointment';
    const subscribeData = await subscribe(key, { event: ['destroy'], role: ['3'] });
    const created = await exampleOf(key);
    const destroyed = { ...created, type: 'appointment.destroy' };

    await publish(created);
    await publish({ ...destroyed, actor: { role: 5 } });
    await publish({ ...destroyed, actor: { role: 3 } });
    const [received] = await receive(key);

    assert.deepEqual([received.event, received.role], ['destroy', 3]);
    assert.equal(receiver.requests.length, 1);
    await unsubscribe(key, subscribeData);
  });

  test('samples follow the picked filters', ONE, async () => {
    const inputData = { event: ['destroy'] };

    const samples = await run('changed_appointment', 'performList', { inputData });

    assert.ok(samples.length > 0);
    assert.ok(samples.every(({ event }) => event === 'destroy'));
  });

  test('a required resource that was not picked is explained', ONE, async () => {
    await assert.rejects(subscribe('after_insert'), /resource_ids: /);
  });

  test('a receiver that is gone ends the subscription', ONE, async () => {
    answer = () => ({ status: 410, body: {} });
    const { id } = await subscribe('new_user');

    await publish(await exampleOf('new_user'));
    await receiver.next();

    await until(() => isGone(id));
    await unsubscribe('new_user', { id });
  });

  test('two Zaps with the same trigger both fire', ONE, async () => {
    const targets = ['one', 'two'].map((name) => `${receiver.url}/${name}`);
    const subscriptions = await Promise.all(
      targets.map((targetUrl) => run('new_user', 'performSubscribe', { targetUrl })),
    );

    await publish(await exampleOf('new_user'));
    const urls = [await receiver.next(), await receiver.next()].map(({ url }) => url);

    assert.deepEqual(urls.sort(), ['/one', '/two']);
    await Promise.all(subscriptions.map((one) => unsubscribe('new_user', one)));
  });

  test('a drop-down goes on to the next page until all are shown', ONE, async () => {
    const apiKey = await anAccount('many-schedules');
    const resources = Array.from({ length: 130 }, (_, n) => ({ id: `${n}`, label: `Room ${n}` }));
    const path = '/accounts/many-schedules/resources/schedule';
    await relais.call('PUT', path, relais.publisherKey, { resources });

    const pages = [];
    for (const page of [0, 1, 2]) {
      pages.push(await listChoices('schedule_choices', page, apiKey));
    }

    assert.deepEqual(
      pages.map(({ length }) => length),
      [100, 30, 0],
    );
    assert.equal(new Set(pages.flat().map(({ id }) => id)).size, 130);
  });

  test('a custom field of the account is offered, described and delivered', ONE, async () => {
    const key = 'new_appointment';
    const apiKey = await anAccount('with-custom-fields');
    const field = {
      subject: 'appointment',
      key: 'shoe_size',
      type: 'integer',
      label: 'Shoe size',
      sample: 42,
    };
    const path = '/accounts/with-custom-fields/overlay';
    await relais.call('PUT', path, relais.publisherKey, { custom_fields: [field] });
    const targetUrl = `${receiver.url}/custom`;

    const fields = await fieldsOf(key, {}, apiKey);
    await appTester(operationOf(key).performSubscribe, aBundle({ targetUrl }, apiKey));
    await publish(await exampleOf(key, apiKey));
    const [received] = await receive(key);

    const offered = fields.find(({ label }) => label === 'Shoe size');
    assert.equal(offered.type, 'integer');
    assert.deepEqual(valuesAt(received, offered.key), [42]);
    assert.deepEqual(undescribed(received, fields), []);
  });
});
