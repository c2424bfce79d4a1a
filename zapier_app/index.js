/** The Relais app for Zapier: everything it offers comes from catalog.json. */

import catalog from './catalog.json' with { type: 'json' };
import { createApp } from './src/app.js';

export default createApp(catalog);
