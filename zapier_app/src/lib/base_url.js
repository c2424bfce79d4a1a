/** Where Relais answers: a user typed it, so it is read with suspicion. */

// A name with a dot: no IP addresses and no bare words such as `localhost`.
const PUBLIC_HOST = /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z](?:[a-z0-9-]*[a-z0-9])?$/;
const LOOPBACK_HOSTS = new Set(['127.0.0.1', 'localhost']);
const SCHEME = /^[a-z][a-z0-9+.-]*:/i;
const HOST_AND_PORT = /^[^/:]+:\d+(?:\/|$)/;

/** Only for development: lets the app talk to `http://127.0.0.1`. Never set at Zapier. */
const loopbackIsAllowed = () => process.env.RELAIS_ALLOW_LOOPBACK === '1';

const withScheme = (text) =>
  SCHEME.test(text) && !HOST_AND_PORT.test(text) ? text : `https://${text}`;

const parse = (text) => {
  try {
    return new URL(withScheme(text));
  } catch {
    throw new Error('this is not a web address. An example: `https://hooks.example.com`.');
  }
};

const refuseUnsafe = (url) => {
  if (loopbackIsAllowed() && LOOPBACK_HOSTS.has(url.hostname)) {
    return;
  }
  if (url.protocol !== 'https:') {
    throw new Error('the address must start with `https://`.');
  }
  if (!PUBLIC_HOST.test(url.hostname)) {
    throw new Error('the address must name a public host, such as `hooks.example.com`.');
  }
};

const refuseExtras = (url) => {
  if (url.username || url.password || url.search || url.hash) {
    throw new Error('the address must not hold a user name, a query or a fragment.');
  }
};

/**
 * Return the base URL that a user or a brand gave, without a slash at its end.
 *
 * `https://` is added where no scheme is given. A copied `/api/v1` at the end is dropped.
 *
 * @param {string | undefined} text
 * @returns {string}
 * @throws {Error} The address is unusable; the message says why and starts in lower case.
 */
export const readBaseUrl = (text) => {
  const url = parse((text ?? '').trim());
  refuseUnsafe(url);
  refuseExtras(url);
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '').replace(/\/api\/v1$/, '');
};
