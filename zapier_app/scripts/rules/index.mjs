/**
 * Zapier's publishing checks, as far as they can be judged without Zapier's servers.
 *
 * D and T are the names of Zapier's own checks; G stands for its guidelines; R are ours.
 * D009, D013 to D015 and D022 are about searches and actions, which the app has none of.
 */

import * as connections from './connections.mjs';
import * as samples from './samples.mjs';
import * as texts from './texts.mjs';

/** Every rule: its name, and a function from the app to the problems it finds. */
export const RULES = Object.entries({ ...connections, ...samples, ...texts })
  .filter(([name]) => /^[A-Z]\d{3}$/.test(name))
  .sort(([one], [other]) => one.localeCompare(other));

/**
 * Return what the rules find wrong with an app.
 *
 * @param {object} app
 * @returns {Promise<{rule: string, problem: string}[]>}
 */
export const lint = async (app) => {
  const found = await Promise.all(
    RULES.map(async ([rule, check]) =>
      (await check(app)).map((problem) => ({ rule, problem })),
    ),
  );
  return found.flat();
};
