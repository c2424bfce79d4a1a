/** How a Zapier user connects an account: an API key, and where Relais answers. */

const API_KEY_FIELD = {
  key: 'api_key',
  label: 'API Key',
  type: 'password',
  required: true,
};

const BASE_URL_FIELD = {
  key: 'base_url',
  type: 'string',
  required: true,
  placeholder: 'https://hooks.example.com',
  isNoSecret: true,
};

const apiKeyField = ({ name, help_url: helpUrl }) => ({
  ...API_KEY_FIELD,
  helpText: `An account's key from ${name}. See [how to get an API key](${helpUrl}).`,
});

const baseUrlField = ({ name, help_url: helpUrl }) => ({
  ...BASE_URL_FIELD,
  label: `${name} URL`,
  helpText:
    `Where ${name} answers, such as \`https://hooks.example.com\`. ` +
    `See [how to find the address](${helpUrl}).`,
});

const describeWrongScope = (name) =>
  `This key belongs to the ${name} publisher, who speaks for every account. ` +
  'Please use the API key of one account.';

/**
 * Make the test that Zapier runs when a user connects: who does the key speak for?
 *
 * A publisher's key is refused: it opens every account, and has no place in a Zap.
 */
const createTest = ({ name }) => async (z) => {
  const { data } = await z.request('/me');
  if (data.scope !== 'account') {
    throw new z.errors.Error(describeWrongScope(name), 'AuthenticationError', 403);
  }
  return { label: data.label, reference: data.account.reference };
};

/**
 * Make the authentication. A brand with its own `base_url` asks for the key only.
 *
 * @param {{name: string, base_url: string | null, help_url: string}} brand
 * @returns {object} Zapier's authentication definition.
 */
export const createAuthentication = (brand) => ({
  type: 'custom',
  fields: brand.base_url ? [apiKeyField(brand)] : [baseUrlField(brand), apiKeyField(brand)],
  test: createTest(brand),
  // What `test` returned; the key itself must never be shown.
  connectionLabel: '{{label}}',
});
