/** What every request gets, and what every answer must pass. */

import { readBaseUrl } from './lib/base_url.js';
import { describeProblem } from './lib/problems.js';

const API_PATH = '/api/v1';

/**
 * Make the step that turns a path such as `/me` into the address of this account's API.
 *
 * Requests name paths only, so the key can never travel to another host. The API never
 * redirects, and a redirect is not followed for the same reason.
 */
export const addAddress = (brand) => (request, z, bundle) => {
  const address = brand.base_url ?? bundle.authData.base_url;
  try {
    request.url = `${readBaseUrl(address)}${API_PATH}${request.url}`;
  } catch (error) {
    throw new z.errors.Error(`${brand.name} URL: ${error.message}`, 'InvalidAddress', 400);
  }
  request.redirect = 'manual';
  return request;
};

/** Say who is asking, and that this app speaks JSON and English. */
export const addCredentials = (request, z, bundle) => {
  request.headers.Accept = 'application/json';
  request.headers['Accept-Language'] = 'en';
  if (bundle.authData.api_key) {
    request.headers.Authorization = `Bearer ${bundle.authData.api_key}`;
  }
  return request;
};

const isSuccess = ({ status }) => status >= 200 && status < 300;
const isRedirect = ({ status }) => status >= 300 && status < 400;
const isJson = ({ status, data }) => status === 204 || data !== undefined;

/**
 * Make the step that turns a refusal into an error whose message a Zapier user can act on.
 *
 * 401 is ExpiredAuthError, which pauses the Zap and asks for a new connection:
 * RefreshAuthError is for credentials that Zapier itself can renew, and an API key is
 * not. Everything else is a plain error and not a HaltedError: the app calls Relais only
 * while a Zap is set up or switched, never while it runs, and a switch that failed must
 * look like one. Core has already turned 429 into a ThrottledError.
 */
export const checkAnswer = ({ name }) => (response, z) => {
  if (response.skipThrowForStatus) {
    return response;
  }
  if (isSuccess(response) && isJson(response)) {
    return response;
  }
  if (response.status === 401) {
    throw new z.errors.ExpiredAuthError(
      `${name} does not know this API key, or it was revoked. Please connect the account again.`,
    );
  }
  if (isSuccess(response) || isRedirect(response)) {
    const message = `The API of ${name} does not answer at this address. Please check the URL.`;
    throw new z.errors.Error(message, 'InvalidAddress', response.status);
  }
  const { code, message } = describeProblem(response, name);
  throw new z.errors.Error(message, code, response.status);
};
