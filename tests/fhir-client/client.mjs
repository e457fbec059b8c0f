// A FHIR client library that is not ours against a running node: create, read, search with paging, update, batch.
//   node client.mjs http://127.0.0.1:8080/fhir
import assert from 'node:assert/strict';
import { Client } from 'fhir-kit-client';

const client = new Client({ baseUrl: process.argv[2] });
const resourceType = 'QuestionnaireResponse';
const header = (result, name) => Client.httpFor(result).response.headers.get(name);
const status = (result) => Client.httpFor(result).response.status;

const codes = ['LA6568-5', 'LA6569-3', 'LA6570-1', 'LA6571-9'];
const phq9 = (patient, level = 1) => ({
  resourceType,
  questionnaire: 'https://epione.example/Questionnaire/phq-9|1.0',
  status: 'completed',
  subject: { reference: `Patient/${patient}` },
  authored: '2026-11-23T19:30:00+01:00',
  item: Array.from({ length: 9 }, (_, i) => ({
    linkId: `q${i + 1}`,
    answer: [{ valueCoding: { system: 'http://loinc.org', code: codes[i === 8 ? 0 : level] } }],
  })),
});
const because = (text) => JSON.stringify({
  resourceType: 'Provenance',
  reason: [{ text }],
  agent: [{ who: { reference: 'Practitioner/nurse-7' } }],
});
const refused = async (promise, wanted) => {
  try {
    await promise;
  } catch (error) {
    assert.equal(error.response?.status, wanted);
    assert.equal(error.response?.data?.resourceType, 'OperationOutcome');
    return error.response.data;
  }
  return assert.fail(`was taken, but should have been refused with ${wanted}`);
};

console.log('the capability statement');
const statement = await client.capabilityStatement();
assert.equal(statement.fhirVersion, '4.0.1');
const claimed = statement.rest[0].resource.find((r) => r.type === resourceType).interaction.map((i) => i.code);
for (const code of ['create', 'read', 'vread', 'update', 'history-instance', 'search-type']) assert.ok(claimed.includes(code), code);

console.log('create, and the same again');
const options = { headers: { 'Idempotency-Key': 'client-1' } };
const created = await client.create({ resourceType, body: phq9(42), options });
assert.equal(status(created), 201);
assert.equal(header(created, 'etag'), 'W/"1"');
assert.ok(header(created, 'location').endsWith(`/${resourceType}/${created.id}/_history/1`));
const again = await client.create({ resourceType, body: phq9(42), options });
assert.equal(status(again), 200);
assert.equal(again.id, created.id);
await refused(client.create({ resourceType, body: phq9(42, 2), options }), 409);

console.log('read');
const read = await client.read({ resourceType, id: created.id });
assert.deepEqual(read.item, created.item);
assert.equal((await client.read({ resourceType: 'Patient', id: '42' })).id, '42');
assert.equal((await client.read({ resourceType: 'Questionnaire', id: 'phq-9' })).version, '1.0');
await refused(client.read({ resourceType, id: '0'.repeat(32) }), 404);
const short = await client.request(`${resourceType}/${created.id}?_summary=true`);
assert.equal(short.item, undefined);
assert.equal(short.meta.tag.at(-1).code, 'SUBSETTED');
const unchanged = await fetch(`${process.argv[2]}/${resourceType}/${created.id}`, { headers: { 'If-None-Match': 'W/"1"' } });
assert.equal(unchanged.status, 304);
assert.equal(unchanged.headers.get('etag'), 'W/"1"');
assert.equal(await unchanged.text(), '');

console.log('a form of the client\'s own');
const form = {
  resourceType: 'Questionnaire', url: 'https://forms.example/Questionnaire/steps', version: '1', status: 'active', language: 'en',
  item: [{ linkId: 's1', type: 'integer', text: 'Steps today' }],
};
const added = await client.create({ resourceType: 'Questionnaire', body: form });
assert.equal(status(added), 201);
assert.equal((await client.vread({ resourceType: 'Questionnaire', id: added.id, version: '1' })).url, form.url);
assert.equal((await client.search({ resourceType: 'Questionnaire', searchParams: { url: form.url } })).total, 1);

console.log('what does not fit');
const wrong = phq9(42);
wrong.item.pop();
assert.equal((await refused(client.create({ resourceType, body: wrong }), 422)).issue[0].severity, 'error');
const checked = await client.operation({ name: 'validate', resourceType, input: wrong });
assert.ok(checked.issue.some((i) => i.severity === 'error'));

console.log('search, page after page');
const ids = new Set([created.id]);
for (let i = 0; i < 24; ++i) ids.add((await client.create({ resourceType, body: phq9(100 + i) })).id);
let page = await client.search({ resourceType, searchParams: { _count: 7, questionnaire: 'phq-9' } });
const found = [];
let pages = 0;
while (page) {
  ++pages;
  for (const entry of page.entry ?? []) found.push(entry.resource.id);
  page = await client.nextPage({ bundle: page });
}
assert.ok(pages >= 4);
assert.equal(found.length, ids.size);
assert.deepEqual(new Set(found), ids);
assert.equal((await client.search({ resourceType, searchParams: { patient: '42' } })).entry.length, 1);

const byPost = { postSearch: true };
assert.equal((await client.search({ resourceType, searchParams: { patient: '42', _count: 5 }, options: byPost })).entry.length, 1);
assert.equal((await client.search({ resourceType, searchParams: { _summary: 'count' }, options: byPost })).total, ids.size);
assert.equal((await client.search({ resourceType, searchParams: { _count: 0 } })).total, ids.size);
const sorted = await client.search({ resourceType, searchParams: { patient: '42', _sort: '-authored' } });
assert.deepEqual(sorted.entry.map((e) => e.search.mode), ['match', 'outcome']);
assert.ok(!sorted.link.find((l) => l.relation === 'self').url.includes('_sort'));
await refused(client.search({ resourceType, searchParams: { author: 'x' } }), 400);
await client.search({ resourceType, searchParams: { author: 'x' }, options: { headers: { Prefer: 'handling=lenient' } } });

console.log('update as an amendment, and what was before');
const changed = { ...phq9(42, 2), id: created.id, status: 'amended' };
await refused(client.update({ resourceType, id: created.id, body: changed }), 422);
const amended = await client.update({
  resourceType, id: created.id, body: changed,
  options: { headers: { 'If-Match': 'W/"1"', 'X-Provenance': because('misread') } },
});
assert.equal(header(amended, 'etag'), 'W/"2"');
await refused(client.update({
  resourceType, id: created.id, body: { ...phq9(42, 3), id: created.id, status: 'amended' },
  options: { headers: { 'If-Match': 'W/"1"', 'X-Provenance': because('late') } },
}), 412);
assert.equal((await client.read({ resourceType, id: created.id })).status, 'amended');
assert.equal((await client.vread({ resourceType, id: created.id, version: '1' })).status, 'completed');
assert.equal((await client.history({ resourceType, id: created.id })).total, 2);

console.log('batch and transaction');
const post = (resource) => ({ resource, request: { method: 'POST', url: resourceType } });
const batch = await client.batch({
  body: { resourceType: 'Bundle', type: 'batch', entry: [post(phq9(1)), post(wrong), { request: { method: 'GET', url: 'Patient/1' } }] },
});
assert.deepEqual(batch.entry.map((e) => e.response.status.slice(0, 3)), ['201', '422', '200']);
const transaction = await client.transaction({
  body: { resourceType: 'Bundle', type: 'transaction', entry: [post(phq9(2, 1)), post(phq9(2, 2))] },
});
assert.deepEqual(transaction.entry.map((e) => e.response.status), ['201 Created', '201 Created']);
await refused(client.transaction({
  body: { resourceType: 'Bundle', type: 'transaction', entry: [post(phq9(3)), post(phq9(4))] },
}), 422);
assert.equal((await client.search({ resourceType, searchParams: { patient: '3' } })).entry, undefined);
console.log('passed');
