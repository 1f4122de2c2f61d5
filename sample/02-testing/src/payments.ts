import { Injectable } from '@nestjs/common';
import { AsynqClient, DuplicateTaskError, OnTaskEvent, SkipRetryError, type Task, TaskHandler } from 'nestjs-asynq';
import { Charge } from './tasks.js';

/** The payment provider that charges cards; in the sample it always succeeds. */
@Injectable()
export class PaymentProvider {
  async charge(_order: string, _cents: number): Promise<'paid' | 'declined'> {
    return await Promise.resolve('paid');
  }
}

/** Charges orders, and remembers which could not be charged. */
@Injectable()
export class Payments {
  readonly unpaid: string[] = [];

  constructor(
    private readonly asynq: AsynqClient,
    private readonly provider: PaymentProvider,
  ) {}

  /** Called when somebody presses "pay", perhaps twice. */
  async pay(order: string, cents: number): Promise<'started' | 'under way'> {
    try {
      await this.asynq.enqueue(Charge, { order, cents });
      return 'started';
    } catch (error) {
      if (error instanceof DuplicateTaskError) return 'under way';
      throw error;
    }
  }

  @TaskHandler(Charge)
  async charge({ payload: { order, cents } }: Task<{ order: string; cents: number }>): Promise<void> {
    if ((await this.provider.charge(order, cents)) === 'declined') throw new SkipRetryError('The card was declined');
  }

  @OnTaskEvent('archived')
  archived({ task }: { readonly task: { readonly id: string; readonly type: string } }): void {
    if (task.type === Charge.type) this.unpaid.push(task.id);
  }
}
