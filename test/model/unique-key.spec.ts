import { uniqueKeyOf } from '../../lib/model/task/unique-key.js';

const subject = { queue: 'default', type: 'email:send', payload: Buffer.from('{"u":1}') };

describe('unique key', () => {
  it('P-21 is the same as in Go', () => {
    expect(uniqueKeyOf(subject)).toBe('asynq:{default}:unique:email:send:cfeb4906248f18cb94f202711c2a34cf');
  });

  it('P-22 ends with a colon when there is no payload', () => {
    expect(uniqueKeyOf({ ...subject, payload: undefined })).toBe('asynq:{default}:unique:email:send:');
  });

  it('P-23 C-52 has the digest of no bytes for an empty payload', () => {
    expect(uniqueKeyOf({ ...subject, payload: Buffer.alloc(0) })).toMatch(/:d41d8cd98f00b204e9800998ecf8427e$/);
  });

  it.each([
    ['C-49 queue', { queue: 'Default' }],
    ['type', { type: 'email:sent' }],
    ['C-50 payload', { payload: Buffer.from('{"u":2}') }],
  ])('differs with the %s', (_what, change) => {
    expect(uniqueKeyOf({ ...subject, ...change })).not.toBe(uniqueKeyOf(subject));
  });
});
