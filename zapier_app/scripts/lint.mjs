/** Check the app against Zapier's publishing rules; `scripts/rules` says which. */

import App from '../index.js';
import { lint, RULES } from './rules/index.mjs';

const problems = await lint(App);
for (const { rule, problem } of problems) {
  console.error(`${rule} ${problem}`);
}
console.log(`${RULES.length} rules, ${problems.length} problems.`);
process.exitCode = problems.length === 0 ? 0 : 1;
