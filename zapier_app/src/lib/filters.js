/** What a user picked in the trigger's inputs, in the words of the API. */

const asList = (value) => (Array.isArray(value) ? value : [value]);

const isGiven = (value) => value !== undefined && value !== null && value !== '';

const pickedIn = (inputData, key) => asList(inputData[key]).filter(isGiven);

/**
 * Return a picked text as the wire value: Zapier's choices are texts, roles are numbers.
 *
 * A text that is no choice (a user may type one) goes as it is: the API knows the words.
 */
const wireValue = (choices, picked) =>
  choices.find(({ value }) => String(value) === String(picked))?.value ?? picked;

/**
 * Return the ids of the resources that a user picked; empty means all.
 *
 * @param {object} inputData
 * @returns {string[]}
 */
export const pickedResources = (inputData = {}) => pickedIn(inputData, 'resource_ids').map(String);

/**
 * Return the filters that a user picked: payload field to list of values, all of which apply.
 *
 * @param {{filters: object[]}} spec The trigger in catalog.json.
 * @param {object} inputData
 * @returns {Record<string, (string | number | boolean)[]>}
 */
export const pickedFilters = (spec, inputData = {}) =>
  Object.fromEntries(
    spec.filters
      .map(({ key, field, choices }) => [
        field,
        pickedIn(inputData, key).map((picked) => wireValue(choices, picked)),
      ])
      .filter(([, values]) => values.length > 0),
  );

/** Return what both requests of a trigger are restricted to; nothing where nothing is. */
export const pickedRestrictions = (spec, inputData) => {
  const resourceIds = pickedResources(inputData);
  const filters = pickedFilters(spec, inputData);
  return {
    ...(resourceIds.length > 0 && { resource_ids: resourceIds }),
    ...(Object.keys(filters).length > 0 && { filters }),
  };
};
