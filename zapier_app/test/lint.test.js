/** Every publishing rule holds for the app, and every rule can fail. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import App from '../index.js';
import { lint, RULES } from '../scripts/rules/index.mjs';
import { anApp } from './support/apps.js';

const hook = (app) => app.triggers.new_visit;
const fields = (app) => hook(app).operation.outputFields;
const inputs = (app) => hook(app).operation.inputFields;
const sample = (app) => hook(app).operation.sample;
const auth = (app) => app.authentication;

/** What somebody might do to a good app, by the rule that must notice. */
const BREAKERS = {
  D001: (app) => inputs(app).push({ key: 'api_token', label: 'Token' }),
  D002: (app) => {
    auth(app).fields[1].helpText = 'Look for it on your settings page.';
  },
  D003: (app) => {
    auth(app).connectionLabel = 'Relais';
  },
  D004: (app) => inputs(app).push({ key: 'room_id', label: 'Room' }),
  D005: (app) => {
    inputs(app)[0].dynamic = 'nowhere_choices.id.label';
  },
  D006: (app) => delete hook(app).operation.performList,
  D007: (app) => {
    inputs(app)[0].helpText = 'See `http://hooks.example.com`.';
  },
  D008: (app) => {
    inputs(app)[0].helpText = 'See https://hooks.example.com for more.';
  },
  D010: (app) => delete sample(app).id,
  D011: (app) => {
    inputs(app)[0].helpText = inputs(app)[0].label.toLowerCase();
  },
  D012: (app) => {
    hook(app).operation.sample = {};
  },
  D016: (app) => {
    app.triggers = { new_visit: hook(app) };
    delete hook(app).operation.performUnsubscribe;
  },
  D017: (app) => delete hook(app).operation.performSubscribe,
  D018: (app) => {
    hook(app).display.label = 'New visit';
  },
  D021: (app) => {
    hook(app).display.description = 'Fires whenever there is a visit.';
  },
  D023: (app) => {
    sample(app).visitor.seen_on = '2026-03-09 14:00:00';
  },
  D024: (app) => {
    sample(app).visit_id = 'seven';
  },
  D025: (app) => {
    auth(app).fields[0].placeholder = 'javascript:alert(1)';
  },
  D026: (app) => {
    app.beforeRequest[0] = (request) => request;
  },
  G001: (app) => {
    inputs(app)[0].label = 'Room ID';
  },
  G002: (app) => delete fields(app)[0].label,
  R001: (app) => inputs(app).push({ ...inputs(app)[0] }),
  R002: (app) => inputs(app).shift(),
  R003: (app) => {
    fields(app)[1].label = fields(app)[0].label;
  },
  T003: (app) => {
    sample(app).occurred_at = 'yesterday';
  },
  T004: (app) => {
    sample(app).visitor.phone = '+33 1 99 00 31 01';
  },
};

test('the app keeps every publishing rule', async () => {
  assert.deepEqual(await lint(App), []);
});

test('the app that the negative tests break keeps every rule at first', async () => {
  assert.deepEqual(await lint(anApp()), []);
});

test('every rule has a test that breaks it', () => {
  assert.deepEqual(
    RULES.map(([rule]) => rule),
    Object.keys(BREAKERS).sort(),
  );
});

for (const [rule, breakIt] of Object.entries(BREAKERS)) {
  test(`${rule} notices what it is for`, async () => {
    const app = anApp();

    breakIt(app);

    const noticed = (await lint(app)).map((found) => found.rule);
    assert.ok(noticed.includes(rule), `noticed ${noticed.join(', ') || 'nothing'}`);
  });
}

/** More ways to break the rules that judge several things. */
const VARIANTS = {
  'D003: the label shows the key': ['D003', (app) => {
    auth(app).connectionLabel = '{{bundle.authData.api_key}}';
  }],
  'D005: the drop-down has no such column': ['D005', (app) => {
    inputs(app)[0].dynamic = 'room_choices.id.title';
  }],
  'D008: a link that is not closed': ['D008', (app) => {
    inputs(app)[0].helpText = 'See [the page(https://hooks.example.com)';
  }],
  'D021: no full stop': ['D021', (app) => {
    hook(app).display.description = 'Triggers when there is a visit';
  }],
  'D024: a required field is missing': ['D024', (app) => delete sample(app).event],
  'D024: a value inside a list of objects': ['D024', (app) => {
    sample(app).answers[0].score = 'high';
  }],
  'G002: a trigger without a label': ['G002', (app) => delete hook(app).display.label],
  'R001: a trigger under another key': ['R001', (app) => {
    app.triggers.old_visit = hook(app);
  }],
  'R001: two output fields with one key': ['R001', (app) => fields(app).push(fields(app)[0])],
  'R002: a drop-down that does not page': ['R002', (app) => {
    app.triggers.room_choices.operation.canPaginate = false;
  }],
};

for (const [name, [rule, breakIt]] of Object.entries(VARIANTS)) {
  test(`noticed: ${name}`, async () => {
    const app = anApp();

    breakIt(app);

    const noticed = (await lint(app)).map((found) => found.rule);
    assert.ok(noticed.includes(rule), `noticed ${noticed.join(', ') || 'nothing'}`);
  });
}
