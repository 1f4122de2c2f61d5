import { IsNotEmpty, IsString } from 'class-validator';

/** Body of POST /reminders. */
export class ReminderDto {
  /** The cron spec: five fields, six with seconds, or a descriptor such as `@daily`. */
  @IsString()
  @IsNotEmpty()
  readonly spec!: string;

  @IsString()
  @IsNotEmpty()
  readonly text!: string;
}
