import { Body, Controller, HttpCode, Logger, Post, ValidationPipe } from '@nestjs/common';
import { AsynqClient } from 'nestjs-asynq';
import { digestGroup, notification } from '../tasks.js';
import { NotificationDto } from './notification.dto.js';

/** Accepts notifications for users, however many arrive. */
@Controller()
export class NotificationController {
  readonly #log = new Logger('Notifications');

  constructor(private readonly asynq: AsynqClient) {}

  @Post('notifications')
  @HttpCode(202)
  async notify(@Body(new ValidationPipe()) { userId, text }: NotificationDto): Promise<{ id: string; group: string }> {
    const group = `${digestGroup}${userId}`;
    const { id } = await this.asynq.enqueue(notification, { text }, { group });
    this.#log.log(`"${text}" waits in group "${group}"`);
    return { id, group };
  }
}
