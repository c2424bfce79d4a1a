/** The one factory that turns a trigger of catalog.json into a REST hook trigger. */

import { pickedRestrictions } from '../lib/filters.js';
import { inputFieldsOf } from '../lib/input_fields.js';
import { accountFieldsOf } from '../lib/output_fields.js';

const PLATFORM = 'zapier';
const SAMPLE_COUNT = 3;

/**
 * Zapier keeps what subscribing returns. The id is all that unsubscribing needs, so the
 * subscription's secret is not kept there.
 */
const subscribe = (spec) => async (z, bundle) => {
  const { data } = await z.request({
    method: 'POST',
    url: '/subscriptions',
    body: {
      trigger: spec.key,
      target_url: bundle.targetUrl,
      platform: PLATFORM,
      ...pickedRestrictions(spec, bundle.inputData),
    },
  });
  return { id: data.id };
};

/** A subscription that is already gone is what we wanted. */
const unsubscribe = () => async (z, bundle) => {
  const id = bundle.subscribeData?.id;
  if (!id) {
    return {};
  }
  const response = await z.request({
    method: 'DELETE',
    url: `/subscriptions/${encodeURIComponent(id)}`,
    skipThrowForStatus: true,
  });
  if (response.status !== 404 && response.status !== 410) {
    response.throwForStatus();
  }
  return {};
};

/** Zapier's tools call this without a request at times; a batch arrives as an array. */
const receive = () => (z, bundle) => {
  const payload = bundle.cleanedRequest;
  if (!payload) {
    return [];
  }
  return Array.isArray(payload) ? payload : [payload];
};

/** The samples come from the serializer that makes deliveries: their keys are equal. */
const listSamples = (spec) => async (z, bundle) => {
  const { resource_ids: resourceIds, filters } = pickedRestrictions(spec, bundle.inputData);
  const { data } = await z.request({
    url: `/triggers/${spec.key}/samples`,
    params: {
      limit: SAMPLE_COUNT,
      ...(resourceIds && { resource_id: resourceIds }),
      ...(filters && { filters: JSON.stringify(filters) }),
    },
  });
  return data;
};

/**
 * Make a REST hook trigger.
 *
 * @param {object} spec The trigger in catalog.json.
 * @param {object | undefined} resource The kind of resource it can be restricted to.
 * @returns {object} Zapier's trigger definition.
 */
export const createHookTrigger = (spec, resource) => ({
  key: spec.key,
  noun: spec.noun,
  display: { label: spec.label, description: spec.description },
  operation: {
    type: 'hook',
    inputFields: inputFieldsOf(spec, resource),
    performSubscribe: subscribe(spec),
    performUnsubscribe: unsubscribe(),
    perform: receive(),
    performList: listSamples(spec),
    outputFields: [...spec.output_fields, accountFieldsOf(spec)],
    sample: spec.sample,
  },
});
