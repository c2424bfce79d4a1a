/** Every trigger of the app, from the catalog. */

import { createHookTrigger } from './hook_trigger.js';
import { createResourceList } from './resource_list.js';

const byKey = (triggers) => Object.fromEntries(triggers.map((trigger) => [trigger.key, trigger]));

/**
 * Make the visible triggers in the catalog's order, then the hidden ones they need.
 *
 * @param {{triggers: object[], resources: object[]}} catalog
 * @returns {Record<string, object>} Zapier's triggers by key.
 */
export const createTriggers = ({ triggers, resources }) => {
  const kinds = new Map(resources.map((resource) => [resource.kind, resource]));
  return byKey([
    ...triggers.map((spec) => createHookTrigger(spec, kinds.get(spec.resource?.kind))),
    ...resources.map(createResourceList),
  ]);
};
