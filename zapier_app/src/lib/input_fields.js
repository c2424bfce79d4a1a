/** What a user can choose when setting up a trigger. All of it narrows; empty means all. */

const choice = ({ value, label }) => ({
  value: String(value),
  sample: String(value),
  label,
});

const resourceHelp = ({ plural, help }, required) => {
  const use = required
    ? `Choose at least one of your ${plural.toLowerCase()}.`
    : `Leave empty to trigger for all ${plural.toLowerCase()}.`;
  return help ? `${help} ${use}` : use;
};

const resourceField = (resource, required) => ({
  key: 'resource_ids',
  label: resource.plural,
  type: 'string',
  list: true,
  required,
  dynamic: `${resource.list_key}.id.label`,
  // The fields of a payload can depend on the resource: each schedule has its own form.
  altersDynamicFields: true,
  helpText: resourceHelp(resource, required),
});

const filterField = ({ key, label, help, choices }) => ({
  key,
  label,
  type: 'string',
  list: true,
  required: false,
  choices: choices.map(choice),
  helpText: `${help ? `${help} ` : ''}Leave empty to trigger for every value.`,
});

/**
 * Return the input fields of a trigger: its resources first, then its filters.
 *
 * @param {object} spec The trigger in catalog.json.
 * @param {object | undefined} resource The kind of resource it can be restricted to.
 * @returns {object[]}
 */
export const inputFieldsOf = (spec, resource) => [
  ...(resource ? [resourceField(resource, spec.resource.required)] : []),
  ...spec.filters.map(filterField),
];
