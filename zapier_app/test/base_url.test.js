/** Which addresses a user may give. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readBaseUrl } from '../src/lib/base_url.js';

const ACCEPTED = {
  'https://hooks.example.com': 'https://hooks.example.com',
  '  https://hooks.example.com/  ': 'https://hooks.example.com',
  'hooks.example.com': 'https://hooks.example.com',
  'hooks.example.com:8443': 'https://hooks.example.com:8443',
  'hooks.example.com/relais/': 'https://hooks.example.com/relais',
  'https://hooks.example.com/api/v1/': 'https://hooks.example.com',
  'HTTPS://Hooks.Example.COM': 'https://hooks.example.com',
  'https://bücher.example': 'https://xn--bcher-kva.example',
};

for (const [given, read] of Object.entries(ACCEPTED)) {
  test(`"${given}" is ${read}`, () => {
    assert.equal(readBaseUrl(given), read);
  });
}

const REFUSED = {
  '': /not a web address/,
  'not an address': /not a web address/,
  'http://hooks.example.com': /must start with `https/,
  'javascript:alert(1)': /must start with `https/,
  'https://user:word@hooks.example.com': /user name/,
  'https://hooks.example.com/?next=x': /query/,
  'https://hooks.example.com/#x': /fragment/,
  'https://localhost': /public host/,
  'https://127.0.0.1': /public host/,
  'https://2130706433': /public host/,
  'https://0x7f.1': /public host/,
  'https://[::1]': /public host/,
  'https://169.254.169.254': /public host/,
  'https://hooks.example.com.': /public host/,
};

for (const [given, reason] of Object.entries(REFUSED)) {
  test(`"${given}" is refused`, () => {
    assert.throws(() => readBaseUrl(given), reason);
  });
}

test('an address that was never given is refused', () => {
  assert.throws(() => readBaseUrl(undefined), /not a web address/);
});

test('loopback is open to developers who ask for it', (t) => {
  process.env.RELAIS_ALLOW_LOOPBACK = '1';
  t.after(() => delete process.env.RELAIS_ALLOW_LOOPBACK);

  assert.equal(readBaseUrl('http://127.0.0.1:8585'), 'http://127.0.0.1:8585');
  assert.throws(() => readBaseUrl('http://192.168.1.4'), /must start with `https/);
});
