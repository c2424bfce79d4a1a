/** The factory of the hidden triggers that fill drop-downs: one per kind of resource. */

const PAGE_SIZE = 100;

const listPage = (kind) => async (z, bundle) => {
  const { data } = await z.request({
    url: `/resources/${kind}`,
    params: { limit: PAGE_SIZE, page: bundle.meta?.page ?? 0 },
  });
  return data.data.map(({ id, label }) => ({ id, label }));
};

/**
 * Make the hidden trigger that lists the resources of a kind, page by page.
 *
 * @param {object} resource The kind of resource in catalog.json.
 * @returns {object} Zapier's trigger definition.
 */
export const createResourceList = (resource) => ({
  key: resource.list_key,
  noun: resource.label,
  display: {
    label: `List ${resource.plural}`,
    description: `Triggers when ${resource.plural.toLowerCase()} are added. Fills a drop-down.`,
    hidden: true,
  },
  operation: {
    type: 'polling',
    canPaginate: true,
    perform: listPage(resource.kind),
    outputFields: [
      { key: 'id', label: 'ID', type: 'string', required: true },
      { key: 'label', label: 'Label', type: 'string', required: true },
    ],
    sample: resource.sample,
  },
});
