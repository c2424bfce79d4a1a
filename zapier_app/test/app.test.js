/** The shape of the app: what Zapier's schema says, and what the catalog promises. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createAppHandler } from 'zapier-platform-core';

import catalog from '../catalog.json' with { type: 'json' };
import App from '../index.js';
import { anApp } from './support/apps.js';

const inputOf = (app, key) =>
  app.triggers.new_visit.operation.inputFields.find((field) => field.key === key);

test("the app is valid by Zapier's schema", async () => {
  const { results } = await createAppHandler(App)({ command: 'validate' });

  assert.deepEqual(results, []);
});

test("an app that breaks Zapier's schema is noticed", async () => {
  const app = anApp();
  delete app.triggers.new_visit.noun;

  const { results } = await createAppHandler(app)({ command: 'validate' });

  assert.equal(results.length, 1);
});

test('every trigger of the catalog is in the app, and no trigger is lost to another', () => {
  const keys = [
    ...catalog.triggers.map(({ key }) => key),
    ...catalog.resources.map(({ list_key: key }) => key),
  ];

  assert.deepEqual(Object.keys(App.triggers), keys);
  assert.equal(new Set(keys).size, keys.length);
});

test('a trigger without resources and filters has no inputs', () => {
  const app = anApp({ trigger: { resource: null, filters: [] } });

  assert.deepEqual(app.triggers.new_visit.operation.inputFields, []);
});

test('an optional resource may stay empty', () => {
  const field = inputOf(anApp(), 'resource_ids');

  assert.equal(field.required, false);
  assert.equal(field.dynamic, 'room_choices.id.label');
  assert.equal(field.helpText, 'Leave empty to trigger for all rooms.');
});

test('a required resource is asked for', () => {
  const resource = { kind: 'room', field: 'room_id', required: true };
  const app = anApp({ trigger: { resource } });

  const field = inputOf(app, 'resource_ids');

  assert.equal(field.required, true);
  assert.equal(field.helpText, 'Choose at least one of your rooms.');
});

test("choices are texts, as Zapier's schema wants them", () => {
  assert.deepEqual(inputOf(anApp(), 'visitor_role').choices[1], {
    value: '5',
    sample: '5',
    label: 'Administrator',
  });
});

test('every trigger has fixed output fields and asks for those of the account', () => {
  const { outputFields } = anApp().triggers.new_visit.operation;

  assert.equal(typeof outputFields.at(-1), 'function');
  assert.equal(outputFields[0].key, 'id');
});

test('users are asked for the address and the key', () => {
  assert.deepEqual(
    anApp().authentication.fields.map(({ key, label }) => [key, label]),
    [
      ['base_url', 'Relais URL'],
      ['api_key', 'API Key'],
    ],
  );
});

test('a brand with its own address asks for the key only', async () => {
  const app = anApp({ brand: { name: 'Visits', base_url: 'https://hooks.example.com' } });

  assert.deepEqual(
    app.authentication.fields.map(({ key }) => key),
    ['api_key'],
  );
  assert.deepEqual((await createAppHandler(app)({ command: 'validate' })).results, []);
});
