/** Rules about what people read: labels, help texts, links. */

import {
  allInputs,
  allTexts,
  authFieldsOf,
  duplicates,
  outputFieldsOf,
  prose,
  titleCase,
  triggersOf,
} from './reading.mjs';

const MARKDOWN_LINK = /\[[^[\]]+\]\((https:\/\/[^()\s]+)\)/g;
const CODE = /`[^`]*`/g;
const HALF_LINK = /\]\(|\[[^\]]*\(https?:/;
const NAKED_URL = /\bhttps?:\/\//;
const DANGEROUS_SCHEME = /^\s*(?:javascript|data|vbscript):/i;
const ID_WORD = /\bIDs?$/;

const sameWords = (one, other) =>
  one.toLowerCase().replace(/\W+/g, ' ').trim() === other.toLowerCase().replace(/\W+/g, ' ').trim();

const labelled = (app) => [
  ...triggersOf(app).map(({ key, display }) => ({
    place: `triggers.${key}`,
    label: display?.label ?? '',
  })),
  ...triggersOf(app).map(({ key, noun }) => ({ place: `triggers.${key}.noun`, label: noun ?? '' })),
  ...allInputs(app).map(({ field, place }) => ({ place, label: field.label ?? '' })),
  ...authFieldsOf(app).map(({ key, label }) => ({
    place: `authentication.${key}`,
    label: label ?? '',
  })),
];

export const D002 = (app) =>
  authFieldsOf(app)
    .filter(({ helpText = '' }) => !helpText.match(MARKDOWN_LINK))
    .map(({ key }) => `authentication.${key}: the help text must link to where the value is found`);

export const D007 = (app) =>
  allTexts(app)
    .filter(({ text }) => text.includes('http://'))
    .map(({ place }) => `${place}: use https`);

export const D008 = (app) =>
  prose(app)
    .map(({ place, text }) => ({
      place,
      rest: text.replace(MARKDOWN_LINK, '').replace(CODE, ''),
    }))
    .filter(({ rest }) => HALF_LINK.test(rest) || NAKED_URL.test(rest))
    .map(({ place }) => `${place}: a link must be [text](url), an example URL in back-ticks`);

export const D011 = (app) =>
  [
    ...allInputs(app).map(({ field, place }) => ({ ...field, place })),
    ...authFieldsOf(app).map((field) => ({ ...field, place: `authentication.${field.key}` })),
  ]
    .filter(({ label = '', helpText }) => helpText && sameWords(label, helpText))
    .map(({ place }) => `${place}: the help text repeats the label`);

export const D018 = (app) =>
  labelled(app)
    .filter(({ label }) => label !== titleCase(label))
    .map(({ place, label }) => `${place}: write "${titleCase(label)}"`);

export const D021 = (app) =>
  triggersOf(app)
    .filter(({ display }) => !/^Triggers when .+\.$/s.test(display?.description ?? ''))
    .map(({ key }) => `triggers.${key}: the description must be "Triggers when … ."`);

export const D025 = (app) =>
  allTexts(app)
    .filter(({ text }) => DANGEROUS_SCHEME.test(text))
    .map(({ place }) => `${place}: this URI could run a script`);

/** Guideline: people pick things by name, so no input is called an ID. */
export const G001 = (app) =>
  allInputs(app)
    .filter(({ field }) => ID_WORD.test(field.label ?? ''))
    .map(({ place }) => `${place}: an input must not be labelled as an ID`);

/** Ours: people map fields by their labels, so no two of a trigger read the same. */
export const R003 = (app) =>
  triggersOf(app).flatMap((trigger) => {
    const labels = outputFieldsOf(trigger)
      .map(({ label }) => label)
      .filter(Boolean);
    return duplicates(labels).map(
      (label) => `triggers.${trigger.key}: two output fields have the label ${label}`,
    );
  });

/** Guideline: whatever people see has a label. */
export const G002 = (app) => [
  ...labelled(app)
    .filter(({ label }) => label.length < 2)
    .map(({ place }) => `${place}: a label is missing`),
  ...triggersOf(app).flatMap((trigger) =>
    outputFieldsOf(trigger)
      .filter(({ label }) => !label)
      .map(({ key }) => `triggers.${trigger.key}.${key}: a label is missing`),
  ),
];
