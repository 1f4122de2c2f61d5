import {
  BadRequestException,
  Body,
  ConflictException,
  Controller,
  Delete,
  HttpCode,
  NotFoundException,
  Param,
  Post,
  ValidationPipe,
} from '@nestjs/common';
import { AsynqScheduler, CronSpecError, ScheduleConflictError, ScheduleNotFoundError } from 'nestjs-asynq';
import { ReminderDto } from './reminder.dto.js';
import { remind } from './reminder.tasks.js';

/** Adds and removes schedules while the app runs. */
@Controller('reminders')
export class ReminderController {
  constructor(private readonly scheduler: AsynqScheduler) {}

  @Post()
  add(@Body(new ValidationPipe()) { spec, text }: ReminderDto): { readonly id: string } {
    try {
      return { id: this.scheduler.register(spec, remind, { text }) };
    } catch (error) {
      if (error instanceof CronSpecError) throw new BadRequestException(error.message);
      if (error instanceof ScheduleConflictError) throw new ConflictException(error.message);
      throw error;
    }
  }

  @Delete(':id')
  @HttpCode(204)
  remove(@Param('id') id: string): void {
    try {
      this.scheduler.unregister(id);
    } catch (error) {
      throw error instanceof ScheduleNotFoundError ? new NotFoundException(error.message) : error;
    }
  }
}
