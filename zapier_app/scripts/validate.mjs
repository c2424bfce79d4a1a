/** Check the app by Zapier's schema, as `zapier-platform validate --without-style` does. */

import { createAppHandler } from 'zapier-platform-core';

import App from '../index.js';

const { results } = await createAppHandler(App)({ command: 'validate' });
for (const { property, message } of results) {
  console.error(`${property} ${message}`);
}
console.log(results.length === 0 ? 'The app is valid.' : `${results.length} problems found.`);
process.exitCode = results.length === 0 ? 0 : 1;
