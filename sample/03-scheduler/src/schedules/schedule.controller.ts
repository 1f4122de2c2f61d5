import { Controller, Get, HttpCode, NotFoundException, Param, Post } from '@nestjs/common';
import { AsynqScheduler, type ScheduleInfo, ScheduleNotFoundError } from 'nestjs-asynq';

/** Lists every schedule of this process: those of `@Cron` and those that were added. */
@Controller('schedules')
export class ScheduleController {
  constructor(private readonly scheduler: AsynqScheduler) {}

  @Get()
  list(): readonly ScheduleInfo[] {
    return this.scheduler.schedules();
  }

  /** Runs one now, in addition to its ticks. */
  @Post(':id/run')
  @HttpCode(202)
  async run(@Param('id') id: string): Promise<{ readonly taskId: string }> {
    try {
      return { taskId: (await this.scheduler.runNow(id)).id };
    } catch (error) {
      throw error instanceof ScheduleNotFoundError ? new NotFoundException(error.message) : error;
    }
  }
}
