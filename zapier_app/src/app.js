/** Puts the app together. The only module that knows all the others. */

import { defineApp, version as platformVersion } from 'zapier-platform-core';

import packageJson from '../package.json' with { type: 'json' };
import { createAuthentication } from './authentication.js';
import { addAddress, addCredentials, checkAnswer } from './middleware.js';
import { createTriggers } from './triggers/index.js';

/**
 * Make the Zapier app of a catalog.
 *
 * @param {object} catalog What `relais connectors build` wrote to catalog.json.
 * @returns {object} The app definition.
 */
export const createApp = (catalog) =>
  defineApp({
    version: packageJson.version,
    platformVersion,
    authentication: createAuthentication(catalog.brand),
    beforeRequest: [addAddress(catalog.brand), addCredentials],
    afterResponse: [checkAnswer(catalog.brand)],
    triggers: createTriggers(catalog),
    searches: {},
    creates: {},
  });
