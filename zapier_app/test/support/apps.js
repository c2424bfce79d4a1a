/** Small apps for tests, made by the real factories from small catalogs. */

import { createApp } from '../../src/app.js';

export const A_BRAND = {
  name: 'Relais',
  base_url: null,
  help_url: 'https://relais.example/help/api-keys',
};

/** A trigger that has one of everything. */
export const aTrigger = (changes = {}) => ({
  key: 'new_visit',
  catalog: 'visits',
  label: 'New Visit',
  description: 'Triggers when somebody visits.',
  noun: 'Visit',
  resource: { kind: 'room', field: 'room_id', required: false },
  filters: [
    {
      key: 'event',
      field: 'event',
      label: 'Event',
      help: 'What happened.',
      choices: [
        { value: 'arrive', label: 'Arrived' },
        { value: 'leave', label: 'Left' },
      ],
    },
    {
      key: 'visitor_role',
      field: 'visitor.role',
      label: 'Role',
      help: null,
      choices: [
        { value: 3, label: 'Visitor' },
        { value: 5, label: 'Administrator' },
      ],
    },
  ],
  output_fields: [
    { key: 'id', label: 'Event ID', type: 'string', required: true },
    { key: 'event', label: 'Event', type: 'string', required: true },
    { key: 'occurred_at', label: 'Occurred At', type: 'datetime', required: true },
    { key: 'visit_id', label: 'Visit ID', type: 'integer' },
    { key: 'visitor__name', label: 'Visitor Name', type: 'string' },
    { key: 'visitor__seen_on', label: 'Visitor Seen On', type: 'string' },
    { key: 'answers[]score', label: 'Answer Score', type: 'integer' },
    { key: 'tags', label: 'Tags', type: 'string', list: true },
  ],
  sample: {
    id: 'evt_1',
    event: 'arrive',
    occurred_at: '2026-03-09T14:00:00+01:00',
    visit_id: 7,
    visitor: { name: 'Inès', seen_on: null },
    answers: [{ score: 3 }],
    tags: ['first'],
  },
  ...changes,
});

export const aResource = (changes = {}) => ({
  kind: 'room',
  list_key: 'room_choices',
  label: 'Room',
  plural: 'Rooms',
  help: null,
  sample: { id: '1', label: 'Yoga room' },
  ...changes,
});

/** A fresh app that tests may break: its definition is shared with no other. */
export const anApp = ({ brand = {}, trigger = {}, resource = {} } = {}) =>
  createApp(
    structuredClone({
      brand: { ...A_BRAND, ...brand },
      resources: [aResource(resource)],
      triggers: [aTrigger(trigger)],
    }),
  );
