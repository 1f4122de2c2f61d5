import { Body, Controller, HttpCode, Logger, Post, ValidationPipe } from '@nestjs/common';
import { AsynqClient, type TaskInfo } from 'nestjs-asynq';
import { addContact, tipsMail, welcomeMail } from '../tasks.js';
import { SignupDto } from './signup.dto.js';

/** Responds at once; the work happens in tasks. */
@Controller()
export class SignupController {
  readonly #log = new Logger('Signup');

  constructor(private readonly asynq: AsynqClient) {}

  @Post('signup')
  @HttpCode(202)
  async signup(@Body(new ValidationPipe()) { email, name }: SignupDto): Promise<readonly EnqueuedTask[]> {
    // Three concurrent calls share one round trip to Redis per queue.
    const infos = await Promise.all([
      this.asynq.enqueue(welcomeMail, { email, name }),
      this.asynq.enqueue(tipsMail, { email, name }),
      this.asynq.enqueue(addContact, { email }),
    ]);
    const tasks = infos.map(describe);
    for (const task of tasks) this.#log.log(`enqueued ${task.type} to "${task.queue}", runs at ${task.runsAt}`);
    return tasks;
  }
}

interface EnqueuedTask {
  readonly id: string;
  readonly type: string;
  readonly queue: string;
  readonly state: string;
  readonly runsAt: string | undefined;
}

function describe({ id, type, queue, state, nextProcessAt }: TaskInfo): EnqueuedTask {
  return { id, type, queue, state, runsAt: nextProcessAt?.toISOString() };
}
