/** Rules about authentication, and about what refers to what. */

import {
  allInputs,
  authFieldsOf,
  duplicates,
  hooksOf,
  inputFieldsOf,
  outputFieldsOf,
  triggersOf,
} from './reading.mjs';

const CREDENTIAL = /api_?key|token|secret|password|passwd|credential/i;
const ADDRESS = /url|domain|host/i;
const ID_KEY = /(?:^|_)ids?$/;
const KEY = /^[a-z][a-z0-9_]+$/;
const HOSTILE_ADDRESSES = [
  'http://hooks.example.com',
  'https://user:password@hooks.example.com',
  'https://hooks.example.com?next=https://other.example.com',
  'https://hooks.example.com#fragment',
  'https://169.254.169.254',
  'https://[::1]',
  'https://localhost',
  'javascript:alert(1)',
  'not an address',
];

export const D001 = (app) =>
  allInputs(app)
    .filter(({ field }) => CREDENTIAL.test(field.key))
    .map(({ place }) => `${place}: credentials belong into the authentication`);

export const D003 = (app) => {
  const label = app.authentication?.connectionLabel;
  if (typeof label === 'function') {
    return [];
  }
  const variables = [...(label ?? '').matchAll(/{{([^}]*)}}/g)].map(([, name]) => name);
  if (variables.length === 0) {
    return ['authentication: the connection label must tell accounts apart'];
  }
  return variables
    .filter((name) => CREDENTIAL.test(name))
    .map((name) => `authentication: the connection label shows ${name}`);
};

export const D004 = (app) =>
  allInputs(app)
    .filter(({ field }) => ID_KEY.test(field.key) && !field.dynamic && !field.choices)
    .map(({ place }) => `${place}: ids need a drop-down`);

export const D005 = (app) =>
  allInputs(app)
    .filter(({ field }) => field.dynamic)
    .flatMap(({ field, place }) => {
      const [key, ...columns] = field.dynamic.split('.');
      const list = app.triggers[key];
      if (!list) {
        return [`${place}: there is no trigger ${key}`];
      }
      const known = new Set(outputFieldsOf(list).map((column) => column.key));
      return columns
        .filter((column) => !known.has(column))
        .map((column) => `${place}: the trigger ${key} has no field ${column}`);
    });

export const D006 = (app) =>
  hooksOf(app)
    .filter(({ operation }) => !operation.performList)
    .map(({ key }) => `triggers.${key}: performList is missing`);

const isStatic = ({ operation }) => !operation.performSubscribe || !operation.performUnsubscribe;

export const D016 = (app) => {
  const visible = triggersOf(app).filter(({ display }) => !display?.hidden);
  const only = visible.length === 1 && visible[0].operation.type === 'hook' && visible[0];
  return only && isStatic(only) ? ['the app consists of one static hook'] : [];
};

export const D017 = (app) =>
  hooksOf(app)
    .filter(isStatic)
    .map(({ key }) => `triggers.${key}: a hook must subscribe and unsubscribe`);

const refuses = async (app, field, address) => {
  const bundle = { authData: { [field.key]: address } };
  const z = { errors: { Error } };
  try {
    await app.beforeRequest[0]({ url: '/me', headers: {} }, z, bundle);
  } catch {
    return true;
  }
  return false;
};

/** Judged by behaviour: the app's first middleware must refuse unsafe addresses. */
export const D026 = async (app) => {
  const problems = [];
  for (const field of authFieldsOf(app).filter(({ key }) => ADDRESS.test(key))) {
    for (const address of HOSTILE_ADDRESSES) {
      if (!(await refuses(app, field, address))) {
        problems.push(`authentication.${field.key}: ${address} is let through`);
      }
    }
  }
  return problems;
};

/** Ours: keys are lower case, the same as their place, and unique. */
export const R001 = (app) =>
  Object.entries(app.triggers).flatMap(([place, trigger]) => [
    ...(trigger.key === place ? [] : [`triggers.${place}: its key is ${trigger.key}`]),
    ...(KEY.test(trigger.key) ? [] : [`triggers.${place}: ${trigger.key} is no key`]),
    ...duplicates(inputFieldsOf(trigger).map(({ key }) => key)).map(
      (key) => `triggers.${place}: two inputs have the key ${key}`,
    ),
    ...duplicates(outputFieldsOf(trigger).map(({ key }) => key)).map(
      (key) => `triggers.${place}: two output fields have the key ${key}`,
    ),
  ]);

/** Ours: a hidden trigger fills a drop-down page by page, and some input uses it. */
export const R002 = (app) => {
  const used = new Set(allInputs(app).map(({ field }) => field.dynamic?.split('.')[0]));
  return triggersOf(app)
    .filter(({ display }) => display?.hidden)
    .flatMap(({ key, operation }) => [
      ...(used.has(key) ? [] : [`triggers.${key}: hidden, but no input uses it`]),
      ...(operation.canPaginate ? [] : [`triggers.${key}: a drop-down must page`]),
    ]);
};
