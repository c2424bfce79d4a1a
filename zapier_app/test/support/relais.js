/** A real Relais, started for a test run with its own empty data directory. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const INSTALLED = fileURLToPath(new URL('../../../.venv/bin/relais', import.meta.url));
const START_SECONDS = 30;

// What `relais serve` says on its standard output once it has started.
const LINES = {
  publisherKey: /^Publisher key: (\S+)/,
  accountKey: /^Account key: (\S+)/,
  url: /^Relais is ready at (\S+)/,
};

/** Return the command line of `relais`: RELAIS_COMMAND, or the one of this repository. */
const commandLine = () => process.env.RELAIS_COMMAND?.split(' ') ?? [INSTALLED];

/** Return why no Relais can be started here, or null. In CI there is no excuse. */
export const whyNoRelais = () => {
  if (process.env.RELAIS_COMMAND || process.env.CI) {
    return null;
  }
  try {
    accessSync(INSTALLED, constants.X_OK);
    return null;
  } catch {
    return `${INSTALLED} is missing; install Relais or set RELAIS_COMMAND`;
  }
};

const readLines = async (output, onLine) => {
  for await (const line of createInterface({ input: output })) {
    onLine(line);
  }
};

/** Resolve with what the lines say; reject when the process ends or takes too long. */
const started = (child) =>
  new Promise((resolve, reject) => {
    const said = {};
    let errors = '';
    const fail = (reason) => reject(new Error(`Relais did not start: ${reason}\n${errors}`));
    const timer = setTimeout(() => fail(`not ready in ${START_SECONDS} s`), START_SECONDS * 1000);
    child.stderr.on('data', (chunk) => {
      errors = `${errors}${chunk}`.slice(-4000);
    });
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code) => fail(`it ended with ${code}`));
    readLines(child.stdout, (line) => {
      for (const [name, pattern] of Object.entries(LINES)) {
        said[name] ??= line.match(pattern)?.[1];
      }
      if (said.url) {
        clearTimeout(timer);
        resolve(said);
      }
    });
  });

const stop = async (child, data) => {
  const isRunning = child.pid && child.exitCode === null && child.signalCode === null;
  if (isRunning) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  rmSync(data, { recursive: true, force: true });
};

/** Make a function that calls the API and returns the parsed answer; errors are thrown. */
const caller = (url) => async (method, path, key, body) => {
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`${method} ${path}: ${response.status} ${text}`);
  }
  return text && JSON.parse(text);
};

/**
 * Start Relais and wait until it is ready.
 *
 * @returns {Promise<{url: string, publisherKey: string, accountKey: string,
 *   call: (method: string, path: string, key: string, body?: object) => Promise<any>,
 *   stop: () => Promise<void>}>}
 */
export const startRelais = async () => {
  const [command, ...more] = commandLine();
  const data = mkdtempSync(join(tmpdir(), 'relais-zapier-'));
  const child = spawn(command, [...more, 'serve', '--port', '0', '--data', data], {
    env: { ...process.env, RELAIS_ALLOWED_NETWORKS: '127.0.0.0/8' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  try {
    const said = await started(child);
    return { ...said, call: caller(said.url), stop: () => stop(child, data) };
  } catch (error) {
    await stop(child, data);
    throw error;
  }
};
