/** Rules about static samples and the output fields that describe them. */

import { flatKeys, hooksOf, outputFieldsOf, triggersOf, valuesAt } from './reading.mjs';

const MOMENT =
  /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const LIKE_A_MOMENT =
  /^(?:\d{4}-\d{2}-\d{2}[T ]\d{2}:|\d{1,2} [A-Z][a-z]{2,8} \d{4}|\d{1,2}\/\d{1,2}\/\d{4})/;

const isIso = (text) => MOMENT.test(text) || DAY.test(text);

const FITS = {
  string: (value) => typeof value === 'string',
  integer: (value) => Number.isInteger(value),
  number: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'boolean',
  datetime: (value) => typeof value === 'string' && isIso(value),
};

const sampleOf = ({ operation }) => operation.sample ?? {};

const textsIn = (value) => {
  if (typeof value === 'string') {
    return [value];
  }
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
};

const primaryKeys = (trigger) => {
  const primary = outputFieldsOf(trigger).filter((field) => field.primary);
  return primary.length > 0 ? primary.map(({ key }) => key) : ['id'];
};

export const D010 = (app) =>
  triggersOf(app).flatMap((trigger) =>
    primaryKeys(trigger)
      .filter((key) => valuesAt(sampleOf(trigger), key).length === 0)
      .map((key) => `triggers.${trigger.key}: the sample lacks the primary key ${key}`),
  );

export const D012 = (app) =>
  triggersOf(app)
    .filter((trigger) => Object.keys(sampleOf(trigger)).length === 0)
    .map(({ key }) => `triggers.${key}: a sample is missing`);

export const D023 = (app) =>
  triggersOf(app).flatMap((trigger) =>
    textsIn(sampleOf(trigger))
      .filter((text) => LIKE_A_MOMENT.test(text) && !isIso(text))
      .map((text) => `triggers.${trigger.key}: ${text} is not ISO 8601 with an offset`),
  );

/**
 * Return what keeps a payload from fitting the output fields: required keys that are
 * missing, values of another type. Null fits everywhere: any value can be missing.
 *
 * Zapier judges the static sample (D024), live results (T005) and polled samples (Z001)
 * in this one way.
 */
export const misfits = (payload, fields) =>
  fields.flatMap(({ key, type, list, required }) => {
    const values = valuesAt(payload, key).flatMap((value) => (list ? value : [value]));
    const wrong = values.filter((value) => value !== null && type && !FITS[type](value));
    return [
      ...(required && values.length === 0 ? [`${key} is missing`] : []),
      ...wrong.map((value) => `${key} must be ${type}, not ${JSON.stringify(value)}`),
    ];
  });

export const D024 = (app) =>
  triggersOf(app).flatMap((trigger) =>
    misfits(sampleOf(trigger), outputFieldsOf(trigger)).map(
      (problem) => `triggers.${trigger.key}: ${problem}`,
    ),
  );

/** T003's static part: what is declared as a time is one, to the letter. */
export const T003 = (app) =>
  triggersOf(app).flatMap((trigger) =>
    outputFieldsOf(trigger)
      .filter(({ type }) => type === 'datetime')
      .flatMap(({ key }) => valuesAt(sampleOf(trigger), key))
      .filter((value) => value !== null && !isIso(String(value)))
      .map((value) => `triggers.${trigger.key}: ${value} is not ISO 8601 with an offset`),
  );

/** T004's static part: the sample promises nothing that the output fields do not. */
export const T004 = (app) =>
  hooksOf(app).flatMap((trigger) => {
    const declared = new Set(outputFieldsOf(trigger).map(({ key }) => key));
    return flatKeys(sampleOf(trigger))
      .filter((key) => !declared.has(key))
      .map((key) => `triggers.${trigger.key}: the sample's ${key} is no output field`);
  });
