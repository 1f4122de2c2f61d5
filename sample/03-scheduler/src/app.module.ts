import { Module } from '@nestjs/common';
import { AsynqModule } from 'nestjs-asynq';
import { BackupStore } from './backups/backup-store.service.js';
import { Backups } from './backups/backup.tasks.js';
import { CleanUp } from './backups/clean-up.tasks.js';
import { Health } from './health/health.tasks.js';
import { ReminderController } from './reminders/reminder.controller.js';
import { ReminderTasks } from './reminders/reminder.tasks.js';
import { ScheduleController } from './schedules/schedule.controller.js';
import { Settings } from './settings.js';

@Module({
  imports: [
    AsynqModule.forRootAsync({
      useFactory: () => ({
        redis: process.env['REDIS_URL'] ?? 'redis://localhost:6379',
        scheduler: {
          // Ids of schedules that do not tick in this process: SCHEDULES_OFF=Health.check,Backups.backup
          disabled: (process.env['SCHEDULES_OFF'] ?? '').split(',').filter((id) => id !== ''),
        },
      }),
    }),
  ],
  controllers: [ReminderController, ScheduleController],
  providers: [Settings, BackupStore, Backups, CleanUp, Health, ReminderTasks],
})
export class AppModule {}
