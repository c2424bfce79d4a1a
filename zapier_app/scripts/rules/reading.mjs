/** How the rules read an app definition and its samples. */

const isObject = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const triggersOf = (app) => Object.values(app.triggers ?? {});

export const hooksOf = (app) =>
  triggersOf(app).filter(({ operation }) => operation.type === 'hook');

export const authFieldsOf = (app) => app.authentication?.fields ?? [];

export const inputFieldsOf = (trigger) =>
  (trigger.operation.inputFields ?? []).filter((field) => typeof field !== 'function');

export const outputFieldsOf = (trigger) =>
  (trigger.operation.outputFields ?? []).filter((field) => typeof field !== 'function');

/** Return what a list holds more than once. */
export const duplicates = (list) => list.filter((item, index) => list.indexOf(item) !== index);

/** Every input field of the app with the place it stands in. */
export const allInputs = (app) =>
  triggersOf(app).flatMap((trigger) =>
    inputFieldsOf(trigger).map((field) => ({
      field,
      trigger,
      place: `triggers.${trigger.key}.${field.key}`,
    })),
  );

/** Every text of the definition that people read, with its place. */
export const prose = (app) => [
  ...authFieldsOf(app).map(({ key, helpText }) => ({
    place: `authentication.${key}`,
    text: helpText ?? '',
  })),
  ...triggersOf(app).map(({ key, display }) => ({
    place: `triggers.${key}`,
    text: display?.description ?? '',
  })),
  ...allInputs(app).map(({ field, place }) => ({ place, text: field.helpText ?? '' })),
];

/** Every text anywhere in the definition, with its place. */
export const allTexts = (value, place = 'app') => {
  if (typeof value === 'string') {
    return [{ place, text: value }];
  }
  if (typeof value !== 'object' || value === null) {
    return [];
  }
  return Object.entries(value).flatMap(([key, inner]) => allTexts(inner, `${place}.${key}`));
};

/**
 * Return the keys of a payload as Zapier names them: `contact__email`, `answers[]text`.
 *
 * An empty object or list is a key of its own.
 */
export const flatKeys = (value, prefix = '') => {
  if (isObject(value) && (prefix === '' || Object.keys(value).length > 0)) {
    const separator = prefix === '' || prefix.endsWith('[]') ? '' : '__';
    return Object.entries(value).flatMap(([key, inner]) =>
      flatKeys(inner, `${prefix}${separator}${key}`),
    );
  }
  if (Array.isArray(value) && value.some(isObject)) {
    return [...new Set(value.flatMap((item) => flatKeys(item, `${prefix}[]`)))];
  }
  return [prefix];
};

/** Return every value that a payload holds under one of Zapier's keys. */
export const valuesAt = (payload, key) => {
  const [head, ...rest] = key.split('[]');
  const found = head
    .split('__')
    .reduce((value, part) => (isObject(value) ? value[part] : undefined), payload);
  if (rest.length === 0) {
    return found === undefined ? [] : [found];
  }
  return (Array.isArray(found) ? found : []).flatMap((item) => valuesAt(item, rest.join('[]')));
};

const SMALL_WORDS = new Set(
  'a an and as at but by for from if in into nor of off on or per the to via vs with'.split(' '),
);

const isLowerCase = (text) => text === text.toLowerCase();

const capitalized = (word) =>
  word
    .split('-')
    .map((part) => (isLowerCase(part) ? part.charAt(0).toUpperCase() + part.slice(1) : part))
    .join('-');

/** Return a text in English title case; words with a capital letter stay as they are. */
export const titleCase = (text) => {
  const words = text.split(' ');
  return words
    .map((word, index) =>
      SMALL_WORDS.has(word) && index > 0 && index < words.length - 1 ? word : capitalized(word),
    )
    .join(' ');
};
