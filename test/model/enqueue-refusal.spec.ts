import { enqueueOutcome, refusalError, type StoreOutcome } from '../../lib/model/broker/enqueue-refusal.js';
import type { EnqueueRequest } from '../../lib/model/broker/enqueue.contract.js';
import { aTaskMessage } from '../support/a-task-message.js';

describe('the outcome of storing a task', () => {
  it.each<[StoreOutcome, string, string]>([
    ['stored', 'enqueued', 'enqueued'],
    ['held', 'enqueued', 'duplicate'],
    ['id-conflict', 'enqueued', 'id-conflict'],
    ['duplicate', 'duplicate', 'duplicate'],
  ])('"%s" is "%s" for an id of our own making and "%s" for a chosen one', (outcome, generated, chosen) => {
    const request: EnqueueRequest = {
      message: aTaskMessage(),
      place: { kind: 'pending' },
      uniqueForSeconds: 0,
      idIsGenerated: true,
    };
    expect(enqueueOutcome(outcome, request)).toBe(generated);
    expect(enqueueOutcome(outcome, { ...request, idIsGenerated: false })).toBe(chosen);
  });

  it('has an error for each refusal, which names the task', () => {
    const message = { queue: 'mail', type: 'send', id: 'one' };
    expect(refusalError('duplicate', message)).toMatchObject({
      code: 'ASYNQ_DUPLICATE_TASK',
      queue: 'mail',
      type: 'send',
    });
    expect(refusalError('id-conflict', message)).toMatchObject({ code: 'ASYNQ_TASK_ID_CONFLICT', taskId: 'one' });
  });
});
