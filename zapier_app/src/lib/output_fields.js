/** The fields of an account's payloads that the catalog alone cannot know. */

import { pickedResources } from './filters.js';

const TYPES = new Map([
  ['text', 'string'],
  ['date', 'datetime'],
]);

/** Zapier's name for a nested field: `contact.email` is `contact__email`. */
const zapierKey = (path) => path.replaceAll('.', '__');

const outputField = (field, key) => ({
  key,
  label: field.label,
  ...(field.type && { type: TYPES.get(field.type) ?? field.type }),
  ...(field.sample !== null && field.sample !== undefined && { sample: field.sample }),
});

/** A list of objects is one field per key of its objects; other lists are one field. */
const listFields = (field, key) => {
  if (field.children?.length) {
    return field.children.map((child) => {
      const label = `${field.label} ${child.label}`;
      return outputField({ ...child, label, sample: null }, `${key}[]${zapierKey(child.key)}`);
    });
  }
  return [{ ...outputField({ ...field, type: undefined }, key), list: true }];
};

const describe = (field) => {
  const key = zapierKey(field.key);
  if (field.type === 'list') {
    return listFields(field, key);
  }
  return field.type === 'object' ? [] : [outputField(field, key)];
};

/**
 * Make the function that asks Relais for the fields which this account has beyond the
 * standing ones: custom fields, forms, and optional fields that it enabled.
 *
 * @param {object} spec The trigger in catalog.json.
 * @returns {Function} A dynamic entry of Zapier's `outputFields`.
 */
export const accountFieldsOf = (spec) => {
  const standing = new Set(spec.output_fields.map(({ key }) => key));
  return async (z, bundle) => {
    const resourceIds = pickedResources(bundle.inputData);
    const { data } = await z.request({
      url: `/triggers/${spec.key}/fields`,
      params: resourceIds.length > 0 ? { resource_id: resourceIds } : {},
    });
    return data.data.flatMap(describe).filter(({ key }) => !standing.has(key));
  };
};
