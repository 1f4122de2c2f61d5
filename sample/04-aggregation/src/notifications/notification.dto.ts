import { IsNotEmpty, IsString } from 'class-validator';

/** Body of POST /notifications. */
export class NotificationDto {
  @IsString()
  @IsNotEmpty()
  readonly userId!: string;

  @IsString()
  @IsNotEmpty()
  readonly text!: string;
}
